"""Checks settings files against tests/data/provisioning/settings.xsd."""

from functools import cache
from pathlib import Path

from xmlschema import XMLSchema

SCHEMA = Path(__file__).parents[1] / "data" / "provisioning" / "settings.xsd"


@cache
def _schema() -> XMLSchema:
    return XMLSchema(SCHEMA)


def is_settings_file(file: bytes) -> bool:
    """Return True. Raises XMLSchemaValidationError, which says what is wrong."""
    _schema().validate(file.decode())
    return True
