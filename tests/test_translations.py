"""The rules of hassfest for a custom integration, and that all texts exist."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
import string
import tomllib
from typing import Any

from PIL import Image
import pytest

import custom_components.snom_buttons as integration
from custom_components.snom_buttons import const, event, light
from custom_components.snom_buttons.binary_sensor import DESCRIPTIONS
from custom_components.snom_buttons.button import BUTTONS
from custom_components.snom_buttons.engine.dialoginfo import DialogState
from custom_components.snom_buttons.engine.keywords import FIELDS
from custom_components.snom_buttons.engine.phones import (
    MAKERS,
    DialAnswer,
    PressAnswer,
    Speakers,
)
from custom_components.snom_buttons.engine.xbuttons import LightMode
from custom_components.snom_buttons.flows.choose import choose_schema
from custom_components.snom_buttons.flows.dialling import DIALLING_SCHEMA
from custom_components.snom_buttons.flows.enter import KEY_FIELDS, LABELED
from custom_components.snom_buttons.flows.phone import account_schema, maker_schema
from custom_components.snom_buttons.flows.phone_settings import SETTINGS_SCHEMA
from custom_components.snom_buttons.flows.sending import SENDING_SCHEMA, STATES_SCHEMA
from custom_components.snom_buttons.flows.server_form import SERVER_SCHEMA
from custom_components.snom_buttons.hub.drawings import RESET_DRAWINGS
from custom_components.snom_buttons.hub.links.presses import DEEDS
from custom_components.snom_buttons.hub.settings import (
    OWN_KINDS,
    LinkConfirm,
    LinkLabel,
    LinkPress,
)
from custom_components.snom_buttons.sensor import (
    OF_REGISTRATION,
    OF_SENDING,
    OF_TRAFFIC,
)
from homeassistant.const import Platform
from homeassistant.data_entry_flow import section
from homeassistant.helpers import config_validation as cv
from homeassistant.loader import Manifest
from homeassistant.util.yaml import load_yaml_dict

ROOT = Path(integration.__file__).parent
LANGUAGES = sorted(path.stem for path in (ROOT / "translations").glob("*.json"))
SLUG = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
URL = re.compile(r"(https?|ftp|mqtt)://|www\.")


def read(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((ROOT / name).read_text("utf-8"))
    return data


def texts(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Return the path of each text in a file of translations, and the text."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from texts(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


ENGLISH = read("translations/en.json")
ICONS = read("icons.json")


def source(*modules: str) -> list[ast.AST]:
    """Return all nodes of some modules of the integration."""
    files = [ROOT / f"{module}.py" for module in modules]
    return [n for f in files for n in ast.walk(ast.parse(f.read_text("utf-8")))]


def keyword_values(name: str, within: type[ast.AST] = ast.Module) -> set[str]:
    """Return the strings that are passed as this keyword argument."""
    files = [f for folder in ("", "flows", "hub") for f in (ROOT / folder).glob("*.py")]
    modules = [ast.parse(file.read_text("utf-8")) for file in files]
    return {
        constant.value
        for module in modules
        for statement in ast.walk(module)
        if isinstance(statement, within)
        for node in ast.walk(statement)
        if isinstance(node, ast.keyword) and node.arg == name
        for constant in ast.walk(node.value)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    }


# The manifest


def test_the_manifest_is_in_order() -> None:
    manifest = read("manifest.json")
    keys = list(manifest)
    assert keys[:2] == ["domain", "name"]
    assert keys[2:] == sorted(keys[2:])
    assert set(keys) <= set(Manifest.__annotations__)


def test_the_manifest_has_what_a_custom_integration_needs() -> None:
    manifest = read("manifest.json")
    assert manifest["domain"] == ROOT.name == const.DOMAIN
    assert re.fullmatch(r"\d+\.\d+\.\d+", manifest["version"])
    repository = ROOT.parents[1]
    project = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))
    assert manifest["version"] == project["project"]["version"]
    assert (
        f"## [{manifest['version']}] - 2" in (repository / "CHANGELOG.md").read_text()
    )
    assert manifest["config_flow"] is True
    assert manifest["iot_class"] == "local_push"
    assert manifest["integration_type"] == "hub"
    assert manifest["requirements"] == []
    assert all(owner.startswith("@") for owner in manifest["codeowners"])
    for url in ("documentation", "issue_tracker"):
        assert manifest[url].startswith("https://")


def test_hacs_knows_us_by_the_same_name() -> None:
    hacs = json.loads((ROOT.parent.parent / "hacs.json").read_text("utf-8"))
    assert hacs["name"] == read("manifest.json")["name"]


def test_every_platform_has_its_module() -> None:
    platforms = {platform.value for platform in Platform}
    modules = {path.stem for path in ROOT.glob("*.py")}
    assert modules & platforms == {str(platform) for platform in const.PLATFORMS}


# Texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_the_texts_of_english(language: str) -> None:
    translated = dict(texts(read(f"translations/{language}.json")))
    english = dict(texts(ENGLISH))
    assert list(translated) == list(english)
    for path, text in translated.items():
        assert placeholders(text) == placeholders(english[path]), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_as_home_assistant_wants_them(language: str) -> None:
    for path, text in texts(read(f"translations/{language}.json")):
        assert text and text == text.strip(), path
        assert cv.string_with_no_html(text) == text, path
        assert not URL.search(text), f"{path}: a URL belongs in a placeholder"
        assert "[%key:" not in text, f"{path}: custom integrations have no references"
        assert not re.search(r"'\{\w+\}'", text), f"{path}: a placeholder in quotes"
        assert all(name.isidentifier() for name in placeholders(text)), path
        # A single quote before a brace is an escape to the frontend.
        assert not re.search(r"'[{}<]", text), path
        for key in path.split("."):
            assert key == "_" or SLUG.fullmatch(key), path


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_sorted(language: str) -> None:
    def check(tree: dict[str, Any]) -> None:
        assert list(tree) == sorted(tree)
        for value in tree.values():
            if isinstance(value, dict):
                check(value)

    check(read(f"translations/{language}.json"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_title_of_a_server_ends_with_its_address(language: str) -> None:
    """By that the dialogue finds it in a title in any language."""
    title = read(f"translations/{language}.json")["common"]["server_title"]
    assert title.endswith(" {address}")


# No text is missing, and none is unused


def test_only_values_that_are_not_escaped_are_in_the_title_of_a_repair() -> None:
    for name, issue in ENGLISH["issues"].items():
        assert placeholders(issue["title"]) <= {"title"}, name
        description = issue.get("description", "")
        assert "title" not in placeholders(description), name


def test_every_text_of_our_own_is_used() -> None:
    named = {
        node.args[1].value
        for file in ROOT.glob("**/*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "text"
        and isinstance(node.args[1], ast.Constant)
    }
    uses = {f"logbook_{use}{by}" for use in const.LINE_USES for by in ("", "_by")}
    deeds = {f"link_press_{it}" for it in (*DEEDS, "actions")}
    labels = {f"web_{name}" for name in (*LABELED, *KEY_FIELDS)}
    assert set(ENGLISH["common"]) == named | uses | deeds | labels | set(RESET_DRAWINGS)


def flow_class(name: str) -> ast.ClassDef:
    [found] = [
        node
        for module in (
            "flows/server",
            "flows/discovered",
            "flows/line",
            "flows/enter",
            "flows/found",
            "flows/phone",
            "flows/phone_settings",
            "flows/plug_in",
            "flows/sending",
        )
        for node in source(module)
        if isinstance(node, ast.ClassDef) and node.name == name
    ]
    return found


def steps(name: str) -> set[str]:
    return {
        node.name.removeprefix("async_step_")
        for node in flow_class(name).body
        if isinstance(node, ast.AsyncFunctionDef)
        and node.name.startswith("async_step_")
    }


SERVER = ENGLISH["config"]
PHONE = ENGLISH["config_subentries"][const.SUBENTRY_TYPE_PHONE]
LINE = ENGLISH["config_subentries"][const.SUBENTRY_TYPE_SHARED_LINE]


def fields(schema: Any) -> set[str]:
    return {str(marker) for marker in schema.schema}


def test_every_step_has_its_texts() -> None:
    discovered = steps("DiscoveredFlow") - {"dhcp", "integration_discovery"}
    assert set(SERVER["step"]) == steps("SnomConfigFlow") | discovered
    # A page of progress has one text.
    # Those without a page end the dialogue.
    of_phone = steps("PhoneFlow") - {"arrange"} | steps("PlugInFlow")
    of_phone |= steps("FoundFlow") - {"later"}
    of_phone |= steps("EnterFlow") | steps("SettingsFlow") | steps("SendingFlow")
    assert set(PHONE["step"]) | set(PHONE["progress"]) == of_phone
    assert set(PHONE["progress"]) == keyword_values("progress_action")
    assert set(LINE["step"]) == steps("LineFlow")
    line = {"name", "code", "phones", "key", "release_after"}
    phone = fields(account_schema([], is_snom=True))
    sections = {
        str(marker): fields(field.schema)
        for marker, field in SERVER_SCHEMA.schema.items()
        if isinstance(field, section)
    }
    server = fields(SERVER_SCHEMA) - sections.keys()
    for step in ("user", "reconfigure"):
        texts_of_sections = SERVER["step"][step]["sections"]
        assert texts_of_sections.keys() == sections.keys()
        for name, section_texts in texts_of_sections.items():
            assert {"name", "description"} <= set(section_texts)
            assert set(section_texts["data"]) == sections[name]
            assert set(section_texts["data_description"]) == sections[name]
    [states] = PHONE["step"]["sending"]["sections"].values()
    assert set(states["data"]) == set(states["data_description"]) == set(LightMode)
    assert fields(STATES_SCHEMA) == set(LightMode)
    new_keys = fields(choose_schema([], {"light.hall": "Hall"}))
    for texts_of_flow, step, wanted in (
        (SERVER, "user", server),
        (SERVER, "reconfigure", server),
        (SERVER, "confirm", new_keys),
        (SERVER, "tried", new_keys),
        (PHONE, "user", set()),
        (PHONE, "manual", phone),
        (PHONE, "other_maker", fields(maker_schema(has_snom=False))),
        (PHONE, "maker", fields(maker_schema(has_snom=True))),
        (PHONE, "other_account", fields(account_schema([], is_snom=False))),
        (PHONE, "other_phone", set()),
        (PHONE, "plug_in", new_keys),
        (PHONE, "plugged_in", set()),
        (PHONE, "nothing_heard", set()),
        (PHONE, "which_phone", {"phone"}),
        (PHONE, "found", {"phone"}),
        (PHONE, "found_keys", new_keys),
        (PHONE, "reach", {"switch"}),
        (PHONE, "fetched", set()),
        (PHONE, "unfetched", set()),
        (PHONE, "reconfigure", set()),
        (PHONE, "account", phone),
        (PHONE, "choose", fields(choose_schema([]))),
        (PHONE, "keys", {"keys", "room_lights"}),
        (PHONE, "phone", set()),
        (PHONE, "placed", set()),
        (PHONE, "beside", set()),
        (PHONE, "settings", fields(SETTINGS_SCHEMA)),
        (PHONE, "sending", fields(SENDING_SCHEMA) - {"states"}),
        (PHONE, "web_password", set()),
        (PHONE, "web_password_stays", set()),
        (PHONE, "dialling", fields(DIALLING_SCHEMA)),
        (LINE, "user", line),
        (LINE, "reconfigure", line),
        (LINE, "keys", {"keys"}),
    ):
        step_texts = texts_of_flow["step"][step]
        assert {"title", "description"} <= set(step_texts)
        assert set(step_texts.get("data", {})) == wanted
        # Lists show no help texts, so the page's description has them.
        helped = wanted - {"keys", "dial_rules"}
        assert set(step_texts.get("data_description", {})) == helped


def test_a_subentry_has_what_it_needs() -> None:
    for subentry in (PHONE, LINE):
        assert subentry["entry_type"]
        assert set(subentry["initiate_flow"]) == {"user", "reconfigure"}


def test_no_text_of_an_error_is_unused() -> None:
    """The tests of the dialogues check that each error has a text."""
    words = {
        node.value
        for module in (
            "hub/certificate",
            "flows/forms",
            "flows/server",
            "flows/choose",
            "flows/found",
            "flows/phone",
            "flows/phone_settings",
            "flows/sending",
            "flows/server_form",
            "flows/keys",
            "flows/links",
            "flows/dialling",
            "flows/line",
        )
        for node in source(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert {*SERVER["error"], *PHONE["error"], *LINE["error"]} <= words


def test_every_abort_has_its_text() -> None:
    faults = {
        node.value
        for function in ast.walk(flow_class("PlugInFlow"))
        if isinstance(function, ast.FunctionDef) and function.name == "_fault"
        for node in ast.walk(function)
        if isinstance(node, ast.Constant) and node.value in PHONE["abort"]
    }
    assert faults == {"not_running", "not_heard", "no_settings_url"}
    of_plug_in = {"phone_added"}
    of_cards = {
        "extension_taken",
        "no_settings_url",
        "not_heard",
        "other_to_type",
        "phone_added",
        "not_running",
        "phone_known",
        "phone_to_type",
        "too_many_cards",
    }
    named = {"already_configured", "arrange", "no_phones"} | of_plug_in | of_cards
    assert keyword_values("reason") == named
    assert set(SERVER["abort"]) == {"already_configured"} | of_cards
    of_phone = {"already_configured", "arrange"}
    assert set(PHONE["abort"]) == of_phone | of_plug_in | faults
    assert set(LINE["abort"]) == {"no_phones", "not_running"}


def choices(node: ast.AST) -> Iterator[ast.Constant]:
    """Return the constants that an expression may evaluate to."""
    if isinstance(node, ast.IfExp):
        yield from (*choices(node.body), *choices(node.orelse))
    elif isinstance(node, ast.Constant):
        yield node


def test_every_exception_has_its_text() -> None:
    raised = keyword_values("translation_key", within=ast.Raise)
    raised |= {
        constant.value
        for file in ROOT.glob("**/*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("Refused", "Failed", "DocumentError")
        for constant in choices(node.args[0])
    }
    raised |= {field.error for field in FIELDS.values()}
    assert raised == set(ENGLISH["exceptions"])
    for text in ENGLISH["exceptions"].values():
        assert set(text) == {"message"}


def entity_keys(platform: str) -> set[str]:
    return {
        node.value.value
        for node in source("entity", platform)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "_attr_translation_key"
        and isinstance(node.value, ast.Constant)
    }


def test_every_entity_has_its_name() -> None:
    entity = ENGLISH["entity"]
    assert set(entity["event"]) == entity_keys("event") - {"led"}
    assert set(entity["binary_sensor"]) == {d.translation_key for d in DESCRIPTIONS}
    assert all(d.key == d.translation_key for d in DESCRIPTIONS)
    for platform in ("event", "binary_sensor", "button", "sensor"):
        assert all("name" in texts_of for texts_of in entity[platform].values())
    assert set(entity["light"]) == entity_keys("light") == {"led", "message_lamp"}
    assert set(entity["button"]) == {b.translation_key for b in BUTTONS}
    assert all(b.key == b.translation_key for b in BUTTONS)
    described = (*OF_REGISTRATION, *OF_SENDING, *OF_TRAFFIC)
    assert all(d.key == d.translation_key for d in described)
    of_description = {d.translation_key for d in described}
    assert set(entity["sensor"]) == entity_keys("sensor") - {"led"} | of_description
    options = {d.key: d.options for d in described if d.options}
    assert options.keys() == {"transport", "sent_as"}
    for key, words in options.items():
        assert list(entity["sensor"][key]["state"]) == sorted(words)


def test_every_effect_and_event_type_has_its_text() -> None:
    effects = ENGLISH["entity"]["light"]["led"]["state_attributes"]["effect"]["state"]
    assert set(effects) == set(light.EFFECTS) - {"off"}
    dialled = ENGLISH["entity"]["event"]["dialled"]["state_attributes"]["event_type"]
    assert set(dialled["state"]) == {event.EVENT_TYPE_DIALLED}


def test_every_choice_has_its_text() -> None:
    selector = ENGLISH["selector"]
    assert set(selector["key_kind"]["options"]) == set(OWN_KINDS)
    assert set(selector["model"]["options"]) == {const.MODEL_OTHER}
    nameless = {name for name, maker in MAKERS.items() if not maker.name}
    assert set(selector["maker"]["options"]) == nameless == {"other"}
    assert set(selector["key_light"]["options"]) == set(LightMode)
    assert set(selector["dial_answer"]["options"]) == set(DialAnswer)
    assert set(selector["speakers"]["options"]) == set(Speakers)
    assert set(selector["press_answer"]["options"]) == set(PressAnswer)
    assert set(selector["dialog_state"]["options"]) == set(DialogState)
    assert set(selector["link_press"]["options"]) == set(LinkPress)
    assert set(selector["link_label"]["options"]) == set(LinkLabel)
    assert set(selector["link_confirm"]["options"]) == set(LinkConfirm)
    assert set(selector["keys"]["fields"]) == {
        "key",
        "name",
        "kind",
        "colors",
        "toggle",
        "light_on",
        "light_off",
        "number_on",
        "number_off",
        "follows",
        "look_table",
        "look_template",
        "press",
        "actions",
        "target",
        "label",
        "label_template",
        "confirm",
        "unavailable",
        "code",
        "no_code",
    }
    assert set(selector["dial_rules"]["fields"]) == {"number", "run"}
    for list_name in ("keys", "dial_rules"):
        for field, field_texts in selector[list_name]["fields"].items():
            # The frontend shows no description below an editor of actions.
            wanted = {"name"} if field == "actions" else {"name", "description"}
            assert set(field_texts) == wanted


def service_fields(service: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the fields of an action, those of its sections among them."""
    for name, field in service["fields"].items():
        if "fields" in field:
            yield from service_fields(field)
        else:
            yield name, field


