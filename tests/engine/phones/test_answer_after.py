"""Presses that are answered when their events are delivered (decision 25)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
import json
import time
from typing import Any

import pytest

from custom_components.snom_buttons.engine.phones import (
    MAX_AGE,
    Dialled,
    Dialling,
    KeyPress,
    LineSetup,
    Phone,
    PhoneServer,
    Seen,
    Speakers,
    Use,
)
from custom_components.snom_buttons.engine.phones.events import Acted
from custom_components.snom_buttons.engine.phones.storage import load_acted, save_acted
from custom_components.snom_buttons.engine.xbuttons import Action
from tests.support.clock import jumping, run
from tests.support.hammer import press as press_bytes
from tests.support.rawphone import RawMessage, RawPhone
from tests.support.serving import base, phone_setup, raw_phone, serving, setup

pytestmark = pytest.mark.usefixtures("socket_enabled")

OWN = Dialling(own=frozenset({"500"}))
CALLED = replace(setup("3"), off=base("3", number="*6013", action=Action.INVITE))


class Desk:
    """A phone at a server whose events are taken when the test calls for it."""

    def __init__(self, server: PhoneServer, raw: RawPhone, phone: Phone) -> None:
        self.server, self.raw, self.phone = server, raw, phone
        self.events: list[KeyPress | Dialled] = []
        self.answers: list[int] = []
        self._sent: list[asyncio.Task[None]] = []
        server.pressed.subscribe(self.events.append)
        server.dialled.subscribe(self.events.append)

    @property
    def said(self) -> list[str]:
        """The events in short."""
        return [
            f"{event.key} {event.use or event.action}"
            if isinstance(event, KeyPress)
            else f"dialled {event.number}"
            for event in self.events
        ]

    def send(self, request: Awaitable[RawMessage]) -> None:
        """Begin a request, which is repeated as a phone does it."""

        async def exchange() -> None:
            self.answers.append((await request).status)

        self._sent.append(asyncio.create_task(exchange()))

    def take(self, *which: int, taken: bool = True) -> None:
        """Report that these events were delivered, all by default."""
        for number in which or range(len(self.events)):
            event = self.events[number]
            assert event.taken is not None
            if not event.taken.done():
                event.taken.set_result(taken)

    async def ended(self) -> None:
        """Wait until all requests have their final answers."""
        await asyncio.gather(*self._sent)

    async def give_up(self) -> None:
        """End the requests that have no answer."""
        for task in self._sent:
            task.cancel()
        await asyncio.gather(*self._sent, return_exceptions=True)


@asynccontextmanager
async def desk(
    *,
    takes: Callable[[], bool] = lambda: True,
    line: bool = False,
    subscribed: bool = False,
    snapshot: dict[str, Any] | None = None,
    was_published: Callable[[str], bool] = lambda _: False,
    **options: Any,
) -> AsyncIterator[Desk]:
    """Run a phone: key 1 toggles, key 2 does nothing, key 3 calls, key 4 may be a line's."""
    keys = [replace(setup("1"), toggles=True), setup("2"), CALLED, setup("4")]
    phone = Phone(phone_setup("44", keys, dialling=OWN, **options))
    serve = serving(phone, takes=takes, was_published=was_published, snapshot=snapshot)
    async with serve as server, raw_phone(server) as raw:
        if line:
            server.add_line("co2", LineSetup(code="co2", keys={"44": "4"}))
        assert (await raw.register()).status == 200
        if subscribed:
            assert (await raw.subscribe("2")).status == 200
        await asyncio.sleep(1)
        at = Desk(server, raw, phone)
        yield at
        await at.give_up()


@jumping
async def test_a_press_is_remembered_before_its_key_changes() -> None:
    """Stored with the change alone, it would toggle the key once more if it comes again."""
    async with desk() as at:
        acted: list[list[str]] = []
        at.phone.keys["1"].shown.subscribe(
            lambda _: acted.append([each.id for each in at.phone.presses.acted])
        )
        at.send(at.raw.press("1"))
        await asyncio.sleep(1)
        at.take()
        await at.ended()
        assert acted == [[at.events[0].id]]


