"""What is wrong, or soon will be, with a certificate: each finding with a name, a sentence and a remedy.

A finding is what a person has to know; what no credential can work with is an exception of the package instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import MD5, SHA1
from cryptography.x509.oid import ExtendedKeyUsageOID

from azure_certvar_credential.certificates.chain import is_self_signed
from azure_certvar_credential.certificates.naming import describe, not_after, not_before, subject
from azure_certvar_credential.signers.parser_errors import PARSER_ERRORS

#: Days before the end of its validity from which on a certificate counts as expiring soon.
SOON = 30
#: Microsoft's recommended bound for the lifetime of a certificate, in days:
#: https://learn.microsoft.com/entra/identity/enterprise-apps/tutorial-enforce-secret-standards
RECOMMENDED_DAYS = 180
# NIST SP 800-57 part 1: 112 bits of strength, and what the package requires.
_LEAST_BITS = 2048

Level = Literal["refused", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    :ivar code: its stable name, such as ``expired``.
    :ivar level: ``refused`` if Entra will refuse the certificate, ``warning`` if it needs attention, else ``note``.
    :ivar message: what was found, a sentence.
    :ivar remedy: what to do, or None.
    """

    code: str
    level: Level
    message: str
    remedy: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the documented shape."""
        return {"code": self.code, "level": self.level, "message": self.message, "remedy": self.remedy}


def leaf_findings(leaf: x509.Certificate, now: datetime, *, soon: int = SOON) -> Iterator[Finding]:
    """Yield what can be said about a certificate itself.

    :param now: the present, aware.
    :param soon: the days before its end from which on it counts as expiring soon.
    """
    yield from _validity(leaf, now, soon)
    yield from _key(leaf)
    yield from _usage(leaf)


def policy_findings(leaf: x509.Certificate) -> Iterator[Finding]:
    """Yield what a tenant's application management policy may object to; each tenant has its own.

    https://learn.microsoft.com/graph/api/resources/keycredentialconfiguration
    """
    days = (not_after(leaf) - not_before(leaf)).days
    if days > RECOMMENDED_DAYS:
        yield Finding(
            "long-lived",
            "note",
            f"It is valid for {days} days. Microsoft recommends tenants to allow {RECOMMENDED_DAYS} (policy "
            "asymmetricKeyLifetime).",
            "Where the tenant has that policy, the upload fails: make one with a shorter life.",
        )
    if is_self_signed(leaf):
        yield Finding(
            "self-signed",
            "note",
            "It is self-signed. Entra takes that, unless the tenant's policy trustedCertificateAuthority demands an "
            "authority.",
            "Where the tenant has that policy, let the authority that it names issue the certificate.",
        )


def chain_findings(
    leaf: x509.Certificate,
    chain: tuple[x509.Certificate, ...],
    given: list[x509.Certificate],
    now: datetime,
) -> Iterator[Finding]:
    """Yield what can be said about the certificates beside the leaf.

    :param chain: those that lead from the leaf's issuer towards the root, in order.
    :param given: all certificates, in the order of the data.
    :param now: the present, aware.
    """
    for certificate in chain:
        if not not_before(certificate) <= now <= not_after(certificate):
            yield Finding(
                "chain-expired",
                "warning",
                f"The certificate {describe(certificate)} in the chain is outside its validity.",
                "Take the chain from the authority anew; it matters where the chain is sent.",
            )
    if len(given) > 1 and given[0] != leaf and is_self_signed(given[0]):
        yield Finding(
            "root-first",
            "note",
            "The root comes first in the data. This package puts the leaf first; other programs take the first for it.",
            "For them, write the leaf first and the root last.",
        )
    known = {leaf, *chain}
    strangers = [certificate for certificate in dict.fromkeys(given) if certificate not in known]
    if strangers:
        names = ", ".join(subject(certificate) for certificate in strangers)
        yield Finding(
            "strangers",
            "warning",
            f"Not part of the chain, and left out: {names}.",
            "Usually the intermediate is of the wrong generation: take the authority's present one.",
        )
    top = chain[-1] if chain else leaf
    if not is_self_signed(top):
        yield Finding(
            "chain-incomplete",
            "note",
            f"The chain ends below the root, with {subject(top)}.",
            "A registration by subject name and issuer needs the certificates up to the root's issuer.",
        )


def _validity(leaf: x509.Certificate, now: datetime, soon: int) -> Iterator[Finding]:
    start, end = not_before(leaf), not_after(leaf)
    if now < start:
        yield Finding(
            "not-yet-valid",
            "refused",
            f"It is valid from {start:%Y-%m-%d %H:%M} UTC on.",
            "Wait, or set this computer's clock if that is wrong.",
        )
    elif now > end:
        days = (now - end).days
        yield Finding(
            "expired",
            "refused",
            f"It expired on {end:%Y-%m-%d %H:%M} UTC, {_days(days)} ago.",
            "Make a new one (certvar new) and upload its public half.",
        )
    elif end - now < timedelta(days=soon):
        yield Finding(
            "expires-soon",
            "warning",
            f"It expires on {end:%Y-%m-%d %H:%M} UTC, in {_days((end - now).days)}.",
            "Make a new one, upload its public half beside this one, then change the secret.",
        )


def _key(leaf: x509.Certificate) -> Iterator[Finding]:
    try:
        key = leaf.public_key()
        digest = leaf.signature_hash_algorithm
    except PARSER_ERRORS:
        yield Finding("unsupported-key", "refused", "Its public key cannot be read.", "Use an RSA key.")
        return
    if not isinstance(key, rsa.RSAPublicKey):
        yield Finding(
            "not-rsa",
            "refused",
            "Its key is not RSA: Entra takes RS256 and PS256 alone (AADSTS5002738).",
            "Make one with an RSA key for Entra; other servers may take this one.",
        )
    elif key.key_size < _LEAST_BITS:
        yield Finding(
            "weak-key",
            "refused",
            f"Its RSA key has {key.key_size} bits: Entra wants {_LEAST_BITS} or more (AADSTS50032).",
            "Make one with a longer key.",
        )
    if isinstance(digest, (MD5, SHA1)):
        yield Finding(
            "weak-signature",
            "warning",
            f"It is signed with {digest.name.upper()}, which no longer proves who issued it.",
            "Have it issued anew with SHA-256.",
        )


def _usage(leaf: x509.Certificate) -> Iterator[Finding]:
    usage = extended_key_usage(leaf)
    if usage is not None and not {"clientAuth", "anyExtendedKeyUsage"} & set(usage):
        yield Finding(
            "no-client-auth",
            "warning",
            f"Its extended key usage is {', '.join(usage)}, without clientAuth.",
            "Have it issued for client authentication: servers that verify the certificate itself ask for that.",
        )
    try:
        signs = leaf.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
    except (x509.ExtensionNotFound, *PARSER_ERRORS):
        return
    if not signs:
        yield Finding(
            "no-digital-signature",
            "warning",
            "Its key usage lacks digitalSignature, which signing an assertion is.",
            "Have it issued with digitalSignature.",
        )


def extended_key_usage(leaf: x509.Certificate) -> list[str] | None:
    """Return the names of its extended key usages (RFC 5280 section 4.2.1.12); None if it has no such extension."""
    try:
        usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, *PARSER_ERRORS):
        return None
    names = {ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "anyExtendedKeyUsage"}
    return [names.get(usage, usage._name) for usage in usages]  # noqa: SLF001 - cryptography has no public name for it


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days:,} days"
