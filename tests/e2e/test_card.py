"""The card of a phone in a real browser, with a real Home Assistant.

The tests share one demo: each writes the dashboard that it needs, and the one that kills
Home Assistant is the last.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
import json
from pathlib import Path
import re
from typing import Any

import aiohttp
from playwright.async_api import (
    Browser,
    Error,
    Locator,
    Page,
    StorageState,
    WebSocketRoute,
    expect,
)
import pytest
from pytest_socket import enable_socket

from custom_components.snom_buttons.const import DOMAIN, EVENT_KEY_PRESS
from custom_components.snom_buttons.hub.card import CARD_PATH
from script.demonstration.home_assistant import HomeAssistant
from tests.support.browser import (
    HASS,
    chromium,
    chromium_path,
    page_of,
    sign_in,
    tokens_of,
)
from tests.support.demo import ROOT, Demo, demo_of, demo_without_errors
from tests.support.patience import PATIENCE
from tests.support.programs import missing
from virtual_phone import VirtualPhone

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.xdist_group("card"),
]

DASHBOARD = "/demo-phones"
DESK = "44"
MARKUP = "<img src=x onerror=\"window.ran='yes'\"><script>window.ran='yes'</script>"
FACES = (
    ("seized", [0, 100], "lamp on, red"),
    ("hold", [120, 100], "lamp blinks slowly, green"),
    ("message", [39, 100], "lamp blinks, orange"),
    ("pickup", [0, 100], "lamp blinks fast, red"),
)
"""Effects of a key's light, its colour, and what the card says of its lamp."""
LOST = "No connection to Home Assistant"
"""What the card says itself: Home Assistant's own message is loaded when it is needed."""
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """Run a demo; no phone of it runs."""
    chromium_path()
    enable_socket()  # `socket_enabled` comes after fixtures of the module
    directory = tmp_path_factory.mktemp("card") / "demo"
    with demo_without_errors(directory, "--no-phone") as demo:
        yield demo


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What the tests need."""

    demo: Demo
    home: HomeAssistant
    """The client of an administrator."""
    browser: Browser
    tokens: StorageState
    """Sign in a page as the administrator."""
    evidence: Path

    @property
    def light(self) -> str:
        """The lamp of the first key."""
        return self.demo.entity(DESK, "1", "led")

    async def turn(self, light: str, **look: Any) -> None:
        """Turn a lamp on with a look, or off without one."""
        action = "turn_on" if look else "turn_off"
        await self.demo.call("light", action, entity_id=light, **look)


@pytest.fixture
async def stage(running: tuple[Path, int], tmp_path: Path) -> AsyncIterator[Stage]:
    async with (
        demo_of(*running) as demo,
        aiohttp.ClientSession() as session,
        chromium() as browser,
    ):
        home = HomeAssistant(session, demo.details["url"])
        home.token = demo.details["token"]
        yield Stage(
            demo=demo,
            home=home,
            browser=browser,
            tokens=tokens_of(home.url, home.token),
            evidence=tmp_path,
        )


@asynccontextmanager
async def phone_of(demo: Demo, extension: str = DESK) -> AsyncIterator[VirtualPhone]:
    """Give a registered phone that has got its keys."""
    sip, phone = demo.details["sip"], demo.details["phones"][extension]
    async with VirtualPhone(
        extension, phone["password"], registrar=f"{sip['host']}:{sip['port']}"
    ) as running:
        await running.wait_for(lambda it: bool(it.keys["1"].number), PATIENCE)
        yield running


@pytest.fixture
async def desk(stage: Stage) -> AsyncIterator[VirtualPhone]:
    async with phone_of(stage.demo) as phone:
        yield phone


async def device_of(home: HomeAssistant, name: str) -> str:
    """Return the ID of a device."""
    [devices] = await home.commands({"type": "config/device_registry/list"})
    [found] = [device["id"] for device in devices if device["name"] == name]
    return str(found)


async def entry_of(home: HomeAssistant) -> str:
    """Return the ID of the server's config entry."""
    [[entry]] = await home.commands({"type": "config_entries/get", "domain": DOMAIN})
    return str(entry["entry_id"])


