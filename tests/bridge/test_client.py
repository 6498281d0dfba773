"""The client of the broker, at a real Mosquitto."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
import logging
from pathlib import Path
import re
import socket
import ssl
import threading
from typing import Any

from aiomqtt import (
    Message as AiomqttMessage,
    MqttCodeError,
    MqttError,
    ProtocolVersion,
    Topic,
)
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
import pytest

from bridge import client as client_module
from bridge.client import BridgeClient, _pattern
from bridge.connection import BrokerSilent
from bridge.settings import MqttSettings
from bridge.tls import BrokerTls, CertificateFiles, broker_context, server_context
from snom_buttons.mqtt import CannotPublish, Message, MqttSetup, Received
from tests.support.certificates import make_certificate
from tests.support.clock import run
from tests.support.mqtt_peers import Broker, MqttClient
from tests.support.patience import PATIENCE
from tests.support.ports import LOCALHOST, free_port
from tests.support.programs import program

SETUP = MqttSetup(base="snom_buttons", commands=True, discovery=False)
STATUS = "snom_buttons/status"
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(client_module, "LONGEST_PAUSE", 0.2)
    monkeypatch.setattr(client_module, "CONNECTING", 2.0)


@asynccontextmanager
async def connected(
    *ports: int, tls: BrokerTls | None = None, login: tuple[str, str] | None = None
) -> AsyncIterator[BridgeClient]:
    """Run a client until it is connected."""
    settings = MqttSettings(
        hosts=tuple((LOCALHOST, port) for port in ports),
        username=login and login[0],
        password=login and login[1],
        setup=SETUP,
    )
    client = BridgeClient(settings, STATUS, tls and broker_context(tls))
    client.start()
    try:
        await becomes(client, True)
        yield client
    finally:
        await client.stop()
        assert not client.is_connected


async def becomes(client: BridgeClient, connected: bool) -> None:
    """Wait until the client has a connection, or has none."""
    news = asyncio.Event()
    unsubscribe = client.changed.subscribe(lambda _: news.set())
    async with asyncio.timeout(PATIENCE):
        while client.is_connected is not connected:
            news.clear()
            await news.wait()
    unsubscribe()


def state(payload: str) -> Message:
    return Message("snom_buttons/44/availability", payload, retain=True)


def event(payload: str, age: float = 0) -> Message:
    born = asyncio.get_running_loop().time() - age
    return Message("snom_buttons/44/key/1/event", payload, born=born)


async def refused(
    caplog: pytest.LogCaptureFixture,
    settings: MqttSettings,
    reason: str,
    tls: BrokerTls | None = None,
) -> None:
    """Run a client until the log has the reason why it has no connection."""
    caplog.clear()
    client = BridgeClient(settings, STATUS, tls and broker_context(tls))
    news = asyncio.Event()
    client._refused = lambda *given: (  # type: ignore[method-assign]
        BridgeClient._refused(client, *given),
        news.set(),
    )[0]
    client.start()
    await asyncio.wait_for(news.wait(), PATIENCE)
    assert not client.is_connected
    assert reason in caplog.text
    await client.stop()


async def test_publishes_and_receives(broker: Broker, client: MqttClient) -> None:
    async with connected(broker.port) as ours:
        assert ours.is_ready and ours.hide("44", {})
        got: asyncio.Queue[Received] = asyncio.Queue()
        confirmed = asyncio.Event()
        end = await ours.subscribe("a/+/set", 1, got.put_nowait, confirmed.set)
        await asyncio.wait_for(confirmed.wait(), PATIENCE)
        client.publish("a/b/set", "ON")
        received = await asyncio.wait_for(got.get(), PATIENCE)
        assert received == ("a/b/set", b"ON", False)
        await ours.publish(state("online"))
        heard = await client.first("snom_buttons/44/availability")
        assert (heard.payload, heard.qos) == ("online", 1)
        await ours.publish(event("press"))
        assert (await client.first("snom_buttons/44/key/1/event")).payload == "press"
        end()
        end()  # does nothing
        await broker.logs("UNSUBSCRIBE")


async def test_sends_at_once(broker: Broker) -> None:
    async with connected(broker.port) as ours:
        assert ours._connection is not None
        connection = ours._connection._client.socket()
        assert isinstance(connection, socket.socket)
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_handler_that_fails_costs_nothing_else(
    broker: Broker, client: MqttClient, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: Received) -> None:
        raise ZeroDivisionError

    async with connected(broker.port) as ours:
        got: asyncio.Queue[Received] = asyncio.Queue()
        confirmed = asyncio.Event()
        end = await ours.subscribe("a/b", 1, fails)
        await ours.subscribe("a/b", 1, got.put_nowait, confirmed.set)
        await asyncio.wait_for(confirmed.wait(), PATIENCE)
        client.publish("a/b", "ON")
        await asyncio.wait_for(got.get(), PATIENCE)
        assert ours.is_connected
        end()  # of one of two
        await ours.publish(state("online"))  # after what `end` may have sent
        client.publish("a/b", "OFF")
        assert (await asyncio.wait_for(got.get(), PATIENCE)).payload == b"OFF"
    assert "A message on a/b could not be handled" in caplog.text


async def test_events_that_were_not_acknowledged_come_first_after_a_reconnect(
    broker: Broker,
) -> None:
    async with connected(broker.port) as ours:
        await ours.subscribe("a/b", 1, lambda _: None)
        broker.hang()
        events = [asyncio.create_task(ours.publish(event(f"{n}"))) for n in range(3)]
        late = asyncio.create_task(ours.publish(state("offline")))
        await asyncio.sleep(0)
        await broker.kill()
        await becomes(ours, False)
        with pytest.raises(CannotPublish, match="no connection"):
            await ours.publish(state("online"))
        await broker.start()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*events)
            await broker.logs("SUBSCRIBE")
        published = [line for line in broker.log if "Received PUBLISH" in line]
        assert len(published) == 3
        assert not late.done()  # no broker has it
        late.cancel()


async def test_a_second_bridge_with_its_name_is_named(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    """They take the connection from each other, again and again."""
    async with connected(broker.port) as first, connected(broker.port):
        await becomes(first, False)
    assert "Does another bridge have the base topic snom_buttons" in caplog.text


async def test_a_connection_that_breaks_late_is_not_taken_for_that(
    broker: Broker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "SOON", 0.0)
    async with connected(broker.port) as client:
        await broker.kill()
        await becomes(client, False)
    assert " broke: " in caplog.text
    assert "another bridge" not in caplog.text


async def test_an_event_that_is_too_old_is_dropped(broker: Broker) -> None:
    async with connected(broker.port) as ours:
        broker.hang()
        with pytest.raises(CannotPublish, match="not acknowledged"):
            await ours.publish(event("press", age=30))
        await broker.kill()
        await becomes(ours, False)


async def test_a_state_without_an_acknowledgement_returns_after_a_while(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "STATE_WAIT", 0.05)
    async with connected(broker.port) as ours:
        broker.hang()
        await ours.publish(state("online"))
        await broker.kill()
        await becomes(ours, False)


async def test_what_the_socket_has_no_room_for_is_written_later(
    broker: Broker,
) -> None:
    text = "x" * 1_000_000
    async with connected(broker.port) as ours:
        sizes: list[int] = []
        complete, confirmed = asyncio.Event(), asyncio.Event()

        def receive(message: Received) -> None:
            sizes.append(len(message.payload))
            if len(sizes) == 12:
                complete.set()

        await ours.subscribe("big/+", 1, receive, confirmed.set)
        await confirmed.wait()
        broker.hang()
        tasks = [
            asyncio.create_task(ours.publish(Message(f"big/{number}", text)))
            for number in range(12)
        ]
        for _ in range(3):
            await asyncio.sleep(0)
        connection = ours._connection
        assert connection is not None
        assert connection._is_watched
        broker.go_on()
        await asyncio.gather(*tasks)
        async with asyncio.timeout(PATIENCE):
            await complete.wait()
        assert sizes == 12 * [len(text)]
        assert not connection._is_watched


async def test_a_socket_that_is_full_and_then_closed_is_not_watched(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number may be that of another one in the next turn of the loop."""
    loop = asyncio.get_running_loop()
    errors: list[object] = []
    loop.set_exception_handler(lambda _, context: errors.append(context))

    def is_full(_: bytes) -> int:
        loop.call_soon(paho._sock_close)  # after what is called now
        raise BlockingIOError

    async with connected(broker.port) as ours:
        assert ours._connection is not None
        paho = ours._connection._client
        monkeypatch.setattr(paho, "_sock_send", is_full)
        late = asyncio.create_task(ours.publish(state("online")))
        for _ in range(5):
            await asyncio.sleep(0)
        assert paho.socket() is None
        late.cancel()
    assert errors == []


