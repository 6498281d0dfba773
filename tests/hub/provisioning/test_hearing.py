"""When announcements are heard, when not, and what says why."""

from contextlib import closing
import errno
import socket
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.snom_buttons.engine.phones import check_bind
from custom_components.snom_buttons.engine.provisioning import GROUP
from custom_components.snom_buttons.hub.issues import HEARING
from custom_components.snom_buttons.hub.provisioning import hearing
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from tests.support.entries import phone_subentry
from tests.support.flows import SECTIONS, reconfigure_server, submit_server
from tests.support.ports import LOCALHOST, free_port

EVERYWHERE = "0.0.0.0"

type Adapters = list[dict[str, Any]]


def reported(hass: HomeAssistant) -> list[str]:
    """Return the keys of the issues about what is not heard."""
    issues = ir.async_get(hass).issues.values()
    return [it.translation_key for it in issues if it.translation_key in HEARING]


def is_group_taken(port: int) -> bool:
    """Return whether a socket has the group's port."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.bind((GROUP, port))
        except OSError:
            return True
    return False


@pytest.fixture
def group_port(port: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return the port of announcements in this test."""
    other = free_port()
    while other == port:
        other = free_port()
    monkeypatch.setattr(hearing, "GROUP_PORT", other)
    return other


@pytest.fixture
def adapters(monkeypatch: pytest.MonkeyPatch) -> Adapters:
    """Return the adapters of this machine, with the loopback interface alone."""
    found: Adapters = [
        {"enabled": True, "ipv4": [{"address": LOCALHOST}], "ipv6": []},
        {"enabled": False, "ipv4": [{"address": "192.0.2.9"}], "ipv6": []},
    ]

    async def get(_: HomeAssistant) -> Adapters:
        return found

    monkeypatch.setattr(hearing.network, "async_get_adapters", get)
    return found


async def set_up(hass: HomeAssistant, entry: MockConfigEntry, **changes: Any) -> bool:
    """Set up an entry with changed data; return whether announcements are heard."""
    hass.config_entries.async_update_entry(entry, data={**entry.data, **changes})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    is_open: bool = entry.runtime_data.hearing.is_open
    return is_open


async def test_a_server_hears_as_long_as_its_ports_are_open(
    hass: HomeAssistant, config_entry: MockConfigEntry, group_port: int
) -> None:
    assert await set_up(hass, config_entry)
    assert is_group_taken(group_port)
    assert reported(hass) == []
    assert await hass.config_entries.async_unload(config_entry.entry_id)
    assert not is_group_taken(group_port)


async def test_a_server_on_all_addresses_hears_on_enabled_adapters(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    group_port: int,
    adapters: Adapters,
) -> None:
    """Also on the port that it has itself."""
    assert await set_up(hass, config_entry, host=EVERYWHERE, port=group_port)
    assert is_group_taken(group_port)
    # A network without multicast is not in the way of the others.
    adapters.append({"enabled": True, "ipv4": [{"address": "192.0.2.8"}], "ipv6": []})
    assert await hass.config_entries.async_reload(config_entry.entry_id)
    await hass.async_block_till_done()
    assert config_entry.runtime_data.hearing.is_open
    assert reported(hass) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"access": {"plug_and_play": False}},
        {"udp": {"enabled": False}, "tcp": {"enabled": True, "port": 0}},
        {"host": "::1", "advertised_host": "::1"},
    ],
)
async def test_where_nothing_shall_be_heard_nothing_is_reported(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    group_port: int,
    changes: dict[str, Any],
) -> None:
    assert not await set_up(hass, config_entry, **changes)
    assert not is_group_taken(group_port)
    assert reported(hass) == []


async def test_the_switch_is_in_the_form_and_needs_no_restart_by_hand(
    hass: HomeAssistant, config_entry: MockConfigEntry, group_port: int
) -> None:
    assert await set_up(hass, config_entry)
    access = SECTIONS["access"] | {"plug_and_play": False}
    form = await reconfigure_server(hass, config_entry)
    await submit_server(hass, form, access=access)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert config_entry.data["access"]["plug_and_play"] is False
    assert not config_entry.runtime_data.hearing.is_open
    assert not is_group_taken(group_port)


async def test_a_check_of_the_own_port_frees_the_group_meanwhile(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    group_port: int,
    adapters: Adapters,
) -> None:
    assert await set_up(hass, config_entry, host=EVERYWHERE, port=group_port)
    ports = config_entry.runtime_data.ports
    with pytest.raises(OSError, match="in use"):
        check_bind(EVERYWHERE, group_port)
    await ports.check_bind(EVERYWHERE, group_port, "UDP")
    assert config_entry.runtime_data.hearing.is_open
    assert config_entry.runtime_data.server.listening == {"UDP": group_port}


async def test_a_port_that_another_program_does_not_share(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    group_port: int,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It is said, and tried again until it works."""

    async def later() -> None:
        freezer.tick(hearing.RETRY + 1)
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)

    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as program:
        program.bind((EVERYWHERE, group_port))
        assert not await set_up(hass, config_entry)
        assert reported(hass) == ["group_taken"]
        await later()
        assert reported(hass) == ["group_taken"]
    await later()
    assert config_entry.runtime_data.hearing.is_open
    assert reported(hass) == []


async def test_voice_over_ip_keeps_its_port(
    hass: HomeAssistant, config_entry: MockConfigEntry, group_port: int
) -> None:
    """It may start later, and would find its port taken."""
    voip = MockConfigEntry(domain="voip", options={"sip_port": group_port})
    voip.add_to_hass(hass)
    assert not await set_up(hass, config_entry)
    assert not is_group_taken(group_port)
    assert reported(hass) == ["group_taken_by_voip"]
    hass.config_entries.async_update_entry(voip, options={"sip_port": 5062})
    assert await hass.config_entries.async_reload(config_entry.entry_id)
    await hass.async_block_till_done()
    assert is_group_taken(group_port)
    assert reported(hass) == []


@pytest.mark.usefixtures("adapters")
async def test_a_second_server_keeps_its_port(
    hass: HomeAssistant, config_entry: MockConfigEntry, group_port: int
) -> None:
    MockConfigEntry(
        domain="snom_buttons",
        data={**config_entry.data, "host": EVERYWHERE, "port": group_port},
        subentries_data=[phone_subentry("50")],
    ).add_to_hass(hass)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    first, second = hass.config_entries.async_entries("snom_buttons")
    assert not first.runtime_data.hearing.is_open
    assert reported(hass) == []
    assert second.runtime_data.server.listening == {"UDP": group_port}
    assert second.runtime_data.hearing.is_open


async def test_a_machine_without_multicast(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    group_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(
        "custom_components.snom_buttons.engine.provisioning.plug_and_play.group_socket",
        refuse,
    )
    assert not await set_up(hass, config_entry)
    assert reported(hass) == ["no_multicast"]
    [issue] = [
        it
        for it in ir.async_get(hass).issues.values()
        if it.translation_key == "no_multicast"
    ]
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["error"] == "No such device"
    # It stands as long as the server, and with it ends what would try again.
    assert await hass.config_entries.async_unload(config_entry.entry_id)
    assert reported(hass) == []


async def test_what_is_tried_again_while_the_ports_close_stays_closed(
    hass: HomeAssistant, config_entry: MockConfigEntry, group_port: int
) -> None:
    assert await set_up(hass, config_entry)
    ear = config_entry.runtime_data.hearing
    async with ear._lock:
        again = hass.async_create_task(ear._open())
        closing = hass.async_create_task(ear.close())
    await again
    await closing
    assert not ear.is_open
    assert not is_group_taken(group_port)
