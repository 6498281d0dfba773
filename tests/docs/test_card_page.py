"""The table of docs/card.md is that of the models."""

from pathlib import Path
import re

from custom_components.snom_buttons.engine.phones import MODELS, MODULES, Layout

PAGE = (Path(__file__).parents[2] / "docs" / "card.md").read_text("utf-8")


def test_the_table_has_all_layouts() -> None:
    documented: dict[str, tuple[Layout, str]] = {}
    for names, labels, columns, rows, pages in re.findall(
        r"^\| (.+?) \| (paper|display) \| (\d) × (\d) \| (\d) \|", PAGE, re.MULTILINE
    ):
        for name in re.findall(r"\bD?\d+C?\b", names):
            layout = Layout(labels == "paper", int(columns), int(rows))
            documented[name] = layout, pages
    known = {name: it for name, it in (MODELS | MODULES).items() if it.layout}
    assert {name: layout for name, (layout, _) in documented.items()} == {
        name: it.layout for name, it in known.items()
    }
    for name, it in known.items():
        layout, pages = documented[name]
        assert pages == str(it.keys // (layout.columns * layout.rows)), name


def test_the_page_names_all_others() -> None:
    [others] = re.findall(r"^Not known, .*?\.$", PAGE, re.MULTILINE | re.DOTALL)
    unknown = {name for name, it in (MODELS | MODULES).items() if it.layout is None}
    assert set(re.findall(r"\bD?\d+C?\b", others)) == unknown
