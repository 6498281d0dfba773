"""Asking a phone to fetch its settings or to restart, and sending all keys again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
import re

import pytest

from custom_components.snom_buttons.engine.phones import Phone
from custom_components.snom_buttons.engine.refused import Failed
from tests.support.serving import (
    add_phone,
    jumping,
    lit,
    make_phone,
    raw_phone,
    serving,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")

WITHIN = 10.0


async def failure(phone: Phone, *, reboot: bool = True) -> Failed:
    with pytest.raises(Failed) as caught:
        await phone.check_sync(reboot=reboot, within=WITHIN)
    return caught.value


@pytest.mark.parametrize("reboot", [True, False])
async def test_the_request_is_what_the_rfcs_ask_for(reboot: bool) -> None:
    """A phone on a plain socket, which shares no code with the server."""
    phone = make_phone()
    async with serving(phone) as server, raw_phone(server) as desk:
        assert (await desk.register()).status == 200
        await phone.check_sync(reboot=reboot, within=WITHIN)
        (notice,) = desk.notices
        port = server.address[1]
        # RFC 3261 8.1.1.1 and 16.12: the Contact of the registration, parameters included
        assert notice.start == (
            f"NOTIFY sip:44@{desk.address};line={desk._line} SIP/2.0"
        )
        via = notice.get("Via")  # 8.1.1.7; RFC 3581
        assert re.fullmatch(
            rf"SIP/2\.0/UDP ha\.example:{port};branch=z9hG4bK\w{{16}};rport", via
        )
        assert notice.get("Max-Forwards") == "70"  # 8.1.1.6
        # 8.1.1.3: From with a tag; 8.1.1.2: To without one, as it is outside a dialog
        assert re.fullmatch(r"<sip:44@127\.0\.0\.1>;tag=\w{8}", notice.get("From"))
        assert notice.get("To") == "<sip:44@127.0.0.1>"
        assert re.fullmatch(r"\w{16}", notice.get("Call-ID"))  # 8.1.1.4
        assert notice.get("CSeq") == "1 NOTIFY"  # 8.1.1.5
        # 8.1.1.8; RFC 6665 8.2.1 and 4.1.3
        assert notice.get("Contact") == f"<sip:ha.example:{port};transport=udp>"
        assert notice.get("Event") == f"check-sync;reboot={str(reboot).lower()}"
        assert notice.get("Subscription-State") == "terminated"
        assert notice.get("Content-Length") == "0"
        assert notice.body == ""
        assert not notice.all("Authorization")
        names = [name for name, _ in notice.headers]
        assert len(names) == len(set(names)) == 10


@pytest.mark.parametrize(
    ("status", "key"),
    [
        (401, "check_sync_challenged"),
        (407, "check_sync_challenged"),
        (405, "check_sync_unknown"),
        (481, "check_sync_no_subscription"),
        (489, "check_sync_unknown"),
        (501, "check_sync_unknown"),
        (302, "check_sync_refused"),
        (603, "check_sync_refused"),
        (408, "check_sync_silent"),
    ],
)
async def test_a_refusal_is_named(status: int, key: str) -> None:
    phone = make_phone()
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        desk.answer = status
        refused = await failure(phone)
        assert refused.key == key
        shown = refused.placeholders.get("answer")
        assert shown == (None if status == 408 else f"{status} Whatever")
        assert phone.available


@pytest.mark.parametrize(
    ("status", "header"), [(401, "WWW-Authenticate"), (407, "Proxy-Authenticate")]
)
async def test_a_challenge_is_not_answered(status: int, header: str) -> None:
    """What answers may hold a digest of the password that fits another request."""
    phone = make_phone()
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        desk.answer = status
        desk.answer_lines = [f'{header}: Digest realm="44", nonce="1", qop="auth"']
        assert (await failure(phone)).key == "check_sync_challenged"
        (notice,) = desk.notices
        assert not notice.all("Authorization")
        assert not notice.all("Proxy-Authorization")


def test_silence_is_told_and_the_request_is_not_sent_later() -> None:
    """A retransmission that comes after all would restart the phone then."""

    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await asyncio.sleep(1)
            desk.answer = None
            loop = asyncio.get_running_loop()
            begun = loop.time()
            assert (await failure(phone)).key == "check_sync_silent"
            assert loop.time() - begun == pytest.approx(WITHIN)
            sent = len(desk.notices)
            assert sent == 5
            await asyncio.sleep(60)
            assert len(desk.notices) == sent
            assert len({notice.get("Via") for notice in desk.notices}) == 1

    jumping(test)


async def test_a_phone_that_is_not_registered_is_told() -> None:
    phone = make_phone()
    async with serving(phone):
        assert (await failure(phone)).key == "phone_not_registered"


def test_all_contacts_are_asked_that_answer() -> None:
    async def test() -> None:
        phone = make_phone()
        async with (
            serving(phone, keepalive=60.0) as server,
            raw_phone(server) as desk,
            raw_phone(server) as hall,
        ):
            for contact in (desk, hall):
                await contact.register()
            await phone.check_sync(reboot=False, within=WITHIN)
            assert [len(contact.notices) for contact in (desk, hall)] == [1, 1]
            # Both are asked, and the refusal of one is told.
            desk.answer = 481
            assert (await failure(phone)).key == "check_sync_no_subscription"
            assert [len(contact.notices) for contact in (desk, hall)] == [2, 2]
            desk.answer = None
            await asyncio.sleep(200)
            assert phone.available
            notices = len(desk.notices)
            await phone.check_sync(reboot=False, within=WITHIN)
            assert len(desk.notices) == notices
            assert len(hall.notices) == 3
            # With no other, the silent one is asked.
            hall.answer = None
            await asyncio.sleep(200)
            assert not phone.available
            assert (await failure(phone)).key == "check_sync_silent"
            assert len(desk.notices) > notices

    jumping(test)


async def test_a_server_that_stops_meanwhile() -> None:
    phone = make_phone()
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        desk.answer = None
        asking = asyncio.create_task(failure(phone))
        await desk.until(lambda: bool(desk.notices))
        await server.stop()
        assert (await asking).key == "check_sync_silent"


def test_the_whole_picture_goes_out_again() -> None:
    async def test() -> None:
        phone = make_phone()
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            phone.show([lit("9")])
            await asyncio.sleep(1)
            desk.keys.clear()
            answers = await phone.send_all(WITHIN)
            assert answers == ["200 Whatever"]
            assert list(desk.keys) == ["1", "2", "3", "4", "9"]
            desk.refuses = "2"
            with pytest.raises(Failed) as caught:
                await phone.send_all(WITHIN)
            assert caught.value.placeholders["answer"] == "415 Whatever"

    jumping(test)


async def test_a_phone_that_is_set_up_by_its_address_is_asked_there() -> None:
    async with serving() as server, raw_phone(server) as desk:
        host, port = desk.address.split(":")
        phone = make_phone()
        phone.setup = replace(phone.setup, address=(host, int(port)))
        add_phone(server, phone)
        await phone.check_sync(reboot=False, within=WITHIN)
        (notice,) = desk.notices
        assert notice.start == f"NOTIFY sip:44@{desk.address} SIP/2.0"
