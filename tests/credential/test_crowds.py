"""An OpenID provider's metadata for many scopes at once: one request serves them all, or one failure tells them all."""

from __future__ import annotations

import pytest

from azure_certvar_credential._runtime import serialized_attempts
from azure_certvar_credential.aio import _effect_runner
from azure_certvar_credential.exceptions import TemporarilyUnavailableError
from azure_certvar_credential.testing import Fault
from tests.credential.crowds import CROWD, CountedAttempts, Documents, failing_late, outcomes
from tests.credential.world import STORAGE, Driver, World


@pytest.fixture
def driver(world: World, monkeypatch: pytest.MonkeyPatch) -> Driver:
    monkeypatch.setattr(serialized_attempts, "SerializedAttempts", CountedAttempts)
    monkeypatch.setattr(_effect_runner, "SerializedAttempts", CountedAttempts)
    authority = f"https://idp.contoso.example/{world.application.tenant_id}/v2.0"
    return world.driver(oidc_authority=authority, retry_total=0)


async def test_the_metadata_is_read_once_for_a_crowd(world: World, driver: Driver) -> None:
    documents = Documents()
    world.entra.inject(Fault.hang(30), when=documents)

    tokens = await outcomes(world, driver)

    assert len({token.token for token in tokens}) == CROWD
    assert documents.asked == 1
    assert world.requests == CROWD


async def test_a_crowd_shares_a_failure_and_the_next_caller_tries_again(world: World, driver: Driver) -> None:
    documents = Documents()
    world.entra.inject(failing_late(), when=documents)

    errors = await outcomes(world, driver)

    assert {type(error) for error in errors} == {TemporarilyUnavailableError}
    assert len({id(error) for error in errors}) == CROWD  # an exception that many raise mixes up their tracebacks
    assert documents.asked == 1
    assert (await driver.get_token(STORAGE)).token
    assert world.requests == 1
