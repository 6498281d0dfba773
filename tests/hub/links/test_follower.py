"""Which entities the linked keys follow: at start, after renames, and as settings change."""

import asyncio
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
    async_mock_service,
)

from custom_components.snom_buttons.hub.links.key import LinkedKey
from custom_components.snom_buttons.hub.links.look import LinkedLook
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED, EVENT_STATE_CHANGED
from homeassistant.core import CoreState, HomeAssistant, ServiceCall
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from tests.support.blfphone import over_both_speakers
from tests.support.entries import Phones, key_data, line_subentry, update_phone

from .conftest import Linked, link


def started(hass: HomeAssistant) -> None:
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)


# The start of Home Assistant


@over_both_speakers
async def test_no_key_flickers_when_home_assistant_starts(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    linked: Linked,
    phones: Phones,
) -> None:
    hass.states.async_set("light.hall", "on")
    hass.states.async_set("light.attic", "on")
    hass.states.async_set("lock.door", "unlocked")
    template = "{{ 'hold' if is_state('light.attic', 'on') else 'off' }}"
    keys = [
        link("1", "light.hall"),
        link("2", "light.attic", look_template=template),
        link("3", "lock.door"),
        link("4", "light.gone"),
        link("5", "light.hall", look_table={"unavailable": "hold", "unknown": "park"}),
        link("6", "cover.blind"),
        link("7", "sensor.power"),
    ]
    hass.states.async_set("cover.blind", "open")
    hass.states.async_set("sensor.power", "20")
    phone = await linked(*keys)
    await phone.shows("4", c="offline")
    await phone.shows("1", c="on")
    assert await hass.config_entries.async_unload(config_entry.entry_id)

    hass.set_state(CoreState.starting)
    names = ("light.hall", "light.attic", "lock.door", "cover.blind", "sensor.power")
    for entity_id in names:
        hass.states.async_remove(entity_id)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    phone.forget_requests()
    await phone.register()
    await phone.until(lambda: bool(phone.lights("3")))
    # As the registry restores them, and then each as it comes.
    for state in ("unavailable", "unknown", "on"):
        hass.states.async_set("light.hall", state)
        hass.states.async_set("light.attic", state)
        hass.states.async_set("cover.blind", "open" if state == "on" else state)
        hass.states.async_set("sensor.power", "20" if state == "on" else state)
        await hass.async_block_till_done()
    hass.states.async_set("lock.door", "locked")
    await phone.shows("3", c=None)
    started(hass)
    await hass.async_block_till_done()
    hass.states.async_set("light.hall", "off")
    await phone.shows("1", c=None)
    await phone.shows("5", c=None)
    assert phone.lights("1") == phone.as_lights("on", "off")
    assert phone.lights("2") == phone.as_lights("hold")
    assert phone.lights("3") == phone.as_lights("on", "off")
    assert phone.lights("4") == phone.as_lights("offline")
    assert phone.lights("5") == phone.as_lights("on", "off")
    assert phone.lights("6") == phone.as_lights("on")
    assert phone.has("7", c=None, l="20")
    assert not any("l=–" in sent.body for sent in phone.requests)


@over_both_speakers
async def test_what_is_not_there_when_home_assistant_has_started_is_offline(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.set_state(CoreState.starting)
    phone = await linked(link("1", "light.hall"))
    assert phone.has("1", c=None)
    # A press works before that.
    hass.states.async_set("light.hall", "unavailable")
    await phone.press("1")
    await phone.shows("1", c="error")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=4))
    await phone.shows("1", c=None)
    started(hass)
    await phone.shows("1", c="offline")


# Names


@over_both_speakers
async def test_a_renamed_entity_is_followed_on_without_a_flicker(
    hass: HomeAssistant, config_entry: MockConfigEntry, linked: Linked
) -> None:
    registry = er.async_get(hass)
    template = "{{ 'hold' if is_state(entity_id, 'on') else 'off' }}"
    phone = await linked(
        {**link("1", ""), "kind": "light", "name": "Lamp"},
        link("2", "light.phone_44_lamp"),
        link("3", "light.phone_44_lamp", look_template=template),
        link("4", "sensor.gone", target="light.phone_44_lamp"),
    )
    await hass.services.async_call(
        "light", "turn_on", {"entity_id": "light.phone_44_lamp"}, blocking=True
    )
    await phone.shows("2", c="on")
    await phone.shows("3", c="hold")
    phone.forget_requests()
    registry.async_update_entity("light.phone_44_lamp", new_entity_id="light.lamp")
    await hass.async_block_till_done()
    keys = config_entry.subentries["subentry_44"].data["keys"]
    assert [key.get("follows") for key in keys[1:]] == [
        "light.lamp",
        "light.lamp",
        "sensor.gone",
    ]
    assert keys[3]["target"] == "light.lamp"
    await hass.services.async_call(
        "light", "turn_off", {"entity_id": "light.lamp"}, blocking=True
    )
    await phone.shows("2", c=None)
    await phone.shows("3", c=None)
    assert phone.lights("2") == phone.as_lights("off")
    assert phone.lights("3")[-1:] == phone.as_lights("off")
    assert not set(phone.lights("3")) & set(phone.as_lights("offline"))


