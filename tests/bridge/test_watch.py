"""Metrics, health and the log of a bridge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
import json
import logging
from pathlib import Path
import socket
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
import pytest
import yaml

from bridge import bridge as bridge_module, client as client_module
from bridge.bridge import Bridge
from bridge.log import start_log
from bridge.reading import read
from bridge.settings import LogSettings
from bridge.watch import AT_ONCE, Watch, watching
from snom_buttons.phones import Phone, PhoneSetup
from tests.support.bridge import PASSWORD, bridge_settings, running_bridge
from tests.support.faults import FAULTS
from tests.support.mqtt_peers import Broker, MqttClient
from tests.support.ports import LOCALHOST, free_port
from tests.support.rawphone import RawPhone

BASE = "snom_buttons"


def url_of(settings: Mapping[str, Any], path: str) -> str:
    return f"http://{LOCALHOST}:{settings['http']['port']}{path}"


async def get(url: str) -> tuple[int, str]:
    """Return status and text of an answer."""
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


def samples(text: str) -> dict[str, float]:
    """Return the values by name, with the value of a label if there is one."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def metrics(settings: Mapping[str, Any]) -> dict[str, float]:
    status, text = await get(url_of(settings, "/metrics"))
    assert status == 200
    return {
        name.removeprefix("snom_bridge_"): value
        for name, value in samples(text).items()
    }


async def health(settings: Mapping[str, Any]) -> tuple[int, list[str]]:
    status, text = await get(url_of(settings, "/healthz"))
    return status, json.loads(text)["reasons"]


def watched(broker: int, **sections: Any) -> dict[str, Any]:
    """Return the settings of a bridge that is watched."""
    return bridge_settings(broker, http={"port": free_port()}, **sections)


@asynccontextmanager
async def bridge_of(settings: Any, folder: Path) -> AsyncIterator[Bridge]:
    """Give a watched bridge in this process that is not started."""
    path = folder / "snom-bridge.yaml"
    path.write_text(yaml.safe_dump(settings))
    async with watching(Bridge(read(path).settings)) as bridge:
        try:
            yield bridge
        finally:
            await bridge.stop()


