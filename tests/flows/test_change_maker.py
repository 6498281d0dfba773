"""A phone that is of another maker now: what stays, and what begins anew."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.engine.phones import Speakers
from custom_components.snom_buttons.hub.settings import EntrySettings
from homeassistant.config_entries import SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import InvalidData
from homeassistant.helpers import device_registry as dr, entity_registry as er
from tests.support.blfphone import BlfPhone
from tests.support.entries import PASSWORD, device_of, key_data, update_phone
from tests.support.flows import (
    checked_phone,
    listed_keys,
    submit_account,
    submit_phone,
    suggested,
)
from tests.support.ports import LOCALHOST
from tests.support.rawphone import RawPhone

LAMP = "light.phone_44_key_1"
STAYS = {"dialling": {"answer": "decline"}, "room_lights": True}
OF_SNOM = {
    "model": "D785",
    "expansion": "1x D7",
    "token": "secret",
    "mac": "0004130DD7C9",
    "provisioning": {"beside": True, "identity": 2},
    "sending": {"speakers": "both", "inverted": True},
}
KEYS = [
    key_data("1", colors=True),
    key_data("2", kind="linked", follows="switch.pump", name="Pump", colors=True),
    key_data("3", kind="switch", name="Alarm", colors=True),
    key_data("4", kind="none", colors=True),
]


def stored(entry: MockConfigEntry) -> dict[str, Any]:
    return dict(entry.subentries["subentry_44"].data)


def setup_of(entry: MockConfigEntry) -> Any:
    phones = EntrySettings.from_entry(entry).phones
    [phone] = [phone for phone in phones if phone.setup.extension == "44"]
    return phone.setup


def device(hass: HomeAssistant) -> dr.DeviceEntry:
    found = dr.async_get(hass).async_get(device_of(hass))
    assert isinstance(found, dr.DeviceEntry)
    return found


def entities(hass: HomeAssistant) -> dict[str, str]:
    """Return the IDs of the registry for the entities of phone 44."""
    found = er.async_entries_for_device(
        er.async_get(hass), device_of(hass), include_disabled_entities=True
    )
    return {it.entity_id: it.id for it in found}


async def choose_maker(
    hass: HomeAssistant, entry: MockConfigEntry, maker: str
) -> SubentryFlowResult:
    """Choose another maker for phone 44; return the page of the account."""
    menu = await entry.start_subentry_reconfigure_flow(hass, "subentry_44")
    result = checked_phone(
        await hass.config_entries.subentries.async_configure(
            menu["flow_id"], {"next_step_id": "maker"}
        )
    )
    assert (result["step_id"], result["last_step"]) == ("maker", False)
    assert suggested(result) == {"maker": stored(entry).get("maker", "snom")}
    return await submit_phone(hass, result, maker=maker)


async def change_maker(
    hass: HomeAssistant, entry: MockConfigEntry, maker: str, **account: Any
) -> SubentryFlowResult:
    """Give phone 44 another maker; return the last page."""
    result = await choose_maker(hass, entry, maker)
    result = await submit_account(hass, result, **account)
    last = await submit_phone(hass, result)
    assert not last["errors"]
    done = await submit_phone(hass, last)
    assert done["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    return last


async def test_from_snom_to_another_maker_and_back(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    hass.states.async_set("switch.pump", "off")
    update_phone(hass, server, keys=KEYS, **STAYS, **OF_SNOM)
    await hass.async_block_till_done()
    before, title = entities(hass), server.subentries["subentry_44"].title

    last = await change_maker(hass, server, "yealink")
    assert last["step_id"] == "other_phone"
    page = last["description_placeholders"] or {}
    assert "Yealink" in page["known"]
    assert "a press toggles it" in page["keys"]
    without_colors = [key | {"colors": False} for key in KEYS]
    of_other = {"extension": "44", "password": PASSWORD, "maker": "yealink"}
    assert stored(server) == STAYS | of_other | {
        "model": "other",
        "keys": without_colors,
    }
    assert server.subentries["subentry_44"].title == title
    assert setup_of(server).speakers is Speakers.BLF
    assert not setup_of(server).blf.is_inverted
    assert entities(hass) == before
    assert device(hass).manufacturer == "Yealink"

    last = await change_maker(hass, server, "snom", model="D785")
    assert last["step_id"] == "phone"
    of_snom = stored(server)
    assert of_snom.pop("token") not in ("", "secret")
    assert of_snom == STAYS | {
        "extension": "44",
        "password": PASSWORD,
        "model": "D785",
        "keys": KEYS,
    }
    assert setup_of(server).speakers is Speakers.AUTOMATIC
    assert entities(hass) == before
    assert device(hass).manufacturer == "snom"


async def test_the_account_has_the_models_of_the_new_maker_and_all_keys(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    update_phone(hass, config_entry, **OF_SNOM)
    result = await choose_maker(hass, config_entry, "yealink")
    assert result["step_id"] == "other_account"
    account = suggested(result)
    assert (account["model"], account["key_count"]) == ("other", 4)
    assert (account["extension"], account["name"]) == ("44", "Phone 44")
    with pytest.raises(InvalidData):
        await submit_phone(hass, result, model="D785")
    # An error keeps the maker, and what was entered.
    result = await submit_phone(hass, result, model="T46", extension="4 4")
    assert result["errors"] == {"extension": "invalid_extension"}
    assert result["step_id"] == "other_account"
    assert suggested(result)["model"] == "T46"
    result = await submit_account(hass, result, extension="44", key_count=None)
    assert len(listed_keys(result)) == 27
    assert not any(key["colors"] for key in listed_keys(result))


async def test_from_one_other_maker_to_another(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    update_phone(
        hass, config_entry, maker="poly", model="VVX450", sending={"inverted": True}
    )
    await change_maker(hass, config_entry, "cisco", model="8851", key_count=None)
    after = stored(config_entry)
    assert (after["maker"], after["model"], len(after["keys"])) == ("cisco", "8851", 9)
    assert "sending" not in after
    assert "token" not in after


@pytest.mark.parametrize("maker", [None, "yealink"])
async def test_the_same_maker_changes_nothing(
    hass: HomeAssistant, config_entry: MockConfigEntry, maker: str | None
) -> None:
    more = {"maker": maker, "model": "T46"} if maker else OF_SNOM
    update_phone(hass, config_entry, **STAYS, **more)
    before = stored(config_entry)
    if maker:
        del before["token"]
    await change_maker(hass, config_entry, maker or "snom")
    assert stored(config_entry) == before


async def test_the_new_phone_has_what_the_former_one_showed(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone, port: int
) -> None:
    assert device(hass).model == "D785"
    await hass.services.async_call(
        "light", "turn_on", {"entity_id": LAMP}, blocking=True
    )
    await phone.shows("1", c="on")
    await change_maker(hass, server, "yealink", model="T46", key_count=None)
    documents = phone.sends
    await phone.unregister()
    address = (LOCALHOST, port)
    agent = "Yealink SIP-T46S 66.86.0.15"
    async with BlfPhone(address, "44", PASSWORD, user_agent=agent) as new:
        assert (await new.register()).status == 200
        await new.watch("1", "2", "27")
        await new.shows("1", c="on")
        await new.shows("27", c="off")
        assert (device(hass).manufacturer, device(hass).model) == ("Yealink", "T46")
        assert device(hass).model_id is None
    assert phone.sends == documents


async def test_the_device_forgets_what_the_former_phone_named(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    await phone.unregister()
    assert device(hass).sw_version is not None
    await change_maker(hass, server, "other")
    it = device(hass)
    assert (it.manufacturer, it.model, it.model_id) == (None, None, None)
    assert (it.sw_version, it.hw_version, it.connections) == (None, None, set())
