"""A server set up, changed, restarted and removed, with phones that come and go."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from copy import deepcopy
from datetime import timedelta
import errno
import logging
from pathlib import Path
import socket
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.snom_buttons.const import DOMAIN, EVENT_KEY_PRESS
from custom_components.snom_buttons.engine.phones import CannotListen, PhoneServer
from custom_components.snom_buttons.engine.phones.registration import Registration
from custom_components.snom_buttons.hub.bus import EventBus
from custom_components.snom_buttons.hub.hub import SnomHub
from custom_components.snom_buttons.hub.settings import KEEPALIVE
from custom_components.snom_buttons.hub.store import SAVE_DELAY
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    EVENT_HOMEASSISTANT_FINAL_WRITE,
    EVENT_HOMEASSISTANT_STOP,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
)
from homeassistant.core import (
    CoreState,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.support.blfphone import over_both_speakers
from tests.support.certificates import make_certificate
from tests.support.clock import hurrying
from tests.support.entries import (
    KEYS,
    PASSWORD,
    Phones,
    add_phone,
    device_of,
    key_data,
    phone_subentry,
    reaches,
    stored_parts,
    update_phone,
)
from tests.support.hammer import press
from tests.support.ports import LOCALHOST, free_port
from tests.support.rawphone import RawMessage, RawPhone
from tests.support.rawstream import StreamPhone
from tests.support.relay import GOOD, Relay

LIGHT = "light.phone_44_key_1"
OTHER_LIGHT = "light.phone_45_key_1"
PRESS = "event.phone_44_key_1_press"
REGISTERED = "binary_sensor.phone_44_registered"


async def turn_on(hass: HomeAssistant, entity_id: str, **data: Any) -> None:
    await hass.services.async_call(
        entity_id.partition(".")[0],
        "turn_on",
        {"entity_id": entity_id, **data},
        blocking=True,
    )


# Set up and unload


async def test_setup_and_unload(
    hass: HomeAssistant, server: MockConfigEntry, port: int
) -> None:
    assert server.state is ConfigEntryState.LOADED
    assert server.runtime_data.server.address == (LOCALHOST, port)
    assert await hass.config_entries.async_unload(server.entry_id)
    assert server.state is ConfigEntryState.NOT_LOADED
    assert hass.states.get(LIGHT).state == STATE_UNAVAILABLE
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.bind((LOCALHOST, port))


async def test_a_port_that_is_taken_is_tried_again(
    hass: HomeAssistant, config_entry: MockConfigEntry, port: int
) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as other:
        other.bind((LOCALHOST, port))
        assert not await hass.config_entries.async_setup(config_entry.entry_id)
    assert config_entry.state is ConfigEntryState.SETUP_RETRY
    assert config_entry.error_reason_translation_key == "port_in_use"
    assert config_entry.reason == (
        f"UDP port {port} on 127.0.0.1 is taken by another program; UDP 5060 most often by"
        " Home Assistant's own Voice over IP integration. Reconfigure the server to"
        " choose another port"
    )
    assert await hass.config_entries.async_reload(config_entry.entry_id)
    assert config_entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize(
    "error", [OSError(errno.EADDRNOTAVAIL, "Not our address"), OSError("Not ours")]
)
async def test_an_address_that_is_gone_is_tried_again(
    hass: HomeAssistant, config_entry: MockConfigEntry, error: OSError
) -> None:
    with patch(
        "custom_components.snom_buttons.hub.hub.PhoneServer.start",
        side_effect=CannotListen(error, "UDP", 5060),
    ):
        assert not await hass.config_entries.async_setup(config_entry.entry_id)
    assert config_entry.state is ConfigEntryState.SETUP_RETRY
    assert config_entry.error_reason_translation_key == "cannot_listen"
    assert config_entry.error_reason_translation_placeholders["error"].startswith("Not")


async def test_a_port_that_is_taken_at_the_last_moment(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phone: RawPhone,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The attempt leaves nothing, and the next one finds all stored data."""
    await turn_on(hass, LIGHT, effect="hold")
    await phone.shows("1", c="hold")
    assert await hass.config_entries.async_unload(server.entry_id)
    await hass.async_block_till_done()
    before = left_over()
    caplog.clear()
    with patch(
        "custom_components.snom_buttons.hub.hub.PhoneServer.start",
        side_effect=CannotListen(OSError(errno.EADDRINUSE, "Taken"), "TCP", 5060),
    ):
        assert not await hass.config_entries.async_setup(server.entry_id)
    await hass.async_block_till_done()
    assert server.state is ConfigEntryState.SETUP_RETRY
    assert server.error_reason_translation_key == "port_in_use"
    assert hass.states.get(LIGHT).attributes["restored"] is True
    assert not server.update_listeners
    assert left_over() == before
    [line] = logged(caplog)
    assert "not ready yet" in line
    caplog.clear()

    phone.keys.clear()
    assert await hass.config_entries.async_reload(server.entry_id)
    await phone.shows("1", c="hold")
    assert (await phone.press("1")).status == phone.press_status
    assert hass.states.get(LIGHT).state == STATE_ON
    assert logged(caplog) == ["Phone 44 is available"]


