"""A real Home Assistant of `script/demo`, and phones that share no code with the product.

Starting it takes most of the time: the tests of one demo run in their order, each phone
removes its registration, and the demo is restarted once and killed once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
import json
from pathlib import Path
import socket
import sys
from typing import Any, NamedTuple

import aiohttp
import pytest
from pytest_socket import enable_socket

from script.demonstration.home_assistant import HomeAssistant
from tests.support.demo import (
    ROOT,
    Changes,
    Demo,
    demo_of,
    demo_process,
    demo_without_errors,
)
from tests.support.mqtt_peers import LOCALHOST, MqttClient
from tests.support.networks import multicast
from tests.support.patience import PATIENCE
from tests.support.programs import program
from tests.support.rawphone import RawMessage, RawPhone

START_PATIENCE = 240.0
NEW_PHONE_PATIENCE = 150.0
"""Seconds; the phone asks for half a minute, and again after a minute."""

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("socket_enabled"),
]
one_demo = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """Run a demo with a broker and without a phone; return its directory and process."""
    program("mosquitto")
    enable_socket()  # `socket_enabled` comes after fixtures of the module
    directory = tmp_path_factory.mktemp("shared") / "demo"
    with demo_without_errors(directory, "--no-phone", "--mqtt") as demo:
        yield demo


@pytest.fixture
async def demo(running: tuple[Path, int]) -> AsyncIterator[Demo]:
    async with demo_of(*running) as demo:
        yield demo


@one_demo
async def test_what_a_visitor_finds(demo: Demo) -> None:
    """A card says how to start a phone that is not running; the blueprints are there."""
    sip = demo.details["sip"]
    start = (
        f"python -m virtual_phone --registrar {sip['host']}:{sip['port']}"
        " --user 44 --password demo-44-secret"
    )
    async with aiohttp.ClientSession() as session, demo.phone("44") as desk:
        home = HomeAssistant(session, demo.details["url"])
        home.token = demo.details["token"]
        dashboard, blueprints = await home.commands(
            {"type": "lovelace/config", "url_path": "demo-phones"},
            {"type": "blueprint/list", "domain": "automation"},
        )
        ours = {name for name in blueprints if name.startswith("snom_buttons/")}
        files = (ROOT / "blueprints" / "automation").rglob("*.yaml")
        assert ours == {f"snom_buttons/{file.name}" for file in files}

        section = dashboard["views"][0]["sections"][1]
        assert section["cards"][0]["heading"] == "Phone 44"
        template = {"template": section["cards"][-1]["content"]}
        headers = {"Authorization": f"Bearer {home.token}"}

        async def card() -> str:
            async with session.post(
                f"{home.url}/api/template", json=template, headers=headers
            ) as answer:
                return await answer.text()

        assert start in await card()
        assert (await desk.register()).status == 200
        await desk.shows("12")
        assert await card() == "Press a key of the phone to see it here."


@one_demo
async def test_lamps_and_presses(demo: Demo) -> None:
    """The main use, as README.md describes it."""
    async with demo.phone("44") as desk:
        lamp, press = demo.entity("44", "4", "led"), demo.entity("44", "4", "press")
        assert set(demo.details["phones"]) == {"44", "45", "46", "47"}
        assert list(demo.details["phones"]["45"]["keys"]) == [
            f"{n}" for n in range(1, 13)
        ]
        assert (await demo.state(lamp))["state"] == "unavailable"

        assert (await desk.register()).status == 200
        await desk.shows("12")
        assert desk.keys["4"].get("c") is None

        # A light that is turned on over the API arrives at the phone.
        await demo.call("light", "turn_on", entity_id=lamp)
        await desk.shows("4", c="on")
        assert (await demo.state(lamp))["state"] == "on"
        await demo.call(
            "light", "turn_on", entity_id=lamp, effect="hold", hs_color=[118, 90]
        )
        await desk.shows("4", c="hold", o="green")

        # A press changes the state of the event entity.
        async with demo.changes(press) as pressed:
            assert (await desk.press("4")).status == 200
            state = await pressed.get()
        assert state["attributes"]["event_type"] == "press_end"
        assert state["attributes"]["action"] == "message"


@one_demo
async def test_what_the_document_shows_works_between_two_phones(demo: Demo) -> None:
    """Do not disturb, the shared line and dialling, with the document's words."""
    async with demo.phone("44") as desk, demo.phone("45") as other:
        phones = demo.details["phones"]
        line = demo.details["shared"]["co2"]
        assert phones["44"]["keys"]["12"]["led"] == line
        assert (await desk.register()).status == 200
        assert await desk.shows("11", n="*78") == {
            "n": "*78",
            "a": "message",
            "l": "DND",
        }
        free = {"n": "*602co2", "a": "seize", "l": "(co2)"}
        seized = {"c": "on", "n": "*603co2", "a": "release", "l": "(co2)"}
        assert await desk.shows("12", n="*602co2") == free

        # Do not disturb: the press toggles the key, and the switch follows.
        dnd = demo.entity("44", "11", "led")
        assert (await desk.press("11")).status == 200
        assert await desk.shows("11", c="offline") == {
            "c": "offline",
            "n": "*79",
            "a": "message",
            "l": "DND",
        }
        assert (await demo.state(dnd))["state"] == "on"
        await demo.call("switch", "turn_off", entity_id=dnd)
        await desk.shows("11", n="*78", c=None)

        # One phone can use the line while the other is away, and then both can.
        assert (await desk.press("12", "seize")).status == 200
        assert await desk.shows("12", c="on") == seized
        assert (await other.register()).status == 200
        assert await other.shows("12", c="on") == seized
        assert (await demo.state(line))["attributes"]["phone"] == "44"
        async with demo.changes(demo.entity("45", "12", "press")) as pressed:
            assert (await other.press("12", "release")).status == 200
            state = await pressed.get()
        assert state["attributes"]["event_type"] == "press_end"
        assert (await demo.state(line))["state"] == "on"
        assert (await desk.press("12", "release")).status == 200
        assert await desk.shows("12", c=None) == free
        assert await other.shows("12", c=None) == free
        await demo.call("switch", "turn_on", entity_id=line)
        await other.shows("12", c="on")
        assert (await demo.state(line))["attributes"]["phone"] is None

        async with demo.changes(phones["45"]["dialled"]) as dialled:
            assert (await other.invite("100")).status == 486
            state = await dialled.get()
        assert state["attributes"]["number"] == "100"


