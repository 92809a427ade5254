"""Seals tokens for a cache that others can read, so that only a holder of the certificate's private key opens them.

The sealing key. The certificate's signer signs a fixed label with RSASSA-PKCS1-v1_5 and SHA-256 (RFC 8017 section 8.2),
and HKDF-SHA-256 (RFC 5869) derives the keys from the signature. The signature is deterministic, so every process with
the same certificate derives the same keys, and nobody has another secret to manage; a key that cannot leave its HSM
serves as well. Why this is safe:

* Without the private key nobody can make the signature: that is what an RSA signature is for. It is used as input of a
  key derivation alone, never sent, stored, logged or shown.
* The label is not a JWS signing input, since it begins with an octet that base64url does not have: no signer of client
  assertions can be made to sign it, and the signature is of no use as an assertion.
* The signature is verified with the certificate's public key before a key is derived from it. A signer that returned a
  constant would otherwise give a key that anybody can derive.
* RSASSA-PSS and ECDSA draw a random number for each signature; keys that can only sign so need keys of the user's.

An entry is AES-256-GCM (NIST SP 800-38D) under a fresh random nonce of 96 bits. Associated data are the version of the
format, the digest under which the entry is stored, tenant and client: an entry that was moved, cut or changed does not
open. The digests of keys are HMAC-SHA-256 under a key of their own, so the cache shows no tenant, client, scope or
user, and equal requests of two applications have nothing in common.

What it does not protect against: who may sign with the certificate can open the entries, as well as get tokens. Who can
write to the cache can delete entries, or put an older one back in its place until it expires; the sizes of entries and
the times of access stay visible.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# Of the format of an entry. An entry of another version is a miss.
VERSION = b"\x01"
KEY_SIZE = 32
_NONCE_SIZE = 12
_INFO = b"azure_certvar_credential shared tokens "


class _Keys:
    """What is derived from one secret: a cipher for entries, and a key for their digests."""

    __slots__ = ("_digest_key", "cipher")

    def __init__(self, secret: bytes) -> None:
        self.cipher = AESGCM(_derived(secret, b"entries"))
        self._digest_key = _derived(secret, b"digests")

    def digest(self, name: bytes) -> str:
        return hmac.digest(self._digest_key, name, "sha256").hex()


class Seal:
    """Seals entries and opens them; holds keys, and shows none.

    :param secrets: the signature of the label, or keys of the user's; the first seals, all of them open.
    """

    __slots__ = ("_keys",)

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._keys = tuple(map(_Keys, secrets))

    def __repr__(self) -> str:
        return "Seal(***)"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a Seal is not pickled: the pickle would carry its keys in clear")

    def digests(self, name: Sequence[object]) -> tuple[str, ...]:
        """Return the digests under which an entry may be stored: hexadecimal, the one to write to first.

        :param name: what tells the entry from every other one; values of JSON.
        """
        text = json.dumps(name, separators=(",", ":")).encode()
        return tuple(keys.digest(text) for keys in self._keys)

    def close(self, entry: Mapping[str, object], digest: str, owner: str) -> bytes:
        """Seal an entry.

        :param entry: values of JSON.
        :param digest: under which it will be stored; the first of :meth:`digests`.
        :param owner: whose entry it is, tenant and client.
        """
        nonce = os.urandom(_NONCE_SIZE)
        plain = json.dumps(entry, separators=(",", ":")).encode()
        return VERSION + nonce + self._keys[0].cipher.encrypt(nonce, plain, _bound_to(digest, owner))

    def open(self, sealed: object, digest: str, owner: str) -> dict[str, Any] | None:
        """Open an entry.

        :param sealed: what the cache returned.
        :param digest: under which it was stored.
        :param owner: whose entry it is.
        :returns: None if this seal's keys did not close it, or it was changed or moved; then the entry is a miss.
        """
        if not isinstance(sealed, bytes) or sealed[:1] != VERSION:
            return None
        nonce, closed = sealed[1 : 1 + _NONCE_SIZE], sealed[1 + _NONCE_SIZE :]
        for keys in self._keys:
            try:
                entry: dict[str, Any] = json.loads(keys.cipher.decrypt(nonce, closed, _bound_to(digest, owner)))
            except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
                continue
            return entry
        return None


def _bound_to(digest: str, owner: str) -> bytes:
    return b"\x00".join((VERSION, digest.encode(), owner.encode()))


def _derived(secret: bytes, purpose: bytes) -> bytes:
    # Without a salt: the secret is a signature or 32 random octets, and has more entropy than the output (RFC 5869
    # section 3.1).
    return HKDF(SHA256(), KEY_SIZE, salt=None, info=_INFO + purpose).derive(secret)
