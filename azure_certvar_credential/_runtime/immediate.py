"""Performs the effects that never wait, and so are the same for both shells."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable

from azure_certvar_credential._core import effects
from azure_certvar_credential._core.effects import Immediate, Moment, Result
from azure_certvar_credential._runtime.cached_tokens import CachedTokens


def perform_immediate(effect: Immediate, cached_tokens: CachedTokens, clock: Callable[[], float]) -> Result:
    """Do what an effect says and return the answer.

    :param effect: asks for nothing but the credential's memory and the time.
    :param cached_tokens: the credential's memory.
    :param clock: returns seconds since the epoch, UTC.
    """
    match effect:
        case effects.Now():
            return moment(clock)
        case effects.ReadCache(request):
            return cached_tokens.read(request.key)
        case effects.WriteCache(request, token):
            return cached_tokens.write(request, token)
        case effects.ReadAssertion(key):
            return cached_tokens.flow_memory.read_assertion(key)
        case effects.WriteAssertion(key, assertion, until):
            return cached_tokens.flow_memory.write_assertion(key, assertion, until)
        case effects.ReadEndpoint(key):
            return cached_tokens.flow_memory.read_endpoint(key)
        case effects.WriteEndpoint(key, endpoint, failure):
            return cached_tokens.flow_memory.write_endpoint(key, endpoint, failure)


def moment(clock: Callable[[], float]) -> Moment:
    """Return the present moment: the time, and ids that were never used.

    :param clock: returns seconds since the epoch, UTC.
    """
    # uuid4 draws from the operating system's secure generator; the jitter protects nothing.
    return Moment(clock(), str(uuid.uuid4()), str(uuid.uuid4()), random.random())  # noqa: S311
