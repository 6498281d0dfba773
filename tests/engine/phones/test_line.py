"""Shared lines: one owner, and phones that show it, with the document's bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, Self

import pytest

from custom_components.snom_buttons.engine.phones import (
    KeySetup,
    LineSetup,
    LineUse,
    Phone,
    PhoneServer,
    SharedLine,
    shared_key,
)
from custom_components.snom_buttons.engine.xbuttons import KeyDescription, LightMode
from tests.support.clock import run
from tests.support.rawphone import RawPhone
from tests.support.serving import (
    jumping,
    noting_messages,
    phone_setup,
    raw_phone,
    serving,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")

KEYS = {"402": "2", "404": "2"}
LINE = LineSetup(code="co2", keys=KEYS)
FREE = "k=2\r\nn=*602co2\r\na=seize\r\nl=(co2)\r\n\r\n"
SEIZED = "k=2\r\nc=on\r\nn=*603co2\r\na=release\r\nl=(co2)\r\n\r\n"


def member(extension: str) -> Phone:
    return Phone(phone_setup(extension, [shared_key("2", "co2")]))


class Office:
    """A server with the document's two extensions, which share one line."""

    def __init__(self, **settings: Any) -> None:
        self.settings = LineSetup(code="co2", keys=KEYS, **settings)
        self.uses: list[tuple[str, str | None]] = []
        self._stack = AsyncExitStack()
        self.server: PhoneServer
        self.line: SharedLine
        self.desks: dict[str, RawPhone] = {}

    async def __aenter__(self) -> Self:
        phones = member("402"), member("404")
        self.server = await self._stack.enter_async_context(serving(*phones))
        self.line = self.server.add_line("a line", self.settings)
        self.line.used.subscribe(self._note)
        for extension in KEYS:
            desk = await self._stack.enter_async_context(
                raw_phone(self.server, extension)
            )
            self.desks[extension] = desk
            await desk.register()
            await self.show(FREE, extension)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    def _note(self, use: LineUse) -> None:
        self.uses.append((use.use.value, use.extension))

    async def show(self, document: str, *extensions: str) -> None:
        """Wait until the last MESSAGE to each phone has this body."""
        for extension in extensions or KEYS:
            desk = self.desks[extension]
            await desk.until(
                lambda desk=desk: (
                    bool(desk.requests) and desk.requests[-1].body == document
                )
            )

    @property
    def messages(self) -> list[int]:
        return [len(desk.requests) for desk in self.desks.values()]


@asynccontextmanager
async def seized_line() -> AsyncIterator[tuple[Office, RawPhone, RawPhone]]:
    """Yield an office whose line 402 has seized, and its phones."""
    async with Office() as office:
        first, second = office.desks.values()
        assert (await first.press("2", "seize")).status == 200
        await office.show(SEIZED)
        yield office, first, second


async def test_the_documents_have_the_lengths_that_the_document_names() -> None:
    assert (len(FREE), len(SEIZED)) == (36, 44)


async def test_one_phone_seizes_and_releases_and_both_show_it() -> None:
    async with seized_line() as (office, first, second):
        assert (office.line.seized, office.line.owner) == (True, "402")
        assert (await first.press("2", "release")).status == 200
        await office.show(FREE)
        assert (await second.press("2", "seize")).status == 200
        await office.show(SEIZED)
        assert office.line.owner == "404"
        assert office.uses == [("seize", "402"), ("release", "402"), ("seize", "404")]


async def test_the_owner_alone_releases() -> None:
    async with seized_line() as (office, _, second):
        messages = office.messages
        assert (await second.press("2", "release")).status == 200
        # The other phone gets the document once more, the owner nothing.
        await second.until(lambda: office.messages == [messages[0], messages[1] + 1])
        await office.show(SEIZED)
        assert office.line.owner == "402"
        assert office.uses == [("seize", "402")]


