"""Pages link to files and headings that exist, and name files that exist."""

from __future__ import annotations

from pathlib import Path
import re

import pytest

ROOT = Path(__file__).parents[2]
INTEGRATION = ROOT / "custom_components" / "snom_buttons"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "deploy" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
FOLDERS = (
    "custom_components|docs|engine|flows|hub|requirements|script|tests|virtual_phone"
)
NAMED = re.compile(
    r"`((?:[\w.-]+/)*[\w.-]+\.(?:cfg|md|py|toml|yaml)"
    rf"|(?:{FOLDERS})/[\w./-]*)`"
)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    return {
        re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files(page: Path) -> None:
    """A path in backticks is one of the repository, the page, the integration or the engine."""
    for name in NAMED.findall(page.read_text()):
        roots = (ROOT, page.parent, INTEGRATION, INTEGRATION / "engine")
        assert any((root / name).exists() for root in roots), name


def test_walks() -> None:
    """The walks of docs/architecture.md pass files of the integration, or of a bridge."""
    _, walks = (ROOT / "docs" / "architecture.md").read_text().split("\n## Walks\n")
    named = re.findall(r"[\w/]+\.py", walks)
    assert len(named) > 40
    for name in named:
        is_of_bridge = name.startswith("bridge/")
        roots = (ROOT,) if is_of_bridge else (INTEGRATION, INTEGRATION / "engine")
        assert any((root / name).exists() for root in roots), name
