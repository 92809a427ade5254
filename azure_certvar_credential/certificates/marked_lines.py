"""Removes what tools write before and after each line of PEM: its number, a time, a name, a visible end."""

from __future__ import annotations

import re

# Beside a line of BEGIN there is something else.
_SIGN = re.compile(r"[A-Za-z0-9][^\n]{0,20}-----BEGIN |-----BEGIN [A-Z0-9 ]{1,40}-----\S")
_BOUNDARY = re.compile(r"-----(BEGIN|END) [A-Z0-9 ]{1,40}-----")


def unmarked(text: str) -> str:
    """Return a text without what stands before and after each line of a PEM block, from BEGIN to END alike."""
    if not _SIGN.search(text):
        return text
    parts, position, begin = [], 0, None
    for found in _BOUNDARY.finditer(text):
        if found[1] == "BEGIN":
            begin = found
        elif begin is not None:
            before = _mark(_line_before(text, begin))
            after = text[begin.end() : begin.end() + 9].partition("\n")[0].rstrip()
            # At the very end of a text, a mark may be gone already.
            rest = text[found.end() : found.end() + len(after)]
            if before.fullmatch(_line_before(text, found)) and after.startswith(rest):
                lines = text[begin.end() + len(after) : found.start()].split("\n")[:-1]
                plain = [before.sub("", line, count=1).rstrip().removesuffix(after) for line in lines]
                parts += [text[position : begin.end()], "\n".join(plain), "\n"]
                position = found.start()
            begin = None
    return "".join([*parts, text[position:]])


def _line_before(text: str, found: re.Match[str]) -> str:
    return text[max(text.rfind("\n", 0, found.start()) + 1, found.start() - 60) : found.start()]


def _mark(before: str) -> re.Pattern[str]:
    """Return what finds the same mark before another line: with other numbers, and other white space around them.

    One without letters and digits may be that of a comment, and is none.
    """
    bare = re.sub(r"\A[^A-Za-z0-9]+", "", before).strip()
    if not bare or "REM" in bare or before[-1:].isalnum():
        return re.compile(r"\A[ \t]*")
    words = [re.sub(r"\d+", r"\\d+", re.escape(word)) for word in bare.split()]
    gap = r"[ \t]+"
    return re.compile(rf"\A[^A-Za-z0-9]{{0,9}}{gap.join(words)}" + gap * before[-1:].isspace())
