"""The integration and its phones, set up by dialogues; the entities that they become."""

from __future__ import annotations

from typing import Any

from script.demonstration.home_assistant import HomeAssistant
from script.demonstration.process import LOCALHOST

EXTENSIONS = ("44", "45")
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


async def set_up(home: HomeAssistant, sip_port: int) -> dict[str, Any]:
    """Add the integration, two phones and a shared line; return what demo.json holds."""
    realm = "home-assistant"
    created, _ = await home.flow(
        "/api/config/config_entries/flow",
        "snom_buttons",
        {
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
        _, forms = await home.flow(
            "/api/config/config_entries/subentries/flow",
            [entry_id, "phone"],
            {
                "extension": extension,
                "password": f"demo-{extension}-secret",
                "model": "D785",
                "key_count": len(KEY_NAMES),
            },
            {
                "keys": [
                    {"key": f"{number}", "name": name, "kind": "light", "colors": True}
                    | (TOGGLE if f"{number}" == TOGGLE_KEY else {})
                    for number, name in enumerate(KEY_NAMES, 1)
                ]
            },
            {},
        )
        phones[extension] = {
            "password": forms[-1]["description_placeholders"]["password"],
            "keys": {},
        }
    await home.flow(
        "/api/config/config_entries/subentries/flow",
        [entry_id, "shared_line"],
        {"code": SHARED_CODE, "phones": list(EXTENSIONS), "key": SHARED_KEY},
        {"keys": [{"phone": phone, "key": SHARED_KEY} for phone in EXTENSIONS]},
    )
    shared = await find_entities(home, entry_id, phones)
    return {
        "url": home.url,
        "token": home.token,
        "sip": {"host": LOCALHOST, "port": sip_port, "realm": realm},
        "phones": phones,
        "shared": {SHARED_CODE: shared},
    }


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
        phone = phones[subentry["unique_id"]]
        phone["dialled"] = by_unique_id[f"{part}_dialled"]
        phone["keys"] = {
            f"{number}": {
                "led": by_unique_id.get(f"{part}_{number}_led", shared),
                "press": by_unique_id[f"{part}_{number}_press"],
            }
            for number in range(1, len(KEY_NAMES) + 1)
        }
    return str(shared)
