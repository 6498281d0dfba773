"""The wheel: the engine, the software phone and the bridge in an environment that has nothing else.

Nothing here uses the network: hatchling and uv are part of the locked environment.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
import os
from pathlib import Path
import pty
import select
import socket
import subprocess
import sys
from zipfile import ZipFile

import pytest

from tests.support.messages import REQUEST, request_bytes
from tests.support.patience import PATIENCE

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


@pytest.fixture(scope="module")
def programs(wheel: Path) -> Path:
    """Return the folder of programs of an environment that has the wheel alone.

    Without an index, uv fails if the wheel requires anything.
    """
    home = wheel.parent / "environment"
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
    run(*uv, "pip", "install", "--no-index", "--python", python, wheel)
    return python.parent


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
