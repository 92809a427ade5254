"""Certificates in memory: read from any form, checked against their private key, ordered into a chain."""

from azure_certvar_credential.certificates.certificate import CertificateData, ClientCertificate
from azure_certvar_credential.certificates.sources import (
    CertificateSource,
    DescriptorCertificate,
    EnvironmentCertificate,
)

__all__ = [
    "CertificateData",
    "CertificateSource",
    "ClientCertificate",
    "DescriptorCertificate",
    "EnvironmentCertificate",
]
