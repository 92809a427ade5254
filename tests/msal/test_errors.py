"""Whatever MSAL makes of an answer, the caller gets the errors of this package, and no secret with them."""

from __future__ import annotations

import gc
import logging
import re
import traceback

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

from azure_certvar_credential.exceptions import (
    AuthenticationError,
    CertificateRejectedError,
    ResponseFormatError,
    TemporarilyUnavailableError,
)
from azure_certvar_credential.testing import Fault
from tests.credential.world import STORAGE
from tests.msal.world import MsalWorld, PlainClient

JWT = re.compile(r"eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
# Modules whose frames hold the request, or what is in MSAL's cache.
NO_FRAMES = {"azure_certvar_credential.msal.http", "azure_certvar_credential._core.flow", "msal.application"}

FAULTS: list[tuple[Fault, type[Exception], str]] = [
    (Fault.aadsts(700027), CertificateRejectedError, "thumbprint"),
    (Fault.aadsts(700016), AuthenticationError, "no such application"),
    (Fault.aadsts(53003, claims="{}"), AuthenticationError, "Conditional Access"),
    (Fault.aadsts(90033), TemporarilyUnavailableError, "try again later"),
    (Fault.server_error(), TemporarilyUnavailableError, "Server Error"),
    (Fault.server_error(500, json=False), TemporarilyUnavailableError, "HTTP 500"),
    (Fault.server_error(503, retry_after=7), TemporarilyUnavailableError, "wait 7 s"),
    (Fault.throttled(60), TemporarilyUnavailableError, "wait 60 s"),
    (Fault.throttled(60, json=False), TemporarilyUnavailableError, "throttling"),
    (Fault.not_json(), ResponseFormatError, "text/html"),
    (Fault.not_json(503), TemporarilyUnavailableError, "HTTP 503"),
    (Fault.truncated(), IncompleteReadError, "more expected"),
    (Fault.reset_before(), ServiceRequestError, "reset"),
    (Fault.reset_after(), ServiceResponseError, "reset"),
]


def ids(value: object) -> str | None:
    return value.name if isinstance(value, Fault) else None


@pytest.mark.parametrize(("fault", "kind", "text"), FAULTS, ids=ids)
async def test_each_failure_has_the_class_that_the_own_flow_gives_it(
    world: MsalWorld, fault: Fault, kind: type[Exception], text: str
) -> None:
    world.entra.inject(fault, times=None)

    with pytest.raises(kind, match=re.escape(text)):
        await world.driver(retry_total=1).get_token(STORAGE)


@pytest.mark.parametrize(("fault", "kind", "text"), FAULTS, ids=ids)
async def test_a_client_of_the_users_own_changes_nothing_about_that(
    world: MsalWorld, fault: Fault, kind: type[Exception], text: str
) -> None:
    if "reset" in fault.name or fault.name == "truncated":
        fault, kind, text = Fault.aadsts(700027), CertificateRejectedError, "thumbprint"  # this client has no network
    world.entra.inject(fault, times=None)

    with pytest.raises(kind, match=re.escape(text)):
        await world.driver(http_client=PlainClient(world.entra), retry_total=0).get_token(STORAGE)


async def test_the_error_carries_what_entra_said(world: MsalWorld) -> None:
    claims = '{"access_token":{"capolids":{"essential":true}}}'
    world.entra.inject(Fault.aadsts(53003, suberror="message_only", claims=claims))

    with pytest.raises(ClientAuthenticationError) as caught:
        await world.driver().get_token(STORAGE)

    error = caught.value
    assert isinstance(error, AuthenticationError)
    assert error.error_codes == (53003,)
    assert (error.suberror, error.claims) == ("message_only", claims)
    assert error.correlation_id is not None
    assert error.hint is not None
    assert error.hint in str(error)


async def test_a_tenant_that_does_not_exist_is_named(world: MsalWorld) -> None:
    with pytest.raises(AuthenticationError, match=r"AADSTS90002.*thumbprint.*Hint: There is no such tenant"):
        await world.driver(tenant_id="fabrikam.example").get_token(STORAGE)


@pytest.mark.parametrize("fault", [None, *(row[0] for row in FAULTS)], ids=ids)
async def test_no_secret_is_in_what_is_logged_raised_and_shown(
    world: MsalWorld, fault: Fault | None, caplog: pytest.LogCaptureFixture
) -> None:
    if fault is not None:
        world.entra.inject(fault, times=None)
    texts, raised = [], None
    with caplog.at_level(logging.DEBUG):
        driver = world.driver(logging_enable=True, retry_total=1)
        try:
            token = await driver.get_token(STORAGE)
            texts += [repr(token), repr(await driver.get_token_info(STORAGE))]
        except Exception as error:  # noqa: BLE001 - each fault has its own, and all are searched
            raised = error

    assert (raised is None) is (fault is None)
    if raised is not None:
        assert (raised.__context__, raised.__cause__) == (None, None)
        texts += ["".join(traceback.format_exception(raised)), repr(raised), str(vars(raised))]
        assert not {frame.f_globals["__name__"] for frame, _ in traceback.walk_tb(raised.__traceback__)} & NO_FRAMES
        texts += [repr(frame.f_locals) for frame, _ in traceback.walk_tb(raised.__traceback__)][1:]
    texts += [caplog.text, *(repr(record.__dict__) for record in caplog.records), repr(driver.given)]
    text = "\n".join(texts)
    assert not JWT.search(text)
    assert "PRIVATE KEY" not in text
    assert "msal" in {record.name.partition(".")[0] for record in caplog.records}


async def test_no_exception_keeps_the_request_alive(world: MsalWorld) -> None:
    """Error reporters walk an exception's attributes and frames; the assertion must not be found there."""
    world.entra.inject(Fault.reset_after(), times=None)

    with pytest.raises(ServiceResponseError) as caught:
        await world.driver(retry_total=0).get_token(STORAGE)

    frames = [frame.f_locals for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    reachable: list[object] = [vars(caught.value), *frames[1:]]
    for value in list(reachable):
        reachable += gc.get_referents(value)
    assert not any(JWT.search(repr(value)) for value in reachable if not isinstance(value, MsalWorld))