class Row(NamedTuple):
    """A linked key of the demo whose press acts."""

    key: str
    domain: str
    first: str | None
    """The look at the beginning."""
    presses: tuple[str | None, ...]
    """The look after each press."""
    state: str
    """The state after the last press."""
    action: str
    """The action that is called then."""
    data: dict[str, Any]
    last: str | None
    """The look after the action."""


LINKED = [
    Row("1", "light", "on red", (None,), "off", "turn_on", {}, "on red"),
    Row("2", "switch", "on", (None,), "off", "turn_on", {}, "on"),
    Row("3", "cover", None, ("pickup", "on"), "open", "close_cover", {}, None),
    Row("4", "lock", None, ("pickup", "on red"), "unlocked", "lock", {}, None),
    Row(
        "5",
        "alarm_control_panel",
        None,
        ("pickup", "on red"),
        "armed_away",
        "alarm_disarm",
        {"code": "1234"},
        None,
    ),
    Row("7", "media_player", "on", ("park",), "paused", "media_play", {}, "on"),
    Row("8", "climate", "on red", (None,), "off", "turn_on", {}, "on red"),
    Row("9", "script", None, ("on",), "on", "turn_off", {}, None),
    Row(
        "12",
        "fan",
        None,
        ("on red",),
        "on",
        "set_percentage",
        {"percentage": 25},
        "on green",
    ),
]


async def shows(phone: RawPhone, key: str, look: str | None) -> None:
    """Wait until a key has a light mode, and perhaps a colour."""
    light, _, color = (look or "").partition(" ")
    await phone.shows(key, c=light or None, o=color or None)


async def becomes(states: Changes, word: str) -> None:
    """Wait until an entity has this state."""
    await states.until(lambda it: it["state"] == word)


