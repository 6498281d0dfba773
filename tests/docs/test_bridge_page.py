"""The settings files of docs/bridge.md, and whether it names all settings."""

from collections.abc import Iterator
from pathlib import Path
import re
import subprocess
import sys
from typing import Any

import pytest

from bridge import schema as schemas
from bridge.reading import read
from snom_buttons.provisioning import Profile, ProfileKey, settings_file
from tests.support.mqtt_peers import Broker
from tests.support.ports import free_port
from tests.support.programs import program
from tests.support.running import running

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "bridge.md").read_text()


@pytest.fixture(autouse=True)
def own_address(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the address of this machine be the one that leads to itself."""
    monkeypatch.setattr("bridge.reading._OTHERS", {4: "127.0.0.1"})


@pytest.mark.parametrize(
    "text", re.findall(r"```yaml settings\n(.*?)```", PAGE, re.DOTALL)
)
def test_a_settings_file_of_the_page_is_in_order(text: str, tmp_path: Path) -> None:
    path = tmp_path / "snom-bridge.yaml"
    path.write_text(text)
    found, faults, _ = read(path)
    assert not faults
    assert "44" in found.phones


def test_a_phone_that_is_provisioned_elsewhere_gets_what_home_assistant_would_set() -> (
    None
):
    [block] = re.findall(r"```xml phone\n(.*?)```", PAGE, re.DOTALL)
    profile = Profile(
        account="44",
        password="choose-your-own",
        name="Desk",
        registrar="192.168.1.10:5060",
        identity=2,
        whole=False,
        keys=(ProfileKey(name="1", label="Door"), ProfileKey(name="2", label="Lunch")),
    )
    assert block.strip() == settings_file(profile).decode()


def test_phones_that_the_shell_prints_are_in_order(tmp_path: Path) -> None:
    [line] = re.findall(r"```sh phones\n(.*?)```", PAGE, re.DOTALL)
    printed = subprocess.run(
        ["bash", "-c", line.replace(" 199)", " 102)")],
        capture_output=True,
        text=True,
        check=True,
    )
    path = tmp_path / "snom-bridge.yaml"
    path.write_text(f"phones:\n{printed.stdout}")
    found, faults, notes = read(path)
    assert not faults and not notes
    assert [*found.phones] == ["100", "101", "102"]


def names_in(schema: Any) -> Iterator[str]:
    """Return the settings of a schema, at all depths but those by light mode."""
    if isinstance(schema, schemas.Section):
        schema = schema.schema.schema
    if isinstance(schema, dict):
        for name, part in schema.items():
            text = str(name)
            if text.isidentifier() and text.islower() and text not in ("on", "off"):
                yield text
            if text != "states":
                yield from names_in(part)


@pytest.mark.parametrize("schema", ["WHOLE", "PHONE", "KEY", "LINE"])
def test_all_settings_are_on_the_page(schema: str) -> None:
    names = {*names_in(getattr(schemas, schema))}
    assert names
    assert not [name for name in names if f"`{name}`" not in PAGE]


SHIMS = {
    "sudo": "exit 0;",
    "pip": "exit 0;",
    "snom-bridge": f"PYTHONPATH={ROOT} exec {sys.executable} -m bridge",
    "snom-phone": f"PYTHONPATH={ROOT} exec {sys.executable} -m virtual_phone",
}
"""What is installed already, and how a checkout runs the commands of the wheel."""


async def test_ten_lines_from_nothing_to_a_lamp(tmp_path: Path) -> None:
    """They are pasted as they stand, with free ports in place of the usual ones."""
    blocks = re.findall(r"```sh ten lines\n(.*?)```", PAGE, re.DOTALL)
    lines = "".join(blocks).splitlines()
    assert len(lines) == 10
    program("mosquitto_pub")
    shims = tmp_path / "shims"
    shims.mkdir()
    for name, command in SHIMS.items():
        (shims / name).write_text(f'#!/bin/sh\n{command} "$@"\n')
        (shims / name).chmod(0o755)
    async with (
        Broker(tmp_path, free_port()) as broker,
        running("bash", home=tmp_path) as shell,
    ):
        await shell.write_line(f"PATH={shims}:$PATH")
        ports = {"5060": f"{free_port()}", "1883": f"{broker.port}"}
        for line in lines:
            if line.startswith("mosquitto_pub"):
                await shell.says("registered with")
                await shell.says("key 1: off")
            await shell.write_line(re.sub("5060|1883", lambda it: ports[it[0]], line))
        await shell.says("key 1: on")
