"""Shows how a client assertion is made, step by step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from rich.text import Text

from azure_certvar_credential._cli.certificates import NamedCertificate
from azure_certvar_credential._cli.output import facts, hanging, screen, write_json, write_line
from azure_certvar_credential._cli.sign_in import SignIn
from azure_certvar_credential._cli.tokens import masked, refuse_on_terminal, segment

# The parts of a JWT in colour, as the sites that decode them show it.
_HEADER, _CLAIMS, _SIGNATURE = "red", "magenta", "cyan"
_MEANINGS = {
    "alg": "how it is signed",
    "typ": "what it is",
    "x5t": "the certificate's SHA-1",
    "x5t#S256": "its SHA-256",
    "x5c": "the certificate itself",
    "aud": "the token endpoint",
    "iss": "the application",
    "sub": "the same",
    "jti": "never used before",
    "iat": "made at",
    "nbf": "valid from",
    "exp": "valid until",
}


def assertion(
    sign_in: SignIn,
    certificate: NamedCertificate,
    *,
    algorithm: str | None,
    audience: str | None,
    output: str,
    show_token: bool,
) -> None:
    """Make an assertion and print it.

    :param sign_in: the application, and the tenant that it is for.
    :param certificate: the certificate.
    :param algorithm: the JWS ``alg``; None for the authority's.
    :param audience: the ``aud``; None for the tenant's token endpoint.
    :param output: ``text``, ``json`` or ``compact``.
    :param show_token: whether the signature was asked for by name.
    :raises CommandError: the assertion would be shown on a terminal, and was not asked for.
    """
    if output == "compact":
        refuse_on_terminal(asked=show_token)
    with sign_in.credential(certificate(), algorithm=algorithm) as credential:
        compact = credential.client_assertion(audience)
    header, claims, signature = compact.split(".")
    if output == "compact":
        write_line(compact)
    elif output == "json":
        write_json(
            {
                "header": segment(header),
                "claims": segment(claims),
                "signing_input": f"{header}.{claims}",
                "signature": signature if show_token else None,
                "assertion": compact if show_token else None,
            }
        )
    else:
        _show(header, claims, signature if show_token else masked(signature))


def _show(header: str, claims: str, signature: str) -> None:
    console, margin = screen(), Text("   ")
    algorithm = segment(header)["alg"]
    _step(1, "Header: which certificate, and how it signs")
    _json(segment(header))
    _step(2, "Claims: who signs in where, and for how long")
    _json(segment(claims))
    _step(3, "Both in base64url, joined by a full stop: the signing input")
    input_ = Text.assemble((header, _HEADER), ".", (claims, _CLAIMS))
    hanging(console, margin, input_)
    _step(4, f"The signature of that with the private key, {algorithm}, in base64url")
    hanging(console, margin, Text(signature, style=_SIGNATURE))
    _step(5, "Joined by full stops: the JWT, client_assertion in the token request")
    joined = Text.assemble((_brief(header), _HEADER), ".", (_brief(claims), _CLAIMS), ".", (signature, _SIGNATURE))
    hanging(console, margin, joined)


def _step(number: int, title: str) -> None:
    screen().print(Text.assemble("\n" if number > 1 else "", (f"{number}. ", "bold cyan"), (title, "bold")))


def _json(values: Mapping[str, Any]) -> None:
    rows: dict[str, str | Text] = {}
    for name, value in values.items():
        meaning = _MEANINGS.get(name, "")
        if name in ("iat", "nbf", "exp"):
            meaning += f" {datetime.fromtimestamp(value, timezone.utc):%H:%M:%S} UTC"
        shown = f"{len(value)} in base64" if name == "x5c" else json.dumps(value)
        rows[name] = Text.assemble(shown, "  ", (meaning, "dim"))
    facts(screen(), rows, indent=3)


def _brief(text: str) -> str:
    return f"{text[:10]}…{text[-6:]}"
