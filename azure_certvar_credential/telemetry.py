"""Metrics of a credential for OpenTelemetry. Needs the extra ``telemetry``.

>>> from azure_certvar_credential.telemetry import instrument
>>> instrument(credential)

Nothing is measured of a credential that was not instrumented, nor of a token that is returned from memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary, WeakSet

from azure_certvar_credential._core.effects import Unanswered
from azure_certvar_credential._core.exchange import Response, read
from azure_certvar_credential._runtime.certificate_provider import CertificateProvider
from azure_certvar_credential._runtime.construction import Parts
from azure_certvar_credential._runtime.credentials import CredentialBase
from azure_certvar_credential._runtime.events import error_type
from azure_certvar_credential._version import __version__
from azure_certvar_credential.exceptions import AuthenticationError, ConfigurationError

try:
    from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation, get_meter, get_meter_provider
except ImportError as missing:
    raise ImportError(
        "azure_certvar_credential.telemetry needs opentelemetry-api: pip install 'azure-certvar-credential[telemetry]'",
        name="opentelemetry",
    ) from missing

__all__ = ["instrument"]

A = TypeVar("A", bound=Response | Unanswered)

# Seconds; those that OpenTelemetry's conventions advise for HTTP, and the time-out of an acquisition.
_BOUNDARIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30)


def instrument(credential: CredentialBase, *, meter_provider: MeterProvider | None = None) -> None:
    """Measure what a credential does, for as long as it exists.

    A credential for a user or an agent is measured with the one that it came from. A copy is a credential of its own.

    >>> credential = CertVarCredential(tenant_id, client_id, os.environ["APP_CERT"])
    >>> instrument(credential)
    >>> token = credential.get_token("https://graph.microsoft.com/.default")  # measured

    :param credential: a credential of this package, sync or async.
    :param meter_provider: makes the instruments; None for the global one, which may be set later.
    :raises ConfigurationError: it is no credential of this package, came from another one, or is measured already.
    """
    if not isinstance(credential, CredentialBase):
        raise ConfigurationError(
            "instrument() takes a credential of this package that has a certificate or an assertion source, such as "
            f"CertVarCredential, not {type(credential).__name__}: instrument the one that a user's or agent's came from"
        )
    tokens = credential._cached_tokens  # noqa: SLF001 - of this package
    if tokens.observer is not None:
        raise ConfigurationError("the credential is measured already: call instrument() once")
    tokens.observer = _Measuring(_instruments(meter_provider), credential._parts)  # noqa: SLF001 - of this package


class _Instruments:
    """The instruments of one provider.

    :param meter_provider: None for the global one.
    :ivar measuring: whose certificates are observed; each lives as long as its credential. One callback observes them
        all: of an observable instrument that is made twice, the SDK drops the second callback.
    """

    def __init__(self, meter_provider: MeterProvider | None) -> None:
        self.measuring: WeakSet[_Measuring] = WeakSet()
        meter = get_meter("azure_certvar_credential", __version__, meter_provider)

        def duration(name: str, description: str) -> Any:
            return meter.create_histogram(
                name, unit="s", description=description, explicit_bucket_boundaries_advisory=_BOUNDARIES
            )

        self.request = duration("certvar.token.request.duration", "Duration of requests to the token endpoint.")
        self.wait = duration("certvar.token.wait.duration", "Time that callers waited for a token.")
        self.cache_call = duration("certvar.cache.operation.duration", "Duration of calls of the shared token cache.")
        self.refreshes = meter.create_counter(
            "certvar.token.refreshes", unit="{refresh}", description="Attempts to replace a token that still serves."
        )
        self.readings = meter.create_counter(
            "certvar.certificate.readings", unit="{reading}", description="Readings of the certificate's source."
        )
        self.lookups = meter.create_counter(
            "certvar.cache.lookups", unit="{lookup}", description="Questions to the shared token cache for a token."
        )
        meter.create_observable_gauge(
            "certvar.certificate.time_to_expiry",
            [self._time_to_expiry],
            unit="s",
            description="Time until the certificate in use expires; negative once it has.",
        )

    def _time_to_expiry(self, _: CallbackOptions) -> Iterable[Observation]:
        for one in list(self.measuring):
            provider = one.parts.provider
            certificate = provider.current if isinstance(provider, CertificateProvider) else None
            if certificate is not None:
                left = certificate.not_after.timestamp() - one.parts.clock()
                yield Observation(left, {**one.identity, "certvar.certificate.thumbprint": certificate.thumbprint})


class _Global:
    """Stands for the global provider, which may be set later and so be another object."""


_of_providers: WeakKeyDictionary[Any, _Instruments] = WeakKeyDictionary()
_lock = Lock()


def _instruments(meter_provider: MeterProvider | None) -> _Instruments:
    is_global = meter_provider is None or meter_provider is get_meter_provider()
    key: Any = _Global if is_global else meter_provider
    with _lock:
        found = _of_providers.get(key)
        if found is None:
            found = _of_providers[key] = _Instruments(None if is_global else meter_provider)
        return found


class _Measuring:
    """Measures one credential; an :class:`~azure_certvar_credential._runtime.observer.Observer`.

    :param instruments: those of the provider.
    :ivar parts: what the credential is made of.
    :ivar identity: the attributes that tell it from others.
    """

    def __init__(self, instruments: _Instruments, parts: Parts) -> None:
        self._instruments = instruments
        self.parts = parts
        self.identity: Mapping[str, str] = {
            "certvar.client_id": parts.settings.client_id,
            "certvar.tenant_id": parts.settings.tenant_id,
        }
        instruments.measuring.add(self)

    @contextmanager
    def request(self, url: str) -> Iterator[Callable[[A], A]]:
        attributes: dict[str, Any] = {"server.address": urlsplit(url).hostname or ""}

        def answered(answer: A) -> A:
            attributes.update(_outcome(answer))
            return answer

        with self._timed(self._instruments.request, attributes):
            yield answered

    @contextmanager
    def wait(self) -> Iterator[None]:
        with self._timed(self._instruments.wait, {}):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        attributes: dict[str, Any] = {}
        try:
            with _noting(attributes):
                yield
        finally:
            self._instruments.readings.add(1, {**self.identity, **attributes})

    @contextmanager
    def cache_call(self, method: str) -> Iterator[None]:
        with self._timed(self._instruments.cache_call, {"certvar.cache.operation": method}):
            yield

    def cache_lookup(self, *, found: bool) -> None:
        result = {"certvar.cache.result": "hit" if found else "miss"}
        self._instruments.lookups.add(1, {**self.identity, **result})

    def refreshed(self, failure: str | None) -> None:
        result = {} if failure is None else {"error.type": failure}
        self._instruments.refreshes.add(1, {**self.identity, **result})

    @contextmanager
    def _timed(self, histogram: Any, attributes: dict[str, Any]) -> Iterator[None]:
        """Record how long the context takes, with the type of the failure that leaves it."""
        began = monotonic()
        try:
            with _noting(attributes):
                yield
        finally:
            histogram.record(monotonic() - began, {**self.identity, **attributes})


@contextmanager
def _noting(attributes: dict[str, Any]) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        attributes["error.type"] = error_type(error)
        raise


def _outcome(answer: Response | Unanswered) -> dict[str, Any]:
    """Return the attributes of an answer, read as the flow reads it."""
    if isinstance(answer, Unanswered):
        return {"error.type": error_type(answer.error)}
    outcome: dict[str, Any] = {"http.response.status_code": answer.status}
    try:
        read(answer, now=0.0, about=str)
    except AuthenticationError as error:
        outcome["error.type"] = error_type(error)
    return outcome
