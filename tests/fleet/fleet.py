"""Starts member processes, sends them commands and collects their outcomes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.testing import Application, EntraEmulator, EntraServer

SCOPE = "https://storage.azure.com/.default"
CALLERS = {"sync": 25, "aio": 200}
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the callers of all members got.

    :ivar tokens: digests of the different tokens.
    :ivar failures: the exceptions.
    :ivar log: all lines of warning.
    :ivar seconds: the time of the slowest member.
    """

    tokens: frozenset[str]
    failures: tuple[str, ...]
    log: tuple[str, ...]
    seconds: float

    @property
    def token(self) -> str:
        """The one token that all of them got."""
        assert self.failures == ()
        assert len(self.tokens) == 1, f"{len(self.tokens)} tokens"
        return next(iter(self.tokens))


class Processes:
    """Processes of :mod:`.member`, started once for many scenarios."""

    def __init__(self, count: int, directory: Path) -> None:
        address = str(directory / "members")
        with Listener(address, family="AF_UNIX", backlog=count) as listener:
            command = [sys.executable, "-m", "tests.fleet.member", address, str(count)]
            self._parent = subprocess.Popen(command, cwd=_ROOT)
            self._connections: list[Connection] = [listener.accept() for _ in range(count)]

    def __len__(self) -> int:
        return len(self._connections)

    def tell(self, number: int, method: str, **arguments: Any) -> None:
        """Have one process call a method of its member."""
        self._connections[number].send((method, arguments))

    def answer(self, number: int) -> Any:
        """Wait for what the method returned."""
        return self._connections[number].recv()

    def stop(self) -> None:
        """End them all."""
        for connection in self._connections:
            connection.close()
        assert self._parent.wait(20) == 0


class Fleet:
    """Members that share a cache, with an application of their own at the local Entra.

    :param kind: of the credentials, ``sync`` or ``aio``.
    :param members: how many of the processes take part.
    """

    def __init__(self, processes: Processes, server: EntraServer, kind: str, members: int) -> None:
        self._processes, self._server, self.kind = processes, server, kind
        self.members = range(members)
        self.certificate = ClientCertificate.self_signed("fleet")
        self.entra: EntraEmulator = server.emulator
        self.application: Application = self.entra.add_application(self.certificate)

    @property
    def requests(self) -> int:
        """How many token requests the local Entra has seen of this fleet."""
        mine = self.application.client_id
        return sum(request.form.get("client_id") == mine for request in self.entra.requests)

    def make(self, store: str, where: object, **options: Any) -> None:
        """Give each member a credential that is cold."""
        arguments = [self.application.tenant_id, self.application.client_id, self.certificate.to_pem()]
        local = {
            "authority": self._server.authority,
            "disable_instance_discovery": True,
            "connection_verify": self._server.ca_file,
        }
        for number in self.members:
            self._processes.tell(
                number,
                "make",
                kind=self.kind,
                store=store,
                where=where,
                arguments=arguments,
                options={**local, **options},
            )
        for number in self.members:
            self._processes.answer(number)

    def start(self, members: Sequence[int] | None = None, scope: str = SCOPE, **options: Any) -> None:
        """Have all callers of some members, by default of all, ask for a token at once."""
        for number in self.members if members is None else members:
            self._processes.tell(number, "get", callers=CALLERS[self.kind], scope=scope, options=options)

    def finish(self, members: Sequence[int] | None = None) -> Outcome:
        """Wait for what :meth:`start` started."""
        answers = [self._processes.answer(number) for number in (self.members if members is None else members)]
        return Outcome(
            frozenset(token for answer in answers for token in answer["tokens"]),
            tuple(failure for answer in answers for failure in answer["failures"]),
            tuple(line for answer in answers for line in answer["log"]),
            max(answer["seconds"] for answer in answers),
        )

    def get(self, members: Sequence[int] | None = None, scope: str = SCOPE, **options: Any) -> Outcome:
        """Have the callers ask, and wait for them."""
        self.start(members, scope, **options)
        return self.finish(members)
