"""Certificates and client assertions made by hand with ``cryptography`` and PyJWT: nothing of ours signs."""

from __future__ import annotations

import base64
import functools
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from azure_certvar_credential.testing import Application, EntraEmulator, Request, Response

NOW = 1_800_000_000
HOST = "https://login.microsoftonline.com"
STORAGE = "https://storage.azure.com/.default"
DAY = 86_400
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ON_BEHALF_OF = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PROTECTED = "api://protected/.default"

_count = itertools.count()

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Encoder = Callable[[bytes], str]


@functools.cache
def rsa_key(name: str = "app") -> rsa.RSAPrivateKey:
    """One key for each name in the whole run: making them is what takes time."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@functools.cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def certificate(
    key: PrivateKey,
    name: str = "app.contoso.com",
    *,
    issuer: tuple[x509.Certificate, PrivateKey] | None = None,
    start: float = -DAY,
    end: float = 365 * DAY,
    dns: tuple[str, ...] = (),
    at: float = NOW,
) -> x509.Certificate:
    """A certificate whose validity begins and ends so many seconds from ``at``."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    moment = datetime.fromtimestamp(at, timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment + timedelta(seconds=start))
        .not_valid_after(moment + timedelta(seconds=end))
    )
    if dns:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(d) for d in dns]), critical=False)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256())


def der(value: x509.Certificate) -> bytes:
    return value.public_bytes(serialization.Encoding.DER)


def pem(value: x509.Certificate) -> bytes:
    return value.public_bytes(serialization.Encoding.PEM)


def key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def padded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def standard(data: bytes) -> str:
    return base64.b64encode(data).decode()


def sha1(value: x509.Certificate) -> bytes:
    return value.fingerprint(hashes.SHA1())  # noqa: S303 - the thumbprint that x5t names


def sha256(value: x509.Certificate) -> bytes:
    return value.fingerprint(hashes.SHA256())


def sign(
    header: Mapping[str, Any] | bytes,
    claims: Mapping[str, Any] | bytes,
    key: PrivateKey | bytes | None,
    *,
    encode: Encoder = b64url,
) -> str:
    """Build a compact JWS; what is bytes already goes in as it is."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    signing_input = ".".join(map(encode, parts))
    algorithm = header.get("alg") if isinstance(header, Mapping) else "RS256"
    signature = b"no signature"
    if algorithm == "none":
        signature = b""
    elif isinstance(algorithm, str) and key is not None:
        signature = jwt.get_algorithm_by_name(algorithm).sign(signing_input.encode(), key)
    return f"{signing_input}.{encode(signature)}"


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class World:
    """A local Entra with one application that signs with one certificate."""

    clock: Clock
    entra: EntraEmulator
    certificate: x509.Certificate
    application: Application
    base: str = HOST

    @property
    def token_url(self) -> str:
        return f"{self.base}/{self.application.tenant_id}/oauth2/v2.0/token"

    def header(self, **changes: Any) -> dict[str, Any]:
        """The header that Microsoft documents; None takes a parameter away, ``x5t_s256`` stands for ``x5t#S256``."""
        header = {"alg": "PS256", "typ": "JWT", "x5t#S256": b64url(sha256(self.certificate))}
        changes = {("x5t#S256" if name == "x5t_s256" else name): value for name, value in changes.items()}
        return {name: value for name, value in {**header, **changes}.items() if value is not None}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims that Microsoft documents; None takes one away."""
        client_id, now = self.application.client_id, int(self.clock())
        claims = {
            "aud": self.token_url,
            "iss": client_id,
            "sub": client_id,
            "jti": f"jti-{next(_count)}",
            "iat": now,
            "nbf": now,
            "exp": now + 600,
        }
        return {name: value for name, value in {**claims, **changes}.items() if value is not None}

    def assertion(
        self,
        header: Mapping[str, Any] | None = None,
        claims: Mapping[str, Any] | None = None,
        *,
        key: PrivateKey | bytes | None = None,
        encode: Encoder = b64url,
    ) -> str:
        """An assertion with these changes of header and claims."""
        return sign(self.header(**(header or {})), self.claims(**(claims or {})), key or rsa_key(), encode=encode)

    def form(self, **changes: str | None) -> dict[str, str]:
        """The form of a good request; None takes a parameter away."""
        form: dict[str, str | None] = {
            "client_id": self.application.client_id,
            "scope": STORAGE,
            "grant_type": "client_credentials",
            "client_assertion_type": JWT_BEARER,
            "client_assertion": changes.get("client_assertion", "") or self.assertion(),
        }
        return {name: value for name, value in {**form, **changes}.items() if value is not None}

    def obo_form(self, assertion: str, scope: str = PROTECTED, **changes: str | None) -> dict[str, str]:
        """The form of a good request on behalf of the user whose assertion this is."""
        grant: dict[str, str | None] = {
            "grant_type": ON_BEHALF_OF,
            "requested_token_use": "on_behalf_of",
            "assertion": assertion,
            "scope": scope,
        }
        return self.form(**{**grant, **changes})

    def post(
        self, form: Mapping[str, str] | bytes | None = None, *, url: str | None = None, **headers: str
    ) -> Response:
        """Send a form, by default a good one, to the token endpoint."""
        body = form if isinstance(form, bytes) else urlencode(self.form() if form is None else form).encode()
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.entra.handle(Request("POST", url or self.token_url, fields, body))

    def get(self, path: str, **headers: str) -> Response:
        return self.entra.handle(Request("GET", f"{self.base}{path}", headers))

    def token(self, scope: str = STORAGE, **form: str) -> str:
        """Get an access token."""
        response = self.post(self.form(scope=scope, **form))
        assert response.status == 200, response.body
        return str(response.json()["access_token"])


def unverified(token: str) -> dict[str, Any]:
    """The claims of a token, which nobody has verified."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def refused(response: Response) -> tuple[int, str, list[int]]:
    """Status, OAuth error and AADSTS codes of an answer."""
    body = response.json()
    return response.status, body.get("error", ""), body.get("error_codes", [])
