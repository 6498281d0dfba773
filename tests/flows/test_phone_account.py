"""The account and the keys of a phone, from the first page of its dialogue to the last."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.flows.account import (
    PASSWORD as PASSWORD_PATTERN,
    PASSWORD_ALPHABET,
)
from homeassistant.config_entries import SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from tests.support.entries import KEYS, PASSWORD, TOKEN, Phones, key_data
from tests.support.flows import (
    TEXTS,
    listed_keys,
    reconfigure_phone,
    start_phone,
    submit_account,
    submit_phone,
    suggested,
)
from tests.support.names import FORBIDDEN
from tests.support.ports import LOCALHOST
from tests.support.rawphone import RawPhone


async def test_a_phone_from_first_to_last_page(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones, port: int
) -> None:
    result = await start_phone(hass, server)
    password = suggested(result)["password"]
    assert len(password) == 16
    assert set(password) <= set(PASSWORD_ALPHABET)
    assert PASSWORD_PATTERN.fullmatch(password)

    result = await submit_account(hass, result, extension="46", model="D713")
    assert result["step_id"] == "keys"
    keys = [key_data(str(number), colors=True) for number in range(1, 5)]
    assert listed_keys(result) == keys
    assert suggested(result)["room_lights"] is False

    keys[1] |= {"name": "Front | door", "kind": "switch"}
    keys[2]["kind"] = "none"
    result = await submit_phone(hass, result, keys=keys)
    assert result["step_id"] == "phone"
    assert result["last_step"] is True
    assert result["description_placeholders"] == {
        "identity": "1",
        "account": "46",
        "registrar": f"{LOCALHOST}:{port}",
        "by_itself": f"{TEXTS['common']['no_settings_url']}\n\n",
        "login": (
            "| Identity active | `on` |\n"
            "| Displayname | `Phone 46` |\n"
            "| Account | `46` |\n"
            "| Authentication Username | `46` |\n"
            f"| Password | `{password}` |\n"
            f"| Registrar | `{LOCALHOST}:{port}` |\n"
            f"| Outbound Proxy | `{LOCALHOST}:{port};transport=udp` |\n"
            "| Display text for idle screen | `Phone 46` |"
        ),
        "outbound": "",
        "others": (
            "| `user_expiry 1` | `600` |\n"
            "| `user_srtp 1` | `off` |\n"
            "| `user_server_type 1` | `default` |\n"
            "| `logon_wizard` | `off` |\n"
            "| `was_never_registered` | `off` |\n"
            "| `mac_info_in_sip_register` | `on` |\n"
            "| `language` | `English` |\n"
            "| `web_language` | `English` |"
        ),
        "keys": (
            "- **P1**: *Type* `Button`, *Number* `1`, *Name* `Key 1`\n"
            "- **P2**: *Type* `Button`, *Number* `2`, *Name* Front \\| door\n"
            "- **P3**: *Type* `Button`, *Number* `3`, *Name* `Key 3`\n"
            "- **P4**: *Type* `Button`, *Number* `4`, *Name* `Key 4`"
        ),
    }

    result = await submit_phone(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    [subentry] = [s for s in server.subentries.values() if s.unique_id == "46"]
    assert subentry.title == "Phone 46"
    assert subentry.subentry_type == "phone"
    token = subentry.data["token"]
    assert len(token) == 22, "128 bits"
    assert subentry.data == {
        "extension": "46",
        "password": password,
        "model": "D713",
        "token": token,
        "keys": keys,
    }

    async with RawPhone((LOCALHOST, port), "46", password) as phone:
        await phone.register()
        await phone.shows("2", l="Front | door")
        assert hass.states.get("light.phone_46_key_1").state == "off"
        assert hass.states.get("switch.phone_46_front_door").state == "off"
        assert hass.states.get("light.phone_46_key_3") is None


@pytest.mark.parametrize(
    ("changes", "key_count", "colors"),
    [
        ({"model": "D785"}, 24, True),
        ({"model": "D712"}, 5, False),
        ({"model": "D712", "key_count": 23}, 23, False),
        ({"model": "D785", "key_count": 1}, 1, True),
        ({"model": "other", "key_count": 240}, 240, False),
        ({"model": "D785", "expansion": "2x D7"}, 24 + 2 * 18, True),
        ({"model": "D385", "expansion": "1x D3"}, 48 + 18, True),
        ({"model": "D735", "expansion": "3x D7C"}, 32 + 3 * 48, True),
        ({"model": "D865", "expansion": "3x D8C"}, 40 + 3 * 60, True),
        ({"model": "D785", "expansion": "1x D7", "key_count": 9}, 9, True),
    ],
)
async def test_a_phone_has_the_keys_of_its_model_or_as_many_as_the_user_says(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    changes: dict[str, Any],
    key_count: int,
    colors: bool,
) -> None:
    result = await start_phone(hass, config_entry)
    result = await submit_account(hass, result, extension="46", **changes)
    assert listed_keys(result) == [
        key_data(str(number), colors=colors) for number in range(1, key_count + 1)
    ]


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"extension": ""}, {"extension": "invalid_extension"}),
        ({"extension": "4 4"}, {"extension": "invalid_extension"}),
        ({"extension": "44@host"}, {"extension": "invalid_extension"}),
        ({"extension": "4" * 65}, {"extension": "invalid_extension"}),
        ({"extension": "Küche"}, {"extension": "invalid_extension"}),
        ({"password": "1234567"}, {"password": "invalid_password"}),
        ({"password": "with a blank"}, {"password": "invalid_password"}),
        ({"password": "with|a|bar"}, {"password": "invalid_password"}),
        ({"password": "with`a`tick"}, {"password": "invalid_password"}),
        ({"name": "Kitchen" * 10}, {"name": "name_too_long"}),
        *(({"name": f"a{sign}b"}, {"name": "invalid_name"}) for sign in FORBIDDEN),
        ({"model": "other"}, {"key_count": "key_count_missing"}),
        (
            {"model": "other", "expansion": "1x D7"},
            {"key_count": "key_count_missing"},
        ),
        (
            {"extension": "#", "password": "", "model": "other"},
            {
                "extension": "invalid_extension",
                "password": "invalid_password",
                "key_count": "key_count_missing",
            },
        ),
    ],
)
async def test_what_is_wrong_with_an_account_is_said(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    changes: dict[str, Any],
    errors: dict[str, str],
) -> None:
    good = {"extension": "46", "password": PASSWORD, "model": "D785"}
    result = await start_phone(hass, config_entry)
    result = await submit_phone(hass, result, **(good | changes))
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "manual"
    assert result["errors"] == errors
    for field, value in changes.items():
        assert suggested(result)[field] == value
    result = await submit_account(hass, result, **good, name="x" * 64)
    assert result["step_id"] == "keys"


@pytest.mark.parametrize(
    "bad",
    [{"key_count": 0}, {"key_count": 241}, {"model": "3310"}, {"expansion": "4x D3"}],
)
async def test_a_phone_takes_what_there_is(
    hass: HomeAssistant, config_entry: MockConfigEntry, bad: dict[str, Any]
) -> None:
    result = await start_phone(hass, config_entry)
    with pytest.raises(InvalidData):
        await submit_phone(hass, result, **({"extension": "46", "model": "D785"} | bad))


async def test_an_extension_is_given_once(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    result = await start_phone(hass, config_entry)
    result = await submit_phone(hass, result, extension=" 44 ", model="D785")
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_a_server_that_is_removed_meanwhile(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    """On the first page, the last one, and while a phone is changed."""
    first = await start_phone(hass, config_entry)
    last = await submit_account(
        hass, await start_phone(hass, config_entry), model="D785"
    )
    last = await submit_phone(hass, last)
    changed = await reconfigure_phone(hass, config_entry)
    assert last["step_id"] == "phone"
    await hass.config_entries.async_remove(config_entry.entry_id)
    for page, fields in ((first, {"model": "D785"}), (last, {}), (changed, {})):
        end = await submit_phone(hass, page, **fields)
        assert (end["type"], end["reason"]) == (FlowResultType.ABORT, "not_running")


async def test_two_dialogues_race_for_an_extension(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    pages = []
    for _ in range(2):
        result = await start_phone(hass, config_entry)
        result = await submit_account(hass, result, extension="46", model="D713")
        pages.append(await submit_phone(hass, result))
    result = await submit_phone(hass, pages[0])
    assert result["type"] is FlowResultType.CREATE_ENTRY
    result = await submit_phone(hass, pages[1])
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_a_phone_by_its_address_from_first_to_last_page(
    hass: HomeAssistant, server: MockConfigEntry, port: int
) -> None:
    async with RawPhone((LOCALHOST, port), "46", "") as phone:
        result = await start_phone(hass, server)
        result = await submit_account(
            hass, result, extension="46", model="D713", address=f" {phone.address} "
        )
        result = await submit_phone(hass, result)
        assert result["step_id"] == "placed"
        assert result["last_step"] is True
        placeholders = result["description_placeholders"]
        assert placeholders["account"] == "46"
        assert placeholders["registrar"] == f"{LOCALHOST}:{port}"
        assert placeholders["keys"].startswith(
            "- **P1**: *Type* `Button`, *Number* `1`, *Name* `Key 1`\n"
        )
        result = await submit_phone(hass, result)
        assert result["type"] is FlowResultType.CREATE_ENTRY
        [subentry] = [s for s in server.subentries.values() if s.unique_id == "46"]
        assert subentry.data["address"] == phone.address

        # It shows its keys, and a press counts, without a REGISTER.
        await phone.shows("4", l="Key 4")
        assert (await phone.press("4")).status == 200
        await hass.async_block_till_done()
        press = hass.states.get("event.phone_46_key_4_press")
        assert press.attributes["event_type"] == "press_end"


async def keys_page(hass: HomeAssistant, entry: MockConfigEntry) -> SubentryFlowResult:
    result = await start_phone(hass, entry)
    return await submit_account(
        hass, result, extension="46", model="D713", name=" Kitchen "
    )


async def test_a_key_needs_nothing_but_its_number(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    result = await keys_page(hass, config_entry)
    keys = [{"key": " 7 "}, {"key": "co2", "name": " ", "colors": False}]
    result = await submit_phone(hass, result, keys=keys)
    await submit_phone(hass, result)
    [subentry] = [s for s in config_entry.subentries.values() if s.unique_id == "46"]
    assert subentry.title == "Kitchen"
    assert subentry.data["keys"] == [
        key_data("7", colors=True),
        key_data("co2", colors=False),
    ]


@pytest.mark.parametrize(
    ("keys", "error", "place"),
    [
        ([{"key": ""}], "invalid_key", ("", "Number")),
        ([{"key": "1"}, {"key": "two keys"}], "invalid_key", ("two keys", "Number")),
        ([{"key": "1"}, {"key": "2"}, {"key": " 1"}], "duplicate_key", ("1", "Number")),
        *(
            ([{"key": "1", "name": name}], "invalid_key_name", (f"1 ({shown})", "Name"))
            for name in (f"Up{sign}down" for sign in FORBIDDEN)
            for shown in [repr(name)[1:-1]]
        ),
        (
            [{"key": "1", "name": "x" * 65}],
            "key_name_too_long",
            (f"1 ({'x' * 39}…)", "Name"),
        ),
        ([], "invalid_key_count", ("", "")),
        (
            [{"key": str(number)} for number in range(241)],
            "invalid_key_count",
            ("", ""),
        ),
    ],
)
async def test_what_is_wrong_with_a_key_is_said(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    keys: list[dict[str, Any]],
    error: str,
    place: tuple[str, str],
) -> None:
    result = await keys_page(hass, config_entry)
    result = await submit_phone(hass, result, keys=keys)
    assert result["step_id"] == "keys"
    assert result["errors"] == {"base": error}
    placeholders = result["description_placeholders"]
    assert (placeholders["key"], placeholders["field"]) == place
    assert listed_keys(result) == keys
    good = [{"key": str(number), "name": "x" * 64} for number in range(200)]
    result = await submit_phone(hass, result, keys=good)
    assert result["step_id"] == "phone"


@pytest.mark.parametrize(
    "keys",
    [
        [{"name": "Key 1"}],
        [{"key": "1", "kind": "fan"}],
        "1",
        ["1"],
        [None],
        {"key": "1"},
    ],
)
async def test_a_list_of_keys_is_one(
    hass: HomeAssistant, config_entry: MockConfigEntry, keys: object
) -> None:
    result = await keys_page(hass, config_entry)
    with pytest.raises(InvalidData):
        await submit_phone(hass, result, keys=keys)


async def test_the_editor_of_a_key_speaks_the_language_of_the_server(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    hass.config.language = "de"
    result = await keys_page(hass, config_entry)
    selector, _ = result["data_schema"].schema.values()
    kinds = selector.config["fields"]["kind"]["selector"].config["options"]
    assert [(kind["value"], kind["label"]) for kind in kinds] == [
        ("light", "Licht"),
        ("switch", "Schalter"),
        ("linked", "Verknüpft"),
        ("none", "Nicht benutzt"),
    ]


async def test_default_names_are_in_the_language_of_home_assistant(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    hass.config.language = "de"
    result = await start_phone(hass, config_entry)
    result = await submit_account(hass, result, extension="46", model="D120")
    assert [key["name"] for key in listed_keys(result)] == ["Taste 1", "Taste 2"]
    keys = [{"key": "7"}, {"key": "8", "name": "Tor"}]
    await submit_phone(hass, await submit_phone(hass, result, keys=keys))
    [subentry] = [s for s in config_entry.subentries.values() if s.unique_id == "46"]
    assert subentry.title == "Telefon 46"
    assert [key["name"] for key in subentry.data["keys"]] == ["Taste 7", "Tor"]


async def test_a_registrar_with_an_ipv6_address(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(
        config_entry, data={**config_entry.data, "advertised_host": "2001:db8::1"}
    )
    result = await submit_phone(hass, await keys_page(hass, config_entry))
    port = config_entry.data["port"]
    assert result["description_placeholders"]["registrar"] == f"[2001:db8::1]:{port}"


# Changing a phone


async def test_a_phone_is_left_as_it_is(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    before = dict(server.subentries["subentry_44"].data)
    result = await reconfigure_phone(hass, server)
    assert suggested(result) == {
        "extension": "44",
        "password": PASSWORD,
        "name": "Phone 44",
        "model": "D785",
        "expansion": "none",
        "key_count": 4,
    }
    result = await submit_account(hass, result)
    assert listed_keys(result) == KEYS
    assert suggested(result)["room_lights"] is False
    result = await submit_phone(hass, result)
    login = result["description_placeholders"]["login"]
    assert f"| Password | `{PASSWORD}` |" in login
    result = await submit_phone(hass, result)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert server.subentries["subentry_44"].data == before
    await hass.async_block_till_done()
    assert hass.states.get("light.phone_44_key_1").state == "off"


async def test_a_phone_is_changed(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    hub = server.runtime_data
    result = await reconfigure_phone(hass, server)
    result = await submit_account(
        hass, result, extension="144", name=None, model="D713", key_count=None
    )
    result = await submit_phone(hass, result, keys=[key_data("1", name="Bell")])
    result = await submit_phone(hass, result)
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()

    subentry = server.subentries["subentry_44"]
    assert subentry.title == "Phone 144"
    assert subentry.unique_id == "144"
    assert subentry.data == {
        "extension": "144",
        "password": PASSWORD,
        "model": "D713",
        "token": TOKEN,
        "keys": [key_data("1", name="Bell")],
    }
    assert server.runtime_data is hub
    phone.extension = "144"
    assert (await phone.register()).status == 200
    await phone.shows("1", l="Bell")


@pytest.mark.parametrize(
    ("key_count", "keys"),
    [(2, KEYS[:2]), (6, [*KEYS, *(key_data(n, colors=True) for n in ("5", "6"))])],
)
async def test_a_phone_gets_more_or_fewer_keys(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    key_count: int,
    keys: list[dict[str, Any]],
) -> None:
    result = await reconfigure_phone(hass, config_entry)
    result = await submit_account(hass, result, key_count=key_count)
    assert listed_keys(result) == keys


@pytest.mark.parametrize(
    ("model", "colors"), [("D120", False), ("D713", True), ("other", None)]
)
async def test_another_model_decides_anew_which_keys_have_colors(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    model: str,
    colors: bool | None,
) -> None:
    """Unless it is a model that the integration does not know."""
    result = await reconfigure_phone(hass, config_entry)
    result = await submit_account(hass, result, model=model)
    assert listed_keys(result) == [
        key | ({} if colors is None else {"colors": colors}) for key in KEYS
    ]


async def test_a_key_count_is_only_shown_where_it_is_not_the_model_s(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    subentry = config_entry.subentries["subentry_44"]
    hass.config_entries.async_update_subentry(
        config_entry, subentry, data={**subentry.data, "model": "D713"}
    )
    result = await reconfigure_phone(hass, config_entry)
    assert "key_count" not in suggested(result)


async def test_the_keys_follow_the_expansion_modules(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    subentry = config_entry.subentries["subentry_44"]
    for expansion, key_count in (("1x D7", 4 + 18), ("3x D7", 4 + 54), ("none", 4)):
        result = await reconfigure_phone(hass, config_entry)
        result = await submit_account(
            hass, result, model="D713", expansion=expansion, key_count=None
        )
        assert len(listed_keys(result)) == key_count
        result = await submit_phone(hass, await submit_phone(hass, result))
        assert result["reason"] == "reconfigure_successful"
        assert subentry.data.get("expansion", "none") == expansion
        assert len(subentry.data["keys"]) == key_count
        result = await reconfigure_phone(hass, config_entry)
        assert suggested(result)["expansion"] == expansion
        assert "key_count" not in suggested(result)


async def test_a_phone_cannot_take_the_extension_of_another(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    result = await reconfigure_phone(hass, config_entry)
    result = await submit_phone(hass, result, extension="45")
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_what_is_wrong_with_a_changed_phone_is_said(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    result = await reconfigure_phone(hass, config_entry)
    result = await submit_phone(hass, result, password="short")
    assert result["step_id"] == "account"
    assert result["errors"] == {"password": "invalid_password"}
