"""Keys that are arranged on the picture of a phone, in a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Locator, Page, expect
import pytest
from pytest_socket import enable_socket

from tests.support.browser import (
    HASS,
    call_websocket,
    chromium_path,
    device_of,
    page_of,
    sign_in,
    signed_in,
)
from tests.support.demo import Demo, demo_without_errors
from tests.support.patience import PATIENCE
from virtual_phone import VirtualPhone

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.xdist_group("card_arrange"),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """Run a demo with four phones."""
    chromium_path()
    enable_socket()  # `socket_enabled` comes after fixtures of the module
    directory = tmp_path_factory.mktemp("card_arrange") / "demo"
    with demo_without_errors(directory, "--no-phone") as demo:
        yield demo


@pytest.fixture
async def phone(home: Demo) -> AsyncIterator[VirtualPhone]:
    """Run phone 46, of which keys are linked."""
    sip = home.details["sip"]
    phone = VirtualPhone(
        registrar=f"{sip['host']}:{sip['port']}",
        user="46",
        password=home.details["phones"]["46"]["password"],
    )
    async with phone:
        await phone.wait_for(lambda it: bool(it.keys["1"].label), PATIENCE)
        yield phone


@pytest.fixture
async def page(browser: Browser, home: Demo, tmp_path: Path) -> AsyncIterator[Page]:
    async with signed_in(browser, tmp_path, home, "/profile") as page:
        yield page


def key_of(page: Page, name: str) -> Locator:
    return page.locator(f"snom-phone-face button[data-key='{name}']")


async def shows(phone: VirtualPhone, key: str, label: str, light: str | None) -> None:
    """Wait until a key of the phone has a label and, unless None, a light mode."""
    await phone.wait_for(
        lambda it: (
            (look := it.keys.get(key)) is not None
            and look.label == label
            and light in (None, look.light)
        ),
        PATIENCE,
    )


async def test_a_key_gets_an_entity_and_two_change_places(
    home: Demo, page: Page, phone: VirtualPhone
) -> None:
    """From the page of one phone, on which nothing of Home Assistant is loaded yet."""
    device = await device_of(page, home.entity("46", "1", "press"))
    await page.goto(f"{home.details['url']}/snom-phones/{device}")
    await key_of(page, "1").click()
    editor = page.locator("snom-key-editor")
    await expect(editor.get_by_role("status")).to_contain_text("follows")
    before = phone.keys["1"].label
    name = "Ceiling Lights" if before != "Ceiling Lights" else "Kitchen Lights"
    await editor.locator("ha-entity-picker").first.click()
    entities = page.locator("ha-picker-combo-box")
    await entities.get_by_placeholder("Search").fill(name)
    await entities.get_by_text(name, exact=True).click()
    # At once on the picture, and on the phone when it is saved.
    await expect(key_of(page, "1")).to_contain_text(name)
    await expect(editor.get_by_role("status")).to_contain_text(f"follows {name}")
    assert phone.keys["1"].label == before
    await editor.get_by_role("button", name="Save").click()
    entity_id = await entity_named(page, name)
    state = (await home.state(entity_id))["state"]
    await shows(phone, "1", name, state)
    await expect(editor).to_have_count(0)
    await expect(key_of(page, "1")).to_be_focused()
    await home.set_state(entity_id, "off" if state == "on" else "on")
    await shows(phone, "1", name, "off" if state == "on" else "on")

    other = phone.keys["2"].label or ""
    await drag(page, "1", "2")
    await shows(phone, "2", name, None)
    await shows(phone, "1", other, None)
    await expect(key_of(page, "2")).to_contain_text(name)
    # By the keyboard
    await key_of(page, "1").press("Enter")
    await editor.get_by_label("Swap with").select_option("2")
    await editor.get_by_role("button", name="Swap").click()
    await shows(phone, "1", name, None)
    await page.get_by_role("button", name="Arrange keys").click()
    await expect(page.get_by_role("button", name="Arrange keys")).to_have_attribute(
        "aria-pressed", "false"
    )


async def entity_named(page: Page, name: str) -> str:
    found: str = await page.evaluate(
        f"name => Object.values({HASS}.states).find("
        "it => it.attributes.friendly_name === name).entity_id",
        name,
    )
    return found


async def drag(page: Page, key: str, other: str) -> None:
    """Drag a key onto another one with the mouse."""
    boxes = [await key_of(page, name).bounding_box() for name in (key, other)]
    (x, y), (to_x, to_y) = (
        (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        for box in boxes
        if box is not None
    )
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(to_x, to_y, steps=4)
    await page.mouse.up()


async def test_a_wrong_setting_is_said_beside_its_field(
    home: Demo, page: Page, phone: VirtualPhone
) -> None:
    before = phone.keys["1"].label
    device = await device_of(page, home.entity("46", "1", "press"))
    await page.goto(f"{home.details['url']}/snom-phones/{device}")
    await key_of(page, "1").click()
    editor = page.locator("snom-key-editor")
    await editor.get_by_text("More", exact=True).click()
    await editor.locator("ha-selector-text input").first.fill("x" * 300)
    await editor.get_by_role("button", name="Save").click()
    await expect(editor.locator("ha-form ha-alert")).to_contain_text("Name: a name has")
    await page.keyboard.press("Escape")
    await expect(editor).to_have_count(0)
    assert phone.keys["1"].label == before


async def test_who_is_no_administrator_sees_no_pencil(
    home: Demo, page: Page, browser: Browser, tmp_path: Path
) -> None:
    device = await device_of(page, home.entity("46", "1", "press"))
    url = f"{home.details['url']}/snom-phones/{device}"
    await page.goto(url)
    await expect(page.get_by_role("button", name="Arrange keys")).to_be_visible()
    user: dict[str, Any] = await call_websocket(
        page,
        "config/auth/create",
        name="Guest",
        group_ids=["system-users"],
    )
    await call_websocket(
        page,
        "config/auth_provider/homeassistant/create",
        user_id=user["user"]["id"],
        username="guest",
        password="guest",
    )
    async with page_of(browser, tmp_path) as other:
        await sign_in(other, url, "guest")
        await key_of(other, "1").wait_for()
        await expect(other.get_by_role("button", name="Arrange keys")).to_have_count(0)
        await key_of(other, "1").click()
        await expect(other.locator("snom-key-editor")).to_have_count(0)
