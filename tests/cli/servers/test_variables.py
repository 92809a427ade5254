"""The environment of a program that is lent a certificate: it leads to the endpoint, and nowhere else."""

from __future__ import annotations

import pytest

from azure_certvar_credential._cli.commands.lent import variables_with_secrets
from azure_certvar_credential._cli.identity_endpoint.requests import app_service, imds
from azure_certvar_credential._cli.identity_endpoint.variables import environment_for, variables

BASE = "http://127.0.0.1:40342"


def test_app_service_variables_lead_to_the_endpoint() -> None:
    form = app_service()
    lent = variables(BASE, form)
    assert lent.variables == {"IDENTITY_ENDPOINT": f"{BASE}/msi/token"}
    assert lent.secrets == {"IDENTITY_HEADER": form.value}
    assert form.value not in repr(lent)


def test_clients_of_imds_append_their_path_to_the_variable() -> None:
    form = imds()
    host = variables(BASE, app_service(), form).secrets["AZURE_POD_IDENTITY_AUTHORITY_HOST"]
    assert f"{host}/metadata/identity/oauth2/token" == BASE + form.path


@pytest.mark.parametrize(
    "misleading",
    [
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "AZURE_CLIENT_SECRET",
        "AZURE_FEDERATED_TOKEN_FILE",
        "IDENTITY_SERVER_THUMBPRINT",
        "IMDS_ENDPOINT",
        "MSI_ENDPOINT",
        "MSI_SECRET",
    ],
)
def test_a_variable_that_leads_elsewhere_is_taken_out(misleading: str) -> None:
    made = environment_for({misleading: "x", "PATH": "/bin"}, variables(BASE, app_service()), ())
    assert misleading not in made
    assert made["PATH"] == "/bin"


def test_the_certificate_and_its_password_are_withheld() -> None:
    withheld = variables_with_secrets("env:APP_CERT", "env:APP_PASSWORD")
    inherited = {
        "APP_CERT": "pem",
        "APP_PASSWORD": "secret",
        "AZURE_CLIENT_CERTIFICATE": "pem",
        "AZURE_CLIENT_CERTIFICATE_PASSWORD": "secret",
        "APP_CERTAINTY": "kept",
    }
    made = environment_for(inherited, variables(BASE, app_service()), withheld)
    assert inherited.keys() & made.keys() == {"APP_CERTAINTY"}


@pytest.mark.parametrize(
    ("given", "made"),
    [("", "127.0.0.1"), ("a.example, b.example", "a.example,b.example,127.0.0.1"), ("127.0.0.1", "127.0.0.1")],
)
def test_the_secret_does_not_go_through_a_proxy(given: str, made: str) -> None:
    environment = environment_for({"NO_PROXY": given}, variables(BASE, app_service()), ())
    assert environment["NO_PROXY"] == made
    assert environment["no_proxy"] == "127.0.0.1"
