"""Verifies a client assertion (RFC 7521, RFC 7523) as Entra does, or in strict mode as the standards demand.

PyJWT and ``cryptography`` alone verify the signature, so that a mistake in this package's own signing cannot hide.
The order of Entra's checks is unpublished; here it is form, key, signature, claims.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from azure_certvar_credential.testing.credentials import KeyCredential
from azure_certvar_credential.testing.entra.authentication.chain import is_valid_at, parse_x5c, trusted_by_name
from azure_certvar_credential.testing.entra.directory.model import Application
from azure_certvar_credential.testing.entra.errors import refuse, utc_text
from azure_certvar_credential.testing.jose import CompactJws, MalformedError, decode, numeric_date, parse_compact

ENTRA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
"""Entra documents RS256 and PS256, and clients send them. Whether it accepts the longer hashes for certificates is
unconfirmed; the emulator does."""

STRICT_LIFETIMES = range(300, 601)
"""The seconds from nbf to exp that Microsoft's documentation requires: 5 to 10 minutes."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What an assertion must meet.

    :ivar audiences: the accepted values of ``aud``.
    :ivar now: the server's time, seconds since the epoch.
    :ivar clock_skew: the tolerance for the client's clock, seconds.
    :ivar strict: whether to refuse the quirks of production clients.
    :ivar algorithms: the accepted values of ``alg``.
    :ivar thumbprints: the header parameters that may name the certificate, in order of precedence.
    :ivar certificates_known: False to act as if the certificate were not registered.
    """

    audiences: Collection[str]
    now: float
    clock_skew: float
    strict: bool = False
    algorithms: tuple[str, ...] = ENTRA_ALGORITHMS
    thumbprints: tuple[str, ...] = ("x5t#S256", "x5t", "kid")
    certificates_known: bool = True


class ReplayGuard:
    """Remembers each ``jti`` for as long as its assertion lives (RFC 7523 section 3, item 7); thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], float] = {}

    def first_use(self, client_id: str, jti: str, *, until: float, now: float) -> bool:
        """Return whether ``jti`` is new, and remember it until ``until``, seconds since the epoch."""
        with self._lock:
            self._seen = {key: end for key, end in self._seen.items() if end >= now}
            if (client_id, jti) in self._seen:
                return False
            self._seen[client_id, jti] = until
            return True


def verify_assertion(
    assertion: str, client_id: str, application: Application, expectation: Expectation, replays: ReplayGuard
) -> KeyCredential:
    """Verify a client assertion.

    :param assertion: the compact serialization.
    :param client_id: the request's ``client_id``.
    :param application: the application with that id.
    :param expectation: what the assertion must meet.
    :param replays: the assertions that have been used; checked in strict mode only.
    :returns: the certificate that signed it.
    :raises RefusalError: with the AADSTS code of the first fault.
    """
    try:
        jws = parse_compact(assertion, strict=expectation.strict)
        algorithm = jws.header.get("alg")
        if algorithm not in expectation.algorithms:
            raise refuse(5002738, algorithm=algorithm, algorithms=", ".join(expectation.algorithms))
        thumbprint = _thumbprint(jws, expectation, application)
        _check_identity(jws.claims, client_id)
        credential = _find_key(jws, thumbprint, application, expectation)
        if expectation.strict:
            _check_header(jws.header, credential)
        _check_signature(jws, credential, application)
        _check_audience(jws.claims, expectation)
        expires = _check_times(jws.claims, expectation)
        if expectation.strict:
            _check_fresh(jws.claims, client_id, expires, expectation, replays)
    except MalformedError as error:
        raise refuse(50027, reason=f"[Reason - {error}.]") from error
    return credential


def _thumbprint(jws: CompactJws, expectation: Expectation, application: Application) -> bytes:
    for name in expectation.thumbprints:
        value = jws.header.get(name)
        if value is None:
            continue
        if name != "kid":
            return decode(value, name, strict=expectation.strict)
        # A keyId is the portal's GUID or the hex thumbprint that the portal shows.
        for credential in application.credentials:
            if str(value).lower() in (credential.key_id, credential.sha1.hex()):
                return credential.sha1
        return str(value).encode()
    raise refuse(5002723)


def _check_identity(claims: Mapping[str, object], client_id: str) -> None:
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not issuer:
        raise refuse(90014, field="iss")
    if not subject:
        raise refuse(700022)
    if subject != issuer:
        raise refuse(50048)
    if str(issuer).lower() != client_id.lower():
        raise refuse(700021)
    for name in ("aud", "exp"):
        if not claims.get(name):
            raise refuse(90014, field=name)


