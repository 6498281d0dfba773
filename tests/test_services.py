"""The actions set_key and send_document."""

import asyncio
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_capture_events,
)

from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.engine.phones.phone import MAX_UNCONFIGURED
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized, UnknownUser
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
from homeassistant.setup import async_setup_component
from tests.support.blfphone import over_both_speakers
from tests.support.entries import PASSWORD, Phones, add_phone, key_data, phone_subentry
from tests.support.ports import LOCALHOST
from tests.support.rawphone import RawPhone

LIGHT = "light.phone_44_key_1"
COLORED = "light.phone_44_key_2"
SWITCH = "switch.phone_44_alarm"
PRESS = "event.phone_44_key_1_press"
CONFIGURED = {"n": "key1", "a": "message", "l": "Key 1"}


async def call(
    hass: HomeAssistant, action: str, data: dict[str, Any], **target: Any
) -> Any:
    return await hass.services.async_call(
        DOMAIN,
        action,
        data,
        blocking=True,
        target=target,
        return_response=True,
    )


async def set_key(hass: HomeAssistant, entity_id: str = LIGHT, **fields: Any) -> Any:
    return await call(hass, "set_key", fields, entity_id=entity_id)


def device_id(entry: MockConfigEntry, extension: str = "44") -> str:
    found: str = entry.runtime_data.phones[extension].device_id
    return found


# set_key: its fields


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({"light": "on"}, {"c": "on"}),
        ({"light": True}, {"c": "on"}),
        *(
            ({"light": light}, {"c": light})
            for light in (
                "hold",
                "pickup",
                "park",
                "message",
                "offline",
                "error",
                "seized",
                "record",
            )
        ),
        *(
            ({"color": color}, {"o": color})
            for color in ("red", "green", "orange", "local", "remote", "#aB01ff")
        ),
        ({"label": " 21.5 °C "}, {"l": "21.5 °C"}),
        ({"label": 21.5}, {"l": "21.5"}),
        ({"label": ""}, {"l": None}),
        ({"display_name": "Terrace"}, {"d": "Terrace"}),
        ({"caller": 19781234567}, {"i": "19781234567"}),
        ({"number": "*6013"}, {"n": "*6013"}),
        ({"number": ""}, {"n": None}),
        *(
            ({"action": action}, {"a": action})
            for action in ("invite", "message", "seize", "release")
        ),
        ({"direction": "in"}, {"b": "in"}),
        ({"direction": "out"}, {"b": "out"}),
        ({"forward": "always 0301234567"}, {"f": "always0301234567"}),
        ({"forward": "busy100"}, {"f": "busy100"}),
        ({"mwi": "3/1"}, {"m": "3/1"}),
        *(
            ({"release": release}, {"r": release})
            for release in ("ignore", "hangup", "engage")
        ),
        ({"states": ["dnd", "offline"]}, {"s": "dndoffline"}),
        ({"states": "logoff"}, {"s": "logoff"}),
        ({"states": []}, {"s": None}),
        ({"treatment": "ring quietly"}, {"t": "ring quietly"}),
        *(
            ({"type": kind}, {"x": kind})
            for kind in ("ext", "queue", "group", "line", "flag", "conf", "mwi")
        ),
    ],
    ids=str,
)
async def test_each_property_reaches_the_phone(
    hass: HomeAssistant,
    phone: RawPhone,
    fields: dict[str, Any],
    lines: dict[str, str | None],
) -> None:
    """Properties that are not named get their configured values."""
    # Another look first, so that each field is a change.
    await set_key(hass, light="park", label="before", caller="anonymous")
    await phone.shows("1", c="park", i="anonymous")
    answer = await set_key(hass, **fields)
    wanted = {n: v for n, v in (CONFIGURED | lines).items() if v is not None}
    await phone.until(lambda: phone.keys["1"] == wanted)
    [sent] = answer["keys"]
    assert sent["document"].startswith("k=1\r\n")
    assert dict(
        line.split("=", 1) for line in sent["document"].split("\r\n")[1:] if line
    ) == (wanted)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"light": "blue"}, "blue is not allowed for light. Allowed: off, on, hold,"),
        ({"light": 7}, "7 is not allowed for light"),
        ({"light": None}, "null is not allowed for light"),
        ({"color": "blue"}, "Allowed: local, remote, red, green, orange, or a colour"),
        ({"color": "#12345"}, "like #FF8800"),
        ({"action": "call"}, "Allowed: invite, message, seize, release"),
        ({"direction": "up"}, "Allowed: in, out"),
        ({"forward": "sometimes 7"}, "Allowed: always or busy, then where to"),
        ({"forward": "always"}, "Allowed: always or busy, then where to"),
        ({"mwi": "many"}, "new and of old messages, as in: 3/1"),
        ({"mwi": "-1/0"}, "new and of old messages, as in: 3/1"),
        ({"release": "drop"}, "Allowed: ignore, hangup, engage"),
        ({"states": ["dnd", "asleep"]}, "Allowed: dnd, logoff, offline"),
        ({"states": [7.5]}, "Allowed: dnd, logoff, offline"),
        ({"treatment": "alone"}, "a word, a blank and a text"),
        ({"treatment": "lëise bitte"}, "a word, a blank and a text"),
        ({"type": "phone"}, "Allowed: ext, queue, group, line, flag, conf, mwi"),
        ({"label": "two\nlines"}, "label cannot contain line breaks"),
        ({"caller": "tab\there"}, "control characters. It has U+0009"),
        ({"caller": "half \ud800"}, "caller cannot contain line breaks"),
        ({"label": ["a", "b"]}, "is not allowed for label. Allowed: a text"),
        ({"label": False}, "False is not allowed for label"),
        ({"label": "x" * 129}, "label takes at most 128 characters, not 129"),
        ({"number": "1" * 65}, "number takes at most 64 characters"),
        ({}, "Set what the key shows, or reset it"),
        ({"reset": False}, "Set what the key shows, or reset it"),
        ({"reset": True, "light": "on"}, "not both in one action"),
        (
            {"reset": "perhaps"},
            "perhaps is not allowed for reset. Allowed: true, false",
        ),
        ({"key": "1", "light": "on"}, "key needs a device"),
    ],
    ids=str,
)
async def test_a_bad_value_is_explained_and_changes_nothing(
    hass: HomeAssistant, phone: RawPhone, fields: dict[str, Any], error: str
) -> None:
    await set_key(hass, light="park")
    await phone.shows("1", c="park")
    messages = len(phone.requests)
    with pytest.raises(ServiceValidationError) as caught:
        await set_key(hass, **fields)
    assert error in str(caught.value)
    assert hass.states.get(LIGHT).attributes["effect"] == "park"
    await set_key(hass, light="on")
    await phone.shows("1", c="on")
    assert len(phone.requests) == messages + 1


