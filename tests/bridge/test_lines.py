"""Shared lines over several members, with a clock that jumps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
import re
from types import SimpleNamespace
from typing import Any

from hypothesis import given, strategies as st
import pytest

from bridge.claims import ranked
from bridge.lines import AGAIN, ANSWER, SETTLING, Lines, LineState, read_state
from snom_buttons.mqtt import Received, Topics
from snom_buttons.phones import KeyPress, LineSetup, LineUse, SharedLine
from snom_buttons.xbuttons import Action
from tests.support.clock import jumping
from tests.support.cluster import DEPLOY
from tests.support.fakebroker import FakeBroker, FakeClient

BASE = "snom_buttons"
CODE = "co2"
STATE = f"{BASE}/line/{CODE}/state"
SETUP = LineSetup(name="Line 2", code=CODE, keys={"44": "1", "45": "1"})


class Member:
    """A member with one line, and no phones."""

    def __init__(self, broker: FakeBroker, name: str, members: set[str]) -> None:
        self.name = name
        self.live = members
        self.takes = True
        self.used: list[LineUse] = []
        self.client = FakeClient(broker, self._changed)
        later = asyncio.get_running_loop().call_soon
        self.phones: dict[str, Any] = {}
        self.line = SharedLine(SETUP, self.phones, lambda emit: later(emit) and None)
        self.line.used.subscribe(self.used.append)
        self.server_lines = {CODE: self.line}
        self.lines = Lines(
            self.client,
            Topics(BASE, name),
            name=name,
            live=lambda: self.live,
            takes=lambda: self.takes,
            lines=self.server_lines,
        )

    def _changed(self, connected: bool) -> None:
        self.lines.connection_changed(connected)

    async def start(self) -> None:
        await self.lines.start()
        self.client.connect()
        self.line.start()

    async def asks(
        self, use: Action, phone: str, press_id: str = "", code: str = CODE
    ) -> bool:
        press = KeyPress(extension=phone, key="1", action=use, number="")
        press.id = press_id or press.id
        assert use is Action.SEIZE or use is Action.RELEASE
        return await self.lines.decide(code, use, phone, press)

    @property
    def shows(self) -> tuple[bool, str | None]:
        return self.line.seized, self.line.owner


@asynccontextmanager
async def members(*names: str) -> AsyncIterator[dict[str, Member]]:
    """Run members; the home of the line is the first."""
    broker = FakeBroker()
    order = ranked(f"line/{CODE}", names)
    they = {name: Member(broker, name, set(names)) for name in order}
    for member in they.values():
        await member.start()
    await asyncio.sleep(SETTLING + 0.1)
    try:
        yield they
    finally:
        for member in they.values():
            await member.lines.stop()
            member.line.close()


@asynccontextmanager
async def held_by_44() -> AsyncIterator[tuple[Member, Member]]:
    """Run a home and another member, whose phone 44 holds the line."""
    async with members("a", "b") as they:
        home, other = they.values()
        assert await other.asks(Action.SEIZE, "44")
        await asyncio.sleep(0.1)
        assert home.shows == other.shows == (True, "44")
        yield home, other


@jumping
async def test_all_show_what_the_home_has_decided() -> None:
    async with members("a", "b", "c") as they:
        home, other, third = they.values()
        assert await other.asks(Action.SEIZE, "44")
        await asyncio.sleep(0.1)
        assert {it.shows for it in they.values()} == {(True, "44")}
        assert [it.use for it in third.used] == [Action.SEIZE]
        assert not await third.asks(Action.SEIZE, "45")
        assert not await third.asks(Action.RELEASE, "45")
        assert await third.asks(Action.RELEASE, "44", "b")  # its phone has moved
        await asyncio.sleep(0.1)
        assert {it.shows for it in they.values()} == {(False, None)}
        assert json.loads(home.client.broker.retained[STATE]) == {
            "seized": False,
            "phone": None,
            "epoch": 2,
            "home": home.name,
            "asked": "b",
        }


@jumping
async def test_of_two_that_seize_at_the_same_moment_one_holds_the_line() -> None:
    async with members("a", "b", "c") as they:
        home, other, third = they.values()
        granted = await asyncio.gather(
            other.asks(Action.SEIZE, "44"),
            third.asks(Action.SEIZE, "45"),
            home.asks(Action.SEIZE, "46"),
        )
        assert sorted(granted) == [False, False, True]
        await asyncio.sleep(0.1)
        holder = ("44", "45", "46")[granted.index(True)]
        assert {it.shows for it in they.values()} == {(True, holder)}


@jumping
async def test_without_its_home_a_line_cannot_be_seized() -> None:
    async with members("a", "b") as they:
        home, other = they.values()
        home.client.is_cut = True
        began = asyncio.get_running_loop().time()
        assert not await other.asks(Action.SEIZE, "44")
        assert asyncio.get_running_loop().time() - began == pytest.approx(
            ANSWER, abs=0.1
        )
        other.takes = False
        assert not await other.asks(Action.SEIZE, "44")


@jumping
async def test_the_next_home_goes_on_from_what_is_retained() -> None:
    async with members("a", "b", "c") as they:
        home, other, third = they.values()
        assert await other.asks(Action.SEIZE, "44")
        home.client.lose()
        for member in (other, third):
            member.live = {other.name, third.name}
            member.lines.members_changed()
        # A question that comes while members change waits.
        assert not await third.asks(Action.SEIZE, "45")
        assert await other.asks(Action.RELEASE, "44")
        assert await third.asks(Action.SEIZE, "45", "c")
        await asyncio.sleep(0.1)
        state = read_state(home.client.broker.retained[STATE])
        assert state == LineState(3, other.name, True, "45", "c")
        # The one that was away shows it when it is back, and decides again.
        home.client.connect()
        for member in they.values():
            member.live = {*they}
            member.lines.members_changed()
        assert not await other.asks(Action.SEIZE, "44")
        assert {it.shows for it in they.values()} == {(True, "45")}


@jumping
async def test_a_press_that_comes_again_at_another_bridge_has_its_effect_once() -> None:
    """Its bridge has died before it had answered; so may its home have."""
    async with members("a", "b", "c") as they:
        home, other, third = they.values()
        for use in (Action.SEIZE, Action.RELEASE):
            assert await other.asks(use, "44", use)
            await asyncio.sleep(0.1)
            states = home.client.broker.on(STATE)
            assert await third.asks(use, "44", use)
            assert await home.asks(use, "44", use)
            assert home.client.broker.on(STATE) == states
            assert not await third.asks(use, "45", "another")
            if use is Action.RELEASE:
                break
            home.client.lose()
            for member in (other, third):
                member.live = {other.name, third.name}
                member.lines.members_changed()
            await asyncio.sleep(SETTLING + 0.1)
            assert await third.asks(use, "44", use)
            assert not await third.asks(use, "45", use)
            assert home.client.broker.on(STATE) == states
            home.client.connect()
            for member in they.values():
                member.live = {*they}
                member.lines.members_changed()
            await asyncio.sleep(SETTLING + 0.1)


@jumping
async def test_a_question_that_comes_again_later_changes_nothing() -> None:
    """The line was used since; its bridge has died, or the broker delivers it twice."""
    async with members("a", "b", "c") as they:
        home, other, third = they.values()
        for use, phone, question in (
            (Action.SEIZE, "44", "1"),
            (Action.SEIZE, "45", "2"),  # refused
            (Action.RELEASE, "44", "3"),
        ):
            await other.asks(use, phone, question)
            await asyncio.sleep(0.1)
        assert await third.asks(Action.SEIZE, "44", "1")
        assert not await third.asks(Action.SEIZE, "45", "2")
        # The next home has heard what was granted.
        home.client.lose()
        for member in (other, third):
            member.live = {other.name, third.name}
            member.lines.members_changed()
        await asyncio.sleep(SETTLING + 0.1)
        assert await third.asks(Action.SEIZE, "44", "1")
        await asyncio.sleep(0.1)
        assert {it.shows for it in they.values()} == {(False, None)}
        assert len(home.client.broker.on(STATE)) == 2


@jumping
async def test_questions_that_come_again_before_their_states_are_heard() -> None:
    async with members("a", "b") as they:
        home, other = they.values()
        ask = f"{BASE}/line/{CODE}/ask"
        seize, release = (
            json.dumps({"id": use, "use": use, "phone": "44"}).encode()
            for use in ("seize", "release")
        )
        for payload in (seize, release, seize):
            home.client._receive(Received(ask, payload, retain=False))
        await asyncio.sleep(0.1)
        assert other.shows == (False, None)
        assert len(other.client.broker.on(STATE)) == 2


@jumping
async def test_the_code_of_a_line_is_one_level_of_its_topics() -> None:
    async with members("a", "b") as they:
        for member in they.values():
            member.line = member.server_lines["a/+b"] = member.line
        _, other = they.values()
        assert await other.asks(Action.SEIZE, "44", code="a/+b")
        topics = {topic for topic, _ in other.client.broker.log}
        assert f"{BASE}/line/a%2F%2Bb/state" in topics
        assert {it.shows for it in they.values()} == {(True, "44")}


@jumping
async def test_what_a_home_decided_before_it_was_cut_off_never_counts() -> None:
    async with members("a", "b") as they:
        home, other = they.values()
        home.client.is_cut = True
        home.lines._decide(CODE, Action.SEIZE, "44", "x")
        assert home.shows == (False, None)
        home.client.lose()
        other.live = {other.name}
        other.lines.members_changed()
        assert await other.asks(Action.SEIZE, "45")
        home.client.connect()
        await asyncio.sleep(SETTLING + 0.1)
        assert await home.asks(Action.RELEASE, "45")
        await asyncio.sleep(0.1)
        assert {it.shows for it in they.values()} == {(False, None)}


@jumping
async def test_a_member_that_is_cut_off_asks_nothing() -> None:
    async with members("a", "b") as they:
        _, other = they.values()
        other.takes = False
        assert not await other.asks(Action.SEIZE, "44")
        assert not other.client.broker.on(f"{BASE}/line/{CODE}/ask")


@jumping
async def test_a_question_or_an_answer_that_comes_twice_has_no_further_effect() -> None:
    async with members("a", "b") as they:
        home, other = they.values()
        asked = asyncio.create_task(other.asks(Action.SEIZE, "44", "1"))
        await asyncio.sleep(0)
        answer = Received(
            f"{BASE}/line/{CODE}/answer", b'{"id":"1","granted":false}', retain=False
        )
        for _ in range(2):
            other.client._receive(answer)
        assert not await asked
        await asyncio.sleep(0.1)
        assert other.shows == (True, "44")
        # A client has retained a question: it is asked anew at each connection.
        question = b'{"id":"2","use":"release","phone":"44"}'
        home.client._receive(Received(f"{BASE}/line/{CODE}/ask", question, retain=True))
        await asyncio.sleep(0.1)
        assert other.shows == (True, "44")


@jumping
async def test_what_a_home_decided_and_the_broker_never_got_does_not_count() -> None:
    async with members("a", "b") as they:
        home, other = they.values()
        home.client.is_cut = True
        question = b'{"id":"1","use":"seize","phone":"44"}'
        ask = Received(f"{BASE}/line/{CODE}/ask", question, retain=False)
        home.client._receive(ask)
        home.client.lose()
        home.client.connect()
        home.lines.members_changed()
        home.client._receive(ask)  # waits, and its bridge has given up
        home.client.lose()
        home.client.connect()
        await asyncio.sleep(SETTLING + 0.1)
        assert await other.asks(Action.SEIZE, "45")


@jumping
async def test_a_home_decides_nothing_while_members_change() -> None:
    async with members("a", "b") as they:
        home, other = they.values()
        home.lines.members_changed()
        asked = asyncio.create_task(other.asks(Action.SEIZE, "44"))
        await asyncio.sleep(SETTLING - 0.1)
        assert not asked.done() and not home.client.broker.on(STATE)
        assert await asked


@jumping
async def test_a_press_whose_home_does_not_answer_is_not_asked_again() -> None:
    """Its phone has its answer by then; only a release for one that is gone is."""
    async with members("a", "b") as they:
        home, other = they.values()
        home.takes = False
        assert not await other.asks(Action.SEIZE, "44")
        assert not other.lines._again


@jumping
async def test_a_member_that_has_ended_waits_for_nothing() -> None:
    async with members("a") as they:
        (home,) = they.values()
        await home.lines.stop()
        home.client.lose()
        assert home.lines._settling is None


@jumping
async def test_a_broker_that_lost_everything_gets_the_states_of_lines_again() -> None:
    """Also that of a home that has died."""
    async with held_by_44() as (home, other):
        home.client.is_connected = False
        other.live = {other.name}
        other.client.broker.retained.clear()
        other.client.lose()
        other.client.connect()
        other.lines.joined()
        await asyncio.sleep(0.1)
        state = read_state(other.client.broker.retained[STATE])
        assert state is not None and state.phone == "44"


@jumping
async def test_a_line_that_leaves_the_settings_is_forgotten_if_no_other_has_it() -> (
    None
):
    async with held_by_44() as (home, other):
        for member in (home, other):
            member.server_lines.clear()
        home.lines.update()
        await asyncio.sleep(0.1)
        # Its home still decides: the other one may have it.
        assert not await other.asks(Action.SEIZE, "45")
        home.client.is_connected = False
        other.live = {other.name}
        other.lines.update()
        other.client.broker.retained.clear()
        other.client.lose()
        other.client.connect()
        other.lines.joined()
        await asyncio.sleep(0.1)
        assert STATE not in other.client.broker.retained


@jumping
async def test_a_lower_state_is_replaced_by_the_home_of_the_greater() -> None:
    async with members("a", "b") as they:
        home, other = they.values()
        assert await other.asks(Action.SEIZE, "44")
        retained = home.client.broker.retained[STATE]
        lower = LineState(0, "z", False).payload
        home.client.broker.publish(STATE, lower, retain=True)
        await asyncio.sleep(0.1)
        assert home.client.broker.retained[STATE] == retained
        assert {it.shows for it in they.values()} == {(True, "44")}
        # A broker that was restarted retains what it wrote to its disk half an hour ago.
        home.client.lose()
        home.client.broker.retained[STATE] = lower.encode()
        home.client.connect()
        await asyncio.sleep(0.1)
        assert home.client.broker.retained[STATE] == retained


@jumping
async def test_a_holder_that_is_gone_is_asked_for_until_the_home_answers() -> None:
    async with held_by_44() as (home, other):
        # Another bridge has the phone, as far as a bridge without it knows.
        other.line.follow_owner()
        await asyncio.sleep(0.1)
        assert other.shows == (True, "44")
        home.takes = False
        other.line._give_up()
        other.line._give_up()
        await asyncio.sleep(ANSWER + 0.1)
        assert other.shows == (True, "44")
        home.takes = True
        other.line.setup = LineSetup(code=CODE)  # no key of the phone is in the line
        await asyncio.sleep(AGAIN + 0.2)
        assert home.shows == other.shows == (False, None)


@jumping
async def test_a_home_that_did_not_know_the_holder_is_asked_again() -> None:
    """It has come through a slow broker, and refused what it has not heard of."""
    async with held_by_44() as (home, other):
        heard = home.lines._heard.pop(CODE)
        other.line._give_up()
        await asyncio.sleep(0.1)
        home.lines._heard[CODE] = heard
        assert other.shows == (True, "44")
        other.line.setup = LineSetup(code=CODE)  # no key of the phone is in the line
        await asyncio.sleep(AGAIN + 0.1)
        assert home.shows == other.shows == (False, None)
        await asyncio.sleep(2 * AGAIN)
        assert not other.lines._again


@jumping
async def test_a_holder_that_is_gone_while_its_bridge_is_cut_off() -> None:
    async with held_by_44() as (home, other):
        other.takes = False
        other.line._give_up()
        await asyncio.sleep(0.1)
        assert other.shows == (True, "44")
        other.takes = True
        other.line.setup = LineSetup(code=CODE)  # no key of the phone is in the line
        await asyncio.sleep(AGAIN + 0.1)
        assert home.shows == other.shows == (False, None)


@jumping
async def test_a_press_that_comes_twice_at_once_is_granted_both_times() -> None:
    """As after a restart of the edge, which a phone's repetition passes anew."""
    async with members("a", "b") as they:
        _, other = they.values()
        asked = [asyncio.create_task(other.asks(Action.SEIZE, "44", "1"))]
        await asyncio.sleep(0)
        asked.append(asyncio.create_task(other.asks(Action.SEIZE, "44", "1")))
        assert await asyncio.gather(*asked) == [True, True]