async def test_the_metrics_of_a_bridge(
    broker: Broker,
    client: MqttClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = watched(broker.port)
    address = (LOCALHOST, settings["server"]["port"])
    async with bridge_of(settings, tmp_path) as bridge:
        await bridge.start()
        async with (
            RawPhone(address, "44", PASSWORD) as phone,
            RawPhone(address, "45", "wrong") as stranger,
        ):
            assert (await phone.register()).status == 200
            assert (await stranger.register()).status == 401
            await phone.shows("4")
            await client.hears(f"{BASE}/44/key/1/state", state="OFF", in_sync=True)
            stranger._transport.sendto(b"no SIP", address)
            for _ in range(2):
                assert (await phone.press("2")).status == 200
            assert (await phone.invite("100")).status == 486
            client.publish(f"{BASE}/44/key/1/set", "ON")
            client.publish(f"{BASE}/44/key/9/set", "ON")
            await phone.shows("1", c="on")
            await client.first(f"{BASE}/error")
            await client.hears(f"{BASE}/44/key/1/state", state="ON", in_sync=True)
            before = await metrics(settings)
            assert before == before | {
                "phones": 2,
                "phones_available": 1,
                "phones_in_sync": 1,
                "registrations": 1,
                "locked_out": 0,
                "presses_total": 2,
                "dialled_total": 1,
                "documents_sent_total": 2,
                "documents_repeated_total": 0,
                "documents_refused_total": 0,
                "commands_total": 2,
                "commands_refused_total": 1,
                "mqtt_connected": 1,
                "mqtt_waiting": 0,
                "mqtt_published_total": 3,
                "mqtt_dropped_total": 0,
                "dropped_total malformed": 1,
                "dropped_total network": 0,
            }
            with monkeypatch.context() as patched:  # 45 is not available
                patched.setattr(Phone, "in_sync", True)
                assert (await metrics(settings))["phones_in_sync"] == 2
            assert before["process_resident_memory_bytes"] > 0
            assert before["process_cpu_seconds_total"] > 0
            assert "members" not in before
            assert await health(settings) == (200, [])

            # A counter does not fall when a phone is removed.
            path = tmp_path / "snom-bridge.yaml"
            del settings["phones"]["44"]
            path.write_text(yaml.safe_dump(settings))
            await bridge.reload(read(path).settings)
            after = await metrics(settings)
            assert (after["phones"], after["registrations"]) == (1, 0)
            assert after["documents_sent_total"] >= before["documents_sent_total"]
            # Nor when an event is not published after all.
            bridge.mqtt.publisher.counts.published -= 1
            after = await metrics(settings)
            assert after["mqtt_published_total"] == before["mqtt_published_total"]


async def test_why_a_bridge_is_not_healthy(
    socket_enabled: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge_module, "RESTORING", 0.05)
    monkeypatch.setattr(client_module, "FIRST_PAUSE", 0.05)
    tcp = {"enabled": True, "port": free_port()}
    broker = Broker(tmp_path, free_port())
    settings = watched(broker.port, server={"tcp": tcp})
    async with bridge_of(settings, tmp_path) as bridge:
        closed = ["SIP port closed: UDP", "SIP port closed: TCP"]
        assert await health(settings) == (503, ["no broker", *closed])
        await bridge.start()
        assert await health(settings) == (503, ["no broker"])
        assert (await metrics(settings))["mqtt_connected"] == 0

        # The broker is there, but has not been read.
        async with bridge._updating:
            connected = asyncio.Event()
            bridge.client.changed.subscribe(lambda _: connected.set())
            await broker.start()
            await connected.wait()
            unread = ["what the broker retains is not read yet"]
            assert await health(settings) == (503, unread)
        assert bridge._restoring is not None
        await bridge._restoring
        assert await health(settings) == (200, [])
    await broker.stop()


async def test_members_are_counted(
    broker: Broker, client: MqttClient, tmp_path: Path
) -> None:
    settings = watched(broker.port, cluster={"name": "one"})
    async with bridge_of(settings, tmp_path) as bridge:
        await bridge.start()
        await client.hears(f"{BASE}/bridge/one/status", "online")
        assert (await metrics(settings))["members"] == 1
        assert await health(settings) == (200, [])


async def test_a_port_that_is_taken_stops_no_phone(
    broker: Broker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server((LOCALHOST, 0)) as taken:
        port = taken.getsockname()[1]
        settings = bridge_settings(broker.port, http={"port": port})
        async with bridge_of(settings, tmp_path) as bridge:
            await bridge.start()
            assert bridge.server.listening
    assert f"cannot listen on {LOCALHOST}, TCP port {port}: " in caplog.text


async def test_without_a_port(broker: Broker, tmp_path: Path) -> None:
    async with bridge_of(bridge_settings(broker.port), tmp_path) as bridge:
        assert bridge.settings.http is None


async def test_a_scrape_of_many_phones_lets_others_have_their_turn(
    broker: Broker, tmp_path: Path
) -> None:
    settings = watched(broker.port)
    async with bridge_of(settings, tmp_path) as bridge:
        phones = {
            number: PhoneSetup(extension=number, password=PASSWORD)
            for number in map(str, range(1000, 1000 + 5 * AT_ONCE))
        }
        for setup in phones.values():
            bridge.server.add_phone(setup)
        assert bridge.settings.http is not None
        counting = asyncio.create_task(Watch(bridge, bridge.settings.http)._count())
        turns = 0
        while not counting.done():
            turns += 1
            if turns == 2:  # one that was counted, and one that is still to be
                for number in ("1000", f"{999 + 5 * AT_ONCE}"):
                    bridge.server.phones[number].traffic.sent += 7
                    bridge.server.remove_phone(number)
            await asyncio.sleep(0)
        assert turns > 5
        counted = counting.result()
        assert counted.phones == len(phones)
        assert counted.sent in (7, 14)
        again = await Watch(bridge, bridge.settings.http)._count()
        assert (again.phones, again.sent) == (len(phones) - 2, 14)


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """Return the root logger, which is restored after the test."""
    logger = logging.getLogger()
    level, handlers = logger.level, logger.handlers[:]
    yield logger
    logger.setLevel(level)
    logger.handlers[:] = handlers


def test_the_two_formats_of_the_log(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("snom_bridge")
    root.handlers.clear()
    start_log(LogSettings("info", "json"))
    logger.debug("too much")
    logger.warning("Bridge %s is gone", "zwei – ü\n")
    logger.error("It has failed", exc_info=ValueError("no"))
    lines = capsys.readouterr().err.splitlines()
    gone, failed = map(json.loads, lines)
    assert gone.pop("time").endswith("+00:00")
    assert gone == {
        "level": "WARNING",
        "logger": "snom_bridge",
        "message": "Bridge zwei – ü\n is gone",
    }
    assert "ValueError: no" in failed["exc_info"]

    root.handlers.clear()
    start_log(LogSettings("debug", "text"))
    logger.debug("Listening")
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith(" DEBUG snom_bridge: Listening")


PRIVATE = "xyzzy"
"""Is in all that must not be seen. A base topic and names of keys may be seen."""


async def test_nothing_private_is_in_log_or_metrics(
    socket_enabled: None, tmp_path: Path
) -> None:
    """Neither secrets, nor who calls, what is dialled, labels and names."""
    password = f"{PRIVATE}-password"
    key = {"name": f"{PRIVATE} key", "kind": "switch", "toggle": True}
    numbers = {"number_on": f"{PRIVATE}7", "number_off": f"{PRIVATE}8"}
    redirect = {"answer": "redirect", "redirect_to": f"{PRIVATE}.example"}
    settings = watched(
        port := free_port(),
        mqtt={"username": f"{PRIVATE}-user", "password": password},
        lines={"co2": {"name": f"{PRIVATE} line", "keys": {"44": "2"}}},
        log={"level": "debug", "format": "json"},
        server={"realm": f"{PRIVATE}-realm"},
    )
    settings["secret"] = f"{PRIVATE}-secret"
    settings["phones"] = {
        "44": {
            "name": f"{PRIVATE} phone",
            "password": password,
            "keys": {"1": key | numbers, "2": {}, "3": {"name": f"{PRIVATE} light"}},
            "dialling": redirect,
        },
        # All of this is wrong.
        "45": {
            "name": f"{PRIVATE}\n" * 200,
            "password": f"{PRIVATE}\0",
            "keys": {"1": {"number_on": f"{PRIVATE}\n"}},
            "dialling": {"answer": "busy"},
        },
    }
    log: list[str] = []

    async def reload(changed: Any) -> None:
        log.extend(bridge.log)
        await bridge.reload(changed)

    async with (
        Broker(tmp_path, port) as broker,
        running_bridge(tmp_path, settings, wait=False) as bridge,
    ):
        await bridge.logs("Listening on")
        async with (
            MqttClient(broker.port) as client,
            RawPhone(bridge.address, "44", password) as phone,
            RawPhone(bridge.address, "44", f"{PRIVATE}-guess") as stranger,
        ):
            assert (await phone.register()).status == 200
            assert (await stranger.register()).status == 401
            await client.hears(f"{BASE}/44/availability", "online")
            look = {
                "label": f"{PRIVATE} label",
                "caller": f"{PRIVATE}1",
                "display_name": f"{PRIVATE} caller",
                "number": f"{PRIVATE}2",
            }
            client.publish(f"{BASE}/44/key/3/set", look)
            await phone.shows("3", l=f"{PRIVATE} label")
            for wrong in (
                {"effect": f"{PRIVATE} effect"},
                {f"{PRIVATE}_field": f"{PRIVATE} value"},
                {"label": PRIVATE * 200},
                PRIVATE,
            ):
                errors = len(client.on(f"{BASE}/error"))
                client.publish(f"{BASE}/44/key/3/set", wrong)
                await client.until(lambda: len(client.on(f"{BASE}/error")) > errors)  # noqa: B023
            document = f"k=3\nc=on\nl={PRIVATE} other\nd={PRIVATE} caller\ng={PRIVATE}3"
            client.publish(f"{BASE}/44/document/set", document)
            client.publish(f"{BASE}/44/document/set", f"{PRIVATE} no document")
            await client.until(lambda: len(client.on(f"{BASE}/error")) > errors + 1)
            assert (await phone.press("3", number=f"{PRIVATE}0")).status == 200
            assert (await phone.press("1")).status == 200
            assert (await phone.press("3", "message", f"{PRIVATE}4")).status < 600
            assert await phone.press(f"{PRIVATE}", "message", f"{PRIVATE}5")
            assert (await phone.invite(f"{PRIVATE}6")).status == 302
            phone.document_answer = 415
            phone.reason = f"{PRIVATE} reason"
            client.publish(f"{BASE}/44/key/3/set", {"label": f"{PRIVATE} refused"})
            await phone.until(lambda: f"{PRIVATE} refused" in phone.requests[-1].body)
            for text in FAULTS.values():
                text = text.replace(b"Call-ID: ", f"Call-ID: {PRIVATE}".encode())
                text = text.replace(b"<sip:", b"<sip:xyzzy")
                phone._transport.sendto(text, phone.server)
            # A former state that somebody else has written.
            client.publish(f"{BASE}/46/stored", f"{PRIVATE} stored", retain=True)
            _, metrics_text = await get(url_of(settings, "/metrics"))
            _, answer = await get(url_of(settings, "/healthz"))
            settings["phones"]["45"]["password"] = f"{PRIVATE} no password"
            settings["lines"]["co2"]["keys"] = {"44": "9"}
            await reload(settings)
            await reload(f"phones: [{PRIVATE}")
            await reload(f"mqtt: {{password: [{PRIVATE}]}}")
            assert await bridge.end() == 0
    log += bridge.log
    assert len(log) > 50
    for line in log:
        assert {"time", "level", "logger", "message"} <= json.loads(line).keys()
    seen = [line for line in (*log, metrics_text, answer) if PRIVATE in line]
    assert seen == []
