"""What a middle tier does: it has a user's token and exchanges it."""

from __future__ import annotations

from typing import Any

from azure_certvar_credential.testing import Response
from tests.testing.kit import World

MAIL = "https://graph.microsoft.com/Mail.Read"
SEND = "https://graph.microsoft.com/Mail.Send"


def user_token(world: World, **options: Any) -> str:
    """The token that a front end presents, of a new user if none is given."""
    return world.entra.issue_user_token(
        options.pop("user", None) or world.entra.add_user(), world.application, **options
    )


def exchange(world: World, scope: str = "api://protected/.default", **changes: Any) -> Response:
    """Exchange an assertion, by default a new one with the options ``token``."""
    assertion = changes.pop("assertion", None) or user_token(world, **changes.pop("token", {}))
    return world.post(world.obo_form(assertion, scope, **changes))
