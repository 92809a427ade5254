"""Tokens that an application does not get by its own certificate for itself: of users, of federated identities."""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64decode
from typing import Any

import pytest

from azure_certvar_credential._core.client_authentication.for_others import check_audience, client_assertion
from azure_certvar_credential._core.effects import Effect, Flow, LoadAssertion, LoadCertificate, Send, Sign, Token
from azure_certvar_credential._core.flow import acquire
from azure_certvar_credential._core.user_assertion import UserAssertion, user_assertion
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    CertificateRejectedError,
    ConfigurationError,
    InteractionRequiredError,
    TemporarilyUnavailableError,
    UserAssertionRejectedError,
)
from tests.core.responses import aadsts, token
from tests.core.script import (
    NOW,
    WRITE,
    Driver,
    Step,
    World,
    load,
    made_settings,
    now,
    post,
    read_cache,
    request,
    wait,
)
from tests.core.users import JWT, USER

SCOPE = "https://storage.azure.com/.default"
OLD = Token("old", "Bearer", NOW - 1, NOW - 1000, NOW - 31, refresh_token="a-refresh-token")
CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'


def for_user(claims: str | None = None) -> Flow[Token]:
    return acquire(made_settings(), request(user=USER, claims=claims))


def forms(world: World) -> list[dict[str, Any]]:
    return [dict(send.form) for send in world.all(Send)]


def test_a_users_assertion_is_exchanged_with_the_applications_own_beside_it(drive: Driver) -> None:
    world = World(read_cache(), load(), post(token(refresh_token="r")), WRITE)
    acquired = drive(for_user(), world.perform)
    (form,) = forms(world)
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert (form["requested_token_use"], form["assertion"]) == ("on_behalf_of", JWT)
    assert form["scope"] == f"{SCOPE} offline_access"
    claims = json.loads(urlsafe_b64decode(form["client_assertion"].split(".")[1] + "==="))
    assert claims["aud"] == world.all(Send)[0].url
    assert acquired.refresh_token == "r"


def test_the_users_next_token_comes_for_the_refresh_token(drive: Driver) -> None:
    world = World(read_cache(OLD), now(), load(), post(token(refresh_token="next")), WRITE)
    acquired = drive(for_user(), world.perform)
    (form,) = forms(world)
    assert (form["grant_type"], form["refresh_token"]) == ("refresh_token", "a-refresh-token")
    assert form["scope"] == f"{SCOPE} offline_access"
    assert {"assertion", "requested_token_use"}.isdisjoint(form)
    assert acquired.refresh_token == "next"


def test_a_server_that_gives_no_new_refresh_token_lets_the_old_one_stand(drive: Driver) -> None:
    world = World(read_cache(OLD), now(), load(), post(token()), WRITE)
    assert drive(for_user(), world.perform).refresh_token == "a-refresh-token"


def test_a_refused_refresh_token_gives_way_to_the_assertion_once(drive: Driver) -> None:
    refused = aadsts(50173, "invalid_grant")
    world = World(read_cache(OLD), now(), load(), post(refused), post(token()), WRITE)
    acquired = drive(for_user(), world.perform)
    assert [form["grant_type"].rsplit(":", 1)[-1] for form in forms(world)] == ["refresh_token", "jwt-bearer"]
    assert acquired.refresh_token is None
    world = World(read_cache(OLD), now(), load(), post(refused), post(aadsts(500133, "invalid_grant")))
    with pytest.raises(UserAssertionRejectedError, match="sign in again"):
        drive(for_user(), world.perform)
    world.done()


def test_a_refresh_token_is_kept_while_the_server_is_busy(drive: Driver) -> None:
    busy = aadsts(90033, "temporarily_unavailable", status=503)
    world = World(read_cache(OLD), now(), load(), post(busy), wait(0), post(token()), WRITE)
    drive(for_user(), world.perform)
    assert [form["grant_type"] for form in forms(world)] == ["refresh_token", "refresh_token"]


