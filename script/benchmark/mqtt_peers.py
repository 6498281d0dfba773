"""The peers of the MQTT figures: phones, and paho clients of the broker.

They run in a process of their own, so that they take no time from the Home Assistant that
is measured. It gets a `Plan` as JSON and prints `Measured` as JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
import dataclasses
from datetime import UTC, datetime
from functools import partial
from itertools import count, cycle
import json
from pathlib import Path
import sys
from time import perf_counter
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from tests.support.patience import PATIENCE
from tests.support.rawphone import RawPhone

ROOT = Path(__file__).parents[2]
LOCALHOST = "127.0.0.1"
QOS = 1
PAUSE = 0.05
"""Seconds until a TCP connection is at rest: a delayed ACK comes within 0.04."""
SILENCE = 5.0
"""Seconds without a message after which the flood is over."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure, and where."""

    sip_port: int
    mqtt_port: int
    extensions: list[str]
    password: str
    keys: int
    """The keys of each phone, named from 1."""
    count: int
    """How many of each kind are timed, one after another."""
    rate: int
    """Presses a second, of all phones together."""
    seconds: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """The result of sending messages at a steady rate."""

    sent: int
    heard: int
    """How many of them arrived."""
    ids: int
    """How many different IDs arrived."""
    answered: int
    """How many were acknowledged to their sender."""
    sent_rate: float
    heard_rate: float
    times: list[float]
    """Seconds from sending to arrival."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All figures; times are in seconds."""

    rested: dict[str, list[float]]
    """By kind: one at a time, after a pause."""
    hurried: dict[str, list[float]]
    """By kind: the next as soon as one has arrived."""
    mixed: dict[str, list[float]]
    """By kind: the kinds in turn, without a pause."""
    flood: Flood
    bare_flood: Flood


class TimedPhone(RawPhone):
    """A phone that times the next document and counts answered presses."""

    came: asyncio.Future[float] | None = None
    answered = 0

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take the time before anything else."""
        now = perf_counter()
        if b"branch=z9hG4bKpress" in data:
            self.answered += data.startswith(b"SIP/2.0 200")
            return
        if data.startswith(b"MESSAGE") and self.came and not self.came.done():
            self.came.set_result(now)
        super().datagram_received(data, addr)

    def press_text(self, key: str, number: str) -> bytes:
        """Return a press as a transaction of its own; the number identifies it."""
        return self._text(
            f"MESSAGE sip:{self.extension}@{LOCALHOST} SIP/2.0",
            (
                f"Via: SIP/2.0/UDP {self.address};branch=z9hG4bKpress{number};rport",
                f"From: <sip:{self.extension}@{LOCALHOST}>;tag={self._line}",
                f"To: <sip:{number}@{LOCALHOST}>",
                f"Call-ID: {number}",
                "CSeq: 1 MESSAGE",
                "Max-Forwards: 70",
                "Proxy-Require: buttons",
                "Content-Type: application/x-buttons",
            ),
            f"k={key}\r\na=message\r\nt=<{self.instance}>\r\n",
        )

    def send(self, datagram: bytes) -> None:
        """Send a press once; a repetition would hide a loss."""
        self._transport.sendto(datagram, self.server)


class Arrivals:
    """Records when the message with each number arrived, and the IDs of all."""

    def __init__(self) -> None:
        """Make an empty record."""
        self.times: dict[str, float] = {}
        self.ids: set[str] = set()
        self._loop = asyncio.get_running_loop()
        self._awaited: tuple[str, asyncio.Future[None]] | None = None

    def record(self, _: Client, __: Any, message: MQTTMessage) -> None:
        """Record a message; called in paho's thread."""
        now = perf_counter()
        event = json.loads(message.payload)
        self.times.setdefault(event["number"], now)
        self.ids.add(event["id"])
        if self._awaited and self._awaited[0] == event["number"]:
            self._loop.call_soon_threadsafe(self._awaited[1].set_result, None)

    async def time_of(self, number: str, act: Callable[[], object]) -> float:
        """Return the seconds from an action to the message that it leads to."""
        self._awaited = number, self._loop.create_future()
        begun = perf_counter()
        act()
        async with asyncio.timeout(PATIENCE):
            await self._awaited[1]
        return self.times[number] - begun