async def save_dashboard(home: HomeAssistant, *cards: dict[str, Any]) -> None:
    """Let the dashboard have these cards only, in one section."""
    section = {"type": "grid", "cards": cards}
    view = {"title": "Phones", "type": "sections", "sections": [section]}
    await home.commands(
        {
            "type": "lovelace/config/save",
            "url_path": DASHBOARD.removeprefix("/"),
            "config": {"views": [view]},
        }
    )


async def card_config(home: HomeAssistant, name: str = "Phone 44") -> dict[str, str]:
    device_id = await device_of(home, name)
    return {"type": "custom:snom-phone-card", "device_id": device_id}


@asynccontextmanager
async def card_shown(
    stage: Stage, tokens: StorageState | None = None, **options: Any
) -> AsyncIterator[tuple[Page, Locator]]:
    """Open the dashboard, as the administrator by default; give its page, and the card on it.

    Fails if the module of the card raises an error.
    """
    failed: list[str] = []

    def hear(error: Error) -> None:
        if CARD_PATH in (stack := error.stack or ""):
            failed.append(f"{error} {stack}")

    async with page_of(
        stage.browser,
        stage.evidence,
        storage_state=tokens or stage.tokens,
        **options,
    ) as page:
        page.on("pageerror", hear)
        await page.goto(stage.home.url + DASHBOARD)
        card = page.locator("snom-phone-card")
        await card.first.wait_for()
        yield page, card
        assert failed == []


def key_of(card: Locator, key: str) -> Locator:
    return card.get_by_role("button", name=re.compile(rf"^Key {key},"))


async def shows(card: Locator, key: str, words: str) -> None:
    """Wait until a key is said to show this."""
    name = re.compile(rf"^Key {key},.* {re.escape(words)}(,|$)")
    await expect(card.get_by_role("button", name=name)).to_be_visible()


async def user_of(home: HomeAssistant, name: str, group: str) -> StorageState:
    """Create a user in a group of Home Assistant; return what signs in a browser."""
    [made] = await home.commands(
        {"type": "config/auth/create", "name": name, "group_ids": [group]}
    )
    credentials = {"username": name, "password": name}
    await home.commands(
        {
            "type": "config/auth_provider/homeassistant/create",
            "user_id": made["user"]["id"],
            **credentials,
        }
    )
    client = f"{home.url}/"
    flow = await home.request(
        "/auth/login_flow",
        {
            "client_id": client,
            "handler": ["homeassistant", None],
            "redirect_uri": client,
        },
    )
    done = await home.request(
        f"/auth/login_flow/{flow['flow_id']}", credentials | {"client_id": client}
    )
    form = {
        "grant_type": "authorization_code",
        "code": done["result"],
        "client_id": client,
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{home.url}/auth/token", data=form) as answer,
    ):
        return tokens_of(home.url, (await answer.json())["access_token"])


async def test_a_card_is_added_by_edit_dashboard(stage: Stage) -> None:
    """By clicks, from signing in; the card is that of the first phone."""
    await save_dashboard(stage.home)
    async with page_of(stage.browser, stage.evidence) as page:
        await sign_in(page, stage.home.url + DASHBOARD)
        await page.get_by_role("button", name="Edit dashboard").click()
        await page.get_by_role("button", name="Add card").first.click()
        dialog = page.locator("hui-dialog-create-card")
        await dialog.get_by_role("tab", name="By card").click()
        await dialog.get_by_placeholder("Search cards").fill("desk phone")
        offered = dialog.locator(".card", has_text="Desk phone")
        # It has a preview, which takes no clicks.
        await key_of(offered, "1").wait_for()
        await offered.locator(".overlay").click()
        editor = page.locator("hui-dialog-edit-card")
        await editor.get_by_role("button", name="Save").click()
        await page.wait_for_function("!history.state?.dialog")
        await page.get_by_role("button", name="Done").click()
        card = page.locator("snom-phone-card")
        async with phone_of(stage.demo):
            await card.get_by_text("The phone is not registered").wait_for(
                state="detached"
            )
            await key_of(card, "1").click()
            press = stage.demo.entity(DESK, "1", "press")
            await expect(card.get_by_role("alert")).to_have_count(0)
            assert (await stage.demo.state(press))["state"] != "unknown"