def sections(service: dict[str, Any]) -> set[str]:
    return {name for name, field in service["fields"].items() if "fields" in field}


def test_every_action_has_its_texts() -> None:
    actions = load_yaml_dict(str(ROOT / "services.yaml"))
    assert set(actions) == set(ENGLISH["services"]) == set(ICONS["services"])
    taken = {
        "set_key": {*FIELDS, "key", "reset", "wait"},
        "press_key": {"key", "wait"},
        "send_document": {"document", "wait"},
        "set_messages": {"mwi", "wait"},
    }
    for name, action in actions.items():
        # hassfest refuses any filter of devices in a target.
        assert action["target"] == {"entity": {"integration": const.DOMAIN}}
        action_texts = ENGLISH["services"][name]
        assert {"name", "description"} <= set(action_texts)
        fields_of_action = dict(service_fields(action))
        assert set(fields_of_action) == set(action_texts["fields"]) == taken[name]
        for field_texts in action_texts["fields"].values():
            assert set(field_texts) == {"name", "description"}
        assert sections(action) == set(action_texts.get("sections", {}))
        assert sections(action) == set(ICONS["services"][name].get("sections", {}))


def test_every_choice_of_an_action_is_one_that_is_taken() -> None:
    action = load_yaml_dict(str(ROOT / "services.yaml"))["set_key"]
    chosen = set()
    for name, field in service_fields(action):
        if select := field["selector"].get("select"):
            chosen.add(name)
            assert ", ".join(sorted(select["options"])) == ", ".join(
                sorted(FIELDS[name].allowed.split(", "))
            )
            options = ENGLISH["selector"][select["translation_key"]]["options"]
            assert set(options) == set(select["options"])
    assert chosen == {name for name, field in FIELDS.items() if field.allowed}


