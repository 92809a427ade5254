"""A foreign error is shown with its words and without keys."""

from __future__ import annotations

import base64
import json
import random

import pytest

from azure_certvar_credential._secrecy.redaction import is_safe_to_show, redact_error, without_secrets

HARMLESS = [
    "[Errno 2] No such file or directory: '/Users/jsmith2/dev/payments/secrets/app.pem'",
    "/home/svc/Apps2/Production/certificates/app.pem",
    "/mnt/secrets-store/production/payments/client-certificates/entra/app.pem",
    "permission denied, on get https://vault.corp.example:8200/v1/secret/data/team-platform/production/entra/app-cert",
    "request 6f1c2a34-5b67-489a-8b0c-1d2e3f405162 was refused",
    "policy B2C_1A_TrustFrameworkExtensions is not there",
    "thumbprint " + "0A" * 20,
    "thumbprint " + "0a" * 32,
]


@pytest.mark.parametrize("text", HARMLESS)
def test_paths_urls_ids_and_thumbprints_stay(text: str) -> None:
    assert without_secrets(text) == text


@pytest.mark.parametrize("seed", range(30))
def test_base64_of_a_key_goes_wherever_it_stands(seed: int) -> None:
    octets = random.Random(seed).randbytes(1200)
    for encoded in (base64.b64encode(octets).decode(), base64.encodebytes(octets).decode(), octets.hex()):
        told_text = without_secrets(f"cannot parse {encoded} as JSON")
        for start in range(0, len(encoded) - 48, 48):
            assert encoded[start : start + 48] not in told_text
        assert told_text.startswith("cannot parse [")


def test_pem_goes_whole_also_without_its_end() -> None:
    assert without_secrets("x -----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY----- y") == "x [PEM removed] y"
    assert without_secrets("x -----BEGIN PRIVATE KEY-----\nMIIB") == "x [PEM removed]"


def _error_of(text: str) -> Exception:
    try:
        json.loads(text)
    except ValueError as error:
        return error
    raise AssertionError


def test_an_error_that_carries_more_than_it_says_is_not_shown_whole() -> None:
    with pytest.raises(UnicodeDecodeError) as caught:
        b"\xff\xfe secret".decode()
    assert not is_safe_to_show(caught.value)
    assert not is_safe_to_show(_error_of('{"password": "hunter2",'))  # the document hangs on it
    assert not is_safe_to_show(ValueError(b"secret"))
    assert is_safe_to_show(ValueError("no"))
    assert is_safe_to_show(FileNotFoundError(2, "No such file or directory", "/etc/app.pem"))


def test_an_error_without_a_text_is_told_by_its_class() -> None:
    class OddError(Exception):
        def __str__(self) -> str:
            raise ValueError("no text")

    assert redact_error(OddError()) == "OddError: (its text is unavailable: str() raised ValueError)"
