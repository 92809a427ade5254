"""Looks for secrets in everything that an exception shows or carries."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Iterable

from cryptography.hazmat.primitives.serialization import Encoding

from tests.certificates import making


def secrets_of(*passwords: object) -> list[str]:
    """Return passwords, and pieces of the private keys of the tests as they would stand in base64 or hex."""
    found = [password if isinstance(password, str) else str(password) for password in passwords if password]
    found += [password.decode("latin-1") for password in passwords if isinstance(password, bytes) and password]
    for key in (making.rsa_key(), making.ec_key(3)):
        der = making.key_bytes(key, Encoding.DER)
        for text in (base64.b64encode(der).decode(), der.hex(), base64.b64encode(base64.b64encode(der)).decode()):
            # From a third on: the beginning is the same for every key of a type.
            found += [text[start : start + 16] for start in range(len(text) // 3, len(text) - 16, 16)]
    return found


def assert_tells_nothing(error: BaseException, secrets: Iterable[str]) -> None:
    """Fail if a secret is in the text, the repr, the traceback or the arguments of an exception or those behind it."""
    shown = "".join(traceback.format_exception(error))
    behind: BaseException | None = error
    while behind is not None:
        shown += f"{behind} {behind!r} {behind.args!r} {vars(behind)!r}"
        if isinstance(behind, (UnicodeEncodeError, UnicodeDecodeError)):
            shown += repr(behind.object)
        behind = behind.__cause__ or behind.__context__
    for secret in secrets:
        assert secret not in shown
