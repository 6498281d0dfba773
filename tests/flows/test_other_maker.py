"""A phone of another maker, with keys of type BLF, from the menu to its last page."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.engine.phones import MAKERS, Speakers
from custom_components.snom_buttons.hub.settings import EntrySettings
from homeassistant.config_entries import SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers import device_registry as dr
from tests.support.entries import PASSWORD, key_data, update_phone
from tests.support.flows import (
    checked_phone,
    choose_way,
    listed_keys,
    submit_account,
    submit_phone,
    suggested,
)
from tests.support.ports import LOCALHOST


async def _choose_maker(
    hass: HomeAssistant, entry: MockConfigEntry, maker: str
) -> SubentryFlowResult:
    """Choose a maker; return the page of the account."""
    result = await choose_way(hass, entry, "other_maker")
    assert result["step_id"] == "other_maker"
    assert result["last_step"] is False
    return await submit_phone(hass, result, maker=maker)


def _fields(result: SubentryFlowResult) -> set[str]:
    assert result["data_schema"] is not None
    return {str(field) for field in result["data_schema"].schema}


async def _last_page(
    hass: HomeAssistant, entry: MockConfigEntry, maker: str, **account: Any
) -> SubentryFlowResult:
    result = await _choose_maker(hass, entry, maker)
    account = {"extension": "46", "password": PASSWORD} | account
    result = await submit_account(hass, result, **account)
    result = await submit_phone(hass, result)
    assert result["step_id"] == "other_phone"
    assert result["last_step"] is True
    return result


async def test_a_yealink_from_first_to_last_page(
    hass: HomeAssistant, server: MockConfigEntry, port: int
) -> None:
    result = await _choose_maker(hass, server, "yealink")
    assert result["step_id"] == "other_account"
    about = result["description_placeholders"] or {}
    assert (about["maker"], about["first_key"]) == ("Yealink", "")
    assert _fields(result) == {"model", "key_count", "extension", "password", "name"}
    assert suggested(result)["extension"] == "46"

    result = await submit_account(
        hass, result, extension="46", model="T40", password=PASSWORD
    )
    keys = [key_data(str(number), colors=False) for number in range(1, 4)]
    assert listed_keys(result) == keys
    keys[0]["name"] = "Front | door"
    keys[1]["kind"] = "none"
    result = await submit_phone(hass, result, keys=keys)
    assert result["step_id"] == "other_phone"
    page = result["description_placeholders"]
    assert page is not None
    assert "not tried" in page["known"]
    assert "Yealink" in page["known"]
    assert page["account_page"] == "Account → Register"
    assert page["account"] == (
        "| Line Active | `Enabled` |\n"
        "| Label | `Phone 46` |\n"
        "| Display Name | `Phone 46` |\n"
        "| Register Name | `46` |\n"
        "| User Name | `46` |\n"
        f"| Password | `{PASSWORD}` |\n"
        f"| SIP Server 1: Server Host | `{LOCALHOST}` |\n"
        f"| SIP Server 1: Port | `{port}` |\n"
        "| Transport | `UDP` |"
    )
    assert page["keys"] == (
        "Then, at **Dsskey → Line Key**, set these keys."
        " Choose the account above as its *Line*. Leave *Extension* empty.\n\n"
        "- **Line Key 1**: *Type* `BLF`, *Value* `1`, *Label* Front \\| door\n"
        "- **Line Key 3**: *Type* `BLF`, *Value* `3`, *Label* `Key 3`"
    )
    assert "green" in page["idle"]

    result = await submit_phone(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    [subentry] = [s for s in server.subentries.values() if s.unique_id == "46"]
    assert subentry.data == {
        "extension": "46",
        "password": PASSWORD,
        "maker": "yealink",
        "model": "T40",
        "keys": keys,
    }
    [phone] = [
        phone
        for phone in EntrySettings.from_entry(server).phones
        if phone.setup.extension == "46"
    ]
    assert phone.setup.maker == "Yealink"
    assert phone.setup.speakers is Speakers.BLF
    assert phone.setup.blf == MAKERS["yealink"].blf
    assert not phone.token, "it could not read the settings file"
    devices = dr.async_get(hass).devices
    assert ("Yealink", "T40") in {(d.manufacturer, d.model) for d in devices}


@pytest.mark.parametrize(
    ("maker", "model", "key_count"),
    [
        ("grandstream", "GRP2614", 40),
        ("cisco", "SPA504G", 3),
        ("cisco", "8851", 9),
        ("poly", "VVX250", 3),
        ("poly", "Edge E350", 31),
    ],
)
async def test_a_model_has_its_keys(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    maker: str,
    model: str,
    key_count: int,
) -> None:
    result = await _choose_maker(hass, config_entry, maker)
    result = await submit_account(hass, result, model=model)
    assert len(listed_keys(result)) == key_count


@pytest.mark.parametrize("maker", MAKERS)
async def test_the_account_speaks_of_its_maker(
    hass: HomeAssistant, config_entry: MockConfigEntry, maker: str
) -> None:
    result = await _choose_maker(hass, config_entry, maker)
    about = result["description_placeholders"] or {}
    assert about["maker"] == (MAKERS[maker].name or "another maker")
    assert ("own line" in about["first_key"]) == (maker in ("poly", "cisco"))


async def test_the_user_knows_the_number_of_keys_better(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    result = await _choose_maker(hass, config_entry, "fanvil")
    result = await submit_phone(hass, result, model="other")
    assert result["errors"] == {"key_count": "key_count_missing"}
    assert "address" not in _fields(result)
    result = await submit_account(hass, result, model="X4U", key_count=5)
    assert len(listed_keys(result)) == 5


async def test_a_maker_has_no_models_of_another(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    result = await _choose_maker(hass, config_entry, "cisco")
    with pytest.raises(InvalidData):
        await submit_phone(hass, result, model="D735")


@pytest.mark.parametrize("maker", ["gigaset", "other"])
async def test_a_web_page_whose_words_are_not_known_gets_the_usual_ones(
    hass: HomeAssistant, server: MockConfigEntry, port: int, maker: str
) -> None:
    result = await _last_page(hass, server, maker, model="other", key_count=1)
    page = result["description_placeholders"]
    assert page is not None
    assert "is not known" in page["known"]
    assert "| Account | `46` |" in page["account"]
    assert f"| Port | `{port}` |" in page["account"]
    assert page["keys"] == (
        "Then, at **Function keys**, set these keys.\n\n"
        "- **1**: *Type* `BLF`, *Number to monitor* `1`, *Label* `Key 1`"
    )
    assert page["idle"] == ""


async def test_poly_gets_a_file(hass: HomeAssistant, server: MockConfigEntry) -> None:
    result = await _last_page(hass, server, "poly", model="VVX150")
    page = result["description_placeholders"]
    assert page is not None
    assert "**Utilities → Import & Export Configuration → Choose File**" in page["keys"]
    assert 'attendant.resourceList.1.label="Key 1"' in page["keys"]


async def test_the_page_says_what_a_linked_key_does(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    hass.states.async_set("switch.pump", "off", {"friendly_name": "Pump"})
    result = await _choose_maker(hass, server, "grandstream")
    result = await submit_phone(hass, result, extension="46", model="GRP2612")
    result = await submit_phone(hass, result, entities=["switch.pump"])
    result = await submit_phone(hass, result)
    page = result["description_placeholders"]
    assert page is not None
    rows = page["keys"].splitlines()
    first = rows.index(
        "- **VPK 1**: *Mode* `Busy Lamp Field (BLF)`, *Description* `Pump`, *Value* `1`\\"
    )
    assert rows[first + 1].startswith("  ")
    assert "Pump" in rows[first + 1]


async def test_changing_such_a_phone_shows_the_models_of_its_maker(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    result = await _last_page(hass, server, "yealink", model="T31")
    await submit_phone(hass, result)
    await hass.async_block_till_done()
    [added] = [s for s in server.subentries.values() if s.unique_id == "46"]

    menu = await server.start_subentry_reconfigure_flow(hass, added.subentry_id)
    assert checked_phone(menu)["menu_options"] == [
        "account",
        "arrange",
        "dialling",
        "sending",
        "maker",
    ]
    result = checked_phone(
        await hass.config_entries.subentries.async_configure(
            menu["flow_id"], {"next_step_id": "account"}
        )
    )
    assert result["step_id"] == "other_account"
    assert _fields(result) == {"model", "key_count", "extension", "password", "name"}
    assert suggested(result)["model"] == "T31"
    result = await submit_account(hass, result, model="T33")
    assert len(listed_keys(result)) == 12
    result = await submit_phone(hass, result)
    assert result["step_id"] == "other_phone"
    result = await submit_phone(hass, result)
    assert result["reason"] == "reconfigure_successful"
    changed = server.subentries[added.subentry_id].data
    assert changed["maker"] == "yealink"
    assert changed["model"] == "T33"
    assert "token" not in changed


@pytest.mark.parametrize(
    "sending", [{"inverted": True}, {"states": {"off": "confirmed"}}]
)
async def test_a_lamp_is_not_green_while_off_if_the_user_chose_another_state(
    hass: HomeAssistant, server: MockConfigEntry, sending: dict[str, Any]
) -> None:
    update_phone(hass, server, maker="yealink", model="T40", sending=sending)
    await hass.async_block_till_done()
    menu = await server.start_subentry_reconfigure_flow(hass, "subentry_44")
    result = await hass.config_entries.subentries.async_configure(
        menu["flow_id"], {"next_step_id": "account"}
    )
    result = await submit_account(hass, result)
    result = await submit_phone(hass, result)
    assert result["step_id"] == "other_phone"
    page = result["description_placeholders"]
    assert page is not None
    assert page["idle"] == ""
