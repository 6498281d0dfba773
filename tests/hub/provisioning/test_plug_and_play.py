"""Which announcements are answered: phones that are set up, and one of an open window."""

from base64 import urlsafe_b64decode
import logging
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from aiohttp import web_request
from aiohttp.test_utils import TestClient
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.snom_buttons.engine.provisioning import Announcement, Mac
from custom_components.snom_buttons.engine.provisioning.plug_and_play import COOL_DOWN
from custom_components.snom_buttons.hub.provisioning.newcomers import MAX_NEWCOMERS
from custom_components.snom_buttons.hub.provisioning.tokens import (
    FIRST_SECONDS,
    MAX_EACH,
    FirstTokens,
    new_token,
)
from custom_components.snom_buttons.hub.provisioning.window import MAX_HEARD, Window
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.support.announcements import YEALINK
from tests.support.clock import hurrying
from tests.support.entries import (
    PASSWORD,
    TOKEN,
    Phones,
    key_data,
    phone_subentry,
    update_phone,
)
from tests.support.plugging import MAC, Network, announcement

BASE = "http://192.168.1.2:8123"
OTHER = "00041300000A"
STEADY = "YetAn0therRandomTokenO"
"""The steady token of a new phone."""
AGENT = {"User-Agent": "Mozilla/4.0 (compatible; snom370-SIP 8.7.5.48 1.1.3-s)"}


@pytest.fixture
async def server(hass: HomeAssistant, config_entry: MockConfigEntry) -> MockConfigEntry:
    """Return the entry, set up; phone 44 has a hardware address."""
    assert await async_setup_component(hass, "http", {})
    await hass.config.async_update(internal_url=BASE)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    update_phone(hass, config_entry, mac=MAC)
    update_phone(hass, config_entry, "45", token="AnotherRand0mTokenOf22")
    await hass.async_block_till_done()
    return config_entry


@pytest.fixture
def network(server: MockConfigEntry) -> Network:
    return Network(server)


@pytest.fixture
async def web(
    server: MockConfigEntry, hass_client_no_auth: ClientSessionGenerator
) -> TestClient:
    return await hass_client_no_auth()


def new_phone(said: Announcement) -> ConfigSubentry:
    """Return phone 46 as the dialogue makes it."""
    phone = phone_subentry("46", [key_data("1")], mac=said.mac, token=STEADY)
    return ConfigSubentry(**{**phone, "data": MappingProxyType(phone["data"])})


def opened(entry: MockConfigEntry) -> Window:
    window: Window = entry.runtime_data.provisioning.async_open_window(new_phone)
    return window


async def settle(hass: HomeAssistant) -> None:
    await hass.async_block_till_done(wait_background_tasks=True)


async def answered(hass: HomeAssistant, network: Network, mac: str = MAC) -> str:
    """Return the path of the URL with which an announcement is answered."""
    count = len(network.urls)
    network.hears(announcement(mac))
    await settle(hass)
    [(_, url)] = network.urls[count:]
    path = url.removeprefix(BASE)
    assert path.startswith("/api/snom_buttons/settings/")
    assert path.endswith(f"/{mac}.xml")
    return path


async def test_a_phone_that_is_set_up_gets_its_own_file(
    hass: HomeAssistant, network: Network, web: TestClient
) -> None:
    path = await answered(hass, network)
    assert network.urls[0][0] == "192.168.1.70"
    response = await web.get(path, headers=AGENT)
    assert response.status == 200
    text = await response.text()
    assert '<user_name idx="1" perm="">44<' in text
    assert f"{BASE}/api/snom_buttons/settings/{TOKEN}/<" in text