# Icons, brand, quality scale


def test_icons() -> None:
    assert set(ICONS) == {"entity", "services"}
    for path, icon in texts(ICONS):
        assert re.fullmatch(r"mdi:[a-z0-9-]+", icon), path
    for platform, keys in ICONS["entity"].items():
        # The user names the lamp of a key.
        assert set(keys) - {"led"} == set(ENGLISH["entity"][platform]) - {"led"}


@pytest.mark.parametrize(("name", "size"), [("icon.png", 256), ("icon@2x.png", 512)])
def test_brand(name: str, size: int) -> None:
    with Image.open(ROOT / "brand" / name) as image:
        assert image.format == "PNG"
        assert image.size == (size, size)
        assert image.mode == "RGBA"


# hassfest's list, script/hassfest/quality_scale.py
RULES = re.findall(
    r"\S+",
    """
action-setup appropriate-polling brands common-modules config-flow
config-flow-test-coverage dependency-transparency docs-actions docs-conditions
docs-high-level-description docs-installation-instructions docs-removal-instructions
docs-triggers entity-event-setup entity-unique-id has-entity-name runtime-data
test-before-configure test-before-setup unique-config-entry

action-exceptions config-entry-unloading docs-configuration-parameters
docs-installation-parameters entity-unavailable integration-owner log-when-unavailable
parallel-updates reauthentication-flow test-coverage

devices diagnostics discovery discovery-update-info docs-data-update docs-examples
docs-known-limitations docs-supported-devices docs-supported-functions
docs-troubleshooting docs-use-cases dynamic-devices entity-category entity-device-class
entity-disabled-by-default entity-translations exception-translations icon-translations
reconfiguration-flow repair-issues stale-devices

async-dependency inject-websession strict-typing
""",
)


def test_the_quality_scale_answers_every_rule() -> None:
    rules = load_yaml_dict(ROOT / "quality_scale.yaml")["rules"]
    assert list(rules) == RULES
    assert len(rules) == 54
    for rule, answer in rules.items():
        status = answer if isinstance(answer, str) else answer["status"]
        assert status in ("done", "todo", "exempt"), rule
        if status != "done":
            assert answer["comment"], f"{rule} needs a reason"


def test_german_has_one_word_for_a_registration() -> None:
    """*Anmelden*, as in the name of the sensor; the server is the *Registrar*."""
    german = (ROOT / "translations" / "de.json").read_text()
    assert "registrier" not in german.lower()