async def test_home_assistant_stops_while_the_server_is_set_up(
    hass: HomeAssistant, config_entry: MockConfigEntry, port: int
) -> None:
    forward = hass.config_entries.async_forward_entry_setups

    async def forward_slowly(*args: Any) -> None:
        await forward(*args)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)

    with patch.object(
        hass.config_entries, "async_forward_entry_setups", forward_slowly
    ):
        await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.bind((LOCALHOST, port))


async def test_devices(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phones: Phones,
    device_registry: dr.DeviceRegistry,
) -> None:
    hub = device_registry.async_get_device_by_identifier(
        (DOMAIN, server.entry_id), server.entry_id
    )
    assert hub.entry_type is dr.DeviceEntryType.SERVICE
    assert hub.name == server.title

    def device(extension: str) -> dr.DeviceEntry:
        found = device_registry.async_get_device_by_identifier(
            (DOMAIN, f"subentry_{extension}"), server.entry_id
        )
        assert found is not None
        return found

    assert device("44").name == "Phone 44"
    assert device("44").manufacturer == "snom"
    assert device("44").model == "D785"
    assert device("44").config_subentry_id == "subentry_44"
    assert device("44").via_device_id == hub.id
    assert device("44").sw_version is None

    await phones("44")
    assert device("44").model == "D785"
    assert device("44").model_id == "snomD785"
    assert device("44").serial_number == "0004130DD7C9"
    assert device("44").hw_version is None
    assert device("44").sw_version == "10.1.198.12"
    assert device("44").connections == {("mac", "00:04:13:0d:d7:c9")}

    await phones("45")
    assert device("45").sw_version == "10.1.198.12"
    assert not device("45").connections, "a second identity of the same phone"


async def test_a_device_is_updated_when_it_has_changed(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    """Not with each REGISTER, of which each phone sends one every few minutes."""
    updates = async_capture_events(hass, dr.EVENT_DEVICE_REGISTRY_UPDATED)
    phone = await phones("44")
    assert updates
    updates.clear()
    other = await phones("44", user_agent="Linphone/4.2")
    for _ in range(2):
        await phone.register()
        await other.register()
    await phone.unregister()
    await phone.register()
    assert len(updates) == 1, "the other was alone for a while"
    await other.unregister()
    updates.clear()
    await phone.unregister()
    await phone.register()
    assert await hass.config_entries.async_reload(server.entry_id)
    await phone.register()
    assert not updates


async def test_devices_of_other_phones(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phones: Phones,
    device_registry: dr.DeviceRegistry,
) -> None:
    def named() -> tuple[str | None, ...]:
        device = device_registry.async_get_device_by_identifier(
            (DOMAIN, "subentry_44"), server.entry_id
        )
        assert device is not None
        return device.model, device.model_id, device.sw_version, device.serial_number

    phone = await phones("44", user_agent="snom821/8.9.3.80")
    assert named() == ("821", "snom821", "8.9.3.80", None)
    # Its own name counts, even if another model is set up, and until it is back.
    update_phone(hass, server, model="D735")
    await hass.async_block_till_done()
    assert named() == ("821", "snom821", "8.9.3.80", None)
    await phone.unregister()
    update_phone(hass, server, model="other")
    await hass.config_entries.async_reload(server.entry_id)
    assert named() == ("821", "snom821", "8.9.3.80", None)

    update_phone(hass, server, model="D735")
    phone.user_agent = "Cisco-CP8865/14.4.1"
    await phone.register()
    assert named() == ("D735", None, "14.4.1", None)
    phone.user_agent = "baresip v1.0.0 (x86_64/Linux)"
    await phone.register()
    assert named() == ("D735", None, None, None)
    update_phone(hass, server, model="other")
    await hass.async_block_till_done()
    assert named() == (None, None, None, None)


async def test_the_device_of_a_phone_links_to_its_web_page(
    hass: HomeAssistant, server: MockConfigEntry, device_registry: dr.DeviceRegistry
) -> None:
    phone = server.runtime_data.phones["44"].phone

    def link(web_host: str | None) -> str | None:
        phone.registrations = [
            Registration(
                address="udp 192.0.2.44:2048",
                transport="udp",
                host="192.0.2.44",
                user_agent=None,
                expires_at=None,
                supports_buttons=True,
                web_host=web_host,
            )
        ]
        phone.status.emit(None)
        device = device_registry.async_get_device_by_identifier(
            (DOMAIN, "subentry_44"), server.entry_id
        )
        assert device is not None
        return device.configuration_url

    assert link("192.0.2.44") == "http://192.0.2.44"
    assert link("[2001:db8::44]") == "http://[2001:db8::44]"
    # Behind a proxy from now on
    assert link(None) == f"homeassistant://snom-phones/{device_of(hass)}"


async def test_hardware_that_serves_another_phone_now(
    server: MockConfigEntry, phones: Phones, device_registry: dr.DeviceRegistry
) -> None:
    def addresses() -> list[str | None]:
        devices = [
            device_registry.async_get_device_by_identifier(
                (DOMAIN, f"subentry_{extension}"), server.entry_id
            )
            for extension in ("44", "45")
        ]
        return [
            next((address[-2:] for _, address in device.connections), None)
            for device in devices
            if device is not None
        ]

    def agent(address: int) -> str:
        return f"snomD785/10.1.198.12 0004130000{address:02}"

    first = await phones("44", user_agent=agent(1))
    second = await phones("45", user_agent=agent(2))
    assert addresses() == ["01", "02"]

    # Exchanged, one after the other
    first.user_agent, second.user_agent = agent(2), agent(1)
    await first.register()
    assert addresses() == [None, "02"], "both report the same"
    await second.register()
    assert addresses() == ["02", "01"]

    # A phone that is gone keeps its address until another claims it.
    await second.unregister()
    assert addresses() == ["02", "01"]
    first.user_agent = agent(1)
    await first.register()
    assert addresses() == ["01", None]

    # Other hardware uses the account now.
    first.user_agent = "baresip v1.0.0"
    await first.register()
    assert addresses() == [None, None]
    device = device_registry.async_get_device_by_identifier(
        (DOMAIN, "subentry_44"), server.entry_id
    )
    assert device is not None and device.sw_version is None


async def test_an_unknown_model_is_left_out(
    hass: HomeAssistant, server: MockConfigEntry, device_registry: dr.DeviceRegistry
) -> None:
    update_phone(hass, server, model="other")
    await hass.async_block_till_done()
    device = device_registry.async_get_device_by_identifier(
        (DOMAIN, "subentry_44"), server.entry_id
    )
    assert device.model is None


# What the user is shown


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the log lines of level INFO and above."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.snom_buttons")
        and record.levelno >= logging.INFO
    ]


