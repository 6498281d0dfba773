"""A call of a phone to a BLF key is a press of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
import json
from typing import Any

import pytest

from custom_components.snom_buttons.engine.dialoginfo import DialogState
from custom_components.snom_buttons.engine.phones import (
    BlfSetup,
    DialAnswer,
    Dialling,
    KeySetup,
    LineSetup,
    Phone,
    PhoneServer,
    PressAnswer,
    Speakers,
)
from custom_components.snom_buttons.engine.refused import Refused
from custom_components.snom_buttons.engine.xbuttons import Action, LightMode
from tests.support.caller import Caller
from tests.support.rawphone import RawMessage, RawPhone
from tests.support.serving import base, jumping, phone_setup, raw_phone, serving, setup

pytestmark = pytest.mark.usefixtures("socket_enabled")

PBX = Dialling(
    answer=DialAnswer.REDIRECT,
    redirect_to="sip:{number}@192.0.2.7",
    own=frozenset({"2", "**1"}),
)
DECLINE = Dialling(answer=DialAnswer.DECLINE)
BUSY, ELSEWHERE, DECLINED = 486, 302, 603
CODES = pytest.mark.parametrize("code", ["**", "*8"])


class Pressing:
    """A phone, and what its calls are taken for."""

    def __init__(self, phone: Phone, server: PhoneServer, desk: RawPhone) -> None:
        self.phone = phone
        self.server = server
        self.desk = desk
        self.events: list[str] = []
        server.pressed.subscribe(
            lambda press: self.events.append(f"{press.key} {press.action}")
        )
        server.dialled.subscribe(
            lambda dialled: self.events.append(f"dialled {dialled.number}")
        )

    async def call(self, number: str, *lines: str) -> tuple[int, list[str]]:
        """Return the answer to a call, and the events of it in their order."""
        self.events.clear()
        status = (await self.desk.invite(number, *lines)).status
        await asyncio.sleep(0)
        return status, self.events[:]


@asynccontextmanager
async def pressing(
    *subscribed: str,
    keys: Iterable[KeySetup] = (setup("1"), setup("2"), setup("3")),
    **options: Any,
) -> AsyncIterator[Pressing]:
    """Run a phone that has subscribed to keys."""
    phone = Phone(phone_setup("44", keys, **options))
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        for key in subscribed:
            assert (await desk.subscribe(key)).status == 200
        yield Pressing(phone, server, desk)


async def test_a_call_to_a_key_is_a_press_if_the_phone_has_subscribed_to_it() -> None:
    async with pressing("1") as it:
        assert await it.call("1") == (BUSY, ["1 invite"])
        assert await it.call("3") == (BUSY, ["dialled 3"])


async def test_a_key_is_pressed_until_the_phone_has_unsubscribed() -> None:
    async with pressing() as it:
        answer = await it.desk.subscribe("1")
        second = await it.desk.subscribe("1")
        # A fetch and messages are no subscriptions to the key.
        await it.desk.subscribe("2", expires=0)
        await it.desk.subscribe("3", event="message-summary")
        assert await it.call("2") == (BUSY, ["dialled 2"])
        assert await it.call("3") == (BUSY, ["dialled 3"])
        await it.desk.subscribe("1", within=answer, expires=0)
        assert await it.call("1") == (BUSY, ["1 invite"])
        await it.desk.subscribe("1", within=second, expires=0)
        assert await it.call("1") == (BUSY, ["dialled 1"])


async def test_a_key_whose_subscription_was_lost_is_pressed() -> None:
    async with pressing("1") as it:
        (subscription,) = it.server._notifier.subscriptions("44")
        it.server._notifier.answered(subscription, 481)
        assert await it.call("1") == (BUSY, ["1 invite"])
        it.server._notifier.forget("44")
        assert await it.call("1") == (BUSY, ["dialled 1"])


async def test_a_phone_that_is_set_to_blf_presses_without_a_subscription() -> None:
    async with pressing(speakers=Speakers.BLF) as it:
        assert await it.call("1") == (BUSY, ["1 invite"])
        assert await it.call("4") == (BUSY, ["dialled 4"])
    async with pressing(speakers=Speakers.BOTH) as it:
        assert await it.call("1") == (BUSY, ["dialled 1"])


async def test_the_number_of_a_key_may_be_what_is_called() -> None:
    """Such as by a key for speed dial. The answer is that to presses if all keys are BLF."""
    async with pressing("1", dialling=PBX) as it:
        for speakers, status in ((Speakers.AUTOMATIC, ELSEWHERE), (Speakers.BLF, BUSY)):
            keys = [setup("1"), setup("2", number="100", action=Action.INVITE)]
            it.server.configure_phone(
                phone_setup("44", keys, speakers=speakers, dialling=PBX)
            )
            assert await it.call("100") == (status, ["2 invite"])


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (PressAnswer.BUSY, "486 Busy Here"),
        (PressAnswer.DECLINE, "603 Decline"),
        (PressAnswer.UNAVAILABLE, "480 Temporarily Unavailable"),
    ],
)
@pytest.mark.parametrize(
    "dialling", [Dialling(), PBX, DECLINE], ids=["busy", "elsewhere", "declined"]
)
async def test_the_answer_is_as_set_for_presses(
    answer: PressAnswer, status: str, dialling: Dialling
) -> None:
    blf = BlfSetup(press_answer=answer)
    async with pressing("1", blf=blf, dialling=dialling) as it:
        assert (await it.desk.invite("1")).start == f"SIP/2.0 {status}"
        # That to what is dialled is another one.
        dialled = {DialAnswer.REDIRECT: 302, DialAnswer.DECLINE: 603}
        assert (await it.desk.invite("3")).status == dialled.get(dialling.answer, 486)


async def test_a_press_comes_before_what_looks_like_it() -> None:
    """The name of a BLF key wins over a key's number; a dial rule holds beside a press."""
    keys = [setup("1"), setup("2"), setup("3", number="1", action=Action.INVITE)]
    async with pressing("1", "2", keys=keys, dialling=PBX) as it:
        assert await it.call("1") == (BUSY, ["1 invite"])
        assert await it.call("2") == (BUSY, ["2 invite", "dialled 2"])
        # Without the subscription it is the number of key 3.
        it.server._notifier.forget("44")
        assert await it.call("1") == (ELSEWHERE, ["3 invite"])
        assert await it.call("2") == (BUSY, ["dialled 2"])


