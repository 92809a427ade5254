"""Which region the process runs in: asked of a real server on loopback in the place of the machine's own."""

from __future__ import annotations

import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential._runtime import region
from azure_certvar_credential._runtime.region import ADDRESS, BACKOFF, LIMIT, RegionDetector
from azure_certvar_credential.testing import InstanceMetadataEmulator
from tests.runtime.machine import TRICKLE, Respond, machine, nobody, raw, saying, slow_down, trickle

NOT_DETECTED = (
    "the Azure region could not be detected, so the global token endpoint is asked: "
    "the instance metadata service did not name it"
)


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def test_the_machine_is_asked_as_its_documentation_says() -> None:
    with machine(saying(b"westeurope")) as running:
        assert RegionDetector({}, running.address).detect() == "westeurope"
    ((line, headers),) = running.received
    assert line == "GET /metadata/instance/compute/location?format=text&api-version=2021-01-01 HTTP/1.1"
    assert headers["metadata"] == "true"
    assert headers["connection"] == "close"
    assert ADDRESS == ("169.254.169.254", 80)


def test_the_local_instance_metadata_service_is_understood() -> None:
    with InstanceMetadataEmulator("westeurope").serve() as server:
        parts = urlsplit(server.url)
        detector = RegionDetector({}, (parts.hostname or "", parts.port or 0))
        assert detector.detect() == "westeurope"
        assert server.emulator.requests == ("/metadata/instance/compute/location",)


def test_a_log_handler_may_ask_for_the_region_itself() -> None:
    with InstanceMetadataEmulator(None).serve() as server:
        parts = urlsplit(server.url)
        detector = RegionDetector({}, (parts.hostname or "", parts.port or 0))
        answers: list[str | None] = []

        class Exporter(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                answers.append(detector.detect())

        exporter = Exporter()
        logging.getLogger("azure_certvar_credential").addHandler(exporter)
        try:
            asking = threading.Thread(target=detector.detect, daemon=True)
            asking.start()
            asking.join(20)
            assert not asking.is_alive(), "it waits for itself"
        finally:
            logging.getLogger("azure_certvar_credential").removeHandler(exporter)
        assert answers == [None]


def test_outside_of_azure_there_is_no_region() -> None:
    with InstanceMetadataEmulator(None).serve() as server:
        parts = urlsplit(server.url)
        assert RegionDetector({}, (parts.hostname or "", parts.port or 0)).detect() is None


@pytest.mark.parametrize(
    ("answer", "found"), [(b"eastus2", "eastus2"), (b"West US 2\r\n", "westus2"), (b"EastUS", "eastus")]
)
def test_the_answer_is_written_as_hosts_have_it(answer: bytes, found: str) -> None:
    with machine(saying(answer)) as running:
        assert RegionDetector({}, running.address).detect() == found


@pytest.mark.parametrize(("name", "found"), [("West Europe", "westeurope"), ("eastus", "eastus")])
def test_the_environment_is_enough(name: str, found: str) -> None:
    assert RegionDetector({"REGION_NAME": name}, nobody()).detect() == found


def test_an_environment_that_names_no_region_is_logged_and_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    with machine(saying(b"eastus")) as running:
        assert RegionDetector({"REGION_NAME": "evil.example/"}, running.address).detect() == "eastus"
    assert [record.getMessage() for record in caplog.records] == [
        "the environment variable REGION_NAME is not the name of an Azure region, and is ignored"
    ]


UNUSABLE: dict[str, tuple[Respond, str]] = {
    "not found": (saying(b"westeurope", 404), "HTTP 404 with 10 bytes that are no region"),
    "throttled": (saying(b"", 429, Retry_After="60"), "HTTP 429 with 0 bytes that are no region"),
    "unavailable": (saying(b"westeurope", 503), "HTTP 503 with 10 bytes that are no region"),
    "redirect": (saying(b"", 302, Location="http://127.0.0.1:1/"), "HTTP 302 with 0 bytes that are no region"),
    "empty": (saying(b""), "HTTP 200 with 0 bytes that are no region"),
    "a page": (saying(b"<html>Sign in</html>"), "HTTP 200 with 20 bytes that are no region"),
    "another host": (saying(b"evil.example/"), "HTTP 200 with 13 bytes that are no region"),
    "not ASCII": (saying("w\u00e9st".encode()), "HTTP 200 with 5 bytes that are no region"),
    "too long": (saying(b" " * 300 + b"westeurope"), "HTTP 200 with 257 bytes that are no region"),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "BadStatusLine"),
    "no status": (raw(b""), "RemoteDisconnected"),
    "a header without end": (raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000), "LineTooLong"),
    "headers without end": (raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200), "HTTPException"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_answer_that_is_no_region_leaves_the_global_endpoint_and_one_line(
    case: str, caplog: pytest.LogCaptureFixture
) -> None:
    respond, reason = UNUSABLE[case]
    with machine(respond) as running:
        detector = RegionDetector({}, running.address)
        assert [detector.detect(), detector.detect()] == [None, None]
    assert len(running.received) == 1
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (
            logging.WARNING,
            f"{NOT_DETECTED} ({reason}); next attempt in 600 s",
        )
    ]