@one_demo
async def test_the_keys_of_phone_46_follow_the_house(demo: Demo) -> None:
    keys = demo.details["phones"]["46"]["keys"]
    assert list(keys) == [f"{n}" for n in range(1, 13)]
    assert [key["follows"].partition(".")[0] for key in keys.values()] == [
        *("light", "switch", "cover", "lock", "alarm_control_panel", "binary_sensor"),
        *("media_player", "climate", "script", "scene", "sensor", "fan"),
    ]
    assert all(
        set(key) == {"follows", "press"} and key["press"].startswith("event.phone_46_")
        for key in keys.values()
    )
    for number, device_class in ("3", "garage"), ("6", "motion"):
        state = await demo.state(keys[number]["follows"])
        assert state["attributes"]["device_class"] == device_class
    async with demo.phone("46") as desk:
        assert (await desk.register()).status == 200
        for number, key in keys.items():
            name = (await demo.state(key["follows"]))["attributes"]["friendly_name"]
            await desk.shows(number, l="15.6 °C" if number == "11" else name)


@one_demo
@pytest.mark.parametrize("row", LINKED, ids=[row.domain for row in LINKED])
async def test_a_linked_key(demo: Demo, row: Row) -> None:
    """A press changes the entity, and a change of the entity is shown."""
    entity = demo.entity("46", row.key, "follows")
    async with demo.phone("46") as desk, demo.changes(entity) as states:
        assert (await desk.register()).status == 200
        await shows(desk, row.key, row.first)
        for look in row.presses:
            assert (await desk.press(row.key)).status == 200
            await shows(desk, row.key, look)
        await becomes(states, row.state)
        await demo.call(row.domain, row.action, entity_id=entity, **row.data)
        await shows(desk, row.key, row.last)


@one_demo
@pytest.mark.parametrize(
    ("key", "first", "word", "last"),
    [
        ("6", {"c": "on"}, "off", {"c": None}),
        ("11", {"c": None, "l": "15.6 °C"}, "-3.5", {"c": None, "l": "-3.5 °C"}),
    ],
    ids=["binary_sensor", "sensor"],
)
async def test_a_linked_key_of_a_sensor(
    demo: Demo,
    key: str,
    first: dict[str, str | None],
    word: str,
    last: dict[str, str | None],
) -> None:
    """A press is an event, and changes nothing else."""
    entity = demo.entity("46", key, "follows")
    async with (
        demo.phone("46") as desk,
        demo.changes(demo.entity("46", key, "press")) as pressed,
    ):
        assert (await desk.register()).status == 200
        look = dict(await desk.shows(key, **first))
        before = (await demo.state(entity))["state"]
        assert (await desk.press(key)).status == 200
        await pressed.until(lambda it: it["state"] != "unknown")  # it became available
        assert (await demo.state(entity))["state"] == before
        assert desk.keys[key] == look
        await demo.set_state(entity, word)
        await desk.shows(key, **last)


@one_demo
async def test_a_linked_key_of_a_scene(demo: Demo) -> None:
    """The press is lit for a second; what the scene sets is shown by other keys."""
    scene = demo.entity("46", "10", "follows")
    async with demo.phone("46") as desk, demo.changes(scene) as states:
        assert (await desk.register()).status == 200
        await shows(desk, "10", None)
        await demo.call("light", "turn_off", entity_id="light.kitchen_lights")
        await shows(desk, "1", None)
        assert (await desk.press("10")).status == 200
        await shows(desk, "10", "on")
        await shows(desk, "1", "on red")
        await shows(desk, "10", None)
        state = await states.get()
        assert state["state"].startswith("2")  # the time of its activation


@asynccontextmanager
async def yealink(demo: Demo) -> AsyncIterator[tuple[RawPhone, dict[str, RawMessage]]]:
    """Give phone 47 with a subscription to each key, and the answers to these by key."""
    async with demo.phone("47") as desk:
        desk.user_agent = "Yealink SIP-T46S 66.86.0.15"
        assert (await desk.register()).status == 200
        answers = {
            n: await desk.subscribe(n) for n in demo.details["phones"]["47"]["keys"]
        }
        assert {answer.status for answer in answers.values()} == {200}
        yield desk, answers
        assert desk.requests == [], "a document"


