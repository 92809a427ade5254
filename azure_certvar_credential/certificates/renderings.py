"""Undoes what tools make of a certificate on its way: quotes, escapes, line continuations, percent-encoding and others.

Shells, .env files, YAML, JSON writers, proxies, databases and pipeline variables each render a text in their own way,
and several do so one after the other. The tables below are applied until nothing changes, a bounded number of times.
Each row takes linear time, and leaves alone what does not bear its sign. A row that turns text into bytes counts only
if they are whole, see :func:`.encoding.is_whole`; so no row guesses.
"""

from __future__ import annotations

import html
import re
from base64 import b32decode
from binascii import a2b_qp
from collections.abc import Callable
from dataclasses import dataclass

from azure_certvar_credential.certificates import marked_lines, standins
from azure_certvar_credential.certificates.encoding import is_whole

# Each round undoes one rendering of a kind; more than four inside one another do not occur.
_ROUNDS = 5

_BREAK = r"(?:\r\n|\r|\n)"
_HIDDEN = "\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff"
_QUOTES = "\"'`\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2032\u2033\u00ab\u00bb\u2039\u203a"
# What stands around a value: white space, quotes, brackets, the marks of prompts, separators after it.
_BEFORE = re.compile(
    rf"[\s\x00{_HIDDEN}{_QUOTES}\[\](){{}}<>$#~;,\u276f\u279c]+|%(?![0-9A-Fa-f]{{2}})"
    rf"|\\{{1,8}}(?=[{_QUOTES}])|[bBuUrRxXnNeEqQ@$](?=[{_QUOTES}])"
)
# Of them, one after the other. Not a repetition in the pattern, which would remember every place: 120 octets each.
_MOST_BEFORE = 100
_AFTER = f" \t\r\n\v\f\x00\u00a0{_QUOTES}[](){{}}<>$#%~;,@&|\\\u276f\u279c"

# An operator for which the next literal is missing.
_JOINED = re.compile(r"(?<=[\"'`])\s{0,9}\+\s{0,9}\Z")

# Written with one backslash, or with as many as several writers have made of it. The look-behind and the bound keep a
# text of nothing but backslashes from taking quadratic time.
_SLASH = r"(?<!\\)\\{1,8}"
_ESCAPED_BREAK = re.compile(rf"{_SLASH}[rn]")
# \\x before a row of digits is PostgreSQL's mark of hexadecimal.
_ESCAPED_NUMBER = re.compile(rf"{_SLASH}(?:u([0-9A-Fa-f]{{4}})|x([0-9A-Fa-f]{{2}})(?![0-9A-Fa-f]{{20}})|([0-7]{{3}}))")
_ESCAPED_MARK = re.compile(rf"{_SLASH}(?:t|(?=[^\w\s\\]| ))")
_FORM = re.compile(r"BEGIN\+|%2B", re.IGNORECASE)
_PERCENT = re.compile(r"%(?:0[9AD]|2[0-9A-F]|3[A-F0-9]|5[BCDF]|7[BDE]|[CDE][0-9A-F]%[89AB])", re.IGNORECASE)
_NOT_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HEX_MARKS = re.compile(r"0[xX]|\\{1,8}[xnr]|[\s:,;+-]")
_MARKED_HEX = re.compile(r"[0-9A-Fa-f\\xX][0-9A-Fa-fxXnr\\\s:,;+-]{129,}")
_HEX = re.compile(r"[0-9A-Fa-f]{130,}")
# Of a SEQUENCE, or of PEM, with a key on P-256 at least, and a chain at most: the decoder is in Python, and slow.
_BASE32 = re.compile(r"(?=G[A-H]|FUWS2)[A-Z2-7\s]{200,200000}=*\s*")
_DECIMAL = re.compile(r"[-0-9\s,;+]+", re.ASCII)
_SEPARATORS = str.maketrans(",;+", "   ")
# Fewer numbers would not be a key, and more not a key with its chain.
_FEWEST, _MOST = 32, 100_000
_BYTES = re.compile(
    rf"[\s(\[]{{0,8}}[{_QUOTES}]?(?:bytearray\()?[bB](\\{{0,4}})(['\"])(0.*)\1\2[)\]\s{_QUOTES}]{{0,8}}", re.DOTALL
)
_BYTES_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|([\s\S]))")
_BYTES_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Rendering:
    """One rendering of a text as another text.

    :ivar name: what made it.
    :ivar sign: found in every text so rendered.
    :ivar undo: returns the text as it was.
    """

    name: str
    sign: re.Pattern[str]
    undo: Callable[[str], str]


