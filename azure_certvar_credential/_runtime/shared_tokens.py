"""Answers the flow's questions to a cache that processes share, and keeps its failures from the flow.

What the cache has to do is written once, as generators that yield calls; each shell performs the calls in its own way.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator
from time import monotonic
from typing import Any, Literal

from azure_certvar_credential._core.config import Settings
from azure_certvar_credential._core.effects import Token
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._core.sharing import (
    SEALING_ALGORITHM,
    SEALING_LABEL,
    Find,
    Lease,
    Lock,
    NotSealed,
    Question,
    Sealer,
    Store,
)
from azure_certvar_credential._runtime.events import event
from azure_certvar_credential._runtime.fork import tell_after_fork
from azure_certvar_credential._secrecy.redaction import redact_error
from azure_certvar_credential._transport.deadline import deadline
from azure_certvar_credential._values import Value
from azure_certvar_credential.caches.protocol import AsyncTokenCache, TokenCache
from azure_certvar_credential.caches.sealed import Seal
from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.exceptions import AcquisitionTimeoutError, ConfigurationError
from azure_certvar_credential.signers.coroutines import ASYNCHRONOUS, is_coroutine_function
from azure_certvar_credential.signers.verification import verify

_LOGGER = logging.getLogger("azure_certvar_credential")

# Seconds for which a cache that failed is left alone: twice as long after each failure.
FIRST_REST, LONGEST_REST = 1.0, 30.0
# Seconds until a certificate whose key could not make a sealing key is tried again.
SEALING_REST = 300.0
# Seconds between two lines in the log about entries that cannot be opened.
SILENCE = 300.0
# A call of the cache may take so many seconds, and no more than this share of the time that the acquisition has left:
# what remains is for the request.
LONGEST_CALL, SHARE_OF_TIME = 2.0, 1 / 4
# The most certificates whose sealing keys are kept.
_MAX_SEALS = 64

# By the SHA-256 thumbprint of the leaf: one signature for each certificate and process.
_seals: dict[str, Seal] = {}


class CacheCall(Value):
    """A method of the cache to be called.

    :ivar method: its name.
    :ivar arguments: its arguments.
    """

    method: str
    arguments: tuple[Any, ...]


class _UnreachableError(Exception):
    """The cache failed, or is left alone because it has failed."""


Steps = Generator[CacheCall, Any, Any]


class SharedTokens:
    """The shared cache of one credential; usable from any thread.

    :param cache: the user's.
    :param settings: the credential's settings.
    :param keys: the user's sealing keys, 32 octets each; none for the certificate's.
    """

    def __init__(self, cache: TokenCache | AsyncTokenCache, settings: Settings, keys: tuple[bytes, ...]) -> None:
        self.cache = cache
        self._settings = settings
        self._own_seal = Seal(keys) if keys else None
        self._lock = threading.Lock()
        self._rest = self._rests_until = self._silent_until = 0.0
        self._running, self._hangs = 0, False
        # By the thumbprint of a certificate whose key cannot seal: until when it is not tried again.
        self._sealless: dict[str, float] = {}
        tell_after_fork(self)

    @property
    def seconds(self) -> float:
        """How long the next call of the cache may take. The caches of this package give up earlier by themselves."""
        return min(LONGEST_CALL, deadline().remaining() * SHARE_OF_TIME)

    def refuse_coroutines(self) -> None:
        """Refuse a cache that the synchronous credential cannot call.

        :raises ConfigurationError: its methods are coroutine functions.
        """
        if is_coroutine_function(self.cache.get):
            raise ConfigurationError(ASYNCHRONOUS.format(what="token_cache"))

    def answer(self, question: Question) -> Steps:
        """Answer a question; yields calls."""
        match question:
            case Sealer(certificate, signature):
                return self._seal(certificate, signature)
            case NotSealed(certificate, error):
                return self._cannot_seal(certificate, error)
        try:
            match question:
                case Find(request, seal):
                    return (yield from self._find(request, seal))
                case Lock(request, seal, seconds):
                    holder = yield from self._ask("lock", self._digests(request, seal)[0], seconds)
                    current = deadline()
                    # With half of the time left the member can still request a token by itself.
                    return Lease(holder, patient=current.remaining() > current.seconds / 2)
                case Store(request, seal, holder, token):
                    return (yield from self._store(request, seal, holder, token))
        except _UnreachableError:
            return None

    def perform(self, call: CacheCall) -> Any:
        """Call a method of a synchronous cache; runs in a thread that is left when it hangs."""
        with self._lock:
            self._running += 1
        try:
            return getattr(self.cache, call.method)(*call.arguments)
        finally:
            with self._lock:
                self._running -= 1
                self._hangs = self._hangs and self._running > 0

    def after_fork(self) -> None:
        """Start afresh in a child process, where no call runs."""
        self._lock = threading.Lock()
        self._running, self._hangs = 0, False
        tell_after_fork(self)

    def _seal(self, certificate: ClientCertificate | None, signature: object) -> Seal | Literal[False] | None:
        if certificate is None or self._own_seal is not None:
            return self._own_seal
        known = _seals.get(certificate.sha256_thumbprint)
        if known is not None:
            return known
        if signature is None:
            return False if monotonic() < self._sealless.get(certificate.sha256_thumbprint, 0.0) else None
        if not isinstance(signature, bytes) or not verify(
            certificate.signer.public_key, SEALING_LABEL, signature, SEALING_ALGORITHM
        ):
            raise ValueError(f"the {SEALING_ALGORITHM} signature does not verify with the certificate's public key")
        while len(_seals) >= _MAX_SEALS:
            _seals.pop(next(iter(_seals)), None)
        return _seals.setdefault(certificate.sha256_thumbprint, Seal([signature]))

    def _cannot_seal(self, certificate: ClientCertificate, error: Exception) -> None:
        # One certificate after another: an earlier one is not in use any more.
        self._sealless = {certificate.sha256_thumbprint: monotonic() + SEALING_REST}
        _LOGGER.warning(
            "cannot seal shared tokens with %s, so this process has its own; next attempt in %.0f s: %s. A key that "
            "does not sign with %s needs encryption_key",
            certificate,
            SEALING_REST,
            redact_error(error),
            SEALING_ALGORITHM,
            extra=event("sealing_failed", error, thumbprint=certificate.thumbprint, retry_in=SEALING_REST),
        )

    def _digests(self, request: TokenRequest, seal: Seal) -> tuple[str, ...]:
        settings = self._settings
        # The text of a tuple of plain values tells all of them apart; grants put nothing else into a key.
        return seal.digests([settings.authority.base, settings.client_id, repr(request.key)])

    def _owner(self, request: TokenRequest) -> str:
        return f"{request.tenant_id}\x00{self._settings.client_id}"

    def _find(self, request: TokenRequest, seal: Seal) -> Steps:
        for digest in self._digests(request, seal):
            # Without a name for the opened entry, which holds a token: this frame may wait once more.
            sealed = yield from self._ask("get", digest)
            token = _token(seal.open(sealed, digest, self._owner(request)))
            if token is not None:
                return token
            if sealed is not None:
                self._refused()
        return None

    def _refused(self) -> None:
        # Members of two versions that share a cache would tell of it with each look.
        if monotonic() < self._silent_until:
            return
        self._silent_until = monotonic() + SILENCE
        _LOGGER.warning(
            "an entry of the shared token cache (%s) cannot be opened: it was changed or moved, or another version of "
            "this package wrote it; it counts as missing",
            type(self.cache).__name__,
            extra=event("cache_entry_refused"),
        )

    def _store(self, request: TokenRequest, seal: Seal, holder: str | None, token: Token | None) -> Steps:
        digest = self._digests(request, seal)[0]
        if token is not None:
            # A member that comes late, because it froze or its lock ended, overwrites nothing newer.
            stored: Token | None = yield from self._find(request, seal)
            newest = 0 if stored is None else stored.generation
            if newest < token.generation or (newest == token.generation and request.claims is not None):
                sealed = seal.close(_entry(token), digest, self._owner(request))
                yield from self._ask("set", digest, sealed, token.expires_on)
        if holder is not None:
            yield from self._ask("unlock", digest, holder)

    def _ask(self, method: str, *arguments: Any) -> Steps:
        """Yield a call and return its result.

        :raises _UnreachableError: the call failed, or the cache is left alone.
        """
        # While calls hang no further one is made: each would leave another thread. At the end of its time an
        # acquisition asks no more: its lock ends by itself.
        if self._hangs or monotonic() < self._rests_until or deadline().over:
            raise _UnreachableError
        try:
            result = yield CacheCall(method, arguments)
        except Exception as error:  # noqa: BLE001 - a cache is the user's code, or a database, and may raise anything
            failure = error
        else:
            self._rest = 0.0
            return result
        self._failed(method, failure)
        raise _UnreachableError

    def _failed(self, method: str, error: Exception) -> None:
        late = isinstance(error, AcquisitionTimeoutError)
        with self._lock:
            self._hangs = late and self._running > 0
            self._rest = min(max(2 * self._rest, FIRST_REST), LONGEST_REST)
            self._rests_until = monotonic() + self._rest
            rest = self._rest
        _LOGGER.warning(
            "the shared token cache (%s.%s) failed: %s; tokens are requested without it for %.0f s",
            type(self.cache).__name__,
            method,
            "no answer in time" if late else redact_error(error),
            rest,
            extra=event("cache_failed", error, operation=method, retry_in=rest),
        )


def _entry(token: Token) -> dict[str, object]:
    return {
        "token": token.value,
        "token_type": token.token_type,
        "requested_on": token.requested_on,
        "refresh_on": token.refresh_on,
        "required_on": token.required_on,
        "expires_on": token.expires_on,
        "refresh_token": token.refresh_token,
        "generation": token.generation,
    }


def _token(entry: dict[str, Any] | None) -> Token | None:
    """Return the token of an entry; None if a newer version of this package wrote something else into it."""
    if entry is None:
        return None
    try:
        return Token(
            str(entry["token"]),
            str(entry["token_type"]),
            expires_on=float(entry["expires_on"]),
            refresh_on=float(entry["refresh_on"]),
            required_on=float(entry["required_on"]),
            requested_on=float(entry["requested_on"]),
            refresh_token=entry["refresh_token"],
            generation=int(entry["generation"]),
        )
    except (KeyError, TypeError, ValueError):
        return None