async def test_a_lamp_is_followed(stage: Stage, desk: VirtualPhone) -> None:
    """Each pattern, and colours, as they are set by the REST API."""
    light = stage.light
    await save_dashboard(stage.home, await card_config(stage.home))
    async with card_shown(stage) as (_, card):
        for effect, color, words in FACES:
            await stage.demo.call(
                "light", "turn_on", entity_id=light, effect=effect, hs_color=color
            )
            await shows(card, "1", words)
            await expect(key_of(card, "1").locator("g.lit")).to_have_count(1)
        await stage.turn(light)
        await shows(card, "1", "lamp off")
        await expect(key_of(card, "1").locator("g.lit")).to_have_count(0)


async def test_a_press_is_an_event(stage: Stage, desk: VirtualPhone) -> None:
    """By click, and by the arrows and Enter: of the event entity and on the bus."""
    await save_dashboard(stage.home, await card_config(stage.home))
    async with (
        card_shown(stage) as (page, card),
        stage.demo.changes(stage.demo.entity(DESK, "1", "press")) as first,
        stage.demo.changes(stage.demo.entity(DESK, "2", "press")) as second,
    ):
        await page.evaluate(
            f"""type => {{
                window.heard = [];
                const hear = ({{ data }}) => heard.push(data.key);
                return {HASS}.connection.subscribeEvents(hear, type).then(() => {{}});
            }}""",
            EVENT_KEY_PRESS,
        )
        await key_of(card, "1").click()
        assert (await first.get())["attributes"]["event_type"] == "press_end"
        await expect(key_of(card, "1")).to_be_focused()
        await page.keyboard.press("ArrowDown")
        await expect(key_of(card, "2")).to_be_focused()
        await page.keyboard.press("Enter")
        assert (await second.get())["attributes"]["event_type"] == "press_end"
        await page.wait_for_function("heard.length >= 2")
        assert await page.evaluate("heard") == ["1", "2"]


async def test_a_phone_that_is_away_is_shown_so(stage: Stage) -> None:
    await save_dashboard(stage.home, await card_config(stage.home))
    absent = "The phone is not registered"
    async with card_shown(stage) as (_, card):
        said = card.get_by_role("region").get_by_text(absent).first
        await said.wait_for()
        for _ in range(2):
            async with phone_of(stage.demo):
                await said.wait_for(state="detached")
            await said.wait_for()


async def test_a_card_outlives_a_reload_of_the_server(
    stage: Stage, desk: VirtualPhone
) -> None:
    """And says so while the server is stopped."""
    light = stage.light
    entry_id = await entry_of(stage.home)
    await save_dashboard(stage.home, await card_config(stage.home))
    async with card_shown(stage) as (_, card):
        await shows(card, "1", "lamp off")
        await stage.home.request(
            f"/api/config/config_entries/entry/{entry_id}/reload", {}
        )
        await stage.turn(light, hs_color=[120, 100])
        await shows(card, "1", "lamp on, green")

        stopped = card.get_by_text("The server of this phone is stopped").first
        disable = {"type": "config_entries/disable", "entry_id": entry_id}
        await stage.home.commands(disable | {"disabled_by": "user"})
        await stopped.wait_for()
        await stage.home.commands(disable | {"disabled_by": None})
        await stopped.wait_for(state="detached")
        await stage.turn(light)
        await shows(card, "1", "lamp off")