async def test_two_presses_at_once_give_one_owner() -> None:
    """Both datagrams are at the server's port before it reads the first."""
    async with Office() as office:
        results = await asyncio.gather(
            *(desk.press("2", "seize") for desk in office.desks.values())
        )
        assert [answer.status for answer in results] == [200, 200]
        await office.show(SEIZED)
        assert [use for use, _ in office.uses] == ["seize"]
        owner = office.line.owner
        loser = next(desk for ext, desk in office.desks.items() if ext != owner)
        # Its own document and the winner's say the same.
        await loser.until(lambda: len(loser.requests) >= 2)
        assert {request.body for request in loser.requests[1:]} == {SEIZED}
        assert (await loser.press("2", "release")).status == 200
        assert office.line.owner == owner


async def test_the_loser_gets_the_winner_s_document_again() -> None:
    async with seized_line() as (_, _, second):
        messages = len(second.requests)
        # It was pressed before its phone had the winner's document.
        await second.press("2", "seize", number="*602co2")
        await second.until(lambda: len(second.requests) == messages + 1)
        assert second.requests[-1].body == SEIZED


async def test_a_press_that_is_sent_twice_counts_once() -> None:
    async with Office() as office:
        first, _ = office.desks.values()
        await first.press("2", "seize")
        await first.press("2", "seize")
        await office.show(SEIZED)
        assert office.uses == [("seize", "402")]


async def test_other_presses_leave_the_line_alone() -> None:
    async with Office() as office:
        first, _ = office.desks.values()
        for action in ("message", "invite", "hover"):
            await first.press("2", action)
        await first.press("3", "seize", number="*602co2")
        assert office.uses == []
        assert not office.line.seized


async def test_we_seize_what_is_free_and_release_what_anybody_holds() -> None:
    async with Office() as office:
        first, _ = office.desks.values()
        assert office.line.seize()
        await office.show(SEIZED)
        assert office.line.owner is None
        assert not office.line.seize()
        # No phone owns it.
        await first.press("2", "release")
        assert office.line.seized
        assert office.line.release()
        await office.show(FREE)
        assert not office.line.release()
        await first.press("2", "seize")
        await office.show(SEIZED)
        assert not office.line.seize()
        assert office.line.release()
        await office.show(FREE)
        await asyncio.sleep(0)
        assert office.uses == [
            ("seize", None),
            ("release", None),
            ("seize", "402"),
            ("release", None),
        ]


async def test_state_then_messages_then_event() -> None:
    async with Office() as office:
        first, second = office.desks.values()
        order = noting_messages(office.server)
        office.line.status.subscribe(lambda _: order.append("state"))
        office.line.used.subscribe(lambda _: order.append("event"))
        await first.press("2", "seize")
        await second.shows("2", c="on")
        assert order == ["state", "MESSAGE", "MESSAGE", "event"]


def test_an_owner_whose_registration_ends_loses_the_line() -> None:
    async def test() -> None:
        async with Office() as office:
            first, second = office.desks.values()
            await first.register(expires=60)
            await first.press("2", "seize")
            await second.shows("2", c="on")
            first.answer = None
            await asyncio.sleep(58)
            assert office.line.owner == "402"
            await asyncio.sleep(3)
            assert not office.line.seized
            await second.shows("2", c=None)
            assert office.uses[-1] == ("release", "402")

    run(test())


async def test_an_owner_that_leaves_frees_the_line() -> None:
    async with seized_line() as (office, first, second):
        await first.unregister()
        await office.show(FREE, "404")
        # The other phone can use it while the first is away.
        await second.press("2", "seize")
        await office.show(SEIZED, "404")
        assert office.line.owner == "404"
        await first.register()
        await office.show(SEIZED)


@pytest.mark.parametrize(
    ("away", "owner"), [(29.0, "402"), (31.0, None)], ids=["back in time", "too late"]
)
def test_an_owner_that_does_not_answer_has_some_time(
    away: float, owner: str | None
) -> None:
    async def test() -> None:
        async with Office(release_after=30.0) as office:
            first, second = office.desks.values()
            await first.press("2", "seize")
            await second.shows("2", c="on")
            await first.unregister()
            await asyncio.sleep(away)
            await first.register()
            await asyncio.sleep(60)
            assert office.line.owner == owner
            assert office.line.seized == (owner is not None)

    jumping(test)


