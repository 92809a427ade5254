"""The server stops on request, whatever its clients are doing, and hides no error of its handlers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from azure_certvar_credential.testing import EntraServer, Fault
from tests.testing.kit import World

Served = tuple[World, EntraServer]


def post(served: Served) -> requests.Response:
    world, server = served
    return requests.post(world.token_url, data=world.form(), verify=server.ca_file, timeout=30)


@pytest.mark.parametrize("fault", [Fault.hang(600), Fault.latency(600)])
def test_the_server_ends_quickly_whatever_hangs(make_world: Callable[..., World], fault: Fault) -> None:
    world, before = make_world(), set(threading.enumerate())
    world.entra.inject(fault)
    with world.entra.serve() as server, ThreadPoolExecutor(1) as pool:
        world.base = server.url
        idle = socket.create_connection(("127.0.0.1", server.port))
        answer = pool.submit(post, (world, server))
        deadline = time.monotonic() + 30
        while not world.entra.requests and time.monotonic() < deadline:
            time.sleep(0.01)
        began = time.monotonic()
        server.__exit__(None, None, None)
        assert time.monotonic() - began < 4
        with pytest.raises(requests.exceptions.ConnectionError):
            answer.result(30)
        idle.close()
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name == "EntraServer"]


def test_a_closed_server_is_gone_and_leaves_no_file(world: World) -> None:
    with world.entra.serve() as server:
        world.base = server.url
        ca_file = Path(server.ca_file)
        assert ca_file.exists()
        with pytest.raises(RuntimeError, match="already open"):
            server.__enter__()
    assert not ca_file.exists()
    assert repr(server) == "<EntraServer closed>"
    server.__exit__(None, None, None)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)


def test_a_mistake_in_the_emulator_is_reported(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world, _ = served

    def broken(_: object) -> None:
        raise LookupError("a mistake")

    monkeypatch.setattr(world.entra, "handle", broken)
    with pytest.raises(requests.exceptions.ConnectionError):
        post(served)
    # The report is written after the connection is closed.
    written, deadline = "", time.monotonic() + 30
    while "LookupError: a mistake" not in written and time.monotonic() < deadline:
        written += capsys.readouterr().err
        time.sleep(0.01)
    assert "LookupError: a mistake" in written


def test_a_client_that_says_nothing_keeps_nobody_waiting(served: Served) -> None:
    _, server = served
    with socket.create_connection(("127.0.0.1", server.port)):
        began = time.monotonic()
        assert post(served).status_code == 200
        assert time.monotonic() - began < 5


def test_a_client_that_comes_while_the_server_stops_is_sent_away(served: Served) -> None:
    _, server = served
    assert server._listener is not None
    server._listener.stopping.set()
    with pytest.raises(requests.exceptions.ConnectionError):
        post(served)
