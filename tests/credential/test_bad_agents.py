"""What names no agent, and no user of an agent."""

from __future__ import annotations

from typing import Any

import pytest

from azure_certvar_credential.exceptions import ConfigurationError
from tests.credential.test_agents import EXCHANGE, GUID, agent_of
from tests.credential.world import World

BAD_AGENTS: list[object] = ["", "sales", GUID[:-1], f"{{{GUID}}}", f" {GUID}", None, 7, GUID.encode(), "a" * 5000]


@pytest.mark.parametrize("value", BAD_AGENTS)
async def test_an_agent_id_is_a_guid(world: World, value: Any) -> None:
    with pytest.raises(ConfigurationError, match="agent_client_id must be a GUID"):
        world.driver().credential.agent(value)


@pytest.mark.parametrize("quote", ["'", '"'])
async def test_quotes_that_an_env_file_left_are_named(world: World, quote: str) -> None:
    quoted = f"{quote}{GUID}{quote}"
    with pytest.raises(ConfigurationError, match="agent_client_id is in quotes: remove them"):
        world.driver().credential.agent(quoted)
    with pytest.raises(ConfigurationError, match="object_id is in quotes: remove them"):
        agent_of(world, world.driver()).credential.user(object_id=quoted)


async def test_an_agent_is_not_its_own_blueprint_and_has_no_paths(world: World) -> None:
    driver = world.driver()
    with pytest.raises(ConfigurationError, match="the blueprint's own client id"):
        driver.credential.agent(world.application.client_id.upper())
    with pytest.raises(ConfigurationError, match="fmi_path"):
        await agent_of(world, driver).get_token(EXCHANGE, fmi_path="a/path")
    with pytest.raises(ConfigurationError, match="not at ADFS"):
        world.driver(
            tenant_id="adfs", authority="https://fs.contoso.com/adfs", disable_instance_discovery=True
        ).credential.agent(GUID)


BAD_USERS: list[tuple[dict[str, Any], str]] = [
    ({}, "either object_id or username, .* got neither"),
    ({"object_id": GUID, "username": "a@b.c"}, "either object_id or username, .*, not both"),
    ({"object_id": "me"}, "object_id must be a GUID"),
    ({"object_id": ""}, "object_id must be a GUID"),
    *(
        ({"username": name}, "user principal name")
        for name in ("", "me", "@b", "a@", "a b@c", "a@b\r\nX: y", b"a@b", 7)
    ),
    ({"username": f"{'a' * 320}@b"}, "user principal name"),
]


@pytest.mark.parametrize(("who", "message"), BAD_USERS)
async def test_a_user_has_one_name(world: World, who: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        agent_of(world, world.driver()).credential.user(**who)
