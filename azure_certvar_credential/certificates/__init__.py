"""Certificates that live in variables: found in any form, checked against their key, ordered into a chain."""

from azure_certvar_credential.certificates.certificate import ClientCertificate

__all__ = ["ClientCertificate"]