@over_both_speakers
async def test_other_news_of_the_registry_change_nothing(
    hass: HomeAssistant, config_entry: MockConfigEntry, linked: Linked
) -> None:
    phone = await linked(
        {**link("1", ""), "kind": "light", "name": "Lamp"},
        link("2", "light.phone_44_lamp"),
    )
    before = config_entry.subentries["subentry_44"].data
    er.async_get(hass).async_update_entity("light.phone_44_lamp", icon="mdi:lamp")
    await hass.async_block_till_done()
    assert config_entry.subentries["subentry_44"].data is before
    await phone.shows("2", c=None)


# Settings


@over_both_speakers
async def test_settings_apply_at_once_and_only_to_keys_that_change(
    hass: HomeAssistant, config_entry: MockConfigEntry, linked: Linked
) -> None:
    hass.states.async_set("light.hall", "on")
    hass.states.async_set("light.attic", "off")
    phone = await linked(link("1", "light.hall"), link("2", "light.hall"))
    kept = config_entry.runtime_data
    await phone.shows("2", c="on")
    made = LinkedKey.__init__
    with patch.object(LinkedKey, "__init__", autospec=True, side_effect=made) as create:
        update_phone(
            hass,
            config_entry,
            keys=[link("1", "light.hall"), link("2", "light.attic", name="Attic")],
        )
        await phone.shows("2", c=None, l="Attic")
    assert create.call_count == 1
    assert config_entry.runtime_data is kept
    hass.states.async_set("light.attic", "on")
    await phone.shows("2", c="on")


@over_both_speakers
async def test_a_key_that_is_no_longer_linked_begins_anew(
    hass: HomeAssistant, config_entry: MockConfigEntry, linked: Linked
) -> None:
    hass.states.async_set("sensor.power", "20")
    phone = await linked(link("1", "sensor.power", unavailable="on"))
    await phone.shows("1", c=None, l="20")
    update_phone(hass, config_entry, keys=[key_data("1", name="Lamp")])
    await phone.shows("1", c=None, l="Lamp")
    hass.states.async_set("sensor.power", "21")
    await hass.async_block_till_done()
    assert phone.has("1", c=None, l="Lamp")
    assert (await phone.press("1")).status == phone.press_status


@over_both_speakers
async def test_a_key_of_a_shared_line_belongs_to_the_line(
    hass: HomeAssistant, config_entry: MockConfigEntry, linked: Linked
) -> None:
    hass.states.async_set("light.hall", "on")
    phone = await linked(link("1", "light.hall"))
    await phone.shows("1", c="on")
    line = line_subentry(keys=[{"phone": "subentry_44", "key": "1"}])
    hass.config_entries.async_add_subentry(config_entry, ConfigSubentry(**line))
    await phone.shows("1", c=None, l="(co2)")
    toggles = async_mock_service(hass, "light", "toggle")
    hass.states.async_set("light.hall", "off")
    await phone.press("1", "seize")
    await phone.shows("1", c="on", l="(co2)")
    assert not toggles
    hass.config_entries.async_remove_subentry(config_entry, "subentry_line")
    await phone.shows("1", c=None, l="Key 1")
    hass.states.async_set("light.hall", "on")
    await phone.shows("1", c="on")


@over_both_speakers
async def test_the_link_of_a_key_of_a_shared_line_is_kept_up_to_date(
    hass: HomeAssistant, config_entry: MockConfigEntry, linked: Linked
) -> None:
    registry = er.async_get(hass)
    known = registry.async_get_or_create("light", "demo", "1")
    hass.states.async_set(known.entity_id, "on")
    phone = await linked(link("1", known.entity_id))
    line = line_subentry(keys=[{"phone": "subentry_44", "key": "1"}])
    hass.config_entries.async_add_subentry(config_entry, ConfigSubentry(**line))
    await phone.shows("1", c=None, l="(co2)")
    registry.async_update_entity(known.entity_id, new_entity_id="light.hall")
    await hass.async_block_till_done()
    hass.states.async_set("light.hall", "on")
    [key] = config_entry.subentries["subentry_44"].data["keys"]
    assert key["follows"] == "light.hall"
    hass.config_entries.async_remove_subentry(config_entry, "subentry_line")
    await phone.shows("1", c="on", l="Key 1")


