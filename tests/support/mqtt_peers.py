"""A real Mosquitto, and a client of it that is not Home Assistant's."""

from array import array
import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fcntl import ioctl
import json
from pathlib import Path
from signal import SIGCONT, SIGSTOP
import subprocess
from termios import FIONREAD
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.support.programs import program

from .patience import PATIENCE

LOCALHOST = "127.0.0.1"


class Broker:
    """Mosquitto on a port of its own. Use it as an asynchronous context manager."""

    def __init__(self, directory: Path, port: int, *options: str) -> None:
        self.port = port
        self._program = program("mosquitto")
        self._config = directory / "mosquitto.conf"
        if not any(option.startswith("password_file") for option in options):
            options = (*options, "allow_anonymous true")
        lines = (
            f"listener {port} {LOCALHOST}",
            "persistence false",
            "user root",  # started as root, it has to read the test's files
            "log_type all",
            "max_queued_messages 100000",  # drops nothing, however slow a client is
            *options,
        )
        self._config.write_text("\n".join(lines) + "\n")
        self.log: list[str] = []
        self._news = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.log.clear()
        self._process = await asyncio.create_subprocess_exec(
            self._program, "-c", str(self._config), stderr=asyncio.subprocess.PIPE
        )
        assert self._process.stderr is not None
        self._reader = asyncio.create_task(self._read(self._process.stderr))
        await self.logs("running")

    async def _read(self, stderr: asyncio.StreamReader) -> None:
        async for line in stderr:
            self.log.append(line.decode())
            self._news.set()

    async def logs(self, text: str) -> None:
        """Wait until Mosquitto has logged something since it was started."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not any(text in line for line in self.log):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"no {text} in {''.join(self.log)}") from None

    def hang(self) -> None:
        """Accept what is sent, and answer nothing."""
        assert self._process is not None
        self._process.send_signal(SIGSTOP)

    def go_on(self) -> None:
        """End a `hang`."""
        assert self._process is not None
        self._process.send_signal(SIGCONT)

    async def kill(self) -> None:
        """Kill the process, even while it hangs."""
        assert self._process is not None
        self._process.kill()
        await self.stop()

    async def stop(self) -> None:
        if self._process is not None and self._reader is not None:
            # Mosquitto ignores a signal between its line "running" and its loop.
            while self._process.returncode is None:
                with suppress(ProcessLookupError):
                    self._process.terminate()
                with suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        await self._process.wait()
            await self._reader
            self._process = self._reader = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


async def guarded(directory: Path, port: int) -> Broker:
    """Return a broker with users; `home` is the program's, and may not see phone 45."""
    passwords = directory / "passwords"
    for option, user in (("-c", "home"), ("", "panel"), ("", "admin")):
        await asyncio.to_thread(
            subprocess.run,
            [
                program("mosquitto_passwd"),
                "-b",
                *([option] if option else []),
                str(passwords),
                user,
                f"{user}-secret",
            ],
            check=True,
            capture_output=True,
        )
    acl = directory / "acl"
    acl.write_text(
        "user admin\ntopic readwrite #\n"
        "user home\ntopic readwrite homeassistant/#\n"
        "topic readwrite snom_buttons/status\ntopic readwrite snom_buttons/44/#\n"
        "topic readwrite snom_buttons/bridge/#\n"
        "topic read snom_buttons/+/key/+/set\ntopic read snom_buttons/+/document/set\n"
        "user panel\ntopic read snom_buttons/#\n"
    )
    return Broker(directory, port, f"password_file {passwords}", f"acl_file {acl}")


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as a subscriber gets it."""

    topic: str
    payload: str
    retain: bool
    qos: int

    @property
    def json(self) -> Any:
        return json.loads(self.payload)


class MqttClient:
    """A paho client that subscribes to everything. Use it as a context manager."""

    def __init__(
        self,
        port: int,
        *,
        topic: str = "#",
        protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv311,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.heard: list[Heard] = []
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._subscribed = asyncio.Event()
        self._port = port
        self._login = login
        self._paho = Client(CallbackAPIVersion.VERSION2, protocol=protocol)
        if login:
            self._paho.username_pw_set(*login)
        self._paho.reconnect_delay_set(1, 1)
        self._paho.on_connect = lambda *_: self._paho.subscribe(topic, 1)
        self._paho.on_subscribe = lambda *_: self._later(self._subscribed.set)
        self._paho.on_message = lambda _, __, msg: self._later(self._hear, msg)

    def _later(self, call: Callable[..., object], *args: object) -> None:
        with suppress(RuntimeError):  # the loop may be closed already
            self._loop.call_soon_threadsafe(call, *args)

    def _hear(self, msg: MQTTMessage) -> None:
        payload = msg.payload.decode(errors="replace")
        heard = Heard(msg.topic, payload, msg.retain, msg.qos)
        self.heard.append(heard)
        self._news.set()

    async def __aenter__(self) -> Self:
        self._paho.connect(LOCALHOST, self._port)
        self._paho.loop_start()
        async with asyncio.timeout(PATIENCE):
            await self._subscribed.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._paho.disconnect()
        await asyncio.to_thread(self._paho.loop_stop)

    async def reads_all(self) -> None:
        """Wait until it has read what a broker has sent that sends nothing more."""
        sock = self._paho.socket()
        assert sock is not None
        unread = array("i", [0])
        async with asyncio.timeout(PATIENCE):
            while ioctl(sock, FIONREAD, unread) or unread[0]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def another(self) -> MqttClient:
        """Return a second client, which first gets what the broker has retained."""
        return MqttClient(self._port, login=self._login)

    async def kept(self, below: str = "snom_buttons/") -> dict[str, str]:
        """Return what the broker retains, by topic."""
        async with self.another() as late:
            late.publish("everything/kept", "was before this")
            await late.first("everything/kept")
            return {
                heard.topic: heard.payload
                for heard in late.heard
                if heard.retain and heard.topic.startswith(below)
            }

    async def first(self, topic: str) -> Heard:
        """Return the first message on a topic; wait for it."""
        await self.until(lambda: bool(self.on(topic)))
        return self.on(topic)[0]

    def publish(self, topic: str, payload: Any, *, retain: bool = False) -> None:
        """Publish text or bytes unchanged, and all else as JSON."""
        if not isinstance(payload, str | bytes):
            payload = json.dumps(payload)
        self._paho.publish(topic, payload, 1, retain)

    def on(self, topic: str) -> list[Heard]:
        """Return the messages that arrived on a topic."""
        return [heard for heard in self.heard if heard.topic == topic]

    async def until(
        self, wanted: Callable[[], bool], patience: float = PATIENCE
    ) -> None:
        """Wait until a condition holds; it is checked after each message."""
        async with asyncio.timeout(patience):
            while not wanted():
                self._news.clear()
                await self._news.wait()

    async def hears(
        self, topic: str, payload: str | None = None, /, **fields: Any
    ) -> Heard:
        """Wait until the newest message on a topic is a text, or JSON with these fields."""

        def fits() -> bool:
            heard = self.on(topic)
            if not heard:
                return False
            if payload is not None:
                return heard[-1].payload == payload
            said = heard[-1].json
            return all(said[name] == value for name, value in fields.items())

        try:
            await self.until(fits)
        except TimeoutError:
            raise AssertionError(
                f"{topic}: {payload or fields} was not heard, but {self.on(topic)}"
            ) from None
        return self.on(topic)[-1]
