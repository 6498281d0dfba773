"""A log as a user has it, and what senders may want to write into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import io
import logging
import re

SECRET = "hush"
"""What a log must not contain; hostile messages have it wherever they can."""

RUDE = [
    "\x9b31m",  # CSI, which terminals obey
    "\x1b[2J",
    "\u202e",  # RIGHT-TO-LEFT OVERRIDE
    "\u2066",
    "\u2028",
    "\ufeff",
    "\0",
    "\r",
    "\udcfc\udcff",  # bytes that are not UTF-8
    '"',
    "<",
    ">",
    ":",
    ";",
    ",",
    "@",
    " ",
    "\r\nhush hush\r\n",
    "\r\nhush: hush\x01\r\n",
]


def rude(message: bytes) -> Iterator[bytes]:
    """Yield variants of a message: something rude beside each of its separators."""
    places = {found.start() for found in re.finditer(rb"[^A-Za-z0-9]", message)}
    for text in RUDE:
        data = text.encode("utf-8", "surrogateescape")
        for place in places:
            yield message[:place] + data + message[place:]
            yield message[: place + 1] + data + message[place + 1 :]
    for place in places:
        yield message[:place] + message[place + 1 :]


class Log:
    """What has been logged, as the bytes of a file."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self.stream = io.TextIOWrapper(self._bytes, encoding="utf-8")

    @property
    def text(self) -> str:
        self.stream.flush()
        return self._bytes.getvalue().decode()

    def check(self) -> None:
        """Fail for a secret, or for a character that is not printable."""
        for line in self.text.splitlines():
            assert SECRET not in line.casefold(), line
            assert line.isprintable(), ascii(line)
        assert "\x85" not in self.text


@contextmanager
def logging_to_a_file(*names: str) -> Iterator[Log]:
    """Write all that these loggers and their children say as a file handler does."""
    log = Log()
    handler = logging.StreamHandler(log.stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    try:
        yield log
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
