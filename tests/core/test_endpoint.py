"""Where a token request goes, and what has to be found out for it: driven by both loops."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from azure_certvar_credential._core.effects import (
    DetectRegion,
    Endpoint,
    Fetch,
    PublishedEndpoint,
    ReadEndpoint,
    Send,
    Serialized,
    Unanswered,
    WriteEndpoint,
)
from azure_certvar_credential._core.flow import token_endpoint
from azure_certvar_credential._core.metadata import BACKOFF, LIFETIME
from azure_certvar_credential._core.retries import Retries, Retry
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    ResponseFormatError,
    TemporarilyUnavailableError,
)
from tests.core.responses import plain, token
from tests.core.script import (
    NOW,
    TENANT,
    WRITE,
    Driver,
    Step,
    World,
    flow,
    load,
    made_settings,
    now,
    post,
    read_cache,
    wait,
)
from tests.core.test_metadata import ENDPOINT, ISSUER, document

METADATA = f"{ISSUER}/.well-known/openid-configuration"
GLOBAL = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"
KEPT = Step(WriteEndpoint)
BUSY = plain(503, b"")


def remembered(url: str | None = None, until: float = NOW) -> Step:
    return Step(ReadEndpoint, None if url is None else PublishedEndpoint(Endpoint(url, ISSUER), until))


def first() -> list[Step]:
    """Return the steps of a caller that finds no endpoint, before the document is read."""
    return [remembered(), Step(Serialized), remembered(), now()]


def fetch(answer: Any, at: float = NOW) -> list[Step]:
    """Return the steps of one attempt to read the document: the answer, and the time of it."""
    if isinstance(answer, BaseException):
        return [Step(Fetch, answer)]
    return [Step(Fetch, answer), now(at)]


def asked(**changed: Any) -> Any:
    settings = made_settings(**changed)
    return token_endpoint(settings, TENANT, Retries(settings.retry))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"region": "westeurope"},
        {"authority": "fs.contoso.com/adfs"},
        {"authority": f"contoso.b2clogin.com/{TENANT}/B2C_1_x"},
        {"authority": "contoso.ciamlogin.com"},
        {"authority": f"dsts.example.net/dstsv2/{TENANT}"},
    ],
    ids=["entra", "region", "adfs", "b2c", "ciam", "dsts"],
)
def test_an_authority_whose_endpoint_is_a_template_needs_nothing(drive: Driver, given: dict[str, Any]) -> None:
    world = World()
    assert drive(asked(**given), world.perform).url.endswith("/token")
    world.done()


@pytest.mark.parametrize(
    ("found", "endpoint"),
    [(None, GLOBAL), ("westeurope", f"https://westeurope.login.microsoft.com/{TENANT}/oauth2/v2.0/token")],
)
def test_an_automatic_region_is_detected_and_the_global_endpoint_serves_without(
    drive: Driver, found: str | None, endpoint: str
) -> None:
    world = World(Step(DetectRegion, found))
    assert drive(asked(region="auto"), world.perform) == Endpoint(endpoint)
    world.done()


@pytest.mark.parametrize("region", ["auto", "westeurope"])
def test_who_acts_for_a_user_asks_the_global_endpoint(drive: Driver, region: str) -> None:
    world, settings = World(), made_settings(region=region)
    found = drive(token_endpoint(settings, TENANT, Retries(settings.retry), regional=False), world.perform)
    assert found == Endpoint(GLOBAL)
    world.done()


def test_a_token_of_an_openid_provider_is_asked_for_at_the_endpoint_that_its_metadata_names(drive: Driver) -> None:
    world = World(read_cache(), first(), fetch(document()), KEPT, load(), post(token(access_token="new")), WRITE)
    assert drive(flow(oidc_authority=ISSUER), world.perform).value == "new"
    world.done()
    assert world.all(Fetch) == [Fetch(METADATA)]
    # Looked for again in its turn: somebody else may have been first.
    assert world.all(ReadEndpoint) == [ReadEndpoint(METADATA)] * 2
    assert world.all(WriteEndpoint) == [
        WriteEndpoint(METADATA, PublishedEndpoint(Endpoint(ENDPOINT, ISSUER), NOW + LIFETIME))
    ]
    (send,) = world.all(Send)
    header, claims = (json.loads(urlsafe_b64decode(s + "===")) for s in send.form["client_assertion"].split(".")[:2])
    assert (send.url, claims["aud"], header["typ"]) == (ENDPOINT, ISSUER, "client-authentication+jwt")
    assert (header["alg"], [name for name in header if name.startswith("x5t")]) == ("PS256", ["x5t#S256"])


def test_an_endpoint_is_remembered_for_a_day(drive: Driver) -> None:
    assert (LIFETIME, BACKOFF) == (24 * 60 * 60, 300)
    world = World(remembered("https://a.example/t", NOW + 1), now())
    assert drive(asked(oidc_authority=ISSUER), world.perform).url == "https://a.example/t"
    world.done()


def test_after_a_day_the_document_is_read_again_and_a_new_endpoint_replaces_the_old(drive: Driver) -> None:
    world = World(remembered("https://old.example/t", NOW), now(), KEPT, fetch(document()), KEPT)
    assert drive(asked(oidc_authority=ISSUER), world.perform) == Endpoint(ENDPOINT, ISSUER)
    world.done()
    claimed, kept = world.all(WriteEndpoint)
    # A caller that comes while the document is read takes the old one, and nobody reads it twice.
    assert claimed == WriteEndpoint(
        claimed.key, PublishedEndpoint(Endpoint("https://old.example/t", ISSUER), NOW + BACKOFF)
    )
    assert kept == WriteEndpoint(kept.key, PublishedEndpoint(Endpoint(ENDPOINT, ISSUER), NOW + LIFETIME))


FAILURES: dict[str, Any] = {
    "busy": BUSY,
    "gone": plain(404, b""),
    "not JSON": plain(200, b"<html>"),
    "another issuer": document(issuer="https://evil.example"),
    "http": document(token_endpoint="http://idp.example/token"),
    "no assertions": document(token_endpoint_auth_methods_supported=["none"]),
    "broken off": Unanswered(ServiceResponseError("broken off")),
    "no connection": ServiceRequestError("no connection"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_document_that_cannot_be_read_again_leaves_the_last_good_endpoint_in_use(drive: Driver, case: str) -> None:
    world = World(remembered("https://good.example/t", NOW), now(), KEPT, fetch(FAILURES[case]), KEPT)
    # One attempt: nobody waits while there is an endpoint.
    assert drive(asked(oidc_authority=ISSUER), world.perform).url == "https://good.example/t"
    world.done()
    assert len(world.all(Fetch)) == 1
    _, kept = world.all(WriteEndpoint)
    assert kept.endpoint == PublishedEndpoint(Endpoint("https://good.example/t", ISSUER), NOW + BACKOFF)
    assert isinstance(kept.failure, Exception)


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("gone", ResponseFormatError),
        ("not JSON", ResponseFormatError),
        ("another issuer", ResponseFormatError),
        ("http", ResponseFormatError),
        ("no assertions", AuthenticationError),
        ("no connection", ServiceRequestError),
    ],
)
def test_without_a_good_endpoint_a_failure_that_stands_is_the_callers(
    drive: Driver, case: str, kind: type[Exception]
) -> None:
    world = World(read_cache(), first(), fetch(FAILURES[case]))
    with pytest.raises(kind) as caught:
        drive(flow(oidc_authority=ISSUER), world.perform)
    world.done()
    assert type(caught.value) is kind


def test_what_may_pass_is_tried_again_as_the_retry_settings_say(drive: Driver) -> None:
    retry = Retry(total=3, status=3, read=3, backoff_factor=1.0)
    broken = Unanswered(ServiceResponseError("broken off"))
    world = World(
        first(),
        [*fetch(BUSY), wait(0), *fetch(broken), wait(2.0), *fetch(plain(429, b"", retry_after="5")), wait(5.0)],
        [*fetch(document(), NOW + 60), KEPT],
    )
    assert drive(asked(oidc_authority=ISSUER, retry=retry), world.perform).url == ENDPOINT
    world.done()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(BUSY, TemporarilyUnavailableError), (Unanswered(ServiceResponseError("broken off")), ServiceResponseError)],
    ids=["busy", "broken off"],
)
def test_retries_end_with_the_last_failure(drive: Driver, answer: Any, kind: type[Exception]) -> None:
    world = World(first(), fetch(answer), wait(0), fetch(answer))
    with pytest.raises(kind):
        drive(asked(oidc_authority=ISSUER, retry=Retry(total=1)), world.perform)
    world.done()


def test_a_longer_pause_than_a_caller_waits_is_reported(drive: Driver) -> None:
    world = World(first(), fetch(plain(429, b"", retry_after="60")))
    with pytest.raises(TemporarilyUnavailableError) as caught:
        drive(asked(oidc_authority=ISSUER), world.perform)
    world.done()
    assert caught.value.retry_after == 60


def test_an_interruption_is_no_failure_to_be_survived(drive: Driver) -> None:
    world = World(remembered("https://good.example/t", NOW), now(), KEPT, fetch(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        drive(asked(oidc_authority=ISSUER), world.perform)
    world.done()
