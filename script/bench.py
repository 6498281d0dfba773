"""Measures speed, each figure beside its floor in the same run.

A floor is what the same work costs with nothing of ours in it: splitting the bytes, a
bare asyncio UDP echo, a bare datagram. Machines are noisy and differ; the ratio to the
floor is what can be compared. Nothing passes or fails here.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
import hashlib
import json
import os
from pathlib import Path
import shutil
import socket
import statistics
import sys
import tempfile
from time import perf_counter
import timeit
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parent.parent))

from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_test_home_assistant,
)

from custom_components.snom_buttons.engine.phones import (
    Action,
    DocumentError,
    KeyDescription,
    KeySetup,
    LightMode,
    PhoneServer,
    PhoneSetup,
    ServerSettings,
    format_document,
    parse_document,
)
from custom_components.snom_buttons.engine.sip import parse_datagram, parser
from custom_components.snom_buttons.engine.sip.message import encode
from custom_components.snom_buttons.engine.sip.parser import MAX_MESSAGE
from homeassistant.core import Event, HomeAssistant
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
from homeassistant.setup import async_setup_component
from script import bench_house as house
from script.bench_phones import bench_phones
from tests.engine.sip import test_linear as worst_messages
from tests.engine.xbuttons import test_linear as worst_documents
from tests.support.mqtt_peers import Broker

LOCALHOST = "127.0.0.1"
PASSWORD = "not a secret"  # noqa: S105
WINDOW = 16
"""Transactions that are under way at once."""
PRESSES_A_SECOND = 1_000
"""What MQTT has to keep up with, of all phones together."""


def keys_up_to(last: int) -> tuple[KeyDescription, ...]:
    """Return keys from 1 on, of which each other one is lit."""
    return tuple(
        KeyDescription(
            name=f"{number}",
            light=LightMode.ON if number % 2 else LightMode.OFF,
            action=Action.MESSAGE,
            number=f"key{number}",
            label=f"Key number {number}",
        )
        for number in range(1, last + 1)
    )


KEYS = keys_up_to(12)
REGISTER = (
    b"REGISTER sip:127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 172.20.25.101:2048;branch=z9hG4bK-2kecpl491c02;rport\r\n"
    b'From: "44" <sip:44@127.0.0.1>;tag=3k4xrbtmm9\r\n'
    b'To: "44" <sip:44@127.0.0.1>\r\n'
    b"Call-ID: 3c358c7680cb-j9yamlvac7ak\r\n"
    b"CSeq: 4655 REGISTER\r\n"
    b"Max-Forwards: 70\r\n"
    b"Contact: <sip:44@172.20.25.101:2048;line=44qsudyt>"
    b';+sip.instance="<urn:uuid:b255d09d-7a6e-4ad3-9ffb-eeacc9f87d52>"\r\n'
    b"Supported: buttons\r\n"
    b"Expires: 3600\r\n"
    b"Content-Length: 0\r\n\r\n"
)
# As the LED Remote Control document prints it.
PRESS_BODY = b"k=1\r\na=seize\r\nt=<urn:uuid:074b68b9-bff6-450c-bc50-4c44de86c11f>\r\n"
PRESS = (
    b"MESSAGE sip:44@127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.168.168.179:2049;branch=z9hG4bK-%010d;rport\r\n"
    b'From: "44" <sip:44@127.0.0.1>;tag=xt6v6wiw19\r\n'
    b"To: <sip:*602co1@127.0.0.1>;tag=4bmp7edhiz\r\n"
    b"Call-ID: 3c2677851b18-e6amwgoglprw\r\n"
    b"CSeq: 1 MESSAGE\r\n"
    b"Max-Forwards: 70\r\n"
    b"Proxy-Require: buttons\r\n"
    b"Content-Type: application/x-buttons\r\n"
    b"Content-Length: %d\r\n\r\n"
)


def press(number: int) -> bytes:
    """Return a press in a transaction of its own."""
    return PRESS % (number, len(PRESS_BODY)) + PRESS_BODY


def show(what: str, figure: str, floor: str = "", ratio: str = "") -> None:
    """Print a line of the table."""
    print(f"{what:<46} {figure:>18} {floor:>18} {ratio:>14}", flush=True)


# Parsing and building


def best_of(function: Callable[[], object]) -> float:
    """Return the microseconds that a call takes, the best of some repetitions."""
    number, _ = timeit.Timer(function).autorange()
    return min(timeit.repeat(function, number=number, repeat=5)) / number * 1e6


def split(data: bytes) -> list[list[str]]:
    """Return the lines of a text, each as what stands before and after its `=`."""
    return [line.split("=", 1) for line in data.decode().split("\r\n")]


def join(lines: list[list[str]]) -> bytes:
    """Return the bytes that `split` was given."""
    return "\r\n".join(["=".join(line) for line in lines]).encode()


def bench_parsing() -> None:
    """Parse and build, against splitting and joining the same bytes."""
    document = format_document(KEYS)
    lines_of_document, lines_of_register = split(document), split(REGISTER)
    lines = REGISTER.decode().partition("\r\n\r\n")[0].split("\r\n")[1:]
    headers = [(name, value) for name, _, value in (it.partition(": ") for it in lines)]
    headers.remove(("Content-Length", "0"))

    for what, ours, floor in (
        (
            "parse a 12-key document",
            lambda: parse_document(document),
            lambda: split(document),
        ),
        (
            "build a 12-key document",
            lambda: format_document(KEYS),
            lambda: join(lines_of_document),
        ),
        ("parse a REGISTER", lambda: parse_datagram(REGISTER), lambda: split(REGISTER)),
        (
            "build a REGISTER",
            lambda: encode("REGISTER sip:127.0.0.1 SIP/2.0", headers, b""),
            lambda: join(lines_of_register),
        ),
    ):
        time, least = best_of(ours), best_of(floor)
        show(what, f"{time:.1f} µs", f"{least:.1f} µs", f"{time / least:.1f} times")


def bench_worst() -> None:
    """Read the worst 64 KiB that the tests of linear cost know, beside as much of `x`.

    As there heads of any size are let in; else the worst of a message is 16 KiB.
    """

    def read(document: bytes) -> None:
        with suppress(DocumentError):
            parse_document(document)

    def time(take: Callable[[bytes], None], data: bytes) -> float:
        return min(timeit.repeat(lambda: take(data), number=1, repeat=3)) * 1000

    messages = [
        (name, make(MAX_MESSAGE)) for name, make in worst_messages.MESSAGES.items()
    ]
    documents = [
        (f"{start} {unit}".strip(), before + again * (MAX_MESSAGE // len(again) - 2))
        for start, before in worst_documents.STARTS.items()
        for unit, again in worst_documents.UNITS.items()
    ]
    for what, take, inputs in (
        ("message", worst_messages.take, messages),
        ("document", read, documents),
    ):
        with patch.object(parser, "MAX_HEAD", MAX_MESSAGE):
            slowest, name = max((time(take, data), name) for name, data in inputs)
            least = time(take, MAX_MESSAGE * b"x")
        show(f"worst 64 KiB: {what}, {name}", f"{slowest:.1f} ms", f"{least:.2f} ms")


# Transactions


def register(port_of_server: int, peer: socket.socket) -> None:
    """Register extension 44 from a socket, with digests worked out here."""

    def digest(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    peer.sendto(REGISTER, (LOCALHOST, port_of_server))
    challenge = peer.recv(65536).decode().split("WWW-Authenticate: ")[1]
    realm, nonce = (
        challenge.split(f'{name}="')[1].split('"')[0] for name in ("realm", "nonce")
    )
    secret = digest(f"44:{realm}:{PASSWORD}")
    response = digest(
        f"{secret}:{nonce}:00000001:ab:auth:{digest('REGISTER:sip:127.0.0.1')}"
    )
    authorization = (
        f'Authorization: Digest username="44",realm="{realm}",nonce="{nonce}",'
        f'uri="sip:127.0.0.1",response="{response}",qop=auth,nc=00000001,cnonce="ab"'
    )
    again = REGISTER.replace(b"2kecpl", b"2kecpm").replace(b"4655", b"4656")
    again = again.replace(b"Max-", f"{authorization}\r\nMax-".encode())
    peer.sendto(again, (LOCALHOST, port_of_server))
    assert peer.recv(65536).startswith(b"SIP/2.0 200"), "not registered"


def acknowledge(message: bytes) -> bytes:
    """Return the 200 for a MESSAGE, made with as little work as can be."""
    head = message.split(b"\r\n\r\n", 1)[0].split(b"\r\n")
    echoed = [
        line
        for line in head
        if line.startswith((b"Via", b"From", b"To", b"Call-ID", b"CSeq"))
    ]
    return b"\r\n".join([b"SIP/2.0 200 OK", *echoed, b"Content-Length: 0\r\n\r\n"])


class Echo(asyncio.DatagramProtocol):
    """The bare asyncio UDP echo."""

    def connection_made(self, transport: Any) -> None:
        """Keep what sends."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Send back what came."""
        self.transport.sendto(data, addr)


