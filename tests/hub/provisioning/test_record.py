"""What a phone asked and got, in the download of its device."""

from datetime import timedelta
import json
from typing import Any
from unittest.mock import patch

from aiohttp import web_request
from aiohttp.test_utils import TestClient
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
    get_diagnostics_for_device,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.snom_buttons.engine.provisioning import Mac
from custom_components.snom_buttons.hub.provisioning.record import (
    MAX_EVENTS,
    MAX_STRANGERS,
)
from custom_components.snom_buttons.hub.provisioning.refresh import SETTLE_SECONDS
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.support.announcements import YEALINK
from tests.support.entries import (
    PASSWORD,
    TOKEN,
    Phones,
    add_phone,
    device_of,
    line_subentry,
    update_phone,
)
from tests.support.plugging import MAC, Network, announcement

BASE = "http://192.168.1.2:8123"
HOST = "192.168.1.70"
PATH = f"/api/snom_buttons/settings/{TOKEN}"
AGENT = f"Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 2010.12 {MAC} SXM:0 UXM:0)"
SHOWN_AGENT = "snomD785-SIP 10.1.33.33 **REDACTED**"

type Events = list[dict[str, Any]]


@pytest.fixture
async def server(hass: HomeAssistant, config_entry: MockConfigEntry) -> MockConfigEntry:
    """Return the entry, set up; phone 44 has a hardware address."""
    assert await async_setup_component(hass, "diagnostics", {})
    await hass.config.async_update(internal_url=BASE)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    update_phone(hass, config_entry, mac=MAC)
    update_phone(hass, config_entry, "45", token="AnotherRand0mTokenOf22")
    await hass.async_block_till_done()
    return config_entry


@pytest.fixture
def network(server: MockConfigEntry) -> Network:
    return Network(server)


class Downloads:
    """The downloads of a server and its devices, checked for secrets."""

    def __init__(
        self,
        hass: HomeAssistant,
        client: ClientSessionGenerator,
        entry: MockConfigEntry,
    ) -> None:
        self._hass = hass
        self._client = client
        self._entry = entry

    async def device(self, name: str = "subentry_44") -> dict[str, Any]:
        device = dr.async_get(self._hass).async_get(device_of(self._hass, name))
        assert device is not None
        return self._checked(
            await get_diagnostics_for_device(
                self._hass, self._client, self._entry, device
            )
        )

    async def whole(self) -> dict[str, Any]:
        return self._checked(
            await get_diagnostics_for_config_entry(
                self._hass, self._client, self._entry
            )
        )

    async def events(self, name: str = "subentry_44") -> Events:
        [phone] = (await self.device(name))["phones"]
        events: Events = phone["provisioning"]
        return events

    @staticmethod
    def _checked(shown: Any) -> dict[str, Any]:
        text = json.dumps(shown)
        for secret in (TOKEN, PASSWORD, MAC, HOST, "192.168.1", "settings/"):
            assert secret not in text
        result: dict[str, Any] = shown
        return result


@pytest.fixture
def downloads(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, server: MockConfigEntry
) -> Downloads:
    return Downloads(hass, hass_client, server)


@pytest.fixture
async def web(
    server: MockConfigEntry, hass_client_no_auth: ClientSessionGenerator
) -> TestClient:
    return await hass_client_no_auth()


def without_times(events: Events) -> Events:
    return [
        {name: it for name, it in event.items() if name not in ("first", "last")}
        for event in events
    ]


async def test_how_a_phone_got_its_settings(
    hass: HomeAssistant, network: Network, web: TestClient, downloads: Downloads
) -> None:
    network.hears(announcement())
    await hass.async_block_till_done()
    [(_, url)] = network.urls
    agent = {"User-Agent": AGENT}
    for path in (url.removeprefix(BASE), f"{PATH}/snomD785-{MAC}.htm"):
        assert (await web.get(path, headers=agent)).status == 200
    for name in ("snomD785-firmware.htm", f"{TOKEN}.htm", f"my-{MAC}.xml"):
        assert (await web.get(f"{PATH}/{name}", headers=agent)).status == 404
    asked = {"user_agent": SHOWN_AGENT, "count": 1}
    events = await downloads.events()
    assert without_times(events) == [
        {
            "event": "announced",
            "count": 1,
            "vendor": "snom",
            "model": "370",
            "version": "8.7.5.48",
            "port": 1053,
        },
        {"event": "answered", "count": 1, "status": 200},
        {"event": "fetched", "file": "{mac}.xml", **asked},
        {"event": "fetched", "file": "snomD785-{mac}.htm", **asked},
        {"event": "refused", "file": "snomD785-firmware.htm", **asked},
        {"event": "refused", "file": "**REDACTED**", **asked},
        {"event": "refused", "file": "**REDACTED**", **asked},
    ]
    assert all(event["first"] <= event["last"] for event in events)
    assert (await downloads.whole())["provisioning"]["strangers"] == []


async def test_what_a_phone_did_before_its_hardware_address_was_known(
    hass: HomeAssistant, server: MockConfigEntry, web: TestClient, downloads: Downloads
) -> None:
    """The phone names it only in the second request."""
    update_phone(hass, server, mac="")
    await hass.async_block_till_done()
    old = {"User-Agent": "Mozilla/4.0 (compatible; snom370-SIP 8.7.5.48 1.1.3-s)"}
    for name in ("snom370.htm", f"snom370-{MAC}.htm", f"snom370-{MAC}.htm"):
        assert (await web.get(f"{PATH}/{name}", headers=old)).status == 200
        await hass.async_block_till_done()
    events = await downloads.events()
    assert [(it["event"], it["file"], it["count"]) for it in events] == [
        ("fetched", "snom370.htm", 1),
        ("fetched", "snom370-{mac}.htm", 2),
    ]


