"""The dashboard card: served, known to dashboards once, and withdrawn at the end."""

import asyncio
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components import snom_buttons
from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.hub.card import card_version
from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL
from homeassistant.config_entries import (
    SOURCE_IGNORE,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.support.ports import LOCALHOST, free_port

FILE = Path(snom_buttons.__file__).parent / "frontend" / "snom-phone-card.js"
URL = f"/snom_buttons/card.js?v={sha256(FILE.read_bytes()).hexdigest()[:12]}"
OURS = {"type": "module", "url": URL}
OTHER = {"id": "other", "type": "module", "url": "/local/card.js?v=1"}
BROKEN = {"id": "broken", "type": "js", "url": "http://[/snom_buttons/card.js"}


class Frontend:
    """What a page of the frontend is told."""

    def __init__(self, hass: HomeAssistant, clients: WebSocketGenerator) -> None:
        self._hass = hass
        self._clients = clients

    async def _ask(self, command: str) -> Any:
        client = await self._clients(self._hass)
        await client.send_json_auto_id({"type": command})
        answer = await client.receive_json()
        assert answer["success"], answer
        return answer["result"]

    async def resources(self) -> list[dict[str, str]]:
        """Return the resources of dashboards, without their IDs."""
        found = await self._ask("lovelace/resources")
        return [{"type": it["type"], "url": it["url"]} for it in found]

    def extra_modules(self) -> set[str]:
        """Return the modules that each page loads."""
        return set(self._hass.data[DATA_EXTRA_MODULE_URL].urls)

    async def page(self) -> dict[str, Any] | None:
        """Return the page of the phones."""
        found: dict[str, Any] | None
        found = (await self._ask("get_panels")).get("snom-phones")
        return found


@pytest.fixture
def resources() -> list[dict[str, str]]:
    """Return the stored resources of dashboards."""
    return []


@pytest.fixture
def dashboards() -> dict[str, Any]:
    """Return the dashboards of configuration.yaml."""
    return {}


@pytest.fixture
def lovelace(dashboards: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of dashboards in configuration.yaml."""
    return {"dashboards": dashboards}


@pytest.fixture
async def pages(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    hass_ws_client: WebSocketGenerator,
    resources: list[dict[str, str]],
    lovelace: dict[str, Any],
) -> Frontend:
    """Return what pages are told by a Home Assistant with dashboards."""
    hass_storage["lovelace_resources"] = {
        "version": 1,
        "key": "lovelace_resources",
        "data": {"items": resources},
    }
    assert await async_setup_component(hass, "lovelace", {"lovelace": lovelace})
    assert await async_setup_component(hass, "frontend", {})
    return Frontend(hass, hass_ws_client)


@pytest.fixture
def second_entry(hass: HomeAssistant, socket_enabled: None) -> MockConfigEntry:
    """Return the entry of another server, without phones."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Second",
        data={
            "host": LOCALHOST,
            "port": free_port(),
            "realm": "home-assistant",
            "advertised_host": LOCALHOST,
        },
    )
    entry.add_to_hass(hass)
    return entry


async def test_it_is_served_without_a_log_in_and_kept_by_browsers(
    hass: HomeAssistant,
    pages: Frontend,
    server: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    web = await hass_client_no_auth()
    response = await web.get(URL)
    assert (response.status, response.content_type) == (200, "text/javascript")
    assert "max-age=2678400" in response.headers["Cache-Control"]
    assert await response.read() == FILE.read_bytes()
    assert URL.endswith(card_version())


async def test_dashboards_and_the_page_load_the_same_version(
    pages: Frontend, server: MockConfigEntry
) -> None:
    assert await pages.resources() == [OURS]
    assert pages.extra_modules() == set()
    page = await pages.page()
    assert page is not None
    assert (page["component_name"], page["title"]) == ("custom", None)  # no sidebar
    assert page["require_admin"] is False
    panel = page["config"]["_panel_custom"]
    assert (panel["name"], panel["module_url"]) == ("snom-phones-panel", URL)
    assert f'"{panel["name"]}"' in FILE.read_text("utf-8")


async def test_two_entries_and_reloads_make_it_known_once(
    hass: HomeAssistant,
    pages: Frontend,
    config_entry: MockConfigEntry,
    second_entry: MockConfigEntry,
) -> None:
    await hass.config_entries.async_setup(config_entry.entry_id)  # and the other
    await asyncio.gather(
        *(
            hass.config_entries.async_reload(entry.entry_id)
            for entry in (config_entry, second_entry)
        )
    )
    assert await pages.resources() == [OURS]
    assert await pages.page()


@pytest.mark.parametrize(
    "resources",
    [
        [OTHER, {"id": "a", "type": "module", "url": "/snom_buttons/card.js?v=old"}],
        [{"id": "a", "type": "js", "url": URL}, OTHER],
        [
            {"id": "a", "type": "module", "url": "/snom_buttons/card.js"},
            OTHER,
            {"id": "b", "type": "module", "url": "/snom_buttons/card.js?v=old"},
            {"id": "c", "type": "module", "url": URL},
            BROKEN,
        ],
    ],
    ids=["older", "by-hand", "doubles"],
)
async def test_resources_of_ours_become_one_of_this_version(
    hass: HomeAssistant,
    pages: Frontend,
    resources: list[dict[str, str]],
    config_entry: MockConfigEntry,
    second_entry: MockConfigEntry,
) -> None:
    async def follow(*_change: Any) -> None:
        await asyncio.sleep(0)

    # Each change waits for it, while the other entry is set up.
    hass.data["lovelace"].resources.async_add_listener(follow)
    await hass.config_entries.async_setup(config_entry.entry_id)
    assert config_entry.state is second_entry.state is ConfigEntryState.LOADED
    found = await pages.resources()
    assert found.count(OURS) == 1
    others = [it for it in resources if it in (OTHER, BROKEN)]
    assert len(found) == 1 + len(others)
    for other in others:
        assert {"type": other["type"], "url": other["url"]} in found


async def test_an_unchanged_resource_keeps_its_identity(
    hass: HomeAssistant,
    pages: Frontend,
    hass_storage: dict[str, Any],
    server: MockConfigEntry,
) -> None:
    before = hass.data["lovelace"].resources.async_items()
    await hass.config_entries.async_reload(server.entry_id)
    assert hass.data["lovelace"].resources.async_items() == before


async def test_resources_that_cannot_be_read_keep_no_phone_from_working(
    hass: HomeAssistant,
    pages: Frontend,
    hass_storage: dict[str, Any],
    config_entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Such as those of a newer Home Assistant."""
    hass_storage["lovelace_resources"] |= {"version": 99}
    await hass.config_entries.async_setup(config_entry.entry_id)
    assert config_entry.state is ConfigEntryState.LOADED
    assert await pages.page()
    assert "The resources of dashboards cannot be changed" in caplog.text
    caplog.clear()
    assert await hass.config_entries.async_remove(config_entry.entry_id)
    assert await pages.page() is None
    caplog.clear()


async def test_it_is_withdrawn_with_the_last_entry_and_offered_again(
    hass: HomeAssistant,
    pages: Frontend,
    config_entry: MockConfigEntry,
    second_entry: MockConfigEntry,
) -> None:
    MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE).add_to_hass(hass)
    await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.config_entries.async_remove(second_entry.entry_id)
    assert await pages.resources() == [OURS]
    await hass.config_entries.async_remove(config_entry.entry_id)
    assert await pages.resources() == []
    assert await pages.page() is None
    third = MockConfigEntry(domain=DOMAIN, data=dict(second_entry.data))
    third.add_to_hass(hass)
    await hass.config_entries.async_setup(third.entry_id)
    assert await pages.resources() == [OURS]
    assert await pages.page()


@pytest.mark.parametrize(
    "dashboards",
    [{"snom-phones": {"mode": "yaml", "title": "Mine", "filename": "mine.yaml"}}],
)
async def test_a_dashboard_of_the_user_keeps_the_path(
    hass: HomeAssistant,
    pages: Frontend,
    server: MockConfigEntry,
) -> None:
    before = await pages.page()
    assert before is not None and before["title"] == "Mine"
    await hass.config_entries.async_remove(server.entry_id)
    assert await pages.page() == before


async def test_a_disabled_entry_keeps_it(
    hass: HomeAssistant,
    pages: Frontend,
    server: MockConfigEntry,
    second_entry: MockConfigEntry,
) -> None:
    await hass.config_entries.async_set_disabled_by(
        second_entry.entry_id, ConfigEntryDisabler.USER
    )
    await hass.config_entries.async_remove(server.entry_id)
    assert await pages.resources() == [OURS]


@pytest.mark.parametrize("lovelace", [{"resource_mode": "yaml", "resources": []}])
async def test_with_resources_in_yaml_each_page_loads_it(
    hass: HomeAssistant,
    pages: Frontend,
    config_entry: MockConfigEntry,
    second_entry: MockConfigEntry,
) -> None:
    await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.config_entries.async_reload(config_entry.entry_id)
    assert pages.extra_modules() == {URL}
    assert await pages.resources() == []
    await hass.config_entries.async_remove(second_entry.entry_id)
    assert pages.extra_modules() == {URL}
    await hass.config_entries.async_remove(config_entry.entry_id)
    assert pages.extra_modules() == set()
    assert await pages.page() is None


@pytest.mark.parametrize(
    "lovelace",
    [
        {
            "resource_mode": "yaml",
            "resources": [{"type": "module", "url": "/snom_buttons/card.js"}],
        }
    ],
)
async def test_a_card_that_is_listed_in_yaml_is_not_loaded_twice(
    pages: Frontend, server: MockConfigEntry
) -> None:
    assert pages.extra_modules() == set()
    assert [it["url"] for it in await pages.resources()] == ["/snom_buttons/card.js"]


async def test_without_a_frontend_there_is_nothing_to_do(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    assert await hass.config_entries.async_remove(server.entry_id)