def notices_of(desk: RawPhone, key: str) -> list[RawMessage]:
    return [notice for notice in desk.notices if f"<sip:{key}@" in notice.get("From")]


async def lamp_is(desk: RawPhone, key: str, state: str) -> None:
    """Wait until the newest NOTIFY of a key has this state."""

    def condition() -> bool:
        notices = notices_of(desk, key)
        return bool(notices) and f"<state>{state}</state>" in notices[-1].body

    await desk.until(condition)


@one_demo
async def test_the_busy_lamps_of_phone_47_follow_the_house(demo: Demo) -> None:
    keys = demo.details["phones"]["47"]["keys"]
    assert list(keys) == [f"{n}" for n in range(1, 7)]
    assert all(
        set(key) == {"follows", "press"} and key["press"].startswith("event.phone_47_")
        for key in keys.values()
    )
    wet = demo.entity("47", "5", "follows")
    async with yealink(demo) as (desk, _):
        for key in keys:
            await desk.until(lambda: notices_of(desk, key) != [])  # noqa: B023
            [notice] = notices_of(desk, key)
            assert notice.get("Event") == "dialog"
            assert notice.get("Content-Type") == "application/dialog-info+xml"
        await lamp_is(desk, "5", "terminated")
        await demo.set_state(wet, "on")
        await lamp_is(desk, "5", "early")
        # A press of the key of a sensor is an event, and changes nothing else.
        async with demo.changes(demo.entity("47", "5", "press")) as pressed:
            assert (await desk.invite("5")).status == 486
            await pressed.until(
                lambda it: it["state"] not in ("unknown", "unavailable")
            )
        assert (await demo.state(wet))["state"] == "on"
        await demo.set_state(wet, "off")
        await lamp_is(desk, "5", "terminated")


BUSY_LAMPS = [
    Row("1", "light", "confirmed", ("terminated",), "off", "turn_on", {}, "confirmed"),
    Row("2", "switch", "confirmed", ("terminated",), "off", "turn_on", {}, "confirmed"),
    Row(
        "3",
        "cover",
        "terminated",
        ("early", "confirmed"),
        "open",
        "close_cover",
        {},
        "terminated",
    ),
    Row(
        "4",
        "lock",
        "confirmed",
        ("early", "terminated"),
        "locked",
        "unlock",
        {},
        "confirmed",
    ),
    Row(
        "6", "script", "terminated", ("confirmed",), "on", "turn_off", {}, "terminated"
    ),
]
"""The looks are those of dialogs."""


@one_demo
@pytest.mark.parametrize("row", BUSY_LAMPS, ids=[row.domain for row in BUSY_LAMPS])
async def test_a_busy_lamp_key(demo: Demo, row: Row) -> None:
    """A call of its number changes the entity, and a change of the entity is shown."""
    entity = demo.entity("47", row.key, "follows")
    await demo.call(row.domain, row.action, entity_id=entity)
    async with yealink(demo) as (desk, _), demo.changes(entity) as states:
        assert row.first is not None and row.last is not None
        await lamp_is(desk, row.key, row.first)
        for state in row.presses:
            assert state is not None
            assert (await desk.invite(row.key)).status == 486
            await lamp_is(desk, row.key, state)
        await becomes(states, row.state)
        await demo.call(row.domain, row.action, entity_id=entity, **row.data)
        await lamp_is(desk, row.key, row.last)


def cseq_of(notice: RawMessage) -> int:
    return int(notice.get("CSeq").split()[0])


async def the_dialogs_go_on(
    desk: RawPhone,
    answers: Mapping[str, RawMessage],
    before: Mapping[str, Sequence[RawMessage]],
) -> None:
    """Check that all keys are sent in the dialogs as before, which can be refreshed.

    `before` are the NOTIFYs before the server was restarted, by key.
    """
    for key, answer in answers.items():
        after = [it for it in notices_of(desk, key) if it not in before[key]]
        for notice in after:
            assert notice.get("Call-ID") == answer.get("Call-ID")
            assert notice.get("From") == answer.get("To")
            assert notice.get("To") == answer.get("From")
            assert notice.get("Subscription-State").startswith("active")
            assert cseq_of(notice) > max(map(cseq_of, before[key]))
        refreshed = await desk.subscribe(key, within=answer)
        assert (refreshed.status, refreshed.get("To")) == (200, answer.get("To"))


