"""One request to a server: whether it has left, and which error stands for its failure.

Both shells translate here what a transport raises: http.client, urllib3, requests and aiohttp raise a ValueError for a
broken answer, quote what the server sent, or cannot tell a failure before the request from one after it.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from azure.core.exceptions import (
    AzureError,
    DecodeError,
    HttpResponseError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)

from azure_certvar_credential._core.answers import json_object
from azure_certvar_credential._core.effects import Fetch, Send
from azure_certvar_credential._core.exchange import MAX_BODY, Response
from azure_certvar_credential._secrecy.known_secrets import of_options, of_token, remover, without_known
from azure_certvar_credential._transport import trust
from azure_certvar_credential._transport.deadline import deadline
from azure_certvar_credential.exceptions import (
    AcquisitionTimeoutError,
    ConfigurationError,
    CredentialClosedError,
    UntrustedServerError,
)

# Of a token request; any other field is a token.
_PUBLIC_FIELDS = frozenset(
    {
        "claims",
        "client_assertion_type",
        "client_id",
        "client_info",
        "fmi_path",
        "grant_type",
        "requested_token_use",
        "scope",
        "user_id",
        "username",
    }
)
# One of these is in every refusal, the second if its name is escaped.
_REFUSALS = (b"error", b"\\u")
# Their texts come from the operating system, from OpenSSL or from the transport itself; others quote the server.
_QUOTES_NOTHING = (AzureError, ConnectionError, TimeoutError, ssl.SSLError)
_TIMEOUTS = (ServiceRequestTimeoutError, ServiceResponseTimeoutError, TimeoutError)


class Attempt:
    """A request under way.

    :param effect: the request.
    :param options: the pipeline's, whose headers and proxies may hold secrets.
    :param tells: whether the transport tells when the request leaves, as this package's own do.
    :ivar sent: whether the request may have left; None where the transport does not tell.
    """

    __slots__ = ("_effect", "_options", "_remover", "_tells", "sent")

    def __init__(self, effect: Send | Fetch, options: Mapping[str, Any], *, tells: bool) -> None:
        self._effect = effect
        self._options = options
        self._tells = tells
        self._remover: Callable[[str], str] | None = None
        self.sent: bool | None = False if tells else None

    def translated(self, error: Exception) -> Exception:
        """Return what is raised in the place of a transport's exception; to be called outside of the handler.

        :returns: an AzureError of the class that says whether the request had left, and whose text holds no secret;
            or :class:`ConfigurationError` for what cannot be sent at all.
        """
        if isinstance(error, (AcquisitionTimeoutError, CredentialClosedError)):
            return error
        if deadline().over:
            return deadline().error()
        text, cause = self._text(error), root(error)
        # OpenSSL's refusal of a certificate is a ValueError, too.
        if self.sent is False and isinstance(cause, (TypeError, ValueError)) and not isinstance(cause, ssl.SSLError):
            return ConfigurationError(f"the request cannot be sent: {text}")
        if is_untrusted(cause):
            return UntrustedServerError(f"{text.rstrip('.')}. {trust.explained(self._options, own=self._tells)}")
        return self._kind(error)(text)

    def cleaned(self, error: AzureError) -> AzureError:
        """Return an error of the same class that holds nothing of the request, and no secret in its text.

        The exceptions underneath keep a reference to the request, whose body holds the assertion, where error reporters
        would find it.
        """
        if isinstance(error, AcquisitionTimeoutError):
            return error
        text = without_known(error.message, self._secrets())
        with suppress(TypeError):  # a constructor of another shape
            return type(error)(text)
        # Not made while the TypeError is handled: azure-core's errors keep what is being handled, with all its frames.
        return AzureError(text)

    def quoting_nothing(self, response: Response) -> Response:
        """Return an answer as it is if it is no refusal, and otherwise without what the request holds of secrets.

        A refusal's texts are shown, and servers and gateways quote what they refuse. Of any other answer that is JSON,
        nothing is shown; of one that is not, its type.
        """
        if response.status == 200 and not any(sign in response.body for sign in _REFUSALS):
            return response
        document = json_object(response.body, limit=MAX_BODY)
        if response.status == 200 and document is not None and "error" not in document:
            return response
        removed = self.remover()
        headers = {name: removed(value) for name, value in response.headers.items()}
        body = response.body
        if document is not None:
            texts = {name: removed(value) if isinstance(value, str) else value for name, value in document.items()}
            body = body if texts == document else json.dumps(texts).encode()
        return Response(response.status, headers, body)

    def remover(self) -> Callable[[str], str]:
        """Return a function that removes from a text what the request holds of secrets."""
        # Kept: every header that is logged passes through it, and it takes longer to make than a request to log.
        if self._remover is None:
            self._remover = remover(self._secrets())
        return self._remover

    def _kind(self, error: Exception) -> type[AzureError]:
        answered = isinstance(error, (ServiceResponseError, DecodeError)) or type(error) is HttpResponseError
        if isinstance(error, AzureError) and (self.sent is None or (self.sent and answered)):
            return type(error)
        timed_out = isinstance(error, _TIMEOUTS)
        if self.sent is False:
            return ServiceRequestTimeoutError if timed_out else ServiceRequestError
        return ServiceResponseTimeoutError if timed_out else ServiceResponseError

    def _text(self, error: Exception) -> str:
        cause = root(error)
        name = type(cause).__name__
        was_sent = not isinstance(error, ServiceRequestError) if self.sent is None else self.sent
        if was_sent and not isinstance(error, _TIMEOUTS) and not isinstance(cause, _QUOTES_NOTHING):
            return f"the answer is broken ({name})"
        return without_known(str(error) or str(cause) or name, self._secrets())

    def _secrets(self) -> Iterator[str]:
        if isinstance(self._effect, Send):
            for name, value in self._effect.form.items():
                if name not in _PUBLIC_FIELDS:
                    yield from of_token(value)
        yield from of_options(self._options)


# The attempt under way, which the transport's connections report to, and the boundary before the transport.
under_way: ContextVar[Attempt | None] = ContextVar("attempt", default=None)


def sending() -> None:
    """Note that the request of the attempt under way leaves; for this package's own transports."""
    attempt = under_way.get()
    if attempt is not None:
        attempt.sent = True


def is_untrusted(error: BaseException) -> bool:
    """Return whether the reason of a failure is that a server's certificate does not verify."""
    return isinstance(root(error), (ssl.SSLCertVerificationError, UntrustedServerError))


def root(error: BaseException) -> BaseException:
    """Return the exception that the others are wrapped around."""
    seen = {id(error)}
    while True:
        inner = [getattr(error, "inner_exception", None), getattr(error, "reason", None), *reversed(error.args)]
        inner += [error.__cause__, error.__context__]
        below = next((one for one in inner if isinstance(one, BaseException) and id(one) not in seen), None)
        if below is None:
            return error
        seen.add(id(below))
        error = below
