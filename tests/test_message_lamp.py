"""The message lamp of a phone as a light, and the action set_messages."""

from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons import services
from custom_components.snom_buttons.const import DOMAIN
from homeassistant.const import (
    ATTR_ASSUMED_STATE,
    ATTR_ENTITY_ID,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    EntityCategory,
)
from homeassistant.core import Context, HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er, label_registry as lr
from tests.support.entries import Phones, device_of, reaches, update_phone
from tests.support.rawphone import RawPhone

LAMP = "light.phone_44_message_lamp"
EVENT = "message-summary"


@pytest.fixture
def enabled(config_entry: MockConfigEntry, entity_registry: er.EntityRegistry) -> None:
    """Let the user have enabled the lamp, which is off by default."""
    entity_registry.async_get_or_create(
        "light",
        DOMAIN,
        "subentry_44_message_lamp",
        suggested_object_id="phone_44_message_lamp",
        disabled_by=None,
        config_entry=config_entry,
        config_subentry_id="subentry_44",
    )


def lamp(hass: HomeAssistant) -> State:
    state = hass.states.get(LAMP)
    assert state is not None
    return state


def shown(hass: HomeAssistant) -> tuple[str, int, int, bool]:
    """Return state, new and old messages, and whether the state is assumed."""
    state = lamp(hass)
    counts = state.attributes["new_messages"], state.attributes["old_messages"]
    return state.state, *counts, state.attributes.get(ATTR_ASSUMED_STATE, False)


async def turn(hass: HomeAssistant, how: str, **data: Any) -> None:
    await hass.services.async_call(
        "light", f"turn_{how}", {ATTR_ENTITY_ID: LAMP, **data}, blocking=True
    )


async def set_messages(
    hass: HomeAssistant, mwi: object, *, wait: object = False, **target: Any
) -> Any:
    return await hass.services.async_call(
        DOMAIN,
        "set_messages",
        {"mwi": mwi, "wait": wait},
        blocking=True,
        target=target or {ATTR_ENTITY_ID: LAMP},
        return_response=True,
    )


async def summary(phone: RawPhone, counts: str) -> None:
    """Wait until a NOTIFY has these counts."""
    line = f"Voice-Message: {counts} (0/0)\r\n"
    await phone.until(lambda: any(line in notice.body for notice in phone.notices))


@pytest.mark.usefixtures("server")
def test_it_is_off_by_default(entity_registry: er.EntityRegistry) -> None:
    entry = entity_registry.async_get(LAMP)
    assert entry is not None
    assert entry.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert entry.unique_id == "subentry_44_message_lamp"
    assert entry.entity_category is EntityCategory.CONFIG


