"""What *Activity* says of presses, and of what they have caused."""

import asyncio

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.snom_buttons.engine.mqtt.commands import set_key
from custom_components.snom_buttons.hub.texts import async_load_texts
from homeassistant.components.recorder import Recorder
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Context, HomeAssistant, State
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.support.activity import Told, recorded, set_up_activity, told
from tests.support.blfphone import over_both_speakers
from tests.support.entries import (
    KEYS,
    Phones,
    add_phone,
    device_of,
    key_data,
    line_subentry,
    reaches,
    update_phone,
)
from tests.support.patience import PATIENCE
from tests.support.rawphone import RawPhone

ALARM = key_data("3", kind="switch", name="Alarm", toggle=True)
RULES = {"dial_rules": [{"number": "77", "run": "script.doorbell"}]}
SCRIPT = {
    "script": {
        "doorbell": {
            "sequence": {
                "action": "snom_buttons.set_key",
                "target": {"entity_id": "light.phone_44_key_1"},
                "data": {"light": "on", "label": "Door"},
            }
        }
    }
}
AUTOMATION = {
    "automation": {
        "alias": "Lamp by key",
        "triggers": {"trigger": "event", "event_type": "snom_buttons_key_press"},
        "actions": {
            "action": "light.turn_on",
            "target": {"entity_id": "light.phone_44_key_1"},
        },
    }
}


@pytest.fixture
async def server(hass: HomeAssistant, config_entry: MockConfigEntry) -> MockConfigEntry:
    """Return the entry of a server whose phone 44 has a switch and a dial rule."""
    assert await async_setup_component(hass, "script", SCRIPT)
    update_phone(hass, config_entry, keys=[*KEYS[:2], ALARM, KEYS[3]], dialling=RULES)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    return config_entry


def state(hass: HomeAssistant, entity_id: str) -> State:
    found = hass.states.get(entity_id)
    assert found is not None
    return found


