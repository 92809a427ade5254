"""What is believed of a metadata document, and what is said of one that is not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential._core.exchange import MAX_BODY, Response
from azure_certvar_credential._core.metadata import endpoint_in
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    ConfigurationError,
    ResponseFormatError,
    TemporarilyUnavailableError,
)
from tests.core.responses import answer, plain
from tests.core.script import NOW, made_settings

ISSUER = "https://idp.example/tenant"
GUID = "11111111-2222-3333-4444-555555555555"
ENDPOINT = "https://tokens.example/token"
TEMPLATE = "https://login.microsoftonline.com/{tenantid}/v2.0"
EXTERNAL = f"https://{GUID}.ciamlogin.com/{GUID}/v2.0"
# The ends of messages: what to do.
TO_FIND = (
    ". Hint: an OpenID provider publishes it at its issuer's URL followed by "
    "/.well-known/openid-configuration: check oidc_authority, and that proxies let it through"
)
TO_WRITE = ". Hint: write oidc_authority exactly as the provider writes its issuer"
TO_NAME = ". Hint: in oidc_authority, write the tenant's GUID instead of 'common' or 'organizations'"
TO_IDENTIFY = ". Hint: for a custom domain of an external tenant, tenant_id must be the tenant's GUID, as in the issuer"
TO_MEND = " as token_endpoint, which is not an https URL. Hint: the provider's administrator has to correct it"


def document(**changed: Any) -> Response:
    """Return a metadata document; a value of None leaves the field out."""
    fields = {
        "issuer": ISSUER,
        "token_endpoint": ENDPOINT,
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
        **changed,
    }
    return answer({name: value for name, value in fields.items() if value is not None})


def read(response: Response, **changed: Any) -> str:
    return endpoint_in(response, made_settings(**{"oidc_authority": ISSUER, **changed}), now=NOW).url


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"issuer": ISSUER + "/"},
        {"token_endpoint_auth_methods_supported": None},
        {"token_endpoint_auth_methods_supported": []},
        {"token_endpoint_auth_methods_supported": "private_key_jwt"},
        {"token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256"]},
        {"token_endpoint_auth_signing_alg_values_supported": [7]},
        {"anything": {"else": []}},
    ],
    ids=range(8),
)
def test_a_document_of_the_issuer_that_was_asked_for_is_believed(changed: dict[str, Any]) -> None:
    assert read(document(**changed)) == ENDPOINT


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://idp.example:8443/a/b?policy=c",
        "https://idp.example",
        "https://[::1]:8443/token",
        "HTTPS://idp.example/t",
    ],
    ids=range(4),
)
def test_an_endpoint_is_taken_to_the_letter(endpoint: str) -> None:
    assert read(document(token_endpoint=endpoint)) == endpoint


def test_a_slash_at_the_end_of_oidc_authority_makes_no_difference() -> None:
    assert read(document(), oidc_authority=ISSUER + "/") == ENDPOINT
    assert read(document(issuer="https://idp.example/"), oidc_authority="https://idp.example") == ENDPOINT


@pytest.mark.parametrize("authority", [f"https://login.contoso.com/{GUID}/v2.0", "https://contoso.ciamlogin.com/x"])
def test_a_custom_domain_of_an_external_tenant_keeps_the_tenants_own_issuer(authority: str) -> None:
    assert read(document(issuer=EXTERNAL), oidc_authority=authority, tenant_id=GUID) == ENDPOINT


REFUSED: dict[str, tuple[Response, str]] = {
    "not found": (plain(404, b"<html>", "text/html"), "cannot be read (HTTP 404)" + TO_FIND),
    "redirect": (plain(302, b"", location="https://evil.example"), "cannot be read (HTTP 302)" + TO_FIND),
    "not JSON": (plain(200, b"<html>", "text/html"), "is not a JSON object" + TO_FIND),
    "no object": (answer([]), "is not a JSON object" + TO_FIND),
    "another issuer": (
        document(issuer="https://evil.example"),
        "names 'https://evil.example' as issuer, not the requested one" + TO_WRITE,
    ),
    "another path of the same host": (
        document(issuer="https://idp.example/Tenant"),
        "names 'https://idp.example/Tenant' as issuer, not the requested one" + TO_WRITE,
    ),
    "no issuer": (document(issuer=None), "names nothing as issuer, not the requested one" + TO_WRITE),
    "Entra's template": (document(issuer=TEMPLATE), f"names '{TEMPLATE}' as issuer, not the requested one" + TO_NAME),
    "an external tenant that the caller did not name": (
        document(issuer=EXTERNAL),
        f"names '{EXTERNAL}' as issuer, not the requested one" + TO_IDENTIFY,
    ),
    "no endpoint": (document(token_endpoint=None), "names nothing" + TO_MEND),
    "an endpoint that is no text": (document(token_endpoint=[]), "names a value of type list" + TO_MEND),
    "an endpoint over http": (
        document(token_endpoint="http://idp.example/token"),
        "names 'http://idp.example/token'" + TO_MEND,
    ),
    "an endpoint of another line": (
        document(token_endpoint="https://idp.example/\nevil"),
        "names 'https://idp.example/ evil'" + TO_MEND,
    ),
    "an endpoint with user info": (
        document(token_endpoint="https://a:b@idp.example/t"),
        "names 'https://a:b@idp.example/t'" + TO_MEND,
    ),
    "an endpoint with a fragment": (
        document(token_endpoint="https://idp.example/t#x"),
        "names 'https://idp.example/t#x'" + TO_MEND,
    ),
    "an endpoint without a host": (document(token_endpoint="https://:1/t"), "names 'https://:1/t'" + TO_MEND),
    "an endpoint with a port that is none": (
        document(token_endpoint="https://a.example:99999/"),
        "names 'https://a.example:99999/'" + TO_MEND,
    ),
    "an endpoint too long": (
        document(token_endpoint="https://a.example/" + "x" * 2048),
        "names 'https://a.example/" + "x" * 182 + "'" + TO_MEND,
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_document_that_is_not_to_be_believed_says_why(case: str) -> None:
    response, message = REFUSED[case]
    with pytest.raises(ResponseFormatError) as caught:
        read(response)
    assert str(caught.value) == f"the metadata of '{ISSUER}' {message}"
    assert caught.value.hint is not None
    assert message.endswith(caught.value.hint)
    assert caught.value.status_code == response.status


@pytest.mark.parametrize("size", [MAX_BODY, MAX_BODY + 1])
def test_a_document_may_be_a_mebibyte_and_no_more(size: int) -> None:
    whole = document()
    padded = Response(200, whole.headers, whole.body.rjust(size))
    if size <= MAX_BODY:
        assert read(padded) == ENDPOINT
    else:
        with pytest.raises(ResponseFormatError, match="is not a JSON object"):
            read(padded)


def test_a_provider_that_takes_no_assertions_is_named() -> None:
    with pytest.raises(AuthenticationError) as caught:
        read(document(token_endpoint_auth_methods_supported=["client_secret_basic", "none"]))
    assert str(caught.value) == (
        f"the metadata of '{ISSUER}' says that the token endpoint accepts 'client_secret_basic', 'none', not a client "
        "assertion. Hint: allow private_key_jwt at the provider"
    )


def test_a_provider_that_does_not_verify_the_algorithm_is_named_with_those_that_it_does() -> None:
    with pytest.raises(AuthenticationError) as caught:
        read(document(token_endpoint_auth_signing_alg_values_supported=["RS256", "ES256"]))
    assert str(caught.value) == (
        f"the metadata of '{ISSUER}' says that the token endpoint accepts 'RS256', 'ES256', not PS256. Hint: choose "
        "one of them with algorithm="
    )


def test_a_federated_credential_leaves_the_algorithm_to_its_assertion_source() -> None:
    only = document(token_endpoint_auth_signing_alg_values_supported=["RS256"])
    assert read(only, federated=True) == read(only, algorithm="RS256") == ENDPOINT


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_server_that_is_busy_is_not_judged(status: int) -> None:
    with pytest.raises(TemporarilyUnavailableError, match=rf"is unavailable \(HTTP {status}\)") as caught:
        read(plain(status, b"busy", retry_after="7"))
    assert (caught.value.status_code, caught.value.retry_after) == (status, 7.0)


def test_the_base_of_a_message_does_not_repeat_what_may_be_a_key() -> None:
    secret = "A1b2C3d4" * 10
    with pytest.raises(ResponseFormatError) as caught:
        read(document(), oidc_authority=f"https://idp.example/{secret}")
    assert secret not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from([ISSUER, ENDPOINT, "private_key_jwt"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        *["issuer", "token_endpoint", "token_endpoint_auth_methods_supported"],
        "token_endpoint_auth_signing_alg_values_supported",
    ]
)


@given(st.dictionaries(FIELDS, JSON))
def test_any_document_is_an_https_endpoint_or_a_refusal(changed: dict[str, Any]) -> None:
    fields = {"issuer": ISSUER, "token_endpoint": ENDPOINT, **changed}
    try:
        endpoint = read(Response(200, {}, json.dumps(fields).encode()))
    except AuthenticationError:
        return
    assert endpoint == fields["token_endpoint"]
    assert endpoint.lower().startswith("https://")


@given(st.text())
def test_any_endpoint_is_https_or_refused(endpoint: str) -> None:
    try:
        taken = read(document(token_endpoint=endpoint))
    except ResponseFormatError:
        return
    assert taken.lower().startswith("https://")
    assert taken.isascii()
    assert taken.isprintable()


@given(st.binary(), st.integers(100, 599))
def test_any_answer_is_an_endpoint_or_a_refusal(body: bytes, status: int) -> None:
    with pytest.raises(AuthenticationError) as caught:
        read(Response(status, {}, body))
    assert not isinstance(caught.value, ConfigurationError)
