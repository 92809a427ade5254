"""What cannot sign for MSAL's own application is refused at once; what would give the key away is not possible."""

from __future__ import annotations

import pickle
from typing import Any

import jwt
import msal
import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate, FederatedCredential
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.exceptions import ConfigurationError, UnsupportedKeyError, WrongPasswordError
from azure_certvar_credential.msal import client_credential
from tests.credential.test_sources import AsyncSource

ADDRESS: dict[str, Any] = {"client_id": "app", "audience": "https://login.example/token"}
BAD: dict[str, tuple[Any, dict[str, Any], type[Exception], str]] = {
    "wrong password": (lambda c: c.to_pfx("secret"), {**ADDRESS, "password": "other"}, WrongPasswordError, "password"),
    "async source": (AsyncSource, ADDRESS, ConfigurationError, "asynchronous"),
    "algorithm of another key": (lambda c: c, {**ADDRESS, "algorithm": "ES256"}, ConfigurationError, "ES256"),
    "no algorithm": (lambda c: c, {**ADDRESS, "algorithm": "HS256"}, ConfigurationError, "HS256"),
    "client id is empty": (lambda c: c, {**ADDRESS, "client_id": " "}, ConfigurationError, "client_id"),
    "client id is bytes": (lambda c: c, {**ADDRESS, "client_id": b"app"}, ConfigurationError, "client_id"),
    "audience with a space": (lambda c: c, {**ADDRESS, "audience": "a b"}, ConfigurationError, "audience"),
    "audience that is no URL": (
        lambda c: c,
        {**ADDRESS, "audience": "https://[x/oauth2"},
        ConfigurationError,
        "audience must be the URL of the token endpoint or issuer",
    ),
    "audience of a credential that is no URL": (
        lambda c: CertVarCredential("contoso.example", "app", c),
        {"audience": "https://[x/oauth2"},
        ConfigurationError,
        "audience must be the URL of the token endpoint or issuer",
    ),
    "algorithm that ADFS does not verify": (
        lambda c: c,
        {**ADDRESS, "audience": "https://fs.contoso.example/adfs/oauth2/token", "algorithm": "PS256"},
        ConfigurationError,
        "ADFS accepts RS256 only, not PS256: leave algorithm out",
    ),
    "async credential": (
        lambda c: AsyncCertVarCredential("contoso.example", "app", c),
        {},
        ConfigurationError,
        r"azure_certvar_credential\.aio\.CertVarCredential cannot sign",
    ),
    "federated credential": (
        lambda c: FederatedCredential("contoso.example", "app", lambda: "a.b.c"),
        {},
        ConfigurationError,
        "FederatedCredential cannot sign",
    ),
    "credential with a password": (
        lambda c: CertVarCredential("contoso.example", "app", c),
        {"password": "secret"},
        ConfigurationError,
        "already has password",
    ),
    "credential with a chain": (
        lambda c: CertVarCredential("contoso.example", "app", c),
        {"send_certificate_chain": True},
        ConfigurationError,
        "already has send_certificate_chain",
    ),
}


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "client_id and audience"),
        ({"client_id": "app"}, "pass audience"),
        ({"audience": "https://login.example/token"}, "pass client_id"),
    ],
    ids=["neither", "client id", "audience"],
)
@pytest.mark.parametrize("version", ["1.30.0", "1.36.0", "1.37.0", "1.39.0", "2.0.0b1"])
def test_an_msal_that_does_not_tell_is_named_at_once(
    certificate: ClientCertificate,
    given: dict[str, Any],
    missing: str,
    version: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(msal, "__version__", version)
    if version < "1.37":
        with pytest.raises(ConfigurationError, match=missing):
            client_credential(certificate, **given)
    else:
        sign = client_credential(certificate, **given)["client_assertion"]
        with pytest.raises(ConfigurationError, match=missing):
            sign()  # as msal.AutoRefresher calls it


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_sign_is_refused_at_once(certificate: ClientCertificate, name: str) -> None:
    make, options, kind, text = BAD[name]
    with pytest.raises(kind, match=text):
        client_credential(make(certificate), **options)


def test_an_algorithm_that_the_server_does_not_verify_is_refused_when_msal_tells_who_that_is(
    certificate: ClientCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(msal, "__version__", "1.39.0")
    sign = client_credential(certificate, algorithm="PS256")["client_assertion"]

    with pytest.raises(ConfigurationError, match="ADFS accepts RS256 only"):
        sign({"client_id": "app", "token_endpoint": "https://fs.contoso.example/adfs/oauth2/token"})


def test_an_elliptic_curve_key_needs_an_algorithm_of_its_own() -> None:
    certificate = ClientCertificate.self_signed("ec", key="EC-P256")
    with pytest.raises((ConfigurationError, UnsupportedKeyError), match="ES256"):
        client_credential(certificate, **ADDRESS)

    sign = client_credential(certificate, **ADDRESS, algorithm="ES256")["client_assertion"]
    assert jwt.get_unverified_header(sign())["alg"] == "ES256"


def test_it_shows_the_certificate_and_is_not_pickled(certificate: ClientCertificate) -> None:
    sign = client_credential(certificate, **ADDRESS)["client_assertion"]

    assert certificate.thumbprint in repr(sign)
    with pytest.raises(TypeError, match="private key"):
        pickle.dumps(sign)
