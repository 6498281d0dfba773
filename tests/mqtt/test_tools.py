"""The commands of docs/mqtt.md, run unchanged."""

import asyncio
from pathlib import Path
import re
import shlex

from tests.support.mqtt_peers import Broker, MqttClient
from tests.support.programs import program
from tests.support.rawphone import RawPhone

PAGE = (Path(__file__).parents[2] / "docs" / "mqtt.md").read_text()
SECTION = PAGE.partition("\n## Mosquitto's tools\n")[2].partition("\n## ")[0]
CLEARING = PAGE.partition("\n## Clear retained topics\n")[2].partition("\n## ")[0]
COMMANDS = "\n".join(re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL))


async def test_mosquitto_pub_and_sub(
    client: MqttClient, broker: Broker, phone: RawPhone
) -> None:
    here = re.sub(r"-h \S+ -u \S+ -P \S+", f"-h 127.0.0.1 -p {broker.port}", COMMANDS)
    for name in ("mosquitto_pub", "mosquitto_sub"):
        here = here.replace(name, shlex.quote(program(name)))
    publishing = re.sub(r"^\S*mosquitto_sub\b.*\n", "", here, flags=re.MULTILINE)
    watching = re.findall(r"^\S*mosquitto_sub\b.*$", here, flags=re.MULTILINE)
    assert len(watching) == 2
    # The first of the two watches the phone: a message of key 1, then its end.
    watcher = await asyncio.create_subprocess_shell(
        f"{watching[0]} -C 1 -R -W 20", stdout=asyncio.subprocess.PIPE
    )
    await broker.logs("snom_buttons/44/# (QoS 1)")
    shell = await asyncio.create_subprocess_shell(publishing)
    assert await shell.wait() == 0
    await phone.shows("1", c="on")
    await phone.shows("2", c="hold", l="Back at two")
    await phone.shows("3", c="park", o="orange", l="Parked")
    output, _ = await watcher.communicate()
    assert output.startswith(b"snom_buttons/44/")
    assert not client.on("snom_buttons/error")
    complaints = await asyncio.create_subprocess_shell(
        f"{watching[1]} -C 1 -W 20", stdout=asyncio.subprocess.PIPE
    )
    await broker.logs("snom_buttons/error (QoS 1)")
    client.publish("snom_buttons/44/key/1/set", "nonsense")
    output, _ = await complaints.communicate()
    assert b"nonsense is not a command" in output


async def test_what_was_left_is_cleared(broker: Broker) -> None:
    show, clear = (
        line.replace("-h 192.168.1.10 -u homeassistant -P secret", f"-p {broker.port}")
        .replace("mosquitto_sub", shlex.quote(program("mosquitto_sub")))
        .replace("mosquitto_pub", shlex.quote(program("mosquitto_pub")))
        for line in re.findall(r"```sh\n(.*)\n```", CLEARING)
    )

    async def listed(options: str) -> list[bytes]:
        """Return the topics that the page's first line lists, with other options."""
        process = await asyncio.create_subprocess_shell(
            show.replace("-W 2", options), stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        return sorted(output.splitlines())

    async with MqttClient(broker.port) as client:
        for topic in ("status", "44/key/1/state", "44/key/2/state"):
            client.publish(f"snom_buttons/{topic}", "x", retain=True)
            await client.hears(f"snom_buttons/{topic}", "x")
        assert len(await listed("-C 3")) == 3
        shell = await asyncio.create_subprocess_shell(clear)
        assert await shell.wait() == 0
        left = [b"snom_buttons/44/key/2/state x", b"snom_buttons/status x"]
        assert await listed("-C 2") == left
        removed = set()
        while await client.kept():  # on a busy machine a second can be too short
            removed.update(await listed("-W 1 --remove-retained"))
        assert removed == set(left)
