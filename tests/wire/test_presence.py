"""Kamailio's notifier beside ours: the same bytes of a subscriber, and what both send back.

docs/decisions/0020 explains each difference.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
import re
from typing import NamedTuple
from xml.etree import ElementTree as ET

import pytest

from custom_components.snom_buttons.engine.phones import Phone, Speakers
from custom_components.snom_buttons.engine.xbuttons import LightMode
from tests.support.kamailio import presence
from tests.support.patience import PATIENCE
from tests.support.rawphone import RawMessage, RawPhone
from tests.support.recorded import DIALOGS, read, transport
from tests.support.serving import base, lit, phone_setup, raw_phone, serving, setup

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("socket_enabled")]

RECORDED = [
    path
    for path in DIALOGS
    if transport(path) == "UDP" and read(path)[1].text.startswith("SIP/2.0 200 ")
]
# Headers whose values are each server's own.
OWN = {"Via", "Contact", "CSeq", "Content-Length"}


class Exchange(NamedTuple):
    """What a server sends back to a SUBSCRIBE."""

    answer: RawMessage
    notice: RawMessage


class Subscriber:
    """Sends the SUBSCRIBEs of a recording from the socket of a registered phone."""

    def __init__(self, desk: RawPhone, server: tuple[str, int], path: Path) -> None:
        first = read(path)[0].text
        recorded = re.search(r"Via: SIP/2\.0/UDP ([^;]+);", first)
        assert recorded is not None
        # Kamailio sends NOTIFYs to the Contact.
        self._first = first.replace(recorded[1], desk.address)
        self._first = re.sub(
            r"(Contact:.*?@)[\d.:]+", rf"\g<1>{desk.address}", self._first
        )
        self._desk = desk
        self._server = server
        self._came: asyncio.Queue[RawMessage] = asyncio.Queue()
        desk.datagram_received = self._receive  # type: ignore[method-assign]

    def _receive(self, data: bytes, _: object) -> None:
        message = RawMessage.parse(data)
        if message.start.startswith("NOTIFY "):
            lines = ["SIP/2.0 200 OK"]
            for name in ("Via", "From", "To", "Call-ID", "CSeq"):
                lines += [f"{name}: {value}" for value in message.all(name)]
            answer = "\r\n".join((*lines, "Content-Length: 0", "", ""))
            self._desk._transport.sendto(answer.encode(), self._server)
        self._came.put_nowait(message)

    async def next(self, start: str) -> RawMessage:
        """Return the next message, which begins like this."""
        async with asyncio.timeout(PATIENCE):
            message = await self._came.get()
        assert message.start.startswith(start), message
        return message

    async def subscribe(self, within: RawMessage | None = None) -> Exchange:
        """Send the recorded SUBSCRIBE, or one that ends the dialog of an answer."""
        text = self._first
        if within is not None:
            tag = within.get("To").partition(";tag=")[2]
            text = re.sub(r"(?m)^(To: [^\r]+)", rf"\1;tag={tag}", text)
            text = re.sub(r"CSeq: (\d+)", r"CSeq: 1\1", text)
            text = re.sub(r"Expires: \d+", "Expires: 0", text)
            text = text.replace("branch=z9hG4bK", "branch=z9hG4bKend")
        self._desk._transport.sendto(text.encode(), self._server)
        answer = await self.next("SIP/2.0 200")
        return Exchange(answer, await self.next("NOTIFY "))

    async def publish(self, resource: str, number: int, body: str, etag: str) -> str:
        """Tell Kamailio what a key shows; return the tag of that state."""
        lines = (
            f"PUBLISH {resource} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._desk.address};branch=z9hG4bKpublish{number}",
            f"From: <{resource}>;tag=publisher",
            f"To: <{resource}>",
            "Call-ID: publish",
            f"CSeq: {number} PUBLISH",
            "Max-Forwards: 70",
            "Event: dialog",
            "Expires: 600",
            *([f"SIP-If-Match: {etag}"] if etag else []),
            "Content-Type: application/dialog-info+xml",
            f"Content-Length: {len(body.encode())}",
        )
        self._desk._transport.sendto(
            "\r\n".join((*lines, "", body)).encode(), self._server
        )
        return (await self.next("SIP/2.0 200")).get("SIP-ETag")


def shape(message: RawMessage) -> dict[str, str]:
    """Return the headers without what is each server's own."""
    shaped = {}
    for name, value in message.headers:
        if name in ("From", "To"):
            # Kamailio writes user and host alone, and each has its own tag.
            value = re.sub(r":5060|;user=phone|;tag=.*", "", value)
        elif name == "Subscription-State":
            # Ours is rounded down.
            value = re.sub(r"expires=\d+", "expires=…", value)
        elif name in OWN:
            value = "…"
        shaped[name] = value
    return shaped


def document(message: RawMessage) -> object:
    """Return the document without its version, and with URIs as Kamailio writes them."""

    def plain(text: str) -> str:
        return re.sub(":5060|;user=phone", "", text.strip())

    def read_element(element: ET.Element) -> object:
        attributes = {n: plain(v) for n, v in element.items() if n != "version"}
        text = plain(element.text or "")
        return element.tag, attributes, text, [read_element(e) for e in element]

    return read_element(ET.fromstring(message.body))


def versions(notices: list[RawMessage]) -> list[int]:
    return [int(ET.fromstring(notice.body).attrib["version"]) for notice in notices]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_the_same_subscriber(path: Path, tmp_path: Path) -> None:
    phone = Phone(phone_setup(keys=[setup("1")], speakers=Speakers.BLF))
    called = replace(base("1", light=LightMode.PICKUP), caller="Müller & Söhne")
    async with (
        serving(phone) as server,
        raw_phone(server) as desk,
        presence(tmp_path) as kamailio,
    ):
        # Kamailio publishes no more of a dialog that is terminated.
        phone.keys["1"].show(lit("1"))
        await desk.register()
        subscriber = Subscriber(desk, server.address, path)
        first = await subscriber.subscribe()
        phone.keys["1"].show(called)
        changed = await subscriber.next("NOTIFY ")
        ours = [first, await subscriber.subscribe(within=first.answer)]

        subscriber = Subscriber(desk, kamailio, path)
        resource = re.sub(r":5060$", "", first.notice.get("From")[1:].partition(">")[0])
        etag = await subscriber.publish(resource, 1, first.notice.body, "")
        theirs_first = await subscriber.subscribe()
        await subscriber.publish(resource, 2, changed.body, etag)
        theirs_changed = await subscriber.next("NOTIFY ")
        ended = await subscriber.subscribe(within=theirs_first.answer)
        theirs = [theirs_first, ended]

    for our, their in zip(ours, theirs, strict=True):
        headers = shape(our.answer)
        assert headers.pop("Allow-Events") == "dialog, message-summary"
        assert headers == shape(their.answer)
    our_notices = [first.notice, changed, ours[1].notice]
    their_notices = [theirs_first.notice, theirs_changed, ended.notice]
    for our_notice, their_notice in zip(our_notices, their_notices, strict=True):
        assert shape(our_notice) == shape(their_notice)
        assert document(our_notice) == document(their_notice)
        assert our_notice.start == their_notice.start
    assert versions(our_notices) == [0, 1, 2]
    began = versions(their_notices)[0]
    assert versions(their_notices) == [began, began + 1, began + 2]
