"""Access control of the local Key Vault: the challenge, the bearer token, the permissions.

https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

import jwt

from azure_certvar_credential.testing.entra.directory.resources import resource_client_id
from azure_certvar_credential.testing.http import Conditions, Request, Response, respond_json
from azure_certvar_credential.testing.signing import signing_key

PERMISSIONS = frozenset(
    {"certificates/get", "certificates/import", "certificates/list", "keys/get", "keys/sign", "secrets/get"}
)
"""The permissions of an application, by their names in access policies."""

# The same permissions by their names in role-based access control.
_ACTIONS = {
    "certificates/get": "Microsoft.KeyVault/vaults/certificates/read",
    "certificates/import": "Microsoft.KeyVault/vaults/certificates/import/action",
    "certificates/list": "Microsoft.KeyVault/vaults/certificates/read",
    "keys/get": "Microsoft.KeyVault/vaults/keys/read",
    "keys/sign": "Microsoft.KeyVault/vaults/keys/sign/action",
    "secrets/get": "Microsoft.KeyVault/vaults/secrets/getSecret/action",
}


class VaultError(Exception):
    """An error answer of Key Vault.

    :param status: the HTTP status.
    :param code: the body's ``error.code``.
    :param message: the body's ``error.message``.
    :param inner: the body's ``error.innererror.code``, or None.
    :param headers: additional header fields.
    """

    def __init__(
        self, status: int, code: str, message: str, inner: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.inner, self.headers = status, code, message, inner, headers

    def response(self, conditions: Conditions) -> Response:
        """Build the answer."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if self.inner is not None:
            error["innererror"] = {"code": self.inner}
        return respond_json(conditions, self.status, {"error": error}, headers=self.headers)


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request.

    :ivar client_id: the application.
    :ivar object_id: its service principal.
    :ivar tenant_id: its tenant.
    """

    client_id: str
    object_id: str
    tenant_id: str


class Gate:
    """Authenticates and authorizes callers; thread-safe.

    :param tenant_id: the vault's tenant.
    :param resource: the audience of the accepted tokens.
    :param vault: the vault's name, for messages.
    :param rbac: whether refusals have the wording of role-based access control or that of access policies.
    """

    def __init__(self, tenant_id: str, resource: str, vault: str, *, rbac: bool) -> None:
        self._tenant_id, self._resource, self._vault, self._rbac = tenant_id, resource, vault, rbac
        self._lock = threading.Lock()
        self._allowed: dict[str, frozenset[str]] = {}

    def allow(self, client_id: str, permissions: Iterable[str]) -> None:
        """Give an application exactly these permissions.

        :raises ValueError: a permission is unknown.
        """
        wanted = frozenset(permissions)
        if not wanted <= PERMISSIONS:
            raise ValueError(
                f"unknown permissions {sorted(wanted - PERMISSIONS)}; known permissions: {sorted(PERMISSIONS)}"
            )
        with self._lock:
            self._allowed[client_id.lower()] = wanted

    def authenticate(self, request: Request, now: float) -> Caller:
        """Verify the bearer token.

        :param now: seconds since the epoch.
        :raises VaultError: the token is missing or not accepted; the answer carries the challenge.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise self._unauthorized("AKV10000: Request is missing a Bearer or PoP token.")
        try:
            claims = jwt.decode(
                token.strip(),
                signing_key().private_key.public_key(),
                algorithms=["RS256"],
                audience=[self._resource, f"{self._resource}/", resource_client_id(self._resource)],
                # PyJWT checks times by the computer's clock; the emulator has its own.
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "require": ["exp", "nbf"]},
            )
        except jwt.InvalidTokenError as error:
            raise self._unauthorized(f"AKV10022: Invalid token: {error}", "invalid_token") from error
        if not float(claims["nbf"]) <= now < float(claims["exp"]):
            raise self._unauthorized("AKV10046: The token is not valid at this time.", "invalid_token")
        if claims.get("tid") != self._tenant_id:
            expected = f"https://sts.windows.net/{self._tenant_id}/"
            raise self._unauthorized(
                f"AKV10032: Invalid issuer. Expected one of {expected}, found {claims.get('iss')}.", "invalid_token"
            )
        return Caller(str(claims.get("appid", claims.get("azp"))), str(claims["oid"]), self._tenant_id)

    def authorize(self, caller: Caller, permission: str) -> None:
        """Check a permission.

        :raises VaultError: the caller lacks it.
        """
        with self._lock:
            allowed = self._allowed.get(caller.client_id.lower(), PERMISSIONS)
        if permission in allowed:
            return
        who = f"appid={caller.client_id};oid={caller.object_id};iss=https://sts.windows.net/{caller.tenant_id}/"
        if self._rbac:
            raise VaultError(
                403,
                "Forbidden",
                "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or "
                "role definitions were changed recently, please observe propagation time.\r\n"
                f"Caller: {who}\r\nAction: '{_ACTIONS[permission]}'\r\nAssignment: (not found)\r\nVault: {self._vault}",
                "ForbiddenByRbac",
            )
        kind, _, operation = permission.partition("/")
        raise VaultError(
            403,
            "Forbidden",
            f"The user, group or application '{who}' does not have {kind} {operation} permission on key vault "
            f"'{self._vault};location=localhost'. For help resolving this issue, please see "
            "https://go.microsoft.com/fwlink/?linkid=2125287",
            "AccessDenied",
        )

    def _unauthorized(self, message: str, error: str | None = None) -> VaultError:
        challenge = (
            f'Bearer authorization="https://login.windows.net/{self._tenant_id}", resource="{self._resource}"'
            f"{f', error={chr(34)}{error}{chr(34)}' if error else ''}"
        )
        return VaultError(401, "Unauthorized", message, headers={"WWW-Authenticate": challenge})