@CODES
async def test_a_blinking_key_is_pressed_by_picking_up(code: str) -> None:
    async with pressing("1", "2", dialling=DECLINE) as it:
        assert await it.call(f"{code}1") == (DECLINED, [f"dialled {code}1"])
        it.phone.keys["1"].show(base("1", light=LightMode.PICKUP))
        it.phone.keys["2"].show(base("2", light=LightMode.HOLD))
        it.phone.keys["3"].show(base("3", light=LightMode.PARK))
        presses: list[str] = []
        it.server.pressed.subscribe(lambda press: presses.append(press.number))
        assert await it.call(f"{code}1") == (BUSY, ["1 invite"])
        assert await it.call(f"{code}2") == (BUSY, ["2 invite"])
        # The event has what was called.
        assert presses == [f"{code}1", f"{code}2"]
        for other in ("3", "4", "", f"{code}1"):  # no BLF keys
            dialled = f"{code}{other}"
            assert await it.call(dialled) == (DECLINED, [f"dialled {dialled}"])
        it.phone.keys["1"].show(base("1", light=LightMode.ON))
        assert await it.call(f"{code}1") == (DECLINED, [f"dialled {code}1"])


async def test_what_blinks_is_as_set_for_the_phone() -> None:
    blf = BlfSetup(states={LightMode.ON: DialogState.EARLY}, is_inverted=True)
    async with pressing("1", blf=blf) as it:
        it.phone.keys["1"].show(base("1", light=LightMode.ON))
        assert await it.call("**1") == (BUSY, ["1 invite"])
        it.phone.keys["1"].show(base("1", light=LightMode.MESSAGE))
        assert await it.call("**1") == (BUSY, ["dialled **1"])


async def test_a_number_of_its_own_is_not_picking_up() -> None:
    keys = [setup("1"), setup("**2"), setup("2"), setup("3", number="*81")]
    async with pressing("1", "2", "**2", keys=keys, dialling=PBX) as it:
        for name in ("1", "2"):
            it.phone.keys[name].show(base(name, light=LightMode.PICKUP))
        assert await it.call("**1") == (BUSY, ["dialled **1"])  # a dial rule
        assert await it.call("**2") == (BUSY, ["**2 invite"])
        assert await it.call("*81") == (BUSY, ["3 invite"])


REPLACES = "Replaces: 1;to-tag=a;from-tag=b;early-only"
REQUIRED = "Require: replaces"


async def test_a_call_that_replaces_the_dialog_of_a_key_is_a_press() -> None:
    """`Replaces` (RFC 3891) has the Call-ID that the phone took from our document."""
    async with pressing("1", dialling=PBX) as it:
        # To the key itself, whatever is to be replaced.
        for lines in ([REPLACES], [REPLACES, REQUIRED], ["Replaces: x", REQUIRED]):
            assert await it.call("1", *lines) == (BUSY, ["1 invite"])
        # To the caller that the key shows.
        assert await it.call("0123", REPLACES) == (BUSY, ["1 invite"])
        assert await it.call("0123", REPLACES, REQUIRED) == (BUSY, ["1 invite"])
        # Another dialog may be one of the telephone system.
        other = REPLACES.replace("1;", "x;")
        assert await it.call("0123", other) == (ELSEWHERE, ["dialled 0123"])
        answer = await it.desk.invite("0123", other, "Require: Replaces, path")
        assert (answer.status, answer.get("Unsupported")) == (420, "replaces")
        answer = await it.desk.invite("1", "Require: replaces, 100rel")
        assert (answer.status, answer.get("Unsupported")) == (420, "100rel")


