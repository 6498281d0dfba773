"""Runs a throw-away Home Assistant with this integration, and a phone to press.

It does what a person would: signs up, adds the integration through its own dialogues,
adds two phones, and registers one of them; only that it talks to Home Assistant's API
instead of clicking. `script/demo` calls it in the right environment.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime
import json
import os
from pathlib import Path
import shutil
import signal
import socket
import sys
from typing import Any

import aiohttp

ROOT = Path(__file__).parent.parent
LOCALHOST = "127.0.0.1"
PATIENCE = 120
"""Seconds until all has to be up."""
USER = PASSWORD = "demo"  # noqa: S105
EXTENSIONS = ("44", "45")
KEY_NAMES = (
    "Living room",
    "Kitchen",
    "Bedroom",
    "Office hours",
    "Garage door",
    "Alarm",
    "Front door",
    "Mail",
    "Washing machine",
    "Everything off",
    "DND",
    "Shared line",
)
TOGGLE_KEY = "11"
TOGGLE = {
    "kind": "switch",
    "toggle": True,
    "light_on": "offline",
    "number_off": "*78",
    "number_on": "*79",
}
"""The LED Remote Control document's do-not-disturb."""
SHARED_KEY = "12"
SHARED_CODE = "co2"
"""The document's shared line."""
RESTART_EXIT_CODE = 100
"""What Home Assistant exits with when it wants to be started again."""

CONFIGURATION = """\
# Written by script/demo.
homeassistant:
  name: Demo
frontend:
config:
history:
logbook:
automation:
script:
scene:
system_health:
logger:
  default: warning
  logs:
    custom_components.snom_buttons: debug
"""


PRESSES = """\
{{% for press in expand({entities}) | selectattr("state", "match", "2")
   | sort(attribute="state", reverse=true) %}}
{{% if loop.first %}}**Pressed**{{% endif %}}
- {{{{ press.name }}}}{{% if press.attributes.event_type == "dialled" %}} {{{{ press.attributes.number }}}}{{% endif %}} at {{{{ (press.state | as_datetime | as_local).strftime("%H:%M:%S") }}}}
{{% else %}}
Press a key of the phone to see it here.
{{% endfor %}}
"""
"""What the dashboard shows below the keys: the latest press of each."""


class DemoError(Exception):
    """Something that a person can do something about; the text says what."""


def parse_arguments() -> argparse.Namespace:
    """Return the options of `script/demo`."""
    parser = argparse.ArgumentParser(
        prog="script/demo",
        description="Runs Home Assistant with snom_buttons and a software phone.",
    )
    parser.add_argument(
        "--http-port", type=int, help="of Home Assistant (8123, or the next free one)"
    )
    parser.add_argument(
        "--sip-port", type=int, help="of the SIP server (5060, or the next free one)"
    )
    parser.add_argument(
        "--dir",
        type=Path,
        default=ROOT / ".demo",
        help="where Home Assistant lives; emptied at each start (.demo)",
    )
    parser.add_argument(
        "--no-phone", action="store_true", help="start no software phone"
    )
    parser.add_argument(
        "--mqtt",
        action="store_true",
        help="start Mosquitto too, on a free port, and put the phones on it",
    )
    return parser.parse_args()


def pick_port(wanted: int | None, first: int, kind: socket.SocketKind) -> int:
    """Return the wanted port if it is free, or the first free one without a wish."""
    for port in (wanted,) if wanted else range(first, first + 100):
        with closing(socket.socket(socket.AF_INET, kind)) as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, kind is socket.SOCK_STREAM
            )
            with suppress(OSError):
                probe.bind((LOCALHOST, port))
                return port
    name = "--sip-port" if kind is socket.SOCK_DGRAM else "--http-port"
    raise DemoError(f"port {wanted or first} is taken; choose another with {name}")


