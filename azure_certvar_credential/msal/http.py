"""The HTTP client that MSAL is given: it signs at the last moment and reads every answer before MSAL does.

MSAL decides what is asked of whom; the request that goes out is signed, sent, repeated and read by the same flow as
this package's own (:mod:`azure_certvar_credential._core.flow`). What that brings:

* The assertion is made here, for the URL that MSAL posts to, whatever version of MSAL it is and whether the endpoint is
  a regional one. MSAL holds a placeholder, so no assertion is in its caches, logs and frames.
* A refusal is an exception of this package. To MSAL it looks like a failure of the network, as ``requests`` would
  raise it: so MSAL falls back on a token of its cache that is due for refresh and still valid, which it does for no
  answer of the server, and its throttling, which replays an answer to others, has nothing to replay: pauses are the
  cached_tokens's.
* MSAL gets from a good answer what it needs and no more, as numbers. It is told the time of refresh by this package's
  rule, so MSAL and this package never disagree about when a token is due.
"""

from __future__ import annotations

import json
import logging
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
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._core.retries import Retries, Retry
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._sync.effect_runner import EffectRunner
from azure_certvar_credential.exceptions import AuthenticationError
from azure_certvar_credential.msal import documents
from azure_certvar_credential.msal.client import Client

_LOGGER = logging.getLogger("azure_certvar_credential")

# Azure's instance metadata service: https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
IMDS = "http://169.254.169.254/"


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
    :param effects: loads the certificate, signs, tells the time.
    :param client: sends.
    :param clock: returns seconds since the epoch, UTC.
    :ivar region: the Azure region whose endpoint MSAL is told to ask, or None.
    """

    def __init__(self, settings: Settings, effects: EffectRunner, client: Client, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._effects = effects
        self._client = client
        self._clock = clock
        self._last_good = documents.LastGood()
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
        """Return the metadata of an authority, or what Microsoft says of it; see :mod:`.documents`.

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
            return self._effects.run(_one(effect))

        request = TokenRequest((form.get("scope", ""),), self._settings.tenant_id)
        # The region is in the URL, too.
        return run(acquire(replace(self._settings, authority=here, region=None), request), perform)

    def _document(self, url: str) -> Answer:
        text = documents.written(self._settings.authority, url) if documents.is_metadata(url) else None
        if text is not None:
            return Answer(200, text)
        kept = self._kept(url)
        try:
            answer = self._fetched(url, once=kept is not None)
        except Exception as error:  # noqa: BLE001 - whatever it is, what this credential read before is still good
            failure = error
        else:
            return answer
        if kept is None:
            raise failure
        _LOGGER.warning(
            "the metadata of %s could not be read again, so the last good one stays in use: %s: %s",
            redact_value(self._settings.authority.base),
            type(failure).__name__,
            failure,
        )
        return kept

    def _kept(self, url: str) -> Answer | None:
        body = self._last_good.get(url)
        read = None if body is None else self._read(url, exchange.Response(200, {}, body))
        return read if isinstance(read, Answer) else None

    def _fetched(self, url: str, *, once: bool) -> Answer:
        """Fetch a document; with an earlier one in hand nobody waits for a second attempt."""
        retries = Retries(Retry(total=0) if once else self._settings.retry)
        while True:
            answer = self._client.send(Fetch(url))
            read = answer.error if isinstance(answer, Unanswered) else self._read(url, answer)
            if isinstance(read, Answer):
                return read
            pause = retries.pause(read)
            if pause is None:
                raise read
            self._client.sleep(pause)

    def _read(self, url: str, answer: exchange.Response) -> Answer | Exception:
        try:
            documents.check(url, answer, self._settings, now=self._clock())
        except AuthenticationError as error:
            return error.with_traceback(None)
        if documents.is_metadata(url):
            self._last_good.keep(url, answer.body)
        return Answer(answer.status, answer.body.decode("utf-8", "replace"))


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
