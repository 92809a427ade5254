"""Decides what error messages may repeat: callers swap arguments, and then one of the values is the private key."""

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
# Names, ids, hosts and URLs consist of these. '@', '+', '=', '~' and '$' occur in passwords and base64.
_HARMLESS = r"[A-Za-z0-9 ._:/*,-]*"
# PEM's markers, a line of PEM's base64 (RFC 7468 section 2: 64 characters), and a run of letters and digits longer than
# a GUID without hyphens: any of them may be part of a key. Capital letters and digits distinguish base64 with slashes
# from a path.
_KEY_MATERIAL = r"-----|[A-Za-z0-9+/=_-]{64}|[A-Za-z0-9]{33}|(?=[a-z0-9/]*[A-Z])(?=[A-Za-z/]*[0-9])[A-Za-z0-9/]{33}"
_PEM = r"(?s)-----BEGIN .*?(?:-----END [A-Z0-9 ]+-----|$)"
# Longer than any id or name: a refresh token, an authorization code, a key in hexadecimal. A token may have dots
# inside; a dot at its end closes a sentence.
_LONG = r"(?a)(?<![\w-])[\w-][\w.-]{62,}[\w-]"
# As long, but not secret: a SHA-256 thumbprint, the ids of user and tenant, and a host (RFC 1035 section 2.3.4).
_GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NO_SECRET = rf"(?i)[0-9a-f]{{64}}|{_GUID}\.{_GUID}"
_HOST = r"(?i)(?=.{1,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+"
# From 24 octets on, a piece of base64 is worth hiding; tokens have full stops inside.
_MIXED = r"[A-Za-z0-9+/=_-](?:\.?[A-Za-z0-9+/=_-]){31,}"
_KINDS = ("[a-z]", "[A-Z]", "[0-9]", "")
# The texts of these errors are written with care, and hold thumbprints, which look like keys. Others of azure-core
# quote what a server sent.
_CAREFUL = (AcquisitionTimeoutError, AuthenticationError, CertificateError, ConfigurationError)
# Enough for any count, time or port; a larger number may belong to a private key.
_LARGEST = 10**12


def showable(text: str) -> bool:
    """Return whether a text is short and certainly not part of a private key or password."""
    return len(text) <= _MOST and re.fullmatch(_HARMLESS, text) is not None and re.search(_KEY_MATERIAL, text) is None


def without_secrets(text: str) -> str:
    """Return foreign text without anything that may be a key or a token: parsers and servers quote their input.

    Ids, thumbprints, names, hosts, paths and URLs stay.
    """
    return re.sub(_LONG, _unless_known, re.sub(_MIXED, _unless_words, re.sub(_PEM, "[PEM removed]", text)))


def _unless_known(found: re.Match[str]) -> str:
    run = found[0]
    is_host = found.string.endswith("://", 0, found.start()) and re.fullmatch(_HOST, run)
    return run if is_host or re.fullmatch(_NO_SECRET, run) else _removed(run)


def _unless_words(found: re.Match[str]) -> str:
    run = found[0]
    kinds = [next(kind for kind, pattern in enumerate(_KINDS) if re.match(pattern, character)) for character in run]
    changes = sum(one != other for one, other in pairwise(kinds))
    # Base64 switches between capitals, small letters and digits in three of five places, words in one of five.
    return _removed(run) if {0, 1, 2} <= set(kinds) and changes > 0.45 * len(run) else run


def _removed(run: str) -> str:
    return f"[{len(run)} characters removed]"


def is_safe_to_show(error: BaseException) -> bool:
    """Return whether an error may be shown whole: its text holds no secret, and its attributes add nothing to it."""
    if isinstance(error, _CAREFUL):
        return True
    text = _text(error)
    held = [*error.args, *vars(error).values()]
    return without_secrets(text) == text and not any(
        isinstance(value, (bytes, bytearray, memoryview)) or (isinstance(value, str) and value not in text)
        for value in held
    )


def redact_error(error: BaseException) -> str:
    """Return class and text of an error for a message or log line; it may come from the user's own code."""
    text = _text(error)
    return f"{type(error).__name__}: {text if isinstance(error, _CAREFUL) else without_secrets(text)}"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as failure:  # noqa: BLE001 - a faulty __str__ must not replace the error that is reported
        return f"(its text is unavailable: str() raised {type(failure).__name__})"


def redact_value(value: object) -> str:
    """Return a caller's value for an error message: the value itself if it is harmless, else its type.

    :param value: anything.
    """
    if isinstance(value, str):
        if showable(value):
            return str.__repr__(value)
        if len(value) <= _MOST and re.search(_KEY_MATERIAL, value) is None:
            return f"a str of {len(value)} characters (not shown, as it may be confidential)"
        return f"a str of {len(value)} characters (were the arguments swapped?)"
    if value is None or isinstance(value, (bool, float)) or (type(value) is int and abs(value) < _LARGEST):
        return str(value)
    return f"a value of type {type(value).__name__}"
