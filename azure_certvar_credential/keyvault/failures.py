"""Turns the failures of Key Vault's clients into errors that name operation, object and remedy.

These errors have neither cause nor response attached, since both hold the request, and with it the token.
https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from azure_certvar_credential._secrecy.known_secrets import without_known
from azure_certvar_credential._transport.attempt import is_untrusted
from azure_certvar_credential.exceptions import (
    ConfigurationError,
    KeyVaultError,
    KeyVaultNotFoundError,
    KeyVaultPermissionError,
    KeyVaultUnavailableError,
    KeyVaultVersionError,
    UntrustedServerError,
)

# Characters of a foreign message that are passed on.
_MOST = 600


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of Key Vault.

    :ivar does: a phrase for "could not …".
    :ivar permission: the permission's name in access policies.
    :ivar role: the narrowest built-in role that has the permission.
    """

    does: str
    permission: str
    role: str


READ_CERTIFICATE = Operation("read the certificate", "certificates/get", "Key Vault Certificate User")
LIST_VERSIONS = Operation("list the versions of the certificate", "certificates/list", "Key Vault Certificate User")
READ_SECRET = Operation("read the private key out of the secret", "secrets/get", "Key Vault Certificate User")
SIGN = Operation("sign with the key", "keys/sign", "Key Vault Crypto User")

_OR_REMOTE = (
    "; or leave the key in the vault with prefer_remote=True, which needs keys/sign (role 'Key Vault Crypto User')"
)
_OR_PINNED = "; or pin a version, which needs no listing"


def explained(
    error: BaseException,
    operation: Operation,
    subject: str,
    trust: Callable[[], str],
    secrets: Collection[str] = (),
) -> BaseException:
    """Return an error of this package for one that a client of Key Vault raised; an interrupt is returned unchanged.

    :param error: the client's error.
    :param operation: the operation that failed.
    :param subject: its object, such as ``app of https://contoso.vault.azure.net``.
    :param trust: returns which certificate authorities the connection trusts.
    :param secrets: what the message must not quote, such as the vault's token and the password of a proxy.
    """
    if not isinstance(error, Exception):
        return error
    head = f"could not {operation.does} {subject}"
    response = getattr(error, "response", None)
    if isinstance(error, HttpResponseError) and response is not None:
        return _answered(error, response, operation, head, secrets)
    if isinstance(error, ClientAuthenticationError):
        return KeyVaultPermissionError(f"{head}: the credential for the vault got no token: {_text(error, secrets)}")
    if isinstance(error, UntrustedServerError):
        return KeyVaultUnavailableError(f"{head}: the credential for the vault got no token: {_text(error, secrets)}")
    if is_untrusted(error):
        return KeyVaultUnavailableError(f"{head}: {_text(error, secrets).rstrip('.')}. {trust()}")
    if isinstance(error, AzureError):
        return KeyVaultUnavailableError(
            f"{head}: no answer ({type(error).__name__}). Check the vault's URL, and that this machine can reach it: "
            f"{_text(error, secrets)}"
        )
    if isinstance(error, ValueError) and "verify_challenge_resource" in str(error):
        return ConfigurationError(
            f"{head}: the host is not a Key Vault of this token's service: {_text(error, secrets)}"
        )
    if isinstance(error, (ValueError, TypeError, KeyError, AttributeError)):
        # The clients do not check an answer's form, and fail with any of these on one that Key Vault did not give.
        return KeyVaultUnavailableError(
            f"{head}: the answer is not Key Vault's JSON. Does a proxy or gateway answer at this address? "
            f"({type(error).__name__})"
        )
    return KeyVaultError(f"{head}: {type(error).__name__}: {_text(error, secrets)}")


def _answered(
    error: HttpResponseError, response: Any, operation: Operation, head: str, secrets: Collection[str]
) -> KeyVaultError:
    status = int(response.status_code)
    code, inner, message = _body(error, secrets)
    details: dict[str, Any] = {"status_code": status, "code": inner or code}
    facts = f" (HTTP {status}{f', {inner or code}' if inner or code else ''}{f': {message}' if message else ''})"
    if status == 404 and code is not None:
        return KeyVaultNotFoundError(f"{head}: not found; check name, version and vault{facts}", **details)
    if status == 403 and (inner or "").endswith(("Disabled", "Expired", "NotYetValid")):
        return KeyVaultVersionError(f"{head}: this version cannot be used{facts}", **details)
    if status == 403 and inner in ("ForbiddenByFirewall", "ForbiddenByConnection"):
        return KeyVaultPermissionError(f"{head}: the vault's network rules exclude this machine{facts}", **details)
    if status == 403:
        other = {"secrets/get": _OR_REMOTE, "certificates/list": _OR_PINNED}.get(operation.permission, "")
        return KeyVaultPermissionError(
            f"{head}: the credential lacks the permission {operation.permission}. Assign it the role "
            f"{operation.role!r}, or allow {operation.permission} in the vault's access policy{other}{facts}",
            **details,
        )
    if status == 401:
        return KeyVaultPermissionError(
            f"{head}: the vault rejects the credential's token. Are both of the same tenant and cloud?{facts}",
            **details,
        )
    if status == 429:
        after = response.headers.get("Retry-After")
        wait = f" for {_line(after, secrets)} s" if after else ""
        return KeyVaultUnavailableError(f"{head}: the vault throttles requests{wait}{facts}", **details)
    if status >= 500:
        return KeyVaultUnavailableError(f"{head}: the vault is unavailable{facts}", **details)
    if code is None:
        return KeyVaultUnavailableError(
            f"{head}: the answer is not Key Vault's. Does a proxy or gateway answer at this address?{facts}",
            **details,
        )
    return KeyVaultError(f"{head}: the vault refused{facts}", **details)


def _body(error: HttpResponseError, secrets: Collection[str]) -> tuple[str | None, str | None, str]:
    """Return code, inner code and message of Key Vault's error body; None, None and "" if it is not one."""
    body = error.error
    if body is None or not isinstance(body.code, str):
        return None, None, ""
    inner = body.innererror.get("code") if isinstance(body.innererror, dict) else None
    codes = [_line(code, secrets) if isinstance(code, str) else None for code in (body.code, inner)]
    return codes[0], codes[1], _line(body.message or "", secrets)


def _text(error: Exception, secrets: Collection[str]) -> str:
    return _line(getattr(error, "message", None) or error, secrets)


def _line(text: object, secrets: Collection[str]) -> str:
    # Shortened last: half a secret no longer equals it.
    return without_known(" ".join(str(text).split()), secrets)[:_MOST]
