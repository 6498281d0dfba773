"""The action `press_key`: what a press on the phone does, without a phone."""

import asyncio
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_capture_events,
    async_mock_service,
)

from custom_components.snom_buttons.hub.links import press as linked_press
from homeassistant.core import Context, Event, HomeAssistant, ServiceCall, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.setup import async_setup_component
from tests.support.blfphone import over_both_speakers
from tests.support.entries import (
    KEYS,
    add_phone,
    key_data,
    line_subentry,
    reaches,
    update_phone,
)
from tests.support.rawphone import RawPhone

TOGGLE = key_data("3", kind="switch", name="Alarm", toggle=True)
LINK = key_data("4", kind="linked", follows="light.hall")


LINKED_KEY = "event.phone_44_key_4_press"
LAMP = "input_boolean.lamp"


async def press_key(
    hass: HomeAssistant,
    entity_id: str | list[str] = "event.phone_44_alarm_press",
    **data: Any,
) -> Any:
    return await hass.services.async_call(
        "snom_buttons",
        "press_key",
        {"entity_id": entity_id} | data,
        blocking=True,
        return_response=True,
    )


@pytest.fixture
async def server(hass: HomeAssistant, config_entry: MockConfigEntry) -> MockConfigEntry:
    hass.states.async_set("light.hall", "off")
    update_phone(hass, config_entry, keys=[*KEYS[:2], TOGGLE, LINK])
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    return config_entry


