"""A phone that gets another address, before and after it is set up."""

from collections.abc import Iterator
from pathlib import Path
import time
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.engine.phones import Attempt
from custom_components.snom_buttons.engine.sip import Binding, Flow, parse_address
from custom_components.snom_buttons.engine.sip.net import Endpoint, TransportError
from homeassistant.config_entries import SOURCE_DHCP
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from tests.support.entries import device_of, update_phone
from tests.support.flows import choose_way, submit_phone
from tests.support.networks import multicast
from tests.support.patience import PATIENCE
from tests.support.plugging import ENTITIES, MAC, Network, announcement
from virtual_phone import FactoryPhone

pytestmark = multicast()

BEFORE, AFTER = "192.168.1.44", "192.168.1.99"


@pytest.fixture
def server(hearing_server: MockConfigEntry) -> Iterator[MockConfigEntry]:
    """Return the entry; nothing is sent to addresses that are no phones of the test."""
    with (
        patch.object(Endpoint, "request", side_effect=TransportError("no phone")),
        patch.object(Endpoint, "size_of", return_value=400),
    ):
        yield hearing_server


async def names(hass: HomeAssistant) -> list[str]:
    """Return the titles of the cards."""
    await hass.async_block_till_done(wait_background_tasks=True)
    flows = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    return [flow["context"]["title_placeholders"]["name"] for flow in flows]


async def by_dhcp(hass: HomeAssistant, host: str) -> str | None:
    """Let Home Assistant see an address; return why there is no further card."""
    info = DhcpServiceInfo(ip=host, hostname="snom", macaddress=MAC.lower())
    page = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_DHCP}, data=info
    )
    return page.get("reason")


def registers(entry: MockConfigEntry, host: str, firmware: str) -> None:
    """Register phone 44 from an address, in place of where it was before."""
    server = entry.runtime_data.server
    contact = parse_address(f"<sip:44@{host}:2048>")
    binding = Binding(
        user="44",
        aor=contact.uri,
        contact=contact,
        flow=Flow("UDP", host, 2048),
        call_id="1",
        cseq=1,
        expires_at=time.monotonic() + 3600,
        instance="urn:uuid:44",
        user_agent=f"snom370/{firmware} {MAC}",
        supports_buttons=True,
    )
    held = server._location.bindings("44")
    kept = [it for it in held if not binding.is_same_contact(it)]
    server._location.store("44", [*kept, binding])
    server._registered("44")


async def test_the_device_follows_the_registration_and_so_do_answers(
    hass: HomeAssistant,
    server: MockConfigEntry,
    network: Network,
    device_registry: dr.DeviceRegistry,
) -> None:
    """Not what is announced or seen by DHCP, which any host can forge."""
    update_phone(hass, server, mac=MAC)
    await hass.async_block_till_done()

    def about() -> tuple[str | None, ...]:
        device = device_registry.async_get(device_of(hass))
        assert isinstance(device, dr.DeviceEntry)
        return device.configuration_url, device.model, device.sw_version

    registers(server, BEFORE, "8.7.5.44")
    assert about() == (f"http://{BEFORE}", "370", "8.7.5.44")
    network.hears(announcement(), AFTER)
    assert await by_dhcp(hass, AFTER) == "phone_known"
    assert network.urls == []
    assert about() == (f"http://{BEFORE}", "370", "8.7.5.44")

    registers(server, AFTER, "8.7.5.48")
    assert about() == (f"http://{AFTER}", "370", "8.7.5.48")
    shown = hass.states.get("sensor.phone_44_ip_address")
    assert shown is not None and shown.state == AFTER
    network.hears(announcement(), BEFORE)
    network.hears(announcement(), AFTER)
    await hass.async_block_till_done()
    assert [host for host, _ in network.urls] == [AFTER]
    assert await names(hass) == []


async def test_one_that_was_reset_elsewhere_is_answered_when_it_is_not_registered(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    """Until then its registration says where it is."""
    update_phone(hass, server, mac=MAC)
    await hass.async_block_till_done()
    registers(server, BEFORE, "8.7.5.48")
    network.hears(announcement(), AFTER)
    await hass.async_block_till_done()
    assert network.urls == []
    server.runtime_data.server._location.forget("44")
    server.runtime_data.server._registered("44")
    network.hears(announcement(), AFTER)
    await hass.async_block_till_done()
    assert [host for host, _ in network.urls] == [AFTER]


async def test_a_card_shows_where_the_phone_is_now(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    """Whatever it was found by; the page that is open as well."""
    configure = hass.config_entries.flow.async_configure
    assert await by_dhcp(hass, BEFORE) is None
    assert await by_dhcp(hass, AFTER) == "already_in_progress"
    assert await names(hass) == [f"Phone of snom, {AFTER}"]
    network.hears(announcement(), BEFORE)
    assert await names(hass) == [f"snom 370, {BEFORE}"]
    network.hears(announcement(), AFTER)
    assert await names(hass) == [f"snom 370, {AFTER}"]
    assert await by_dhcp(hass, BEFORE) == "already_in_progress"
    assert await names(hass) == [f"snom 370, {BEFORE}"]

    attempted = server.runtime_data.server.attempted
    attempted.emit(Attempt("47", BEFORE, f"snom370/8.7.5.48 {MAC}"))
    assert await names(hass) == [f"47, snom 370, {BEFORE}"]
    attempted.emit(Attempt("48", AFTER, f"snom370/8.7.5.49 {MAC}"))
    assert await names(hass) == [f"47, snom 370, {AFTER}"]
    [card] = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    page = await configure(card["flow_id"])
    said = page["description_placeholders"]
    assert said is not None
    assert said["named"] == r"snom 370 \(firmware 8\.7\.5\.49\)"
    assert (said["host"], said["account"]) == (AFTER.replace(".", r"\."), "47")
    # It is followed no more when it has ended.
    hass.config_entries.flow.async_abort(card["flow_id"])
    assert await by_dhcp(hass, BEFORE) is None


async def test_a_phone_that_was_unplugged_is_set_up_at_its_new_address(
    hass: HomeAssistant, hearing_server: MockConfigEntry, tmp_path: Path
) -> None:
    """Over real multicast, HTTP and SIP. The server has never seen it go."""
    page = await choose_way(hass, hearing_server, "plug_in")
    await submit_phone(hass, page, entities=ENTITIES[:1])
    flash = tmp_path / "flash.json"
    first = FactoryPhone("D735", MAC, state=flash)
    await first.open()
    await first.wait_for(lambda it: it.registered, PATIENCE)
    user = first.user
    first._identity.registered_until = None  # unplugged without a good-bye
    await first.close()

    moved = FactoryPhone(
        "D735", MAC, interface="127.0.0.3", host="127.0.0.3", state=flash
    )
    await moved.open()
    try:
        # From its memory; then it fetches its settings, the last ones by its own name.
        await moved.wait_for(lambda _: f"{MAC}.htm: " in moved._doing, PATIENCE)
        await moved.wait_for(
            lambda it: it.registered and it.keys["1"].light == "on", PATIENCE
        )
        assert moved.keys["1"].label == "Lamp 1"
        assert moved.user == user
        phone = hearing_server.runtime_data.phones[user].phone
        assert [it.host for it in phone.registrations] == ["127.0.0.3"]
    finally:
        moved._identity.registered_until = None  # spares the answer to its good-bye
        await moved.close()
