"""Says what an input seems to be when it is none of the forms that are taken."""

from __future__ import annotations

import re

FORMS = (
    "PEM (str or bytes), PFX (bytes), base64 of either, a (certificate, key) pair of PEM, DER or cryptography "
    "objects, PKCS12KeyAndCertificates, a Key Vault secret, or a ClientCertificate"
)

_FILE_ENDING = re.compile(r"\.(pem|pfx|p12|cer|crt|key|der)$", re.IGNORECASE)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")

# A line of PEM, whatever became of its hyphens and capitals.
_PEM_LINE = re.compile(r"(?:BEGIN|END)[A-Z0-9 ]{1,40}(?:CERTIFICATE|PRIVATE KEY|PKCS12)", re.IGNORECASE)

# As long as paths get; anything longer on one line is data.
_MAX_PATH = 260
_MAX_SHOWN = 100

# A run of so many base64 characters may be a piece of a key.
_KEY_MATERIAL = re.compile(r"[A-Za-z0-9+/=_-]{65}")


def explain(text: str) -> str:
    """Return a message for text that is neither PEM nor base64 of anything known.

    :param text: what was given, unchanged.
    """
    bare = text.strip().strip("'\"\ufeff").strip()
    if not bare:
        return f"the certificate data is empty; give {FORMS}"
    if bare.startswith("@Microsoft.KeyVault("):
        return (
            "this is an App Service Key Vault reference that was not resolved; see whether the app's managed identity "
            "may read the secret"
        )
    if bare.startswith("{"):
        return "this looks like JSON; give only the value of the member that holds the certificate, such as `value`"
    if _URL.match(bare):
        return "this looks like a URL; fetch what it points to and give the content"
    if _PEM_LINE.search(bare):
        return (
            "this looks like PEM, but its BEGIN line is damaged: it has five hyphens on either side, and capitals, as "
            "in -----BEGIN PRIVATE KEY-----"
        )
    # "0\x82", "0w" and "-----" in base64: longer than any path that begins so by chance.
    if len(bare) > 60 and bare.startswith(("MI", "MH", "LS0t")) and _FILE_ENDING.search(bare) is None:
        return (
            f"this looks like base64 of a certificate or key, but it is damaged or cut off ({len(text):,} characters): "
            "some places limit the length of a variable"
        )
    path = _as_path(bare)
    if path is not None:
        return f"this looks like a file path{path}; read the file and give its content: Path(...).read_bytes()"
    if bare.startswith("0") and not bare.isprintable():
        return "this looks like a binary PFX or DER file that was read as text; give its bytes: Path(...).read_bytes()"
    return f"the certificate data ({len(text):,} characters or bytes) is in no known form; give {FORMS}"


def without_begin(label: str) -> str:
    """Return a message for PEM with an END line that has no BEGIN line.

    :param label: what stands after END.
    """
    return (
        f"the BEGIN line of a PEM block is damaged or missing, and its line '-----END {label}-----' is there; it has "
        f"five hyphens on either side: -----BEGIN {label}-----"
    )


def _as_path(bare: str) -> str | None:
    """Return the path for display with ``: `` before it, an empty string if it should not be shown, None if none."""
    if len(bare) > _MAX_PATH or not bare.isprintable():
        return None
    if _FILE_ENDING.search(bare):
        return "" if _KEY_MATERIAL.search(bare) else f": {bare[:_MAX_SHOWN]!r}"
    # Not shown without a file's ending: a client secret or an access key in base64 has slashes too.
    return "" if "/" in bare or "\\" in bare else None
