"""The same certificate through Microsoft's own library, MSAL for Python.

Two ways. :func:`client_credential` for an application that calls MSAL itself:

>>> from azure_certvar_credential.msal import client_credential
>>> app = msal.ConfidentialClientApplication(client_id, client_credential=client_credential(pem), authority=authority)

:class:`MsalCertVarCredential` for Azure's clients, with MSAL's token cache and authorities underneath:

>>> from azure_certvar_credential.msal import MsalCertVarCredential
>>> credential = MsalCertVarCredential(tenant_id, client_id, pem, token_cache=cache)

In neither does the private key enter MSAL, so a key in a vault or an HSM works as well.
"""

from __future__ import annotations

from azure_certvar_credential.msal.assertions import client_credential
from azure_certvar_credential.msal.credential import MsalCertVarCredential

__all__ = ["MsalCertVarCredential", "client_credential"]