async def connected(
    stack: AsyncExitStack, port: int, arrivals: Arrivals | None = None, *topics: str
) -> Client:
    """Return a paho client that runs in its own thread, subscribed to topics."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()

    def set_ready(*_: object) -> None:
        loop.call_soon_threadsafe(ready.set)

    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    if arrivals:
        client.on_message = arrivals.record
        filters = [(topic, SubscribeOptions(QOS)) for topic in topics]

        def subscribe(*_: object) -> None:
            client.subscribe(filters)

        client.on_connect = subscribe
        client.on_subscribe = set_ready
    else:
        client.on_connect = set_ready
    client.connect(LOCALHOST, port)
    client.loop_start()
    stack.push_async_callback(asyncio.to_thread, client.loop_stop)
    stack.callback(client.disconnect)
    async with asyncio.timeout(PATIENCE):
        await ready.wait()
    return client


def bare_payload(number: str) -> str:
    """Return a payload like that of a press."""
    return json.dumps(
        {
            "event_type": "press_end",
            "action": "message",
            "number": number,
            "time": datetime.now(UTC).isoformat(),
            "id": f"{number:0>32}",
        }
    )


class Bench:
    """The measurements, one method each."""

    def __init__(
        self, plan: Plan, arrivals: Arrivals, hand: Client, phones: list[TimedPhone]
    ) -> None:
        """Measure by a plan, with a subscriber, a publisher and phones."""
        self._plan = plan
        self._arrivals = arrivals
        self._hand = hand
        self._phones = phones
        self._names = (f"{number}" for number in count())
        self._states = cycle(("ON", "OFF"))

    # One at a time

    async def bare(self) -> float:
        """Time from one client to the other."""
        payload = bare_payload(name := next(self._names))
        return await self._arrivals.time_of(
            name, lambda: self._hand.publish("bare/44", payload, QOS)
        )

    async def press(self) -> float:
        """Time a press from the phone to the subscriber."""
        phone = self._phones[0]
        datagram = phone.press_text("1", name := next(self._names))
        return await self._arrivals.time_of(name, lambda: phone.send(datagram))

    async def set(self) -> float:
        """Time a command from the publisher to the phone."""
        phone = self._phones[0]
        phone.came = asyncio.get_running_loop().create_future()
        # On and off in turn: a look that does not change is not sent.
        wanted = next(self._states)
        begun = perf_counter()
        self._hand.publish(f"snom_buttons/{phone.extension}/key/1/set", wanted, QOS)
        async with asyncio.timeout(PATIENCE):
            return await phone.came - begun

    @property
    def kinds(self) -> dict[str, Callable[[], Awaitable[float]]]:
        """What can be timed, by its name."""
        return {"bare": self.bare, "press": self.press, "set": self.set}

    async def in_turn(self, pause: float) -> dict[str, list[float]]:
        """Time the kinds in turn."""
        times: dict[str, list[float]] = {kind: [] for kind in self.kinds}
        for _ in range(self._plan.count):
            for kind, once in self.kinds.items():
                await asyncio.sleep(pause)
                times[kind].append(await once())
        return times

    async def hurried(self) -> dict[str, list[float]]:
        """Time one kind after the other, without a pause."""
        times = {}
        for kind, once in self.kinds.items():
            await asyncio.sleep(PAUSE)
            times[kind] = [await once() for _ in range(self._plan.count)]
        return times

    # Many at once

    async def flood(self) -> Flood:
        """Press keys of all phones in turn, at the planned rate."""
        turns: dict[str, Callable[[], object]] = {}
        for number in range(self._plan.rate * self._plan.seconds):
            row, column = divmod(number, len(self._phones))
            phone = self._phones[column]
            name = next(self._names)
            datagram = phone.press_text(f"{row % self._plan.keys + 1}", name)
            turns[name] = partial(phone.send, datagram)
        for phone in self._phones:
            phone.answered = 0
        return await self._flood(
            turns, lambda: sum(phone.answered for phone in self._phones)
        )

    async def bare_flood(self) -> Flood:
        """Publish as many messages from one client to the other."""
        infos: list[MQTTMessageInfo] = []

        def publish(payload: str) -> None:
            infos.append(self._hand.publish("bare/44", payload, QOS))

        turns: dict[str, Callable[[], object]] = {}
        for _ in range(self._plan.rate * self._plan.seconds):
            name = next(self._names)
            turns[name] = partial(publish, bare_payload(name))
        return await self._flood(
            turns, lambda: sum(info.is_published() for info in infos)
        )

    async def _flood(
        self, turns: dict[str, Callable[[], object]], answered: Callable[[], int]
    ) -> Flood:
        """Send at a steady rate; wait for the messages and the acknowledgements."""
        arrivals = self._arrivals
        arrivals.ids.clear()
        arrivals.times.clear()
        sent: dict[str, float] = {}
        begun = perf_counter()
        for number, (name, send) in enumerate(turns.items()):
            # Sleep even when late: the loop has to read the answers.
            due = begun + number / self._plan.rate
            await asyncio.sleep(max(0.0, due - perf_counter()))
            sent[name] = perf_counter()
            send()
        lasted = perf_counter() - begun
        before = -1
        while len(turns) > len(arrivals.times) > before:
            before = len(arrivals.times)
            await asyncio.sleep(SILENCE)
        await asyncio.sleep(PAUSE)  # the last answer may come after the last message
        heard = {name: arrivals.times[name] for name in sent if name in arrivals.times}
        span = max(heard.values()) - begun
        return Flood(
            sent=len(sent),
            heard=len(heard),
            ids=len(arrivals.ids),
            answered=answered(),
            sent_rate=len(sent) / lasted,
            heard_rate=len(heard) / span,
            times=[time - sent[name] for name, time in heard.items()],
        )


async def measure_in_process(plan: Plan) -> dict[str, Any]:
    """Run this module as a process; return `Measured` as a dictionary."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "script.benchmark.mqtt_peers"),
        json.dumps(dataclasses.asdict(plan)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, "the phones and clients failed"
    measured: dict[str, Any] = json.loads(out)
    return measured


async def measure(plan: Plan) -> Measured:
    """Connect phones and clients, and measure."""
    async with AsyncExitStack() as stack:
        arrivals = Arrivals()
        await connected(
            stack, plan.mqtt_port, arrivals, "snom_buttons/+/key/+/event", "bare/#"
        )
        hand = await connected(stack, plan.mqtt_port)
        phones = []
        for extension in plan.extensions:
            phone = await stack.enter_async_context(
                TimedPhone((LOCALHOST, plan.sip_port), extension, plan.password)
            )
            answer = await phone.register()
            assert answer.status == 200, answer.start
            await phone.shows(f"{plan.keys}")
            phones.append(phone)
        await asyncio.sleep(1)  # until what the registrations changed is published
        bench = Bench(plan, arrivals, hand, phones)
        return Measured(
            rested=await bench.in_turn(PAUSE),
            hurried=await bench.hurried(),
            mixed=await bench.in_turn(0),
            bare_flood=await bench.bare_flood(),
            flood=await bench.flood(),
        )


if __name__ == "__main__":
    measured = asyncio.run(measure(Plan(**json.loads(sys.argv[1]))))
    print(json.dumps(dataclasses.asdict(measured)))
