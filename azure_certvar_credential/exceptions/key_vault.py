"""What goes wrong with a certificate in Azure Key Vault.

In each example, ``credential`` has a :class:`~azure_certvar_credential.keyvault.KeyVaultCertificate` as its source.
"""

from __future__ import annotations

from azure_certvar_credential.exceptions.arguments import CertificateSourceError


class KeyVaultError(CertificateSourceError):
    """Azure Key Vault did not return the certificate, or did not sign. Base of the more exact classes below.

    >>> try:
    ...     credential.get_token("https://graph.microsoft.com/.default")
    ... except KeyVaultError as error:
    ...     print(error.status_code, error.code, error)
    403 AccessDenied could not read the private key out of the secret app, version ...: the credential lacks ...

    :ivar status_code: the HTTP status of its answer, or None if there was none.
    :ivar code: Key Vault's error code, such as ``ForbiddenByRbac``, or None.
    """

    def __init__(self, message: str, *, status_code: int | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.code = code


class KeyVaultPermissionError(KeyVaultError):
    """The credential lacks a permission in the vault; the message names it, and a role that has it.

    >>> try:
    ...     credential.get_token("https://graph.microsoft.com/.default")
    ... except KeyVaultPermissionError as error:
    ...     print(error)
    could not read the private key ...: the credential lacks the permission secrets/get. Assign it the role ...
    """


class KeyVaultNotFoundError(KeyVaultError):
    """The vault has no certificate, secret or key of this name and version.

    >>> try:
    ...     credential.get_token("https://graph.microsoft.com/.default")
    ... except KeyVaultNotFoundError as error:
    ...     print(error)
    could not read the certificate orders of https://...: not found; check name, version and vault ...
    """


class KeyVaultVersionError(KeyVaultError):
    """The version is disabled, expired or not yet valid, or no version can be used.

    >>> try:
    ...     credential.get_token("https://graph.microsoft.com/.default")
    ... except KeyVaultVersionError as error:
    ...     print(error)
    none of the 1 versions of the certificate app ... can be used: ... is disabled. Make a new version, or ...
    """


class KeyVaultSecretError(KeyVaultError):
    """The certificate's secret has no private key in it, or another content type.

    >>> try:
    ...     credential.get_token("https://graph.microsoft.com/.default")
    ... except KeyVaultSecretError as error:
    ...     print(error)
    the secret of the certificate app, version ..., of https://... cannot be used: ...
    """


class KeyVaultUnavailableError(KeyVaultError):
    """The vault throttles, is unavailable or unreachable, answers too late, or answers something else.

    >>> try:
    ...     credential.get_token("https://graph.microsoft.com/.default")
    ... except KeyVaultUnavailableError as error:
    ...     print(error)
    could not read the certificate app of https://...: the vault throttles requests for 60 s ...
    """
