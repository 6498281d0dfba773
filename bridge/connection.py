"""One connection to the broker: aiomqtt's client, with what it lacks."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
import sys
from typing import Any, Final, Self

import aiomqtt
from paho.mqtt import client as mqtt
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties, VariableByteIntegers
from paho.mqtt.reasoncodes import ReasonCode

from snom_buttons.mqtt import Message

QOS: Final = 1
AROUND: Final = 16
"""Bytes of a packet beside its topics and payload, at most (MQTT 5, 3.3 and 3.8)."""


class BrokerRefuses(aiomqtt.MqttError):
    """The broker does not take a message or a subscription."""


class BrokerSilent(aiomqtt.MqttError):
    """The broker does not answer on a connection."""


def check_subscribed(topics: Iterable[str], answers: Any) -> None:
    """Raise BrokerRefuses if a broker has refused one of several subscriptions."""
    for topic, answer in zip(topics, answers, strict=False):
        # The codes of MQTT 5, or the numbers of 3.1.1.
        if getattr(answer, "value", answer) >= 128:
            raise BrokerRefuses(f"it refuses the subscription to {topic}")


def _time_out(answer: asyncio.Future[ReasonCode]) -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())


class _Inbox(asyncio.Queue[aiomqtt.Message]):
    """Passes messages on at once. A queue would cost a task for each."""

    def __init__(
        self, received: Callable[[aiomqtt.Message], None], maxsize: int
    ) -> None:
        super().__init__(maxsize)
        self._received = received

    def put_nowait(self, item: aiomqtt.Message) -> None:
        self._received(item)


class Connection(aiomqtt.Client):
    """Says whether the broker has taken a message, and respects what it takes.

    What was published in one turn of the loop is written in the next. aiomqtt has the loop
    woken by a pipe, and has it watch the socket, for each packet. So does this one only
    while the socket is full, or not connected.
    """

    _is_watched = False

    def __init__(
        self, received: Callable[[aiomqtt.Message], None], *args: Any, **options: Any
    ) -> None:
        """Create it without a socket. `received` gets each message; all else is aiomqtt's."""
        inbox: Any = partial(_Inbox, received)
        super().__init__(*args, **options, queue_type=inbox)
        self.has_refused = False
        """Whether the broker has refused a state."""
        self._answers: dict[int, asyncio.Future[ReasonCode]] = {}
        """What gets the answers to messages, by packet identifier."""
        self._max_size = sys.maxsize
        """Bytes of the largest packet that the broker takes."""
        self._was_open = False
        self._client._handle_publish = self._handle_publish  # type: ignore[method-assign]  # noqa: SLF001

    async def __aenter__(self) -> Self:
        """Connect. Raises BrokerSilent if there is no answer, another MqttError without that."""
        try:
            await super().__aenter__()
        except aiomqtt.MqttError as error:
            if self._was_open and isinstance(error.__context__, TimeoutError):
                raise BrokerSilent("it does not answer") from None
            raise
        if self._client.socket() is None:  # aiomqtt forgets that, and waits for ever
            raise aiomqtt.MqttError("it has ended the connection at once")
        return self

    def close(self) -> None:
        """Close the socket, if it is open, and if it has room so that no will is published.

        aiomqtt leaves it open, and reads it, if the broker does not answer a CONNECT in
        time, if its wait for that is cancelled, and if a packet cannot be read. A socket
        that paho's thread is still opening is closed when it is open.
        """
        paho = self._client
        paho.disable_logger()
        paho.on_disconnect = None  # that of aiomqtt raises if its wait was cancelled
        paho.on_socket_open = lambda *opened: opened[-1].close()
        paho.on_socket_register_write = None  # it writes at once
        paho.disconnect()
        paho._sock_close()  # noqa: SLF001 - there is no other way

    def most_of(self, topics: Iterable[str]) -> int:
        """Return how many of these topics a packet may name that the broker takes."""
        longest = max((len(topic.encode()) for topic in topics), default=0)
        return max(1, (self._max_size - AROUND) // (longest + 3))

    async def send(
        self,
        message: Message,
        timeout: float,  # noqa: ASYNC109 - that would take longer
        properties: Properties | None = None,
    ) -> None:
        """Publish a message; return when the broker has taken it.

        `publish` does not say whether the broker has. Raises BrokerRefuses if it has not,
        another MqttError without a connection, and TimeoutError after `timeout` seconds.
        """
        payload = message.payload.encode()
        size = AROUND + len(message.topic.encode()) + len(payload)
        if size > self._max_size:
            raise BrokerRefuses(f"it has {size} bytes, of {self._max_size} at most")
        info = self._client.publish(
            message.topic, payload, QOS, message.retain, properties
        )
        if info.rc != mqtt.MQTT_ERR_SUCCESS:
            raise aiomqtt.MqttCodeError(info.rc)
        answer = self._answers[info.mid] = self._loop.create_future()
        timer = self._loop.call_later(timeout, _time_out, answer)
        try:
            reason = await answer
        finally:
            timer.cancel()
            del self._answers[info.mid]
        if reason.is_failure:
            raise BrokerRefuses(str(reason))

    def _handle_publish(self) -> MQTTErrorCode:
        """Read a message without its properties, of which none is used here.

        Paho ends the connection for U+FEFF in one of them, which MQTT allows (MQTT 5,
        1.5.4.3), and takes a time that grows with the square of their number.
        """
        paho = self._client
        if paho.protocol == mqtt.MQTTv5:
            packet = paho._in_packet["packet"]  # noqa: SLF001 - there is no other way
            has_identifier = paho._in_packet["command"] & 6  # noqa: SLF001
            begin = 2 + int.from_bytes(packet[:2]) + (2 if has_identifier else 0)
            size, digits = VariableByteIntegers.decode(packet[begin : begin + 4])  # type: ignore[no-untyped-call]
            packet[begin : begin + digits + size] = b"\0"
        return mqtt.Client._handle_publish(paho)  # noqa: SLF001

    def _on_publish(
        self,
        client: mqtt.Client,
        userdata: Any,
        mid: int,
        reason_code: ReasonCode,
        properties: Properties,
    ) -> None:
        answer = self._answers.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(reason_code)

    def _on_connect(
        self,
        client: mqtt.Client,
        userdata: Any,
        flags: mqtt.ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        """Respect what the broker takes (MQTT 5, 3.2.2.3), which paho does not."""
        most = client.max_inflight_messages
        most = min(most, getattr(properties, "ReceiveMaximum", most))
        client._max_inflight_messages = most  # noqa: SLF001 - none is under way yet
        self._max_size = getattr(properties, "MaximumPacketSize", self._max_size)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(
        self,
        client: mqtt.Client,
        userdata: Any,
        flags: mqtt.DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        """Take the reason that the broker gives, which paho ignores without properties."""
        packet = client._in_packet["packet"]  # noqa: SLF001 - there is no other way
        if flags.is_disconnect_packet_from_server and packet:
            reason_code = ReasonCode(PacketTypes.DISCONNECT, identifier=packet[0])
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _on_socket_open(self, client: mqtt.Client, userdata: Any, sock: Any) -> None:
        self._was_open = True
        super()._on_socket_open(client, userdata, sock)

    def _on_socket_register_write(
        self, client: mqtt.Client, userdata: Any, sock: Any
    ) -> None:
        if self._connected.done():
            self._loop.call_soon(self._write, client, sock)
        else:
            self._is_watched = True
            super()._on_socket_register_write(client, userdata, sock)

    def _write(self, client: mqtt.Client, sock: Any) -> None:
        client.loop_write()
        is_full = client.want_write() and client.socket() is sock
        if is_full and not self._is_watched:
            # At once, unlike aiomqtt: in the next turn the socket may be closed.
            self._is_watched = True
            self._loop.add_writer(sock.fileno(), self._write, client, sock)

    def _on_socket_unregister_write(
        self, client: mqtt.Client, userdata: Any, sock: Any
    ) -> None:
        if self._is_watched:
            self._is_watched = False
            super()._on_socket_unregister_write(client, userdata, sock)
