"""What went wrong with a vault, in words: what, with which name, and what to do.

The errors made here have no cause and no response attached: those hold the request, and with it the token.
https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from azure_certvar_credential.exceptions import (
    ConfigurationError,
    KeyVaultError,
    KeyVaultNotFoundError,
    KeyVaultPermissionError,
    KeyVaultUnavailableError,
    KeyVaultVersionError,
)

# Of what a server or a library says, so much is passed on.
_MOST = 600


@dataclass(frozen=True, slots=True)
class Operation:
    """What is done in the vault.

    :ivar does: in words, after "to".
    :ivar permission: its name in access policies.
    :ivar role: the narrowest built-in role that has it.
    """

    does: str
    permission: str
    role: str


READ_CERTIFICATE = Operation("read the certificate", "certificates/get", "Key Vault Certificate User")
LIST_VERSIONS = Operation("list the versions of the certificate", "certificates/list", "Key Vault Certificate User")
READ_SECRET = Operation("read the private key out of the secret", "secrets/get", "Key Vault Certificate User")
SIGN = Operation("sign with the key", "keys/sign", "Key Vault Crypto User")

_OR_REMOTE = "; or leave the key there with prefer_remote=True, which needs keys/sign (role 'Key Vault Crypto User')"
_OR_PINNED = "; or pin a version, which needs no list"


def explained(error: BaseException, operation: Operation, subject: str) -> BaseException:
    """Turn what a client of Key Vault raised into an error of this package; an interrupt stays what it is.

    :param error: what it raised.
    :param operation: what was to be done.
    :param subject: with what, such as ``app in https://contoso.vault.azure.net``.
    """
    if not isinstance(error, Exception):
        return error
    head = f"could not {operation.does} {subject}"
    response = getattr(error, "response", None)
    if isinstance(error, HttpResponseError) and response is not None:
        return _answered(error, response, operation, head)
    if isinstance(error, ClientAuthenticationError):
        return KeyVaultPermissionError(f"{head}: the vault's credential got no token: {_text(error)}")
    if isinstance(error, AzureError):
        return KeyVaultUnavailableError(
            f"{head}: no answer ({type(error).__name__}); is the vault's URL right, and can it be reached from here? "
            f"{_text(error)}"
        )
    if isinstance(error, ValueError) and "verify_challenge_resource" in str(error):
        return ConfigurationError(f"{head}: this host is not one of Key Vault's: {_text(error)}")
    if isinstance(error, (ValueError, TypeError, KeyError, AttributeError)):
        # The clients meet an answer that is not Key Vault's with whatever exception comes of it.
        return KeyVaultUnavailableError(
            f"{head}: the answer is not Key Vault's JSON; is something else at this address, a proxy or a gateway? "
            f"({type(error).__name__})"
        )
    return KeyVaultError(f"{head}: {type(error).__name__}: {_text(error)}")


def _answered(error: HttpResponseError, response: Any, operation: Operation, head: str) -> KeyVaultError:
    status = int(response.status_code)
    code, inner, said = _body(error)
    details: dict[str, Any] = {"status_code": status, "code": inner or code}
    told = f" (HTTP {status}{f', {inner or code}' if inner or code else ''}{f': {said}' if said else ''})"
    if status == 404 and code is not None:
        return KeyVaultNotFoundError(f"{head}: it is not there; check name, version and vault{told}", **details)
    if status == 403 and (inner or "").endswith(("Disabled", "Expired", "NotYetValid")):
        return KeyVaultVersionError(f"{head}: this version cannot be used{told}", **details)
    if status == 403 and inner in ("ForbiddenByFirewall", "ForbiddenByConnection"):
        return KeyVaultPermissionError(f"{head}: the vault's network rules do not let this machine in{told}", **details)
    if status == 403:
        other = {"secrets/get": _OR_REMOTE, "certificates/list": _OR_PINNED}.get(operation.permission, "")
        return KeyVaultPermissionError(
            f"{head}: the credential lacks the permission {operation.permission}. Assign it the role "
            f"{operation.role!r}, or allow {operation.permission} in the vault's access policy{other}{told}",
            **details,
        )
    if status == 401:
        return KeyVaultPermissionError(
            f"{head}: the vault does not take the credential's token; are both of the same tenant and cloud?{told}",
            **details,
        )
    if status == 429:
        after = response.headers.get("Retry-After")
        wait = f", and asks to wait {after} s" if after else ""
        return KeyVaultUnavailableError(f"{head}: the vault throttles{wait}{told}", **details)
    if status >= 500:
        return KeyVaultUnavailableError(f"{head}: the vault is out of order{told}", **details)
    if code is None:
        return KeyVaultUnavailableError(
            f"{head}: the answer is not Key Vault's; is something else at this address, a proxy or a gateway?{told}",
            **details,
        )
    return KeyVaultError(f"{head}: it was refused{told}", **details)


def _body(error: HttpResponseError) -> tuple[str | None, str | None, str]:
    """Code, inner code and message of Key Vault's error body; None and nothing if the body is another."""
    body = error.error
    if body is None or not isinstance(body.code, str):
        return None, None, ""
    inner = body.innererror.get("code") if isinstance(body.innererror, dict) else None
    return body.code, inner if isinstance(inner, str) else None, _line(body.message or "")


def _text(error: Exception) -> str:
    return _line(getattr(error, "message", None) or str(error))


def _line(text: object) -> str:
    return " ".join(str(text).split())[:_MOST]
