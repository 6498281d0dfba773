"""What the log and the history have of hostile messages to the phone."""

import pytest

from snom_buttons.sip import Flow
from tests.support.log import logging_to_a_file, rude
from tests.support.messages import request_bytes, response_bytes
from virtual_phone import VirtualPhone

FLOW = Flow("UDP", "127.0.0.1", 9)
URI = "sip:44:hush@hush.example"
BUTTONS = "Content-Type: application/x-buttons"
FROM = '"hush-name" <sip:hush:hush-password@hush.example>;tag=hush'
MESSAGES = {
    "document": request_bytes(
        "MESSAGE", BUTTONS, body=b"k=1\r\nl=hush\r\nhush\r\n", uri=URI, From=FROM
    ),
    "long document": request_bytes(
        "MESSAGE",
        BUTTONS,
        body=b"k=1\r\nl=" + b"hush" * 5000,
        uri="sip:44@h",
        From=FROM,
    ),
    "call": request_bytes("INVITE", uri=URI, From=FROM),
    "answer to a call": response_bytes("SIP/2.0 486 hush", CSeq="1 INVITE", From=FROM),
    "answer": response_bytes("SIP/2.0 486 hush", CSeq="1 MESSAGE", From=FROM),
}


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("message", MESSAGES.values(), ids=list(MESSAGES))
async def test_hostile_messages(
    message: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log has nothing of them, the history only what can be printed."""
    with logging_to_a_file("snom_buttons", "virtual_phone") as log:
        async with VirtualPhone("44", register=False) as phone:
            for data in (message, *rude(message)):
                phone._identity._endpoint._receive(data, FLOW)
            history = [entry.text for entry in phone.history]
    log.check()
    assert log.text
    assert "Logging error" not in capsys.readouterr().err
    assert [text for text in history if not text.isprintable()] == []
    assert max(map(len, history), default=0) < 1000