async def test_a_phone_is_removed_while_it_is_shown(stage: Stage) -> None:
    """Its card says so, then and after the page is loaded again; others go on."""
    entry_id = await entry_of(stage.home)
    added = await stage.home.flow(
        "/api/config/config_entries/subentries/flow",
        [entry_id, "phone"],
        user={"next_step_id": "manual"},
        manual={
            "extension": "50",
            "password": "hall-secret",
            "model": "D735",
            "key_count": 4,
        },
        choose={"entities": ["light.kitchen_lights"]},
        keys={},
        phone={},
    )
    assert added["type"] == "create_entry"
    hall = await card_config(stage.home, "Phone 50")
    await save_dashboard(stage.home, hall, await card_config(stage.home))
    async with card_shown(stage) as (page, cards):
        card, other = cards.nth(0), cards.nth(1)
        await key_of(card, "1").wait_for()
        [subentries] = await stage.home.commands(
            {"type": "config_entries/subentries/list", "entry_id": entry_id}
        )
        [subentry] = [it for it in subentries if it["unique_id"] == "50"]
        await stage.home.commands(
            {
                "type": "config_entries/subentries/delete",
                "entry_id": entry_id,
                "subentry_id": subentry["subentry_id"],
            }
        )
        await card.get_by_text("This phone was removed").wait_for()
        await key_of(other, "1").wait_for()
        await page.reload()
        await card.get_by_text("This phone is not known").wait_for()
        await key_of(other, "1").wait_for()


async def test_markup_is_text(stage: Stage, desk: VirtualPhone) -> None:
    """In the label of a key and the name of a phone."""
    await save_dashboard(stage.home, config := await card_config(stage.home))
    light = stage.light
    rename = {
        "type": "config/device_registry/update",
        "device_id": config["device_id"],
    }
    await stage.home.commands(rename | {"name_by_user": MARKUP})
    dialogs: list[str] = []
    try:
        async with card_shown(stage) as (page, card):
            page.on("dialog", lambda dialog: dialogs.append(dialog.message))
            await stage.demo.call(DOMAIN, "set_key", entity_id=light, label=MARKUP)
            shown = key_of(card, "1")
            await expect(shown.get_by_text(MARKUP, exact=True)).to_be_visible()
            await expect(
                card.get_by_role("heading", name=MARKUP, exact=True)
            ).to_be_visible()
            await expect(card.locator("img, script")).to_have_count(0)
            assert await page.evaluate("window.ran") is None
            assert dialogs == []
    finally:
        await stage.home.commands(rename | {"name_by_user": None})
        await stage.demo.call(DOMAIN, "set_key", entity_id=light, reset=True)


async def test_users_see_and_do_what_they_may(stage: Stage, desk: VirtualPhone) -> None:
    """One who may control presses, one who may only read does not; neither edits."""
    await save_dashboard(stage.home, config := await card_config(stage.home))
    press = stage.demo.entity(DESK, "1", "press")
    light = stage.light
    user = await user_of(stage.home, "user", "system-users")
    reader = await user_of(stage.home, "reader", "system-read-only")
    note = "You may see this phone, but not press its keys."
    async with (
        stage.demo.changes(press) as pressed,
        card_shown(stage, user) as (page, card),
    ):
        await key_of(card, "1").click()
        assert (await pressed.get())["attributes"]["event_type"] == "press_end"
        await expect(card.get_by_text(note)).to_have_count(0)
        await expect(page.get_by_role("button", name="Edit dashboard")).to_have_count(0)
        arrange = {
            "type": f"{DOMAIN}/phone/arrange",
            "device_id": config["device_id"],
        }
        refused = await page.evaluate(
            f"it => {HASS}.callWS(it).then(() => 'done', ({{ code }}) => code)", arrange
        )
        assert refused == "unauthorized"
        async with card_shown(stage, reader) as (page, card):
            await card.get_by_text(note).wait_for()
            await expect(key_of(card, "1")).to_have_attribute("aria-disabled", "true")
            await key_of(card, "1").click(force=True)
            # What comes next shows that the click came to nothing.
            await stage.turn(light, hs_color=[0, 100])
            await shows(card, "1", "lamp on, red")
            await stage.turn(light)
            await shows(card, "1", "lamp off")
        assert pressed.empty()


