"""Phones that do not register: the sipsak example of the LED Remote Control document."""

from __future__ import annotations

import asyncio

import pytest

from custom_components.snom_buttons.engine.phones import KeyPress, Phone, PhoneSetup
from custom_components.snom_buttons.engine.sip.guard import FAILURES
from tests.support.patience import PATIENCE
from tests.support.rawphone import RawPhone
from tests.support.serving import (
    LOCALHOST,
    PASSWORD,
    jumping,
    lit,
    phone_setup,
    raw_phone,
    serving,
    setup,
)
from tests.support.stranger import Stranger
from virtual_phone import VirtualPhone

pytestmark = pytest.mark.usefixtures("socket_enabled")

KEYS = [setup(f"{number}") for number in range(1, 5)]


def setup_of(desk: RawPhone) -> PhoneSetup:
    """Return the setup of a phone at the contact's address."""
    host, port = desk._transport.get_extra_info("sockname")
    return phone_setup("44", KEYS, address=(host, port))


async def test_it_shows_its_keys_without_having_said_a_word() -> None:
    async with serving() as server, raw_phone(server) as desk:
        phone = server.add_phone(setup_of(desk))
        await desk.shows("4", l="Key 4")
        assert desk.requests[0].start == f"MESSAGE sip:44@{desk.address} SIP/2.0"
        assert desk.requests[0].get("To") == f"<sip:44@{desk.address}>"
        phone.keys["1"].show(lit("1"))
        await desk.shows("1", c="on")
        assert phone.registration is not None
        assert phone.registration.expires_at is None
        assert server.snapshot()["phones"]["44"]["bindings"] == []


async def test_presses_come_from_that_address_only() -> None:
    pressed: list[KeyPress] = []
    async with (
        serving() as server,
        raw_phone(server) as desk,
        raw_phone(server) as same_host,
        raw_phone(server) as elsewhere,
    ):
        server.add_phone(setup_of(desk))
        server.pressed.subscribe(pressed.append)
        await desk.shows("4")
        assert (await desk.press("1")).status == 200
        assert (await same_host.press("2", number="key2")).status == 200
        # From another address even the password does not help: there is no account.
        elsewhere._transport.close()
        loop = asyncio.get_running_loop()
        elsewhere._transport, _ = await loop.create_datagram_endpoint(
            lambda: elsewhere, local_addr=("127.0.0.2", 0)
        )
        assert (await elsewhere.press("3", number="key3")).status == 401
        assert (await elsewhere.register()).status == 401
        assert [press.key for press in pressed] == ["1", "2"]


async def test_it_cannot_register() -> None:
    """If the phone tries to, that does not count as guessing passwords."""
    async with serving() as server, raw_phone(server) as desk:
        server.add_phone(setup_of(desk))
        await desk.shows("4")
        for _ in range(FAILURES + 1):
            assert (await desk.register()).status == 401
        assert server.locked == []
        assert (await desk.press("1")).status == 200


async def test_another_client_at_its_address_is_a_stranger() -> None:
    """Its wrong passwords count, and its malformed requests get no answer."""
    other = Phone(phone_setup("45", KEYS))
    async with (
        serving(other) as server,
        raw_phone(server) as desk,
        raw_phone(server, "45") as neighbour,
    ):
        server.add_phone(setup_of(desk))
        neighbour.password = "wrong"
        for _ in range(FAILURES):
            assert (await neighbour.register()).status == 401
        assert server.locked == [LOCALHOST]
        neighbour.password = PASSWORD
        assert (await neighbour.register()).status == 401
        # The phone itself is not affected.
        assert (await desk.press("1")).status == 200
        long = 64 * b"x"
        with Stranger(server.address, LOCALHOST) as stranger:
            assert await stranger.say(b"NONSENSE sip:44@h SIP/2.0\r\n" + long) == []


async def test_a_software_phone_that_does_not_register() -> None:
    async with (
        VirtualPhone("44", register=False) as desk,
        serving() as server,
    ):
        phone = server.add_phone(phone_setup("44", KEYS, address=desk.address))
        taken = asyncio.Event()
        phone.taken.subscribe(lambda _: taken.set())
        phone.keys["2"].show(lit("2"))
        async with asyncio.timeout(PATIENCE):
            await taken.wait()
        assert desk.keys["2"].light == "on"


def test_it_goes_and_comes() -> None:
    async def test() -> None:
        async with serving(keepalive=60) as server, raw_phone(server) as desk:
            phone = server.add_phone(setup_of(desk))
            await asyncio.sleep(1)
            assert (phone.available, phone.in_sync) == (True, True)
            desk.answer = None
            await asyncio.sleep(100)
            assert not phone.available
            phone.keys["1"].show(lit("1"))
            await asyncio.sleep(10_000)
            assert phone.registration is not None
            desk.answer = 200
            await asyncio.sleep(100)
            assert (phone.available, phone.in_sync) == (True, True)
            assert desk.keys["1"]["c"] == "on"

    jumping(test)


async def test_it_moves_and_registers_again() -> None:
    async with (
        serving() as server,
        raw_phone(server) as one,
        raw_phone(server) as other,
    ):
        phone = server.add_phone(setup_of(one))
        await one.shows("4")
        address = other._transport.get_extra_info("sockname")
        server.configure_phone(phone_setup("44", KEYS, address=address))
        await other.shows("4")
        phone.keys["1"].show(lit("1"))
        await other.shows("1", c="on")
        assert one.keys["1"].get("c") is None
        assert (await one.press("1")).status == 200  # the same host
        server.configure_phone(phone_setup("44", KEYS))
        assert not phone.available
        assert (await one.register()).status == 200
        await one.shows("1", c="on")
        server.remove_phone("44")
        assert (await one.press("1")).status == 401


async def test_an_address_outside_the_allowed_networks_is_served() -> None:
    async with serving(networks=()) as server, raw_phone(server) as desk:
        server.add_phone(setup_of(desk))
        await desk.shows("4")
        assert (await desk.press("1")).status == 200