def undo(text: str) -> str | bytes:
    """Return a text without its renderings, or the bytes that it spells out."""
    for _ in range(_ROUNDS):
        bare = _bare(text)
        for candidate in dict.fromkeys((text, bare)):
            data = _spelt_out(candidate)
            if data is not None:
                return data
        undone = bare
        for row in TEXTS:
            if row.sign.search(undone):
                undone = row.undo(undone)
        if undone == text:
            break
        text = undone
    return _bare(text)


def _spelt_out(text: str) -> bytes | None:
    for read in BYTES.values():
        data = read(text)
        if data is not None and (is_whole(data) or standins.explain(data)):
            return data
    return None


def _bare(text: str) -> str:
    joined = _JOINED.search(text, max(0, len(text) - 24))
    if joined:
        text = text[: joined.start()]
    start = 0
    for _ in range(_MOST_BEFORE):
        found = _BEFORE.match(text, start)
        if found is None:
            break
        start = found.end()
    return text[start:].rstrip(_AFTER)


def _unescaped(text: str) -> str:
    plain = _ESCAPED_MARK.sub("", _ESCAPED_NUMBER.sub(_numbered, _ESCAPED_BREAK.sub("\n", text)))
    if text.isascii() and not plain.isascii():
        # Escaped octets of UTF-8, unless they are something else.
        try:
            return plain.encode("latin-1").decode("utf-8")
        except UnicodeError:
            pass
    return plain


def _numbered(found: re.Match[str]) -> str:
    return chr(int(found[3], 8) if found[3] else int(found[1] or found[2], 16))


def _narrow(found: re.Match[str]) -> str:
    return chr(ord(found[0]) - 0xFEE0)


def _percent_decoded(text: str) -> str:
    if _NOT_PERCENT.search(text):
        return text
    # application/x-www-form-urlencoded writes a space as `+`, and `+` as %2B.
    return _octets(text.replace("+", " ") if _FORM.search(text) else text).decode("utf-8", "replace")


def _octets(text: str) -> bytes:
    """Return percent-decoded text. The decoder of quoted-printable is in C; urllib's makes an object of each octet."""
    return a2b_qp(text.encode("utf-8", "replace").replace(b"=", b"=3D").replace(b"%", b"="))


def _quoted_printable(text: str) -> str:
    return a2b_qp(text.encode("utf-8", "replace")).decode("utf-8", "replace")


def _from_percent(text: str) -> bytes | None:
    return _octets(text) if text.startswith(("0%", "%30")) and not _NOT_PERCENT.search(text) else None


def _from_hex(text: str) -> bytes | None:
    digits = _HEX_MARKS.sub("", text) if _MARKED_HEX.fullmatch(text) else ""
    return bytes.fromhex(digits) if len(digits) % 2 == 0 and _HEX.fullmatch(digits) else None


def _from_decimal(text: str) -> bytes | None:
    numbers = text.translate(_SEPARATORS).split() if _DECIMAL.fullmatch(text) else []
    if not _FEWEST <= len(numbers) <= _MOST or max(map(len, numbers)) > len("-128"):
        return None
    try:
        values = [int(number) for number in numbers]
    except ValueError:
        return None
    # Java's bytes are signed.
    return bytes(value & 0xFF for value in values) if min(values) >= -128 and max(values) < 256 else None


def _from_python(text: str) -> bytes | None:
    found = _BYTES.fullmatch(text)
    if found is None or "\\x" not in found[3]:
        return None
    plain = found[3]
    # A writer of JSON, say, may have escaped the escapes.
    for _ in range(2):
        plain = _BYTES_ESCAPE.sub(_character, plain)
        data = _from_latin_1(plain)
        if data is not None and is_whole(data):
            return data
        if "\\" not in plain:
            break
    return None


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else _BYTES_CONTROLS.get(found[2], found[2])


def _from_base32(text: str) -> bytes | None:
    digits = "".join(text.split()).rstrip("=") if _BASE32.fullmatch(text) else ""
    # RFC 4648 section 6: of eight characters, these numbers do not occur at the end.
    return b32decode(digits + "=" * (-len(digits) % 8)) if digits and len(digits) % 8 not in (1, 3, 6) else None


def _from_latin_1(text: str) -> bytes | None:
    if text[:1] != "0" or text.isascii():
        return None
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return None


def _from_utf_16(found: re.Match[str]) -> str:
    text = found[0].encode("utf-16-le").decode("ascii", "ignore")
    return text if 2 * len(text) > 3 * len(found[0]) else found[0]


