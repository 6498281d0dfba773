"""Device conditions: what is offered, what is refused, and what they say."""

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_get_device_automations,
)

from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.device_condition import (
    SCHEMAS,
    SHOWS,
    async_condition_from_config,
    async_get_condition_capabilities,
    async_validate_condition_config,
)
from homeassistant.components.device_automation import (
    DeviceAutomationType,
    InvalidDeviceAutomationConfig,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConditionError
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from tests.support.blfphone import over_both_speakers
from tests.support.entries import (
    Phones,
    add_phone,
    device_of,
    key_data,
    line_subentry,
    phone_subentry,
    reaches,
    update_phone,
)
from tests.support.rawphone import RawPhone

TRANSLATIONS = Path(__file__).parents[1] / "custom_components" / DOMAIN / "translations"


def condition(hass: HomeAssistant, type_: str, **fields: Any) -> dict[str, Any]:
    """Return a condition of phone 44, or of another device."""
    return {
        "condition": "device",
        "domain": DOMAIN,
        "device_id": device_of(hass),
        "type": type_,
    } | fields


def holds(hass: HomeAssistant, config: dict[str, Any]) -> bool | None:
    return async_condition_from_config(hass, config)(hass, None)


async def offered(hass: HomeAssistant, device_id: str) -> list[tuple[str, str | None]]:
    found = await async_get_device_automations(
        hass, DeviceAutomationType.CONDITION, device_id
    )
    ours = [it for it in found if it["domain"] == DOMAIN]
    assert all(it["device_id"] == device_id for it in ours)
    return [(it["type"], it.get("subtype")) for it in ours]


async def test_what_is_offered(hass: HomeAssistant, server: MockConfigEntry) -> None:
    """A key without use shows nothing; a line has a switch."""
    add_phone(hass, server, line_subentry())
    await hass.async_block_till_done()
    expected = [
        ("registered", None),
        ("not_registered", None),
        ("shows", "1"),
        ("shows", "2"),
        ("shows", "3 (Alarm)"),
    ]
    assert await offered(hass, device_of(hass)) == expected
    assert await offered(hass, device_of(hass, "subentry_line")) == []
    assert await offered(hass, server.runtime_data.device_id) == []
    assert await hass.config_entries.async_unload(server.entry_id)
    assert await offered(hass, device_of(hass)) == expected


async def test_the_editor_reads_a_condition_as_a_sentence(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    for language, sentences, ringing in (
        (
            "en",
            {
                "The phone is registered",
                "The phone is not registered",
                "Key 3 (Alarm) shows a light mode",
            },
            "Ringing",
        ),
        (
            "de",
            {"Taste 3 (Alarm) zeigt einen Lichtmodus"},
            "Es klingelt",
        ),
    ):
        hass.config.language = language
        texts = await async_get_translations(
            hass, language, "device_automation", [DOMAIN]
        )
        path = f"component.{DOMAIN}.device_automation"
        read = {
            texts[f"{path}.condition_type.{kind}"].format(subtype=subtype)
            for kind, subtype in await offered(hass, device_of(hass))
        }
        assert read >= sentences
        assert texts[f"{path}.extra_fields.light"]
        assert texts[f"{path}.extra_fields_descriptions.light"]
        capabilities = await async_get_condition_capabilities(
            hass, condition(hass, SHOWS)
        )
        [modes] = capabilities["extra_fields"].schema.values()
        assert modes.container["pickup"] == ringing
    assert (
        await async_get_condition_capabilities(hass, condition(hass, "registered"))
        == {}
    )


def test_every_type_has_its_sentence() -> None:
    for file in TRANSLATIONS.glob("*.json"):
        texts = json.loads(file.read_text())["device_automation"]
        assert set(texts["condition_type"]) == set(SCHEMAS)
        for name, sentence in texts["condition_type"].items():
            assert ("{subtype}" in sentence) == (name == SHOWS), name


@over_both_speakers
async def test_a_phone_is_registered_or_not(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    for kind, before in (("registered", False), ("not_registered", True)):
        assert holds(hass, condition(hass, kind)) is before
    phone = await phones()
    for kind, after in (("registered", True), ("not_registered", False)):
        assert holds(hass, condition(hass, kind)) is after
    other = device_of(hass, "subentry_45")
    assert not holds(hass, condition(hass, "registered", device_id=other))
    await phone.unregister()
    assert not holds(hass, condition(hass, "registered"))


@over_both_speakers
async def test_a_key_shows_a_light_mode(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    """YAML reads `on` and `off` as truth values."""

    def shows(light: str | bool, subtype: str = "1") -> bool | None:
        return holds(hass, condition(hass, SHOWS, subtype=subtype, light=light))

    assert shows("off") and shows(False) and not shows("on")
    for effect in ("off", "pickup"):
        await hass.services.async_call(
            "light",
            "turn_on",
            {"entity_id": "light.phone_44_key_1", "effect": effect},
            blocking=True,
        )
        assert shows("pickup") is (effect == "pickup")
        assert shows("on") is shows(True) is (effect == "off")
        assert shows("off") is False
    assert shows("off", subtype="3 (Whatever it was named)")


@over_both_speakers
async def test_an_automation_runs_under_a_condition(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phone: RawPhone,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also after a reload, of a key with another name, of a phone that was removed."""
    gone = device_of(hass)
    ran = async_capture_events(hass, "ran")
    automation = {
        "triggers": {"trigger": "event", "event_type": "go"},
        "conditions": [
            condition(hass, "registered"),
            condition(hass, SHOWS, subtype="3 (Alarm)", light="on"),
        ],
        "actions": {"event": "ran"},
    }
    assert await async_setup_component(hass, "automation", {"automation": automation})

    async def go() -> int:
        hass.bus.async_fire("go")
        await hass.async_block_till_done()
        return len(ran)

    assert await go() == 0
    await hass.services.async_call(
        "switch", "turn_on", {"entity_id": "switch.phone_44_alarm"}, blocking=True
    )
    assert await go() == 1
    keys = [key_data("3", kind="switch", name="Siren")]
    update_phone(hass, server, keys=keys)
    assert await hass.config_entries.async_reload(server.entry_id)
    await hass.async_block_till_done()
    assert await go() == 2
    assert hass.config_entries.async_remove_subentry(server, "subentry_44")
    await hass.async_block_till_done()
    assert await go() == 2
    assert f"{gone} is not one of the phones" in caplog.text
    add_phone(hass, server, phone_subentry("44", keys))
    await hass.async_block_till_done()
    assert await go() == 2
    await phone.register()
    await reaches(hass, "switch.phone_44_alarm", "off")
    await hass.services.async_call(
        "switch", "turn_on", {"entity_id": "switch.phone_44_alarm"}, blocking=True
    )
    assert await go() == 3


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (
            {"type": "shows", "subtype": "9 (Siren)", "light": "on"},
            "Phone 44 has no key 9 (Siren). It has: 1, 2, 3, 4",
        ),
        (
            {"type": "shows", "subtype": "3", "light": "dim"},
            "dim is not allowed for light. Allowed: off, on, hold, pickup",
        ),
        ({"type": "shows", "subtype": "3", "light": ""}, "light"),
        ({"type": "shows", "subtype": "3"}, "light"),
        ({"type": "shows", "light": "on"}, "subtype"),
        ({"type": "rings"}, "type"),
    ],
    ids=str,
)
async def test_an_error_names_what_is_wrong(
    hass: HomeAssistant, server: MockConfigEntry, fields: dict[str, Any], error: str
) -> None:
    config = condition(hass, "") | fields
    with pytest.raises(InvalidDeviceAutomationConfig) as raised:
        await async_validate_condition_config(hass, config)
    assert error in str(raised.value)
    # Home Assistant does not validate it while the server is not loaded.
    assert await hass.config_entries.async_unload(server.entry_id)
    with pytest.raises(InvalidDeviceAutomationConfig) as raised:
        async_condition_from_config(hass, config)
    assert error in str(raised.value)


async def test_a_device_that_is_no_phone_is_refused(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    add_phone(hass, server, line_subentry())
    await hass.async_block_till_done()
    gate = device_of(hass, "subentry_line")
    config = condition(hass, "registered", device_id=gate)
    with pytest.raises(InvalidDeviceAutomationConfig, match="Gate is not one of the"):
        await async_validate_condition_config(hass, config)


async def test_it_is_an_error_to_ask_a_phone_that_is_not_loaded(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    """It is neither registered nor not registered, and nothing is known of its keys."""
    checks = [
        async_condition_from_config(hass, condition(hass, kind, **fields))
        for kind, fields in (
            ("registered", {}),
            ("not_registered", {}),
            ("shows", {"subtype": "3", "light": "off"}),
        )
    ]
    assert await hass.config_entries.async_unload(server.entry_id)
    for check in checks:
        with pytest.raises(ConditionError, match="Phone 44 is not loaded"):
            check(hass, None)


async def test_it_is_an_error_to_ask_for_a_key_that_is_gone(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    config = condition(hass, SHOWS, subtype="3", light="on")
    check = async_condition_from_config(hass, config)
    update_phone(hass, server, keys=[key_data("1")])
    await hass.async_block_till_done()
    with pytest.raises(ConditionError, match="has no key 3"):
        check(hass, None)
