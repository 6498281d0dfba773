"""What a log has of hostile messages: no secret, no caller, nothing that is not printable."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
import json
from pathlib import Path
import re
from typing import Any

import pytest

from custom_components.snom_buttons.engine import sip
from custom_components.snom_buttons.engine.phones import KeyPress
from custom_components.snom_buttons.engine.sip import (
    LocationService,
    MalformedMessage,
    Notifier,
    Registrar,
    Request,
    parse_datagram,
)
from tests.support import streams
from tests.support.clock import run
from tests.support.fuzztargets import FLOW, PRESS, decode, framed, mute_server
from tests.support.log import SECRET, logging_to_a_file, rude
from tests.support.messages import request_bytes, response_bytes
from tests.support.serving import jumping, lit, make_phone, raw_phone, serving
from tests.support.streams import tls_contexts, until_closed

ENGINE = "custom_components.snom_buttons.engine"
STRANGER = FLOW._replace(port=4444)
FROM = '"hush-name" <sip:44:hush-password@hush.example;hush=hush>;tag=hush'
HUSH: dict[str, Any] = {
    "Via": "SIP/2.0/UDP hush.example:5062;branch=z9hG4bKhush;hush=hush",
    "From": FROM,
    "To": '"hush-callee" <sip:hush-number:hush-password@hush.example>',
    "Call-ID": "hush@hush.example",
}
CREDENTIALS = (
    'Authorization: Digest username="44", realm="hush", nonce="hush", uri="sip:hush",'
    ' response="hush", cnonce="hush"'
)
CONTACT = 'Contact: "hush" <sip:44:hush@hush.example;line=hush>;+sip.instance="<hush>"'
MESSAGES = {
    "REGISTER": request_bytes(
        "REGISTER", CONTACT, CREDENTIALS, "User-Agent: hush", "Path: <sip:hush>", **HUSH
    ),
    "press": request_bytes("MESSAGE", PRESS, body=b"k=hush\r\na=message\r\n", **HUSH),
    "document": request_bytes(
        "MESSAGE", PRESS, body=b"k=1\r\nl=hush\r\nhush\r\ni=hush\r\n", **HUSH
    ),
    "INVITE": request_bytes(
        "INVITE", CONTACT, uri="sip:hush:hush@hush.example", **HUSH
    ),
    "SUBSCRIBE": request_bytes(
        "SUBSCRIBE", CONTACT, "Event: dialog;id=hush", uri="sip:hush@hush", **HUSH
    ),
    "OPTIONS": request_bytes("OPTIONS", "Hush: hush", "Require: hush", **HUSH),
    "response": response_bytes(
        "SIP/2.0 486 hush hush", "Warning: 399 hush hush", **HUSH
    ),
    "unknown method": request_bytes("HUSH", uri="hush:hush", **HUSH),
    "no message": b"hush hush hush\r\nhush: hush\r\n\r\nhush",
}


async def feed(message: bytes) -> tuple[list[bytes], int]:
    """Feed variants of a message to a server, from a phone and from a stranger.

    Return what the server sends, and the number of messages.
    """
    clock = 1000.0
    server, sent = mute_server(lambda: clock)
    fed = 0
    for data in (message, *rude(message)):
        for flow in (FLOW, STRANGER):
            fed += 1
            clock += 0.5
            server._endpoint._receive(data, flow)
        if not fed % 200:
            await asyncio.sleep(0)
    await server.stop()
    return sent, fed


@pytest.mark.parametrize("message", MESSAGES.values(), ids=list(MESSAGES))
def test_hostile_messages(message: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the log nor a 400's line has what a message contains."""

    with logging_to_a_file(ENGINE) as log:
        sent, fed = asyncio.run(feed(message))
    log.check()
    assert fed > 500
    assert log.text.count("\n") > 100
    assert "Logging error" not in capsys.readouterr().err
    lines = {data.partition(b"\r\n")[0] for data in sent}
    assert {line for line in lines if SECRET.encode() in line.lower()} == set()


def test_what_reaches_the_phones_own_code_is_among_them() -> None:
    with logging_to_a_file(ENGINE) as log:
        asyncio.run(feed(MESSAGES["press"]))
        asyncio.run(feed(MESSAGES["document"]))
    assert "Phone 44 sent a press of 'x'" in log.text
    assert "Phone 44 sent a document with a fault in line 3" in log.text
    assert "Wrong credentials" not in log.text


def test_hostile_registrations() -> None:
    """The registrar logs why it refuses a REGISTER of a phone that has proved itself."""
    registrar = Registrar(LocationService(lambda: 0.0), lambda: 0.0, lambda _: None)
    tried = 0
    with logging_to_a_file(ENGINE) as log:
        for data in rude(request_bytes("REGISTER", CONTACT, "Path: <sip:hush;lr>")):
            with suppress(MalformedMessage):
                message = parse_datagram(data)
                if isinstance(message, Request) and message.to.uri.user == "44":
                    registrar.register(message, FLOW)
                    tried += 1
    log.check()
    assert tried > 500
    assert log.text.count("REGISTER of 44") > 50


