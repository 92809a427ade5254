"""After a request that brought no token: one more with the server's clock, one with another certificate, retries."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from email.utils import formatdate
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from azure_certvar_credential._core.client_authentication.private_key_jwt import CLOCK_TOLERANCE
from azure_certvar_credential._core.effects import LoadCertificate, Send, Sign, Unanswered
from azure_certvar_credential._core.exchange import Response
from azure_certvar_credential._core.retries import LONGEST_PAUSE, Retry
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    CertificateRejectedError,
    TemporarilyUnavailableError,
)
from tests.core.certificates import certificate
from tests.core.responses import aadsts, plain, token
from tests.core.script import NOW, WRITE, Driver, World, flow, load, post, read_cache, wait

BROKEN = Unanswered(ServiceResponseError("reset"))
BUSY = plain(503, b"Service Unavailable")
ROTATION_CODES = [700027, 700024, 7000214, 1000502, 7000274, 7000277]


def clock_error(ahead: float | None, *, at: float = NOW) -> Response:
    headers = {} if ahead is None else {"date": formatdate(at + ahead, usegmt=True)}
    return aadsts(700024, "invalid_client", status=401, headers=headers)


def rejected(code: int = 700027) -> Response:
    return aadsts(code, "invalid_client", status=401)


def claims(send: Send) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(urlsafe_b64decode(send.form["client_assertion"].split(".")[1] + "==="))
    return decoded


def jtis(world: World) -> list[str]:
    return [claims(send)["jti"] for send in world.all(Send)]


@pytest.mark.parametrize("ahead", [-86400, -61, 61, 400, 86400 * 3650])
def test_refused_times_are_corrected_by_the_servers_date_once(drive: Driver, ahead: float) -> None:
    world = World(read_cache(), load(), post(clock_error(ahead)), post(token(), at=NOW + 2), WRITE)
    acquired = drive(flow(), world.perform)
    world.done()
    assert [claims(send)["iat"] for send in world.all(Send)] == [NOW, NOW + 2 + ahead]
    assert len(set(jtis(world))) == 2
    # The token's times stay those of our clock, which is what they are compared with.
    assert acquired.expires_on == NOW + 2 + 3599


def test_a_clock_is_corrected_only_once(drive: Driver) -> None:
    world = World(
        read_cache(), load(), post(clock_error(400)), post(clock_error(800)), load("two"), post(clock_error(1200))
    )
    with pytest.raises(CertificateRejectedError, match="AADSTS700024"):
        drive(flow(), world.perform)
    world.done()
    assert [claims(send)["iat"] - NOW for send in world.all(Send)] == [0, 400, 400]


@pytest.mark.parametrize("ahead", [None, 0, CLOCK_TOLERANCE, -CLOCK_TOLERANCE])
def test_a_date_that_does_not_differ_or_is_missing_corrects_nothing(drive: Driver, ahead: float | None) -> None:
    world = World(read_cache(), load(), post(clock_error(ahead)), load())
    with pytest.raises(CertificateRejectedError, match="NTP"):
        drive(flow(), world.perform)
    world.done()


def test_a_date_of_another_refusal_corrects_nothing(drive: Driver) -> None:
    answer = aadsts(700023, "invalid_client", status=401, headers={"date": formatdate(NOW + 9999, usegmt=True)})
    world = World(read_cache(), load(), post(answer))
    with pytest.raises(CertificateRejectedError):
        drive(flow(), world.perform)
    world.done()


@pytest.mark.parametrize("code", ROTATION_CODES)
def test_a_rejected_certificate_is_replaced_by_a_renewed_one_once(drive: Driver, code: int) -> None:
    world = World(read_cache(), load(), post(rejected(code)), load("two"), post(token()), WRITE)
    drive(flow(), world.perform)
    world.done()
    assert world.all(LoadCertificate) == [LoadCertificate(), LoadCertificate(refused=certificate("one"))]
    assert [sign.signer for sign in world.all(Sign)] == [certificate("one").signer, certificate("two").signer]
    assert len(set(jtis(world))) == 2


@pytest.mark.parametrize("code", ROTATION_CODES)
def test_the_same_certificate_again_ends_it_with_the_first_refusal(drive: Driver, code: int) -> None:
    world = World(read_cache(), load(), post(rejected(code)), load())
    with pytest.raises(CertificateRejectedError) as caught:
        drive(flow(), world.perform)
    world.done()
    assert caught.value.error_codes == (code,)


def test_a_renewed_certificate_that_is_rejected_too_is_the_one_described(drive: Driver) -> None:
    world = World(read_cache(), load(), post(rejected()), load("two"), post(rejected()))
    with pytest.raises(CertificateRejectedError) as caught:
        drive(flow(), world.perform)
    world.done()
    assert certificate("two").thumbprint in caught.value.message
    assert certificate("one").thumbprint not in caught.value.message


def test_a_source_that_fails_to_renew_is_heard(drive: Driver) -> None:
    world = World(read_cache(), load(), post(rejected()), load())
    world.steps[-1].answer = OSError("the vault is closed")
    with pytest.raises(OSError, match="the vault is closed"):
        drive(flow(), world.perform)
    world.done()


@pytest.mark.parametrize("failure", [BROKEN, BUSY, plain(429, b"Too Many Requests")])
def test_what_may_pass_is_retried_with_azure_cores_pauses_and_a_fresh_assertion_each(
    drive: Driver, failure: Response | Unanswered
) -> None:
    world = World(
        read_cache(),
        load(),
        post(failure),
        wait(0),
        post(failure),
        wait(1.6),
        post(failure),
        wait(3.2),
        post(token()),
        WRITE,
    )
    drive(flow(), world.perform)
    world.done()
    assert len(set(jtis(world))) == 4
    assert len({send.headers["client-request-id"] for send in world.all(Send)}) == 4
    assert world.all(LoadCertificate) == [LoadCertificate()]


def test_the_times_of_an_assertion_are_those_of_its_own_request(drive: Driver) -> None:
    world = World(read_cache(), load(), post(BUSY), wait(0), post(token(), at=NOW + 31), WRITE)
    assert drive(flow(), world.perform).expires_on == NOW + 31 + 3599
    assert [claims(send)["iat"] for send in world.all(Send)] == [NOW, NOW + 31]


@pytest.mark.parametrize("failure", [BROKEN, BUSY])
@pytest.mark.parametrize(("total", "requests"), [(0, 1), (1, 2), (2, 3)])
def test_retry_total_bounds_the_requests(
    drive: Driver, failure: Response | Unanswered, total: int, requests: int
) -> None:
    pauses = [0.0, 1.6]
    steps = [step for n in range(requests) for step in [*post(failure), *([wait(pauses[n])] if n < total else [])]]
    world = World(read_cache(), load(), steps)
    with pytest.raises((ServiceResponseError, TemporarilyUnavailableError)):
        drive(flow(retry=Retry(total=total)), world.perform)
    world.done()


def test_status_and_read_have_bounds_of_their_own(drive: Driver) -> None:
    retry = Retry(total=10, status=1, read=2)
    world = World(
        read_cache(), load(), post(BUSY), wait(0), post(BROKEN), wait(1.6), post(BROKEN), wait(3.2), post(BUSY)
    )
    with pytest.raises(TemporarilyUnavailableError):
        drive(flow(retry=retry), world.perform)
    world.done()
    world = World(read_cache(), load(), post(BROKEN), wait(0), post(BROKEN), wait(1.6), post(BROKEN))
    with pytest.raises(ServiceResponseError) as caught:
        drive(flow(retry=retry), world.perform)
    world.done()
    assert isinstance(BROKEN, Unanswered)
    assert caught.value is BROKEN.error


def test_fixed_mode_and_backoff_settings_decide_the_pauses(drive: Driver) -> None:
    for retry, pauses in [
        (Retry(backoff_factor=0.5, exponential=False), (0, 0.5, 0.5)),
        (Retry(backoff_factor=3, backoff_max=7), (0, 6, 7)),
    ]:
        steps = [step for pause in pauses for step in [*post(BUSY), wait(pause)]]
        world = World(read_cache(), load(), steps, post(token()), WRITE)
        drive(flow(retry=retry), world.perform)
        world.done()


@pytest.mark.parametrize(("asked", "first", "second"), [("0", 0, 1.6), ("1", 1, 1.6), ("2.5", 2.5, 2.5), ("5", 5, 5)])
def test_a_short_retry_after_is_waited_for_and_never_undercut(
    drive: Driver, asked: str, first: float, second: float
) -> None:
    failure = plain(429, b"", retry_after=asked)
    world = World(read_cache(), load(), post(failure), wait(first), post(failure), wait(second), post(token()), WRITE)
    drive(flow(), world.perform)
    world.done()


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize(
    ("asked", "seconds"), [("5.001", 5.001), ("60", 60), ("99999", 3600), (formatdate(NOW + 90, usegmt=True), 90)]
)
def test_a_longer_retry_after_is_the_callers_to_wait_for(
    drive: Driver, status: int, asked: str, seconds: float
) -> None:
    world = World(read_cache(), load(), post(plain(status, b"", retry_after=asked)))
    with pytest.raises(TemporarilyUnavailableError) as caught:
        drive(flow(), world.perform)
    world.done()
    assert caught.value.retry_after == seconds > LONGEST_PAUSE


def test_a_connection_that_was_never_made_is_not_the_flows_to_repeat(drive: Driver) -> None:
    refused = ServiceRequestError("connection refused")
    world = World(read_cache(), load(), post(refused))
    with pytest.raises(ServiceRequestError) as caught:
        drive(flow(), world.perform)
    world.done()
    assert caught.value is refused


def test_every_remedy_together_still_ends(drive: Driver) -> None:
    world = World(
        read_cache(),
        load(),
        post(BUSY),
        wait(0),
        post(clock_error(400)),
        post(BROKEN),
        wait(1.6),
        post(rejected()),
        load("two"),
        post(BUSY),
        wait(3.2),
        post(rejected()),
    )
    with pytest.raises(CertificateRejectedError):
        drive(flow(), world.perform)
    world.done()
    assert len(set(jtis(world))) == 6
    # The corrected clock holds for all later requests.
    assert [claims(send)["iat"] - NOW for send in world.all(Send)] == [0, 0, 400, 400, 400, 400]


def test_a_refusal_after_a_retry_is_final(drive: Driver) -> None:
    world = World(read_cache(), load(), post(BUSY), wait(0), post(aadsts(700016, "unauthorized_client")))
    with pytest.raises(AuthenticationError, match="AADSTS700016"):
        drive(flow(), world.perform)
    world.done()
