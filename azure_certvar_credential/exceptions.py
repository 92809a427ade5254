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
"""

from __future__ import annotations

from base64 import b64encode

from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError, ServiceResponseTimeoutError

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


class ConfigurationError(ValueError):
    """A tenant, client id, authority, scope, algorithm or option cannot work."""


class UnknownOptionError(ConfigurationError, TypeError):
    """A keyword argument is unknown; also a :class:`TypeError`, which Python itself would raise."""


CLOSED = (
    "this credential is closed: make a new one, or close it later; it can serve any number of clients. A client that "
    "closes its credential takes credential.shared()"
)


class CredentialClosedError(RuntimeError):
    """A credential was asked for a token after its ``close()``."""


class TenantNotAllowedError(ClientAuthenticationError, ConfigurationError):
    """The requested tenant is not among those that the credential may serve.

    Also azure-core's ``ClientAuthenticationError``, which azure-identity raises here: Azure clients request another
    tenant by themselves when a service challenges them, and their callers handle that class.
    """


class CertificateError(ValueError):
    """A certificate, private key or password cannot be used. Base of the more exact classes below."""


class CertificateSourceError(CertificateError):
    """The callable that supplies the certificate raised, and has never succeeded before."""


class KeyVaultError(CertificateSourceError):
    """Azure Key Vault did not return the certificate, or did not sign. Base of the more exact classes below.

    :ivar status_code: the HTTP status of its answer, or None if there was none.
    :ivar code: Key Vault's error code, such as ``ForbiddenByRbac``, or None.
    """

    def __init__(self, message: str, *, status_code: int | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.code = code


class KeyVaultPermissionError(KeyVaultError):
    """The credential lacks a permission in the vault; the message names it, and a role that has it."""


class KeyVaultNotFoundError(KeyVaultError):
    """The vault has no certificate, secret or key of this name and version."""


class KeyVaultVersionError(KeyVaultError):
    """The version is disabled, expired or not yet valid, or no version can be used."""


class KeyVaultSecretError(KeyVaultError):
    """The certificate's secret has no private key in it, or another content type."""


class KeyVaultUnavailableError(KeyVaultError):
    """The vault throttles, is unavailable or unreachable, answers too late, or answers something else."""


class CertificateFormatError(CertificateError):
    """The data has none of the known forms, or is damaged."""


class MissingPrivateKeyError(CertificateError):
    """The data has certificates but no private key."""


class MissingCertificateError(CertificateError):
    """The data has a private key but no certificate."""


class AmbiguousPrivateKeyError(CertificateError):
    """The data has more than one private key, and nothing says which one signs."""


class KeyMismatchError(CertificateError):
    """The private key belongs to none of the certificates."""


class UnsupportedKeyError(CertificateError):
    """Microsoft Entra ID does not accept the key's type, size or curve."""


class PasswordError(CertificateError):
    """The password of an encrypted key or PFX is missing or wrong."""


class PasswordRequiredError(PasswordError):
    """The data is encrypted, and no password was given."""


class WrongPasswordError(PasswordError):
    """The data is encrypted, and the password does not open it."""


class CertificateWarning(UserWarning):
    """The certificate is outside its validity window; Microsoft Entra ID will refuse it."""


class AlgorithmWarning(UserWarning):
    """The chosen JWS algorithm is one that Microsoft Entra ID refuses today."""


class UntrustedServerError(ServiceRequestError):
    """The server's TLS certificate does not verify. Nothing was sent to it, and the same request never succeeds.

    Of azure-core's ``ServiceRequestError`` this is the one not worth repeating. The message names the environment
    variable that the trusted authorities came from, if there is one, and ``connection_verify``.
    """


class AcquisitionTimeoutError(ServiceResponseTimeoutError):
    """No token could be acquired within the ``timeout`` of the credential or of the call.

    :ivar timeout: that time in seconds.
    :ivar waited_for: what was waited for when it was over, such as the answer of an endpoint, a source or a signer.
    """

    def __init__(self, timeout: float, waited_for: str) -> None:
        super().__init__(f"no token after {timeout:g} s: waited for {waited_for}")
        self.timeout = timeout
        self.waited_for = waited_for


class AuthenticationError(ClientAuthenticationError):
    """The token endpoint answered with something other than a token.

    :ivar str message: the server's ``error_description``, then the certificate, then the hint.
    :ivar status_code: the HTTP status of the answer, or None if there was none.
    :ivar error_code: OAuth's error code, such as ``invalid_client`` (RFC 6749 section 5.2), or None. ``error`` is
        azure-core's attribute for an ``ODataV4Format``, and None here.
    :ivar error_codes: the numbers of the AADSTS codes, such as ``(700027,)``; empty if the answer has none.
    :ivar suberror: Entra's ``suberror``, such as ``message_only``, or None.
    :ivar claims: the claims challenge as a JSON string, to be passed to the next ``get_token(claims=...)``, or None.
    :ivar correlation_id: the id by which Microsoft's support finds this request, or None.
    :ivar trace_id: the server's id of this request, or None.
    :ivar timestamp: the server's time of the answer as it wrote it (UTC), or None.
    :ivar hint: cause and remedy, or None if the code is unknown.
    :ivar retry_after: the seconds that the server asks to wait before the next request, or None.
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
    """Entra knows the application and refuses its certificate, or the assertion that the certificate signed.

    The message names the certificate's thumbprint and expiry.
    """


class OnBehalfOfError(AuthenticationError):
    """Entra issues no token on behalf of the user until the user's client acts. Base of the two classes below.

    A middle tier answers its client with status 401 and :attr:`www_authenticate`; the client returns with another token
    (https://learn.microsoft.com/entra/identity-platform/claims-challenge).
    """

    @property
    def www_authenticate(self) -> str:
        """The answer's ``WWW-Authenticate`` field (RFC 6750 section 3), with ``claims`` in base64."""
        if self.claims is None:
            return 'Bearer error="invalid_token"'
        return f'Bearer error="insufficient_claims", claims="{b64encode(self.claims.encode()).decode()}"'


class InteractionRequiredError(OnBehalfOfError):
    """The user has to act first: sign in again, use another factor, or consent."""


class UserAssertionRejectedError(OnBehalfOfError):
    """The user's assertion has expired, is for another application, or is not the server's."""


class TemporarilyUnavailableError(AuthenticationError):
    """The server is throttling or unavailable (429, 5xx). The same request may succeed after ``retry_after``."""


class ResponseFormatError(AuthenticationError):
    """The answer is not a token response as RFC 6749 section 5.1 defines it: not JSON, truncated, or too long.

    Also raised for an OpenID provider's metadata document that cannot be read or trusted.
    """
