"""A sealed entry opens with the same keys, under the same digest, for the same owner, and in no other way."""

from __future__ import annotations

import os
import pickle

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential.caches.sealed import Seal

SECRET = bytes(range(32))
ENTRY = {"token": "secret", "generation": 3}
OWNER = "tenant\x00client"


def test_an_entry_opens_for_its_owner_under_its_digest() -> None:
    seal = Seal([SECRET])
    (digest,) = seal.digests(["name"])
    assert Seal([SECRET]).open(seal.close(ENTRY, digest, OWNER), digest, OWNER) == ENTRY


def test_no_two_entries_are_alike() -> None:
    seal = Seal([SECRET])
    assert len({seal.close(ENTRY, "digest", OWNER) for _ in range(100)}) == 100


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_an_entry_with_any_octet_changed_does_not_open(place: int, difference: int) -> None:
    seal = Seal([SECRET])
    sealed = bytearray(seal.close(ENTRY, "digest", OWNER))
    sealed[place % len(sealed)] ^= difference
    assert seal.open(bytes(sealed), "digest", OWNER) is None


@given(st.binary(max_size=200))
def test_no_other_octets_open(octets: bytes) -> None:
    assert Seal([SECRET]).open(octets, "digest", OWNER) is None
    assert Seal([SECRET]).open(b"\x01" + octets, "digest", OWNER) is None


@pytest.mark.parametrize("value", [None, "", "text", 3, [1], bytearray(40)], ids=repr)
def test_what_is_not_octets_does_not_open(value: object) -> None:
    assert Seal([SECRET]).open(value, "digest", OWNER) is None


@pytest.mark.parametrize(
    ("seal", "digest", "owner"),
    [
        (Seal([os.urandom(32)]), "digest", OWNER),
        (Seal([SECRET]), "other digest", OWNER),
        (Seal([SECRET]), "digest", "other tenant\x00client"),
        (Seal([SECRET]), "digest", "tenant\x00other client"),
    ],
    ids=["other key", "other digest", "other tenant", "other client"],
)
def test_an_entry_opens_in_no_other_place(seal: Seal, digest: str, owner: str) -> None:
    assert seal.open(Seal([SECRET]).close(ENTRY, "digest", OWNER), digest, owner) is None


def test_the_first_of_several_keys_seals_and_all_of_them_open() -> None:
    old, new = os.urandom(32), os.urandom(32)
    both = Seal([new, old])
    assert both.digests(["name"]) == (*Seal([new]).digests(["name"]), *Seal([old]).digests(["name"]))
    assert both.open(Seal([old]).close(ENTRY, "digest", OWNER), "digest", OWNER) == ENTRY
    assert Seal([new]).open(both.close(ENTRY, "digest", OWNER), "digest", OWNER) == ENTRY


def test_digests_are_hexadecimal_and_differ_by_key_and_name() -> None:
    digests = {Seal([key]).digests([name])[0] for key in (SECRET, os.urandom(32)) for name in ("a", "b")}
    assert len(digests) == 4
    assert all(len(bytes.fromhex(digest)) == 32 for digest in digests)


def test_the_format_is_the_documented_one() -> None:
    """Other software, given the secret, opens an entry by the module's docstring alone."""

    def derived(purpose: bytes) -> bytes:
        info = b"azure_certvar_credential shared tokens " + purpose
        return HKDF(hashes.SHA256(), 32, salt=None, info=info).derive(SECRET)

    digest = hmac.HMAC(derived(b"digests"), hashes.SHA256())
    digest.update(b'["name"]')
    name = digest.finalize().hex()
    assert Seal([SECRET]).digests(["name"]) == (name,)

    sealed = Seal([SECRET]).close(ENTRY, name, OWNER)
    bound = b"\x00".join([b"\x01", name.encode(), OWNER.encode()])
    assert AESGCM(derived(b"entries")).decrypt(sealed[1:13], sealed[13:], bound) == b'{"token":"secret","generation":3}'


def test_a_seal_shows_no_key_and_is_not_pickled() -> None:
    seal = Seal([SECRET])
    assert repr(seal) == "Seal(***)"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(seal)
