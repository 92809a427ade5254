"""The steps of an acquisition that goes through a cache which other processes share.

1. The cache is asked first. A token that another member stored is used if it is newer than this member's own.
2. Otherwise the member takes the lock of the token's key, looks again, requests a token, stores it and unlocks.
3. The other members wait for that token. A holder that crashed or froze delays them no longer than its lock lasts, and
   they wait no longer than half of the time that the acquisition has.

A claims challenge goes around steps 1 and 3: its token replaces the stored one. Members look at the cache again every
few seconds while they use a token, in the background, and so replace it as well.

The order of the tokens of one key is a number that grows with each, the generation: clocks of machines differ. It
stands in the entry itself, so no second record can disagree with it, no subscription can end unnoticed, and an idle
process needs no thread. A member that finds less in the cache than it holds puts its own token there again.

Nothing here fails an acquisition: the cache's failures are answered as if there were no entry and no lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azure_certvar_credential._core.effects import (
    Flow,
    LoadCertificate,
    Moment,
    Now,
    ReadCache,
    Shared,
    Sign,
    Token,
    Wait,
    WriteCache,
)
from azure_certvar_credential._core.freshness import Freshness, freshness, spread
from azure_certvar_credential._values import Value, field, replace

if TYPE_CHECKING:
    from azure_certvar_credential._core.request import TokenRequest
    from azure_certvar_credential._core.sharing_options import Sharing
    from azure_certvar_credential.certificates import ClientCertificate

# Seconds that a lock lasts: as long as a request with its retries usually takes.
LOCK_SECONDS = 10.0
# Seconds between two looks while another member holds the lock; each pause is half as long again as the one before.
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.25
# Seconds by which the clocks of two members may differ. A stored token counts as older by as much, or by a share of a
# short life, so it never seems younger than it is.
CLOCK_DIFFERENCE = 300.0
SHORT_LIFE_SHARE = 1 / 12
# By how much the answer to a challenge raises the generation; a refresh raises it by one.
CHALLENGE_STEP = 2
# The sealing key is derived from this label's signature. It begins with an octet that base64url does not have, so it is
# not the signing input of any JWS (RFC 7515 section 5.1).
SEALING_LABEL = b"\x00azure_certvar_credential: sealing key of shared tokens, version 1\x00"
SEALING_ALGORITHM = "RS256"


class Sealer(Value):
    """Answer: what seals entries; None if it has not been made, False if that failed a short time ago.

    :ivar certificate: the certificate that it belongs to; None for the user's keys.
    :ivar signature: the certificate's signature of the label, to make it from.
    """

    certificate: ClientCertificate | None
    signature: bytes | None = field(default=None, repr=False)


class Find(Value):
    """Answer: the stored :class:`Token` of a request, as it was stored; or None."""

    request: TokenRequest
    sealer: Any


class Lock(Value):
    """Answer: a :class:`Lease`, or None if the cache cannot be reached."""

    request: TokenRequest
    sealer: Any
    seconds: float


class Lease(Value):
    """The outcome of an attempt to take a lock.

    :ivar holder: proves who holds the lock; None if another member does.
    :ivar patient: whether this acquisition has time to wait for that member and then still request a token itself.
    """

    holder: str | None
    patient: bool


class Store(Value):
    """Answer: None, with the token stored unless a newer one is there.

    :ivar holder: of the lock, which is let go in any case; None without one.
    :ivar token: the token; None to let the lock go alone.
    """

    request: TokenRequest
    sealer: Any
    holder: str | None
    token: Token | None


class NotSealed(Value):
    """Answer: None, with a failure to make a certificate's sealer logged and kept in mind for a while."""

    certificate: ClientCertificate
    error: Exception


Question = Sealer | Find | Lock | Store | NotSealed


