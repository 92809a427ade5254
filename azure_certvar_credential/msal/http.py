"""The HTTP client that MSAL is given: it signs at the last moment and reads every answer before MSAL does.

MSAL decides what is asked of whom; the request that goes out is signed, sent, repeated and read by the same flow as
this package's own (:mod:`azure_certvar_credential._core.flow`). What that brings:

* The assertion is made here, for the URL that MSAL posts to, whatever version of MSAL it is and whether the endpoint is
  a regional one. MSAL holds a placeholder, so no assertion is in its caches, logs and frames.
* A refusal is an exception of this package. To MSAL it looks like a failure of the network, as ``requests`` would
  raise it: so MSAL falls back on a token of its cache that is due for refresh and still valid, which it does for no
  answer of the server, and its throttling, which replays an answer to others, has nothing to replay: pauses are the
  keeper's.
* MSAL gets from a good answer what it needs and no more, as numbers. It is told the time of refresh by this package's
  rule, so MSAL and this package never disagree about when a token is due.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import urlencode

from azure.core.exceptions import ServiceRequestError
from requests.exceptions import RequestException

from azure_certvar_credential._core import exchange
from azure_certvar_credential._core.authority import Authority
from azure_certvar_credential._core.config import Settings
from azure_certvar_credential._core.effects import (
    Effect,
    Fetch,
    Flow,
    ReadCache,
    Result,
    Send,
    Token,
    Unanswered,
    Wait,
    WriteCache,
    run,
)
from azure_certvar_credential._core.flow import acquire
from azure_certvar_credential._core.metadata import endpoint_in
from azure_certvar_credential._core.recovery import Recovery
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._sync.performer import Performer
from azure_certvar_credential.exceptions import AuthenticationError, ResponseFormatError
from azure_certvar_credential.msal.client import Client

# Azure's instance metadata service: https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
IMDS = "http://169.254.169.254/"
METADATA = "/.well-known/openid-configuration"


class RefusedError(RequestException):
    """What MSAL takes for a failure of the network.

    :ivar failure: what happened.
    """

    def __init__(self, failure: Exception) -> None:
        super().__init__()
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as MSAL reads it. Its headers stay here: MSAL would act on a ``Retry-After`` by itself."""

    status_code: int
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)

    def raise_for_status(self) -> None:
        """Do nothing: what MSAL would raise for has been raised before MSAL gets an answer."""


@dataclass(frozen=True, slots=True)
class _Endpoint(Authority):
    """An authority whose token endpoint MSAL has found out."""

    url: str = ""

    def token_endpoint(self, tenant_id: str) -> str:  # noqa: ARG002 - it is in the URL
        return self.url


class Outcome(threading.local):
    """What became of the token request that MSAL made in this thread, if it made one."""

    token: Token | None = None
    failure: Exception | None = None

    def take(self) -> tuple[Token | None, Exception | None]:
        """Return the token and the failure, and forget them."""
        taken, self.token, self.failure = (self.token, self.failure), None, None
        return taken


