"""What cannot work is refused by the constructor, in words that say what to do, before the network is touched."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.certificates.sources import EnvironmentCertificate
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
    "azure-identity's cache": ({"cache_persistence_options": object()}, "MsalCertVarCredential"),
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


@pytest.fixture(scope="module")
def curve() -> ClientCertificate:
    return ClientCertificate.self_signed("curve", key="EC-P256")


@pytest.mark.parametrize("subclass", [False, True])
def test_the_warning_points_at_the_line_that_makes_the_credential(
    kind: type, subclass: bool, curve: ClientCertificate
) -> None:
    made = type("Heir", (kind,), {}) if subclass else kind

    with pytest.warns(AlgorithmWarning) as caught:
        made(TENANT, CLIENT, curve, algorithm="ES256")

    frame = inspect.currentframe()
    assert frame is not None
    assert [(warning.filename, warning.lineno) for warning in caught] == [(__file__, frame.f_lineno - 4)]


class TestEnvironment:
    """What is given as an argument need not be in the environment."""

    @pytest.fixture(autouse=True)
    def _set(self, certificate: ClientCertificate, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
        monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
        monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE", certificate.to_pem())

    def test_a_tenant_or_client_that_is_given_need_not_be_set(self, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AZURE_TENANT_ID")
        monkeypatch.delenv("AZURE_CLIENT_ID")

        assert "fabrikam.example" in repr(kind.from_environment(tenant_id="fabrikam.example", client_id=CLIENT))
        with pytest.raises(ConfigurationError, match=r"environment: AZURE_TENANT_ID$"):
            kind.from_environment(tenant_id=None, client_id=CLIENT)

    @pytest.mark.parametrize("name", ["certificate", "certificate_data"])
    @pytest.mark.parametrize("variable", [None, "garbage"])
    def test_a_certificate_that_is_given_replaces_the_environments(
        self, kind: Any, name: str, variable: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = ClientCertificate.self_signed("other", days=30)
        if variable is None:
            monkeypatch.delenv("AZURE_CLIENT_CERTIFICATE")
        else:
            monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE", variable)

        assert other.thumbprint in repr(kind.from_environment(**{name: other}))

    def test_a_password_that_is_given_opens_the_environments_certificate(
        self, kind: Any, certificate: ClientCertificate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE", certificate.to_pem("secret"))
        monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PASSWORD", "not this one")

        assert certificate.thumbprint in repr(kind.from_environment(password="secret"))

    def test_the_certificate_is_loaded_once(self, certificate: ClientCertificate) -> None:
        entra = EntraEmulator()
        application = entra.add_application(certificate)
        credential = CertVarCredential.from_environment(
            tenant_id=application.tenant_id, client_id=application.client_id, transport=entra.transport()
        )
        loaded = credential._parts.certificates.current

        credential.get_token(STORAGE)

        assert loaded is not None
        assert credential._parts.certificates.current is loaded

    def test_a_key_of_another_type_is_named_at_once(
        self, kind: Any, curve: ClientCertificate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE", curve.to_pem())

        with pytest.raises(ConfigurationError, match="PS256 needs an RSA key"):
            kind.from_environment()

    @pytest.mark.parametrize(
        ("value", "sent"),
        [("1", True), ("true", True), (" True\n", True), ("", False), ("0", False), ("False", False), ("  ", False)],
    )
    def test_the_chain_is_sent_if_the_variable_says_so(
        self, kind: Any, value: str, sent: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", value)

        assert kind.from_environment()._parts.options.send_certificate_chain is sent
        assert kind.from_environment(send_certificate_chain=not sent)._parts.options.send_certificate_chain is not sent

    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            *[(text, "must be 1 or true, or else 0, false or empty, not ") for text in ("yes", "on", "2", "t", '"')],
            *[(text, "is in quotes: remove them") for text in ('"true"', "'1'", ' "false" ', "\u201ctrue\u201d")],
        ],
    )
    def test_what_that_variable_cannot_say_is_an_error(
        self, kind: Any, value: str, problem: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", value)

        with pytest.raises(ConfigurationError, match=f"^AZURE_CLIENT_SEND_CERTIFICATE_CHAIN {problem}"):
            kind.from_environment()
        assert kind.from_environment(send_certificate_chain=True)

    @pytest.mark.parametrize("name", ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_AUTHORITY_HOST"])
    def test_quotes_that_an_env_file_left_are_named(
        self, kind: Any, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(name, '"login.microsoftonline.com"')

        with pytest.raises(ConfigurationError, match="is in quotes: remove them"):
            kind.from_environment()

    def test_it_is_pickled_by_the_names_of_its_variables(self, kind: Any, certificate: ClientCertificate) -> None:
        data = pickle.dumps(kind.from_environment())

        assert b"PRIVATE" not in data
        assert certificate.leaf.tbs_certificate_bytes not in data
        assert "AZURE_CLIENT_CERTIFICATE" in repr(pickle.loads(data)._parts.options.certificate)  # noqa: S301 - our own


@pytest.mark.parametrize("name", ["", "A=B", "a b", 7, None])
def test_an_environment_certificate_takes_the_name_of_a_variable(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="name of an environment variable"):
        EnvironmentCertificate(name)
