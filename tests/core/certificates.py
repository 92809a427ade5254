"""Certificates for the tests of the core: made in memory, once each."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from azure_certvar_credential.certificates import ClientCertificate

CURVES: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}


def certificate(name: str = "one", key: str = "P-256") -> ClientCertificate:
    """Return a certificate of its own issuer, the same one for the same arguments.

    :param key: ``RSA``, or the name of a curve; those are quicker to make, where the kind of key does not matter.
    """
    return _made(name, key)


@cache
def _made(name: str, key: str) -> ClientCertificate:
    private_key = rsa.generate_private_key(65537, 2048) if key == "RSA" else ec.generate_private_key(CURVES[key])
    issuer_key = ec.generate_private_key(CURVES["P-256"])
    now = datetime.now(timezone.utc)
    subject, issuer = _name(name), _name(f"issuer of {name}")
    draft = x509.CertificateBuilder().not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(365))
    leaf = draft.subject_name(subject).issuer_name(issuer).public_key(private_key.public_key()).serial_number(1)
    # Signed by a third, so that the issuer is an intermediate certificate and belongs into x5c.
    above = draft.subject_name(issuer).issuer_name(_name("root")).public_key(issuer_key.public_key()).serial_number(2)
    root_key = ec.generate_private_key(CURVES["P-256"])
    return ClientCertificate(
        leaf.sign(issuer_key, hashes.SHA256()), private_key, [above.sign(root_key, hashes.SHA256())]
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
