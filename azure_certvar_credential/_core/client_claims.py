"""Claims that the client itself asks for with its requests (OpenID Connect Core section 5.5), cached by value."""

from __future__ import annotations

import json
from collections.abc import Mapping

from azure_certvar_credential._core.answers import json_object
from azure_certvar_credential.exceptions import ConfigurationError


def client_claims(value: object, name: str) -> str:
    """Check claims and return them as JSON text.

    Text stays as it is and is compared as text: other spellings of the same claims are cached apart, as in MSAL.

    :param value: a mapping, or the text of a JSON object.
    :param name: the argument's name, for messages.
    :raises ConfigurationError: it is neither, or declares client capabilities.
    """
    text = value
    if isinstance(value, Mapping):
        try:
            text = json.dumps(value, separators=(",", ":"), sort_keys=True, default=dict, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            text = None
    claims = json_object(text) if isinstance(text, str) else None
    if claims is None or not isinstance(text, str):
        raise ConfigurationError(
            f"{name} must be a dict, or the text of a JSON object with each name once, such as "
            '\'{"access_token":{"acrs":{"value":"c1"}}}\''
        )
    for member, requested in claims.items():
        if not isinstance(requested, dict):
            raise ConfigurationError(
                f"each member of {name}, such as access_token, must be an object with the claims that are asked for; "
                f"{member[:40]!r} is not"
            )
        if "xms_cc" in requested:
            raise ConfigurationError(
                f"{name} must not declare client capabilities (xms_cc): pass enable_cae=True for CP1, so that tokens "
                "with and without it are kept apart"
            )
    return text
