"""The wall: the engine needs the standard library and nothing else.

One process imports each module of the engine and of the virtual phone. All modules
but these and the standard library's are blocked there, Home Assistant's included.
"""

from __future__ import annotations

from collections.abc import Iterable
import json
from pathlib import Path
import subprocess
import sys

from custom_components.snom_buttons import engine

ENGINE = Path(engine.__file__).parent
ROOT = Path(__file__).parents[2]
NEEDS_TEXTUAL = {"virtual_phone.app"}
IMPORTER = """
import importlib, json, sys

class Wall:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names | {"snom_buttons", "virtual_phone"}:
            raise ModuleNotFoundError(f"{name} is behind the wall", name=name)

names = json.loads(sys.argv[1])
before = set(sys.modules)
sys.meta_path.insert(0, Wall())
faults = {}
for name in names:
    try:
        importlib.import_module(name)
    except ImportError as error:
        faults[name] = str(error)
assert not before & {"homeassistant", "voluptuous"}, "imported before the wall stood"
print(json.dumps(faults))
"""


def modules_of(folder: Path, package: str) -> set[str]:
    """Return the names of a package and of all modules below it."""
    return {
        ".".join(
            (package, *path.relative_to(folder).with_suffix("").parts)
        ).removesuffix(".__init__")
        for path in folder.rglob("*.py")
    }


ENGINE_MODULES = modules_of(ENGINE, "snom_buttons")
PHONE_MODULES = modules_of(ROOT / "virtual_phone", "virtual_phone")


def faults_of(names: Iterable[str]) -> dict[str, str]:
    """Return, by module, the error when it is imported behind the wall."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTER, json.dumps(sorted(names))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    faults: dict[str, str] = json.loads(done.stdout)
    return faults


def test_everything_imports_with_home_assistant_blocked() -> None:
    assert {"snom_buttons", "snom_buttons.sip.net.udp"} < ENGINE_MODULES
    wanted = (ENGINE_MODULES | PHONE_MODULES) - NEEDS_TEXTUAL
    assert faults_of(wanted) == {}


def test_the_wall_blocks() -> None:
    assert faults_of({"homeassistant.core", "voluptuous"} | NEEDS_TEXTUAL) == {
        "homeassistant.core": "homeassistant is behind the wall",
        "voluptuous": "voluptuous is behind the wall",
        "virtual_phone.app": "textual is behind the wall",
    }
