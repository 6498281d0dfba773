"""No file of the integration imports itself by way of others."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from custom_components import snom_buttons

type Graph = Mapping[str, set[str]]


def graph_of(root: Path) -> Graph:
    """Return for each module of a package those of its modules that it imports.

    Counted are all imports: also those for types only, and those in functions.
    """
    files = {module_name(path, root.parent): path for path in root.rglob("*.py")}
    return {
        name: {
            target
            for source, member in imports(name, path)
            # A member of a package is a module, or else what its façade offers.
            for target in [f"{source}.{member}" if member else source]
            for target in [target if target in files else source]
            if target in files
        }
        for name, path in files.items()
    }


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(name: str, path: Path) -> Iterator[tuple[str, str]]:
    """Return what a module imports: modules, and the members that it names."""
    package = name.split(".")
    if path.name != "__init__.py":
        package.pop()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) + 1 - node.level] if node.level else []
            source = ".".join([*parents, *filter(None, [node.module])])
            yield from ((source, alias.name) for alias in node.names)


def circles(graph: Graph) -> list[list[str]]:
    """Return circles of modules, at least one if there are any; each ends as it begins."""
    found: list[list[str]] = []
    done: set[str] = set()

    def follow(path: list[str]) -> None:
        for target in sorted(graph[path[-1]]):
            if target in path:
                found.append([*path[path.index(target) :], target])
            elif target not in done:
                follow([*path, target])
        done.add(path[-1])

    for start in sorted(graph):
        if start not in done:
            follow([start])
    return found


def test_there_is_no_circle() -> None:
    found = circles(graph_of(Path(snom_buttons.__file__).parent))
    assert not found, "\n".join(" -> ".join(circle) for circle in found)


@pytest.mark.parametrize(
    ("sources", "circle"),
    [
        ({"a": "", "b": "from .a import x", "c": "from . import a, b"}, []),
        (
            {"a": "from .b import x", "b": "import pack.a"},
            ["pack.a", "pack.b", "pack.a"],
        ),
        (
            {
                "a": "if TYPE_CHECKING:\n    from .b import x",
                "b": "from . import c",
                "c": "def f():\n    from . import a",
            },
            ["pack.a", "pack.b", "pack.c", "pack.a"],
        ),
        ({"__init__": "from .a import x", "a": "from . import b", "b": ""}, []),
        (
            {"__init__": "from .a import x", "a": "from . import x"},
            ["pack", "pack.a", "pack"],
        ),
        ({"a": "from .a import x"}, ["pack.a", "pack.a"]),
    ],
)
def test_a_circle_is_found(
    tmp_path: Path, sources: dict[str, str], circle: list[str]
) -> None:
    root = tmp_path / "pack"
    root.mkdir()
    for name, source in {"__init__": "", **sources}.items():
        (root / f"{name}.py").write_text(source)
    assert circles(graph_of(root)) == ([circle] if circle else [])