@over_both_speakers
async def test_it_does_what_a_press_on_the_phone_does(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    presses = async_capture_events(hass, "snom_buttons_key_press")
    assert (await phone.press("3")).status == phone.press_status
    await reaches(hass, "switch.phone_44_alarm", "on")
    answer = await press_key(hass)
    assert [(key["phone"], key["key"]) for key in answer["keys"]] == [("44", "3")]
    await reaches(hass, "switch.phone_44_alarm", "off")
    await hass.async_block_till_done()
    real, simulated = (
        {k: v for k, v in press.data.items() if k not in ("time", "id")}
        for press in presses
    )
    assert simulated == real | {"simulated": True}
    state = hass.states.get("event.phone_44_alarm_press")
    assert state and state.attributes["simulated"] is True
    assert (await phone.press("3")).status == phone.press_status
    await reaches(hass, "switch.phone_44_alarm", "on")
    state = hass.states.get("event.phone_44_alarm_press")
    assert state and "simulated" not in state.attributes


async def test_it_presses_a_linked_key_in_the_context_of_its_caller(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    toggles = async_mock_service(hass, "light", "toggle")
    presses = async_capture_events(hass, "snom_buttons_key_press")
    context = Context()
    await hass.services.async_call(
        "snom_buttons",
        "press_key",
        {"entity_id": "event.phone_44_key_4_press"},
        blocking=True,
        context=context,
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert toggles[0].data == {"entity_id": "light.hall"}
    assert toggles[0].context is presses[0].context is context


async def test_a_press_does_nothing_that_its_user_may_not_do(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    """The user may press the key, and may not control what the key follows."""
    boolean = {"input_boolean": {"lamp": {}}}
    assert await async_setup_component(hass, "input_boolean", boolean)
    turn = {"action": "input_boolean.toggle", "target": {"entity_id": LAMP}}
    keys = [LINK | {"follows": LAMP}, LINK | {"key": "5", "actions": [turn]}]
    keys[1]["name"] = "Key 5"
    await links(hass, config_entry, *keys)
    user = MockUser().add_to_hass(hass)
    user.mock_policy({"entities": {"domains": {"event": True}}})
    for key in ("4", "5"):
        with pytest.raises(HomeAssistantError, match="failed"):
            await hass.services.async_call(
                "snom_buttons",
                "press_key",
                {"entity_id": f"event.phone_44_key_{key}_press", "wait": True},
                blocking=True,
                context=Context(user_id=user.id),
            )
    assert hass.states.is_state(LAMP, "off")


@over_both_speakers
async def test_a_key_of_a_shared_line_can_be_pressed_and_not_set(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    keys = [{"phone": "subentry_44", "key": "3"}]
    add_phone(hass, server, line_subentry(keys=keys))
    await phone.shows("3", c=None, a="seize")
    await press_key(hass)
    await phone.shows("3", c="on", a="release")
    await press_key(hass)
    await phone.shows("3", c=None, a="seize")
    with pytest.raises(ServiceValidationError, match="belongs to the shared line Gate"):
        await hass.services.async_call(
            "snom_buttons",
            "set_key",
            {"entity_id": "event.phone_44_alarm_press", "light": "on"},
            blocking=True,
        )


async def test_a_key_that_calls_presses_all_keys_with_its_number(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    rules = {"dial_rules": [{"number": "77", "run": "script.doorbell"}]}
    update_phone(hass, server, dialling=rules)
    await hass.async_block_till_done()
    for entity_id in ("light.phone_44_key_1", "light.phone_44_key_2"):
        await hass.services.async_call(
            "snom_buttons",
            "set_key",
            {"entity_id": entity_id, "number": "77", "action": "invite"},
            blocking=True,
        )
    presses = async_capture_events(hass, "snom_buttons_key_press")
    dialled = async_capture_events(hass, "snom_buttons_dialled")
    runs = async_mock_service(hass, "script", "turn_on")
    await press_key(hass, "light.phone_44_key_1")
    await hass.async_block_till_done()
    assert [(press.data["key"], press.data["action"]) for press in presses] == [
        ("1", "invite"),
        ("2", "invite"),
    ]
    assert [event.data["number"] for event in dialled] == ["77"]
    assert len(runs) == 1


async def test_a_key_without_a_number_sends_nothing(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    await hass.services.async_call(
        "snom_buttons",
        "set_key",
        {"entity_id": "light.phone_44_key_1", "number": ""},
        blocking=True,
    )
    presses = async_capture_events(hass, "snom_buttons_key_press")
    with pytest.raises(ServiceValidationError, match="key 1, which has no number"):
        await press_key(hass, "light.phone_44_key_1")
    assert not presses
    with pytest.raises(ServiceValidationError, match="Name a key's entity"):
        await hass.services.async_call("snom_buttons", "press_key", {}, blocking=True)


async def test_a_blf_key_sends_its_name_without_a_number(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    update_phone(hass, server, sending={"speakers": "blf"})
    await hass.services.async_call(
        "snom_buttons",
        "set_key",
        {"entity_id": "light.phone_44_key_1", "number": ""},
        blocking=True,
    )
    presses = async_capture_events(hass, "snom_buttons_key_press")
    await press_key(hass, "light.phone_44_key_1")
    await hass.async_block_till_done()
    assert [event.data["number"] for event in presses] == ["1"]


async def test_actions_that_press_their_own_key_do_not_run_in_a_circle(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    hass.states.async_set("light.hall", "off")
    own = {
        "action": "snom_buttons.press_key",
        "target": {"entity_id": "event.phone_44_key_4_press"},
    }
    update_phone(hass, config_entry, keys=[LINK | {"actions": [own]}])
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    presses = async_capture_events(hass, "snom_buttons_key_press")
    await press_key(hass, "event.phone_44_key_4_press")
    for _ in range(3):
        await hass.async_block_till_done(wait_background_tasks=True)
    # The second press is an event, and runs no action.
    assert len(presses) == 2


async def test_two_keys_that_press_each_other_do_not_run_in_a_circle(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    """Also through a script for which the actions do not wait."""
    hass.states.async_set("light.hall", "off")
    scripts = {
        f"press_{key}": {
            "sequence": {
                "action": "snom_buttons.press_key",
                "target": {"entity_id": f"event.phone_44_key_{key}_press"},
            }
        }
        for key in ("4", "5")
    }
    assert await async_setup_component(hass, "script", {"script": scripts})
    keys = [
        LINK
        | {
            "key": key,
            "name": f"Key {key}",
            "actions": [
                {
                    "action": "script.turn_on",
                    "target": {"entity_id": f"script.press_{other}"},
                }
            ],
        }
        for key, other in (("4", "5"), ("5", "4"))
    ]
    update_phone(hass, config_entry, keys=keys)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    presses = async_capture_events(hass, "snom_buttons_key_press")
    await press_key(hass, "event.phone_44_key_4_press")
    for _ in range(5):
        await hass.async_block_till_done(wait_background_tasks=True)
    assert [press.data["key"] for press in presses] == ["4", "5", "4"]


async def test_what_presses_keys_for_ever_does_not_collect_what_has_ended(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An automation whose delay is longer than the time in which a press is a circle."""
    monkeypatch.setattr(linked_press, "CIRCLE_SECONDS", -1)
    await links(hass, config_entry, LINK | {"actions": [{"action": "test.note"}]})
    has_ended = asyncio.Event()
    causes: list[int] = []
    later: list[asyncio.Task[Any]] = []

    async def press_again() -> None:
        await has_ended.wait()
        await press_key(hass, LINKED_KEY, wait=True)

    async def note(_: ServiceCall) -> None:
        causes.append(len(linked_press._ACTING.get()))
        if not later:
            later.append(hass.async_create_task(press_again()))

    hass.services.async_register("test", "note", note)
    await press_key(hass, LINKED_KEY, wait=True)
    has_ended.set()
    await later[0]
    assert causes == [1, 1]


# With `wait`


def async_pressed(hass: HomeAssistant, key: str) -> asyncio.Event:
    """Return what is set once a key was pressed."""
    pressed = asyncio.Event()

    @callback
    def note(event: Event[Any]) -> None:
        if event.data["key"] == key:
            pressed.set()

    hass.bus.async_listen("snom_buttons_key_press", note)
    return pressed


async def links(
    hass: HomeAssistant, entry: MockConfigEntry, *keys: dict[str, Any]
) -> None:
    """Set up phone 44 with these keys."""
    update_phone(hass, entry, keys=list(keys))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def test_it_waits_until_the_action_of_a_link_has_ended(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    hass.states.async_set("light.hall", "off")
    waits = {"wait_template": "{{ is_state('light.hall', 'on') }}"}
    await links(hass, config_entry, LINK | {"actions": [waits]}, TOGGLE)
    pressed = async_pressed(hass, "3")
    both = [LINKED_KEY, "event.phone_44_alarm_press"]
    pressing = asyncio.create_task(press_key(hass, both, wait=True))
    await pressed.wait()  # another key acts at once
    await hass.async_block_till_done()
    assert not pressing.done()
    with pytest.raises(HomeAssistantError, match="Key 4 of Phone 44 is still busy"):
        await press_key(hass, LINKED_KEY, wait=True)
    hass.states.async_set("light.hall", "on")
    answer = await pressing
    assert [key.get("outcome") for key in answer["keys"]] == [None, "acted"]
    assert "outcome" not in (await press_key(hass, LINKED_KEY))["keys"][0]


async def test_an_action_that_fails_is_named(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    hass.states.async_set("light.hall", "unavailable")
    unknown = {"action": "light.no_such"}
    await links(
        hass,
        config_entry,
        LINK,
        LINK | {"key": "5", "name": "Key 5", "actions": [unknown]},
    )
    for key, reason in (
        ("4", "light.hall is unavailable"),
        ("5", "light.no_such not found"),
    ):
        with pytest.raises(
            HomeAssistantError,
            match=rf"The press of key {key} of Phone 44 failed: .*{reason}",
        ) as error:
            await press_key(hass, f"event.phone_44_key_{key}_press", wait=True)
        assert error.value.translation_key == "press_failed"


async def test_a_press_that_only_asks_or_does_nothing_has_that_outcome(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    hass.states.async_set("light.hall", "off")
    await links(
        hass,
        config_entry,
        LINK | {"confirm": "always"},
        LINK | {"key": "5", "name": "Key 5", "press": "nothing"},
    )
    toggles = async_mock_service(hass, "light", "toggle")
    keys = [LINKED_KEY, "event.phone_44_key_5_press"]
    for first in ("asked", "acted"):
        answer = await press_key(hass, keys, wait=True)
        assert [key["outcome"] for key in answer["keys"]] == [first, "nothing"]
    assert len(toggles) == 1


async def test_a_call_of_a_linked_key_waits_for_all_keys_with_its_number(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    hass.states.async_set("light.hall", "off")
    second = LINK | {"key": "5", "name": "Key 5"}
    await links(hass, config_entry, LINK, second | {"actions": [{"stop": "x"}]})
    toggles = async_mock_service(hass, "light", "toggle")
    await hass.services.async_call(
        "snom_buttons",
        "set_key",
        {
            "entity_id": [LINKED_KEY, "event.phone_44_key_5_press"],
            "number": "77",
            "action": "invite",
        },
        blocking=True,
    )
    answer = await press_key(hass, LINKED_KEY, wait=True)
    assert [key["outcome"] for key in answer["keys"]] == ["acted"]
    assert len(toggles) == 1


async def test_actions_that_wait_for_their_own_key_do_not_wait_for_ever(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    hass.states.async_set("light.hall", "off")
    own = {
        "action": "snom_buttons.press_key",
        "target": {"entity_id": LINKED_KEY},
        "data": {"wait": True},
    }
    await links(hass, config_entry, LINK | {"actions": [own]})
    answer = await press_key(hass, LINKED_KEY, wait=True)
    assert answer["keys"][0]["outcome"] == "acted"


@pytest.mark.parametrize("action", ["script", "device", "none"])
async def test_an_end_of_the_server_ends_the_wait(
    hass: HomeAssistant, config_entry: MockConfigEntry, action: str
) -> None:
    hass.states.async_set("light.hall", "off")
    asked = asyncio.Event()
    never = asyncio.Event()

    async def toggle(_: ServiceCall) -> None:
        asked.set()
        await never.wait()

    actions = [{"action": "light.toggle"}] if action == "script" else []
    await links(hass, config_entry, LINK | {"actions": actions})
    hass.services.async_register("light", "toggle", toggle)
    pressing = asyncio.create_task(press_key(hass, LINKED_KEY, wait=True))
    if action == "none":
        # The press is not even emitted when the links end.
        await asyncio.sleep(0)
        hub = config_entry.runtime_data
        for follower in hub._followers:
            await follower.stop()
    else:
        await asked.wait()
    assert await hass.config_entries.async_unload(config_entry.entry_id)
    with pytest.raises(HomeAssistantError, match="ended before it was done"):
        await pressing
    never.set()


async def test_a_link_that_is_removed_at_once_ends_the_wait(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    hass.states.async_set("light.hall", "off")
    await links(hass, config_entry, LINK)
    pressing = hass.async_create_task(press_key(hass, LINKED_KEY, wait=True))
    # The press is emitted in the next turn.
    update_phone(hass, config_entry, keys=[key_data("4")])
    answer = await pressing
    assert [key["outcome"] for key in answer["keys"]] == ["nothing"]


async def test_a_wait_that_is_cancelled_leaves_the_action_alone(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    hass.states.async_set("light.hall", "off")
    waits = {"wait_template": "{{ is_state('light.hall', 'on') }}"}
    happens = {"event": "happened"}
    await links(hass, config_entry, LINK | {"actions": [waits, happens]})
    pressed = async_pressed(hass, "4")
    pressing = asyncio.create_task(press_key(hass, LINKED_KEY, wait=True))
    await pressed.wait()
    await hass.async_block_till_done()
    happened = async_capture_events(hass, "happened")
    pressing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pressing
    hass.states.async_set("light.hall", "on")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(happened) == 1