async def test_a_phone_that_does_not_register_is_not_answered(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    update_phone(hass, server, address="192.168.1.70")
    await settle(hass)
    opened(server)
    network.hears(announcement())
    await settle(hass)
    assert network.sent == network.urls == []


async def test_other_phones_are_heard_and_get_nothing(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    for number in range(MAX_NEWCOMERS + 5):
        network.hears(announcement(f"00041300{number:04X}"))
    network.hears(announcement())
    network.hears(YEALINK)
    await settle(hass)
    assert [host for host, _ in network.urls] == ["192.168.1.70"], "that of phone 44"
    newcomers = server.runtime_data.provisioning.newcomers.phones
    assert len(newcomers) == MAX_NEWCOMERS
    assert newcomers[-1].announcement.vendor == "Yealink"
    assert MAC not in {it.announcement.mac for it in newcomers}


async def test_a_newcomer_that_is_set_up_is_none_any_more(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    network.hears(announcement(OTHER))
    newcomers = server.runtime_data.provisioning.newcomers
    assert [it.announcement.mac for it in newcomers.phones] == [OTHER]
    update_phone(hass, server, "45", mac=OTHER)
    await settle(hass)
    assert newcomers.phones == []


# An attacker in the network


async def test_who_claims_the_address_of_a_phone_that_is_elsewhere_gets_nothing(
    hass: HomeAssistant, server: MockConfigEntry, network: Network, phones: Phones
) -> None:
    """The URL leads to the password of the phone."""
    phone = await phones()
    network.hears(announcement(), "192.168.1.66")
    await settle(hass)
    assert network.sent == network.urls == []
    # While it does not answer, as in a restart, its registration still says where it is.
    phone.answer = None
    running = server.runtime_data.server.phones["44"]
    await hass.services.async_call(
        "light", "turn_on", {"entity_id": "light.phone_44_key_1"}, blocking=True
    )
    with hurrying(hass.loop):
        await phone.until(lambda: not running.available)
    network.hears(announcement(), "192.168.1.66")
    await settle(hass)
    assert network.sent == network.urls == []
    # From where it registered it may have been reset.
    network.hears(announcement(), "127.0.0.1")
    await settle(hass)
    assert [host for host, _ in network.urls] == ["127.0.0.1"]


async def test_a_source_outside_of_the_networks_gets_nothing(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    window = opened(server)
    network.hears(announcement(), "203.0.113.7")
    network.hears(announcement(OTHER), "203.0.113.7")
    await settle(hass)
    assert network.sent == network.urls == []
    assert window.answered is None
    assert not window.heard, "it would be shown as a phone that waits"
    assert server.runtime_data.provisioning.newcomers.phones == []


async def test_who_claims_a_phone_that_is_set_up_gets_no_turn_of_a_window(
    hass: HomeAssistant, server: MockConfigEntry, network: Network, phones: Phones
) -> None:
    """Neither its settings nor those of the phone that is wanted."""
    await phones()
    window = opened(server)
    network.hears(announcement(), "192.168.1.66")
    await settle(hass)
    assert network.sent == network.urls == []
    network.hears(announcement(OTHER))
    await settle(hass)
    [(host, url)] = network.urls
    assert (host, url.rpartition("/")[2]) == ("192.168.1.70", f"{OTHER}.xml")
    assert not window.ended.done()


async def test_a_phone_whose_address_was_claimed_in_a_window_is_answered_later(
    hass: HomeAssistant, server: MockConfigEntry, network: Network, web: TestClient
) -> None:
    """Nothing tells the two apart, so each gets a URL, and the first fetch counts."""
    plug_and_play = server.runtime_data.provisioning.plug_and_play
    opened(server)
    network.hears(announcement(OTHER), "192.168.1.66")
    network.hears(announcement(OTHER), "192.168.1.70")
    await settle(hass)
    assert [host for host, _ in network.urls] == ["192.168.1.66"]
    now = plug_and_play._clock() + COOL_DOWN
    plug_and_play._clock = lambda: now
    network.hears(announcement(OTHER), "192.168.1.70")
    await settle(hass)
    claimed, its_own = (url.removeprefix(BASE) for _, url in network.urls)
    assert (await web.get(its_own, headers=AGENT)).status == 200
    steady = f"/api/snom_buttons/settings/{STEADY}/{OTHER}.xml"
    assert (await web.get(steady, headers=AGENT)).status == 200
    assert (await web.get(claimed, headers=AGENT)).status == 404


async def test_a_secret_is_the_same_from_another_address_and_the_log_names_that(
    hass: HomeAssistant,
    network: Network,
    web: TestClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A proxy would break a comparison, which a sender in the network can pass."""
    first = await answered(hass, network)
    caplog.set_level(logging.INFO, "custom_components.snom_buttons")
    with patch.object(web_request.BaseRequest, "remote", "192.168.1.66"):
        assert (await web.get(first, headers=AGENT)).status == 200
        other = first.replace(MAC, OTHER)
        assert (await web.get(other, headers=AGENT)).status == 404
    assert (
        f"Phone 44 fetches its settings: 370, {MAC}, from 192.168.1.66" in caplog.text
    )
    with patch.object(web_request.BaseRequest, "remote", "203.0.113.7"):
        assert (await web.get(first, headers=AGENT)).status == 404


async def test_a_window_is_for_one_phone_and_ends_with_its_fetch(
    hass: HomeAssistant, server: MockConfigEntry, network: Network, web: TestClient
) -> None:
    window = opened(server)
    network.hears(announcement(OTHER))
    network.hears(YEALINK)
    await settle(hass)
    [(host, url)] = network.urls
    assert host == "192.168.1.70"
    folder, _, name = url.removeprefix(BASE).rpartition("/")
    assert name == f"{OTHER}.xml"
    assert list(window.heard) == [OTHER, "0015654093A7"]

    # A URL that was overheard is of no use without the hardware address, and a phone
    # that names it only in the name of its own file gets that.
    for wrong in ("", "00041300000B.xml", "snom370.htm", "x"):
        assert (await web.get(f"{folder}/{wrong}", headers=AGENT)).status == 404
    guessed = f"{folder[:-1]}x/{name}"
    assert (await web.get(guessed, headers=AGENT)).status == 404
    response = await web.get(f"{folder}/snom370-{OTHER}.htm", headers=AGENT)
    assert response.status == 200
    assert f'<user_pass idx="1" perm="">{PASSWORD}<' in await response.text()

    # It is set up from now on, and fetches the same again with the same URL.
    added = await window.ended
    assert added is not None
    assert server.subentries[added.subentry_id] is added
    refresher = server.runtime_data.provisioning.refresher
    assert refresher.async_has_fetched(added.subentry_id)
    assert "46" in server.runtime_data.phones
    await settle(hass)
    assert (await web.get(f"{folder}/{name}", headers=AGENT)).status == 200
    assert server.runtime_data.provisioning.window is None
    network.hears(announcement("00041300000C"))
    await settle(hass)
    assert len(network.urls) == 1

    # Its own URL is another one, with which it ends the first.
    assert f"/{STEADY}/<" in await response.text()
    steady = f"/api/snom_buttons/settings/{STEADY}/"
    agent = {"User-Agent": f"{AGENT['User-Agent']} {OTHER}"}
    assert (await web.get(steady, headers=agent)).status == 200
    assert (await web.get(f"{folder}/{name}", headers=AGENT)).status == 404


# First tokens


async def test_each_answer_has_a_token_of_its_own_that_ends_with_the_steady_one(
    hass: HomeAssistant, server: MockConfigEntry, network: Network, web: TestClient
) -> None:
    """A URL that was overheard is of no use any more when the phone has its own."""
    plug_and_play = server.runtime_data.provisioning.plug_and_play
    first = await answered(hass, network)
    now = plug_and_play._clock() + COOL_DOWN
    plug_and_play._clock = lambda: now
    second = await answered(hass, network)
    assert first != second
    for path in (first, second):
        assert TOKEN not in path
        assert (await web.get(path, headers=AGENT)).status == 200

    steady = f"/api/snom_buttons/settings/{TOKEN}/{MAC}.xml"
    # The user may look at it meanwhile.
    assert (await web.get(steady)).status == 200
    assert (await web.get(first, headers=AGENT)).status == 200
    assert (await web.get(steady, headers=AGENT)).status == 200
    for path in (first, second):
        assert (await web.get(path, headers=AGENT)).status == 404
    assert (await web.get(steady, headers=AGENT)).status == 200


async def test_a_first_token_ends_after_its_time(
    hass: HomeAssistant, server: MockConfigEntry, network: Network, web: TestClient
) -> None:
    path = await answered(hass, network)
    tokens = server.runtime_data.provisioning.tokens
    now = tokens._clock()
    tokens._clock = lambda: now + FIRST_SECONDS - 1
    assert (await web.get(path, headers=AGENT)).status == 200
    tokens._clock = lambda: now + FIRST_SECONDS
    assert (await web.get(path, headers=AGENT)).status == 404


async def test_a_first_token_is_for_the_phone_that_was_answered(
    hass: HomeAssistant, server: MockConfigEntry, network: Network, web: TestClient
) -> None:
    path = await answered(hass, network)
    folder, _, _ = path.rpartition("/")
    for name in ("", f"{OTHER}.xml", "snom370.htm"):
        assert (await web.get(f"{folder}/{name}", headers=AGENT)).status == 404
    agent = {"User-Agent": f"{AGENT['User-Agent']} {MAC}"}
    assert (await web.get(f"{folder}/", headers=agent)).status == 200
    # It stays that phone's, whatever becomes of that.
    update_phone(hass, server, mac=OTHER)
    await settle(hass)
    assert (await web.get(path, headers=AGENT)).status == 404
    update_phone(hass, server, mac=MAC, address="192.168.1.70")
    await settle(hass)
    assert (await web.get(path, headers=AGENT)).status == 404


async def test_a_phone_that_another_server_has_meanwhile_is_not_set_up(
    hass: HomeAssistant, server: MockConfigEntry, network: Network, web: TestClient
) -> None:
    window = opened(server)
    path = await answered(hass, network, OTHER)
    other = MockConfigEntry(
        domain="snom_buttons",
        data={**server.data, "port": 1},
        subentries_data=[phone_subentry("50", mac=OTHER)],
    )
    other.add_to_hass(hass)
    assert (await web.get(path, headers=AGENT)).status == 404
    assert not window.ended.done()


async def test_a_first_token_ends_when_the_hardware_fetches_as_another_phone(
    hass: HomeAssistant, server: MockConfigEntry, network: Network, web: TestClient
) -> None:
    """The user has entered its Setting URL meanwhile."""
    update_phone(hass, server, mac="")
    await settle(hass)
    opened(server)
    path = await answered(hass, network, OTHER)
    steady = f"/api/snom_buttons/settings/{TOKEN}/{OTHER}.xml"
    assert (await web.get(steady, headers=AGENT)).status == 200
    assert (await web.get(path, headers=AGENT)).status == 404


def test_a_token_cannot_be_guessed() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert {len(urlsafe_b64decode(f"{it}==")) for it in tokens} == {128 // 8}


async def test_the_first_tokens_of_a_phone_are_few() -> None:
    now = 0.0
    tokens = FirstTokens(lambda: now)
    issued = [tokens.async_issue(Mac(MAC)) for _ in range(MAX_EACH + 1)]
    other = tokens.async_issue(Mac(OTHER))
    found = [tokens.async_mac_of(token) for token in issued]
    assert found == [None, *[MAC] * MAX_EACH]
    assert tokens.async_mac_of(other) == OTHER
    tokens.async_end(MAC)
    assert tokens.async_mac_of(other) == OTHER
    assert {tokens.async_mac_of(token) for token in issued} == {None}
    now = FIRST_SECONDS
    assert FIRST_SECONDS == 15 * 60
    assert tokens.async_mac_of(other) is None
    tokens.async_issue(Mac(MAC))
    assert len(tokens._tokens) == 1, "the one that has ended is forgotten"


async def test_a_phone_of_another_server_is_not_taken(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    MockConfigEntry(
        domain="snom_buttons",
        data={**server.data, "port": 1},
        subentries_data=[phone_subentry("50", mac=OTHER)],
    ).add_to_hass(hass)
    window = opened(server)
    network.hears(announcement(OTHER))
    await settle(hass)
    assert network.urls == []
    assert window.answered is None
    assert server.runtime_data.provisioning.newcomers.phones == []


async def test_without_an_address_for_plain_http_the_window_stays_free(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    await hass.config.async_update(internal_url="https://192.168.1.2:8123")
    window = opened(server)
    network.hears(announcement(OTHER))
    await settle(hass)
    assert network.urls == []
    assert window.answered is None


async def test_a_flood_in_a_window_shows_little_and_answers_one(
    hass: HomeAssistant, server: MockConfigEntry, network: Network
) -> None:
    window = opened(server)
    shown: list[None] = []
    window.changed.subscribe(shown.append)
    for number in range(10_000):
        network.hears(announcement(f"000413{number:06X}"))
    await settle(hass)
    assert len(network.urls) == 1
    assert len(window.heard) == MAX_HEARD
    assert len(shown) <= MAX_HEARD + 2, "one answer, and one choice"


def heard_from(mac: str) -> Any:
    said = Network.read(announcement(mac))
    assert said is not None
    return said


async def test_a_phone_that_is_answered_is_the_one_until_another_is_heard() -> None:
    window = Window(new_phone)
    first, second = heard_from(OTHER), heard_from("00041300000B")
    assert window.async_admit(first, is_alone=True)
    assert window.async_admit(first, is_alone=True), "it has asked again"
    assert window.async_phone(first.mac) is not None
    assert window.async_phone(second.mac) is None
    assert not window.async_admit(second, is_alone=False)
    assert window.async_phone(first.mac) is None
    window.async_choose(second)
    assert window.async_phone(second.mac) is None, "it was not answered"
    assert window.async_admit(second, is_alone=False)
    assert not window.async_admit(first, is_alone=False)
    assert window.async_phone(second.mac) is not None
    window.async_end(None)
    window.async_end(None)
    assert window.async_phone(second.mac) is None, "it has ended"
    assert await window.ended is None


async def test_a_phone_that_was_answered_before_another_was_chosen_is_not_set_up() -> (
    None
):
    window = Window(new_phone)
    first, second = heard_from(OTHER), heard_from("00041300000B")
    assert window.async_admit(first, is_alone=True)
    window.async_choose(second)
    assert window.async_phone(first.mac) is None


async def test_a_window_says_when_it_has_changed() -> None:
    window = Window(new_phone)
    changes: list[None] = []
    window.changed.subscribe(changes.append)
    said = heard_from(OTHER)
    window.async_note(said)
    window.async_note(said)
    assert len(changes) == 1, "it was heard before"
    window.async_admit(said, is_alone=True)
    assert len(changes) == 2


async def test_a_window_that_has_answered_no_phone_has_none() -> None:
    assert Window(new_phone).async_phone(Mac(MAC)) is None


async def test_a_first_token_ends_with_its_phone(
    hass: HomeAssistant, server: MockConfigEntry, network: Network, web: TestClient
) -> None:
    """The same hardware is set up again with another password, which is not to leak."""
    path = await answered(hass, network)
    hass.config_entries.async_remove_subentry(server, "subentry_44")
    await settle(hass)
    update_phone(hass, server, "45", mac=MAC)
    await settle(hass)
    assert (await web.get(path, headers=AGENT)).status == 404


async def test_a_phone_that_is_ignored_after_its_answer_gets_nothing(
    hass: HomeAssistant, server: MockConfigEntry, network: Network, web: TestClient
) -> None:
    window = opened(server)
    path = await answered(hass, network, OTHER)
    MockConfigEntry(
        domain="snom_buttons", source="ignore", unique_id=OTHER
    ).add_to_hass(hass)
    assert (await web.get(path, headers=AGENT)).status == 404
    assert not window.ended.done()
