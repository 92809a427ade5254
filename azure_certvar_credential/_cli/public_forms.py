"""The public half of a certificate in the forms that app registrations take."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from azure_certvar_credential._cli.options import PublicForm
from azure_certvar_credential.certificates.naming import not_after, not_before, subject


def public_half(leaf: x509.Certificate, form: PublicForm) -> str:
    """Return the public half of a certificate as text that ends with a line break."""
    match form:
        case PublicForm.PEM:
            return leaf.public_bytes(Encoding.PEM).decode("ascii")
        case PublicForm.BASE64:
            return base64.b64encode(leaf.public_bytes(Encoding.DER)).decode("ascii") + "\n"
        case PublicForm.GRAPH:
            return json.dumps(key_credential(leaf), indent=2) + "\n"


def key_credential(leaf: x509.Certificate) -> dict[str, Any]:
    """Return Graph's ``keyCredential``, a member of an application's ``keyCredentials``.

    https://learn.microsoft.com/graph/api/resources/keycredential
    """
    return {
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "displayName": subject(leaf),
        "customKeyIdentifier": base64.b64encode(leaf.fingerprint(hashes.SHA1())).decode("ascii"),  # noqa: S303
        "startDateTime": f"{not_before(leaf):%Y-%m-%dT%H:%M:%SZ}",
        "endDateTime": f"{not_after(leaf):%Y-%m-%dT%H:%M:%SZ}",
        "key": base64.b64encode(leaf.public_bytes(Encoding.DER)).decode("ascii"),
    }