def prepare_directory(directory: Path, http_port: int) -> None:
    """Make an empty configuration directory that has this integration."""
    if directory.exists() and any(directory.iterdir()):
        if not (directory / ".snom_buttons_demo").exists():
            raise DemoError(f"{directory} is not empty and not a demo's; not touched")
        shutil.rmtree(directory)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / "custom_components").mkdir()
    (directory / ".storage").mkdir()
    (directory / ".snom_buttons_demo").touch()
    (directory / "custom_components" / "snom_buttons").symlink_to(
        ROOT / "custom_components" / "snom_buttons"
    )
    # From the configuration file Home Assistant would take HTTP settings on trial only,
    # and go back to its own after five minutes unless somebody confirms them.
    http = {
        "server_host": [LOCALHOST],
        "server_port": http_port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": False,
        "ssl_profile": "modern",
        "use_x_frame_options": True,
        "created_at": datetime.now(UTC).isoformat(),
        "error": None,
        "error_message": None,
    }
    store(
        directory,
        "http",
        2,
        2,
        {"stable": http, "pending": None, "yaml_migration_done": True},
    )
    # The later steps of onboarding set up weather and radio, which need the internet.
    store(
        directory,
        "onboarding",
        4,
        1,
        {"done": ["core_config", "analytics", "integration"]},
    )
    (directory / "configuration.yaml").write_text(CONFIGURATION)


def store(directory: Path, key: str, major: int, minor: int, data: object) -> None:
    """Write one of Home Assistant's stores, as it would itself."""
    content = {"version": major, "minor_version": minor, "key": key, "data": data}
    (directory / ".storage" / key).write_text(json.dumps(content))


async def start(
    log: Path,
    *arguments: str,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
) -> asyncio.subprocess.Process:
    """Start a process in the background; what it prints goes to a log."""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *arguments,
            cwd=cwd,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # A Ctrl-C in the terminal is for us: we end it in our own order.
            start_new_session=True,
        )


async def end(process: asyncio.subprocess.Process, patience: float) -> None:
    """End a process: first by asking, then by force."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(patience):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


class HomeAssistant:
    """The process, and its API."""

    def __init__(self, directory: Path, url: str) -> None:
        """Make it; `run` starts it."""
        self.directory = directory
        self.url = url
        self.token = ""

    async def run(self) -> None:
        """Run it until it ends, starting it again when it wants to be restarted.

        Raises DemoError when it ends by itself.
        """
        log = self.directory / "output.log"
        while True:
            process = await start(
                log,
                *(sys.executable, "-m", "homeassistant", "--skip-pip"),
                *("--config", str(self.directory)),
                cwd=self.directory,
            )
            try:
                code = await process.wait()
            finally:
                await end(process, patience=30)
            # One that was killed is started again too, as a supervisor would do.
            if code not in (RESTART_EXIT_CODE, -signal.SIGKILL):
                raise DemoError(f"Home Assistant ended with code {code}; see {log}")

    async def request(
        self, session: aiohttp.ClientSession, path: str, data: Mapping[str, Any]
    ) -> Any:
        """Post JSON to the API and return what comes back. Raises DemoError."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with session.post(self.url + path, json=data, headers=headers) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise DemoError(f"{path}: {answer.status} {text}")
            return json.loads(text)

    async def sign_up(self, session: aiohttp.ClientSession) -> None:
        """Become its first user, and end up with a lasting token."""
        client = {"client_id": f"{self.url}/"}
        while True:  # it is up once it answers
            with suppress(aiohttp.ClientConnectionError):
                async with session.get(f"{self.url}/api/onboarding") as answer:
                    if answer.status == 200:
                        break
            await asyncio.sleep(0.2)
        owner = client | {"name": "Demo", "username": USER, "password": PASSWORD}
        created = await self.request(
            session, "/api/onboarding/users", owner | {"language": "en"}
        )
        grant = {"grant_type": "authorization_code", "code": created["auth_code"]}
        form = aiohttp.FormData(client | grant)
        async with session.post(f"{self.url}/auth/token", data=form) as answer:
            self.token = (await answer.json())["access_token"]
        (self.token,) = await self.commands(
            session,
            {
                "type": "auth/long_lived_access_token",
                "client_name": "script/demo",
                "lifespan": 3650,
            },
        )

    async def commands(
        self, session: aiohttp.ClientSession, *commands: Mapping[str, Any]
    ) -> list[Any]:
        """Send commands over the websocket, and return their results."""
        results = []
        async with session.ws_connect(f"{self.url}/api/websocket") as socket_:
            await socket_.receive_json()
            await socket_.send_json({"type": "auth", "access_token": self.token})
            await socket_.receive_json()
            for number, command in enumerate(commands, 1):
                await socket_.send_json({"id": number, **command})
                result = await socket_.receive_json()
                if not result["success"]:
                    raise DemoError(f"{command['type']}: {result['error']}")
                results.append(result["result"])
        return results

    async def flow(
        self,
        session: aiohttp.ClientSession,
        path: str,
        handler: object,
        *steps: Mapping[str, Any],
    ) -> tuple[Any, list[Any]]:
        """Go through a dialogue; return its result and the forms on the way."""
        forms = []
        form = await self.request(session, path, {"handler": handler})
        for step in steps:
            forms.append(form)
            if form["type"] != "form":
                raise DemoError(f"the dialogue ended early: {form}")
            form = await self.request(session, f"{path}/{form['flow_id']}", step)
        if form["type"] != "create_entry":
            raise DemoError(f"the dialogue did not end well: {form}")
        return form, forms


