"""Commands to phones of other bridges, which may die before they carry them out."""

from collections import OrderedDict, deque
from collections.abc import Callable
from hashlib import blake2b
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
        return size_of(self.waiting[1])


def size_of(message: Received) -> int:
    """Return how many bytes a command takes."""
    return OVERHEAD + len(message.topic) + len(message.payload)


def after(commands: str, message: Received) -> str:
    """Return the mark of the commands to a phone up to a message, by that of those before.

    Members that have heard the same commands agree. The mark of none is "".
    """
    text = f"{commands} {message.topic} ".encode() + message.payload
    return blake2b(text, digest_size=8).hexdigest()


class Kept:
    """The newest commands, by phone, that are not part of what is stored of it.

    Its bridge stores it after each change, with the mark of the commands until then. What
    is still kept when the phone is restored is carried out, whether its former bridge has
    done that or not: on what is stored it counts once, also a TOGGLE.
    """

    def __init__(self, time: Callable[[], float]) -> None:
        """Create it without commands; `time` returns seconds."""
        self._time = time
        # Not a dict: its first item, once others before it are gone, is found by a search.
        self._commands: OrderedDict[str, deque[_Command]] = OrderedDict()
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

    def stored(self, phone: str, before: str, now: str | None) -> None:
        """Drop the commands that are part of what is stored of a phone now.

        `before` and `now` are the marks of what was stored before, and is now. All are
        dropped if none of them leads from the one to the other, as we have not heard all.
        """
        commands = self._commands.get(phone)
        while commands and before != now:
            command = commands.popleft()
            self._size -= command.size
            before = after(before, command.waiting[1])
        if not commands:
            self._commands.pop(phone, None)

    def take(self, phone: str) -> list[Waiting]:
        """Return the commands to a phone, and keep them no more."""
        commands = self.drop(phone)
        return [it.waiting for it in commands if not self._is_old(it)]

    def drop(self, phone: str) -> deque[_Command]:
        """Keep the commands to a phone no more; return them."""
        commands = self._commands.pop(phone, deque[_Command]())
        self._size -= sum(it.size for it in commands)
        return commands

    def _is_old(self, command: _Command) -> bool:
        return self._time() - command.at > KEPT