def test_a_certificate_that_is_refused_does_not_cost_the_refresh_token(drive: Driver) -> None:
    refused = aadsts(700027, "invalid_client", status=401)
    world = World(read_cache(OLD), now(), load(), post(refused), load("two"), post(token()), WRITE)
    drive(for_user(), world.perform)
    assert [form["grant_type"] for form in forms(world)] == ["refresh_token", "refresh_token"]


def test_a_challenge_goes_with_the_assertion_and_past_cache_and_refresh_token(drive: Driver) -> None:
    world = World(load(), post(token()), WRITE)
    drive(for_user(CLAIMS), world.perform)
    assert (forms(world)[0]["assertion"], json.loads(forms(world)[0]["claims"])) == (JWT, json.loads(CLAIMS))


@pytest.mark.parametrize(
    ("code", "error", "kind"),
    [
        (50076, "interaction_required", InteractionRequiredError),
        (50079, "interaction_required", InteractionRequiredError),
        (65001, "invalid_grant", InteractionRequiredError),
        (500133, "invalid_grant", UserAssertionRejectedError),
        (53003, "invalid_grant", InteractionRequiredError),
        (500131, "invalid_grant", UserAssertionRejectedError),
        (50013, "invalid_grant", UserAssertionRejectedError),
        (50027, "invalid_request", UserAssertionRejectedError),
        (70011, "invalid_scope", AuthenticationError),
        (700027, "invalid_client", CertificateRejectedError),
        (90033, "invalid_grant", TemporarilyUnavailableError),
    ],
)
def test_what_the_user_can_mend_is_told_apart(drive: Driver, code: int, error: str, kind: type[Exception]) -> None:
    answer = aadsts(code, error, claims=CLAIMS)
    flow = acquire(made_settings(retry=made_settings().retry.__class__(0)), request(user=USER))
    script: list[Step | list[Step]] = [read_cache(), load(), post(answer)]
    world = World(*script, *([load()] if kind is CertificateRejectedError else []))
    with pytest.raises(AuthenticationError) as caught:
        drive(flow, world.perform)
    assert type(caught.value) is kind
    assert caught.value.claims == CLAIMS
    assert caught.value.hint is not None


def test_claims_that_no_header_field_could_carry_are_left_out(drive: Driver) -> None:
    world = World(read_cache(), load(), post(aadsts(50076, "interaction_required", claims='{"a":"\ud800"}')))
    with pytest.raises(InteractionRequiredError) as caught:
        drive(for_user(), world.perform)
    assert caught.value.claims is None
    assert caught.value.www_authenticate == 'Bearer error="invalid_token"'


@pytest.mark.parametrize(
    "echo", ["eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyIn0.c2lnbmF0dXJl", "eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn"]
)
def test_a_token_that_the_server_repeats_is_cut_out_whole(drive: Driver, echo: str) -> None:
    world = World(read_cache(), load(), post(aadsts(50027, "invalid_request", f"Malformed: {echo} indeed.")))
    with pytest.raises(UserAssertionRejectedError) as caught:
        drive(for_user(), world.perform)
    assert "Malformed: [JWT removed] indeed" in str(caught.value)


def test_an_application_itself_is_never_told_to_interact(drive: Driver) -> None:
    world = World(read_cache(), load(), post(aadsts(53003, "invalid_grant", claims=CLAIMS)))
    with pytest.raises(AuthenticationError) as caught:
        drive(acquire(made_settings(), request()), world.perform)
    assert type(caught.value) is AuthenticationError


def test_the_front_end_is_told_by_a_header_field() -> None:
    demanding = InteractionRequiredError("do it", claims=CLAIMS).www_authenticate
    assert demanding.startswith('Bearer error="insufficient_claims", claims="')
    assert b64decode(demanding.split('claims="')[1].rstrip('"')).decode() == CLAIMS
    assert InteractionRequiredError("again").www_authenticate == 'Bearer error="invalid_token"'


def test_a_managed_identitys_path_is_sent_and_tells_tokens_apart(drive: Driver) -> None:
    world = World(read_cache(), load(), post(token()), WRITE)
    drive(acquire(made_settings(), request(fmi_path="a/b")), world.perform)
    assert (forms(world)[0]["grant_type"], forms(world)[0]["fmi_path"]) == ("client_credentials", "a/b")
    keys = {request().key, request(fmi_path="a/b").key, request(fmi_path="a/c").key, request(user=USER).key}
    assert len(keys) == 4


