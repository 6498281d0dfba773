"""Commands from the broker: the new look of a key, or a whole document."""

from collections.abc import Collection
from dataclasses import replace
import json
from math import isfinite
from typing import Any, Final

from ..keywords import (
    FIELDS,
    as_truth,
    effect_of,
    read_document,
    read_fields,
    read_messages,
    rgb_to_hs,
    with_effect,
    with_hs_color,
)
from ..phones import MAX_UNCONFIGURED, Key, KeyKind, Phone
from ..refused import Refused, quoted
from ..xbuttons import MAX_DOCUMENT, KeyDescription
from .payloads import OFF, ON, state_of

MAX_COMMAND: Final = 8 * 1024
"""Bytes of a command to a key: many times what all its fields can hold."""
MAX_NESTING: Final = 1024
"""Arrays and objects in a command. A value that is nested deeper exhausts the stack."""

TOGGLE: Final = "TOGGLE"
STATES: Final = (ON, OFF, TOGGLE)

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
"""Fields of a published state, or of another Home Assistant, that no lamp supports."""
OWN_FIELDS: Final = ("state", "effect", "reset")
"""The fields of a command beyond those of the action `set_key`."""
OF_MESSAGES: Final = ("state", "mwi")
"""The fields of a command to a message lamp."""
COLORS: Final = ({"h": 360, "s": 100}, {"r": 255, "g": 255, "b": 255})
"""The forms of a colour in numbers: the greatest value of each part."""


def set_key(phone: Phone, name: str, payload: bytes) -> None:
    """Apply a command to a key; what the command does not name is not changed.

    Raises Refused; then nothing has changed.
    """
    key = phone.settable_key(name)
    _check_not_linked(phone, key)
    command = _command(payload, (*OWN_FIELDS, *FIELDS))
    # A command may repeat what is published, although it cannot set all of that: a
    # document allows other words and longer texts.
    if command.items() <= state_of(key, colors=True).items():
        return
    look = _look_after(key, command)
    phone.check((look,))
    key.show(look)


def set_messages(phone: Phone, payload: bytes) -> None:
    """Apply a command to the message lamp of a phone.

    Raises Refused; then nothing has changed.
    """
    command = _command(payload, OF_MESSAGES)
    is_on = phone.waiting.new > 0
    wanted = _wanted(command.get("state"), is_on=is_on)
    waiting = phone.waiting
    if "mwi" in command:
        waiting = read_messages(command["mwi"])
    elif wanted is not None:
        waiting = phone.messages_after(on=wanted)
    if wanted is not None and wanted != (waiting.new > 0):
        raise Refused("other_messages", state=ON if wanted else OFF, mwi=str(waiting))
    phone.show_messages(waiting)


def send_document(phone: Phone, payload: bytes) -> None:
    """Set the looks in a document, even of keys that are not configured.

    Raises Refused; then nothing has changed.
    """
    _check_size(payload, MAX_DOCUMENT)
    # Cheaper than reading it, in case of a flood.
    if payload.count(b"k=") > MAX_UNCONFIGURED + len(phone.keys):
        raise Refused(
            "too_many_keys", phone=phone.setup.name, allowed=str(MAX_UNCONFIGURED)
        )
    looks = read_document(payload)
    for look in looks:
        if key := phone.keys.get(look.name):
            _check_not_linked(phone, key)
    phone.show(looks)


def _check_not_linked(phone: Phone, key: Key) -> None:
    if key.setup.kind is KeyKind.LINKED:
        raise Refused("linked_key", phone=phone.setup.name, key=key.name)


def _check_size(payload: bytes, most: int) -> None:
    if len(payload) > most:
        raise Refused("command_too_long", allowed=str(most))


def _command(payload: bytes, allowed: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of a command; a single word is the field `state`."""
    _check_size(payload, MAX_COMMAND)
    text = payload.decode(errors="replace").strip()
    if text.isascii() and text.upper() in STATES:
        return {"state": text}
    try:
        command = read_json(payload)
    except ValueError:
        command = None
    if not isinstance(command, dict):
        raise Refused("invalid_command", value=quoted(text), allowed=", ".join(STATES))
    command = {name: value for name, value in command.items() if name not in IGNORED}
    for name in command:
        if name not in allowed:
            raise Refused(
                "unknown_field", field=quoted(name), allowed=", ".join(allowed)
            )
    if not command:
        raise Refused("nothing_to_set")
    return command


def read_json(payload: bytes) -> Any:
    """Return a JSON text (RFC 8259) as Python's values.

    Stricter than the standard library: UTF-8 only, no NaN or infinity, no surrogates,
    MAX_NESTING. An integer beyond 64 bits becomes a float. Raises ValueError.
    """
    if payload.count(b"[") + payload.count(b"{") > MAX_NESTING:
        raise ValueError("nested too deeply")
    value = json.loads(
        payload.decode(),
        parse_int=_integer,
        parse_float=_finite,
        parse_constant=_finite,
    )
    if b"\\u" in payload:  # the only way to write a surrogate
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _integer(digits: str) -> int | float:
    if len(digits) > 20:
        return _finite(digits)
    number = int(digits)
    return number if -(2**63) <= number < 2**64 else float(number)


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError(f"{digits} is not a finite number")
    return number


def _look_after(key: Key, command: dict[str, Any]) -> KeyDescription:
    """Return the look of a key after a command. Raises Refused.

    A lamp that is on already keeps its light mode if the command turns it on.
    """
    is_reset = as_truth("reset", command.pop("reset", False))
    look = key.setup.off if is_reset else key.look
    wanted = _wanted(command.pop("state", None), is_on=key.is_on)
    if wanted is not None and wanted != key.would_be_on(look):
        look = key.turned(look, wanted)
    effect, light = command.pop("effect", None), command.get("light")
    if effect not in (None, effect_of(look), light):
        look = with_effect(look, effect, key.other_lights)
    if isinstance(light, str) and light in key.other_lights:
        look = replace(look, light=command.pop("light"))
    if isinstance(command.get("color"), dict):
        look = _colored(look, command.pop("color"), key.other_colors)
    look = replace(look, **read_fields(command))
    if effect and effect not in (effect_of(look), light):
        raise Refused("other_effect", effect=quoted(effect), light=quoted(look.light))
    if wanted is not None and wanted != key.would_be_on(look):
        raise Refused("contradiction", state=ON if wanted else OFF, light=look.light)
    return look


def _wanted(state: object, *, is_on: bool) -> bool | None:
    """Return whether a lamp is to be on, None if the command has no state."""
    if state is None:
        return None
    words = {ON: True, OFF: False, TOGGLE: not is_on}
    wanted = words.get(state.upper()) if isinstance(state, str) else None
    if wanted is None:
        raise Refused(
            "invalid_word", field="state", value=quoted(state), allowed=", ".join(words)
        )
    return wanted


def _colored(
    look: KeyDescription, color: dict[str, Any], foreign: Collection[str]
) -> KeyDescription:
    """Return a look in a colour that is given in numbers. Raises Refused."""
    if not any(_is_color(color, limits) for limits in COLORS):
        raise Refused("invalid_color_numbers", value=quoted(color))
    if "h" in color:
        hs_color = float(color["h"]), float(color["s"])
    else:
        hs_color = rgb_to_hs(color["r"], color["g"], color["b"])
    return with_hs_color(look, hs_color, foreign)


def _is_color(color: dict[str, Any], limits: dict[str, int]) -> bool:
    return color.keys() == limits.keys() and all(
        isinstance(color[part], int | float)
        and not isinstance(color[part], bool)
        and 0 <= color[part] <= greatest
        for part, greatest in limits.items()
    )
