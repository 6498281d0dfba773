"""The buttons of a phone, pressed in Home Assistant and felt on a real socket."""

from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons import button
from homeassistant.components.button import ButtonDeviceClass
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, EntityCategory
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.translation import async_get_translations
from tests.support.blfphone import over_both_speakers
from tests.support.entries import (
    PASSWORD,
    Phones,
    add_phone,
    key_data,
    line_subentry,
    reaches,
    update_phone,
)
from tests.support.ports import LOCALHOST
from tests.support.rawphone import RawPhone
from virtual_phone import Kind, VirtualPhone

SEND = "button.phone_44_send_all_keys_again"
OFF = "button.phone_44_all_lamps_off"
FETCH = "button.phone_44_fetch_settings"
RESTART = "button.phone_44_restart_phone"
ALL = [SEND, OFF, FETCH, RESTART]


async def press(
    hass: HomeAssistant, entity_id: str, context: Context | None = None
) -> None:
    await hass.services.async_call(
        "button", "press", {"entity_id": entity_id}, blocking=True, context=context
    )


async def call(hass: HomeAssistant, action: str, **data: Any) -> None:
    domain, _, service = action.partition(".")
    await hass.services.async_call(domain, service, data, blocking=True)


@over_both_speakers
async def test_the_buttons_are_there_while_the_phone_answers(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phones: Phones,
    entity_registry: er.EntityRegistry,
) -> None:
    for entity_id in ALL:
        assert hass.states.get(entity_id).state == STATE_UNAVAILABLE
        entry = entity_registry.async_get(entity_id)
        assert entry.entity_category is EntityCategory.CONFIG
        assert entry.config_subentry_id == "subentry_44"
    restart = hass.states.get(RESTART)
    assert restart.attributes["device_class"] == ButtonDeviceClass.RESTART
    phone = await phones()
    for entity_id in ALL:
        assert hass.states.get(entity_id).state == "unknown"
    await phone.unregister()
    for entity_id in ALL:
        assert hass.states.get(entity_id).state == STATE_UNAVAILABLE


@over_both_speakers
@pytest.mark.parametrize(
    ("entity_id", "event"),
    [(FETCH, "check-sync;reboot=false"), (RESTART, "check-sync;reboot=true")],
)
async def test_the_phone_is_asked_for_its_settings_and_to_restart(
    hass: HomeAssistant, phone: RawPhone, entity_id: str, event: str
) -> None:
    await press(hass, entity_id)
    (notice,) = (it for it in phone.notices if "check-sync" in it.get("Event"))
    assert notice.get("Event") == event
    # The press is the state of a button.
    assert hass.states.get(entity_id).state != "unknown"