@over_both_speakers
async def test_a_reset_goes_back_to_the_configured_key(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    await set_key(hass, light="hold", label="x", number="79", action="invite")
    await phone.shows("1", c="hold", n="79")
    await set_key(hass, reset=True)
    assert await phone.shows("1", c=None, n="key1") == phone.as_shown(**CONFIGURED)
    assert hass.states.get(LIGHT).state == "off"


async def test_lights_and_labels_keep_what_was_set(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    await set_key(hass, light="pickup", caller="100", label="Door")
    await hass.services.async_call(
        "light", "turn_off", {"entity_id": LIGHT}, blocking=True
    )
    assert await phone.shows("1", c=None, i="100") == CONFIGURED | {
        "l": "Door",
        "i": "100",
    }


async def test_what_was_set_outlives_a_restart(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    """Even on a key that is not used, and a colour on a lamp that is set up without."""
    await set_key(hass, light="hold", color="red", caller="100", mwi="2/0")
    await call(
        hass,
        "set_key",
        {"key": "4", "light": "on", "color": "#FF8800"},
        device_id=device_id(server),
    )
    await call(
        hass,
        "send_document",
        {"document": "k=9\nc=on\nz=new"},
        device_id=device_id(server),
    )
    await phone.shows("9", c="on")
    assert phone.keys["1"]["o"] == "red"
    assert phone.keys["4"]["o"] == "#FF8800"
    before = dict(phone.keys)
    phone.keys.clear()
    assert await hass.config_entries.async_reload(server.entry_id)
    await phone.until(lambda: phone.keys == before)


# set_key: its targets


@over_both_speakers
@pytest.mark.parametrize("entity_id", [LIGHT, PRESS])
async def test_any_entity_of_a_key_stands_for_it(
    hass: HomeAssistant, phone: RawPhone, entity_id: str
) -> None:
    await set_key(hass, entity_id, light="error")
    await phone.shows("1", c="error")


async def test_the_label_stands_for_its_key_though_it_is_disabled(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    label = er.async_get(hass).async_get_entity_id(
        "text", DOMAIN, "subentry_44_1_label"
    )
    await set_key(hass, label, light="error")
    await phone.shows("1", c="error")


@over_both_speakers
async def test_a_switch_is_on_if_its_lamp_is(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    await set_key(hass, SWITCH, light="hold")
    await phone.shows("3", c="hold")
    assert hass.states.get(SWITCH).state == "on"


@over_both_speakers
async def test_a_device_with_its_keys(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    """Including the one that is set up as not used and has no entity."""
    target = {"device_id": device_id(server)}
    answer = await call(hass, "set_key", {"key": ["1", 4], "light": "on"}, **target)
    await phone.shows("1", c="on")
    await phone.shows("4", c="on")
    assert answer == {
        "keys": [
            {
                "device_id": device_id(server),
                "phone": "44",
                "key": key,
                "document": f"k={key}\r\nc=on\r\nn=key{key}\r\na=message\r\nl=Key {key}\r\n\r\n",
            }
            for key in ("1", "4")
        ]
    }


@over_both_speakers
async def test_several_targets_are_each_set_once(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    target = {"entity_id": [LIGHT, PRESS, COLORED], "device_id": device_id(server)}
    answer = await call(hass, "set_key", {"key": "2", "light": "on"}, **target)
    assert sorted(sent["key"] for sent in answer["keys"]) == ["1", "2"]


async def test_an_area_and_a_label_hold_much_else(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    """Only phones and keys count."""
    desk, other = await phones("44"), await phones("45")
    area = ar.async_get(hass).async_create("Office")
    label = lr.async_get(hass).async_create("Coffee")
    dr.async_get(hass).async_update_device(device_id(server), area_id=area.id)
    registry = er.async_get(hass)
    stranger = registry.async_get_or_create("light", "other", "1")
    for entity_id in (stranger.entity_id, "event.phone_45_dialled", LIGHT):
        registry.async_update_entity(
            entity_id, labels={label.label_id}, area_id=area.id
        )
    registry.async_update_entity("light.phone_45_key_1", labels={label.label_id})
    await call(hass, "set_key", {"key": "2", "light": "on"}, area_id=area.id)
    await desk.shows("2", c="on")
    assert other.keys["2"].get("c") is None
    await call(hass, "set_key", {"light": "hold"}, label_id=label.label_id)
    await desk.shows("1", c="hold")
    await other.shows("1", c="hold")


@pytest.mark.parametrize(
    ("fields", "target", "error"),
    [
        ({}, {}, "Name a key's entity, or a phone and a key"),
        ({}, {"entity_id": "light.nowhere"}, "light.nowhere is not one of the phones"),
        ({}, {"entity_id": "event.phone_44_dialled"}, "does not belong to a key"),
        ({}, {"device_id": "phone"}, "also name the key"),
        ({"key": "77"}, {"device_id": "phone"}, "has no key 77. It has: 1, 2, 3, 4"),
        ({"key": "1"}, {"device_id": "server"}, "is not one of the phones"),
        ({"key": "1"}, {"device_id": "stranger"}, ""),
        ({"key": "1"}, {"device_id": "nothing"}, ""),
        ({}, {"entity_id": [LIGHT, "switch.co2"]}, "switch.co2 is not one of"),
        ({}, {"entity_id": "light.helper"}, "light.helper does not belong to a key"),
        ({"key": ["1", "77"]}, {"device_id": "phone"}, "has no key 77"),
        ({"key": ["2", "3"]}, {"device_id": "phone"}, "belongs to the shared line co2"),
    ],
    ids=str,
)
async def test_a_wrong_target_is_explained_and_changes_nothing(
    hass: HomeAssistant,
    server: MockConfigEntry,
    fields: dict[str, Any],
    target: dict[str, Any],
    error: str,
) -> None:
    share_key_3(hass, server)
    await hass.async_block_till_done()
    registry = dr.async_get(hass)
    entry = MockConfigEntry(domain="other")
    entry.add_to_hass(hass)
    stranger = registry.async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={("other", "1")}
    )
    er.async_get(hass).async_get_or_create(
        "light",
        "other",
        "subentry_44_1_led",
        device_id=device_id(server),
        suggested_object_id="helper",
    )
    devices = {
        "phone": device_id(server),
        "server": server.runtime_data.device_id,
        "stranger": stranger.id,
    }
    if (named := target.get("device_id")) is not None:
        target = {"device_id": devices.get(named, named)}
    keys = server.runtime_data.phones["44"].phone.keys
    before = {name: key.look for name, key in keys.items()}
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, "set_key", {"light": "on", **fields}, **target)
    assert error in str(caught.value)
    assert {name: key.look for name, key in keys.items()} == before


async def test_a_server_that_does_not_run_is_named(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    phone = device_id(server)
    assert await hass.config_entries.async_unload(server.entry_id)
    with pytest.raises(ServiceValidationError):
        await call(hass, "set_key", {"key": "1", "light": "on"}, device_id=phone)
    with pytest.raises(ServiceValidationError):
        await set_key(hass, light="on")


async def test_a_server_that_never_ran_has_no_phones(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    never = MockConfigEntry(
        domain=DOMAIN, data=server.data, subentries_data=[phone_subentry("46")]
    )
    never.add_to_hass(hass)
    area = ar.async_get(hass).async_create("Attic")
    with pytest.raises(ServiceValidationError, match="Name a key's entity"):
        await call(hass, "set_key", {"key": "1", "light": "on"}, area_id=area.id)


@over_both_speakers
async def test_a_phone_that_is_away_gets_it_when_it_is_back(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    answer = await set_key(hass, light="on", label="back")
    assert answer["keys"][0]["phone"] == "44"
    phone = await phones()
    await phone.shows("1", c="on", l="back")


async def test_keys_and_extensions_with_underscores(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    keys = [key_data("P_1_led"), key_data("led")]
    add_phone(hass, server, phone_subentry("4_4", keys))
    await hass.async_block_till_done()
    for key in ("P_1_led", "led"):
        entity_id = er.async_get(hass).async_get_entity_id(
            "light", DOMAIN, f"subentry_4_4_{key}_led"
        )
        answer = await set_key(hass, entity_id, light="on")
        assert answer["keys"][0]["key"] == key


def share_key_3(hass: HomeAssistant, server: MockConfigEntry) -> None:
    line = ConfigSubentryData(
        data={"code": "co2", "keys": [{"phone": "subentry_44", "key": "3"}]},
        subentry_id="subentry_co2",
        subentry_type="shared_line",
        title="co2",
        unique_id="co2",
    )
    add_phone(hass, server, line)


# The document's incoming call


@over_both_speakers
async def test_a_call_is_shown_pressed_and_cleared(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    """The document's example; the action that clears it names only the label."""
    await set_key(
        hass,
        light="pickup",
        caller="19781234567",
        number="*6013",
        action="invite",
        label="42",
    )
    assert await phone.shows("1", c="pickup") == phone.as_shown(
        l="42", c="pickup", i="19781234567", n="*6013", a="invite"
    )
    presses = async_capture_events(hass, "snom_buttons_key_press")
    assert (await phone.invite("*6013")).status == 486
    await hass.async_block_till_done()
    state = hass.states.get(PRESS)
    assert state.attributes["event_type"] == "press_end"
    for press in (state.attributes, presses[0].data):
        assert (press["action"], press["number"], press["caller"]) == (
            "invite",
            "*6013",
            "19781234567",
        )
    await set_key(hass, label="42")
    shown = await phone.shows("1", c=None)
    assert shown == phone.as_shown(**(CONFIGURED | {"l": "42"}))
    # The next press has no caller.
    await phone.press("1")
    await hass.async_block_till_done()
    assert "caller" not in presses[1].data
    assert "caller" not in hass.states.get(PRESS).attributes


# send_document


async def test_a_document_reaches_configured_keys_and_others(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    text = "k=1\nc=park\nn=79\nl=Parked\n\nk=99\nc=on\nz=something new\n"
    answer = await call(
        hass, "send_document", {"document": text}, device_id=device_id(server)
    )
    assert await phone.shows("1", c="park") == {
        "c": "park",
        "n": "79",
        "a": "invite",
        "l": "Parked",
    }
    assert await phone.shows("99", c="on") == {"c": "on", "z": "something new"}
    assert hass.states.get(LIGHT).attributes["effect"] == "park"
    assert answer == {
        "phones": [
            {
                "device_id": device_id(server),
                "phone": "44",
                "document": "k=1\r\nc=park\r\nn=79\r\na=invite\r\nl=Parked\r\n\r\n"
                "k=99\r\nc=on\r\nz=something new\r\n\r\n",
            }
        ]
    }
    # The same document is sent again, because the phone may have lost it.
    messages = len(phone.requests)
    await call(hass, "send_document", {"document": text}, device_id=device_id(server))
    await phone.until(lambda: len(phone.requests) == messages + 1)


@over_both_speakers
async def test_an_entity_of_a_phone_stands_for_it(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    await call(
        hass,
        "send_document",
        {"document": "k=2\nc=on"},
        entity_id="binary_sensor.phone_44_registered",
    )
    assert await phone.shows("2", c="on") == phone.as_shown(c="on")


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ("", "names no key"),
        ("\n\n", "names no key"),
        ("c=on", "Line 1 of the document: a description must begin with k="),
        ("k=1\nc", "Line 2 of the document has no property. A line must be"),
        ("k=1\nl=a\tb", "Line 2 of the document has the character U+0009"),
        ("k=3\nc=on\n\nk=1\nc=on", "belongs to the shared line co2"),
        (
            "\n".join(f"k=x{n}\nc=on\n" for n in range(MAX_UNCONFIGURED + 1)),
            "more than 200 keys that are not set up",
        ),
        (f"k=1\nl={'x' * 70_000}", "The document has 7"),
        (f"k=1\nl={'x' * 9_000}", "Key 1 takes 9011 bytes"),
        (
            "k=1\nl=half \ud800",
            "Line 2 of the document has the byte 0xED, which is not UTF-8",
        ),
        (7, "7 is not allowed for document. Allowed: a text"),
        (["k=1"], "is not allowed for document. Allowed: a text"),
        (None, "null is not allowed for document. Allowed: a text"),
    ],
    ids=lambda text: str(text)[:20],
)
async def test_a_bad_document_is_explained_and_changes_nothing(
    hass: HomeAssistant, server: MockConfigEntry, document: object, error: str
) -> None:
    share_key_3(hass, server)
    await hass.async_block_till_done()
    phone = server.runtime_data.phones["44"].phone
    before = phone.saved_looks, phone.unconfigured
    with pytest.raises(ServiceValidationError) as caught:
        await call(
            hass,
            "send_document",
            {"document": document},
            device_id=[device_id(server, "45"), device_id(server)],
        )
    assert error in str(caught.value)
    assert (phone.saved_looks, phone.unconfigured) == before
    other = server.runtime_data.phones["45"].phone
    assert other.unconfigured == []


async def test_a_document_that_one_of_two_phones_has_no_room_for(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    """Neither phone gets it."""
    full, free = device_id(server), device_id(server, "45")
    text = "\n".join(f"k=x{n}\n" for n in range(MAX_UNCONFIGURED))
    await call(hass, "send_document", {"document": text}, device_id=full)
    document = {"document": "k=1\nc=on\n\nk=one more"}
    with pytest.raises(ServiceValidationError, match="Phone 44 would have more than"):
        await call(hass, "send_document", document, device_id=[free, full])
    assert not server.runtime_data.phones["45"].phone.keys["1"].is_on
    assert server.runtime_data.phones["45"].phone.unconfigured == []


async def test_the_actions_are_there_without_a_server(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    assert set(hass.services.async_services_for_domain(DOMAIN)) == {
        "set_key",
        "press_key",
        "send_document",
        "set_messages",
    }


async def test_two_contacts_of_one_phone_both_get_it(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone, port: int
) -> None:
    async with RawPhone((LOCALHOST, port), "44", PASSWORD) as second:
        await second.register()
        await set_key(hass, light="message", mwi="1/0", type="mwi")
        for desk in (phone, second):
            await desk.shows("1", c="message", m="1/0", x="mwi")


ACTIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "off": ("light", "turn_off", {"entity_id": LIGHT}),
    "on": ("light", "turn_on", {"entity_id": LIGHT}),
    "set": (DOMAIN, "set_key", {"entity_id": LIGHT, "light": "pickup"}),
    "send": (DOMAIN, "send_document", {"entity_id": LIGHT, "document": "k=1\nc=park"}),
    "all off": ("button", "press", {"entity_id": "button.phone_44_all_lamps_off"}),
}


@over_both_speakers
@pytest.mark.parametrize(
    ("first", "second", "light"),
    [
        ("off", "set", "pickup"),
        ("set", "off", "off"),
        ("off", "send", "park"),
        ("send", "off", "off"),
        ("on", "all off", "off"),
        ("all off", "on", "on"),
        ("set", "all off", "off"),
        ("all off", "set", "pickup"),
        ("set", "send", "park"),
        ("send", "set", "pickup"),
    ],
)
async def test_actions_on_lamps_and_keys_keep_their_order(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phone: RawPhone,
    *,
    first: str,
    second: str,
    light: str,
) -> None:
    """As those of two automations that one event has triggered."""
    await hass.services.async_call(*ACTIONS["on"], blocking=True)
    await asyncio.gather(
        *(
            hass.services.async_call(*ACTIONS[name], blocking=True)
            for name in (first, second)
        )
    )
    assert server.runtime_data.phones["44"].phone.keys["1"].look.light == light
    await phone.shows("1", c=None if light == "off" else light)


# Who may call them


@pytest.mark.parametrize("target", ["entity_id", "device_id"])
@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("set_key", {"light": "on"}),
        ("press_key", {}),
        ("send_document", {"document": "k=1\nc=on"}),
    ],
)
async def test_a_user_needs_control_of_the_entities(
    hass: HomeAssistant,
    server: MockConfigEntry,
    hass_admin_user: MockUser,
    hass_read_only_user: MockUser,
    *,
    target: str,
    action: str,
    data: dict[str, Any],
) -> None:
    presses = async_capture_events(hass, "snom_buttons_key_press")
    key = server.runtime_data.phones["44"].phone.keys["1"]
    if target == "entity_id":
        data = data | {"entity_id": PRESS}
    else:
        data = data | {"device_id": device_id(server)}
        data |= {} if action == "send_document" else {"key": "1"}

    async def call_as(user: MockUser) -> None:
        context = Context(user_id=user.id)
        await hass.services.async_call(
            DOMAIN, action, data, blocking=True, context=context
        )
        await hass.async_block_till_done()

    with pytest.raises(Unauthorized):
        await call_as(hass_read_only_user)
    assert not (key.is_on or presses)
    await call_as(hass_admin_user)
    assert key.is_on or presses


async def test_a_user_may_control_some_keys(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    user = MockUser().add_to_hass(hass)
    user.mock_policy({"entities": {"entity_ids": {LIGHT: True, PRESS: {"read": True}}}})

    async def set_as(user_id: str, entity_id: str, light: str) -> None:
        await hass.services.async_call(
            DOMAIN,
            "set_key",
            {"entity_id": entity_id, "light": light},
            blocking=True,
            context=Context(user_id=user_id),
        )

    await set_as(user.id, LIGHT, "hold")
    for user_id, entity_id, error in (
        (user.id, PRESS, Unauthorized),
        (user.id, COLORED, Unauthorized),
        ("gone", LIGHT, UnknownUser),
    ):
        with pytest.raises(error):
            await set_as(user_id, entity_id, "on")
    keys = server.runtime_data.phones["44"].phone.keys
    assert (keys["1"].look.light, keys["2"].look.light) == ("hold", "off")
