"""Loads, signs, gets tokens over TLS and reloads; prints every change to the file system that Python sees meanwhile.

Audit hooks (PEP 578) see every ``open`` of the interpreter and its standard library, and stay once they are added, so
this is a program. ``program.py FORM [FILE]``; FILE is written as well, to show that the hook would see it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.msal import MsalCertVarCredential
from azure_certvar_credential.testing import EntraEmulator

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# https://docs.python.org/3/library/audit_events.html
_CHANGES = {
    "os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate",
    "shutil.copyfile", "shutil.move", "sqlite3.connect", "subprocess.Popen", "os.system", "os.posix_spawn",
    "tempfile.mkdtemp", "tempfile.mkstemp",
}  # fmt: skip

PASSWORD = "a-password-of-the-key"
SCOPE = "https://storage.azure.com/.default"
CHALLENGE = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'


class Watch:
    """Notes what would change the file system.

    :ivar seen: the events.
    """

    def __init__(self) -> None:
        self._on = False
        self.seen: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on:
            return
        if event == "open":
            _, mode, flags = arguments
            if flags & _WRITES or (isinstance(mode, str) and set(mode) & set("wax+")):
                self.seen.append(f"{event} {arguments!r}")
        elif event in _CHANGES:
            self.seen.append(f"{event} {arguments!r}")

    @contextmanager
    def on(self) -> Iterator[None]:
        """Watch while the context lasts."""
        self._on = True
        try:
            yield
        finally:
            self._on = False


def _certificates(form: str) -> list[Any]:
    made = [ClientCertificate.self_signed(f"turn {turn}") for turn in range(2)]
    return [one.to_pem(PASSWORD) if form == "PEM" else one.to_pfx(PASSWORD) for one in made]


def _sync(kind: type[Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
    with kind(*arguments, **options) as credential:
        assert credential.get_token(SCOPE).token
        assert credential.get_token(SCOPE, claims=CHALLENGE).token


async def _aio(kind: type[Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
    async with kind(*arguments, **options) as credential:
        assert (await credential.get_token(SCOPE)).token
        assert (await credential.get_token(SCOPE, claims=CHALLENGE)).token


def _work(watch: Watch, form: str, kind: type[Any]) -> None:
    """Use a credential whose source returns a certificate that Entra refuses, and then the next one."""
    made = _certificates(form)
    entra = EntraEmulator()
    application = entra.add_application(ClientCertificate.load(made[1], PASSWORD))
    with entra.serve() as server:
        options = {"authority": server.authority, "disable_instance_discovery": True, "password": PASSWORD}
        options["connection_verify"] = server.ca_file
        with watch.on():
            ClientCertificate.load(made[0], PASSWORD).signer.sign(b"message", "PS256")
            readings = iter(made)
            arguments = (application.tenant_id, application.client_id, lambda: next(readings, made[1]))
            if kind is AsyncCertVarCredential:
                asyncio.run(_aio(kind, arguments, options))
            else:
                _sync(kind, arguments, options)
        assert len(entra.requests) == 3, "refused, reloaded, and asked again"


def main(form: str, *written: str) -> int:
    """Do everything twice, for Python writes compiled modules when it imports them; watch the second time."""
    watch = Watch()
    for kind in (CertVarCredential, MsalCertVarCredential, AsyncCertVarCredential):
        _work(Watch(), form, kind)
    sys.addaudithook(watch)
    for kind in (CertVarCredential, MsalCertVarCredential, AsyncCertVarCredential):
        _work(watch, form, kind)
    with watch.on():
        for path in written:
            with open(path, "w", encoding="utf-8"):  # noqa: PTH123 - what the hook is shown
                pass
    print(*watch.seen, sep="\n")
    return len(watch.seen)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
