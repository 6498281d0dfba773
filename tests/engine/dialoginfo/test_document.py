"""Dialog information documents, valid by the schema of RFC 4235 4.4."""

from __future__ import annotations

from pathlib import Path
import re
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from custom_components.snom_buttons.engine.dialoginfo import (
    DialogState,
    Direction,
    Identity,
    format_dialog_info,
)

SCHEMA = Path(__file__).parents[2] / "data" / "dialoginfo" / "rfc4235.xsd"
NAMESPACE = "{urn:ietf:params:xml:ns:dialog-info}"
ENTITY = "sip:1@ha.test"
ON = DialogState.CONFIRMED
BOB = Identity("sip:17@ha.test", 'Bob "&" <Ä\u200b\U0001f600>')

AS_PRINTED = xmlschema.XMLSchema(SCHEMA.read_text(), allow="local")


def faults(document: bytes) -> list[tuple[str, str]]:
    """Return what the schema as printed says of a document: elements, and why."""
    return [
        (f"{error.path}".rpartition("/")[2], f"{error.reason}")
        for error in AS_PRINTED.iter_errors(document.decode())
    ]


# RFC 4235 4.1.6.1 and 4.2 call it `display` (docs/decisions/0020).
NAME = ("identity", "'display' attribute not allowed for element")


def test_bytes() -> None:
    document = format_dialog_info(
        ENTITY, 3, "k1", DialogState.EARLY, remote=Identity("sip:17@ha.test", "Bob")
    )
    assert document.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="3"'
        ' state="full" entity="sip:1@ha.test">\n'
        ' <dialog id="k1" direction="recipient">\n'
        "  <state>early</state>\n"
        "  <remote>\n"
        '   <identity display="Bob">sip:17@ha.test</identity>\n'
        "  </remote>\n"
        " </dialog>\n"
        "</dialog-info>\n"
    )


@pytest.mark.parametrize("remote", [None, Identity("sip:17@ha.test")])
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("state", DialogState)
def test_valid(
    state: DialogState, direction: Direction, remote: Identity | None
) -> None:
    document = format_dialog_info(
        ENTITY, 0, "k1", state, direction=direction, remote=remote
    )
    assert faults(document) == []


@pytest.mark.parametrize(
    "name", ["Bob", "", BOB.name, "a\0b\ud800\uffff\r\n\tc", "]]>", "<!--"]
)
def test_names(name: str) -> None:
    """All but what no XML document may have, and line ends. All else is valid."""
    document = format_dialog_info(ENTITY, 0, name, ON, remote=Identity(ENTITY, name))
    assert faults(document) == [NAME]
    (identity,) = ET.fromstring(document).iter(f"{NAMESPACE}identity")
    shown = re.sub("[\0\ud800\uffff\r\n\t]", "", name)
    assert identity.attrib == {"display": shown}
    assert identity.text == ENTITY


def test_the_schema_allows_no_name_that_phones_read() -> None:
    """Neither beside its own `display-name`, nor in another namespace."""
    named = format_dialog_info(ENTITY, 0, "k1", ON, remote=BOB)
    assert faults(named) == [NAME]
    assert faults(named.replace(b"display=", b"display-name=")) == []
    for beside in (b'display-name="Bob" display=', b'xmlns:x="urn:x" x:display='):
        assert len(faults(named.replace(b"display=", beside))) == 1


@pytest.mark.parametrize(
    "change", [("full", "whole"), ("<state>confirmed</state>", ""), ('id="k1"', "")]
)
def test_the_schema_refuses(change: tuple[str, str]) -> None:
    document = format_dialog_info(ENTITY, 0, "k1", ON).decode()
    assert not AS_PRINTED.is_valid(document.replace(*change))
