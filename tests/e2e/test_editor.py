"""Device triggers and conditions in Home Assistant's own editor of automations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect
import pytest

from tests.support.browser import HASS, chromium, signed_in
from tests.support.demo import demo_of

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.xdist_group("pages"),
]

TEXTS = {
    "en": (
        "Key {} was pressed",
        "A number was dialled",
        "Number",
        "The phone is not registered",
        "Key {} shows a light mode",
        "Unknown action",
    ),
    "de": (
        "Taste {} wurde gedrückt",
        "Eine Nummer wurde gewählt",
        "Nummer",
        "Das Telefon ist nicht angemeldet",  # codespell:ignore ist
        "Taste {} zeigt einen Lichtmodus",
        "Unbekannte Aktion",  # codespell:ignore aktion
    ),
}


async def post(page: Page, path: str, data: dict[str, Any]) -> Any:
    return await page.evaluate(
        f"([path, data]) => {HASS}.callApi('POST', path, data)", [path, data]
    )


@pytest.mark.parametrize("language", TEXTS)
async def test_they_read_as_sentences(
    running: tuple[Path, int], language: str, tmp_path: Path
) -> None:
    pressed, dialled, number, not_registered, shows, unknown = TEXTS[language]
    async with (
        demo_of(*running) as demo,
        chromium() as browser,
        signed_in(
            browser, tmp_path, demo, "/config/automation/dashboard", locale=language
        ) as page,
    ):
        url = demo.details["url"]
        await page.wait_for_function(f"() => {HASS}")
        press = demo.entity("46", "1", "press")
        template = {"template": f"{{{{ device_id('{press}') }}}}"}
        base = {
            "domain": "snom_buttons",
            "device_id": await post(page, "template", template),
        }
        offered = await page.evaluate(
            f"id => {HASS}.callWS({{type: 'device_automation/trigger/list', device_id: id}})",
            base["device_id"],
        )
        [subtype] = [
            it["subtype"]
            for it in offered
            if it["domain"] == "snom_buttons"
            and it["type"] == "pressed"
            and it["subtype"].startswith("1 (")
        ]
        trigger = base | {"trigger": "device"}
        condition = base | {"condition": "device"}
        key = {"subtype": subtype}
        automation = {
            "alias": "Desk",
            "triggers": [
                trigger | {"type": "pressed"} | key,
                trigger | {"type": "dialled", "number": "100"},
            ],
            "conditions": [
                condition | {"type": "not_registered"},
                condition | {"type": "shows", "light": "on"} | key,
            ],
            "actions": [],
        }
        await post(page, f"config/automation/config/{language}", automation)
        await page.goto(f"{url}/config/automation/edit/{language}")
        for sentence in (
            pressed.format(subtype),
            not_registered,
            shows.format(subtype),
            dialled,
        ):
            await page.get_by_role("heading", name=sentence, exact=True).click()
            # The editor knows it as one of those that the device offers.
            picker = page.locator(
                "ha-device-trigger-picker, ha-device-condition-picker"
            )
            await expect(picker).to_contain_text(sentence)
            await expect(page.get_by_text(unknown, exact=True)).to_have_count(0)
        field = page.get_by_role("textbox", name=number, exact=True)
        await expect(field).to_have_value("100")
