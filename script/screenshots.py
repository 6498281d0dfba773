"""The pictures of README.md and docs, from a demo in Chromium."""

from __future__ import annotations

import argparse
import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
import re
import shutil
import socket
import tempfile
from typing import Any, Literal

import aiohttp
from PIL import Image
from playwright.async_api import Browser, FloatRect, Locator, Page, expect

from script.demonstration.home_assistant import HomeAssistant
from script.demonstration.process import ROOT, pick_port
from tests.support.browser import choose_entity, chromium, end_dialog, page_of, sign_in
from tests.support.demo import Demo, demo_of, demo_process
from tests.support.patience import PATIENCE
from virtual_phone import VirtualPhone
from virtual_phone.app import PhoneApp
from virtual_phone.maker import YEALINK

IMAGES = ROOT / "docs" / "images"
COLORS = 128
"""Colours of a picture: enough for flat areas and soft edges of letters."""
SERVER_PAGE = "/config/integrations/integration/snom_buttons"
CARD_PHONES = {"snom": "46", "yealink": "47", "arrange": "46"}
"""The phones whose cards are pictures; the last one while its keys are arranged."""
type Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
SETTLING = 1000
"""Milliseconds until a form is drawn."""
PHONE_ADDRESS = "192.168.1.10"
"""Where phones reach Home Assistant in the pictures."""


@dataclass(frozen=True, slots=True)
class Studio:
    """All that a picture is made of."""

    browser: Browser
    demo: Demo
    home: HomeAssistant
    entry_id: str
    evidence: Path

    @asynccontextmanager
    async def page(
        self, path: str, width: int, height: int, scale: float = 1, **options: Any
    ) -> AsyncIterator[Page]:
        """Give a page of Home Assistant, signed in, at a size in CSS pixels."""
        async with page_of(
            self.browser,
            self.evidence,
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
            locale="en-GB",
            reduced_motion="reduce",
            **options,
        ) as page:
            await sign_in(page, self.home.url + path)
            yield page

    @asynccontextmanager
    async def phone(
        self, extension: str, password: str = "", **options: Any
    ) -> AsyncIterator[VirtualPhone]:
        """Give a registered phone that has got its keys."""
        sip = self.demo.details["sip"]
        password = password or self.demo.details["phones"][extension]["password"]
        registrar = f"{sip['host']}:{sip['port']}"
        async with VirtualPhone(
            extension, password, registrar=registrar, **options
        ) as phone:
            await phone.wait_for(lambda it: it.registered, PATIENCE)
            if not options.get("blf"):
                await phone.wait_for(lambda it: bool(it.keys["1"].number), PATIENCE)
            yield phone


def main() -> None:
    """Make the pictures that the arguments name, by default all."""
    parser = argparse.ArgumentParser(prog="script/screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", default=[*PICTURES], choices=PICTURES)
    names = parser.parse_args().names
    port = pick_port(None, 5060, socket.SOCK_DGRAM)
    directory = Path(tempfile.mkdtemp(prefix="screenshots-"))  # kept if this fails
    demo_directory = directory / "demo"
    with demo_process(demo_directory, "--no-phone", "--sip-port", f"{port}") as pid:
        asyncio.run(take(names, directory, demo_directory, pid))
    shutil.rmtree(directory)


async def take(names: list[str], evidence: Path, directory: Path, pid: int) -> None:
    """Make the pictures of these names from a running demo."""
    async with (
        demo_of(directory, pid) as demo,
        chromium() as browser,
        aiohttp.ClientSession() as session,
    ):
        home = HomeAssistant(session, demo.details["url"])
        home.token = demo.details["token"]
        [[entry]] = await home.commands(
            {"type": "config_entries/get", "domain": "snom_buttons"}
        )
        studio = Studio(browser, demo, home, entry["entry_id"], evidence)
        for name in names:
            save(name, await PICTURES[name](studio))


def save(name: str, picture: bytes) -> None:
    """Write a picture with few colours, which makes it small."""
    with Image.open(BytesIO(picture)) as image:
        few = image.convert("RGB").quantize(
            COLORS, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE
        )
    path = IMAGES / f"{name}.png"
    few.save(path, optimize=True)
    print(
        f"{path.relative_to(ROOT)}: {few.width} x {few.height}, {path.stat().st_size} bytes"
    )


