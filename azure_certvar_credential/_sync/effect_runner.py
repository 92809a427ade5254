"""Performs the flow's effects with blocking calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import WeakMethod

from azure_certvar_credential._core import effects
from azure_certvar_credential._core.effects import Effect, Flow, Result, T, Token, run
from azure_certvar_credential._core.flow import acquire
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._runtime.cached_tokens import CachedTokens
from azure_certvar_credential._runtime.construction import Parts
from azure_certvar_credential._runtime.fork import Forkable, tell_after_fork
from azure_certvar_credential._runtime.immediate import UNOBSERVED, note_wait, perform_immediate, told
from azure_certvar_credential._sync.calls import in_background, within
from azure_certvar_credential._transport.deadline import Deadline
from azure_certvar_credential._transport.sync import Sender
from azure_certvar_credential.caches.memory import Entry
from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.exceptions import CLOSED, AcquisitionTimeoutError, CredentialClosedError
from azure_certvar_credential.signers.coroutines import blocking

if TYPE_CHECKING:
    from azure_certvar_credential._core.sharing import Question
    from azure_certvar_credential._runtime.certificate_provider import CertificateProvider
    from azure_certvar_credential._runtime.serialized_attempts import SerializedAttempts
    from azure_certvar_credential._runtime.shared_tokens import CacheCall
    from azure_certvar_credential._runtime.turn import Turn

F = TypeVar("F", bound=Forkable)


class EffectRunner:
    """Does what the flow of one credential asks for.

    :param parts: what the credential is made of.
    :param cached_tokens: its tokens.
    :ivar entry: refers to the single flight's method, which answers for the tokens of earlier legs. Weakly, since the
        single flight holds this object: a dropped credential is gone at once, and with it its tokens.
    """

    entry: WeakMethod[Callable[[TokenRequest], Entry]]

    def __init__(self, parts: Parts, cached_tokens: CachedTokens) -> None:
        self._parts = parts
        self._cached_tokens = cached_tokens
        self._sender = Sender(parts.options.pipeline, owns_transport=parts.owns_transport)
        tell_after_fork(self._sender)

    def acquire(self, request: TokenRequest) -> Token:
        """Acquire the token of a request and keep it."""
        return run(acquire(self._parts.settings, request), self._perform)

    def run(self, flow: Flow[T]) -> T:
        """Drive a flow to its end."""
        return run(flow, self._perform)

    def observed(self, sender: Any, effect: effects.Send) -> Any:
        """Send a token request, and tell the observer if there is one.

        :param sender: sends it, as :class:`.Sender` does.
        """
        observer = self._cached_tokens.observer
        if observer is None:
            return sender.send(effect)
        with observer.request(effect.url) as answered:
            return answered(sender.send(effect))

    def close(self) -> None:
        """Close the connections for good."""
        self._sender.close()

    @property
    def _reading(self) -> Turn:
        """The turn of those who read the source; most certificates have none."""
        from azure_certvar_credential._runtime.turn import Turn

        return self._kept("reading", Turn)

    @property
    def _attempts(self) -> SerializedAttempts:
        """The attempts to read a metadata document; only OpenID providers have one."""
        from azure_certvar_credential._runtime.serialized_attempts import SerializedAttempts

        return self._kept("attempts", SerializedAttempts)

    def _kept(self, name: str, make: Callable[[], F]) -> F:
        """Return what is kept under a name, made when it is first needed."""
        kept: F | None = vars(self).get(name)
        if kept is None:
            made = make()
            tell_after_fork(made)
            kept = vars(self).setdefault(name, made)  # another thread may have been first
        return kept

    def _load(self, refused: ClientCertificate | None) -> ClientCertificate:
        # The flow of a federated credential asks for none.
        provider = cast("CertificateProvider", self._parts.provider)
        readings = provider.readings
        ready, due = provider.ready(refused)
        if due:
            limit = Deadline(self._parts.settings.retry.timeout)
            try:
                in_background(self._read_in_background, refused, readings, limit, owner=self, deadline=limit)
            # Too many threads hang, there are no more to be had, or the interpreter is shutting down.
            except (AcquisitionTimeoutError, RuntimeError) as error:
                provider.source_failed(error, refused)
        return self._read(refused, readings) if ready is None else ready

    def _read_in_background(self, refused: ClientCertificate | None, readings: int, limit: Deadline) -> None:
        try:
            with limit.applied():
                self._read(refused, readings)
        except AcquisitionTimeoutError as error:  # the reading before it hangs
            self._parts.certificates.source_failed(error, refused)

    def _read(self, refused: ClientCertificate | None, readings: int) -> ClientCertificate:
        provider = self._parts.certificates
        with self._reading.taken():  # a caller who waits here has nothing else to sign with
            certificate = provider.read_meanwhile(readings, refused)
            if certificate is not None:
                return certificate
            observer = self._cached_tokens.observer
            try:
                with UNOBSERVED if observer is None else observer.reading():
                    return provider.accept(blocking(provider.read_source(), "certificate's source"), refused)
            except Exception as error:  # noqa: BLE001 - a source is the caller's code and may raise anything
                failure = error
            return provider.source_failed(failure, refused)

    def _entry(self, request: TokenRequest) -> Entry:
        entry = self.entry()
        if entry is None:
            raise CredentialClosedError(CLOSED)
        return entry(request)

    def _ask(self, question: Question) -> Result:
        shared = self._parts.shared
        if shared is None:
            return None

        observer = self._cached_tokens.observer

        def perform(call: CacheCall) -> Any:
            with UNOBSERVED if observer is None else observer.cache_call(call.method):
                return blocking(within(shared.seconds, shared.perform, call), "token_cache")

        return told(observer, question, run(shared.answer(question), perform))

    def _perform(self, effect: Effect) -> Result:
        note_wait(effect, self._parts.provider)
        match effect:
            case effects.LoadCertificate(refused):
                return self._load(refused)
            case effects.GetToken(request):
                return self._entry(request).token
            case effects.LoadAssertion():
                source = self._parts.assertions
                return source.accept(blocking(source.read(), "assertion_source"))
            case effects.Sign(signer, message, algorithm):
                signature: Any = signer.sign(message, algorithm)
                return signature if type(signature) is bytes else blocking(signature, "certificate's signer")
            case effects.Send() if self._cached_tokens.observer is not None:
                return self.observed(self._sender, effect)
            case effects.Send() | effects.Fetch():
                return self._sender.send(effect)
            case effects.Wait(seconds):
                return self._sender.sleep(seconds)
            case effects.DetectRegion():
                return _region()
            case effects.Shared(question):
                return self._ask(question)
            case effects.Serialized(flow):
                seen = self._attempts.number
                with self._attempts.lock, self._attempts.attempt(seen):
                    return self.run(flow)
            case _:
                return perform_immediate(effect, self._cached_tokens, self._parts.clock)


def _region() -> str | None:
    # Few credentials ask for it, and its imports are not small.
    from azure_certvar_credential._runtime.region import detect_region

    return detect_region()
