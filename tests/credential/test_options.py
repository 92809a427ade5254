"""An option is a field: adding one makes it known, pickled, copied and suggested, with nothing else to change."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import pytest

from azure_certvar_credential import CertVarCredential, FederatedCredential, aio
from azure_certvar_credential._core.options import CertificateOptions, CredentialOptions, FederatedOptions
from azure_certvar_credential._runtime.construction import construct
from azure_certvar_credential._values import fields
from azure_certvar_credential.exceptions import UnknownOptionError
from azure_certvar_credential.msal import MsalCertVarCredential
from azure_certvar_credential.msal.options import MsalOptions
from tests.credential.test_pickle import importable_source

TENANT, CLIENT = "contoso.example", "11111111-2222-3333-4444-555555555555"


class AuditedOptions(CertificateOptions):
    """The options of a credential with one more.

    :ivar audit_trail: the option.
    """

    audit_trail: str | None = None


class AuditedCredential(CertVarCredential):
    """A credential with one more option."""

    def __init__(
        self, tenant_id: str, client_id: str, certificate: Any = None, *, audit_trail: str | None = None, **rest: Any
    ) -> None:
        own = {name: rest.pop(name) for name in CertificateOptions.names() & rest.keys()}
        options = AuditedOptions(
            tenant_id=tenant_id,
            client_id=client_id,
            certificate=certificate,
            audit_trail=audit_trail,
            pipeline=rest,
            **own,
        )
        self._start(construct(options))

    @property
    def audit_trail(self) -> str | None:
        """What the option was given."""
        options = self._parts.options
        assert isinstance(options, AuditedOptions)
        return options.audit_trail


def audited(**options: Any) -> AuditedCredential:
    return AuditedCredential(TENANT, CLIENT, importable_source, **options)


def test_a_new_field_is_pickled() -> None:
    credential = audited(audit_trail="ledger", retry_total=1)
    made = pickle.loads(pickle.dumps(credential))  # noqa: S301 - our own
    assert made.audit_trail == "ledger"
    assert made._parts.options == credential._parts.options


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_new_field_is_copied(copied: Any) -> None:
    assert copied(audited(audit_trail="ledger")).audit_trail == "ledger"


def test_a_new_field_is_suggested_for_its_misspelling() -> None:
    with pytest.raises(UnknownOptionError, match="did you mean 'audit_trail'"):
        audited(audit_trial="ledger")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (CertVarCredential, CertificateOptions),
        (aio.CertVarCredential, CertificateOptions),
        (FederatedCredential, FederatedOptions),
        (aio.FederatedCredential, FederatedOptions),
        (MsalCertVarCredential, MsalOptions),
        (aio.MsalCertVarCredential, MsalOptions),
    ],
)
def test_every_parameter_of_a_constructor_is_a_field(kind: Any, options: type[CredentialOptions]) -> None:
    parameters = inspect.signature(kind.__init__).parameters.values()
    named = {one.name for one in parameters if one.kind is not one.VAR_KEYWORD} - {"self"}
    assert named == options.names()
    # MSAL has its own names of regions, its own cache and its own audience; it takes claims with each call.
    not_of_msal = {"assertion_audience", "claims", "encryption_key", "invalidation_seconds", "region"}
    others = {*not_of_msal, "share_user_tokens"} if "Msal" in kind.__name__ else {}
    assert named | {"pipeline", *others} == set(fields(options))
