"""Steps through the dialogues of servers and phones, as a user takes them."""

from collections.abc import Mapping
from pathlib import Path
import string
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components import snom_buttons
from custom_components.snom_buttons.const import DOMAIN
from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigFlowResult,
    SubentryFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from homeassistant.util.json import load_json_object

ADDRESS = "10.10.10.10"
"""The address of this machine in the network that the test plugin makes up."""

TEXTS = load_json_object(
    Path(snom_buttons.__file__).parent / "translations" / "en.json"
)


def checked[R: ConfigFlowResult | SubentryFlowResult](
    result: R, texts: dict[str, Any]
) -> R:
    """Check that a page has all its texts and all placeholders of these."""
    given = set(result.get("description_placeholders") or {})

    def check(text: str) -> None:
        named = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        assert named <= given, text

    if result["type"] is FlowResultType.FORM:
        for error in (result["errors"] or {}).values():
            check(texts["error"][error])
        step = texts["step"][result["step_id"]]
        check(step["title"])
        check(step["description"])
        for text in step.get("data_description", {}).values():
            check(text)
    elif result["type"] is FlowResultType.MENU:
        step = texts["step"][result["step_id"]]
        check(step["title"])
        check(step["description"])
        for option in result["menu_options"]:
            check(step["menu_options"][option])
            check(step["menu_option_descriptions"][option])
    elif result["type"] is FlowResultType.SHOW_PROGRESS:
        check(texts["progress"][result["progress_action"]])
    elif result["type"] is FlowResultType.ABORT and not result.get(
        "translation_domain"
    ):
        check(texts["abort"][result["reason"]])
    return result


def checked_server(result: ConfigFlowResult) -> ConfigFlowResult:
    return checked(result, TEXTS["config"])


def checked_phone(result: SubentryFlowResult) -> SubentryFlowResult:
    return checked(result, TEXTS["config_subentries"]["phone"])


def suggested(result: ConfigFlowResult | SubentryFlowResult) -> dict[str, Any]:
    """Return the suggested values of a form."""
    schema = result["data_schema"]
    assert schema is not None
    return filled_in(schema.schema)


def listed_keys(result: SubentryFlowResult) -> list[dict[str, Any]]:
    """Return the keys that a page lists, without what is as usual, as they are stored."""
    schema = result["data_schema"]
    assert schema is not None
    [usual] = [field.usual for name, field in schema.schema.items() if name == "keys"]
    return [
        {
            name: value
            for name, value in key.items()
            if name in ("kind", "colors") or value != usual.get(name)
        }
        for key in suggested(result)["keys"]
    ]


def filled_in(schema: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the suggested values of fields, those of sections included."""
    values = {}
    for marker, field in schema.items():
        if isinstance(field, section):
            values[str(marker)] = filled_in(field.schema.schema)
        elif marker.description:
            values[str(marker)] = marker.description["suggested_value"]
        elif callable(marker.default):
            values[str(marker)] = marker.default()
    return values


# The server

SECTIONS = {
    "udp": {"enabled": True},
    "tcp": {"enabled": False, "port": 5060},
    "tls": {"enabled": False, "port": 5061},
    "access": {
        "networks": [
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "::1/128",
            "fc00::/7",
            "fe80::/10",
        ],
        "edges": [],
        "keepalive": 60,
        "plug_and_play": True,
    },
}
"""The values in the form's sections, which are collapsed at first."""


async def start_server(hass: HomeAssistant) -> ConfigFlowResult:
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "user"
    assert not result["errors"]
    return checked_server(result)


async def submit_server(
    hass: HomeAssistant, result: ConfigFlowResult, **changes: Any
) -> ConfigFlowResult:
    """Submit a form with its suggested values, except for the changes."""
    return checked_server(
        await hass.config_entries.flow.async_configure(
            result["flow_id"], suggested(result) | changes
        )
    )


async def reconfigure_server(
    hass: HomeAssistant, entry: MockConfigEntry
) -> ConfigFlowResult:
    result = await entry.start_reconfigure_flow(hass)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "reconfigure"
    assert suggested(result) == SECTIONS | entry.data
    return checked_server(result)


# Phones


async def start_phone(
    hass: HomeAssistant, entry: MockConfigEntry
) -> SubentryFlowResult:
    """Choose to add a phone by hand."""
    result = await choose_way(hass, entry, "manual")
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "manual"
    return result


async def choose_way(
    hass: HomeAssistant, entry: MockConfigEntry, way: str
) -> SubentryFlowResult:
    """Choose how to add a phone, from the menu with which its dialogue begins."""
    result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "phone"), context={"source": SOURCE_USER}
    )
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "user"
    assert result["menu_options"] == ["plug_in", "found", "manual", "other_maker"]
    checked_phone(result)
    return checked_phone(
        await hass.config_entries.subentries.async_configure(
            result["flow_id"], {"next_step_id": way}
        )
    )


async def submit_phone(
    hass: HomeAssistant, result: SubentryFlowResult, **changes: Any
) -> SubentryFlowResult:
    """Submit a form with its suggested values and the changes; None removes a field."""
    values = suggested(result) | changes
    return checked_phone(
        await hass.config_entries.subentries.async_configure(
            result["flow_id"], {k: v for k, v in values.items() if v is not None}
        )
    )


async def submit_account(
    hass: HomeAssistant, result: SubentryFlowResult, **changes: Any
) -> SubentryFlowResult:
    """Submit the page of the account, and choose no entities: return the page of keys."""
    result = await submit_phone(hass, result, **changes)
    assert result["step_id"] == "choose"
    result = await submit_phone(hass, result)
    assert result["step_id"] == "keys"
    return result


async def reconfigure_phone(
    hass: HomeAssistant, entry: MockConfigEntry, step_id: str = "account"
) -> SubentryFlowResult:
    """Choose a part of phone 44 from the menu of its dialogue."""
    result = await entry.start_subentry_reconfigure_flow(hass, "subentry_44")
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "reconfigure"
    assert result["menu_options"] == [
        "account",
        "arrange",
        "dialling",
        "sending",
        "settings",
        "maker",
    ]
    checked_phone(result)
    result = await hass.config_entries.subentries.async_configure(
        result["flow_id"], {"next_step_id": step_id}
    )
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == step_id
    return checked_phone(result)
