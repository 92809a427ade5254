"""Orders certificates from the leaf towards the root, by issuer name and verified signature.

The order of the file means nothing: Key Vault keeps a chain as it was uploaded, and PFX files from Windows may run from
root to leaf. In ``x5c`` each certificate must certify the one before it (RFC 7515 section 4.1.6).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timezone

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from azure_certvar_credential.certificates.naming import der, describe, describe_all, issuer_der, not_after, subject_der
from azure_certvar_credential.certificates.possession import readable_key
from azure_certvar_credential.certificates.validity import is_valid
from azure_certvar_credential.exceptions import CertificateError
from azure_certvar_credential.signers.parser_errors import PARSER_ERRORS, VERIFY_ERRORS

_logger = logging.getLogger(__name__)

# Public chains have two or three certificates above the leaf, private ones rarely more than five.
_MAX_LENGTH = 16
# An authority has a handful of certificates. Both limits together bound the number of signatures to verify for a file
# full of certificates with one name.
_MOST_OF_A_NAME = 20


def given_chain(chain: object) -> tuple[x509.Certificate, ...]:
    """Return the ``chain`` argument as a tuple: an iterable, a single certificate or None. Members are not checked.

    :raises CertificateError: it is none of these.
    """
    if chain is None:
        return ()
    if isinstance(chain, x509.Certificate):
        return (chain,)
    if isinstance(chain, (str, bytes, bytearray, memoryview)) or not isinstance(chain, Iterable):
        raise CertificateError(
            f"chain is of type {type(chain).__name__}; give a list of cryptography.x509.Certificate, a single one, or "
            "None. For any other form use ClientCertificate.load()"
        )
    return tuple(chain)


def order_chain(leaf: x509.Certificate, others: Iterable[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Return the certificates that lead from the leaf's issuer towards the root.

    Where several certificates have signed the same one (cross-signing, renewal), a currently valid one is preferred,
    then a self-signed one (the shortest path to a root that the caller has), then the one that expires last. Each
    certificate is used once, so there are no cycles. Certificates that lead nowhere are dropped with a warning in the
    log, which Python shows by default: usually the intermediate is the wrong one, and Entra's answer would not say so.

    :param leaf: the certificate of the private key.
    :param others: any other certificates, in any order; the leaf itself and duplicates are left out.
    :returns: the chain without the leaf; the root is last if it is present.
    """
    own = der(leaf)
    candidates = {der(certificate): certificate for certificate in others}
    candidates.pop(own, None)
    if not candidates:
        return ()
    now = datetime.now(timezone.utc)
    chain: list[x509.Certificate] = []
    current = leaf
    while len(chain) < _MAX_LENGTH and not is_self_signed(current):
        named = [encoded for encoded, candidate in candidates.items() if _is_named(candidate, current)]
        # The longest-lasting first; the DER makes the order independent of the file's.
        named.sort(key=lambda encoded: (not_after(candidates[encoded]), encoded), reverse=True)
        issuers = [encoded for encoded in named[:_MOST_OF_A_NAME] if _issued(candidates[encoded], current)]
        if not issuers:
            break
        best = max(issuers, key=lambda encoded: _preference(candidates[encoded], now))
        current = candidates.pop(best)
        chain.append(current)
        if not is_valid(current, now):
            _logger.warning("the chain certificate %s is outside its validity window", describe(current))
    # A renewed or cross-signed copy of a certificate in the chain is merely superfluous. The same name with another key
    # is a mistake: the wrong generation of an authority.
    keys = {_public_key(certificate) for certificate in (leaf, *chain)}
    strangers = [candidate for candidate in candidates.values() if _public_key(candidate) not in keys]
    if strangers:
        _logger.warning(
            "left out of the chain of %s, because they do not connect it to a root: %s",
            describe(leaf),
            describe_all(strangers),
        )
    return tuple(chain)


def without_root(chain: tuple[x509.Certificate, ...]) -> tuple[x509.Certificate, ...]:
    """Return a chain that is in order without its root, if that is in it."""
    return chain[:-1] if chain and is_self_signed(chain[-1]) else chain


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Return whether a certificate is signed with its own key, as a root is."""
    return _issued(certificate, certificate)


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    if not _is_named(issuer, certificate) or readable_key(issuer) is None:
        return False
    try:
        _verify(issuer, certificate)
    except VERIFY_ERRORS:
        # Signed by another key, or with a key or hash that cannot be verified here: either way no link is shown.
        return False
    return True


def _is_named(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        return issuer.subject == certificate.issuer
    except PARSER_ERRORS:
        # A name that cannot be parsed can still be compared.
        return subject_der(issuer) == issuer_der(certificate)


def _verify(issuer: x509.Certificate, certificate: x509.Certificate) -> None:
    """Verify a signature without a look at the names, which may not be parsable."""
    key = readable_key(issuer)
    signed = certificate.signature, certificate.tbs_certificate_bytes
    parameters, digest = certificate.signature_algorithm_parameters, certificate.signature_hash_algorithm
    if isinstance(key, rsa.RSAPublicKey) and isinstance(parameters, padding.AsymmetricPadding) and digest:
        key.verify(*signed, parameters, digest)
    elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(parameters, ec.EllipticCurveSignatureAlgorithm):
        key.verify(*signed, parameters)
    else:
        certificate.verify_directly_issued_by(issuer)


def _public_key(certificate: x509.Certificate) -> bytes | None:
    key = readable_key(certificate)
    return None if key is None else key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _preference(certificate: x509.Certificate, now: datetime) -> tuple[bool, bool, datetime, bytes]:
    # The DER comes last, so that the result never depends on the order of the file.
    return is_valid(certificate, now), is_self_signed(certificate), not_after(certificate), der(certificate)
