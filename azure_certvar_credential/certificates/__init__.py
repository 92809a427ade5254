"""Certificates that live in variables: found in any form, checked against their key, ordered into a chain."""

from azure_certvar_credential.certificates.certificate import ClientCertificate
from azure_certvar_credential.certificates.sources import (
    CertificateSource,
    DescriptorCertificate,
    EnvironmentCertificate,
)

__all__ = ["CertificateSource", "ClientCertificate", "DescriptorCertificate", "EnvironmentCertificate"]
