"""Draws the screens of the README: ``python -m tests.cli.screens`` writes ``.github/screens``.

Each is a real run of a command against the local Entra. So that it looks the same each time, the run has a key out of
``cryptography-vectors``, a fixed time, and the local Entra under Microsoft's host name. Only ``certvar demo`` has none
of that, because it makes everything itself: its numbers and names are those of the run that was drawn.
"""

from __future__ import annotations

import io
import os
import re
import socket
import ssl
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone, tzinfo
from html import unescape
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cryptography_vectors
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from rich.console import Console
from rich.text import Text
from typer.testing import CliRunner

from azure_certvar_credential._cli import inspecting, output
from azure_certvar_credential._cli.app import app
from azure_certvar_credential._cli.doctor import steps
from azure_certvar_credential.testing import EntraEmulator
from tests.certificates import making
from tests.cli.commands.kit import foreign
from tests.docs.outside import LOGIN_HOST, asking
from tests.docs.play import redirect
from tests.real.servers.https import HttpsServer

SCREENS = Path(__file__).resolve().parents[2] / ".github" / "screens"
NOW = datetime(2027, 3, 1, 9, 30, tzinfo=timezone.utc)
TENANT, CLIENT = "5f0c3a52-8d1e-4b7a-9c64-2e1b7d9a4f10", "c0ffee00-1d2e-4f3a-8b4c-5d6e7f809102"
_COMMANDS = {
    "inspect": "inspect",
    "assertion": "assertion",
    "doctor": "doctor",
    "doctor-fails": "doctor --certificate env:OLD_CERT",
}
# Thumbprints, GUIDs and other random names; numbers, with the blanks that align them.
_VARYING = re.compile(r" *(?:[\w-]{20,}|\d[\d.]*)")


class _Folding(Console):
    """Breaks a line that is too long, as a terminal does."""

    def print(self, *objects: Any, soft_wrap: bool | None = None, **options: Any) -> None:
        if soft_wrap:
            options |= {"overflow": "fold", "no_wrap": False}
        super().print(*objects, **options)


class _Stopped(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> _Stopped:
        return cls.fromtimestamp(NOW.timestamp(), tz)


def draw() -> Iterator[tuple[str, str]]:
    """Yield the name and the SVG of each screen."""
    yield "demo", _drawn("demo", "demo", {})
    with warnings.catch_warnings(), _stage() as environment:
        # By this computer's clock the certificates may not be valid.
        warnings.simplefilter("ignore")
        for name, command in _COMMANDS.items():
            yield name, _drawn(name, command, environment)


def texts(svg: str) -> list[str]:
    """Return what is written in an SVG, line by line; the frame around it changes with rich."""
    return [unescape(text).replace("\xa0", " ") for text in re.findall(r"<text [^>]*>([^<]*)</text>", svg)]


def steady(lines: list[str]) -> list[str]:
    """Return the lines of ``certvar demo`` without what differs from run to run."""
    return [_VARYING.sub("#", line) for line in lines]


def _drawn(name: str, command: str, environment: dict[str, str]) -> str:
    console = _Folding(
        record=True, width=80, file=io.StringIO(), force_terminal=True, color_system="truecolor", highlight=False
    )
    console.print(Text.assemble(("$ ", "dim"), (f"certvar {command}", "bold")))
    # Messages and spinners would come in between.
    silent = Console(file=io.StringIO())
    with patch.object(output, "_console", lambda *, stderr: silent if stderr else console):
        result = CliRunner().invoke(app, command.split(), env={**dict.fromkeys(foreign()), **environment})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return console.export_svg(title="certvar", unique_id=f"certvar-{name}")


@contextmanager
def _stage() -> Iterator[dict[str, str]]:
    """Serve the local Entra under Microsoft's host name at the fixed time, and yield the variables of a sign-in."""
    key = _key()
    # Two generations with one key: what differs is which of them is registered.
    current, old = (_certificate(key, serial, NOW - timedelta(days=age)) for serial, age in ((2, 30), (1, 31)))
    authority = trustme.CA(organization_name="certvar", organization_unit_name="the local Entra")
    entra = EntraEmulator(clock=NOW.timestamp, tenant_id=TENANT)
    entra.add_application(current, client_id=CLIENT, roles=["User.Read.All"])
    resolve, connect = socket.getaddrinfo, socket.socket.connect
    directory = SCREENS.parents[1] / ".test-env" / "cache"
    directory.mkdir(parents=True, exist_ok=True)
    trusted = directory / "screens-ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    try:
        with (
            HttpsServer(_tls(authority), asking(entra)) as server,
            patch.object(time, "time", NOW.timestamp),
            patch.object(inspecting, "datetime", _Stopped),
            patch.object(steps, "datetime", _Stopped),
            patch.object(uuid, "uuid4", lambda: uuid.UUID("3e6f1b9a-72c4-4d05-8a1b-6c9d0e2f4a58")),
        ):
            redirect({LOGIN_HOST: server.port})
            yield {
                "AZURE_TENANT_ID": TENANT,
                "AZURE_CLIENT_ID": CLIENT,
                "AZURE_CLIENT_CERTIFICATE": current,
                "OLD_CERT": old,
                "SSL_CERT_FILE": os.fspath(trusted),
            }
    finally:
        socket.getaddrinfo, socket.socket.connect = resolve, connect  # type: ignore[method-assign]
        trusted.unlink()


def _tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(LOGIN_HOST).configure_cert(context)
    return context


def _key() -> rsa.RSAPrivateKey:
    """Return a key that is the same everywhere, and no secret."""
    name = "asymmetric/Traditional_OpenSSL_Serialization/testrsa.pem"
    with cryptography_vectors.open_vector_file(name, "rb") as file:
        key = load_pem_private_key(file.read(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def _certificate(key: rsa.RSAPrivateKey, serial: int, begins: datetime) -> str:
    subject = making.name("my-app")
    leaf = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(0x5A3C << 96 | serial)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=180))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return (making.pem(leaf) + making.key_bytes(key)).decode("ascii")


def main() -> None:
    """Write the screens."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    for name, svg in draw():
        (SCREENS / f"{name}.svg").write_text(svg, encoding="utf-8")
        print(SCREENS / f"{name}.svg")


if __name__ == "__main__":
    main()
