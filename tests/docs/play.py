"""Runs pages' snippets, or a sample, in a process of its own: ``python -m tests.docs.play FILE...``.

Standard input is JSON: ``hosts``, a port on 127.0.0.1 for each host name of the outside world, and ``names``, what a
page's snippets may use without defining it: a string, or ``{"base64": "…"}`` for bytes, or
``{"credential": [tenant_id, client_id, pem]}``. The process reaches nothing but these hosts and the loopback interface.

Each page has a namespace of its own, and every block in it that is fenced as ``python`` runs, in order; a coroutine
function ``main`` that a block defines is run at once. None is skipped: what shall not run is fenced as ``text``, ``sh``
or ``console``. Set-up that a reader need not see goes into a comment, as Sybil has it:
``<!--- invisible-code-block: python … -->``. ``--docstrings`` in the place of pages runs the examples in the docstrings
of the public names; see ``docstrings.py``.
"""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
import runpy
import socket
import sys
from pathlib import Path
from typing import Any

from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

from azure_certvar_credential import CertVarCredential

_LOOPBACK = ("127.", "::1", "localhost")


def redirect(hosts: dict[str, int]) -> None:
    """Send connections to these hosts to their ports on 127.0.0.1, and refuse every other host but loopback.

    Every client library ends in these two functions of ``socket``, whatever resolver or event loop it uses.
    """
    # An address for each host, so that connect knows which one was meant; none of them is ever used on a wire.
    addresses = {host: f"127.77.0.{number}" for number, host in enumerate(hosts, 1)}
    ports = {addresses[host]: port for host, port in hosts.items()}
    resolve, connect = socket.getaddrinfo, socket.socket.connect

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in addresses and not name.startswith(_LOOPBACK):
            raise OSError(f"the documentation asked for {name}, which is not among {sorted(addresses)}")
        return resolve(addresses.get(name, name), *args, **options)

    def connect_here(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] in ports:
            address = ("127.0.0.1", ports[address[0]])
        connect(self, address)

    socket.getaddrinfo = getaddrinfo
    socket.socket.connect = connect_here  # type: ignore[method-assign,assignment]


class _Evaluator(PythonEvaluator):
    """Runs a block as a reader would: with an event loop, if it defines a coroutine function ``main``."""

    def __call__(self, example: Example) -> None:
        super().__call__(example)
        main = example.namespace.pop("main", None)
        if inspect.iscoroutinefunction(main):
            asyncio.run(main())
        print(f"ran {Path(example.path).name}, line {example.line}", flush=True)


def play_page(path: Path, names: dict[str, Any]) -> None:
    """Run the snippets of a Markdown page.

    :raises Exception: whatever the first snippet that failed raised; its traceback names the page and the line.
    """
    document = Sybil([CodeBlockParser("python", _Evaluator())]).parse(path)
    document.namespace.update(names)
    for example in document.examples():
        example.evaluate()


def _value(value: Any) -> Any:
    match value:
        case {"base64": text}:
            return base64.b64decode(text)
        case {"credential": [tenant_id, client_id, certificate]}:
            return CertVarCredential(tenant_id, client_id, certificate)
        case _:
            return value


def main() -> None:
    """Run the files that the command line names."""
    [path, *more] = map(Path, sys.argv[1:])
    given = json.load(sys.stdin)
    redirect(given["hosts"])
    if sys.argv[1] == "--docstrings":
        # For these alone: they import many clients.
        from tests.docs import docstring_names, docstrings

        docstrings.run(docstring_names.names_for({name: _value(value) for name, value in given["names"].items()}))
    elif path.suffix == ".md":
        for page in (path, *more):
            play_page(page, {name: _value(value) for name, value in given["names"].items()})
    else:
        # As `python FILE` has it: a sample imports what is beside it.
        sys.argv, sys.path[0] = [str(path)], str(path.parent)
        runpy.run_path(str(path), run_name="__main__")


if __name__ == "__main__":
    main()
