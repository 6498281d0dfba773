"""What the dialogues have in common."""

from typing import Any, Final, override

import voluptuous as vol

from homeassistant.helpers.selector import ObjectSelector

# What the user part of a SIP URI takes as it is (RFC 3261 25.1).
USER_CHARACTERS: Final = r"[A-Za-z0-9\-_.!~*'()&=+$,;?/]"


class ListSelector(ObjectSelector):
    """A list of objects; Home Assistant itself takes a single one too, or stumbles."""

    @override
    def __call__(self, data: Any) -> Any:
        """Return the list. Raises Invalid if it is none."""
        if not isinstance(data, list) or not all(isinstance(k, dict) for k in data):
            raise vol.Invalid("This must be a list of objects")
        return super().__call__(data)
