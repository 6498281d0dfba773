"""The settings file, the link and the last page of the dialogue say the same."""

import json
from pathlib import Path
import re
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree as ET

from hypothesis import example, given
from markdown_it import MarkdownIt
import pytest

from custom_components import snom_buttons
from custom_components.snom_buttons.engine.provisioning import (
    Profile,
    ProfileKey,
    keys_of,
    settings_file,
    settings_of,
    web_link,
)
from custom_components.snom_buttons.flows.enter import (
    LABELED,
    key_items,
    login_rows,
    other_rows,
)
from tests.support.profiles import profiles

TRANSLATIONS = Path(snom_buttons.__file__).parent / "translations"
TEXTS = {it.stem: json.loads(it.read_text("utf-8")) for it in TRANSLATIONS.iterdir()}

MANY = Profile(
    account="46",
    password="s3cret",
    name="Hall",
    registrar="192.0.2.1:5060",
    model="D385",
    identity=2,
    lamps=True,
    keys=tuple(ProfileKey(name=str(n), label=f"|{n}`\\") for n in range(1, 67)),
)
"""With an expansion module."""


class Facts(NamedTuple):
    """What a phone is set to."""

    settings: dict[tuple[str, int | None], str]
    """By name and number of the identity."""
    keys: dict[int, tuple[int, str, str]]
    """By index: the number of the identity, the value and the label."""


def in_profile(profile: Profile) -> Facts:
    return Facts(
        {(it.name, it.identity): it.value.strip() for it in settings_of(profile)},
        {
            it.number: (it.identity, it.value.strip(), it.label.strip())
            for it in keys_of(profile)
        },
    )


def in_file(file: bytes) -> Facts:
    phone, keys = ET.fromstring(file)
    return Facts(
        {
            (it.tag, int(number) if (number := it.get("idx")) else None): (
                it.text or ""
            ).strip()
            for it in phone
        },
        {
            int(it.attrib["idx"]): (
                int(it.attrib["context"]),
                (it.text or "").strip(),
                it.attrib["label"].strip(),
            )
            for it in keys
        },
    )


def in_link(link: str) -> Facts:
    facts = Facts({}, {})
    keys: dict[int, dict[str, str]] = {}
    for name, value in parse_qsl(urlsplit(link).query, keep_blank_values=True):
        if key := re.fullmatch(r"fkey(_[a-z]+)?([0-9]+)", name):
            keys.setdefault(int(key[2]), {})[key[1] or ""] = value.strip()
        elif of_identity := re.fullmatch(r"(user_[a-z_]+)([0-9]+)", name):
            facts.settings[of_identity[1], int(of_identity[2])] = value.strip()
        elif name not in ("settings", "store_settings"):
            facts.settings[name, None] = value.strip()
    for number, it in keys.items():
        facts.keys[number] = (int(it["_context"]), it[""], it["_label"])
    return facts


def tables_of(markdown: str) -> list[list[list[str]]]:
    """Return the texts of the cells of all tables, as a reader sees them."""
    tables: list[list[list[str]]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type == "inline" and token.level > 3:  # in a cell
            shown = "".join(it.content for it in token.children or ())
            tables[-1][-1].append(shown)
    return [rows[1:] for rows in tables]


def items_of(markdown: str) -> list[str]:
    """Return the texts of the items of all lists, as a reader sees them."""
    return [
        "".join(it.content for it in token.children or ())
        for token in MarkdownIt("commonmark").enable("table").parse(markdown)
        if token.type == "inline" and token.level == 3
    ]


def on_page(page: str, texts: dict[str, str]) -> Facts:
    names = {texts[f"web_{name}"]: name for name in LABELED}
    heading = re.search(r"\*\*[^*]+ → \S+ ([0-9]+)\*\*", page)
    assert heading is not None
    identity = int(heading[1])
    login, others = tables_of(page)
    facts = Facts({}, {})
    for label, value in login:
        facts.settings[names[label], identity] = value.strip()
    for name, value in others:
        setting, _, number = name.partition(" ")
        facts.settings[setting, int(number) if number else None] = value.strip()
    kind, number, label = (texts[f"web_key_{it}"] for it in ("type", "number", "name"))
    item = re.compile(
        rf"P(\d+): {kind} (\w+)(?:, {number} (.*?))?(?:, {label} (.*))?", re.DOTALL
    )
    for shown in items_of(page):
        found = item.fullmatch(shown)
        assert found is not None, shown
        key, type_, argument, name = found.groups("")
        value = f"{type_.lower()} {argument}".strip()
        facts.keys[int(key) - 1] = (identity, value, name.strip())
    return facts


@pytest.mark.parametrize("language", sorted(TEXTS))
@pytest.mark.parametrize("step", ["phone", "beside"])
@given(profile=profiles)
@example(profile=MANY)
def test_three_ways_to_set_a_phone_say_the_same(
    language: str, step: str, profile: Profile
) -> None:
    facts = in_profile(profile)
    assert in_file(settings_file(profile)) == facts
    assert in_link(web_link(profile, "192.0.2.9")) == facts
    texts: dict[str, Any] = TEXTS[language]
    common = texts["common"]
    phone = texts["config_subentries"]["phone"]["step"]
    page = phone[step]["description"].format(
        by_itself="",
        identity=profile.identity,
        login=login_rows(profile, lambda name: common[f"web_{name}"]),
        outbound="",
        others=other_rows(profile),
        keys=key_items(profile, lambda name: common[f"web_{name}"], {}),
    )
    assert on_page(page, common) == facts