def test_we_ourselves_never_disappear() -> None:
    async def test() -> None:
        async with Office(release_after=1.0) as office:
            office.line.seize()
            for desk in office.desks.values():
                await desk.unregister()
            await asyncio.sleep(100)
            assert office.line.seized

    run(test())


# Restarts and changes


@pytest.mark.parametrize("owner", ["404", None])
async def test_a_restart_changes_nothing(owner: str | None) -> None:
    async with Office() as office:
        if owner:
            await office.desks[owner].press("2", "seize")
        else:
            office.line.seize()
        await office.show(SEIZED)
        snapshot, port = office.server.snapshot(), office.server.address[1]
        await office.server.stop()
        for desk in office.desks.values():
            desk.requests.clear()
        phones = member("402"), member("404")
        async with serving(*phones, port=port) as server:
            await server.stop()
            line = server.add_line("a line", LINE)
            server.restore(snapshot)
            await server.start()
            await office.show(SEIZED)
            assert (line.seized, line.owner) == (True, owner)
            assert not line.release("402")


def test_an_owner_that_is_gone_after_a_restart_has_lost_the_line() -> None:
    async def test() -> None:
        async with Office() as office:
            first, _ = office.desks.values()
            await first.press("2", "seize")
            await first.shows("2", c="on")
            snapshot = office.server.snapshot()
        snapshot["phones"]["402"]["bindings"] = []
        server = await restarted(snapshot)
        assert not server.lines["a line"].seized
        assert server.phones["404"].keys["2"].look.light == LightMode.OFF
        await server.stop()

    run(test())


async def restarted(snapshot: dict[str, Any]) -> PhoneServer:
    async with serving(member("402"), member("404")) as server:
        await server.stop()
        server.add_line("a line", LINE)
        server.restore(snapshot)
        await server.start()
        return server


@pytest.mark.parametrize(
    "saved",
    [
        None,
        7,
        {},
        {"seized": "yes", "phone": None},
        {"seized": True, "phone": "999"},
        {"seized": True, "phone": ["402"]},
        {"seized": False, "phone": "402"},
    ],
    ids=repr,
)
async def test_what_was_stored_and_does_not_fit_frees_the_line(saved: object) -> None:
    async with Office() as office:
        snapshot = office.server.snapshot()
    snapshot["lines"] = {"a line": saved}
    server = await restarted(snapshot)
    assert not server.lines["a line"].seized
    await server.stop()
    snapshot["lines"] = saved
    server = await restarted(snapshot)
    assert not server.lines["a line"].seized
    await server.stop()


def remove_phone(office: Office) -> None:
    office.server.remove_phone("402")


def remove_line(office: Office) -> None:
    office.server.remove_line("a line")


def remove_key(office: Office) -> None:
    office.line.configure(LineSetup(code="co2", keys={"404": "2"}))


@pytest.mark.parametrize("change", [remove_phone, remove_line, remove_key])
async def test_a_line_without_its_owner_is_free(
    change: Callable[[Office], None],
) -> None:
    async with seized_line() as (office, _, _):
        change(office)
        await office.show(FREE, "404")
        assert not office.line.seized
        await asyncio.sleep(0)
        assert office.uses == [("seize", "402"), ("release", "402")]


async def test_a_new_code_and_a_new_key_while_it_is_held() -> None:
    async with seized_line() as (office, first, second):
        server = office.server
        office.line.configure(LineSetup(code="co3", keys={"402": "2", "404": "7"}))
        for extension, key in (("402", "2"), ("404", "7")):
            server.configure_phone(phone_setup(extension, [shared_key(key, "co3")]))
        held = {"c": "on", "n": "*603co3", "a": "release", "l": "(co3)"}
        assert await first.shows("2", l="(co3)") == held
        assert await second.shows("7", c="on") == held
        # The key that left the line is no longer configured.
        assert await second.shows("2", c=None, l=None) == {}
        assert office.line.owner == "402"


