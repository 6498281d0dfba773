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

# RFC 4235 4.1.6.1 and 4.2: the name is `display`, of which the schema knows nothing.
TEXT = SCHEMA.read_text()
WITH_NAMES = xmlschema.XMLSchema(
    TEXT.replace('"display-name"', '"display"'), allow="local"
)
AS_PRINTED = xmlschema.XMLSchema(TEXT, allow="local")


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
    AS_PRINTED.validate(document.decode())
    WITH_NAMES.validate(document.decode())


@pytest.mark.parametrize(
    "name", ["Bob", "", BOB.name, "a\0b\ud800\uffff\r\n\tc", "]]>", "<!--"]
)
def test_names(name: str) -> None:
    """All but what no XML document may have, and line ends."""
    document = format_dialog_info(ENTITY, 0, name, ON, remote=Identity(ENTITY, name))
    WITH_NAMES.validate(document.decode())
    (identity,) = ET.fromstring(document).iter(f"{NAMESPACE}identity")
    shown = re.sub("[\0\ud800\uffff\r\n\t]", "", name)
    assert identity.attrib == {"display": shown}
    assert identity.text == ENTITY


def test_the_name_is_not_what_the_schema_calls_it() -> None:
    named = format_dialog_info(ENTITY, 0, "k1", ON, remote=BOB).decode()
    assert WITH_NAMES.is_valid(named)
    assert not AS_PRINTED.is_valid(named)
    assert AS_PRINTED.is_valid(named.replace("display=", "display-name="))


@pytest.mark.parametrize(
    "change", [("full", "whole"), ("<state>confirmed</state>", ""), ('id="k1"', "")]
)
def test_the_schema_refuses(change: tuple[str, str]) -> None:
    document = format_dialog_info(ENTITY, 0, "k1", ON).decode()
    assert not AS_PRINTED.is_valid(document.replace(*change))
