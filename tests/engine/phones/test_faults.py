"""Bad networks and phones: no key and no press is lost (RFC 3261).

The sockets are real, the time is not: the loop's clock jumps, so that timers keep the
lengths that RFC 3261 gives them. Seeds make each run the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

import pytest

from custom_components.snom_buttons.engine.phones import Dialled, KeyPress, Phone
from custom_components.snom_buttons.engine.xbuttons import LightMode
from tests.support.rawphone import RawPhone
from tests.support.relay import GOOD, Relay, Weather
from tests.support.serving import PASSWORD, base, jumping, make_phone, serving

pytestmark = pytest.mark.usefixtures("socket_enabled")

PHONES = 4
KEYS = 12
CHANGES = 400
"""Changes of keys, over all phones."""
PRESSES = 60
"""Presses of each phone."""
REFRESH = 30
"""Seconds from one registration of a phone to the next: documents are under way then."""
LATE = Weather(lost=0, doubled=0, late=1, latency=4, lateness=4)
LIGHTS = [LightMode.ON, LightMode.OFF, LightMode.HOLD, LightMode.PARK]


async def register(desk: RawPhone) -> None:
    """Register as a phone does: without an answer it tries again."""
    while True:
        try:
            answer = await desk.register()
        except TimeoutError:
            continue
        assert answer.status == 200
        return


@asynccontextmanager
async def refreshing(desk: RawPhone) -> AsyncIterator[None]:
    """Register again and again."""

    async def refresh() -> None:
        while True:
            await asyncio.sleep(REFRESH)
            await register(desk)

    await register(desk)
    task = asyncio.create_task(refresh())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def change_keys(phones: list[Phone], chance: Random) -> None:
    """Change keys one by one and together, with and without pauses."""
    for _ in range(CHANGES):
        phone = chance.choice(phones)
        key = f"{chance.randint(1, KEYS)}"
        phone.keys[key].show(
            base(key, light=chance.choice(LIGHTS), label=f"{chance.random()}")
        )
        await asyncio.sleep(chance.choice([0, 0, 0.01, 0.3, 1]))


async def press_keys(desk: RawPhone, chance: Random) -> tuple[list[str], list[str]]:
    """Press keys or dial, each after the answer to the one before, or after timer F.

    Returns the numbers of those that were answered, and of those that were not: after
    timer F a phone does not know whether its press has arrived.
    """
    answered, unanswered = [], []
    for count in range(PRESSES):
        number = f"{desk.extension}-{count}"
        try:
            if count % 5 == 0:
                answer = await desk.invite(number)
            else:
                answer = await desk.press(f"{chance.randint(1, KEYS)}", number=number)
        except TimeoutError:
            unanswered.append(number)
            continue
        assert answer.status in (200, 486)
        answered.append(number)
    return answered, unanswered


@pytest.mark.parametrize("seed", range(3))
def test_a_network_that_loses_a_third_costs_no_key_and_no_press(seed: int) -> None:
    """30 % of datagrams are lost in each direction, some doubled, some late."""

    async def test() -> None:
        chance = Random(seed)
        phones = [make_phone(f"{40 + n}", KEYS) for n in range(PHONES)]
        arrived: dict[str, list[str]] = {phone.extension: [] for phone in phones}

        def note(event: KeyPress | Dialled) -> None:
            arrived[event.extension].append(event.number)

        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(serving(*phones))
            server.pressed.subscribe(note)
            server.dialled.subscribe(note)
            relays, desks = [], []
            for phone in phones:
                relay = Relay(server.address, f"{seed} {phone.extension}")
                relays.append(await stack.enter_async_context(relay))
                desk = RawPhone(relay.address, phone.extension, PASSWORD)
                desks.append(await stack.enter_async_context(desk))
            async with AsyncExitStack() as registered:
                await asyncio.gather(
                    *[registered.enter_async_context(refreshing(d)) for d in desks]
                )
                # The server sees each phone at one port, which is not the phone's own.
                for phone, relay, desk in zip(phones, relays, desks, strict=True):
                    assert phone.registration is not None
                    assert phone.registration.address == f"udp {relay.outside}"
                    assert desk.address != relay.outside
                _, *pressed = await asyncio.gather(
                    change_keys(phones, chance),
                    *[press_keys(desk, chance) for desk in desks],
                )
            # Until late datagrams have arrived and unanswered documents were retried.
            await asyncio.sleep(600)

            for phone, desk, (answered, unanswered) in zip(
                phones, desks, pressed, strict=True
            ):
                assert desk.keys == {name: shown_by(phone, name) for name in phone.keys}
                assert (phone.available, phone.in_sync) == (True, True)
                got = arrived[phone.extension]
                assert len(set(got)) == len(got), "a press counted twice"
                assert [number for number in got if number not in unanswered] == (
                    answered
                )
                assert len(unanswered) <= 2, "far more than chance has it"
            lost, carried = (
                sum(n) for n in zip(*[(r.lost, r.carried) for r in relays], strict=True)
            )
            assert lost / carried == pytest.approx(0.3, abs=0.04)
            for relay in relays:
                assert min(relay.doubled, relay.late) > 5

    jumping(test)


@asynccontextmanager
async def behind_relay(phone: Phone) -> AsyncIterator[tuple[Relay, RawPhone]]:
    """Run a server, a relay in good weather, and behind it a phone that is in sync."""
    async with (
        serving(phone) as server,
        Relay(server.address, 0, GOOD) as relay,
        RawPhone(relay.address, "44", PASSWORD) as desk,
    ):
        await register(desk)
        await desk.shows("4")
        await asyncio.sleep(1)
        yield relay, desk


async def overtaken(phone: Phone, relay: Relay) -> None:
    """Delay a document, and change the key again meanwhile."""
    relay.weather = LATE
    phone.keys["1"].show(base("1", light=LightMode.ON))
    await asyncio.sleep(0.1)
    relay.weather = GOOD
    phone.keys["1"].show(base("1", light=LightMode.HOLD))


def test_a_document_that_a_new_registration_overtakes_is_put_right() -> None:
    """The document under way is older and arrives after the new whole picture."""

    async def test() -> None:
        phone = make_phone()
        async with behind_relay(phone) as (relay, desk):
            await overtaken(phone, relay)
            await register(desk)
            await desk.shows("1", c="hold")
            await asyncio.sleep(4.9)
            assert desk.keys["1"]["c"] == "on"
            await asyncio.sleep(0.2)
            assert desk.keys["1"]["c"] == "hold"
            # After that nothing is sent.
            count = len(desk.requests)
            await asyncio.sleep(600)
            assert len(desk.requests) == count

    jumping(test)


def test_an_old_document_that_arrives_after_all_is_put_right() -> None:
    """Its last copy leaves just before timer F fires, and arrives after a newer one."""

    async def test() -> None:
        phone = make_phone()
        async with behind_relay(phone) as (relay, desk):
            relay.up = False
            phone.keys["1"].show(base("1", light=LightMode.ON))
            await asyncio.sleep(31)
            relay.up, relay.weather = True, LATE
            await asyncio.sleep(1.5)
            relay.weather = GOOD
            assert not phone.available
            phone.keys["1"].show(base("1", light=LightMode.HOLD))
            await desk.shows("1", c="hold")
            await desk.shows("1", c="on")
            await asyncio.sleep(5)
            assert desk.keys["1"]["c"] == "hold"
            assert (phone.available, phone.in_sync) == (True, True)

    jumping(test)


def test_doubts_outlive_the_next_registration() -> None:
    async def test() -> None:
        phone = make_phone()
        async with behind_relay(phone) as (relay, desk):
            await overtaken(phone, relay)
            for _ in range(3):
                await register(desk)
                await asyncio.sleep(1)
            await desk.shows("1", c="on")
            await asyncio.sleep(5)
            assert desk.keys["1"]["c"] == "hold"

    jumping(test)


@pytest.mark.parametrize("way", ["reset", "left"])
def test_doubts_outlive_a_contact(way: str) -> None:
    """A phone that is reset, or leaves and comes back, is a new contact."""

    async def test() -> None:
        phone = make_phone()
        async with behind_relay(phone) as (relay, desk):
            await overtaken(phone, relay)
            if way == "reset":
                desk.reset()
            else:
                assert (await desk.unregister()).status == 200
            await register(desk)
            await desk.shows("1", c="hold")
            await desk.shows("1", c="on")
            await asyncio.sleep(5)
            assert desk.keys["1"]["c"] == "hold"
            count = len(desk.requests)
            # A contact that comes later gets its picture, and nothing more.
            assert (await desk.unregister()).status == 200
            await register(desk)
            await asyncio.sleep(600)
            assert len(desk.requests) == count + 1

    jumping(test)


@pytest.mark.parametrize("under_way", [False, True])
def test_a_phone_that_reboots_has_its_picture_within_a_second(under_way: bool) -> None:
    """It registers from a new port, and nothing more is sent to its old binding."""

    async def test() -> None:
        phone = make_phone(keys=48)
        loop = asyncio.get_running_loop()
        async with (
            serving(phone) as server,
            Relay(server.address, 1, GOOD) as before,
            RawPhone(before.address, "44", PASSWORD) as old,
            Relay(server.address, 2, GOOD) as after,
            RawPhone(after.address, "44", PASSWORD) as new,
        ):
            await register(old)
            await old.shows("48")
            await asyncio.sleep(1)
            before.up = False
            phone.keys["7"].show(base("7", light=LightMode.ON))
            if not under_way:
                await asyncio.sleep(40)
                assert not phone.available
            new.instance = old.instance
            begin = loop.time()
            await register(new)
            carried = before.carried
            await new.shows("7", c="on")
            await new.shows("48")
            assert loop.time() - begin < 1
            assert len(new.keys) == 48
            await asyncio.sleep(0.1)
            assert (phone.available, phone.in_sync) == (True, True)
            assert phone.registration is not None
            assert phone.registration.address == f"udp {after.outside}"
            phone.keys["7"].show(base("7", light=LightMode.HOLD))
            await new.shows("7", c="hold")
            await asyncio.sleep(600)
            assert before.carried == carried, "something was sent to the old address"

    jumping(test)


def test_a_network_that_is_away_for_ten_minutes_is_noticed_once() -> None:
    """Unavailable once and available once; then all keys are right."""

    async def test() -> None:
        phone = make_phone()
        changes: list[bool] = []

        def note(_: None) -> None:
            if [phone.available] != changes[-1:]:
                changes.append(phone.available)

        async with behind_relay(phone) as (relay, desk):
            note(None)
            phone.status.subscribe(note)
            relay.up = False
            for turn in range(60):
                phone.keys[f"{turn % 4 + 1}"].show(
                    base(f"{turn % 4 + 1}", label=f"{turn}")
                )
                await asyncio.sleep(10)
            relay.up = True
            await desk.until(
                lambda: all("5" in lines["l"] for lines in desk.keys.values())
            )
            await register(desk)
            await asyncio.sleep(10)
            assert changes == [True, False, True]
            assert phone.in_sync
            assert desk.keys == {name: shown_by(phone, name) for name in phone.keys}

    jumping(test)


def shown_by(phone: Phone, name: str) -> dict[str, str]:
    """Return the lines that a key should have at a phone."""
    text = phone.document_of(name).decode()
    lines = dict(line.split("=", 1) for line in text.split("\r\n") if line)
    del lines["k"]
    return lines
