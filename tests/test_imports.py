"""What import-linter's contracts in pyproject.toml do not say about imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("custom_components", "snom_buttons", "virtual_phone")


def test_no_module_is_in_a_circle() -> None:
    """A package's façade and imports under TYPE_CHECKING count."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    assert "custom_components.snom_buttons.engine.sip" in graph.modules
    TopologicalSorter(
        {
            module: graph.find_modules_directly_imported_by(module)
            for module in graph.modules
        }
    ).prepare()


def imported(path: Path) -> Iterator[str]:
    """Yield the absolute names of what a file imports, modules among them."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_bytes())):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                start = package[: len(package) + 1 - level] if level else ()
                parts = [*start, *([module] if module else [])]
                yield ".".join(parts)
                yield from (".".join((*parts, name.name)) for name in names)


@pytest.mark.parametrize("folder", ["script", "tests"])
def test_helpers_come_from_support_alone(folder: str) -> None:
    """No test module is imported by another, nor by a script."""
    strays = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in ROOT.joinpath(folder).rglob("*.py")
        for name in imported(path)
        if name.startswith("tests.") and name.rpartition(".")[2].startswith("test_")
    }
    assert strays == set()
