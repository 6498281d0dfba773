"""The card of a phone in Chromium, beside Home Assistant's own cards of the same lamps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
import gc
from pathlib import Path
import statistics
from time import process_time
from typing import Any

import aiohttp
from playwright.async_api import Page

from homeassistant.auth.const import GROUP_ID_ADMIN
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from script.benchmark.crowd import FIRST, Plan, crowd
from script.benchmark.home_assistant import home_assistant, set_up
from script.benchmark.house import Lag
from script.benchmark.phone import PASSWORD, keys_up_to
from script.benchmark.table import percentiles, show
from script.demonstration.directory import store_http, store_onboarding
from script.demonstration.home_assistant import HomeAssistant as Client
from tests.support.browser import chromium, page_of, tokens_of
from tests.support.ports import LOCALHOST, free_port

PHONES = 50
KEYS = 24
FLIPPED = 20
"""Keys of each phone that flip in each round."""
INTERVAL = 1.0
"""Seconds between two rounds."""
SAME = 0.002
"""Seconds within which two times are of one frame, which takes 16.7 ms."""
REST = 2.0
"""Seconds until a page that was loaded is at rest."""
HELPERS = """
function* deep(root, selector) {
  yield* root.querySelectorAll(selector);
  for (const element of root.querySelectorAll("*")) {
    if (element.shadowRoot) yield* deep(element.shadowRoot, selector);
  }
}
globalThis.deep = deep;
globalThis.all = (selector) => [...deep(document, selector)];
globalThis.roots = (root) => [
  ...(root.shadowRoot ? [root.shadowRoot] : []),
  ...[...deep(root.shadowRoot ?? root, "*")].flatMap(({ shadowRoot }) => shadowRoot ?? []),
];
"""
"""Scripts of a page: `deep` also finds what is in shadow roots."""
READY = {
    "cards": 'all("button.key").length >= number',
    "tiles": 'all("ha-tile-info").length >= number',
    "entities": 'all("hui-toggle-entity-row").length >= number',
}
"""What says that a dashboard shows this number of keys or lights."""
# Both are seen by the same observer, when their lamps have turned: the lamp of the card's
# key, and the word of the tile's state.
LAMP = """async ({ entity_id, rounds, pause }) => {
  const { hass } = document.querySelector("home-assistant");
  const [card] = all("snom-phone-card"), [tile] = all("hui-tile-card");
  const [key] = deep(card.shadowRoot, 'button[data-key="1"]');
  const shown = {
    card: () => key.querySelector(".lit") !== null,
    tile: () => [...deep(tile.shadowRoot, "state-display")]
      .some((it) => /^On/.test((it.shadowRoot ?? it).textContent.trim())),
  };
  const times = { card: [], tile: [], cardFrame: [], tileFrame: [] };
  let wanted = shown.tile(), begun = 0, at = {}, done = () => {};
  const look = () => {
    for (const what of ["card", "tile"]) {
      if (at[what] === undefined && shown[what]() === wanted) {
        at[what] = performance.now() - begun;
        requestAnimationFrame(() => {
          at[`${what}Frame`] = performance.now() - begun;
          if (at.cardFrame !== undefined && at.tileFrame !== undefined) done();
        });
      }
    }
  };
  const observer = new MutationObserver(look);
  for (const root of [...roots(card), ...roots(tile)]) {
    observer.observe(root, {
      attributes: true, characterData: true, childList: true, subtree: true,
    });
  }
  for (let round = 0; round < rounds; round++) {
    wanted = !wanted;
    at = {};
    const both = new Promise((resolve) => { done = resolve; });
    begun = performance.now();
    void hass.callApi("POST", "services/light/toggle", { entity_id });
    await both;
    for (const what of Object.keys(times)) times[what].push(at[what] / 1000);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  observer.disconnect();
  return times;
}"""
"""Returns the seconds from the call of the REST API to the change of the page, and to the
frame that shows it."""
WATCH = """() => {
  window.watched = { frames: 0, tasks: [], begun: performance.now(), running: true };
  const { watched } = window;
  const count = () => {
    watched.frames += 1;
    if (watched.running) requestAnimationFrame(count);
  };
  requestAnimationFrame(count);
  watched.observer = new PerformanceObserver((list) => {
    watched.tasks.push(...list.getEntries().map(({ duration }) => duration));
  });
  watched.observer.observe({ type: "longtask" });
}"""
WATCHED = """() => {
  const { watched } = window;
  watched.running = false;
  watched.observer.disconnect();
  const seconds = (performance.now() - watched.begun) / 1000;
  return { frames: watched.frames / seconds, tasks: watched.tasks.map((it) => it / 1000) };
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What was measured while lamps flipped."""

    late: list[float]
    """The lag of Home Assistant's loop in seconds, each millisecond."""
    busy: float
    """Seconds of a processor that Home Assistant used in a round."""
    frames: float = 0.0
    """Frames a second in the page."""
    tasks: Sequence[float] = ()
    """Seconds of each task in the page that took 50 ms or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A Home Assistant with a frontend, and phones that are registered."""

    hass: HomeAssistant
    client: Client
    lights: list[list[str]]
    """The lights of each phone's keys."""

    def device(self, number: int) -> str:
        """Return the ID of a phone's device."""
        [entry] = self.hass.config_entries.async_entries("snom_buttons")
        name = f"Phone {FIRST + number}"
        devices = dr.async_entries_for_config_entry(
            dr.async_get(self.hass), entry.entry_id
        )
        return next(device.id for device in devices if device.name == name)

    def card(self, number: int) -> dict[str, Any]:
        """Return the configuration of a phone's card."""
        return {"type": "custom:snom-phone-card", "device_id": self.device(number)}

    async def dashboard(self, name: str, cards: Sequence[Mapping[str, Any]]) -> None:
        """Make a dashboard."""
        path = {"url_path": f"bench-{name}"}
        create = {"type": "lovelace/dashboards/create", "title": name, **path}
        config = {"views": [{"title": name, "cards": cards}]}
        await self.client.commands(
            create | {"mode": "storage"},
            {"type": "lovelace/config/save", "config": config, **path},
        )

    async def flip(self, rounds: int) -> Watched:
        """Toggle keys of all phones at once, and again."""
        flipped = [it for lights in self.lights for it in lights[:FLIPPED]]
        loop = asyncio.get_running_loop()
        gc.collect()  # else a full collection, of 0.2 s, falls in any of the phases
        lag, used, begun = Lag(), process_time(), loop.time()
        for round_ in range(1, rounds + 1):
            await self.hass.services.async_call(
                "light", "toggle", {"entity_id": flipped}, blocking=True
            )
            await asyncio.sleep(begun + round_ * INTERVAL - loop.time())
        return Watched(late=lag.stop(), busy=(process_time() - used) / rounds)


@asynccontextmanager
async def house(phones: int) -> AsyncIterator[House]:
    """Run a Home Assistant with a frontend and this number of registered phones.

    The layout of the phones is not known, so that a card draws all keys at once.
    """
    async with home_assistant() as hass, aiohttp.ClientSession() as session:
        directory = Path(hass.config.config_dir)
        (directory / ".storage").mkdir(exist_ok=True)
        store_http(directory, http_port := free_port())
        store_onboarding(directory, "user")
        for component in ("http", "frontend", "api", "config"):
            assert await async_setup_component(hass, component, {}), component
        await hass.async_start()
        extensions = [f"{FIRST + number}" for number in range(phones)]
        port, _ = await set_up(hass, *extensions, keys=keys_up_to(KEYS), model="")
        user = await hass.auth.async_create_user("Bench", group_ids=[GROUP_ID_ADMIN])
        url = f"http://{LOCALHOST}:{http_port}"
        refresh = await hass.auth.async_create_refresh_token(user, f"{url}/")
        client = Client(session, url)
        client.token = hass.auth.async_create_access_token(refresh)
        lights = [
            [f"light.phone_{extension}_key_number_{key}" for key in range(1, KEYS + 1)]
            for extension in extensions
        ]
        plan = Plan(
            port=port, count=phones, keys=KEYS, password=PASSWORD, agent="snom/1"
        )
        async with crowd(plan):
            await hass.async_block_till_done()
            yield House(hass=hass, client=client, lights=lights)


@asynccontextmanager
async def browser_page(client: Client) -> AsyncIterator[Page]:
    """Give a page that is signed in, of a browser that has only just started."""
    tokens = tokens_of(client.url, client.token)
    async with (
        chromium() as browser,
        page_of(
            browser,
            Path("/tmp"),  # noqa: S108
            storage_state=tokens,
            viewport={"width": 1400, "height": 1000},
        ) as page,
    ):
        await page.add_init_script(HELPERS)
        yield page


async def open_dashboard(page: Page, client: Client, name: str, number: int) -> float:
    """Load a dashboard; return the seconds until it shows this number of lamps."""
    await page.goto(f"{client.url}/bench-{name}", wait_until="commit")
    ready = await page.wait_for_function(
        f"number => {READY[name]} && performance.now()", arg=number
    )
    return float(await ready.json_value()) / 1000


def tiles(lights: Sequence[str]) -> dict[str, Any]:
    """Return a card of tile cards."""
    cards = [{"type": "tile", "entity": light} for light in lights]
    return {"type": "grid", "columns": 4, "square": False, "cards": cards}


async def bench_page(house_: House, loads: int, flips: int) -> None:
    """Load a page with one phone, and flip one lamp."""
    [lights] = house_.lights
    own: dict[str, dict[str, Any]] = {
        "cards": house_.card(0),
        "tiles": tiles(lights),
        "entities": {"type": "entities", "entities": lights},
    }
    for name, card in own.items():
        await house_.dashboard(name, [card])
    light = {"type": "tile", "entity": lights[0]}
    await house_.dashboard("both", [house_.card(0), light])
    times: dict[str, list[float]] = {name: [] for name in own}
    async with browser_page(house_.client) as page:
        for round_ in range(loads + 1):
            for name, each in times.items():
                seconds = await open_dashboard(page, house_.client, name, KEYS)
                if round_:  # the first fills the cache of the browser
                    each.append(seconds)
        ours = statistics.median(times["cards"])
        for name in ("tiles", "entities"):
            floor = statistics.median(times[name])
            show(
                f"page of 24 keys is ready, beside {name}",
                f"{ours * 1000:.0f} ms",
                f"{floor * 1000:.0f} ms",
                f"{ours / floor:.2f} times",
            )
        await page.goto(f"{house_.client.url}/bench-both")
        await page.wait_for_function(
            f"{READY['cards']} && {READY['tiles']}".replace("number", "1")
        )
        await asyncio.sleep(REST)
        found = await page.evaluate(
            LAMP, {"entity_id": lights[0], "rounds": flips, "pause": 200}
        )
    for what, end in (("change", ""), ("frame", "Frame")):
        card, tile = found[f"card{end}"], found[f"tile{end}"]
        for percent, cut in ((50, 9), (95, 18)):
            ours, floor = (statistics.quantiles(it, n=20)[cut] for it in (card, tile))
            show(
                f"REST call to {what} of the page, {percent} %",
                f"{ours * 1000:.1f} ms",
                f"{floor * 1000:.1f} ms",
                f"{ours / floor:.2f} times",
            )
        # Two callbacks of one frame are microseconds apart.
        first = sum(a <= b + SAME for a, b in zip(card, tile, strict=True))
        print(f"  the card was not later than the tile in {first} of {flips}")


async def bench_bytes(house_: House, flips: int) -> None:
    """Flip one lamp, and count what a client gets of it."""
    [[light, *_]] = house_.lights
    subscriptions: dict[str, dict[str, Any]] = {
        "card": {"type": "snom_buttons/phone/subscribe", "device_id": house_.device(0)},
        "entities": {"type": "subscribe_entities", "entity_ids": [light]},
        "event": {"type": "subscribe_events", "event_type": EVENT_STATE_CHANGED},
    }
    sizes: dict[str, list[int]] = {}
    async with aiohttp.ClientSession() as session:
        for name, command in subscriptions.items():
            sizes[name] = []
            async with session.ws_connect(f"{house_.client.url}/api/websocket") as api:
                await api.receive()
                token = {"type": "auth", "access_token": house_.client.token}
                await api.send_json(token)
                await api.receive()
                await api.send_json({"id": 1, **command})
                await asyncio.sleep(INTERVAL)
                for _ in range(flips + 1):
                    size = 0
                    while True:
                        try:
                            message = await api.receive(timeout=INTERVAL / 2)
                        except TimeoutError:
                            break
                        if name != "event" or light in message.data:
                            size += len(message.data.encode())
                    sizes[name].append(size)
                    await house_.hass.services.async_call(
                        "light", "toggle", {"entity_id": light}, blocking=True
                    )
    ours = statistics.median(sizes["card"][1:])
    for name in ("entities", "event"):
        floor = statistics.median(sizes[name][1:])
        what = {"entities": "subscribe_entities", "event": "state_changed"}[name]
        show(
            f"bytes of a flip, beside {what}",
            f"{ours:.0f}",
            f"{floor:.0f}",
            f"{ours / floor:.2f} times",
        )


async def bench_many(house_: House, rounds: int) -> None:
    """Let lamps of all phones flip while a page shows them all."""
    count = len(house_.lights)
    await house_.dashboard("cards", [house_.card(number) for number in range(count)])
    await house_.dashboard("tiles", [tiles(lights) for lights in house_.lights])
    listed = [{"type": "entities", "entities": lights} for lights in house_.lights]
    await house_.dashboard("entities", listed)
    await house_.flip(1)
    measured = {"nothing": await house_.flip(rounds)}
    for name in READY:
        async with browser_page(house_.client) as page:
            await open_dashboard(page, house_.client, name, count * KEYS)
            await asyncio.sleep(REST)
            await page.evaluate(WATCH)
            lag = await house_.flip(rounds)
            seen = await page.evaluate(WATCHED)
            measured[name] = Watched(
                late=lag.late,
                busy=lag.busy,
                frames=seen["frames"],
                tasks=seen["tasks"],
            )
    for name, found in measured.items():
        middle, worst = percentiles(found.late)
        print(
            f"  {name:<9} lag p50 {middle:.2f}, p99 {worst:.2f}, max"
            f" {max(found.late) * 1000:.0f} ms; processor {found.busy * 1000:.0f} ms a"
            f" round; {found.frames:.1f} frames/s, longest task"
            f" {max(found.tasks, default=0) * 1000:.0f} ms, all"
            f" {sum(found.tasks) * 1000 / rounds:.0f} ms a round"
        )
    ours = measured["cards"]
    for name in ("tiles", "entities"):
        floor = measured[name]
        rows = {
            "frames a second": (ours.frames, floor.frames, ""),
            "longest task": (
                max(ours.tasks, default=0.05) * 1000,
                max(floor.tasks, default=0.05) * 1000,
                " ms",
            ),
            "lag of the loop, 99 %": (
                percentiles(ours.late)[1],
                percentiles(floor.late)[1],
                " ms",
            ),
        }
        for what, (mine, theirs, unit) in rows.items():
            show(
                f"{count} cards, {what}, beside {name}",
                f"{mine:.1f}{unit}",
                f"{theirs:.1f}{unit}",
                f"{mine / theirs:.2f} times",
            )


async def bench_card(loads: int, flips: int, phones: int, rounds: int) -> None:
    """Measure pages with one phone, and pages with many."""
    async with house(1) as small:
        await bench_page(small, loads, flips)
        await bench_bytes(small, min(flips, 10))
    async with house(phones) as large:
        await bench_many(large, rounds)
