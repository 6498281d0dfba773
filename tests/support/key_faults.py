"""What is wrong with the settings of a key, and the text that says so."""

from typing import Any

from .entries import key_data

DND = {
    "key": "4",
    "name": "DND",
    "kind": "switch",
    "toggle": True,
    "light_on": "offline",
    "number_on": "*79",
    "number_off": "*78",
}


def link(**changes: Any) -> dict[str, Any]:
    return key_data("4", kind="linked", follows="light.hall", **changes)


SWITCH_ONLY = 'only a switch has this. Use the key as "Switch", or reset the field.'
SAME_LIGHT = "Key 4 (DND), Light while on: this must differ from Light while off."
TOO_LONG = "a number has at most 64 characters."
INVALID = "a number cannot contain line breaks, tabs or other control characters."

KEY_FAULTS: list[tuple[list[dict[str, Any]], str]] = [
    *(
        (
            [{"key": "1", "kind": kind, field: value}],
            f"Key 1, {name}: {SWITCH_ONLY}",
        )
        for kind in ("light", "none")
        for field, value, name in (
            ("toggle", True, "Press switches"),
            ("light_on", "hold", "Light while on"),
            ("light_off", "hold", "Light while off"),
            ("number_on", "*79", "Number while on"),
            ("number_off", "*78", "Number while off"),
        )
    ),
    (
        [{"key": "1", "number_off": "*78", "light_on": "off"}],
        f"Key 1, Light while on: {SWITCH_ONLY}",
    ),
    ([DND | {"light_off": "offline"}], SAME_LIGHT),
    ([DND | {"light_on": "off"}], SAME_LIGHT),
    ([DND | {"number_on": "7" * 65}], f"Key 4 (DND), Number while on: {TOO_LONG}"),
    (
        [DND | {"number_off": "7" * 65}],
        f"Key 4 (DND), Number while off: {TOO_LONG}",
    ),
    ([DND | {"number_on": "7\t9"}], f"Key 4 (DND), Number while on: {INVALID}"),
    (
        [DND | {"number_off": "7\r\nk=5"}],
        f"Key 4 (DND), Number while off: {INVALID}",
    ),
    ([DND | {"number_on": "7\u202e9"}], f"Key 4 (DND), Number while on: {INVALID}"),
    (
        [DND, DND | {"key": "5", "number_on": "*80"}],
        (
            "Key 5 (DND), Number while off: key 4 has the number *78, too."
            " A call to it would press both."
        ),
    ),
    (
        [DND | {"number_on": " key7 "}, {"key": "7"}],
        (
            "Key 4 (DND), Number while on: key 7 has the number key7, too."
            " A call to it would press both."
        ),
    ),
    (
        [{"key": "7"}, DND | {"number_off": "key7"}],
        (
            "Key 4 (DND), Number while off: key 7 has the number key7, too."
            " A call to it would press both."
        ),
    ),
]
"""Keys, of which the last one brings the fault."""

LIGHTS = "off, on, hold, pickup, park, message, offline, error, seized, record"
COLORS = "local, remote, red, green, orange"
NO_LOOK = (
    "Write a light mode, such as on, or one with a colour, such as pickup red."
    f" Light modes: {LIGHTS}. Colours: {COLORS}, or one like #FF8800."
)
NO_ACTION = {"action": "light.toggle", "no_such": 1}

LINK_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"follows": ""}, "Follows: a linked key needs an entity."),
    ({"follows": "light.gone"}, "Follows: there is no entity light.gone."),
    ({"follows": "no entity"}, "Follows: there is no entity no entity."),
    ({"target": "light.gone"}, "Acts on: there is no entity light.gone."),
    (
        {"look_table": {"on": "blink"}},
        f"Looks by state: on: blink is no look. {NO_LOOK}",
    ),
    ({"look_table": {"on": None}}, f"Looks by state: on: null is no look. {NO_LOOK}"),
    ({"look_table": {"on": "on b"}}, f"Looks by state: on: on b is no look. {NO_LOOK}"),
    (
        {"look_table": "on"},
        "Looks by state: write one line for each state, such as open: pickup red",
    ),
    (
        {"look_table": {"on": "on"}, "look_template": "{{ 'on' }}"},
        "Look template: this contradicts Looks by state. Clear one of them.",
    ),
    (
        {"label": "state", "label_template": "{{ 1 }}"},
        "Label template: this contradicts Label. Clear one of them.",
    ),
    (
        {"press": "nothing", "actions": [{"action": "light.toggle"}]},
        "Actions on press: this contradicts Press. Clear one of them.",
    ),
    (
        {"target": "alarm_control_panel.home", "code": "1", "no_code": True},
        "No code: this contradicts Code. Clear one of them.",
    ),
    *(
        (
            values,
            f"{field}: this has no effect on what a press of this key does. Clear it.",
        )
        for values, field in (
            ({"target": "lock.door", "press": "nothing"}, "Acts on"),
            ({"confirm": "always", "press": "nothing"}, "Press twice"),
            ({"code": "1"}, "Code"),
            ({"no_code": True}, "No code"),
            ({"target": "lock.door", "no_code": True}, "No code"),
        )
    ),
    (
        {"look_template": "{{ 'on' "},
        (
            "Look template: TemplateSyntaxError: unexpected end of template, "
            "expected 'end of print statement'."
        ),
    ),
    (
        {"label_template": "{% if %}"},
        (
            "Label template: TemplateSyntaxError: Expected an expression, "
            "got 'end of statement block'"
        ),
    ),
    (
        {"toggle": True},
        (
            "Press switches: only a switch has this."
            ' Use the key as "Switch", or reset the field.'
        ),
    ),
]
"""Fields of the linked key 4, and the text after its number."""
