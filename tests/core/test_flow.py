"""The order of the steps in which a token is acquired."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from dataclasses import replace
from typing import Any

import pytest

from azure_certvar_credential._core.effects import LoadCertificate, Send, Sign, Token, WriteCache
from azure_certvar_credential.exceptions import AuthenticationError, CertificateRejectedError, ResponseFormatError
from tests.core.certificates import certificate
from tests.core.responses import aadsts, plain, token
from tests.core.script import NOW, WRITE, Driver, World, flow, load, now, post, read_cache, request

ENDPOINT = "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token"
CACHED = Token("cached", "Bearer", expires_on=NOW + 100, refresh_on=NOW + 10, required_on=NOW + 70)


def segments(send: Send) -> list[Any]:
    header, claims, _ = send.form["client_assertion"].split(".")
    return [json.loads(urlsafe_b64decode(text + "===")) for text in (header, claims)]


def test_without_a_cached_token_it_loads_signs_sends_and_keeps(drive: Driver) -> None:
    world = World(read_cache(), load(), post(token(access_token="new")), WRITE)
    acquired = drive(flow(), world.perform)
    world.done()
    assert acquired == Token("new", "Bearer", NOW + 3599, NOW + 2999, NOW + 3299)
    assert world.all(WriteCache) == [WriteCache(request(), acquired)]
    assert world.all(LoadCertificate) == [LoadCertificate(refused=None)]


def test_what_is_sent_is_what_was_signed_for_the_endpoint_that_it_goes_to(drive: Driver) -> None:
    world = World(read_cache(), load(), post(token()), WRITE)
    drive(flow(), world.perform)
    (send,), (sign,) = world.all(Send), world.all(Sign)
    header, claims = segments(send)
    assert send.url == claims["aud"] == ENDPOINT
    assert (claims["iss"], claims["sub"], claims["iat"], claims["jti"]) == ("a-client", "a-client", NOW, "jti-3")
    assert header == {"alg": "PS256", "typ": "JWT", "x5t#S256": certificate().x5t_s256}
    assert send.form["client_assertion"] == sign.message.decode() + ".YSBzaWduYXR1cmU"
    assert (sign.signer, sign.algorithm) == (certificate().signer, "PS256")
    assert send.headers["client-request-id"] == "correlation-3"


def test_the_form_has_the_fields_of_rfc_7523_and_nothing_else(drive: Driver) -> None:
    world = World(read_cache(), load(), post(token()), WRITE)
    drive(flow(), world.perform)
    (send,) = world.all(Send)
    assert send.form == {
        "client_id": "a-client",
        "scope": "https://storage.azure.com/.default",
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": send.form["client_assertion"],
    }


def test_the_form_carries_claims_when_there_are_some(drive: Driver) -> None:
    world = World(load(), post(token()), WRITE)
    drive(flow(claims='{"id_token":{}}', cae=True), world.perform)
    claims = json.loads(world.all(Send)[0].form["claims"])
    assert claims == {"id_token": {}, "access_token": {"xms_cc": {"values": ["CP1"]}}}


def test_the_headers_ask_for_the_request_id_back(drive: Driver) -> None:
    world = World(read_cache(), load(), post(token()), WRITE)
    drive(flow(), world.perform)
    assert world.all(Send)[0].headers == {
        "Accept": "application/json",
        "client-request-id": "correlation-3",
        "return-client-request-id": "true",
        "x-client-SKU": "azure-certvar-credential",
        "x-ms-lib-capability": "retry-after, h429",
    }


def test_adfs_gets_its_endpoint_its_thumbprint_and_its_algorithm(drive: Driver) -> None:
    world = World(read_cache(), load(), post(token()), WRITE)
    drive(flow(authority="fs.contoso.example/adfs"), world.perform)
    header, claims = segments(world.all(Send)[0])
    assert world.all(Send)[0].url == claims["aud"] == "https://fs.contoso.example/adfs/oauth2/token"
    assert header == {"alg": "RS256", "typ": "JWT", "x5t": certificate().x5t}
    assert world.all(Sign)[0].algorithm == "RS256"


def test_the_chain_is_sent_when_it_is_asked_for(drive: Driver) -> None:
    world = World(read_cache(), load(), post(token()), WRITE)
    drive(flow(send_certificate_chain=True), world.perform)
    assert segments(world.all(Send)[0])[0]["x5c"] == list(certificate().x5c)


def test_neither_effect_shows_assertion_or_token(drive: Driver) -> None:
    world = World(read_cache(), load(), post(token(access_token="secret-token")), WRITE)
    drive(flow(), world.perform)
    shown = repr(world.asked[3:])
    assert world.all(Send)[0].form["client_assertion"] not in shown
    assert "YSBzaWduYXR1cmU" not in shown
    assert "secret-token" not in shown


@pytest.mark.parametrize("time", [NOW - 1000, NOW, NOW + 9.99])
def test_a_fresh_cached_token_ends_the_story(drive: Driver, time: float) -> None:
    world = World(read_cache(CACHED), now(time))
    assert drive(flow(), world.perform) is CACHED
    world.done()


@pytest.mark.parametrize("time", [NOW + 10, NOW + 69, NOW + 70, NOW + 100, NOW + 1e6])
def test_a_cached_token_past_its_refresh_is_replaced(drive: Driver, time: float) -> None:
    world = World(read_cache(CACHED), now(time), load(), post(token(access_token="new"), at=time), WRITE)
    assert drive(flow(), world.perform).value == "new"
    world.done()


def test_a_claims_challenge_bypasses_the_cache_and_its_token_is_kept(drive: Driver) -> None:
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
    world = World(load(), post(token(access_token="new")), WRITE)
    assert drive(flow(claims=claims), world.perform).value == "new"
    world.done()
    assert world.all(Send)[0].form["claims"] == claims
    assert world.all(WriteCache)[0].request.key == request().key


def test_cae_sends_its_capability_and_reads_the_cache(drive: Driver) -> None:
    world = World(read_cache(), load(), post(token()), WRITE)
    drive(flow(cae=True), world.perform)
    assert json.loads(world.all(Send)[0].form["claims"]) == {"access_token": {"xms_cc": {"values": ["CP1"]}}}


def test_the_servers_refresh_in_and_the_moments_jitter_decide_when_to_refresh(drive: Driver) -> None:
    world = World(read_cache(), load(), post(token(refresh_in=1000), jitter=0.5), WRITE)
    assert drive(flow(), world.perform).refresh_on == NOW + 1030


def test_the_life_of_a_token_begins_with_the_request_that_it_answers(drive: Driver) -> None:
    world = World(read_cache(CACHED), now(NOW + 50), load(), post(token(expires_in=10), at=NOW + 60), WRITE)
    assert drive(flow(), world.perform).expires_on == NOW + 70


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (aadsts(700016, "unauthorized_client"), AuthenticationError),
        (aadsts(700023, "invalid_client", status=401), CertificateRejectedError),
        (plain(200, b"<html>"), ResponseFormatError),
        (plain(302, b"", location="https://evil.example"), ResponseFormatError),
        (token(expires_in=0), ResponseFormatError),
    ],
)
def test_a_refusal_that_no_second_request_would_change_is_final(
    drive: Driver, answer: Any, kind: type[AuthenticationError]
) -> None:
    world = World(read_cache(), load(), post(answer))
    with pytest.raises(AuthenticationError) as caught:
        drive(flow(), world.perform)
    world.done()
    assert type(caught.value) is kind


def test_a_rejected_certificate_is_described(drive: Driver) -> None:
    world = World(read_cache(), load(), post(aadsts(700023, "invalid_client", status=401)))
    with pytest.raises(CertificateRejectedError, match="certificate used has thumbprint") as caught:
        drive(flow(), world.perform)
    one = certificate()
    assert f"thumbprint {one.thumbprint} and expires {one.not_after:%Y-%m-%d}." in caught.value.message


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), MemoryError(), ValueError("a signer's own")])
def test_what_is_thrown_at_any_step_passes_through_and_closes_the_flow(
    drive: Driver, place: int, error: BaseException
) -> None:
    world = World(read_cache(), load(), post(token()), WRITE)
    world.steps[place] = replace(world.steps[place], answer=error)
    started = flow()
    with pytest.raises(type(error)) as caught:
        drive(started, world.perform)
    assert caught.value is error
    assert started.gi_frame is None  # type: ignore[attr-defined]  # closed: no frame is left
    assert len(world.asked) == place + 1
