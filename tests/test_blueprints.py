"""The blueprints do what they say."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint, DomainBlueprints
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict
from tests.support.rawphone import RawPhone

FOLDER = Path(__file__).parents[1] / "blueprints"


@contextmanager
def installed() -> Iterator[None]:
    """Let Home Assistant find the blueprints of this repository."""

    def load(self: DomainBlueprints, path: str) -> Blueprint:
        return Blueprint(
            load_yaml_dict(FOLDER / self.domain / path),
            path=path,
            expected_domain=self.domain,
            schema=AUTOMATION_BLUEPRINT_SCHEMA,
        )

    with patch.object(DomainBlueprints, "_load_blueprint", load):
        yield


async def automate(hass: HomeAssistant, name: str, **inputs: Any) -> None:
    """Set up an automation by a blueprint."""
    use = {"path": f"snom_buttons/{name}.yaml", "input": inputs}
    with installed():
        assert await async_setup_component(
            hass, "automation", {"automation": {"use_blueprint": use}}
        )
        await hass.async_block_till_done()
    [automation] = hass.states.async_all("automation")
    assert automation.state == "on"


@pytest.mark.parametrize("path", FOLDER.rglob("*.yaml"), ids=lambda path: path.stem)
def test_a_blueprint_can_be_imported(path: Path) -> None:
    [metadata] = [load_yaml_dict(path)["blueprint"]]
    assert metadata["source_url"].endswith(f"/{path.relative_to(FOLDER.parent)}")


async def test_a_key_press(hass: HomeAssistant, phone: RawPhone) -> None:
    calls: list[ServiceCall] = []
    hass.services.async_register("test", "press", calls.append)
    await automate(
        hass,
        "key_press",
        key="event.phone_44_key_1_press",
        actions=[{"action": "test.press"}],
    )
    await phone.press("1")
    await hass.async_block_till_done()
    assert len(calls) == 1
    # A phone that comes back is no press.
    await phone.unregister()
    await hass.async_block_till_done()
    await phone.register()
    await hass.async_block_till_done()
    assert len(calls) == 1


async def test_a_lamp_that_follows_an_entity(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    assert await async_setup_component(hass, "homeassistant", {})
    hass.states.async_set("light.kitchen", "off")
    await automate(
        hass, "lamp_follows", lamp="light.phone_44_key_1", entity="light.kitchen"
    )
    hass.states.async_set("light.kitchen", "on")
    await phone.shows("1", c="on")
    await phone.unregister()
    await hass.async_block_till_done()
    hass.states.async_set("light.kitchen", "off")
    await hass.async_block_till_done()
    await phone.register()
    await phone.shows("1", c=None)