class Asker(asyncio.DatagramProtocol):
    """Keeps some datagrams under way until each has got its answer."""

    def __init__(self, port: int, datagrams: list[bytes]) -> None:
        """Send to a port of this machine."""
        self.done = asyncio.get_running_loop().create_future()
        self._left = iter(datagrams)
        self._missing = len(datagrams)
        self._port = port

    def connection_made(self, transport: Any) -> None:
        """Send the first few."""
        self._transport = transport
        for _ in range(WINDOW):
            self._send()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Send the next."""
        if b"Subject: buttons" in data:  # the picture after the registration
            self._transport.sendto(acknowledge(data), addr)
            return
        self._missing -= 1
        if not self._missing:
            self.done.set_result(None)
        self._send()

    def _send(self) -> None:
        if (data := next(self._left, None)) is not None:
            self._transport.sendto(data, (LOCALHOST, self._port))


async def registered(server: PhoneServer) -> socket.socket:
    """Return the socket of a phone that has just registered."""
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind((LOCALHOST, 0))
    peer.settimeout(10)
    await asyncio.get_running_loop().run_in_executor(
        None, register, server.address[1], peer
    )
    peer.setblocking(False)
    return peer


async def serving() -> PhoneServer:
    """Return a started server with phone 44."""
    server = PhoneServer(
        ServerSettings(host=LOCALHOST, port=0, realm="ha", advertised_host=LOCALHOST)
    )
    keys = tuple(KeySetup(off=key) for key in KEYS)
    server.add_phone(PhoneSetup(extension="44", password=PASSWORD, keys=keys))
    await server.start()
    return server


async def rate_of_asking(
    port: int, count: int, peer: socket.socket | None = None
) -> float:
    """Return how many presses a second are answered at a port of this machine."""
    loop = asyncio.get_running_loop()
    where = {"sock": peer} if peer else {"local_addr": (LOCALHOST, 0)}
    datagrams = [press(number) for number in range(count)]
    begun = perf_counter()
    transport, asker = await loop.create_datagram_endpoint(
        lambda: Asker(port, datagrams), **where
    )
    await asker.done
    transport.close()
    return count / (perf_counter() - begun)


async def floor_rate(peer: type[Echo | Desk], count: int) -> float:
    """Return how many datagrams a second a bare peer gives back or acknowledges."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        peer, local_addr=(LOCALHOST, 0)
    )
    rate = await rate_of_asking(transport.get_extra_info("sockname")[1], count)
    transport.close()
    return rate