@jumping
async def test_a_new_home_that_the_broker_tells_nothing_gets_the_states() -> None:
    """As from RabbitMQ, which retains them on one node."""
    names = ("a", "b", "c")
    newcomer = ranked(f"line/{CODE}", names)[0]
    async with members(*(it for it in names if it != newcomer)) as they:
        home, other = they.values()
        for use in (Action.SEIZE, Action.RELEASE, Action.SEIZE):
            assert await other.asks(use, "44")
        broker = home.client.broker
        broker.retained.clear()
        late = Member(broker, newcomer, {*names})
        await late.start()
        for member in (home, other):
            member.live = {*names}
            member.lines.members_changed()
            member.lines.repeat({newcomer})
        await asyncio.sleep(SETTLING + 0.1)
        assert late.shows == (True, "44")
        assert len(broker.on(STATE)) == 4  # one of them was enough
        # Without that it would decide on a line that is free, as far as it knows.
        late.lines._heard.clear()
        assert await late.asks(Action.SEIZE, "45")
        await asyncio.sleep(0.1)
        assert late.shows == other.shows == (True, "44")
        assert not await late.asks(Action.RELEASE, "45")
        assert await other.asks(Action.RELEASE, "44")
        await late.lines.stop()
        late.line.close()


@jumping
async def test_a_line_is_released_by_the_bridge_that_gets_its_holder() -> None:
    async with held_by_44() as (home, other):
        other.lines.phone_came("44")  # it is not added to the server yet
        other.phones["44"] = SimpleNamespace(registration=None, keys={})
        other.lines.phone_came("45")
        await asyncio.sleep(0.1)
        assert home.shows == other.shows == (True, "44")
        other.lines.phone_came("44")
        await asyncio.sleep(0.1)
        assert home.shows == other.shows == (False, None)


