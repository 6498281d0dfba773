"""The settings file as text values, with the line of each."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import voluptuous as vol
import yaml

from snom_buttons.refused import quoted

type Path = tuple[str | int, ...]
"""The keys, and the places in lists, that lead to a value."""


class Fault(NamedTuple):
    """A part of the settings file that is wrong."""

    line: int
    """From 1; 0 if there is no file."""
    key: str
    """Dotted; "" for the whole file."""
    text: str

    def __str__(self) -> str:
        """Return the fault as one line of text."""
        line = f"line {self.line}: " if self.line else ""
        return f"{line}{self.key}{self.key and ': '}{self.text}"


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
        self.faults: list[tuple[Path, str, int]] = []
        """Keys that stand twice, and what cannot be read: path, text, and line."""
        self._lines: dict[int, dict[str, tuple[yaml.Node, yaml.Node]]] = {}
        """By the identity of a mapping: its keys and values by the text of the key."""
        self._open: set[int] = set()
        try:
            self._root = yaml.compose(text, Loader=yaml.CBaseLoader)
        except yaml.MarkedYAMLError as error:
            raise Unreadable(_not_yaml(text, error)) from error
        except yaml.YAMLError as error:
            raise Unreadable(Fault(1, "", f"not YAML: {error}")) from error
        if self._root is None:  # or a bridge would remove all phones
            raise Unreadable(Fault(1, "", "has no settings"))
        self.value: Any = self._value(self._root, ())

    def _value(self, node: yaml.Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        if not node.tag.startswith(_OWN_TAGS):
            self.faults.append((path, _TAG, line))
        if isinstance(node, yaml.ScalarNode):
            return node.value
        if id(node) in self._open:
            self.faults.append((path, "contains itself", line))
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
                line = key.start_mark.line + 1
                if not isinstance(key, yaml.ScalarNode):
                    self.faults.append((path, "a key has to be a text", line))
                elif key.value in parts:
                    first = parts[key.value][0].start_mark.line + 1
                    text = f"stands on line {first} already"
                    self.faults.append(((*path, key.value), text, line))
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


def _not_yaml(text: str, error: yaml.MarkedYAMLError) -> Fault:
    """Return where a text is no YAML, and what the reason usually is."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.splitlines()
    sign = lines[line][column : column + 1] if line < len(lines) else ""
    problem = error.problem or ""
    hint = _HINTS.get(problem, "")
    if sign == "\t":
        hint = "a tab: indent with spaces"
    elif problem == _WRONG_START:
        hint = f"a text that begins with {quoted(sign)} needs quotes"
    begun = error.context_mark
    if begun is not None and begun.line < line:
        problem += f" in what begins on line {begun.line + 1}"
    return Fault(
        line + 1, "", f"not YAML: {problem}{hint and ' ('}{hint}{hint and ')'}"
    )


_WRONG_START: Final = "found character that cannot start any token"
_UNCLOSED: Final = "a bracket is not closed, or a text needs quotes, here or above"
_HINTS: Final = {
    "mapping values are not allowed in this context": (
        "the line is indented too far, or a text with a colon needs quotes"
    ),
    "did not find expected key": (
        "the indentation is wrong, or a quote is not closed, here or above"
    ),
    "did not find expected ',' or '}'": _UNCLOSED,
    "did not find expected ',' or ']'": _UNCLOSED,
    "found unexpected end of stream": "a quote is not closed",
}
"""What usually causes a problem that libyaml names."""
_TAG: Final = "a text that begins with ! needs quotes, and !secret is not known here"
"""It does not show the tag, which may be a password."""
_OWN_TAGS: Final = "tag:yaml.org,2002:"
"""How the tags of YAML itself begin; others, such as !secret, are of other programs."""


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
    "required key not provided": "is missing",
    "expected a dictionary": "has to be a mapping",
}
"""In place of the texts of voluptuous."""
