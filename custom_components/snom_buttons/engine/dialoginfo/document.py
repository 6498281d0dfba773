"""The dialog information document, `application/dialog-info+xml` (RFC 4235 4)."""

from enum import StrEnum
from html import escape
import re
from typing import Final, NamedTuple

from .state import DialogState

_NAMESPACE: Final = "urn:ietf:params:xml:ns:dialog-info"
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
    not the schema's `display-name`, which phones do not read (docs/decisions/0020).
    """
    # ElementTree takes ten times as long, for what each lamp gets at each change.
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        (
            f'<dialog-info xmlns="{_NAMESPACE}" version="{version}" state="full"'
            f" entity={_attribute(entity)}>"
        ),
        f' <dialog id={_attribute(dialog_id)} direction="{direction}">',
        f"  <state>{state}</state>",
    ]
    if remote is not None:
        name = "" if remote.name is None else f" display={_attribute(remote.name)}"
        uri = escape(_text(remote.uri), quote=False)
        lines += ["  <remote>", f"   <identity{name}>{uri}</identity>", "  </remote>"]
    lines += [" </dialog>", "</dialog-info>", ""]
    return "\n".join(lines).encode()


def _attribute(text: str) -> str:
    return f'"{escape(_text(text))}"'


def _text(text: str) -> str:
    return _NO_XML.sub("", text)