async def test_a_call_that_replaces_two_dialogs_is_refused() -> None:
    """As a whole, also if the number is a key (RFC 3891 3)."""
    async with pressing("1") as it:
        for number in ("1", "0123"):
            answer = await it.desk.invite(number, REPLACES, "Replaces: x")
            assert answer.status == 400
        assert await it.call("1") == (BUSY, ["1 invite"])


async def test_a_number_that_is_too_long_is_no_key() -> None:
    name = 64 * "1"
    async with pressing(name, keys=[setup(name)]) as it:
        assert await it.call(name) == (BUSY, [f"{name} invite"])
        assert await it.call(name + "2") == (BUSY, [f"dialled {name}"])


async def test_a_press_of_a_key_that_is_not_configured() -> None:
    """As by a document: the phone has a key that the server has no entity for."""
    async with pressing("1", "3") as it:
        it.server.configure_phone(phone_setup("44", [setup("1")]))
        assert await it.call("3") == (BUSY, ["3 invite"])
        assert await it.call("**3") == (BUSY, ["dialled **3"])


async def test_a_press_toggles() -> None:
    async with pressing("1", keys=[replace(setup("1"), toggles=True)]) as it:
        await it.call("1")
        assert it.phone.keys["1"].is_on
        await it.call("1")
        assert not it.phone.keys["1"].is_on


async def test_a_press_of_a_shared_line_seizes_and_releases_it() -> None:
    async with pressing("1") as it:
        line = it.server.add_line("1", LineSetup(code="co2", keys={"44": "1"}))
        assert await it.call("1") == (BUSY, ["1 seize"])
        assert line.owner == "44"
        assert await it.call("1") == (BUSY, ["1 release"])
        assert not line.seized
        assert await it.call("*602co2") == (BUSY, ["1 invite"])  # dialled by a finger
        assert not line.seized


async def test_press_key_does_what_a_finger_does() -> None:
    keys = [setup("1", number=None), setup("2"), setup("3", number=None)]
    async with pressing("1", keys=keys, dialling=PBX) as it:
        for key, action, number in (("1", "invite", "1"), ("2", "message", "key2")):
            (press,) = it.server.press("44", key)
            assert (press.key, press.action, press.number) == (key, action, number)
        with pytest.raises(Refused):
            it.server.press("44", "3")
        it.server.configure_phone(
            phone_setup("44", keys, speakers=Speakers.BLF, dialling=PBX)
        )
        (press,) = it.server.press("44", "2")
        assert press.number == "2"
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert it.events[-2:] == ["dialled 2", "2 invite"]


# Exactly once (RFC 3261 17.2.1), and CANCEL (9.2)


def test_a_call_that_is_sent_again_presses_once() -> None:
    async def test() -> None:
        blf = BlfSetup(press_answer=PressAnswer.DECLINE)
        async with pressing(speakers=Speakers.BLF, blf=blf) as it:
            caller = Caller(it.desk, "1")
            for _ in range(3):
                caller.send("INVITE")
            await asyncio.sleep(30)
            caller.send("INVITE")
            await asyncio.sleep(0.1)
            assert caller.answer.status == DECLINED
            _, _, tag = caller.answer.get("To").partition(";tag=")
            caller.send("ACK", f";tag={tag}")
            await asyncio.sleep(1)
            caller.send("INVITE")
            await asyncio.sleep(60)
            assert it.events == ["1 invite"]

    jumping(test)


def test_cancel_comes_after_the_answer() -> None:
    """It changes nothing: neither 487, nor a press that is taken back."""

    async def test() -> None:
        async with pressing(speakers=Speakers.BLF) as it:
            caller = Caller(it.desk, "1")
            caller.send("CANCEL")  # it has overtaken its INVITE
            caller.send("INVITE")
            caller.send("CANCEL")
            await asyncio.sleep(0.1)
            early, final, cancelled = [
                RawMessage.parse(data) for _, data in caller.answers
            ]
            assert [a.status for a in (early, final, cancelled)] == [481, BUSY, 200]
            assert [a.get("CSeq") for a in (final, cancelled)] == [
                "7 INVITE",
                "7 CANCEL",
            ]
            assert final.get("To") == cancelled.get("To")
            assert it.events == ["1 invite"]

    jumping(test)


@pytest.mark.parametrize("answer", PressAnswer)
async def test_a_call_that_is_sent_again_after_a_restart_presses_once(
    answer: PressAnswer,
) -> None:
    options: dict[str, Any] = {
        "speakers": Speakers.BLF,
        "blf": BlfSetup(press_answer=answer),
    }
    async with pressing(**options) as it:
        caller = Caller(it.desk, "1")
        caller.send("INVITE")
        await caller.until_answered()
        first = caller.answer
        assert first.status == answer.status
        snapshot = json.loads(json.dumps(it.server.snapshot()))
        await it.server.stop()
        again = Phone(phone_setup("44", [setup("1")], **options))
        async with serving(again, snapshot=snapshot) as server:
            presses: list[object] = []
            server.pressed.subscribe(presses.append)
            it.desk.server = server.address
            caller.answers.clear()
            caller.send("INVITE")
            await caller.until_answered()
            assert caller.answer == first
            assert presses == []
