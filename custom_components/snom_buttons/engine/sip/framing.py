"""From a stream of bytes to whole messages (RFC 3261 18.3, RFC 5626 4.4.1).

No I/O and no clock: whoever reads the connection feeds what came. A message's content
is not looked at beyond its Content-Length; `parser` does that with each that is whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from .grammar import SipSyntaxError
from .parser import MAX_HEAD, MAX_MESSAGE, body_length

PING = b"\r\n\r\n"
"""What a client sends between messages to see whether the connection is up."""
PONG = b"\r\n"
"""What it is answered."""
MAX_STRAYS = 8
"""Single line ends between two messages; there should be none (RFC 3261 7.5)."""

_BLANK_LINES = (b"\n\r\n", b"\n\n")


class BrokenStream(ValueError):
    """Nobody can tell where the next message begins: the connection is of no use."""


class StreamDecoder:
    """What has come by one connection and is not a whole message yet."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._buffer = bytearray()
        self._searched = 0
        """How many bytes hold no end of a head."""
        self._length: int | None = None
        """Of the message that has begun, once its head is there."""
        self._strays = 0

    @property
    def is_within(self) -> bool:
        """Whether a message has begun and is not there as a whole."""
        return bool(self._buffer) and not PING.startswith(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes; return the messages that are whole now, and PING for each ping.

        Who does not go through all of them finds the others with what is fed next. Raises
        BrokenStream, behind the messages that came before the fault.
        """
        self._buffer += data
        return iter(self._next, None)

    def _next(self) -> bytes | None:
        """Take the next message out of the buffer, None if none is whole."""
        if self._length is None:
            while self.is_within and self._buffer[0] in b"\r\n":
                if self._buffer.startswith(PING):
                    return self._take(len(PING))
                del self._buffer[0]
                self._strays += 1
                if self._strays > MAX_STRAYS:
                    raise BrokenStream("nothing but line ends comes")
            if self._buffer == PING:
                return self._take(len(PING))
            if not self.is_within:
                return None
            head = self._head_length()
            if head is None:
                return None
            self._length = head + self._body_length(head)
        return self._take(self._length) if len(self._buffer) >= self._length else None

    def _take(self, length: int) -> bytes:
        taken = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._searched = self._strays = 0
        self._length = None
        return taken

    def _head_length(self) -> int | None:
        """Return how long start line, headers and the blank line are, None so far."""
        found = [
            position + len(blank)
            for blank in _BLANK_LINES
            if (position := self._buffer.find(blank, self._searched)) >= 0
        ]
        if min(found, default=len(self._buffer)) > MAX_HEAD:
            raise BrokenStream(f"more than {MAX_HEAD} bytes of headers")
        if found:
            return min(found)
        # The last two may be the beginning of what is looked for.
        self._searched = max(0, len(self._buffer) - 2)
        return None

    def _body_length(self, head: int) -> int:
        try:
            length = body_length(bytes(self._buffer[:head]))
        except SipSyntaxError as error:
            raise BrokenStream(str(error)) from error
        if head + length > MAX_MESSAGE:
            raise BrokenStream(f"a message of more than {MAX_MESSAGE} bytes")
        return length
