"""The ``claims`` parameter (OpenID Connect Core section 5.5), and challenges that ask for one.

https://learn.microsoft.com/entra/identity-platform/claims-challenge
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from azure_certvar_credential.testing.jose import MalformedError


@dataclass(frozen=True, slots=True)
class Challenge:
    """A claims challenge that only a token meets that was issued in answer to it.

    :ivar claims: the claims request, JSON.
    :ivar requested: its ``access_token`` member.
    :ivar since: how many tokens had been issued when it was made.
    """

    claims: str
    requested: Mapping[str, object]
    since: int


def make_challenge(claims: str, since: int) -> Challenge:
    """Read a claims request that a token has to answer.

    :param claims: the claims request, JSON.
    :param since: how many tokens have been issued so far.
    :raises ValueError: it is none, or it asks for nothing.
    """
    requested = parse_claims_request(claims)
    if not requested:
        raise ValueError("the claims have no access_token member, so there is nothing to ask for")
    return Challenge(claims, requested, since)


def parse_claims_request(text: str) -> Mapping[str, object]:
    """Read the ``claims`` parameter.

    :param text: a JSON object.
    :returns: its ``access_token`` member; empty if it has none.
    :raises MalformedError: it is not such an object.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedError("the claims request is not JSON") from error
    requested = value.get("access_token") or {} if isinstance(value, dict) else None
    if not isinstance(requested, dict):
        raise MalformedError("the claims request is not a JSON object of JSON objects")
    return requested


def wants_cae(requested: Mapping[str, object]) -> bool:
    """Tell whether the client says that it handles claims challenges (client capability ``CP1``)."""
    capability = requested.get("xms_cc")
    return isinstance(capability, dict) and "CP1" in (capability.get("values") or [])


def write_claims(name: str, *, value: str | None = None, values: tuple[str, ...] = ()) -> str:
    """Write a claims request for one essential claim of the access token.

    :param name: the claim.
    :param value: the value it must have.
    :param values: the values of which it must have one; instead of ``value``.
    """
    wanted: dict[str, object] = {"value": value} if value is not None else {"values": list(values)}
    return json.dumps({"access_token": {name: {"essential": True, **wanted}}}, separators=(",", ":"))
