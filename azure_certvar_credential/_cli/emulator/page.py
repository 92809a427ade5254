"""The page of the local Entra: registered applications, the last assertions decoded, and why one was refused."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone

# Builds and escapes; it parses nothing here.
from xml.etree.ElementTree import Element, tostring

from azure_certvar_credential._core.hints import hint_for
from azure_certvar_credential.testing import Application, TokenRequest

_SHOWN_REQUESTS = 20
_SHOWN_CHARACTERS = 300
_TIMES = ("iat", "nbf", "exp")
_NEVER_SHOWN = 253_402_300_800  # the year 10000, which datetime does not have

_STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d0d7de, #3d444d); --dim: light-dark(#59636e, #9198a1);
  --good: light-dark(#1a7f37, #3fb950); --bad: light-dark(#cf222e, #ff7b72); --box: light-dark(#f6f8fa, #151b23); }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 64rem; overflow-wrap: anywhere;
  background: light-dark(#fff, #0d1117); color: light-dark(#1f2328, #f0f6fc); }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
p.dim, dt, th { color: var(--dim); }
article { border: 1px solid var(--line); border-radius: 6px; padding: .5rem 1rem; margin: .75rem 0; }
article > p { margin: .25rem 0; } .good { color: var(--good); } .bad { color: var(--bad); }
.status { font-weight: 600; margin-right: .5rem; }
code, td, dd { font-family: ui-monospace, monospace; font-size: .85rem; }
summary { cursor: pointer; padding: .25rem 0; } h3 { font-size: .9rem; margin: .75rem 0 .25rem; }
table { border-collapse: collapse; width: 100%; background: var(--box); }
th, td { text-align: left; vertical-align: top; padding: .2rem .6rem; border-top: 1px solid var(--line); }
th { font-weight: normal; font-size: .85rem; width: 9rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .25rem 0; } dd { margin: 0; }
@media (max-width: 36rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .4rem; }
  th { width: 5rem; } }
"""

POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-"
    f"{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)
"""The Content-Security-Policy of the page: it loads nothing and runs nothing."""


def render(applications: Iterable[Application], requests: Sequence[TokenRequest], facts: Mapping[str, str]) -> bytes:
    """Render the page.

    :param applications: the registered applications.
    :param requests: the requests to the token endpoint, oldest first.
    :param facts: what a client needs to know, such as the authority.
    :returns: HTML, ASCII.
    """
    latest = list(enumerate(requests, start=1))[: -_SHOWN_REQUESTS - 1 : -1]
    body = _element(
        "body",
        _element("h1", "Local Entra"),
        _list(facts),
        _element("h2", "Applications"),
        *map(_application, applications),
        _element("h2", "Token requests, latest first"),
        *(_request(number, request) for number, request in latest),
        *([] if latest else [_element("p", "There has been none. Reload this page after the first.", css="dim")]),
    )
    head = _element("head", _element("title", "Local Entra"), _element("style", _STYLE))
    head.append(Element("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}))
    page = _element("html", head, body)
    page.set("lang", "en")
    # ASCII: what UTF-8 cannot encode, such as half a surrogate pair in a claim, becomes a character reference.
    html: bytes = tostring(page, encoding="us-ascii", method="html")
    return b"<!doctype html>\n" + html


def _application(application: Application) -> Element:
    facts = {"client id": application.client_id, "tenant": application.tenant_id}
    if application.roles:
        facts["roles"] = ", ".join(application.roles)
    rows = {
        credential.sha1.hex().upper(): f"{credential.certificate.subject.rfc4514_string()}, expires "
        f"{credential.certificate.not_valid_after_utc:%Y-%m-%d}"
        for credential in application.credentials
    }
    return _element("article", _list(facts), _element("h3", "Certificates"), _list(rows))


def _request(number: int, request: TokenRequest) -> Element:
    good = request.status < 400
    head = _element(
        "p",
        _element("span", str(request.status), css=f"status {'good' if good else 'bad'}"),
        _element("code", f"#{number} {request.path}"),
    )
    told = [] if good else _refusal(request)
    claims = request.assertion_claims
    decoded = [
        *_decoded("Assertion, header", request.assertion_header),
        *_decoded("Assertion, claims", claims),
        *_decoded("Form", request.form),
    ]
    details = _element("details", _element("summary", "Assertion and form"), *decoded)
    if not good:
        details.set("open", "open")
    return _element("article", head, *told, details)


def _refusal(request: TokenRequest) -> list[Element]:
    told = [_element("p", request.error_description or "The answer has no description.", css="bad")]
    hint = hint_for(request.error_codes)
    if hint is not None:
        told.append(_element("p", hint))
    if request.fault is not None:
        told.append(_element("p", f"A fault was injected: {request.fault}"))
    return told


def _decoded(title: str, values: Mapping[str, object] | None) -> list[Element]:
    if values is None:
        return [_element("h3", title), _element("p", "There is none, or it is malformed.", css="dim")]
    rows = [
        _element("tr", _element("th", name), _element("td", _shorten(json.dumps(value)), *_moment(name, value)))
        for name, value in values.items()
    ]
    return [_element("h3", title), _element("table", *rows)]


def _moment(name: str, value: object) -> list[Element]:
    if name not in _TIMES or isinstance(value, bool) or not isinstance(value, (int, float)):
        return []
    if not 0 <= value < _NEVER_SHOWN:
        return []
    text = f"{datetime.fromtimestamp(value, timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
    return [Element("br"), _element("span", text)]


def _shorten(text: str) -> str:
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    return f"{text[:_SHOWN_CHARACTERS]}\N{HORIZONTAL ELLIPSIS} ({len(text)} characters)"


def _list(facts: Mapping[str, str]) -> Element:
    return _element(
        "dl", *(part for name, value in facts.items() for part in (_element("dt", name), _element("dd", value)))
    )


def _element(tag: str, *children: Element | str, css: str | None = None) -> Element:
    """Make an element; ElementTree escapes its text."""
    element = Element(tag, {} if css is None else {"class": css})
    for child in children:
        if isinstance(child, Element):
            element.append(child)
        elif len(element):
            element[-1].tail = (element[-1].tail or "") + child
        else:
            element.text = (element.text or "") + child
    return element
