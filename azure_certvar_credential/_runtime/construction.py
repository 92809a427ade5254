"""From a constructor's arguments to checked parts; every error that can be known without the network is raised here."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

from azure_certvar_credential._core.authority import KNOWN_HOSTS
from azure_certvar_credential._core.config import Settings, check_key, settings
from azure_certvar_credential._transport.options import check_options, retry_settings
from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.exceptions import AlgorithmWarning, ConfigurationError

# What a constructor takes by keyword beside the pipeline's options; for the suggestion in an error.
OWN_OPTIONS = frozenset(
    {
        "tenant_id",
        "client_id",
        "certificate",
        "certificate_data",
        "password",
        "send_certificate_chain",
        "algorithm",
        "authority",
        "additionally_allowed_tenants",
        "disable_instance_discovery",
    }
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a credential is made of.

    :ivar settings: the checked settings.
    :ivar certificate: the certificate, its private key proven.
    :ivar options: checked pipeline options.
    :ivar clock: returns seconds since the epoch, UTC.
    """

    settings: Settings
    certificate: ClientCertificate
    options: Mapping[str, Any]
    clock: Callable[[], float]

    @property
    def description(self) -> str:
        """What a credential's ``repr`` shows: ids, and the certificate's subject, thumbprint and expiry."""
        return f"tenant {self.settings.tenant_id}, client {self.settings.client_id}, {self.certificate!r}"


def refuse_pickle(credential: object) -> NoReturn:
    """Raise :class:`TypeError`: a pickle would carry the private key in clear."""
    raise TypeError(
        f"a {type(credential).__name__} holds a private key in memory, and a pickle would carry it in clear; "
        "hand the other process the means to get the certificate, and build the credential there"
    )


def construct(
    tenant_id: str,
    client_id: str,
    certificate: object,
    *,
    password: str | bytes | None,
    send_certificate_chain: bool,
    algorithm: str | None,
    authority: str | None,
    additionally_allowed_tenants: Iterable[str],
    disable_instance_discovery: bool,
    options: Mapping[str, Any],
) -> Parts:
    """Check a constructor's arguments, which :class:`~azure_certvar_credential.CertVarCredential` documents.

    :param options: the remaining keyword arguments.
    """
    remaining = dict(options)
    # azure-identity's name for the same thing, so that replacing its class is a change of one line.
    certificate_data = remaining.pop("certificate_data", None)
    clock = remaining.pop("_clock", time.time)  # time comes from outside, for the tests of this package
    check_options(remaining, own=OWN_OPTIONS)
    if certificate is None:
        certificate = certificate_data
    elif certificate_data is not None:
        raise ConfigurationError("certificate and certificate_data are two names of one argument: give one")
    checked = settings(
        tenant_id,
        client_id,
        algorithm=algorithm,
        send_certificate_chain=send_certificate_chain,
        authority=authority,
        additionally_allowed_tenants=additionally_allowed_tenants,
        disable_instance_discovery=disable_instance_discovery,
        retry=retry_settings(remaining),
        environment=os.environ,
    )
    loaded = ClientCertificate.load(certificate, password)
    check_key(loaded, checked.algorithm)
    if checked.algorithm.startswith("ES") and urlsplit(checked.authority.base).hostname in KNOWN_HOSTS:
        warnings.warn(
            f"Microsoft Entra ID refuses {checked.algorithm} (AADSTS5002738): use an RSA certificate",
            AlgorithmWarning,
            stacklevel=4,
        )
    return Parts(checked, loaded, remaining, clock)