async def dashboard(studio: Studio) -> bytes:
    """Show two phones on a dashboard."""
    demo = studio.demo
    async with AsyncExitStack() as stack:
        desk, other = [
            await stack.enter_async_context(studio.phone(extension))
            for extension in ("44", "45")
        ]
        for extension, key, data in (
            ("44", "1", {"effect": "pickup", "hs_color": [0, 100]}),
            ("44", "2", {"hs_color": [120, 100]}),
            ("44", "3", {"effect": "park", "hs_color": [39, 100]}),
            ("44", "4", {"hs_color": [120, 100]}),
            ("44", "8", {"effect": "message", "hs_color": [0, 100]}),
            ("45", "4", {"hs_color": [120, 100]}),
            ("45", "6", {"effect": "pickup", "hs_color": [0, 100]}),
        ):
            await demo.call(
                "light", "turn_on", entity_id=demo.entity(extension, key, "led"), **data
            )
        for phone, key in ((desk, "12"), (desk, "11"), (other, "11"), (desk, "4")):
            assert await phone.press(key) == 200
        assert await desk.dial("100") == 486
        async with studio.page("/demo-phones", 1500, 1200, 2) as page:
            sections = page.locator("hui-section")
            await page.get_by_text("Dialled 100").wait_for()
            boxes = [await box_of(sections.nth(number)) for number in (1, 2)]
            return await page.screenshot(clip=around(*boxes))


def around(*boxes: FloatRect) -> FloatRect:
    """Return the rectangle around some, with a margin."""
    margin = 8
    left, top = min(box["x"] for box in boxes), min(box["y"] for box in boxes)
    right = max(box["x"] + box["width"] for box in boxes)
    bottom = max(box["y"] + box["height"] for box in boxes)
    return {
        "x": left - margin,
        "y": top - margin,
        "width": right - left + 2 * margin,
        "height": bottom - top + 2 * margin,
    }


async def linked_phone(studio: Studio) -> bytes:
    """Show the software phone of the linked keys, and beside it what they follow."""
    demo = studio.demo
    keys = demo.details["phones"]["46"]["keys"]
    for action, key, data in (
        ("scene.turn_on", "10", {}),
        ("light.turn_on", "1", {"hs_color": [120, 90]}),
        ("switch.turn_off", "2", {}),
        ("cover.open_cover", "3", {}),
        ("lock.lock", "4", {}),
        ("alarm_control_panel.alarm_arm_away", "5", {"code": "1234"}),
        ("fan.set_percentage", "12", {"percentage": 33}),
    ):
        domain, name = action.split(".")
        await demo.call(domain, name, entity_id=keys[key]["follows"], **data)
    # The keys of the phone are in two columns.
    half = len(keys) // 2
    order = [number for row in range(1, half + 1) for number in (row, row + half)]
    cards = [{"type": "tile", "entity": keys[f"{n}"]["follows"]} for n in order]
    section = {"type": "grid", "cards": cards}
    await studio.home.commands(
        {
            "type": "lovelace/dashboards/create",
            "url_path": "linked-phone",
            "title": "What the keys follow",
        },
        {
            "type": "lovelace/config/save",
            "url_path": "linked-phone",
            "config": {"views": [{"type": "sections", "sections": [section]}]},
        },
    )
    async with (
        studio.phone("46") as phone,
        studio.page("/linked-phone", 900, 700, 2) as page,
    ):
        app = PhoneApp(phone)
        async with app.run_test(size=(70, 21)) as pilot:
            await page.get_by_text("Armed away").wait_for()
            assert await phone.press("2") == 200
            await page.get_by_text("On", exact=True).wait_for()
            lamps = [(key, phone.keys[key.key_name]) for key in app.keys]
            await pilot.pause()
            while not all(key.lit for key, shown in lamps if shown.light != "off"):
                await pilot.pause()
            drawing = app.export_screenshot(title="The software phone")
        tiles = b64encode(await page.locator("hui-section").screenshot()).decode()
        await page.set_content(
            "<body style='margin: 0'><div style='display: flex; width: 1020px; gap: 12px;"
            " align-items: center; background: #fafafa'>"
            f"<div style='width: 570px'>{drawing}</div>"
            f"<img width=420 src='data:image/png;base64,{tiles}'></div>"
        )
        await page.set_viewport_size({"width": 1020, "height": 500})
        return await page.locator("div").first.screenshot()


