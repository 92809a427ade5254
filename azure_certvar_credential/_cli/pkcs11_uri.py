"""From a PKCS #11 URI (RFC 7512) to a certificate whose key stays on the token."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_to_bytes

import typer

if TYPE_CHECKING:
    from azure_certvar_credential import ClientCertificate

_EXAMPLE = "pkcs11:token=apps;object=signing?module-path=/usr/lib/softhsm/libsofthsm2.so"
# Of the attributes of RFC 7512 section 2.3 those that choose a key here.
_PATH = {"token", "object", "id", "type"}


def pkcs11_certificate(uri: str, pin: Callable[[], str] | None) -> Callable[[], ClientCertificate]:
    """Return a source for the certificate and key that a URI names.

    :param uri: ``pkcs11:token=…;object=…;id=…?module-path=…``.
    :param pin: returns the user PIN; None if the token needs none.
    :raises typer.BadParameter: the URI lacks an attribute, or holds a PIN.
    """
    path, _, query = uri.removeprefix("pkcs11:").partition("?")
    named, asked = _attributes(path, ";"), _attributes(query, "&")
    if "pin-value" in asked or "pin-source" in asked:
        raise _bad(
            "has a PIN in it: leave it out, and name its place with --password env:VARIABLE or --password prompt"
        )
    unknown = sorted((set(named) - _PATH) | (set(asked) - {"module-path"}))
    if unknown:
        raise _bad(f"has attributes that choose nothing here: {', '.join(unknown)}")
    if "token" not in named or "module-path" not in asked:
        raise _bad("must name the token and the module's path")
    module, token = unquote(asked["module-path"]), unquote(named["token"])
    label = unquote(named["object"]) if "object" in named else None
    key_id = unquote_to_bytes(named["id"]) if "id" in named else None

    def read() -> ClientCertificate:
        from azure_certvar_credential import ClientCertificate, Pkcs11Signer

        signer = Pkcs11Signer(module, token_label=token, key_label=label, key_id=key_id, pin=pin)
        return ClientCertificate.load((signer.certificate(), signer))

    return read


def _attributes(text: str, separator: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(separator) if part]
    return {name: value for name, _, value in pairs}


def _bad(problem: str) -> typer.BadParameter:
    return typer.BadParameter(f"the PKCS #11 URI {problem}; such as '{_EXAMPLE}'", param_hint="--certificate")
