"""Texts in the language of Home Assistant: default names, and lines of *Activity*."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import (
    LOCALE_EN,
    async_get_cached_translations,
    async_get_translations,
)

from ..const import DOMAIN


async def async_load_texts(hass: HomeAssistant) -> None:
    """Load the texts, for a dialogue before the integration is set up."""
    await async_get_translations(hass, hass.config.language, "common", [DOMAIN])


@callback
def text(hass: HomeAssistant, name: str, /, **placeholders: str) -> str:
    """Return a text of the category `common`, in English while its language is loaded."""
    texts: dict[str, str] = {}
    for language in (LOCALE_EN, hass.config.language):
        texts |= async_get_cached_translations(hass, language, "common", DOMAIN)
    return texts[f"component.{DOMAIN}.common.{name}"].format(**placeholders)


@callback
def key_title(hass: HomeAssistant, key: str, name: str) -> str:
    """Return a key by its number and its name, as in `Key 4 (Office)`."""
    return text(hass, "key_name", key=key) + key_title_end(hass, key, name)


@callback
def key_title_end(hass: HomeAssistant, key: str, name: str) -> str:
    """Return the name behind the number of a key, "" if the name says no more than that."""
    is_default = name in (key, text(hass, "key_name", key=key))
    return "" if is_default else f" ({name})"
