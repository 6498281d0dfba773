"""What the dialogues have in common."""

from typing import Any, override

import voluptuous as vol

from homeassistant.helpers.selector import ObjectSelector


class ListSelector(ObjectSelector):
    """A list of objects; Home Assistant itself takes a single one too, or stumbles."""

    @override
    def __call__(self, data: Any) -> Any:
        """Return the list. Raises Invalid if it is none."""
        if not isinstance(data, list) or not all(isinstance(k, dict) for k in data):
            raise vol.Invalid("This must be a list of objects")
        return super().__call__(data)
