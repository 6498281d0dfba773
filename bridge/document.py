"""The settings file as text values, with the line of each."""

from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, Final, NamedTuple

import voluptuous as vol
import yaml

from snom_buttons.refused import quoted

MAX_FILE: Final = 32 * 1024 * 1024
"""Bytes of a settings file: 20,000 phones with thirty keys of their own."""
MAX_DEPTH: Final = 20
"""Levels below the whole document. Settings have six."""
MAX_WORK: Final = 100_000_000
"""The sum of the levels of all values. A phone of 5,000 levels is left out and the others are
read; MAX_VALUES at MAX_DEPTH are allowed."""
MAX_DIRECTIVES: Final = 100
"""Directives `%TAG`, of which settings need none: libyaml compares each with all."""
MAX_VALUES: Final = 4_000_000
"""Values of a document, each counted wherever an alias repeats it."""
TOO_DEEP: Final = "is nested too deeply"

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


class _Value(NamedTuple):
    """What a node of a document is read as."""

    value: Any
    size: int = 1
    """How many values it has, with itself."""
    height: int = 0
    """How many levels are below it."""
    fault: tuple[str, int] | None = None
    """Text and line of the first fault in it."""


class _Loader(yaml.CBaseLoader):
    """Composes a document, in a time that grows with its length alone.

    Each bracket that is open makes libyaml slower for all that follows: a megabyte of
    them, or of values below a thousand of them, would take it many seconds.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._work = 0

    def descend_resolver(self, parent: yaml.Node | None, _: object) -> None:
        """Go down one level. Raises Unreadable."""
        self._depth += 1
        self._work += self._depth
        if parent is not None and self._work > MAX_WORK:
            raise Unreadable(Fault(parent.start_mark.line + 1, "", TOO_DEEP))

    def ascend_resolver(self) -> None:
        """Go up again."""
        self._depth -= 1


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
        self._known: dict[int, _Value] = {}
        """By the identity of a node, which an alias may repeat."""
        if text.count("%TAG") > MAX_DIRECTIVES:
            raise Unreadable(Fault(1, "", "has too many directives %TAG"))
        try:
            self._root = yaml.compose(text, Loader=_Loader)
        except RecursionError:  # of a small stack
            raise Unreadable(Fault(1, "", TOO_DEEP)) from None
        except yaml.reader.ReaderError as error:
            line = text.encode()[: error.position].count(b"\n") + 1
            raise Unreadable(Fault(line, "", f"not YAML: {error.reason}")) from error
        except yaml.MarkedYAMLError as error:
            raise Unreadable(_not_yaml(text, error)) from error
        if self._root is None:  # or a bridge would remove all phones
            raise Unreadable(Fault(1, "", "has no settings"))
        self.value: Any = self._value(self._root, ()).value

    def _value(self, node: yaml.Node, path: Path) -> _Value:
        """Return what a node is read as; what is not allowed is an empty text."""
        line = node.start_mark.line + 1
        if not node.tag.startswith(_OWN_TAGS):
            self.faults.append((path, _TAG, line))
        if isinstance(node, yaml.ScalarNode):
            return _Value(node.value)
        if id(node) in self._open:
            self.faults.append((path, "contains itself", line))
            return _Value("")
        known = self._known.get(id(node))
        if len(path) + (known.height if known else 1) > MAX_DEPTH:
            self.faults.append((path, TOO_DEEP, line))
            return _Value("")
        if known is None:
            known = self._known[id(node)] = self._collection(node, path)
        elif known.fault is not None:
            self.faults.append((path, *known.fault))
        return known

    def _collection(self, node: yaml.Node, path: Path) -> _Value:
        """Return what a list or a mapping is read as that is read for the first time."""
        value: list[Any] | dict[str, Any]
        before = len(self.faults)
        self._open.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            parts = [
                self._value(part, (*path, number))
                for number, part in enumerate(node.value)
            ]
            value = [part.value for part in parts]
        else:
            named = {
                name: self._value(part, (*path, name))
                for name, (_, part) in self._parts(node, path).items()
            }
            parts = [*named.values()]
            value = {name: part.value for name, part in named.items()}
        self._open.discard(id(node))
        size = 1 + sum(part.size for part in parts)
        if size > MAX_VALUES:
            text = f"has more than {MAX_VALUES} values"
            self.faults.append((path, text, node.start_mark.line + 1))
            value, size = {}, 1
        height = 1 + max((part.height for part in parts), default=0)
        fault = self.faults[before][1:] if len(self.faults) > before else None
        return _Value(value, size, height, fault)

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


def text_of(path: FilePath, most: int = MAX_FILE) -> str:
    """Return the text of a file of so many bytes at most. Raises Unreadable."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise Unreadable(Fault(0, "", error.strerror or str(error))) from error
    if len(data) > most:
        raise Unreadable(Fault(0, "", f"has more than {most} bytes"))
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(Fault(line, "", "not UTF-8")) from error


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
    "could not find expected ':'": "a space is missing after a colon",
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