@one_demo
async def test_phones_on_the_broker_and_a_restart(demo: Demo) -> None:
    """A restart brings lamps, topics and subscriptions back; no phone notices it."""
    mqtt = demo.details["mqtt"]
    assert mqtt == {"host": LOCALHOST, "port": mqtt["port"], "base": "snom_buttons"}
    base = mqtt["base"]
    lamp = demo.entity("44", "4", "led")
    ceiling = demo.entity("47", "1", "follows")
    await demo.call("light", "turn_on", entity_id=ceiling)
    async with (
        demo.phone("44") as desk,
        yealink(demo) as (busy, answers),
        MqttClient(mqtt["port"]) as client,
    ):
        assert (await client.first(f"{base}/status")).payload == "online"
        await client.hears(f"{base}/44/availability", "offline")
        assert (await desk.register()).status == 200
        await client.hears(f"{base}/44/key/1/state", state="OFF", in_sync=True)
        client.publish(f"{base}/44/key/1/set", {"state": "ON", "effect": "hold"})
        await desk.shows("1", c="hold")
        assert (await desk.press("1")).status == 200
        await client.hears(f"{base}/44/key/1/event", event_type="press_end")
        await demo.call(
            "light", "turn_on", entity_id=lamp, effect="hold", hs_color=[118, 90]
        )
        await desk.shows("4", c="hold", o="green")

        for key in answers:
            await busy.until(lambda: notices_of(busy, key) != [])  # noqa: B023
        await lamp_is(busy, "1", "confirmed")
        before = {key: notices_of(busy, key) for key in answers}
        desk.keys.clear()
        await demo.call("homeassistant", "restart")
        await client.hears(f"{base}/status", "offline")
        await client.until(
            lambda: client.on(f"{base}/status")[-1].payload == "online", START_PATIENCE
        )
        await desk.shows("4", c="hold", o="green")
        for key, earlier in before.items():
            await busy.until(lambda: len(notices_of(busy, key)) > len(earlier))  # noqa: B023
        await the_dialogs_go_on(busy, answers, before)
        kept = await client.kept(base)
        assert '"effect":"hold"' in kept[f"{base}/44/key/1/state"]
        client.publish(f"{base}/44/key/1/set", "OFF")
        await desk.shows("1", c=None)
        await client.hears(f"{base}/44/availability", "online")
        async with asyncio.timeout(START_PATIENCE):
            # The API comes up last: ask until it answers.
            while (await demo.state(lamp)).get("state") != "on":  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert (await demo.state(lamp))["attributes"]["effect"] == "hold"
        await lamp_is(busy, "1", "confirmed")
        assert (await busy.invite("1")).status == 486
        await lamp_is(busy, "1", "terminated")


def outlives_a_power_cut(directory: Path) -> bool:
    """Return whether all that phones 44 and 45 need is stored, with key 4 parked.

    Home Assistant stores a config entry one second after its last change; without the
    entry it does not set the integration up when it starts again.
    """
    storage = directory / ".storage"
    try:
        entries = json.loads((storage / "core.config_entries").read_text())
        (entry,) = (
            entry
            for entry in entries["data"]["entries"]
            if entry["domain"] == "snom_buttons"
        )
        phones = [
            json.loads(
                (
                    storage / f"snom_buttons.{entry['entry_id']}.{it['subentry_id']}"
                ).read_text()
            )["data"]
            for it in entry["subentries"]
            if it["unique_id"] in {"44", "45"}
        ]
    except FileNotFoundError, ValueError:
        return False
    return (
        len(entry["subentries"]) == 5
        and all(phone["bindings"] for phone in phones)
        and all("c=park" in phone["keys"][3]["shown"] for phone in phones)
    )