async def test_two_browsers_see_what_one_does(stage: Stage, desk: VirtualPhone) -> None:
    """A key that toggles is pressed in one, and again in the other."""
    await save_dashboard(stage.home, await card_config(stage.home))
    async with (
        chromium() as other,
        card_shown(stage) as (_, here),
        card_shown(replace(stage, browser=other)) as (_, there),
    ):
        for card in (here, there):
            await card.get_by_role("button", name="Page 2").click()
            await shows(card, "11", "lamp off")
        for card, words in ((here, "lamp on, red"), (there, "lamp off")):
            await key_of(card, "11").click()
            await shows(here, "11", words)
            await shows(there, "11", words)


async def test_another_version_of_the_card_asks_to_reload(
    stage: Stage, desk: VirtualPhone
) -> None:
    """As in a page that was open during an update. Also beside the newer one it works."""
    await save_dashboard(stage.home, await card_config(stage.home))
    [resources] = await stage.home.commands({"type": "lovelace/resources"})
    [ours] = [it for it in resources if "/snom_buttons/card.js" in it["url"]]
    update = {"type": "lovelace/resources/update", "resource_id": ours["id"]}
    url, _, version = ours["url"].partition("?v=")
    await stage.home.commands(update | {"url": f"{url}?v={version[::-1]}"})
    try:
        async with card_shown(stage) as (page, card):
            said = card.get_by_role("alert").filter(
                has_text="This page has another version of the card"
            )
            await said.wait_for()
            await key_of(card, "1").click()
            # The panel loads the module once more, by the URL of the newer version.
            await page.evaluate(
                "history.pushState(null, '', '/snom-phones');"
                "dispatchEvent(new CustomEvent('location-changed'))"
            )
            panel = page.locator("snom-phones-panel snom-phone-card")
            await panel.nth(3).wait_for()
            await key_of(panel.first, "1").wait_for()
            await page.go_back()
            await said.wait_for()
            await stage.home.commands(update | {"url": ours["url"]})
            await said.get_by_role("button", name="Reload the page").click()
            await said.wait_for(state="detached")
            await key_of(card, "1").wait_for()
    finally:
        await stage.home.commands(update | {"url": ours["url"]})


class Line:
    """The websocket of a page, which can refuse a command, and can be cut."""

    def __init__(self) -> None:
        self.refuses = False
        self.is_cut = False
        self._routes: list[WebSocketRoute] = []

    async def handle(self, route: WebSocketRoute) -> None:
        """Take a connection of the page."""
        if self.is_cut:
            await route.close()
            return
        self._routes.append(route)
        server = route.connect_to_server()

        def forward(message: str | bytes) -> None:
            commands = json.loads(message)
            for command in commands if isinstance(commands, list) else [commands]:
                if self.refuses and command["type"] == f"{DOMAIN}/phone/subscribe":
                    error = {"code": "unauthorized", "message": "Not permitted"}
                    result = {"type": "result", "success": False, "error": error}
                    route.send(json.dumps({"id": command["id"], **result}))
                else:
                    server.send(json.dumps(command))

        route.on_message(forward)

    async def cut(self) -> None:
        """Close all connections, and each new one until `is_cut` is false again."""
        self.is_cut = True
        for route in self._routes:
            await route.close()
        self._routes.clear()


