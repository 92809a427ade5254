"""The guides and the API reference build into a site without a warning, and every link in it leads somewhere."""

from __future__ import annotations

import inspect
import posixpath
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from azure_certvar_credential._core.hints import AGENT_HINTS, HINTS, USER_HINTS
from tests.docs import troubleshooting
from tests.docs.tables import GUIDES, ROOT
from tests.test_public_names import MODULES, is_class

# The build takes fifteen seconds of a processor, which other tests may need at the same time.
_SECONDS = 240
pytestmark = pytest.mark.timeout(_SECONDS + 30)
# Written by nobody.
_GENERATED = {"genindex.html", "py-modindex.html", "search.html"}


@dataclass
class Page(HTMLParser):
    """What a page of the site has, and refers to."""

    text: str
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        given = dict(attrs)
        if identifier := given.get("id"):
            self.anchors.add(identifier)
        if tag == "a" and (target := given.get("href")):
            self.links.append(target)
        if tag != "a" and (target := given.get("src") or given.get("href")):
            self.loaded.append(target)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built anew."""
    built = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "--fail-on-warning", "--keep-going", "--quiet"]
    ran = subprocess.run(
        [*command, "-d", str(built / ".doctrees"), str(GUIDES), str(built)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return built


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    """The pages, by their paths."""
    return {str(file.relative_to(site)): Page(file.read_text(encoding="utf-8")) for file in site.rglob("*.html")}


def test_every_link_and_anchor_leads_somewhere(site: Path, pages: dict[str, Page]) -> None:
    assert len(pages) > 20
    for name, page in pages.items():
        for target in page.links + page.loaded:
            parts = urlsplit(target)
            if parts.scheme or target == "#":
                continue
            path = (
                posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path))) if parts.path else name
            )
            assert (site / path).is_file(), f"{name}: {target}"
            if parts.fragment and path not in _GENERATED:
                assert unquote(parts.fragment) in pages[path].anchors, f"{name}: {target}"


def test_a_page_loads_nothing_from_elsewhere(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        assert not [target for target in page.loaded if urlsplit(target).netloc], name
        assert 'name="viewport"' in page.text


def test_every_guide_is_in_the_contents(pages: dict[str, Page]) -> None:
    assert {f"{guide.stem}.html" for guide in GUIDES.glob("*.md")} - {"index.html"} <= set(pages["index.html"].links)


def test_every_class_and_function_is_in_the_reference(pages: dict[str, Page]) -> None:
    anchors = set().union(*(page.anchors for page in pages.values()))
    for module in MODULES:
        for name in import_module(module).__all__:
            value = getattr(import_module(module), name)
            if is_class(value) or inspect.isfunction(value):
                # aio has some names of the package itself.
                assert anchors & {f"{module}.{name}", f"{MODULES[0]}.{name}"}, f"{module}.{name}"


def test_every_code_has_an_anchor_and_is_found_by_the_search(site: Path, pages: dict[str, Page]) -> None:
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    for code in HINTS.keys() | USER_HINTS.keys() | AGENT_HINTS.keys():
        assert f"aadsts{code}" in pages["troubleshooting.html"].anchors
        assert f"aadsts{code}" in index


def test_troubleshooting_is_in_step_with_the_hints() -> None:
    written = troubleshooting.PAGE.read_text(encoding="utf-8")
    assert written == troubleshooting.generated(written), "python -m tests.docs.troubleshooting writes it anew"
