"""The look of a key in words, for a person.

Values that the document does not define are shown unchanged.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from snom_buttons.xbuttons import (
    Action,
    Color,
    Direction,
    Forward,
    ForwardCondition,
    KeyDescription,
    KeyState,
    KeyType,
    LightMode,
    MessageWaiting,
    Release,
)

MAX_PRINTED = 500
"""Characters of one line that a person reads."""

_LIGHT_WORDS: Mapping[str, str] = {
    LightMode.OFF: "off",
    LightMode.ON: "on",
    LightMode.HOLD: "call on hold",
    LightMode.PICKUP: "ringing",
    LightMode.PARK: "parked call",
    LightMode.MESSAGE: "message waiting",
    LightMode.OFFLINE: "offline",
    LightMode.ERROR: "error",
    LightMode.SEIZED: "line in use",
    LightMode.RECORD: "recording",
}
_COLOR_WORDS: Mapping[str, str] = {
    Color.LOCAL: "green (local)",
    Color.REMOTE: "red (remote)",
}
"""All other colours are shown unchanged."""
_PRESS_WORDS: Mapping[str, str] = {
    Action.INVITE: "press calls",
    Action.MESSAGE: "press sends",
    Action.SEIZE: "press seizes",
    Action.RELEASE: "press releases",
}
_RELEASE_WORDS: Mapping[str, str] = {
    Release.IGNORE: "release does nothing",
    Release.HANGUP: "release hangs up",
    Release.ENGAGE: "release engages",
}
_STATE_WORDS: Mapping[str, str] = {
    KeyState.DND: "do not disturb",
    KeyState.LOGOFF: "logged off",
    KeyState.OFFLINE: "offline",
}
_TYPE_WORDS: Mapping[str, str] = {
    KeyType.EXT: "✆ extension",
    KeyType.QUEUE: "≣ queue",
    KeyType.GROUP: "⊞ group",
    KeyType.LINE: "⊶ line",
    KeyType.FLAG: "⚑ flag",
    KeyType.CONF: "⋈ conference",
    KeyType.MWI: "⊠ mailbox",
}
"""The symbols take one cell in any terminal: none is an emoji or of ambiguous width."""


class Captions(NamedTuple):
    """The words beside a lamp, each of them "" if there are none."""

    title: str
    """The label or the display name of the key."""
    about: str
    """The rest of the first line: what the key stands for."""
    facts: str
    """The second line: calls and messages first, technical properties last."""


def captions(key: KeyDescription) -> Captions:
    """Return the words beside the lamp, which itself shows the modes on and off."""
    light = _light(key) if key.light not in (LightMode.ON, LightMode.OFF) else ""
    lamp_color = f"lamp {_color(key)}" if key.color else ""
    return Captions(
        printable(_title(key)),
        _joined(_about(key)),
        _joined([_call(key), _messages(key), light, *_details(key), lamp_color]),
    )


def in_words(key: KeyDescription) -> str:
    """Return all properties of the key in one line, its lamp first."""
    lamp = ", ".join(filter(None, [_light(key), _color(key)]))
    about = [_title(key), *_about(key)]
    return _joined([lamp, *about, _call(key), _messages(key), *_details(key)])


def _title(key: KeyDescription) -> str:
    return key.label or key.display_name or ""


def _about(key: KeyDescription) -> Iterator[str]:
    if key.label and key.display_name:
        yield key.display_name
    yield _word(_TYPE_WORDS, "type", key.type)


def _details(key: KeyDescription) -> Iterator[str]:
    for state in key.states:
        words = _word(_STATE_WORDS, "state", state)
        if words != _light(key):  # both may be "offline"
            yield words
    yield _forward(key)
    yield _press(key)
    yield _word(_RELEASE_WORDS, "release", key.release)
    yield f"treatment: {key.treatment}" if key.treatment else ""
    for name, text in key.extensions:
        yield f"{name}={text}"


def _light(key: KeyDescription) -> str:
    return _word(_LIGHT_WORDS, "light", key.light)


def _color(key: KeyDescription) -> str:
    return _COLOR_WORDS.get(key.color, key.color) if key.color else ""


def _call(key: KeyDescription) -> str:
    match key.direction:
        case None:
            return f"caller {key.caller}" if key.caller else ""
        case Direction.IN:
            return f"← {key.caller or 'incoming call'}"
        case Direction.OUT:
            return f"→ {key.caller or 'outgoing call'}"
        case unknown:
            return f"call: {unknown} {key.caller or ''}".rstrip()


def _messages(key: KeyDescription) -> str:
    match key.message_waiting:
        case None:
            return ""
        case MessageWaiting(0, 0):
            return "no messages"
        case MessageWaiting(new, old):
            counts = [f"{new} new" if new else "", f"{old} old" if old else ""]
            noun = "message" if new + old == 1 else "messages"
            return f"{', '.join(filter(None, counts))} {noun}"
        case unknown:
            return f"messages: {unknown}"


def _forward(key: KeyDescription) -> str:
    match key.forward:
        case None:
            return ""
        case Forward(ForwardCondition.ALWAYS, target):
            return f"forwards all calls to {target}"
        case Forward(ForwardCondition.BUSY, target):
            return f"forwards to {target} when busy"
        case unknown:
            return f"forwards: {unknown}"


def _press(key: KeyDescription) -> str:
    """Return the action of a press; "" for the default action without a number."""
    if key.number:
        return f"{_word(_PRESS_WORDS, 'press', key.action)} {key.number}"
    if key.action == Action.INVITE:  # the default
        return ""
    return f"press: {key.action} without a number"


def _word(words: Mapping[str, str], what: str, value: str | None) -> str:
    return words.get(value, f"{what}: {value}") if value else ""


def _joined(parts: Iterable[str]) -> str:
    return printable(" · ".join(filter(None, parts)))


def printable(text: str) -> str:
    """Return one line: bounded, control and bidirectional characters replaced."""
    shown = text if len(text) <= MAX_PRINTED else f"{text[:MAX_PRINTED]}…"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)