# The look-aheads take the white space once and for all, so that no text takes quadratic time.
_LITERALS = r"([\"'`])(?=(\s{0,99}))\2[+&.,;|_]?(?=(\s{0,99}))\3b?\1"
_QUOTED_PRINTABLE = re.compile(r"=3D|=0D=0A|=2[0-9BCF]|=5C")
_SOFT_BREAKS = re.compile(r"(?m)^(?:[^\r\n]{40,75}=\r?\n){2}")
_PREFIXED = re.compile(r"(?m)^[>|+]+ ?-----BEGIN ")
# Two characters of ASCII in the place of one.
_PAIRS = "[\u0909-\u7e7e]{20,}"
_INVISIBLE = f"[{_HIDDEN}\\x00]"
_FULL_WIDTH = re.compile("[\uff01-\uff5e]")
_DASH = "\u2010-\u2015\u2212"
_DASHED = re.compile(
    rf"(?=-{{0,4}}[{_DASH}])[{_DASH}-]{{1,5}} ?((?:BEGIN|END) [A-Z0-9][A-Z0-9 ]{{0,40}}?) ?[{_DASH}-]{{1,5}}"
)
# The lines of a file as objects, each with the number of lines read.
_READ_COUNT = re.compile(r"\"ReadCount\\?\"\s{0,9}:")
_VALUE = re.compile(r"\bvalue\\?\"\s{0,9}:\s{0,9}\\?\"((?:[^\"\\]|\\[^\"])*)")
_POWERSHELL = re.compile(r"(?:`r)?`n")
_BEGIN = re.compile("-----BEGIN ")

# What bytes have been spelt out as, by its name. They count only if they are whole.
BYTES: dict[str, Callable[[str], bytes | None]] = {
    "hexadecimal": _from_hex,
    "percent-encoded binary": _from_percent,
    "decimal numbers": _from_decimal,
    "Python's b'...'": _from_python,
    "base32": _from_base32,
    "binary read as Latin-1": _from_latin_1,
}

# In this order: an escaped line break is a break before it can continue a line.
TEXTS = (
    Rendering("ASCII read as UTF-16", re.compile(_PAIRS), lambda text: re.sub(_PAIRS, _from_utf_16, text)),
    Rendering("quoted-printable", _SOFT_BREAKS, _quoted_printable),
    Rendering("invisible characters", re.compile(_INVISIBLE), lambda text: re.sub(_INVISIBLE, "", text)),
    Rendering("full-width characters", _FULL_WIDTH, lambda text: _FULL_WIDTH.sub(_narrow, text)),
    Rendering("dashes of a word processor", re.compile(f"[{_DASH}]"), lambda text: _DASHED.sub(r"-----\1-----", text)),
    Rendering("no-break spaces", re.compile("\u00a0"), lambda text: text.replace("\u00a0", " ")),
    Rendering("quoted lines of mail, YAML and diffs", _PREFIXED, lambda text: re.sub(r"(?m)^[>|+]+ ?", "", text)),
    Rendering("Node.js Buffer", re.compile(r"Buffer\W{1,40}data\W{1,20}\["), lambda text: text.partition("[")[2]),
    Rendering("Get-Content | ConvertTo-Json", _READ_COUNT, lambda text: "\n".join(_VALUE.findall(text))),
    Rendering("line breaks of PowerShell", re.compile("`n"), lambda text: _POWERSHELL.sub("\n", text)),
    Rendering("data URI", re.compile(r"\Adata:[^,]{0,200},"), lambda text: text.partition(",")[2]),
    Rendering(
        "assignment",
        re.compile(r"\A(?:(?:export|set|ENV)\s+)?[A-Za-z_][A-Za-z0-9_.]{0,40}\s{0,8}[=:]\s{0,8}(?=[^\s=]{60}|[\"'-])"),
        lambda text: re.split("[=:]", text, maxsplit=1)[1],
    ),
    Rendering(
        "HTML and XML",
        re.compile(r"&(?:#\d{1,5};?|#x[0-9a-f]{1,4};?|[a-z]{2,8};)|<br\s{0,4}/?>", re.IGNORECASE),
        lambda text: html.unescape(re.sub(r"<br\s{0,4}/?>", "\n", text, flags=re.IGNORECASE)),
    ),
    Rendering("escapes of JSON and of string literals", re.compile(r"\\"), _unescaped),
    Rendering(
        "line continuations",
        re.compile(rf"[\\`^][ \t]{{0,8}}{_BREAK}"),
        lambda text: re.sub(rf"(?<![\\`^])[\\`^]{{1,8}}[ \t]{{0,8}}{_BREAK}", "\n", text),
    ),
    Rendering(
        "adjacent string literals",
        re.compile(_LITERALS),
        lambda text: re.sub(_LITERALS, "\n", text),
    ),
    Rendering("marks on each line, such as its number", _BEGIN, marked_lines.unmarked),
    Rendering("percent-encoding", _PERCENT, _percent_decoded),
    Rendering("quoted-printable in one line", _QUOTED_PRINTABLE, _quoted_printable),
)