def test_hostile_subscriptions() -> None:
    """The notifier logs why it refuses a SUBSCRIBE of a phone that has proved itself."""
    notifier = Notifier(lambda: 0.0, lambda *_: None, lambda _: None, lambda _: None)
    good = request_bytes(
        "SUBSCRIBE", CONTACT, "Event: dialog;id=hush", "Record-Route: <sip:hush;lr>"
    )
    with logging_to_a_file(ENGINE) as log:
        for data in rude(good):
            with suppress(MalformedMessage):
                message = parse_datagram(data)
                if isinstance(message, Request) and message.from_.uri.user == "44":
                    notifier.subscribe(message, FLOW, "tag", "192.0.2.1:5060")
    log.check()
    assert log.text.count("SUBSCRIBE of 44") > 50


def test_sip_quotes_nothing_from_the_wire() -> None:
    """`!r` escapes, but does not hide a secret; `shape` does both."""
    assert sip.__file__ is not None
    modules = Path(sip.__file__).parent.rglob("*.py")
    assert [path.name for path in modules if "!r}" in path.read_text()] == []


@pytest.mark.parametrize("message", MESSAGES.values(), ids=list(MESSAGES))
def test_hostile_streams(message: bytes) -> None:
    """The reason for which a connection is closed is logged."""
    for data in rude(framed(message)):
        _, fault = decode(data)
        assert fault.isprintable()
        assert SECRET not in fault.casefold()


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("transport", ["UDP", "TCP", "TLS"])
def test_hostile_bytes_on_a_socket(
    transport: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = (
        response_bytes("SIP/2.0 486 hush \x9b\u202e\udcfc", **HUSH),
        b"hush \x9b\xff: \x1b hush\r\n\r\n",
        request_bytes("OPTIONS", "l: hush\x9b\udcfc", **HUSH),
    )

    async def scenario() -> None:
        contexts = tls_contexts(tmp_path)
        async with streams.serving(contexts, make_phone(keys=1)) as server:
            host, port = server.address_of(transport)
            for data in hostile:
                if transport == "UDP":
                    loop = asyncio.get_running_loop()
                    sender, _ = await loop.create_datagram_endpoint(
                        asyncio.DatagramProtocol, remote_addr=(host, port)
                    )
                    sender.sendto(data)
                    await asyncio.sleep(1)
                    sender.close()
                    continue
                # What begins no handshake is hostile to TLS.
                reader, writer = await asyncio.open_connection(host, port)
                writer.write(data)
                await until_closed(reader)
                writer.close()

    with logging_to_a_file(ENGINE) as log:
        run(scenario(), patience=0.02)
    log.check()
    assert log.text.count("\n") >= len(hostile)
    assert "Logging error" not in capsys.readouterr().err


@pytest.mark.usefixtures("socket_enabled")
def test_hostile_answers_of_a_phone(capsys: pytest.CaptureFixture[str]) -> None:
    async def scenario() -> None:
        async with serving(make_phone(keys=1)) as server, raw_phone(server) as phone:
            await phone.register()
            await phone.shows("1")
            phone.answer = 486
            for reason in ("hush-caller", "\x85hush", "\u202ehush"):
                phone.reason = reason
                server.phones["44"].show([lit("1")])
                await asyncio.sleep(60)

    with logging_to_a_file(ENGINE) as log:
        jumping(scenario)
    log.check()
    assert "answered 486" in log.text
    assert "Logging error" not in capsys.readouterr().err


def rude_stores() -> Iterator[dict[str, Any]]:
    """Yield stores in which one value is broken, and has a secret."""
    good = json.dumps(stored())
    for place in re.finditer(
        r'(?<=: )(?:"(?:[^"\\]|\\.)*"|[0-9.]+|true|false|null)', good
    ):
        for text in ("hush\u202e", "k=1 hush\n", "<sip:44:hush@h", "hush\n\x9b"):
            for value in (text, [text], {"hush": text}):
                changed = (
                    good[: place.start()] + json.dumps(value) + good[place.end() :]
                )
                yield json.loads(changed)


def stored() -> dict[str, Any]:
    async def snapshot() -> dict[str, Any]:
        server, _ = mute_server()
        saved = server.snapshot()
        await server.stop()
        return saved

    return asyncio.run(snapshot())


def test_hostile_stores() -> None:
    async def restore(snapshot: dict[str, Any]) -> None:
        server, _ = mute_server()
        server.restore(snapshot)
        await server.stop()

    with logging_to_a_file(ENGINE) as log:
        for snapshot in rude_stores():
            asyncio.run(restore(snapshot))
    log.check()
    assert log.text.count("cannot be read") > 100


def test_a_listener_that_fails_on_a_press() -> None:
    async def scenario() -> None:
        server, _ = mute_server()
        server.pressed.subscribe(lambda press: 1 / 0)
        press = KeyPress(extension="44", key="1", action="message", number="hush")
        server.pressed.emit(replace(press, caller="hush-caller"))
        await server.stop()

    with logging_to_a_file(ENGINE) as log:
        asyncio.run(scenario())
    assert "A listener failed on a KeyPress" in log.text
    assert SECRET not in log.text
