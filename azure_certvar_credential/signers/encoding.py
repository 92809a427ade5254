"""The text encoding of octets in JOSE."""

from __future__ import annotations

from base64 import urlsafe_b64encode


def base64url(octets: bytes) -> str:
    """Encode octets in base64url (RFC 7515 section 2): URL-safe and without padding."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
