"""Splits a stream into messages, without I/O (RFC 3261 18.3, RFC 5626 4.4.1)."""

from collections.abc import Iterator
import re

from .grammar import SipSyntaxError
from .parser import KEEPALIVE, MAX_HEAD, MAX_MESSAGE, body_length

PING = b"\r\n\r\n"
"""The keep-alive of a client (RFC 5626 4.4.1)."""
PONG = b"\r\n"
"""The answer to a keep-alive."""

_IGNORED = re.compile(b"[" + re.escape(KEEPALIVE) + b"]*")
_BLANK_LINES = (b"\n\r\n", b"\n\n")


class BrokenStream(ValueError):
    """The start of the next message is unknown, so the connection must be closed."""


class StreamDecoder:
    """The buffer of one connection: bytes that are not a complete message yet."""

    def __init__(self) -> None:
        """Create a decoder with an empty buffer."""
        self._buffer = bytearray()
        self._searched = 0
        """Bytes at the start of the buffer that were searched for the end of the head."""
        self._length: int | None = None
        """Length of the current message, None until its head is complete."""
        self._pings = 0
        """Pings that were read and are not yielded yet."""
        self.ignored = 0
        """Bytes that were read so far to keep the connection, pings included."""

    @property
    def is_within(self) -> bool:
        """Whether a message has begun and is not complete."""
        return bool(self._buffer) and not PING.startswith(self._buffer)

    @property
    def pending(self) -> int:
        """Bytes that have arrived and are not consumed."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Append bytes; yield the messages that are complete, and PING for each ping.

        What is not consumed comes with the next call. Raises BrokenStream at a fault.
        """
        self._buffer += data
        return iter(self._next, None)

    def _next(self) -> bytes | None:
        """Remove the next message from the buffer, None if none is complete."""
        if self._length is None:
            self._skip_keepalives()
            if self._pings:
                self._pings -= 1
                return PING
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
        self._searched = 0
        self._length = None
        return taken

    def _skip_keepalives(self) -> None:
        """Remove what may precede a message, and count it."""
        ignored = _IGNORED.match(self._buffer)
        assert ignored is not None
        end = ignored.end()
        *_, rest = parts = ignored[0].split(PING)
        self._pings += len(parts) - 1
        if end == len(self._buffer):  # the next bytes may complete a ping
            end -= next(n for n in (3, 2, 1, 0) if rest.endswith(PING[:n]))
        del self._buffer[:end]
        self.ignored += end

    def _head_length(self) -> int | None:
        """Return the length of the head, None if incomplete. Raises BrokenStream."""
        # Further messages may follow, which are not searched each time.
        end = MAX_HEAD + 1
        found = [
            position + len(blank)
            for blank in _BLANK_LINES
            if (position := self._buffer.find(blank, self._searched, end)) >= 0
        ]
        if min(found, default=len(self._buffer)) > MAX_HEAD:
            raise BrokenStream(f"more than {MAX_HEAD} bytes of headers")
        if found:
            return min(found)
        # The last two bytes may be the start of a blank line.
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
