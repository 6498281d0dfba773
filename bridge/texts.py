"""The texts of errors, which are those of the integration."""

from functools import cache
import json
from pathlib import Path

from snom_buttons.refused import Refused

_HERE = Path(__file__).parent
_IN_WHEEL = _HERE / "en.json"
_IN_CHECKOUT = (
    _HERE.parent / "custom_components" / "snom_buttons" / "translations" / "en.json"
)


@cache
def _texts() -> dict[str, dict[str, str]]:
    path = _IN_WHEEL if _IN_WHEEL.exists() else _IN_CHECKOUT
    texts: dict[str, dict[str, str]] = json.loads(path.read_bytes())["exceptions"]
    return texts


def explain(refused: Refused) -> str:
    """Return the text of an error, in English."""
    return _texts()[refused.key]["message"].format(**refused.placeholders)
