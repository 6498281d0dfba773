"""Automations by the blueprints of this repository, and the time that they wait for."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.snom_buttons.const import DOMAIN
from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint, DomainBlueprints
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict

from .entries import in_sync

FOLDER = Path(__file__).parents[2] / "blueprints"
AUTOMATION = "automation.by_blueprint"
TURNS = 50
"""Turns of the loop in which a run gets to where it waits."""


def load(path: Path) -> Blueprint:
    """Return a blueprint, checked by Home Assistant's schemas; raise if it is invalid."""
    domain = path.relative_to(FOLDER).parts[0]
    return Blueprint(
        load_yaml_dict(path),
        path=str(path.relative_to(FOLDER / domain)),
        expected_domain=domain,
        schema=AUTOMATION_BLUEPRINT_SCHEMA,
    )


@contextmanager
def _installed(config: dict[str, Any]) -> Iterator[None]:
    """Let Home Assistant find the blueprints of this repository, and a configuration."""

    def found(self: DomainBlueprints, path: str) -> Blueprint:
        return load(FOLDER / self.domain / path)

    with (
        patch.object(DomainBlueprints, "_load_blueprint", found),
        patch("homeassistant.config.load_yaml_config_file", return_value=config),
    ):
        yield


class Automation:
    """An automation by a blueprint."""

    def __init__(self, hass: HomeAssistant, name: str, inputs: dict[str, Any]) -> None:
        self._hass = hass
        self._config = {
            "id": "by_blueprint",
            "alias": "By blueprint",
            "use_blueprint": {"path": f"snom_buttons/{name}.yaml", "input": inputs},
        }

    @property
    def running(self) -> int:
        """The number of its runs."""
        state = self._hass.states.get(AUTOMATION)
        assert state is not None
        return int(state.attributes["current"])

    async def start(self) -> None:
        config = {"automation": [self._config]}
        with _installed(config):
            assert await async_setup_component(self._hass, "automation", config)
            await turns()
        state = self._hass.states.get(AUTOMATION)
        assert state is not None and state.state == "on"

    async def reload(self, **more: Any) -> None:
        """Reload the automations; this one is a new one if `more` changes it."""
        await self._reload({"automation": [self._config | more]})

    async def stop(self) -> None:
        """Remove it, and end its runs."""
        await self._reload({"automation": []})

    async def restart(self) -> None:
        """End its runs, and begin as Home Assistant does when it starts."""
        await self.stop()
        self._hass.set_state(CoreState.not_running)
        await self._reload({"automation": [self._config]})
        await self._hass.async_start()
        await turns()

    async def _reload(self, config: dict[str, Any]) -> None:
        with _installed(config):
            await self._hass.services.async_call("automation", "reload", blocking=True)
            await turns()


async def automate(hass: HomeAssistant, name: str, **inputs: Any) -> Automation:
    """Set up an automation by a blueprint."""
    automation = Automation(hass, name, inputs)
    await automation.start()
    return automation


async def turns() -> None:
    """Let runs get to where they wait; `async_block_till_done` waits for their end."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def pass_time(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, **time: float
) -> None:
    """Move the clock on, and let what was due happen.

    Answers that are on their way would come too late, so they are awaited first.
    """
    for entry in hass.config_entries.async_entries(DOMAIN):
        for extension, phone in entry.runtime_data.phones.items():
            if phone.phone.available:
                await in_sync(entry, extension)
    freezer.tick(timedelta(**time))
    async_fire_time_changed(hass)
    await turns()
