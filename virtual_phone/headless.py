"""The phone without a screen: prints a line for each entry, reads commands from stdin."""

import asyncio
from collections.abc import Callable, Coroutine
import os
import sys
from threading import Thread
from typing import Any

from .factory import FactoryPhone
from .phone import Entry, VirtualPhone
from .settings import ReadOnly

COMMANDS = "press KEY, dial NUMBER, register, quit"


class Headless:
    """A phone that is driven by lines of text."""

    def __init__(self, phone: VirtualPhone) -> None:
        """Print each new entry of the phone."""
        self._phone = phone
        self._ended = asyncio.Event()
        self._presses: set[asyncio.Task[int | None]] = set()
        own = ", set NAME VALUE" if isinstance(phone, FactoryPhone) else ""
        self._commands = f"{COMMANDS}{own}"
        phone.on_change(_print_entry)

    async def run_async(self) -> None:
        """Run the commands from stdin until `exit`; the end of stdin does not end it."""
        _print(f"{self._phone.title} listens on {self._phone.where}")
        _read_lines(asyncio.get_running_loop(), self.obey)
        await self._ended.wait()

    def exit(self) -> None:
        """Make `run_async` return."""
        self._ended.set()

    def obey(self, line: str) -> None:
        """Run a command."""
        command, _, argument = line.strip().partition(" ")
        argument = argument.strip()
        match command:
            case "":
                pass
            case "press" if argument in self._phone.keys:
                self._start(self._phone.press(argument))
            case "dial" if argument:
                self._start(self._phone.dial(argument))
            case "register":
                self._phone.register_again()
            case "set" if argument and isinstance(self._phone, FactoryPhone):
                self._set(self._phone, *argument.partition(" ")[::2])
            case "quit":
                self.exit()
            case _:
                _print(f"cannot do {line.strip()!r}; there is: {self._commands}")

    def _set(self, phone: FactoryPhone, name: str, value: str) -> None:
        try:
            phone.change(name, value.strip())
        except ReadOnly as error:
            _print(f"cannot set it: {error}")

    def _start(self, press: Coroutine[Any, Any, int | None]) -> None:
        task = asyncio.create_task(press)
        self._presses.add(task)
        task.add_done_callback(self._presses.discard)


def _print_entry(entry: Entry) -> None:
    _print(f"{entry.at:%H:%M:%S} {entry.text}")


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def _read_lines(loop: asyncio.AbstractEventLoop, obey: Callable[[str], None]) -> None:
    """Call `obey` in the loop with each line of stdin, which may be any kind of file.

    A daemon thread reads it, since asyncio supports neither regular files nor /dev/null
    as a pipe. It bypasses Python's buffer, whose lock a blocked reader would hold at exit.
    """

    def read() -> None:
        pending = b""
        while chunk := os.read(sys.stdin.fileno(), 4096):
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                try:
                    loop.call_soon_threadsafe(obey, line.decode(errors="replace"))
                except RuntimeError:  # the loop has ended
                    return

    if sys.stdin is not None:
        Thread(target=read, daemon=True, name="stdin").start()
