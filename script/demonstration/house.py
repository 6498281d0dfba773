"""The integration and its phones, set up by dialogues; the entities that they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from script.demonstration.home_assistant import HomeAssistant, Step
from script.demonstration.process import LOCALHOST

EXTENSIONS = ("44", "45")
"""The phones whose keys are lights, a switch and a shared line."""
KEY_NAMES = (
    "Living room",
    "Kitchen",
    "Bedroom",
    "Office hours",
    "Garage door",
    "Alarm",
    "Front door",
    "Mail",
    "Washing machine",
    "Everything off",
    "DND",
    "Shared line",
)
TOGGLE_KEY = "11"
TOGGLE = {
    "kind": "switch",
    "toggle": True,
    "light_on": "offline",
    "number_off": "*78",
    "number_on": "*79",
}
"""The LED Remote Control document's do-not-disturb."""
SHARED_KEY = "12"
SHARED_CODE = "co2"
"""The document's shared line."""


@dataclass(frozen=True)
class LinkedPhone:
    """A phone whose keys follow entities."""

    model: str
    follows: Sequence[str]
    """What is chosen for its keys, in their order."""
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What is set by hand for its keys, by key."""
    maker: str = ""
    """The maker as in its dialogue, "" for snom."""


LINKED = {
    "46": LinkedPhone(
        "D735",
        (
            "light.kitchen_lights",
            "switch.decorative_lights",
            "cover.garage_door",
            "lock.front_door",
            "alarm_control_panel.security",
            "binary_sensor.movement_backyard",
            "media_player.walkman",
            "climate.heatpump",
            "script.good_night",
            "scene.movie",
            "sensor.outside_temperature",
            "fan.living_room_fan",
        ),
        links={
            "5": {"code": "1234"},
            "12": {
                "look_template": (
                    "{% set speed = state_attr(entity_id, 'percentage') or 0 %}"
                    "{{ 'off' if speed == 0 else 'on green' if speed <= 50 else 'on red' }}"
                )
            },
        },
    ),
    "47": LinkedPhone(
        "T46",
        (
            "light.ceiling_lights",
            "switch.ac",
            "cover.garage_door",
            "lock.kitchen_door",
            "binary_sensor.basement_floor_wet",
            "script.good_night",
        ),
        maker="yealink",
    ),
}
"""The phones with linked keys, by extension."""


async def set_up(home: HomeAssistant, sip_port: int) -> dict[str, Any]:
    """Add the integration, its phones and a shared line; return what demo.json holds."""
    realm = "home-assistant"
    created = await home.flow(
        "/api/config/config_entries/flow",
        "snom_buttons",
        user={
            "host": LOCALHOST,
            "port": sip_port,
            "realm": realm,
            "advertised_host": LOCALHOST,
        },
    )
    entry_id = created["result"]["entry_id"]
    _, flow_id = created["next_flow"]
    await home.delete(f"/api/config/config_entries/subentries/flow/{flow_id}")
    phones: dict[str, Any] = {}
    for extension in EXTENSIONS:
        phones[extension] = await add_phone(
            home,
            entry_id,
            extension,
            "D785",
            key_count=len(KEY_NAMES),
            choose={},
            keys={"keys": plain_keys()},
        )
    await home.wait_for_entities(
        entity for phone in LINKED.values() for entity in phone.follows
    )
    for extension, linked in LINKED.items():
        phones[extension] = await add_phone(
            home,
            entry_id,
            extension,
            linked.model,
            maker=linked.maker,
            key_count=len(linked.follows),
            choose={"entities": linked.follows},
            keys=partial(linked_keys, linked),
        )
    await home.flow(
        "/api/config/config_entries/subentries/flow",
        [entry_id, "shared_line"],
        user={"code": SHARED_CODE, "phones": list(EXTENSIONS), "key": SHARED_KEY},
        keys={"keys": [{"phone": phone, "key": SHARED_KEY} for phone in EXTENSIONS]},
    )
    shared = await find_entities(home, entry_id, phones)
    return {
        "url": home.url,
        "token": home.token,
        "sip": {"host": LOCALHOST, "port": sip_port, "realm": realm},
        "phones": phones,
        "shared": {SHARED_CODE: shared},
    }


async def add_phone(
    home: HomeAssistant,
    entry_id: str,
    extension: str,
    model: str,
    *,
    key_count: int,
    maker: str = "",
    **steps: Step,
) -> dict[str, Any]:
    """Add a phone by its dialogue; return its part of demo.json.

    `steps` are the pages between the account and the last one.
    """
    password = f"demo-{extension}-secret"
    account = {
        "extension": extension,
        "password": password,
        "model": model,
        "key_count": key_count,
    }
    await home.flow(
        "/api/config/config_entries/subentries/flow",
        [entry_id, "phone"],
        user={"next_step_id": "other_maker" if maker else "manual"},
        other_maker={"maker": maker},
        other_account=account,
        manual=account,
        phone={},
        other_phone={},
        **steps,
    )
    return {"password": password, "keys": {}}


def plain_keys() -> list[dict[str, Any]]:
    """Return the keys of the phones that follow nothing."""
    return [
        {"key": f"{number}", "name": name, "kind": "light", "colors": True}
        | (TOGGLE if f"{number}" == TOGGLE_KEY else {})
        for number, name in enumerate(KEY_NAMES, 1)
    ]


def linked_keys(phone: LinkedPhone, form: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the keys as the form lists them, with what is set by hand."""
    (listed,) = (
        field["default"] for field in form["data_schema"] if field["name"] == "keys"
    )
    return {"keys": [key | phone.links.get(key["key"], {}) for key in listed]}


async def find_entities(
    home: HomeAssistant,
    entry_id: str,
    phones: dict[str, Any],
) -> str:
    """Add the entity IDs of the phones and their keys to `phones`.

    Returns the shared line's switch, which is also the lamp of its keys.
    """
    subentries, registry = await home.commands(
        {"type": "config_entries/subentries/list", "entry_id": entry_id},
        {"type": "config/entity_registry/list"},
    )
    by_unique_id = {entity["unique_id"]: entity["entity_id"] for entity in registry}
    (shared,) = (
        by_unique_id[f"{subentry['subentry_id']}_line"]
        for subentry in subentries
        if subentry["subentry_type"] == "shared_line"
    )
    for subentry in subentries:
        if subentry["subentry_type"] != "phone":
            continue
        part = subentry["subentry_id"]
        extension = subentry["unique_id"]
        phone = phones[extension]
        phone["dialled"] = by_unique_id[f"{part}_dialled"]
        if linked := LINKED.get(extension):
            shown = [{"follows": entity} for entity in linked.follows]
        else:
            lamps = [f"{part}_{n}_led" for n in range(1, len(KEY_NAMES) + 1)]
            shown = [{"led": by_unique_id.get(lamp, shared)} for lamp in lamps]
        for number, lamp_or_entity in enumerate(shown, 1):
            press = by_unique_id[f"{part}_{number}_press"]
            phone["keys"][f"{number}"] = lamp_or_entity | {"press": press}
    return str(shared)
