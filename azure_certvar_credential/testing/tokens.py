"""Issues access tokens in the two forms of Entra, signed with a key that real resource servers find through JWKS.

https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
"""

from __future__ import annotations

import base64
import functools
import json
import secrets
import threading
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from azure_certvar_credential.testing.credentials import sha1_thumbprint
from azure_certvar_credential.testing.jose import MalformedError, encode
from azure_certvar_credential.testing.model import Application, Tenant

_MAX_ISSUED = 10_000


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key of the emulator, of which the process has one.

    :ivar private_key: signs access tokens; in memory only.
    :ivar certificate: the self-signed certificate around its public half.
    """

    private_key: rsa.RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate

    @property
    def key_id(self) -> str:
        """``kid`` and ``x5t`` of the tokens: base64url of the certificate's SHA-1, as Entra has it."""
        return encode(sha1_thumbprint(self.certificate))

    def jwk(self) -> dict[str, object]:
        """The public half as a JSON Web Key (RFC 7517)."""
        numbers = self.private_key.public_key().public_numbers()
        der = self.certificate.public_bytes(Encoding.DER)
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.key_id,
            "x5t": self.key_id,
            "n": encode(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")),
            "e": encode(numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8, "big")),
            "x5c": [base64.b64encode(der).decode()],
        }


_signing_key_lock = threading.Lock()


def signing_key() -> SigningKey:
    """Return the key of the process; the first caller waits while it is made, some tenths of a second."""
    # The cache alone would let two first callers make a key each.
    with _signing_key_lock:
        return _make_signing_key()


@functools.cache
def _make_signing_key() -> SigningKey:
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "EntraEmulator token signing")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        # Wide, because the emulator's clock may be set to any time.
        .not_valid_before(datetime(2000, 1, 1, tzinfo=timezone.utc))
        .not_valid_after(datetime(2099, 12, 31, tzinfo=timezone.utc))
        .sign(private_key, hashes.SHA256())
    )
    return SigningKey(private_key, certificate)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token is issued for.

    :ivar base: scheme and host of the emulator as the client called it.
    :ivar tenant: the tenant that issues.
    :ivar application: the caller.
    :ivar resource: the resource, without a slash at its end.
    :ivar version: the form of token that the resource takes, 1 or 2.
    :ivar now: seconds since the epoch.
    :ivar lifetime: seconds.
    :ivar requested: the ``access_token`` member of the request's ``claims`` parameter.
    """

    base: str
    tenant: Tenant
    application: Application
    resource: str
    version: int
    now: float
    lifetime: float
    requested: Mapping[str, object]


class TokenIssuer:
    """Issues tokens, and remembers which claims each was asked for with; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._issued: OrderedDict[str, tuple[int, Mapping[str, object]]] = OrderedDict()
        self._count = 0

    @property
    def count(self) -> int:
        """How many tokens were issued so far."""
        return self._count

    def issue(self, grant: Grant) -> str:
        """Issue an access token, a JWT under RS256."""
        uti = encode(secrets.token_bytes(16))
        with self._lock:
            self._count += 1
            self._issued[uti] = (self._count, grant.requested)
            if len(self._issued) > _MAX_ISSUED:
                self._issued.popitem(last=False)
        key = signing_key()
        return jwt.encode(
            _claims(grant, uti),
            key.private_key,
            algorithm="RS256",
            headers={"kid": key.key_id, **({"x5t": key.key_id} if grant.version == 1 else {})},
        )

    def answers(self, uti: object, challenge: Mapping[str, object], since: int) -> bool:
        """Tell whether a token was issued in answer to a claims challenge.

        :param uti: the token's ``uti``.
        :param challenge: the ``access_token`` member of the challenge.
        :param since: the value of :attr:`count` when the challenge was made.
        """
        with self._lock:
            number, requested = self._issued.get(str(uti), (0, {}))
        return number > since and all(requested.get(name) == value for name, value in challenge.items())


def _claims(grant: Grant, uti: str) -> dict[str, object]:
    tenant_id, application = grant.tenant.tenant_id, grant.application
    object_id = application.object_ids[tenant_id]
    issued = int(grant.now)
    claims: dict[str, object] = {
        "iat": issued,
        "nbf": issued,
        "exp": int(grant.now + grant.lifetime),
        "oid": object_id,
        "sub": object_id,
        "tid": tenant_id,
        "uti": uti,
    }
    if grant.version == 1:
        issuer = f"https://sts.windows.net/{tenant_id}/"
        claims |= {"aud": grant.resource, "iss": issuer, "idp": issuer, "ver": "1.0"}
        # "2" says that the client authenticated with a certificate.
        claims |= {"appid": application.client_id, "appidacr": "2"}
    else:
        claims |= {"aud": resource_client_id(grant.resource), "iss": f"{grant.base}/{tenant_id}/v2.0", "ver": "2.0"}
        claims |= {"azp": application.client_id, "azpacr": "2"}
    if application.roles:
        claims["roles"] = list(application.roles)
    if wants_cae(grant.requested):
        claims["xms_cc"] = ["CP1"]
    return claims


def resource_client_id(resource: str) -> str:
    """The application id of a resource, which is the audience of its v2 tokens.

    :param resource: its identifier, such as ``api://c0ffee00-0000-0000-0000-000000000000`` or a URL. A GUID at the
        end is the id itself; for any other identifier the same id comes out every time.
    """
    last = resource.rsplit("/", 1)[-1]
    try:
        return str(uuid.UUID(last))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, resource))


def wants_cae(requested: Mapping[str, object]) -> bool:
    """Tell whether the client says that it handles claims challenges (client capability ``CP1``)."""
    capability = requested.get("xms_cc")
    return isinstance(capability, dict) and "CP1" in (capability.get("values") or [])


def parse_claims_request(text: str) -> Mapping[str, object]:
    """Read the ``claims`` parameter (OpenID Connect Core section 5.5).

    :param text: a JSON object.
    :returns: its ``access_token`` member; empty if it has none.
    :raises MalformedError: it is not such an object.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedError("the claims request is not JSON") from error
    requested = value.get("access_token") or {} if isinstance(value, dict) else None
    if not isinstance(requested, dict):
        raise MalformedError("the claims request is not a JSON object of JSON objects")
    return requested
