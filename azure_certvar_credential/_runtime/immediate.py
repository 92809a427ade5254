"""What both shells do about an effect: note what will be waited for, and perform those that never wait."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from azure_certvar_credential._core import effects
from azure_certvar_credential._core.effects import Effect, Immediate, Moment, Result
from azure_certvar_credential._runtime.cached_tokens import CachedTokens
from azure_certvar_credential._transport.deadline import deadline

if TYPE_CHECKING:
    from azure_certvar_credential._core.sharing import Question
    from azure_certvar_credential._runtime.observer import Observer

# In the place of an observer's context.
UNOBSERVED: AbstractContextManager[None] = nullcontext()
# What is waited for while a callable returns the user's token, for the error at the deadline.
USERS_TOKEN = ("{}", "the user's token (user_assertion)")


def perform_immediate(effect: Immediate, cached_tokens: CachedTokens, clock: Callable[[], float]) -> Result:
    """Do what an effect says and return the answer.

    :param effect: asks for nothing but the credential's memory and the time.
    :param cached_tokens: the credential's memory.
    :param clock: returns seconds since the epoch, UTC.
    """
    match effect:
        case effects.Now():
            # uuid4 draws from the operating system's secure generator; the jitter protects nothing.
            return Moment(clock(), str(uuid.uuid4()), str(uuid.uuid4()), random.random())  # noqa: S311
        case effects.ReadCache(request):
            # Also for a challenge: the token that its answer replaces has a generation.
            entry = cached_tokens.store.get(request.key)
            return None if entry is None else entry.token
        case effects.WriteCache(request, token):
            return cached_tokens.write(request, token)
        case effects.ReadAssertion(key):
            return cached_tokens.flow_memory.read_assertion(key)
        case effects.WriteAssertion(key, assertion, until):
            return cached_tokens.flow_memory.write_assertion(key, assertion, until)
        case effects.ReadAlgorithm(thumbprint):
            return cached_tokens.flow_memory.read_algorithm(thumbprint)
        case effects.WriteAlgorithm(thumbprint, algorithm, refused):
            return cached_tokens.flow_memory.write_algorithm(thumbprint, algorithm, refused)
        case effects.ReadEndpoint(key):
            return cached_tokens.flow_memory.read_endpoint(key)
        case effects.WriteEndpoint(key, endpoint, failure):
            return cached_tokens.flow_memory.write_endpoint(key, endpoint, failure)


def note_wait(effect: Effect, provider: object) -> None:
    """Note at the deadline what an effect waits for.

    :param effect: the one to be performed now.
    :param provider: the credential's source; its ``repr`` shows no secret.
    :raises AcquisitionTimeoutError: the deadline has passed.
    """
    current = deadline()
    current.check()
    # Put into words only when the deadline passes, and without the effect, which may hold an assertion.
    match effect:
        case effects.GetToken(request):
            current.waits_for = "{}", request.grant.leg or "another token of this credential"
        case effects.LoadCertificate() | effects.LoadAssertion():
            current.waits_for = "the {!r}", provider
        case effects.Sign(signer, _, algorithm):
            current.waits_for = f"the {algorithm} signature of the certificate's signer ({{}})", type(signer).__name__
        case effects.Send(url=url) | effects.Fetch(url=url):
            current.waits_for = "the answer of {}", url.partition("?")[0]
        case effects.Wait(seconds):
            current.waits_for = "the next attempt, {:g} s after the last one failed", seconds
        case effects.DetectRegion():
            current.waits_for = "{}", "the Azure region of this machine"
        case effects.Shared():
            current.waits_for = "{}", "the shared token cache"
        case effects.Serialized():
            current.waits_for = "{}", "another caller who reads the same metadata document"


def told(observer: Observer | None, question: Question, answer: Any) -> Any:
    """Tell an observer what became of a question to the shared cache, and return the answer."""
    if observer is not None:
        from azure_certvar_credential._core.sharing import Find

        if isinstance(question, Find):
            observer.cache_lookup(found=answer is not None)
    return answer