def acquire_shared(
    sharing: Sharing, request: TokenRequest, cached: Token | None, requested: Flow[Token]
) -> Flow[Token]:
    """Acquire a token through the shared cache; yields effects.

    :param sharing: the settings of the cache.
    :param cached: the token in this process's memory, of any age; None if there is none or a challenge replaces it.
    :param requested: requests a token from the server.
    """
    sealer = yield from _sealer(sharing)
    if sealer is None:
        token: Token = yield from requested
        yield WriteCache(request, token)
        return token
    found: Token | None = yield Shared(Find(request, sealer))
    moment: Moment = yield Now()
    challenged = request.claims is not None
    if challenged:
        held, newer, cached = None, None, (yield ReadCache(request))
    else:
        held, newer = cached if _is_fresh(cached, moment) else None, _newer(found, cached, moment)
    holder = None
    if newer is None and held is None and not challenged:
        found, newer, holder = yield from _turn(request, sealer, found, cached)
    if newer is not None or held is not None:
        if holder is not None:
            yield Shared(Store(request, sealer, holder, None))
        # Of the same token it notes that the cache was looked at.
        yield WriteCache(request, newer or held)  # type: ignore[arg-type] # one of them is a token
        if newer is None and held is not None and (found is None or found.generation < held.generation):
            # The cache was emptied, or could not be reached when this member answered a challenge.
            yield Shared(Store(request, sealer, None, held))
        return newer or held  # type: ignore[return-value]
    try:
        token = yield from requested
    except Exception:
        # The next member shall try at once. A cancelled acquisition may yield no more: its lock ends by itself.
        if holder is not None:
            yield Shared(Store(request, sealer, holder, None))
        raise
    generations = [one.generation for one in (found, cached) if one is not None]
    # A refresh may have begun before the challenge, and end after it: its token is the older one.
    step = CHALLENGE_STEP if challenged else 1
    token = replace(token, generation=step + max(generations, default=0))
    yield WriteCache(request, token)
    yield Shared(Store(request, sealer, holder, token))
    return token


def _turn(
    request: TokenRequest, sealer: object, found: Token | None, cached: Token | None
) -> Flow[tuple[Token | None, Token | None, str | None]]:
    """Take the lock, or wait until the member that holds it has stored a token.

    :returns: what the cache holds, the part of it that this member can use, and the holder of the lock.
    """
    pause = FIRST_PAUSE
    while True:
        lease: Lease | None = yield Shared(Lock(request, sealer, LOCK_SECONDS))
        if lease is None:
            return found, None, None
        if lease.holder is None:
            if not lease.patient:
                return found, None, None
            moment: Moment = yield Now()
            yield Wait(pause * (0.5 + moment.jitter))
            pause = min(pause * 1.5, LONGEST_PAUSE)
        found = yield Shared(Find(request, sealer))
        moment = yield Now()
        newer = _newer(found, cached, moment)
        if newer is not None or lease.holder is not None:
            return found, newer, lease.holder


def _sealer(sharing: Sharing) -> Flow[Any]:
    """Return what seals the entries; None if the certificate's key cannot make it."""
    if sharing.has_keys:
        return (yield Shared(Sealer(None)))
    certificate: ClientCertificate = yield LoadCertificate()
    sealer = yield Shared(Sealer(certificate))
    if sealer is None:
        try:
            # Without a name for the signature: with it anybody can derive the key, and this frame waits.
            sealer = yield Shared(
                Sealer(certificate, (yield Sign(certificate.signer, SEALING_LABEL, SEALING_ALGORITHM)))
            )
        except Exception as error:  # noqa: BLE001 - of any signer; the token does not depend on it
            yield Shared(NotSealed(certificate, error))
    return sealer or None


def _is_fresh(token: Token | None, moment: Moment) -> bool:
    return token is not None and _state(token, moment) == "fresh"


def _state(token: Token, moment: Moment) -> Freshness:
    return freshness(
        moment.time, requested_on=token.requested_on, refresh_on=token.refresh_on, required_on=token.required_on
    )


def _newer(found: Token | None, cached: Token | None, moment: Moment) -> Token | None:
    """Return a stored token, as this member may use it, if it is better than the member's own; otherwise None."""
    token = None if found is None else as_read(found, moment)
    if token is None:
        return None
    if cached is None:
        return token if _state(token, moment) != "required" else None
    newer = token.generation > cached.generation and token.value != cached.value
    return token if newer and _is_fresh(token, moment) else None


def as_read(stored: Token, moment: Moment) -> Token | None:
    """Return a stored token with times that are safe by this member's clock.

    :param stored: its times are by the clock of the member that stored it.
    :param moment: now.
    :returns: None if the clocks differ by more than is allowed for.
    """
    difference = min(CLOCK_DIFFERENCE, (stored.expires_on - stored.requested_on) * SHORT_LIFE_SHARE)
    if stored.requested_on - difference > moment.time:
        return None
    requested_on = min(stored.requested_on, moment.time)
    refresh_on = max(stored.refresh_on - difference, requested_on)
    return replace(
        stored,
        expires_on=stored.expires_on - difference,
        required_on=stored.required_on - difference,
        requested_on=requested_on,
        # Members that read the same entry shall not all look again at the same moment.
        refresh_on=spread(refresh_on, requested_on, moment.jitter),
    )