def find_mosquitto() -> str:
    """Return the path of Mosquitto. Raises DemoError if it is not installed."""
    # Debian installs it where only root looks.
    found = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        raise DemoError("--mqtt needs Mosquitto (on Debian: apt-get install mosquitto)")
    return found


async def run_mosquitto(
    directory: Path, program: str, port: int, home_task: asyncio.Task[None]
) -> None:
    """Run an MQTT broker until it ends or is ended, then not before Home Assistant."""
    config = directory / "mosquitto.conf"
    config.write_text(
        f"listener {port} {LOCALHOST}\nallow_anonymous true\npersistence false\n"
    )
    log = directory / "mosquitto.log"
    process = await start(log, program, "-c", str(config), cwd=directory)
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        await asyncio.wait([home_task])  # it still says that it is offline
        raise
    finally:
        await end(process, patience=10)
    raise DemoError(f"Mosquitto ended with code {code}; see {log}")


async def set_up_mqtt(
    home: HomeAssistant, session: aiohttp.ClientSession, port: int
) -> dict[str, Any]:
    """Connect Home Assistant with the broker and put the phones on it, by dialogues.

    Returns what demo.json says of it.
    """
    await home.flow(
        session,
        "/api/config/config_entries/flow",
        "mqtt",
        {
            "broker": LOCALHOST,
            "port": port,
            "other_settings": {"set_client_cert": False, "set_ca_cert": "off"},
        },
    )
    [entries] = await home.commands(
        session, {"type": "config_entries/get", "domain": "snom_buttons"}
    )
    await home.flow(
        session,
        "/api/config/config_entries/options/flow",
        entries[0]["entry_id"],
        {
            "mqtt": True,
            "base_topic": "snom_buttons",
            "commands": True,
            "discovery": False,
        },
    )
    return {"host": LOCALHOST, "port": port, "base": "snom_buttons"}


async def set_up(
    home: HomeAssistant, session: aiohttp.ClientSession, sip_port: int
) -> dict[str, Any]:
    """Add the integration and two phones by its own dialogues; return demo.json."""
    realm = "home-assistant"
    created, _ = await home.flow(
        session,
        "/api/config/config_entries/flow",
        "snom_buttons",
        {
            "host": LOCALHOST,
            "port": sip_port,
            "realm": realm,
            "advertised_host": LOCALHOST,
        },
    )
    entry_id = created["result"]["entry_id"]
    _, flow_id = created["next_flow"]
    await session.delete(
        f"{home.url}/api/config/config_entries/subentries/flow/{flow_id}",
        headers={"Authorization": f"Bearer {home.token}"},
    )
    phones: dict[str, Any] = {}
    for extension in EXTENSIONS:
        _, forms = await home.flow(
            session,
            "/api/config/config_entries/subentries/flow",
            [entry_id, "phone"],
            {
                "extension": extension,
                "password": f"demo-{extension}-secret",
                "model": "D785",
                "key_count": len(KEY_NAMES),
            },
            {
                "keys": [
                    {"key": f"{number}", "name": name, "kind": "light", "colors": True}
                    | (TOGGLE if f"{number}" == TOGGLE_KEY else {})
                    for number, name in enumerate(KEY_NAMES, 1)
                ]
            },
            {},
        )
        phones[extension] = {
            "password": forms[-1]["description_placeholders"]["password"],
            "keys": {},
        }
    await home.flow(
        session,
        "/api/config/config_entries/subentries/flow",
        [entry_id, "shared_line"],
        {"code": SHARED_CODE, "phones": list(EXTENSIONS), "key": SHARED_KEY},
        {"keys": [{"phone": phone, "key": SHARED_KEY} for phone in EXTENSIONS]},
    )
    shared = await find_entities(home, session, entry_id, phones)
    await make_dashboard(home, session, phones)
    return {
        "url": home.url,
        "token": home.token,
        "sip": {"host": LOCALHOST, "port": sip_port, "realm": realm},
        "phones": phones,
        "shared": {SHARED_CODE: shared},
    }


