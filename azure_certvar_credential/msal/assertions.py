"""A certificate as the ``client_credential`` of MSAL's own ``ConfidentialClientApplication``.

How MSAL for Python calls the callable in ``{"client_assertion": callable}``:

* 1.34 to 1.36 call it without arguments, so the caller has to name the application and the audience in advance.
* From 1.37 on MSAL inspects the signature. A callable with a positional parameter without a default receives a mapping
  with ``client_id`` and ``token_endpoint``, the URL that MSAL posts to; any other is called without arguments.
* No version caches the assertion: each token request carries a fresh one with a new ``jti``, as strict OpenID providers
  demand. (MSAL reuses only the assertions that it signs itself, for about nine minutes.) ``msal.AutoRefresher``, which
  a caller may wrap around the callable, does cache it, and calls the callable without arguments.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from azure_certvar_credential._core.authority import DEFAULT_ALGORITHM, Authority, Kind
from azure_certvar_credential._core.authority_url import DSTS
from azure_certvar_credential._core.checks import check_choice, check_key
from azure_certvar_credential._core.client_authentication.for_others import check_audience
from azure_certvar_credential._core.client_authentication.private_key_jwt import PrivateKeyJwt
from azure_certvar_credential._core.config import Settings
from azure_certvar_credential._core.options import CertificateOptions
from azure_certvar_credential._core.retries import Retry
from azure_certvar_credential._runtime.cached_tokens import CachedTokens
from azure_certvar_credential._runtime.certificate_provider import CertificateProvider
from azure_certvar_credential._runtime.construction import Parts
from azure_certvar_credential._runtime.credentials import CredentialBase
from azure_certvar_credential._runtime.fork import tell_after_fork
from azure_certvar_credential._secrecy.identity import identified
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._secrecy.tracebacks import clears_frames
from azure_certvar_credential._sync.effect_runner import EffectRunner
from azure_certvar_credential.caches.memory import TokenMemory
from azure_certvar_credential.certificates import CertificateData, ClientCertificate
from azure_certvar_credential.certificates.sources import Source
from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.signers.algorithms import algorithm_named
from azure_certvar_credential.signers.coroutines import is_coroutine_function

# The first version of MSAL that passes the application and the token endpoint to the callable.
_WITH_CONTEXT = (1, 37)
# The first path segment of the token endpoints whose servers expect another form of assertion than Entra.
_KINDS: Mapping[str, Kind] = {"adfs": "adfs", DSTS: "dsts"}

# MSAL reads this signature: one required positional parameter. The actual one is optional, for older versions.
_SIGNATURE = inspect.Signature([inspect.Parameter("context", inspect.Parameter.POSITIONAL_ONLY)])


class ClientAssertion:
    """Signs a fresh client assertion (RFC 7523 section 2.2) each time it is called.

    :param sign: takes client id and audience, and returns the assertion.
    :param description: the certificate or credential, for ``repr``.
    :param client_id: the application's id, or None if MSAL passes it.
    :param audience: the assertions' audience, or None if MSAL passes it.
    :param needs: the names of the two that ``sign`` cannot do without.
    """

    def __init__(
        self,
        sign: Callable[[str, str | None], str],
        description: str,
        *,
        client_id: str | None,
        audience: str | None,
        needs: tuple[str, ...],
    ) -> None:
        self.__signature__ = _SIGNATURE
        self._sign = sign
        self._description = description
        self._client_id = client_id
        self._audience = audience
        self._needs = needs
        if not _msal_passes_context():
            self._check(client_id=client_id, audience=audience)

    def __call__(self, context: Mapping[str, str] | None = None, /) -> str:
        """Return an assertion.

        :param context: MSAL's mapping with ``client_id`` and ``token_endpoint``; None from versions that pass nothing.
        :raises ConfigurationError: MSAL's application is not the one that this object signs for, or the application or
            audience is unknown.
        :raises CertificateError: the source of the certificate, or the signer, failed.
        """
        given = context or {}
        client_id = self._client_id or given.get("client_id")
        audience = self._audience or given.get("token_endpoint")
        if str(given.get("client_id", client_id)).casefold() != str(client_id).casefold():
            raise ConfigurationError(
                f"this client_credential signs for application {redact_value(client_id)}, and MSAL's application is "
                f"{redact_value(given['client_id'])}: use a client_credential for that application"
            )
        self._check(client_id=client_id, audience=audience)
        return self._sign(client_id or "", audience)

    def __repr__(self) -> str:
        return identified(f"ClientAssertion of {self._description}", self)

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a client_credential cannot be pickled: the pickle would contain the private key in clear text")

    def _check(self, **known: str | None) -> None:
        missing = [name for name in self._needs if not known[name]]
        if missing:
            raise ConfigurationError(
                f"pass {' and '.join(missing)} to client_credential(): msal before 1.37 and msal.AutoRefresher do not "
                "pass the application and its token endpoint. audience is the token endpoint, such as "
                "'https://login.microsoftonline.com/<tenant id>/oauth2/v2.0/token'"
            )


@clears_frames
def client_credential(
    certificate: CertificateData | Source | CredentialBase,
    *,
    password: str | bytes | None = None,
    client_id: str | None = None,
    audience: str | None = None,
    algorithm: str | None = None,
    send_certificate_chain: bool = False,
) -> dict[str, ClientAssertion]:
    """Return the value for ``msal.ConfidentialClientApplication(client_credential=...)``.

    MSAL never receives the private key: it requests an assertion for each token request. So keys in a vault or an HSM
    work, and so do sources that renew the certificate. One value serves any number of MSAL's applications, in any
    number of threads.

    >>> secret = client_credential(pem, client_id=client_id, audience=f"{authority}/oauth2/v2.0/token")
    >>> app = msal.ConfidentialClientApplication(client_id, client_credential=secret, authority=authority)

    https://msal-python.readthedocs.io/en/latest/#msal.ClientApplication.params.client_credential

    :param certificate: certificate and private key in any form that :meth:`.ClientCertificate.load` takes, a function
        without parameters that returns them, or a :class:`~azure_certvar_credential.CertVarCredential`, whose
        certificate and settings apply; do not close it before MSAL's application has finished.
    :param password: opens an encrypted key or PFX; ``str`` (UTF-8) or ``bytes``.
    :param client_id: the application's id; required with msal before 1.37, which does not pass it.
    :param audience: the assertions' audience; the URL that MSAL posts to by default. Required with msal before 1.37:
        the token endpoint, ``https://login.microsoftonline.com/<tenant id>/oauth2/v2.0/token``.
    :param algorithm: the JWS ``alg`` (RFC 7518 section 3.1); ``PS256`` by default, ``RS256`` for ADFS and dSTS.
    :param send_certificate_chain: send the certificate and its chain in the ``x5c`` header, which registrations by
        subject name and issuer need.
    :raises CertificateError: the certificate, key or password cannot be used.
    :raises ConfigurationError: an argument cannot work, or the installed msal requires one that is missing.
    """
    check_audience(audience)
    server = _server(audience or "")
    if isinstance(certificate, CredentialBase):
        others = {"password": password, "client_id": client_id, "algorithm": algorithm}
        given = [name for name, value in others.items() if value is not None]
        if given or send_certificate_chain:
            raise ConfigurationError(
                f"the credential already has {' and '.join(given or ['send_certificate_chain'])}: leave it out here"
            )
        return {"client_assertion": _of_credential(certificate, audience)}
    if client_id is not None and (not isinstance(client_id, str) or not client_id.strip()):
        raise ConfigurationError(
            f"client_id must be the 'Application (client) ID' of the app registration, not {redact_value(client_id)}"
        )
    if algorithm is not None:
        algorithm_named(algorithm)
        check_choice(server, algorithm)

    def load(data: Any) -> ClientCertificate:
        loaded = ClientCertificate.load(data, password)
        check_key(loaded, algorithm or DEFAULT_ALGORITHM)
        return loaded

    provider = CertificateProvider(certificate, load, time.time)
    provider.refuse_coroutines()
    tell_after_fork(provider)

    def method(client_id: str, audience: str) -> PrivateKeyJwt:
        authority = _server(audience)
        chosen = algorithm or authority.rules.algorithm
        check_choice(authority, chosen)
        sha1_only = authority.rules.sha1_only
        return PrivateKeyJwt(client_id, chosen, send_certificate_chain=send_certificate_chain, sha1_only=sha1_only)

    # For loading the certificate and signing alone; nothing is sent or cached.
    settings = Settings("", "", server, method("", audience or ""), frozenset(), Retry())
    parts = Parts(settings, provider, CertificateOptions(tenant_id="", client_id=""), time.time)
    effects = EffectRunner(parts, CachedTokens(TokenMemory(1), time.time, ""))

    def sign(client_id: str, audience: str | None) -> str:
        return effects.run(method(client_id, audience or "").assertion_for(audience or ""))

    needs = ("client_id", "audience")
    return {
        "client_assertion": ClientAssertion(sign, repr(provider), client_id=client_id, audience=audience, needs=needs)
    }


def _server(audience: str) -> Authority:
    """Return an authority of the kind that an audience belongs to; assertions depend on the kind alone.

    :raises ConfigurationError: the audience is not a valid URL.
    """
    try:
        path = urlsplit(audience).path
    except ValueError:  # an unclosed bracket
        raise ConfigurationError(
            "audience must be the URL of the token endpoint or issuer that the assertion is for, not "
            f"{redact_value(audience)}"
        ) from None
    return Authority(audience, _KINDS.get(path.strip("/").partition("/")[0].lower(), "entra"))


def _of_credential(credential: CredentialBase, audience: str | None) -> ClientAssertion:
    method: Callable[[str | None], str] | None = getattr(credential, "client_assertion", None)
    if method is None or is_coroutine_function(method):
        raise ConfigurationError(
            f"a {type(credential).__module__.rpartition('._')[0]}.{type(credential).__name__} cannot sign for MSAL, "
            "which is synchronous: pass the certificate, or an azure_certvar_credential.CertVarCredential"
        )
    sign = method
    return ClientAssertion(
        lambda _, audience: sign(audience),
        repr(credential),
        client_id=credential._parts.settings.client_id,  # noqa: SLF001 - the credential signs for this application
        audience=audience,
        needs=(),
    )


def _msal_passes_context() -> bool:
    """Return whether the installed MSAL passes the application and the token endpoint to the callable."""
    import msal

    numbers = msal.__version__.split(".")[:2]
    return all(map(str.isdecimal, numbers)) and tuple(map(int, numbers)) >= _WITH_CONTEXT
