"""gevent and nested event loops change Python's own modules, so each program runs in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.testing import EntraEmulator

BEGINNING = """
    import json, os, sys, time
    given = json.load(sys.stdin)
    arguments = dict(given, disable_instance_discovery=True)
"""

# 50 greenlets at once, while another one counts the turns of the loop.
GEVENT = """
    from gevent import monkey
    monkey.patch_all()
    import gevent
    from gevent.pool import Group
    from azure_certvar_credential.{room} import {kind}

    turns = 0
    def turn():
        global turns
        while True:
            turns += 1
            gevent.sleep(0.005)
    counting = gevent.spawn(turn)
    credential = {kind}(**arguments)
    callers = Group()
    tokens = {{t.token for t in callers.map(lambda _: credential.get_token("api://a/.default"), range(50))}}
    assert len(tokens) == 1, tokens
    before = turns
    started = time.monotonic()
    {silent}
    assert turns - before > 10, "the loop was held up"
    counting.kill()
    credential.close()
    print("done", len(tokens))
"""
SILENT = """
    import socket
    from azure_certvar_credential.exceptions import AcquisitionTimeoutError
    listener = socket.create_server(("127.0.0.1", 0))
    other = {kind}(**dict(arguments, authority="https://localhost:%d" % listener.getsockname()[1]), timeout=0.3)
    try:
        other.get_token("api://a/.default")
    except AcquisitionTimeoutError:
        assert time.monotonic() - started < 5
    else:
        raise AssertionError
"""

# A notebook's way: code that blocks on a coroutine inside of a loop that runs.
NESTED = """
    import asyncio
    import nest_asyncio
    from azure_certvar_credential import CertVarCredential
    from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential

    nest_asyncio.apply()

    async def main():
        loop = asyncio.get_running_loop()
        async with AsyncCertVarCredential(**arguments) as credential:
            outer = asyncio.ensure_future(credential.get_token("api://a/.default"))
            await asyncio.sleep(0)
            inner = loop.run_until_complete(credential.get_token("api://a/.default"))
            assert (await outer).token == inner.token
            other = asyncio.run(credential.get_token("api://b/.default"))
            assert other.token != inner.token
        with CertVarCredential(**arguments) as credential:
            assert credential.get_token("api://a/.default").token

    asyncio.run(main())
    print("done")
"""


@pytest.fixture
def entra() -> Iterator[tuple[EntraEmulator, dict[str, Any]]]:
    """A local Entra in this process, and the arguments of a credential for it."""
    emulator, certificate = EntraEmulator(), ClientCertificate.self_signed("loops")
    application = emulator.add_application(certificate)
    with emulator.serve() as server:
        yield (
            emulator,
            {
                "tenant_id": application.tenant_id,
                "client_id": application.client_id,
                "certificate": certificate.to_pem(),
                "authority": server.url,
                "connection_verify": server.ca_file,
            },
        )


def run(text: str, arguments: dict[str, Any]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", text],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.split()[:1]) == (0, ["done"]), done.stderr


@pytest.mark.parametrize(
    ("room", "kind"), [("_credential", "CertVarCredential"), ("msal", "MsalCertVarCredential")], ids=["own", "msal"]
)
def test_greenlets_share_a_request_and_a_server_that_is_silent_holds_up_none(
    entra: tuple[EntraEmulator, dict[str, Any]], room: str, kind: str
) -> None:
    emulator, arguments = entra
    silent = textwrap.dedent(SILENT).format(kind=kind)
    text = textwrap.dedent(GEVENT).format(room=room, kind=kind, silent="pass\n" + silent)

    run(textwrap.dedent(BEGINNING) + text, arguments)

    assert len(emulator.requests) == 1


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="nest_asyncio is archived, and knows no later Python")
def test_loops_inside_of_a_loop_that_runs(entra: tuple[EntraEmulator, dict[str, Any]]) -> None:
    emulator, arguments = entra

    run(textwrap.dedent(BEGINNING) + textwrap.dedent(NESTED), arguments)

    assert len(emulator.requests) == 3
