"""What MSAL reads before it looks into its cache: an authority's metadata, and what Microsoft says of the authority.

MSAL asks for metadata whenever an application is made, and takes two URLs from it. Where the token endpoint is a rule,
so is the whole document, and it is written here: that saves a request for each tenant, and a token in a cache that is
shared serves a process which starts while the server is out of order. What has to be fetched is the metadata of an
OpenID provider, and what Microsoft says of an authority if the user wants it asked.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from dataclasses import replace
from urllib.parse import urlsplit

from azure_certvar_credential._core import exchange
from azure_certvar_credential._core.answers import json_object
from azure_certvar_credential._core.authority import Authority
from azure_certvar_credential._core.config import Settings
from azure_certvar_credential._core.metadata import endpoint_in
from azure_certvar_credential._runtime.fork import tell_after_fork
from azure_certvar_credential.exceptions import AuthenticationError, ResponseFormatError

_DISCOVERY = "the authority's metadata at Microsoft (instance discovery)"
_PLACE = "/.well-known/openid-configuration"
# More OpenID providers than one process has to do with.
_MOST = 100


def is_metadata(url: str) -> bool:
    """Return whether a URL is that of an authority's metadata (OpenID Connect Discovery 1.0 section 4)."""
    return url.endswith(_PLACE)


def written(authority: Authority, url: str) -> str | None:
    """Return the metadata that MSAL asks for, as far as MSAL reads it; None if it has to be fetched.

    :param authority: the credential's.
    :param url: where MSAL expects it. The tenant is in its path; its host may be a regional one, or the one that
        Microsoft names for the authority.
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
    """Check a document that was fetched, before MSAL reads it.

    :param url: where it was asked for.
    :param answer: the whole answer.
    :param settings: the credential's.
    :param now: the time in seconds since the epoch, to read a ``Retry-After`` that is a date.
    :raises AuthenticationError: of the subclass that fits, when the document cannot be used.
    """
    if is_metadata(url):
        # Whatever MSAL would make of its issuer.
        endpoint_in(answer, settings, now=now)
        _check_urls("the authority's metadata", answer, "token_endpoint", "authorization_endpoint")
    elif answer.status == 200 and len(answer.body) <= exchange.MAX_BODY:
        _check_urls(_DISCOVERY, answer, "tenant_discovery_endpoint")
    else:
        _check_refusal(answer, now)


def _check_refusal(answer: exchange.Response, now: float) -> None:
    try:
        # Entra's errors and those of a server that is out of order look the same here as at the token endpoint.
        exchange.read(answer, now=now, about=f"request was for {_DISCOVERY}", server=f"the server of {_DISCOVERY}")
    except ResponseFormatError:
        pass
    except AuthenticationError as error:
        if error.error_code != "invalid_instance":  # which MSAL understands
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
    """The last good metadata that one credential has read; usable from any thread.

    Not shared with another credential, which may verify servers in another way, or not at all.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        tell_after_fork(self)

    def keep(self, url: str, body: bytes) -> None:
        """Keep a document that was checked."""
        with self._lock:
            self._bodies[url] = body
            self._bodies.move_to_end(url)
            if len(self._bodies) > _MOST:
                self._bodies.popitem(last=False)

    def get(self, url: str) -> bytes | None:
        """Return the last one, or None."""
        with self._lock:
            return self._bodies.get(url)

    def after_fork(self) -> None:
        """Start with a lock of its own in a child process."""
        self._lock = threading.Lock()
