"""Reads a private key in any encoding, encrypted or not."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import load_der_private_key

from azure_certvar_credential.certificates import ber
from azure_certvar_credential.certificates.pkcs12 import kdf_budget
from azure_certvar_credential.certificates.private_keys import accept, load_plain_key, refuse_long
from azure_certvar_credential.certificates.structures import ENCRYPTED_PRIVATE_KEY, identify
from azure_certvar_credential.exceptions import CertificateFormatError
from azure_certvar_credential.signers.keys import PrivateKey
from azure_certvar_credential.signers.parser_errors import PARSER_ERRORS


def load_key(encoded: bytes, password: bytes | None, budget: kdf_budget.Budget, where: str) -> PrivateKey:
    """Read one DER private key: PKCS #8, encrypted or not, PKCS #1 or SEC 1.

    A password for a key that is not encrypted is ignored.

    :param budget: what the key derivation may cost.
    :param where: what it was found in, for the message.
    :raises PasswordRequiredError: it is encrypted, ``password`` is None or empty, and the empty one does not open it.
    :raises WrongPasswordError: the password does not open it.
    :raises UnsupportedKeyError: it is not an RSA or EC key, or one that is too weak.
    :raises CertificateFormatError: it is damaged, or its key derivation would take too long.
    """
    try:
        element = ber.parse_first(encoded)
        encrypted = identify(element) == ENCRYPTED_PRIVATE_KEY
        if encrypted:
            budget.spend(kdf_budget.iterations(element.children()[0]), f"the private key in {where}")
    except ber.MalformedError as error:
        problem = str(error)
    else:
        return _load_encrypted(element, password, budget, where) if encrypted else load_plain_key(encoded, where)
    raise CertificateFormatError(f"the private key in {where} is damaged: {problem}")


def _load_encrypted(element: ber.Element, password: bytes | None, budget: kdf_budget.Budget, where: str) -> PrivateKey:
    refuse_long(element.encoded, where)
    if password:
        try:
            key = load_der_private_key(element.encoded, password, unsafe_skip_rsa_key_validation=True)
        except PARSER_ERRORS:
            # A wrong password, or an encryption or key that cryptography does not know: its texts do not say which.
            key = None
        if key is not None:
            return accept(key)
    # Imported late, with the decryption behind it: few keys need it.
    from azure_certvar_credential.certificates.pkcs12 import encrypted_keys

    return encrypted_keys.load_encrypted(element, password, budget, where)
