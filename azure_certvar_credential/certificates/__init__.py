"""Certificates in memory: read from any form, checked against their private key, ordered into a chain.

The sources are imported when somebody asks for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure_certvar_credential.certificates.certificate import CertificateData, ClientCertificate

if TYPE_CHECKING:
    from azure_certvar_credential.certificates.sources import (
        CertificateSource,
        DescriptorCertificate,
        EnvironmentCertificate,
    )
else:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from azure_certvar_credential.certificates import sources

        return getattr(sources, name)


__all__ = [
    "CertificateData",
    "CertificateSource",
    "ClientCertificate",
    "DescriptorCertificate",
    "EnvironmentCertificate",
]