@over_both_speakers
async def test_what_a_press_does_has_its_context(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    presses = async_capture_events(hass, "snom_buttons_key_press")
    seen: list[Context] = []
    for on in ("on", "off"):
        await phone.press("3")
        await hass.async_block_till_done()
        context = presses[-1].context
        assert state(hass, "switch.phone_44_alarm").state == on
        assert state(hass, "switch.phone_44_alarm").context is context
        assert state(hass, "event.phone_44_alarm_press").context is context
        assert context not in seen
        seen.append(context)
    # By another way there is no press.
    await hass.services.async_call(
        "switch", "turn_on", {"entity_id": "switch.phone_44_alarm"}, blocking=True
    )
    assert state(hass, "switch.phone_44_alarm").context not in seen


@over_both_speakers
async def test_what_nothing_caused_has_a_context_of_its_own(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    """A command from the broker is such, and so is a phone that goes away."""
    running = server.runtime_data.server.phones["44"]
    seen: list[Context] = []

    await phone.press("3")
    await hass.async_block_till_done()
    seen.append(state(hass, "switch.phone_44_alarm").context)
    set_key(running, "3", b"OFF")
    assert state(hass, "switch.phone_44_alarm").state == "off"
    assert state(hass, "switch.phone_44_alarm").context not in seen

    await phone.press("3")
    await hass.async_block_till_done()
    seen.append(state(hass, "switch.phone_44_alarm").context)
    await phone.unregister()
    await hass.async_block_till_done()
    assert state(hass, "switch.phone_44_alarm").state == "unavailable"
    assert state(hass, "switch.phone_44_alarm").context not in seen
    assert state(hass, "event.phone_44_alarm_press").context not in seen


@over_both_speakers
async def test_presses_at_the_same_moment_share_no_context(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    presses = async_capture_events(hass, "snom_buttons_key_press")
    await asyncio.gather(*(phone.press("3") for _ in range(4)))
    await hass.async_block_till_done()
    contexts = [press.context for press in presses]
    assert len({context.id for context in contexts}) == 4
    for entity_id in ("switch.phone_44_alarm", "event.phone_44_alarm_press"):
        assert [
            change.context
            for change in changes
            if change.data["entity_id"] == entity_id
        ] == contexts


@over_both_speakers
async def test_a_press_is_the_parent_of_an_automation(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    assert await async_setup_component(hass, "automation", AUTOMATION)
    presses = async_capture_events(hass, "snom_buttons_key_press")
    await phone.press("2")
    await phone.shows("1", c="on")
    await hass.async_block_till_done()
    lamp = state(hass, "light.phone_44_key_1")
    assert lamp.context.parent_id == presses[0].context.id


@over_both_speakers
async def test_a_dial_rule_runs_in_the_context_of_the_number(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    """Also the action `set_key` that its script calls."""
    dialled = async_capture_events(hass, "snom_buttons_dialled")
    started = async_capture_events(hass, "script_started")
    await phone.invite("77")
    await phone.shows("1", c="on", l="Door")
    await hass.async_block_till_done()
    context = dialled[0].context
    assert state(hass, "event.phone_44_dialled").context is context
    assert started[0].context is context
    assert state(hass, "light.phone_44_key_1").context is context


async def test_a_document_is_shown_in_the_context_of_its_action(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    context = Context()
    await hass.services.async_call(
        "snom_buttons",
        "send_document",
        {
            "device_id": server.runtime_data.phones["44"].device_id,
            "document": "k=1\nc=on\n",
        },
        blocking=True,
        context=context,
    )
    assert state(hass, "light.phone_44_key_1").context is context


@over_both_speakers
async def test_a_line_is_seized_in_the_context_of_the_press(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    add_phone(hass, server, line_subentry())
    await hass.async_block_till_done()
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    presses = async_capture_events(hass, "snom_buttons_key_press")
    uses = async_capture_events(hass, "snom_buttons_shared_line")
    await phone.shows("1", c=None, a="seize")
    await phone.press("1", "seize")
    await phone.shows("1", c="on", a="release")
    await hass.async_block_till_done()
    context = presses[0].context
    assert uses[0].context is context
    changed = {event.data["entity_id"]: event.context for event in changes}
    assert changed == dict.fromkeys(
        ("switch.gate", "event.gate_use", "event.phone_44_key_1_press"), context
    )
    # Home Assistant itself can release it.
    context = Context()
    await hass.services.async_call(
        "switch",
        "turn_off",
        {"entity_id": "switch.gate"},
        blocking=True,
        context=context,
    )
    await hass.async_block_till_done()
    assert uses[1].context is context
    assert state(hass, "event.gate_use").context is context


# The logbook

PRESSED = "Key 3 (Alarm) was pressed at Phone 44"
BY_A_PRESS = {
    ("Key 3 (Alarm)", "was pressed at Phone 44", None),
    ("switch.phone_44_alarm", "on", PRESSED),
    ("event.phone_44_alarm_press", "press_end", PRESSED),
}
DIALLED = "Phone 44 dialled 77"
BY_A_NUMBER = {
    ("Phone 44", "dialled 77", None),
    ("event.phone_44_dialled", "dialled", DIALLED),
    ("doorbell", "started", DIALLED),
    ("light.phone_44_key_1", "on", DIALLED),
}


@pytest.fixture
async def logbook(recorder_mock: Recorder, hass: HomeAssistant) -> None:
    await set_up_activity(hass)


@over_both_speakers
@pytest.mark.usefixtures("recorder_mock", "logbook")
async def test_the_logbook_names_the_press(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phone: RawPhone,
    hass_ws_client: WebSocketGenerator,
) -> None:
    await phone.press("3")
    await phone.press("4", number="key4")
    await phone.invite("77")
    await phone.shows("1", c="on")
    await hass.async_block_till_done()
    client = await hass_ws_client()
    log = set(await recorded(hass, client))
    assert log >= BY_A_PRESS | BY_A_NUMBER
    # A key that is not used has no entity.
    assert ("Key 4", "was pressed at Phone 44", None) in log
    # Of one entity alone, too, and of the phone.
    log = await recorded(hass, client, entity_ids=["switch.phone_44_alarm"])
    assert ("switch.phone_44_alarm", "on", PRESSED) in log
    device_id = server.runtime_data.phones["44"].device_id
    log = await recorded(hass, client, device_ids=[device_id])
    assert ("Key 3 (Alarm)", "was pressed at Phone 44", None) in log


@over_both_speakers
@pytest.mark.usefixtures("recorder_mock", "logbook")
async def test_the_logbook_names_the_press_as_it_happens(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phone: RawPhone,
    hass_ws_client: WebSocketGenerator,
) -> None:
    await async_wait_recording_done(hass)
    client = await hass_ws_client()
    await client.send_json_auto_id(
        {"type": "logbook/event_stream", "start_time": dt_util.utcnow().isoformat()}
    )
    assert (await client.receive_json())["success"]
    assert (await client.receive_json())["event"]["events"] == []
    await phone.press("3")
    await phone.invite("77")
    await phone.shows("1", c="on")
    log: set[Told] = set()
    async with asyncio.timeout(PATIENCE):
        while not log >= BY_A_PRESS | BY_A_NUMBER:
            news = await client.receive_json()
            log |= {told(entry) for entry in news["event"]["events"]}
    assert {cause for who, _, cause in log if who.startswith(("Key", "Phone"))} == {
        None
    }


LIVING_ROOM = key_data("4", kind="linked", name="Living room") | {
    "follows": "input_boolean.living_room"
}


@over_both_speakers
@pytest.mark.usefixtures("recorder_mock", "logbook")
async def test_the_logbook_names_the_press_behind_a_linked_entity(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    phones: Phones,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """And behind an automation with a device trigger, and what that turns on."""
    helpers = {"living_room": {"name": "Living room"}, "desk": {"name": "Desk"}}
    assert await async_setup_component(
        hass, "input_boolean", {"input_boolean": helpers}
    )
    update_phone(hass, config_entry, keys=[*KEYS[:3], LIVING_ROOM])
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    automation = {
        "id": "desk",
        "alias": "Desk by key",
        "triggers": {
            "trigger": "device",
            "domain": "snom_buttons",
            "device_id": device_of(hass),
            "type": "pressed",
            "subtype": "3 (Alarm)",
        },
        "actions": {
            "action": "input_boolean.turn_on",
            "target": {"entity_id": "input_boolean.desk"},
        },
    }
    assert await async_setup_component(hass, "automation", {"automation": automation})
    await hass.async_block_till_done()
    phone = await phones()
    await phone.press("4")
    await reaches(hass, "input_boolean.living_room", "on")
    await phone.press("3")
    await reaches(hass, "input_boolean.desk", "on")
    await hass.async_block_till_done()
    client = await hass_ws_client()
    log = await recorded(hass, client)
    by_the_event = "triggered by event 'snom_buttons_key_press'"
    assert set(log) >= {
        ("Key 4 (Living room)", "was pressed at Phone 44", None),
        (
            "input_boolean.living_room",
            "on",
            "Key 4 (Living room) was pressed at Phone 44",
        ),
        ("Key 3 (Alarm)", "was pressed at Phone 44", None),
        ("Desk by key", by_the_event, PRESSED),
        ("input_boolean.desk", "on", f"Desk by key {by_the_event}"),
    }


@over_both_speakers
@pytest.mark.usefixtures("recorder_mock", "logbook")
async def test_the_logbook_speaks_the_language_of_home_assistant(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phone: RawPhone,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """Also of a phone that is gone. It is English in a language without our texts."""
    hass.config.language = "nl"
    add_phone(hass, server, line_subentry())
    await phone.shows("1", c=None, a="seize")
    await phone.press("1", "seize")
    await phone.shows("1", c="on", a="release")
    await phone.press("3")
    await phone.invite("78")
    await phone.press("1", "release")
    await phone.shows("1", c=None, a="seize")
    for action in ("turn_on", "turn_off"):
        await hass.services.async_call(
            "switch", action, {"entity_id": "switch.gate"}, blocking=True
        )
    await hass.async_block_till_done()
    client = await hass_ws_client()
    log = {(who, what) for who, what, _ in await recorded(hass, client)}
    assert ("Key 3 (Alarm)", "was pressed at Phone 44") in log
    hass.config.language = "de"
    await async_load_texts(hass)
    log = {(who, what) for who, what, _ in await recorded(hass, client)}
    assert log >= {
        ("Taste 3 (Alarm)", "wurde an Phone 44 gedrückt"),
        ("Phone 44", "hat 78 gewählt"),
        ("Gate", "wurde von Phone 44 belegt"),
        ("Gate", "wurde von Phone 44 freigegeben"),
        ("Gate", "wurde belegt"),
        ("Gate", "wurde freigegeben"),
    }
    assert await hass.config_entries.async_remove(server.entry_id)
    log = {(who, what) for who, what, _ in await recorded(hass, client)}
    assert log >= {
        ("Taste 3", "wurde an Telefon 44 gedrückt"),
        ("Telefon 44", "hat 78 gewählt"),
        ("Gate", "wurde von 44 belegt"),
    }
