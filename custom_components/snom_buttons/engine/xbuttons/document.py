"""Reading and writing of buttons documents, `Content-Type: application/x-buttons`.

A document is UTF-8 text in lines `name=value`. The description of a key begins with
`k=` and ends with an empty line; a document can describe many keys.

Reading accepts what senders are known to send: CRLF, LF or CR, no last line end, any
number of empty lines, a byte order mark, spaces around names and values. Writing is
strict: **`parse_document` returns exactly what `format_document` accepted.**
"""

import builtins
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
import re
from typing import Any

from .model import KeyDescription
from .properties import (
    ACTION,
    BY_LETTER,
    DEFAULTS,
    NAME,
    PROPERTIES,
    Property,
    values_of,
)

CONTENT_TYPE = "application/x-buttons"
MAX_DOCUMENT = 64 * 1024
"""Bytes of a document that is read or written."""

_SHORT = 160
"""Bytes of a document whose result is cached, such as a press."""
_REASONS = {
    "document_bad_character": "the character {character} is not allowed; a line may hold"
    " any text but control characters, such as CR, LF and TAB",
    "document_bad_extension": "an extension cannot have this name; it must have one that"
    " the document does not use, without '=' and without spaces around it",
    "document_bad_value": "{value} would not be read back as it was; it must be {form}",
    "document_key_missing": "a description must begin with k=, the name of its key",
    "document_key_unnamed": "the key has no name; write one, as in k=1",
    "document_no_property": "{value} is not a property; a line must be name=value, or"
    " empty",
    "document_not_utf8": "the byte {byte} is not UTF-8; encode the text as UTF-8",
    "document_outer_space": "{value} has a space at an end; it must begin and end"
    " without",
    "document_too_long": "the document has {size} bytes; it must not have more than"
    " {allowed}, so spread the keys over several documents",
    "document_too_many_keys": "there are more than {allowed} keys; spread them over"
    " several documents",
    "document_two_properties": "a line holds one property; write {value} on a line of"
    " its own",
}
"""The texts of the faults in English, for logs and for `virtual_phone`."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Control characters (buttons document, "TEXT-UTF8char"), and surrogates, which UTF-8
does not have."""

_SECOND_PROPERTY = re.compile(f" ([{''.join(BY_LETTER)}]=.*)")
"""A property on the line of a key's name, as `c=on` in `k=6 c=on` (docs/protocol.md)."""


@dataclass(eq=False)
class DocumentError(ValueError):
    """A document that cannot be read, or a description that cannot be written.

    `fault` names the text of the fault, here and in translations, and `values` are the
    values in that text. `line` counts from 1; it and the name of the `property` are None
    if there is none.
    """

    fault: str
    line: int | None = None
    property: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)

    @builtins.property
    def reason(self) -> str:
        """The fault in English, without its place."""
        return _REASONS[self.fault].format_map(self.values)

    @builtins.property
    def placeholders(self) -> dict[str, str]:
        """All values of a translated text, `line` and `property` among them."""
        return {
            "line": str(self.line or ""),
            "property": _quote(self.property or ""),
            **self.values,
        }

    def __str__(self) -> str:
        """Return line, property and reason, as "line 2, property 'l': …"."""
        where = [] if self.line is None else [f"line {self.line}"]
        if self.property is not None:
            where.append(f"property {_quote(self.property)}")
        return f"{', '.join(where)}: {self.reason}" if where else self.reason


def parse_document(
    body: bytes, *, most: int = MAX_DOCUMENT
) -> tuple[KeyDescription, ...]:
    """Return the keys of a document in its order; none if it is empty.

    The last of equal properties counts ("will be overwritten in any case"); one without
    a value is absent; unknown ones are kept. Raises DocumentError only, also for more
    than `most` keys, of which no more are read.
    """
    # Another press of the same key has the same bytes.
    return _parse_again(body, most) if len(body) <= _SHORT else _parse(body, most)


def _parse(body: bytes, most: int) -> tuple[KeyDescription, ...]:
    descriptions: list[dict[str, Any]] = []
    current: dict[str, Any] | None = None
    for line_number, line in enumerate(_decode_lines(body), 1):
        name, value = _split_line(line, line_number)
        known = BY_LETTER.get(name)
        if not name:
            current = None
        elif known is NAME:
            if not value:
                raise DocumentError("document_key_unnamed", line_number, name)
            _check_name(value, line_number)
            if len(descriptions) == most:
                raise DocumentError(
                    "document_too_many_keys",
                    line_number,
                    None,
                    {"allowed": str(most)},
                )
            current = {NAME.field: value}
            descriptions.append(current)
        elif current is None:
            raise DocumentError("document_key_missing", line_number, name)
        elif known is None:
            current.setdefault("extensions", []).append((name, value))
        elif value:
            current[known.field] = known.read(value)
        else:
            current.pop(known.field, None)
    for description in descriptions:
        if "extensions" in description:
            description["extensions"] = tuple(description["extensions"])
    return tuple([KeyDescription(**description) for description in descriptions])


