"""What ``certvar doctor`` is shown: each row breaks one thing about a sign-in that works, and names the cause."""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import rsa

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.testing import Fault
from tests.certificates import making
from tests.cli.commands.conftest import SignedUp, pfx

NOBODY = "00000000-1111-2222-3333-444444444444"


@dataclass(slots=True)
class Scene:
    """A sign-in that works, until a row breaks it.

    :ivar signed_up: the local Entra.
    :ivar another: a certificate that is registered nowhere.
    :ivar proxy: starts a proxy that answers every CONNECT with this status line, and returns its URL.
    :ivar directory: for files.
    :ivar patch: undone after the row.
    :ivar environment: the variables of the command.
    :ivar arguments: its arguments.
    """

    signed_up: SignedUp
    another: ClientCertificate
    proxy: Callable[[bytes], str]
    directory: Path
    patch: pytest.MonkeyPatch
    environment: dict[str, str]
    arguments: list[str] = field(default_factory=list)

    def set(self, **variables: str) -> None:
        """Set variables of the command."""
        self.environment.update(variables)

    def holds(self, content: str | bytes) -> None:
        """Put something else in the place of the certificate."""
        text = content if isinstance(content, str) else content.decode("ascii")
        self.set(AZURE_CLIENT_CERTIFICATE=text)

    def refuses(self, code: int) -> None:
        """Have Entra refuse every token request."""
        self.fails(Fault.aadsts(code))

    def fails(self, fault: Fault, *, documents: bool = False) -> None:
        """Have every token request fail, or every request."""
        self.signed_up.entra.inject(fault, times=None, when=(lambda _: True) if documents else None)


@dataclass(frozen=True, slots=True)
class Patient:
    """A row.

    :ivar claim: what is wrong, in words.
    :ivar cause: the cause that has to be named.
    :ivar breaks: breaks it.
    :ivar step: the step that has to find it.
    :ivar code: the exit code.
    """

    claim: str
    cause: str
    breaks: Callable[[Scene], object]
    step: str = "token"
    code: int = 1


def _keys_of_two(scene: Scene) -> None:
    own = scene.signed_up.environment["AZURE_CLIENT_CERTIFICATE"]
    mine = ClientCertificate.load(base64.b64decode(own)).public_pem()
    scene.holds(mine + making.key_bytes(making.rsa_key(1)).decode())


def _valid(begin: int, end: int, key: rsa.RSAPrivateKey | None = None) -> Callable[[Scene], None]:
    """Hold a certificate that is valid from so many years from now to so many."""

    def breaks(scene: Scene) -> None:
        own = key or making.rsa_key()
        leaf = making.self_signed(
            "leaf", own, begins=making.NOW + begin * making.YEAR, ends=making.NOW + end * making.YEAR
        )
        scene.holds(making.pem(leaf) + making.key_bytes(own))

    return breaks


def _elliptic(scene: Scene) -> None:
    leaf = making.self_signed("leaf", making.ec_key())
    scene.holds(making.pem(leaf) + making.key_bytes(making.ec_key()))


def _inspecting_proxy(scene: Scene) -> None:
    """The server's certificate comes from an authority that this computer does not know."""
    file = scene.directory / "usual-authorities.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    scene.set(SSL_CERT_FILE=str(file))