@jumping
async def test_a_press_is_answered_once_it_is_taken() -> None:
    async with desk() as at:
        at.send(at.raw.press("1"))
        await asyncio.sleep(5)  # retransmitted at 0.5, 1.5, 3.5
        assert at.said == ["1 message"]
        assert at.answers == []
        # The key and its lamp do not wait.
        assert at.phone.keys["1"].is_on
        assert at.raw.has("1", c="on")
        at.take()
        await at.ended()
        assert at.answers == [200]
        assert at.said == ["1 message"]


@jumping
async def test_a_retransmission_after_the_answer_gets_the_same() -> None:
    async with desk() as at:
        data = press_bytes(at.raw, 1)
        at.raw._transport.sendto(data, at.raw.server)
        await asyncio.sleep(1)
        assert at.raw.strays == []
        at.take()
        await asyncio.sleep(1)
        (answer,) = at.raw.strays
        assert answer.startswith(b"SIP/2.0 200 ")
        at.raw.strays.clear()
        at.raw._transport.sendto(data, at.raw.server)
        await asyncio.sleep(1)
        assert at.raw.strays == [answer]
        assert at.said == ["1 message"]


async def several(raw: RawPhone) -> RawMessage:
    return await raw._authorized(
        "MESSAGE",
        f"sip:44@{raw.host}",
        to="key1",
        headers=("Content-Type: application/x-buttons",),
        body="k=1\r\na=message\r\n\r\nk=2\r\na=message\r\n",
    )


@pytest.mark.parametrize(
    ("request_of", "said", "status", "options"),
    [
        pytest.param(lambda raw: raw.press("2"), ["2 message"], 200, {}, id="a press"),
        pytest.param(
            several, ["1 message", "2 message"], 200, {}, id="several keys at once"
        ),
        pytest.param(
            lambda raw: raw.invite("*6013"), ["3 invite"], 486, {}, id="a call of a key"
        ),
        pytest.param(
            lambda raw: raw.invite("2"),
            ["2 invite"],
            486,
            {"speakers": Speakers.BLF, "subscribed": True},
            id="a call of a BLF key",
        ),
        pytest.param(
            lambda raw: raw.invite("100"), ["dialled 100"], 486, {}, id="a number"
        ),
        pytest.param(
            lambda raw: raw.press("4", "seize"),
            ["4 seize"],
            200,
            {"line": True},
            id="a line",
        ),
    ],
)
def test_what_waits_for_all_of_its_events(
    request_of: Callable[[RawPhone], Awaitable[RawMessage]],
    said: list[str],
    status: int,
    options: dict[str, Any],
) -> None:
    async def test() -> None:
        async with desk(**options) as at:
            at.send(request_of(at.raw))
            await asyncio.sleep(5)
            assert at.said == said
            for number in range(len(said)):
                assert at.answers == []
                at.take(number)
                await asyncio.sleep(1)
            assert at.answers == [status]
            assert at.said == said

    run(test())


@jumping
async def test_without_a_follower_it_is_refused_before_anything_is_done() -> None:
    async with desk(takes=lambda: False) as at:
        for request in (at.raw.press("1"), at.raw.invite("100")):
            answer = await request
            assert answer.status == 503
            assert answer.get("Retry-After") == "5"
        assert at.events == []
        assert not at.phone.keys["1"].is_on


@pytest.mark.parametrize("which", ["press", "call"])
def test_an_event_that_is_dropped_is_refused(which: str) -> None:
    async def test() -> None:
        async with desk() as at:
            at.send(at.raw.press("1") if which == "press" else at.raw.invite("100"))
            await asyncio.sleep(1)
            at.take(taken=False)
            await at.ended()
            assert at.answers == [503]

    run(test())


