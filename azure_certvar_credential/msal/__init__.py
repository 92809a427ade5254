"""The same certificate through Microsoft's own library, MSAL for Python.

:func:`client_credential` is for applications that call MSAL themselves:

>>> from azure_certvar_credential.msal import client_credential
>>> app = msal.ConfidentialClientApplication(client_id, client_credential=client_credential(pem), authority=authority)

:class:`MsalCertVarCredential` is for Azure's clients, and uses MSAL's token cache and authorities:

>>> from azure_certvar_credential.msal import MsalCertVarCredential
>>> credential = MsalCertVarCredential(tenant_id, client_id, pem, token_cache=cache)

Neither hands the private key to MSAL, so keys in a vault or an HSM work as well.
"""

from __future__ import annotations

from azure_certvar_credential.msal.assertions import client_credential
from azure_certvar_credential.msal.credential import MsalCertVarCredential

__all__ = ["MsalCertVarCredential", "client_credential"]
