"""The dialogue about MQTT."""

from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components import snom_buttons
from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.engine.mqtt import MqttSetup
from custom_components.snom_buttons.flows.mqtt import MQTT_SCHEMA
from custom_components.snom_buttons.hub.markdown import escape_markdown
from custom_components.snom_buttons.hub.settings import mqtt_settings
from homeassistant.config_entries import (
    SOURCE_IGNORE,
    ConfigEntryDisabler,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.util.json import load_json_object
from tests.support.flows import TEXTS, checked, suggested

OPTION_TEXTS = TEXTS["options"]
LANGUAGES = [
    load_json_object(
        Path(snom_buttons.__file__).parent / "translations" / f"{name}.json"
    )
    for name in ("en", "de")
]
AT_FIRST = {
    "mqtt": False,
    "base_topic": "snom_buttons",
    "commands": True,
    "discovery": False,
}


def add_entry(hass: HomeAssistant, domain: str, **values: Any) -> MockConfigEntry:
    entry = MockConfigEntry(domain=domain, **values)
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def broker(hass: HomeAssistant) -> MockConfigEntry:
    """Return the entry of Home Assistant's MQTT integration."""
    return add_entry(hass, "mqtt")


async def start(hass: HomeAssistant, entry: MockConfigEntry) -> ConfigFlowResult:
    result = await hass.config_entries.options.async_init(entry.entry_id)
    return checked(result, OPTION_TEXTS)


async def submit(
    hass: HomeAssistant, result: ConfigFlowResult, **changes: Any
) -> ConfigFlowResult:
    """Submit a form with its suggested values, except for the changes."""
    return checked(
        await hass.config_entries.options.async_configure(
            result["flow_id"], suggested(result) | changes
        ),
        OPTION_TEXTS,
    )


async def switch_on(
    hass: HomeAssistant, entry: MockConfigEntry, **changes: Any
) -> ConfigFlowResult:
    return await submit(hass, await start(hass, entry), mqtt=True, **changes)


def errors(result: ConfigFlowResult) -> dict[str, str]:
    """Return the errors of a form as the user reads them."""
    assert result["type"] is FlowResultType.FORM
    placeholders = result["description_placeholders"] or {}
    return {
        field: OPTION_TEXTS["error"][error].format(**placeholders)
        for field, error in (result["errors"] or {}).items()
    }


def test_the_defaults_are_those_of_the_settings() -> None:
    assert MQTT_SCHEMA({}) == AT_FIRST
    assert mqtt_settings({"mqtt": True}) == mqtt_settings(MQTT_SCHEMA({"mqtt": True}))


def test_every_field_has_its_texts() -> None:
    step = OPTION_TEXTS["step"]["init"]
    assert set(step["data"]) == set(step["data_description"]) == set(AT_FIRST)


@pytest.mark.usefixtures("broker")
async def test_switch_it_on(hass: HomeAssistant, config_entry: MockConfigEntry) -> None:
    result = await start(hass, config_entry)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "init"
    assert not result["errors"]
    assert suggested(result) == AT_FIRST

    result = await submit(
        hass, result, mqtt=True, base_topic=" house/phones ", discovery=True
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    stored = AT_FIRST | {"mqtt": True, "base_topic": "house/phones", "discovery": True}
    assert config_entry.options == stored
    assert mqtt_settings(config_entry.options) == MqttSetup(
        base="house/phones", commands=True, discovery=True
    )
    assert suggested(await start(hass, config_entry)) == stored


@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize(
    "base_topic", ["snom_buttons", "a", "Büro/Telefone 1", "a$/$", "x" * 128]
)
async def test_base_topic(
    hass: HomeAssistant, config_entry: MockConfigEntry, base_topic: str
) -> None:
    await switch_on(hass, config_entry, base_topic=base_topic)
    assert config_entry.options["base_topic"] == base_topic


@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize("mqtt", [True, False])
@pytest.mark.parametrize(
    "base_topic",
    [
        *("", " ", "/", "/a", "a/", "a//b", "+", "a/+/b", "a+", "#", "a/#"),
        *("$SYS", "$a/b", "a\tb", "a\0b", "a\N{ZERO WIDTH SPACE}b", "x" * 129),
        *("a\ud800b", "a\ufffeb"),
    ],
)
async def test_not_a_base_topic(
    hass: HomeAssistant, config_entry: MockConfigEntry, base_topic: str, mqtt: bool
) -> None:
    result = await start(hass, config_entry)
    typed = {
        "mqtt": mqtt,
        "base_topic": base_topic,
        "commands": False,
        "discovery": True,
    }
    result = await submit(hass, result, **typed)
    assert result["errors"] == {"base_topic": "invalid_base_topic"}
    assert suggested(result) == typed
    assert not config_entry.options

    result = await submit(hass, result, base_topic="phones")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert config_entry.options == typed | {"base_topic": "phones"}


@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize("base_topic", ["house", "house/phones", "house/phones/2"])
@pytest.mark.parametrize("disabled_by", [None, ConfigEntryDisabler.USER])
async def test_the_base_topic_of_another_server(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    base_topic: str,
    disabled_by: ConfigEntryDisabler | None,
) -> None:
    add_entry(
        hass,
        DOMAIN,
        title="\u202eUp\nstairs",  # which Home Assistant's own dialogue accepts
        options={"mqtt": True, "base_topic": "house/phones"},
        disabled_by=disabled_by,
    )
    result = await switch_on(hass, config_entry, base_topic=base_topic)
    assert errors(result) == {
        "base_topic": (
            "Upstairs has the base topic house/phones. "
            "This one must not be the same, nor above or below it."
        )
    }
    assert suggested(result)["base_topic"] == base_topic

    result = await submit(hass, result, base_topic="house/phones2")
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("broker")
async def test_another_server_with_the_usual_base_topic(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    add_entry(hass, DOMAIN, options={"mqtt": True})
    result = await switch_on(hass, config_entry)
    assert result["errors"] == {"base_topic": "base_topic_taken"}


@pytest.mark.usefixtures("broker")
async def test_the_base_topic_of_a_server_without_mqtt(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    add_entry(hass, DOMAIN, options=AT_FIRST)
    result = await switch_on(hass, config_entry)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("broker")
async def test_the_topics_that_another_server_has_left(
    hass: HomeAssistant, config_entry: MockConfigEntry, server: MockConfigEntry
) -> None:
    upstairs = add_entry(hass, DOMAIN, title="Upstairs", options=AT_FIRST)
    options = AT_FIRST | {"mqtt": True, "base_topic": "house/old"}
    hass.config_entries.async_update_entry(server, options=options)
    await hass.async_block_till_done()
    # They cannot be cleared, because there is no connection.
    hass.config_entries.async_update_entry(server, options=AT_FIRST)
    await hass.async_block_till_done()
    for base_topic in ("house", "house/old", "house/old/44"):
        result = await switch_on(hass, upstairs, base_topic=base_topic)
        assert errors(result) == {
            "base_topic": (
                f"{server.title} has yet to clear house/old/44/availability from the"
                " broker. Use another base topic, or try again when the broker can be"
                " reached."
            )
        }
    # A server that is not loaded will not clear topics of another when it is back.
    assert await hass.config_entries.async_unload(server.entry_id)
    result = await submit(hass, result, base_topic="house/old")
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("broker")
async def test_its_own_base_topic_is_not_taken(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    for base_topic in ("phones", "phones", "phones/1"):
        result = await switch_on(hass, config_entry, base_topic=base_topic)
        assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("options", "prefix", "base_topic"),
    [
        ({}, "homeassistant", "homeassistant"),
        ({}, "homeassistant", "homeassistant/phones"),
        ({"discovery_prefix": "ha/found"}, "ha/found", "ha"),
    ],
)
async def test_the_prefix_of_discovery(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    options: dict[str, str],
    prefix: str,
    base_topic: str,
) -> None:
    add_entry(hass, "mqtt", options=options)
    result = await switch_on(hass, config_entry, base_topic=base_topic)
    assert errors(result) == {
        "base_topic": (
            f"Home Assistant uses {prefix} for discovery. "
            "The base topic must not be the same, nor above or below it."
        )
    }
    assert suggested(result)["base_topic"] == base_topic

    result = await submit(hass, result, base_topic=f"{prefix}2")
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("broker")
async def test_switching_off_does_not_mind_other_topics(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    add_entry(hass, DOMAIN, options={"mqtt": True, "base_topic": "homeassistant"})
    options = AT_FIRST | {"mqtt": True, "base_topic": "homeassistant"}
    hass.config_entries.async_update_entry(config_entry, options=options)
    await submit(hass, await start(hass, config_entry), mqtt=False)
    assert config_entry.options == options | {"mqtt": False}


@pytest.mark.parametrize(
    ("entry", "link"),
    [
        (None, "dashboard/add?domain=mqtt"),
        ({"source": SOURCE_IGNORE}, "dashboard/add?domain=mqtt"),
        ({"disabled_by": ConfigEntryDisabler.USER}, "integration/mqtt"),
    ],
)
async def test_no_mqtt(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    entry: dict[str, Any] | None,
    link: str,
) -> None:
    if entry is not None:
        add_entry(hass, "mqtt", **entry)
    result = await start(hass, config_entry)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "mqtt_missing"
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    for texts in LANGUAGES:
        read = texts["options"]["abort"]["mqtt_missing"].format(**placeholders)
        assert f"](/config/integrations/{link})" in read
        assert "MQTT" in read


async def test_the_repair_has_the_link_too(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(server, options={"mqtt": True})
    await hass.async_block_till_done()
    ((_, issue_id),) = ir.async_get(hass).issues
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders is not None
    for texts in LANGUAGES:
        text = texts["issues"][issue.translation_key]["description"]
        read = text.format(**issue.translation_placeholders)
        assert "](/config/integrations/dashboard/add?domain=mqtt)" in read
        assert escape_markdown(server.title) in read


async def test_mqtt_goes_away_while_the_form_is_open(
    hass: HomeAssistant, config_entry: MockConfigEntry, broker: MockConfigEntry
) -> None:
    result = await start(hass, config_entry)
    await hass.config_entries.async_remove(broker.entry_id)
    result = await submit(hass, result, mqtt=True, base_topic="a/", discovery=True)
    assert result["errors"] == {
        "base": "mqtt_missing",
        "base_topic": "invalid_base_topic",
    }
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    for texts in LANGUAGES:
        # An error cannot contain a link; it refers to the one in the text above it.
        read = texts["options"]["step"]["init"]["description"].format(**placeholders)
        assert "](/config/integrations/dashboard/add?domain=mqtt)" in read
    result = await submit(hass, result, base_topic="phones")
    assert result["errors"] == {"base": "mqtt_missing"}
    typed = AT_FIRST | {"mqtt": True, "base_topic": "phones", "discovery": True}
    assert suggested(result) == typed

    add_entry(hass, "mqtt")
    await submit(hass, result)
    assert config_entry.options == typed


async def test_without_mqtt_the_option_can_be_switched_off(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(config_entry, options={"mqtt": True})
    result = await start(hass, config_entry)
    assert suggested(result) == AT_FIRST | {"mqtt": True}
    result = await submit(hass, result)
    assert result["errors"] == {"base": "mqtt_missing"}
    await submit(hass, result, mqtt=False)
    assert config_entry.options == AT_FIRST


def test_the_dialogues_load_without_the_mqtt_integration() -> None:
    """It is imported only when MQTT is used."""
    program = (
        "import sys\n"
        "import custom_components.snom_buttons.config_flow\n"
        "name = 'homeassistant.components.mqtt'\n"
        "print([m for m in sys.modules if m == name or m.startswith(f'{name}.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(snom_buttons.__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    assert done.stdout.strip() == "[]"
