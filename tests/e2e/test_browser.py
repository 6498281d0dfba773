"""The dialogues of the integration in a real browser, with a real Home Assistant."""

from __future__ import annotations

from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

from playwright.async_api import Browser, Page, expect
import pytest
from pytest_socket import enable_socket

from tests.support.browser import (
    call_websocket,
    choose_entity,
    chromium_path,
    end_dialog,
    page_of,
    sign_in,
    signed_in,
)
from tests.support.demo import ROOT, Demo, demo_without_errors
from tests.support.networks import multicast
from tests.support.patience import PATIENCE
from tests.support.ports import LOCALHOST, free_port
from virtual_phone import FactoryPhone, VirtualPhone
from virtual_phone.maker import YEALINK

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("socket_enabled"),
    multicast("browser"),
]

DOMAIN = "snom_buttons"
DASHBOARD = "/config/integrations/dashboard"
TRANSLATIONS = ROOT / "custom_components" / DOMAIN / "translations"


def translations(language: str) -> Any:
    """Return the texts of the integration."""
    return json.loads((TRANSLATIONS / f"{language}.json").read_text())


def texts_of_keys(language: str) -> list[str]:
    """Return the texts of the editor of a key."""
    texts = translations(language)["selector"]
    choices = ("key_kind", "link_press", "link_label", "link_confirm")
    return [
        *(text for choice in choices for text in texts[choice]["options"].values()),
        *(
            text
            for about in texts["keys"]["fields"].values()
            for text in about.values()
        ),
    ]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """Run a Home Assistant in which the integration is not set up."""
    chromium_path()
    enable_socket()  # `socket_enabled` comes after fixtures of the module
    directory = tmp_path_factory.mktemp("browser") / "demo"
    with demo_without_errors(directory, "--no-setup") as demo:
        yield demo


async def shows(phone: VirtualPhone, key: str, **properties: str) -> None:
    """Wait until a key of the phone has these properties."""
    await phone.wait_for(
        lambda it: all(
            getattr(it.keys[key], name) == value for name, value in properties.items()
        ),
        PATIENCE,
    )


async def fill_in_server(page: Page, language: str) -> int:
    """Fill in addresses of this machine and a port, which is returned."""
    names = translations(language)["config"]["step"]["user"]["data"]
    for field in ("advertised_host", "host"):
        await page.get_by_role("textbox", name=names[field]).fill(LOCALHOST)
    port = free_port()
    await page.get_by_role("spinbutton", name=names["port"]).fill(f"{port}")
    return port


async def add_server(page: Page) -> int:
    """Add the integration, whose dialogue goes on with a phone; return the port."""
    await page.get_by_role("button", name="Add integration").click()
    await page.get_by_placeholder("Search for a brand name").fill("snom")
    await page.get_by_role("button", name="Snom Buttons").click()
    port = await fill_in_server(page, "en")
    await page.get_by_role("button", name="Submit").click()
    return port


async def dialog_texts(page: Page) -> str:
    """Return roles and texts of the dialogue that is on top."""
    snapshot = await page.locator("body").aria_snapshot()
    return snapshot.rpartition("- dialog:")[2]


async def add_phone(page: Page, *names: str) -> tuple[str, str]:
    """Add a phone of snom by choosing its model and entities.

    Returns its extension and password, as the last page names them.
    """
    await page.get_by_text("By hand").click()
    await choose_model(page, "D735")
    await choose_entities(page, *names)
    account, password = await values_of(page, "Account", "Password")
    await page.get_by_role("button", name="Submit").click()
    await end_dialog(page, "Finish")
    return account, password


async def choose_model(page: Page, model: str) -> None:
    """Choose the model of a phone, and leave the rest of its account as it is."""
    await page.get_by_label("Model").click()
    await page.get_by_role("menuitem", name=model).click()
    await page.get_by_role("button", name="Next").click()


async def choose_entities(page: Page, *names: str) -> None:
    """Choose what is on the keys of a phone, which leads to the last page."""
    opener = "Select an entity"
    for name in names:
        await choose_entity(page, opener, name)
        opener = "Add entity"
    await page.get_by_role("button", name="Next").click()
    await page.get_by_role("button", name="Delete").first.wait_for()
    await page.get_by_role("button", name="Next").click()


async def values_of(page: Page, *names: str) -> list[str]:
    """Return the values of rows of the last page."""
    return [
        await page.get_by_role("row", name=name).get_by_role("code").inner_text()
        for name in names
    ]


