"""Which version of a certificate is used, where its key is found, and what comes of it: written once, without I/O.

:func:`read` is a generator that yields what it wants to know; a sync and an async loop ask the vault. The newest
version is asked for first, which takes ``certificates/get`` alone; the versions are listed only if it cannot be used.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from cryptography import x509

from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.exceptions import (
    CertificateError,
    KeyVaultError,
    KeyVaultSecretError,
    KeyVaultVersionError,
    MissingPrivateKeyError,
)
from azure_certvar_credential.keyvault.calls import VaultCall
from azure_certvar_credential.keyvault.failures import LIST_VERSIONS, READ_CERTIFICATE, READ_SECRET
from azure_certvar_credential.keyvault.location import VaultLocation
from azure_certvar_credential.signers.protocol import AsyncSigner, Signer

CONTENT_TYPES = ("application/x-pkcs12", "application/x-pem-file")


@dataclass(frozen=True, slots=True)
class Found:
    """What was read.

    :ivar subject: certificate, version and vault, for messages.
    :ivar leaf: the certificate.
    :ivar key_id: the identifier of its key, to sign with it.
    :ivar secret: the value of the secret, which has the private key; None if the key stays in the vault.
    :ivar exportable: what the certificate's policy says, or None if it says nothing.
    """

    subject: str
    leaf: x509.Certificate
    key_id: str
    secret: str | None = field(repr=False)
    exportable: bool | None


def read(place: VaultLocation, now: float) -> Generator[VaultCall, Any, Found]:
    """Read a certificate.

    :param now: seconds since the epoch, UTC.
    :raises KeyVaultError: it cannot be used.
    """
    certificate = yield from _chosen(place, now)
    version = certificate.properties.version
    subject = _subject(place, version)
    try:
        leaf = x509.load_der_x509_certificate(bytes(certificate.cer))
    except (ValueError, TypeError) as error:
        raise KeyVaultError(f"the certificate {subject} cannot be read: it is no DER") from error
    exportable = getattr(certificate.policy, "exportable", None)
    if place.prefer_remote or exportable is False:
        return Found(subject, leaf, certificate.key_id, None, exportable)
    secret = yield _get_secret(place, version)
    content_type = secret.properties.content_type
    if content_type not in CONTENT_TYPES:
        raise KeyVaultSecretError(
            f"the secret of the certificate {subject} has the content type {content_type!r}, which is neither "
            f"{' nor '.join(CONTENT_TYPES)}: is it the secret of a certificate?"
        )
    return Found(subject, leaf, certificate.key_id, secret.value or "", exportable)


def build(found: Found, signer: Callable[[Found], Signer | AsyncSigner]) -> ClientCertificate:
    """Make the certificate out of what was read.

    :param signer: makes a signer for a key that stays in the vault.
    :raises KeyVaultError: the secret is not what it should be, or the vault does not sign.
    """
    if found.secret is None:
        return ClientCertificate(found.leaf, signer(found))
    try:
        certificate = ClientCertificate.load(found.secret)
    except MissingPrivateKeyError:
        if found.exportable is None:
            return ClientCertificate(found.leaf, signer(found))
        problem = (
            "holds no private key, although the certificate's policy calls it exportable: the version was made before "
            "the policy said so. Make a new version, or sign in the vault with prefer_remote=True"
        )
    except CertificateError as error:
        problem = f"cannot be used: {error}"
    else:
        if certificate.leaf == found.leaf:
            return certificate
        problem = f"holds another certificate, with the thumbprint {certificate.thumbprint}"
    # Here, and not in the handlers: the error must not hold on to frames that have the secret.
    raise KeyVaultSecretError(f"the secret of the certificate {found.subject} {problem}")


def _get_certificate(place: VaultLocation, version: str | None = None) -> VaultCall:
    """Answer: azure-keyvault-certificates' ``KeyVaultCertificate``."""
    method = "get_certificate" if version is None else "get_certificate_version"
    arguments = (place.name,) if version is None else (place.name, version)
    return VaultCall(
        "azure.keyvault.certificates",
        "CertificateClient",
        place.vault_url,
        place.vault_url,
        method,
        arguments,
        READ_CERTIFICATE,
        _subject(place, version),
    )


def _list_versions(place: VaultLocation) -> VaultCall:
    """Answer: a list of azure-keyvault-certificates' ``CertificateProperties``."""
    method = "list_properties_of_certificate_versions"
    return VaultCall(
        "azure.keyvault.certificates",
        "CertificateClient",
        place.vault_url,
        place.vault_url,
        method,
        (place.name,),
        LIST_VERSIONS,
        _subject(place, None),
        pages=True,
    )


def _get_secret(place: VaultLocation, version: str) -> VaultCall:
    """Answer: azure-keyvault-secrets' ``KeyVaultSecret``."""
    return VaultCall(
        "azure.keyvault.secrets",
        "SecretClient",
        place.vault_url,
        place.vault_url,
        "get_secret",
        (place.name, version),
        READ_SECRET,
        _subject(place, version),
    )


def _subject(place: VaultLocation, version: str | None) -> str:
    return f"{place.name}{f', version {version},' if version else ''} of {place.vault_url}"


def _chosen(place: VaultLocation, now: float) -> Generator[VaultCall, Any, Any]:
    if place.version is not None:
        certificate = yield _get_certificate(place, place.version)
        problem = _problem(certificate.properties, now)
        if problem:
            raise KeyVaultVersionError(
                f"version {place.version} of the certificate {place.name} of {place.vault_url} {problem}; pin another "
                "version, or none for the newest that can be used"
            )
        return certificate
    try:
        certificate = yield _get_certificate(place)
        if not _problem(certificate.properties, now):
            return certificate
    except KeyVaultVersionError:
        certificate = None  # the newest is disabled, and not even shown
    versions = yield _list_versions(place)
    return (yield _get_certificate(place, _newest(place, versions, now)))


def _newest(place: VaultLocation, versions: Iterable[Any], now: float) -> str:
    """The newest version that can be used.

    :raises KeyVaultVersionError: there is none.
    """
    order = sorted(versions, key=lambda properties: (_seconds(properties.created_on), _seconds(properties.not_before)))
    for properties in reversed(order):
        if not _problem(properties, now):
            return str(properties.version)
    told = "; ".join(f"{properties.version} {_problem(properties, now)}" for properties in reversed(order[-5:]))
    raise KeyVaultVersionError(
        f"none of the {len(order)} versions of the certificate {place.name} of {place.vault_url} can be used"
        f"{f': {told}' if told else ''}. Make a new version, or enable one"
    )


def _problem(properties: Any, now: float) -> str:
    """Why a version cannot be used; an empty string if it can."""
    if properties.enabled is False:
        return "is disabled"
    if properties.expires_on is not None and properties.expires_on.timestamp() <= now:
        return f"expired on {_shown(properties.expires_on)}"
    if properties.not_before is not None and properties.not_before.timestamp() > now:
        return f"is not valid before {_shown(properties.not_before)}"
    return ""


def _seconds(moment: datetime | None) -> float:
    return 0.0 if moment is None else moment.timestamp()


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
