"""What cannot work is refused by the constructor, in words that say what to do, before the network is touched."""

from __future__ import annotations

import base64
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential._runtime.construction import OWN_OPTIONS
from azure_certvar_credential._transport.options import PIPELINE_OPTIONS
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.exceptions import (
    AlgorithmWarning,
    CertificateError,
    ConfigurationError,
    UnknownOptionError,
)
from azure_certvar_credential.testing import EntraEmulator
from tests.credential.world import STORAGE

TENANT = "contoso.onmicrosoft.com"
CLIENT = "11111111-2222-3333-4444-555555555555"

BAD: dict[str, tuple[dict[str, object], str]] = {
    "no tenant": ({"tenant_id": ""}, "tenant"),
    "tenant with a slash": ({"tenant_id": "contoso/evil"}, "tenant"),
    "tenant for users": ({"tenant_id": "common"}, "users"),
    "tenant not a string": ({"tenant_id": 7}, "tenant"),
    "no client id": ({"client_id": ""}, "client_id"),
    "client id with a space": ({"client_id": "my app"}, "client_id"),
    "http authority": ({"authority": "http://login.microsoftonline.com"}, "https"),
    "unknown authority": ({"authority": "login.contoso.example"}, "disable_instance_discovery=True"),
    "retired authority": ({"authority": "login.microsoftonline.de"}, "no longer exists"),
    "authority with a tenant": ({"authority": "https://login.microsoftonline.com/contoso"}, "tenant_id"),
    "unknown algorithm": ({"algorithm": "HS256"}, "PS256"),
    "algorithm of another key": ({"algorithm": "ES256"}, "EC key"),
    "other algorithm for ADFS": ({"tenant_id": "adfs", "algorithm": "PS256"}, "ADFS"),
    "tenants as a string": ({"additionally_allowed_tenants": "*"}, r"\['\*'\]"),
    "bad additional tenant": ({"additionally_allowed_tenants": ["a b"]}, "tenant"),
    "misspelt option": ({"send_certificate_chains": True}, "did you mean 'send_certificate_chain'"),
    "unknown option": ({"frobnicate": 1}, "frobnicate"),
    "azure-identity's path": ({"certificate_path": "cert.pem"}, "read_bytes"),
    "azure-identity's cache": ({"cache_persistence_options": object()}, "not in this version"),
    "redirects": ({"permit_redirects": True}, "redirect"),
    "negative retries": ({"retry_total": -1}, "retry_total"),
    "retry mode": ({"retry_mode": "never"}, "retry_mode"),
    "two certificates": ({"certificate_data": b"x"}, "two names"),
}


@pytest.fixture(params=[CertVarCredential, AsyncCertVarCredential], ids=["sync", "aio"])
def kind(request: pytest.FixtureRequest) -> type:
    """Either credential class."""
    kind: type = request.param
    return kind


@pytest.mark.parametrize("name", BAD)
def test_an_argument_that_cannot_work_is_a_value_error_that_names_it(
    kind: type, name: str, certificate: ClientCertificate
) -> None:
    changes, text = BAD[name]
    arguments = {"tenant_id": TENANT, "client_id": CLIENT, "certificate": certificate, **changes}

    with pytest.raises(ConfigurationError, match=text) as caught:
        kind(**arguments)

    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("data", [None, "", b"garbage", "/etc/ssl/app.pem", 7])
def test_a_certificate_that_is_none_is_a_value_error(kind: type, data: object) -> None:
    with pytest.raises(CertificateError):
        kind(TENANT, CLIENT, data)


def test_an_unknown_option_is_also_a_type_error_as_in_python(kind: type, certificate: ClientCertificate) -> None:
    with pytest.raises(TypeError) as caught:
        kind(TENANT, CLIENT, certificate, frobnicate=1)
    assert isinstance(caught.value, UnknownOptionError)


def test_azure_identitys_name_for_the_certificate_works(kind: type, certificate: ClientCertificate) -> None:
    credential = kind(TENANT, CLIENT, certificate_data=certificate.to_pfx("secret"), password="secret")

    assert certificate.thumbprint in repr(credential)


def test_repr_shows_ids_and_the_public_half_only(kind: type, certificate: ClientCertificate) -> None:
    text = repr(kind(TENANT, CLIENT, certificate.to_pem("secret"), password="secret"))

    assert TENANT in text
    assert CLIENT in text
    assert certificate.thumbprint in text
    assert "secret" not in text
    assert "PRIVATE" not in text


def test_an_elliptic_curve_certificate_needs_an_es_algorithm_and_warns_for_entra(kind: type) -> None:
    certificate = ClientCertificate.self_signed("curve", key="EC-P256")

    with pytest.raises(ConfigurationError, match="RSA"):
        kind(TENANT, CLIENT, certificate)
    with pytest.warns(AlgorithmWarning, match="5002738"):
        kind(TENANT, CLIENT, certificate, algorithm="ES256")


def test_an_elliptic_curve_certificate_does_not_warn_for_another_server(kind: type) -> None:
    certificate = ClientCertificate.self_signed("curve", key="EC-P256")

    kind(
        TENANT, CLIENT, certificate, algorithm="ES256", authority="id.contoso.example", disable_instance_discovery=True
    )


