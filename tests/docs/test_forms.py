"""The documentation has every field of every form."""

from collections.abc import Iterator, Mapping
import json
from pathlib import Path
from typing import Any

import pytest

from custom_components import snom_buttons

ROOT = Path(__file__).parents[2]
TEXTS = json.loads(
    (Path(snom_buttons.__file__).parent / "translations" / "en.json").read_text("utf-8")
)
SUBENTRIES = TEXTS["config_subentries"]
STEPS = TEXTS["config"]["step"]
CARDS = {name: STEPS[name] for name in ("confirm", "tried")}
FORMS = {
    "network.md": [{"step": {n: it for n, it in STEPS.items() if n not in CARDS}}],
    "mqtt.md": [TEXTS["options"]],
    "forms.md": [SUBENTRIES["phone"], SUBENTRIES["shared_line"], {"step": CARDS}],
}


def labels(form: Mapping[str, Any]) -> Iterator[str]:
    """Yield the labels of a form's fields, those of its sections included."""
    yield from form.get("data", {}).values()
    for section in form.get("sections", {}).values():
        yield section["name"]
        yield from labels(section)


@pytest.mark.parametrize("page", FORMS)
def test_a_page_has_every_field(page: str) -> None:
    text = (ROOT / "docs" / page).read_text("utf-8")
    steps = [step for form in FORMS[page] for step in form["step"].values()]
    fields = {label for step in steps for label in labels(step)}
    assert fields
    assert [
        label
        for label in sorted(fields)
        if f"| {label} |" not in text and f"**{label}**" not in text
    ] == []


def test_a_page_has_every_column_of_a_list() -> None:
    text = (ROOT / "docs" / "forms.md").read_text("utf-8")
    columns = TEXTS["selector"]["keys"]["fields"].values()
    missing = [c["name"] for c in columns if f"| {c['name']} |" not in text]
    assert missing == []
