"""Home Assistant can import the blueprints, and the documentation offers each of them."""

from pathlib import Path
from urllib.parse import quote

import pytest

from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.schemas import BLUEPRINT_SCHEMA
from homeassistant.util.yaml import load_yaml_dict, parse_yaml
from tests.support.blueprints import FOLDER, load

ROOT = FOLDER.parent
PAGES = [ROOT / "README.md", ROOT / "docs" / "automations.md"]
REPOSITORY = "https://github.com/snom-buttons/snom_buttons"
IMPORT = "https://my.home-assistant.io/redirect/blueprint_import/?blueprint_url="
BADGE = "https://my.home-assistant.io/badges/blueprint_import.svg"

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
blueprints = pytest.mark.parametrize(
    "path", sorted(FOLDER.rglob("*.yaml")), ids=lambda path: path.stem
)


@blueprints
def test_a_blueprint_can_be_imported(path: Path) -> None:
    BLUEPRINT_SCHEMA(load_yaml_dict(path))
    AUTOMATION_BLUEPRINT_SCHEMA(load_yaml_dict(path))
    blueprint = load(path)
    assert blueprint.validate() is None
    assert blueprint.metadata["homeassistant"]["min_version"] == "2026.10.0"
    file = path.relative_to(ROOT)
    assert blueprint.metadata["source_url"] == f"{REPOSITORY}/blob/main/{file}"
    assert blueprint.metadata["description"]
    # Home Assistant writes its own file of what it imports.
    again = parse_yaml(blueprint.yaml())
    assert AUTOMATION_BLUEPRINT_SCHEMA(again) == blueprint.data
    # Without it Home Assistant takes `single`, and logs a warning at a second press.
    assert "mode" in blueprint.data


@blueprints
def test_an_input_is_chosen_and_explained(path: Path) -> None:
    for name, described in load(path).inputs.items():
        assert described["name"] and described["description"], name
        [kind] = described["selector"]
        assert kind in ("entity", "device") or "default" in described, name


@pages
@blueprints
def test_a_page_has_an_import_button(page: Path, path: Path) -> None:
    address = f"{REPOSITORY}/blob/main/{path.relative_to(ROOT)}"
    assert f"]({BADGE})]({IMPORT}{quote(address, safe='')})" in page.read_text()


@pages
def test_a_page_offers_nothing_else(page: Path) -> None:
    assert page.read_text().count(IMPORT) == len(list(FOLDER.rglob("*.yaml")))
