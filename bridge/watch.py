"""What monitoring asks: metrics for Prometheus, and whether the bridge is healthy.

Nothing here has a label that grows with the phones, and nothing is text that a phone or a
client of the broker sent.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import batched
import logging
import os
from typing import Final

from aiohttp import web
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from .bridge import Bridge
from .settings import HttpSettings

_LOGGER = logging.getLogger(__name__)

PREFIX: Final = "snom_bridge_"
AT_ONCE: Final = 200
"""Phones that are counted before others have their turn."""
LAG_EVERY: Final = 0.5
"""Seconds between two measurements of the lag of the event loop."""
LAG_BUCKETS: Final = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0)
CLOSING: Final = 1.0
"""Seconds that a request has when the bridge ends."""


@dataclass(slots=True)
class _Phones:
    """The phones of a bridge, counted."""

    phones: int = 0
    available: int = 0
    in_sync: int = 0
    registrations: int = 0
    sent: int = 0
    repeated: int = 0
    refused: int = 0


class Watch(Collector):
    """Serves `/metrics` and `/healthz` of a bridge."""

    def __init__(self, bridge: Bridge, settings: HttpSettings) -> None:
        """Create it without an open port."""
        self._bridge = bridge
        self._settings = settings
        self._runner: web.AppRunner | None = None
        self._lagging: asyncio.Task[None] | None = None
        self._phones = _Phones()
        """As counted for the answer that is made."""
        self._published = 0
        """A counter must not fall, as that of the publisher does for a failure."""
        registry = self._registry = CollectorRegistry()
        self._presses = Counter(
            f"{PREFIX}presses", "Presses of keys", registry=registry
        )
        self._dialled = Counter(
            f"{PREFIX}dialled", "Numbers that were dialled", registry=registry
        )
        self._lag = Histogram(
            f"{PREFIX}loop_lag_seconds",
            "How late the event loop was",
            buckets=LAG_BUCKETS,
            registry=registry,
        )
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)
        registry.register(self)

    async def start(self) -> None:
        """Open the port. The bridge runs without it too: then this is logged."""
        server = self._bridge.server
        server.pressed.subscribe(lambda _: self._presses.inc())
        server.dialled.subscribe(lambda _: self._dialled.inc())
        self._lagging = asyncio.create_task(self._measure_lag())
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", self._healthz)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSING)
        await self._runner.setup()
        host, port = self._settings
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            _LOGGER.error(
                "There are no metrics: cannot listen on %s, TCP port %s: %s",
                # asyncio's own text repeats the address.
                *(host, port, os.strerror(error.errno) if error.errno else error),
            )

    async def stop(self) -> None:
        """Close the port."""
        if self._lagging is not None:
            self._lagging.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _measure_lag(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_EVERY
            await asyncio.sleep(LAG_EVERY)
            self._lag.observe(max(0.0, loop.time() - due))

    # Health

    @property
    def reasons(self) -> list[str]:
        """Why the bridge is not healthy; empty if it is."""
        bridge = self._bridge
        server = bridge.server
        reasons = []
        if not bridge.client.is_connected:
            reasons.append("no broker")
        elif not bridge.takes:
            reasons.append("what the broker retains is not read yet")
        reasons += [
            f"SIP port closed: {transport}"
            for transport in server.settings.ports
            if transport not in server.listening
        ]
        return reasons

    async def _healthz(self, _: web.Request) -> web.Response:
        reasons = self.reasons
        return web.json_response({"reasons": reasons}, status=503 if reasons else 200)

    # Metrics

    async def _metrics(self, _: web.Request) -> web.Response:
        counted = await self._count()
        self._phones = counted
        return web.Response(
            body=generate_latest(self._registry),
            headers={"Content-Type": CONTENT_TYPE_LATEST},
        )

    async def _count(self) -> _Phones:
        """Count the phones, some at a time."""
        server = self._bridge.server
        past = server.past_traffic
        counted = _Phones(sent=past.sent, repeated=past.repeated, refused=past.refused)
        # Those that are removed meanwhile are not among the past ones above.
        for phones in batched([*server.phones.values()], AT_ONCE, strict=False):
            for phone in phones:
                counted.phones += 1
                counted.available += phone.available
                counted.in_sync += phone.in_sync
                counted.registrations += len(phone.registrations)
                counted.sent += phone.traffic.sent
                counted.repeated += phone.traffic.repeated
                counted.refused += phone.traffic.refused
            await asyncio.sleep(0)
        return counted

    def collect(self) -> Iterator[Metric]:
        """Return the metrics; the phones are those that were counted last."""
        bridge, phones = self._bridge, self._phones
        server, mqtt = bridge.server, bridge.mqtt
        counts = mqtt.publisher.counts
        self._published = max(self._published, counts.published)
        gauges = {
            "phones": (phones.phones, "Phones that this bridge has"),
            "phones_available": (phones.available, "Phones that answer"),
            "phones_in_sync": (phones.in_sync, "Phones that show what they should"),
            "registrations": (phones.registrations, "Registrations of phones"),
            "locked_out": (len(server.locked), "Sources that are locked out"),
            "mqtt_connected": (
                bridge.client.is_connected,
                "Whether there is a connection to the broker",
            ),
            "mqtt_waiting": (
                mqtt.publisher.waiting,
                "Messages that wait for the broker",
            ),
        }
        if bridge.member is not None:
            live = len(bridge.member.claims.live)
            gauges["members"] = live, "Members of the cluster that are live"
        counters = {
            "documents_sent": (phones.sent, "Documents and NOTIFYs to phones"),
            "documents_repeated": (phones.repeated, "Retransmissions of these"),
            "documents_refused": (phones.refused, "Those that a phone has refused"),
            "commands": (mqtt.commands, "Commands from the broker"),
            "commands_refused": (mqtt.refused, "Those that were refused"),
            "mqtt_published": (self._published, "Events that were published"),
            "mqtt_dropped": (
                counts.dropped,
                "Events that were not, since they were late or too many",
            ),
        }
        for name, (value, text) in gauges.items():
            yield GaugeMetricFamily(PREFIX + name, text, value)
        for name, (value, text) in counters.items():
            yield CounterMetricFamily(PREFIX + name, text, value)
        dropped = CounterMetricFamily(
            f"{PREFIX}dropped",
            "SIP messages and connections that were dropped",
            labels=("reason",),
        )
        for reason, count in server.dropped.items():
            dropped.add_metric((reason,), count)
        yield dropped


@asynccontextmanager
async def watching(bridge: Bridge) -> AsyncIterator[Bridge]:
    """Watch a bridge, from before its start until after its end, if it is set up so."""
    settings = bridge.settings.http
    if settings is None:
        yield bridge
        return
    watch = Watch(bridge, settings)
    await watch.start()
    try:
        yield bridge
    finally:
        await watch.stop()
