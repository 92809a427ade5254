"""What members share is sealed: the cache shows nothing, and only a holder of the key reads it."""

from __future__ import annotations

import base64
import logging
import os
from typing import Any

import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential._runtime import shared_tokens
from tests.credential.shared_caches import MemoryCache, member, token_of
from tests.credential.users import ORDERS, user_token
from tests.credential.world import GRAPH, STORAGE, World


async def test_another_certificate_reads_nothing(world: World, cache: MemoryCache) -> None:
    other = ClientCertificate.self_signed("other", days=3650)
    world.application.register(other)
    first, second = member(world, cache), world.driver(other, token_cache=cache)

    assert await token_of(first) != await token_of(second)


async def test_a_key_of_the_users_outlives_the_certificate(world: World, cache: MemoryCache) -> None:
    other = ClientCertificate.self_signed("other", days=3650)
    world.application.register(other)
    old, new = os.urandom(32), os.urandom(32)
    token = await token_of(member(world, cache, encryption_key=old))

    assert await token_of(world.driver(other, token_cache=cache, encryption_key=[new, old])) == token
    assert await token_of(member(world, cache, encryption_key=new)) != token


@pytest.mark.parametrize("tampered", ["changed", "cut", "newer version", "swapped", "text"])
async def test_an_entry_that_was_tampered_with_is_a_miss_and_a_line_in_the_log(
    world: World, cache: MemoryCache, tampered: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = member(world, cache)
    tokens = [await token_of(first), await token_of(first, GRAPH)]
    (one, (value, until)), (two, (other, _)) = cache.values.items()
    forged: dict[str, Any] = {
        "changed": (value[:-1] + bytes([value[-1] ^ 1]), until),
        "cut": (value[:10], until),
        "newer version": (b"\x02" + value[1:], until),
        "swapped": (other, until),
        "text": ("not bytes", until),
    }
    cache.values[one] = forged[tampered]

    assert await token_of(member(world, cache)) != tokens[0]
    lines = [record for record in caplog.records if "an entry of the shared token cache" in record.getMessage()]
    assert [(line.levelname, vars(line)["certvar.event"]) for line in lines] == [("WARNING", "cache_entry_refused")]
    assert await token_of(member(world, cache), GRAPH) == tokens[1]
    assert two in cache.values


async def test_a_dump_of_the_cache_shows_nothing(world: World, cache: MemoryCache) -> None:
    driver = member(world, cache, share_user_tokens=True)
    user = user_token(world)
    secret = [await token_of(driver), await token_of(driver.for_user(user), ORDERS), user]
    shown = [world.application.tenant_id, world.application.client_id, STORAGE, "storage.azure.com"]
    dump = b"".join(key.encode() + value for key, (value, _) in cache.values.items())

    for text in (*secret, *(part for token in secret for part in token.split(".")), *shown):
        raw = text.encode()
        for form in (raw, base64.b64encode(raw)[:-4], raw.hex().encode()):
            assert form not in dump


async def test_tokens_of_users_stay_out_unless_asked_for(world: World, cache: MemoryCache) -> None:
    user = user_token(world)
    await token_of(member(world, cache).for_user(user), ORDERS)
    assert cache.values == {}

    shared = [member(world, cache, share_user_tokens=True).for_user(user) for _ in range(2)]
    assert await token_of(shared[0], ORDERS) == await token_of(shared[1], ORDERS)


async def test_a_federated_credential_shares_with_a_key_of_the_users(world: World, cache: MemoryCache) -> None:
    key = os.urandom(32)
    source = world.driver().credential.client_assertion
    first, second = (world.driver(source, federated=True, token_cache=cache, encryption_key=key) for _ in range(2))

    assert await token_of(first) == await token_of(second)


async def test_one_more_signature_serves_all_credentials_of_a_process(
    world: World, cache: MemoryCache, certificate: ClientCertificate
) -> None:
    shared_tokens._seals.clear()
    messages: list[bytes] = []

    class Counting:
        public_key = certificate.signer.public_key

        def sign(self, message: bytes, algorithm: str) -> bytes:
            messages.append(message)
            return certificate.signer.sign(message, algorithm)

    counted = ClientCertificate(certificate.leaf, Counting())
    messages.clear()
    for _ in range(3):
        await token_of(world.driver(counted, token_cache=cache))

    assert [message for message in messages if b"sealing key" in message] == messages[:1]
    assert len(messages) == 2  # the label and one assertion


async def test_a_signer_that_cannot_derive_a_key_leaves_the_cache_unused(
    world: World, cache: MemoryCache, certificate: ClientCertificate, caplog: pytest.LogCaptureFixture
) -> None:
    shared_tokens._seals.clear()

    class PssOnly:
        public_key = certificate.signer.public_key

        def sign(self, message: bytes, algorithm: str) -> bytes:
            if algorithm.startswith("RS"):
                raise NotImplementedError("mechanism invalid")
            return certificate.signer.sign(message, algorithm)

    driver = world.driver(ClientCertificate(certificate.leaf, PssOnly()), token_cache=cache)
    with caplog.at_level(logging.WARNING):
        assert await token_of(driver)

    assert cache.calls == []
    assert "cannot seal shared tokens" in caplog.text
