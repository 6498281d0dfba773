"""States that a phone has not taken are assumed, and actions that wait for the phone."""

from __future__ import annotations

import asyncio
from itertools import product
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.snom_buttons import services
from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.engine.phones import outbox
from homeassistant.const import ATTR_ASSUMED_STATE, STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event
from tests.support.blfphone import over_both_speakers
from tests.support.entries import Phones, in_sync
from tests.support.patience import PATIENCE
from tests.support.rawphone import RawPhone

LIGHT = "light.phone_44_key_1"
OTHER = "light.phone_44_key_2"
SWITCH = "switch.phone_44_alarm"
LABEL = "text.phone_44_key_1_label"
CHANGES: dict[str, tuple[str, str, dict[str, Any]]] = {
    LIGHT: ("light", "turn_on", {}),
    SWITCH: ("switch", "turn_on", {}),
    LABEL: ("text", "set_value", {"value": "new"}),
}


@pytest.fixture
async def phone(
    hass: HomeAssistant, config_entry: MockConfigEntry, phones: Phones
) -> RawPhone:
    """Return phone 44, registered and in sync, with the label of key 1 enabled."""
    er.async_get(hass).async_get_or_create(
        "text",
        DOMAIN,
        "subentry_44_1_label",
        config_entry=config_entry,
        config_subentry_id="subentry_44",
        suggested_object_id="phone_44_key_1_label",
        disabled_by=None,
    )
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    registered: RawPhone = await phones()
    await in_sync(config_entry)
    return registered


def is_assumed(hass: HomeAssistant, entity_id: str) -> bool:
    state = hass.states.get(entity_id)
    assert state is not None
    return state.attributes.get(ATTR_ASSUMED_STATE, False)


async def becomes(hass: HomeAssistant, entity_id: str, assumed: bool) -> None:
    """Wait until the state of an entity is assumed, or no longer."""
    news = asyncio.Event()
    unsubscribe = async_track_state_change_event(
        hass, entity_id, callback(lambda _: news.set())
    )
    async with asyncio.timeout(PATIENCE):
        while is_assumed(hass, entity_id) is not assumed:
            news.clear()
            await news.wait()
    unsubscribe()


async def change(hass: HomeAssistant, entity_id: str, **more: Any) -> None:
    domain, action, data = CHANGES[entity_id]
    await hass.services.async_call(
        domain, action, {"entity_id": entity_id, **data, **more}, blocking=True
    )


async def call(hass: HomeAssistant, action: str, **data: Any) -> Any:
    return await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True
    )


# The state

over_both_speakers_but_labels = pytest.mark.parametrize(
    ("speaker", "entity_id"),
    [
        ("buttons", LABEL),  # which no BLF key has
        *product(("buttons", "blf"), (LIGHT, SWITCH)),
    ],
    indirect=["speaker"],
)


@over_both_speakers_but_labels
async def test_a_state_that_the_phone_refuses_is_assumed_until_it_takes_it(
    hass: HomeAssistant, phone: RawPhone, entity_id: str
) -> None:
    assert not is_assumed(hass, entity_id)
    phone.answer = 415
    await change(hass, entity_id)
    await becomes(hass, entity_id, True)
    assert hass.states.get(entity_id).state in (STATE_ON, "new")
    assert not is_assumed(hass, OTHER), "which the phone has taken"
    phone.answer = 200
    await call(hass, "set_key", entity_id=entity_id, light="hold", label="newest")
    await becomes(hass, entity_id, False)


@over_both_speakers_but_labels
async def test_a_state_without_an_answer_is_assumed_after_a_second(
    hass: HomeAssistant, phone: RawPhone, entity_id: str
) -> None:
    phone.answer = None
    with patch.object(outbox, "SLOW", 0.05):
        await change(hass, entity_id)
        assert not is_assumed(hass, entity_id)
        await becomes(hass, entity_id, True)
    phone.answer = 200
    await becomes(hass, entity_id, False)


@over_both_speakers
@pytest.mark.parametrize("entity_id", [LIGHT, SWITCH])
async def test_a_phone_that_answers_changes_a_state_once(
    hass: HomeAssistant, phone: RawPhone, entity_id: str
) -> None:
    """A trigger on any change of state would otherwise run twice."""
    changes = async_capture_events(hass, "state_changed")
    await change(hass, entity_id)
    await phone.shows("1" if entity_id == LIGHT else "3", c="on")
    await call(hass, "set_key", entity_id=OTHER, light="on", wait=True)
    await hass.async_block_till_done()
    assert [event.data["entity_id"] for event in changes] == [entity_id, OTHER]


async def test_a_key_that_the_phone_refuses_changes_no_other_state(
    hass: HomeAssistant, config_entry: MockConfigEntry, phone: RawPhone
) -> None:
    """Neither with a change of another key nor when the phone registers again."""
    phone.refuses = "2"
    await change(hass, SWITCH)
    await phone.shows("3", c="on")  # not in one document with the other key
    await call(hass, "set_key", entity_id=OTHER, light="hold")
    await becomes(hass, OTHER, True)
    changes = async_capture_events(hass, "state_changed")
    await call(hass, "set_key", entity_id=LIGHT, light="on", wait=True)
    assert [event.data["entity_id"] for event in changes] == [LIGHT]
    changes.clear()
    for _ in range(2):
        await phone.register()
        await call(hass, "set_key", entity_id=[LIGHT, SWITCH], light="on", wait=True)
    assert not changes
    assert is_assumed(hass, OTHER)
    phone.refuses = None
    await call(hass, "set_key", entity_id=OTHER, light="hold", wait=True)
    assert not is_assumed(hass, OTHER)


