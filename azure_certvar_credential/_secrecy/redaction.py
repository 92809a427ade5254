"""Which of a caller's values an error message may repeat: arguments get swapped, and then one of them is the key."""

from __future__ import annotations

import re
from itertools import pairwise

from azure_certvar_credential.exceptions import (
    AcquisitionTimeoutError,
    AuthenticationError,
    CertificateError,
    ConfigurationError,
)

_MOST = 100
# Names, ids, hosts and URLs are made of these. Not '@', '+', '=', '~' or '$', which passwords and base64 have.
_HARMLESS = re.compile(r"[A-Za-z0-9 ._:/*,-]*")
# PEM's markers, a line of PEM's base64 (RFC 7468 section 2: 64 characters), and more letters and digits in a row than
# a GUID without hyphens has: any of them may be a piece of a key. A piece of base64 with a slash is told from a path by
# its capital letters and digits.
_KEY_MATERIAL = re.compile(
    r"-----|[A-Za-z0-9+/=_-]{64}|[A-Za-z0-9]{33}|(?=[a-z0-9/]*[A-Z])(?=[A-Za-z/]*[0-9])[A-Za-z0-9/]{33}"
)
_PEM = re.compile(r"-----BEGIN .*?(?:-----END [A-Z0-9 ]+-----|$)", re.DOTALL)
# As long as no id and no name: a refresh token, an authorization code, a key in hexadecimal. Tokens may have dots; the
# one at the end of a sentence is not a part of it.
_LONG = re.compile(r"(?<![\w-])[\w-][\w.-]{62,}[\w-]", re.ASCII)
# Long as well, and no secret: a SHA-256 thumbprint, a user's id with the tenant's, and a host (RFC 1035 section 2.3.4).
_GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NO_SECRET = re.compile(rf"[0-9a-f]{{64}}|{_GUID}\.{_GUID}", re.IGNORECASE)
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+", re.IGNORECASE)
# As long as a piece of base64 that is worth something, 24 octets; tokens have full stops inside.
_MIXED = re.compile(r"[A-Za-z0-9+/=_-](?:\.?[A-Za-z0-9+/=_-]){31,}")
_KINDS = tuple(map(re.compile, ("[a-z]", "[A-Z]", "[0-9]", "")))
# Errors whose texts are written with care, and have thumbprints, which look like keys. azure-core's others quote what
# a server sent.
_CAREFUL = (AcquisitionTimeoutError, AuthenticationError, CertificateError, ConfigurationError)
# Enough for any count, time or port; a larger one may be a number of a private key.
_LARGEST = 10**12


def showable(text: str) -> bool:
    """Return whether a text is short and certainly no piece of a private key or password."""
    return len(text) <= _MOST and _HARMLESS.fullmatch(text) is not None and _KEY_MATERIAL.search(text) is None


def without_secrets(text: str) -> str:
    """Return a text of somebody else without what may be a key or a token in it: parsers and servers quote their input.

    Ids, thumbprints, names, hosts, paths and URLs stay.
    """
    return _LONG.sub(_unless_known, _MIXED.sub(_unless_words, _PEM.sub("[PEM removed]", text)))


def _unless_known(found: re.Match[str]) -> str:
    run = found[0]
    is_host = found.string.endswith("://", 0, found.start()) and _HOST.fullmatch(run)
    return run if is_host or _NO_SECRET.fullmatch(run) else _removed(run)


def _unless_words(found: re.Match[str]) -> str:
    run = found[0]
    kinds = [next(kind for kind, pattern in enumerate(_KINDS) if pattern.match(character)) for character in run]
    changes = sum(one != other for one, other in pairwise(kinds))
    # Base64 changes between capitals, small letters and digits in three of five places, words in one.
    return _removed(run) if {0, 1, 2} <= set(kinds) and changes > 0.45 * len(run) else run


def _removed(run: str) -> str:
    return f"[{len(run)} characters removed]"


def is_safe_to_show(error: BaseException) -> bool:
    """Return whether an error holds nothing beside its text, and its text no secret: only then is it shown whole."""
    if isinstance(error, _CAREFUL):
        return True
    text = _text(error)
    held = [*error.args, *vars(error).values()]
    return without_secrets(text) == text and not any(
        isinstance(value, (bytes, bytearray, memoryview)) or (isinstance(value, str) and value not in text)
        for value in held
    )


def redact_error(error: BaseException) -> str:
    """Return what a message or log line says of an error that may be of a user's own code: class and text."""
    text = _text(error)
    return f"{type(error).__name__}: {text if isinstance(error, _CAREFUL) else without_secrets(text)}"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as failure:  # noqa: BLE001 - of a user's own class, and not to replace what it is about
        return f"(its text cannot be had: {type(failure).__name__})"


def redact_value(value: object) -> str:
    """Return what an error message says of a value that a caller gave: the value if it is harmless, else its type.

    :param value: anything.
    """
    if isinstance(value, str):
        if showable(value):
            return str.__repr__(value)
        if len(value) <= _MOST and _KEY_MATERIAL.search(value) is None:
            return f"a str of {len(value)} characters, some of which names do not have"
        return f"a str of {len(value)} characters (were the arguments swapped?)"
    if value is None or isinstance(value, (bool, float)) or (type(value) is int and abs(value) < _LARGEST):
        return str(value)
    return f"a value of type {type(value).__name__}"
