"""Labels as texts."""

import asyncio

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.engine.phones.outbox import LABEL_PAUSE
from homeassistant.components.text import ATTR_VALUE, DOMAIN as TEXT, SERVICE_SET_VALUE
from homeassistant.const import ATTR_ENTITY_ID, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from tests.support.entries import Phones
from tests.support.names import FORBIDDEN
from tests.support.rawphone import RawPhone

LABEL = "text.phone_44_key_1_label"
LIGHT = "light.phone_44_key_1"


@pytest.fixture
async def labelled(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    phones: Phones,
) -> RawPhone:
    """Return phone 44, registered, with the labels of its keys 1 and 2 enabled."""
    entity_registry.async_get_or_create(
        TEXT,
        "snom_buttons",
        "subentry_44_1_label",
        config_entry=config_entry,
        config_subentry_id="subentry_44",
        suggested_object_id="phone_44_key_1_label",
        disabled_by=None,
    )
    entity_registry.async_get_or_create(
        TEXT,
        "snom_buttons",
        "subentry_44_2_label",
        config_entry=config_entry,
        config_subentry_id="subentry_44",
        suggested_object_id="phone_44_key_2_label",
        disabled_by=None,
    )
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    phone: RawPhone = await phones()
    return phone


async def write(hass: HomeAssistant, value: str, entity_id: str = LABEL) -> None:
    await hass.services.async_call(
        TEXT,
        SERVICE_SET_VALUE,
        {ATTR_ENTITY_ID: entity_id, ATTR_VALUE: value},
        blocking=True,
    )


async def test_labels_are_off_by_default(
    server: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    labels = [
        entity
        for entity in er.async_entries_for_config_entry(
            entity_registry, server.entry_id
        )
        if entity.domain == TEXT
    ]
    # Both phones' keys 1 to 3; key 4 is not used.
    assert len(labels) == 6
    assert {label.disabled_by for label in labels} == {
        er.RegistryEntryDisabler.INTEGRATION
    }
    assert {label.entity_category for label in labels} == {EntityCategory.CONFIG}


async def test_a_label_is_written_and_nothing_else_changes(
    hass: HomeAssistant, labelled: RawPhone
) -> None:
    assert hass.states.get(LABEL).state == "Key 1"
    await hass.services.async_call(
        "light", "turn_on", {ATTR_ENTITY_ID: LIGHT, "effect": "hold"}, blocking=True
    )
    await write(hass, " 21.5 °C ")
    assert hass.states.get(LABEL).state == "21.5 °C"
    assert await labelled.shows("1", l="21.5 °C") == {
        "c": "hold",
        "n": "key1",
        "a": "message",
        "l": "21.5 °C",
    }
    # Turning the light off keeps the label.
    await hass.services.async_call(
        "light", "turn_off", {ATTR_ENTITY_ID: LIGHT}, blocking=True
    )
    await labelled.shows("1", c=None, l="21.5 °C")
    await write(hass, "")
    assert hass.states.get(LABEL).state == ""
    await labelled.shows("1", l=None)


async def test_a_label_outlives_a_restart(
    hass: HomeAssistant, config_entry: MockConfigEntry, labelled: RawPhone
) -> None:
    await write(hass, "21.5 °C")
    await labelled.shows("1", l="21.5 °C")
    labelled.keys.clear()
    assert await hass.config_entries.async_reload(config_entry.entry_id)
    await labelled.shows("1", l="21.5 °C")
    assert hass.states.get(LABEL).state == "21.5 °C"


async def test_a_hasty_template_reaches_the_phone_once_a_second(
    hass: HomeAssistant, labelled: RawPhone
) -> None:
    """The newest text is sent, and texts in between are not."""
    loop = asyncio.get_running_loop()
    before = len(labelled.requests)
    begin = loop.time()
    for tenths in range(100):
        await write(hass, f"{tenths / 10} °C")
        await write(hass, f"{tenths} %", "text.phone_44_key_2_label")
    await labelled.shows("1", l="9.9 °C")
    await labelled.shows("2", l="99 %")
    messages = len(labelled.requests) - before
    assert messages <= 2 + (loop.time() - begin) / LABEL_PAUSE
    # Other changes do not wait for labels.
    await write(hass, "soon")
    await hass.services.async_call(
        "light", "turn_on", {ATTR_ENTITY_ID: LIGHT}, blocking=True
    )
    await labelled.shows("1", c="on", l="soon")


async def test_a_label_that_no_phone_could_show_is_refused(
    hass: HomeAssistant, labelled: RawPhone
) -> None:
    for sign in FORBIDDEN:
        with pytest.raises(ServiceValidationError, match="cannot contain line breaks"):
            await write(hass, f"two{sign}lines")
    assert hass.states.get(LABEL).state == "Key 1"
    # Home Assistant 2026.10 raises ValueError.
    with pytest.raises(
        (ServiceValidationError, ValueError), match="maximum length 128"
    ):
        await write(hass, "x" * 129)


async def test_a_template_writes_a_label(
    hass: HomeAssistant, labelled: RawPhone
) -> None:
    """The template of docs/keys.md."""
    automation = {
        "alias": "The outside temperature on key 1",
        "triggers": {"trigger": "state", "entity_id": "sensor.outside"},
        "actions": {
            "action": "text.set_value",
            "target": {"entity_id": LABEL},
            "data": {"value": "{{ states('sensor.outside') }} °C"},
        },
    }
    assert await async_setup_component(hass, "automation", {"automation": automation})
    hass.states.async_set("sensor.outside", "21.5")
    await labelled.shows("1", l="21.5 °C")
