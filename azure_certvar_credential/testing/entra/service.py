"""Dispatches requests to the token endpoint, the metadata, the keys or the protected resource."""

from __future__ import annotations

from azure_certvar_credential.testing.entra.directory.model import Tenant
from azure_certvar_credential.testing.entra.endpoint import TokenEndpoint
from azure_certvar_credential.testing.entra.grants.exchange import Backend
from azure_certvar_credential.testing.entra.metadata import instance_discovery, keys, metadata
from azure_certvar_credential.testing.entra.protected import ProtectedResource
from azure_certvar_credential.testing.entra.routes import Route
from azure_certvar_credential.testing.http import MAX_REQUEST_BYTES, Conditions, Request, Response, respond_json


class Service:
    """Answers every request to the emulator's hosts.

    :param backend: the directory, settings, keys and sessions.
    :param home: the tenant whose applications use ADFS.

    :ivar protected: the protected resource.
    """

    def __init__(self, backend: Backend, home: Tenant) -> None:
        self._backend = backend
        self._endpoint = TokenEndpoint(backend, home)
        self.protected = ProtectedResource(backend.directory, backend.issuer)

    def answer(self, request: Request, conditions: Conditions, route: Route | None) -> Response:
        """Answer a request.

        :param request: the request.
        :param conditions: its time, ids and forced error.
        :param route: the authority that it addresses, or None.
        """
        path = request.path
        if len(request.body) > MAX_REQUEST_BYTES:
            return respond_json(conditions, 413, {"error": "request_too_large"})
        if route is not None and route.asks == "token":
            return self._endpoint.answer(request, conditions, route)
        if path == "/protected" or path.startswith("/protected/"):
            return self.protected.answer(request, conditions)
        if route is None and path != "/common/discovery/instance":
            return respond_json(conditions, 404, {"error": "not_found"})
        if request.method != "GET":
            return respond_json(conditions, 405, {"error": "method_not_allowed"}, headers={"Allow": "GET"})
        if route is None:
            return instance_discovery(request, conditions)
        if route.asks == "keys":
            return keys(conditions)
        return metadata(request, conditions, route, self._backend.directory)