def test_where_nobody_listens_there_is_no_region(caplog: pytest.LogCaptureFixture) -> None:
    assert RegionDetector({}, nobody()).detect() is None
    assert "ConnectionRefusedError" in caplog.text


@pytest.mark.parametrize(
    "respond",
    [slow_down, trickle, lambda handler: time.sleep(2)],
    ids=["body in drops", "headers in drops", "silence"],
)
def test_all_of_it_is_bounded_however_it_is_drawn_out(respond: Respond, caplog: pytest.LogCaptureFixture) -> None:
    limit = 8 * TRICKLE
    with machine(respond) as running:
        began = time.monotonic()
        assert RegionDetector({}, running.address, limit=limit).detect() is None
        took = time.monotonic() - began
    assert limit * 0.9 < took < limit + 1.0
    assert "TimeoutError" in caplog.text


def test_no_time_at_all_is_a_time_out(caplog: pytest.LogCaptureFixture) -> None:
    with machine(saying(b"westeurope")) as running:
        assert RegionDetector({}, running.address, limit=0).detect() is None
    assert running.received == []
    assert "TimeoutError" in caplog.text


def test_nobody_waits_for_longer_than_two_seconds() -> None:
    assert LIMIT == 2.0


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://{}:{}".format(*nobody()))
    with machine(saying(b"westeurope")) as running:
        assert RegionDetector(os.environ, running.address).detect() == "westeurope"


def test_a_region_stands_for_good() -> None:
    clock = Clock()
    with machine(saying(b"westeurope")) as running:
        detector = RegionDetector({}, running.address, clock)
        assert not detector.known
        assert detector.detect() == "westeurope"
        clock.time += 10 * BACKOFF
        assert detector.known
        assert detector.detect() == "westeurope"
    assert len(running.received) == 1


def test_a_failure_stands_for_ten_minutes() -> None:
    clock = Clock()
    answers = [saying(b"", 500), saying(b"westeurope")]

    def respond(handler: BaseHTTPRequestHandler) -> None:
        answers[len(running.received) - 1](handler)

    with machine(respond) as running:
        detector = RegionDetector({}, running.address, clock)
        assert detector.detect() is None
        assert detector.known
        clock.time += BACKOFF - 1
        assert detector.detect() is None
        clock.time += 1
        assert not detector.known
        assert detector.detect() == "westeurope"
    assert len(running.received) == 2


def test_of_many_threads_one_looks_and_all_are_told() -> None:
    together = threading.Barrier(16)

    def respond(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.2)  # long enough for every thread to ask
        saying(b"westeurope")(handler)

    def ask() -> str | None:
        together.wait(10)
        return detector.detect()

    with machine(respond) as running, ThreadPoolExecutor(16) as threads:
        detector = RegionDetector({}, running.address)
        assert {future.result(10) for future in [threads.submit(ask) for _ in range(16)]} == {"westeurope"}
    assert len(running.received) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
def test_a_child_process_looks_for_itself_while_a_thread_of_its_parent_is_looking() -> None:
    asked = threading.Event()

    def respond(handler: BaseHTTPRequestHandler) -> None:
        if not asked.is_set():
            asked.set()
            time.sleep(0.5)
        saying(b"westeurope")(handler)

    with machine(respond) as running:
        detector = RegionDetector({}, running.address)
        looking = threading.Thread(target=detector.detect)
        looking.start()
        assert asked.wait(10)
        child = os.fork()
        if child == 0:  # no assertion here: a child that unwinds would run the rest of the tests
            os._exit(0 if detector.detect() == "westeurope" else 1)
        _, status = os.waitpid(child, 0)
        looking.join(10)
    assert os.waitstatus_to_exitcode(status) == 0
    assert len(running.received) == 2


def test_what_is_known_stays_known_in_a_child() -> None:
    detector = RegionDetector({"REGION_NAME": "westeurope"}, nobody())
    detector.detect()
    detector.after_fork()
    assert detector.known
    assert detector.detect() == "westeurope"


def test_the_process_has_one_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(region, "process", RegionDetector({"REGION_NAME": "westeurope"}, nobody()))
    assert not region.process.known
    assert region.detect_region() == "westeurope"
    assert region.process.known


@given(st.binary(max_size=400))
def test_whatever_the_machine_says_is_a_label_or_nothing(answer: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(region, "_ask", lambda address, deadline: (200, answer))
        found = RegionDetector({}).detect()
    assert found is None or (found.isascii() and found.isalnum() and found == found.lower())