async def choose_keys(page: Page) -> None:
    """Begin to add a phone, and choose what is on its keys."""
    await page.get_by_role("button", name="Add phone").click()
    await page.get_by_text("By hand").click()
    await page.get_by_label("Model").click()
    await page.get_by_role("menuitem", name="Another one").click()
    await page.get_by_role("spinbutton", name="Number of keys").fill("3")
    await page.get_by_role("button", name="Next").click()
    opener = "Select an entity"
    for name in ("Kitchen Lights", "Garage Door", "Front Door"):
        await choose_entity(page, opener, name)
        opener = "Add entity"


async def choose(studio: Studio) -> bytes:
    """Show the page of the dialogue on which the entities are chosen."""
    async with studio.page(SERVER_PAGE, 900, 1000) as page:
        await choose_keys(page)
        return await dialog(page)


async def phone_settings(studio: Studio) -> bytes:
    """Show the last page of the dialogue of a phone."""
    async with studio.page(SERVER_PAGE, 900, 1000) as page:
        await change_server(page)
        address = page.get_by_role("textbox", name="Address for the phones")
        await address.first.fill(PHONE_ADDRESS)
        await page.get_by_role("button", name="Submit").click()
        await page.get_by_text("successful").wait_for()
        await end_dialog(page, "Close")
        await choose_keys(page)
        await page.get_by_role("button", name="Next").click()
        await page.get_by_role("button", name="Delete").first.wait_for()
        await page.get_by_role("button", name="Next").click()
        await page.get_by_text("Set up the phone").wait_for()
        return await dialog(page)


async def phone_device(studio: Studio) -> bytes:
    """Show the device of a phone with linked keys and lights."""
    names = ("Doorbell", "Meeting room")
    password = "hall-secret"  # noqa: S105
    await studio.home.flow(
        "/api/config/config_entries/subentries/flow",
        [studio.entry_id, "phone"],
        user={"next_step_id": "manual"},
        manual={
            "extension": "50",
            "password": password,
            "name": "Hall",
            "model": "D785",
            "key_count": 4,
        },
        choose={"entities": ["light.kitchen_lights", "cover.garage_door"]},
        keys=lambda form: {
            "keys": [
                key | ({"name": names[number - 2]} if number >= 2 else {})
                for number, key in enumerate(form["data_schema"][0]["default"])
            ]
        },
        phone={},
    )
    [devices] = await studio.home.commands({"type": "config/device_registry/list"})
    [device_id] = [device["id"] for device in devices if device["name"] == "Hall"]
    async with (
        studio.phone("50", password) as phone,
        studio.page(f"/config/devices/device/{device_id}", 1200, 1500, 1.5) as page,
    ):
        await studio.demo.call(
            "light", "turn_on", entity_id="light.hall_doorbell", effect="pickup"
        )
        for key in ("3", "1"):
            assert await phone.press(key) == 200
        await page.get_by_text("was pressed").first.wait_for()
        cards = page.locator("ha-config-device-page ha-card")
        boxes = [await box_of(card) for card in await cards.all()]
        return await page.screenshot(clip=around(*boxes))


async def dialog(page: Page) -> bytes:
    """Return a picture of the dialogue on a page."""
    await page.mouse.move(0, 0)  # which ends the highlight of a button
    return await page.get_by_role("dialog").screenshot()


async def locked_out(studio: Studio) -> bytes:
    """Show the repair for an address that gave too many wrong passwords."""
    sip = studio.demo.details["sip"]
    registrar = f"{sip['host']}:{sip['port']}"
    async with studio.page("/config/repairs", 900, 700) as page:
        repair = page.get_by_text("Too many wrong passwords")
        async with VirtualPhone(
            "44", "wrong", registrar=registrar, host="127.0.0.66"
        ) as stranger:
            while not await repair.count():
                stranger.history.clear()
                stranger.register_again()
                await stranger.wait_for(lambda it: bool(it.history), PATIENCE)
        await repair.click()
        await page.get_by_role("button", name="Submit").wait_for()
        return await dialog(page)


