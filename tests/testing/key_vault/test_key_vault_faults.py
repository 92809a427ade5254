"""The local Key Vault throttles, breaks connections on demand, and records who asked for what."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError

from azure_certvar_credential.testing import Fault
from tests.testing.key_vault.kit import Scene, pair, scene

DAY = 86_400


@pytest.fixture
def world() -> Scene:
    return scene()


def test_throttling_ends_after_the_pause_that_was_asked_for(world: Scene) -> None:
    world.vault.add_certificate("app", pair())
    world.vault.throttle(7, times=2)
    transport = world.vault.transport()

    assert world.certificates(transport=transport).get_certificate("app").cer

    assert transport.sleeps == (7, 7)
    statuses = [request.status for request in world.vault.requests]
    assert statuses == [401, 429, 429, 200]
    assert world.vault.requests[1].fault == "throttled 429"


def test_faults_of_the_network_reach_the_client(world: Scene) -> None:
    world.vault.add_certificate("app", pair())
    world.vault.inject(Fault.not_json(503), times=None)

    with pytest.raises(HttpResponseError) as caught:
        world.certificates(retry_total=0).get_certificate("app")

    assert caught.value.status_code == 503


def test_the_record_tells_who_asked_for_what(world: Scene) -> None:
    world.vault.add_certificate("app", pair())
    world.secrets().get_secret("app")

    challenged, answered = world.vault.requests

    assert (challenged.status, challenged.client_id, challenged.permission) == (401, None, None)
    assert (answered.status, answered.client_id) == (200, world.application.client_id)
    assert (answered.method, answered.path, answered.permission) == ("GET", "/secrets/app/", "secrets/get")
    assert "PRIVATE" not in repr(world.vault.requests)
    assert world.vault.vault_url in repr(world.vault)
