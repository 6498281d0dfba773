"""The log of a bridge, on stderr."""

import logging
from typing import Final

from pythonjsonlogger.json import JsonFormatter

from .settings import LogSettings

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
