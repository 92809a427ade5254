"""``certvar token`` prints what is in a token, and the token itself only by name, in the form of another tool."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest

from azure_certvar_credential.testing import Fault
from tests.cli.commands.conftest import GRAPH, SignedUp
from tests.cli.commands.kit import Ran, certvar, documented

SCOPE = f"{GRAPH}/.default"


def token(signed_up: SignedUp, *arguments: str, **environment: str) -> Ran:
    return certvar("token", "--scope", SCOPE, *arguments, **{**signed_up.environment, **environment})


def test_it_shows_expiry_audience_and_roles_but_no_token(signed_up: SignedUp) -> None:
    ran = token(signed_up)

    assert ran.code == 0
    for shown in (GRAPH, "User.Read.All", signed_up.application.client_id, signed_up.application.tenant_id):
        assert shown in ran.out
    assert "in 59 minutes" in ran.out
    assert "characters, --show-token shows them)" in ran.out
    assert max(map(len, ran.out.split())) < 60


def test_show_token_shows_it(signed_up: SignedUp) -> None:
    ran = token(signed_up, "--show-token")

    assert ran.out.splitlines()[-1].count(".") == 2
    assert len(ran.out.splitlines()[-1]) > 200


def test_json_has_the_token_only_by_name(signed_up: SignedUp) -> None:
    without, shown = token(signed_up, "--json"), token(signed_up, "--json", "--show-token")

    assert list(without.json) == [
        *("scope", "expires_on", "expires_in", "audience", "roles", "tenant", "client", "object_id", "opaque", "token")
    ]
    assert set(without.json) <= documented("token")
    assert without.json["token"] is None
    assert shown.json["token"].startswith("eyJ")
    assert without.json["roles"] == ["User.Read.All"]


def test_the_shape_of_the_azure_cli(signed_up: SignedUp) -> None:
    shown = json.loads(token(signed_up, "--output", "az").out)

    assert list(shown) == ["accessToken", "expiresOn", "expires_on", "tenant", "tokenType"]
    local = datetime.strptime(shown["expiresOn"], "%Y-%m-%d %H:%M:%S.%f").astimezone()
    assert local.timestamp() == shown["expires_on"]
    assert shown["tenant"] == signed_up.application.tenant_id


def test_an_authorization_field(signed_up: SignedUp) -> None:
    name, _, value = token(signed_up, "--output", "header").out.rstrip("\n").partition(": ")

    assert name == "Authorization"
    assert value.startswith("Bearer eyJ")


def test_a_credential_process(signed_up: SignedUp) -> None:
    shown = json.loads(token(signed_up, "--output", "credential-process").out)

    assert (shown["Version"], shown["TokenType"]) == (1, "Bearer")
    expiration = datetime.strptime(shown["Expiration"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    assert 3500 < (expiration - datetime.now(timezone.utc)).total_seconds() < 3700


def test_a_refusal_has_code_and_hint_and_ends_with_1(signed_up: SignedUp) -> None:
    signed_up.entra.inject(Fault.unknown_certificate(), times=None)

    text, as_json = token(signed_up), token(signed_up, "--json")

    assert (text.code, text.out) == (1, "")
    assert "error: AADSTS700027" in text.err
    assert "hint: The certificate is not on the app registration" in text.err
    assert (as_json.code, as_json.err) == (1, "")
    assert as_json.json["error"]["codes"] == [700027]
    assert as_json.json["error"]["hint"].startswith("The certificate is not on")


@pytest.mark.parametrize("missing", ["AZURE_TENANT_ID", "AZURE_CLIENT_ID"])
def test_what_is_missing_is_wrong_usage(signed_up: SignedUp, missing: str) -> None:
    environment = {name: value for name, value in signed_up.environment.items() if name != missing}

    ran = certvar("token", "--scope", SCOPE, **environment)

    assert ran.code == 2
    assert missing in ran.err


def test_options_win_over_variables(signed_up: SignedUp) -> None:
    wrong = "00000000-1111-2222-3333-444444444444"

    ran = token(
        signed_up,
        *("--tenant", signed_up.application.tenant_id, "--client", signed_up.application.client_id),
        *("--authority", signed_up.server.authority, "--ca-file", signed_up.server.ca_file),
        AZURE_TENANT_ID=wrong,
        AZURE_CLIENT_ID=wrong,
        AZURE_AUTHORITY_HOST="https://nowhere.example",
        SSL_CERT_FILE="/dev/null",
    )

    assert ran.code == 0, ran.err


def test_the_chain_is_sent_on_demand(signed_up: SignedUp) -> None:
    token(signed_up)
    token(signed_up, "--send-chain")

    without, sent = (dict[str, Any](request.assertion_header or {}) for request in signed_up.entra.requests)
    assert "x5c" not in without
    assert len(sent["x5c"]) == 1
