"""The dialog information document, `application/dialog-info+xml` (RFC 4235 4)."""

from enum import StrEnum
import re
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

from .state import DialogState

_NAMESPACE: Final = "urn:ietf:params:xml:ns:dialog-info"
# ElementTree writes it with single quotes, which simple readers may not expect.
_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'
# The characters that XML 1.0 does not allow, and line ends and tabs.
_NO_XML: Final = re.compile("[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Direction(StrEnum):
    """Whether the resource calls, or is called (4.1.1)."""

    INITIATOR = "initiator"
    RECIPIENT = "recipient"


class Identity(NamedTuple):
    """Who is at the other end (4.1.6.1)."""

    uri: str
    name: str | None = None


def format_dialog_info(
    entity: str,
    version: int,
    dialog_id: str,
    state: DialogState,
    *,
    direction: Direction = Direction.RECIPIENT,
    remote: Identity | None = None,
) -> bytes:
    """Return the whole state of a resource: one dialog, which may be terminated.

    `entity` is the URI of the resource. `version` rises with each document of a
    subscription. The name of `remote` is the attribute `display`, as in section 4.1.6.1,
    in the examples and in all that phones read; the schema calls it `display-name`.
    """
    root = ET.Element(
        "dialog-info",
        {
            "xmlns": _NAMESPACE,
            "version": str(version),
            "state": "full",
            "entity": _text(entity),
        },
    )
    attributes = {"id": _text(dialog_id), "direction": direction.value}
    dialog = ET.SubElement(root, "dialog", attributes)
    ET.SubElement(dialog, "state").text = state.value
    if remote is not None:
        name = {} if remote.name is None else {"display": _text(remote.name)}
        other = ET.SubElement(dialog, "remote")
        ET.SubElement(other, "identity", name).text = _text(remote.uri)
    ET.indent(root, " ")
    document: bytes = ET.tostring(root, encoding="utf-8")
    return _DECLARATION + document + b"\n"


def _text(text: str) -> str:
    return _NO_XML.sub("", text)