def test_a_federated_credential_signs_nothing_and_loads_no_certificate(drive: Driver) -> None:
    world = World(read_cache(), now(), Step(LoadAssertion, JWT), Step(Send, token()), WRITE)
    drive(acquire(made_settings(federated=True), request()), world.perform)
    world.done()
    assert forms(world)[0]["client_assertion"] == JWT


def test_a_refused_assertion_of_a_federated_credential_is_final_and_says_where_it_came_from(drive: Driver) -> None:
    refused = aadsts(700024, "invalid_client", status=401)
    world = World(read_cache(), now(), Step(LoadAssertion, JWT), Step(Send, refused))
    with pytest.raises(CertificateRejectedError, match="assertion_source"):
        drive(acquire(made_settings(federated=True), request()), world.perform)


@pytest.mark.parametrize("audience", [None, "https://idp.example/token"])
def test_an_assertion_for_others_names_its_audience(drive: Driver, audience: str | None) -> None:
    world = World(load(), now(), Step(Sign, b"a signature"))
    result = drive(client_assertion(made_settings(), audience), world.perform)
    world.done()
    claims = json.loads(urlsafe_b64decode(result.split(".")[1] + "==="))
    assert claims["aud"] == (audience or "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token")
    assert (claims["iss"], claims["iat"]) == ("a-client", NOW)


@pytest.mark.parametrize("audience", ["", "a b", 7, "tab\t", b"https://idp.example"])
def test_an_audience_that_is_none_is_refused(audience: object) -> None:
    with pytest.raises(ConfigurationError, match="audience"):
        check_audience(audience)


def test_what_came_for_an_assertion_that_is_to_be_verified_is_not_kept(drive: Driver) -> None:
    world = World(read_cache(), load(), post(token(refresh_token="r")))
    drive(acquire(made_settings(), request(user=user_assertion("a.b.c", now=NOW))), world.perform)
    world.done()


def test_an_application_is_given_no_refresh_token(drive: Driver) -> None:
    world = World(read_cache(), load(), post(token(refresh_token="r")), WRITE)
    assert drive(acquire(made_settings(), request(fmi_path="a/b")), world.perform).refresh_token is None
    world = World(read_cache(OLD), now(), load(), post(token()), WRITE)
    drive(acquire(made_settings(), request(fmi_path="a/b")), world.perform)
    assert (forms(world)[0]["grant_type"], forms(world)[0]["fmi_path"]) == ("client_credentials", "a/b")


def test_a_federated_credential_does_not_sign_anew_for_another_clock(drive: Driver) -> None:
    refused = aadsts(700024, "invalid_client", status=401, headers={"date": "Mon, 01 Jan 2035 00:00:00 GMT"})
    world = World(read_cache(), now(), Step(LoadAssertion, JWT), Step(Send, refused))
    with pytest.raises(CertificateRejectedError):
        drive(acquire(made_settings(federated=True), request()), world.perform)
    world.done()


@pytest.mark.parametrize("path", ["", "a\nb", 7, "x" * 1025])
def test_a_path_that_cannot_be_one_is_refused(path: Any) -> None:
    with pytest.raises(ConfigurationError, match="fmi_path"):
        request(fmi_path=path)


def test_a_path_does_not_go_with_a_user() -> None:
    with pytest.raises(ConfigurationError, match="leave it out of a get_token on behalf of a user"):
        request(fmi_path="a", user=UserAssertion(JWT, "digest"))


def test_no_effect_shows_a_users_assertion_or_refresh_token(drive: Driver) -> None:
    world = World(
        read_cache(OLD), now(), load(), post(aadsts(50173, "invalid_grant")), post(token(refresh_token="rt-2")), WRITE
    )
    drive(for_user(), world.perform)
    shown = "".join(repr(effect) for effect in world.asked if isinstance(effect, Effect))
    assert not [secret for secret in (JWT, "a-refresh-token", "rt-2") if secret in shown]
    assert not world.all(LoadCertificate)[0].refused
