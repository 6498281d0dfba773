"""How the phone reads dialog information (RFC 4235 4).

It shares no code with the part of the product that writes these documents.
"""

from enum import StrEnum
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

CONTENT_TYPE: Final = "application/dialog-info+xml"

_NAMESPACE: Final = "{urn:ietf:params:xml:ns:dialog-info}"


class DialogInfoError(Exception):
    """The document is not dialog information, as the message says."""


class State(StrEnum):
    """The state of a dialog, as far as a lamp shows it; the later ones hide the others."""

    TERMINATED = "terminated"
    TRYING = "trying"
    EARLY = "early"
    CONFIRMED = "confirmed"


_STATES: Final = {**{state.value: state for state in State}, "proceeding": State.EARLY}
_ORDER: Final = list(State)


class DialogInfo(NamedTuple):
    """What a document says of the number that it is about."""

    version: int
    entity: str
    state: State = State.TERMINATED
    """That of all its dialogs together."""
    direction: str = ""
    """`initiator` or `recipient` of that dialog, "" if it is not said."""
    caller: str = ""
    """The URI at the other end, "" if it is not said."""
    caller_name: str = ""


def read_dialog_info(data: bytes) -> DialogInfo:
    """Read a document with the whole state. Raises DialogInfoError."""
    if b"<!" in data:
        raise DialogInfoError("it has a document type")
    try:
        root = ET.fromstring(data)  # noqa: S314 there is nothing to expand
    except (ET.ParseError, ValueError) as error:
        raise DialogInfoError(f"no XML: {error}") from error
    if root.tag != f"{_NAMESPACE}dialog-info":
        raise DialogInfoError(f"<{root.tag}> is no dialog information")
    version, entity = root.get("version", ""), root.get("entity", "")
    if not (version.isascii() and version.isdecimal()) or not entity:
        raise DialogInfoError("it has no version or no entity")
    if root.get("state") != "full":
        raise DialogInfoError("it is not the whole state")
    found = DialogInfo(int(version), entity)
    for dialog in root.findall(f"{_NAMESPACE}dialog"):
        other = _read_dialog(dialog, found)
        if _ORDER.index(other.state) >= _ORDER.index(found.state):
            found = other
    return found


def _read_dialog(dialog: ET.Element, found: DialogInfo) -> DialogInfo:
    """Return `found` with the state of a dialog. Raises DialogInfoError."""
    if not dialog.get("id"):
        raise DialogInfoError("a dialog has no id")
    text = dialog.findtext(f"{_NAMESPACE}state", "").strip()
    if text not in _STATES:
        raise DialogInfoError(f"there is no state {text!r}")
    identity = dialog.find(f"{_NAMESPACE}remote/{_NAMESPACE}identity")
    return found._replace(
        state=_STATES[text],
        direction=dialog.get("direction", ""),
        caller="" if identity is None else (identity.text or "").strip(),
        caller_name="" if identity is None else identity.get("display", ""),
    )
