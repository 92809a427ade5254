"""Which of a caller's values an error message may repeat: arguments get swapped, and then one of them is the key."""

from __future__ import annotations

import re

from azure.core.exceptions import AzureError

from azure_certvar_credential.exceptions import CertificateError, ConfigurationError

_MOST = 100
# Names, ids, hosts and URLs are made of these. Not '@', '+', '=', '~' or '$', which passwords and base64 have.
_HARMLESS = re.compile(r"[A-Za-z0-9 ._:/*,-]*")
# PEM's markers, a line of PEM's base64 (RFC 7468 section 2: 64 characters), and more letters and digits in a row than
# a GUID without hyphens has: any of them may be a piece of a key. A piece of base64 with a slash is told from a path by
# its capital letters and digits.
_KEY_MATERIAL = re.compile(
    r"-----|[A-Za-z0-9+/=_-]{64}|[A-Za-z0-9]{33}|(?=[a-z0-9/]*[A-Z])(?=[A-Za-z/]*[0-9])[A-Za-z0-9/]{33}"
)
# Errors whose texts are written with care, and have thumbprints, which look like keys.
_CAREFUL = (AzureError, CertificateError, ConfigurationError)
# Enough for any count, time or port; a larger one may be a number of a private key.
_LARGEST = 10**12


def showable(text: str) -> bool:
    """Return whether a text is short and certainly no piece of a private key or password."""
    return len(text) <= _MOST and _HARMLESS.fullmatch(text) is not None and _KEY_MATERIAL.search(text) is None


def is_tellable(error: BaseException) -> bool:
    """Return whether the text of an error has certainly no key or token in it: any of a user's own code may."""
    return isinstance(error, _CAREFUL) or _KEY_MATERIAL.search(str(error)) is None


def told(error: BaseException) -> str:
    """Return what a message or log line says of an error that may be of a user's own code: class and text.

    The text is left out if a key or token may be in it: parsers quote their input.
    """
    name = type(error).__name__
    return f"{name}: {error}" if is_tellable(error) else f"{name}, whose text may hold a key and is left out"


def shown(value: object) -> str:
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
