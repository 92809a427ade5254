"""Every error and warning of this package.

Two families, told apart by whose fault it is:

* what the caller handed over is wrong: subclasses of :class:`ValueError`, raised before the network is touched
  (:class:`ConfigurationError`, :class:`CertificateError` and the classes below them);
* what Microsoft Entra ID answered: subclasses of :class:`azure.core.exceptions.ClientAuthenticationError`, so that
  code written for any Azure credential handles them unchanged (:class:`AuthenticationError` and below).

:class:`CredentialClosedError` is a :class:`RuntimeError`: a credential was used after its end.
Failures of the network itself stay azure-core's ``ServiceRequestError`` and ``ServiceResponseError``.
No message and no attribute of these classes holds a private key, an assertion, a token or a password.
"""

from __future__ import annotations

from base64 import b64encode

from azure.core.exceptions import ClientAuthenticationError

__all__ = [
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
    "UserAssertionRejectedError",
    "WrongPasswordError",
]


class ConfigurationError(ValueError):
    """A tenant, client id, authority, scope, algorithm or option that cannot work."""


class UnknownOptionError(ConfigurationError, TypeError):
    """A keyword argument that nobody knows; also a :class:`TypeError`, as Python itself would raise."""


CLOSED = "this credential is closed; make a new one, or close it later: it can serve any number of clients"


class CredentialClosedError(RuntimeError):
    """A token was asked of a credential after its ``close()``."""


class TenantNotAllowedError(ClientAuthenticationError, ConfigurationError):
    """A token of a tenant was asked for that the credential was not allowed to serve.

    Also azure-core's ``ClientAuthenticationError``, because Azure clients ask for another tenant on their own when a
    service challenges them, and their callers handle that class.
    """


class CertificateError(ValueError):
    """A certificate, private key or password that cannot be used. Base of the more exact classes below."""


class CertificateSourceError(CertificateError):
    """The callable that the certificate should come from raised, and it has never succeeded before."""


class KeyVaultError(CertificateSourceError):
    """Azure Key Vault did not give the certificate, or did not sign. Base of the more exact classes below.

    :ivar status_code: the HTTP status of its answer, or None if there was none.
    :ivar code: Key Vault's code for what is wrong, such as ``ForbiddenByRbac``, or None.
    """

    def __init__(self, message: str, *, status_code: int | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.code = code


class KeyVaultPermissionError(KeyVaultError):
    """The credential may not do this in the vault; the message names the permission and the role that has it."""


class KeyVaultNotFoundError(KeyVaultError):
    """The vault has no certificate, secret or key of this name and version."""


class KeyVaultVersionError(KeyVaultError):
    """The version is disabled, expired or not valid yet, or none of the versions can be used."""


class KeyVaultSecretError(KeyVaultError):
    """The certificate's secret is not what it should be: no private key in it, or of another content type."""


class KeyVaultUnavailableError(KeyVaultError):
    """The vault throttles, is out of order, cannot be reached, does not answer in time, or answers something else."""


class CertificateFormatError(CertificateError):
    """The data is none of the known forms, or it is one of them and damaged."""


class MissingPrivateKeyError(CertificateError):
    """There are certificates, but no private key to sign with."""


class MissingCertificateError(CertificateError):
    """There is a private key, but no certificate."""


class AmbiguousPrivateKeyError(CertificateError):
    """There is more than one private key, so it is not clear which one to sign with."""


class KeyMismatchError(CertificateError):
    """The private key belongs to none of the certificates."""


class UnsupportedKeyError(CertificateError):
    """The key's type, size or curve is one that Microsoft Entra ID does not take."""


class PasswordError(CertificateError):
    """Something is the matter with the password of an encrypted key or PFX."""


class PasswordRequiredError(PasswordError):
    """The data is encrypted and no password was given."""


class WrongPasswordError(PasswordError):
    """The data is encrypted and the given password does not open it."""


class CertificateWarning(UserWarning):
    """The certificate is outside its validity window; Microsoft Entra ID will refuse it."""


class AlgorithmWarning(UserWarning):
    """The chosen JWS algorithm is one that Microsoft Entra ID refuses today."""


class AuthenticationError(ClientAuthenticationError):
    """The token endpoint answered, and it was not a token.

    :ivar str message: the server's ``error_description`` with the hint after it.
    :ivar status_code: the HTTP status of the answer, or None if there was none.
    :ivar error_code: OAuth's error code, such as ``invalid_client`` (RFC 6749 section 5.2), or None. ``error`` is
        azure-core's attribute for an ``ODataV4Format``, and None here.
    :ivar error_codes: the numbers of the AADSTS codes, such as ``(700027,)``; empty if the answer has none.
    :ivar suberror: Entra's ``suberror``, such as ``message_only``, or None.
    :ivar claims: the claims challenge as a JSON string, to be passed to the next ``get_token(claims=...)``, or None.
    :ivar correlation_id: the id under which Microsoft's support finds this request, or None.
    :ivar trace_id: the server's id of this request, or None.
    :ivar timestamp: the server's time of the answer as it wrote it (UTC), or None.
    :ivar hint: cause and remedy in a sentence, or None where the code is not known.
    :ivar retry_after: seconds that the server asked to wait before the next request, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        error_code: str | None = None,
        error_codes: tuple[int, ...] = (),
        suberror: str | None = None,
        claims: str | None = None,
        correlation_id: str | None = None,
        trace_id: str | None = None,
        timestamp: str | None = None,
        hint: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        # No response object: it would carry the request, and that carries the assertion.
        super().__init__(message=message, response=None)
        self.status_code = status_code
        self.error_code = error_code
        self.error_codes = error_codes
        self.suberror = suberror
        self.claims = claims
        self.correlation_id = correlation_id
        self.trace_id = trace_id
        self.timestamp = timestamp
        self.hint = hint
        self.retry_after = retry_after


class CertificateRejectedError(AuthenticationError):
    """Entra knows the application and does not take this certificate or the assertion that it signed.

    The message names the certificate's thumbprint and expiry.
    """


class OnBehalfOfError(AuthenticationError):
    """No token is given on behalf of the user; it is for the user's client to mend. Base of the two classes below.

    A middle tier answers its client with status 401 and :attr:`www_authenticate`, and the client comes back with
    another token (https://learn.microsoft.com/entra/identity-platform/claims-challenge).
    """

    @property
    def www_authenticate(self) -> str:
        """The header field ``WWW-Authenticate`` (RFC 6750 section 3) of that answer, with :attr:`claims` in base64."""
        if self.claims is None:
            return 'Bearer error="invalid_token"'
        return f'Bearer error="insufficient_claims", claims="{b64encode(self.claims.encode()).decode()}"'


class InteractionRequiredError(OnBehalfOfError):
    """The user has to do something first: sign in again, confirm with another factor, consent."""


class UserAssertionRejectedError(OnBehalfOfError):
    """The user's assertion is expired, or for another application, or not the server's."""


class TemporarilyUnavailableError(AuthenticationError):
    """The server is throttling or out of order (429, 5xx): the same request may work later, see ``retry_after``."""


class ResponseFormatError(AuthenticationError):
    """The answer is not a token response as RFC 6749 section 5.1 defines it: not JSON, truncated, or too long.

    Or it is an OpenID provider's metadata document that cannot be read, or must not be believed.
    """
