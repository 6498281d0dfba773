"""The dashboard card as Home Assistant's editors offer it, and the dashboard of all phones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
import re
from typing import Any, Literal

from playwright.async_api import Browser, Locator, Page, expect
import pytest

from tests.support.browser import call_websocket, device_of, signed_in
from tests.support.demo import Demo

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.xdist_group("pages"),
]

PHONES = ("44", "45", "46", "47")
CARD = "custom:snom-phone-card"
STRATEGY = {"strategy": {"type": "custom:snom-phones"}}
EMPTY = {"views": [{"type": "sections", "sections": [{"type": "grid", "cards": []}]}]}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDE = """card => {
  const { left, right } = card.getBoundingClientRect();
  const elements = root => [...root.querySelectorAll("*")].flatMap(
    it => [it, ...(it.shadowRoot ? elements(it.shadowRoot) : [])]
  );
  return elements(card.shadowRoot).filter(it => {
    const box = it.getBoundingClientRect();
    return box.width > 1 && (box.left < left - 1 || box.right > right + 1);
  }).map(it => it.outerHTML);
}"""
"""Returns what is drawn beside the card."""


@pytest.fixture
async def page(browser: Browser, home: Demo, tmp_path: Path) -> AsyncIterator[Page]:
    """Return the page of the dashboards."""
    path = "/config/lovelace/dashboards"
    async with signed_in(browser, tmp_path, home, path) as page:
        yield page


async def make_dashboard(page: Page, path: str, config: dict[str, Any]) -> None:
    dashboard = {"url_path": path, "title": path, "mode": "storage"}
    await call_websocket(page, "lovelace/dashboards/create", **dashboard)
    await save_dashboard(page, path, config)


async def save_dashboard(page: Page, path: str, config: dict[str, Any]) -> None:
    await call_websocket(page, "lovelace/config/save", url_path=path, config=config)


async def add_card(page: Page, url: str, path: str) -> Locator:
    """Begin to add a card to a new dashboard; return the dialogue."""
    await make_dashboard(page, path, EMPTY)
    await page.goto(f"{url}/{path}?edit=1")
    await page.get_by_role("button", name="Add card").click()
    return page.locator("hui-dialog-create-card")


async def cards_of(page: Page, path: str) -> list[dict[str, Any]]:
    """Return the cards of the dashboard as they are stored."""
    config = await call_websocket(page, "lovelace/config", url_path=path)
    cards: list[dict[str, Any]] = config["views"][0]["sections"][0]["cards"]
    return cards


async def test_the_list_of_cards_has_it_and_a_form_changes_it(
    home: Demo, page: Page
) -> None:
    add = await add_card(page, home.details["url"], "by-card")
    await add.get_by_role("tab", name="By card").click()
    await add.get_by_placeholder("Search cards").fill("phone")
    offered = add.locator(".card", has_text="Desk phone")
    await expect(offered.locator("snom-phone-card")).to_contain_text("Living room")
    await offered.locator(".overlay").click()
    edit = page.locator("hui-dialog-edit-card")
    preview = edit.locator("hui-card snom-phone-card")
    await expect(preview).to_contain_text("Phone 44")
    await edit.locator("ha-device-picker").get_by_text("Phone 44").click()
    devices = page.locator("ha-picker-combo-box ha-combo-box-item")
    names = [re.compile(f"Phone {phone}\\b") for phone in PHONES]
    await expect(devices).to_have_text(names)
    await devices.get_by_text("Phone 45").click()
    await expect(preview).to_contain_text("Phone 45")
    await edit.locator("ha-selector-boolean ha-switch").click()
    await expect(preview).not_to_contain_text("Phone 45")
    await edit.get_by_role("button", name="Save").click()
    await expect(edit.locator("ha-dialog")).to_have_count(0)
    await page.locator("hui-grid-section snom-phone-card").wait_for()
    device = await device_of(page, home.entity("45", "1", "press"))
    stored = {"type": CARD, "device_id": device, "show_name": False}
    assert await cards_of(page, "by-card") == [stored]


async def test_entities_of_a_phone_suggest_it(home: Demo, page: Page) -> None:
    press = home.entity("46", "1", "press")
    add = await add_card(page, home.details["url"], "by-entity")
    entities = add.get_by_placeholder("Search entities")
    await entities.fill(press)
    await add.get_by_text("Kitchen Lights press", exact=True).click()
    suggested = add.locator("hui-suggestion-card", has_text="Desk phone")
    await expect(suggested.locator("snom-phone-card")).to_contain_text("Walkman")
    await suggested.get_by_role("button", name="Desk phone").click()
    await page.locator("hui-grid-section snom-phone-card").wait_for()
    device = await device_of(page, press)
    assert await cards_of(page, "by-entity") == [{"type": CARD, "device_id": device}]


async def test_the_dashboard_of_all_phones_is_offered(home: Demo, page: Page) -> None:
    url = home.details["url"]
    await page.get_by_role("button", name="Add dashboard").click()
    await page.get_by_role("button", name="Phones", exact=True).click()
    title = page.get_by_role("textbox", name="Title")
    await expect(title).to_have_value("Phones")
    await title.fill("All phones")
    await page.get_by_role("textbox", name="URL").fill("all-phones")
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("row", name="All phones")).to_be_visible()
    path = {"url_path": "all-phones"}
    assert await call_websocket(page, "lovelace/config", **path) == STRATEGY
    await page.goto(f"{url}/all-phones")
    cards = page.locator("snom-phone-card")
    await expect(cards).to_have_count(len(PHONES))
    for card, phone in zip(await cards.all(), PHONES, strict=True):
        await expect(card).to_contain_text(f"Phone {phone}")
    lines = page.locator("hui-entities-card", has_text="Shared lines")
    await expect(lines.get_by_role("switch")).to_have_count(1)


async def test_a_card_without_a_phone_shows_an_example(home: Demo, page: Page) -> None:
    grid = {"type": "grid", "cards": [{"type": CARD}]}
    view = {"type": "sections", "sections": [grid]}
    await make_dashboard(page, "without-phone", {"views": [view]})
    await page.goto(f"{home.details['url']}/without-phone")
    card = page.locator("snom-phone-card")
    await expect(card).to_contain_text("Choose a phone")
    await expect(card.get_by_role("button", name="Front door")).to_be_visible()


@pytest.mark.parametrize(("language", "direction"), [("de", "ltr"), ("he", "rtl")])
async def test_it_fits_a_narrow_screen(
    home: Demo, page: Page, tmp_path: Path, language: str, direction: str
) -> None:
    """Pictures of it, in the light and in the dark theme, are in `tmp_path`."""
    path = f"narrow-{direction}"
    await make_dashboard(page, path, STRATEGY)
    await page.evaluate(
        "it => localStorage.setItem('selectedLanguage', JSON.stringify(it))", language
    )
    for width in (320, 390):
        await page.set_viewport_size({"width": width, "height": 1400})
        await page.goto(f"{home.details['url']}/{path}")
        cards = page.locator("snom-phone-card")
        await expect(cards).to_have_count(len(PHONES))
        await expect(cards.last).to_contain_text("Phone 47")
        await expect(cards.last).to_have_css("direction", direction)
        for card in await cards.all():
            box = await card.bounding_box()
            assert box is not None
            assert 0 <= box["x"] <= box["x"] + box["width"] <= width
            wide = await card.evaluate(WIDE)
            assert wide == []
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            await page.screenshot(path=tmp_path / f"{scheme}-{width}.png")
