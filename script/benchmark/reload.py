"""A reload of many phones, beside that of a trivial integration with as many entities."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
import gc
import statistics
from time import perf_counter
from typing import Any

from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    MockPlatform,
    mock_config_flow,
    mock_integration,
    mock_platform,
)

from homeassistant.components.event import EventEntity
from homeassistant.components.light import ColorMode, LightEntity
from homeassistant.config_entries import ConfigEntry, ConfigFlow
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity
from script.benchmark.crowd import FIRST, Plan, crowd
from script.benchmark.home_assistant import home_assistant, set_up
from script.benchmark.house import Lag
from script.benchmark.phone import PASSWORD, keys_up_to
from script.benchmark.table import show

TRIVIAL = "trivial"
KEYS = 24
PLATFORMS = [Platform.EVENT, Platform.LIGHT]


class Trivial(Entity):
    """An entity that does nothing."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, device: int, key: int) -> None:
        """Create an entity of a device."""
        self._attr_name = f"Key {key}"
        self._attr_unique_id = f"{device} {key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(TRIVIAL, f"{device}")}, name=f"Device {device}"
        )


class TrivialLight(Trivial, LightEntity):
    """A light that does nothing."""

    _attr_color_mode = ColorMode.ONOFF
    _attr_supported_color_modes = {ColorMode.ONOFF}
    _attr_is_on = False


class TrivialEvent(Trivial, EventEntity):
    """An event that never happens."""

    _attr_event_types = ["press_end"]


def add_trivial(hass: HomeAssistant, devices: int) -> MockConfigEntry:
    """Return the entry of an integration with a light and an event for each key."""

    async def set_up_entry(hass: HomeAssistant, entry: ConfigEntry[Any]) -> bool:
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
        return True

    async def unload_entry(hass: HomeAssistant, entry: ConfigEntry[Any]) -> bool:
        return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)

    module = MockModule(
        TRIVIAL, async_setup_entry=set_up_entry, async_unload_entry=unload_entry
    )
    mock_integration(hass, module)

    def platform(kind: type[Trivial]) -> MockPlatform:
        async def set_up_platform(
            _hass: HomeAssistant, _entry: ConfigEntry[Any], add: Callable[..., None]
        ) -> None:
            add([kind(device, key) for device in range(devices) for key in range(KEYS)])

        return MockPlatform(async_setup_entry=set_up_platform)

    mock_platform(hass, f"{TRIVIAL}.config_flow", None)
    mock_platform(hass, f"{TRIVIAL}.light", platform(TrivialLight))
    mock_platform(hass, f"{TRIVIAL}.event", platform(TrivialEvent))
    entry = MockConfigEntry(domain=TRIVIAL)
    entry.add_to_hass(hass)
    return entry


async def measured(act: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Return the seconds that an action takes, and the longest pause of the loop."""
    await asyncio.sleep(0.1)
    lag = Lag()
    begun = perf_counter()
    await act()
    seconds = perf_counter() - begun
    await asyncio.sleep(0.01)
    return seconds, max(lag.stop())


async def reload_in_turn(
    hass: HomeAssistant, entries: list[ConfigEntry[Any]], rounds: int
) -> list[list[tuple[float, float]]]:
    """Return what is `measured` of the reloads of each entry, which are done in turn."""
    figures: list[list[tuple[float, float]]] = [[] for _ in entries]
    for _ in range(rounds):
        for entry, of_entry in zip(entries, figures, strict=True):

            async def reload(entry: ConfigEntry[Any] = entry) -> None:
                await hass.config_entries.async_reload(entry.entry_id)
                await hass.async_block_till_done()

            of_entry.append(await measured(reload))
    return figures


async def bench_reload(phones: int, rounds: int) -> None:
    """Print how long reloads take and block the loop, the medians of several.

    The phones are registered, so that all their lights are available. Full garbage
    collections stop the whole process, and are therefore off in half of the rounds.
    """
    rows: list[tuple[str, list[list[tuple[float, float]]]]] = []
    with mock_config_flow(TRIVIAL, ConfigFlow):
        async with home_assistant() as hass:
            extensions = [f"{FIRST + number}" for number in range(phones)]
            port, _ = await set_up(hass, *extensions, keys=keys_up_to(KEYS))
            (ours,) = hass.config_entries.async_entries("snom_buttons")
            trivial = add_trivial(hass, phones)
            assert await hass.config_entries.async_setup(trivial.entry_id)
            plan = Plan(port=port, count=phones, keys=KEYS, password=PASSWORD)
            async with crowd(plan):
                await hass.async_block_till_done()
                for what in ("", ", no garbage collection"):
                    if what:
                        gc.disable()
                    try:
                        figures = await reload_in_turn(hass, [ours, trivial], rounds)
                    finally:
                        gc.enable()
                    rows.append((what, figures))
            registry = er.async_get(hass)
            counts = [
                sum(
                    known.disabled_by is None
                    for known in er.async_entries_for_config_entry(registry, entry_id)
                )
                for entry_id in (ours.entry_id, trivial.entry_id)
            ]
    print(
        f"  reload of {phones} phones: {counts[0]:,} entities of ours,"
        f" {counts[1]:,} of a trivial integration"
    )
    for how, measurements in rows:
        for index, what in enumerate(("reload takes", "longest pause of the loop")):
            mine, floor = (
                statistics.median(it[index] for it in of_entry)
                for of_entry in measurements
            )
            show(
                f"{what}{how}",
                f"{mine * 1000:.0f} ms",
                f"{floor * 1000:.0f} ms",
                f"{mine / floor:.2f} times",
            )
