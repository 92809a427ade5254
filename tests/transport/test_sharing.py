"""What several pipelines, event loops and processes have in common, and what they must not take from each other."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from typing import Any

import pytest
from azure.core.pipeline.policies import AsyncHTTPPolicy, HTTPPolicy

from azure_certvar_credential._core.exchange import Response
from azure_certvar_credential._transport.aio import AsyncSender
from azure_certvar_credential._transport.options import asked
from azure_certvar_credential._transport.per_loop import PerLoop
from azure_certvar_credential._transport.sync import Sender
from azure_certvar_credential.exceptions import ConfigurationError, CredentialClosedError
from tests.transport.loopback import serving, token, unused_port
from tests.transport.posting import QUIET, send


class _Passes(HTTPPolicy[Any, Any]):
    """A policy of a user's own, which knows the next one."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def send(self, request: Any) -> Any:
        self.calls.append(request.http_request.url)
        return self.next.send(request)


class _PassesAsync(AsyncHTTPPolicy[Any, Any]):
    async def send(self, request: Any) -> Any:
        return await self.next.send(request)


@pytest.mark.parametrize("name", ["per_call_policies", "per_retry_policies", "policies"])
def test_a_policy_that_two_pipelines_were_given_sends_through_the_one_it_is_used_in(name: str) -> None:
    policy = _Passes()
    options = {**QUIET, name: [policy]}
    with serving(token()) as server:
        first, second = Sender(options), Sender(options)
        assert isinstance(first.send(send(server.url)), Response)
        assert isinstance(second.send(send(server.url)), Response)
        second.close()
        assert isinstance(first.send(send(server.url)), Response)
        first.close()
    # What it has gathered, it has in one place.
    assert len(policy.calls) == 3


def test_a_policy_that_cannot_stand_in_a_second_pipeline_is_named() -> None:
    class Unique(_Passes):
        def __copy__(self) -> Unique:
            raise TypeError("there is only one")

    options = {**QUIET, "per_call_policies": Unique()}
    with serving(token()) as server:
        first = Sender(options)
        assert isinstance(first.send(send(server.url)), Response)
        with pytest.raises(ConfigurationError, match=r"the policy Unique .* cannot be copied"):
            Sender(options).send(send(server.url))
        first.close()


def test_policies_that_can_be_read_once_are_a_list_for_every_pipeline() -> None:
    policy = _Passes()
    given = asked({"per_call_policies": iter([policy]), "user_agent": "mine"})
    assert given == {"per_call_policies": [policy], "user_agent": "mine"}


def test_nor_do_two_event_loops_at_once_share_one() -> None:
    sender = AsyncSender({**QUIET, "per_call_policies": [_PassesAsync()]})
    met = threading.Barrier(2, timeout=20)

    async def post_twice(url: str, outcomes: list[object]) -> None:
        outcomes.append(await sender.send(send(url)))
        await asyncio.to_thread(met.wait)
        outcomes.append(await sender.send(send(url)))
        await asyncio.to_thread(met.wait)

    with serving(token()) as server:
        outcomes: list[object] = []
        threads = [
            threading.Thread(target=lambda: asyncio.run(post_twice(server.url, outcomes)), daemon=True)
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert [type(outcome) for outcome in outcomes] == [Response] * 4


def test_a_request_under_way_while_the_pipeline_is_closed_fails_as_closed() -> None:
    """azure-core's transport has words of its own for it, in a ValueError."""
    sender: Sender

    def close(_request: object) -> None:
        sender.close()

    sender = Sender({**QUIET, "raw_request_hook": close, "retry_total": 5})
    with pytest.raises(CredentialClosedError):
        sender.send(send(f"http://127.0.0.1:{unused_port()}"))


def test_event_loops_in_many_threads_keep_what_is_theirs() -> None:
    """Loops come and go while others look theirs up."""
    held: PerLoop[int] = PerLoop()
    errors: list[BaseException] = []
    interval = sys.getswitchinterval()

    async def use(number: int) -> None:
        loop = asyncio.get_running_loop()
        assert held.get(loop) is None
        held.put(loop, number)
        await asyncio.sleep(0)
        assert held.get(loop) == number
        if number % 2:
            held.pop(loop)
            assert held.get(loop) is None

    def many() -> None:
        try:
            for number in range(150):
                asyncio.run(use(number))
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)

    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=many) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(interval)
    assert errors == []

    async def last() -> None:
        held.put(asyncio.get_running_loop(), 0)

    asyncio.run(last())
    assert len(held) == 1  # those that have ended are forgotten


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_child_that_ends_leaves_the_parents_connections_alone() -> None:
    """Parent and child share the selector: what the child takes out of it, the parent would wait for in vain."""
    program = """
        import asyncio, os, sys
        from azure_certvar_credential._core.exchange import Response
        from azure_certvar_credential._runtime.fork import tell_after_fork
        from azure_certvar_credential._transport.aio import AsyncSender
        from tests.transport.posting import QUIET, send

        url = sys.argv[1]
        sender, loop = AsyncSender(QUIET), asyncio.new_event_loop()
        tell_after_fork(sender)
        assert isinstance(loop.run_until_complete(sender.send(send(url))), Response)
        child = os.fork()
        if child == 0:
            sys.exit(0)  # with the interpreter's whole ending
        assert os.waitpid(child, 0)[1] == 0
        for _ in range(2):
            answer = loop.run_until_complete(asyncio.wait_for(sender.send(send(url)), 20))
            assert isinstance(answer, Response)
        loop.run_until_complete(sender.close())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
    """

    with serving(token()) as server:
        done = _run(program, server.url)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_look_up_that_hangs_does_not_hold_up_the_end_of_the_process() -> None:
    program = """
        import asyncio, socket, threading
        from azure_certvar_credential._transport.aio import AsyncSender
        from tests.transport.posting import QUIET, send

        reached = threading.Event()

        def hangs(*_arguments, **_options):
            reached.set()
            threading.Event().wait(100)

        socket.getaddrinfo = hangs

        async def main():
            task = asyncio.create_task(AsyncSender(QUIET).send(send("http://login.example")))
            while not reached.is_set():
                await asyncio.sleep(0.001)
            assert all(thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread())
            task.cancel()
            await asyncio.wait([task])

        asyncio.run(main())
    """

    done = _run(program)  # which has a time-out of its own

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
