"""The dialog state that stands for what a key shows (RFC 4235 3.7.1)."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ..xbuttons import LightMode


class DialogState(StrEnum):
    """The states that phones tell apart."""

    TERMINATED = "terminated"
    """Off."""
    TRYING = "trying"
    EARLY = "early"
    """Blinks."""
    CONFIRMED = "confirmed"
    """On."""


STATES: Final[Mapping[str, DialogState]] = MappingProxyType(
    {
        LightMode.OFF: DialogState.TERMINATED,
        LightMode.HOLD: DialogState.EARLY,
        LightMode.PICKUP: DialogState.EARLY,
        LightMode.PARK: DialogState.EARLY,
    }
)
"""The states of the light modes; all others are on."""
_INVERTED: Final = {
    DialogState.TERMINATED: DialogState.CONFIRMED,
    DialogState.CONFIRMED: DialogState.TERMINATED,
}


def state_of(
    light: LightMode | str,
    table: Mapping[str, DialogState] = STATES,
    *,
    is_inverted: bool = False,
) -> DialogState:
    """Return the state for a light mode, by `table`, or else by STATES.

    Inverted is for phones whose lamp is lit while nothing is on: off and on are swapped.
    """
    state = table.get(light) or STATES.get(light, DialogState.CONFIRMED)
    return _INVERTED.get(state, state) if is_inverted else state
