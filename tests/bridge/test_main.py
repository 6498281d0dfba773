"""The command `snom-bridge`, in the process of the test."""

from collections.abc import Callable, Iterator, Sequence
import gc
from importlib.metadata import PackageNotFoundError
import logging
import os
from pathlib import Path
import signal
import socket

import pytest

from bridge import __main__ as command, bridge as bridge_module
from bridge.__main__ import main
from bridge.bridge import Bridge
from bridge.settings import Settings
from tests.support.ports import LOCALHOST, free_port


class Script(logging.Handler):
    """Does something each time that a text is logged, until the texts are used up."""

    def __init__(self, *steps: tuple[str, Callable[[], object]]) -> None:
        super().__init__()
        self.steps = [*steps]

    def emit(self, record: logging.LogRecord) -> None:
        if self.steps and self.steps[0][0] in record.getMessage():
            self.steps.pop(0)[1]()


def sends(number: signal.Signals) -> Callable[[], object]:
    return lambda: os.kill(os.getpid(), number)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch, socket_enabled: None) -> None:
    """Let a bridge without a broker open its ports soon."""
    monkeypatch.setattr(bridge_module, "RESTORING", 0.01)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a settings file; there is no broker at its port."""
    path = tmp_path / "snom-bridge.yaml"
    path.write_text(settings_text("keys: 2"))
    return path


@pytest.fixture
def logged() -> Iterator[Callable[..., Script]]:
    """Return a function that carries out a script while the bridge runs."""
    added: list[logging.Handler] = []
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.INFO)

    def play(*steps: tuple[str, Callable[[], object]]) -> Script:
        script = Script(*steps)
        root.addHandler(script)
        added.append(script)
        return script

    yield play
    root.setLevel(level)
    for handler in added:
        root.removeHandler(handler)


def settings_text(phone: str, more: str = "") -> str:
    return (
        f"server: {{host: {LOCALHOST}, port: {free_port()}}}\n"
        f"mqtt: {{host: {LOCALHOST}, port: {free_port()}}}\n"
        f"phones: {{44: {{password: geheim-44, {phone}}}}}\n"
        f"http: false\n{more}"
    )


def run(path: Path) -> int:
    try:
        return main(["--config", str(path)])
    finally:
        assert gc.isenabled()


def test_check_prints_all_faults(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--config", str(path)]) == 0
    in_order = f"snom-bridge: {path} is in order: 1 phone, 0 shared lines\n"
    assert capsys.readouterr().err == in_order
    path.write_text(settings_text("model: D120, keys: 3"))
    assert main(["check", "--config", str(path)]) == 0
    note = "line 3: phones.44.keys: a D120 has 2 keys without an expansion module"
    assert capsys.readouterr().err == f"snom-bridge: {path}: note: {note}\n{in_order}"
    path.write_text(settings_text("keys: {1: {kind: a}, 2: {kind: b}}"))
    assert main(["check", "--config", str(path)]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"snom-bridge: {path}: line 3: phones.44.keys.1.kind: a ")
    assert second.startswith(f"snom-bridge: {path}: line 3: phones.44.keys.2.kind: b ")
    path.write_text("phones: []")
    assert main(["check", "--config", str(path)]) == 1
    assert "line 1: phones: " in capsys.readouterr().err


@pytest.mark.parametrize("installed", ["1.2.3", None])
def test_names_its_version(
    installed: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def version(name: str) -> str:
        assert name == "snom-buttons"
        if installed is None:
            raise PackageNotFoundError(name)
        return installed

    monkeypatch.setattr(command.metadata, "version", version)
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    said = f"snom-bridge {installed or 'of a checkout'}\n"
    assert capsys.readouterr().out == said


def test_runs_until_a_signal_and_reads_its_settings_again(
    path: Path, logged: Callable[..., Script], caplog: pytest.LogCaptureFixture
) -> None:
    good = path.read_text()

    def reloads(text: str) -> Callable[[], object]:
        def reload() -> None:
            path.write_text(text)
            os.kill(os.getpid(), signal.SIGHUP)

        return reload

    wrong = good.replace("keys: 2", "keys: many")
    changed = good.replace("keys: 2", "keys: 3") + "log: {level: debug}\n"
    script = logged(
        ("Listening on UDP", reloads("phones: [")),
        ("The settings are as they were", reloads(wrong)),
        ("The settings are applied", reloads(changed)),
        ("The settings are applied", sends(signal.SIGTERM)),
        ("Ended", lambda: None),
    )
    assert run(path) == 0
    assert not script.steps
    assert "line 3: phones.44.keys: many is not a whole number" in caplog.text
    assert "Changes that need a restart: log" in caplog.text


def test_reads_its_settings_again_after_that_has_failed(
    path: Path, logged: Callable[..., Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    reload = Bridge.reload

    async def fails_once(bridge: Bridge, settings: Settings) -> Sequence[str]:
        monkeypatch.setattr(Bridge, "reload", reload)
        raise ZeroDivisionError

    monkeypatch.setattr(Bridge, "reload", fails_once)
    script = logged(
        ("Listening on UDP", sends(signal.SIGHUP)),
        ("The settings are not applied", sends(signal.SIGHUP)),
        ("The settings are applied", sends(signal.SIGTERM)),
        ("Ended", lambda: None),
    )
    assert run(path) == 0
    assert not script.steps


def test_a_signal_ends_it_before_it_has_started(
    path: Path, logged: Callable[..., Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge_module, "RESTORING", 3600)
    script = logged(("No connection to the broker", sends(signal.SIGTERM)))
    assert run(path) == 0
    assert not script.steps


def test_names_the_port_that_is_taken(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = int(path.read_text().partition("port: ")[2].partition("}")[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((LOCALHOST, port))
        assert run(path) == 1
    said = capsys.readouterr().err
    assert f"cannot listen on {LOCALHOST}, UDP port {port}: Address already" in said


def test_names_the_package_that_is_missing(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacks(name: str) -> Callable[..., int]:
        def fail(*_: object) -> int:
            raise ModuleNotFoundError(name=name)

        return fail

    monkeypatch.setattr(command, "_main", lacks("paho.mqtt"))
    assert run(path) == 1
    said = "snom-bridge: needs paho.mqtt: pip install 'snom-buttons[bridge]'\n"
    assert capsys.readouterr().err == said
    monkeypatch.setattr(command, "_main", lacks("snom_buttons"))
    with pytest.raises(ModuleNotFoundError):
        run(path)
