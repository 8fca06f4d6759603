"""What the documentation points at is there: pages, their headings, and the files of the code that it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LIBRARY = ROOT / "shared" / "healthscore"
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"```.*?```", re.DOTALL)
_PATH = re.compile(r"`((?:[\w.]+/)+[\w.]*\w|[a-z_]+\.(?:py|yaml|toml))/?`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found = set()
    for heading in _HEADING.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
        plain = re.sub(r"[`*_]|\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def broken_links(page: Path) -> list[str]:
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    broken = []
    for link in _LINK.findall(text):
        target, _, anchor = link.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(link)
    return broken


def missing_paths(page: Path) -> list[str]:
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    # make creates the folders that begin with a dot, such as .venv.
    tops = {path.name for path in (*ROOT.iterdir(), *LIBRARY.iterdir()) if not path.name.startswith(".")}
    named = {path for path in _PATH.findall(text) if path.partition("/")[0] in tops}
    return sorted(path for path in named if not ((ROOT / path).exists() or (LIBRARY / path).exists()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
class TestPage:
    def test_links__of_the_page__lead_somewhere(self, page):
        assert broken_links(page) == []

    def test_paths__that_the_page_names__are_in_the_tree(self, page):
        assert missing_paths(page) == []


def test_checks__of_a_page_that_points_nowhere__find_it(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("See [one](gone.md), [two](#no-such-heading) and `storage/gone.py`.\n\n# A heading\n")
    assert broken_links(page) == ["gone.md", "#no-such-heading"]
    assert missing_paths(page) == ["storage/gone.py"]
