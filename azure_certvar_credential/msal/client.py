"""An HTTP client that the user handed over, in the place of this package's pipeline."""

from __future__ import annotations

import time
from typing import Any, Protocol

from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from requests import Session
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout, ProxyError, RequestException, SSLError
from urllib3.exceptions import ProtocolError

from azure_certvar_credential._core.effects import Fetch, Send, Unanswered
from azure_certvar_credential._core.exchange import MAX_BODY, Response
from azure_certvar_credential.exceptions import ConfigurationError


class Client(Protocol):
    """Sends requests, as :class:`~azure_certvar_credential._transport.sync.Sender` does."""

    def send(self, effect: Send | Fetch) -> Response | Unanswered:
        """Post a token request, or get a document, and read the answer."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def close(self) -> None:
        """Close the connections for good."""


class ForeignClient:
    """A client of the user's own, such as a ``requests.Session``; closing it is left to the user.

    :param client: has ``post`` and ``get`` as MSAL's documentation of ``http_client`` describes them. Of one that is
        not of requests it is not known how to forbid redirects: it must not follow them itself.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        # requests would follow a 307 with the assertion in the body to whatever host it names.
        requests_own = isinstance(client, Session) or getattr(client, "__name__", "") == "requests"
        self._options: dict[str, Any] = {"allow_redirects": False} if requests_own else {}

    def send(self, effect: Send | Fetch) -> Response | Unanswered:
        """Post a token request, or get a document, and read the answer.

        :raises azure.core.exceptions.ServiceRequestError: no connection was made.
        """
        try:
            answer = self._answer(effect)
            given = getattr(answer, "headers", None) or {}
            headers = {str(name).lower(): str(value) for name, value in given.items()}
            status, body = getattr(answer, "status_code", None), getattr(answer, "text", None)
            if isinstance(status, int) and isinstance(body, str):
                return Response(status, headers, body.encode()[: MAX_BODY + 1])
            failure: Exception = ConfigurationError(
                f"http_client answered with {type(answer).__name__}, which lacks status_code or text: it must be a "
                "requests.Session or work like one"
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, its frames and its request hold the assertion
            failure = error
        if isinstance(failure, ConfigurationError):
            raise failure
        if not isinstance(failure, RequestException):
            # A client of another library, with errors of its own; whether the server saw the request is not known.
            return Unanswered(ServiceResponseError(f"http_client failed with {type(failure).__name__}"))
        # Whether the server may have seen the request, told apart as azure-core's own transport does.
        underneath = failure.args[0] if failure.args else None
        if isinstance(failure, (ConnectTimeout, ProxyError, SSLError)) or (
            isinstance(failure, RequestsConnectionError) and not isinstance(underneath, ProtocolError)
        ):
            raise ServiceRequestError(str(failure))
        return Unanswered(ServiceResponseError(str(failure)))

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def close(self) -> None:
        """Do nothing: the client belongs to the user."""

    def _answer(self, effect: Send | Fetch) -> Any:
        if isinstance(effect, Fetch):
            return self._client.get(effect.url, headers={"Accept": "application/json"}, **self._options)
        return self._client.post(effect.url, data=dict(effect.form), headers=dict(effect.headers), **self._options)
