"""Acquires tokens with MSAL: one ``ConfidentialClientApplication`` for each tenant, kept, over one token cache.

How MSAL's cache and this package's refresh go together:

* ``acquire_token_for_client`` returns a cached token until its ``refresh_on``, or until five minutes before it expires.
  The ``refresh_on`` of a token that was acquired here is this package's own (see :mod:`.http`); of one that another
  program put there it is MSAL's. A token is taken as due only after MSAL takes it as due, so a refresh never gets the
  same token again and again, and the cache is never emptied to force one.
* A token that another process has put into a persisted cache is used without a request.
* A claims challenge bypasses MSAL's cache, and its answer replaces what is in it.
* MSAL keeps tokens with and without Continuous Access Evaluation under one key, so they have caches of their own here.
  A ``token_cache`` that was handed over is for those without; those with it stay in memory, because whoever shares a
  persisted cache may not understand claims challenges.
* MSAL looks into its cache only after it has been told the authority's metadata. Where that is a rule it is told at
  once (see :mod:`.documents`), so what is in the cache serves while the server is out of order.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msal
from azure.core.exceptions import AzureError

from azure_certvar_credential._core.effects import Token
from azure_certvar_credential._core.freshness import refresh_on, required_on
from azure_certvar_credential._core.region import AUTO
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._runtime.cached_tokens import BACKOFF
from azure_certvar_credential._runtime.construction import Parts
from azure_certvar_credential._runtime.fork import tell_after_fork
from azure_certvar_credential._runtime.immediate import moment
from azure_certvar_credential._runtime.region import detect_region
from azure_certvar_credential._runtime.serialized_attempts import SerializedAttempts
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._secrecy.tracebacks import cleared
from azure_certvar_credential._sync.effect_runner import EffectRunner
from azure_certvar_credential._transport.sync import Sender
from azure_certvar_credential.exceptions import AuthenticationError, ConfigurationError, ResponseFormatError
from azure_certvar_credential.msal.caches import (
    NO_TIME,
    check_cache,
    is_time,
    knows_fmi_path,
    unlock,
    unreadable,
    unreadable_for,
)
from azure_certvar_credential.msal.client import Client, ForeignClient
from azure_certvar_credential.msal.http import HttpClient, RefusedError
from azure_certvar_credential.msal.options import MsalOptions, authority_arguments

_LOGGER = logging.getLogger("azure_certvar_credential")

# Applications hold metadata and little else; beyond this many tenants the least recently used is made anew.
MAX_APPLICATIONS = 200
# MSAL takes a token with less than this left (seconds) for expired.
_MSAL_MARGIN = 300
# Tenant, Continuous Access Evaluation, region.
_Key = tuple[str, bool, str | None]
# What MSAL calls the capability to handle claims challenges.
_CAE = ["CP1"]


class _Slot:
    """A place for one application, and the turns in which it is made."""

    __slots__ = ("application", "turns")

    def __init__(self) -> None:
        self.application: Any = None
        self.turns = SerializedAttempts()


class Applications:
    """MSAL's applications of one credential; usable from any thread.

    :param parts: what the credential is made of; its options are MSAL's.
    :param effects: loads the certificate and signs.
    """

    def __init__(self, parts: Parts, effects: EffectRunner) -> None:
        if not isinstance(parts.options, MsalOptions):
            raise TypeError(f"{type(parts.options).__name__} are not the options of a credential with MSAL")
        self._settings = parts.settings
        self._clock = parts.clock
        self._options = parts.options
        self._client = _client(parts, parts.options)
        self._http = HttpClient(parts.settings, effects, self._client, parts.clock)
        self._lock = threading.Lock()
        self._slots: OrderedDict[_Key, _Slot] = OrderedDict()
        self._start_caches()

    def acquire(self, request: TokenRequest) -> Token:
        """Return a token, from MSAL's cache or from the server.

        :raises AuthenticationError: the server refused, or answered with something that is no token.
        :raises ConfigurationError: MSAL does not take the authority, or cannot read its cache.
        :raises azure.core.exceptions.AzureError: no connection was made, or it broke and retries did not help.
        """
        outcome = self._outcome(request)
        if isinstance(outcome, Exception):
            # Here, where nothing is being handled, and where no variable holds what is in the cache.
            raise outcome
        return outcome

    def _outcome(self, request: TokenRequest) -> Token | Exception:
        began = self._clock()
        self._http.outcome.take()  # what a call that was interrupted left behind
        result: Mapping[str, Any] = {}
        failure: Exception | None = None
        ours = False
        try:
            result = self._ask(request)
        except RefusedError as refused:
            failure, ours = refused.failure, True
        except Exception as error:  # noqa: BLE001 - MSAL has no class for what is wrong with a cache or an authority
            failure = error
        acquired, refusal = self._http.outcome.take()
        if acquired is not None and failure is not None:
            # Its class alone: the text may be anything.
            _LOGGER.warning("a token could not be put into MSAL's cache, and is used: %s", type(failure).__name__)
            return acquired
        if failure is not None:
            # Without what is in its frames: the request and the cache.
            return failure.with_traceback(None) if ours else cleared(self._translated(failure))
        return self._cached(result, began, refusal) if acquired is None else self._fresh(acquired, result)

    def close(self) -> None:
        """Close the connections for good, and forget the applications."""
        with self._lock:
            self._slots.clear()
        self._client.close()

    def after_fork(self) -> None:
        """Start with locks of its own, and applications, which hold locks too."""
        self._lock = threading.Lock()
        self._slots = OrderedDict()
        unlock(self._cache)
        unlock(self._cae_cache)

    def _start_caches(self) -> None:
        given = self._options.token_cache
        self._cache = msal.TokenCache() if given is None else given
        self._cae_cache = msal.TokenCache()

    def _ask(self, request: TokenRequest) -> Mapping[str, Any]:
        options: dict[str, Any] = {}
        fields = request.grant.fields()
        if "fmi_path" in fields:
            if not knows_fmi_path():
                raise RefusedError(ConfigurationError(f"fmi_path needs msal 1.36 or later, not {msal.__version__}"))
            options["fmi_path"] = fields["fmi_path"]
        application = self._application(request)
        result: Mapping[str, Any] | None = application.acquire_token_for_client(
            list(request.scopes), claims_challenge=request.claims, **options
        )
        if result is None or not isinstance(result.get("access_token"), str):
            raise ResponseFormatError("MSAL returned neither a token nor a failure")
        return result

    def _application(self, request: TokenRequest) -> Any:
        # A region that could not be found out is looked for again after a while, and has another application then.
        region = detect_region() if self._settings.region == AUTO else self._settings.region
        key = (request.tenant_id, request.enable_cae, region)
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > MAX_APPLICATIONS:
                self._slots.popitem(last=False)
        seen = slot.turns.number
        # Metadata may be fetched meanwhile; whoever needs the same application waits for it.
        with slot.turns.lock, slot.turns.attempt(seen):
            if slot.application is None:
                try:
                    slot.application = self._make(*key)
                except RefusedError as refused:
                    # Without MSAL's frames: it is kept for whoever waits.
                    raise RefusedError(refused.failure.with_traceback(None)) from None
            return slot.application

    def _make(self, tenant_id: str, enable_cae: bool, region: str | None) -> Any:  # noqa: FBT001 - the parts of a key
        given = self._options
        self._http.region = region
        return msal.ConfidentialClientApplication(
            self._settings.client_id,
            # A callable, because MSAL warns of texts. What takes its place is signed in HttpClient.
            client_credential={"client_assertion": _placeholder},
            token_cache=self._cae_cache if enable_cae else self._cache,
            http_client=self._http,
            azure_region=given.msal_region(region, msal.ConfidentialClientApplication),
            instance_discovery=given.discovers(self._settings.authority),
            client_capabilities=_CAE if enable_cae else None,
            **authority_arguments(self._settings.authority, tenant_id),
        )

    def _fresh(self, token: Token, result: Mapping[str, Any]) -> Token:
        # MSAL dates the token from the answer, and takes it as due in the second after.
        due = max(token.refresh_on, _number(result.get("refresh_on"), 0.0) + 1)
        return replace(token, refresh_on=max(token.refresh_on, min(due, token.required_on)))

    def _cached(self, result: Mapping[str, Any], began: float, refusal: Exception | None) -> Token | Exception:
        kind = str(result.get("token_type", "Bearer"))
        if kind.lower() != "bearer":
            return ConfigurationError(
                f"the token_cache holds a token of type {redact_value(kind)} for this application and scope, "
                f"which no client "
                "of Azure could use: give this credential a cache of its own"
            )
        given = self._options.token_cache
        if given is not None and not knows_fmi_path():
            # Another process may have put there, since the last look, what this MSAL takes for the application's own.
            error = unreadable(given, self._settings.client_id)
            if error is not None:
                return error
        now, lives = self._clock(), result["expires_in"]
        if not (is_time(int(now) + lives) and is_time(result.get("refresh_on", 0))):
            return unreadable_for(NO_TIME)
        advised = _number(result.get("refresh_on"), now + lives - _MSAL_MARGIN) + 1 - now
        if refusal is not None:
            # MSAL has tried to refresh it, and fallen back on it.
            pause = (refusal.retry_after if isinstance(refusal, AuthenticationError) else None) or 0.0
            advised = min(max(BACKOFF, pause), lives - 1)
            _LOGGER.warning(
                "could not refresh the token in MSAL's cache, which is valid for %.0f s more; next attempt in %.0f s: "
                "%s: %s",
                lives,
                advised,
                type(refusal).__name__,
                refusal,
            )
        jitter = moment(self._clock).jitter
        return Token(
            result["access_token"],
            kind,
            expires_on=began + lives,
            refresh_on=refresh_on(now, lives, advised, jitter),
            required_on=required_on(began, lives),
            requested_on=began,
        )

    def _translated(self, failure: Exception) -> Exception:
        if self._options.token_cache is not None:
            try:
                check_cache(self._options.token_cache, self._settings.client_id)
            except ConfigurationError as error:
                return error
            if isinstance(failure, OverflowError):
                return unreadable_for(NO_TIME)
            if isinstance(failure, OSError) and not isinstance(failure, AzureError):
                return AzureError(f"the token_cache could not be read: {type(failure).__name__}")
        if type(failure) is ValueError:
            return ConfigurationError(_explained(str(failure)))
        return failure


def _client(parts: Parts, options: MsalOptions) -> Client:
    if options.http_client is not None:
        return ForeignClient(options.http_client)
    sender = Sender(parts.pipeline, owns_transport=parts.owns_transport)
    tell_after_fork(sender)
    return sender


def _placeholder() -> str:
    return "signed-when-sent"


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, (int, float)) else default


def _explained(text: str) -> str:
    """Say in our words what MSAL has against an authority: its own may repeat whole answers."""
    if "invalid_instance" in text:
        return (
            "authority is not known to Microsoft: check its spelling; if you know and trust it, pass "
            "disable_instance_discovery=True"
        )
    if "issuer" in text:
        return "the metadata of oidc_authority names an issuer that does not belong to it"
    return "MSAL does not take this authority: its metadata does not fit it; check authority and tenant_id"
