"""The keys that a call presses: those with its number, and BLF keys by their names.

docs/decisions/0021 says what holds if the same could be several of these.
"""

from collections.abc import Callable
from typing import NamedTuple

from ..dialoginfo import DialogState
from ..xbuttons import MAX_TEXT
from .phone import Phone
from .setup import Speakers

PICKUPS = ("**", "*8")
"""What phones call before the name of a BLF key that blinks: the codes of telephone
systems to pick up the call of another."""


class Called(NamedTuple):
    """What a call presses."""

    keys: tuple[str, ...] = ()
    """Their names. The keys need not be configured."""
    is_blf: bool = False
    """Whether it is how the phone sends the press of a BLF key."""


def called_keys(
    phone: Phone,
    dialled: str,
    subscribed: Callable[[str], bool],
    replaced: str = "",
) -> Called:
    """Return the keys that a call of a phone presses; `dialled` is any text.

    `subscribed` returns whether the phone has subscribed to a key. `replaced` is the
    Call-ID in Replaces (RFC 3891), "" without it: the `id` of a dialog in our documents,
    which is the name of its key.
    """
    called = _keys_of(phone, dialled, subscribed)
    if called.keys or dialled in phone.setup.dialling.own:
        return called
    for prefix in PICKUPS:
        if dialled.startswith(prefix):
            picked = _keys_of(phone, dialled.removeprefix(prefix), subscribed)
            if picked.is_blf and any(_is_early(phone, key) for key in picked.keys):
                return picked
    picked = _keys_of(phone, replaced, subscribed)
    return picked if picked.is_blf else called


def _keys_of(phone: Phone, dialled: str, subscribed: Callable[[str], bool]) -> Called:
    number = printable(dialled)
    if not number:
        return Called()
    is_blf = phone.setup.speakers is Speakers.BLF
    if subscribed(dialled) or (is_blf and dialled in phone.keys):
        return Called((dialled,), is_blf=True)
    keys = tuple(
        name
        for name, key in phone.keys.items()
        if (key.look.number or "")[:MAX_TEXT] == number
    )
    return Called(keys, is_blf=is_blf and bool(keys))


def _is_early(phone: Phone, key: str) -> bool:
    configured = phone.keys.get(key)
    return (
        configured is not None
        and phone.setup.blf.state_of(configured.look) is DialogState.EARLY
    )


def printable(text: str | None) -> str:
    """Return the number that events have: the beginning of a text, as far as it prints."""
    text = (text or "")[:MAX_TEXT]
    if text.isprintable():
        return text
    return "".join(character for character in text if character.isprintable())