def _find_key(jws: CompactJws, thumbprint: bytes, application: Application, expectation: Expectation) -> KeyCredential:
    chain = parse_x5c(jws.header, strict=expectation.strict) if application.trusted_issuers else None
    used = thumbprint.hex().upper()
    credential = next((c for c in application.credentials if c.is_called(thumbprint)), None)
    if not expectation.certificates_known or (credential is None and not (chain and application.trusted_issuers)):
        raise refuse(
            700027,
            reason="The certificate with identifier used to sign the client assertion is not registered on "
            f"application. [Reason - The key was not found., Thumbprint of key used by client: '{used}', Please visit "
            "the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id "
            f"'{application.client_id}'.]",
        )
    if credential is None:
        return trusted_by_name(application, thumbprint, chain or [], expectation.now)
    certificate = credential.certificate
    if expectation.now > certificate.not_valid_after_utc.timestamp():
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        raise refuse(
            700027,
            reason="Client assertion contains an invalid signature. [Reason - The key used is expired. Thumbprint of "
            f"key used by client: '{used}', Found key 'Start={start:%m/%d/%Y %H:%M:%S}, End={end:%m/%d/%Y %H:%M:%S}']",
        )
    if not is_valid_at(certificate, expectation.now):
        raise refuse(1000502)
    return credential


def _check_header(header: Mapping[str, object], credential: KeyCredential) -> None:
    for name, thumbprint in (("x5t", credential.sha1), ("x5t#S256", credential.sha256)):
        if name in header and decode(header[name], name, strict=True) != thumbprint:
            raise MalformedError(f"{name} is not the thumbprint of the signing certificate")
    chain = parse_x5c(header, strict=True)
    if chain and chain[0] != credential.certificate:
        raise MalformedError("x5c does not begin with the signing certificate")


def _check_signature(jws: CompactJws, credential: KeyCredential, application: Application) -> None:
    key = credential.certificate.public_key()
    algorithm = jwt.get_algorithm_by_name(str(jws.header["alg"]))
    # Every accepted algorithm needs an RSA key, so a certificate with another kind of key fails.
    if not isinstance(key, RSAPublicKey) or not algorithm.verify(jws.signing_input, key, jws.signature):
        raise refuse(
            700027,
            reason="Client assertion contains an invalid signature. [Reason - The key was found, but use of the key "
            f"to verify the signature failed., Thumbprint of key used by client: '{credential.sha1.hex().upper()}']",
        )
    if application.is_revoked(credential.certificate):
        raise refuse(7000214)


def _check_audience(claims: Mapping[str, object], expectation: Expectation) -> None:
    audience = claims["aud"]
    # RFC 7519 section 4.1.3 allows an array. Whether Entra does is unconfirmed; strict mode does not.
    values = audience if isinstance(audience, list) and not expectation.strict else [audience]
    if not any(isinstance(value, str) and value in expectation.audiences for value in values):
        raise refuse(700023)


def _check_times(claims: Mapping[str, object], expectation: Expectation) -> float:
    strict, now, skew = expectation.strict, expectation.now, expectation.clock_skew
    times = {name: numeric_date(claims[name], name, strict=strict) for name in ("iat", "nbf", "exp") if name in claims}
    if strict:
        missing = [name for name in ("iat", "nbf", "jti") if name not in claims]
        if missing:
            raise MalformedError(f"'{missing[0]}' is missing")
        if times["exp"] - times["nbf"] not in STRICT_LIFETIMES:
            raise MalformedError("'exp' is not 5 to 10 minutes after 'nbf'")
    # MSAL for Python omits nbf; iat then begins the validity.
    start, end = times.get("nbf", times.get("iat")), times["exp"]
    if now >= end + skew or (start is not None and (now < start - skew or start > end)):
        begins = "0001-01-01T00:00:00.0000000Z" if start is None else utc_text(start)
        raise refuse(700024, now=utc_text(now), start=begins, end=utc_text(end))
    return end


def _check_fresh(
    claims: Mapping[str, object], client_id: str, expires: float, expectation: Expectation, replays: ReplayGuard
) -> None:
    jti = claims["jti"]
    if not isinstance(jti, str) or not jti:
        raise MalformedError("'jti' is not a string")
    until = expires + expectation.clock_skew
    if not replays.first_use(client_id.lower(), jti, until=until, now=expectation.now):
        raise MalformedError("'jti' has been used before")
