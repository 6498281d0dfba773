"""Dial rules: the script or scene that a dialled number turns on."""

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.support.blfphone import over_both_speakers
from tests.support.entries import update_phone
from tests.support.rawphone import RawPhone

RULES = {"dial_rules": [{"number": "77", "run": "script.doorbell"}]}


@over_both_speakers
async def test_a_rule_runs_its_script_for_its_phone_only(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    script = {"script": {"doorbell": {"sequence": {"event": "doorbell"}}}}
    assert await async_setup_component(hass, "script", script)
    rings = async_capture_events(hass, "doorbell")
    update_phone(hass, server, "45", dialling=RULES)
    await hass.async_block_till_done()
    await phone.invite("77")
    await hass.async_block_till_done()
    assert not rings
    update_phone(hass, server, "44", dialling=RULES)
    await hass.async_block_till_done()
    await phone.invite("77")
    await hass.async_block_till_done()
    assert len(rings) == 1


@over_both_speakers
async def test_a_script_that_cannot_run_is_logged(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phone: RawPhone,
    caplog: pytest.LogCaptureFixture,
) -> None:
    update_phone(hass, server, dialling=RULES)
    await hass.async_block_till_done()
    await phone.invite("77")
    await hass.async_block_till_done()
    assert "script.doorbell, which a dial rule turns on, failed" in caplog.text


@over_both_speakers
async def test_a_scene_that_cannot_be_set_is_logged(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phone: RawPhone,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A scene asks for what the action of its light refuses."""
    lamp = {"state": "on", "effect": ["hold"]}
    scene = {"name": "Doorbell", "entities": {"light.phone_44_key_1": lamp}}
    assert await async_setup_component(hass, "scene", {"scene": scene})
    rules = [{"number": "77", "run": "scene.doorbell"}]
    update_phone(hass, server, dialling={"dial_rules": rules})
    await hass.async_block_till_done()
    await phone.invite("77")
    await hass.async_block_till_done()
    assert "scene.doorbell, which a dial rule turns on, failed" in caplog.text
    assert "never retrieved" not in caplog.text
