"""The dialogue of a phone without its account: keys that toggle, and dialling."""

from http import HTTPStatus
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.snom_buttons.engine.xbuttons import LightMode
from homeassistant.config_entries import SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.setup import async_setup_component
from tests.support.entries import KEYS, device_of, reaches
from tests.support.flows import (
    TEXTS,
    checked_phone,
    listed_keys,
    reconfigure_phone,
    submit_account,
    submit_phone,
    suggested,
)
from tests.support.key_faults import DND, KEY_FAULTS
from tests.support.names import FORBIDDEN
from tests.support.rawphone import RawPhone

RULES = [
    {"number": "100", "run": "script.good_night"},
    {"number": "*5", "run": "scene.evening"},
]


def error_texts(result: SubentryFlowResult) -> dict[str, str]:
    """Return the errors of a form as the user reads them."""
    texts = TEXTS["config_subentries"]["phone"]["error"]
    placeholders = result["description_placeholders"]
    return {
        field: texts[error].format(**placeholders)
        for field, error in result["errors"].items()
    }


# Keys


async def keys_page(hass: HomeAssistant, entry: MockConfigEntry) -> SubentryFlowResult:
    result = await submit_account(hass, await reconfigure_phone(hass, entry))
    assert result["step_id"] == "keys"
    return result


async def finish(hass: HomeAssistant, result: SubentryFlowResult) -> None:
    """Submit the last page, which shows what to enter in the phone."""
    assert result["step_id"] == "phone"
    result = await submit_phone(hass, result)
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()


