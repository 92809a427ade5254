"""Collects the certificates and keys found in the given data, and reports what is missing."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from cryptography import x509

from azure_certvar_credential._values import Value
from azure_certvar_credential.certificates.naming import der, describe_all, not_after, not_before, public_key_sha256
from azure_certvar_credential.certificates.possession import as_signer, mismatch, public_key_of
from azure_certvar_credential.certificates.validity import is_valid
from azure_certvar_credential.exceptions import (
    AmbiguousPrivateKeyError,
    CertificateFormatError,
    MissingCertificateError,
    MissingPrivateKeyError,
)
from azure_certvar_credential.signers.protocol import Signer

if TYPE_CHECKING:
    from azure_certvar_credential.certificates.pkcs12.kdf_budget import Budget

_logger = logging.getLogger(__name__)

# A text can have thousands of PEM blocks; a message names the first few.
_MAX_NAMED = 5


class Material(Value):
    """A certificate with its signer, and the certificates found beside it.

    :ivar leaf: the certificate that has the signer's public key.
    :ivar signer: signs with the private key.
    :ivar others: the other certificates, in the order of the data.
    """

    leaf: x509.Certificate
    signer: Signer
    others: tuple[x509.Certificate, ...]


# Copies of one key count as one key, but each takes time to read, so their number is limited.
MOST_KEYS = 20
# Each takes a look at its public key, which may be on a slow curve. The CA bundle of an operating system has 150.
_MOST_CERTIFICATES = 1_000


class Collected:
    """The certificates and keys found so far.

    :ivar signers: one signer for each distinct private key.
    :ivar certificates: the certificates, in the order of the data.
    :ivar unused: the content of the first PEM block of each label that is neither certificate nor private key.
    :ivar refused_certificates: the errors of certificates that cannot be read; they count if the leaf is not found.
    :ivar refused_keys: the errors of keys in forms that are not read; they count if no other key is found.
    :ivar without_begin: the labels of PEM's END lines that have no BEGIN line.
    """

    __slots__ = (
        "_budget",
        "_keys",
        "certificates",
        "refused_certificates",
        "refused_keys",
        "signers",
        "unused",
        "without_begin",
    )

    def __init__(self) -> None:
        self.signers: list[Signer] = []
        self.certificates: list[x509.Certificate] = []
        self.unused: dict[str, bytes] = {}
        self.refused_certificates: list[CertificateFormatError] = []
        self.refused_keys: list[CertificateFormatError] = []
        self.without_begin: list[str] = []
        self._budget: Budget | None = None
        self._keys = 0

    def budget(self) -> Budget:
        """Return the iterations that key derivations may still spend, over all that is collected."""
        if self._budget is None:
            from azure_certvar_credential.certificates.pkcs12.kdf_budget import Budget

            self._budget = Budget()
        return self._budget

    def add_key(self, key: object) -> None:
        """Add a private key or signer, unless one with the same public key is present.

        :raises AmbiguousPrivateKeyError: there are too many keys, copies included.
        :raises UnsupportedKeyError, CertificateError: as :func:`.possession.as_signer`.
        """
        self._keys += 1
        if self._keys > MOST_KEYS:
            raise too_many_keys()
        signer = as_signer(key)
        if all(signer.public_key != known.public_key for known in self.signers):
            self.signers.append(signer)

    def material(self) -> Material:
        """Return the one private key with its certificate and the other certificates.

        :raises MissingPrivateKeyError, MissingCertificateError: one of them was not found.
        :raises AmbiguousPrivateKeyError: there are several keys.
        :raises KeyMismatchError: the key does not belong to any of the certificates.
        :raises CertificateFormatError: neither was found, one is missing and a PEM block is damaged, or there are too
            many certificates.
        """
        if len(self.certificates) > _MOST_CERTIFICATES:
            raise CertificateFormatError(
                f"the data holds {len(self.certificates):,} certificates; keep the one of the key and its chain, "
                f"{_MOST_CERTIFICATES:,} at most"
            )
        refused = [
            *([] if self.certificates else self.refused_certificates),
            *([] if self.signers else self.refused_keys),
        ]
        if refused:
            raise refused[0]
        if self.without_begin and not (self.signers and self.certificates):
            from azure_certvar_credential.certificates import hints

            raise CertificateFormatError(hints.without_begin(self.without_begin[0]))
        if not self.signers and not self.certificates:
            from azure_certvar_credential.certificates import hints

            raise CertificateFormatError(
                f"the data holds neither a certificate nor a private key{self._also()}; give {hints.FORMS}"
            )
        if not self.signers:
            raise MissingPrivateKeyError(
                f"the data holds a certificate, {describe_all(self.certificates)}, but no private key{self._also()}. A "
                ".cer or .crt file is the public half, as in the app registration. The private key is in the .pfx, "
                ".p12 or .key file created with it, in the certificate store (export it with the private key), or in "
                "the Key Vault secret of the same name (if the key is exportable)"
            )
        if len(self.signers) > 1:
            prints = ", ".join(public_key_sha256(signer.public_key) for signer in self.signers[:_MAX_NAMED])
            raise AmbiguousPrivateKeyError(
                f"the data holds {len(self.signers)} different private keys (public-key SHA-256 {prints}); keep only "
                "the one to sign with"
            )
        signer = self.signers[0]
        if not self.certificates:
            raise MissingCertificateError(
                f"the data holds a private key (public-key SHA-256 {public_key_sha256(signer.public_key)}), but no "
                f"certificate{self._also()}; add its certificate (.cer, .crt, .pem)"
            )
        if self.refused_certificates and all(
            public_key_of(certificate) != signer.public_key for certificate in self.certificates
        ):
            raise self.refused_certificates[0]
        leaf = choose_leaf(self.certificates, signer)
        for error in self.refused_certificates[:_MAX_NAMED]:
            _logger.warning("left out, because the private key belongs to another certificate: %s", error)
        return Material(leaf, signer, tuple(other for other in self.certificates if other != leaf))

    def _also(self) -> str:
        """Return the unused PEM blocks for a message, with advice on the known ones."""
        if not self.unused:
            return ""
        from azure_certvar_credential.certificates import structures

        names = list(self.unused)
        more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
        remedies = [structures.remedy(self.unused[name]) for name in names[:_MAX_NAMED]]
        why = "".join(f"; {remedy}" for remedy in dict.fromkeys(remedies) if remedy)
        return f" (found but not used: {', '.join(names[:_MAX_NAMED])}{more}{why})"


def too_many_keys() -> AmbiguousPrivateKeyError:
    """Return the error for more private keys than :data:`MOST_KEYS`, copies included."""
    return AmbiguousPrivateKeyError(
        f"the data holds more than {MOST_KEYS} private keys; keep only the one to sign with"
    )


def choose_leaf(certificates: list[x509.Certificate], signer: Signer) -> x509.Certificate:
    """Return the certificate that matches a private key; of several, the one to use, whatever their order.

    One key has several certificates after a renewal that kept the key, or when a self-signed placeholder remains beside
    the issued certificate. A currently valid one is preferred; among the valid ones, one issued by an authority to a
    self-signed one; then the one that expires last, then the one that began last.

    :param signer: signs with the private key.
    :raises KeyMismatchError: none of the certificates matches the key.
    """
    matching = [certificate for certificate in certificates if public_key_of(certificate) == signer.public_key]
    if not matching:
        raise mismatch(certificates, signer.public_key)
    different = {der(certificate): certificate for certificate in matching}
    if len(different) == 1:
        return matching[0]
    from azure_certvar_credential.certificates.chain import is_self_signed

    now = datetime.now(timezone.utc)

    def preference(certificate: x509.Certificate) -> tuple[bool, bool, datetime, datetime, bytes]:
        valid = is_valid(certificate, now)
        issued = valid and not is_self_signed(certificate)
        lasting = not_after(certificate), not_before(certificate)
        # The DER comes last, so that the result never depends on the order of the file.
        return valid, issued, *lasting, der(certificate)

    leaf = max(different.values(), key=preference)
    _logger.info("several certificates match the private key; using %s", describe_all([leaf]))
    return leaf
