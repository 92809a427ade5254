"""What many agent identities cost."""

from __future__ import annotations

import gc
import tracemalloc

from azure_certvar_credential._core.effects import Token
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential.caches.memory import MAX_ENTRIES
from tests.credential.test_agents import EXCHANGE, GUID, agent_of
from tests.credential.world import GRAPH, World


async def test_ten_thousand_agents_stay_within_bounds(world: World) -> None:
    """Each costs less than 2 KiB before its first token, and the cache keeps as many tokens as it does without."""
    parent = world.driver().credential
    parent.agent(GUID).user(object_id=GUID)  # what is imported once
    ids = [f"3b9f2c1e-0000-4000-8000-{n:012x}" for n in range(10_000)]
    gc.collect()
    tracemalloc.start()
    agents = [parent.agent(one) for one in ids]
    size = tracemalloc.get_traced_memory()[0]
    users = [agent.user(username=f"{n}@contoso.com") for n, agent in enumerate(agents)]
    size_of_both = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert size / len(agents) < 2048
    assert (size_of_both - size) / len(users) < 2048
    assert not world.requests


async def test_the_tokens_of_ten_thousand_agents_stay_within_bounds(world: World) -> None:
    """Two for each agent, written as an acquisition writes them."""
    driver = world.driver()
    cached_tokens, tenant = driver.credential._cached_tokens, world.application.tenant_id
    agents = [driver.credential.agent(f"3b9f2c1e-0000-4000-8000-{n:012x}") for n in range(10_000)]
    for n, agent in enumerate(agents):
        grant, now = agent._cache.grant, world.clock.now + n / 1000
        for scope, one in ((EXCHANGE, grant.earlier_legs["client_assertion"]), (GRAPH, grant)):
            token = Token(f"{n}", "Bearer", now + 3600, now + 3000, now + 3300, now)
            cached_tokens.write(TokenRequest((scope,), tenant, grant=one), token)
    assert MAX_ENTRIES * 0.9 <= len(cached_tokens.store.items()) <= MAX_ENTRIES
    assert agents[-1]._cache.lookup((GRAPH,), None, None, enable_cae=False) is not None
    assert not driver.credential._single_flight._calls


async def test_the_tokens_of_agents_push_each_other_out_of_a_full_cache(world: World) -> None:
    driver = world.driver()
    driver.credential._cached_tokens.store._max_entries = 20
    agents = [agent_of(world, driver) for _ in range(30)]
    for agent in agents:
        await agent.get_token(GRAPH)
        world.clock.advance(1)
    assert len(driver.credential._cached_tokens.store.items()) <= 20
    kept = await agents[-1].get_token(GRAPH)
    assert await agents[-1].get_token(GRAPH) is kept
    assert world.requests == 60
    await agents[0].get_token(GRAPH)
    assert world.requests == 62