@over_both_speakers
async def test_a_registration_changes_each_state_once(
    hass: HomeAssistant, config_entry: MockConfigEntry, phone: RawPhone, speaker: str
) -> None:
    """From unavailable, not by way of an assumed state.

    BLF keys are assumed until the phone subscribes to them, after it has registered.
    """
    await phone.unregister()
    changes = async_capture_events(hass, "state_changed")
    await phone.register()
    await in_sync(config_entry)
    await hass.async_block_till_done()
    assumed: dict[str, list[bool]] = {lamp: [] for lamp in CHANGES}
    for event in changes:
        if (entity_id := event.data["entity_id"]) in assumed:
            attributes = event.data["new_state"].attributes
            assumed[entity_id].append(attributes.get("assumed_state", False))
    expected = [True, False] if speaker == "blf" else [False]
    assert assumed == dict.fromkeys(CHANGES, expected)


@over_both_speakers
async def test_the_states_of_a_phone_that_is_not_registered_are_assumed(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    await phone.unregister()
    for entity_id in (LIGHT, SWITCH):
        assert hass.states.get(entity_id).state == STATE_UNAVAILABLE
        assert is_assumed(hass, entity_id)


# Actions that wait


@over_both_speakers
async def test_the_answer_is_in_the_response(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    response = await call(
        hass, "set_key", entity_id=[LIGHT, OTHER], light="on", wait=True
    )
    assert [key["answers"] for key in response["keys"]] == [["200 Whatever"]] * 2
    assert phone.has("1", c="on") and phone.has("2", c="on")


async def test_the_answer_to_a_document_is_in_the_response(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    response = await call(
        hass, "send_document", entity_id=LIGHT, document="k=99\nc=on", wait="yes"
    )
    assert response["phones"][0]["answers"] == ["200 Whatever"]
    assert phone.has("99", c="on")


@over_both_speakers
@pytest.mark.parametrize("more", [{}, {"wait": False}])
async def test_without_waiting_there_is_no_answer(
    hass: HomeAssistant, phone: RawPhone, more: dict[str, bool]
) -> None:
    phone.answer = 415
    response = await call(hass, "set_key", entity_id=LIGHT, light="on", **more)
    assert "answers" not in response["keys"][0]


@over_both_speakers
async def test_two_contacts_give_two_answers(
    hass: HomeAssistant, config_entry: MockConfigEntry, phone: RawPhone, phones: Phones
) -> None:
    await phones()
    await in_sync(config_entry)
    response = await call(hass, "set_key", entity_id=LIGHT, light="on", wait=True)
    assert response["keys"][0]["answers"] == ["200 Whatever"] * 2


GONE = 0
FAILURES = {
    415: "Phone 44 answered 415 Whatever",
    None: "Phone 44 did not answer within 0.2 seconds",
    GONE: "Phone 44 is not registered",
}


@over_both_speakers
@pytest.mark.parametrize(
    "action",
    [
        ("set_key", {"light": "on"}),
        ("send_document", {"document": "k=1\nc=on"}),
    ],
    ids=lambda action: action[0],
)
@pytest.mark.parametrize("answer", FAILURES)
async def test_an_action_fails_if_the_phone_does(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    phone: RawPhone,
    action: tuple[str, dict[str, str]],
    answer: int | None,
) -> None:
    """The key keeps what it should show."""
    if answer == GONE:
        await phone.unregister()
    else:
        phone.answer = answer
    with (
        patch.object(services, "WAIT", 0.2),
        pytest.raises(HomeAssistantError, match=FAILURES[answer]) as failed,
    ):
        await call(hass, action[0], entity_id=LIGHT, wait=True, **action[1])
    assert not isinstance(failed.value, ServiceValidationError)
    assert failed.value.translation_key in (
        "phone_refused",
        "phone_silent",
        "phone_not_registered",
    )
    key = config_entry.runtime_data.phones["44"].phone.keys["1"]
    assert key.is_on


@over_both_speakers
@pytest.mark.parametrize("how", ["unload", "remove", "unregister"])
async def test_waiting_ends_with_the_registration(
    hass: HomeAssistant, config_entry: MockConfigEntry, phone: RawPhone, how: str
) -> None:
    """Not after 10 seconds."""
    phone.answer = None
    waiting = hass.async_create_task(
        call(hass, "set_key", entity_id=LIGHT, light="on", wait=True)
    )
    with patch.object(services, "WAIT", 10 * PATIENCE):
        await asyncio.sleep(0)
        match how:
            case "unload":
                assert await hass.config_entries.async_unload(config_entry.entry_id)
            case "remove":
                hass.config_entries.async_remove_subentry(config_entry, "subentry_44")
            case "unregister":
                await phone.unregister()
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(HomeAssistantError, match="Phone 44 is not registered"):
                await waiting


@over_both_speakers
async def test_one_phone_of_two_fails(
    hass: HomeAssistant, phone: RawPhone, phones: Phones
) -> None:
    """All are set, and the error names the one that failed."""
    phone.answer = 488
    other = await phones("45")
    lamps = ["light.phone_45_key_1", LIGHT]
    with pytest.raises(HomeAssistantError, match="Phone 44 answered 488 Whatever"):
        await call(hass, "set_key", entity_id=lamps, light="on", wait=True)
    assert other.has("1", c="on")


async def test_a_wrong_wish_to_wait_is_refused_and_changes_nothing(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    for action, data in (
        ("set_key", {"light": "on"}),
        ("send_document", {"document": "k=1\nc=on"}),
    ):
        with pytest.raises(ServiceValidationError, match="not allowed for wait"):
            await call(hass, action, entity_id=LIGHT, wait="perhaps", **data)
    assert hass.states.get(LIGHT).state == "off"
