"""A constructor's arguments as one frozen value.

Its fields define the known names, the suggestion for a misspelt one, pickling and copying. To add an option, write it
into the constructor's signature and docstring, add a field here, and use it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from azure_certvar_credential._core.authority import RULES, Authority, Kind
from azure_certvar_credential._core.checks import check_choice, check_flags
from azure_certvar_credential._core.client_authentication import ClientAuthentication
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._values import Value, field, fields
from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.signers.algorithms import algorithm_named

if TYPE_CHECKING:
    from azure_certvar_credential._core.sharing_options import Sharing


class CredentialOptions(Value):
    """The arguments of every credential, unchecked; :class:`~azure_certvar_credential.CertVarCredential` explains them.

    :ivar pipeline: azure-core's options, the remaining keyword arguments.
    """

    tenant_id: str
    client_id: str
    authority: str | None = None
    additionally_allowed_tenants: Iterable[str] = ()
    disable_instance_discovery: bool = False
    region: str | None = None
    oidc_authority: str | None = None
    claims: Any = None
    token_cache: Any = field(default=None, repr=False)
    encryption_key: Any = field(default=None, repr=False)
    share_user_tokens: bool = False
    invalidation_seconds: float | None = None
    pipeline: Mapping[str, Any] = field(default=MappingProxyType({}), repr=False)

    @classmethod
    def names(cls) -> frozenset[str]:
        """Return the names of the constructor's own arguments."""
        return frozenset(fields(cls)) - {"pipeline"}

    def arguments(self) -> dict[str, Any]:
        """Return keyword arguments for an equal credential."""
        return {name: getattr(self, name) for name in sorted(self.names())} | dict(self.pipeline)

    def trusted_kinds(self) -> Collection[Kind]:
        """Return the kinds of authority to which the application authenticates on a host that Microsoft does not list.

        Every credential takes its authority through this; nothing else decides which host may receive an assertion.
        """
        return tuple(RULES) if self.disable_instance_discovery else ()

    def sharing(self) -> Sharing | None:
        """Return how tokens are shared with other processes; None if they are not.

        :raises ConfigurationError: an argument cannot work.
        """
        given = (self.token_cache, self.encryption_key, self.share_user_tokens, self.invalidation_seconds)
        if given == (None, None, False, None):
            return None
        # For those who share a cache alone.
        from azure_certvar_credential._core.sharing_options import sharing

        return sharing(*given)

    @abstractmethod
    def client_authentication(self, authority: Authority) -> ClientAuthentication:
        """Return how the application authenticates at an authority.

        :raises ConfigurationError: an argument cannot work there.
        """


class CertificateOptions(CredentialOptions):
    """The arguments of a credential with a certificate."""

    certificate: Any = field(default=None, repr=False)
    certificate_data: Any = field(default=None, repr=False)
    password: str | bytes | None = field(default=None, repr=False)
    send_certificate_chain: bool = False
    algorithm: str | None = None
    assertion_audience: str | None = None
    expiry_warning_days: float = 30

    def client_authentication(self, authority: Authority) -> ClientAuthentication:
        """Return assertions signed by the certificate's key, in the authority's form.

        :raises ConfigurationError: the algorithm is unknown, or the authority does not accept it.
        """
        from azure_certvar_credential._core.client_authentication.private_key_jwt import PrivateKeyJwt

        check_flags(send_certificate_chain=self.send_certificate_chain)
        rules, algorithm = authority.rules, self.algorithm
        if algorithm:
            algorithm_named(algorithm)
            check_choice(authority, algorithm)
        chosen = self.assertion_audience
        if chosen is not None and (authority.kind != "oidc" or chosen not in ("issuer", "token_endpoint")):
            raise ConfigurationError(
                "assertion_audience must be 'issuer' or 'token_endpoint', and goes with oidc_authority alone: other "
                f"servers document what they want; not {redact_value(chosen)}"
            )
        return PrivateKeyJwt(
            self.client_id,
            algorithm or rules.algorithm,
            send_certificate_chain=bool(self.send_certificate_chain),
            sha1_only=rules.sha1_only,
            by_default=not algorithm,
            for_issuer=authority.kind == "oidc" and chosen != "token_endpoint",
        )


class FederatedOptions(CredentialOptions):
    """The arguments of a credential that presents another credential's tokens."""

    assertion_source: Any = field(default=None, repr=False)

    def client_authentication(self, authority: Authority) -> ClientAuthentication:  # noqa: ARG002 - any authority
        """Return the assertions of the source."""
        from azure_certvar_credential._core.client_authentication.provided_assertion import ProvidedAssertion

        return ProvidedAssertion()