async def test_from_signing_in_to_a_repair(
    home: Demo, browser: Browser, tmp_path: Path
) -> None:
    """A phone is added by choosing entities; key and entity follow each other."""
    url = home.details["url"]
    async with page_of(browser, tmp_path) as page:
        await sign_in(page, url + DASHBOARD)
        port = await add_server(page)
        names = ("Ceiling Lights", "Decorative Lights", "Garage Door")
        extension, password = await add_phone(page, *names)
        async with VirtualPhone(
            extension, password, registrar=f"{LOCALHOST}:{port}"
        ) as phone:
            await shows(phone, "1", label="Ceiling Lights", light="on")
            await shows(phone, "2", label="Decorative Lights", light="on")
            await shows(phone, "3", label="Garage Door", light="off")

            # A press turns the light off, and a click turns it on again.
            await page.goto(f"{url}/light")
            lamp = page.locator("hui-tile-card", has_text="Ceiling Lights")
            await expect(lamp).to_contain_text("71%")
            assert await phone.press("1") == 200
            await expect(lamp).to_contain_text("Off")
            await shows(phone, "1", light="off")
            await lamp.locator("ha-tile-icon").click()
            await shows(phone, "1", light="on")

            # The key of an entity that is gone gets another by a repair.
            await page.goto(f"{url}/config/repairs")
            await call_websocket(
                page,
                "config/entity_registry/remove",
                entity_id="switch.decorative_lights",
            )
            await page.get_by_text(
                "A linked key follows an entity that is gone"
            ).click()
            await page.get_by_text("Decorative Lights of Phone").wait_for()
            await choose_entity(page, "Select an entity", "Kitchen Lights")
            await page.get_by_role("button", name="Submit").click()
            await shows(phone, "2", light="on")
            await expect(
                page.get_by_text("There are currently no repairs")
            ).to_be_visible()
            await home.call("light", "turn_off", entity_id="light.kitchen_lights")
            await shows(phone, "2", light="off")


async def test_a_yealink_is_added(home: Demo, browser: Browser, tmp_path: Path) -> None:
    """The last page has all that a phone with keys of type BLF needs."""
    url = home.details["url"]
    async with signed_in(browser, tmp_path, home, DASHBOARD) as page:
        port = await add_server(page)
        await page.get_by_text("A phone of another maker").click()
        await page.get_by_label("Maker").click()
        await page.get_by_role("menuitem", name="Yealink").click()
        await page.get_by_role("button", name="Next").click()
        await choose_model(page, "T40")
        await choose_entities(page, "Ceiling Lights", "Garage Door")
        await page.get_by_text("Account → Register").wait_for()
        user, password, shown = await values_of(
            page, "User Name", "Password", "SIP Server 1: Port"
        )
        assert shown == f"{port}"
        keys = page.get_by_role("listitem").filter(has_text="Line Key")
        for number, key in enumerate(await keys.all(), 1):
            said = f"Line Key {number}: Type BLF, Value {number}, Label "
            await expect(key).to_contain_text(said)
        await expect(keys).to_have_count(3)
        wide = page.viewport_size
        await page.set_viewport_size({"width": 390, "height": 844})
        for key in await keys.all():
            box = await key.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= 390
        assert wide is not None
        await page.set_viewport_size(wide)
        await page.screenshot(path=tmp_path / "yealink.png")
        await page.get_by_role("button", name="Submit").click()
        await end_dialog(page, "Finish")
        async with VirtualPhone(
            user,
            password,
            registrar=f"{LOCALHOST}:{port}",
            keys=3,
            maker=YEALINK,
            blf=True,
        ) as phone:
            await page.goto(f"{url}/light")
            lamp = page.locator("hui-tile-card", has_text="Ceiling Lights")
            await home.call("light", "turn_on", entity_id="light.ceiling_lights")
            await shows(phone, "1", light="on")
            await shows(phone, "2", light="off")
            assert await phone.press("1") == 486
            await expect(lamp).to_contain_text("Off")
            await shows(phone, "1", light="off")
            await lamp.locator("ha-tile-icon").click()
            await shows(phone, "1", light="on")


