"""What was found in the data that was handed over, and the errors for what is missing in it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timezone

from cryptography import x509

from azure_certvar_credential.certificates import hints, structures
from azure_certvar_credential.certificates.chain import is_self_signed
from azure_certvar_credential.certificates.naming import der, describe_all, public_key_sha256
from azure_certvar_credential.certificates.pkcs12 import kdf_budget
from azure_certvar_credential.certificates.possession import as_signer, mismatch, public_key_of
from azure_certvar_credential.certificates.validity import is_valid
from azure_certvar_credential.exceptions import (
    AmbiguousPrivateKeyError,
    CertificateFormatError,
    MissingCertificateError,
    MissingPrivateKeyError,
)
from azure_certvar_credential.signers.protocol import Signer

_logger = logging.getLogger(__name__)

# A text can have thousands of PEM blocks; a message wants the first few.
_MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class Material:
    """A certificate with what belongs to it.

    :ivar leaf: the certificate whose public key is the signer's.
    :ivar signer: signs with the private key.
    :ivar others: the other certificates, as they came.
    """

    leaf: x509.Certificate
    signer: Signer
    others: tuple[x509.Certificate, ...]


# Copies of one key are taken as one. Each has cost time to read, so that there is an end to it.
_MOST_KEYS = 20


@dataclass(slots=True)
class Collected:
    """What was found so far.

    :ivar signers: a signer for each different private key.
    :ivar certificates: the certificates, as they came.
    :ivar unused: the content of the first PEM block of each label that is neither certificate nor private key.
    :ivar without_begin: the labels of PEM's END lines that have no BEGIN line.
    :ivar budget: what key derivations may still cost.
    """

    signers: list[Signer] = field(default_factory=list)
    certificates: list[x509.Certificate] = field(default_factory=list)
    unused: dict[str, bytes] = field(default_factory=dict, repr=False)
    without_begin: list[str] = field(default_factory=list)
    budget: kdf_budget.Budget = field(default_factory=kdf_budget.Budget)
    _keys: int = 0

    def add_key(self, key: object) -> None:
        """Add a private key or signer, unless its public key is there already.

        :raises AmbiguousPrivateKeyError: there are too many, the same or not, to go on looking at them.
        :raises UnsupportedKeyError, CertificateError: as :func:`.possession.as_signer`.
        """
        self._keys += 1
        if self._keys > _MOST_KEYS:
            raise AmbiguousPrivateKeyError(
                f"there are more than {_MOST_KEYS} private keys; keep only the one to sign with"
            )
        signer = as_signer(key)
        if all(signer.public_key != known.public_key for known in self.signers):
            self.signers.append(signer)

    def material(self) -> Material:
        """Return the one private key with its certificate and the other certificates.

        :raises MissingPrivateKeyError, MissingCertificateError: one of them was not found.
        :raises AmbiguousPrivateKeyError: there are several keys.
        :raises KeyMismatchError: the key belongs to none of the certificates.
        :raises CertificateFormatError: nothing was found, or a PEM block that is damaged is what is missing.
        """
        if self.without_begin and not (self.signers and self.certificates):
            raise CertificateFormatError(hints.without_begin(self.without_begin[0]))
        if not self.signers and not self.certificates:
            raise CertificateFormatError(
                f"there is neither a certificate nor a private key{self._also()}; give {hints.FORMS}"
            )
        if not self.signers:
            raise MissingPrivateKeyError(
                f"there is a certificate, {describe_all(self.certificates)}, but no private key{self._also()}. A .cer "
                "or .crt file is the public half, which the app registration holds; the private half is in the .pfx, "
                ".p12 or .key file made together with it, in the certificate store it was exported from (export it "
                "with the private key), or in the Key Vault secret of the same name (if the key is exportable)"
            )
        if len(self.signers) > 1:
            prints = ", ".join(public_key_sha256(signer.public_key) for signer in self.signers[:_MAX_NAMED])
            raise AmbiguousPrivateKeyError(
                f"there are {len(self.signers)} different private keys (public-key SHA-256 {prints}); keep only the "
                "one to sign with"
            )
        signer = self.signers[0]
        if not self.certificates:
            raise MissingCertificateError(
                f"there is a private key (public-key SHA-256 {public_key_sha256(signer.public_key)}), but no "
                f"certificate{self._also()}; give the certificate (.cer, .crt, .pem) with it"
            )
        leaf = choose_leaf(self.certificates, signer)
        return Material(leaf, signer, tuple(other for other in self.certificates if other != leaf))

    def _also(self) -> str:
        """Return what else is there, for a message, with a remedy where it is something known."""
        if not self.unused:
            return ""
        names = list(self.unused)
        more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
        remedies = [structures.remedy(self.unused[name]) for name in names[:_MAX_NAMED]]
        why = "".join(f"; {remedy}" for remedy in dict.fromkeys(remedies) if remedy)
        return f" (also there, and not used: {', '.join(names[:_MAX_NAMED])}{more}{why})"


def choose_leaf(certificates: list[x509.Certificate], signer: Signer) -> x509.Certificate:
    """Return the certificate of a private key; of several, the one to send, whatever their order.

    Several certificates of one key are a renewal that kept the key, or the self-signed placeholder beside what an
    authority then issued. The choice is: valid now before outside its validity; of valid ones, issued by somebody else
    before self-signed; then the one that lasts longest, then the one that began last.

    :param signer: signs with the private key.
    :raises KeyMismatchError: none of the certificates is the key's.
    """
    matching = [certificate for certificate in certificates if public_key_of(certificate) == signer.public_key]
    if not matching:
        raise mismatch(certificates, signer.public_key)
    different = {der(certificate): certificate for certificate in matching}
    if len(different) == 1:
        return matching[0]
    now = datetime.now(timezone.utc)

    def preference(certificate: x509.Certificate) -> tuple[bool, bool, datetime, datetime, bytes]:
        valid = is_valid(certificate, now)
        issued = valid and not is_self_signed(certificate)
        lasting = certificate.not_valid_after_utc, certificate.not_valid_before_utc
        # The DER itself comes last so that the result never depends on the order of the file.
        return valid, issued, *lasting, der(certificate)

    leaf = max(different.values(), key=preference)
    _logger.info("several certificates have this private key; %s is used", describe_all([leaf]))
    return leaf
