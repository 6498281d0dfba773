"""The settings file as text values, with the line of each."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import voluptuous as vol
import yaml

type Path = tuple[str | int, ...]
"""The keys, and the places in lists, that lead to a value."""


class Fault(NamedTuple):
    """A part of the settings file that is wrong."""

    line: int
    """From 1."""
    key: str
    """Dotted; "" for the whole file."""
    text: str

    def __str__(self) -> str:
        """Return the fault as one line of text."""
        return f"line {self.line}: {self.key}{self.key and ': '}{self.text}"


class Unreadable(ValueError):
    """A settings file that cannot be used at all."""

    def __init__(self, *faults: Fault) -> None:
        """Keep the faults."""
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


class Document:
    """A YAML document whose values are texts, lists and mappings.

    A plain word such as `on` or `044` is a text as it stands: it is the reader of a
    value that knows whether it is a number.
    """

    def __init__(self, text: str) -> None:
        """Read a document. Raises Unreadable."""
        self.faults: list[tuple[Path, str]] = []
        """Keys that stand twice, and keys and references that cannot be read."""
        self._lines: dict[int, dict[str, tuple[yaml.Node, yaml.Node]]] = {}
        """By the identity of a mapping: its keys and values by the text of the key."""
        self._open: set[int] = set()
        try:
            self._root = yaml.compose(text, Loader=yaml.CBaseLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise Unreadable(Fault(line, "", f"not YAML: {error.problem}")) from error
        except yaml.YAMLError as error:
            raise Unreadable(Fault(1, "", f"not YAML: {error}")) from error
        if self._root is None:  # or a bridge would remove all phones
            raise Unreadable(Fault(1, "", "has no settings"))
        self.value: Any = self._value(self._root, ())

    def _value(self, node: yaml.Node, path: Path) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return node.value
        if id(node) in self._open:
            self.faults.append((path, "contains itself"))
            return ""
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                parts = enumerate(node.value)
                return [self._value(part, (*path, number)) for number, part in parts]
            return {
                name: self._value(part, (*path, name))
                for name, (_, part) in self._parts(node, path).items()
            }
        finally:
            self._open.discard(id(node))

    def _parts(
        self, node: yaml.Node, path: Path
    ) -> Mapping[str, tuple[yaml.Node, yaml.Node]]:
        """Return the keys and values of a mapping."""
        parts = self._lines.get(id(node))
        if parts is None:
            parts = self._lines[id(node)] = {}
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    self.faults.append((path, "a key has to be a text"))
                elif key.value in parts:
                    self.faults.append(((*path, key.value), "stands here twice"))
                else:
                    parts[key.value] = key, value
        return parts

    def fault(self, path: Sequence[Any], text: str) -> Fault:
        """Return a fault of the value at a path, or of what should be there."""
        node, line = self._root, 1
        for name in path:
            if isinstance(node, yaml.MappingNode):
                key, node = self._parts(node, ()).get(str(name), (None, None))
                line = key.start_mark.line + 1 if key else line
            elif isinstance(node, yaml.SequenceNode) and isinstance(name, int):
                node = node.value[name]
                line = node.start_mark.line + 1
        return Fault(line, ".".join(map(str, path)), text)


def flat(error: vol.Invalid, path: Path = ()) -> list[tuple[Path, str]]:
    """Return path and text of each error below the value at `path`."""
    errors = error.errors if isinstance(error, vol.MultipleInvalid) else [error]
    return [
        (
            (*path, *(n if isinstance(n, int) else str(n) for n in it.path)),
            _TEXTS.get(it.msg, it.msg),
        )
        for it in errors
    ]


_TEXTS: Final = {
    "extra keys not allowed": "there is no such setting",
    "required key not provided": "is missing",
    "expected a dictionary": "has to be a mapping",
}
"""In place of the texts of voluptuous."""
