"""What an error reporter shows of a token request that ended badly, whatever ended it: no assertion."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import Any

import pytest
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy

from azure_certvar_credential import CallbackSigner, CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.msal import MsalCertVarCredential
from azure_certvar_credential.testing import EntraEmulator, Fault
from tests.credential.users import ORDERS
from tests.credential.world import STORAGE, World
from tests.reporters import assert_reports_none_of


class _Breaks(SansIOHTTPPolicy[Any, Any]):
    """A policy with which a request ends in the middle.

    :ivar assertion: what the request would have sent.
    """

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.assertion = ""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        form = request.http_request._data
        if form is not None:  # and not a document that MSAL reads first
            self.assertion = form["client_assertion"]
            raise self.error


def _chained() -> Exception:
    """An error whose cause was never raised itself, and that one's cause was."""
    middle, outer = LookupError("middle"), RuntimeError("outer")
    try:
        int("inner")
    except ValueError as inner:
        middle.__cause__ = inner
    outer.__cause__ = middle
    return outer


@pytest.mark.parametrize("error", [RuntimeError("no"), _chained()], ids=["alone", "with causes"])
async def test_what_a_policy_raises_shows_no_assertion(world: World, error: Exception) -> None:
    policy = _Breaks(error)

    with pytest.raises(RuntimeError) as caught:
        await world.driver(per_call_policies=[policy]).get_token(STORAGE)

    assert_reports_none_of(caught.value, policy.assertion.split("."))


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt()], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("kind", [CertVarCredential, AsyncCertVarCredential, MsalCertVarCredential])
def test_what_ends_the_process_shows_no_assertion(
    kind: Any, error: BaseException, certificate: ClientCertificate
) -> None:
    entra, policy = EntraEmulator(), _Breaks(error)
    application = entra.add_application(certificate)
    is_async = kind is AsyncCertVarCredential
    credential = kind(
        application.tenant_id,
        application.client_id,
        certificate,
        transport=entra.async_transport() if is_async else entra.transport(),
        per_call_policies=[policy],
    )

    with pytest.raises(type(error)) as caught:
        asyncio.run(credential.get_token(STORAGE)) if is_async else credential.get_token(STORAGE)

    assert_reports_none_of(caught.value, policy.assertion.split("."))


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="Windows has no signals between threads")
@pytest.mark.parametrize("kind", [CertVarCredential, MsalCertVarCredential])
def test_a_signal_that_raises_in_the_middle_of_a_request_shows_no_assertion(
    kind: Any, certificate: ClientCertificate
) -> None:
    """As a worker's time-out does; here deep inside of requests and urllib3."""
    entra = EntraEmulator()
    application = entra.add_application(certificate)

    def exit_now(*_: object) -> None:
        raise SystemExit(1)

    def when_it_hangs() -> None:
        entra.wait_for_hanging(1)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    previous = signal.signal(signal.SIGUSR1, exit_now)
    try:
        with entra.serve() as server:
            credential = kind(
                application.tenant_id,
                application.client_id,
                certificate,
                authority=server.authority,
                disable_instance_discovery=True,
                connection_verify=server.ca_file,
            )
            entra.inject(Fault.hang(), times=None)
            threading.Thread(target=when_it_hangs).start()
            with pytest.raises(SystemExit) as caught:
                credential.get_token(STORAGE)
            entra.release()
            credential.close()
    finally:
        signal.signal(signal.SIGUSR1, previous)

    assertion = entra.requests[0].assertion
    assert assertion is not None
    assert_reports_none_of(caught.value, assertion.split("."))


async def test_the_assertion_of_a_remote_key_is_not_shown_when_it_is_used_again(world: World) -> None:
    local = world.certificate
    signer = CallbackSigner(local.leaf, local.signer.sign, remote=True)
    driver = world.driver(ClientCertificate(local.leaf, signer))
    await driver.get_token(STORAGE)
    assertion = world.entra.requests[0].assertion
    assert assertion is not None
    world.entra.inject(Fault.reset_before(), times=None)

    with pytest.raises(Exception, match="reset") as caught:
        await driver.get_token(ORDERS.replace("Orders.Read", ".default"))

    assert_reports_none_of(caught.value, assertion.split("."))
