"""A phone: documents of users, keys that are not configured, and its setup."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest

from custom_components.snom_buttons.engine.phones import (
    MAX_UNCONFIGURED,
    DialAnswer,
    Dialling,
    KeySetup,
    LineSetup,
    Phone,
)
from custom_components.snom_buttons.engine.phones.key import document_of
from custom_components.snom_buttons.engine.refused import Refused
from custom_components.snom_buttons.engine.xbuttons import (
    Action,
    DocumentError,
    KeyDescription,
    LightMode,
)
from tests.support.serving import (
    PASSWORD,
    base,
    jumping,
    lit,
    make_phone,
    phone_setup,
    raw_phone,
    serving,
    setup,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")


def unconfigured(count: int, start: int = 100) -> list[KeyDescription]:
    return [KeyDescription(name=f"{start + n}", label="x") for n in range(count)]


# Documents of users


async def test_a_document_is_shown_by_keys_that_are_configured_and_unconfigured() -> (
    None
):
    phone = make_phone(keys=2)
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        await desk.shows("2")
        changes: list[str] = []
        phone.keys["2"].shown.subscribe(lambda _: changes.append("key 2"))
        server.changed.subscribe(lambda _: changes.append("snapshot"))
        other = KeyDescription(
            name="P7", light=LightMode.HOLD, number="5", extensions=(("z", "new"),)
        )
        phone.show([lit("2"), other])
        assert phone.keys["2"].is_on
        assert list(phone.keys) == ["1", "2"]
        assert phone.unconfigured == [other]
        assert "key 2" in changes
        assert changes[-1] == "snapshot"
        assert await desk.shows("P7") == {
            "c": "hold",
            "n": "5",
            "a": "invite",
            "z": "new",
        }
        await desk.shows("2", c="on")
        assert [request.body.count("k=") for request in desk.requests] == [2, 2]


async def test_a_document_is_sent_even_if_nothing_changes() -> None:
    """It is sent even if the phone should show it already."""
    phone = make_phone(keys=1)
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        await desk.shows("1")
        for _ in range(2):
            sent = len(desk.requests)
            phone.show([base("1"), KeyDescription(name="P7")])
            await desk.until(lambda sent=sent: len(desk.requests) == sent + 1)
        assert desk.requests[-1].body.count("k=") == 2


def test_a_document_that_changes_but_a_label_goes_at_once_and_once() -> None:
    async def test() -> None:
        phone = make_phone(keys=1)
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            await asyncio.sleep(5)
            for label in ("a", "b", "c"):
                phone.show([base("1", label=label)])
                await asyncio.sleep(0.1)
                assert desk.keys["1"]["l"] == label
            await asyncio.sleep(5)
            assert len(desk.requests) == 4

    jumping(test)


async def test_of_a_key_that_is_described_twice_the_last_one_counts() -> None:
    phone = make_phone(keys=1)
    phone.show(
        [lit("1"), *unconfigured(1), base("1"), replace(unconfigured(1)[0], label="y")]
    )
    assert phone.keys["1"].look == base("1")
    assert [other.label for other in phone.unconfigured] == ["y"]


@pytest.mark.parametrize(
    ("descriptions", "refusal"),
    [
        ([lit("1"), base("2", label="two\nlines")], "document_bad_character"),
        ([lit("1"), KeyDescription(name="9", number="")], "document_bad_value"),
        ([lit("1"), KeyDescription(name="")], "document_bad_value"),
        ([lit("1"), KeyDescription(name="9", label=70_000 * "x")], "document_too_long"),
        (
            [lit("1"), KeyDescription(name="9", label=8_200 * "x")],
            "document_key_too_long",
        ),
        ([lit("1"), *unconfigured(MAX_UNCONFIGURED + 1)], "too_many_keys"),
        ([lit("1"), *unconfigured(1, start=900)], "too_many_keys"),
    ],
    ids=["line", "number", "name", "document", "key", "many", "one more"],
)
def test_a_document_that_cannot_be_shown_changes_nothing(
    descriptions: Iterable[KeyDescription], refusal: str
) -> None:
    phone = make_phone(keys=2)
    kept = unconfigured(MAX_UNCONFIGURED)
    phone.show(kept)
    changes: list[bool] = []
    phone.changed.subscribe(changes.append)
    for act in (phone.check, phone.show):
        with pytest.raises(Refused) as caught:
            act(iter(descriptions))
        assert caught.value.key == refusal
    assert phone.keys["1"].look == base("1")
    assert phone.unconfigured == kept
    assert changes == []


def test_a_look_that_is_refused_is_not_kept_in_memory() -> None:
    phone = make_phone(keys=1)
    before = document_of.cache_info().currsize
    with pytest.raises(Refused):
        phone.check([KeyDescription(name="9", label=8_200 * "x")])
    assert document_of.cache_info().currsize == before


def test_keys_that_are_remembered_can_change_however_many_there_are() -> None:
    phone = make_phone(keys=1)
    phone.show(unconfigured(MAX_UNCONFIGURED))
    phone.show([lit("1"), replace(unconfigured(1)[0], label="y")])
    assert phone.keys["1"].is_on
    assert phone.unconfigured[0].label == "y"


def test_keys_that_were_taken_away_leave_the_configured_ones_in_reach() -> None:
    """Even if there are more than documents may name, as with many expansion modules."""
    many = [setup(f"{n}") for n in range(MAX_UNCONFIGURED + 50)]
    phone = Phone(phone_setup("44", many))
    phone.configure(phone_setup("44", many[:10]))
    phone.show([lit("1"), lit("240")])
    assert phone.keys["1"].is_on
    assert lit("240") in phone.unconfigured
    with pytest.raises(Refused, match="too_many_keys"):
        phone.show([KeyDescription(name="P7")])


async def test_other_keys_outlive_a_restart_and_a_registration() -> None:
    phone = make_phone(keys=1)
    async with serving(phone) as server, raw_phone(server) as desk:
        phone.show([KeyDescription(name="P7", light=LightMode.PARK, label="Lot 7")])
        await desk.register()
        await desk.shows("P7", c="park", l="Lot 7")
        snapshot, port = server.snapshot(), server.address[1]
        await server.stop()
        desk.keys.clear()
        again = make_phone(keys=1)
        async with serving(again, snapshot=snapshot, port=port):
            assert again.unconfigured == phone.unconfigured
            await desk.shows("P7", c="park", l="Lot 7")


async def test_a_key_that_gets_configured_is_no_other_key_any_more() -> None:
    phone = make_phone(keys=1)
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        phone.show([lit("9")])
        await desk.shows("9", c="on")
        keys = [setup("1"), setup("9", label="New")]
        server.configure_phone(phone_setup("44", keys))
        await desk.shows("9", c=None, l="New")
        assert phone.unconfigured == []
        # It goes dark when it is removed again, and does not return to what it showed.
        server.configure_phone(phone_setup("44", keys[:1]))
        await desk.until(lambda: desk.keys["9"] == {})
        assert phone.unconfigured == [KeyDescription(name="9")]


def test_a_key_that_was_an_other_one_before_a_restart_is_as_it_is_configured() -> None:
    before = make_phone(keys=1)
    before.show([lit("2"), KeyDescription(name="P7", label="Lot 7")])
    after = make_phone(keys=2)
    after.restore(before.saved_looks, before.unconfigured)
    assert after.keys["2"].look == base("2")
    assert after.unconfigured == [KeyDescription(name="P7", label="Lot 7")]


def test_a_key_that_no_datagram_can_carry_keeps_no_other_dark() -> None:
    """It counts as refused: the phone is available and gets the rest."""

    async def test() -> None:
        phone = make_phone(keys=2)
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            phone.keys["1"].show(base("1", label=65_400 * "x"))
            phone.keys["2"].show(lit("2"))
            await asyncio.sleep(1)
            assert desk.keys["2"]["c"] == "on"
            assert (phone.available, phone.in_sync) == (True, False)
            phone.keys["2"].show(base("2"))
            await asyncio.sleep(1)
            assert "c" not in desk.keys["2"]
            phone.keys["1"].show(base("1", label="short"))
            await asyncio.sleep(1)
            assert desk.keys["1"]["l"] == "short"
            assert (phone.available, phone.in_sync) == (True, True)

    jumping(test)


# What a user may set


def test_a_key_that_is_not_set_up_cannot_be_set() -> None:
    phone = Phone(phone_setup(keys=[setup("1"), setup("2")], name="Desk"))
    assert phone.settable_key("2") is phone.keys["2"]
    with pytest.raises(Refused) as caught:
        phone.settable_key("9")
    assert caught.value.key == "unknown_key"
    assert caught.value.placeholders == {
        "phone": "Desk",
        "value": "9",
        "allowed": "1, 2",
    }


async def test_only_its_line_sets_a_shared_key() -> None:
    async with serving() as server:
        phone = server.add_phone(
            phone_setup(keys=[setup("1"), setup("2")], name="Desk")
        )
        line = LineSetup(name="Sales", code="co9", keys={"44": "2"})
        server.add_line("line", line)
        assert server.line_of("44", "2") is server.lines["line"]
        assert server.line_of("44", "1") is server.line_of("45", "2") is None
        for act in (
            lambda: phone.settable_key("2"),
            lambda: phone.check([lit("1"), lit("2")]),
            lambda: phone.show([lit("1"), lit("2")]),
        ):
            with pytest.raises(Refused) as caught:
                act()
            assert caught.value.key == "shared_key"
            assert caught.value.placeholders == {
                "phone": "Desk",
                "key": "2",
                "line": "Sales",
            }
        assert not phone.keys["1"].is_on
        assert phone.settable_key("1") is phone.keys["1"]
        server.remove_line("line")
        assert phone.settable_key("2") is phone.keys["2"]


# Sending again


async def test_a_key_is_sent_again() -> None:
    phone = make_phone(keys=2)
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        await desk.shows("2")
        phone.show([KeyDescription(name="P7")])
        await desk.shows("P7")
        for key in ("2", "P7"):
            desk.keys.clear()
            phone.send_again("unheard of")
            phone.send_again(key)
            await desk.shows(key)
            assert list(desk.keys) == [key]


def test_a_press_of_a_line_s_key_that_the_phone_does_not_have_blocks_nothing() -> None:
    """The line names a key that is no longer set up."""

    async def test() -> None:
        phone = make_phone(keys=2)
        async with serving(phone) as server, raw_phone(server) as desk:
            server.add_line("line", LineSetup(code="co9", keys={"44": "9"}))
            await desk.register()
            await desk.shows("2")
            for action in ("seize", "seize", "release", "message"):
                assert (await desk.press("9", action, "*602co9")).status == 200
            phone.keys["2"].show(lit("2"))
            await asyncio.sleep(1)
            assert desk.keys["2"]["c"] == "on"
            assert (phone.available, phone.in_sync) == (True, True)

    jumping(test)


# Configuration


async def test_a_configuration_that_cannot_be_written_changes_nothing() -> None:
    phone = make_phone(keys=3)
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        await desk.shows("3")
        broken = [
            setup("1", label="Hall"),
            setup("9"),
            KeySetup(off=base("3"), on=base("3", label="two\nlines")),
        ]
        with pytest.raises(DocumentError):
            server.configure_phone(
                phone_setup(
                    "44",
                    broken,
                    password="another",
                    dialling=Dialling(answer=DialAnswer.DECLINE),
                )
            )
        assert list(phone.keys) == ["1", "2", "3"]
        assert phone.keys["1"].look == base("1")
        assert phone.setup.password == PASSWORD
        assert phone.setup.dialling == Dialling()
        assert phone.unconfigured == []
        assert (await desk.press("1")).status == 200


async def test_a_key_keeps_its_listeners_over_a_configuration() -> None:
    phone = make_phone(keys=1)
    key = phone.keys["1"]
    shown: list[str | None] = []
    key.shown.subscribe(lambda _: shown.append(key.look.label))
    phone.configure(phone_setup("44", [setup("2"), setup("1", label="Hall")]))
    assert phone.keys["1"] is key
    assert list(phone.keys) == ["2", "1"]
    assert shown == ["Hall"]
    assert key.look.action is Action.MESSAGE