async def test_a_key_that_toggles_has_two_documents(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    hub = server.runtime_data
    result = await keys_page(hass, server)
    result = await submit_phone(hass, result, keys=[*KEYS[:3], DND])
    await finish(hass, result)
    assert server.subentries["subentry_44"].data["keys"] == [
        *KEYS[:3],
        DND | {"colors": True},
    ]

    async def sends(document: str) -> None:
        await phone.until(lambda: phone.requests[-1].body == document)

    off = "k=4\r\nn=*78\r\na=message\r\nl=DND\r\n\r\n"
    on = "k=4\r\nc=offline\r\nn=*79\r\na=message\r\nl=DND\r\n\r\n"
    await sends(off)
    for document, state in ((on, "on"), (off, "off")):
        assert (await phone.press("4")).status == 200
        await sends(document)
        await reaches(hass, "switch.phone_44_dnd", state)
    assert server.runtime_data is hub


async def test_the_editor_of_a_key_shows_what_is_usual(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    """The frontend fills in the defaults of a new key only."""
    result = await keys_page(hass, config_entry)
    assert suggested(result)["keys"][2] == KEYS[2] | {
        "press": "automatic",
        "confirm": "automatic",
        "label": "automatic",
        "unavailable": "offline",
        "no_code": False,
        "toggle": False,
        "light_on": "on",
        "light_off": "off",
    }


async def test_what_is_as_usual_of_a_key_is_not_stored(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    usual = {
        "toggle": False,
        "light_on": "on",
        "light_off": "off",
        "number_on": " ",
        "number_off": "",
    }
    result = await keys_page(hass, config_entry)
    result = await submit_phone(hass, result, keys=[key | usual for key in KEYS])
    await finish(hass, result)
    assert config_entry.subentries["subentry_44"].data["keys"] == KEYS


async def test_a_key_that_toggles_is_shown_as_it_is(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    keys = [DND | {"colors": False, "light_off": "message"}]
    subentry = config_entry.subentries["subentry_44"]
    hass.config_entries.async_update_subentry(
        config_entry, subentry, data={**subentry.data, "keys": keys}
    )
    result = await keys_page(hass, config_entry)
    assert listed_keys(result) == keys
    assert suggested(result)["room_lights"] is False
    await finish(hass, await submit_phone(hass, result))
    assert config_entry.subentries["subentry_44"].data["keys"] == keys


async def test_lamps_count_as_lights_of_the_room_if_that_is_chosen(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    """The choice outlives an error on its page, and changes of other pages."""

    def stored() -> bool:
        data = config_entry.subentries["subentry_44"].data
        return data.get("room_lights", False)

    for before, chosen in ((False, True), (True, True), (True, False)):
        result = await keys_page(hass, config_entry)
        assert suggested(result)["room_lights"] is before
        result = await submit_phone(hass, result, room_lights=chosen, keys=[])
        assert result["errors"]
        assert suggested(result)["room_lights"] is chosen
        await finish(hass, await submit_phone(hass, result, keys=KEYS))
        assert stored() is chosen
        result = await reconfigure_phone(hass, config_entry, "dialling")
        await submit_phone(hass, result)
        assert stored() is chosen


@pytest.mark.parametrize(("keys", "text"), KEY_FAULTS)
async def test_what_is_wrong_with_a_key_is_said(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    keys: list[dict[str, Any]],
    text: str,
) -> None:
    before = dict(config_entry.subentries["subentry_44"].data)
    result = await keys_page(hass, config_entry)
    result = await submit_phone(hass, result, keys=keys)
    assert result["step_id"] == "keys"
    assert error_texts(result) == {"base": text}
    assert listed_keys(result) == keys
    assert config_entry.subentries["subentry_44"].data == before
    good = DND | {"number_on": "7" * 64, "number_off": "7" * 64}
    await finish(hass, await submit_phone(hass, result, keys=[good]))


@pytest.mark.parametrize("bad", [{"light_on": "green"}, {"number_on": 79}])
async def test_a_key_takes_what_there_is(
    hass: HomeAssistant, config_entry: MockConfigEntry, bad: dict[str, Any]
) -> None:
    result = await keys_page(hass, config_entry)
    with pytest.raises(InvalidData):
        await submit_phone(hass, result, keys=[DND | bad])


async def test_what_is_true_or_false_is_stored_so(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    """Home Assistant's selector accepts any value and passes it on."""
    result = await keys_page(hass, config_entry)
    keys = [DND | {"toggle": 1, "colors": None}]
    await finish(hass, await submit_phone(hass, result, keys=keys))
    [key] = config_entry.subentries["subentry_44"].data["keys"]
    assert key["toggle"] is True
    assert key["colors"] is False


async def test_the_lights_of_a_switch_come_in_the_language_of_the_server(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    hass.config.language = "de"
    result = await keys_page(hass, config_entry)
    selector, _ = result["data_schema"].schema.values()
    for field in ("light_on", "light_off"):
        lights = selector.config["fields"][field]["selector"].config["options"]
        labels = {light["value"]: light["label"] for light in lights}
        assert list(labels) == list(LightMode)
        assert labels["off"] == "Aus"
        assert labels["hold"] == "Anruf gehalten"


async def test_the_menu_leads_to_the_picture_on_which_keys_are_arranged(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    """Also before the server has run, when no device is known."""

    async def link() -> str:
        result = await config_entry.start_subentry_reconfigure_flow(hass, "subentry_44")
        result = checked_phone(
            await hass.config_entries.subentries.async_configure(
                result["flow_id"], {"next_step_id": "arrange"}
            )
        )
        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "arrange")
        placeholders = result["description_placeholders"]
        assert placeholders is not None
        assert placeholders["phone"] == "Phone 44"
        return placeholders["link"]

    assert await link() == "/snom-phones/"
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    assert await link() == f"/snom-phones/{device_of(hass)}"


# Dialling


async def save_dialling(
    hass: HomeAssistant, entry: MockConfigEntry, **changes: Any
) -> None:
    result = await reconfigure_phone(hass, entry, "dialling")
    result = await submit_phone(hass, result, **changes)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()


async def test_dialling_is_as_usual_to_begin_with(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    before = dict(config_entry.subentries["subentry_44"].data)
    result = await reconfigure_phone(hass, config_entry, "dialling")
    assert suggested(result) == {"answer": "busy"}
    assert result["last_step"] is True
    result = await submit_phone(hass, result)
    assert result["reason"] == "reconfigure_successful"
    assert config_entry.subentries["subentry_44"].data == before


@pytest.mark.parametrize(
    ("entered", "stored"),
    [
        ("sip:{number}@192.0.2.7", "sip:{number}@192.0.2.7"),
        ("sips:0{number}@pbx.example:5061", "sips:0{number}@pbx.example:5061"),
        (" pbx ", "sip:{number}@pbx"),
        ("192.0.2.7", "sip:{number}@192.0.2.7"),
        ("pbx.example:5070", "sip:{number}@pbx.example:5070"),
        ("2001:db8::7", "sip:{number}@[2001:db8::7]"),
        ("[2001:db8::7]:5070", "sip:{number}@[2001:db8::7]:5070"),
    ],
)
async def test_a_telephone_system_is_stored_as_a_uri(
    hass: HomeAssistant, config_entry: MockConfigEntry, entered: str, stored: str
) -> None:
    await save_dialling(hass, config_entry, answer="redirect", redirect_to=entered)
    assert config_entry.subentries["subentry_44"].data["dialling"] == {
        "answer": "redirect",
        "redirect_to": stored,
    }
    result = await reconfigure_phone(hass, config_entry, "dialling")
    assert suggested(result) == {"answer": "redirect", "redirect_to": stored}


@pytest.mark.parametrize(
    "dialling",
    [
        {"answer": "decline"},
        {"redirect_to": "sip:{number}@192.0.2.7"},
        {"dial_rules": RULES},
        {
            "answer": "redirect",
            "redirect_to": "sip:{number}@192.0.2.7",
            "dial_rules": RULES,
        },
    ],
)
async def test_dialling_is_stored_beside_all_else(
    hass: HomeAssistant, config_entry: MockConfigEntry, dialling: dict[str, Any]
) -> None:
    """The account's pages do not change it, and defaults are not stored."""
    before = dict(config_entry.subentries["subentry_44"].data)
    await save_dialling(hass, config_entry, **dialling)
    subentry = config_entry.subentries["subentry_44"]
    assert subentry.data == before | {"dialling": dialling}
    assert (subentry.title, subentry.unique_id) == ("Phone 44", "44")

    result = await reconfigure_phone(hass, config_entry)
    result = await submit_account(hass, result, extension="144", name="Hall")
    await finish(hass, await submit_phone(hass, result, keys=[DND]))
    assert config_entry.subentries["subentry_44"].data == before | {
        "extension": "144",
        "keys": [DND | {"colors": True}],
        "dialling": dialling,
    }

    usual = {"answer": "busy", "redirect_to": None, "dial_rules": []}
    await save_dialling(hass, config_entry, **usual)
    assert "dialling" not in config_entry.subentries["subentry_44"].data


async def test_blanks_around_a_number_do_not_matter(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    rule = {"number": " 100\n", "run": "script.good_night"}
    await save_dialling(hass, config_entry, dial_rules=[rule])
    subentry = config_entry.subentries["subentry_44"]
    assert subentry.data["dialling"] == {"dial_rules": RULES[:1]}


NOT_A_REDIRECTION = (
    "Enter a host name, an address, or a target like sip:{number}@192.0.2.7."
)


@pytest.mark.parametrize(
    ("changes", "texts"),
    [
        (
            {"answer": "redirect"},
            {"redirect_to": "Enter the telephone system that the phone should call."},
        ),
        (
            {"answer": "redirect", "redirect_to": " "},
            {"redirect_to": "Enter the telephone system that the phone should call."},
        ),
        *(
            (changes, {"redirect_to": NOT_A_REDIRECTION})
            for changes in (
                {"answer": "redirect", "redirect_to": "two words"},
                {"answer": "busy", "redirect_to": "sip:192.0.2.7"},
                {"answer": "decline", "redirect_to": "{number}"},
                {"answer": "busy", "redirect_to": "sip:100@192.0.2.7"},
                {"answer": "busy", "redirect_to": "sip:{number}@{number}"},
                {"answer": "busy", "redirect_to": "sip:{number}@pbx;tag={number}"},
                {"answer": "busy", "redirect_to": "tel:{number}@pbx"},
                {"answer": "busy", "redirect_to": "sip:{number}@pbx>\r\nX: y"},
                {"answer": "busy", "redirect_to": "sip:{other}@pbx"},
                {"answer": "busy", "redirect_to": "pbx:70000"},
                *(
                    {"answer": "busy", "redirect_to": f"sip:{{number}}@pbx;a=1{sign}2"}
                    for sign in FORBIDDEN
                ),
            )
        ),
        (
            {"dial_rules": [{"number": " ", "run": "script.good_night"}]},
            {"dial_rules": "The dial rule that runs script.good_night has no number."},
        ),
        (
            {"dial_rules": [*RULES, {"number": " 100", "run": "scene.evening"}]},
            {
                "dial_rules": "Two dial rules have the number 100."
                " Each number can be used once."
            },
        ),
        (
            {"dial_rules": [{"number": "1" * 65, "run": "scene.evening"}]},
            {
                "dial_rules": f"Dial rule {'1' * 65}:"
                " a number has at most 64 characters."
            },
        ),
        (
            {"dial_rules": [{"number": "1\t0", "run": "scene.evening"}]},
            {
                "dial_rules": "Dial rule 1\t0: a number cannot contain line breaks,"
                " tabs or other invisible characters."
            },
        ),
        (
            # Home Assistant's selector lets the ID of an entry of the registry pass.
            {"dial_rules": [{"number": "100", "run": "0" * 32}]},
            {
                "dial_rules": "Dial rule 100:"
                " it can run a script or a scene, nothing else."
            },
        ),
        (
            {
                "answer": "redirect",
                "redirect_to": "?",
                "dial_rules": [{"number": "", "run": "scene.evening"}],
            },
            {
                "redirect_to": NOT_A_REDIRECTION,
                "dial_rules": "The dial rule that runs scene.evening has no number.",
            },
        ),
    ],
)
async def test_what_is_wrong_with_dialling_is_said(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    changes: dict[str, Any],
    texts: dict[str, str],
) -> None:
    before = dict(config_entry.subentries["subentry_44"].data)
    result = await reconfigure_phone(hass, config_entry, "dialling")
    result = await submit_phone(hass, result, **changes)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "dialling"
    assert error_texts(result) == texts
    assert suggested(result) == {"answer": "busy"} | changes
    assert config_entry.subentries["subentry_44"].data == before
    good = {"number": "1" * 64, "run": "scene.evening"}
    result = await submit_phone(hass, result, redirect_to="pbx", dial_rules=[good])
    assert result["reason"] == "reconfigure_successful"


@pytest.mark.parametrize(
    "changes",
    [
        {"answer": "accept"},
        {"redirect_to": 100},
        *(
            {"dial_rules": rules}
            for rules in (
                "100",
                ["100"],
                RULES[0],
                [{"number": "100"}],
                [{"run": "script.good_night"}],
                [{"number": 100, "run": "script.good_night"}],
                [{"number": "100", "run": "light.hall"}],
                [{"number": "100", "run": "good night"}],
                [{"number": "100", "run": "script.good_night", "at": "22:00"}],
            )
        ),
    ],
)
async def test_dialling_takes_what_there_is(
    hass: HomeAssistant, config_entry: MockConfigEntry, changes: dict[str, Any]
) -> None:
    result = await reconfigure_phone(hass, config_entry, "dialling")
    with pytest.raises(InvalidData):
        await submit_phone(hass, result, **changes)


async def test_a_call_is_answered_as_the_form_says(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    hub = server.runtime_data
    assert (await phone.invite("100")).status == 486
    await save_dialling(hass, server, answer="redirect", redirect_to="192.0.2.7")
    answer = await phone.invite("100")
    assert answer.status == 302
    assert answer.all("Contact") == ["<sip:100@192.0.2.7>"]
    await save_dialling(hass, server, answer="decline")
    assert (await phone.invite("100")).status == 603
    await save_dialling(hass, server, answer="busy", redirect_to=None)
    assert (await phone.invite("100")).status == 486
    assert server.runtime_data is hub
    assert hass.states.get("event.phone_44_dialled").attributes["number"] == "100"


async def test_a_number_with_a_rule_runs_a_script_or_a_scene(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    """It is never redirected to another telephone system."""
    script = {"good_night": {"sequence": {"event": "good_night"}}}
    scene = {"name": "Evening", "entities": {"light.sofa": "on"}}
    assert await async_setup_component(hass, "script", {"script": script})
    assert await async_setup_component(hass, "scene", {"scene": scene})
    await hass.async_block_till_done()
    nights = async_capture_events(hass, "good_night")
    await save_dialling(
        hass, server, answer="redirect", redirect_to="192.0.2.7", dial_rules=RULES
    )

    assert (await phone.invite("101")).status == 302
    await hass.async_block_till_done()
    assert not nights
    assert hass.states.get("scene.evening").state == "unknown"

    assert (await phone.invite("100")).status == 486
    assert (await phone.invite("*5")).status == 486
    await hass.async_block_till_done()
    assert len(nights) == 1
    assert hass.states.get("scene.evening").state != "unknown"


async def test_the_menu_and_dialling_over_rest(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, server: MockConfigEntry
) -> None:
    """The JSON that the frontend gets and sends."""
    assert await async_setup_component(hass, "config", {})
    client = await hass_client()

    async def post(path: str, **data: Any) -> dict[str, Any]:
        response = await client.post(
            f"/api/config/config_entries/subentries/flow{path}", json=data
        )
        assert response.status == HTTPStatus.OK, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer

    menu = await post("", handler=[server.entry_id, "phone"], subentry_id="subentry_44")
    assert menu["type"] == "menu"
    assert menu["menu_options"] == [
        "account",
        "arrange",
        "dialling",
        "sending",
        "settings",
        "maker",
    ]
    path = f"/{menu['flow_id']}"
    form = await post(path, next_step_id="dialling")
    answer, redirect_to, dial_rules = form["data_schema"]
    assert answer["name"] == "answer"
    assert answer["required"] is True
    assert answer["default"] == "busy"
    assert answer["selector"]["select"]["options"] == ["busy", "redirect", "decline"]
    assert redirect_to["name"] == "redirect_to"
    assert redirect_to["optional"] is True
    assert dial_rules["name"] == "dial_rules"
    fields = dial_rules["selector"]["object"]["fields"]
    assert fields["run"]["selector"]["entity"]["domain"] == ["script", "scene"]
    done = await post(path, answer="redirect", redirect_to="pbx", dial_rules=RULES)
    assert done["reason"] == "reconfigure_successful"
    assert server.subentries["subentry_44"].data["dialling"] == {
        "answer": "redirect",
        "redirect_to": "sip:{number}@pbx",
        "dial_rules": RULES,
    }

    menu = await post("", handler=[server.entry_id, "phone"], subentry_id="subentry_44")
    path = f"/{menu['flow_id']}"
    account = {"extension": "44", "password": "geheim-44", "model": "D785"}
    await post(path, next_step_id="account")
    form = await post(path, **account, key_count=4)
    entities, area = form["data_schema"]
    selector = entities["selector"]["entity"]
    assert "sensor.phone_44_firmware" in selector.pop("exclude_entities")
    assert selector == {"multiple": True, "reorder": True}
    assert area["selector"] == {"area": {"multiple": False, "reorder": False}}
    form = await post(path)
    keys, room_lights = form["data_schema"]
    assert room_lights["selector"] == {"boolean": {}}
    fields = keys["selector"]["object"]["fields"]
    assert list(fields) == [
        "key",
        "name",
        "kind",
        "follows",
        "press",
        "target",
        "actions",
        "confirm",
        "code",
        "no_code",
        "label",
        "label_template",
        "look_table",
        "look_template",
        "unavailable",
        "toggle",
        "light_on",
        "light_off",
        "number_on",
        "number_off",
        "colors",
    ]
    assert keys["selector"]["object"]["label_field"] == "name"
    assert keys["selector"]["object"]["description_field"] == "follows"
    assert fields["light_on"]["default"] == "on"
    assert fields["follows"]["selector"] == {
        "entity": {"multiple": False, "reorder": False}
    }
    assert fields["look_table"]["selector"] == {"object": {"multiple": False}}
    assert fields["look_template"]["selector"] == {"template": {}}
    assert fields["actions"]["selector"] == {"action": {}}
    assert fields["unavailable"]["default"] == "offline"
    assert {"value": "hold", "label": "Call on hold"} in fields["light_on"]["selector"][
        "select"
    ]["options"]
