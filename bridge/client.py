"""The client of the MQTT broker: the engine's `Client` protocol on aiomqtt."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import batched, cycle
import logging
import random
import re
import secrets
import socket
import ssl
from typing import Any, Final

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from snom_buttons.mqtt import MAX_AGE, CannotPublish, Message, Received
from snom_buttons.phones import Signal

from .connection import QOS, BrokerRefuses, BrokerSilent, Connection, check_subscribed
from .settings import MqttSettings

_LOGGER = logging.getLogger(__name__)

KEEPALIVE: Final = 10
"""Seconds without a packet after which the client asks whether the broker is there."""
CONNECTING: Final = 5.0
"""Seconds for a connection, and for the confirmation of a subscription."""
SUBSCRIBE_AGAIN: Final = 1.0
"""Seconds after which a subscription is asked for again that the broker has not answered."""
READ_AT_ONCE: Final = 100
"""Topics that are read at once."""
STATE_WAIT: Final = 10.0
"""Seconds after which `publish` no longer waits for the acknowledgement of a state."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
"""Seconds between two rounds through the brokers; each is twice the one before."""
V5: Final = aiomqtt.ProtocolVersion.V5
UNSUPPORTED_VERSION: Final = 132
"""The reason by which a broker refuses MQTT 5 (MQTT 5, 3.2.2.2)."""
LOGIN_REFUSED: Final = (134, 135)
"""Those by which it refuses a user, also for the codes 4 and 5 of MQTT 3.1.1."""
SOON: Final = 10.0
"""Seconds within which a connection breaks that another client of the same name ends, as
that connects again at once. Mosquitto 2.0 does not give the reason."""


@dataclass(frozen=True, slots=True, eq=False)
class _Subscription:
    topic: str
    qos: int
    received: Callable[[Received], None]
    confirmed: Callable[[], None] | None
    pattern: re.Pattern[str]
    """What `topic` matches: aiomqtt splits and checks both for each message."""


def _pattern(topic: str) -> re.Pattern[str]:
    """Return the topics that a filter matches (MQTT 5, 4.7), none of which has a `$`."""
    escaped = re.escape(topic).replace(r"\+", "[^/]*")
    return re.compile(re.sub(r"(^|/)\\#$", r"(?:\1.*)?", escaped), re.DOTALL)


def _set_for(event: asyncio.Event, mark: bytes, payload: bytes) -> None:
    if payload == mark:
        event.set()


def _name_of(text: str) -> str:
    return f"snom{sha256(text.encode()).hexdigest()[:18]}"


