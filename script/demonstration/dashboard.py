"""The dashboard, which shows each phone with its keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from script.demonstration.home_assistant import HomeAssistant
from script.demonstration.house import KEY_NAMES, LINKED
from script.demonstration.phone import RUN, command_of

PRESSES = """\
{{% for press in expand({entities}) | selectattr("state", "match", "2")
   | sort(attribute="state", reverse=true) %}}
{{% if loop.first %}}**Pressed**{{% endif %}}
- {{{{ press.name }}}}{{% if press.attributes.event_type == "dialled" %}} {{{{ press.attributes.number }}}}{{% endif %}} at {{{{ (press.state | as_datetime | as_local).strftime("%H:%M:%S") }}}}
{{% else %}}
{{% if is_state("{dialled}", "unavailable") %}}
This phone is not running. Start it in a second terminal:

```sh
{start}
```
{{% else %}}
Press a key of the phone to see it here.
{{% endif %}}
{{% endfor %}}
"""
"""The template of a card below the keys: the latest press of each, or how to start it."""


def key_cards(phone: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a card for the lamp of each key."""
    return [
        {
            "type": "tile",
            "entity": key["led"],
            "name": name,
            "tap_action": {"action": "toggle"},
            "icon_tap_action": {"action": "more-info"},
        }
        for key, name in zip(phone["keys"].values(), KEY_NAMES, strict=True)
    ]


def presses_card(demo: Mapping[str, Any], extension: str) -> dict[str, Any]:
    """Return the card of the latest presses of a phone."""
    phone = demo["phones"][extension]
    presses = [key["press"] for key in phone["keys"].values()]
    return {
        "type": "markdown",
        "content": PRESSES.format(
            entities=[*presses, phone["dialled"]],
            dialled=phone["dialled"],
            start=command_of(demo, extension),
        ),
    }


def linked_key_cards(phone: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return for each key a card that presses it, and beside it what it follows."""
    cards = []
    for number, key in phone["keys"].items():
        press = {
            "action": "perform-action",
            "perform_action": "snom_buttons.press_key",
            "target": {"entity_id": key["press"]},
        }
        cards += [
            {
                "type": "tile",
                "entity": key["press"],
                "name": f"Press key {number}",
                "tap_action": press,
                "icon_tap_action": press,
            },
            {"type": "tile", "entity": key["follows"]},
        ]
    return cards


async def make_dashboard(home: HomeAssistant, demo: Mapping[str, Any]) -> None:
    """Make a page with a section for each phone, the one that runs first."""
    sections = []
    for extension in sorted(demo["phones"], key=lambda it: it != RUN):
        phone, linked = demo["phones"][extension], LINKED.get(extension)
        maker = f" ({linked.maker.title()})" if linked and linked.maker else ""
        cards = [
            {"type": "heading", "heading": f"Phone {extension}{maker}"},
            *(linked_key_cards(phone) if linked else key_cards(phone)),
            presses_card(demo, extension),
        ]
        sections.append({"type": "grid", "cards": cards})
    page = {"title": "Phones", "type": "sections", "sections": sections}
    await home.commands(
        {
            "type": "lovelace/dashboards/create",
            "url_path": "demo-phones",
            "title": "Phones",
            "icon": "mdi:deskphone",
            "mode": "storage",
        },
        {
            "type": "lovelace/config/save",
            "url_path": "demo-phones",
            "config": {"views": [page]},
        },
    )