async def change_server(page: Page) -> None:
    """Open the form of the server."""
    await page.get_by_role("button", name="Menu").nth(1).click()
    await page.get_by_text("Reconfigure").click()
    await page.get_by_text("Change the server").wait_for()


async def server_tls(studio: Studio) -> bytes:
    """Show the form of the server, with the section for TLS open."""
    async with studio.page(SERVER_PAGE, 900, 1100) as page:
        await change_server(page)
        tls = page.locator("ha-form-expandable", has_text="TLS")
        await tls.get_by_role("button", name="TLS").click()
        switch = tls.get_by_role("switch")
        await switch.press("Space")
        await expect(switch).to_be_checked()
        await tls.get_by_role("textbox", name="Certificate").fill("/ssl/fullchain.pem")
        private_key = tls.get_by_role("textbox", name="Private key")
        await private_key.fill("/ssl/privkey.pem")
        await private_key.blur()
        await page.get_by_role(
            "button", name="Access and keep-alive"
        ).scroll_into_view_if_needed()
        return await dialog(page)


async def card(studio: Studio, model: str, scheme: Scheme) -> bytes:
    """Show the card of one of the demo's phones, in a colour scheme."""
    demo = studio.demo
    extension = CARD_PHONES[model]
    keys = demo.details["phones"][extension]["keys"]
    [devices] = await studio.home.commands({"type": "config/device_registry/list"})
    name = f"Phone {extension}"
    [device_id] = [device["id"] for device in devices if device["name"] == name]
    config = {"type": "custom:snom-phone-card", "device_id": device_id}
    section = {"type": "grid", "cards": [config]}
    path = f"card-{model}-{scheme}"
    await studio.home.commands(
        {"type": "lovelace/dashboards/create", "url_path": path, "title": "Phones"},
        {
            "type": "lovelace/config/save",
            "url_path": path,
            "config": {"views": [{"type": "sections", "sections": [section]}]},
        },
    )
    if model == "yealink":
        maker = {"maker": YEALINK, "blf": True, "keys": len(keys)}
        await demo.call("light", "turn_on", entity_id=keys["1"]["follows"])
        await demo.call("lock", "lock", entity_id=keys["4"]["follows"])
    else:
        maker = {"model": "D735"}
        for action, key, data in (
            ("light.turn_on", "1", {"hs_color": [120, 90]}),
            ("cover.open_cover", "3", {}),
            ("lock.lock", "4", {}),
            ("alarm_control_panel.alarm_arm_away", "5", {"code": "1234"}),
        ):
            domain, service = action.split(".")
            await demo.call(domain, service, entity_id=keys[key]["follows"], **data)
    async with (
        studio.phone(extension, **maker),
        studio.page(f"/{path}", 900, 1400, 1.5, color_scheme=scheme) as page,
    ):
        shown = page.locator("snom-phone-card")
        await shown.locator("button.key .lit").first.wait_for()
        await expect(shown.locator(".problem")).to_have_count(0)
        if model == "arrange":
            await shown.get_by_role("button", name="Arrange keys").click()
            await shown.get_by_role(
                "button", name=re.compile("^Arrange key 3:")
            ).click()
            await shown.locator("ha-form").first.wait_for()
            await page.wait_for_timeout(SETTLING)
        return await page.screenshot(clip=around(await box_of(shown)))


async def box_of(locator: Locator) -> FloatRect:
    """Return where an element is."""
    box: FloatRect | None = await locator.bounding_box()
    assert box is not None
    return box


PICTURES: Mapping[str, Callable[[Studio], Coroutine[Any, Any, bytes]]] = {
    "linked-phone": linked_phone,
    "dashboard": dashboard,
    "choose": choose,
    "phone-settings": phone_settings,
    "phone-device": phone_device,
    "server-tls": server_tls,
    "locked-out": locked_out,
    **{
        f"card-{model}-{scheme}": partial(card, model=model, scheme=scheme)
        for model in CARD_PHONES
        for scheme in SCHEMES
    },
}

if __name__ == "__main__":
    main()
