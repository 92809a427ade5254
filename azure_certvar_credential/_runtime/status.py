"""What a credential holds at this moment, for health endpoints and dashboards; never a secret."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from azure_certvar_credential._runtime.certificate_provider import CertificateProvider, describe
from azure_certvar_credential._values import Value, fields

if TYPE_CHECKING:
    from azure_certvar_credential._runtime.cached_tokens import CachedTokens
    from azure_certvar_credential._runtime.construction import Parts
    from azure_certvar_credential.caches.memory import Entry

_DAY = 86400.0


class CertificateStatus(Value):
    """The certificate that a credential signs with.

    :ivar subject: its subject, as RFC 4514 writes it.
    :ivar thumbprint: its SHA-1 thumbprint, as the portal shows it.
    :ivar not_after: when it expires (UTC).
    :ivar days_left: the days until then by the credential's clock; negative once it has expired.
    :ivar source: the source that it came from; None if it was handed over.
    :ivar read_on: when the source was last read with success (UTC); None without a source.
    """

    subject: str
    thumbprint: str
    not_after: datetime
    days_left: float
    source: str | None
    read_on: datetime | None


class TokenStatus(Value):
    """A token in memory.

    :ivar scopes: what it is for.
    :ivar tenant_id: which tenant issued it.
    :ivar enable_cae: whether it may be revoked early.
    :ivar expires_on: when it expires (UTC).
    :ivar refresh_on: from when it is refreshed in the background (UTC).
    :ivar agent_id: the client id of the agent identity that it is for; None for the application itself. The blueprint's
        token for an agent has the agent as ``fmi_path``.
    :ivar user: the object id or name of the agent's user; ``signed-in`` for a user whose token was exchanged; or None.
    :ivar fmi_path: the path of the federated managed identity that it is for, or None.
    :ivar client_claims: the claims that the client asked for with it, as JSON text; or None.
    """

    scopes: tuple[str, ...]
    tenant_id: str
    enable_cae: bool
    expires_on: datetime
    refresh_on: datetime
    agent_id: str | None = None
    user: str | None = None
    fmi_path: str | None = None
    client_claims: str | None = None


class FailureStatus(Value):
    """A failed acquisition.

    :ivar failed_on: when it failed (UTC).
    :ivar message: the error's class and message, without anything secret.
    :ivar error_codes: Entra's AADSTS codes, as numbers; empty if Entra sent none.
    :ivar hint: cause and remedy; None if none is known.
    """

    failed_on: datetime
    message: str
    error_codes: tuple[int, ...]
    hint: str | None


class CredentialStatus(Value):
    """What ``credential.status()`` returns.

    >>> credential.status().last_failure is None
    True

    :ivar tenant_id: the credential's own tenant.
    :ivar client_id: the application.
    :ivar certificate: the certificate in use; None before the source was read, and without a certificate.
    :ivar tokens: the tokens in memory that have not expired.
    :ivar last_failure: the last acquisition that failed; None if none did, or one has succeeded since for that token.
    """

    tenant_id: str
    client_id: str
    certificate: CertificateStatus | None
    tokens: tuple[TokenStatus, ...]
    last_failure: FailureStatus | None

    def as_dict(self) -> dict[str, Any]:
        """Return the same as plain values for ``json.dumps``; times are texts in ISO 8601.

        >>> credential.status().as_dict()["certificate"]["days_left"] > 30
        True
        """
        plain: dict[str, Any] = _plain(self)
        return plain


def status(parts: Parts, cached_tokens: CachedTokens) -> CredentialStatus:
    """Return the status of a credential; reads memory alone."""
    now, settings = parts.clock(), parts.settings
    tokens = tuple(_token(key, entry) for key, entry in cached_tokens.store.items() if entry.token.expires_on > now)
    last = None if (failures := cached_tokens.failures) is None else failures.last
    failure = None if last is None else FailureStatus(_utc(last.failed_on), last.message, last.error_codes, last.hint)
    return CredentialStatus(settings.tenant_id, settings.client_id, _certificate(parts, now), tokens, failure)


def _token(key: tuple[Any, ...], entry: Entry) -> TokenStatus:
    scopes, tenant_id, enable_cae, *rest = key
    # What grants add to a key are pairs of a name and a value.
    own: dict[Any, Any] = dict(zip(rest[::2], rest[1::2], strict=True))
    return TokenStatus(
        scopes,
        tenant_id,
        bool(enable_cae),
        _utc(entry.token.expires_on),
        _utc(entry.token.refresh_on),
        own.get("agent"),
        "signed-in" if "user" in own else own.get("user_id") or own.get("username"),
        own.get("fmi_path"),
        own.get("client_claims"),
    )


def _certificate(parts: Parts, now: float) -> CertificateStatus | None:
    provider = parts.provider
    if not isinstance(provider, CertificateProvider) or provider.current is None:
        return None
    certificate, source = provider.current, provider.source
    return CertificateStatus(
        certificate.subject,
        certificate.thumbprint,
        certificate.not_after,
        (certificate.not_after.timestamp() - now) / _DAY,
        None if source is None else describe(source),
        None if source is None else _utc(provider.accepted_on),
    )


def _plain(value: object) -> Any:
    if isinstance(value, Value):
        return {name: _plain(getattr(value, name)) for name in fields(type(value))}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
