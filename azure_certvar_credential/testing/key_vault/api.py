"""The REST API of the local Key Vault: certificates, keys and secrets.

https://learn.microsoft.com/rest/api/keyvault/; the JSON is the same for every ``api-version`` that clients send.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
from dataclasses import dataclass, field
from typing import Literal, cast

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from azure_certvar_credential._json import parse_json
from azure_certvar_credential.testing.credentials import sha1_thumbprint
from azure_certvar_credential.testing.http import Request
from azure_certvar_credential.testing.jose import encode
from azure_certvar_credential.testing.key_vault.access import PERMISSIONS, VaultError
from azure_certvar_credential.testing.key_vault.material import PEM, PKCS12, Version, load_key_pair

Kind = Literal["certificates", "keys", "secrets"]

_PATH = re.compile(
    r"/(?P<kind>certificates|keys|secrets)(?:/(?P<name>[0-9A-Za-z-]{1,127})(?:/(?P<version>(?!import/?$)[0-9A-Za-z-]*))?)?"
    r"(?P<action>/sign|/import)?/?"
)
_SINGULAR = {"certificates": "certificate", "keys": "key", "secrets": "secret"}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the API.

    :ivar kind: the collection.
    :ivar name: the certificate's name; empty for all.
    :ivar version: the version's id; empty for the newest.
    :ivar permission: the permission that it needs, by its name in access policies.
    """

    kind: Kind
    name: str
    version: str
    permission: str


def read_call(request: Request) -> Call:
    """Parse a request.

    :raises VaultError: the path, the method or the query is not one of the API.
    """
    match = _PATH.fullmatch(request.path)
    if match is None:
        raise VaultError(404, "NotFound", f"This vault has no path {request.path}.")
    kind = cast("Kind", match["kind"])
    name, version = match["name"] or "", match["version"] or ""
    lists = kind == "certificates" and (not name or version == "versions")
    permission = f"{kind}{match['action'] or ('/list' if lists else '/get')}"
    if permission not in PERMISSIONS or (not name and not lists):
        raise VaultError(404, "NotFound", f"This vault has no path {request.path}.")
    wanted = "POST" if match["action"] else "GET"
    if request.method != wanted:
        raise VaultError(405, "MethodNotAllowed", "The method is not allowed here.", headers={"Allow": wanted})
    if "api-version" not in request.query:
        raise VaultError(400, "BadParameter", "api-version must be specified")
    return Call(kind, name, version, permission)


@dataclass(slots=True)
class Store:
    """The certificates and their versions; thread-safe.

    :ivar page_size: the largest number of items on a page of a list.
    """

    page_size: int
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _certificates: dict[str, tuple[Version, ...]] = field(default_factory=dict)

    def add(self, name: str, version: Version) -> None:
        """Add a version as the newest."""
        with self._lock:
            self._certificates[name.lower()] = (*self._certificates.get(name.lower(), ()), version)

    def versions(self, name: str) -> tuple[Version, ...]:
        """Return the versions of a certificate, oldest first; none if the certificate is unknown."""
        return self._certificates.get(name.lower(), ())

    def find(self, call: Call) -> Version:
        """Find the version that a call names.

        :raises VaultError: the version does not exist.
        """
        for version in reversed(self.versions(call.name)):
            if call.version in ("", version.id):
                return version
        what = _SINGULAR[call.kind]
        raise VaultError(
            404,
            f"{what.capitalize()}NotFound",
            f"A {what} with (name/id) {call.name}{f'/{call.version}' if call.version else ''} was not found in this "
            f"key vault. If you recently deleted this {what} you may be able to recover it using the correct recovery "
            "command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182",
        )

    def answer(self, request: Request, call: Call, now: float) -> dict[str, object]:
        """Answer an authorized call.

        :param now: seconds since the epoch.
        :raises VaultError: the version does not exist or may not be used, or the request is malformed.
        """
        if call.permission == "certificates/list":
            return self._list(request, call)
        if call.permission == "certificates/import":
            version = _imported(request, now)
            self.add(call.name, version)
            return _certificate(request.base, call.name, version)
        version = self.find(call)
        match call.permission:
            case "certificates/get":
                return _certificate(request.base, call.name, version)
            case "keys/get":
                _check_enabled(call, version)
                key_id = _identifier(request.base, "keys", call.name, version)
                key = {"kid": key_id, **version.public_jwk()}
                return {"key": key, "attributes": _attributes(version), "managed": True}
            case "keys/sign":
                return _sign(request, call, version, now)
        _check_enabled(call, version)
        return {
            "value": version.secret_value(),
            "contentType": version.content_type,
            "id": _identifier(request.base, "secrets", call.name, version),
            "managed": True,
            "attributes": _attributes(version),
            "kid": _identifier(request.base, "keys", call.name, version),
        }

    def _list(self, request: Request, call: Call) -> dict[str, object]:
        if call.name:
            # Key Vault promises no order. The newest version comes last here, so that no client relies on its position.
            items = [_item(request.base, call.name, version) for version in self.versions(call.name)]
            if not items:
                self.find(Call("certificates", call.name, "", call.permission))
        else:
            with self._lock:
                newest = [(name, versions[-1]) for name, versions in self._certificates.items()]
            items = [_item(request.base, name, version) for name, version in newest]
        try:
            size = min(int(request.query.get("maxresults", self.page_size)), self.page_size)
            start = int(request.query.get("$skiptoken", "0"))
        except ValueError as error:
            raise VaultError(400, "BadParameter", "maxresults or $skiptoken is not a number") from error
        link = None
        if start + size < len(items):
            api = request.query["api-version"]
            link = f"{request.base}{request.path}?api-version={api}&$skiptoken={start + size}&maxresults={size}"
        return {"value": items[start : start + size], "nextLink": link}


