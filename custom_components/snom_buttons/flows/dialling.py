"""What the dialogue of a phone asks about dialling: what it offers, takes and refuses."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import voluptuous as vol

from homeassistant.core import split_entity_id, valid_entity_id
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    ObjectSelectorConfig,
    ObjectSelectorField,
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
from ..engine.phones import MAX_TEXT, DialAnswer, redirection
from .forms import ListSelector

RULE_DOMAINS: Final = ("script", "scene")

DIALLED: Final = "{number}"
EXAMPLE: Final = f"sip:{DIALLED}@192.0.2.7"
NO_FAULT: Final = {
    "example": EXAMPLE,
    CONF_NUMBER: "",
    CONF_RUN: "",
    "max_length": str(MAX_TEXT),
}
"""What the texts of the page and of the errors name, while there is none."""

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
            ObjectSelectorConfig(
                multiple=True,
                label_field=CONF_NUMBER,
                description_field=CONF_RUN,
                translation_key="dial_rules",
                fields={
                    CONF_NUMBER: ObjectSelectorField(
                        required=True, selector=TextSelector()
                    ),
                    CONF_RUN: ObjectSelectorField(
                        required=True,
                        selector=EntitySelector(
                            EntitySelectorConfig(domain=list(RULE_DOMAINS))
                        ),
                    ),
                },
            )
        ),
    }
)


def read_dialling(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form says, as a phone stores it: what is as usual is left out."""
    dialling = {
        CONF_ANSWER: form[CONF_ANSWER],
        CONF_REDIRECT_TO: _template(form.get(CONF_REDIRECT_TO, "").strip()),
        CONF_DIAL_RULES: [
            {CONF_NUMBER: rule[CONF_NUMBER].strip(), CONF_RUN: rule[CONF_RUN]}
            for rule in form.get(CONF_DIAL_RULES, ())
        ],
    }
    return {name: value for name, value in dialling.items() if value != USUAL[name]}


def find_faults(dialling: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the errors by field, and what their texts name."""
    errors: dict[str, str] = {}
    about: dict[str, str] = {}
    template = dialling.get(CONF_REDIRECT_TO)
    if template is not None:
        if not _is_redirection(template):
            errors[CONF_REDIRECT_TO] = "invalid_redirect"
    elif dialling.get(CONF_ANSWER) == DialAnswer.REDIRECT:
        errors[CONF_REDIRECT_TO] = "redirect_missing"
    if fault := _first_fault(dialling.get(CONF_DIAL_RULES, ())):
        errors[CONF_DIAL_RULES], about = fault
    return errors, about


def _template(text: str) -> str:
    """Return the URI that is meant: a host alone gets whatever number is dialled."""
    if not text or "@" in text or text.startswith(("sip:", "sips:")):
        return text
    host = f"[{text}]" if is_ipv6_address(text) else text
    return f"sip:{DIALLED}@{host}"


def _is_redirection(template: str) -> bool:
    try:
        redirection(template, "0")
    except ValueError:
        return False
    return True


def _first_fault(
    rules: Sequence[Mapping[str, str]],
) -> tuple[str, dict[str, str]] | None:
    """Return an error and what its text names, None if all rules are right."""
    known: set[str] = set()
    for rule in rules:
        number, run = rule[CONF_NUMBER], rule[CONF_RUN]
        if not number:
            return "dial_number_missing", {CONF_RUN: run}
        about = {CONF_NUMBER: number}
        if number in known:
            return "duplicate_dial_number", about
        known.add(number)
        if len(number) > MAX_TEXT:
            return "dial_number_too_long", about
        # Of what a phone sends everything else is left out.
        if not number.isprintable():
            return "invalid_dial_number", about
        if not valid_entity_id(run) or split_entity_id(run)[0] not in RULE_DOMAINS:
            return "invalid_run", about
    return None
