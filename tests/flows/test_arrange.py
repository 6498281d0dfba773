"""The websocket command that arranges the keys of a phone, over a real websocket."""

import json
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.snom_buttons.flows import arrange
from custom_components.snom_buttons.hub.exchanges import origins_of
from homeassistant.config_entries import ConfigEntry, ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from tests.support.clock import hurrying
from tests.support.entries import (
    KEYS,
    add_phone,
    device_of,
    in_sync,
    key_data,
    line_subentry,
    update_phone,
)
from tests.support.faces import Arranger, Viewer, token_of
from tests.support.flows import TEXTS
from tests.support.key_faults import KEY_FAULTS, LINK_FAULTS, NO_ACTION, link
from tests.support.rawphone import RawPhone

HALL = {"name": "", "kind": "linked", "follows": "light.hall", "colors": False}
CODE = "hush-4711"
LOCK = key_data("2", kind="linked", name="Door", follows="lock.door", code=CODE)


@pytest.fixture(autouse=True)
def entities(hass: HomeAssistant) -> None:
    for entity_id in ("light.hall", "lock.door", "alarm_control_panel.home"):
        hass.states.async_set(entity_id, "off")
    hass.states.async_set("light.hall", "on", {"friendly_name": "Hall"})


@pytest.fixture
async def admin(
    hass: HomeAssistant, server: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> Arranger:
    return Arranger(await hass_ws_client(hass), device_of(hass))


def stored(entry: ConfigEntry[Any]) -> dict[str, dict[str, Any]]:
    """Return the stored keys of phone 44."""
    keys = entry.subentries["subentry_44"].data["keys"]
    return {key["key"]: dict(key) for key in keys}


async def view(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, admin: Arranger
) -> Viewer:
    """Look at the phone that is arranged."""
    viewer = Viewer(await hass_ws_client(hass), admin.device_id)
    assert (await viewer.subscribe())["success"]
    await viewer.next()
    return viewer


# The form


async def test_the_form_is_that_of_the_dialogue(
    hass: HomeAssistant, admin: Arranger
) -> None:
    form = (await admin.form())["form"]
    texts = TEXTS["selector"]["keys"]["fields"]
    assert {it["name"] for it in form} == texts.keys() - {"key"}
    assert {it["name"]: it["label"] for it in form} == {
        it["name"]: texts[it["name"]]["name"] for it in form
    }
    fields = {it["name"]: it for it in form}
    assert fields["kind"]["kind"] is None
    assert fields["toggle"]["kind"] == "switch"
    assert fields["follows"]["kind"] == "linked"
    assert "entity" in fields["follows"]["selector"]
    options = fields["kind"]["selector"]["select"]["options"]
    assert [it["value"] for it in options] == ["light", "switch", "linked", "none"]


@pytest.mark.parametrize(
    ("language", "name"),
    [("de", "Folgt"), ("en", "Follows"), ("fr", "Follows"), ("../../x", "Follows")],
)
async def test_the_form_is_in_the_language_of_the_user(
    hass: HomeAssistant, admin: Arranger, language: str, name: str
) -> None:
    form = (await admin.form(language=language))["form"]
    assert {it["name"]: it["label"] for it in form}["follows"] == name


async def test_the_settings_of_all_keys(
    hass: HomeAssistant, server: MockConfigEntry, admin: Arranger
) -> None:
    update_phone(hass, server, keys=[*KEYS[:1], LOCK, KEYS[2]])
    keys = (await admin.form())["keys"]
    assert [it["key"] for it in keys] == ["1", "2", "3"]
    assert keys[0]["settings"]["name"] == ""  # the usual one
    assert keys[2]["settings"]["name"] == "Alarm"
    assert (
        keys[1]["settings"].items()
        >= {
            "name": "Door",
            "kind": "linked",
            "follows": "lock.door",
            "press": "automatic",
            "colors": False,
        }.items()
    )
    assert [it["has_code"] for it in keys] == [False, True, False]
    assert {it["line"] for it in keys} == {None}


# One key


async def test_what_the_form_gives_can_be_saved_again(
    hass: HomeAssistant, server: MockConfigEntry, admin: Arranger
) -> None:
    keys = [*KEYS[:1], LOCK, KEYS[2], link(label="state", name="My hall")]
    update_phone(hass, server, keys=keys)
    for each in (await admin.form())["keys"]:
        await admin.set(each["key"], settings=each["settings"])
    assert list(stored(server).values()) == keys


async def test_the_lamp_of_the_phone_follows_within_a_second(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone, admin: Arranger
) -> None:
    await in_sync(server)
    start = hass.loop.time()
    with hurrying(hass.loop, only_jumps=True):
        await admin.set("1", settings=HALL)
        await phone.shows("1", c="on", l="Hall")
        assert hass.loop.time() - start < 1
    assert stored(server)["1"] == key_data(
        "1", name="Hall", kind="linked", follows="light.hall"
    )


async def test_a_trial_changes_nothing_and_shows_what_would_be(
    hass: HomeAssistant,
    server: MockConfigEntry,
    admin: Arranger,
    hass_ws_client: WebSocketGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = stored(server)
    viewer = await view(hass, hass_ws_client, admin)
    tried = await admin.set("1", settings=HALL, dry_run=True)
    assert tried["text"] == "follows Hall; a press toggles it"
    assert stored(server) == before
    assert viewer.key("1")["light"] == "off"
    assert await admin.set("1", settings=HALL) == tried
    # As it is then drawn: the phone is not there
    await viewer.until_key("1", title="Hall", light="on")
    assert viewer.key("1") == tried["face"] | {"lacking": True}
    # A template that fails is not logged at each letter.
    bad = HALL | {"look_template": "{{ 1 / 0 }}"}
    tried = await admin.set("2", settings=bad, dry_run=True)
    assert tried["face"]["light"] == "error"
    assert "template of its look" not in caplog.text
    off = await admin.set("1", settings={"kind": "none"}, dry_run=True)
    assert (off["text"], off["face"]["light"], off["face"]["pressable"]) == (
        "",
        "off",
        False,
    )


async def test_a_trial_keeps_what_the_key_shows_as_a_change_does(
    hass: HomeAssistant, server: MockConfigEntry, admin: Arranger
) -> None:
    key = server.runtime_data.server.phones["44"].keys["1"]
    key.turn(True)
    tried = await admin.set("1", settings={"name": "Bell"}, dry_run=True)
    assert (tried["face"]["light"], tried["face"]["label"]) == ("on", "Bell")
    await admin.set("1", settings={"name": "Bell"})
    await hass.async_block_till_done()
    assert (key.look.light, key.look.label) == ("on", "Bell")


async def test_a_name_that_is_not_given_follows_the_entity(
    hass: HomeAssistant, server: MockConfigEntry, admin: Arranger
) -> None:
    await admin.set("1", settings=HALL)
    assert stored(server)["1"]["name"] == "Hall"
    values = await admin.values("1")
    assert values["settings"]["name"] == ""
    await admin.set("1", settings=values["settings"] | {"follows": "lock.door"})
    assert stored(server)["1"]["name"] == "lock.door"
    await admin.set("2", settings=HALL)
    await admin.set("3", settings=HALL)
    assert [stored(server)[key]["name"] for key in "23"] == ["Hall", "Hall 2"]
    assert (await admin.values("3"))["settings"]["name"] == ""
    await admin.set("3", settings={"kind": "light"})
    assert stored(server)["3"]["name"] == "Key 3"


# What is refused: the faults of the dialogue


@pytest.mark.parametrize(("values", "text"), LINK_FAULTS)
async def test_a_fault_of_a_link(
    hass: HomeAssistant,
    server: MockConfigEntry,
    admin: Arranger,
    values: dict[str, Any],
    text: str,
) -> None:
    await refused(server, admin, link() | values, f"Key 4, {text}")


@pytest.mark.parametrize(("keys", "text"), KEY_FAULTS)
async def test_a_fault_of_a_key(
    hass: HomeAssistant,
    server: MockConfigEntry,
    admin: Arranger,
    keys: list[dict[str, Any]],
    text: str,
) -> None:
    *others, last = keys
    keys = [key_data(**key) for key in others]
    update_phone(hass, server, keys=[*keys, key_data(last["key"], kind="none")])
    await refused(server, admin, last, text)


async def refused(
    entry: MockConfigEntry, admin: Arranger, values: dict[str, Any], text: str
) -> None:
    """Check that settings are refused with a text that names a field."""
    before = stored(entry)
    key = values["key"]
    settings = {name: value for name, value in values.items() if name != "key"}
    labels = {it["name"]: it["label"] for it in (await admin.form())["form"]}
    for dry_run in (True, False):
        result = await admin.set(key, settings=settings, dry_run=dry_run)
        fault = result["fault"]
        assert fault["text"] == text
        if fault["field"] is None:  # another key's
            assert not text.startswith(f"Key {key}")
        else:
            assert f", {labels[fault['field']]}: " in text
    assert stored(entry) == before


async def test_actions_that_cannot_be_read(
    hass: HomeAssistant, server: MockConfigEntry, admin: Arranger
) -> None:
    settings = HALL | {"actions": [NO_ACTION]}
    fault = (await admin.set("1", settings=settings))["fault"]
    assert (fault["field"], fault["error"]) == ("actions", "link_invalid")


async def test_a_fault_is_said_in_the_language_of_the_user(
    hass: HomeAssistant, admin: Arranger
) -> None:
    settings = HALL | {"follows": ""}
    result = await admin.set("1", settings=settings, language="de")
    assert result["fault"]["text"].startswith("Taste 1, Folgt: ")


@pytest.mark.parametrize(
    "faulty",
    [
        key_data("2", kind="linked", follows="light.gone"),
        key_data("2", kind="switch", light_on="hold", light_off="hold"),
    ],
)
async def test_a_fault_of_another_key_does_not_matter(
    hass: HomeAssistant,
    server: MockConfigEntry,
    admin: Arranger,
    faulty: dict[str, Any],
) -> None:
    update_phone(hass, server, keys=[KEYS[0], faulty])
    await admin.set("1", settings=HALL)
    assert stored(server)["1"]["name"] == "Hall"
    assert stored(server)["2"] == faulty


@pytest.mark.parametrize(
    "settings",
    [
        {"follows": ["light.hall"]},
        {"light_on": "green"},
        {"name": 5},
        {"other": "x"},
        {"kind": "shared"},
    ],
)
async def test_values_of_another_type(
    hass: HomeAssistant,
    server: MockConfigEntry,
    admin: Arranger,
    settings: dict[str, Any],
) -> None:
    answer = await admin.send(key="1", settings=settings)
    assert answer["error"]["code"] == "invalid_format"
    assert list(stored(server).values()) == KEYS


@pytest.mark.parametrize(
    "command",
    [
        {"key": "1"},
        {"settings": {}},
        {"key": "1", "settings": {}, "swap_with": "2"},
        {"key": "1", "swap_with": "2", "dry_run": True},
        {"dry_run": True},
        {"key": 1, "settings": {}},
        {"key": "1", "settings": []},
        {"other": 1},
    ],
)
async def test_a_command_that_says_too_little_or_too_much(
    admin: Arranger, command: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    answer = await admin.send(**command)
    assert answer["error"]["code"] == "invalid_format"
    caplog.clear()  # Home Assistant logs it


# Codes


async def test_a_code_stays_without_being_sent(
    hass: HomeAssistant, server: MockConfigEntry, admin: Arranger
) -> None:
    update_phone(hass, server, keys=[KEYS[0], LOCK])
    await hass.async_block_till_done()
    values = await admin.values("2")
    assert values["has_code"] is True
    sent = [values]
    for change in ({"label": "name"}, {"code": " "}, {"code": ""}):
        settings = values["settings"] | change
        sent.append(await admin.set("2", settings=settings, dry_run=True))
        sent.append(await admin.set("2", settings=settings))
        assert stored(server)["2"]["code"] == CODE
    assert CODE not in json.dumps(sent)
    await admin.set("2", settings=values["settings"] | {"code": "5"})
    assert stored(server)["2"]["code"] == "5"
    await admin.set("2", settings=values["settings"] | {"code": None})
    assert "code" not in stored(server)["2"]


@pytest.mark.parametrize(
    "settings",
    [{"code": CODE, "new": True}, {"code": CODE, "press": 7}, {"code": [CODE]}],
)
async def test_a_code_is_in_no_error_and_in_no_log(
    admin: Arranger, caplog: pytest.LogCaptureFixture, settings: dict[str, Any]
) -> None:
    """Such as of a page that was loaded from an older version."""
    caplog.clear()
    with caplog.at_level("INFO"):
        answer = await admin.send(key="2", settings=settings)
    assert answer["error"]["code"] == "invalid_format"
    assert CODE not in json.dumps(answer)
    assert CODE not in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        {"follows": "light.hall"},
        {"target": "alarm_control_panel.home"},
        {"kind": "light", "follows": ""},
    ],
)
async def test_a_code_is_not_used_for_another_entity(
    hass: HomeAssistant, server: MockConfigEntry, admin: Arranger, change: Any
) -> None:
    update_phone(hass, server, keys=[KEYS[0], LOCK])
    values = await admin.values("2")
    await admin.set("2", settings=values["settings"] | change)
    assert "code" not in stored(server)["2"]


# Changes by others


@pytest.mark.parametrize("command", [{"settings": HALL}, {"swap_with": "2"}])
async def test_other_keys_are_kept_as_they_are_now(
    hass: HomeAssistant,
    server: MockConfigEntry,
    admin: Arranger,
    monkeypatch: pytest.MonkeyPatch,
    command: dict[str, Any],
) -> None:
    """Also what is changed while the settings are checked."""
    find = arrange.async_find_fault_with
    changes = [key_data("4", name="Other")]

    async def found(*arguments: Any) -> Any:
        fault = await find(*arguments)
        if changes:
            update_phone(hass, server, keys=[*KEYS[:3], changes.pop()])
        return fault

    monkeypatch.setattr(arrange, "async_find_fault_with", found)
    assert (await admin.send(key="1", **command))["success"]
    assert stored(server)["4"] == key_data("4", name="Other")
    assert stored(server)["1"] != KEYS[0]


@pytest.mark.parametrize("command", [{"settings": HALL}, {"swap_with": "2"}])
@pytest.mark.parametrize(
    "going",
    [
        ("removed", "unknown_phone"),
        ("without", "unknown_key"),
        ("stopped", "phone_not_loaded"),
    ],
)
async def test_what_goes_meanwhile(
    hass: HomeAssistant,
    admin: Arranger,
    monkeypatch: pytest.MonkeyPatch,
    command: dict[str, Any],
    going: tuple[str, str],
) -> None:
    [server] = hass.config_entries.async_entries("snom_buttons")
    change, error = going
    find = arrange.async_find_fault_with

    async def found(*arguments: Any) -> Any:
        if change == "removed":
            hass.config_entries.async_remove_subentry(server, "subentry_44")
        elif change == "without":
            subentry = server.subentries["subentry_44"]
            data = {**subentry.data, "keys": KEYS[2:]}
            hass.config_entries.async_update_subentry(server, subentry, data=data)
        else:
            await hass.config_entries.async_unload(server.entry_id)
        return await find(*arguments)

    monkeypatch.setattr(arrange, "async_find_fault_with", found)
    answer = await admin.send(key="1", **command)
    assert answer["error"]["translation_key"] == error
    if change == "stopped":
        assert list(stored(server).values()) == KEYS


# Who may, and what there is


@pytest.mark.usefixtures("local_auth")
async def test_only_administrators_arrange(
    hass: HomeAssistant,
    server: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    token = await token_of(hass, {"entities": True})
    user = Arranger(await hass_ws_client(hass, token), device_of(hass))
    for command in (
        {},
        {"key": "1", "settings": HALL, "dry_run": True},
        {"key": "1", "settings": HALL},
        {"key": "1", "swap_with": "2"},
    ):
        answer = await user.send(**command)
        assert answer["error"]["code"] == "unauthorized"
    caplog.clear()  # as above
    assert list(stored(server).values()) == KEYS


async def test_there_is_no_such_phone_or_key(
    hass: HomeAssistant, server: MockConfigEntry, admin: Arranger
) -> None:
    for command in (
        {"key": "9", "settings": HALL},
        {"key": "9", "swap_with": "1"},
        {"key": "1", "swap_with": "9"},
    ):
        error = (await admin.send(**command))["error"]
        assert (error["code"], error["translation_key"]) == ("not_found", "unknown_key")
        assert error["message"] == "Phone 44 has no key 9. It has: 1, 2, 3, 4"
    for device_id in ("other", server.runtime_data.device_id):
        error = (await admin.send(device_id=device_id))["error"]
        assert (error["code"], error["translation_key"]) == ("not_found", "not_a_phone")


async def test_a_key_of_a_shared_line(
    hass: HomeAssistant, server: MockConfigEntry, admin: Arranger
) -> None:
    add_phone(hass, server, line_subentry())
    await hass.async_block_till_done()
    assert [it["line"] for it in (await admin.form())["keys"]] == ["Gate", *3 * [None]]
    for command in (
        {"key": "1", "settings": HALL},
        {"key": "1", "swap_with": "2"},
        {"key": "2", "swap_with": "1"},
    ):
        error = (await admin.send(**command))["error"]
        assert (error["code"], error["translation_key"]) == (
            "not_supported",
            "shared_key",
        )
        assert "belongs to the shared line Gate" in error["message"]
    assert list(stored(server).values()) == KEYS


async def test_a_server_that_does_not_run(
    hass: HomeAssistant, server: MockConfigEntry, admin: Arranger
) -> None:
    await hass.config_entries.async_set_disabled_by(
        server.entry_id, ConfigEntryDisabler.USER
    )
    for command in ({}, {"key": "1", "settings": HALL}, {"key": "1", "swap_with": "2"}):
        error = (await admin.send(**command))["error"]
        assert error["translation_key"] == "phone_not_loaded"
        assert error["message"] == "Phone 44 is not loaded: its server does not run"
    assert list(stored(server).values()) == KEYS


# Two keys are exchanged


async def test_all_but_the_number_is_exchanged(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone, admin: Arranger
) -> None:
    await in_sync(server)
    hall = link(name="Hall", colors=True)
    update_phone(hass, server, keys=[*KEYS[:3], hall])
    await hass.async_block_till_done()
    assert await admin.swap("1", "4") is None
    await hass.async_block_till_done()
    assert list(stored(server).values()) == [
        hall | {"key": "1"},
        KEYS[1],
        KEYS[2],
        KEYS[0] | {"key": "4", "name": "Key 4"},
    ]
    await phone.shows("1", c="on", l="Hall")
    await phone.shows("4", c=None, l="Key 4")


async def test_what_a_key_shows_goes_along_and_so_do_its_entities(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone, admin: Arranger
) -> None:
    """A light, and a switch: an automation that names them has its meaning still."""
    await in_sync(server)
    lamp, switch = "light.phone_44_key_2", "switch.phone_44_alarm"
    await hass.services.async_call(
        "light",
        "turn_on",
        {"entity_id": lamp, "effect": "hold", "hs_color": (120, 100)},
        blocking=True,
    )
    registry = er.async_get(hass)
    registry.async_update_entity(lamp, new_entity_id="light.bell", name="Bell")
    await hass.async_block_till_done()
    states: list[str] = []
    hass.bus.async_listen(
        "state_changed",
        lambda event: (
            states.append(state.state)
            if event.data["entity_id"] == "light.bell"
            and (state := event.data["new_state"]) is not None
            else None
        ),
    )
    await admin.swap("2", "3")
    await hass.async_block_till_done()
    bell = hass.states.get("light.bell")
    assert bell is not None
    assert (bell.state, bell.attributes["effect"], bell.name) == ("on", "hold", "Bell")
    assert set(states) <= {"on", "unavailable"}  # never that of the other key
    await phone.shows("3", c="hold", o="green", l="Key 3", n="key3")
    await phone.shows("2", c=None, l="Alarm", n="key2")
    await hass.services.async_call(
        "switch", "turn_on", {"entity_id": switch}, blocking=True
    )
    await phone.shows("2", c="on")
    await phone.shows("3", c="hold")
    assert (await phone.press("3")).status == 200
    pressed = "event.phone_44_key_2_press"
    await hass.async_block_till_done()
    state, other = (
        hass.states.get(pressed),
        hass.states.get("event.phone_44_alarm_press"),
    )
    assert state is not None
    assert other is not None
    assert (state.state != "unknown", other.state) == (True, "unknown")
    assert state.attributes["number"] == "key3"
    before = {it.entity_id for it in entries(hass)}
    await admin.swap("3", "2")
    await hass.async_block_till_done()
    assert {it.entity_id for it in entries(hass)} == before
    assert list(stored(server).values()) == KEYS
    await phone.shows("2", c="hold", o="green")
    await phone.shows("3", c="on")


def entries(hass: HomeAssistant) -> list[er.RegistryEntry]:
    return er.async_entries_for_device(
        er.async_get(hass), device_of(hass), include_disabled_entities=True
    )


async def test_keys_that_differ_in_what_they_show_only(
    hass: HomeAssistant, server: MockConfigEntry, admin: Arranger
) -> None:
    update_phone(hass, server, keys=[key_data("1"), key_data("2")])
    await hass.async_block_till_done()
    keys = server.runtime_data.server.phones["44"].keys
    keys["1"].turn(True)
    await admin.swap("1", "2")
    await hass.async_block_till_done()
    assert (keys["1"].look.light, keys["2"].look.light) == ("off", "on")
    moved = hass.states.get("light.phone_44_key_1")
    assert moved is not None
    assert moved.name == "Phone 44 Key 2"
    assert list(stored(server).values()) == [key_data("1"), key_data("2")]


async def test_linked_keys_of_one_name(
    hass: HomeAssistant, server: MockConfigEntry, admin: Arranger
) -> None:
    """They have the same setup, but other entities."""
    one = key_data("1", name="Same", kind="linked", follows="light.hall")
    two = key_data("2", name="Same", kind="linked", follows="lock.door")
    update_phone(hass, server, keys=[one, two])
    await hass.async_block_till_done()
    keys = server.runtime_data.server.phones["44"].keys
    assert (keys["1"].look.light, keys["2"].look.light) == ("on", "off")
    await admin.swap("1", "2")
    await hass.async_block_till_done()
    assert (keys["1"].look.light, keys["2"].look.light) == ("off", "on")
    event = er.async_get(hass).async_get_entity_id(
        "event", "snom_buttons", "subentry_44_2_press"
    )
    assert event == "event.phone_44_key_1_press"


async def test_a_light_that_changes_places_with_a_linked_key_keeps_its_lamp(
    hass: HomeAssistant, server: MockConfigEntry, admin: Arranger
) -> None:
    update_phone(hass, server, keys=[key_data("1"), link()])
    await hass.async_block_till_done()
    keys = server.runtime_data.server.phones["44"].keys
    keys["1"].turn(True)
    hass.states.async_set("light.hall", "off")
    await hass.async_block_till_done()
    await admin.swap("1", "4")
    await hass.async_block_till_done()
    assert (keys["1"].look.light, keys["4"].look.light) == ("off", "on")
    # A link that ends later ends what it shows.
    hass.states.async_set("light.hall", "on")
    await hass.async_block_till_done()
    await admin.set("1", settings={"kind": "light"})
    await hass.async_block_till_done()
    assert keys["1"].look.light == "off"


async def test_an_exchange_that_would_be_wrong(
    hass: HomeAssistant, server: MockConfigEntry, admin: Arranger
) -> None:
    """The number of a third key is that of one of them then."""
    keys = [
        key_data("1", kind="switch", number_on="a", number_off="b"),
        key_data("2"),
        key_data("3", kind="switch", number_on="key1"),
    ]
    update_phone(hass, server, keys=keys)
    result = await admin.swap("1", "2")
    assert result is not None
    assert result["fault"]["field"] is None
    assert result["fault"]["text"].startswith("Key 3, Number while on: key 1 has")
    assert list(stored(server).values()) == keys


async def test_a_key_and_itself(
    hass: HomeAssistant, server: MockConfigEntry, admin: Arranger
) -> None:
    before = {it.entity_id: it.unique_id for it in entries(hass)}
    assert await admin.swap("1", "1") is None
    await hass.async_block_till_done()
    assert list(stored(server).values()) == KEYS
    assert {it.entity_id: it.unique_id for it in entries(hass)} == before


@pytest.mark.parametrize(
    ("exchanges", "origins"),
    [
        ([], {}),
        ([("1", "2")], {"1": "2", "2": "1"}),
        ([("1", "2"), ("2", "1")], {}),
        ([("1", "2"), ("2", "3")], {"1": "2", "2": "3", "3": "1"}),
        ([("1", "1")], {}),
    ],
)
def test_exchanges_in_a_row(
    exchanges: list[tuple[str, str]], origins: dict[str, str]
) -> None:
    assert origins_of(exchanges) == origins


async def test_two_exchanges_at_once(
    hass: HomeAssistant, server: MockConfigEntry, admin: Arranger
) -> None:
    keys = server.runtime_data.server.phones["44"].keys
    keys["1"].turn(True)
    names = {it.entity_id: it.unique_id for it in entries(hass)}
    for pair in (("1", "2"), ("2", "3")):
        await admin.swap(*pair)
    await hass.async_block_till_done()
    assert [keys[key].look.light for key in "123"] == ["off", "off", "on"]
    assert names["light.phone_44_key_1"] == "subentry_44_1_led"
    registry = er.async_get(hass)
    assert registry.async_get("light.phone_44_key_1").unique_id == "subentry_44_3_led"
