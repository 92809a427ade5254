"""The keyword options that a credential passes on to azure-core, known by name so that a misspelt one is an error."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from azure_certvar_credential._core.retries import Retry
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential.exceptions import ConfigurationError, UnknownOptionError

# https://learn.microsoft.com/python/api/overview/azure/core-readme and the signatures of azure-core's policies.
PIPELINE_OPTIONS = frozenset(
    {
        "transport",
        "policies",
        "per_call_policies",
        "per_retry_policies",
        # transport
        "connection_cert",
        "connection_data_block_size",
        "connection_timeout",
        "connection_verify",
        "read_timeout",
        "use_env_settings",
        # proxy, headers, ids, user agent
        "base_headers",
        "headers",
        "proxies",
        "request_id",
        "auto_request_id",
        "user_agent",
        "user_agent_overwrite",
        "user_agent_use_env",
        # hooks, logging, tracing
        "raw_request_hook",
        "raw_response_hook",
        "http_logging_level",
        "logging_enable",
        "network_span_namer",
        "tracing_attributes",
        # retry
        "retry_backoff_factor",
        "retry_backoff_max",
        "retry_connect",
        "retry_mode",
        "retry_read",
        "retry_status",
        "retry_total",
        "timeout",
    }
)
# Those that bring code of others into a request.
CODE_OF_OTHERS = frozenset(
    {
        "transport",
        "policies",
        "per_call_policies",
        "per_retry_policies",
        "raw_request_hook",
        "raw_response_hook",
        "network_span_namer",
    }
)

_NO_SHARED_CACHE = (
    "to share tokens with other processes, pass token_cache=SQLiteTokenCache() or RedisTokenCache(url); a cache of "
    "MSAL's is for azure_certvar_credential.msal.MsalCertVarCredential"
)
_CERTIFICATE = "give the certificate with its private key as certificate, in any form"
_NO_DISCOVERY = "to use an authority that Microsoft does not know, pass disable_instance_discovery=True"
_USER_AGENT = "pass user_agent, which is sent beside this package's own"
_FILE = (
    "read the file yourself: certificate_data=pathlib.Path(path).read_bytes(); for a file that is renewed, pass the "
    "method without its parentheses, and it is called again when needed"
)
_NO_REDIRECTS = "redirects are never followed, for they would carry the assertion to another host"
_TRANSPORT = "pass transport, one of azure-core's made with this session"
# The names of azure-identity, msal and requests that cannot mean here what they mean there, and what to do instead.
_INSTEAD = {
    "certificate_path": _FILE,
    "cache_persistence_options": _NO_SHARED_CACHE,
    "_cache": _NO_SHARED_CACHE,
    "_cae_cache": _NO_SHARED_CACHE,
    "cache": _NO_SHARED_CACHE,
    "cae_cache": _NO_SHARED_CACHE,
    "permit_redirects": _NO_REDIRECTS,
    "redirect_max": _NO_REDIRECTS,
    "redirect_remove_headers": _NO_REDIRECTS,
    "redirect_on_status_codes": _NO_REDIRECTS,
    "enable_support_logging": "pass logging_enable, or set the level of the logger azure_certvar_credential",
    "retry_on_status_codes": "the package decides by the answer; retry_status is the number of such retries",
    "retry_policy_class": "retries are the package's own, each freshly signed; retry_total and the like set them",
    "base_user_agent": _USER_AGENT,
    "sdk_moniker": _USER_AGENT,
    "session": _TRANSPORT,
    "session_owner": _TRANSPORT,
    "loop": "connections belong to the event loop that runs",
    "authority_host": "the name is authority",
    "tenant": "the name is tenant_id",
    "client_credential": _CERTIFICATE,
    "private_key": _CERTIFICATE,
    "public_certificate": _CERTIFICATE,
    "thumbprint": f"it is computed; {_CERTIFICATE}",
    "passphrase": "the name is password",
    "instance_discovery": _NO_DISCOVERY,
    "validate_authority": _NO_DISCOVERY,
    "client_capabilities": "pass enable_cae=True to get_token, as Azure's clients do",
    "exclude_scopes": "the scopes of get_token are sent as they are",
    "app_name": _USER_AGENT,
    "app_version": _USER_AGENT,
    "verify": "the name is connection_verify, True or the path of a file with certificate authorities",
    "cert": "for a client certificate of TLS the name is connection_cert",
    "http_client": "pass transport, one of azure-core's, or use azure_certvar_credential.msal.MsalCertVarCredential",
    "http_cache": "nothing but tokens needs to be kept, and they are",
    "enable_pii_log": "nothing that identifies a person is logged, and no token",
}

# Values of them that ask for nothing but what is done anyway, beside None. They are accepted, so that arguments written
# for another class may stay.
_ASKS_NOTHING: Mapping[str, tuple[object, ...]] = {
    "certificate_path": ("",),
    "permit_redirects": (False,),
    "redirect_max": (0,),
    "redirect_remove_headers": ([], ()),
    "redirect_on_status_codes": ([], ()),
    "retry_on_status_codes": ([], ()),
    "enable_support_logging": (False,),
    "session_owner": (True,),
    "validate_authority": (True,),
    "instance_discovery": (True,),
    "enable_pii_log": (False,),
    "verify": (True,),
}

# azure-core waits five minutes for either; a token endpoint that takes longer than this will not answer. All addresses
# of a name together get twice the first.
DEFAULT_TIMEOUTS = {"connection_timeout": 5, "read_timeout": 30}

# Thirty years in seconds: no pause and no number of retries is longer, and larger integers are no floats.
_LARGEST = 1_000_000_000

_NUMBERS = ("retry_total", "retry_status", "retry_read", "retry_connect", "retry_backoff_factor", "retry_backoff_max")


def check_options(options: Mapping[str, Any], *, known_options: Callable[[], frozenset[str]]) -> None:
    """Refuse keyword arguments that nobody knows.

    :param options: what is left of a constructor's keyword arguments.
    :param known_options: returns the constructor's own keyword names, for the suggestion in the message.
    :raises UnknownOptionError: there is an unknown one.
    :raises ConfigurationError: an option is not of the type that azure-core takes, or names a file that is not there.
    """
    for name in options:
        if name in PIPELINE_OPTIONS:
            continue
        if name in _INSTEAD:
            raise UnknownOptionError(f"{name} is not an option here: {_INSTEAD[name]}")
        import difflib  # for the error alone

        close = difflib.get_close_matches(name, PIPELINE_OPTIONS | known_options(), n=1)
        raise UnknownOptionError(
            f"unknown keyword argument {redact_value(name)}" + (f"; did you mean {close[0]!r}?" if close else "")
        )
    if options:
        # Most credentials have none.
        from azure_certvar_credential._transport.option_types import check_types

        check_types(options)
    if options.get("connection_cert") is not None and not isinstance(
        options.get("connection_verify"), (bool, str, os.PathLike, type(None))
    ):
        raise ConfigurationError("connection_cert has no effect with an SSL context: load it into the context instead")
    for name in _NUMBERS:
        value = options.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _LARGEST:
            raise ConfigurationError(f"{name} must be a number from 0 to {_LARGEST:,}, not {redact_value(value)}")


def asked(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options without those of peers that ask for nothing, and with lists for policies that can be read once.

    Each pipeline reads the policies.
    """
    return {
        name: list(value)
        if name in ("policies", "per_call_policies", "per_retry_policies") and isinstance(value, Iterator)
        else value
        for name, value in options.items()
        if name not in _INSTEAD or not _asks_nothing(name, value)
    }


def _asks_nothing(name: str, value: object) -> bool:
    return value is None or any(type(value) is type(one) and value == one for one in _ASKS_NOTHING.get(name, ()))


def retry_settings(options: Mapping[str, Any]) -> Retry:
    """Take azure-core's retry options for the flow, which sends again itself so that each request is signed afresh.

    :param options: checked pipeline options; None stands for the default.
    :raises ConfigurationError: ``retry_mode`` is none of azure-core's.
    """
    given = {name: value for name, value in options.items() if value is not None}
    mode = given.get("retry_mode", "exponential")
    if not isinstance(mode, str) or mode not in ("exponential", "fixed"):
        raise ConfigurationError(f"retry_mode must be 'exponential' or 'fixed', not {redact_value(mode)}")
    default = Retry()
    return Retry(
        total=int(given.get("retry_total", default.total)),
        status=int(given.get("retry_status", default.status)),
        read=int(given.get("retry_read", default.read)),
        connect=int(given.get("retry_connect", default.connect)),
        backoff_factor=float(given.get("retry_backoff_factor", default.backoff_factor)),
        backoff_max=float(given.get("retry_backoff_max", default.backoff_max)),
        exponential=mode == "exponential",
        timeout=float(given.get("timeout", default.timeout)),
    )
