"""The types of azure-core's options, checked when a credential is made.

azure-core takes anything, and fails with whatever Python raises when the first request is sent. The policies are built
only then, because importing them takes long; so the types are checked here, without them. What is a text is parsed here
by what parses it later: OpenSSL reads files of certificates, urllib3 the URL of a proxy. No value is repeated in a
message: a proxy's URL and a header may hold a password.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from typing import Any, cast
from urllib.parse import urlsplit

from azure_certvar_credential.exceptions import ConfigurationError

# A year in seconds. A time-out beyond it is a mistake, and one that sockets cannot hold besides.
_LONGEST = 365 * 86400


def check_types(options: Mapping[str, Any]) -> None:
    """Check every option that has a value; the retry options have rules of their own.

    :param options: options with known names.
    :raises ConfigurationError: one is not what azure-core takes, or is a path where nothing is; the message names the
        option and what it takes.
    """
    for name, value in options.items():
        if name in _TYPES and value is not None:
            fits, takes = _TYPES[name]
            if not fits(value):
                given = f"the class {value.__name__} itself" if isinstance(value, type) else type(value).__name__
                raise ConfigurationError(f"{name} must be {takes}, not this value ({given})")


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _seconds(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= _LONGEST


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _mapping(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(name, str) for name in value)


# RFC 9110 sections 5.1 and 5.5. Python's http.client encodes in Latin-1, and control characters end or split a field.
_FIELD_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_FIELD_VALUE = r"(?:[!-~\xa0-\xff](?:[\t -~\xa0-\xff]*[!-~\xa0-\xff])?)?"


def _field_text(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(_FIELD_VALUE, value) is not None


def _headers(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and re.fullmatch(_FIELD_NAME, name) and _field_text(text) for name, text in value.items()
    )


def _proxies(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(scheme, str)
        and (url in (None, "") or (isinstance(url, str) if scheme == "no_proxy" else _proxy(url)))
        for scheme, url in value.items()
    )


def _proxy(url: object) -> bool:
    """Return whether a URL names a proxy and nothing else: a part after the host is a password that is not encoded."""
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url:
        return False
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

    whole = url if "://" in url else f"http://{url}"
    try:
        parts, port = parse_url(whole), urlsplit(whole).port
    except (ValueError, LocationParseError):
        return False
    known = parts.scheme in _PROXY_SCHEMES and (parts.scheme in ("http", "https") or _has_socks())
    bare = parts.path in (None, "/") and parts.query is None and parts.fragment is None
    return known and bare and bool(parts.host) and port == parts.port and port != 0


def _has_socks() -> bool:
    return find_spec("socks") is not None


def _there(value: object) -> bool:
    return isinstance(value, (str, os.PathLike)) and os.path.exists(value)  # noqa: PTH110 - Path raises for odd texts


def _verify(value: object) -> bool:
    # Not imported for this: who has an SSL context has imported it.
    context = getattr(sys.modules.get("ssl"), "SSLContext", bool)
    if isinstance(value, (bool, context)):
        return True
    if not _there(value):
        return False
    from azure_certvar_credential._transport.trust import holds_authorities  # loads OpenSSL

    return holds_authorities(cast("str", value))


def _client_certificate(value: object) -> bool:
    # A single Path is what requests cannot take.
    pair = isinstance(value, (tuple, list)) and len(value) == 2 and all(map(_there, value))
    if not pair and not (isinstance(value, str) and _there(value)):
        return False
    from azure_certvar_credential._transport.trust import holds_client_certificate  # loads OpenSSL

    return holds_client_certificate(value)


def _transport(value: object) -> bool:
    return not isinstance(value, type) and callable(getattr(value, "send", None))


def _policy(value: object) -> bool:
    """Of azure-core's two kinds: a link of the chain, or one that looks at requests and answers only."""
    return not isinstance(value, type) and (hasattr(value, "send") or hasattr(value, "on_request"))


def _policies(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_policy, value))
    # Others may be readable only once, by the pipeline.
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping, type))


def _policy_or_policies(value: object) -> bool:
    return _policy(value) or _policies(value)


# SOCKS is urllib3's, through PySocks; aiohttp has none.
_PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")

_Rule = tuple[Callable[[object], bool], str]

_FLAG: _Rule = (_flag, "True or False")
_FIELD: _Rule = (_field_text, "a string of one line in Latin-1")
_SECONDS: _Rule = (_seconds, f"a number of seconds above 0 and at most {_LONGEST:,}")
_CALLABLE: _Rule = (callable, "callable")
_ADDED: _Rule = (_policy_or_policies, "one of azure-core's policies or a list of them, made and not classes")
_PROXY = (
    "a dictionary such as {'https': 'http://proxy.example:3128'}, with special characters of user and password "
    "percent-encoded, and PySocks installed for SOCKS"
)
_HEADERS: _Rule = (_headers, "a dictionary of header names and values, all strings of one line in Latin-1")

_TYPES: Mapping[str, _Rule] = {
    "transport": (_transport, "one of azure-core's transports, made and not a class"),
    "policies": (_policies, "a list of azure-core's policies, made and not classes"),
    "per_call_policies": _ADDED,
    "per_retry_policies": _ADDED,
    "connection_cert": (
        _client_certificate,
        "the path of an existing PEM file with a certificate and its unencrypted key, or a pair of paths for the two",
    ),
    "connection_data_block_size": (_whole, "a number of bytes above 0"),
    "connection_timeout": _SECONDS,
    "connection_verify": (
        _verify,
        "True, False, the path of an existing PEM file or directory with certificate authorities, or an SSL context",
    ),
    "read_timeout": _SECONDS,
    "use_env_settings": _FLAG,
    "base_headers": _HEADERS,
    "headers": _HEADERS,
    "proxies": (_proxies, _PROXY),
    "request_id": _FIELD,
    "auto_request_id": _FLAG,
    "user_agent": _FIELD,
    "user_agent_overwrite": _FLAG,
    "user_agent_use_env": _FLAG,
    "raw_request_hook": _CALLABLE,
    "raw_response_hook": _CALLABLE,
    "http_logging_level": (_whole, "one of logging's levels, such as logging.INFO"),
    "logging_enable": _FLAG,
    "network_span_namer": _CALLABLE,
    "tracing_attributes": (_mapping, "a dictionary of names and values"),
    "timeout": _SECONDS,
}
