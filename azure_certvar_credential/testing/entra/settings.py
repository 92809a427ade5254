"""How the local Entra behaves; apart from the endpoint, so that every grant can read it."""

from __future__ import annotations

from dataclasses import dataclass

DAY = 86_400


@dataclass(slots=True)
class Settings:
    """How the emulator behaves; may be changed while it runs.

    :ivar strict: refuse what production clients send although the standards do not allow it (see
        :mod:`~azure_certvar_credential.testing.entra.authentication.assertions`), and a ``jti`` that was used before.
    :ivar clock_skew: seconds by which a client's clock may be off before AADSTS700024.
    :ivar token_lifetime: seconds that an access token lives.
    :ivar refresh_in: seconds after which the client should renew it, or None to say nothing about it.
    :ivar numbers_as_strings: send ``expires_in`` and its like as JSON strings, as older endpoints do.
    :ivar refresh_token_lifetime: seconds after which a refresh token is refused with AADSTS700082, also those that
        were issued before it was changed.
    """

    strict: bool = False
    clock_skew: float = 300
    token_lifetime: int = 3599
    refresh_in: int | None = None
    numbers_as_strings: bool = False
    refresh_token_lifetime: float = 90 * DAY
