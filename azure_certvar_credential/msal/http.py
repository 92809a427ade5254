"""The HTTP client that MSAL uses: it signs each token request just before sending it, and reads the answer first.

MSAL chooses the endpoint and the parameters. This module signs, sends, retries and reads the request with the flow that
every other credential uses (:mod:`azure_certvar_credential._core.flow`). The consequences:

* The assertion is created here, for the URL that MSAL posts to, regional or not and in every version of MSAL. MSAL
  holds a placeholder, so its caches, logs and frames contain no assertion.
* A failure is an exception of this package. To MSAL it looks like a network failure of ``requests``, for two reasons.
  MSAL then falls back on a cached token that is due for refresh and still valid, which it does not do after an error
  response. And MSAL's throttling, which replays error responses to other callers, has nothing to replay; this package
  decides on pauses.
* MSAL receives only the fields that it needs from a good answer, with numbers as numbers. The refresh time follows
  this package's rule, so MSAL and this package agree on when a token is due.
* An assertion leaves for an unknown Entra host only after Microsoft has confirmed the host.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
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
from azure_certvar_credential._runtime.events import event
from azure_certvar_credential._runtime.immediate import note_wait
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._sync.effect_runner import EffectRunner
from azure_certvar_credential._values import Value, field, fields, replace
from azure_certvar_credential.exceptions import AuthenticationError, ConfigurationError
from azure_certvar_credential.msal import documents
from azure_certvar_credential.msal.client import Client

_LOGGER = logging.getLogger("azure_certvar_credential")

# Azure's instance metadata service: https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
IMDS = "http://169.254.169.254/"


class RefusedError(RequestException):
    """A failure that looks to MSAL like one of the network.

    :ivar failure: the actual failure.
    """

    def __init__(self, failure: Exception) -> None:
        super().__init__()
        self.failure = failure


class Answer(Value):
    """A response as MSAL reads it, without its headers: MSAL would act on a ``Retry-After``."""

    status_code: int
    text: str = field(repr=False)
    headers: Mapping[str, str] = MappingProxyType({})

    def raise_for_status(self) -> None:
        """Do nothing: :class:`HttpClient` has already raised for every status that is an error."""


class _Endpoint(Authority):
    """An authority whose token endpoint MSAL has determined."""

    url: str = ""

    def token_endpoint(self, tenant_id: str) -> str:  # noqa: ARG002 - the URL contains it
        return self.url


class Outcome(threading.local):
    """The outcome of the token request that MSAL made in this thread, if it made one."""

    token: Token | None = None
    failure: Exception | None = None

    def take(self) -> tuple[Token | None, Exception | None]:
        """Return the token and the failure, and clear both."""
        taken, self.token, self.failure = (self.token, self.failure), None, None
        return taken


class HttpClient:
    """MSAL's ``http_client``; one instance serves all applications of a credential.

    :param settings: the credential's.
    :param effects: loads the certificate, signs, reads the clock.
    :param client: sends requests.
    :param clock: returns seconds since the epoch, UTC.
    :param needs_confirmation: whether Microsoft has to confirm the authority before it receives an assertion.
    :ivar region: the Azure region that MSAL is configured with, or None.
    """

    def __init__(
        self,
        settings: Settings,
        effects: EffectRunner,
        client: Client,
        clock: Callable[[], float],
        *,
        needs_confirmation: bool = False,
    ) -> None:
        self._settings = settings
        self._effects = effects
        self._client = client
        self._clock = clock
        self._needs_confirmation = needs_confirmation
        self._last_good = documents.LastGood()
        self.outcome = Outcome()
        self.region: str | None = None

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,  # noqa: ARG002 - part of MSAL's signature; unused in token requests
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> Answer:
        """Send a token request.

        :raises RefusedError: there is no token in the answer, or there was no answer.
        """
        fields = {name: str(value) for name, value in (data or {}).items()}
        try:
            token = self._exchange(url, fields, headers or {})
        except Exception as error:  # noqa: BLE001 - Applications raises it again
            self.outcome.failure = failure = error
        else:
            self.outcome.token = token
            return _answer(token, self._clock())
        raise RefusedError(failure)

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,  # noqa: ARG002 - part of MSAL's signature; documents are JSON
        **_: Any,
    ) -> Answer:
        """Return an authority's metadata, or Microsoft's answer about the authority; see :mod:`.documents`.

        :raises RefusedError: the document could not be fetched or cannot be used.
        """
        if url.startswith(IMDS):
            return self._region_of_machine(url)
        try:
            return self._document(f"{url}?{urlencode(params)}" if params else url)
        except Exception as error:  # noqa: BLE001 - Applications raises it again
            failure = error
        raise RefusedError(failure)

    def _region_of_machine(self, url: str) -> Answer:
        """Answer in place of Azure's instance metadata service; outside Azure, a request to it may hang for minutes.

        MSAL queries the service even if a region is configured, to compare. This package has detected it already.
        """
        if self.region is None:
            raise RefusedError(ServiceRequestError("the region of this machine is not known"))
        # msal requests text before 1.38, and JSON from 1.38 on.
        return Answer(200, self.region if "format=text" in url else json.dumps({"location": self.region}))

    def _exchange(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Token:
        if self._needs_confirmation:
            raise ConfigurationError(
                f"authority {redact_value(self._settings.authority.base)} is not one of Microsoft's sign-in hosts, and "
                "Microsoft has not confirmed it; if you know and trust it, pass disable_instance_discovery=True"
            )
        known = self._settings.authority
        # By name: the authority may be of a subclass with further fields.
        here = _Endpoint(**{name: getattr(known, name) for name in fields(Authority)}, url=url)

        def perform(effect: Effect) -> Result:
            match effect:
                case ReadCache() | WriteCache():
                    return None  # MSAL has its own cache
                case Send():
                    note_wait(effect, None)
                    return self._effects.observed(self._client, _merged(effect, form, headers))
                case Wait(seconds):
                    note_wait(effect, None)
                    return self._client.sleep(seconds)
            return self._effects.run(_one(effect))

        request = TokenRequest((form.get("scope", ""),), self._settings.tenant_id)
        # The URL already contains the region.
        return run(acquire(replace(self._settings, authority=here, region=None), request), perform)

    def _document(self, url: str) -> Answer:
        text = documents.written(self._settings.authority, url) if documents.is_metadata(url) else None
        if text is not None:
            return Answer(200, text)
        kept = self._kept(url)
        try:
            answer = self._fetched(url, once=kept is not None)
        except Exception as error:  # noqa: BLE001 - whatever happened, the metadata that was read earlier remains valid
            failure = error
        else:
            return answer
        if kept is None:
            raise failure
        _LOGGER.warning(
            "could not refresh the metadata of %s, and will use the last valid document: %s: %s",
            redact_value(self._settings.authority.base),
            type(failure).__name__,
            failure,
            extra=event("metadata_failed", failure),
        )
        return kept

    def _kept(self, url: str) -> Answer | None:
        body = self._last_good.get(url)
        read = None if body is None else self._read(url, exchange.Response(200, {}, body))
        return read if isinstance(read, Answer) else None

    def _fetched(self, url: str, *, once: bool) -> Answer:
        """Fetch a document; ``once`` makes a single attempt, for callers that have an earlier document."""
        retries = Retries(Retry(total=0) if once else self._settings.retry)
        while True:
            fetch = Fetch(url)
            note_wait(fetch, None)
            answer = self._client.send(fetch)
            read = answer.error if isinstance(answer, Unanswered) else self._read(url, answer)
            if isinstance(read, Answer):
                return read
            pause = retries.pause(read, sent=True)
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
        elif documents.confirms(url, answer, self._settings.authority):
            self._needs_confirmation = False
        return Answer(answer.status, answer.body.decode("utf-8", "replace"))


def _one(effect: Effect) -> Flow[Result]:
    return (yield effect)


def _merged(send: Send, form: Mapping[str, str], headers: Mapping[str, str]) -> Send:
    """Return MSAL's request with this package's assertion, correlation id and client name."""
    return Send(
        send.url,
        {**form, "client_assertion": send.form["client_assertion"]},
        {
            **{name: value for name, value in headers.items() if not name.lower().startswith("x-client-")},
            **send.headers,
        },
    )


def _answer(token: Token, now: float) -> Answer:
    """Return a token in the form that MSAL expects: lifetimes are integers, and MSAL does not check them.

    MSAL counts them from now, and the token is due for it one second after its refresh: it is due here just then.

    :param now: the time in seconds since the epoch.
    """
    return Answer(
        200,
        json.dumps(
            {
                "token_type": token.token_type,
                "access_token": token.value,
                "expires_in": max(int(token.expires_on - now), 0),
                "refresh_in": max(int(token.refresh_on - now) - 1, 0),
            }
        ),
    )
