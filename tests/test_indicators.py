"""Lamps of keys are indicators, unless they are to count as lights of the room."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.components.homeassistant.exposed_entities import (
    DATA_EXPOSED_ENTITIES,
    async_should_expose,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
    label_registry as lr,
)
from homeassistant.setup import async_setup_component
from tests.support.blfphone import over_both_speakers
from tests.support.entries import add_phone, line_subentry, update_phone
from tests.support.rawphone import RawPhone

LIGHT = "light.phone_44_key_1"
SWITCH = "switch.phone_44_alarm"
LAMPS = (LIGHT, "light.phone_44_key_2", SWITCH)


@pytest.fixture
async def room(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> dict[str, str]:
    """Return the targets that contain phone 44, whose lamps are on."""
    floor = fr.async_get(hass).async_create("Ground")
    label = lr.async_get(hass).async_create("Everything")
    area = ar.async_get(hass).async_create("Office", floor_id=floor.floor_id)
    device_id = server.runtime_data.phones["44"].device_id
    dr.async_get(hass).async_update_device(
        device_id, area_id=area.id, labels={label.label_id}
    )
    for lamp in LAMPS:
        await turn(hass, "on", lamp.partition(".")[0], entity_id=lamp)
    return {
        "area_id": area.id,
        "floor_id": floor.floor_id,
        "label_id": label.label_id,
        "device_id": device_id,
    }


async def turn(hass: HomeAssistant, how: str, domain: str, **target: Any) -> None:
    await hass.services.async_call(domain, f"turn_{how}", blocking=True, target=target)


async def count_as_lights(
    hass: HomeAssistant, server: MockConfigEntry, chosen: bool
) -> None:
    update_phone(hass, server, room_lights=chosen)
    await hass.async_block_till_done()


def states(hass: HomeAssistant) -> dict[str, str]:
    return {lamp: hass.states.get(lamp).state for lamp in LAMPS}


@pytest.mark.parametrize("target", ["area_id", "floor_id", "label_id", "device_id"])
async def test_turning_off_a_room_leaves_indicators_alone(
    hass: HomeAssistant, server: MockConfigEntry, room: dict[str, str], target: str
) -> None:
    for domain in ("light", "switch", "homeassistant"):
        if domain == "homeassistant":
            assert await async_setup_component(hass, domain, {})
        await turn(hass, "off", domain, **{target: room[target]})
    assert states(hass) == dict.fromkeys(LAMPS, "on")
    # Calls that name them work as before.
    for lamp in LAMPS:
        await turn(hass, "off", lamp.partition(".")[0], entity_id=lamp)
    assert states(hass) == dict.fromkeys(LAMPS, "off")


async def test_a_label_of_the_lamp_itself_is_a_name(
    hass: HomeAssistant, room: dict[str, str]
) -> None:
    label = lr.async_get(hass).async_create("Doorbell")
    er.async_get(hass).async_update_entity(LIGHT, labels={label.label_id})
    await turn(hass, "off", "light", label_id=label.label_id)
    assert hass.states.get(LIGHT).state == "off"


@over_both_speakers
@pytest.mark.parametrize("target", ["area_id", "floor_id", "label_id", "device_id"])
async def test_lights_of_the_room_are_turned_off_with_it(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phone: RawPhone,
    room: dict[str, str],
    target: str,
) -> None:
    """The choice works at once, back and forth, for entities that exist already."""
    await count_as_lights(hass, server, True)
    assert states(hass) == dict.fromkeys(LAMPS, "on")
    for domain in ("light", "switch"):
        await turn(hass, "off", domain, **{target: room[target]})
    assert states(hass) == dict.fromkeys(LAMPS, "off")
    await phone.shows("1", c=None)

    await turn(hass, "on", "light", entity_id=LIGHT)
    await count_as_lights(hass, server, False)
    await turn(hass, "off", "light", **{target: room[target]})
    assert hass.states.get(LIGHT).state == "on"


async def test_the_switch_of_a_shared_line_is_no_indicator(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    add_phone(hass, server, line_subentry())
    await hass.async_block_till_done()
    (line,) = server.runtime_data.lines.values()
    assert dr.async_get(hass).async_get(line.device_id).area_id is None
    area = ar.async_get(hass).async_create("Hall")
    dr.async_get(hass).async_update_device(line.device_id, area_id=area.id)
    await turn(hass, "on", "switch", entity_id="switch.gate")
    await turn(hass, "off", "switch", area_id=area.id)
    assert hass.states.get("switch.gate").state == "off"


async def test_each_lamp_has_the_category_of_its_phone(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    registry = er.async_get(hass)
    before = registry.async_get(LIGHT)

    def categories() -> set[EntityCategory | None]:
        return {registry.async_get(lamp).entity_category for lamp in LAMPS}

    assert categories() == {EntityCategory.CONFIG}
    await count_as_lights(hass, server, True)
    assert categories() == {None}
    assert registry.async_get("light.phone_45_key_1").entity_category == "config"
    await count_as_lights(hass, server, False)
    assert categories() == {EntityCategory.CONFIG}
    after = registry.async_get(LIGHT)
    assert (before.id, before.created_at) == (after.id, after.created_at)


@pytest.fixture
async def assistant(hass: HomeAssistant) -> str:
    """Return an assistant to which new entities are exposed."""
    assert await async_setup_component(hass, "homeassistant", {})
    hass.data[DATA_EXPOSED_ENTITIES].async_set_expose_new_entities("conversation", True)
    return "conversation"


async def test_assistants_leave_indicators_alone(
    hass: HomeAssistant, server: MockConfigEntry, assistant: str
) -> None:
    """Home Assistant stores its first decision; the choice asks it to decide again."""

    def exposed() -> set[bool]:
        return {async_should_expose(hass, assistant, lamp) for lamp in LAMPS}

    assert exposed() == {False}
    await count_as_lights(hass, server, True)
    assert exposed() == {True}
    await count_as_lights(hass, server, False)
    assert exposed() == {False}


async def test_lamps_of_an_earlier_version_become_indicators(
    hass: HomeAssistant, server: MockConfigEntry, assistant: str
) -> None:
    """Also one that is disabled; other settings of the assistant stay."""
    registry = er.async_get(hass)
    for lamp, disabled_by in zip(
        LAMPS, (None, er.RegistryEntryDisabler.USER, None), strict=True
    ):
        registry.async_update_entity(
            lamp, entity_category=None, disabled_by=disabled_by
        )
        registry.async_update_entity_options(
            lamp, assistant, {"should_expose": True, "other": 1}
        )

    async def reload() -> None:
        assert await hass.config_entries.async_reload(server.entry_id)
        await hass.async_block_till_done()

    await reload()
    for lamp in LAMPS:
        assert registry.async_get(lamp).options[assistant] == {"other": 1}
        assert not async_should_expose(hass, assistant, lamp)
    # What the user chooses from now on stays.
    hass.data[DATA_EXPOSED_ENTITIES].async_set_assistant_option(
        assistant, LIGHT, "should_expose", True
    )
    await reload()
    assert async_should_expose(hass, assistant, LIGHT)