@jumping
async def test_one_of_several_that_is_dropped() -> None:
    async with desk() as at:
        at.send(several(at.raw))
        await asyncio.sleep(1)
        at.take(1, taken=False)
        await at.ended()
        at.take(0)
        await asyncio.sleep(1)
        assert at.answers == [503]


@jumping
async def test_what_is_not_taken_in_time_is_refused() -> None:
    async with desk() as at:
        at.send(at.raw.press("1"))
        await asyncio.sleep(10)
        at.send(at.raw.press("2"))
        await asyncio.sleep(MAX_AGE - 10.5)
        assert at.answers == []
        await asyncio.sleep(1)
        assert at.answers == [503]
        assert at.events[0].taken is not None
        assert not at.events[0].taken.result()
        await asyncio.sleep(10)
        assert at.answers == [503, 503]


@jumping
async def test_a_call_that_is_cancelled_while_it_waits() -> None:
    """RFC 3261 9.2: both requests are answered. What was pressed stays pressed."""
    async with desk() as at:
        invite = press_bytes(at.raw, 1).replace(b"MESSAGE", b"INVITE")
        invite = invite.replace(b"INVITE sip:44@", b"INVITE sip:100@")
        at.raw._transport.sendto(invite, at.raw.server)
        await asyncio.sleep(1)
        cancel = invite.replace(b"INVITE", b"CANCEL")
        at.raw._transport.sendto(cancel, at.raw.server)
        await asyncio.sleep(0.1)
        assert [it.split()[1] for it in at.raw.strays] == [b"200", b"487"]
        at.take()
        await asyncio.sleep(0.1)
        assert len(at.raw.strays) == 2
        assert at.said == ["dialled 100"]


@jumping
async def test_at_the_end_of_the_server_a_press_is_not_answered() -> None:
    async with desk() as at:
        at.send(at.raw.press("1"))
        await asyncio.sleep(1)
        await at.server.stop()
        at.take()
        await asyncio.sleep(10)
        assert at.answers == []


class TestAnotherServer:
    """A press that a server has received comes again, by another one."""

    @jumping
    async def test_it_has_the_same_id(self) -> None:
        ids = set()
        for _ in range(2):
            async with desk() as at:
                # Through a proxy the request has one Via more.
                data = press_bytes(at.raw, 1).replace(
                    str(at.raw.address).encode(), b"192.0.2.1:5060"
                )
                at.raw._transport.sendto(data, at.raw.server)
                await asyncio.sleep(1)
                ids.add(at.events[0].id)
        assert len(ids) == 1

    @jumping
    async def test_each_press_has_another_id(self) -> None:
        async with desk() as at:
            at.send(several(at.raw))
            at.send(several(at.raw))
            at.send(at.raw.press("1"))
            at.send(at.raw.invite("*6013"))
            at.send(at.raw.invite("500"))
            await asyncio.sleep(1)
            assert len({event.id for event in at.events}) == len(at.events) == 7

    @jumping
    async def test_what_was_published_does_nothing(self) -> None:
        seen = Seen(asyncio.get_running_loop().time)
        async with desk(was_published=seen.__contains__) as first:
            data = press_bytes(first.raw, 1)
            first.raw._transport.sendto(data, first.raw.server)
            await asyncio.sleep(1)
            seen.add(first.events[0].id)
        # Even without a connection to the broker.
        async with desk(was_published=seen.__contains__, takes=lambda: False) as at:
            at.raw._transport.sendto(data, at.raw.server)
            await asyncio.sleep(1)
            assert [it.split()[1] for it in at.raw.strays] == [b"200"]
            assert at.events == []
            assert not at.phone.keys["1"].is_on

    @jumping
    async def test_what_was_not_published_is_but_changes_nothing_again(self) -> None:
        async with desk(line=True) as first:
            data = press_bytes(first.raw, 1)
            seized = press_bytes(first.raw, 2, "k=4\r\na=seize\r\n")
            for request in (data, seized):
                first.raw._transport.sendto(request, first.raw.server)
            await asyncio.sleep(1)
            assert first.phone.keys["1"].is_on
            snapshot = first.server.snapshot()
            ids = [event.id for event in first.events]
        async with desk(snapshot=snapshot, line=True) as at:
            for request in (data, seized):
                at.raw._transport.sendto(request, at.raw.server)
            await asyncio.sleep(1)
            assert at.raw.strays == []
            assert [event.id for event in at.events] == ids
            assert at.said == ["1 message", "4 seize"]
            assert at.phone.keys["1"].is_on
            at.take()
            await asyncio.sleep(1)
            assert len(at.raw.strays) == 2
            at.send(at.raw.press("1"))
            await asyncio.sleep(1)
            assert not at.phone.keys["1"].is_on

    @jumping
    async def test_ids_are_forgotten(self) -> None:
        seen = Seen(asyncio.get_running_loop().time)
        seen.add("a")
        await asyncio.sleep(63)
        seen.add("b")
        seen.add("a")  # it counts from the first time
        assert "a" in seen
        await asyncio.sleep(2)
        assert "a" not in seen
        assert "b" in seen
        seen.add("c")
        assert len(seen._until) == 2