_parse_again = lru_cache(maxsize=1024)(_parse)


def format_document(keys: Iterable[KeyDescription]) -> bytes:
    """Return the document of these keys, as a registrar writes it.

    An empty line ends each key. Defaults are not written, except the action of a key
    with a number: so the document's examples have their exact bytes. Raises
    DocumentError for a value that would not be read back, and for more than
    MAX_DOCUMENT bytes.
    """
    lines: list[str] = []
    for key in keys:
        _append_description(lines, key)
        lines.append("")
    return _encode_lines(lines)


def format_press(key: KeyDescription) -> bytes:
    """Return the document by which a phone reports a press. Raises DocumentError.

    It ends without an empty line, as the document's examples do.
    """
    lines: list[str] = []
    _append_description(lines, key)
    return _encode_lines(lines)


def _decode_lines(body: bytes) -> list[str]:
    """Return the lines of a document, without their ends: CR, LF or CRLF.

    `str.splitlines` would also split at U+0085 and others, which are text.
    """
    _check_size(body)
    body = body.removeprefix(_BYTE_ORDER_MARK)
    body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        lines = body.decode().split("\n")
    except UnicodeDecodeError as error:
        before = body[: error.start].decode().split("\n")
        raise DocumentError(
            "document_not_utf8",
            len(before),
            _property_in(before[-1]),
            {"byte": f"0x{body[error.start]:02X}"},
        ) from None
    _check_characters(lines)
    return lines


def _split_line(line: str, line_number: int) -> tuple[str, str]:
    """Return name and value of a line, both "" if it is empty."""
    name, equals, value = line.partition("=")
    name = name.strip(" ")
    if bool(name) != bool(equals):
        raise DocumentError(
            "document_no_property", line_number, None, {"value": _quote(line)}
        )
    return name, value.strip(" ")


def _check_name(name: str, line_number: int) -> None:
    """Raise DocumentError for a name that holds a second property."""
    if second := _SECOND_PROPERTY.search(name):
        raise DocumentError(
            "document_two_properties",
            line_number,
            NAME.letter,
            {"value": _quote(second[1])},
        )


def _append_description(lines: list[str], key: KeyDescription) -> None:
    _append_property(lines, NAME, key.name)
    _check_name(key.name, len(lines))
    for known, default, value in zip(PROPERTIES, DEFAULTS, values_of(key), strict=True):
        if value != default or (known is ACTION and key.number is not None):
            _append_property(lines, known, value)
    for name, text in key.extensions:
        if not name or name != name.strip(" ") or "=" in name or name in BY_LETTER:
            raise DocumentError("document_bad_extension", len(lines) + 1, name)
        _append_line(lines, name, text)


def _append_property(lines: list[str], known: Property, value: Any) -> None:
    text = known.write(value)
    if not text or known.read(text) != value:
        raise DocumentError(
            "document_bad_value",
            len(lines) + 1,
            known.letter,
            {"value": _quote(text), "form": known.form},
        )
    _append_line(lines, known.letter, text)


def _append_line(lines: list[str], name: str, text: str) -> None:
    if text != text.strip(" "):
        raise DocumentError(
            "document_outer_space", len(lines) + 1, name, {"value": _quote(text)}
        )
    lines.append(f"{name}={text}")


def _encode_lines(lines: list[str]) -> bytes:
    _check_characters(lines)
    body = "\r\n".join([*lines, ""]).encode()
    _check_size(body)
    return body


def _check_characters(lines: list[str]) -> None:
    """Raise DocumentError for the first forbidden character."""
    if not _FORBIDDEN.search("".join(lines)):  # far faster than line by line
        return
    index = 0
    while not (found := _FORBIDDEN.search(lines[index])):
        index += 1
    raise DocumentError(
        "document_bad_character",
        index + 1,
        _property_in(lines[index]),
        {"character": f"U+{ord(found[0]):04X}"},
    )


def _check_size(body: bytes) -> None:
    if len(body) > MAX_DOCUMENT:
        raise DocumentError(
            "document_too_long",
            None,
            None,
            {"size": str(len(body)), "allowed": str(MAX_DOCUMENT)},
        )


def _property_in(line: str) -> str | None:
    """Return the name before the `=` of a line, None without one."""
    name, equals, _ = line.partition("=")
    return name.strip(" ") if equals else None


def _quote(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")