async def press_rate(count: int) -> float:
    """Return how many presses a second are answered and told.

    Asker and server share one event loop, as asker and echo do.
    """
    server = await serving()
    pressed = 0

    def note(_: object) -> None:
        nonlocal pressed
        pressed += 1

    server.pressed.subscribe(note)
    peer = await registered(server)
    rate = await rate_of_asking(server.address[1], count, peer)
    assert pressed == count, f"{pressed} of {count} presses arrived"
    await server.stop()
    return rate


async def document_rate(count: int) -> float:
    """Return how many documents a second are sent, and acknowledged by a bare phone."""
    server = await serving()
    peer = await registered(server)
    phone, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Desk, sock=peer
    )
    (binding,) = server._location.bindings("44")  # noqa: SLF001
    waiting = iter([format_document(KEYS[:1])] * count)

    async def deliver() -> None:
        for document in waiting:
            await server._courier.deliver(binding, PASSWORD, document)  # noqa: SLF001

    begun = perf_counter()
    await asyncio.gather(*(deliver() for _ in range(WINDOW)))
    rate = count / (perf_counter() - begun)
    phone.close()
    await server.stop()
    return rate


async def bench_transactions(count: int, rounds: int) -> None:
    """Transactions in and out; each round beside its floor, and the median of them.

    To presses that is an echo. Documents are acknowledged by a phone of this file, and
    what that costs is no affair of ours: the same phone acknowledges for the floor.
    """
    for what, ours, peer in (
        ("presses answered and told", press_rate, Echo),
        ("documents sent and acknowledged", document_rate, Desk),
    ):
        rates = [
            (await ours(count), await floor_rate(peer, count)) for _ in range(rounds)
        ]
        rate, floor = (statistics.median(column) for column in zip(*rates, strict=True))
        ratio = statistics.median(own / echo for own, echo in rates)
        show(what, f"{rate:,.0f} /s", f"{floor:,.0f} /s", f"{ratio:.2f} of it")