@pytest.mark.parametrize(
    "broken",
    [
        {"id": 5},
        {"id": "\n"},
        {"use": "hold"},
        {"use": 5},
        {"at": "now"},
        {"at": float("nan")},
        None,
    ],
)
def test_what_is_broken_in_the_store_is_left_out(broken: Any) -> None:
    good = Acted("a", time.time() - 60, Action.SEIZE)
    (saved,) = save_acted([good, Acted("b", time.time() - 65, None)])
    item = saved | broken if isinstance(broken, dict) else broken
    stored = json.loads(json.dumps([item, saved]))
    assert load_acted(stored, "44") == [good]


class TestLineDecidedElsewhere:
    """A line of which another server decides who holds it."""

    @pytest.mark.parametrize(
        ("granted", "said"), [(True, "4 seize"), (False, "4 seize")]
    )
    def test_the_press_waits_for_the_decision(self, granted: bool, said: str) -> None:
        async def test() -> None:
            decision: asyncio.Future[bool] = asyncio.Future()
            asked: list[tuple[Use, str | None]] = []

            async def decide(
                use: Use, extension: str | None, press: KeyPress | None
            ) -> bool:
                asked.append((use, extension))
                return await decision

            async with desk(line=True) as at:
                line = at.server.lines["co2"]
                line.decide = decide
                at.send(at.raw.press("4", "seize"))
                await asyncio.sleep(1)
                assert asked == [(Action.SEIZE, "44")]
                assert at.events == []
                if granted:
                    line.decided(True, "44")
                decision.set_result(granted)
                await asyncio.sleep(0.1)
                assert at.said == [said]
                (press,) = at.events
                assert isinstance(press, KeyPress)
                assert press.use == (Action.SEIZE if granted else None)
                assert at.answers == []
                at.take()
                await at.ended()
                assert at.answers == [200]

        run(test())

    @jumping
    async def test_a_decision_that_fails(self) -> None:
        async def decide(*_: object) -> bool:
            raise RuntimeError

        async with desk(line=True) as at:
            at.server.lines["co2"].decide = decide
            at.send(at.raw.press("4", "seize"))
            await asyncio.sleep(1)
            (press,) = at.events
            assert isinstance(press, KeyPress)
            assert press.use is None

    @jumping
    async def test_the_server_ends_before_the_decision(self) -> None:
        async def decide(*_: object) -> bool:
            await asyncio.Event().wait()
            return True

        async with desk(line=True) as at:
            at.server.lines["co2"].decide = decide
            at.send(at.raw.press("4", "seize"))
            await asyncio.sleep(1)
            await at.server.stop()
            assert at.events == []