async def test_what_a_phone_did_before_it_was_set_up(
    hass: HomeAssistant, server: MockConfigEntry, network: Network, downloads: Downloads
) -> None:
    """What repeats the last is counted."""
    mac = "00041300000A"
    for _ in range(3):
        network.hears(announcement(mac, "snomD735"))
    [stranger] = (await downloads.whole())["provisioning"]["strangers"]
    assert stranger["mac"] == "000413"
    [event] = stranger["record"]
    assert (event["event"], event["model"], event["count"]) == ("announced", "D735", 3)
    update_phone(hass, server, "45", mac=mac)
    await hass.async_block_till_done()
    assert await downloads.events("subentry_45") == [event]
    assert (await downloads.whole())["provisioning"]["strangers"] == []
    # With the phone goes its record.
    hass.config_entries.async_remove_subentry(server, "subentry_45")
    await hass.async_block_till_done()
    assert (await downloads.whole())["provisioning"]["strangers"] == []


async def test_other_makers_and_requests_without_a_name_are_strangers(
    network: Network, web: TestClient, downloads: Downloads
) -> None:
    network.hears(YEALINK)
    path = "/api/snom_buttons/settings/wrong"
    for agent in ("curl/8.0", "snomD735/10.1.198.12"):
        response = await web.get(f"{path}/", headers={"User-Agent": agent})
        assert response.status == 404
    yealink, unnamed = (await downloads.whole())["provisioning"]["strangers"]
    assert yealink["record"][0]["vendor"].lower() == "yealink"
    assert unnamed["mac"] == ""
    assert [(it["event"], it["user_agent"]) for it in unnamed["record"]] == [
        ("refused", "**REDACTED**"),
        ("refused", "snomD735/10.1.198.12"),
    ]


async def test_a_refused_request_is_of_the_phone_of_its_token_or_its_name(
    hass: HomeAssistant, network: Network, web: TestClient, downloads: Downloads
) -> None:
    """What comes from outside of the allowed networks is of no phone."""
    network.hears(announcement())
    await hass.async_block_till_done()
    [(_, url)] = network.urls
    folder = url.removeprefix(BASE).rpartition("/")[0]
    other = "00041300000A"
    agent = {"User-Agent": AGENT}
    plain = {"User-Agent": "snomD735/10.1.198.12"}
    assert (await web.get(f"{folder}/", headers=plain)).status == 404
    [*_, last] = await downloads.events()
    assert (last["event"], last["file"]) == ("refused", "")
    wrong = "/api/snom_buttons/settings/wrong"
    assert (await web.get(f"{wrong}/{other}.xml", headers=agent)).status == 404
    with patch.object(web_request.BaseRequest, "remote", "203.0.113.7"):
        assert (await web.get(f"{wrong}/00041300000B.xml")).status == 404
    [stranger] = (await downloads.whole())["provisioning"]["strangers"]
    assert [it["file"] for it in stranger["record"]] == ["{mac}.xml"]
    assert (await downloads.events())[-1] == last


async def test_strangers_take_no_room_from_phones_that_are_set_up(
    hass: HomeAssistant, network: Network, downloads: Downloads
) -> None:
    network.hears(announcement())
    await hass.async_block_till_done()
    for number in range(2 * MAX_STRANGERS):
        network._plug_and_play.heard.emit(said(f"0004130000{number:02X}"))
    strangers = (await downloads.whole())["provisioning"]["strangers"]
    assert len(strangers) == MAX_STRANGERS
    events = [it["event"] for it in await downloads.events()]
    assert events == ["announced", "answered"]


def said(mac: str, model: str = "snom370") -> Any:
    return Network.read(announcement(Mac(mac), model))


async def test_the_last_events_are_kept(network: Network, downloads: Downloads) -> None:
    for number in range(MAX_EVENTS + 5):
        network._plug_and_play.heard.emit(said(MAC, f"snomD{400 + number}"))
    models = [it["model"] for it in await downloads.events()]
    assert models == [f"snomD{400 + number}" for number in range(5, MAX_EVENTS + 5)]


async def test_what_a_phone_said_when_it_was_asked_to_fetch(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phones: Phones,
    web: TestClient,
    downloads: Downloads,
) -> None:
    phone = await phones()

    async def change(name: str) -> None:
        keys = list(server.subentries["subentry_44"].data["keys"])
        update_phone(hass, server, keys=[keys[0] | {"name": name}, *keys[1:]])
        await hass.async_block_till_done()
        later = dt_util.utcnow() + timedelta(seconds=SETTLE_SECONDS)
        async_fire_time_changed(hass, later)
        await hass.async_block_till_done(wait_background_tasks=True)

    agent = {"User-Agent": AGENT}
    assert (await web.get(f"{PATH}/", headers=agent)).status == 200
    await change("One")
    phone.answer = 489
    await change("Two")
    events = await downloads.events()
    assert [it["result"] for it in events if it["event"] == "asked_to_fetch"] == [
        "accepted",
        "check_sync_unknown",
    ]


async def test_the_download_of_a_device_has_that_part_alone(
    hass: HomeAssistant, server: MockConfigEntry, downloads: Downloads
) -> None:
    add_phone(hass, server, line_subentry())
    await hass.async_block_till_done()
    phone = await downloads.device()
    assert [it["settings"]["extension"] for it in phone["phones"]] == ["44"]
    assert phone["shared_lines"] == []
    line = await downloads.device("subentry_line")
    assert (len(line["phones"]), len(line["shared_lines"])) == (0, 1)
    whole = await downloads.device(server.entry_id)
    assert (len(whole["phones"]), len(whole["shared_lines"])) == (2, 1)
    assert whole["server"] == phone["server"]
