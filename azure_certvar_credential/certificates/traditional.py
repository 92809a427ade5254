"""Decrypts private keys in OpenSSL's traditional encryption (RFC 1421 section 4.6.1 as OpenSSL writes it).

The cipher's key is OpenSSL's ``EVP_BytesToKey`` with one iteration: MD5 of password and salt, until it is long enough.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from azure_certvar_credential.certificates import structures
from azure_certvar_credential.certificates.pem import Block
from azure_certvar_credential.certificates.pkcs12.kdf import Passphrase
from azure_certvar_credential.certificates.pkcs12.passwords import password_required, wrong_password
from azure_certvar_credential.certificates.private_keys import load_plain_key
from azure_certvar_credential.exceptions import CertificateFormatError
from azure_certvar_credential.signers.parser_errors import PARSER_ERRORS

# Octets of the key by the name in DEK-Info.
_AES = {"AES-128-CBC": 16, "AES-192-CBC": 24, "AES-256-CBC": 32}
_DES = {"DES-CBC": 8, "DES-EDE3-CBC": 24}

# PKCS5_SALT_LEN of OpenSSL's evp.h; the initial value begins with the salt.
_SALT = 8


def load_traditional(block: Block, password: bytes | None, where: str) -> PrivateKeyTypes:
    """Read a key with OpenSSL's traditional encryption.

    :param block: a PEM block with ``Proc-Type: 4,ENCRYPTED``.
    :param password: the password; without one, the empty password is tried.
    :param where: what it was found in, for the message.
    :raises PasswordRequiredError, WrongPasswordError, UnsupportedKeyError: as :func:`.encrypted_keys.load_encrypted`.
    :raises CertificateFormatError: the cipher is not supported, or the key is damaged.
    """
    if block.cipher not in _AES and block.cipher not in _DES:
        raise CertificateFormatError(
            f"the private key in {where} is encrypted with {block.cipher}, which is not supported; convert it with "
            "`openssl pkcs8 -topk8`"
        )
    for octets in dict.fromkeys(form.octets for form in Passphrase.encodings_of(password or b"")):
        plain = _decrypted(block, octets)
        # One wrong password in 256 leaves valid padding by chance, but not the tags of a key.
        if plain is not None and structures.identified(plain) in (structures.PRIVATE_KEY, structures.DSA_PRIVATE_KEY):
            return load_plain_key(plain, where)
    raise wrong_password(password, where) if password else password_required(password, where)


def _decrypted(block: Block, password: bytes) -> bytes | None:
    initial_value = block.initial_value
    algorithm: BlockCipherAlgorithm
    if block.cipher in _AES:
        algorithm = AES(_key(password, initial_value[:_SALT], _AES[block.cipher]))
    else:
        # DES is 3DES with three equal keys (NIST SP 800-67 section 3.2).
        key = _key(password, initial_value[:_SALT], _DES[str(block.cipher)])
        algorithm = TripleDES((key * 3)[:24])
    unpadder = PKCS7(algorithm.block_size).unpadder()
    try:
        decryptor = Cipher(algorithm, CBC(initial_value)).decryptor()
        padded = decryptor.update(block.data) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except PARSER_ERRORS:
        return None


def _key(password: bytes, salt: bytes, length: int) -> bytes:
    key = digest = b""
    while len(key) < length:
        digest = hashlib.md5(digest + password + salt, usedforsecurity=False).digest()
        key += digest
    return key[:length]
