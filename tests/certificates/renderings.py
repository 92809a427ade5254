"""What tools make of a text: name, and how to render a text that way. None shares code with what undoes it."""

from __future__ import annotations

import base64
import json
import quopri
import textwrap
from collections.abc import Callable
from urllib.parse import quote, quote_plus

Rendered = Callable[[str], str]


def json_text(text: str, escaped: str, by: str) -> str:
    """A JSON string from a writer that escapes one more character, and white space as every writer does."""
    return json.dumps(text).replace(escaped, by)


def each_line(before: str, after: str) -> Rendered:
    return lambda text: "\n".join(f"{before}{json.dumps(line)[1:-1]}{after}" for line in text.splitlines())


# Each can be undone, whatever text it was made of.
WRITTEN: dict[str, Rendered] = {
    "double quotes": lambda text: f'"{text}"',
    "single quotes": lambda text: f"'{text}'",
    "backquotes": lambda text: f"`{text}`",
    "typographic quotes": lambda text: f"\u201c{text}\u201d",
    "guillemets": lambda text: f"\u00ab{text}\u00bb",
    "triple quotes": lambda text: f'"""\n{text}\n"""',
    "Bash's $'...'": lambda text: "$'" + text.replace("\n", "\\n") + "'",
    "PowerShell's @'...'@": lambda text: f"@'\n{text}\n'@",
    "white space": lambda text: f"\t {text}\r\n\n",
    "a byte order mark": lambda text: "\ufeff" + text,
    "U+200E and U+200B": lambda text: f"\u200e{text}\u200b",
    "CRLF": lambda text: text.replace("\r", "").replace("\n", "\r\n"),
    "escaped line breaks": lambda text: text.replace("\r", "").replace("\n", "\\n"),
    "escaped CRLF": lambda text: text.replace("\r", "").replace("\n", "\\r\\n"),
    "line breaks escaped twice": lambda text: text.replace("\r", "").replace("\n", "\\\\n"),
    "a backslash at each line end": lambda text: text.replace("\r", "").replace("\n", "\\\n"),
    "\\n\\ at each line end": lambda text: text.replace("\r", "").replace("\n", "\\n\\\n"),
    "a backquote at each line end": lambda text: text.replace("\r", "").replace("\n", " `\n"),
    "C string literals": each_line('"', '\\n"'),
    "Java string literals": each_line('    "', '\\n" +'),
    "JSON by Python": json.dumps,
    "JSON by Gson": lambda text: json_text(text, "=", "\\u003d"),
    "JSON by .NET": lambda text: json_text(text, "+", "\\u002B"),
    "JSON by PHP": lambda text: json_text(text, "/", "\\/"),
    "JSON of JSON": lambda text: json.dumps(json.dumps(text)),
    "a JSON array": lambda text: json.dumps([text]),
    "a prompt before it": lambda text: "$ " + text,
    "zsh's mark after it": lambda text: text.rstrip("\r\n") + "%",
    "percent-encoding": quote,
    "percent-encoding of all": lambda text: quote(text, safe=""),
    "a form": quote_plus,
    "HTML": lambda text: text.replace("&", "&amp;").replace("+", "&#43;").replace("\n", "&#10;"),
    "quoted-printable": lambda text: quopri.encodestring(text.encode(), quotetabs=True).decode(),
    "a data URI": lambda text: "data:text/plain," + quote(text, safe=""),
    "a base64 data URI": lambda text: "data:;base64," + base64.b64encode(text.encode()).decode(),
    "an env file": lambda text: f'export CERTIFICATE="{text}"',
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64url without padding": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 in lines": lambda text: base64.encodebytes(text.encode()).decode(),
    "base64 of UTF-16": lambda text: base64.b64encode(text.encode("utf-16")).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, 0x": lambda text: "0x" + text.encode().hex().upper(),
    "hexadecimal, \\x": lambda text: "\\x" + text.encode().hex(),
    "hexadecimal, \\x each": lambda text: "".join(f"\\x{octet:02x}" for octet in text.encode()),
    "hexadecimal, colons": lambda text: text.encode().hex(":"),
    "hexadecimal, spaces": lambda text: text.encode().hex(" "),
    "hexadecimal, lines": lambda text: "\n".join(textwrap.wrap(text.encode().hex(), 60)),
    "hexadecimal, C array": lambda text: "{" + ", ".join(f"0x{octet:02x}" for octet in text.encode()) + "}",
    "hexadecimal, BitConverter": lambda text: text.encode().hex("-").upper(),
    "decimal numbers": lambda text: " ".join(str(octet) for octet in text.encode()),
    "a JSON array of numbers": lambda text: json.dumps(list(text.encode())),
    "Node.js Buffer": lambda text: json.dumps({"type": "Buffer", "data": list(text.encode())}),
    "str() of bytes": lambda text: str(text.encode()),
    "ASCII read as UTF-16": lambda text: (text + "\n" * (len(text) % 2)).encode().decode("utf-16-le"),
}
