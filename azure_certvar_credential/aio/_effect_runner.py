"""Performs the flow's effects with awaitable calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from azure_certvar_credential._core import effects
from azure_certvar_credential._core.effects import Effect, Flow, Result, T, Token, arun
from azure_certvar_credential._core.flow import acquire
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._runtime.cached_tokens import CachedTokens
from azure_certvar_credential._runtime.construction import Parts
from azure_certvar_credential._runtime.fork import tell_after_fork
from azure_certvar_credential._runtime.immediate import UNOBSERVED, note_wait, perform_immediate, told
from azure_certvar_credential._runtime.serialized_attempts import SerializedAttempts
from azure_certvar_credential._transport.aio import AsyncSender
from azure_certvar_credential._transport.async_library import within
from azure_certvar_credential._transport.in_thread import in_thread
from azure_certvar_credential.aio._calls import Background, LoopLock, awaited_by_this_task, call, sign
from azure_certvar_credential.caches.memory import Entry
from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.exceptions import CLOSED, AcquisitionTimeoutError, CredentialClosedError
from azure_certvar_credential.signers.coroutines import is_coroutine_function

if TYPE_CHECKING:
    from azure_certvar_credential._core.sharing import Question
    from azure_certvar_credential._runtime.shared_tokens import CacheCall


class EffectRunner:
    """Does what the flow of one credential asks for.

    :param parts: what the credential is made of.
    :param cached_tokens: its tokens.
    :ivar entry: as the synchronous runner's.
    :raises ImportError: no transport is given and aiohttp is not installed.
    """

    entry: WeakMethod[Callable[[TokenRequest], Awaitable[Entry]]]

    def __init__(self, parts: Parts, cached_tokens: CachedTokens) -> None:
        self._parts = parts
        self._cached_tokens = cached_tokens
        self._sender = AsyncSender(parts.options.pipeline, owns_transport=parts.owns_transport)
        self._reading, self._signing, self._background = LoopLock(), LoopLock(), Background()
        self._attempts, self._turning = SerializedAttempts(), LoopLock()
        tell_after_fork(self._sender)

    async def acquire(self, request: TokenRequest) -> Token:
        """Acquire the token of a request and keep it."""
        return await self.run(acquire(self._parts.settings, request))

    async def run(self, flow: Flow[T]) -> T:
        """Drive a flow to its end."""
        return await arun(flow, self._perform)

    async def close(self) -> None:
        """End what runs in the background, and close this loop's connections for good."""
        await self._background.close()
        await self._sender.close()

    async def _load(self, refused: ClientCertificate | None) -> ClientCertificate:
        provider = self._parts.certificates
        readings = provider.readings
        ready, due = provider.ready(refused)
        if due:
            self._background.start(self._read_in_background(refused, readings))
        return await self._read(refused, readings) if ready is None else ready

    async def _read_in_background(self, refused: ClientCertificate | None, readings: int) -> None:
        try:
            await within(self._parts.settings.retry.timeout, self._read(refused, readings))
        except AcquisitionTimeoutError as error:
            failure = error
        else:
            return
        self._parts.certificates.source_failed(failure, refused)

    async def _read(self, refused: ClientCertificate | None, readings: int) -> ClientCertificate:
        provider = self._parts.certificates
        async with self._reading.lock():  # a caller who waits here has nothing else to sign with
            certificate = provider.read_meanwhile(readings, refused)
            if certificate is not None:
                return certificate
            observer = self._cached_tokens.observer
            try:
                with UNOBSERVED if observer is None else observer.reading():
                    data = await call(provider.read_source)
                    accepted: ClientCertificate = await in_thread(provider.accept, data, refused)
                    return accepted
            except Exception as error:  # noqa: BLE001 - a source is the caller's code and may raise anything
                failure = error
            finally:
                data = None  # it is perhaps a private key, which an error reporter would find in this frame
            return provider.source_failed(failure, refused)

    async def _entry(self, request: TokenRequest) -> Entry:
        entry = self.entry()
        if entry is None:
            raise CredentialClosedError(CLOSED)
        return await entry(request)

    async def _ask(self, question: Question) -> Result:
        shared = self._parts.shared
        if shared is None:
            return None

        observer = self._cached_tokens.observer

        async def perform(cache_call: CacheCall) -> Any:
            method = getattr(shared.cache, cache_call.method)
            with UNOBSERVED if observer is None else observer.cache_call(cache_call.method):
                if is_coroutine_function(method):
                    return await within(shared.seconds, awaited_by_this_task(method, *cache_call.arguments))
                return await within(shared.seconds, call(shared.perform, cache_call))

        return told(observer, question, await arun(shared.answer(question), perform))

    async def _perform(self, effect: Effect) -> Result:
        note_wait(effect, self._parts.provider)
        match effect:
            case effects.LoadCertificate(refused):
                return await self._load(refused)
            case effects.GetToken(request):
                return (await self._entry(request)).token
            case effects.LoadAssertion():
                source = self._parts.assertions
                return source.accept(await call(source.read))
            case effects.Sign(signer, message, algorithm):
                return await sign(signer, message, algorithm, self._signing.lock())
            case effects.Send() if (observer := self._cached_tokens.observer) is not None:
                with observer.request(effect.url) as answered:
                    return answered(await self._sender.send(effect))
            case effects.Send() | effects.Fetch():
                return await self._sender.send(effect)
            case effects.Wait(seconds):
                return await self._sender.sleep(seconds)
            case effects.DetectRegion():
                return await _region()
            case effects.Shared(question):
                return await self._ask(question)
            case effects.Serialized(flow):
                seen = self._attempts.number
                async with self._turning.lock():
                    with self._attempts.attempt(seen):
                        return await self.run(flow)
            case _:
                return perform_immediate(effect, self._cached_tokens, self._parts.clock)


async def _region() -> str | None:
    # Few credentials ask for it, and its imports are not small.
    from azure_certvar_credential._runtime.region import detect_region, process

    region: str | None = detect_region() if process.known else await in_thread(detect_region)
    return region