async def test_a_new_name_changes_no_key() -> None:
    async with serving(member("402")) as server:
        line = server.add_line("a line", LINE)
        line.seize()
        shown: list[None] = []
        server.phones["402"].keys["2"].shown.subscribe(shown.append)
        line.configure(replace(LINE, name="Sales"))
        assert line.setup.name == "Sales"
        assert shown == []


async def test_a_key_that_leaves_a_held_line_is_dark() -> None:
    async with Office() as office:
        _, second = office.desks.values()
        office.line.seize()
        await office.show(SEIZED)
        office.line.configure(LineSetup(code="co2", keys={"402": "2"}))
        plain = KeySetup(off=KeyDescription(name="2", number="key2", label="Lamp"))
        office.server.configure_phone(phone_setup("404", [plain]))
        assert await second.shows("2", l="Lamp") == {
            "n": "key2",
            "a": "invite",
            "l": "Lamp",
        }


async def test_a_line_may_name_phones_and_keys_that_are_not_there() -> None:
    settings = LineSetup(code="co2", keys={"402": "9", "999": "1", "404": "2"})
    async with serving(member("402"), member("404")) as server:
        line = server.add_line("a line", settings)
        with pytest.raises(ValueError, match="there is a line"):
            server.add_line("a line", settings)
        assert line.seize()
        assert server.phones["404"].keys["2"].is_on
        assert not server.phones["402"].keys["2"].is_on
        # A phone that registers later shows it at once.
        server.add_phone(phone_setup("999", [KeySetup(off=shared_key("1", "co2").off)]))
        assert server.phones["999"].keys["1"].is_on


# Faults


@pytest.mark.parametrize(
    ("release_after", "owner"), [(None, "402"), (3600.0, "402"), (1.0, None)]
)
def test_a_new_time_counts_from_when_it_is_set(
    release_after: float | None, owner: str | None
) -> None:
    """The owner does not answer, but is registered."""

    async def test() -> None:
        async with Office(release_after=60.0) as office:
            first, second = office.desks.values()
            await first.press("2", "seize")
            await second.shows("2", c="on")
            first.answer = None
            office.line.release()
            office.line.seize("402")
            await asyncio.sleep(40)
            assert not office.server.phones["402"].available
            office.line.configure(
                LineSetup(code="co2", keys=KEYS, release_after=release_after)
            )
            await asyncio.sleep(100)
            assert office.line.owner == owner

    run(test())


async def test_a_phone_that_is_not_registered_seizes_nothing() -> None:
    """It knows the password, but its absence would go unnoticed."""
    async with Office() as office:
        first, second = office.desks.values()
        await first.unregister()
        assert (await first.press("2", "seize")).status == 200
        assert not office.line.seized
        await second.press("2", "seize")
        assert office.line.owner == "404"


async def test_a_phone_without_the_key_seizes_nothing() -> None:
    async with Office() as office:
        office.line.configure(LineSetup(code="co2", keys={"402": "9"}))
        await office.desks["402"].press("9", "seize", number="*602co2")
        assert not office.line.seized


def test_nothing_is_to_happen_while_the_server_is_stopped() -> None:
    async def test() -> None:
        async with Office(release_after=10.0) as office:
            first, second = office.desks.values()
            await first.press("2", "seize")
            await second.shows("2", c="on")
            await first.unregister()
            await office.server.stop()
            office.line.configure(LineSetup(code="co3", keys=KEYS, release_after=20.0))
            await asyncio.sleep(100)
            assert office.line.owner == "402"
            # It is away at the start, so its time begins.
            await office.server.start()
            await asyncio.sleep(19)
            assert office.line.owner == "402"
            await asyncio.sleep(2)
            assert not office.line.seized

    run(test())


async def test_a_line_of_a_phone_that_is_not_there_is_free_after_a_restart() -> None:
    async with Office() as office:
        snapshot = office.server.snapshot()
    snapshot["lines"] = {"a line": {"seized": True, "phone": "999"}}
    async with serving(member("402")) as server:
        await server.stop()
        line = server.add_line(
            "a line", LineSetup(code="co2", keys={"402": "2", "999": "1"})
        )
        server.restore(snapshot)
        assert line.seized
        await server.start()
        assert not line.seized
