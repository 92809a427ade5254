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
    "a JSON object": lambda text: json.dumps({"name": "app", "tags": {}, "value": text, "version": 1}),
    "JSON objects, one in another": lambda text: json.dumps({"ARN": "arn", "SecretString": json.dumps({"pfx": text})}),
    "PowerShell's `n": lambda text: '"' + text.replace("\n", "`n") + '"',
    "full-width characters": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
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


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def indented(text: str, by: str) -> str:
    return textwrap.indent(text.rstrip("\n") + "\n", by)


# What tools write around it: only PEM and base64 are found in such a text.
AROUND: dict[str, Rendered] = {
    "az keyvault secret show": lambda text: json.dumps(
        {
            "attributes": {"created": "2026-01-01T00:00:00+00:00", "enabled": True, "expires": None},
            "contentType": "application/x-pkcs12",
            "id": "https://app.vault.azure.net/secrets/app/0123456789abcdef0123456789abcdef",
            "kid": "https://app.vault.azure.net/keys/app/0123456789abcdef0123456789abcdef",
            "value": text,
        },
        indent=2,
    ),
    "a PFX with its password": lambda text: json.dumps({"pfx": text, "password": ""}),
    "AWS get-secret-value": lambda text: json.dumps(
        {"ARN": "arn:aws:x", "SecretBinary": b64(text), "CreatedDate": 1.5}
    ),
    "GCP secrets.versions.access": lambda text: json.dumps({"payload": {"data": b64(text), "dataCrc32c": "17"}}),
    "Vault's KV": lambda text: json.dumps({"data": {"data": {"cert": text}, "metadata": {"version": 1}}}),
    "terraform output": lambda text: json.dumps({"cert": {"sensitive": True, "type": "string", "value": text}}),
    "an array of objects": lambda text: json.dumps(
        [{"name": "other", "value": "x" * 80}, {"name": "a", "value": text}]
    ),
    "a Kubernetes Secret in JSON": lambda text: json.dumps({"kind": "Secret", "data": {"app.pem": b64(text)}}),
    "a Kubernetes Secret in YAML": lambda text: f"apiVersion: v1\nkind: Secret\ndata:\n  app.pem: {b64(text)}\n",
    "a YAML block": lambda text: "stringData:\n  app.pem: |-\n" + indented(text, "    "),
    "a YAML block alone": lambda text: "|2+\n" + indented(text, "  "),
    "YAML's !!binary": lambda text: "!!binary |\n" + indented("\n".join(textwrap.wrap(b64(text), 76)), "  "),
    "a heredoc": lambda text: f"cert = <<-EOT\n{indented(text, '  ')}  EOT\n",
    "an env file of several variables": lambda text: "# app\nAZURE_CLIENT_ID=app\nCERT=" + json.dumps(text) + "\nA=1\n",
    "systemd's EnvironmentFile": lambda text: 'CERT="' + text.replace("\n", "\\n\\\n") + '"',
    "one that kubectl applied": lambda text: (
        f"apiVersion: v1\ndata:\n  app.pem: {b64(text)}\nkind: Secret\nmetadata:\n  annotations:\n"
        "    kubectl.kubernetes.io/last-applied-configuration: |\n"
        f'      {{"apiVersion":"v1","data":{{"app.pem":"{b64(text)}"}},"kind":"Secret"}}\n'
        "  uid: 01234567-89ab-cdef-0123-456789abcdef\n"
    ),
    "a properties file": lambda text: "cert=" + text.replace("\n", "\\n\\\n    ").replace("=", "\\="),
    "an INI file": lambda text: "[azure]\ncert = " + text.replace("\n", "\n\t"),
    "TOML": lambda text: f"cert = '''\n{text}'''\n",
    "an XML element": lambda text: f"<Certificate>{text}</Certificate>",
    "an XML attribute": lambda text: f'<add key="cert" value="{text}" />',
    "CDATA": lambda text: f"<cert><![CDATA[{text}]]></cert>",
    "CSV": lambda text: f'"id","cert"\n"1","{text}"\n',
    "setx": lambda text: f'setx CERT "{text}" /M',
    "LDIF": lambda text: "userPKCS12:: " + "\n ".join(textwrap.wrap(b64(text), 70)),
    "MIME": lambda text: (
        "Content-Transfer-Encoding: base64\n\n" + "\n".join(textwrap.wrap(b64(text), 76)) + "\n--end--"
    ),
    "Markdown": lambda text: f"```pem\n{text}\n```\n",
    "Python's repr of a dictionary": lambda text: repr({"cert": text}),
}


def numbered(mark: Callable[[int], str], after: str = "") -> Rendered:
    return lambda text: "".join(f"{mark(number)}{line}{after}\n" for number, line in enumerate(text.splitlines(), 8))


def object_of_a_line(number: int, line: str) -> dict[str, object]:
    return {"value": line, "PSPath": "C:\\app.pem", "PSProvider": {"Name": "FileSystem"}, "ReadCount": number}


# What tools make of the lines of PEM.
LINES: dict[str, Rendered] = {
    "cat -n": numbered(lambda number: f"{number:6}\t"),
    "grep -n": numbered(lambda number: f"{number}:"),
    "bat": numbered(lambda number: f"{number:4} \u2502 "),
    "a log with times": numbered(lambda number: f"2026-01-01T00:00:{number:02}.123Z "),
    "docker compose logs": numbered(lambda _: "app_1  | "),
    "cat -A": numbered(lambda _: "", "$"),
    "cat -A of CRLF": numbered(lambda _: "", "^M$"),
    "^M": numbered(lambda _: "", "^M"),
    "| between them": lambda text: text.replace("\n", "|"),
    "commas between them": lambda text: ",".join(text.splitlines()),
    "a space between them": lambda text: " ".join(text.splitlines()),
    "a tab between them": lambda text: "\t".join(text.splitlines()),
    "<br> between them": lambda text: text.replace("\n", "<br>"),
    "nothing between them": lambda text: "".join(text.splitlines()),
    "line breaks of which a shell took the backslashes": lambda text: text.replace("\n", "n"),
    "CRLF of which a shell took the backslashes": lambda text: text.replace("\n", "rn"),
    "a JSON array of them": lambda text: json.dumps(text.splitlines()),
    "Get-Content | ConvertTo-Json": lambda text: json.dumps(
        [object_of_a_line(number, line) for number, line in enumerate(text.splitlines(), 1)]
    ),
    "Get-Content -Raw | ConvertTo-Json": lambda text: json.dumps(object_of_a_line(1, text)),
    "en dashes": lambda text: text.replace("-----", "\u2013\u2013-"),
    "em dashes": lambda text: text.replace("-----", "\u2014\u2014"),
}
