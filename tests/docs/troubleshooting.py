"""Writes the troubleshooting guide: ``python -m tests.docs.troubleshooting``.

What stands above the line "## AADSTS codes" is written by hand; what follows comes from the package's table of hints.
"""

from __future__ import annotations

from azure_certvar_credential._core.hints import AGENT_HINTS, HINTS, USER_HINTS
from tests.docs.tables import GUIDES

PAGE = GUIDES / "troubleshooting.md"
HEADING = "## AADSTS codes"


def generated(text: str) -> str:
    """Return the page with what belongs below the heading; a heading of each code is its anchor."""
    kept = text.partition(f"{HEADING}\n")[0]
    lines = [HEADING, "", "`certvar explain CODE` says the same, for a pasted error text too.", ""]
    for code in sorted(HINTS.keys() | USER_HINTS.keys() | AGENT_HINTS.keys()):
        variants = {"On behalf of a user: ": USER_HINTS.get(code), "For an agent: ": AGENT_HINTS.get(code)}
        told = [text for text in (HINTS.get(code), *(f"{who}{hint}" for who, hint in variants.items() if hint)) if text]
        # "<resource>" would be a tag of HTML.
        lines += [f"### AADSTS{code}", " ".join(told).replace("<", r"\<")]
    return kept + "\n".join(lines) + "\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(generated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
