"""An application to be tested: it asks an API for the orders, as itself."""

from __future__ import annotations

import os
from typing import Any

from azure.core import PipelineClient
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest

from azure_certvar_credential import CertVarCredential, EnvironmentCertificate


class Orders:
    """Signs in with the certificate in APP_CERT, and follows it when it changes.

    :param url: the API.
    :param options: pipeline options, such as ``connection_verify``; none in production.
    """

    def __init__(self, url: str, **options: Any) -> None:
        names = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"]
        self.credential = CertVarCredential(*names, EnvironmentCertificate("APP_CERT"), **options)
        policy: BearerTokenCredentialPolicy[Any, Any] = BearerTokenCredentialPolicy(
            self.credential, "api://protected/.default"
        )
        self._client: PipelineClient[Any, Any] = PipelineClient(
            url, policies=[policy], connection_verify=options.get("connection_verify", True)
        )
        self._url = url

    def fetch(self) -> dict[str, Any]:
        """Return the orders.

        :raises azure.core.exceptions.ClientAuthenticationError: Entra or the API refused.
        """
        response = self._client.send_request(HttpRequest("GET", f"{self._url}/protected"))
        response.raise_for_status()
        orders: dict[str, Any] = response.json()
        return orders

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self.credential.close()
