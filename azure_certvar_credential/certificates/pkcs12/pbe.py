"""Password-based decryption: PBES2 (RFC 8018) with AES or 3DES, and PKCS #12's scheme with 3DES.

Tools have written these since the 1990s, besides RC2 and RC4, which are left to OpenSSL. Decrypting here, and not
inside OpenSSL, makes the iteration counts inside the encrypted content readable.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from azure_certvar_credential.certificates.ber import Element, MalformedError
from azure_certvar_credential.certificates.pkcs12 import kdf_budget
from azure_certvar_credential.certificates.pkcs12.kdf import (
    ENCRYPTION_KEY,
    INITIAL_VALUE,
    Passphrase,
    can_derive,
    derive,
    pkcs12_key,
)
from azure_certvar_credential.signers.parser_errors import PARSER_ERRORS


@dataclass(frozen=True, slots=True)
class _BlockCipher:
    algorithm: type[AES | TripleDES]
    key_size: int
    block_size: int


_TRIPLE_DES = _BlockCipher(TripleDES, 24, 8)

# All in CBC mode with PKCS #7 padding; the parameter is the initial value (RFC 8018 B.2, RFC 3565 section 4.1).
_CIPHERS = {
    "2.16.840.1.101.3.4.1.2": _BlockCipher(AES, 16, 16),
    "2.16.840.1.101.3.4.1.22": _BlockCipher(AES, 24, 16),
    "2.16.840.1.101.3.4.1.42": _BlockCipher(AES, 32, 16),
    "1.2.840.113549.3.7": _TRIPLE_DES,
}

_PBE_SHA1_3DES = "1.2.840.113549.1.12.1.3"


def can_decrypt(algorithm: Element) -> bool:
    """Return whether :func:`decrypt` knows an encryption scheme, by its ``AlgorithmIdentifier``.

    :raises MalformedError: it is not an ``AlgorithmIdentifier``.
    """
    fields = algorithm.children()
    name = fields[0].object_identifier()
    if name != kdf_budget.PBES2:
        return name == _PBE_SHA1_3DES
    parameters = fields[1].children() if len(fields) > 1 else ()
    if len(parameters) < 2 or not can_derive(parameters[0]):
        return False
    cipher = parameters[1].children()
    return bool(cipher) and cipher[0].object_identifier() in _CIPHERS


def decrypt(algorithm: Element, content: bytes, passphrase: Passphrase) -> bytes:
    """Decrypt with a password.

    About one wrong password in 256 goes unnoticed, because the padding of the result is valid by chance.

    :param algorithm: one that :func:`can_decrypt` knows, its iterations already taken from the budget.
    :param content: the ciphertext.
    :param passphrase: the password.
    :raises MalformedError: the password is wrong, or the ciphertext or its parameters are damaged.
    """
    fields = algorithm.children()
    parameters = fields[1].children() if len(fields) > 1 else ()
    if len(parameters) < 2:
        raise MalformedError("encryption parameters are missing")
    if fields[0].object_identifier() == kdf_budget.PBES2:
        name, *rest = parameters[1].children()
        cipher = _CIPHERS[name.object_identifier()]
        key = derive(parameters[0], passphrase.octets, cipher.key_size)
        initial_value = rest[0].octets() if rest else b""
    else:
        cipher = _TRIPLE_DES
        salt, iterations = parameters[0].octets(), parameters[1].integer()
        key, initial_value = (
            pkcs12_key(hashlib.sha1, passphrase.bmp, salt, iterations, purpose=purpose, length=size)
            for purpose, size in ((ENCRYPTION_KEY, cipher.key_size), (INITIAL_VALUE, cipher.block_size))
        )
    return _decrypted(cipher.algorithm(key), initial_value, content)


def _decrypted(algorithm: BlockCipherAlgorithm, initial_value: bytes, content: bytes) -> bytes:
    plain = None
    try:
        decryptor = Cipher(algorithm, CBC(initial_value)).decryptor()
        unpadder = PKCS7(algorithm.block_size).unpadder()
        padded = decryptor.update(content) + decryptor.finalize()
        plain = unpadder.update(padded) + unpadder.finalize()
    except PARSER_ERRORS:
        pass
    if plain is None:
        raise MalformedError("the password is wrong, or the encrypted content is damaged")
    return plain