class BridgeClient:
    """A client that connects again by itself, to each broker in turn.

    Sessions are clean: it subscribes anew after each reconnect, and publishes first the
    events that the broker had not acknowledged. States are not repeated, because the
    publisher publishes them all again.
    """

    is_ready = True
    repeats_late = False

    def __init__(
        self,
        settings: MqttSettings,
        status: str,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Create a client without a connection.

        The broker publishes `offline` on the topic `status` when the connection breaks.
        """
        self.context = context
        """The TLS context of the next connection."""
        self.changed: Signal[bool] = Signal()
        """The connection was made, and events are repeated; or it is lost."""
        self.read_by_name: frozenset[str] = frozenset()
        """Filters of which the broker need not send what it retains: `read` does."""
        self.of_others: frozenset[str] = frozenset()
        """Those of which it need not send what this client publishes (MQTT 5, 3.8.3.1)."""
        self._settings = settings
        self._status = status
        self._name = _name_of(status)
        self._protocol = V5
        """That of the connection."""
        self._silent: set[tuple[str, int]] = set()
        """The brokers that did not answer MQTT 5, until one cannot be connected to."""
        self._connection: Connection | None = None
        self._subscriptions: list[_Subscription] = []
        self._events: dict[Message, asyncio.Future[None]] = {}
        """The events that no broker has acknowledged, in order."""
        self._tasks: set[asyncio.Task[Any]] = set()
        """What is under way on the connection."""
        self._reading: dict[str, Callable[[bytes], None]] = {}
        """What gets the payloads of topics that are read, by topic."""
        self._read_lock = asyncio.Lock()
        self._running: asyncio.Task[None] | None = None

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection to a broker."""
        return self._connection is not None

    @property
    def has_refused(self) -> bool:
        """Whether the broker has refused a state on this connection."""
        return self._connection is not None and self._connection.has_refused

    def start(self) -> None:
        """Connect, and again whenever the connection breaks."""
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Disconnect, so that the broker publishes no will."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None
        for event in self._events.values():
            event.cancel()

    # The connection

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        hosts = self._settings.hosts
        pause = FIRST_PAUSE
        for number, (host, port) in enumerate(cycle(hosts), 1):
            begun = loop.time()
            try:
                await self._connect_by_any(host, port)
            except (aiomqtt.MqttError, ValueError) as error:  # ValueError: of a host
                self._refused(host, port, error)
            except Exception:
                _LOGGER.exception("The connection to %s:%s has failed", host, port)
            if loop.time() - begun > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            if number % len(hosts) == 0:
                await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311
                pause = min(2 * pause, LONGEST_PAUSE)

    def _refused(self, host: str, port: int, error: Exception) -> None:
        text: object = error
        if getattr(error, "rc", None) in LOGIN_REFUSED:
            text = "it refuses the login, mqtt.username and mqtt.password"
        elif isinstance(reason := error.__context__, OSError) and reason.strerror:
            text = reason.strerror  # without its number
        _LOGGER.warning("No connection to the broker %s:%s: %s", host, port, text)

    async def _connect_by_any(self, host: str, port: int) -> None:
        """Connect as `_connect` does, by MQTT 3.1.1 to a broker that has no MQTT 5.

        A broker is asked for MQTT 5 at each connection, as it may have been upgraded. One that
        is silent takes CONNECTING seconds, so it is asked again only after it was away.
        """
        broker = (host, port)
        if broker not in self._silent:
            self._protocol = V5
            try:
                return await self._connect(host, port)
            except aiomqtt.MqttError as error:
                is_refused = getattr(error, "rc", None) == UNSUPPORTED_VERSION
                # RabbitMQ before 3.13 closes the connection without an answer.
                if isinstance(error, BrokerSilent):
                    self._silent.add(broker)
                elif not is_refused:
                    raise
            _LOGGER.info("The broker %s:%s has no MQTT 5, or is silent", host, port)
        self._protocol = aiomqtt.ProtocolVersion.V311
        try:
            await self._connect(host, port)
        except aiomqtt.MqttError:
            self._silent.discard(broker)
            raise

    async def _connect(self, host: str, port: int) -> None:
        """Connect, and return when the connection breaks. Raises MqttError without one."""
        connection = Connection(
            self._receive,
            host,
            port,
            username=self._settings.username,
            password=self._settings.password,
            # There is one for one status: the broker ends the former session, and
            # publishes its will, before it answers the new one. Each node has its own:
            # RabbitMQ before 3.12 keeps the queue of a session on the node that made it,
            # and while that is down it lets the client subscribe nowhere else.
            identifier=_name_of(f"{self._status} {host}:{port}"),
            protocol=self._protocol,
            will=aiomqtt.Will(self._status, "offline", QOS, retain=True),
            clean_session=None if self._protocol is V5 else True,
            timeout=CONNECTING,
            keepalive=KEEPALIVE,
            tls_context=self.context,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        # More than one call is under way by design; the publisher has a window.
        connection.pending_calls_threshold = 1_000_000
        with closing(connection):
            await connection.__aenter__()
            await self._use(connection, host, port)

    async def _use(self, connection: Connection, host: str, port: int) -> None:
        """Return when a connection that was made breaks."""
        begun = asyncio.get_running_loop().time()
        self._connection = connection
        _LOGGER.info("Connected to the broker %s:%s", host, port)
        try:
            for subscription in self._subscriptions:
                self._spawn(self._subscribe(connection, subscription))
            for event in self._events:
                self._spawn(self._hand_over(connection, event))
            self.changed.emit(True)
            async for _ in connection.messages:
                """There are none: `_receive` gets them."""
        except aiomqtt.MqttError as error:
            _LOGGER.warning(
                "The connection to the broker %s:%s broke: %s",
                *(host, port, error.__cause__ or error),
            )
            if asyncio.get_running_loop().time() - begun < SOON:
                _LOGGER.warning(
                    "Does another bridge have the base topic %s, and this name? It would"
                    " end the connection of this one",
                    self._settings.setup.base,
                )
        finally:
            self._connection = None
            for task in self._tasks:
                task.cancel()
            self.changed.emit(False)
            with suppress(aiomqtt.MqttError):
                await connection.__aexit__(None, None, None)

    def _spawn(self, coroutine: Any) -> None:
        """Run a coroutine up to its first wait at once, and until the connection breaks."""
        task = asyncio.create_task(coroutine, eager_start=True)
        if not task.done():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    # Publishing

    async def publish(self, message: Message) -> None:
        """Publish a message; return when the broker has acknowledged it.

        Without that a state returns after STATE_WAIT, and at once if the broker refuses it:
        the first of a connection is a warning in the log. An event is published on the next
        connection too. Raises CannotPublish for an event that is too old, or refused.
        """
        loop = asyncio.get_running_loop()
        if message.born is None:
            if (connection := self._connection) is None:
                raise CannotPublish("there is no connection")
            until = loop.time() + STATE_WAIT
            try:
                is_published = await self._publish_on(connection, message, STATE_WAIT)
            except CannotPublish as error:  # so it would again: that is no use
                level = logging.DEBUG if connection.has_refused else logging.WARNING
                connection.has_refused = True
                _LOGGER.log(level, "Cannot publish on %s: %s", message.topic, error)
                return
            if not is_published:
                await asyncio.sleep(until - loop.time())
            return
        done: asyncio.Future[None] = loop.create_future()
        self._events[message] = done
        try:
            if (connection := self._connection) is not None:
                self._spawn(self._hand_over(connection, message))
            async with asyncio.timeout_at(message.born + MAX_AGE):
                await done
        except TimeoutError:
            raise CannotPublish("the broker has not acknowledged it in time") from None
        finally:
            self._events.pop(message, None)

    async def _hand_over(self, connection: Connection, message: Message) -> None:
        """Publish an event; end the wait for it when the broker has answered."""
        done = self._events[message]
        assert message.born is not None
        properties = None
        if self._protocol is V5:
            # So a subscriber that was away does not get it late.
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            left = message.born + MAX_AGE - asyncio.get_running_loop().time()
            properties.MessageExpiryInterval = max(1, int(left))
        try:
            is_published = await self._publish_on(
                connection, message, MAX_AGE, properties
            )
        except CannotPublish as error:
            if not done.done():
                done.set_exception(error)
            return
        if is_published and not done.done():
            done.set_result(None)

    async def _publish_on(
        self,
        connection: Connection,
        message: Message,
        timeout: float,  # noqa: ASYNC109 - see `Connection.send`
        properties: Properties | None = None,
    ) -> bool:
        """Publish on a connection; return whether it was acknowledged within `timeout` s.

        Raises CannotPublish if the broker refuses the message.
        """
        try:
            await connection.send(message, timeout, properties)
        except BrokerRefuses as error:
            raise CannotPublish(f"the broker refuses it: {error}") from None
        except (aiomqtt.MqttError, TimeoutError) as error:
            _LOGGER.debug("Not published on %s: %r", message.topic, error)
            return False
        return True

    def hide(self, phone_id: str, payload: Mapping[str, Any]) -> bool:
        """Return True: there is no Home Assistant here that has the phones already."""
        return True

    # Subscribing

    async def subscribe(
        self,
        topic: str,
        qos: int,
        received: Callable[[Received], None],
        confirmed: Callable[[], None] | None = None,
    ) -> Callable[[], None]:
        """Subscribe, now and after each reconnect; return a function that ends it.

        `confirmed` is called each time that the broker has confirmed it. Filters that
        overlap get a message once or twice, as the broker does it.
        """
        subscription = _Subscription(topic, qos, received, confirmed, _pattern(topic))
        self._subscriptions.append(subscription)
        if (connection := self._connection) is not None:
            self._spawn(self._subscribe(connection, subscription))

        def end() -> None:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)
                self._end(topic)

        return end

    async def _subscribe(
        self, connection: aiomqtt.Client, subscription: _Subscription
    ) -> None:
        """Subscribe, again until the broker answers, the connection breaks, or it has ended."""
        topic = subscription.topic
        qos, options = subscription.qos, None
        if topic in self.read_by_name and self._protocol is V5:
            own = topic in self.of_others
            qos, options = 0, SubscribeOptions(qos, noLocal=own, retainHandling=2)
        while subscription in self._subscriptions:
            try:
                answers = await connection.subscribe(topic, qos, options)
                check_subscribed((topic,), answers)
            except BrokerRefuses:
                _LOGGER.warning("The broker refuses the subscription to %s", topic)
                return
            except aiomqtt.MqttError as error:
                _LOGGER.warning("Not subscribed to %s yet: %s", topic, error)
                await asyncio.sleep(SUBSCRIBE_AGAIN)
            else:
                confirmed = subscription.confirmed
                if subscription in self._subscriptions and confirmed is not None:
                    confirmed()
                return

    async def read(self, topics: Iterable[str]) -> dict[str, bytes]:
        """Return what the broker retains on topics, of those where it retains something.

        Each topic is subscribed to for a moment by its name. With a wildcard, RabbitMQ
        sends nothing that it retains, and Mosquitto and EMQX no more than a thousand
        messages. Subscriptions get it too. Raises ConnectionError if there is no connection,
        or it breaks.
        """
        connection = self._connection
        if connection is None:
            raise ConnectionError("there is no connection to the broker")
        async with self._read_lock:
            task = asyncio.create_task(self._read(connection, topics))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            try:
                await asyncio.wait((task,))
            finally:
                task.cancel()
            if task.cancelled():
                raise ConnectionError("the connection to the broker broke")
            return task.result()

    async def _read(
        self, connection: Connection, topics: Iterable[str]
    ) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        own = f"{self._settings.setup.base}/bridge/{self._name}/read"
        try:
            arrived = asyncio.Event()
            await connection.subscribe(own, QOS)
            topics = [*topics]
            at_once = min(READ_AT_ONCE, connection.most_of(topics))
            for names in batched(topics, at_once, strict=False):
                # A message to ourselves comes after all that is sent because of this.
                arrived.clear()
                mark = secrets.token_hex(8)  # that no other client can send
                self._reading[own] = partial(_set_for, arrived, mark.encode())
                for name in names:
                    self._reading[name] = partial(found.__setitem__, name)
                answers = await connection.subscribe([(name, QOS) for name in names])
                check_subscribed(names, answers)
                try:
                    await connection.send(Message(own, mark), CONNECTING)
                    async with asyncio.timeout(CONNECTING):
                        await arrived.wait()
                except BrokerRefuses, TimeoutError:
                    raise ConnectionError(
                        f"the broker sends nothing on {own}, which its user has to be"
                        " allowed to write and read"
                    ) from None
                for name in names:
                    del self._reading[name]
                await connection.unsubscribe([*names])
            await connection.unsubscribe(own)
        except aiomqtt.MqttError as error:
            raise ConnectionError(f"the broker cannot be read: {error}") from error
        finally:
            self._reading.clear()
        return {name: payload for name, payload in found.items() if payload}

    def _end(self, topic: str) -> None:
        """Unsubscribe from a topic, unless something else is subscribed to it."""
        connection = self._connection
        if connection is None or any(it.topic == topic for it in self._subscriptions):
            return

        async def unsubscribe() -> None:
            with suppress(aiomqtt.MqttError):
                await connection.unsubscribe(topic)

        self._spawn(unsubscribe())

    def _receive(self, message: aiomqtt.Message) -> None:
        topic = str(message.topic)
        payload = message.payload
        assert isinstance(payload, bytes)
        received = Received(topic, payload, message.retain)
        if (read := self._reading.get(topic)) is not None:
            read(payload)
        for subscription in [*self._subscriptions]:
            if subscription.pattern.fullmatch(topic):
                try:
                    subscription.received(received)
                except Exception:
                    _LOGGER.exception("A message on %s could not be handled", topic)