@jumping
async def test_unreadable_messages_mean_nothing() -> None:
    async with members("a") as they:
        (home,) = they.values()
        broker = home.client.broker
        for kind in ("state", "ask", "answer"):
            for payload in (
                "{",
                "5",
                "{}",
                '{"id": 5}',
                '{"epoch": -1}',
                "[" * 100_000,
            ):
                broker.publish(f"{BASE}/line/{CODE}/{kind}", payload)
        broker.publish(f"{BASE}/line/other/state", LineState(1, "a").payload)
        broker.publish(
            f"{BASE}/line/{CODE}/ask", '{"id": "x", "use": "steal", "phone": "44"}'
        )
        await asyncio.sleep(0.1)
        assert home.shows == (False, None)
        # Nor do they wait while members change: they may have any length.
        home.lines.members_changed()
        ask = f"{BASE}/line/{CODE}/ask"
        for phone, question in (("44", "x" * 100_000), ("4" * 100_000, "x")):
            asked = {"id": question, "use": "seize", "phone": phone}
            broker.publish(ask, json.dumps(asked))
        await asyncio.sleep(0)
        assert not home.lines._waiting
        assert await home.asks(Action.SEIZE, "44")


def test_a_home_has_less_time_than_the_edge_gives_a_bridge() -> None:
    """Or the edge sends a press on to the next bridge, and both publish it."""
    edge = (DEPLOY / "kamailio" / "kamailio.cfg").read_text()
    (no_answer,) = re.findall(r"^#!define NO_ANSWER (\d+)$", edge, re.MULTILINE)
    for_the_broker = 0.15
    assert ANSWER + for_the_broker <= int(no_answer) / 1000
    assert SETTLING < ANSWER


# States


def test_a_state_of_a_former_version_is_read() -> None:
    payload = b'{"seized": true, "phone": "44", "epoch": 7, "home": "a"}'
    assert read_state(payload) == LineState(7, "a", True, "44")
    assert read_state(payload[:-1] + b', "asked": 5}') == LineState(7, "a", True, "44")


@given(
    st.lists(
        st.tuples(
            st.sampled_from([Action.SEIZE, Action.RELEASE]), st.sampled_from("45")
        )
    )
)
def test_a_line_has_one_holder_who_alone_releases_it(
    uses: list[tuple[Any, str]],
) -> None:
    state = LineState()
    for use, phone in uses:
        after = state.after(use, phone, "a")
        if use is Action.SEIZE:
            assert (after is None) == state.seized
        else:
            assert (after is None) == (not state.seized or state.phone != phone)
        if after is not None:
            assert after > state and read_state(after.payload.encode()) == after
            state = after
