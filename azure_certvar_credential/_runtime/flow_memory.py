"""What the flow keeps beside tokens: assertions of remote signers, and endpoints that metadata documents name."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from azure_certvar_credential._core.client_authentication.assertion import LIFETIME
from azure_certvar_credential._core.effects import AssertionKey, PublishedEndpoint
from azure_certvar_credential._runtime.events import event
from azure_certvar_credential._secrecy.redaction import redact_error

_LOGGER = logging.getLogger("azure_certvar_credential")
# Few certificates are in use at a time; the bound only stops rotated ones from piling up.
_MOST_CERTIFICATES = 32


class FlowMemory:
    """The memory of one credential; usable from any thread.

    :param clock: returns seconds since the epoch, UTC.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # Each with the time until which it is used.
        self._assertions: dict[AssertionKey, tuple[float, str]] = {}
        # By the SHA-256 thumbprint of a certificate whose signer cannot do the default.
        self._algorithms: dict[str, str] = {}
        # A credential has one authority, so there are no more than one.
        self._endpoints: dict[str, PublishedEndpoint] = {}

    def read_assertion(self, key: AssertionKey) -> str | None:
        """Return a recent assertion of a remote signer, or None."""
        until, assertion = self._assertions.get(key, (0.0, ""))
        # One that lasts longer than assertions do was made before the clock was set back.
        return assertion if 0.0 < until - self._clock() <= LIFETIME else None

    def write_assertion(self, key: AssertionKey, assertion: str, until: float) -> None:
        """Keep an assertion of a remote signer."""
        now = self._clock()
        with self._lock:
            for old in [old for old, (end, _) in self._assertions.items() if end <= now]:
                del self._assertions[old]
            self._assertions[key] = (until, assertion)

    def read_algorithm(self, thumbprint: str) -> str | None:
        """Return the JWS ``alg`` that a certificate's signer was found to need, or None."""
        return self._algorithms.get(thumbprint)

    def write_algorithm(self, thumbprint: str, algorithm: str, refused: Exception) -> None:
        """Keep the JWS ``alg`` that a certificate's signer needs, and log once why."""
        with self._lock:
            if thumbprint in self._algorithms:
                return
            if len(self._algorithms) >= _MOST_CERTIFICATES:
                self._algorithms.clear()
            self._algorithms[thumbprint] = algorithm
        _LOGGER.warning(
            "the certificate's signer does not sign with the default algorithm, so %s signs the assertions of the "
            "certificate %s from now on; algorithm=%r says so beforehand: %s",
            algorithm,
            thumbprint,
            algorithm,
            redact_error(refused),
            extra=event("algorithm_replaced", refused, thumbprint=thumbprint, algorithm=algorithm),
        )

    def read_endpoint(self, key: str) -> PublishedEndpoint | None:
        """Return the endpoint that a metadata document named, even if it is time to read it again; or None."""
        return self._endpoints.get(key)

    def write_endpoint(self, key: str, endpoint: PublishedEndpoint, failure: Exception | None) -> None:
        """Keep the endpoint that a metadata document names; with a failure, the last good one."""
        self._endpoints[key] = endpoint
        if failure is not None:
            _LOGGER.warning(
                "could not read %s again, the token endpoint stays %s; next attempt in %.0f s: %s: %s",
                key,
                endpoint.endpoint.url,
                endpoint.until - self._clock(),
                type(failure).__name__,
                failure,
                extra=event("metadata_failed", failure, retry_in=endpoint.until - self._clock()),
            )

    def clear(self) -> None:
        """Forget every assertion."""
        with self._lock:
            self._assertions.clear()

    def after_fork(self) -> None:
        """Start with another lock in a child process: the thread that holds this one is not there."""
        self._lock = threading.Lock()