def _no_such_name(scene: Scene) -> None:
    def resolve(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    scene.patch.setattr(socket, "getaddrinfo", resolve)


def _clock(minutes: int) -> Callable[[Scene], None]:
    def breaks(scene: Scene) -> None:
        scene.fails(Fault.clock_skew(60 * minutes), documents=True)

    return breaks


def _hangs(scene: Scene) -> None:
    scene.fails(Fault.hang(20))
    scene.arguments += ["--timeout", "0.5"]


def _closed_port(scene: Scene) -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"localhost:{server.getsockname()[1]}"


PATIENTS: tuple[Patient, ...] = (
    Patient("no certificate", "no-certificate", lambda s: s.environment.pop("AZURE_CLIENT_CERTIFICATE"), "certificate"),
    Patient("something else", "not-a-certificate", lambda s: s.holds("/etc/app/cert.pem"), "certificate"),
    Patient("no password", "password-required", lambda s: s.holds(pfx(s.another, "right")), "certificate"),
    Patient(
        "a wrong password",
        "wrong-password",
        lambda s: s.set(
            AZURE_CLIENT_CERTIFICATE=pfx(s.another, "right"), AZURE_CLIENT_CERTIFICATE_PASSWORD="a-wrong-one"
        ),
        "certificate",
    ),
    Patient("another key", "key-mismatch", _keys_of_two, "certificate"),
    Patient("the public half", "no-private-key", lambda s: s.holds(s.another.public_pem()), "certificate"),
    Patient("an expired certificate", "expired", _valid(-2, -1), "certificate"),
    Patient("a certificate of next year", "not-yet-valid", _valid(1, 2), "certificate"),
    Patient("an EC key", "not-rsa", _elliptic, "certificate"),
    Patient("a short key", "unsupported-key", _valid(-1, 1, making.rsa_key(bits=1024)), "certificate"),
    Patient("no client", "missing-argument", lambda s: s.environment.pop("AZURE_CLIENT_ID"), "arguments"),
    Patient("no tenant's id", "wrong-argument", lambda s: s.set(AZURE_TENANT_ID="my tenant"), "arguments"),
    Patient(
        "a host that is not Microsoft's",
        "wrong-argument",
        lambda s: s.set(AZURE_AUTHORITY_HOST="login.example"),
        "arguments",
    ),
    Patient("a name without an address", "name-resolution", _no_such_name, "name"),
    Patient(
        "a proxy's port that is none",
        "proxy-malformed",
        lambda s: s.set(HTTPS_PROXY="http://user:hunter2@localhost:99999"),
        "name",
    ),
    Patient(
        "a proxy's password with a slash",
        "proxy-malformed",
        lambda s: s.set(HTTPS_PROXY="http://u:hunter2/x@p"),
        "name",
    ),
    Patient("a proxy without a host", "proxy-malformed", lambda s: s.set(HTTPS_PROXY="http://"), "name"),
    Patient(
        "a proxy that is down",
        "proxy-unreachable",
        lambda s: s.set(HTTPS_PROXY=f"http://user:hunter2@{_closed_port(s)}"),
        "proxy",
    ),
    Patient(
        "a proxy that wants a password",
        "proxy-refuses",
        lambda s: s.set(HTTPS_PROXY=s.proxy(b"407 Proxy Authentication Required")),
        "TLS",
    ),
    Patient(
        "a proxy that forbids the host", "proxy-refuses", lambda s: s.set(HTTPS_PROXY=s.proxy(b"403 Forbidden")), "TLS"
    ),
    Patient("a proxy that inspects TLS", "untrusted-server", _inspecting_proxy, "TLS"),
    Patient(
        "a server that is down",
        "unreachable",
        lambda s: s.set(AZURE_AUTHORITY_HOST=f"https://{_closed_port(s)}"),
        "TLS",
    ),
    Patient(
        "the page of a hotel's network",
        "not-entra",
        lambda s: s.fails(Fault.not_json(), documents=True),
        "authority",
    ),
    Patient("another tenant", "AADSTS90002", lambda s: s.set(AZURE_TENANT_ID=NOBODY), "authority"),
    Patient("the service is down", "unavailable", lambda s: s.fails(Fault.server_error(), documents=True), "authority"),
    Patient("a clock 20 minutes behind", "clock", _clock(20), "clock", code=3),
    Patient("a clock 20 minutes ahead", "clock", _clock(-20), "clock", code=3),
    Patient("another client", "AADSTS700016", lambda s: s.set(AZURE_CLIENT_ID=NOBODY)),
    Patient("an unknown certificate", "AADSTS700027", lambda s: s.holds(pfx(s.another))),
    Patient(
        "a revoked certificate",
        "AADSTS7000214",
        lambda s: s.signed_up.application.revoke(s.signed_up.application.credentials[0].certificate),
    ),
    Patient("a disabled application", "AADSTS7000112", lambda s: s.signed_up.application.disable()),
    Patient("no service principal", "AADSTS7000229", lambda s: s.refuses(7000229)),
    Patient("another cloud", "AADSTS900432", lambda s: s.refuses(900432)),
    Patient("no chain for a registration by name", "AADSTS700030", lambda s: s.refuses(700030)),
    Patient("Conditional Access", "AADSTS53003", lambda s: s.refuses(53003)),
    Patient(
        "a scope without /.default",
        "AADSTS1002012",
        lambda s: s.arguments.extend(["--scope", "https://graph.microsoft.com/User.Read.All"]),
    ),
    Patient("an unknown resource", "AADSTS500011", lambda s: s.refuses(500011)),
    Patient("throttling", "throttled", lambda s: s.fails(Fault.throttled(17))),
    Patient("a busy service", "unavailable", lambda s: s.fails(Fault.server_error(503))),
    Patient(
        "a server that does not answer",
        "timeout",
        _hangs,
    ),
    Patient("a broken connection", "unreachable", lambda s: s.fails(Fault.reset_after())),
    Patient("no role", "no-roles", lambda s: setattr(s.signed_up.application, "roles", ()), "roles", code=3),
)
