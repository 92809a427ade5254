"""Creates a key pair with a self-signed certificate in memory, for development and tests."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import get_args

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential.certificates.data import KeyKind
from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.signers.keys import PrivateKey

# ub-common-name of RFC 5280 appendix A.1. It counts characters; cryptography counts UTF-8 octets, and so do we.
_MAX_COMMON_NAME = 64

# A hundred years; more is of no use, and datetime ends in the year 9999.
_MAX_DAYS = 36_525

# The verifier's clock may run behind ours, and a new certificate must be valid there too.
_BACKDATED = timedelta(minutes=5)


def generate(common_name: str, key: str, days: int) -> tuple[x509.Certificate, PrivateKey]:
    """Return a self-signed certificate for client authentication, and its private key.

    :param common_name: the subject's common name without ``CN=``; 1 to 64 UTF-8 octets.
    :param key: one of :data:`KeyKind`.
    :param days: how long it is valid from now on, 1 to 36,525.
    :raises ConfigurationError: one of them is not as described.
    """
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _checked_name(common_name))])
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= _MAX_DAYS:
        raise ConfigurationError(f"days must be a whole number from 1 to {_MAX_DAYS:,}, not {redact_value(days)}")
    private_key = _private_key(key)
    public_key = private_key.public_key()
    # X.509 times have whole seconds (RFC 5280 section 4.1.2.5).
    now = datetime.now(timezone.utc).replace(microsecond=0)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )
    return builder.sign(private_key, hashes.SHA256()), private_key


def _private_key(kind: str) -> PrivateKey:
    if kind not in get_args(KeyKind):
        raise ConfigurationError(f"key must be one of {', '.join(get_args(KeyKind))}, not {redact_value(kind)}")
    if kind == "EC-P256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.removeprefix("RSA-")))


def _checked_name(common_name: str) -> str:
    if not isinstance(common_name, str):
        raise ConfigurationError(f"common_name must be str, not {type(common_name).__name__}")
    if common_name.upper().startswith("CN="):
        raise ConfigurationError("common_name begins with 'CN='; give the bare name")
    length = None
    with suppress(UnicodeEncodeError):
        length = len(common_name.encode("utf-8"))
    # Outside the handler: UnicodeEncodeError holds the text and would become __context__.
    if length is None:
        raise ConfigurationError("common_name has characters that UTF-8 cannot encode")
    if not common_name.strip() or length > _MAX_COMMON_NAME or not common_name.isprintable():
        raise ConfigurationError(
            f"common_name has {length} octets of UTF-8; give 1 to {_MAX_COMMON_NAME}, printable and not only spaces"
        )
    return common_name