class HttpClient:
    """MSAL's ``http_client``; one serves all applications of a credential.

    :param settings: the credential's.
    :param performer: loads the certificate, signs, tells the time.
    :param client: sends.
    :param clock: returns seconds since the epoch, UTC.
    :ivar region: the Azure region whose endpoint MSAL is told to ask, or None.
    """

    def __init__(self, settings: Settings, performer: Performer, client: Client, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._performer = performer
        self._client = client
        self._clock = clock
        self.outcome = Outcome()
        self.region: str | None = None

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,  # noqa: ARG002 - MSAL's signature; a token request has none
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> Answer:
        """Make a token request.

        :raises RefusedError: it brought no token.
        """
        fields = {name: str(value) for name, value in (data or {}).items()}
        try:
            token = self._exchange(url, fields, headers or {})
        except Exception as error:  # noqa: BLE001 - it is raised again where MSAL was called
            self.outcome.failure = failure = error
        else:
            self.outcome.token = token
            return _answer(token)
        raise RefusedError(failure)

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,  # noqa: ARG002 - MSAL's signature; a document is asked for as JSON
        **_: Any,
    ) -> Answer:
        """Fetch the metadata of an authority, or Microsoft's list of hosts.

        :raises RefusedError: it could not be had.
        """
        if url.startswith(IMDS):
            return self._region_of_machine(url)
        try:
            return self._document(f"{url}?{urlencode(params)}" if params else url)
        except Exception as error:  # noqa: BLE001 - it is raised again where MSAL was called
            failure = error
        raise RefusedError(failure)

    def _region_of_machine(self, url: str) -> Answer:
        """Answer in the place of Azure's instance metadata service, which may take minutes where there is none.

        MSAL asks it even if it was told the region, to compare; what was to be found out has been found out already.
        """
        if self.region is None:
            raise RefusedError(ServiceRequestError("the region of this machine is not known"))
        # As text before msal 1.38, as JSON since.
        return Answer(200, self.region if "format=text" in url else json.dumps({"location": self.region}))

    def _exchange(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Token:
        known = self._settings.authority
        # Its fields by name: copies of an authority that may itself have a field more than Authority.
        here = _Endpoint(**{one.name: getattr(known, one.name) for one in fields(Authority)}, url=url)

        def perform(effect: Effect) -> Result:
            match effect:
                case ReadCache() | WriteCache():
                    return None  # MSAL has looked and will write
                case Send():
                    return self._client.send(_merged(effect, form, headers))
                case Wait(seconds):
                    return self._client.sleep(seconds)
            return self._performer.run(_one(effect))

        request = TokenRequest((form.get("scope", ""),), self._settings.tenant_id)
        return run(acquire(replace(self._settings, authority=here), request), perform)

    def _document(self, url: str) -> Answer:
        recovery = Recovery(self._settings.retry)
        while True:
            answer = self._client.send(Fetch(url))
            read = answer.error if isinstance(answer, Unanswered) else self._read(url, answer)
            if isinstance(read, Answer):
                return read
            pause = recovery.pause(read)
            if pause is None:
                raise read
            self._client.sleep(pause)

    def _read(self, url: str, answer: exchange.Response) -> Answer | Exception:
        now, metadata = self._clock(), url.endswith(METADATA)
        document = Answer(answer.status, answer.body.decode("utf-8", "replace"))
        try:
            if metadata and self._settings.authority.kind == "oidc":
                endpoint_in(answer, self._settings, now=now)
            if answer.status == 200 and len(answer.body) <= exchange.MAX_BODY:
                missing = _missing(document.text) if metadata else None
                return document if missing is None else ResponseFormatError(missing, status_code=200)
            # Entra's errors and those of a server that is out of order look the same here as at the token endpoint.
            exchange.read(answer, now=now, about="request was for the authority's metadata")
        except ResponseFormatError as error:
            if self._settings.authority.kind == "oidc":
                return error.with_traceback(None)
        except AuthenticationError as error:
            return document if error.error == "invalid_instance" else error.with_traceback(None)
        return ResponseFormatError(
            f"the authority's metadata could not be read: HTTP {answer.status} with {len(answer.body)} bytes; "
            "check authority, tenant_id, proxy and firewall",
            status_code=answer.status,
        )


def _one(effect: Effect) -> Flow[Result]:
    return (yield effect)


def _merged(send: Send, form: Mapping[str, str], headers: Mapping[str, str]) -> Send:
    """Return MSAL's request with our assertion, ids and name."""
    return Send(
        send.url,
        {**form, "client_assertion": send.form["client_assertion"]},
        {
            **{name: value for name, value in headers.items() if not name.lower().startswith("x-client-")},
            **send.headers,
        },
    )


def _answer(token: Token) -> Answer:
    """Return a token as MSAL reads it: its own reading takes numbers only, and tells no lifetime from nonsense."""
    return Answer(
        200,
        json.dumps(
            {
                "token_type": token.token_type,
                "access_token": token.value,
                "expires_in": int(token.expires_on - token.requested_on),
                "refresh_in": int(token.refresh_on - token.requested_on),
            }
        ),
    )


def _missing(text: str) -> str | None:
    """Return what is wrong with an authority's metadata (OpenID Connect Discovery section 3), or None."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        return "the authority's metadata is not a JSON object; check authority, proxy and firewall"
    for name in ("token_endpoint", "authorization_endpoint"):
        value = document.get(name)
        if not isinstance(value, str) or not value.startswith("https://"):
            return f"the authority's metadata has no {name} with https"
    return None
