"""The documents that MSAL reads before it searches its cache: an authority's metadata and Microsoft's confirmation.

MSAL requests the metadata for every application it creates, and takes two URLs from it. Where the token endpoint
follows a rule, so does the whole document, and this module writes it. That saves a request for each tenant, and a
process that starts while the server is unavailable can still use a token from a shared cache. Two documents have to be
fetched: the metadata of an OpenID provider, and Microsoft's answer about an authority (instance discovery).
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from urllib.parse import parse_qs, urlsplit

from azure_certvar_credential._core import exchange
from azure_certvar_credential._core.answers import json_object
from azure_certvar_credential._core.authority import KNOWN_HOSTS, Authority
from azure_certvar_credential._core.config import Settings
from azure_certvar_credential._core.metadata import endpoint_in
from azure_certvar_credential._runtime.fork import tell_after_fork
from azure_certvar_credential._values import replace
from azure_certvar_credential.exceptions import AuthenticationError, ResponseFormatError

_DISCOVERY = "the authority's metadata at Microsoft (instance discovery)"
_PLACE = "/.well-known/openid-configuration"
# A credential has one OpenID provider; the bound is a precaution.
_MOST = 100


def is_metadata(url: str) -> bool:
    """Return whether a URL is where an authority publishes its metadata (OpenID Connect Discovery 1.0 section 4)."""
    return url.endswith(_PLACE)


def written(authority: Authority, url: str) -> str | None:
    """Write the part of an authority's metadata that MSAL reads; return None if the document has to be fetched.

    :param authority: the credential's.
    :param url: the URL that MSAL requests. Its path names the tenant; its host may be a regional one, or the one that
        Microsoft named for the authority.
    """
    parts = urlsplit(url.removesuffix(_PLACE))
    path = parts.path.strip("/").split("/")
    tenant = path[-1] if authority.kind == "dsts" else path[0]
    endpoint = replace(authority, base=f"https://{parts.netloc}").token_endpoint(tenant)
    if endpoint is None:
        return None
    return json.dumps(
        {
            "issuer": parts.geturl(),
            "token_endpoint": endpoint,
            "authorization_endpoint": f"{endpoint.removesuffix('/token')}/authorize",
        }
    )


def check(url: str, answer: exchange.Response, settings: Settings, *, now: float) -> None:
    """Check a fetched document before MSAL reads it.

    :param url: the URL that was requested.
    :param answer: the whole answer.
    :param settings: the credential's.
    :param now: the time in seconds since the epoch, to read a ``Retry-After`` that is a date.
    :raises AuthenticationError: or the fitting subclass, if the document cannot be used.
    """
    if is_metadata(url):
        # MSAL checks the issuer less strictly.
        endpoint_in(answer, settings, now=now)
        _check_urls("the authority's metadata", answer, "token_endpoint", "authorization_endpoint")
    elif answer.status == 200 and len(answer.body) <= exchange.MAX_BODY:
        _check_urls(_DISCOVERY, answer, "tenant_discovery_endpoint")
    else:
        _check_refusal(answer, now)


def confirms(url: str, answer: exchange.Response, authority: Authority) -> bool:
    """Return whether an answer is Microsoft's confirmation that an authority is one of its own.

    :param url: the URL that was requested, with its query, which names the authority.
    :param answer: the answer, checked.
    :param authority: the credential's.
    """
    parts = urlsplit(url)
    named = [urlsplit(one).hostname for one in parse_qs(parts.query).get("authorization_endpoint", ())]
    if parts.hostname not in KNOWN_HOSTS or named != [urlsplit(authority.base).hostname]:
        return False
    document = json_object(answer.body, limit=exchange.MAX_BODY) or {}
    return answer.status == 200 and "error" not in document and "tenant_discovery_endpoint" in document


def _check_refusal(answer: exchange.Response, now: float) -> None:
    try:
        # Errors of Entra, and of a server that is unavailable, have the same form here as at the token endpoint.
        exchange.read(
            answer, now=now, about=lambda: f"request was for {_DISCOVERY}", server=f"the server of {_DISCOVERY}"
        )
    except ResponseFormatError:
        pass
    except AuthenticationError as error:
        if error.error_code != "invalid_instance":  # MSAL handles this one
            raise
        return
    raise ResponseFormatError(
        f"{_DISCOVERY} could not be read: HTTP {answer.status} with {len(answer.body)} bytes; check authority, "
        "tenant_id, proxy and firewall",
        status_code=answer.status,
    )


def _check_urls(what: str, answer: exchange.Response, *names: str) -> None:
    document = json_object(answer.body, limit=exchange.MAX_BODY)
    if document is None:
        raise ResponseFormatError(f"{what} is not a JSON object; check authority, proxy and firewall", status_code=200)
    for name in names:
        value = document.get(name)
        if not isinstance(value, str) or not value.startswith("https://"):
            raise ResponseFormatError(f"{what} has no {name} with https", status_code=200)


class LastGood:
    """The last valid metadata that one credential has read; usable from any thread.

    Credentials do not share it: another one may verify TLS certificates differently, or not at all.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        tell_after_fork(self)

    def keep(self, url: str, body: bytes) -> None:
        """Keep a checked document."""
        with self._lock:
            self._bodies[url] = body
            self._bodies.move_to_end(url)
            if len(self._bodies) > _MOST:
                self._bodies.popitem(last=False)

    def get(self, url: str) -> bytes | None:
        """Return the last document from a URL, or None."""
        with self._lock:
            return self._bodies.get(url)

    def after_fork(self) -> None:
        """Replace the lock in a child process: the thread that may hold it does not exist there."""
        self._lock = threading.Lock()