async def find_entities(
    home: HomeAssistant,
    session: aiohttp.ClientSession,
    entry_id: str,
    phones: dict[str, Any],
) -> str:
    """Note which entities the phones and their keys have become.

    Returns the shared line's switch, which is what stands for its keys too.
    """
    subentries, registry = await home.commands(
        session,
        {"type": "config_entries/subentries/list", "entry_id": entry_id},
        {"type": "config/entity_registry/list"},
    )
    by_unique_id = {entity["unique_id"]: entity["entity_id"] for entity in registry}
    (shared,) = (
        by_unique_id[f"{subentry['subentry_id']}_line"]
        for subentry in subentries
        if subentry["subentry_type"] == "shared_line"
    )
    for subentry in subentries:
        if subentry["subentry_type"] != "phone":
            continue
        part = subentry["subentry_id"]
        phone = phones[subentry["unique_id"]]
        phone["dialled"] = by_unique_id[f"{part}_dialled"]
        phone["keys"] = {
            f"{number}": {
                "led": by_unique_id.get(f"{part}_{number}_led", shared),
                "press": by_unique_id[f"{part}_{number}_press"],
            }
            for number in range(1, len(KEY_NAMES) + 1)
        }
    return str(shared)


async def make_dashboard(
    home: HomeAssistant, session: aiohttp.ClientSession, phones: Mapping[str, Any]
) -> None:
    """Make a page that shows each phone as its keys stand on it."""
    sections = [
        {
            "type": "grid",
            "cards": [
                {"type": "heading", "heading": f"Phone {extension}"},
                *(
                    {
                        "type": "tile",
                        "entity": key["led"],
                        "name": name,
                        "tap_action": {"action": "toggle"},
                        "icon_tap_action": {"action": "more-info"},
                    }
                    for key, name in zip(phone["keys"].values(), KEY_NAMES, strict=True)
                ),
                {
                    "type": "markdown",
                    "content": PRESSES.format(
                        entities=[
                            *(key["press"] for key in phone["keys"].values()),
                            phone["dialled"],
                        ]
                    ),
                },
            ],
        }
        for extension, phone in phones.items()
    ]
    page = {"title": "Phones", "type": "sections", "sections": sections}
    await home.commands(
        session,
        {
            "type": "lovelace/dashboards/create",
            "url_path": "snom-phones",
            "title": "Phones",
            "icon": "mdi:deskphone",
            "mode": "storage",
        },
        {
            "type": "lovelace/config/save",
            "url_path": "snom-phones",
            "config": {"views": [page]},
        },
    )