def _check_enabled(call: Call, version: Version, operation: str = "get") -> None:
    if not version.enabled:
        what = _SINGULAR[call.kind]
        message = f"Operation {operation} is not allowed on a disabled {what}."
        raise VaultError(403, "Forbidden", message, f"{what.capitalize()}Disabled")


def _sign(request: Request, call: Call, version: Version, now: float) -> dict[str, object]:
    _check_enabled(call, version, "sign")
    if now >= version.expires:
        raise VaultError(403, "Forbidden", "Operation sign is not allowed on an expired key.", "KeyExpired")
    if now < version.not_before:
        raise VaultError(403, "Forbidden", "Operation sign is not allowed on a key not yet valid.", "KeyNotYetValid")
    try:
        body = parse_json(request.body)
        algorithm, text = body["alg"], body["value"]
        digest = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        signature = version.sign(algorithm, digest)
    except (ValueError, TypeError, KeyError, binascii.Error) as error:
        raise VaultError(400, "BadParameter", f"The request is not valid: {error}") from error
    return {"kid": _identifier(request.base, "keys", call.name, version), "value": encode(signature)}


def _imported(request: Request, now: float) -> Version:
    """Read an import: https://learn.microsoft.com/rest/api/keyvault/certificates/import-certificate."""
    try:
        body = parse_json(request.body)
        content = body["value"] if body["value"].startswith("-----") else base64.b64decode(body["value"])
        policy = body.get("policy") or {}
        exportable = (policy.get("key_props") or {}).get("exportable", True)
        content_type = (policy.get("secret_props") or {}).get("contentType", PKCS12)
        pair = load_key_pair(content, body["pwd"].encode() if body.get("pwd") else None)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise VaultError(400, "BadParameter", "The specified PKCS#12 content is not valid.") from error
    leaf = pair.leaf
    start, end = leaf.not_valid_before_utc.timestamp(), leaf.not_valid_after_utc.timestamp()
    return Version(pair, exportable, content_type, now, True, start, end)  # noqa: FBT003 - enabled


def _certificate(base: str, name: str, version: Version) -> dict[str, object]:
    leaf = version.pair.leaf
    key_properties: dict[str, object] = {"exportable": version.exportable, "kty": version.key_type()}
    # A policy has one of these two types, whatever the secret's own type.
    policy_content_type = version.content_type if version.content_type in (PKCS12, PEM) else PKCS12
    key_properties |= {"key_size": version.pair.key.key_size, "reuse_key": False}
    if isinstance(version.pair.key, ec.EllipticCurvePrivateKey):
        key_properties["crv"] = version.public_jwk()["crv"]
    return {
        **_item(base, name, version),
        "kid": _identifier(base, "keys", name, version),
        "sid": _identifier(base, "secrets", name, version),
        "cer": base64.b64encode(leaf.public_bytes(Encoding.DER)).decode(),
        "policy": {
            "id": f"{base}/certificates/{name}/policy",
            "key_props": key_properties,
            "secret_props": {"contentType": policy_content_type},
            "x509_props": {"subject": leaf.subject.rfc4514_string(), "key_usage": ["digitalSignature"]},
            "issuer": {"name": "Self"},
            "attributes": {"enabled": True, "created": int(version.created), "updated": int(version.created)},
        },
    }


def _item(base: str, name: str, version: Version) -> dict[str, object]:
    return {
        "id": _identifier(base, "certificates", name, version),
        "x5t": encode(sha1_thumbprint(version.pair.leaf)),
        "attributes": _attributes(version),
        "subject": version.pair.leaf.subject.rfc4514_string(),
    }


def _attributes(version: Version) -> dict[str, object]:
    return {
        "enabled": version.enabled,
        "nbf": int(version.not_before),
        "exp": int(version.expires),
        "created": int(version.created),
        "updated": int(version.created),
        "recoveryLevel": "Recoverable+Purgeable",
        "recoverableDays": 90,
    }


def _identifier(base: str, kind: Kind, name: str, version: Version) -> str:
    return f"{base}/{kind}/{name}/{version.id}"
