"""Reads a certificate to show it: also one that no credential would take, since that is when people look."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import typer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential._cli.certificates import Content, NamedCertificate
from azure_certvar_credential._cli.findings import (
    Finding,
    chain_findings,
    extended_key_usage,
    leaf_findings,
    policy_findings,
)
from azure_certvar_credential.certificates.chain import order_chain
from azure_certvar_credential.certificates.loading import collect
from azure_certvar_credential.certificates.material import Collected, choose_leaf
from azure_certvar_credential.certificates.naming import (
    describe_key,
    issuer,
    issuer_der,
    not_after,
    not_before,
    subject,
    subject_der,
    thumbprint,
)
from azure_certvar_credential.certificates.pkcs12.passwords import password_octets
from azure_certvar_credential.exceptions import (
    KeyMismatchError,
    MissingCertificateError,
    UnsupportedKeyError,
)
from azure_certvar_credential.signers.encoding import base64url
from azure_certvar_credential.signers.memory import MemorySigner
from azure_certvar_credential.signers.parser_errors import PARSER_ERRORS
from azure_certvar_credential.signers.protocol import Signer

_PERIOD = re.compile(r"(\d{1,6})([hdw]?)")
_PRIVATE_KEY = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Inspected:
    """A certificate as it is shown.

    :ivar name: the place that it came from.
    :ivar leaf: the certificate of the private key, or the one that seems to be meant.
    :ivar chain: the certificates from its issuer towards the root.
    :ivar signer: the private key; None if there is none.
    :ivar findings: what is wrong with it.
    :ivar now: when it was looked at.
    """

    name: str
    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    signer: Signer | None = field(repr=False)
    findings: tuple[Finding, ...]
    now: datetime

    @property
    def needs_attention(self) -> bool:
        """Whether a finding is more than a note."""
        return any(finding.level != "note" for finding in self.findings)

    @property
    def days_left(self) -> int:
        """Whole days to the end of its validity; negative when that has passed."""
        return (not_after(self.leaf) - self.now).days

    @property
    def key(self) -> str:
        """Type and size of the public key, such as ``RSA-3072``."""
        try:
            key = self.leaf.public_key()
        except PARSER_ERRORS:
            return "unreadable"
        if isinstance(key, rsa.RSAPublicKey):
            return f"RSA-{key.key_size}"
        return f"EC-P{key.key_size}" if isinstance(key, ec.EllipticCurvePublicKey) else describe_key(key)

    @property
    def key_place(self) -> str:
        """Where the private key is: ``memory``, the class of a signer elsewhere, or ``absent``."""
        if self.signer is None:
            return "absent"
        return "memory" if isinstance(self.signer, MemorySigner) else type(self.signer).__name__

    def expires_within(self, time: timedelta) -> bool:
        """Return whether the certificate expires within that time."""
        return not_after(self.leaf) - self.now <= time

    def digests(self) -> dict[str, str]:
        """Return the thumbprint under each name that it has."""
        sha1, sha256 = self.leaf.fingerprint(hashes.SHA1()), self.leaf.fingerprint(hashes.SHA256())  # noqa: S303
        return {
            "thumbprint": sha1.hex().upper(),
            "SHA-256": sha256.hex().upper(),
            "x5t": base64url(sha1),
            "x5t#S256": base64url(sha256),
        }

    def as_json(self) -> dict[str, Any]:
        """Return the documented shape."""
        digests = self.digests()
        return {
            "certificate": self.name,
            "subject": subject(self.leaf),
            "issuer": issuer(self.leaf),
            "serial_number": f"{self.leaf.serial_number:X}",
            "thumbprint": digests["thumbprint"],
            "sha256_thumbprint": digests["SHA-256"],
            "x5t": digests["x5t"],
            "x5t#S256": digests["x5t#S256"],
            "not_before": _moment(not_before(self.leaf)),
            "not_after": _moment(not_after(self.leaf)),
            "days_left": self.days_left,
            "key": self.key,
            "private_key": self.key_place,
            "extended_key_usage": extended_key_usage(self.leaf),
            "chain": [
                {"subject": subject(link), "thumbprint": thumbprint(link), "not_after": _moment(not_after(link))}
                for link in self.chain
            ],
            "findings": [finding.as_json() for finding in self.findings],
        }


def inspected(named: NamedCertificate) -> Inspected:
    """Read a certificate and find out what is wrong with it.

    :param named: where it is.
    :raises CertificateError: nothing can be read.
    """
    now = datetime.now(timezone.utc)
    with _quietly():
        leaf, chain, signer, given, problems = _read(named)
    findings = (
        *problems,
        *leaf_findings(leaf, now),
        *chain_findings(leaf, chain, given, now),
        *policy_findings(leaf),
    )
    order = {"refused": 0, "warning": 1, "note": 2}
    return Inspected(
        named.name, leaf, chain, signer, tuple(sorted(findings, key=lambda found: order[found.level])), now
    )


def period(text: str) -> timedelta:
    """Return a time such as ``30d``, ``12h`` or ``4w``.

    :raises typer.BadParameter: it is none.
    """
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise typer.BadParameter("write a number of days, hours or weeks: 30d, 12h, 4w", param_hint="--needs-renewal")
    return int(match[1]) * _UNITS[match[2]]


_Read = tuple[x509.Certificate, tuple[x509.Certificate, ...], "Signer | None", list[x509.Certificate], list[Finding]]


def _read(named: NamedCertificate) -> _Read:
    if not isinstance(named.read, Content):
        loaded = named()
        return loaded.leaf, loaded.chain, loaded.signer, [loaded.leaf, *loaded.chain], []
    collected, problems = named.read.opened(_collected)
    if not collected.certificates:
        # It says what was found instead.
        collected.material()
        raise MissingCertificateError("the data holds no certificate")
    leaf = _without_key(collected.certificates)
    signer = collected.signers[0] if len(collected.signers) == 1 else None
    if len(collected.signers) > 1:
        problems.append(
            Finding("several-keys", "refused", f"The data holds {len(collected.signers)} different private keys.")
        )
    elif signer is not None:
        try:
            leaf = choose_leaf(collected.certificates, signer)
            ClientCertificate(leaf, signer)
        except KeyMismatchError as error:
            problems.append(
                Finding("key-mismatch", "refused", _sentence(error), "Take the key that was made with the certificate.")
            )
        except UnsupportedKeyError as error:
            problems.append(Finding("unsupported-key", "refused", _sentence(error)))
    elif not problems:
        problems.append(Finding("no-private-key", "note", "It is the public half: nothing can sign in with it."))
    problems += [
        Finding("unreadable-certificate", "warning", _sentence(error)) for error in collected.refused_certificates
    ]
    others = [certificate for certificate in collected.certificates if certificate != leaf]
    return leaf, order_chain(leaf, others), signer, collected.certificates, problems


def _collected(data: str | bytes, password: str | None) -> tuple[Collected, list[Finding]]:
    """Return what is in the data; an unusable key becomes a finding where the certificate is readable."""
    collected, octets = Collected(), password_octets(password)
    try:
        collect(collected, data, octets)
    except UnsupportedKeyError as error:
        # PEM may have the key first.
        text = data if isinstance(data, str) else data.decode("latin-1")
        without_key = _PRIVATE_KEY.sub("", text)
        if without_key == text or "CERTIFICATE-----" not in without_key:
            raise
        collected = Collected()
        collect(collected, without_key, octets)
        return collected, [Finding("unsupported-key", "refused", _sentence(error))]
    return collected, []


def _without_key(certificates: list[x509.Certificate]) -> x509.Certificate:
    """Return the certificate that has issued none of the others, or the first."""
    for candidate in certificates:
        if not any(issuer_der(other) == subject_der(candidate) for other in certificates if other != candidate):
            return candidate
    return certificates[0]


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep what the package warns of out of the way: it is among the findings."""
    logger, silent = logging.getLogger("azure_certvar_credential"), logging.NullHandler()
    logger.addHandler(silent)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.removeHandler(silent)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