async def run_phone(
    directory: Path, demo: Mapping[str, Any], note: str | None = None
) -> None:
    """Run the software phone as the first extension, until it ends or is ended.

    With a note it is in the terminal, below that note; without, in the background.
    """
    extension = EXTENSIONS[0]
    sip = demo["sip"]
    environment = os.environ | {
        "VIRTUAL_PHONE_PASSWORD": demo["phones"][extension]["password"]
    }
    arguments = [
        *(sys.executable, "-m", "virtual_phone"),
        *("--registrar", f"{sip['host']}:{sip['port']}"),
        *("--user", extension, "--keys", f"{len(KEY_NAMES)}"),
    ]
    if note is not None:
        process = await asyncio.create_subprocess_exec(
            *arguments, "--note", note, cwd=ROOT, env=environment
        )
    else:
        process = await start(
            directory / "phone.log",
            *(*arguments, "--headless"),
            cwd=ROOT,
            environment=environment,
        )
    try:
        code = await process.wait()
    finally:
        await end(process, patience=10)
    if code:
        raise DemoError(f"the software phone ended with code {code}")


async def wait_for_phone(
    home: HomeAssistant, session: aiohttp.ClientSession, demo: Mapping[str, Any]
) -> None:
    """Wait until the software phone has registered."""
    lamp = demo["phones"][EXTENSIONS[0]]["keys"]["1"]["led"]
    headers = {"Authorization": f"Bearer {home.token}"}
    while True:
        async with session.get(
            f"{home.url}/api/states/{lamp}", headers=headers
        ) as answer:
            if (await answer.json())["state"] != "unavailable":
                return
        await asyncio.sleep(0.2)


async def run(options: argparse.Namespace) -> None:
    """Bring everything up, say so, and keep it up until the phone or we are ended.

    Raises DemoError, alone or in a group.
    """
    http_port = pick_port(options.http_port, 8123, socket.SOCK_STREAM)
    sip_port = pick_port(options.sip_port, 5060, socket.SOCK_DGRAM)
    mosquitto = find_mosquitto() if options.mqtt else None
    mqtt_port = pick_port(None, 1883, socket.SOCK_STREAM) if mosquitto else 0
    directory: Path = options.dir.resolve()
    prepare_directory(directory, http_port)
    home = HomeAssistant(directory, f"http://{LOCALHOST}:{http_port}")
    # A phone in the terminal takes the whole screen, so it comes after all is said.
    interactive = not options.no_phone and all(
        stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)
    )
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        say("starting Home Assistant")
        lasting = home_task = group.create_task(home.run())
        mosquitto_task = mosquitto and group.create_task(
            run_mosquitto(directory, mosquitto, mqtt_port, home_task)
        )
        try:
            async with asyncio.timeout(PATIENCE):
                await home.sign_up(session)
                say("setting up the integration and two phones")
                demo = await set_up(home, session, sip_port)
                if mosquitto_task:
                    demo["mqtt"] = await set_up_mqtt(home, session, mqtt_port)
                if not (options.no_phone or interactive):
                    lasting = group.create_task(run_phone(directory, demo))
                    await wait_for_phone(home, session, demo)
        except TimeoutError:
            raise DemoError(
                f"not up within {PATIENCE} s; see {directory / 'output.log'}"
            ) from None
        path = directory / "demo.json"
        path.touch(mode=0o600)  # it has a token and passwords
        path.write_text(json.dumps(demo, indent=2) + "\n")
        where = f"{home.url}/snom-phones (user {USER}, password {PASSWORD})"
        print(
            f"Ready: {where}; token and entities are in {path}; Ctrl-C ends it",
            flush=True,
        )
        note = f"Home Assistant: {where}"
        if mosquitto_task:
            subscribe = f"mosquitto_sub -h {LOCALHOST} -p {mqtt_port}"
            mqtt = f"MQTT: {subscribe} -v -t 'snom_buttons/#'"
            print(mqtt, flush=True)
            note += f"\n{mqtt}"
        if interactive:
            lasting = group.create_task(run_phone(directory, demo, note))
        await lasting
        home_task.cancel()
        if mosquitto_task:
            mosquitto_task.cancel()


def say(what: str) -> None:
    """Tell what is being done."""
    print(f"demo: {what}", flush=True)


async def main() -> int:
    """Run until a signal comes; return the exit code."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        try:
            await run(parse_arguments())
        except* (DemoError, aiohttp.ClientError) as group:
            for error in group.exceptions:
                print(f"demo: {error}", file=sys.stderr)
            return_code = 1
        else:
            return_code = 0
    except asyncio.CancelledError:
        say("ended")
        return_code = 0
    return return_code


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
