"""How many files and functions of the package a construction and its first token go through, in a process of its own.

``python -m tests.benchmarks.touched`` prints ``[files, functions]`` for each, and with ``--list`` their names. These
are the stops of a reader who follows the code with a debugger. Left out are comprehensions, lambdas, what runs at
import, the constructors of values, which a dataclass would generate, and what the local Entra of ``testing`` does to
answer, with the response and the parser that it shares with real connections.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType

import azure_certvar_credential
from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.testing import EntraEmulator

_PACKAGE = f"{Path(azure_certvar_credential.__file__).parent}/"
_SCOPE = "https://storage.azure.com/.default"


def functions(work: Callable[[], object]) -> list[CodeType]:
    """Return the package's functions that some work calls in any thread, in the order of their first calls."""
    seen: dict[CodeType, None] = {}

    def note(frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        path = code.co_filename.removeprefix(_PACKAGE)
        ours = path != code.co_filename and not path.startswith(("testing/", "_http/", "_values.py", "_json.py"))
        if event == "call" and ours and not code.co_name.startswith("<"):
            seen.setdefault(code)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return list(seen)


def touched() -> dict[str, list[CodeType]]:
    """Return the functions of a construction from PEM, and those of its first token."""
    entra, certificate = EntraEmulator(), ClientCertificate.self_signed("benchmark")
    application, pem = entra.add_application(certificate.leaf), certificate.to_pem()

    def make() -> CertVarCredential:
        return CertVarCredential(application.tenant_id, application.client_id, pem, transport=entra.transport())

    with make() as warm:
        warm.get_token(_SCOPE)  # imports what is imported when first used
    with make() as fresh:
        return {"construction": functions(make), "first token": functions(lambda: fresh.get_token(_SCOPE))}


def counts(found: list[CodeType]) -> list[int]:
    """Return the numbers of files and functions."""
    return [len({code.co_filename for code in found}), len(found)]


if __name__ == "__main__":
    for what, found in touched().items():
        print(what, json.dumps(counts(found)))
        if "--list" in sys.argv:
            for code in found:
                print(f"  {code.co_filename.removeprefix(_PACKAGE)}:{code.co_firstlineno} {code.co_name}")
