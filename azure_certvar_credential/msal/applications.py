"""Acquires tokens with MSAL: one ``ConfidentialClientApplication`` for each tenant, over one token cache.

How MSAL's cache and this package's refresh work together:

* ``acquire_token_for_client`` returns a cached token until its ``refresh_on``, or until five minutes before it expires.
  This package computes the ``refresh_on`` of the tokens that it acquires (see :mod:`.http`); MSAL computes that of the
  tokens that other programs acquire. A token counts as due here only after it is due for MSAL, so a refresh always
  fetches a new token, and nothing has to be removed from the cache to force one.
* A token that another process stored in a persisted cache is used without a request.
* MSAL finds tokens for exactly the requested scopes only (:class:`.ExactScopes`).
* A claims challenge bypasses MSAL's cache, and the new token replaces the cached one.
* MSAL stores tokens with and without Continuous Access Evaluation under the same key, so this package uses two caches.
  The caller's ``token_cache`` holds the tokens without it. Tokens with it stay in memory, because other programs that
  share the cache may not understand claims challenges.
* MSAL searches its cache only after it has read the authority's metadata. Where the metadata follows a rule, this
  package writes it (see :mod:`.documents`), so cached tokens remain usable while the server is unavailable.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import msal
from azure.core.exceptions import AzureError

from azure_certvar_credential._core.authority import AUTO_REGION
from azure_certvar_credential._core.effects import Token
from azure_certvar_credential._core.freshness import REQUIRED_MARGIN, delayed
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._runtime.cached_tokens import BACKOFF
from azure_certvar_credential._runtime.construction import Parts
from azure_certvar_credential._runtime.events import event
from azure_certvar_credential._runtime.region import detect_region
from azure_certvar_credential._runtime.serialized_attempts import SerializedAttempts
from azure_certvar_credential._secrecy.redaction import is_safe_to_show, redact_error, redact_value
from azure_certvar_credential._secrecy.tracebacks import cleared, linked
from azure_certvar_credential._sync.effect_runner import EffectRunner
from azure_certvar_credential.exceptions import AuthenticationError, ConfigurationError, ResponseFormatError
from azure_certvar_credential.msal.caches import (
    NO_TIME,
    ExactScopes,
    check_cache,
    is_time,
    knows_client_claims,
    knows_fmi_path,
    unlock,
    unreadable,
    unreadable_for,
)
from azure_certvar_credential.msal.client import Client, client_of
from azure_certvar_credential.msal.http import HttpClient, RefusedError
from azure_certvar_credential.msal.options import MsalOptions, authority_arguments

_LOGGER = logging.getLogger("azure_certvar_credential")

# An application holds little but metadata; beyond this many tenants, the least recently used is dropped.
MAX_APPLICATIONS = 200
# MSAL treats a token as expired this many seconds before it expires.
_MSAL_MARGIN = 300
# Tenant, Continuous Access Evaluation, region.
_Key = tuple[str, bool, str | None]
# MSAL's name for the capability to handle claims challenges.
_CAE = ["CP1"]


class _Slot:
    """One application, once it has been created, and the attempts to create it."""

    __slots__ = ("application", "attempts")

    def __init__(self) -> None:
        self.application: Any = None
        self.attempts = SerializedAttempts()


class Applications:
    """The MSAL applications of one credential; usable from any thread.

    :param parts: the parts of the credential, with :class:`MsalOptions`.
    :param effects: loads the certificate and signs.
    """

    def __init__(self, parts: Parts, effects: EffectRunner) -> None:
        if not isinstance(parts.options, MsalOptions):
            raise TypeError(f"options must be MsalOptions, not {type(parts.options).__name__}")
        self._settings = parts.settings
        self._clock = parts.clock
        self._options = parts.options
        self._client: Client = client_of(parts, parts.options.http_client)
        self._http = HttpClient(
            parts.settings,
            effects,
            self._client,
            parts.clock,
            needs_confirmation=parts.options.needs_confirmation(parts.settings.authority),
        )
        self._lock = threading.Lock()
        self._slots: OrderedDict[_Key, _Slot] = OrderedDict()
        self._start_caches()

    def acquire(self, request: TokenRequest) -> Token:
        """Return a token, from MSAL's cache or from the server.

        :param request: the token to acquire.
        :raises AuthenticationError: the server refused, or its answer contains no token.
        :raises ConfigurationError: MSAL rejects the authority or cannot read the cache.
        :raises azure.core.exceptions.AzureError: no connection was made, or it broke and retries did not help.
        """
        outcome = self._outcome(request)
        if isinstance(outcome, Exception):
            # Raised outside any handler, in a frame that holds nothing from the cache.
            raise outcome
        return outcome

    def _outcome(self, request: TokenRequest) -> Token | Exception:
        began = self._clock()
        self._http.outcome.take()  # an interrupted call may have left an outcome
        result: Mapping[str, Any] = {}
        failure: Exception | None = None
        ours = False
        try:
            result = self._ask(request)
        except RefusedError as refused:
            failure, ours = refused.failure, True
        except Exception as error:  # noqa: BLE001 - MSAL raises plain exceptions for bad caches and authorities
            failure = error
        acquired, refusal = self._http.outcome.take()
        if acquired is not None and failure is not None:
            # The class alone: the text may contain anything.
            name, fields = type(failure).__name__, event("msal_cache_failed", failure)
            _LOGGER.warning("could not store a new token in MSAL's cache, but will use it: %s", name, extra=fields)
            return acquired
        if failure is not None:
            # Without the variables of its frames, which hold the request and the cache.
            return failure.with_traceback(None) if ours else cleared(self._translated(failure))
        return self._cached(result, began, refusal) if acquired is None else acquired

    def close(self) -> None:
        """Close the connections permanently and drop the applications."""
        with self._lock:
            self._slots.clear()
        self._client.close()

    def after_fork(self) -> None:
        """Replace the locks in a child process, and drop the applications, which hold locks too."""
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
        for name, value, knows, since in (
            ("fmi_path", request.grant.fields().get("fmi_path"), knows_fmi_path, "1.36"),
            ("forwarded_client_claims", request.client_claims, knows_client_claims, "1.38"),
        ):
            if value is not None and not knows():
                raise RefusedError(
                    ConfigurationError(f"{name} needs msal {since} or later; msal {msal.__version__} is installed")
                )
            options |= {} if value is None else {name: value}
        application = self._application(request)
        result: Mapping[str, Any] | None = application.acquire_token_for_client(
            list(request.scopes), claims_challenge=request.claims, **options
        )
        if result is None or not isinstance(result.get("access_token"), str):
            raise ResponseFormatError("MSAL returned neither a token nor a failure")
        return result

    def _application(self, request: TokenRequest) -> Any:
        # A failed detection of the region is repeated later; a detected region gets another application.
        region = detect_region() if self._settings.region == AUTO_REGION else self._settings.region
        key = (request.tenant_id, request.enable_cae, region)
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > MAX_APPLICATIONS:
                self._slots.popitem(last=False)
        seen = slot.attempts.number
        # Creating an application may fetch metadata; callers that need the same application wait for it.
        with slot.attempts.lock, slot.attempts.attempt(seen):
            if slot.application is None:
                try:
                    slot.application = self._make(*key)
                except RefusedError as refused:
                    # Without MSAL's frames: the error is kept for the callers that wait.
                    raise RefusedError(refused.failure.with_traceback(None)) from None
            return slot.application

    def _make(self, tenant_id: str, enable_cae: bool, region: str | None) -> Any:  # noqa: FBT001 - the parts of a key
        given = self._options
        self._http.region = region
        return msal.ConfidentialClientApplication(
            self._settings.client_id,
            # A callable, because MSAL warns about strings. HttpClient replaces the placeholder with an assertion.
            client_credential={"client_assertion": _placeholder},
            token_cache=ExactScopes(self._cae_cache if enable_cae else self._cache),
            http_client=self._http,
            azure_region=given.msal_region(region),
            instance_discovery=given.msal_instance_discovery(self._settings.authority),
            client_capabilities=_CAE if enable_cae else None,
            **authority_arguments(self._settings.authority, tenant_id),
        )

    def _cached(self, result: Mapping[str, Any], began: float, refusal: Exception | None) -> Token | Exception:
        kind = str(result.get("token_type", "Bearer"))
        if kind.lower() != "bearer":
            return ConfigurationError(
                f"token_cache holds a token of type {redact_value(kind)} for this application and scope, and Azure's "
                "clients need a bearer token: pass another cache"
            )
        given = self._options.token_cache
        if given is not None and not knows_fmi_path():
            # Another process may have stored an entry since that this MSAL mistakes for the application's own.
            error = unreadable(given, self._settings.client_id)
            if error is not None:
                return error
        now, lives = self._clock(), result["expires_in"]
        if not (is_time(int(now) + lives) and is_time(result.get("refresh_on", 0))):
            return unreadable_for(NO_TIME)
        # MSAL knows the end of the token, not its life. Until it is due, MSAL returns it again.
        latest = lives - _MSAL_MARGIN
        advised = max(1.0, min(_number(result.get("refresh_on"), now + latest) - now, latest) + 1)
        if refusal is not None:
            # The refresh failed, and MSAL fell back on the cached token.
            pause = (refusal.retry_after if isinstance(refusal, AuthenticationError) else None) or 0.0
            advised = min(max(BACKOFF, pause), lives - 1)
            _LOGGER.warning(
                "could not refresh the token in MSAL's cache, which is valid for another %.0f s; next attempt in "
                "%.0f s: %s: %s",
                lives,
                advised,
                type(refusal).__name__,
                refusal,
                extra=event("refresh_failed", refusal, valid_for=lives, retry_in=advised),
            )
        required_on = began + lives - REQUIRED_MARGIN
        jitter = 0.0 if refusal is not None else random.random()  # noqa: S311 - protects nothing
        return Token(
            result["access_token"],
            kind,
            expires_on=began + lives,
            refresh_on=delayed(now + advised, required_on, jitter),
            required_on=required_on,
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
                return AzureError(f"token_cache could not be read: {type(failure).__name__}")
        if type(failure) is ValueError:
            return ConfigurationError(_explained(str(failure)))
        if all(map(is_safe_to_show, linked(failure))):
            return failure
        return AzureError(f"MSAL failed: {redact_error(failure)}")


def _placeholder() -> str:
    return "signed-when-sent"


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, (int, float)) else default


def _explained(text: str) -> str:
    """Return our own message for MSAL's objection to an authority: MSAL's may repeat whole answers."""
    if "invalid_instance" in text:
        return (
            "Microsoft does not know this authority: check its spelling; if you know and trust it, pass "
            "disable_instance_discovery=True"
        )
    if "issuer" in text:
        return "the metadata of oidc_authority names an issuer that does not match oidc_authority"
    return "MSAL rejects this authority because its metadata does not match; check authority and tenant_id"