async def test_the_next_broker_is_tried(
    tmp_path: Path, socket_enabled: None, caplog: pytest.LogCaptureFixture
) -> None:
    dead = free_port()
    brokers = []
    for name in ("one", "two"):
        (folder := tmp_path / name).mkdir()
        brokers.append(Broker(folder, free_port()))
    first, second = brokers
    async with first, second, connected(dead, first.port, second.port) as ours:
        broker = f"the broker {LOCALHOST}:{dead}"
        assert f"No connection to {broker}: Connection refused\n" in caplog.text
        await first.kill()
        await second.logs("as snom")  # it may be there before the first has ended
        # A cluster of RabbitMQ lets no node have a session of one that is down.
        (at_first,), (at_second,) = (
            set(re.findall(r" as (snom\w+)", "".join(it.log))) for it in brokers
        )
        assert at_first != at_second
        async with MqttClient(second.port) as client:
            await becomes(ours, True)
            await ours.publish(state("online"))
            await client.first("snom_buttons/44/availability")


@asynccontextmanager
async def without_mqtt_5(broker: Broker, answer: bytes) -> AsyncIterator[int]:
    """Run a relay to a broker that refuses MQTT 5 by an answer; return its port."""

    async def pass_on(reader: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            to.write(data)
        to.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connect = await reader.read(65536)
        # MQTT 5, 3.1.2: length, "MQTT", then the version, after a header of two bytes.
        if connect[8] == 5:
            writer.write(answer)
            writer.close()
            return
        inner, outer = await asyncio.open_connection(LOCALHOST, broker.port)
        outer.write(connect)
        await asyncio.gather(pass_on(reader, outer), pass_on(inner, writer))

    async with await asyncio.start_server(serve, LOCALHOST, 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    "answer",
    [
        b"\x20\x02\x00\x01",  # MQTT 3.1.1, 3.2.2.3
        b"",  # RabbitMQ before 3.13
    ],
)
async def test_a_broker_without_mqtt_5(
    broker: Broker,
    client: MqttClient,
    caplog: pytest.LogCaptureFixture,
    answer: bytes,
) -> None:
    caplog.set_level(logging.INFO)
    async with without_mqtt_5(broker, answer) as port, connected(port) as ours:
        confirmed = asyncio.Event()
        await ours.subscribe("a", 1, lambda _: None, confirmed.set)
        await asyncio.wait_for(confirmed.wait(), PATIENCE)
        await ours.publish(event("press"))
        await client.first("snom_buttons/44/key/1/event")
    assert "has no MQTT 5" in caplog.text
    assert not client.on(STATUS)  # it left in order: there is no will


async def test_mqtt_5_is_tried_again_at_a_broker_that_refused_both() -> None:
    client = BridgeClient(MqttSettings(hosts=(), setup=SETUP), STATUS)
    asked: list[ProtocolVersion] = []

    async def refuse(*_: object) -> None:
        asked.append(client._protocol)
        raise MqttCodeError(client_module.UNSUPPORTED_VERSION)

    client._connect = refuse  # type: ignore[method-assign]
    for _ in range(2):
        with pytest.raises(MqttError):
            await client._connect_by_any("x", 1)
    assert asked == [ProtocolVersion.V5, ProtocolVersion.V311] * 2


@pytest.mark.parametrize("is_silent", [False, True])
async def test_a_broker_is_asked_again_whether_it_has_mqtt_5(is_silent: bool) -> None:
    """It may be upgraded. One that is silent is asked once it was away, as that takes time."""
    client = BridgeClient(MqttSettings(hosts=(), setup=SETUP), STATUS)
    asked: list[tuple[int, ProtocolVersion]] = []
    is_away = False

    async def connect(_: str, port: int) -> None:
        asked.append((port, client._protocol))
        if is_away:
            raise MqttError
        if port == 1 and client._protocol is ProtocolVersion.V5:
            if not is_silent:
                raise MqttCodeError(client_module.UNSUPPORTED_VERSION)
            raise BrokerSilent

    async def asks(port: int = 1) -> list[tuple[int, ProtocolVersion]]:
        asked.clear()
        with suppress(MqttError):
            await client._connect_by_any("x", port)
        return [*asked]

    client._connect = connect  # type: ignore[method-assign]
    both = [(1, ProtocolVersion.V5), (1, ProtocolVersion.V311)]
    old = both[1:] if is_silent else both
    assert await asks() == both
    assert await asks(2) == [(2, ProtocolVersion.V5)]  # another broker
    assert await asks() == old
    is_away = True
    await asks()
    assert await asks() == both[:1]
    is_away = False
    assert await asks() == both


class Scripted:
    """A broker of MQTT 5 that answers by a function, and may be told to break a rule.

    Use it as an asynchronous context manager.
    """

    def __init__(self, connack: bytes = b"\x20\x03\x00\x00\x00") -> None:
        self.connack: bytes | None = connack
        """None for no answer."""
        self.greeting = b""
        """What follows it."""
        self.context: ssl.SSLContext | None = None
        """With which it speaks TLS."""
        self.refuses = 0
        """The reason by which it refuses what is published; 0 for none."""
        self.ignores = 0
        """The SUBSCRIBEs that it does not answer before it answers one."""
        self.under_way = self.most_under_way = 0
        self.sizes: list[int] = []
        """Of the packets that were published."""
        self.open: set[asyncio.StreamWriter] = set()
        self.connections = 0
        self.asked = False
        """Whether it got a CONNECT."""
        self.left = 0
        """The connections that a DISCONNECT has ended."""
        self._news = asyncio.Event()

    async def __aenter__(self) -> int:
        self._server = await asyncio.start_server(
            self._serve, LOCALHOST, 0, ssl=self.context
        )
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def until(self, wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not wanted():
                self._news.clear()
                await self._news.wait()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.open.add(writer)
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self._answer(writer, *await self._packet(reader))
                self._news.set()
        self.open.discard(writer)
        self._news.set()
        writer.close()

    async def _packet(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        (kind,) = await reader.readexactly(1)
        size = shift = 0
        while True:
            (digit,) = await reader.readexactly(1)
            size |= (digit & 127) << shift
            shift += 7
            if digit < 128:
                return kind & 0xF0, await reader.readexactly(size)

    def _answer(self, writer: asyncio.StreamWriter, kind: int, body: bytes) -> None:
        self.asked |= kind == 0x10
        match kind:
            case 0x10 if self.connack is not None:
                writer.write(self.connack + self.greeting)
            case 0x80 if self.ignores:
                self.ignores -= 1
            case 0x80:
                writer.write(b"\x90\x04" + body[:2] + b"\x00\x01")
            case 0x30:
                self.sizes.append(len(body))
                self.under_way += 1
                self.most_under_way = max(self.most_under_way, self.under_way)
                begin = 2 + int.from_bytes(body[:2])
                answer = b"\x40\x03" + body[begin : begin + 2] + bytes((self.refuses,))
                loop = asyncio.get_running_loop()
                loop.call_later(0.01, self._acknowledge, writer, answer)
            case 0xE0:
                self.left += 1

    def _acknowledge(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        self.under_way -= 1
        writer.write(answer)


async def test_a_broker_that_does_not_answer_is_left(
    monkeypatch: pytest.MonkeyPatch, socket_enabled: None
) -> None:
    """It would keep the connection, and publish its will when that breaks."""
    monkeypatch.setattr(client_module, "CONNECTING", 0.2)
    errors: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: errors.append(context))
    broker = Scripted()
    broker.connack = None
    async with broker as port:
        settings = MqttSettings(hosts=((LOCALHOST, port),), setup=SETUP)
        client = BridgeClient(settings, STATUS)
        client.start()
        await broker.until(lambda: broker.left >= 3)
        await client.stop()
        await broker.until(lambda: not broker.open)
    assert errors == []


async def test_a_connection_that_a_broker_ends_at_once_is_not_kept(
    tmp_path: Path, socket_enabled: None, caplog: pytest.LogCaptureFixture
) -> None:
    """It would count as one for ever: with TLS, both packets are read in one turn."""
    files = CertificateFiles(*make_certificate(tmp_path))
    broker = Scripted()
    broker.context = server_context(files)
    broker.greeting = b"\xe0\x02\x8b\x00"  # it shuts down
    async with broker as port:
        settings = MqttSettings(hosts=((LOCALHOST, port),), setup=SETUP)
        context = broker_context(BrokerTls(files.certificate, None))
        client = BridgeClient(settings, STATUS, context)
        client.start()
        await broker.until(lambda: broker.connections > 1)
        broker.greeting = b""
        await becomes(client, True)
        await client.publish(state("online"))
        await client.stop()
    assert broker.sizes
    assert "it has ended the connection at once" in caplog.text


@pytest.mark.parametrize("is_in_thread", [False, True])
async def test_a_connection_that_is_being_made_at_the_end_is_closed(
    is_in_thread: bool, monkeypatch: pytest.MonkeyPatch, socket_enabled: None
) -> None:
    """While it waits for an answer, or earlier, for a socket in the thread of paho."""
    loop = asyncio.get_running_loop()
    errors: list[object] = []
    loop.set_exception_handler(lambda _, context: errors.append(context))
    create = socket.create_connection
    asked, may = asyncio.Event(), threading.Event()

    def create_later(*args: Any, **options: Any) -> socket.socket:
        loop.call_soon_threadsafe(asked.set)
        may.wait(PATIENCE)
        return create(*args, **options)

    broker = Scripted()
    broker.connack = None
    async with broker as port:
        settings = MqttSettings(hosts=((LOCALHOST, port),), setup=SETUP)
        client = BridgeClient(settings, STATUS)
        if is_in_thread:
            broker.connack = b"\x20\x03\x00\x00\x00"
            monkeypatch.setattr(socket, "create_connection", create_later)
        client.start()
        await (asked.wait() if is_in_thread else broker.until(lambda: broker.asked))
        await client.stop()
        may.set()
        async with asyncio.timeout(client_module.KEEPALIVE / 2):  # paho does after that
            await broker.until(lambda: broker.connections == 1 and not broker.open)
    assert broker.asked == (not is_in_thread)
    assert errors == []


@pytest.mark.parametrize("reason", [b"\x01\x9a", b"\x02\x9a\x00"])
async def test_the_reason_is_named_by_which_a_broker_ends_a_connection(
    reason: bytes, socket_enabled: None, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Scripted()
    broker.greeting = b"\xe0" + reason
    async with broker as port, connected(port) as ours:
        await becomes(ours, False)
    assert "Retain not supported" in caplog.text


async def test_a_connection_with_what_cannot_be_read_is_closed(
    socket_enabled: None, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise paho would try to read the same again and again."""
    broker = Scripted()
    broker.greeting = b"\x30\x05\x00\x02\xff\xfe\x00"  # a topic that is no UTF-8
    async with broker as port, connected(port) as ours:
        await becomes(ours, False)
        broker.greeting = b""
        async with asyncio.timeout(client_module.KEEPALIVE / 2):  # paho does after two
            await broker.until(lambda: broker.connections > 1 and len(broker.open) == 1)
        await becomes(ours, True)
    assert sum("Caught exception" in it for it in caplog.messages) < 10


async def test_a_subscription_is_asked_for_until_it_is_answered(
    socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that was just started may be slow; the bridge would not count as online."""
    monkeypatch.setattr(client_module, "CONNECTING", 0.2)
    monkeypatch.setattr(client_module, "SUBSCRIBE_AGAIN", 0.05)
    broker = Scripted()
    broker.ignores = 2
    async with broker as port, connected(port) as ours:
        confirmed = asyncio.Event()
        await ours.subscribe("a", 1, lambda _: None, confirmed.set)
        await asyncio.wait_for(confirmed.wait(), PATIENCE)
        assert not broker.ignores
        broker.ignores = 1
        end = await ours.subscribe("b", 1, lambda _: None, confirmed.clear)
        await broker.until(lambda: not broker.ignores)
        end()
        await asyncio.gather(*ours._tasks)  # it is not asked for again
        assert confirmed.is_set()


async def test_no_more_is_under_way_than_a_broker_takes(socket_enabled: None) -> None:
    """It ends the connection otherwise (MQTT 5, 3.3.4)."""
    broker = Scripted(b"\x20\x06\x00\x00\x03\x21\x00\x05")
    async with broker as port, connected(port) as ours:
        await asyncio.gather(*(ours.publish(state(f"{it}")) for it in range(30)))
    assert broker.most_under_way == 5


async def test_what_is_too_large_for_a_broker_ends_no_connection(
    socket_enabled: None, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Scripted(b"\x20\x08\x00\x00\x05\x27\x00\x00\x10\x00")
    async with broker as port, connected(port) as ours:
        await ours.publish(state("x" * 4096))
        await ours.publish(state("x" * 4000))
        assert len(broker.sizes) == 1
        with pytest.raises(CannotPublish, match="of 4096 at most"):
            await ours.publish(event("x" * 4096))
    assert "Cannot publish on snom_buttons/44/availability: the broker" in caplog.text


async def test_what_a_broker_refuses_is_not_taken_for_published(
    socket_enabled: None, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Scripted()
    broker.refuses = 135
    async with broker as port, connected(port) as ours:
        assert not ours.has_refused
        for _ in range(2):
            await ours.publish(state("online"))
            assert ours.has_refused
        with pytest.raises(CannotPublish, match="refuses it: Not authorized"):
            await ours.publish(event("press"))
        broker.refuses = 16  # nothing has subscribed to it
        await ours.publish(event("press"))
    said = "Cannot publish on snom_buttons/44/availability: the broker refuses it: Not"
    warned = [it for it in caplog.records if it.levelno == logging.WARNING]
    assert sum(said in it.getMessage() for it in warned) == 1


async def test_a_broker_that_is_not_reached_is_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That takes as long as it does of one that is silent."""
    asked: list[object] = []

    def time_out(address: object, **_: object) -> None:
        asked.append(address)
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", time_out)
    client = BridgeClient(MqttSettings(hosts=(), setup=SETUP), STATUS)
    with pytest.raises(MqttError, match="timed out"):
        await client._connect_by_any("x", 1)
    assert asked == [("x", 1)]


def test_the_pause_after_each_round_grows_until_there_was_a_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client_module, "FIRST_PAUSE", 1.0)
    monkeypatch.setattr(client_module, "LONGEST_PAUSE", 5.0)
    monkeypatch.setattr(client_module.random, "uniform", lambda _, most: most)
    tried: list[tuple[int, int]] = []

    async def test() -> None:
        client = BridgeClient(
            MqttSettings(hosts=(("a", 1), ("b", 2)), setup=SETUP), STATUS
        )
        loop = asyncio.get_running_loop()
        begun = loop.time()

        async def connect(_: str, port: int) -> None:
            tried.append((port, int(loop.time() - begun)))
            if len(tried) == 9:
                await asyncio.sleep(10)
            raise MqttError

        client._connect = connect  # type: ignore[method-assign]
        client.start()
        await asyncio.sleep(24)
        await client.stop()

    run(test())
    # After 1, 2, 4 and 5 seconds; then the connection of 10, and 1 again.
    times = [0, 0, 1, 1, 3, 3, 7, 7, 12, 22, 23, 23]
    assert tried == list(zip([1, 2] * 6, times, strict=True))


async def test_an_event_expires_on_a_broker_of_mqtt_5(broker: Broker) -> None:
    expiry: asyncio.Queue[int] = asyncio.Queue()
    async with (
        connected(broker.port) as ours,
        MqttClient(broker.port, protocol=MQTTProtocolVersion.MQTTv5) as subscriber,
    ):
        subscriber._hear = lambda message: expiry.put_nowait(  # type: ignore[method-assign]
            message.properties.MessageExpiryInterval
        )
        await ours.publish(event("press", age=10))
        assert 15 <= await asyncio.wait_for(expiry.get(), PATIENCE) <= 20


async def test_no_property_of_a_message_ends_a_connection(broker: Broker) -> None:
    """Of one that is retained: of each. Paho refuses U+FEFF, which MQTT 5 allows."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.UserProperty = [("a", "\ufeff"), ("b", "\ufeff")]
    async with (
        connected(broker.port) as ours,
        MqttClient(
            broker.port, topic="x", protocol=MQTTProtocolVersion.MQTTv5
        ) as client,
    ):
        got: asyncio.Queue[Received] = asyncio.Queue()
        for qos in (0, 1):
            topic = f"a/{qos}"
            client._paho.publish(topic, "ON", 1, retain=True, properties=properties)
            await ours.subscribe(topic, qos, got.put_nowait)
            message = await asyncio.wait_for(got.get(), PATIENCE)
            assert message[:2] == (topic, b"ON")
        assert ours.is_connected


async def test_tls_with_a_certificate_of_the_client(
    tmp_path: Path, socket_enabled: None, caplog: pytest.LogCaptureFixture
) -> None:
    server = make_certificate(tmp_path)
    own = make_certificate(tmp_path, name="bridge")
    stranger = make_certificate(tmp_path, name="stranger")
    port = free_port()
    options = (
        f"certfile {server.certificate}",
        f"keyfile {server.key}",
        f"cafile {own.certificate}",
        "require_certificate true",
        "use_identity_as_username true",
    )
    async with Broker(tmp_path, port, *options):
        tls = BrokerTls(server.certificate, CertificateFiles(*own))
        async with connected(port, tls=tls) as ours:
            await ours.publish(state("online"))
        for wrong in (
            BrokerTls(stranger.certificate, CertificateFiles(*own)),
            BrokerTls(server.certificate, CertificateFiles(*stranger)),
            BrokerTls(server.certificate, None),
            BrokerTls(None, CertificateFiles(*own)),
        ):
            settings = MqttSettings(hosts=((LOCALHOST, port),), setup=SETUP)
            await refused(caplog, settings, "No connection to the broker", wrong)


async def test_a_user_of_the_broker(
    tmp_path: Path, socket_enabled: None, caplog: pytest.LogCaptureFixture
) -> None:
    """With the rights of docs/mqtt.md, beside which others hear and send nothing of it."""
    passwords = tmp_path / "passwords"
    passwords.touch(0o600)
    for user in ("bridge", "panel"):
        make = await asyncio.create_subprocess_exec(
            *(program("mosquitto_passwd"), "-b", str(passwords), user, "geheim")
        )
        assert await make.wait() == 0
    page = (ROOT / "docs" / "mqtt.md").read_text()
    (rights,) = re.findall(
        r"^```text\n(user bridge\n.*?)^```", page, re.MULTILINE | re.DOTALL
    )
    acl = tmp_path / "acl"
    acl.write_text(rights)
    port = free_port()
    options = (f"password_file {passwords}", f"acl_file {acl}")
    async with Broker(tmp_path, port, *options):
        async with (
            connected(port, login=("bridge", "geheim")) as ours,
            MqttClient(
                port, topic="snom_buttons/#", login=("panel", "geheim")
            ) as panel,
        ):
            await ours.publish(state("online"))
            heard: list[tuple[str, bytes]] = []
            confirmed, commanded = asyncio.Event(), asyncio.Event()

            def receive(message: Received) -> None:
                heard.append((message.topic, message.payload))
                if message.topic.endswith("/set"):
                    commanded.set()

            await ours.subscribe("snom_buttons/#", 1, receive, confirmed.set)
            await confirmed.wait()
            own = ("44/stored", "bridge/bridge-1/ping", "line/co2/ask")
            for topic in (*own, "44/key/1/state"):
                await ours.publish(Message(f"snom_buttons/{topic}", "ours"))
            await panel.first("snom_buttons/44/key/1/state")
            theirs = {it.topic for it in panel.heard}
            assert not theirs & {f"snom_buttons/{it}" for it in own}
            for topic in (*own, "44/bridge", "44/key/1/event", "44/key/1/set"):
                panel.publish(f"snom_buttons/{topic}", "theirs")
            await commanded.wait()
            assert [topic for topic, payload in heard if payload == b"theirs"] == [
                "snom_buttons/44/key/1/set"
            ]
            assert {topic for topic, _ in heard} >= {f"snom_buttons/{it}" for it in own}
        settings = MqttSettings(
            hosts=((LOCALHOST, port),),
            username="bridge",
            password="wrong",
            setup=SETUP,
        )
        await refused(caplog, settings, "it refuses the login, mqtt.username and")


async def test_a_subscription_that_is_refused_is_not_confirmed(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(broker.port) as ours:

        async def refuse(*_: object, **__: object) -> tuple[int, ...]:
            return (128,)

        assert ours._connection is not None
        ours._connection.subscribe = refuse  # type: ignore[assignment, method-assign]
        confirmed: list[None] = []
        await ours.subscribe("a", 1, lambda _: None, lambda: confirmed.append(None))
        assert not confirmed
    assert "The broker refuses the subscription to a" in caplog.text


async def test_a_client_that_fails_within_connects_again(
    broker: Broker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = BridgeClient._connect
    failed: list[None] = []

    async def fails_once(self: BridgeClient, host: str, port: int) -> None:
        if not failed:
            failed.append(None)
            raise ZeroDivisionError
        await connect(self, host, port)

    monkeypatch.setattr(BridgeClient, "_connect", fails_once)
    async with connected(broker.port):
        assert f"The connection to {LOCALHOST}:{broker.port} has failed" in caplog.text


async def test_stops_before_it_is_connected(socket_enabled: None) -> None:
    settings = MqttSettings(hosts=((LOCALHOST, free_port()),), setup=SETUP)
    ours = BridgeClient(settings, STATUS)
    await ours.stop()
    ours.start()
    waiting = asyncio.create_task(ours.publish(event("press")))
    await asyncio.sleep(0)
    await ours.stop()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_all_that_is_retained_is_read(
    socket_enabled: None, tmp_path: Path
) -> None:
    """Mosquitto drops what waits for a client beyond a thousand messages."""
    topics = [f"snom_buttons/{number}/stored" for number in range(1_500)]
    options = ("max_queued_messages 1000", "max_packet_size 2000")
    async with (
        Broker(tmp_path, free_port(), *options) as broker,
        connected(broker.port) as client,
    ):
        for topic in topics[1:]:
            await client.publish(Message(topic, topic, retain=True))
        found = await client.read(topics)
        assert found == {topic: topic.encode() for topic in topics[1:]}
        # It is subscribed to none of them any more, and reads again.
        await client.publish(Message(topics[0], "new", retain=True))
        assert await client.read(topics[:2]) == {
            topics[0]: b"new",
            topics[1]: topics[1].encode(),
        }
        reading = asyncio.create_task(client.read(topics))
        await asyncio.sleep(0)
        await broker.kill()
        with pytest.raises(ConnectionError):
            await reading
        assert not client._reading
        await becomes(client, False)
        with pytest.raises(ConnectionError):
            await client.read(topics)


async def test_what_a_broker_refuses_to_send_is_not_taken_for_absent(
    broker: Broker,
) -> None:
    """It would be replaced."""

    async with connected(broker.port) as ours:
        assert ours._connection is not None
        subscribe = ours._connection.subscribe

        async def refuses_one(topic: Any, qos: int = 0, *rest: Any) -> Any:
            answers = await subscribe(topic, qos, *rest)
            return [*answers[:-1], 0x87] if isinstance(topic, list) else answers

        ours._connection.subscribe = refuses_one  # type: ignore[method-assign]
        with pytest.raises(ConnectionError, match="refuses the subscription to b"):
            await ours.read(["a", "b"])


async def test_a_forged_mark_ends_no_reading() -> None:
    """What comes after it would count as not retained, and would be replaced."""
    settings = MqttSettings(hosts=(), setup=SETUP)
    client = BridgeClient(settings, STATUS)
    own = f"{SETUP.base}/bridge/{client._name}/read"
    ended: list[object] = []

    class Connection:
        def most_of(self, _: object) -> int:
            return 100

        async def subscribe(self, *_: object) -> tuple[int, ...]:
            self.deliver(own, b"")
            return ()

        async def send(self, message: Message, _: float) -> None:
            self.deliver(own, b"forged")
            loop = asyncio.get_running_loop()
            loop.call_later(0.01, self.deliver, "t/1", b"one")
            loop.call_later(0.01, self.deliver, "t/2", b"")  # cleared just now
            loop.call_later(0.02, self.deliver, message.topic, message.payload.encode())

        async def unsubscribe(self, topics: object) -> None:
            ended.append(topics)

        def deliver(self, topic: str, payload: bytes) -> None:
            message = AiomqttMessage(topic, payload, 1, True, 1, None)
            client._receive(message)

    client._connection = Connection()  # type: ignore[assignment]
    assert await client.read(["t/1", "t/2"]) == {"t/1": b"one"}
    assert ended == [["t/1", "t/2"], own]


@pytest.mark.parametrize("versions", ["5", "3.1.1"])
async def test_what_is_read_by_name_comes_to_subscriptions(
    versions: str, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of MQTT 5 the subscription itself gets nothing that is retained, or our own."""
    topics = [f"snom_buttons/{number}/bridge" for number in range(3)]
    if versions == "3.1.1":
        monkeypatch.setattr(client_module, "V5", ProtocolVersion.V311)
    async with connected(broker.port) as client:
        for topic in topics:
            await client.publish(Message(topic, topic, retain=True))
        client.read_by_name = frozenset(("snom_buttons/+/bridge",))
        client.of_others = client.read_by_name
        received: list[str] = []
        confirmed = asyncio.Event()
        await client.subscribe(
            "snom_buttons/+/bridge",
            1,
            lambda it: received.append(it.topic),
            confirmed.set,
        )
        await confirmed.wait()
        assert len(await client.read(topics[:2])) == 2
        if versions == "5":
            assert received == topics[:2]
        assert {*received} >= {*topics[:2]}
        received.clear()
        await client.publish(Message(topics[2], "again"))
        await client.read(["nothing"])
        assert received == ([] if versions == "5" else topics[2:])


@pytest.mark.parametrize("topic_filter", ["a/#", "a/+/b", "a/+", "a.b/+/c", "#", "a"])
def test_which_topics_a_filter_matches(topic_filter: str) -> None:
    pattern = _pattern(topic_filter)
    for topic in ("a", "a/", "a/x", "a/x/b", "a/b", "aXb/1/c", "a.b/1/c", "b/x"):
        expected = Topic(topic).matches(topic_filter)
        assert bool(pattern.fullmatch(topic)) == expected, topic
