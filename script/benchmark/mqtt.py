"""Between phones and MQTT clients, through Home Assistant and a Mosquitto."""

from __future__ import annotations

from contextlib import AsyncExitStack, closing
import os
from pathlib import Path
import shutil
import socket
import tempfile
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from script.benchmark.home_assistant import home_assistant, set_up, set_up_http
from script.benchmark.mqtt_peers import Plan, measure_in_process
from script.benchmark.phone import KEYS, LOCALHOST, PASSWORD
from script.benchmark.table import percentiles, show, times_shown
from tests.support.mqtt_peers import Broker

PRESSES_A_SECOND = 1_000
"""The steady rate of the flood, of all phones together."""


async def bench_mqtt(count: int, seconds: int, options: list[str]) -> None:
    """Between phones and MQTT clients, against two MQTT clients and the broker alone.

    Phones and clients are in a process of their own, `mqtt_peers`. `options` are lines
    of Mosquitto's configuration.
    """
    # Debian installs servers in a folder that is on root's PATH only.
    if shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        show("MQTT", "mosquitto is missing")
        return
    from homeassistant.components.mqtt.config_flow import (
        CONFIG_ENTRY_MINOR_VERSION,
        CONFIG_ENTRY_VERSION,
    )

    with closing(socket.socket()) as free:
        free.bind((LOCALHOST, 0))
        mqtt_port = free.getsockname()[1]
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # A log line for each message would cost the broker, and this process, time.
        quiet = ("log_type none", "log_type information", "log_type subscribe")
        broker = Broker(directory, mqtt_port, *quiet, *options)
        await stack.enter_async_context(broker)
        hass = await stack.enter_async_context(home_assistant())
        await set_up_http(hass)
        entry = MockConfigEntry(
            domain="mqtt",
            version=CONFIG_ENTRY_VERSION,
            minor_version=CONFIG_ENTRY_MINOR_VERSION,
            data={"broker": LOCALHOST, "port": mqtt_port, "protocol": "5"},
        )
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id), entry.reason
        extensions = [f"{number}" for number in range(44, 54)]
        sip_port, _ = await set_up(hass, *extensions, mqtt=True)
        await broker.logs("snom_buttons/+/document/set")

        plan = Plan(
            sip_port=sip_port,
            mqtt_port=mqtt_port,
            extensions=extensions,
            password=PASSWORD,
            keys=len(KEYS),
            count=count,
            rate=PRESSES_A_SECOND,
            seconds=seconds,
        )
        show_mqtt(await measure_in_process(plan))


def show_mqtt(measured: dict[str, Any]) -> None:
    """Print the rows of what `mqtt_peers` measured."""

    def show_times(what: str, times: list[float], bare: list[float]) -> None:
        added = percentiles(times)[1] - percentiles(bare)[1]
        show(what, times_shown(times), times_shown(bare), f"{added:+.2f} ms p99")

    for what, how in (
        ("at rest", "rested"),
        ("at once", "hurried"),
        ("by turns", "mixed"),
    ):
        times = measured[how]
        show_times(f"press to MQTT message, {what}", times["press"], times["bare"])
        show_times(f"MQTT set to datagram, {what}", times["set"], times["bare"])
    ours, bare = measured["flood"], measured["bare_flood"]
    steady = f"{PRESSES_A_SECOND:,} presses a second to MQTT"
    lost, bare_lost = (
        f"{it['sent'] - it['heard']:,} of {it['sent']:,}" for it in (ours, bare)
    )
    show(f"{steady}, lost", lost, bare_lost)
    rate, bare_rate = ours["heard_rate"], bare["heard_rate"]
    ratio = f"{rate / bare_rate:.2f} of it"
    show(f"{steady}, heard", f"{rate:,.0f} /s", f"{bare_rate:,.0f} /s", ratio)
    show_times(f"{steady}, delay", ours["times"], bare["times"])
    for who, it in (("ours", ours), ("floor", bare)):
        if not it["sent"] == it["answered"] == it["heard"] == it["ids"]:
            counts = {name: it[name] for name in ("sent", "answered", "heard", "ids")}
            print(f"  {who}: {counts}, sent at {it['sent_rate']:,.0f} /s")
