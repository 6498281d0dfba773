"""Shared lines in Home Assistant: switch, events, and their keys."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.components.diagnostics import REDACTED
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from tests.support.blfphone import over_both_speakers
from tests.support.entries import (
    BOTH,
    Phones,
    add_phone,
    line_subentry,
    phone_subentry,
    reaches,
    update_phone,
)
from tests.support.rawphone import RawPhone

SWITCH = "switch.gate"
USE = "event.gate_use"
PRESS_44 = "event.phone_44_key_1_press"
PRESS_45 = "event.phone_45_key_1_press"
CONFIGURED = {"n": "key1", "a": "message", "l": "Key 1"}
FREE = {"n": "*602co2", "a": "seize", "l": "(co2)"}
SEIZED = {"c": "on", "n": "*603co2", "a": "release", "l": "(co2)"}


@pytest.fixture
async def shared(hass: HomeAssistant, server: MockConfigEntry) -> MockConfigEntry:
    """Return the entry, whose line is added while the server runs."""
    add_phone(hass, server, line_subentry())
    await hass.async_block_till_done()
    return server


@pytest.fixture
async def desks(shared: MockConfigEntry, phones: Phones) -> list[RawPhone]:
    """Return both phones, which show that the line is free."""
    found = [await phones("44"), await phones("45")]
    await show(found, FREE)
    return found


async def show(desks: list[RawPhone], key: dict[str, str], name: str = "1") -> None:
    """Wait until a key of each phone has exactly these lines."""
    for desk in desks:
        shown = desk.as_shown(**key)
        await desk.until(lambda desk=desk, shown=shown: desk.keys.get(name) == shown)


async def turn(hass: HomeAssistant, state: str) -> None:
    await hass.services.async_call(
        "switch", f"turn_{state}", {"entity_id": SWITCH}, blocking=True
    )


@over_both_speakers
async def test_a_phone_seizes_and_releases(
    hass: HomeAssistant, desks: list[RawPhone]
) -> None:
    first, second = desks
    events = async_capture_events(hass, "snom_buttons_shared_line")
    assert hass.states.get(SWITCH).state == "off"
    assert hass.states.get(SWITCH).attributes["phone"] is None

    assert (await first.press("1", "seize")).status == first.press_status
    await show(desks, SEIZED)
    state = hass.states.get(SWITCH)
    assert (state.state, state.attributes["phone"]) == ("on", "44")
    use = hass.states.get(USE)
    assert use.attributes["event_types"] == ["seize", "release"]
    assert (use.attributes["event_type"], use.attributes["phone"]) == ("seize", "44")
    press = hass.states.get(PRESS_44)
    assert press.attributes["event_types"] == ["press_end", "seize", "release"]
    assert press.attributes["event_type"] == "seize"

    # A press on another phone is only a press.
    assert (await second.press("1", "release")).status == second.press_status
    await hass.async_block_till_done()
    assert hass.states.get(PRESS_45).attributes["event_type"] == "press_end"
    assert hass.states.get(PRESS_45).attributes["action"] == "release"
    assert hass.states.get(SWITCH).state == "on"

    assert (await first.press("1", "release")).status == first.press_status
    await show(desks, FREE)
    await hass.async_block_till_done()
    assert hass.states.get(SWITCH).state == "off"
    assert hass.states.get(USE).attributes["event_type"] == "release"
    assert hass.states.get(PRESS_44).attributes["event_type"] == "release"
    line_device = dr.async_get(hass).async_get_device_by_identifier(
        ("snom_buttons", "subentry_line"),
        hass.config_entries.async_entries("snom_buttons")[0].entry_id,
    )
    assert [event.data for event in events] == [
        {
            "line": "Gate",
            "code": "co2",
            "action": action,
            "phone": "44",
            "device_id": line_device.id,
            "time": event.data["time"],
            "id": event.data["id"],
        }
        for action, event in zip(("seize", "release"), events, strict=True)
    ]


@over_both_speakers
async def test_state_then_message_then_event(
    hass: HomeAssistant, desks: list[RawPhone]
) -> None:
    """The state of the switch has changed before any of the events."""
    order: list[str] = []

    @callback
    def note(event: Event[Any]) -> None:
        order.append(event.data.get("entity_id", event.event_type))

    for event_type in ("state_changed", "snom_buttons_shared_line"):
        hass.bus.async_listen(event_type, note)
    hass.bus.async_listen("snom_buttons_key_press", note)
    await desks[0].press("1", "seize")
    await show(desks, SEIZED)
    await hass.async_block_till_done()
    assert order[0] == SWITCH
    assert set(order[1:]) == {
        USE,
        PRESS_44,
        "snom_buttons_shared_line",
        "snom_buttons_key_press",
    }


@over_both_speakers
async def test_home_assistant_seizes_and_releases(
    hass: HomeAssistant, desks: list[RawPhone]
) -> None:
    await turn(hass, "on")
    await show(desks, SEIZED)
    assert hass.states.get(SWITCH).attributes["phone"] is None
    await hass.async_block_till_done()
    assert hass.states.get(USE).attributes["event_type"] == "seize"
    assert hass.states.get(USE).attributes["phone"] is None
    await turn(hass, "off")
    await show(desks, FREE)
    # It may release a line that a phone holds.
    await desks[1].press("1", "seize")
    await show(desks, SEIZED)
    await turn(hass, "on")
    assert hass.states.get(SWITCH).attributes["phone"] == "45"
    await turn(hass, "off")
    await show(desks, FREE)


@over_both_speakers
async def test_a_phone_that_is_away_does_not_block_the_line(
    hass: HomeAssistant, shared: MockConfigEntry, phones: Phones
) -> None:
    assert hass.states.get(SWITCH).state == "off"
    first = await phones("44")
    await first.press("1", "seize")
    await show([first], SEIZED)
    second = await phones("45")
    await show([second], SEIZED)


@over_both_speakers
async def test_an_owner_that_leaves_frees_the_line(
    hass: HomeAssistant, desks: list[RawPhone]
) -> None:
    first, second = desks
    await first.press("1", "seize")
    await show(desks, SEIZED)
    await first.unregister()
    await show([second], FREE)
    await reaches(hass, SWITCH, "off")
    await hass.async_block_till_done()
    assert hass.states.get(USE).attributes["event_type"] == "release"
    assert hass.states.get(USE).attributes["phone"] == "44"


@over_both_speakers
async def test_a_time_of_its_own(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    add_phone(hass, server, line_subentry(release_after=0.2))
    await hass.async_block_till_done()
    first = await phones("44")
    await show([first], FREE)
    await first.press("1", "seize")
    await show([first], SEIZED)
    await first.unregister()
    assert hass.states.get(SWITCH).state == "on"
    await reaches(hass, SWITCH, "off")


@over_both_speakers
@pytest.mark.parametrize("owner", ["44", None])
async def test_a_restart_changes_nothing(
    hass: HomeAssistant,
    shared: MockConfigEntry,
    desks: list[RawPhone],
    owner: str | None,
) -> None:
    if owner:
        await desks[0].press("1", "seize")
    else:
        await turn(hass, "on")
    await show(desks, SEIZED)
    for desk in desks:
        desk.keys.clear()
    assert await hass.config_entries.async_reload(shared.entry_id)
    await show(desks, SEIZED)
    state = hass.states.get(SWITCH)
    assert (state.state, state.attributes["phone"]) == ("on", owner)
    if owner:
        await desks[0].press("1", "release")
        await show(desks, FREE)


# Keys of lines


@over_both_speakers
async def test_a_key_belongs_to_the_line_alone(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phone: RawPhone,
    entity_registry: er.EntityRegistry,
) -> None:
    press = entity_registry.async_get(PRESS_44)
    await hass.services.async_call(
        "light", "turn_on", {"entity_id": "light.phone_44_key_1"}, blocking=True
    )
    await phone.shows("1", c="on")
    add_phone(hass, server, line_subentry())
    await show([phone], FREE)
    await hass.async_block_till_done()
    assert hass.states.get("light.phone_44_key_1") is None
    assert entity_registry.async_get(PRESS_44).id == press.id
    # Other keys did not change.
    assert hass.states.get("light.phone_44_key_2").state == "off"

    await turn(hass, "on")
    await show([phone], SEIZED)
    hass.config_entries.async_remove_subentry(server, "subentry_line")
    await show([phone], CONFIGURED)
    await hass.async_block_till_done()
    assert hass.states.get("light.phone_44_key_1").state == "off"
    assert hass.states.get(SWITCH) is None
    assert entity_registry.async_get(PRESS_44).id == press.id


def remove_phone(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    hass.config_entries.async_remove_subentry(entry, "subentry_44")


def remove_its_key(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    update_line(hass, entry, keys=BOTH[1:])


def change_its_extension(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    update_phone(hass, entry, extension="144")


def update_line(hass: HomeAssistant, entry: MockConfigEntry, **changes: Any) -> None:
    line = entry.subentries["subentry_line"]
    hass.config_entries.async_update_subentry(
        entry, line, data={**line.data, **changes}
    )


@over_both_speakers
@pytest.mark.parametrize("change", [remove_phone, remove_its_key, change_its_extension])
async def test_a_line_whose_owner_is_gone_is_free(
    hass: HomeAssistant,
    shared: MockConfigEntry,
    desks: list[RawPhone],
    change: Callable[[HomeAssistant, MockConfigEntry], None],
) -> None:
    await desks[0].press("1", "seize")
    await show(desks, SEIZED)
    change(hass, shared)
    await show(desks[1:], FREE)
    await hass.async_block_till_done()
    assert hass.states.get(SWITCH).state == "off"
    # The remaining phones can use it.
    await desks[1].press("1", "seize")
    await show(desks[1:], SEIZED)


@over_both_speakers
async def test_a_phone_under_another_extension_shows_the_line(
    hass: HomeAssistant,
    shared: MockConfigEntry,
    desks: list[RawPhone],
    phones: Phones,
) -> None:
    await desks[1].press("1", "seize")
    await show(desks, SEIZED)
    change_its_extension(hass, shared)
    await hass.async_block_till_done()
    await show([await phones("144"), desks[1]], SEIZED)


@over_both_speakers
async def test_a_new_code_and_other_keys_while_it_is_held(
    hass: HomeAssistant, shared: MockConfigEntry, desks: list[RawPhone]
) -> None:
    first, second = desks
    await first.press("1", "seize")
    await show(desks, SEIZED)
    update_line(hass, shared, code="gate", keys=[BOTH[0], BOTH[1] | {"key": "2"}])
    held = {"c": "on", "n": "*603gate", "a": "release", "l": "(gate)"}
    await show([first], held)
    await show([second], held, "2")
    await show([second], CONFIGURED)
    await hass.async_block_till_done()
    assert hass.states.get(SWITCH).attributes["phone"] == "44"
    assert hass.states.get("light.phone_45_key_1").state == "off"
    assert hass.states.get("light.phone_45_key_2") is None


async def test_a_new_name(
    hass: HomeAssistant,
    shared: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    device_registry: dr.DeviceRegistry,
) -> None:
    line = shared.subentries["subentry_line"]
    hass.config_entries.async_update_subentry(shared, line, title="Yard")
    await hass.async_block_till_done()
    device_id = entity_registry.async_get(SWITCH).device_id
    assert device_registry.async_get(device_id).name == "Yard"


@over_both_speakers
async def test_a_line_that_is_there_before_its_phones(
    hass: HomeAssistant, shared: MockConfigEntry, phones: Phones
) -> None:
    """It names a phone that was removed, and has it again when the phone is back."""
    remove_phone(hass, shared)
    await hass.async_block_till_done()
    second = await phones("45")
    await second.press("1", "seize")
    await show([second], SEIZED)
    subentry = phone_again()
    hass.config_entries.async_add_subentry(shared, subentry)
    await hass.async_block_till_done()
    first = await phones("44")
    await show([first], SEIZED)


def phone_again() -> ConfigSubentry:
    phone = phone_subentry("44")
    return ConfigSubentry(**{**phone, "data": MappingProxyType(phone["data"])})


@over_both_speakers
async def test_diagnostics(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    shared: MockConfigEntry,
    desks: list[RawPhone],
) -> None:
    await desks[0].press("1", "seize")
    await show(desks, SEIZED)
    diagnostics = await get_diagnostics_for_config_entry(hass, hass_client, shared)
    assert len(diagnostics["phones"]) == 2
    assert diagnostics["shared_lines"] == [
        {
            "settings": {
                "code": REDACTED,
                "keys": [key | {"phone": REDACTED} for key in BOTH],
            },
            "seized": True,
            "phone": "44",
        }
    ]