async def test_a_reload_is_no_loss_of_a_phone(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    """Until the server has started it is unknown whether a phone is registered."""
    await phones("44")
    await hass.async_block_till_done()
    states: list[str] = []
    unsubscribe = async_track_state_change_event(
        hass, REGISTERED, lambda event: states.append(event.data["new_state"].state)
    )
    assert await hass.config_entries.async_reload(server.entry_id)
    await hass.async_block_till_done()
    unsubscribe()
    assert [*dict.fromkeys(states)] == [STATE_UNAVAILABLE, STATE_ON]
    # A phone that was not registered is known not to be.
    assert hass.states.get("binary_sensor.phone_45_registered").state == STATE_OFF


async def test_a_press_whose_answer_was_lost_counts_once_over_a_reload(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    """The phone sends it again for half a minute."""
    events = async_capture_events(hass, "snom_buttons_key_press")
    phone: RawPhone = await phones("44")
    await phone.shows("4")
    pressed = press(phone, 1)
    for reloads in range(3):
        if reloads:
            assert await hass.config_entries.async_reload(server.entry_id)
        phone.strays.clear()
        phone._transport.sendto(pressed, phone.server)
        # A later press is answered after it.
        assert (await phone.press("2")).status == phone.press_status
        await hass.async_block_till_done()
        assert [said.split()[1] for said in phone.strays] == [b"200"]
    assert [event.data["key"] for event in events] == ["1", "2", "2", "2"]


@pytest.mark.parametrize("error", [RuntimeError, asyncio.CancelledError])
async def test_a_start_that_fails_at_its_very_end_leaves_nothing(
    hass: HomeAssistant,
    server: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    error: type[BaseException],
) -> None:
    with (
        patch.object(PhoneServer, "start", side_effect=error),
        suppress(asyncio.CancelledError),
    ):
        await hass.config_entries.async_reload(server.entry_id)
    await hass.async_block_till_done()
    assert server.state is ConfigEntryState.SETUP_ERROR
    caplog.clear()
    assert await hass.config_entries.async_reload(server.entry_id)
    await hass.async_block_till_done()
    light = hass.data["entity_components"]["light"].get_entity(LIGHT)
    assert light.phone is server.runtime_data.server.phones["44"]


async def test_availability_is_logged_once_each_way(
    server: MockConfigEntry, phones: Phones, caplog: pytest.LogCaptureFixture
) -> None:
    assert logged(caplog) == []
    phone = await phones()
    await phone.register()
    assert logged(caplog) == ["Phone 44 is available"]
    await phone.unregister()
    assert logged(caplog) == ["Phone 44 is available", "Phone 44 is unavailable"]


@pytest.mark.parametrize("noticed_by", ["a question", "a change"])
@pytest.mark.parametrize("back_by", ["an answer", "a registration"])
async def test_a_network_that_is_away_for_ten_minutes_is_reported_once(
    hass: HomeAssistant,
    server: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    noticed_by: str,
    back_by: str,
) -> None:
    """Unavailable once and available once, a log line each; then all keys are right."""
    entities = er.async_entries_for_config_entry(er.async_get(hass), server.entry_id)
    away = {
        entity.entity_id: [False]
        for entity in entities
        if entity.config_subentry_id == "subentry_44" and not entity.disabled
    }
    # What the registration says stays true until it ends, as does how keys are sent.
    names = ("firmware", "ip_address", "transport", "keys_sent_as")
    known = {f"sensor.phone_44_{it}" for it in names}
    assert {LIGHT, PRESS, REGISTERED, *known} < away.keys()

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        entity_id, state = event.data["entity_id"], event.data["new_state"]
        if entity_id not in away:
            return
        # This one shows whether the phone is registered, and is always available.
        gone = STATE_OFF if entity_id == REGISTERED else STATE_UNAVAILABLE
        if away[entity_id][-1] != (state.state == gone):
            away[entity_id].append(state.state == gone)

    async with (
        Relay((LOCALHOST, server.data["port"]), 0, GOOD) as relay,
        RawPhone(relay.address, "44", PASSWORD) as desk,
    ):
        assert (await desk.register()).status == 200
        await desk.shows("4")
        assert logged(caplog) == ["Phone 44 is available"]
        caplog.clear()
        before = dict(desk.keys)
        unsubscribe = async_track_state_change_event(hass, away, note)
        with hurrying(hass.loop):
            await asyncio.sleep(1)  # until the last answer has arrived
            relay.up = False
            first = 0 if noticed_by == "a change" else 10
            for turn in range(60):
                # The last one is minutes before the network is back.
                if turn in range(first, first + 20):
                    key = {"entity_id": LIGHT, "light": "park", "label": f"{turn}"}
                    await hass.services.async_call(
                        DOMAIN, "set_key", key, blocking=True
                    )
                await asyncio.sleep(10)
                if turn >= 10:
                    assert logged(caplog) == ["Phone 44 is unavailable"]
            keys = before | {"1": before["1"] | {"c": "park", "l": f"{first + 19}"}}
            assert desk.keys == before
            assert all(away.pop(entity_id) == [False] for entity_id in known)
            assert all(changes == [False, True] for changes in away.values())

            relay.up = True
            if back_by == "a registration":
                assert (await desk.register()).status == 200
                await asyncio.sleep(1)
            else:
                await asyncio.sleep(KEEPALIVE + 1)
            assert desk.keys == keys
            await asyncio.sleep(600)
            assert (await desk.register()).status == 200
            await asyncio.sleep(1)
        unsubscribe()
    assert all(changes == [False, True, False] for changes in away.values())
    assert logged(caplog) == ["Phone 44 is unavailable", "Phone 44 is available"]
    assert hass.states.get(LIGHT).attributes["effect"] == "park"


async def test_no_password_is_logged(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phones: Phones,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await phones()
    update_phone(hass, server, password="new-geheim-44")
    await hass.async_block_till_done()
    assert "geheim" not in "".join(
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components")
    )


# Restarts


@over_both_speakers
async def test_looks_come_back_after_a_restart(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    """The phone need not do anything: its registration is stored, too."""
    phone = await phones()
    await turn_on(hass, LIGHT, effect="hold")
    await turn_on(hass, "light.phone_44_key_2", hs_color=(120, 100))
    await turn_on(hass, "switch.phone_44_alarm")
    await phone.shows("3", c="on")
    assert await hass.config_entries.async_unload(server.entry_id)

    phone.keys.clear()
    assert await hass.config_entries.async_setup(server.entry_id)
    await phone.shows("1", c="hold", l="Key 1")
    await phone.shows("2", c="on", o="green")
    await phone.shows("3", c="on")
    await hass.async_block_till_done()
    assert hass.states.get(LIGHT).state == STATE_ON
    assert hass.states.get(LIGHT).attributes["effect"] == "hold"
    assert hass.states.get("switch.phone_44_alarm").state == STATE_ON
    assert hass.states.get(OTHER_LIGHT).state == STATE_UNAVAILABLE


@over_both_speakers
async def test_looks_survive_a_crash(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phone: RawPhone,
    hass_storage: dict[str, Any],
) -> None:
    """It is stored a second after the first change."""

    def stored() -> str:
        return str(stored_parts(hass_storage, server).get("subentry_44"))

    await turn_on(hass, LIGHT, effect="hold")
    await phone.shows("1", c="hold")
    assert "c=hold" not in stored()
    await turn_on(hass, LIGHT, effect="park")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=SAVE_DELAY))
    await hass.async_block_till_done()
    assert "c=park" in stored()
    await turn_on(hass, LIGHT, effect="error")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=2 * SAVE_DELAY))
    await hass.async_block_till_done()
    assert "c=error" in stored()


