"""The text form that JOSE gives to octets."""

from __future__ import annotations

from base64 import urlsafe_b64encode


def base64url(octets: bytes) -> str:
    """Encode as RFC 7515 section 2 defines base64url: URL-safe and without padding."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
