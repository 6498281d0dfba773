"""The wheel: the engine, the software phone and the bridge in an environment that has nothing else.

Nothing here uses the network: hatchling and uv are part of the locked environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from importlib import metadata
import os
from pathlib import Path
import pty
import select
import socket
import subprocess
import sys
from zipfile import ZipFile

from packaging.requirements import Requirement
import pytest

from tests.support.bridge import PASSWORD, bridge_settings, running_bridge
from tests.support.messages import REQUEST, request_bytes
from tests.support.mqtt_peers import Broker, MqttClient
from tests.support.patience import PATIENCE
from tests.support.ports import free_port
from tests.support.rawphone import RawPhone

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "custom_components" / "snom_buttons" / "engine"
PHONE = ("--no-register", "--user", "44")


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Return what a command prints; fail with its output if it fails."""
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel that was built from this working tree."""
    directory = tmp_path_factory.mktemp("wheel")
    build = ("hatchling", "build", "--target", "wheel", "--directory", directory)
    run(sys.executable, "-m", *build)
    (built,) = directory.glob("snom_buttons-*-py3-none-any.whl")
    return built


def environment(home: Path, requirement: str | Path, *options: str | Path) -> Path:
    """Return the folder of programs of an environment that has the wheel.

    Without an index, uv fails if the wheel requires anything that `options` do not bring.
    """
    uv = (
        sys.executable,
        "-m",
        "uv",
        "--offline",
        "--no-config",
        "--no-cache",
        "--quiet",
    )
    run(*uv, "venv", "--python", sys.executable, home)
    python = home / "bin" / "python"
    install = ("pip", "install", "--no-index", "--python", python)
    run(*uv, *install, *options, requirement)
    return python.parent


@pytest.fixture(scope="module")
def programs(wheel: Path) -> Path:
    """Return the folder of programs of an environment that has the wheel alone."""
    return environment(wheel.parent / "environment", wheel)


@pytest.fixture(scope="module")
def bridge_programs(wheel: Path) -> Path:
    """Return the folder of programs of an environment that has the wheel and its extra."""
    index = wheel.parent / "index"
    index.mkdir()
    repack_all(requires_of(wheel), "bridge", index)
    return environment(
        wheel.parent / "bridge",
        f"snom-buttons[bridge] @ {wheel.as_uri()}",
        "--find-links",
        index,
    )


def requires_of(wheel: Path) -> list[str]:
    """Return what a wheel requires."""
    with ZipFile(wheel) as archive:
        [file] = [it for it in archive.namelist() if it.endswith("/METADATA")]
        lines = archive.read(file).decode().splitlines()
    name = "Requires-Dist: "
    return [line.removeprefix(name) for line in lines if line.startswith(name)]


def repack_all(requires: Iterable[str], extra: str, index: Path) -> None:
    """Make wheels of what is required, and of what that requires."""
    for requirement in map(Requirement, requires):
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": extra}):
            repack(requirement.name, index)


def repack(name: str, index: Path) -> None:
    """Make a wheel of a package of this environment, and of what it requires."""
    installed = metadata.distribution(name)
    about = installed.read_text("WHEEL") or ""
    [tag, *_] = [line[5:] for line in about.splitlines() if line.startswith("Tag: ")]
    assert installed.files is not None
    [folder] = {it.parts[0] for it in installed.files if it.name == "RECORD"}
    path = index / f"{folder.removesuffix('.dist-info')}-{tag}.whl"
    if path.exists():
        return
    with ZipFile(path, "w") as archive:
        for file in installed.files:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                archive.write(installed.locate_file(file), str(file))
    repack_all(installed.requires or (), "", index)


def test_holds_the_whole_engine_the_phone_and_the_bridge(wheel: Path) -> None:
    def modules(folder: Path, name: str) -> set[str]:
        found = {
            f"{name}/{path.relative_to(folder)}"
            for suffix in ("py", "typed")
            for path in folder.rglob(f"*.{suffix}")
        }
        assert found, folder
        return found

    with ZipFile(wheel) as archive:
        files = {name for name in archive.namelist() if ".dist-info/" not in name}
    phone = modules(ROOT / "virtual_phone", "virtual_phone")
    bridge = modules(ROOT / "bridge", "snom_bridge") | {"snom_bridge/en.json"}
    assert files == modules(ENGINE, "snom_buttons") | phone | bridge
    assert "snom_buttons/py.typed" in files


@pytest.mark.parametrize("name", ["aiomqtt", "paho-mqtt"])
def test_requires_the_version_that_is_tested(wheel: Path, name: str) -> None:
    """The bridge uses what is not public in these two."""
    [needed] = [it for it in map(Requirement, requires_of(wheel)) if it.name == name]
    major, minor, *_ = version = metadata.version(name).split(".")
    assert ".".join(version) in needed.specifier
    for other in (f"{major}.{int(minor) + 1}.0", f"{int(major) + 1}.0.0"):
        assert other not in needed.specifier


def test_imports_without_home_assistant(programs: Path, tmp_path: Path) -> None:
    packages = sorted(
        ".".join(("snom_buttons", *init.parent.relative_to(ENGINE).parts))
        for init in ENGINE.rglob("__init__.py")
    )
    assert "snom_buttons.sip.net" in packages
    code = f"""