ANSWERS = {
    401: (
        "check_sync_challenged",
        "Phone 44 answered 401 Whatever: it asks for a password",
    ),
    481: (
        "check_sync_no_subscription",
        "Phone 44 answered 481 Whatever: it takes this",
    ),
    489: (
        "check_sync_unknown",
        "Phone 44 answered 489 Whatever: it does not know this",
    ),
    603: ("check_sync_refused", "Phone 44 answered 603 Whatever. Nothing was done"),
    None: ("check_sync_silent", "Phone 44 did not answer"),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("entity_id", [FETCH, RESTART])
async def test_a_press_fails_if_the_phone_refuses_or_is_silent(
    hass: HomeAssistant, phone: RawPhone, entity_id: str, answer: int | None
) -> None:
    key, text = ANSWERS[answer]
    phone.answer = answer
    with (
        patch.object(button, "ANSWER_WAIT", 0.2),
        pytest.raises(HomeAssistantError, match=text) as failed,
    ):
        await press(hass, entity_id)
    assert failed.value.translation_key == key
    assert not isinstance(failed.value, ServiceValidationError)
    # In German too, with the same values
    texts = await async_get_translations(hass, "de", "exceptions", ["snom_buttons"])
    german = texts[f"component.snom_buttons.exceptions.{key}.message"]
    assert german.format(**failed.value.translation_placeholders).startswith(
        "Phone 44 hat "
    )


@over_both_speakers
async def test_all_keys_are_sent_again(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    await call(
        hass,
        "snom_buttons.set_key",
        entity_id="light.phone_44_key_1",
        light="on",
        wait=True,
    )
    assert phone.has("1", c="on")
    shown = dict(phone.keys)
    phone.keys.clear()  # as after a fault of the phone
    await press(hass, SEND)
    assert phone.keys == shown

    phone.answer = 415
    with pytest.raises(HomeAssistantError, match="Phone 44 answered 415 Whatever"):
        await press(hass, SEND)


async def test_a_phone_without_keys_has_all_of_them(
    hass: HomeAssistant, config_entry: MockConfigEntry, port: int
) -> None:
    """As one that only dials."""
    update_phone(hass, config_entry, keys=[])
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    async with RawPhone((LOCALHOST, port), "44", PASSWORD) as phone:
        await phone.register()
        with patch.object(button, "ANSWER_WAIT", 0.2):
            await press(hass, SEND)
        assert hass.states.get(SEND).state != "unknown"
        assert not phone.keys


async def test_all_lamps_go_off_as_their_entities_would(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    server: MockConfigEntry,
    phones: Phones,
) -> None:
    """Not only those of lights and switches, and none that shows who holds a line."""
    hass.states.async_set("lock.door", "unlocked")
    keys = [
        key_data("1"),
        key_data("2", colors=True),
        key_data("3", kind="switch", light_off="offline", number_off="*78"),
        key_data("4", kind="none"),
        key_data("5", kind="linked", colors=True, follows="lock.door"),
        key_data("6"),
    ]
    update_phone(hass, config_entry, keys=keys)
    line = [{"phone": "subentry_44", "key": "6"}, {"phone": "subentry_45", "key": "1"}]
    add_phone(hass, config_entry, line_subentry(keys=line))
    await hass.async_block_till_done()
    phone, other = await phones(), await phones("45")
    for entity_id in ("light.phone_44_key_1", "light.phone_44_key_2"):
        await call(
            hass, "snom_buttons.set_key", entity_id=entity_id, light="pickup", label="A"
        )
    await call(hass, "light.turn_on", entity_id="light.phone_45_key_2")
    await call(hass, "switch.turn_on", entity_id="switch.phone_44_alarm")
    await call(hass, "switch.turn_on", entity_id="switch.gate")
    device = er.async_get(hass).async_get(OFF).device_id
    await call(hass, "snom_buttons.set_key", device_id=device, key="4", light="on")
    await call(
        hass, "snom_buttons.send_document", device_id=device, document="k=9\nc=on\nl=B"
    )
    await phone.shows("5", c="on", o="red")
    await phone.until(lambda: "9" in phone.keys and "c" in phone.keys["6"])

    context = Context()
    await press(hass, OFF, context)
    await phone.until(lambda: "c" not in phone.keys["9"])
    # What is not the lamp stays.
    assert phone.keys["1"] == {"a": "message", "n": "key1", "l": "A"}
    assert phone.keys["2"] == {"a": "message", "n": "key2", "l": "A"}
    assert (phone.keys["3"]["c"], phone.keys["3"]["n"]) == ("offline", "*78")
    assert phone.has("4", c=None)
    assert phone.has("5", c=None)
    assert phone.has("6", c="on")
    assert phone.keys["9"] == {"l": "B"}
    assert other.has("2", c="on")
    for entity_id in ("light.phone_44_key_1", "switch.phone_44_alarm"):
        state = hass.states.get(entity_id)
        assert state.state == STATE_OFF
        assert state.context.id == context.id
    assert hass.states.get("switch.gate").state == STATE_ON

    # The linked key shows what it follows again with the next change.
    hass.states.async_set("lock.door", "jammed")
    await phone.shows("5", c="error", o="red")
    # A second press of the button overrides it again, until a reset.
    await press(hass, OFF)
    await phone.shows("5", c=None)
    await call(hass, "snom_buttons.set_key", device_id=device, key="5", reset=True)
    await phone.shows("5", c="error", o="red")


@over_both_speakers
async def test_many_lamps_let_others_have_their_turn(
    hass: HomeAssistant, config_entry: MockConfigEntry, phones: Phones
) -> None:
    keys = [key_data(f"{number}") for number in range(1, 121)]
    update_phone(hass, config_entry, keys=keys)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    await phones()
    phone = config_entry.runtime_data.phones["44"].phone
    for key in phone.keys.values():
        key.turn(True)
    await hass.async_block_till_done()
    turns = []
    with patch.object(button.asyncio, "sleep", side_effect=turns.append):
        pressing = press(hass, OFF)
        await pressing
    # One before, as any action on a phone, and two between.
    assert turns == [0, 0, 0]
    await reaches(hass, "light.phone_44_key_120", STATE_OFF)
    assert not any(key.is_on for key in phone.keys.values())


async def test_the_software_phone_restarts_and_gets_its_keys_again(
    hass: HomeAssistant, server: MockConfigEntry, port: int
) -> None:
    """As in the demo."""
    async with VirtualPhone(
        "44", PASSWORD, registrar=f"{LOCALHOST}:{port}", keys=4
    ) as phone:
        await phone.wait_for(lambda it: it.keys["1"].label == "Key 1")
        await hass.async_block_till_done()
        await call(hass, "light.turn_on", entity_id="light.phone_44_key_1")
        await phone.wait_for(lambda it: it.keys["1"].light == "on")
        for entity_id in (FETCH, RESTART):
            await press(hass, entity_id)
        # Dark after the restart; it registers again, so it gets the whole picture.
        told = [entry.text for entry in phone.history if entry.kind is Kind.CHECK_SYNC]
        assert told == ["check-sync: fetch settings", "check-sync: restart"]

        def shown(phone: VirtualPhone) -> list[str]:
            texts = [entry.text for entry in phone.history]
            after = texts[texts.index("check-sync: restart") :]
            return [text for text in after if text.startswith("key 1: ")]

        await phone.wait_for(lambda it: len(shown(it)) == 2)
        assert shown(phone) == [
            "key 1: off",
            "key 1: on · Key 1 · press sends key1",
        ]
        assert phone.keys["2"].label == "Key 2"
