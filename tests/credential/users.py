"""Users of the scenarios: the tokens that their clients send, and what is in the tokens that come back."""

from __future__ import annotations

from typing import Any

import jwt

from tests.credential.world import World

# A permission of the API that comes after the application.
ORDERS = "api://orders/Orders.Read"


def claims_of(token: str) -> dict[str, Any]:
    """Return a token's claims; nothing of it is verified."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def user_token(world: World, name: str = "Adele Vance", **options: Any) -> str:
    """Return the access token with which a new user's client calls the world's application."""
    return world.entra.issue_user_token(world.entra.add_user(name), world.application, **options)
