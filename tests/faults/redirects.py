"""Redirects to anywhere: none is followed, for it would carry the assertion to another host."""

from __future__ import annotations

from collections.abc import Iterator

from azure_certvar_credential.exceptions import ResponseFormatError
from tests.faults.fault import BROKEN, Fault, response

# Where nobody may come: the trial listens there.
ELSEWHERE = "127.0.0.1:{elsewhere}"

_TARGETS = {
    "another host over TLS": f"https://{ELSEWHERE}/token",
    "another host in plain text": f"http://{ELSEWHERE}/token",
    "another host without a scheme": f"//{ELSEWHERE}/token",
    "another host with a password": f"https://user:password@{ELSEWHERE}/",
    "the same host in plain text": "http://localhost:{here}/token",
    "the same host and path": "https://localhost:{here}/tenant/oauth2/v2.0/token",
    "a path": "/elsewhere",
    "a file": "file:///etc/hostname",
    "a script": "javascript:alert(1)",
    "no URL at all": "",
}


def faults() -> Iterator[Fault]:
    """Yield the rows."""
    for status in (301, 302, 303, 307, 308):
        for target, location in _TARGETS.items():
            if status in (302, 307) or target.startswith("another host"):
                yield Fault(
                    claim=f"HTTP {status} to {target}",
                    answer=response(status, b"", f"Location: {location}"),
                    errors=(ResponseFormatError,),
                )
        # requests reads it, though nobody follows it.
        yield Fault(
            claim=f"HTTP {status} to a URL that is none",
            answer=response(status, b"", "Location: https://["),
            errors=(ResponseFormatError, *BROKEN),
            either=True,
        )
    for status in (300, 302, 305, 308):
        yield Fault(claim=f"HTTP {status} without Location", answer=response(status), errors=(ResponseFormatError,))
    yield Fault(
        claim="HTTP 307 with two Locations",
        answer=response(307, b"", f"Location: https://{ELSEWHERE}/", f"Location: http://{ELSEWHERE}/"),
        errors=(ResponseFormatError,),
    )
    yield Fault(
        claim="HTTP 200 with Refresh and Content-Location",
        answer=response(200, b"", f"Refresh: 0; url=https://{ELSEWHERE}/", f"Content-Location: https://{ELSEWHERE}/"),
        errors=(ResponseFormatError,),
    )
