"""``certvar explain`` knows every code that the package knows, in whatever text the code stands."""

from __future__ import annotations

import json

import pytest

from azure_certvar_credential._core.hints import AGENT_HINTS, HINTS, USER_HINTS
from azure_certvar_credential.testing import EntraEmulator, Request
from tests.cli.commands.kit import certvar, documented


def test_it_explains_every_code_that_the_package_knows() -> None:
    ran = certvar("explain", "--json", *(str(code) for code in HINTS))

    assert ran.code == 0
    assert {item["code"]: item["hint"] for item in ran.json["codes"]} == HINTS


@pytest.mark.parametrize(
    "text",
    [
        "700027",
        "AADSTS700027",
        "aadsts700027:",
        "ClientAuthenticationError: AADSTS700027: The assertion has an invalid signature. Trace ID: 7b6a1f0a",
        '{"error":"invalid_client","error_codes":[700027],"timestamp":"2026-11-28 05:00:00Z"}',
    ],
    ids=["number", "code", "lower case", "text", "JSON"],
)
def test_it_finds_the_code_in_the_text(text: str) -> None:
    as_argument, as_input = certvar("explain", text), certvar("explain", "-", stdin=text)

    for ran in (as_argument, as_input):
        assert ran.code == 0
        assert ran.out.splitlines()[0] == "AADSTS700027"
        assert " ".join(HINTS[700027].split()) in " ".join(ran.out.split())
        assert "https://login.microsoftonline.com/error?code=700027" in ran.out
    assert as_argument.out == as_input.out


def test_it_understands_the_answer_of_the_local_entra() -> None:
    entra = EntraEmulator()
    answer = entra.handle(
        Request("GET", "https://login.microsoftonline.com/nowhere.example/v2.0/.well-known/openid-configuration")
    )

    ran = certvar("explain", "-", "--json", stdin=json.dumps(answer.json()))

    assert [item["code"] for item in ran.json["codes"]] == [90002]


@pytest.mark.parametrize(
    ("who", "hints"), [("On behalf of a user: ", USER_HINTS), ("For an agent: ", AGENT_HINTS)], ids=["user", "agent"]
)
def test_it_says_what_a_code_means_for_a_user_and_for_an_agent(who: str, hints: dict[int, str]) -> None:
    for code, hint in hints.items():
        ran = certvar("explain", str(code))

        assert f"{who}{hint}" in " ".join(ran.out.split())


@pytest.mark.parametrize("text", ["AADSTS999999", "no code at all", "at 12:30 line 4711"])
def test_what_it_does_not_know_ends_with_1(text: str) -> None:
    ran = certvar("explain", text)

    assert ran.code == 1
    assert ran.out


def test_it_reads_nothing_and_loads_no_network() -> None:
    ran = certvar("explain", "--json", "53003", AZURE_CLIENT_CERTIFICATE="nonsense")

    assert set(ran.json["codes"][0]) <= documented("explain")
    assert list(ran.json["codes"][0]) == ["code", "hint", "hint_on_behalf_of", "hint_for_agent", "page"]
