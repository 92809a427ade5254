"""Reads a certificate from a vault, as a flow without I/O: chooses the version, and finds its private key.

The newest version is tried first, which takes ``certificates/get`` alone; the versions are listed only if the newest
cannot be used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from cryptography import x509

from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._secrecy.tracebacks import clears_frames
from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.exceptions import (
    CertificateError,
    KeyVaultError,
    KeyVaultSecretError,
    KeyVaultVersionError,
    MissingPrivateKeyError,
)
from azure_certvar_credential.keyvault.calls import VaultCall, VaultFlow
from azure_certvar_credential.keyvault.failures import LIST_VERSIONS, READ_CERTIFICATE, READ_SECRET
from azure_certvar_credential.keyvault.location import VaultLocation, key_id_in
from azure_certvar_credential.signers.parser_errors import PARSER_ERRORS
from azure_certvar_credential.signers.protocol import AsyncSigner, Signer

CERTIFICATES = ("azure.keyvault.certificates", "CertificateClient")
SECRETS = ("azure.keyvault.secrets", "SecretClient")
CONTENT_TYPES = ("application/x-pkcs12", "application/x-pem-file")


@dataclass(frozen=True, slots=True)
class Found:
    """A certificate as the vault returned it.

    :ivar subject: certificate, version and vault, for messages.
    :ivar leaf: the certificate.
    :ivar key_id: the identifier of its key, to sign with it.
    :ivar secret: the value of the secret, which contains the private key; None if the key stays in the vault.
    :ivar exportable: whether the certificate's policy lets the key leave the vault; None if it does not say.
    """

    subject: str
    leaf: x509.Certificate
    key_id: str
    secret: str | None = field(repr=False)
    exportable: bool | None


def read(location: VaultLocation, now: float) -> VaultFlow[Found]:
    """Read a certificate.

    :param now: seconds since the epoch, UTC.
    :raises KeyVaultError: it cannot be read or used.
    """
    certificate = yield from _chosen(location, now)
    version = certificate.properties.version
    subject = _subject(location, version)
    leaf = _leaf(certificate.cer, subject)
    key_id = key_id_in(location.vault_url, certificate.key_id)
    if key_id is None:
        raise KeyVaultError(
            f"the certificate {subject} has the key {redact_value(certificate.key_id)}, which is not the identifier of "
            "a key with its version"
        )
    exportable = getattr(certificate.policy, "exportable", None)
    if location.prefer_remote or exportable is False:
        return Found(subject, leaf, key_id, None, exportable)
    secret = yield _get_secret(location, version)
    content_type = secret.properties.content_type
    if content_type not in CONTENT_TYPES:
        del secret
        raise KeyVaultSecretError(
            f"the secret of the certificate {subject} has the content type {redact_value(content_type)}, which is "
            f"neither {' nor '.join(CONTENT_TYPES)}: is it the secret of a certificate?"
        )
    return Found(subject, leaf, key_id, secret.value or "", exportable)


@clears_frames
def build(found: Found, signer: Callable[[Found], Signer | AsyncSigner]) -> ClientCertificate:
    """Make a certificate that signs.

    :param signer: makes a signer for a key that stays in the vault.
    :raises KeyVaultError: the secret does not fit the certificate, or the vault does not sign.
    """
    if found.secret is None:
        return ClientCertificate(found.leaf, signer(found))
    try:
        certificate = ClientCertificate.load(found.secret)
    except MissingPrivateKeyError:
        if found.exportable is None:
            return ClientCertificate(found.leaf, signer(found))
        problem = (
            "contains no private key, although the certificate's policy says that it is exportable: the version is "
            "older than that policy. Make a new version, or sign in the vault with prefer_remote=True"
        )
    except CertificateError as error:
        problem = f"cannot be used: {error}"
    else:
        if certificate.leaf == found.leaf:
            return certificate
        problem = f"contains another certificate, with the thumbprint {certificate.thumbprint}"
    # Raised here and not in a handler: the other error would bring along frames that hold the secret.
    raise KeyVaultSecretError(f"the secret of the certificate {found.subject} {problem}")


def _leaf(cer: object, subject: str) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(bytes(cer))  # type: ignore[call-overload]
    except PARSER_ERRORS as error:
        reason = type(error).__name__
    raise KeyVaultError(f"the certificate {subject} cannot be read: it is not X.509 in DER ({reason})")


def _get_certificate(location: VaultLocation, version: str | None = None) -> VaultCall:
    """Answer: azure-keyvault-certificates' ``KeyVaultCertificate``."""
    method = "get_certificate" if version is None else "get_certificate_version"
    arguments = (location.name,) if version is None else (location.name, version)
    return VaultCall(
        *CERTIFICATES,
        location.vault_url,
        location.vault_url,
        method,
        arguments,
        READ_CERTIFICATE,
        _subject(location, version),
    )


def _list_versions(location: VaultLocation) -> VaultCall:
    """Answer: a list of azure-keyvault-certificates' ``CertificateProperties``."""
    method = "list_properties_of_certificate_versions"
    return VaultCall(
        *CERTIFICATES,
        location.vault_url,
        location.vault_url,
        method,
        (location.name,),
        LIST_VERSIONS,
        _subject(location, None),
        pages=True,
    )


def _get_secret(location: VaultLocation, version: str) -> VaultCall:
    """Answer: azure-keyvault-secrets' ``KeyVaultSecret``."""
    return VaultCall(
        *SECRETS,
        location.vault_url,
        location.vault_url,
        "get_secret",
        (location.name, version),
        READ_SECRET,
        _subject(location, version),
    )


def _subject(location: VaultLocation, version: str | None) -> str:
    return f"{location.name}{f', version {version},' if version else ''} of {location.vault_url}"


def _chosen(location: VaultLocation, now: float) -> VaultFlow[Any]:
    if location.version is not None:
        certificate = yield _get_certificate(location, location.version)
        problem = _problem(certificate.properties, now)
        if problem:
            raise KeyVaultVersionError(
                f"version {location.version} of the certificate {location.name} of {location.vault_url} {problem}; pin "
                "another version, or none to use the newest that can be used"
            )
        return certificate
    try:
        certificate = yield _get_certificate(location)
        if not _problem(certificate.properties, now):
            return certificate
    except KeyVaultVersionError:
        certificate = None  # disabled, and the vault does not even return it
    versions = yield _list_versions(location)
    return (yield _get_certificate(location, _newest(location, versions, now)))


def _newest(location: VaultLocation, versions: Iterable[Any], now: float) -> str:
    """Return the newest version that can be used.

    :raises KeyVaultVersionError: none can be used.
    """
    order = sorted(versions, key=lambda properties: (_seconds(properties.created_on), _seconds(properties.not_before)))
    for properties in reversed(order):
        if not _problem(properties, now):
            return str(properties.version)
    reasons = "; ".join(f"{properties.version} {_problem(properties, now)}" for properties in reversed(order[-5:]))
    raise KeyVaultVersionError(
        f"none of the {len(order)} versions of the certificate {location.name} of {location.vault_url} can be used"
        f"{f': {reasons}' if reasons else ''}. Make a new version, or enable one"
    )


def _problem(properties: Any, now: float) -> str:
    """Return why a version cannot be used, or an empty string if it can."""
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
