"""The certificates of one run in every encoding, made by cryptography and by OpenSSL's command line."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    KeySerializationEncryption,
    NoEncryption,
    pkcs12,
)

from tests.certificates import making

PASSWORD = "a pass-phrase nobody uses"


@dataclass(frozen=True)
class Kit:
    """A leaf with an RSA key under an intermediate and a root, and one self-signed leaf with an EC key."""

    directory: Path

    @cached_property
    def key(self) -> rsa.RSAPrivateKey:
        return making.rsa_key()

    @cached_property
    def root(self) -> x509.Certificate:
        return making.self_signed("root", making.ec_key(1))

    @cached_property
    def intermediate(self) -> x509.Certificate:
        return making.issue("intermediate", making.ec_key(2).public_key(), "root", making.ec_key(1))

    @cached_property
    def leaf(self) -> x509.Certificate:
        return making.issue("leaf", self.key.public_key(), "intermediate", making.ec_key(2))

    @cached_property
    def ec_key(self) -> ec.EllipticCurvePrivateKey:
        return making.ec_key(3)

    @cached_property
    def ec_leaf(self) -> x509.Certificate:
        return making.self_signed("leaf", self.ec_key)

    @cached_property
    def key_pem(self) -> bytes:
        return making.key_bytes(self.key)

    @cached_property
    def leaf_pem(self) -> bytes:
        return making.pem(self.leaf)

    @cached_property
    def chain_pem(self) -> bytes:
        return making.pem(self.intermediate, self.root)

    @cached_property
    def pem(self) -> bytes:
        """Key, leaf, intermediate, root."""
        return self.key_pem + self.leaf_pem + self.chain_pem

    @cached_property
    def encrypted_pem(self) -> bytes:
        return making.key_bytes(self.key, password=PASSWORD.encode()) + self.leaf_pem

    def pfx(self, password: str | None = None) -> bytes:
        """A PFX made by cryptography, with the chain."""
        encryption: KeySerializationEncryption = (
            NoEncryption() if password is None else BestAvailableEncryption(password.encode())
        )
        return pkcs12.serialize_key_and_certificates(
            b"friendly", self.key, self.leaf, [self.root, self.intermediate], encryption
        )

    def openssl(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run OpenSSL in a directory with key.pem, leaf.pem, chain.pem, ec.pem and ec-leaf.pem; return its output."""
        program = shutil.which("openssl")
        if program is None:
            if os.environ.get("CI"):
                pytest.fail("the openssl command is missing, and CI has to have it")
            pytest.skip("the openssl command is missing")
        files = {
            "key.pem": self.key_pem,
            "leaf.pem": self.leaf_pem,
            "chain.pem": self.chain_pem,
            "ec.pem": making.key_bytes(self.ec_key),
            "ec-leaf.pem": making.pem(self.ec_leaf),
        }
        for filename, content in files.items():
            path = self.directory / filename
            if not path.exists():
                path.write_bytes(content)
        done = subprocess.run(
            [program, *arguments], input=stdin, capture_output=True, cwd=self.directory, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def openssl_pfx(self, *options: str, password: str = PASSWORD) -> bytes:
        """A PFX made by OpenSSL from key, leaf and chain."""
        inputs = ("-inkey", "key.pem", "-in", "leaf.pem", "-certfile", "chain.pem")
        return self.openssl("pkcs12", "-export", *inputs, "-passout", f"pass:{password}", *options)
