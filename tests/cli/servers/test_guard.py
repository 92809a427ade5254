"""Each guard of the managed-identity endpoint is attacked on its own, and holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from azure_certvar_credential._cli.identity_endpoint.requests import (
    Call,
    Form,
    Guard,
    RefusedError,
    app_service,
    imds,
    resource_of,
)

CLIENT_ID = "8c2f5e0e-8f0c-4a0b-9d52-3c8f6a6c1b11"
HOST = "127.0.0.1:40342"
VAULT = "https://vault.azure.net"
APP_SERVICE, IMDS = app_service(), imds()
GUARD = Guard((APP_SERVICE, IMDS), frozenset({HOST, "localhost:40342"}), CLIENT_ID, None)


def call(form: Form = APP_SERVICE, *, method: str = "GET", has_body: bool = False, path: str | None = None) -> Call:
    return Call(
        method,
        form.path if path is None else path,
        (("Host", HOST), (form.header, form.value)),
        (("api-version", form.since), ("resource", VAULT)),
        has_body,
    )


def with_headers(*headers: tuple[str, str]) -> Call:
    return replace(call(), headers=headers)


def with_query(*query: tuple[str, str], form: Form = APP_SERVICE) -> Call:
    return replace(call(form), query=query)


def refusal(attack: Call, guard: Guard = GUARD) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        guard.resource(attack)
    for form in (APP_SERVICE, IMDS):
        assert form.value == "true" or form.value not in str(caught.value)
        assert form.path == "/msi/token" or form.path not in str(caught.value)
    return caught.value


SECRET = (APP_SERVICE.header, APP_SERVICE.value)
FAIR = (("Host", HOST), SECRET)
VERSION = ("api-version", "2019-08-01")


@pytest.mark.parametrize("form", [APP_SERVICE, IMDS], ids=lambda form: form.name)
def test_a_fair_call_in_either_form_is_for_its_resource(form: Form) -> None:
    assert GUARD.resource(call(form)) == VAULT
    # What MSAL for Node.js makes of a URL.
    assert GUARD.resource(call(form, path=f"{form.path.lower()}/")) == VAULT


@pytest.mark.parametrize(
    ("attack", "status"),
    [
        (with_headers(("Host", "evil.example:40342"), SECRET), 403),
        (with_headers(("Host", "evil.example"), SECRET), 403),
        (with_headers(("Host", "127.0.0.1"), SECRET), 403),
        (with_headers(("Host", "127.0.0.1:40343"), SECRET), 403),
        (with_headers(("Host", "localhost.evil.example:40342"), SECRET), 403),
        (with_headers(SECRET), 403),
        (with_headers(("Host", HOST), ("Host", "evil.example"), SECRET), 403),
        (with_headers(*FAIR, ("X-Forwarded-For", "203.0.113.7")), 403),
        (with_headers(*FAIR, ("x-forwarded-for", "")), 403),
        (with_headers(*FAIR, ("Forwarded", "for=203.0.113.7")), 403),
        (with_headers(*FAIR, ("X-Forwarded-Host", "evil.example")), 403),
        (with_headers(*FAIR, ("Via", "1.1 proxy")), 403),
        (with_headers(("Host", HOST)), 401),
        (with_headers(("Host", HOST), ("X-IDENTITY-HEADER", "")), 401),
        (with_headers(("Host", HOST), ("X-IDENTITY-HEADER", APP_SERVICE.value[:-1])), 401),
        (with_headers(("Host", HOST), ("X-IDENTITY-HEADER", APP_SERVICE.value + "A")), 401),
        (with_headers(("Host", HOST), ("X-IDENTITY-HEADER", APP_SERVICE.value.swapcase())), 401),
        (with_headers(("Host", HOST), ("X-IDENTITY-HEADER", "\udcff")), 401),
        (with_headers(*FAIR, SECRET), 401),
        (with_headers(("Host", HOST), ("Metadata", "true")), 401),
        (call(path="/"), 404),
        (call(path=""), 404),
        (call(path="/msi/token//"), 404),
        (call(path="/MSI/token"), 404),
        (call(path="/msi/%74oken"), 404),
        (call(path="//msi/token"), 404),
        (call(IMDS, path="/metadata/identity/oauth2/token"), 404),
        (call(IMDS, path="//metadata/identity/oauth2/token"), 404),
        (call(IMDS, path=f"/{'a' * 64}/metadata/identity/oauth2/token"), 404),
        (replace(call(IMDS), headers=(("Host", HOST),)), 401),
        (replace(call(IMDS), headers=(("Host", HOST), ("Metadata", "false"))), 401),
        (replace(call(IMDS), headers=FAIR), 401),
        (call(method="POST"), 405),
        (call(method="HEAD"), 405),
        (call(method="OPTIONS"), 405),
        (call(has_body=True), 413),
        (with_query(("resource", VAULT)), 400),
        (with_query(("api-version", "2017-09-01"), ("resource", VAULT)), 400),
        (with_query(("api-version", "2018-02-01"), ("resource", VAULT)), 400),
        (with_query(("api-version", "latest"), ("resource", VAULT)), 400),
        (with_query(("api-version", "2018-01-31"), ("resource", VAULT), form=IMDS), 400),
        (with_query(VERSION), 400),
        (with_query(VERSION, ("resource", "")), 400),
        (with_query(VERSION, ("resource", f"{VAULT} https://graph.microsoft.com")), 400),
        (with_query(VERSION, ("resource", f"{VAULT}\r\nX: y")), 400),
        (with_query(VERSION, ("resource", "https://b\N{LATIN SMALL LETTER A WITH DIAERESIS}h.example")), 400),
        (with_query(VERSION, ("resource", "a" * 513)), 400),
        (with_query(VERSION, ("resource", VAULT), ("resource", "https://graph.microsoft.com")), 400),
        (with_query(VERSION, ("resource", VAULT), ("Resource", "https://graph.microsoft.com")), 400),
        (with_query(VERSION, ("resource", VAULT), ("client_id", "5d1e7f3a-0000-4000-8000-000000000000")), 400),
        (with_query(VERSION, ("resource", VAULT), ("mi_res_id", "/subscriptions/x")), 400),
        (with_query(VERSION, ("resource", VAULT), ("object_id", CLIENT_ID)), 400),
    ],
)
def test_an_attack_is_refused(attack: Call, status: int) -> None:
    assert refusal(attack).status == status


@pytest.mark.parametrize("host", ["LOCALHOST:40342", "localhost:40342", HOST])
def test_every_name_of_the_endpoint_is_a_host(host: str) -> None:
    assert GUARD.resource(with_headers(("Host", host), SECRET)) == VAULT


@pytest.mark.parametrize("client_id", [CLIENT_ID, CLIENT_ID.upper()])
def test_a_client_may_name_the_identity_that_there_is(client_id: str) -> None:
    asked = with_query(VERSION, ("resource", VAULT), ("client_id", client_id))
    assert GUARD.resource(asked) == VAULT


ALLOWED = ["https://vault.azure.net/.default"]


@pytest.mark.parametrize(
    ("allowed", "resource"),
    [
        (ALLOWED, "https://vault.azure.net"),
        (ALLOWED, "https://vault.azure.net/"),
        (ALLOWED, "https://VAULT.azure.net"),
        (ALLOWED, "https://vault.azure.net/.default"),
        (["api://orders", *ALLOWED], "api://orders"),
        (["https://vault.azure.net/"], "https://vault.azure.net"),
    ],
)
def test_an_allowed_resource_is_handed_out(allowed: Sequence[str], resource: str) -> None:
    guard = replace(GUARD, resources=frozenset(map(resource_of, allowed)))
    assert guard.resource(with_query(VERSION, ("resource", resource))) == resource.removesuffix("/.default")


@pytest.mark.parametrize(
    "resource",
    [
        "https://graph.microsoft.com",
        "https://vault.azure.net.evil.example",
        "https://vault.azure.net@evil.example",
        "https://vault.azure.net/keys",
        "http://vault.azure.net",
        "https://vault.azure.ne",
    ],
)
def test_a_resource_that_is_not_allowed_is_refused(resource: str) -> None:
    guard = replace(GUARD, resources=frozenset(map(resource_of, ALLOWED)))
    refused = refusal(with_query(VERSION, ("resource", resource)), guard)
    assert refused.status == 403
    assert "--allow" in str(refused)


def test_each_endpoint_has_secrets_of_256_bits_that_no_repr_shows() -> None:
    secrets = {app_service().value for _ in range(100)} | {imds().path.split("/")[1] for _ in range(100)}
    assert len(secrets) == 200
    assert {len(secret) for secret in secrets} == {43, 64}  # 32 bytes in base64url and in hexadecimal
    shown = repr((GUARD, call(), call(IMDS)))
    assert APP_SERVICE.value not in shown
    assert IMDS.path not in shown


def test_the_secret_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    import hmac

    compared: list[bytes] = []
    real = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    GUARD.resource(call())
    assert APP_SERVICE.value.encode() in compared
    GUARD.resource(call(IMDS))
    assert IMDS.path.encode() in compared
