"""What goes wrong on demand, as values: status, headers, body, and how it is to be delivered."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

import pytest

from azure_certvar_credential.testing import Fault, Request, Response
from azure_certvar_credential.testing.aadsts import AADSTS
from azure_certvar_credential.testing.http import respond
from tests.testing.kit import NOW, World, refused


def answer(world: World, fault: Fault) -> Response:
    world.entra.inject(fault)
    return world.post()


@pytest.mark.parametrize(
    ("fault", "status", "retry_after", "content_type"),
    [
        (Fault.throttled(), 429, "60", "application/json; charset=utf-8"),
        (Fault.throttled(7, json=False), 429, "7", "text/plain"),
        (Fault.throttled(None), 429, None, "application/json; charset=utf-8"),
        (Fault.throttled("soon"), 429, "soon", "application/json; charset=utf-8"),
        (Fault.throttled(datetime.fromtimestamp(NOW, timezone.utc)), 429, "Fri, 15 Jan 2027 08:00:00 GMT", None),
        (Fault.server_error(), 503, None, "application/json; charset=utf-8"),
        (Fault.server_error(500), 500, None, "application/json; charset=utf-8"),
        (Fault.server_error(502, json=False), 502, None, "text/plain"),
        (Fault.server_error(504, retry_after=3), 504, "3", "application/json; charset=utf-8"),
        (Fault.not_json(), 200, None, "text/html; charset=utf-8"),
        (Fault.not_json(503), 503, None, "text/html; charset=utf-8"),
    ],
)
def test_a_server_out_of_order_answers_so(
    world: World, fault: Fault, status: int, retry_after: str | None, content_type: str | None
) -> None:
    response = answer(world, fault)
    assert response.status == status
    assert response.headers.get("Retry-After") == retry_after
    assert content_type is None or response.headers["Content-Type"] == content_type
    if response.headers["Content-Type"].startswith("application/json"):
        assert "error" in response.json()
    else:
        with pytest.raises(json.JSONDecodeError):
            response.json()
    assert world.entra.requests[-1].status == status
    assert world.post().status == 200


def test_a_time_in_another_zone_becomes_an_http_date(world: World) -> None:
    moment = datetime(2027, 1, 15, 12, 0, tzinfo=timezone(timedelta(hours=3)))
    response = answer(world, Fault.throttled(moment))
    assert parsedate_to_datetime(response.headers["Retry-After"]) == moment


@pytest.mark.parametrize("code", sorted(AADSTS))
def test_every_code_of_the_table_can_be_brought_about(world: World, code: int) -> None:
    response = answer(world, Fault.aadsts(code))
    assert refused(response) == (AADSTS[code].status, AADSTS[code].error, [code])
    assert response.json()["error_description"].startswith(f"AADSTS{code}: ")
    assert world.entra.requests[-1].error_codes == (code,)
    assert world.entra.requests[-1].fault == f"aadsts {code}"


def test_a_forced_error_can_carry_claims_and_another_status(world: World) -> None:
    response = answer(world, Fault.aadsts(53003, suberror="message_only", claims='{"x":1}', status=403))
    assert (response.status, response.json()["suberror"], response.json()["claims"]) == (403, "message_only", '{"x":1}')
    transient = answer(world, Fault.aadsts(90033, status=400))
    assert refused(transient) == (400, "temporarily_unavailable", [90033])


def test_a_code_that_is_not_in_the_table_is_named(world: World) -> None:
    with pytest.raises(ValueError, match="unknown AADSTS code 1; known codes: 28000, 50001"):
        answer(world, Fault.aadsts(1))


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.not_an_object(), ["not", "an", "object"]),
        (Fault.not_an_object(None), None),
        (Fault.without_access_token(), {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599}),
    ],
)
def test_a_body_may_be_json_and_yet_no_token(world: World, fault: Fault, expected: object) -> None:
    response = answer(world, fault)
    assert (response.status, response.json()) == (200, expected)
    assert response.headers["Content-Length"] == str(len(response.body))


@pytest.mark.parametrize("value", [-1, 0, "soon", None, 1e30, "3599"])
def test_expires_in_may_be_anything(world: World, value: object) -> None:
    response = answer(world, Fault.expires_in(value))
    assert response.json()["expires_in"] == value
    assert response.json()["access_token"]


def test_the_token_type_may_be_another(world: World) -> None:
    assert answer(world, Fault.token_type("pop")).json()["token_type"] == "pop"


def test_an_edited_success_leaves_a_refusal_alone(world: World) -> None:
    world.entra.inject(Fault.token_type("pop"))
    assert refused(world.post(world.form(scope="x")))[2] == [1002012]


def test_an_oversized_body_is_valid_json_all_the_same(world: World) -> None:
    response = answer(world, Fault.oversized())
    assert len(response.body) == 2 << 20
    assert response.json()["access_token"]
    assert len(answer(world, Fault.oversized(5000)).body) == 5000


@pytest.mark.parametrize(("skew", "status"), [(299, 200), (-299, 200), (901, 401), (-301, 401)])
def test_a_server_whose_clock_is_off_shows_it_and_refuses(world: World, skew: int, status: int) -> None:
    response = answer(world, Fault.clock_skew(skew))
    assert response.status == status
    assert parsedate_to_datetime(response.headers["Date"]).timestamp() == NOW + skew
    if status == 401:
        assert refused(response)[2] == [700024]


def test_a_certificate_may_take_time_to_be_known(world: World) -> None:
    world.entra.inject(Fault.unknown_certificate(), times=2)
    assert [refused(world.post())[2] for _ in range(2)] == [[700027], [700027]]
    assert world.post().status == 200


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (Fault.latency(1.5), {"delay": 1.5, "reset": None, "sent": None}),
        (Fault.reset_after(), {"delay": 0, "reset": "after", "sent": None}),
        (Fault.reset_before(), {"delay": 0, "reset": "before", "sent": None}),
    ],
)
def test_how_an_answer_is_delivered_is_said_with_it(world: World, fault: Fault, what: dict[str, object]) -> None:
    delivery = answer(world, fault).delivery
    assert {"delay": delivery.delay, "reset": delivery.reset, "sent": delivery.sent} == what


def test_half_of_a_truncated_body_is_sent(world: World) -> None:
    response = answer(world, Fault.truncated())
    assert response.delivery.sent == len(response.body) // 2
    assert response.headers["Content-Length"] == str(len(response.body))


def test_a_request_before_the_reset_is_never_seen(world: World) -> None:
    answer(world, Fault.reset_before())
    assert len(world.entra.requests) == 0
    answer(world, Fault.reset_after())
    assert [(entry.status, entry.fault) for entry in world.entra.requests] == [(200, "reset_after")]


def test_what_hangs_can_be_awaited_and_released(world: World) -> None:
    with pytest.raises(TimeoutError, match="fewer than 1 requests hung within 0 s"):
        world.entra.wait_for_hanging(timeout=0)
    holds = [answer(world, Fault.hang(50)).delivery.hold for _ in range(2)]
    world.entra.wait_for_hanging(2, timeout=0)
    assert all(hold is not None and not hold.wait(0) for hold in holds)
    began = time.monotonic()
    world.entra.release()
    assert all(hold is not None and hold.wait(50) for hold in holds)
    assert time.monotonic() - began < 25
    for hold in holds:
        assert hold is not None
        hold.release()
    with pytest.raises(TimeoutError):
        world.entra.wait_for_hanging(timeout=0)


def test_faults_come_in_their_order_one_a_request(world: World) -> None:
    world.entra.inject(Fault.throttled(), times=2)
    world.entra.inject(Fault.server_error())
    assert len(world.entra.faults) == 2
    assert [world.post().status for _ in range(4)] == [429, 429, 503, 200]
    assert len(world.entra.faults) == 0


def test_a_fault_may_last_until_it_is_cleared(world: World) -> None:
    world.entra.inject(Fault.server_error(), times=None)
    assert {world.post().status for _ in range(5)} == {503}
    world.entra.faults.clear()
    assert world.post().status == 200


def test_times_is_at_least_one(world: World) -> None:
    with pytest.raises(ValueError, match="times must be at least 1"):
        world.entra.inject(Fault.throttled(), times=0)


def graph(request: Request) -> bool:
    return b"graph" in request.body


def discovery(request: Request) -> bool:
    return request.path.endswith("/keys")


@pytest.mark.parametrize("when", [graph, discovery])
def test_a_fault_waits_for_the_request_it_is_meant_for(world: World, when: Callable[[Request], bool]) -> None:
    world.entra.inject(Fault.server_error(), when=when)
    assert world.post().status == 200
    if when is graph:
        assert world.post(world.form(scope="https://graph.microsoft.com/.default")).status == 503
    else:
        assert world.get("/common/discovery/keys").status == 503
    assert len(world.entra.faults) == 0


def test_other_requests_than_those_for_tokens_are_spared(world: World) -> None:
    world.entra.inject(Fault.server_error())
    assert world.get("/common/discovery/keys").status == 200
    assert world.post().status == 503


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"error_codes": ' + b"[" * 100_000, b'{"error_codes": 7}', b'{"error_codes": null}', b"7"],
)
def test_a_fault_may_answer_with_anything(world: World, body: bytes) -> None:
    fault = Fault("odd", lambda _, conditions: respond(conditions, 400, body))
    assert answer(world, fault).body == body
    assert world.entra.requests[-1].error_codes == ()
