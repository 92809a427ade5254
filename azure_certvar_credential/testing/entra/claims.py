"""The ``claims`` parameter (OpenID Connect Core section 5.5) and claims challenges.

https://learn.microsoft.com/entra/identity-platform/claims-challenge
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from azure_certvar_credential._json import parse_json
from azure_certvar_credential.testing.jose import MalformedError


@dataclass(frozen=True, slots=True)
class Challenge:
    """A claims challenge, which only a token issued for it meets.

    :ivar claims: the claims request, JSON.
    :ivar requested: its ``access_token`` member.
    :ivar since: the number of tokens issued before the challenge.
    """

    claims: str
    requested: Mapping[str, object]
    since: int


def make_challenge(claims: str, since: int) -> Challenge:
    """Make a challenge of a claims request.

    :param claims: the claims request, JSON.
    :param since: the number of tokens issued so far.
    :raises ValueError: the claims request is not JSON or is empty.
    """
    requested = parse_claims_request(claims)
    if not requested:
        raise ValueError("the claims request has no access_token member, so it requests nothing")
    return Challenge(claims, requested, since)


def parse_claims_request(text: str) -> Mapping[str, object]:
    """Parse the ``claims`` parameter.

    :param text: a JSON object.
    :returns: its ``access_token`` member; empty if it has none.
    :raises MalformedError: ``text`` is not a JSON object of JSON objects.
    """
    try:
        value = parse_json(text)
    except ValueError as error:
        raise MalformedError("the claims request is not JSON") from error
    requested = value.get("access_token") or {} if isinstance(value, dict) else None
    if not isinstance(requested, dict):
        raise MalformedError("the claims request is not a JSON object of JSON objects")
    return requested


def wants_cae(requested: Mapping[str, object]) -> bool:
    """Return whether the client declares that it handles claims challenges (client capability ``CP1``)."""
    capability = requested.get("xms_cc")
    return isinstance(capability, dict) and "CP1" in (capability.get("values") or [])


def write_claims(name: str, *, value: str | None = None, values: tuple[str, ...] = ()) -> str:
    """Build a claims request for one essential claim of the access token.

    :param name: the claim.
    :param value: its required value.
    :param values: the values of which it must have one; in place of ``value``.
    """
    wanted: dict[str, object] = {"value": value} if value is not None else {"values": list(values)}
    return json.dumps({"access_token": {name: {"essential": True, **wanted}}}, separators=(",", ":"))
