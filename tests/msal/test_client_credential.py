"""MSAL's own application signs in with our certificate, and never gets its key."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

import jwt
import msal
import pytest

from azure_certvar_credential import CallbackSigner, CertVarCredential, ClientCertificate
from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.msal import client_credential
from azure_certvar_credential.testing import Application, EntraEmulator, EntraServer
from tests.credential.test_sources import Source
from tests.credential.world import STORAGE
from tests.msal.world import TELLS_CALLABLE, PlainClient

Served = tuple[EntraServer, EntraEmulator, Application]


@pytest.fixture
def served(certificate: ClientCertificate) -> Iterator[Served]:
    """A strict local Entra on loopback TLS: it refuses an assertion for another audience, and one that it has seen."""
    entra = EntraEmulator(strict=True)
    application = entra.add_application(certificate)
    with entra.serve() as server:
        yield server, entra, application


def known(application: Application, base: str) -> dict[str, Any]:
    """Return what has to be said to ``client_credential`` with an MSAL that does not tell."""
    if TELLS_CALLABLE:
        return {}
    return {
        "client_id": application.client_id,
        "audience": f"{base}/{application.tenant_id}/oauth2/v2.0/token",
    }


def application_of_msal(served: Served, credential: dict[str, Any], **options: Any) -> Any:
    server, _, application = served
    return msal.ConfidentialClientApplication(
        application.client_id,
        client_credential=credential,
        **{
            "authority": f"{server.url}/{application.tenant_id}",
            "verify": server.ca_file,
            "instance_discovery": False,
            **options,
        },
    )


def test_msals_application_acquires_tokens_over_tls(served: Served, certificate: ClientCertificate) -> None:
    server, entra, application = served
    credential = client_credential(certificate.to_pem(), **known(application, server.url))

    app = application_of_msal(served, credential)
    results = [app.acquire_token_for_client([f"api://{n}/.default"]) for n in range(3)]

    for result, request in zip(results, entra.requests, strict=True):
        assert jwt.decode(result["access_token"], options={"verify_signature": False})["tid"] == application.tenant_id
        assert request.assertion_claims is not None
        assert request.assertion_claims["aud"] == request.url
        assert request.assertion_claims["iss"] == request.assertion_claims["sub"] == application.client_id
    jtis = {request.assertion_claims["jti"] for request in entra.requests if request.assertion_claims}
    assert len(jtis) == 3, "MSAL used an assertion again"


def test_no_key_enters_msal(served: Served, certificate: ClientCertificate) -> None:
    server, _, application = served
    app = application_of_msal(served, client_credential(certificate, **known(application, server.url)))
    app.acquire_token_for_client([STORAGE])

    text = repr(vars(app)) + repr(vars(app.client)) + repr(app.client_credential)
    assert "PRIVATE" not in text
    assert "eyJ" not in text
    assert certificate.thumbprint in text


FORMS: dict[str, Any] = {
    "PEM": lambda certificate: (certificate.to_pem(), {}),
    "PFX": lambda certificate: (certificate.to_pfx("secret"), {"password": "secret"}),
    "ClientCertificate": lambda certificate: (certificate, {}),
    "source": lambda certificate: (Source(certificate.to_pem()), {}),
    "remote signer": lambda certificate: (
        ClientCertificate(certificate.leaf, CallbackSigner(certificate.leaf, certificate.signer.sign, remote=True)),
        {},
    ),
    "algorithm": lambda certificate: (certificate, {"algorithm": "RS512"}),
    "chain": lambda certificate: (certificate, {"send_certificate_chain": True}),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_certificate_signs(certificate: ClientCertificate, form: str) -> None:
    entra = EntraEmulator(strict=True)
    application = entra.add_application(certificate)
    given, options = FORMS[form](certificate)
    base = "https://login.microsoftonline.com"
    app = msal.ConfidentialClientApplication(
        application.client_id,
        client_credential=client_credential(given, **known(application, base), **options),
        authority=f"{base}/{application.tenant_id}",
        http_client=PlainClient(entra),
        instance_discovery=False,
    )

    assert "access_token" in app.acquire_token_for_client([STORAGE])

    header = entra.requests[0].assertion_header
    assert header is not None
    assert header["alg"] == options.get("algorithm", "PS256")
    assert ("x5c" in header) is ("send_certificate_chain" in options)


@pytest.mark.parametrize("path", ["adfs/oauth2/token", "dstsv2/tenant/oauth2/v2.0/token"])
def test_servers_that_look_for_a_sha1_thumbprint_get_one(certificate: ClientCertificate, path: str) -> None:
    sign = client_credential(certificate, client_id="app", audience=f"https://fs.contoso.example/{path}")

    header = jwt.get_unverified_header(sign["client_assertion"]())

    assert header["alg"] == "RS256"
    assert {name for name in header if name.startswith("x5")} == {"x5t"}


def test_an_existing_credential_provides_certificate_and_settings(
    served: Served, certificate: ClientCertificate
) -> None:
    server, entra, application = served
    with CertVarCredential(
        application.tenant_id,
        application.client_id,
        certificate,
        algorithm="RS256",
        authority=server.url,
        disable_instance_discovery=True,
    ) as credential:
        app = application_of_msal(served, client_credential(credential))
        assert "access_token" in app.acquire_token_for_client([STORAGE])

    (request,) = entra.requests
    assert request.assertion_header is not None
    assert request.assertion_header["alg"] == "RS256"


def test_the_assertion_of_another_application_is_named_before_it_is_sent(certificate: ClientCertificate) -> None:
    context = {"client_id": "another-app", "token_endpoint": "https://login.example/t/oauth2/v2.0/token"}
    of_credential = client_credential(CertVarCredential("contoso.example", "app", certificate))
    of_certificate = client_credential(certificate, client_id="app", audience="https://login.example/token")

    for sign in (of_credential, of_certificate):
        with pytest.raises(ConfigurationError, match=r"signs for application 'app'.*'another-app'"):
            sign["client_assertion"](context)


def test_it_signs_for_the_endpoint_that_msal_names_unless_the_caller_names_another(
    certificate: ClientCertificate,
) -> None:
    context = {"client_id": "app", "token_endpoint": "https://login.example/t/oauth2/v2.0/token", "fmi_path": "a/b"}
    endpoint = client_credential(CertVarCredential("contoso.example", "app", certificate))["client_assertion"]
    issuer = client_credential(certificate, client_id="app", audience="https://idp.example")["client_assertion"]

    claims = [jwt.decode(sign(context), options={"verify_signature": False}) for sign in (endpoint, issuer)]

    assert [one["aud"] for one in claims] == [context["token_endpoint"], "https://idp.example"]
    assert [one["iss"] for one in claims] == ["app", "app"]


def test_the_signature_says_what_msal_looks_for(certificate: ClientCertificate) -> None:
    """MSAL from 1.37 on tells only who has a positional parameter without a default."""
    sign = client_credential(certificate, client_id="app", audience="https://login.example/token")["client_assertion"]

    (parameter,) = inspect.signature(sign).parameters.values()
    assert parameter.default is inspect.Parameter.empty
    assert parameter.kind is inspect.Parameter.POSITIONAL_ONLY


def test_msals_auto_refresher_works_for_who_says_whom_the_assertion_is_for(
    served: Served, certificate: ClientCertificate
) -> None:
    """It keeps the assertion, so a strict server takes the first request only."""
    server, entra, application = served
    entra.settings.strict = False
    sign = client_credential(
        certificate,
        client_id=application.client_id,
        audience=f"{server.url}/{application.tenant_id}/oauth2/v2.0/token",
    )["client_assertion"]
    refresher = (
        getattr(msal, "AutoRefresher", None)
        or __import__("msal.oauth2cli.assertion", fromlist=["AutoRefresher"]).AutoRefresher
    )

    app = application_of_msal(served, {"client_assertion": refresher(sign, expires_in=300)})
    for n in range(2):
        assert "access_token" in app.acquire_token_for_client([f"api://{n}/.default"])

    first, second = (request.assertion_claims for request in entra.requests)
    assert first == second


async def test_many_threads_may_sign_at_once(certificate: ClientCertificate) -> None:
    sign = client_credential(certificate, client_id="app", audience="https://login.example/token")["client_assertion"]

    assertions = await asyncio.gather(*(asyncio.to_thread(sign) for _ in range(20)))

    assert len({jwt.decode(one, options={"verify_signature": False})["jti"] for one in assertions}) == 20
