"""The settings files of docs/bridge.md, and whether it names all settings."""

from collections.abc import Iterator
from pathlib import Path
import re
from typing import Any

import pytest
import voluptuous as vol

from bridge import settings
from bridge.settings import read

PAGE = (Path(__file__).parents[2] / "docs" / "bridge.md").read_text()


@pytest.fixture(autouse=True)
def own_address(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the address of this machine be the one that leads to itself."""
    monkeypatch.setattr("bridge.settings._OTHERS", {4: "127.0.0.1"})


@pytest.mark.parametrize(
    "text", re.findall(r"```yaml settings\n(.*?)```", PAGE, re.DOTALL)
)
def test_a_settings_file_of_the_page_is_in_order(text: str, tmp_path: Path) -> None:
    path = tmp_path / "snom-bridge.yaml"
    path.write_text(text)
    found, faults = read(path)
    assert not faults
    assert "44" in found.phones


def names_in(schema: Any) -> Iterator[str]:
    """Return the settings of a schema, at all depths but those by light mode."""
    if isinstance(schema, vol.Schema):
        schema = schema.schema
    if isinstance(schema, dict):
        for name, part in schema.items():
            text = str(name)
            if text.isidentifier() and text.islower() and text not in ("on", "off"):
                yield text
            if text != "states":
                yield from names_in(part)


@pytest.mark.parametrize("schema", ["_WHOLE", "_PHONE", "_KEY", "_LINE"])
def test_all_settings_are_on_the_page(schema: str) -> None:
    names = {*names_in(getattr(settings, schema))}
    assert names
    assert not [name for name in names if f"`{name}`" not in PAGE]