def times_set_up(directory: Path) -> int:
    """Return how often Home Assistant began to set the integration up, by its log."""
    log = (directory / "output.log").read_text()
    return log.count("[homeassistant.setup] Setting up snom_buttons")


@one_demo
async def test_home_assistant_is_killed(demo: Demo) -> None:
    """Phones show the whole picture after the next start without registering again."""
    async with demo.phone("44") as desk, demo.phone("45") as other:
        looks = []
        for phone in (desk, other):
            assert (await phone.register()).status == 200
            lamp = demo.entity(phone.extension, "4", "led")
            await demo.call("light", "turn_on", entity_id=lamp, effect="park")
            await phone.shows("4", c="park")
            await phone.shows("12")
            looks.append(dict(phone.keys))
        # At the next start the log says when the integration is set up.
        with (demo.directory / "configuration.yaml").open("a") as configuration:
            configuration.write("    homeassistant.setup: info\n")
        async with asyncio.timeout(PATIENCE):
            while not outlives_a_power_cut(demo.directory):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        demo.kill_home_assistant()
        async with asyncio.timeout(PATIENCE):
            while demo.listens():  # noqa: ASYNC110, nothing announces it
                await asyncio.sleep(0.02)
        desk.keys.clear()
        other.keys.clear()
        async with asyncio.timeout(START_PATIENCE):
            while not times_set_up(demo.directory):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await desk.until(lambda: desk.keys == looks[0])
        await other.until(lambda: other.keys == looks[1])
        assert (await desk.press("4")).status == 200


async def test_the_software_phone_is_there_when_it_says_ready(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    with demo_process(directory) as pid:
        async with demo_of(directory, pid) as demo:
            press = demo.entity("46", "1", "press")
            assert (await demo.state(press))["state"] == "unknown"
            for other in ("44", "45"):
                lamp = demo.entity(other, "1", "led")
                assert (await demo.state(lamp))["state"] == "unavailable"


async def test_what_hinders_it_is_said(tmp_path: Path) -> None:
    async def complaint(*arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "script.demonstration", "--no-phone"),
            *arguments,
            cwd=ROOT,
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await process.communicate()
        assert process.returncode == 1
        return errors.decode()

    (tmp_path / "precious").write_text("do not touch")
    assert "is not empty" in await complaint("--dir", str(tmp_path))
    assert (tmp_path / "precious").exists()
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as holder:
        holder.bind(("127.0.0.1", 0))
        port = f"{holder.getsockname()[1]}"
        directory = str(tmp_path / "new")
        text = await complaint("--dir", directory, "--sip-port", port)
        assert f"port {port} is taken; choose another with --sip-port" in text


@multicast()
async def test_a_new_phone_is_set_up(tmp_path: Path) -> None:
    """The phone of `--new-phone`, with the dialogue that a person has in the browser."""
    directory = tmp_path / "demo"
    flows = "/api/config/config_entries/subentries/flow"
    with demo_process(directory, "--no-phone", "--new-phone") as pid:
        async with demo_of(directory, pid) as demo, aiohttp.ClientSession() as session:
            home = HomeAssistant(session, demo.details["url"])
            home.token = demo.details["token"]
            [[entry]] = await home.commands(
                {"type": "config_entries/get", "domain": "snom_buttons"}
            )
            page = await home.request(flows, {"handler": [entry["entry_id"], "phone"]})
            flow = f"{flows}/{page['flow_id']}"
            await home.request(flow, {"next_step_id": "plug_in"})
            page = await home.request(flow, {"entities": ["light.kitchen_lights"]})
            assert page["type"] == "progress"
            async with asyncio.timeout(NEW_PHONE_PATIENCE):
                # The REST API is another process, and announces nothing: ask until it is so.
                while page["type"] == "progress":
                    await asyncio.sleep(0.2)
                    page = await home.get(flow)
            assert page["step_id"] == "plugged_in"
            new = demo.details["new_phone"]
            named = page["description_placeholders"]["named"]
            assert new["model"] in named and new["mac"] in named
            press = "event.phone_48_kitchen_lights_press"
            async with asyncio.timeout(PATIENCE):
                while (await demo.state(press))["state"] == "unavailable":  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
