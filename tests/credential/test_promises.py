"""Every promise of SECURITY.md, kept by every credential: a table with a row for each promise, a column for each class.

A cell either runs the row's check, or states why the promise does not concern the credential and checks that reason.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.exceptions import ConfigurationError
from tests.credential import caller_promises as caller
from tests.credential import secrecy_promises as secrecy
from tests.credential import server_promises as server
from tests.credential.columns import COLUMNS, Family, Scene, scene
from tests.credential.test_remote_assertions import RemoteSigner

SECURITY = Path(__file__).parents[2] / "SECURITY.md"

Check = Callable[[Scene], Awaitable[None]]


async def _holds_no_key(scene: Scene) -> None:
    """It has no certificate of its own, so it does not even take a password."""
    with pytest.raises(ConfigurationError, match="password"):
        scene.driver(password="secret")


async def _signs_nothing(scene: Scene) -> None:
    """It sends the assertions of its source as they are."""
    await scene.driver().get_token(scene.scope)
    assert [request.assertion for request in scene.world.entra.requests] == scene.assertions


async def _signs_for_its_blueprint_alone(scene: Scene) -> None:
    """A signature for the blueprint's token serves as long as that token does."""
    signer = RemoteSigner(scene.world.certificate)
    driver = scene.driver(ClientCertificate(scene.world.certificate.leaf, signer))
    for _ in range(3):
        await driver.get_token(scene.scope, claims='{"access_token":{"nbf":{"essential":true}}}')
        scene.world.clock.advance(800)
    assert signer.signatures == 1


async def _acts_for_its_own_user(scene: Scene) -> None:
    """It takes no other user's token."""
    assert not hasattr(scene.driver().credential, "on_behalf_of")


async def _acts_for_no_user(scene: Scene) -> None:
    """Its requests are the application's own."""
    await scene.driver().get_token(scene.scope)
    assert [request.form["grant_type"] for request in scene.world.entra.requests] == ["client_credentials"]


@dataclass(frozen=True)
class Promise:
    """A row.

    :ivar attacker: the row of SECURITY.md's table that states it.
    :ivar exempt: the families that the promise does not concern, each with the check of the reason.
    """

    attacker: str
    check: Check
    exempt: Mapping[Family, Check] = field(default_factory=dict)


NO_KEY: Mapping[Family, Check] = {"federated": _holds_no_key}
NO_ASSERTION: Mapping[Family, Check] = {"federated": _signs_nothing}
NO_USER: Mapping[Family, Check] = {
    **dict.fromkeys(("certificate", "msal", "federated"), _acts_for_no_user),
    "agent user": _acts_for_its_own_user,
}
ONE_SIGNATURE: Mapping[Family, Check] = dict.fromkeys(("agent", "agent user"), _signs_for_its_blueprint_alone)

LOGS, DISK, NETWORK = "reads logs, error reports, traces", "reads the disk", "controls the network, DNS or a proxy"
SERVER, TENANT = "runs the server at the sign-in host", "controls another tenant"
UPLOAD, USER = "uploads a certificate or key", "presents a user's token"

PROMISES = {
    "no text shows a secret, whatever the server answers": Promise(LOGS, secrecy.no_text_shows_a_secret),
    "no text shows a secret, whatever the constructor refuses": Promise(LOGS, secrecy.no_refusal_shows_a_secret),
    "no text shows a proxy's password or a header": Promise(LOGS, secrecy.no_text_shows_an_option),
    "no text quotes the request, whatever the server quotes": Promise(LOGS, secrecy.no_text_quotes_the_request),
    "no error holds the request": Promise(LOGS, secrecy.no_error_holds_the_request),
    "nothing is written to a file": Promise(DISK, secrecy.nothing_is_written),
    "what may hold a secret is not pickled": Promise(DISK, secrecy.no_secret_is_pickled),
    "the server's certificate is verified": Promise(NETWORK, server.the_server_is_verified),
    "the assertion goes to the configured endpoint alone": Promise(NETWORK, server.one_endpoint),
    "redirects are not followed": Promise(NETWORK, server.no_redirect_is_followed),
    "answers are bounded": Promise(NETWORK, server.answers_are_bounded),
    "an assertion lives ten minutes, for one endpoint, with an id of its own": Promise(
        NETWORK, server.an_assertion_is_for_one_request, NO_ASSERTION
    ),
    "a remote signer's assertion is used for nine minutes": Promise(
        NETWORK, server.a_remote_assertion_is_reused, {**NO_ASSERTION, **ONE_SIGNATURE}
    ),
    "an unknown host gets nothing unless the caller names the decision": Promise(
        SERVER, server.an_unknown_host_gets_nothing
    ),
    "an answer is a token or a known error": Promise(SERVER, server.an_answer_is_a_token_or_a_known_error),
    "only listed tenants are asked": Promise(TENANT, server.only_listed_tenants_are_asked),
    "a costly key is refused before any work": Promise(UPLOAD, caller.a_costly_key_is_refused, NO_KEY),
    "a key that does not fit is refused": Promise(UPLOAD, caller.a_key_that_does_not_fit_is_refused, NO_KEY),
    "users' tokens are kept apart": Promise(USER, caller.users_are_kept_apart, NO_USER),
    "an expired user's token gets nothing from the cache": Promise(USER, caller.an_expired_user_gets_nothing, NO_USER),
    "a credential that was made in time goes on": Promise(USER, caller.what_was_made_in_time_goes_on, NO_USER),
}

# Rows of SECURITY.md that promise nothing, or whose promise no credential keeps by itself.
NOT_OF_CREDENTIALS = {
    "reads the process's memory, or runs code in it": None,
    "controls the vault": "tests/keyvault",
}


@pytest.fixture(params=COLUMNS, ids=str)
async def column(
    request: pytest.FixtureRequest,
    certificate: ClientCertificate,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> AsyncIterator[Scene]:
    """One credential's world."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=8))
    made = scene(request.param, certificate, monkeypatch, caplog)
    yield made
    for driver in made.world.drivers:
        await driver.close()


@pytest.mark.parametrize("name", PROMISES)
async def test_every_credential_keeps_every_promise(column: Scene, name: str) -> None:
    promise = PROMISES[name]
    await promise.exempt.get(column.column.family, promise.check)(column)


def test_every_row_of_the_threat_model_is_tested_where_it_says() -> None:
    text = SECURITY.read_text(encoding="utf-8")
    # Those of the other tables too.
    assert all((SECURITY.parent / path).exists() for path in re.findall(r"`(tests/[^`]+)`", text))
    table = text.partition("\n| attacker |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]

    assert {row[0] for row in rows} == {promise.attacker for promise in PROMISES.values()} | NOT_OF_CREDENTIALS.keys()
    for attacker, *_, tests in rows:
        named = re.findall(r"`(tests/[^`]+)`", tests)
        assert bool(named) == (NOT_OF_CREDENTIALS.get(attacker, "") is not None)
        assert all((SECURITY.parent / path).exists() for path in named)