# Home Assistant


class Desk(asyncio.DatagramProtocol):
    """A phone that notes when the latest document came."""

    def __init__(self) -> None:
        """Make a phone that expects nothing."""
        self.came: asyncio.Future[float] | None = None

    def connection_made(self, transport: Any) -> None:
        """Keep what sends."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Note the time, then answer."""
        now = perf_counter()
        if data.startswith(b"MESSAGE"):
            self.transport.sendto(acknowledge(data), addr)
        if self.came is not None and not self.came.done():
            self.came.set_result(now)


def percentiles(times: list[float]) -> tuple[float, float]:
    """Return median and 99th percentile in milliseconds."""
    cuts = statistics.quantiles(times, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


def times_shown(times: list[float]) -> str:
    """Return a column of median and 99th percentile."""
    middle, worst = percentiles(times)
    return f"{middle:.2f} / {worst:.2f} ms"


async def timed(desk: Desk, act: Callable[[], Any]) -> float:
    """Return the seconds from an action to the datagram that it leads to."""
    desk.came = asyncio.get_running_loop().create_future()
    begun = perf_counter()
    result = act()
    if asyncio.iscoroutine(result):
        await result
    async with asyncio.timeout(10):
        return await desk.came - begun


async def bench_home_assistant(count: int, sipsak_count: int) -> None:
    """From an action to the datagram, and from a press's datagram to the bus event."""
    loop = asyncio.get_running_loop()
    async with home_assistant() as hass:
        port, light = await set_up(hass)

        # The registration comes first, from the socket that then becomes the phone.
        (entry,) = hass.config_entries.async_entries("snom_buttons")
        peer = await registered(entry.runtime_data.server)
        transport, desk = await loop.create_datagram_endpoint(Desk, sock=peer)
        await timed(desk, lambda: None)  # the picture
        await hass.async_block_till_done()

        probe, prober = await loop.create_datagram_endpoint(
            Desk, local_addr=(LOCALHOST, 0)
        )
        address = probe.get_extra_info("sockname")
        bare = [
            await timed(prober, lambda: probe.sendto(PRESS_BODY, address))
            for _ in range(count)
        ]

        turned = []
        for number in range(count):
            action = "turn_off" if number % 2 else "turn_on"

            async def turn(action: str = action) -> None:
                await hass.services.async_call(
                    "light", action, {"entity_id": light}, blocking=True
                )

            turned.append(await timed(desk, turn))
            await hass.async_block_till_done()

        pressed = []
        heard: asyncio.Future[float]

        def hear(_: Event) -> None:
            heard.set_result(perf_counter())

        hass.bus.async_listen("snom_buttons_key_press", hear)
        for number in range(count):
            heard = loop.create_future()
            begun = perf_counter()
            transport.sendto(press(number), (LOCALHOST, port))
            pressed.append(await heard - begun)
            await hass.async_block_till_done()

        for what, times in (
            ("light.turn_on to datagram, p50 / p99", turned),
            ("press datagram to bus event, p50 / p99", pressed),
        ):
            factor = percentiles(times)[0] / percentiles(bare)[0]
            show(what, times_shown(times), times_shown(bare), f"{factor:.1f} times")

        await bench_sipsak(
            hass, desk, address=peer.getsockname(), count=sipsak_count, ours=turned
        )
        probe.close()
        transport.close()


@asynccontextmanager
async def home_assistant() -> AsyncIterator[HomeAssistant]:
    """Run a Home Assistant that finds this integration."""
    with tempfile.TemporaryDirectory() as directory:
        async with async_test_home_assistant(config_dir=directory) as hass:
            hass.data.pop(DATA_CUSTOM_COMPONENTS, None)
            yield hass
            await hass.async_stop(force=True)


async def set_up(
    hass: HomeAssistant,
    *extensions: str,
    keys: Sequence[KeyDescription] = KEYS,
    **options: Any,
) -> tuple[int, str]:
    """Set up a server with phones, 44 if none is named.

    Return its port, and the light of the first key of phone 44.
    """
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as free:
        free.bind((LOCALHOST, 0))
        port: int = free.getsockname()[1]
    lights = [
        {"key": key.name, "name": key.label, "kind": "light", "colors": False}
        for key in keys
    ]
    phone = {"password": PASSWORD, "model": "D785", "keys": lights}
    entry = MockConfigEntry(
        domain="snom_buttons",
        data={
            "host": LOCALHOST,
            "port": port,
            "realm": "ha",
            "advertised_host": LOCALHOST,
        },
        options=options,
        subentries_data=[
            {
                "data": phone | {"extension": extension},
                "subentry_type": "phone",
                "title": f"Phone {extension}",
                "unique_id": extension,
            }
            for extension in extensions or ("44",)
        ],
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id), entry.reason
    await hass.async_block_till_done()
    return port, "light.phone_44_key_number_1"


async def bench_sipsak(
    hass: HomeAssistant,
    desk: Desk,
    *,
    address: tuple[str, int],
    count: int,
    ours: list[float],
) -> None:
    """Light the lamp by a shell_command that runs sipsak, as people do it today."""
    sipsak = shutil.which("sipsak")
    what = "the same by shell_command and sipsak"
    if sipsak is None:
        show(what, "sipsak is missing")
        return
    host, port = address
    body = "k=1\r\nc=on\r\n"
    message = Path(hass.config.config_dir) / "led.txt"
    message.write_bytes(
        f"MESSAGE sip:44@{host} SIP/2.0\r\n"
        f"From: <sip:sipsak@{host}>;tag=38473\r\n"
        f"To: <sip:44@{host}>\r\n"
        "Call-ID: 6algjorv@test\r\n"
        "CSeq: 59620 MESSAGE\r\n"
        "Max-Forwards: 70\r\n"
        "Subject: buttons\r\n"
        "Content-Type: application/x-buttons\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    command = f"{sipsak} -s sip:44@{host}:{port} --filename {message}"
    assert await async_setup_component(
        hass, "shell_command", {"shell_command": {"led": command}}
    )

    async def call() -> None:
        await hass.services.async_call("shell_command", "led", blocking=True)

    times = [await timed(desk, call) for _ in range(count)]
    factor = percentiles(times)[0] / percentiles(ours)[0]
    show(what, times_shown(times), times_shown(ours), f"{factor:.0f} times")


# A house of phones


async def bench_house(rounds: int) -> None:
    """Many keys at once, against as many lights that do nothing but write their state.

    Flips in which Python went through all objects of the process for what is garbage
    stand apart: that stops everything, and comes to whoever makes objects.
    """
    async with home_assistant() as hass:
        keys = keys_up_to(house.KEYS)
        port, _ = await set_up(hass, *house.EXTENSIONS, keys=keys)
        measured = await house.measure(hass, port, PASSWORD, rounds)
    clean = {
        what: [it for it in spans if not it.collected] or spans
        for what, spans in measured.items()
    }

    def show_both(
        what: str, figures: Callable[[list[house.Span]], list[float]]
    ) -> None:
        ours, floor = figures(clean["ours"]), figures(clean["floor"])
        show(what, shown(ours), shown(floor), f"{ours[0] / floor[0]:.1f} times")

    def shown(figures: list[float]) -> str:
        return " / ".join(f"{figure * 1000:.2f}" for figure in figures) + " ms"

    def seconds(spans: list[house.Span]) -> list[float]:
        times = [it.seconds for it in spans]
        return [statistics.median(times), max(times)]

    def lag(spans: list[house.Span]) -> list[float]:
        late = [time for it in spans for time in it.late]
        return [percentiles(late)[1] / 1000, max(late)]

    def longest(spans: list[house.Span]) -> list[float]:
        return [statistics.median(max(it.late) for it in spans)]

    show_both(f"{house.FLIPPED} keys of {house.PHONES} phones, p50 / max", seconds)
    show_both("loop's lag meanwhile, p99 / max", lag)
    show_both("longest lag of the median flip", longest)
    show("loop's lag at rest, p99 / max", shown(lag(clean["rest"])))
    documents = [count for it in measured["ours"] for count in it.documents]
    mean = statistics.mean(documents)
    print(f"  {mean:.1f} documents a phone, {max(documents)} at most")
    for what, spans in measured.items():
        if collected := [it for it in spans if it.collected]:
            slowest = max(it.seconds for it in collected) * 1000
            print(
                f"  {what}: all objects gone through in {len(collected)} of"
                f" {len(spans)}, which took {slowest:.0f} ms at most"
            )


# MQTT


async def bench_mqtt(count: int, seconds: int, options: list[str]) -> None:
    """Between phones and MQTT clients, against the same clients without us between.

    Phones and clients are in a process of their own, bench_mqtt.py. `options` are
    lines of Mosquitto's configuration.
    """
    # Debian puts servers where only root looks.
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
        (directory / "configuration.yaml").touch()
        # To log each message would cost the broker, and us who would have to read it.
        quiet = ("log_type none", "log_type information", "log_type subscribe")
        broker = Broker(directory, mqtt_port, *quiet, *options)
        await stack.enter_async_context(broker)
        hass = await stack.enter_async_context(
            async_test_home_assistant(config_dir=str(directory))
        )
        hass.data.pop(DATA_CUSTOM_COMPONENTS, None)
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

        plan = {
            "sip_port": sip_port,
            "mqtt_port": mqtt_port,
            "extensions": extensions,
            "password": PASSWORD,
            "keys": len(KEYS),
            "count": count,
            "rate": PRESSES_A_SECOND,
            "seconds": seconds,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("bench_mqtt.py")),
            json.dumps(plan),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        assert process.returncode == 0, "bench_mqtt.py failed"
        show_mqtt(json.loads(out))
        await hass.async_stop(force=True)


def show_mqtt(measured: dict[str, Any]) -> None:
    """Print what bench_mqtt.py measured."""

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


async def main() -> None:
    """Run all benchmarks and print them as a table."""
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="few repetitions: to see that it runs"
    )
    parser.add_argument(
        "only", nargs="?", choices=["house", "mqtt", "phones"], help="a part"
    )
    parser.add_argument(
        "--mosquitto",
        action="append",
        default=[],
        metavar="LINE",
        help="a line of its configuration, such as 'set_tcp_nodelay true'",
    )
    arguments = parser.parse_args()
    quick = arguments.quick
    show("what", "ours", "floor", "ratio")
    if arguments.only is None:
        bench_parsing()
        bench_worst()
        await bench_transactions(500 if quick else 4_000, 1 if quick else 9)
        await bench_home_assistant(50 if quick else 2_000, 5 if quick else 50)
    if arguments.only in (None, "phones"):
        await bench_phones((10, 100) if quick else (10, 100, 1_000))
    if arguments.only in (None, "house"):
        await bench_house(2 if quick else 30)
    if arguments.only in (None, "mqtt"):
        count, seconds = (50, 1) if quick else (1_000, 10)
        await bench_mqtt(count, seconds, arguments.mosquitto)


if __name__ == "__main__":
    asyncio.run(main())
