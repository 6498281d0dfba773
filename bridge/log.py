"""The log of a bridge, on stderr."""

from collections.abc import Callable
import logging
from typing import Final

from pythonjsonlogger.json import JsonFormatter

from snom_buttons.phones import Attempt, Change, PhoneServer
from snom_buttons.refused import quoted

from .settings import LogSettings, Settings

_LOGGER = logging.getLogger(__name__)

TEXT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
FIELDS: Final = {"levelname": "level", "name": "logger"}
"""The fields of a line of JSON that are named otherwise."""


def start_log(settings: LogSettings) -> None:
    """Log in a format, from a level on."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonFormatter(
            ["levelname", "name", "message"], rename_fields=FIELDS, timestamp="time"
        )
        if settings.format == "json"
        else logging.Formatter(TEXT)
    )
    logging.basicConfig(level=settings.level.upper(), handlers=[handler])


class PhoneLog:
    """Logs which phones register, from where, and which ones cannot."""

    MOST: Final = 20
    """Lines of phones that cannot, in a minute: strangers can cause them."""

    def __init__(self, server: PhoneServer, clock: Callable[[], float]) -> None:
        """Create a follower of a server that is not started."""
        self._server = server
        self._clock = clock
        self._registered: dict[str, str] = {}
        """The address of the newest registration, by extension."""
        self._denied = 0
        self._counted_from = clock()
        """When `_denied` was 0."""
        self._unfollow: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Begin."""
        server = self._server
        self._unfollow.append(server.denied.subscribe(self._log_denied))
        if _LOGGER.isEnabledFor(logging.INFO):
            self._unfollow.append(server.changed.subscribe(self._log_registered))

    async def update(self, settings: Settings) -> None:
        """Forget the phones that were removed."""
        for extension in self._registered.keys() - self._server.phones.keys():
            del self._registered[extension]

    async def stop(self) -> None:
        """End."""
        for unfollow in self._unfollow:
            unfollow()

    def _log_registered(self, change: Change) -> None:
        if not change.registration or change.extension is None:
            return
        phone = self._server.phones.get(change.extension)
        newest = phone.registration if phone else None
        former = self._registered.get(change.extension)
        if newest is None:
            if former is not None:
                del self._registered[change.extension]
                _LOGGER.info("Phone %s has ended its registration", change.extension)
        elif newest.address != former:
            self._registered[change.extension] = newest.address
            _LOGGER.info(
                "Phone %s is registered from %s", change.extension, newest.address
            )

    def _log_denied(self, attempt: Attempt) -> None:
        now = self._clock()
        if now - self._counted_from >= 60:
            self._denied, self._counted_from = 0, now
        self._denied += 1
        if self._denied > self.MOST:
            return
        extension = quoted(attempt.extension)
        if attempt.extension in self._server.phones:
            text = "Phone %s gave a wrong password, from %s"
        else:
            text = "Phone %s is not in the settings; it tried to register from %s"
        _LOGGER.warning(text, extension, attempt.host)
        if self._denied == self.MOST:
            _LOGGER.warning("There are more; they are not logged for a minute")
