"""A caller's request for a token, checked, and the key of its answer in the cache."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable
from functools import reduce
from typing import Any

from azure_certvar_credential._core.answers import json_object
from azure_certvar_credential._core.grants import Grant
from azure_certvar_credential._core.grants.client_credentials import APPLICATION
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._values import Value
from azure_certvar_credential.exceptions import ConfigurationError

# Scopes, tenant and CAE capability, then the grant's own part. Tokens that differ in any of these never share an entry.
CacheKey = tuple[Hashable, ...]

# https://learn.microsoft.com/entra/identity-platform/app-resilience-continuous-access-evaluation
_CAE_CLAIMS: dict[str, Any] = {"access_token": {"xms_cc": {"values": ["CP1"]}}}
# Parameters of get_token_info beside azure-core's options.
_PARAMETERS = frozenset({"fmi_path", "client_claims", "timeout"})


def cache_key(
    scopes: tuple[str, ...], tenant_id: str, grant: Grant, *, enable_cae: bool, client_claims: str | None = None
) -> CacheKey:
    """Return the key of a token in the cache.

    :param tenant_id: the tenant to ask, lower case.
    """
    return (scopes, tenant_id, enable_cae, *own_part(grant, client_claims))


def own_part(grant: Grant, client_claims: str | None) -> CacheKey:
    """Return the part of a key that is the same for all scopes and tenants."""
    return grant.key if client_claims is None else (*grant.key, "client_claims", client_claims)


class TokenRequest(Value):
    """A checked request for a token.

    :ivar scopes: what the token is for, usually one ``{resource}/.default``.
    :ivar tenant_id: the tenant to ask, lower case.
    :ivar enable_cae: whether the client understands Continuous Access Evaluation.
    :ivar claims: a claims challenge as a JSON string, or None. Not part of the key: the answer to a challenge replaces
        the cached token.
    :ivar grant: the grant that requests the token.
    :ivar client_claims: claims that the client itself asks for, as a JSON string, or None; part of the key.
    """

    scopes: tuple[str, ...]
    tenant_id: str
    enable_cae: bool = False
    claims: str | None = None
    grant: Grant = APPLICATION
    client_claims: str | None = None

    @property
    def key(self) -> CacheKey:
        """The key of the token in the cache."""
        own = self.grant.key if self.client_claims is None else own_part(self.grant, self.client_claims)
        return (self.scopes, self.tenant_id, self.enable_cae, *own)

    @property
    def claims_parameter(self) -> str | None:
        """The value of the ``claims`` form field: the client's, the challenge and CAE's capability merged; or None.

        A challenge wins over the client's own claims: without what it demands, the resource refuses the token.

        :raises ConfigurationError: the challenge is not a JSON object.
        """
        texts = [text for text in (self.client_claims, self.claims) if text is not None]
        objects = [*map(parse_claims, texts), *([_CAE_CLAIMS] if self.enable_cae else [])]
        if len(objects) == len(texts) == 1:
            return texts[0]
        return json.dumps(reduce(_merged, objects), separators=(",", ":")) if objects else None


def token_request(
    scopes: tuple[str, ...],
    *,
    tenant_id: str,
    enable_cae: bool,
    claims: str | None,
    grant: Grant = APPLICATION,
    client_claims: str | None = None,
) -> TokenRequest:
    """Check the arguments of a ``get_token``.

    :param scopes: the positional arguments of ``get_token``.
    :param tenant_id: the resolved tenant.
    :param enable_cae: request a token that lives longer and may be revoked early.
    :param claims: a claims challenge as JSON text; an empty string is none.
    :param grant: the grant that requests the token.
    :param client_claims: claims that the client itself asks for, checked, or None.
    :raises ConfigurationError: no scope is given, a scope is not a string or has white space, claims are not a JSON
        object, or ``enable_cae`` is not a bool.
    """
    if not scopes:
        raise ConfigurationError(
            "get_token needs at least one scope, as a positional argument: write "
            "get_token('https://storage.azure.com/.default'), not get_token(scopes=[...])"
        )
    for scope in scopes:
        if not isinstance(scope, str) or not scope or any(c.isspace() or not c.isprintable() for c in scope):
            raise ConfigurationError(
                f"a scope must be a string without white space, such as 'https://graph.microsoft.com/.default', "
                f"not {redact_value(scope)}; pass several scopes as several arguments"
            )
    if not isinstance(enable_cae, (bool, type(None))):
        raise ConfigurationError(f"enable_cae must be True or False, not {redact_value(enable_cae)}")
    if claims:
        parse_claims(claims)
    return TokenRequest(scopes, tenant_id, bool(enable_cae), claims or None, grant, client_claims)


def check_options(options: Iterable[str]) -> None:
    """Check that the options of a ``get_token_info`` are azure-core's; those that a newer one may pass are ignored.

    :raises ConfigurationError: one is a parameter of its own, which would be ignored unseen.
    """
    if not _PARAMETERS.isdisjoint(options):
        name = min(_PARAMETERS.intersection(options))
        raise ConfigurationError(
            f"options are azure-core's alone: write get_token_info(scope, {name}=...), as for get_token"
        )


def parse_claims(claims: str) -> dict[str, Any]:
    """Read a claims challenge.

    :raises ConfigurationError: it is not the text of a JSON object, or has a name twice.
    """
    value = json_object(claims) if isinstance(claims, str) else None
    if value is None:
        raise ConfigurationError(
            "claims must be the text of a JSON object with each name once; decode the base64 of a claims challenge"
        )
    return value


def _merged(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """Merge two JSON objects in depth; of two values that are not both objects, the right one wins."""
    merged = dict(left)
    for name, value in right.items():
        mine = merged.get(name)
        merged[name] = _merged(mine, value) if isinstance(mine, dict) and isinstance(value, dict) else value
    return merged
