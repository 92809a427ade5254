"""Checks the validity window of a certificate (RFC 5280 section 4.1.2.5), and warns outside it."""

from __future__ import annotations

import inspect
import warnings
from datetime import datetime, timezone

from cryptography import x509

from azure_certvar_credential.certificates.naming import describe, not_after, not_before
from azure_certvar_credential.exceptions import CertificateWarning

_PACKAGE = __name__.partition(".")[0]


def is_valid(certificate: x509.Certificate, now: datetime) -> bool:
    """Return whether an aware datetime lies in the certificate's validity window, both ends included."""
    return not_before(certificate) <= now <= not_after(certificate)


def warn_outside_validity(leaf: x509.Certificate) -> None:
    """Warn, with the date in UTC, if the certificate is not valid now.

    This is not an error, because the server's clock decides and the local one may be wrong.
    """
    now = datetime.now(timezone.utc)
    if is_valid(leaf, now):
        return
    if now < not_before(leaf):
        text = f"is not valid before {not_before(leaf):%Y-%m-%d %H:%M:%S} UTC"
    else:
        text = f"expired on {not_after(leaf):%Y-%m-%d %H:%M:%S} UTC"
    warnings.warn(
        f"the certificate {describe(leaf)} {text}; Microsoft Entra ID will refuse it",
        CertificateWarning,
        stacklevel=level_of_caller(),
    )


def level_of_caller() -> int:
    """Return the ``stacklevel`` of the first frame outside this package: the line that passed the certificate.

    Meant for ``warnings.warn`` in the function that calls this one.
    """
    level = 0
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        level, frame = level + 1, frame.f_back
    return level
