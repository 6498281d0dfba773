"""All of deploy/ as processes of this machine: an edge, bridges, and a broker.

The edge is at 127.0.0.2, the only address that the bridges trust as an edge.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
import os
from pathlib import Path
import signal
import sys
from typing import Any, Self

import yaml

from .patience import PATIENCE
from .ports import LOCALHOST, free_port
from .programs import missing, program

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
EDGE_HOST = "127.0.0.2"
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Past Debian's wrapper, which insists on a user and a folder of its own."""
LOGIN = ("snom", "broker-secret")
SECRET = "secret-of-the-bridges"
START_PATIENCE = 180.0
"""Seconds for a node of RabbitMQ on a busy machine."""
ONE_THREAD = "+S 1:1 +SDcpu 1:1 +SDio 1 +A 1"


class Part:
    """One process, whose output goes to a file of its own."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        home: Path,
        ready: str,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Describe a process, which has started when it has printed `ready`."""
        self.name = name
        self.path = home / f"{name}.log"
        self._command = command
        self._ready = ready
        self._environment = {**os.environ, **(environment or {})}
        self._process: asyncio.subprocess.Process | None = None
        self._begin = 0
        """Where in the log the process that runs began."""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def log(self) -> str:
        """What it has printed since it was started last."""
        if not self.path.exists():
            return ""
        return self.path.read_bytes()[self._begin :].decode(errors="replace")

    async def launch(self) -> None:
        """Start it, and do not wait until it is ready."""
        self._begin = self.path.stat().st_size if self.path.exists() else 0
        with self.path.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *map(str, self._command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env=self._environment,
                start_new_session=True,
            )

    async def says(self, text: str, times: int = 1, patience: float = PATIENCE) -> None:
        """Wait until it has printed a text so many times since it was started."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self.log.count(text) < times:
                    if not self.is_running:
                        break
                    await asyncio.sleep(0.05)
        if self.log.count(text) < times:
            state = "runs, but" if self.is_running else "ended and"
            raise AssertionError(
                f"{self.name} {state} did not say {text}:\n{self.log[-4000:]}"
            )

    async def start(self) -> None:
        await self.launch()
        await self.says(self._ready, patience=START_PATIENCE)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it and to the processes that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def pause(self) -> None:
        """Stop it as a machine that hangs: its sockets stay open."""
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        self.send(signal.SIGCONT)

    async def kill(self) -> None:
        """Kill it at once, also if it is paused."""
        if self._process is not None:
            self.send(signal.SIGKILL)
            await self._process.wait()

    async def end(self, patience: float = 10.0) -> None:
        """End it in good order; kill it if that takes too long."""
        if self.is_running:
            assert self._process is not None
            self._process.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), patience)
        await self.kill()

    async def restart(self) -> None:
        await self.end()
        await self.start()


class Cluster:
    """An edge, bridges and a broker. Use it as an asynchronous context manager."""

    def __init__(
        self,
        home: Path,
        *,
        phones: Mapping[str, Any],
        lines: Mapping[str, Any] | None = None,
        bridges: int = 3,
        broker: str = "mosquitto",
        nodes: int = 3,
        edge_port: int | None = None,
        **sections: Mapping[str, Any],
    ) -> None:
        """Describe a cluster; `sections` are merged into the settings of each bridge.

        `broker` is `mosquitto`, or `rabbitmq` with so many nodes. What is not in `home`
        is on ports of 127.0.0.1 that are free now.
        """
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self.address = (EDGE_HOST, edge_port or free_port())
        """Where phones register."""
        self._others: list[Part] = []
        self.brokers: list[Part] = []
        self.broker_ports: list[int] = []
        """Of each node, in the order in which all bridges try them."""
        if broker == "rabbitmq":
            self._make_rabbitmq(nodes)
        else:
            self._make_mosquitto()
        self.settings: dict[str, dict[str, Any]] = {}
        """The settings of each bridge, by its name."""
        self.bridges: dict[str, Part] = {}
        for number in range(bridges):
            name = f"bridge-{number + 1}"
            settings: dict[str, Any] = {
                "server": {
                    "host": LOCALHOST,
                    "port": free_port(),
                    "edges": [f"{EDGE_HOST}/32"],
                    "realm": "home",
                },
                "mqtt": {
                    "host": [f"{LOCALHOST}:{port}" for port in self.broker_ports],
                    "username": LOGIN[0],
                    "password": LOGIN[1],
                    "retained": "node" if broker == "rabbitmq" else "cluster",
                },
                "secret": SECRET,
                "cluster": {"name": name},
                "http": {"host": LOCALHOST, "port": free_port()},
                "phones": dict(phones),
                "lines": dict(lines or {}),
            }
            for section, values in sections.items():
                settings[section] = {**settings.get(section, {}), **values}
            self.settings[name] = settings
            self.bridges[name] = Part(
                name,
                [sys.executable, "-m", "bridge", "--config", self.file_of(name)],
                home,
                "Listening on",
            )
        self.reached: dict[str, int] = {}
        """The ports where the edge reaches bridges, if not at their own."""
        self.edge = self._make_edge()

    def file_of(self, bridge: str) -> Path:
        """Return the settings file of a bridge."""
        return self.home / f"{bridge}.yaml"

    def configure(self, bridge: str) -> None:
        """Write the settings file of a bridge, which reads it at SIGHUP."""
        text = yaml.safe_dump(self.settings[bridge], sort_keys=False)
        self.file_of(bridge).write_text(text)

    @property
    def parts(self) -> list[Part]:
        """All processes, in the order of their start."""
        return [*self._others, *self.brokers, *self.bridges.values(), self.edge]

    async def __aenter__(self) -> Self:
        try:
            for part in self._others:
                await part.start()
            # A cluster of RabbitMQ is that of its first node; the others join it.
            await self.brokers[0].start()
            await asyncio.gather(*(part.start() for part in self.brokers[1:]))
            for name in self.bridges:
                self.configure(name)
            self._list_bridges()
            await asyncio.gather(*(part.start() for part in self.bridges.values()))
            for part in self.bridges.values():
                await part.says("Connected to the broker")
            await self.edge.start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        ours = (self.edge, *self.bridges.values())
        for part in self.parts:
            if part.is_running:
                part.resume()
        await asyncio.gather(*(part.end() for part in ours))
        await asyncio.gather(*(part.kill() for part in self.parts))

    def _list_bridges(self) -> None:
        """Write the list of the bridges for the edge."""
        ports = {
            name: settings["server"]["port"] for name, settings in self.settings.items()
        }
        listed = [
            f"1 sip:{LOCALHOST}:{port} 0 0\n"
            for port in (ports | self.reached).values()
        ]
        (self.home / "dispatcher.list").write_text("".join(listed))

    def _make_edge(self) -> Part:
        bridges = self.home / "dispatcher.list"
        values = {
            "HOST": EDGE_HOST,
            "PORT": self.address[1],
            "SECRET": '"secret-of-the-edges"',
            "BRIDGES": f'"{bridges}"',
            "WORKERS": 2,
            # All phones of a test have one address.
            "STRANGERS": 100_000,
            "KNOWN": 100_000,
        }
        defines = [
            part for it in values.items() for part in ("-A", "=".join(map(str, it)))
        ]
        return Part(
            "edge",
            [
                program("kamailio"),
                *("-DD", "-E", "-m", "512", "-M", "8", "-Y", self.home),
                *("-f", DEPLOY / "kamailio" / "kamailio.cfg"),
                *defines,
            ],
            self.home,
            "the edge is ready",
        )

    def _make_mosquitto(self) -> None:
        port = free_port()
        config = self.home / "mosquitto.conf"
        lines = (
            f"listener {port} {LOCALHOST}",
            "allow_anonymous true",
            "user root",  # started as root, it has to write here
            "persistence true",
            f"persistence_location {self.home}/",
            "max_queued_messages 100000",
            # What waits for a slow subscriber, or in the kernel for its acknowledgement, is
            # lost with a broker that is killed.
            "max_inflight_messages 0",
            "set_tcp_nodelay true",
        )
        config.write_text("\n".join(lines) + "\n")
        command = [program("mosquitto"), "-v", "-c", config]
        self.brokers.append(Part("mosquitto", command, self.home, " running"))
        self.broker_ports.append(port)

    def _make_rabbitmq(self, nodes: int) -> None:
        if not RABBITMQ.exists():
            missing("rabbitmq-server")
        names = [f"snom{number}@localhost" for number in range(1, nodes + 1)]
        directory = free_port()  # of epmd, the directory of the nodes
        erlang = {"ERL_EPMD_PORT": f"{directory}", "ERL_EPMD_ADDRESS": LOCALHOST}
        command = [program("epmd"), "-d", "-port", f"{directory}"]
        self._others.append(Part("epmd", command, self.home, "running", erlang))
        shared = (DEPLOY / "rabbitmq" / "rabbitmq.conf").read_text()
        members = "".join(
            f"cluster_formation.classic_config.nodes.{number} = {name}\n"
            for number, name in enumerate(names, 1)
        )
        for name in names:
            port = free_port()
            home = self.home / name.partition("@")[0]
            home.mkdir()
            cookie = home / ".erlang.cookie"
            cookie.write_text("snom")
            cookie.chmod(0o400)
            (home / "enabled_plugins").write_text("[rabbitmq_mqtt].\n")
            (home / "rabbitmq.conf").write_text(
                f"{shared}\n"
                f"mqtt.listeners.tcp.default = {LOCALHOST}:{port}\n"
                f"default_user = {LOGIN[0]}\ndefault_pass = {LOGIN[1]}\n"
                "cluster_formation.peer_discovery_backend = classic_config\n"
                f"{members}"
                "vm_memory_high_watermark.absolute = 256MiB\n"
                "disk_free_limit.absolute = 10MB\n"
            )
            environment = {
                **erlang,
                "HOME": f"{home}",
                "RABBITMQ_NODENAME": name,
                "RABBITMQ_DIST_PORT": f"{free_port()}",
                "RABBITMQ_MNESIA_BASE": f"{home / 'mnesia'}",
                "RABBITMQ_LOG_BASE": f"{home}",
                "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home / 'enabled_plugins'}",
                "RABBITMQ_CONFIG_FILE": f"{home / 'rabbitmq.conf'}",
                "RABBITMQ_CONF_ENV_FILE": "/dev/null",
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ONE_THREAD,
                "RUNNING_UNDER_SYSTEMD": "1",  # the process is the node, not a shell
            }
            self.brokers.append(
                Part(home.name, [RABBITMQ], self.home, "startup complete", environment)
            )
            self.broker_ports.append(port)
