"""The part of a page that chooses entities for the keys of a phone that is not added yet."""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from homeassistant.const import CONF_ENTITIES
from homeassistant.core import HomeAssistant

from ..engine.phones import MODELS
from .account import with_count
from .choose import (
    CHOOSE_PLACEHOLDERS,
    CONF_AREA,
    CONF_SUGGESTED,
    Choice,
    async_add_area,
    async_left_out,
    async_suggested,
    choose_schema,
    find_choice_faults,
)
from .forms import Faults
from .keys import MAX_KEYS


class NewKeys:
    """The fields, and what was chosen in them."""

    def __init__(
        self,
        hass: HomeAssistant,
        model_name: str,
        user_input: Mapping[str, Any] | None,
    ) -> None:
        """Read the fields, for a phone of a model; "" if it is not known.

        `async_load_texts` is to be awaited before.
        """
        suggested = async_suggested(hass)
        ticked: list[str] = []
        self.entities: Final[list[str]] = []
        """The entities, in the order of the keys."""
        self.faults = Faults(CHOOSE_PLACEHOLDERS)
        self.is_chosen = False
        """Whether the page is done. A choice of an area shows it again."""
        if user_input is not None:
            chosen = user_input.get(CONF_SUGGESTED, ())
            # The frontend gives them in the order of the clicks.
            ticked = [it for it in suggested if it in chosen]
            picked = user_input.get(CONF_ENTITIES, ())
            self.entities.extend(dict.fromkeys((*ticked, *chosen, *picked)))
            model = MODELS.get(model_name)
            key_count = model.keys if model else MAX_KEYS
            keys = with_count([], key_count, colors=False, name_of=str)
            choice = Choice(keys, self.entities, str)
            if area := user_input.get(CONF_AREA):
                self.faults = async_add_area(hass, area, choice, self.entities)
            else:
                self.faults = find_choice_faults(hass, choice)
                self.is_chosen = not self.faults
        self.schema: Final[vol.Schema] = choose_schema(
            async_left_out(hass, ()), suggested
        )
        self.values: Final = {
            CONF_SUGGESTED: ticked,
            CONF_ENTITIES: [it for it in self.entities if it not in ticked],
        }
        """What the fields show."""
