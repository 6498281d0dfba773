"""The drawings that dialogues show."""

from html import escape
from pathlib import Path
from typing import Final

from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant, callback

from ..const import DOMAIN
from .texts import text

DRAWINGS_PATH: Final = f"/{DOMAIN}/drawings"
"""The path of all drawings."""
RESET_DRAWINGS: Final = ("reset_settings_key", "reset_display", "reset_web_page")
"""How a phone is reset to its factory settings; files, and texts that say the same."""
_FOLDER: Final = Path(__file__).parents[1] / "drawings"


async def async_serve_drawings(hass: HomeAssistant) -> None:
    """Serve the drawings, without a log-in, as browsers fetch images."""
    await hass.http.async_register_static_paths(
        [StaticPathConfig(DRAWINGS_PATH, str(_FOLDER), cache_headers=False)]
    )


@callback
def async_reset_drawings(hass: HomeAssistant) -> dict[str, str]:
    """Return the drawings by their names, for the Markdown of a page.

    The frontend takes `alt` from images in dialogues, so each is a link with a title,
    which opens the drawing in a page of its own.
    """
    return {name: _linked(name, text(hass, name)) for name in RESET_DRAWINGS}


def _linked(name: str, alternative: str) -> str:
    path, title = f"{DRAWINGS_PATH}/{name}.svg", escape(alternative)
    image = f'<img src="{path}" alt="{title}"/>'
    return f'<a href="{path}" target="_blank" title="{title}">{image}</a>'
