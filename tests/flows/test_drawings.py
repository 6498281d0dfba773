"""The drawings of the pages that wait for a phone."""

from pathlib import Path
import xml.etree.ElementTree as ET

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components import snom_buttons
from custom_components.snom_buttons.hub.drawings import RESET_DRAWINGS
from homeassistant.core import HomeAssistant
from homeassistant.util.json import load_json_object
from tests.support.flows import choose_way, submit_phone
from tests.support.networks import multicast

pytestmark = multicast()

TRANSLATIONS = Path(snom_buttons.__file__).parent / "translations"


@pytest.mark.parametrize("language", ["en", "de"])
async def test_each_drawing_is_served_and_has_an_alternative_text(
    hass: HomeAssistant,
    hearing_server: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
    language: str,
) -> None:
    await hass.config.async_update(language=language)
    texts = load_json_object(TRANSLATIONS / f"{language}.json")["common"]
    assert isinstance(texts, dict)
    page = await choose_way(hass, hearing_server, "plug_in")
    page = await submit_phone(hass, page)
    placeholders = page["description_placeholders"]
    assert placeholders is not None
    web = await hass_client_no_auth()
    for name in RESET_DRAWINGS:
        link = ET.fromstring(placeholders[name])
        assert link.get("title") == link[0].get("alt") == texts[name]
        assert link.get("target") == "_blank"
        path = link[0].get("src")
        assert path is not None and path == link.get("href")
        response = await web.get(path)
        assert (response.status, response.content_type) == (200, "image/svg+xml")
        ET.fromstring(await response.text())


async def test_nothing_else_is_served_there(
    hass: HomeAssistant,
    hearing_server: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    web = await hass_client_no_auth()
    for path in ("", "/", "/../manifest.json", "/%2e%2e/manifest.json"):
        response = await web.get(f"/snom_buttons/drawings{path}")
        assert response.status in (403, 404), path
