"""Text entities: the labels that phones with displays show beside their keys."""

from dataclasses import replace
from typing import override

from homeassistant.components.text import TextEntity
from homeassistant.const import EntityCategory
from homeassistant.exceptions import ServiceValidationError

from .const import DOMAIN
from .engine.keywords import MAX_LABEL
from .engine.names import forbidden_in
from .engine.phones import KeyKind, KeySetup
from .entity import SnomLookEntity, platform_setup
from .hub.phone import SnomPhone

PARALLEL_UPDATES = 0


class SnomLabel(SnomLookEntity, TextEntity):
    """The label of a key."""

    _attr_entity_category = EntityCategory.CONFIG
    # Not every phone has labels, and no phone reports whether it has.
    _attr_entity_registry_enabled_default = False
    _attr_native_max = MAX_LABEL
    _attr_translation_key = "label"

    def __init__(self, phone: SnomPhone, setup: KeySetup) -> None:
        """Create a label with the name of its key."""
        super().__init__(phone, setup, "label")
        self._attr_translation_placeholders = {"key": setup.title}

    @property
    @override
    def native_value(self) -> str:
        """Return the label, cut to MAX_LABEL characters and to what can be set."""
        return (self.key.look.label or "")[:MAX_LABEL].rstrip(" ")

    @override
    async def async_set_value(self, value: str) -> None:
        """Set the label, or remove it."""
        label = value.strip(" ") or None
        if label and forbidden_in(label):
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="invalid_label"
            )
        self.key.show(replace(self.key.look, label=label), self._context)


async_setup_entry = platform_setup(
    of_key={KeyKind.LIGHT: SnomLabel, KeyKind.SWITCH: SnomLabel}
)
