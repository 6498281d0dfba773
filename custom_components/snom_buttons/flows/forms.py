"""What all dialogues share: faults of a form, and lists of objects."""

from collections.abc import Mapping
from typing import Any, Final, override

import voluptuous as vol

from homeassistant.helpers.selector import ObjectSelector

USER_CHARACTERS: Final = r"[A-Za-z0-9\-_.!~*'()&=+$,;?/]"
"""The characters that need no escape in the user part of a SIP URI (RFC 3261 25.1)."""

WHOLE_FORM: Final = "base"
"""The field of a fault that belongs to no field, or to one that shows no errors."""


class Faults:
    """What is wrong with the values of a form."""

    def __init__(self, placeholders: Mapping[str, str] | None = None) -> None:
        """Start without a fault; `placeholders` are the values without one."""
        self.errors: Final[dict[str, str]] = {}
        """The key of one error text for each wrong field."""
        self.placeholders: Final = dict(placeholders or {})
        """The values in the texts of the page and of its errors."""

    def __bool__(self) -> bool:
        """Return whether there is any fault."""
        return bool(self.errors)

    def add(self, field: str, error: str, /, **placeholders: str) -> None:
        """Add a fault. The first fault of a field is kept, later ones are ignored."""
        if field not in self.errors:
            self.errors[field] = error
            self.placeholders.update(placeholders)


class ListSelector(ObjectSelector):
    """A list of objects. ObjectSelector accepts one object too, and fails on others."""

    @override
    def __call__(self, data: Any) -> Any:
        """Return the list. Raises Invalid for anything else."""
        if not isinstance(data, list) or not all(isinstance(k, dict) for k in data):
            raise vol.Invalid("This must be a list of objects")
        return super().__call__(data)
