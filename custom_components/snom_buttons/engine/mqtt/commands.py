"""What others may say on MQTT: a key's new state, or a whole document."""

from dataclasses import replace
from typing import Any, Final

import voluptuous as vol

from homeassistant.const import SERVICE_TOGGLE, STATE_OFF, STATE_ON
from homeassistant.util.color import color_RGB_to_hs
from homeassistant.util.json import json_loads

from ...hub.checks import check_shown, known_key, read_document
from ...hub.phone import SnomPhone
from ..keywords import (
    FIELDS,
    as_truth,
    effect_of,
    hs_color_of,
    read_fields,
    with_effect,
    with_hs_color,
)
from ..phones import MAX_DOCUMENT, MAX_UNCONFIGURED, Key, KeyDescription
from ..refused import Refused, quoted
from .payloads import state_of


def _up_to(greatest: int) -> vol.All[Any]:
    return vol.All(_number, vol.Range(0, greatest))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise vol.Invalid("not a number")
    return value


MAX_COMMAND: Final = 8 * 1024
"""Bytes of a command to a key: many times what all its fields can hold."""

STATES: Final = (STATE_ON.upper(), STATE_OFF.upper(), SERVICE_TOGGLE.upper())

IGNORED: Final = frozenset(
    (
        "brightness",
        "color_mode",
        "color_temp",
        "flash",
        "in_sync",
        "transition",
        "white",
    )
)
"""What a state or another Home Assistant says beyond that, and no lamp can follow."""

OWN_FIELDS: Final = ("state", "effect", "reset")
"""What a command can say beyond the fields of the action `set_key`."""

COLOR: Final = vol.Any(
    {vol.Required("h"): _up_to(360), vol.Required("s"): _up_to(100)},
    {vol.Required(channel): _up_to(255) for channel in "rgb"},
)
"""A colour as numbers."""


def set_key(phone: SnomPhone, name: str, payload: bytes) -> None:
    """Let a key show what a command says; the rest stays as it is.

    Raises Refused; then nothing has changed.
    """
    key = known_key(phone, name)
    command = _command(payload)
    if _is_echo(key, command):
        return
    description = _told(key, command)
    check_shown(phone, {name: description})
    key.show(description)


def send_document(phone: SnomPhone, payload: bytes) -> None:
    """Let keys show what a document says, also keys that are not set up.

    Raises Refused; then nothing has changed.
    """
    _check_size(payload, MAX_DOCUMENT)
    # Looked at before it is read, for that takes its time: somebody may send many.
    if payload.count(b"k=") > MAX_UNCONFIGURED + len(phone.phone.keys):
        raise Refused("too_many_keys", allowed=str(MAX_UNCONFIGURED))
    shown = read_document(payload)
    check_shown(phone, shown)
    phone.phone.show(shown.values())


def _check_size(payload: bytes, most: int) -> None:
    if len(payload) > most:
        raise Refused("command_too_long", allowed=str(most))


def _command(payload: bytes) -> dict[str, Any]:
    """Return the fields of a command, also of one that is a single word."""
    _check_size(payload, MAX_COMMAND)
    text = payload.decode(errors="replace").strip()
    if text.isascii() and text.upper() in STATES:
        return {"state": text}
    try:
        command = json_loads(payload)
    except ValueError:
        command = None
    if not isinstance(command, dict):
        raise Refused("invalid_command", value=quoted(text), allowed=", ".join(STATES))
    command = {name: said for name, said in command.items() if name not in IGNORED}
    for name in command:
        if name not in FIELDS and name not in OWN_FIELDS:
            raise Refused(
                "unknown_field",
                field=quoted(name),
                allowed=", ".join((*OWN_FIELDS, *FIELDS)),
            )
    if not command:
        raise Refused("nothing_to_set")
    return command


def _is_echo(key: Key, command: dict[str, Any]) -> bool:
    """Return whether a command says only what is published of the key.

    That may be what no command can set: a document takes other words and longer texts.
    """
    state = state_of(key, colors=True)
    return command.items() <= state.items()


def _told(key: Key, command: dict[str, Any]) -> KeyDescription:
    """Return what a key shows after a command.

    A lamp that is on already and shall be goes on shining as it does.
    """
    is_reset = as_truth("reset", command.pop("reset", False))
    description = key.setup.off if is_reset else key.look
    wanted = _wanted(key, command.pop("state", None))
    if wanted is not None and wanted != key.would_be_on(description):
        description = key.turned(description, wanted)
    effect = command.pop("effect", None)
    if effect not in (None, effect_of(description), command.get("light")):
        description = with_effect(description, effect)
    if isinstance(command.get("color"), dict):
        description = _colored(description, command.pop("color"))
    description = replace(description, **read_fields(command))
    if effect and effect not in (effect_of(description), command.get("light")):
        raise Refused(
            "other_effect", effect=quoted(effect), light=quoted(description.light)
        )
    if wanted is not None and wanted != key.would_be_on(description):
        raise Refused(
            "contradiction",
            state=STATES[0] if wanted else STATES[1],
            light=description.light,
        )
    return description


def _wanted(key: Key, state: object) -> bool | None:
    """Return whether a key shall be on, None if that is not said."""
    match state.upper() if isinstance(state, str) else state:
        case None:
            return None
        case "ON":
            return True
        case "OFF":
            return False
        case "TOGGLE":
            return not key.is_on
    raise Refused(
        "invalid_word", field="state", value=quoted(state), allowed=", ".join(STATES)
    )


def _colored(description: KeyDescription, color: dict[str, Any]) -> KeyDescription:
    """Return a lamp in a colour that is told as numbers."""
    try:
        COLOR(color)
    except vol.Invalid as err:
        raise Refused("invalid_color_numbers", value=quoted(color)) from err
    hs_color = (
        (float(color["h"]), float(color["s"]))
        if "h" in color
        else color_RGB_to_hs(color["r"], color["g"], color["b"])
    )
    if hs_color == hs_color_of(description):
        return description
    return with_hs_color(description, hs_color)
