"""What an error reporter sees of a failed acquisition: messages, attributes, and the variables of every frame."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from azure_certvar_credential._core.effects import Send, Sign, Unanswered
from azure_certvar_credential._core.retries import Retry
from tests.core.responses import aadsts, plain
from tests.core.script import Driver, World, flow, load, post, read_cache

FAILURES = [
    ServiceRequestError("refused"),
    Unanswered(ServiceResponseError("reset")),
    aadsts(700016, "unauthorized_client"),
    plain(503, b"", retry_after="60"),
    KeyboardInterrupt(),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_no_frame_of_a_failure_shows_the_assertion_it_was_sent_with(drive: Driver, failure: Any) -> None:
    world = World(read_cache(), load(), post(failure))
    with pytest.raises((Exception, KeyboardInterrupt)) as caught:
        drive(flow(retry=Retry(total=0)), world.perform)
    world.done()
    # Reporters such as Sentry take the variables' reprs; this is the standard library's way to do the same.
    package_frames = [
        frame
        for frame in traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
        if "azure_certvar_credential" in frame.filename
    ]
    assert len(package_frames) >= 2
    shown = " ".join(f"{frame.name} {frame.locals}" for frame in package_frames)
    (send,), (sign,) = world.all(Send), world.all(Sign)
    header, claims, signature = send.form["client_assertion"].split(".")
    assert header in sign.message.decode()
    for secret in (claims, signature):
        assert secret not in shown
