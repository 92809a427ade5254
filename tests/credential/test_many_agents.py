"""What many agent identities cost."""

from __future__ import annotations

import gc
import tracemalloc

from tests.credential.test_agents import GUID, agent_of
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
