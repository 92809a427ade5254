"""The settings of the local Entra, which the endpoint and every grant read."""

from __future__ import annotations

from dataclasses import dataclass

DAY = 86_400


@dataclass(slots=True)
class Settings:
    """The emulator's settings, which may be changed while it runs.

    >>> entra.settings.refresh_in = 1800

    :ivar strict: whether to refuse what production clients send against the standards; see ``EntraEmulator``.
    :ivar clock_skew: the tolerance for a client's clock, seconds; AADSTS700024 refuses more.
    :ivar token_lifetime: the lifetime of an access token, seconds.
    :ivar refresh_in: seconds after which the client should renew a token; None to omit ``refresh_in``.
    :ivar numbers_as_strings: whether ``expires_in`` and similar numbers are JSON strings, as at older endpoints.
    :ivar refresh_token_lifetime: the lifetime of a refresh token, seconds, also of those issued already; AADSTS700082
        refuses older ones.
    """

    strict: bool = False
    clock_skew: float = 300
    token_lifetime: int = 3599
    refresh_in: int | None = None
    numbers_as_strings: bool = False
    refresh_token_lifetime: float = 90 * DAY