@over_both_speakers
@pytest.mark.parametrize(
    ("changes", "meanwhile"),
    [
        ({"confirm": "always"}, "pickup"),
        ({"actions": [{"action": "light.no_such"}]}, "error"),
        ({"actions": [{"action": "test.wait"}, {"event": "went_on"}]}, "on"),
    ],
)
async def test_what_is_under_way_ends_with_the_entry(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    linked: Linked,
    phones: Phones,
    *,
    changes: dict[str, Any],
    meanwhile: str,
) -> None:
    """The plugin fails a test that leaves timers or tasks behind."""
    hass.states.async_set("light.hall", "on")
    asked, never = asyncio.Event(), asyncio.Event()

    async def wait(_: ServiceCall) -> None:
        asked.set()
        await never.wait()

    hass.services.async_register("test", "wait", wait)
    went_on = async_capture_events(hass, "went_on")
    phone = await linked(link("1", "light.hall", **changes))
    assert (await phone.press("1")).status == phone.press_status
    if meanwhile == "on":
        await asked.wait()
    await phone.shows("1", c=meanwhile)
    assert await hass.config_entries.async_reload(config_entry.entry_id)
    never.set()
    await hass.async_block_till_done(wait_background_tasks=True)
    await (await phones()).shows("1", c="on")
    assert not went_on


@over_both_speakers
async def test_two_hundred_keys_have_one_listener(
    hass: HomeAssistant, config_entry: MockConfigEntry, linked: Linked
) -> None:
    hass.states.async_set("light.hall", "off")
    hass.states.async_set("light.attic", "off")
    keys = [
        link(str(n), f"light.{'hall' if n % 2 else 'attic'}") for n in range(1, 201)
    ]
    phone = await linked(*keys)
    calls = []
    changed = LinkedLook.async_changed

    def count(self: LinkedLook, event: object) -> None:
        calls.append(self.key.name)
        changed(self, event)  # type: ignore[arg-type]

    with patch.object(LinkedLook, "async_changed", count):
        hass.states.async_set("light.other", "on")
        await hass.async_block_till_done()
        assert not calls
        hass.states.async_set("light.hall", "on")
        await hass.async_block_till_done()
    assert len(calls) == 100
    await phone.shows("199", c="on")
    await phone.until(
        lambda: all(phone.has(f"{n}", c="on" if n % 2 else None) for n in range(1, 201))
    )


def listeners(hass: HomeAssistant) -> tuple[int, int]:
    """Return the number of listeners to all states, and of those to one entity each."""
    tracked = hass.data.get("track_state_change_data")
    return (
        hass.bus.async_listeners().get(EVENT_STATE_CHANGED, 0),
        sum(map(len, tracked.callbacks.values())) if tracked else 0,
    )


@over_both_speakers
@pytest.mark.parametrize(("keys", "entities"), [(1, 1), (40, 1), (40, 2), (40, 20)])
async def test_listeners_grow_with_the_entities_and_not_with_the_keys(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    linked: Linked,
    keys: int,
    entities: int,
) -> None:
    for number in range(entities):
        hass.states.async_set(f"light.number_{number}", "off")
    before = listeners(hass)
    await linked(
        *(link(f"{n}", f"light.number_{n % entities}") for n in range(1, keys + 1))
    )
    assert before == (0, 0)
    assert listeners(hass) == (1, entities)
    assert await hass.config_entries.async_unload(config_entry.entry_id)
    assert listeners(hass) == before


async def test_keys_that_change_at_once_go_in_one_document(
    hass: HomeAssistant, linked: Linked
) -> None:
    for name in ("hall", "attic"):
        hass.states.async_set(f"light.{name}", "off")
    numbers = range(1, 17)
    phone = await linked(
        *(link(f"{n}", f"light.{'hall' if n % 2 else 'attic'}") for n in numbers)
    )
    phone.forget_requests()
    hass.states.async_set("light.hall", "on")
    hass.states.async_set("light.attic", "on")
    for n in numbers:
        await phone.shows(f"{n}", c="on")
    await hass.async_block_till_done()
    assert len(phone.requests) == 1


@over_both_speakers
async def test_two_hundred_keys_may_follow_one_entity(
    hass: HomeAssistant, linked: Linked
) -> None:
    hass.states.async_set("light.hall", "off")
    actions = [{"action": "light.toggle"}]
    phone = await linked(
        *(link(str(n), "light.hall", actions=actions) for n in range(1, 201))
    )
    await phone.until(lambda: len(phone.keys) == 200)
    hass.states.async_set("light.hall", "on")
    await phone.until(lambda: all(phone.has(key, c="on") for key in phone.keys))


@over_both_speakers
async def test_an_update_after_the_stop_follows_nothing(
    hass: HomeAssistant, config_entry: MockConfigEntry, linked: Linked
) -> None:
    hass.states.async_set("light.hall", "on")
    phone = await linked(link("1", "light.hall"))
    hub = config_entry.runtime_data
    assert await hass.config_entries.async_unload(config_entry.entry_id)
    async with asyncio.timeout(10):
        for follower in hub._followers:
            await follower.update(hub.settings)
    phone.forget_requests()
    hass.states.async_set("light.hall", "off")
    await hass.async_block_till_done()
    assert not phone.lights("1")
