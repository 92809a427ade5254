"""What is wrong with the caller's arguments, or with the certificate that they lead to."""

from __future__ import annotations

from azure.core.exceptions import ClientAuthenticationError


class ConfigurationError(ValueError):
    """A tenant, client id, authority, scope, algorithm or option cannot work.

    >>> try:
    ...     CertVarCredential(tenant_id, "my app", pem)
    ... except ConfigurationError as error:
    ...     print(error)
    client_id must be the 'Application (client) ID' of the app registration, not 'my app'
    """


class UnknownOptionError(ConfigurationError, TypeError):
    """A keyword argument is unknown; also a :class:`TypeError`, which Python itself would raise.

    >>> try:
    ...     CertVarCredential(tenant_id, client_id, pem, proxy="http://proxy:8080")
    ... except UnknownOptionError as error:
    ...     print(error)
    unknown keyword argument 'proxy'; did you mean 'proxies'?
    """


CLOSED = (
    "this credential is closed: make a new one, or close it later; it can serve any number of clients. A client that "
    "closes its credential takes credential.shared()"
)


class CredentialClosedError(RuntimeError):
    """A credential was asked for a token after its ``close()``.

    >>> try:
    ...     credential.close()
    ...     credential.get_token("https://graph.microsoft.com/.default")
    ... except CredentialClosedError as error:
    ...     print(error)
    this credential is closed: make a new one, or close it later; ...
    """


class TenantNotAllowedError(ClientAuthenticationError, ConfigurationError):
    """The requested tenant is not among those that the credential may serve.

    Also azure-core's ``ClientAuthenticationError``, which azure-identity raises here: Azure clients request another
    tenant by themselves when a service challenges them, and their callers handle that class.

    >>> try:
    ...     credential.get_token("https://graph.microsoft.com/.default", tenant_id="fabrikam.com")
    ... except TenantNotAllowedError as error:
    ...     print(error)
    get_token was asked for tenant 'fabrikam.com', and this credential serves ...
    """


class CertificateError(ValueError):
    """A certificate, private key or password cannot be used. Base of the more exact classes below.

    >>> try:
    ...     CertVarCredential(tenant_id, client_id, "/etc/app/cert.pem")
    ... except CertificateError as error:
    ...     print(error)
    the certificate looks like a file path: '/etc/app/cert.pem'; give the file's content: Path(...).read_bytes()
    """


class CertificateSourceError(CertificateError):
    """The callable that supplies the certificate raised, and has never succeeded before.

    >>> try:
    ...     credential = CertVarCredential(tenant_id, client_id, lambda: os.environ["NOT_SET"])
    ...     credential.get_token("https://graph.microsoft.com/.default")
    ... except CertificateSourceError as error:
    ...     print(error)
    the certificate source <lambda> failed with KeyError: 'NOT_SET'
    """


class CertificateFormatError(CertificateError):
    """The data has none of the known forms, or is damaged.

    >>> try:
    ...     ClientCertificate.load(pem[:-100])
    ... except CertificateFormatError as error:
    ...     print(error)
    PEM block 2 (CERTIFICATE) has no line '-----END CERTIFICATE-----': the block is cut off, ...
    """


class MissingPrivateKeyError(CertificateError):
    """The data has certificates but no private key.

    >>> try:
    ...     ClientCertificate.load(public_pem)
    ... except MissingPrivateKeyError as error:
    ...     print(error)
    the data holds a certificate, 'CN=...' (thumbprint ...), but no private key. A .cer or .crt file is ...
    """


class MissingCertificateError(CertificateError):
    """The data has a private key but no certificate.

    >>> try:
    ...     ClientCertificate.load(certificate.to_pem().partition("-----BEGIN CERTIFICATE")[0])
    ... except MissingCertificateError as error:
    ...     print(error)
    the data holds a private key (public-key SHA-256 ...), but no certificate; add its certificate (.cer, ...)
    """


class AmbiguousPrivateKeyError(CertificateError):
    """The data has more than one private key, and nothing says which one signs.

    >>> try:
    ...     ClientCertificate.load(certificate.to_pem() + other_certificate.to_pem())
    ... except AmbiguousPrivateKeyError as error:
    ...     print(error)
    the data holds 2 different private keys (public-key SHA-256 ...); keep only the one to sign with
    """


class KeyMismatchError(CertificateError):
    """The private key belongs to none of the certificates.

    >>> try:
    ...     ClientCertificate(certificate.leaf, other_certificate.signer)
    ... except KeyMismatchError as error:
    ...     print(error)
    the private key with public-key SHA-256 ... does not belong to any of the given certificates: ...
    """


class UnsupportedKeyError(CertificateError):
    """Microsoft Entra ID does not accept the key's type, size or curve.

    >>> try:
    ...     ClientCertificate(leaf, edwards_key)
    ... except UnsupportedKeyError as error:
    ...     print(error)
    the key is of type Ed25519, which cannot sign a client assertion; use RSA with 2048 bits or more
    """


class PasswordError(CertificateError):
    """The password of an encrypted key or PFX is missing or wrong.

    >>> try:
    ...     ClientCertificate.load(pfx_bytes, password=1234)
    ... except PasswordError as error:
    ...     print(error)
    password must be str, bytes or None, not of type int
    """


class PasswordRequiredError(PasswordError):
    """The data is encrypted, and no password was given.

    >>> try:
    ...     ClientCertificate.load(pfx_bytes)
    ... except PasswordRequiredError as error:
    ...     print(error)
    the PFX is protected by a password; give its password
    """


class WrongPasswordError(PasswordError):
    """The data is encrypted, and the password does not open it.

    >>> try:
    ...     ClientCertificate.load(pfx_bytes, "guess")
    ... except WrongPasswordError as error:
    ...     print(error)
    the password does not open the PFX, or its content is damaged
    """


class CertificateWarning(UserWarning):
    """The certificate is outside its validity window; Microsoft Entra ID will refuse it.

    >>> with warnings.catch_warnings(record=True) as caught:
    ...     credential = CertVarCredential(tenant_id, client_id, expired_pem)
    >>> print(caught[0].message)
    the certificate ...
    """


class AlgorithmWarning(UserWarning):
    """The chosen JWS algorithm is one that Microsoft Entra ID refuses today.

    >>> with warnings.catch_warnings(record=True) as caught:
    ...     certificate = ClientCertificate.self_signed("app", key="EC-P256")
    ...     credential = CertVarCredential(tenant_id, client_id, certificate, algorithm="ES256")
    >>> print(caught[0].message)
    Microsoft Entra ID refuses ES256 (AADSTS5002738): use an RSA certificate
    """
