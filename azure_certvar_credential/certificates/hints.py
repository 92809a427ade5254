"""Explains what an input seems to be when it is in none of the supported forms."""

from __future__ import annotations

import re

FORMS = (
    "PEM (str or bytes), PFX (bytes), base64 of either, a (certificate, key) pair of PEM, DER or cryptography "
    "objects, PKCS12KeyAndCertificates, a Key Vault secret, or a ClientCertificate"
)

_FILE_ENDING = r"(?i)\.(pem|pfx|p12|cer|crt|key|der)$"
_URL = r"[A-Za-z][A-Za-z0-9+.-]*://"

# A BEGIN or END line of PEM, even with damaged hyphens and capitals.
_PEM_LINE = r"(?i)(?:BEGIN|END)[A-Z0-9 ]{1,40}(?:CERTIFICATE|PRIVATE KEY|PKCS12)"

# MAX_PATH of Windows; anything longer on one line is data.
_MAX_PATH = 260
_MAX_SHOWN = 100

# A run of base64 characters this long may be part of a key.
_KEY_MATERIAL = r"[A-Za-z0-9+/=_-]{65}"


def explain(text: str) -> str:
    """Return a message for text that is neither PEM nor base64 of a known form.

    :param text: the input, unchanged.
    """
    bare = text.strip().strip("'\"\ufeff").strip()
    if not bare:
        return f"the certificate data is empty; give {FORMS}"
    if bare.startswith("{"):
        return "the certificate looks like JSON; give only the member that holds the certificate, such as `value`"
    if re.match(_URL, bare) and not bare.startswith("file:"):
        return "the certificate looks like a URL; fetch it and give the content"
    if is_damaged_pem(bare):
        return (
            "the certificate looks like PEM, but its BEGIN line is damaged; it must have five hyphens on either side "
            "and capital letters, as in -----BEGIN PRIVATE KEY-----"
        )
    # "0\x82", "0w" and "-----" in base64: longer than any path that begins so by chance.
    if len(bare) > 60 and bare.startswith(("MI", "MH", "LS0t")) and re.search(_FILE_ENDING, bare) is None:
        return (
            f"the certificate looks like base64, but is damaged or cut off after {len(text):,} characters; check "
            "whether the place it comes from limits the length of a value"
        )
    path = _as_path(bare)
    if path is not None:
        return f"the certificate looks like a file path{path}; give the file's content: Path(...).read_bytes()"
    if bare.startswith("0") and not bare.isprintable():
        return (
            "the certificate looks like binary PFX or DER read as text; give the file's bytes: Path(...).read_bytes()"
        )
    return f"the certificate data ({len(text):,} characters or bytes) has an unknown form; give {FORMS}"


def is_damaged_pem(text: str) -> bool:
    """Return whether a text that is no PEM has lines that were meant to make it such."""
    return re.search(_PEM_LINE, text) is not None


def without_begin(label: str) -> str:
    """Return a message for PEM with an END line that has no BEGIN line.

    :param label: the text after END.
    """
    return (
        f"a PEM block ends with '-----END {label}-----', but its BEGIN line is damaged or missing; it must have five "
        f"hyphens on either side: -----BEGIN {label}-----"
    )


def _as_path(bare: str) -> str | None:
    """Return a path as ``: 'path'``, an empty string for one that must not be shown, None if it is not a path."""
    if len(bare) > _MAX_PATH or not bare.isprintable():
        return None
    if re.search(_FILE_ENDING, bare):
        return "" if re.search(_KEY_MATERIAL, bare) else f": {bare[:_MAX_SHOWN]!r}"
    # Shown only with a file's ending: a client secret or access key in base64 has slashes too.
    return "" if "/" in bare or "\\" in bare else None
