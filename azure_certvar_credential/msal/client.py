"""The user's own HTTP client in place of this package's pipeline."""

from __future__ import annotations

import re
import time
from typing import Any, Protocol

from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from requests import Session
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout, ProxyError, RequestException, SSLError
from urllib3.exceptions import ProtocolError

from azure_certvar_credential._core.effects import Fetch, Send, Unanswered
from azure_certvar_credential._core.exchange import MAX_BODY, Response
from azure_certvar_credential._runtime.construction import Parts
from azure_certvar_credential._runtime.fork import tell_after_fork
from azure_certvar_credential._secrecy.tracebacks import linked
from azure_certvar_credential._transport.attempt import Attempt
from azure_certvar_credential._transport.sync import Sender
from azure_certvar_credential.exceptions import ConfigurationError

# The errors of the operating system and of OpenSSL; libraries raise further subclasses, with texts of their own.
_SYSTEM = frozenset({"builtins", "socket", "ssl"})
# http.client's text when a proxy refuses, up to the reason phrase, which the proxy chooses.
_TUNNEL = re.compile(r"Tunnel connection failed: [0-9]{3}")


class Client(Protocol):
    """Sends requests, as :class:`~azure_certvar_credential._transport.sync.Sender` does."""

    def send(self, effect: Send | Fetch) -> Response | Unanswered:
        """Send a token request, or fetch a document, and read the answer."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def close(self) -> None:
        """Close the connections for good."""


class ForeignClient:
    """The user's own client, such as a ``requests.Session``; the user closes it.

    :param client: has ``post`` and ``get`` as MSAL documents them for ``http_client``. Only requests' own clients are
        told not to follow redirects; any other must not follow them by itself.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        # requests would follow a 307 to any host, with the assertion in the body.
        requests_own = isinstance(client, Session) or getattr(client, "__name__", "") == "requests"
        self._options: dict[str, Any] = {"allow_redirects": False} if requests_own else {}

    def send(self, effect: Send | Fetch) -> Response | Unanswered:
        """Send a token request, or fetch a document, and read the answer.

        :raises azure.core.exceptions.ServiceRequestError: no connection was made.
        :raises ConfigurationError: the client refuses its own settings, or does not answer as ``requests`` does.
        """
        try:
            answer = self._answer(effect)
            given = getattr(answer, "headers", None) or {}
            headers = {str(name).lower(): str(value) for name, value in given.items()}
            status, body = getattr(answer, "status_code", None), getattr(answer, "text", None)
            if isinstance(status, int) and isinstance(body, str):
                response = Response(status, headers, body.encode()[: MAX_BODY + 1])
                return Attempt(effect, {}, tells=False).quoting_nothing(response)
            failure: Exception = ConfigurationError(
                f"http_client returned a {type(answer).__name__} without status_code or text: pass a requests.Session, "
                "or a client that returns such responses"
            )
        except Exception as error:  # noqa: BLE001 - the client may raise anything; its frames hold the assertion
            failure = error
        # Replaced, so that this frame does not hold the client's error either.
        failure = _translated(failure)
        if isinstance(failure, ServiceResponseError):
            return Unanswered(failure)
        raise failure

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def close(self) -> None:
        """Do nothing: the client belongs to the user."""

    def _answer(self, effect: Send | Fetch) -> Any:
        if isinstance(effect, Fetch):
            return self._client.get(effect.url, headers={"Accept": "application/json"}, **self._options)
        return self._client.post(effect.url, data=dict(effect.form), headers=dict(effect.headers), **self._options)


def client_of(parts: Parts, given: Any) -> Client:
    """Return what sends a credential's requests.

    :param parts: the credential's.
    :param given: the user's own client, or None for this package's pipeline.
    """
    if given is not None:
        return ForeignClient(given)
    sender = Sender(parts.options.pipeline, owns_transport=parts.owns_transport)
    tell_after_fork(sender)
    return sender


def _translated(failure: Exception) -> Exception:
    """Return this package's error for one of the client's."""
    if isinstance(failure, ConfigurationError):
        return failure
    text = f"http_client failed with {_described(failure)}"
    if isinstance(failure, RequestException) and isinstance(failure, ValueError):
        return ConfigurationError(f"{text}: check its headers, proxies and other settings")
    return ServiceRequestError(text) if _was_not_sent(failure) else ServiceResponseError(text)


def _was_not_sent(failure: Exception) -> bool:
    """Return whether the server cannot have seen the request, as azure-core's own transport decides it.

    Errors of other libraries do not tell, so the server may have seen it.
    """
    if isinstance(failure, (ConnectTimeout, ProxyError, SSLError)):
        return True
    underneath = failure.args[0] if failure.args else None
    return isinstance(failure, RequestsConnectionError) and not isinstance(underneath, ProtocolError)


def _described(failure: Exception) -> str:
    """Return the class of a client's error, and what the operating system or OpenSSL says about it.

    No text of an HTTP library is repeated: they quote proxy URLs with passwords, header values and parts of answers.
    """
    chain = list(linked(failure))
    names = dict.fromkeys(type(one).__name__ for one in (chain[0], chain[-1]))
    texts = filter(None, map(_system_text, chain))
    return ", caused by ".join(names) + "".join(f": {text}" for text in list(texts)[:1])


def _system_text(error: BaseException) -> str | None:
    if not isinstance(error, OSError) or type(error).__module__ not in _SYSTEM:
        return None
    if error.errno is not None:
        return str(error)
    found = _TUNNEL.match(str(error))
    return found and found[0]
