"""A user's assertion as clients send it."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from azure_certvar_credential._core.user_assertion import user_assertion
from tests.core.script import NOW


def jwt_with(payload: bytes) -> str:
    return f"eyJhbGciOiJSUzI1NiJ9.{urlsafe_b64encode(payload).decode().rstrip('=')}.c2lnbmF0dXJl"


JWT = jwt_with(b'{"sub":"user","exp":1900000000}')
USER = user_assertion(JWT, now=NOW)
