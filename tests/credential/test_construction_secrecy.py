"""A key or password in the place of another argument is refused without being repeated."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential._core.options import CertificateOptions
from azure_certvar_credential._transport.options import PIPELINE_OPTIONS
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.certificates.sources import (
    CertificateSource,
    DescriptorCertificate,
    EnvironmentCertificate,
)
from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.testing import EntraEmulator
from tests.credential.world import STORAGE

TENANT = "contoso.onmicrosoft.com"
CLIENT = "11111111-2222-3333-4444-555555555555"

# Every parameter of the constructor and of the pipeline that a caller may have swapped with the certificate.
PARAMETERS = sorted(CertificateOptions.names() | PIPELINE_OPTIONS)
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


@pytest.mark.parametrize("kind", [CertVarCredential, AsyncCertVarCredential], ids=["sync", "aio"])
def test_swapped_arguments_are_named_as_such(kind: type, certificate: ClientCertificate) -> None:
    pem = certificate.to_pem()

    with pytest.raises(ConfigurationError, match=f"client_id .* a str of {len(pem)} characters .*swapped"):
        kind(TENANT, pem, CLIENT)
    with pytest.raises(ConfigurationError, match=r"tenant_id .*swapped"):
        kind(pem, CLIENT, TENANT)


@pytest.mark.parametrize(
    "make",
    [
        EnvironmentCertificate,
        DescriptorCertificate,
        lambda text: EnvironmentCertificate("APP_CERT", text),
        lambda text: CertificateSource(str, max_age=text),
    ],
    ids=["name", "descriptor", "password_name", "max_age"],
)
def test_nor_by_the_sources(make: Callable[[Any], object], certificate: ClientCertificate) -> None:
    for text in (certificate.to_pem(), certificate.to_pem()[:100], certificate.to_pem().splitlines()[1]):
        with pytest.raises(ConfigurationError, match="a str of") as caught:
            make(text)
        assert_tells_nothing(str(caught.value), certificate)