@contextmanager
def at_each_step(
    hass: HomeAssistant, act: Callable[[], Awaitable[None]]
) -> Iterator[None]:
    """Call `act` before and after each step of a server's restart."""

    def with_acts(step: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def stepped(*args: Any) -> Any:
            await act()
            result = await step(*args)
            await act()
            return result

        return stepped

    steps = {
        hass.config_entries: ("async_forward_entry_setups", "async_unload_platforms"),
        SnomHub: ("async_load", "async_update"),
        PhoneServer: ("start", "stop"),
        EventBus: ("update", "stop"),
    }
    with ExitStack() as stack:
        for owner, names in steps.items():
            for name in names:
                step = with_acts(getattr(owner, name))
                stack.enter_context(patch.object(owner, name, step))
        yield


async def test_no_press_is_lost_while_the_server_restarts(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    """Each press that is answered becomes an event on the bus and of the entity."""
    await phone.shows("4")
    presses: list[asyncio.Task[RawMessage]] = []
    on_the_bus = async_capture_events(hass, EVENT_KEY_PRESS)
    of_the_entity: set[str] = set()

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if state is not None and "number" in state.attributes:
            of_the_entity.add(state.attributes["number"])

    async def press() -> None:
        task = asyncio.create_task(phone.press("1", number=f"{len(presses)}"))
        presses.append(task)
        await asyncio.wait((task,), timeout=0.1)

    unsubscribe = async_track_state_change_event(hass, PRESS, note)
    with at_each_step(hass, press):
        assert await hass.config_entries.async_reload(server.entry_id)
    answers = [(await task).status for task in presses]
    await hass.async_block_till_done()
    unsubscribe()
    answered = {f"{n}" for n, status in enumerate(answers) if status == 200}
    assert len(answered) > len(presses) / 2
    assert {event.data["number"] for event in on_the_bus} == answered
    assert of_the_entity == answered


async def test_home_assistant_stops(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone, port: int
) -> None:
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.bind((LOCALHOST, port))


async def test_a_removed_server_leaves_nothing(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phone: RawPhone,
    hass_storage: dict[str, Any],
) -> None:
    await hass.config_entries.async_unload(server.entry_id)
    assert stored_parts(hass_storage, server)
    await hass.config_entries.async_remove(server.entry_id)
    assert not stored_parts(hass_storage, server)
    assert not dr.async_entries_for_config_entry(dr.async_get(hass), server.entry_id)
    assert not er.async_entries_for_config_entry(er.async_get(hass), server.entry_id)


async def test_a_change_while_home_assistant_stops_is_stored(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phone: RawPhone,
    hass_storage: dict[str, Any],
) -> None:
    """Even if a write was already due."""
    await turn_on(hass, LIGHT)
    hass.set_state(CoreState.stopping)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    await turn_on(hass, LIGHT, effect="error")
    hass.set_state(CoreState.final_write)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    assert "c=error" in str(stored_parts(hass_storage, server)["subentry_44"])


def store(
    hass_storage: dict[str, Any], entry: MockConfigEntry, data: object, version: int = 1
) -> None:
    """Write data to the store of an entry."""
    key = f"{DOMAIN}.{entry.entry_id}"
    hass_storage[key] = {
        "version": version,
        "minor_version": 1,
        "key": key,
        "data": data,
    }


async def test_a_store_of_a_later_version_is_left_alone(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    hass.config_entries.async_update_entry(
        config_entry, data={**config_entry.data, "tls": {"enabled": True, "port": 5061}}
    )
    store(hass_storage, config_entry, {"44": "whatever"}, version=2)
    before = deepcopy(hass_storage)
    assert not await hass.config_entries.async_setup(config_entry.entry_id)
    assert config_entry.state is ConfigEntryState.SETUP_ERROR
    assert config_entry.error_reason_translation_key == "store_too_new"
    assert hass_storage == before
    assert not ir.async_get(hass).issues, "nothing would remove it"
    caplog.clear()


@pytest.mark.parametrize("data", [["44"], "44", 44, False])
async def test_a_store_that_is_none_is_no_obstacle(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    data: object,
) -> None:
    store(hass_storage, config_entry, data)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    warnings = [it for it in caplog.records if it.levelname == "WARNING"]
    assert [
        it
        for it in warnings
        if f"The stored data of {config_entry.title}" in it.message
    ]


@pytest.mark.parametrize("data", [["44"], "44", 44, False])
async def test_a_server_is_removed_whose_store_is_none(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    data: object,
) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.config_entries.async_unload(config_entry.entry_id)
    store(hass_storage, config_entry, data)
    await hass.config_entries.async_remove(config_entry.entry_id)
    assert f"{DOMAIN}.{config_entry.entry_id}" not in hass_storage


async def test_others_have_their_turn_between_phones(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    """While the server is unloaded, set up and started, with phones that are registered."""
    for extension in ("44", "45"):
        await (await phones(extension)).shows("4")
    await hass.async_block_till_done()
    turn = 0
    written = Counter[int]()

    def count_turns() -> None:
        nonlocal turn, counting
        turn += 1
        counting = hass.loop.call_soon(count_turns)

    counting = hass.loop.call_soon(count_turns)
    unsubscribe = hass.bus.async_listen(
        "state_changed", callback(lambda _: written.update([turn]))
    )
    assert await hass.config_entries.async_reload(server.entry_id)
    await hass.async_block_till_done()
    counting.cancel()
    unsubscribe()
    assert hass.states.get(OTHER_LIGHT).state == STATE_OFF
    of_a_phone = [it for it in hass.states.async_entity_ids() if ".phone_44" in it]
    assert max(written.values()) <= len(of_a_phone)
    assert written.total() >= 4 * len(of_a_phone)


# Changes


async def test_phones_change_while_the_server_is_set_up(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    """Before its platforms are set up, and meanwhile."""
    forward = hass.config_entries.async_forward_entry_setups
    load = SnomHub.async_load

    async def load_slowly(hub: SnomHub) -> None:
        await load(hub)
        hass.config_entries.async_remove_subentry(config_entry, "subentry_44")
        add_phone(hass, config_entry, phone_subentry("46"))

    async def forward_slowly(*args: Any) -> None:
        await forward(*args)
        if "subentry_47" not in config_entry.subentries:
            add_phone(hass, config_entry, phone_subentry("47"))

    with (
        patch.object(SnomHub, "async_load", load_slowly),
        patch.object(hass.config_entries, "async_forward_entry_setups", forward_slowly),
    ):
        assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    assert list(config_entry.runtime_data.phones) == ["45", "46", "47"]
    assert [
        hass.states.get(f"light.phone_4{n}_key_1") is None for n in range(4, 8)
    ] == [
        True,
        False,
        False,
        False,
    ]


async def test_a_key_that_is_not_used_any_more_goes_dark(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    await turn_on(hass, LIGHT, effect="hold")
    await phone.shows("1", c="hold")
    update_phone(hass, server, keys=[key_data("1", kind="none"), *KEYS[1:]])
    await phone.shows("1", c=None, l="Key 1")


async def test_a_lamp_that_loses_its_colors_loses_its_color(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    await turn_on(hass, "light.phone_44_key_2", hs_color=(0, 100))
    await phone.shows("2", o="red")
    update_phone(hass, server, keys=[KEYS[0], key_data("2"), *KEYS[2:]])
    await phone.shows("2", c="on", o=None)


async def test_keys_that_change_while_the_server_is_stopped(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    await turn_on(hass, LIGHT, effect="hold")
    await turn_on(hass, "light.phone_44_key_2", hs_color=(0, 100))
    await phone.shows("2", o="red")
    assert await hass.config_entries.async_unload(server.entry_id)
    update_phone(
        hass, server, keys=[key_data("1", kind="none"), key_data("2"), *KEYS[2:]]
    )
    phone.keys.clear()
    assert await hass.config_entries.async_setup(server.entry_id)
    await phone.shows("1", c=None, l="Key 1")
    await phone.shows("2", c="on", o=None)


async def test_a_phone_is_added_without_effect_on_the_rest(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone, phones: Phones
) -> None:
    hub = server.runtime_data
    before = hass.states.get(LIGHT)
    sent = len(phone.requests)
    add_phone(hass, server, phone_subentry("46"))
    await hass.async_block_till_done()

    assert hass.states.get("light.phone_46_key_1").state == STATE_UNAVAILABLE
    added = await phones("46")
    await turn_on(hass, "light.phone_46_key_1")
    await added.shows("1", c="on")
    await added.press("1")
    assert "event_type" in hass.states.get("event.phone_46_key_1_press").attributes

    assert server.runtime_data is hub
    assert hass.states.get(LIGHT) is before
    assert len(phone.requests) == sent


async def test_a_phone_is_removed_without_effect_on_the_rest(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phones: Phones,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
) -> None:
    phone, gone = await phones("44"), await phones("45")
    before = hass.states.get(LIGHT)
    hass.config_entries.async_remove_subentry(server, "subentry_45")
    await hass.async_block_till_done()

    assert hass.states.get(OTHER_LIGHT) is None
    assert not [
        entry
        for entry in er.async_entries_for_config_entry(entity_registry, server.entry_id)
        if entry.config_subentry_id == "subentry_45"
    ]
    assert not device_registry.async_get_device_by_identifier(
        (DOMAIN, "subentry_45"), server.entry_id
    )
    assert (await gone.register()).status == 401
    assert (await gone.press("1")).status == 401

    assert hass.states.get(LIGHT) is before
    assert (await phone.press("1")).status == phone.press_status


async def test_a_removed_phone_can_be_added_again(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    hass.config_entries.async_remove_subentry(server, "subentry_45")
    add_phone(hass, server, {**phone_subentry("45"), "subentry_id": "anew"})
    await hass.async_block_till_done()
    await phones("45")
    assert hass.states.get(OTHER_LIGHT).state == STATE_OFF


async def test_changed_keys_change_only_their_own_entities(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phones: Phones,
    entity_registry: er.EntityRegistry,
) -> None:
    phone, other = await phones("44"), await phones("45")
    await turn_on(hass, LIGHT, effect="hold")
    await turn_on(hass, "light.phone_44_key_2")
    await phone.shows("2", c="on")
    await phone.press("2")
    pressed = hass.states.get("event.phone_44_key_2_press").state
    before = {state.entity_id: state for state in hass.states.async_all()}
    sent = len(other.requests)

    update_phone(
        hass,
        server,
        keys=[
            KEYS[0],
            key_data("2", name="Door", kind="switch"),
            key_data("4", kind="light"),
            key_data("5"),
        ],
    )
    await hass.async_block_till_done()

    assert hass.states.get(LIGHT) is before[LIGHT], "key 1 is as it was"
    assert hass.states.get(OTHER_LIGHT) is before[OTHER_LIGHT]
    assert len(other.requests) == sent
    assert hass.states.get("light.phone_44_key_2") is None
    assert entity_registry.async_get("light.phone_44_key_2") is None
    assert hass.states.get("switch.phone_44_door").state == STATE_ON
    press = hass.states.get("event.phone_44_key_2_press")
    assert press.state == pressed
    assert press.name == "Phone 44 Door press"
    assert hass.states.get("switch.phone_44_alarm") is None
    assert entity_registry.async_get("event.phone_44_alarm_press") is None
    assert hass.states.get("light.phone_44_key_4").state == STATE_OFF
    assert hass.states.get("light.phone_44_key_5").state == STATE_OFF

    await phone.shows("1", c="hold")
    await phone.shows("2", c="on", l="Door")
    await phone.shows("3", l=None, n=None, a=None)
    await phone.shows("5", n="key5")


async def test_a_light_gets_colors(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    update_phone(hass, server, keys=[key_data("1", colors=True), *KEYS[1:]])
    await hass.async_block_till_done()
    assert hass.states.get(LIGHT).attributes["supported_color_modes"] == ["hs", "white"]
    await turn_on(hass, LIGHT, hs_color=(0, 100))
    await phone.shows("1", o="red")


async def test_changes_while_the_server_is_stopped(
    hass: HomeAssistant, server: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    await hass.config_entries.async_unload(server.entry_id)
    update_phone(hass, server, keys=[key_data("1", kind="switch")])
    assert await hass.config_entries.async_setup(server.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get("switch.phone_44_key_1") is not None
    assert entity_registry.async_get(LIGHT) is None


async def test_a_phone_is_renamed(
    hass: HomeAssistant, server: MockConfigEntry, device_registry: dr.DeviceRegistry
) -> None:
    update_phone(hass, server, title="Kitchen")
    await hass.async_block_till_done()
    device = device_registry.async_get_device_by_identifier(
        (DOMAIN, "subentry_44"), server.entry_id
    )
    assert device.name == "Kitchen"
    assert hass.states.get(LIGHT).name == "Kitchen Key 1"


async def test_a_new_password_ends_the_registration(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    update_phone(hass, server, password="new-geheim-44")
    await reaches(hass, LIGHT, STATE_UNAVAILABLE)
    assert (await phone.register()).status == 401
    phone.password = "new-geheim-44"
    assert (await phone.register()).status == 200
    assert hass.states.get(LIGHT).state == STATE_OFF


async def test_another_extension_is_another_account_of_the_same_phone(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phone: RawPhone,
    port: int,
    entity_registry: er.EntityRegistry,
) -> None:
    """The keys that it still has keep their looks."""
    entries = er.async_entries_for_config_entry(entity_registry, server.entry_id)
    await turn_on(hass, LIGHT, effect="hold")
    update_phone(hass, server, extension="144")
    await hass.async_block_till_done()
    assert entries == er.async_entries_for_config_entry(
        entity_registry, server.entry_id
    )
    assert hass.states.get(LIGHT).state == STATE_UNAVAILABLE
    assert (await phone.register()).status == 401
    async with RawPhone((LOCALHOST, port), "144", PASSWORD) as renumbered:
        assert (await renumbered.register()).status == 200
        await renumbered.shows("1", c="hold")
        await turn_on(hass, LIGHT, effect="error")
        await renumbered.shows("1", c="error")


async def test_a_new_port_restarts_the_server(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    new_port = free_port()
    hass.config_entries.async_update_entry(
        server, data={**server.data, "port": new_port}
    )
    await hass.async_block_till_done()
    assert server.state is ConfigEntryState.LOADED
    assert server.runtime_data.server.address == (LOCALHOST, new_port)
    phone.server = (LOCALHOST, new_port)
    assert (await phone.register()).status == 200


async def test_a_new_title_restarts_nothing(
    hass: HomeAssistant, server: MockConfigEntry, device_registry: dr.DeviceRegistry
) -> None:
    hub = server.runtime_data
    hass.config_entries.async_update_entry(server, title="Ground floor")
    await hass.async_block_till_done()
    assert server.runtime_data is hub
    device = device_registry.async_get(hub.device_id)
    assert device is not None and device.name == "Ground floor"


async def test_a_disabled_entity_stays_disabled(
    hass: HomeAssistant, server: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    entity_registry.async_update_entity(
        LIGHT, disabled_by=er.RegistryEntryDisabler.USER
    )
    await hass.async_block_till_done()
    update_phone(hass, server, keys=[key_data("1", name="Door"), *KEYS[1:]])
    await hass.async_block_till_done()
    assert hass.states.get(LIGHT) is None
    entry = entity_registry.async_get(LIGHT)
    assert entry is not None and entry.disabled_by is er.RegistryEntryDisabler.USER


async def test_an_entity_is_renamed_and_its_key_changed_at_once(
    hass: HomeAssistant, server: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    entity_registry.async_update_entity(LIGHT, new_entity_id="light.door")
    update_phone(hass, server, keys=[key_data("1", name="Door"), *KEYS[1:]])
    await hass.async_block_till_done()
    assert hass.states.get("light.door").name == "Phone 44 Door"
    assert hass.states.get(LIGHT) is None


async def test_entities_that_others_add_to_a_phone_are_left_alone(
    hass: HomeAssistant, server: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    ours = entity_registry.async_get(LIGHT)
    assert ours is not None
    helper = entity_registry.async_get_or_create(
        "light", "switch_as_x", "helper", device_id=ours.device_id
    )
    update_phone(hass, server, keys=KEYS[:1])
    await hass.async_block_till_done()
    assert entity_registry.async_get(helper.entity_id) is not None


async def test_many_changes_at_once(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    for extension in range(50, 60):
        add_phone(hass, server, phone_subentry(str(extension)))
        update_phone(hass, server, str(extension), keys=[key_data("7")])
    hass.config_entries.async_remove_subentry(server, "subentry_55")
    await hass.async_block_till_done()
    assert "55" not in server.runtime_data.phones
    made = await asyncio.gather(*(phones(str(number)) for number in (50, 54, 59)))
    for phone in made:
        await turn_on(hass, f"light.phone_{phone.extension}_key_7")
        await phone.shows("7", c="on")
        assert hass.states.get(f"light.phone_{phone.extension}_key_1") is None


async def test_changes_while_the_server_is_unloaded(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    """They are applied at the next set-up; an entity now would be left behind."""
    unloading = hass.async_create_task(
        hass.config_entries.async_unload(server.entry_id)
    )
    added: list[str] = []
    while not unloading.done():
        added.append(f"{len(added) + 50}")
        add_phone(hass, server, phone_subentry(added[-1]))
        await asyncio.sleep(0)
    assert len(added) > 5
    await hass.async_block_till_done()
    assert all(state.attributes.get("restored") for state in hass.states.async_all())
    assert await hass.config_entries.async_setup(server.entry_id)
    await hass.async_block_till_done()
    for extension in added:
        assert hass.states.get(f"light.phone_{extension}_key_1") is not None


def left_over() -> tuple[int, int, int]:
    """Return the number of tasks, of the integration's timers and of open files."""
    loop = asyncio.get_running_loop()
    scheduled: list[asyncio.TimerHandle] = loop._scheduled  # type: ignore[attr-defined]
    timers = [h for h in scheduled if not h.cancelled() and "snom_buttons" in repr(h)]
    files = len(list(Path("/proc/self/fd").iterdir()))
    return len(asyncio.all_tasks()), len(timers), files


async def test_a_hundred_times_round(
    hass: HomeAssistant, config_entry: MockConfigEntry, tmp_path: Path
) -> None:
    """Loaded, used, reloaded, unloaded, with all transports: nothing is left behind."""
    certificate, key = make_certificate(tmp_path)
    ports = [free_port() for _ in range(2)]
    hass.config_entries.async_update_entry(
        config_entry,
        data={
            **config_entry.data,
            "tcp": {"enabled": True, "port": ports[0]},
            "tls": {
                "enabled": True,
                "port": ports[1],
                "certificate": str(certificate),
                "private_key": str(key),
            },
        },
    )

    async def once() -> None:
        assert await hass.config_entries.async_setup(config_entry.entry_id)
        address = (LOCALHOST, ports[0])
        async with StreamPhone(address, "44", PASSWORD) as phone:
            assert (await phone.register()).status == 200
            await phone.shows("4")
            assert await hass.config_entries.async_reload(config_entry.entry_id)
            await phone.until(lambda: not phone.is_connected)
        assert await hass.config_entries.async_unload(config_entry.entry_id)
        await hass.async_block_till_done()

    for _ in range(2):
        await once()
    before = left_over()
    for _ in range(50):
        await once()
    assert left_over() == before
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.config_entries.async_remove(config_entry.entry_id)
    await hass.async_block_till_done()
    assert left_over()[2] == before[2]