def test_the_environment_names_the_authority(
    kind: type, certificate: ClientCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "login.contoso.example")

    with pytest.raises(ConfigurationError, match=r"login\.contoso\.example"):
        kind(TENANT, CLIENT, certificate)
    kind(TENANT, CLIENT, certificate, authority="login.microsoftonline.us")


def test_both_constructors_take_the_same_arguments() -> None:
    sync, aio = (inspect.signature(kind.__init__) for kind in (CertVarCredential, AsyncCertVarCredential))
    assert sync == aio


def test_tokens_come_from_the_sovereign_cloud_that_was_named(certificate: ClientCertificate) -> None:
    entra = EntraEmulator()
    application = entra.add_application(certificate)

    CertVarCredential(
        application.tenant_id,
        application.client_id,
        certificate,
        authority="https://login.microsoftonline.us/",
        transport=entra.transport(),
    ).get_token("https://storage.usgovcloudapi.net/.default")

    claims = entra.requests[0].assertion_claims
    assert claims is not None
    assert str(claims["aud"]).startswith("https://login.microsoftonline.us/")


# Every parameter of the constructor and of the pipeline that a caller may have swapped with the certificate.
PARAMETERS = sorted(OWN_OPTIONS | PIPELINE_OPTIONS)
SWAPPED: dict[str, Callable[[ClientCertificate], object]] = {
    "PEM": lambda certificate: certificate.to_pem(),
    "octets of PEM": lambda certificate: certificate.to_pem().encode(),
    "the beginning of PEM": lambda certificate: certificate.to_pem()[:100],
    "a line of PEM": lambda certificate: certificate.to_pem().splitlines()[1],
    "PEM as one line": lambda certificate: certificate.to_pem().replace("\n", "\\n"),
    "PFX": lambda certificate: certificate.to_pfx("Pa55word!"),
    "base64 of PFX": lambda certificate: base64.b64encode(certificate.to_pfx("Pa55word!")).decode(),
    "a list of PEM": lambda certificate: [certificate.to_pem()],
    "a dictionary of PEM": lambda certificate: {certificate.to_pem(): certificate.to_pem()},
    "octets of a password": lambda certificate: b"Pa55word!",
    "a password": lambda certificate: "Pa55word!",
}


def pieces(certificate: ClientCertificate) -> list[str]:
    """Every run of 16 characters of the key's PEM, and of what else a message may show of these values."""
    lines = certificate.to_pem().splitlines()
    body = [line for line in lines[1 : lines.index("-----END PRIVATE KEY-----")] if len(line) >= 64]
    return [
        "Pa55word",
        *(line[start : start + 16].lower() for line in body for start in (0, 16, 32, 48)),
    ]


def assert_tells_nothing(text: str, certificate: ClientCertificate) -> None:
    for piece in pieces(certificate):
        assert piece not in text
        assert piece not in text.lower()  # of a host name


@pytest.mark.parametrize("form", SWAPPED)
@pytest.mark.parametrize("parameter", PARAMETERS)
def test_a_key_or_password_in_the_wrong_place_is_never_shown(
    parameter: str, form: str, certificate: ClientCertificate
) -> None:
    value = SWAPPED[form](certificate)
    arguments = {"tenant_id": TENANT, "client_id": CLIENT, "certificate": certificate, parameter: value}
    if parameter == "certificate_data":
        del arguments["certificate"]

    try:
        credential = CertVarCredential(**arguments)  # type: ignore[arg-type]
    except ValueError as error:
        text = f"{error!s} {error!r}"
    else:
        text = f"{credential!r} {credential._parts!r}" if (parameter, form) != ("client_id", "a password") else ""

    assert_tells_nothing(text, certificate)


@pytest.mark.parametrize("form", SWAPPED)
@pytest.mark.parametrize("parameter", ["scope", "tenant_id", "claims", "an option's name"])
def test_nor_by_get_token_or_as_the_name_of_an_option(
    parameter: str, form: str, certificate: ClientCertificate
) -> None:
    value: Any = SWAPPED[form](certificate)
    credential = CertVarCredential(TENANT, CLIENT, certificate, transport=EntraEmulator().transport())
    calls: dict[str, Callable[[], object]] = {
        "scope": lambda: credential.get_token("a b", value),
        "tenant_id": lambda: credential.get_token(STORAGE, tenant_id=value),
        "claims": lambda: credential.get_token(STORAGE, claims=value),
        "an option's name": lambda: CertVarCredential(TENANT, CLIENT, certificate, **{str(value): 1}),  # type: ignore[arg-type]
    }

    with pytest.raises(ValueError, match=r".") as caught:
        calls[parameter]()

    assert_tells_nothing(f"{caught.value!s} {caught.value!r}", certificate)


def test_swapped_arguments_are_named_as_such(kind: type, certificate: ClientCertificate) -> None:
    pem = certificate.to_pem()

    with pytest.raises(ConfigurationError, match=f"client_id .* a str of {len(pem)} characters .*swapped"):
        kind(TENANT, pem, CLIENT)
    with pytest.raises(ConfigurationError, match=r"tenant_id .*swapped"):
        kind(pem, CLIENT, TENANT)