import importlib, importlib.util
for name in {packages}:
    importlib.import_module(name)
for name in ("homeassistant", "voluptuous", "textual", "custom_components"):
    assert importlib.util.find_spec(name) is None, name
"""
    run(programs / "python", "-I", "-c", code, cwd=tmp_path)


def test_the_bridge_names_what_it_lacks(programs: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [programs / "snom-bridge", "check"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "snom-bridge: needs aiomqtt: pip install 'snom-buttons[bridge]'\n"
    )


def test_the_bridge_checks_its_settings(bridge_programs: Path, tmp_path: Path) -> None:
    settings = tmp_path / "snom-bridge.yaml"

    def check() -> tuple[int, list[str]]:
        done = subprocess.run(
            [bridge_programs / "snom-bridge", "check"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stderr.splitlines()

    settings.write_text("phones: {44: {password: geheim-44}}")
    in_order = "snom-bridge: snom-bridge.yaml is in order: 1 phone, 0 shared lines"
    assert check() == (0, [in_order])
    # The texts of voluptuous, which is not the one of Home Assistant.
    settings.write_text(
        "phones:\n  44: {colours: red}\n  45: [1]\n  46: {keys: {a b: {}}}\n"
    )
    said = "snom-bridge: snom-bridge.yaml: line"
    assert check() == (
        1,
        [
            (
                f"{said} 2: phones.44.colours: there is no such setting. There are: name,"
                " password, password_file, maker, model, keys, dialling, sending, address,"
                " room_lights"
            ),
            (
                f"{said} 3: phones.45: has to be a mapping, such as"
                " {password: choose-your-own}"
            ),
            f"{said} 4: phones.46.keys.a b: a b is not the name of a key",
        ],
    )
    settings.write_text("server: {port: 5060}\nphone: {}\n")
    assert check() == (1, [f"{said} 2: phone: there is no such setting; is it phones?"])


async def test_the_bridge_runs_without_home_assistant(
    bridge_programs: Path, tmp_path: Path, socket_enabled: None
) -> None:
    python = bridge_programs / "python"
    code = "import importlib.util as it; assert not it.find_spec('homeassistant')"
    run(python, "-I", "-c", code, cwd=tmp_path)
    command = [bridge_programs / "snom-bridge"]
    async with Broker(tmp_path, free_port()) as broker:
        settings = bridge_settings(broker.port)
        async with (
            running_bridge(tmp_path, settings, command=command, cwd=tmp_path) as bridge,
            RawPhone(bridge.address, "44", PASSWORD) as phone,
            MqttClient(broker.port) as client,
        ):
            assert (await phone.register()).status == 200
            await client.hears("snom_buttons/status", "online")
            client.publish("snom_buttons/44/key/1/set", {"effect": "hold"})
            await phone.shows("1", c="hold")
            client.publish("snom_buttons/44/key/1/set", {"effect": "none"})
            error = await client.first("snom_buttons/error")
            assert "There is no effect none." in error.json["reason"]
            assert await bridge.end() == 0


@contextmanager
def headless_phone(programs: Path, home: Path) -> Iterator[subprocess.Popen[str]]:
    """Run `snom-phone` without a terminal, outside of the working tree."""
    with subprocess.Popen(
        [programs / "snom-phone", "--headless", *PHONE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=home,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_phone_takes_a_document(
    programs: Path, tmp_path: Path, socket_enabled: None
) -> None:
    document = b"k=5\r\nc=on\r\nl=Garage\r\n"
    message = request_bytes(
        "MESSAGE",
        "Content-Type: application/x-buttons",
        f"Content-Length: {len(document)}",
        uri="sip:44@127.0.0.1",
        body=document,
    )
    with (
        headless_phone(programs, tmp_path) as process,
        closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as peer,
    ):
        assert process.stdout and process.stdin
        said, _, address = process.stdout.readline().partition(" listens on ")
        assert said == "44"
        host, _, port = address.strip().partition(":")
        peer.settimeout(PATIENCE)
        peer.sendto(message, (host, int(port)))
        answer = peer.recv(65536)
        assert answer.startswith(b"SIP/2.0 200 "), answer
        assert f"Call-ID: {REQUEST['Call-ID']}\r\n".encode() in answer
        lines = [process.stdout.readline().split(" ", 1)[1] for _ in range(2)]
        assert lines == ["document: 5\n", "key 5: on · Garage\n"]
        process.stdin.write("quit\n")
        process.stdin.flush()
        assert process.wait(PATIENCE) == 0


def test_the_full_screen_phone_names_what_it_lacks(
    programs: Path, tmp_path: Path
) -> None:
    ours, its = pty.openpty()
    with subprocess.Popen(
        [programs / "snom-phone", *PHONE],
        stdin=its,
        stdout=its,
        stderr=its,
        cwd=tmp_path,
    ) as process:
        os.close(its)
        said = b""
        with closing(os.fdopen(ours, "rb", buffering=0)) as terminal:
            while not said.endswith(b"\n"):
                assert select.select([terminal], [], [], PATIENCE)[0]
                said += terminal.read(4096)
        assert process.wait(PATIENCE) == 1
    assert said.decode().strip() == (
        "virtual_phone: the full-screen phone needs Textual:"
        " pip install 'snom-buttons[phone]'; or use --headless"
    )
