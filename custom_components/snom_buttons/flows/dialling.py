"""The form about dialling of a phone: its schema, how it is read, and its faults."""

from collections.abc import Container, Mapping
from typing import Any, Final

import voluptuous as vol

from homeassistant.core import split_entity_id, valid_entity_id
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
from homeassistant.util.network import is_ipv6_address

from ..const import (
    CONF_ANSWER,
    CONF_DIAL_RULES,
    CONF_NUMBER,
    CONF_REDIRECT_TO,
    CONF_RUN,
)
from ..engine.names import forbidden_in
from ..engine.phones import DialAnswer, redirection
from ..engine.xbuttons import MAX_TEXT
from .forms import Faults, ListSelector, required

RULE_DOMAINS: Final = ("script", "scene")

DIALLED: Final = "{number}"
EXAMPLE: Final = f"sip:{DIALLED}@192.0.2.7"
DIALLING_PLACEHOLDERS: Final = {
    "example": EXAMPLE,
    CONF_NUMBER: "",
    CONF_RUN: "",
    "max_length": str(MAX_TEXT),
}
"""The placeholders of all texts, without a value if it depends on the error."""

USUAL: Final[dict[str, Any]] = {
    CONF_ANSWER: DialAnswer.BUSY,
    CONF_REDIRECT_TO: "",
    CONF_DIAL_RULES: [],
}

DIALLING_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_ANSWER, default=DialAnswer.BUSY.value): SelectSelector(
            SelectSelectorConfig(
                options=[answer.value for answer in DialAnswer],
                mode=SelectSelectorMode.LIST,
                translation_key="dial_answer",
            )
        ),
        vol.Optional(CONF_REDIRECT_TO): TextSelector(),
        vol.Optional(CONF_DIAL_RULES): ListSelector(
            "dial_rules",
            label=CONF_NUMBER,
            description=CONF_RUN,
            fields={
                CONF_NUMBER: required(TextSelector()),
                CONF_RUN: required(
                    EntitySelector(EntitySelectorConfig(domain=list(RULE_DOMAINS)))
                ),
            },
        ),
    }
)


def read_dialling(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return the form's values as a subentry stores them: without those in USUAL."""
    dialling = {
        CONF_ANSWER: form[CONF_ANSWER],
        CONF_REDIRECT_TO: _template(form.get(CONF_REDIRECT_TO, "").strip()),
        CONF_DIAL_RULES: [
            {CONF_NUMBER: rule[CONF_NUMBER].strip(), CONF_RUN: rule[CONF_RUN]}
            for rule in form.get(CONF_DIAL_RULES, ())
        ],
    }
    return {name: value for name, value in dialling.items() if value != USUAL[name]}


def find_dialling_faults(dialling: Mapping[str, Any]) -> Faults:
    """Return the faults of what `read_dialling` returned."""
    faults = Faults(DIALLING_PLACEHOLDERS)
    template = dialling.get(CONF_REDIRECT_TO)
    if template is not None:
        if not _is_redirection(template):
            faults.add(CONF_REDIRECT_TO, "invalid_redirect")
    elif dialling.get(CONF_ANSWER) == DialAnswer.REDIRECT:
        faults.add(CONF_REDIRECT_TO, "redirect_missing")
    known: set[str] = set()
    for rule in dialling.get(CONF_DIAL_RULES, ()):
        number, run = rule[CONF_NUMBER], rule[CONF_RUN]
        if not number:
            faults.add(CONF_DIAL_RULES, "dial_number_missing", **{CONF_RUN: run})
        elif error := _error(number, run, known):
            faults.add(CONF_DIAL_RULES, error, **{CONF_NUMBER: number})
        known.add(number)
    return faults


def _template(text: str) -> str:
    """Return the URI template; that of a host alone takes the dialled number."""
    if not text or "@" in text or text.startswith(("sip:", "sips:")):
        return text
    host = f"[{text}]" if is_ipv6_address(text) else text
    return f"sip:{DIALLED}@{host}"


def _is_redirection(template: str) -> bool:
    try:
        redirection(template, "0")
    except ValueError:
        return False
    return forbidden_in(template) is None


def _error(number: str, run: str, known: Container[str]) -> str | None:
    """Return the error of a dial rule, None if it has none."""
    if number in known:
        return "duplicate_dial_number"
    if len(number) > MAX_TEXT:
        return "dial_number_too_long"
    # The server drops other characters from what a phone dials.
    if not number.isprintable():
        return "invalid_dial_number"
    if not valid_entity_id(run) or split_entity_id(run)[0] not in RULE_DOMAINS:
        return "invalid_run"
    return None
