"""The page of the local Entra: it says why an assertion was refused, and escapes whatever a client sent."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential._cli.emulator.observed import Observed
from azure_certvar_credential._cli.emulator.page import POLICY, render
from azure_certvar_credential._core.hints import hint_for
from azure_certvar_credential.exceptions import AuthenticationError
from azure_certvar_credential.testing import EntraEmulator, Request

SCOPE = "https://storage.azure.com/.default"
HOSTILE = "<script>alert(1)</script>\"'&\x1b[31m\ud800"


class Reader(HTMLParser):
    """Collects a page's elements, the attributes with a value that a client could choose, and its text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.words = ""
        self.feed(page.decode("ascii"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {f"{name}={value}" for name, value in attrs}

    def handle_data(self, data: str) -> None:
        self.words += f"{data}\n"


def request(form: dict[str, str], tenant: str = "contoso.onmicrosoft.com") -> Request:
    return Request(
        "POST",
        f"https://localhost/{tenant}/oauth2/v2.0/token",
        {"Content-Type": "application/x-www-form-urlencoded"},
        urlencode(form).encode(),
    )


def jwt_of(header: object, claims: object) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join([*parts, "c2ln"])


def test_it_shows_the_application_and_each_assertion_decoded() -> None:
    entra = EntraEmulator()
    certificate = ClientCertificate.self_signed("app")
    application = entra.add_application(certificate, roles=["Orders.Read"])
    with CertVarCredential(
        application.tenant_id, application.client_id, certificate, transport=entra.transport(), retry_total=0
    ) as credential:
        token = credential.get_token(SCOPE).token
        application.unregister(certificate.thumbprint)
        with pytest.raises(AuthenticationError):
            credential.get_token("api://other/.default")

    page = render([application], entra.requests[:], {"authority": "https://localhost:8443"})
    words = Reader(page).words
    for shown in ("https://localhost:8443", application.client_id, "Orders.Read", '"PS256"', "x5t#S256", " UTC"):
        assert shown in words
    # Latest first; the refusal has Entra's description and what to do.
    assert words.index("401\n") < words.index("200\n")
    assert "AADSTS700027: The certificate with identifier used to sign" in words
    assert str(hint_for([700027])) in words
    for secret in (token, entra.requests[0].assertion, entra.requests[1].assertion):
        assert secret is not None
        assert secret.split(".")[2] not in words


def test_whatever_a_client_sends_is_text() -> None:
    entra = EntraEmulator()
    form = {
        "grant_type": HOSTILE.replace("\ud800", ""),
        "client_id": "<img src=x onerror=alert(1)>",
        "client_assertion": jwt_of({HOSTILE: HOSTILE, "alg": ["<b>"]}, {"<b>": 1, "exp": 1e300, "iat": -(10**40)}),
        "</style><script>": "x",
    }
    entra.handle(request(form, tenant="<svg onload=alert(1)>"))
    application = entra.add_application(ClientCertificate.self_signed("<i>app</i>"), roles=["<b>role</b>"])

    page = Reader(render([application], entra.requests[:], {"<u>": "<u>"}))

    assert set(page.tags).isdisjoint({"script", "img", "svg", "b", "i", "u"})
    assert page.tags.count("style") == 1
    assert page.attributes == {
        "lang=en",
        "name=viewport",
        "content=width=device-width, initial-scale=1",
        "class=status bad",
        "class=bad",
        "open=open",
    }
    texts = (
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<b>role</b>",
        '["<b>"]',
        "1e+300",
        "CN=\\<i\\>app",
    )
    for shown in texts:
        assert shown in page.words


def test_a_browser_runs_nothing_on_it() -> None:
    entra = EntraEmulator()
    response = Observed(entra, lambda _: None, lambda: (render([], [], {}), POLICY)).handle(
        Request("GET", "https://localhost/")
    )
    style = re.search(rb"<style>(.*)</style>", response.body, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1]).digest()).decode()
    assert response.headers["Content-Security-Policy"] == (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-{digest}'"
    )
    assert "There has been none" in Reader(response.body).words


def test_a_long_value_is_cut() -> None:
    entra = EntraEmulator()
    entra.handle(request({"client_assertion": jwt_of({"x5c": ["A" * 5000]}, {})}))
    words = Reader(render([], entra.requests[:], {})).words
    assert "A" * 290 in words
    assert "A" * 301 not in words
    assert "(5004 characters)" in words


def test_only_the_latest_requests_are_shown() -> None:
    entra = EntraEmulator()
    for _ in range(25):
        entra.handle(request({}))
    words = Reader(render([], entra.requests[:], {})).words
    assert re.findall(r"#(\d+) ", words) == [str(number) for number in range(25, 5, -1)]


def test_a_line_of_the_log_has_the_codes_and_no_escape_sequence() -> None:
    entra = EntraEmulator()
    lines: list[str] = []
    observed = Observed(entra, lines.append)
    observed.handle(request({}, tenant="x%1b[31m%0a"))
    observed.handle(Request("GET", "https://localhost/nothing?secret=x"))
    assert [line.split(" ", 1)[1] for line in lines] == [
        "400 POST /x\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}/oauth2/v2.0/token AADSTS900023",
        "404 GET /nothing not_found",
    ]
