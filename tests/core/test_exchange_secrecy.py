"""What a server echoes in a refusal never brings a token into a message; ids, thumbprints and URLs stay readable."""

from __future__ import annotations

import pickle

import pytest

from tests.core.responses import answer
from tests.core.test_exchange_refusals import refusal

ASSERTION = "eyJhbGciOiJQUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJjbGllbnQifQ.c2lnbmF0dXJl-_0"
# As long as Entra's are, and of the same form.
REFRESH_TOKEN = "1.AXoA" + "Z9_q-Xk3" * 7 + ".AgABAwEAAAD" + "b7Y-w_Q2" * 90
KEPT = [
    "0123456789abcdef0123456789ABCDEF01234567",
    "0123456789ABCDEF" * 4,
    "0123456789abcdef" * 4,
    "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000001/oauth2/v2.0/token",
    "https://a-vault-with-a-long-name.region.privatelink.vaultcore.azure.example.net/secrets/name",
    "00000000-0000-0000-0000-000000000001.00000000-0000-0000-0000-000000000002",
    "api://00000000-0000-0000-0000-000000000001/.default",
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
]


@pytest.mark.parametrize("field", ["error_description", "error", "suberror", "correlation_id", "trace_id", "timestamp"])
@pytest.mark.parametrize("frame", ["{}", "assertion '{}'.", "client_assertion={}&x=y", '"{}"', "one {} two {} three"])
def test_an_assertion_that_the_server_echoes_is_in_no_text_of_the_error(field: str, frame: str) -> None:
    document = {"error": "invalid_client", "error_codes": [700027], field: frame.replace("{}", ASSERTION)}
    error = refusal(answer(document, status=401))
    shown = " ".join([str(error), repr(error), repr(vars(error)), repr(pickle.loads(pickle.dumps(error)).args)])  # noqa: S301
    for part in ASSERTION.split("."):
        assert part not in shown
    assert "[JWT removed]" in shown


def test_an_echoed_assertion_that_the_bound_cuts_is_not_shown_in_part() -> None:
    description = "x" * 1990 + " " + ASSERTION
    assert "eyJ" not in refusal(answer({"error": "e", "error_description": description}, status=400)).message


@pytest.mark.parametrize(
    "frame", ["{}", "token '{}'.", "Token {}. More", "refresh_token={}&x=y", "https://x/{}", "a/{}"]
)
@pytest.mark.parametrize("secret", [REFRESH_TOKEN, "M.R3_BAY." + "a1-B" * 30, "0.A" + "x" * 62])
def test_an_opaque_token_that_the_server_echoes_is_not_shown(frame: str, secret: str) -> None:
    error = refusal(answer({"error": "e", "error_description": frame.replace("{}", secret)}, status=400))
    assert "characters removed]" in error.message
    assert not any(secret[at : at + 8] in error.message for at in range(len(secret) - 8))


@pytest.mark.parametrize("frame", ["{}", "one '{}', two", "It is {}. More", "({})"])
@pytest.mark.parametrize("text", KEPT)
def test_an_id_a_thumbprint_and_a_url_stay_readable(frame: str, text: str) -> None:
    said = frame.replace("{}", text)
    assert refusal(answer({"error": "e", "error_description": said}, status=400)).message.startswith(said)