@pytest.mark.usefixtures("enabled")
async def test_on_off_and_counts(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    assert lamp(hass).state == STATE_UNAVAILABLE
    phone: RawPhone = await phones()
    await hass.async_block_till_done()
    # It does what it should, and the phone does not show it.
    assert shown(hass) == (STATE_OFF, 0, 0, True)
    assert (await phone.subscribe("44", event=EVENT)).status == 200
    await summary(phone, "0/0")
    await hass.async_block_till_done()
    assert shown(hass) == (STATE_OFF, 0, 0, False)

    await turn(hass, "on")
    assert shown(hass) == (STATE_ON, 1, 0, False)
    await summary(phone, "1/0")
    answer = await set_messages(hass, "3/2")
    device_id = device_of(hass)
    assert answer == {"phones": [{"device_id": device_id, "phone": "44", "mwi": "3/2"}]}
    assert shown(hass) == (STATE_ON, 3, 2, False)
    await summary(phone, "3/2")
    await turn(hass, "on")
    assert shown(hass) == (STATE_ON, 3, 2, False)
    await set_messages(hass, "0/2", device_id=device_id)
    assert shown(hass) == (STATE_OFF, 0, 2, False)
    await turn(hass, "on")
    assert shown(hass) == (STATE_ON, 1, 2, False)
    await turn(hass, "off")
    assert shown(hass) == (STATE_OFF, 0, 0, False)
    await set_messages(hass, "2/0")
    await set_messages(hass, "")
    assert shown(hass) == (STATE_OFF, 0, 0, False)


@pytest.mark.usefixtures("enabled", "phone")
async def test_a_label_may_be_on_the_lamp(
    hass: HomeAssistant, entity_registry: er.EntityRegistry
) -> None:
    label = lr.async_get(hass).async_create("Post").label_id
    for entity_id in (LAMP, "sensor.phone_44_firmware"):
        entity_registry.async_update_entity(entity_id, labels={label})
    await set_messages(hass, "3/2", label_id=label)
    assert shown(hass) == (STATE_ON, 3, 2, True)
    # No keys are labelled.
    with pytest.raises(ServiceValidationError):
        await hass.services.async_call(
            DOMAIN,
            "set_key",
            {"light": "on"},
            blocking=True,
            target={"label_id": label},
        )


@pytest.mark.usefixtures("enabled", "phone")
async def test_the_context_is_that_of_the_action(hass: HomeAssistant) -> None:
    context = Context()
    await hass.services.async_call(
        DOMAIN,
        "set_messages",
        {"mwi": "1/0"},
        blocking=True,
        target={ATTR_ENTITY_ID: LAMP},
        context=context,
    )
    assert lamp(hass).context is context


@pytest.mark.parametrize("value", ["3", "-1/0", "1/2/3", "many", [1], 2.5, None])
@pytest.mark.usefixtures("enabled", "phone")
async def test_what_is_refused(hass: HomeAssistant, value: object) -> None:
    await set_messages(hass, "3/2")
    with pytest.raises(ServiceValidationError):
        await set_messages(hass, value)
    assert shown(hass)[:3] == (STATE_ON, 3, 2)


@pytest.mark.usefixtures("enabled", "phone")
async def test_it_outlives_a_restart(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    await set_messages(hass, "3/2")
    assert await hass.config_entries.async_reload(server.entry_id)
    await reaches(hass, LAMP, STATE_ON)
    assert shown(hass)[:3] == (STATE_ON, 3, 2)


@pytest.mark.usefixtures("enabled", "phone")
async def test_it_counts_as_a_light_of_the_room_as_other_lamps_do(
    hass: HomeAssistant,
    server: MockConfigEntry,
    entity_registry: er.EntityRegistry,
) -> None:
    for chosen, category in ((True, None), (False, EntityCategory.CONFIG)):
        update_phone(hass, server, room_lights=chosen)
        await hass.async_block_till_done()
        entry = entity_registry.async_get(LAMP)
        assert entry is not None
        assert entry.entity_category is category
    await set_messages(hass, "1/0")
    assert lamp(hass).state == STATE_ON


@pytest.mark.usefixtures("enabled")
async def test_waiting_returns_the_answer_of_each_contact(
    hass: HomeAssistant, phone: RawPhone, phones: Phones
) -> None:
    desks = [phone, await phones()]
    for desk in desks:
        assert (await desk.subscribe("44", event=EVENT)).status == 200
    for _ in range(2):  # the second one changes nothing
        response = await set_messages(hass, "3/2", wait=True)
        assert response["phones"][0]["answers"] == ["200 Whatever"] * 2
        for desk in desks:
            assert "Voice-Message: 3/2 (0/0)\r\n" in desk.notices[-1].body
    response = await set_messages(hass, "1/0")
    assert "answers" not in response["phones"][0]


GONE, UNSUBSCRIBED = 0, 1
FAILURES = {
    481: ("phone_refused", "Phone 44 answered 481 Whatever"),
    500: ("phone_refused", "Phone 44 answered 500 Whatever"),
    None: ("phone_silent", "Phone 44 did not answer within 0.2 seconds"),
    GONE: ("phone_not_registered", "Phone 44 is not registered"),
    UNSUBSCRIBED: (
        "messages_not_subscribed",
        "Phone 44 has not subscribed to its messages",
    ),
}


@pytest.mark.parametrize("answer", FAILURES)
@pytest.mark.usefixtures("enabled")
async def test_waiting_fails_if_the_phone_does(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    phone: RawPhone,
    answer: int | None,
) -> None:
    """The lamp keeps what it should show."""
    if answer != UNSUBSCRIBED:
        assert (await phone.subscribe("44", event=EVENT)).status == 200
        await summary(phone, "0/0")
    if answer == GONE:
        await phone.unregister()
    elif answer is None:
        phone.answer = None
    elif answer != UNSUBSCRIBED:
        phone.notice_answers["44"] = answer
    key, message = FAILURES[answer]
    with (
        patch.object(services, "WAIT", 0.2 if answer is None else services.WAIT),
        pytest.raises(HomeAssistantError, match=message) as failed,
    ):
        await set_messages(hass, "3/2", wait=True)
    assert not isinstance(failed.value, ServiceValidationError)
    assert failed.value.translation_key == key
    assert config_entry.runtime_data.phones["44"].phone.waiting.new == 3


@pytest.mark.usefixtures("enabled", "phone")
async def test_one_phone_of_two_fails(hass: HomeAssistant, phones: Phones) -> None:
    """Both are set, and the error names the one that failed."""
    other = await phones("45")
    assert (await other.subscribe("45", event=EVENT)).status == 200
    both = [device_of(hass, f"subentry_{phone}") for phone in ("45", "44")]
    with pytest.raises(HomeAssistantError, match="Phone 44 has not subscribed"):
        await set_messages(hass, "3/2", wait=True, device_id=both)
    await summary(other, "3/2")
    assert shown(hass)[:3] == (STATE_ON, 3, 2)


@pytest.mark.usefixtures("enabled", "phone")
async def test_a_wrong_wish_to_wait_changes_nothing(hass: HomeAssistant) -> None:
    with pytest.raises(ServiceValidationError, match="not allowed for wait"):
        await set_messages(hass, "3/2", wait="perhaps")
    assert shown(hass)[:3] == (STATE_OFF, 0, 0)
