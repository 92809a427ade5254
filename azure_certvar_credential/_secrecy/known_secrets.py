"""Removes secrets by value from what others wrote, in whatever encoding it quotes them.

Whatever hands a secret to somebody else's code (a transport, a client of Key Vault, a PKCS #11 module, MSAL) knows it
exactly, and passes that code's texts through :func:`without_known`.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from azure_certvar_credential._http import environment_proxies
from azure_certvar_credential._secrecy.redaction import without_secrets

# A shorter value would be found within words of the message; a URL's userinfo goes whatever its length.
_SHORTEST = 4
# Shorter words of a header are no secret by themselves.
_SHORTEST_WORD = 8
_LONGEST_TEXT = 1000
_USERINFO = r"(?<=//)[^/\s'\"<>]+(?=@)"
_REMOVED = "[removed]"


def without_known(text: str, secrets: Iterable[str]) -> str:
    """Return somebody else's text, at most 1000 characters of it, without secrets.

    :param text: what a library or a server wrote.
    :param secrets: values that must not be in it, plain, percent-encoded, in base64 or escaped; then goes what looks
        like a secret.
    """
    text = without_secrets(re.sub(_USERINFO, _REMOVED, remover(secrets)(text)))
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."


def remover(secrets: Iterable[str]) -> Callable[[str], str]:
    """Return a function that removes these values from texts, plain, percent-encoded, in base64 or escaped."""
    # Longest first: a piece that is left of a value no longer equals it.
    forms = {form for secret in secrets for form in _forms(secret) if len(form) >= _SHORTEST}
    ordered = sorted(forms, key=len, reverse=True)

    def removed(text: str) -> str:
        for form in ordered:
            text = text.replace(form, _REMOVED)
        return text

    return removed


def is_quoted(error: BaseException, secrets: Iterable[str]) -> bool:
    """Return whether an error shows one of the secrets, in its text or in what it holds."""
    text = " ".join([str(error), *map(repr, [*error.args, *vars(error).values()])])
    return any(form in text for secret in secrets for form in _forms(secret))


def userinfo(url: str) -> Iterator[str]:
    """Yield the user information of a URL and its password, as they stand there and decoded.

    A password with characters that should be percent-encoded ends early for most readers of URLs, each of which quotes
    another part of it; so its pieces count as well.
    """
    # The standard library, too, reads over tabs and line breaks in a URL.
    for text in (url, re.sub(r"[\t\r\n]", "", url)):
        found = text.partition("//")[2].rpartition("@")[0] if "//" in text else text.rpartition("@")[0]
        password = found.partition(":")[2]
        for one in (found, password, *re.split(r"[\s/#?\\@]+", password)):
            yield one
            yield unquote(one)


def of_options(options: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is secret in the options of an azure-core pipeline: header values, and what proxies are told.

    :param options: checked options; the proxies of the environment count as well.
    """
    for name in ("headers", "base_headers"):
        for value in (options.get(name) or {}).values():
            text = value if isinstance(value, str) else value.decode("latin-1")
            yield text
            # Without its scheme, or the name of a cookie.
            yield from (word for word in re.split(r"[\s,;=]+", text) if len(word) >= _SHORTEST_WORD)
    for url in [*(options.get("proxies") or {}).values(), *environment_proxies().values()]:
        yield from userinfo(url or "")


def of_token(token: str) -> Iterator[str]:
    """Yield a token and its parts, which a message may quote alone."""
    yield token
    yield from token.split(".")


def _forms(secret: str) -> Iterator[str]:
    if len(secret) < _SHORTEST:
        return
    import html  # only now: its two thousand entities take longer to load than all of this room

    yield secret
    yield repr(secret)[1:-1]
    yield ascii(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    yield html.escape(secret)
    # HTTP libraries send user and password in Latin-1 where they can (RFC 7617 section 2.1 leaves it open).
    for octets in {secret.encode("utf-8", "surrogatepass"), secret.encode("latin-1", "ignore")}:
        yield quote(octets, safe="")
        yield quote_plus(octets)
        yield repr(octets)[2:-1]
        yield octets.hex()
        for encode in (b64encode, urlsafe_b64encode):
            yield encode(octets).decode().rstrip("=")
