"""Every error and warning of this package.

There are two families:

* the caller's arguments are wrong: subclasses of :class:`ValueError`, raised before anything is sent
  (:class:`ConfigurationError`, :class:`CertificateError` and the classes below them);
* Microsoft Entra ID refuses: subclasses of :class:`azure.core.exceptions.ClientAuthenticationError`, so that
  code written for any Azure credential handles them unchanged (:class:`AuthenticationError` and below).

:class:`CredentialClosedError` is a :class:`RuntimeError`: a closed credential was used.
Failures of the network itself stay azure-core's ``ServiceRequestError`` and ``ServiceResponseError``;
:class:`UntrustedServerError` is one of the former, :class:`AcquisitionTimeoutError` one of the latter.
No message and no attribute of these classes holds a private key, an assertion, a token or a password.

In the examples, ``credential`` meets the error that is caught.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure_certvar_credential.exceptions.arguments import (
    CLOSED as CLOSED,
)
from azure_certvar_credential.exceptions.arguments import (
    AlgorithmWarning,
    AmbiguousPrivateKeyError,
    CertificateError,
    CertificateFormatError,
    CertificateSourceError,
    CertificateWarning,
    ConfigurationError,
    CredentialClosedError,
    KeyMismatchError,
    MissingCertificateError,
    MissingPrivateKeyError,
    PasswordError,
    PasswordRequiredError,
    TenantNotAllowedError,
    UnknownOptionError,
    UnsupportedKeyError,
    WrongPasswordError,
)
from azure_certvar_credential.exceptions.entra import (
    AcquisitionTimeoutError,
    AuthenticationError,
    CertificateRejectedError,
    InteractionRequiredError,
    OnBehalfOfError,
    ResponseFormatError,
    TemporarilyUnavailableError,
    UntrustedServerError,
    UserAssertionRejectedError,
)

if TYPE_CHECKING:
    from azure_certvar_credential.exceptions.key_vault import (
        KeyVaultError,
        KeyVaultNotFoundError,
        KeyVaultPermissionError,
        KeyVaultSecretError,
        KeyVaultUnavailableError,
        KeyVaultVersionError,
    )

__all__ = [
    "AcquisitionTimeoutError",
    "AlgorithmWarning",
    "AmbiguousPrivateKeyError",
    "AuthenticationError",
    "CertificateError",
    "CertificateFormatError",
    "CertificateRejectedError",
    "CertificateSourceError",
    "CertificateWarning",
    "ConfigurationError",
    "CredentialClosedError",
    "InteractionRequiredError",
    "KeyMismatchError",
    "KeyVaultError",
    "KeyVaultNotFoundError",
    "KeyVaultPermissionError",
    "KeyVaultSecretError",
    "KeyVaultUnavailableError",
    "KeyVaultVersionError",
    "MissingCertificateError",
    "MissingPrivateKeyError",
    "OnBehalfOfError",
    "PasswordError",
    "PasswordRequiredError",
    "ResponseFormatError",
    "TemporarilyUnavailableError",
    "TenantNotAllowedError",
    "UnknownOptionError",
    "UnsupportedKeyError",
    "UntrustedServerError",
    "UserAssertionRejectedError",
    "WrongPasswordError",
]


def __getattr__(name: str) -> object:
    if not name.startswith("KeyVault") or name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # For those alone whose certificate is in a vault.
    from azure_certvar_credential.exceptions import key_vault

    return getattr(key_vault, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
