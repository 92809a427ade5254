"""Pickle, copy, fork and the end of the process."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import textwrap
import threading

import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.testing import EntraEmulator, Fault
from tests.credential.world import STORAGE, World


async def test_a_credential_with_a_private_key_is_not_pickled(world: World) -> None:
    with pytest.raises(TypeError, match="private key"):
        pickle.dumps(world.driver().credential)


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
async def test_a_copy_works_and_has_tokens_of_its_own(world: World, how: object) -> None:
    driver = world.driver()
    first = await driver.get_token(STORAGE)

    assert callable(how)
    copied = type(driver)(how(driver.credential))
    second = await copied.get_token(STORAGE)
    await copied.close()

    assert second.token != first.token
    assert world.requests == 2
    assert await driver.get_token(STORAGE) is first


def test_a_copy_of_a_subclass_has_its_attributes_and_a_deep_one_shares_none_that_changes(
    certificate: ClientCertificate,
) -> None:
    class Mine(CertVarCredential):
        def __init__(self) -> None:
            super().__init__("contoso.example", "client", certificate)
            self.tags: list[str] = ["a"]

    mine = Mine()

    assert copy.copy(mine).tags is mine.tags
    assert copy.deepcopy(mine).tags == ["a"]
    assert copy.deepcopy(mine).tags is not mine.tags


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
def test_a_forked_child_keeps_the_tokens_and_starts_flights_afresh(certificate: ClientCertificate) -> None:
    """A prefork server forks while a thread of the parent is fetching a token: the child must not wait for it."""
    entra = EntraEmulator()
    application = entra.add_application(certificate)
    credential = CertVarCredential(
        application.tenant_id, application.client_id, certificate, transport=entra.transport()
    )
    kept = credential.get_token(STORAGE)
    entra.inject(Fault.hang(20))
    leader = threading.Thread(target=credential.get_token, args=("api://other/.default",))
    leader.start()
    entra.wait_for_hanging()

    child = os.fork()
    if child == 0:
        # Only the exit code reaches the parent; no pytest machinery may run here.
        try:
            same = credential.get_token(STORAGE) is kept
            fetched = bool(credential.get_token("api://other/.default").token)
            os._exit(0 if same and fetched else 1)
        except BaseException:  # noqa: BLE001 - reported as an exit code
            os._exit(2)
    _, status = os.waitpid(child, 0)
    entra.release()
    leader.join(20)

    assert os.waitstatus_to_exitcode(status) == 0
    assert not leader.is_alive()


def test_the_interpreter_ends_quickly_and_silently_during_a_refresh() -> None:
    program = """
        import threading, time
        from azure_certvar_credential import CertVarCredential, ClientCertificate
        from azure_certvar_credential.testing import EntraEmulator, Fault

        now = time.time()
        certificate = ClientCertificate.self_signed("exit")
        entra = EntraEmulator(clock=lambda: now)
        application = entra.add_application(certificate)
        credential = CertVarCredential(
            application.tenant_id, application.client_id, certificate, transport=entra.transport(), _clock=lambda: now
        )
        credential.get_token("api://a/.default")
        now += 3400
        entra.inject(Fault.hang(60))
        credential.get_token("api://a/.default")
        entra.wait_for_hanging()
        assert all(thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread())
    """

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=30, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_calls_leave_the_memory_where_it_was(world: World) -> None:
    import tracemalloc

    driver = world.driver()
    credential = driver.credential
    await driver.get_token(STORAGE)
    if world.kind == "aio":
        for _ in range(100):
            await credential.get_token(STORAGE)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(20_000):
            if world.kind == "aio":
                await credential.get_token(STORAGE)
            else:
                credential.get_token(STORAGE)
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert after - before < 10_000
