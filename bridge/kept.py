"""Commands to phones of other bridges, which may die before they carry them out."""

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from snom_buttons.mqtt import Received

KEPT: Final = 30.0
"""Seconds for which a command is kept. The broker publishes the will of a bridge that it
does not reach 15 seconds after its last sign, and then its phones are restored."""
MAX_OF_PHONE: Final = 100
"""The most commands of one phone; beyond that the oldest are dropped."""
MAX_BYTES: Final = 16 * 1024 * 1024
"""The most bytes of all; beyond that those of the phone that was commanded longest ago."""
OVERHEAD: Final = 500
"""Bytes of a command beside its topic and payload."""

type Waiting = tuple[Callable[[Received], None], Received]


class _Command(NamedTuple):
    at: float
    waiting: Waiting

    @property
    def size(self) -> int:
        message = self.waiting[1]
        return OVERHEAD + len(message.topic) + len(message.payload)


class Kept:
    """The newest commands, by phone, that its bridge may not have carried out.

    That stores the phone after each change. What was kept before is then to be dropped: it
    is part of what is stored, and a TOGGLE would count twice. What is still kept when the
    phone is restored is not part of it, whether the bridge has carried it out or not.
    """

    def __init__(self, time: Callable[[], float]) -> None:
        """Create it without commands; `time` returns seconds."""
        self._time = time
        self._commands: dict[str, deque[_Command]] = {}
        """In the order of the newest command of each phone."""
        self._size = 0

    def add(self, phone: str, waiting: Waiting) -> None:
        """Keep a command."""
        command = _Command(self._time(), waiting)
        commands = self._commands.pop(phone, deque())
        self._commands[phone] = commands
        commands.append(command)
        self._size += command.size
        if len(commands) > MAX_OF_PHONE:
            self._size -= commands.popleft().size
        oldest = next(iter(self._commands))
        while oldest != phone and (
            self._size > MAX_BYTES or self._is_old(self._commands[oldest][-1])
        ):
            self.drop(oldest)
            oldest = next(iter(self._commands))
        if self._size > MAX_BYTES:
            self.drop(phone)

    def take(self, phone: str) -> list[Waiting]:
        """Return the commands to a phone, and keep them no more."""
        commands = self.drop(phone)
        return [it.waiting for it in commands if not self._is_old(it)]

    def drop(self, phone: str) -> deque[_Command]:
        """Keep the commands to a phone no more; return them."""
        commands = self._commands.pop(phone, deque[_Command]())
        self._size -= sum(it.size for it in commands)
        return commands

    def clear(self) -> None:
        """Keep nothing of what was kept."""
        self._commands.clear()
        self._size = 0

    def _is_old(self, command: _Command) -> bool:
        return self._time() - command.at > KEPT
