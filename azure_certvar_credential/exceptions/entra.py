"""What comes in place of a token from Microsoft Entra ID, from another server, or on the way there.

In each example, ``credential`` is one that meets it.
"""

from __future__ import annotations

from base64 import b64encode

from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError, ServiceResponseTimeoutError


class AuthenticationError(ClientAuthenticationError):
    """The token endpoint answered with something other than a token.

    >>> try:
    ...     credential.get_token("https://graph.microsoft.com/.default")
    ... except AuthenticationError as error:
    ...     print(error.error_codes, error.hint)
    (700016,) There is no such application in this tenant: check client_id and tenant_id, and that ...

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

    >>> try:
    ...     credential.get_token("https://graph.microsoft.com/.default")
    ... except CertificateRejectedError as error:
    ...     print(error.error_codes, error.hint)
    (700027,) The certificate is not on the app registration, or is expired there: upload its public half ...
    """


class OnBehalfOfError(AuthenticationError):
    """Entra issues no token on behalf of the user until the user's client acts. Base of the two classes below.

    A middle tier answers its client with status 401 and :attr:`www_authenticate`; the client returns with another token
    (https://learn.microsoft.com/entra/identity-platform/claims-challenge).

    >>> try:
    ...     credential.on_behalf_of(user_token).get_token("https://graph.microsoft.com/User.Read")
    ... except OnBehalfOfError as error:
    ...     print(401, error.www_authenticate)
    401 Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJ2YWx1ZSI6ImMxIn19fQ=="
    """

    @property
    def www_authenticate(self) -> str:
        """The answer's ``WWW-Authenticate`` field (RFC 6750 section 3), with ``claims`` in base64."""
        if self.claims is None:
            return 'Bearer error="invalid_token"'
        return f'Bearer error="insufficient_claims", claims="{b64encode(self.claims.encode()).decode()}"'


class InteractionRequiredError(OnBehalfOfError):
    """The user has to act first: sign in again, use another factor, or consent.

    >>> try:
    ...     credential.on_behalf_of(user_token).get_token("https://graph.microsoft.com/User.Read")
    ... except InteractionRequiredError as error:
    ...     print(error.claims)
    {"access_token":{"acrs":{"value":"c1"}}}
    """


class UserAssertionRejectedError(OnBehalfOfError):
    """The user's assertion has expired, is for another application, or is not the server's.

    >>> try:
    ...     credential.on_behalf_of(user_token).get_token("https://graph.microsoft.com/User.Read")
    ... except UserAssertionRejectedError as error:
    ...     print(401, error.www_authenticate)
    401 Bearer error="invalid_token"
    """


class TemporarilyUnavailableError(AuthenticationError):
    """The server is throttling or unavailable (429, 5xx). The same request may succeed after ``retry_after``.

    >>> try:
    ...     credential.get_token("https://graph.microsoft.com/.default")
    ... except TemporarilyUnavailableError as error:
    ...     print("try again in", error.retry_after, "s")
    try again in 60.0 s
    """


class ResponseFormatError(AuthenticationError):
    """The answer is not a token response as RFC 6749 section 5.1 defines it: not JSON, truncated, or too long.

    Also raised for an OpenID provider's metadata document that cannot be read or trusted.

    >>> try:
    ...     credential.get_token("https://graph.microsoft.com/.default")
    ... except ResponseFormatError as error:
    ...     print(error)
    the token endpoint answered HTTP 200 with 102 bytes (text/html; ...) instead of a token response; ...
    """


class UntrustedServerError(ServiceRequestError):
    """The server's TLS certificate does not verify. Nothing was sent to it, and the same request never succeeds.

    Of azure-core's ``ServiceRequestError`` this is the one not worth repeating. The message names the environment
    variable that the trusted authorities came from, if there is one, and ``connection_verify``.

    >>> try:
    ...     behind_proxy.get_token("https://graph.microsoft.com/.default")
    ... except UntrustedServerError as error:
    ...     print(error)
    [SSL: CERTIFICATE_VERIFY_FAILED] ...; to trust another, such as that of a proxy that inspects TLS, pass ...
    """


class AcquisitionTimeoutError(ServiceResponseTimeoutError):
    """No token could be acquired within the ``timeout`` of the credential or of the call.

    >>> try:
    ...     credential.get_token("https://graph.microsoft.com/.default", timeout=0.5)
    ... except AcquisitionTimeoutError as error:
    ...     print(error.timeout, error.waited_for)
    0.5 the answer of https://login.microsoftonline.com/.../oauth2/v2.0/token

    :ivar timeout: that time in seconds.
    :ivar waited_for: what was waited for when it was over, such as the answer of an endpoint, a source or a signer.
    """

    def __init__(self, timeout: float, waited_for: str) -> None:
        super().__init__(f"no token after {timeout:g} s: waited for {waited_for}")
        self.timeout = timeout
        self.waited_for = waited_for