async def test_a_subscription_is_refused_and_a_connection_is_lost(
    stage: Stage, desk: VirtualPhone
) -> None:
    await save_dashboard(stage.home, await card_config(stage.home))
    light = stage.light
    line = Line()
    line.refuses = True
    async with page_of(
        stage.browser, stage.evidence, storage_state=stage.tokens
    ) as page:
        await page.route_web_socket("**/api/websocket", line.handle)
        await page.goto(stage.home.url + DASHBOARD)
        card = page.locator("snom-phone-card")
        await card.get_by_text("You may not see this phone").wait_for()
        line.refuses = False
        await page.reload()
        await shows(card, "1", "lamp off")
        await line.cut()
        await card.get_by_role("region").get_by_text(LOST).first.wait_for()
        await expect(key_of(card, "1")).to_have_attribute("aria-disabled", "true")
        await stage.turn(light, hs_color=[120, 100])
        line.is_cut = False
        await shows(card, "1", "lamp on, green")
        await stage.turn(light)
        await shows(card, "1", "lamp off")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_barrier(
    stage: Stage, desk: VirtualPhone, scheme: str
) -> None:
    """Of WCAG 2.2 AA, also of the contrast in Home Assistant's own theme."""
    axe = ROOT / "card" / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.exists():
        missing("axe-core")
    names = ("Phone 44", "Phone 46", "Phone 47")
    await save_dashboard(
        stage.home, *[await card_config(stage.home, name) for name in names]
    )
    for key, (effect, color, _) in enumerate(FACES, 1):
        await stage.demo.call(
            "light",
            "turn_on",
            entity_id=stage.demo.entity(DESK, f"{key}", "led"),
            effect=effect,
            hs_color=color,
        )
    async with card_shown(stage, color_scheme=scheme) as (
        page,
        cards,
    ):
        await shows(cards.nth(0), "4", FACES[-1][2])
        await page.add_script_tag(path=axe)
        for number in range(len(names)):
            card = cards.nth(number)
            await card.get_by_role("region").wait_for()
            found = await card.evaluate(
                "(card, values) => axe.run(card, {runOnly: {type: 'tag', values}})",
                WCAG,
            )
            said = [
                (rule["id"], node["html"], node["failureSummary"])
                for rule in found["violations"]
                for node in rule["nodes"]
            ]
            assert said == []
            assert "color-contrast" in {rule["id"] for rule in found["passes"]}
        await page.screenshot(path=stage.evidence / f"{scheme}.png")


async def test_a_page_comes_back_after_home_assistant(stage: Stage) -> None:
    """It is killed, and started again on the same port; the page is not loaded again.

    Its phone is one that did not register again and again in the tests before: that is
    stored late (docs/limits.md), and what is not stored does not outlive the kill.
    """
    config = await card_config(stage.home, "Phone 45")
    await save_dashboard(stage.home, config)
    light = stage.demo.entity("45", "5", "led")
    async with phone_of(stage.demo, "45") as phone, card_shown(stage) as (page, card):
        await page.evaluate("window.isSame = true")
        await shows(card, "5", "lamp off")
        host, port = phone.address
        for files, text in (
            ("snom_buttons.*", f"{host}:{port}"),
            ("core.device_registry", config["device_id"]),
            ("core.entity_registry", light),
            ("lovelace_dashboards", DASHBOARD.removeprefix("/")),
            ("lovelace.*", config["device_id"]),
        ):
            await stage.demo.stored(files, text)
        stage.demo.kill_home_assistant()
        lost = card.get_by_role("region").get_by_text(LOST).first
        await lost.wait_for()
        await lost.wait_for(state="detached", timeout=60_000)
        async with stage.demo.changes(light) as states:
            known = ("on", "off")
            if (await stage.demo.state(light)).get("state") not in known:
                await states.until(lambda it: it["state"] in known)
        await stage.turn(light, hs_color=[120, 100])
        await shows(card, "5", "lamp on, green")
        assert await page.evaluate("window.isSame")