async def check_drawings(page: Page, evidence: Path) -> None:
    """Check that the page that waits shows how to reset a phone, in light and dark."""
    texts = translations("en")["common"]
    for scheme in ("dark", "light"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for name in ("reset_settings_key", "reset_display", "reset_web_page"):
            # By the name that a screen reader says.
            drawing = page.get_by_role("link", name=texts[name], exact=True)
            image = drawing.locator("img")
            await image.scroll_into_view_if_needed()
            await expect(image).to_have_js_property("naturalWidth", 320)
            box = await image.bounding_box()
            assert box is not None and box["width"] > 200
            await page.screenshot(path=evidence / f"{name}_{scheme}.png")


async def test_a_phone_is_plugged_in(
    home: Demo, browser: Browser, tmp_path: Path
) -> None:
    """From the page of the integration, without a character that is typed."""
    async with signed_in(browser, tmp_path, home, DASHBOARD) as page:
        await add_server(page)
        await page.get_by_text("Plug it in now").click()
        opener = "Select an entity"
        for name in ("Ceiling Lights", "Garage Door"):
            await choose_entity(page, opener, name)
            opener = "Add entity"
        await page.get_by_role("button", name="Next").click()
        await page.get_by_text("Nothing yet.").wait_for()
        await check_drawings(page, tmp_path)
        async with FactoryPhone("D735", "0004130DD7C9") as phone:
            await phone.wait_for(lambda it: it.registered, PATIENCE)
            await shows(phone, "1", label="Ceiling Lights")
            await shows(phone, "2", label="Garage Door", light="off")
            await page.get_by_text("has fetched its settings").wait_for()
            await expect(page.get_by_text("snom D735, 0004130DD7C9")).to_be_visible()
            await page.get_by_role("button", name="Submit").click()
            await page.get_by_text("The phone was added").wait_for()
            await end_dialog(page, "Close")


async def test_of_two_phones_one_is_chosen(
    home: Demo, browser: Browser, tmp_path: Path
) -> None:
    """Both are heard at once, as after a power cut. The other one gets nothing."""
    first, second = "0004130DD701", "0004130DD702"
    async with signed_in(browser, tmp_path, home, DASHBOARD) as page:
        await add_server(page)
        await page.get_by_text("Plug it in now").click()
        await page.get_by_role("button", name="Next").click()
        await page.get_by_text("Nothing yet.").wait_for()
        async with FactoryPhone("D735", first), FactoryPhone("D785", second) as phone:
            await page.get_by_text("Which phone is it?").wait_for()
            await page.get_by_text("None of these", exact=True).wait_for()
            await page.get_by_text(f"snom D735, {first}").wait_for()
            await page.screenshot(path=tmp_path / "which_phone.png")
            await page.get_by_text(f"snom D785, {second}").click()
            await page.get_by_role("button", name="Next").click()
            await phone.wait_for(lambda it: it.registered, PATIENCE)
            await page.get_by_text("has fetched its settings").wait_for()
            await page.get_by_role("button", name="Submit").click()
            await page.get_by_text("The phone was added").wait_for()
            await end_dialog(page, "Close")


async def test_a_phone_that_is_in_the_network_already(
    home: Demo, browser: Browser, tmp_path: Path
) -> None:
    """It is heard while no page waits, and has its settings at its next start."""
    mac = "0004130DD703"
    async with signed_in(browser, tmp_path, home, DASHBOARD) as page:
        await add_server(page)
        await page.get_by_text("Plug it in now").wait_for()
        async with FactoryPhone("D735", mac):
            card = page.get_by_text("snom D735, 127.0.0.1")
            await card.wait_for(state="attached")  # behind the dialogue
            await page.get_by_text("It is in the network already").click()
            await page.get_by_text(f"snom D735, {mac}").click()
            await page.screenshot(path=tmp_path / "found.png")
            await page.get_by_role("button", name="Next").click()
            await choose_entity(page, "Select an entity", "Ceiling Lights")
        await page.get_by_role("button", name="Next").click()
        restart = page.get_by_role("link", name="restart", exact=True)
        await expect(restart).to_have_attribute(
            "href", re.compile(r"^http://127\.0\.0\.1/advanced_update\.htm\?reboot=")
        )
        link = page.get_by_role("link", name="set Setting URL")
        await expect(link).to_have_attribute("href", re.compile(rf"%2F{mac}\.xml$"))
        await expect(link).to_have_attribute("target", "_blank")
        await page.screenshot(path=tmp_path / "reach.png")
        await page.get_by_role("button", name="Next").click()
        await page.get_by_text("Waiting until").wait_for()
        await page.screenshot(path=tmp_path / "fetch.png")
        async with FactoryPhone("D735", mac) as phone:
            await phone.wait_for(lambda it: it.registered, PATIENCE)
            await shows(phone, "1", label="Ceiling Lights")
            await page.get_by_text("has fetched its settings").wait_for()
            await page.get_by_role("button", name="Submit").click()
            await page.get_by_text("The phone was added").wait_for()
            await end_dialog(page, "Close")


async def test_the_editor_of_a_key_in_german(
    home: Demo, browser: Browser, tmp_path: Path
) -> None:
    """All texts are those of de.json."""
    steps = translations("de")["config_subentries"]["phone"]["step"]
    path = f"{DASHBOARD}/add?domain={DOMAIN}"
    async with signed_in(browser, tmp_path, home, path, locale="de-DE") as page:
        await call_websocket(page, "config/core/update", language="de")
        await page.get_by_role("button", name="OK").click()
        await fill_in_server(page, "de")
        await page.get_by_role("button", name="OK").click()
        await page.get_by_text(steps["user"]["menu_options"]["manual"]).click()
        await page.get_by_label(steps["manual"]["data"]["model"]).click()
        await page.get_by_role("menuitem", name="D712").click()
        await page.get_by_role("button", name="Weiter").click()
        await page.get_by_text(steps["choose"]["title"]).wait_for()
        await page.get_by_role("button", name="Weiter").click()
        edit = page.get_by_role("button", name="Bearbeiten", exact=True).first
        await edit.wait_for()
        listed = await dialog_texts(page)
        # "switch" is the role of the one below the list.
        assert re.findall(r"\b(light|linked|none)\b", listed) == []
        await edit.click()
        german, english = texts_of_keys("de"), texts_of_keys("en")
        await page.get_by_text(german[-1]).wait_for()
        shown = await dialog_texts(page)
        assert [text for text in german if text not in shown] == []
        foreign = [text for text in english if text not in german]
        assert [it for it in foreign if re.search(rf"\b{re.escape(it)}\b", shown)] == []
        # The name of a variable is the same in all languages.
        raw = re.findall(r"[a-z]+_[a-z_]+", shown)
        assert [word for word in raw if word != "entity_id"] == []
