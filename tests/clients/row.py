"""A row of the README's table of clients, whose line a test runs as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One client and the line that hands it the credential.

    :ivar client: the client, as the README names it.
    :ivar package: its distribution, whose newest version the tests install.
    :ivar line: a Python expression that makes the client, or uses it.
    :ivar test: the test that runs the line: a path below ``tests``, and the name of a function.
    :ivar sync: the import that the line needs with the synchronous credential, or None if it takes only the other. The
        name that it defines comes first in the line.
    :ivar aio: the import that the line needs with the credential of ``aio``, or None.
    :ivar scope: the variable ``scope`` of the line; None for a client that knows its own.
    :ivar before: a statement that precedes the line, or None.
    """

    client: str
    package: str
    line: str
    test: str
    sync: str | None = None
    aio: str | None = None
    scope: str | None = None
    before: str | None = None

    @property
    def kinds(self) -> list[str]:
        """The credentials that the client takes: ``sync``, ``aio`` or both."""
        return [kind for kind, statement in (("sync", self.sync), ("aio", self.aio)) if statement]

    def run(self, kind: str, options: Mapping[str, Any], names: Mapping[str, Any]) -> Any:
        """Evaluate the line and return its value.

        :param kind: ``sync`` or ``aio``.
        :param options: keyword arguments that the line's first call gets in addition, such as the authority of the
            loopback server's TLS certificate.
        :param names: the variables of the line.
        """
        namespace: dict[str, Any] = {"scope": self.scope, **names}
        statement = {"sync": self.sync, "aio": self.aio}[kind]
        assert statement is not None, f"{self.client} takes no {kind} credential"
        # Both are the table's own text, as a reader of the README would type it.
        exec(f"{statement}\n{self.before or ''}", namespace)  # noqa: S102
        if options:
            name = self.line.partition("(")[0]
            namespace[name] = partial(namespace[name], **options)
        return eval(self.line, namespace)  # noqa: S307
