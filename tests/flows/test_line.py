"""The dialogue of a shared line."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import SOURCE_USER, SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from tests.support.entries import add_phone, key_data, phone_subentry, update_phone
from tests.support.flows import TEXTS, suggested
from tests.support.names import FORBIDDEN

LINE_TEXTS = TEXTS["config_subentries"]["shared_line"]
BOTH = [{"phone": "44", "key": "1"}, {"phone": "45", "key": "1"}]
STORED = [{"phone": "subentry_44", "key": "1"}, {"phone": "subentry_45", "key": "1"}]


async def submit(
    hass: HomeAssistant, result: SubentryFlowResult, **values: Any
) -> SubentryFlowResult:
    """Submit a form with its suggested values, except for the changes."""
    return await hass.config_entries.subentries.async_configure(
        result["flow_id"], suggested(result) | values
    )


async def start(hass: HomeAssistant, entry: MockConfigEntry) -> SubentryFlowResult:
    return await hass.config_entries.subentries.async_init(
        (entry.entry_id, "shared_line"), context={"source": SOURCE_USER}
    )


async def add(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    keys: list[dict[str, str]] | None = None,
    **values: Any,
) -> SubentryFlowResult:
    """Go through the dialogue; return the result of the last page."""
    values = {"code": "co2", "phones": ["44", "45"], "key": "1"} | values
    result = await submit(hass, await start(hass, entry), **values)
    if result.get("step_id") == "keys":
        result = await submit(hass, result, **({"keys": keys} if keys else {}))
    return result


def lines(entry: MockConfigEntry) -> list[Any]:
    return list(entry.get_subentries_of_type("shared_line"))


def errors(result: SubentryFlowResult) -> dict[str, str]:
    """Return the errors of a form as the user reads them."""
    placeholders = result["description_placeholders"] or {}
    return {
        field: LINE_TEXTS["error"][error].format(**placeholders)
        for field, error in result["errors"].items()
    }


async def test_a_line_from_first_to_last_page(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    hub = server.runtime_data
    result = await start(hass, server)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "user")
    assert result["last_step"] is False
    result = await submit(
        hass,
        result,
        name=" Gate ",
        code=" co2 ",
        phones=["44", "45"],
        key=" 1 ",
        release_after=30,
    )
    assert (result["step_id"], result["last_step"]) == ("keys", True)
    assert suggested(result) == {"keys": BOTH}
    result = await submit(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    [line] = lines(server)
    assert (line.title, line.unique_id) == ("Gate", "line:co2")
    assert line.data == {"code": "co2", "keys": STORED, "release_after": 30}
    await hass.async_block_till_done()
    assert hass.states.get("switch.gate").state == "off"
    assert hass.states.get("light.phone_44_key_1") is None
    # Nothing else changed.
    assert server.runtime_data is hub


async def test_what_is_left_out_is_as_usual(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    apart = [{"phone": "44", "key": "1"}, {"phone": "45", "key": "2"}]
    await add(hass, server, apart)
    [line] = lines(server)
    assert line.title == "co2"
    assert line.data == {
        "code": "co2",
        "keys": [STORED[0], {"phone": "subentry_45", "key": "2"}],
    }


async def test_a_code_may_be_an_extension_too(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    result = await add(hass, server, code="44")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def reconfigure(
    hass: HomeAssistant, entry: MockConfigEntry
) -> SubentryFlowResult:
    [line] = lines(entry)
    return await entry.start_subentry_reconfigure_flow(hass, line.subentry_id)


async def test_phones_have_the_names_that_they_have_elsewhere(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    """Home Assistant's own dialogue accepts any text as the title of a subentry."""
    update_phone(hass, server, title="\u202eKit\nchen")
    await hass.async_block_till_done()
    result = await start(hass, server)
    phones = result["data_schema"].schema["phones"].config["options"]
    assert [phone["label"] for phone in phones] == ["Kitchen", "Phone 45"]
    result = await submit(hass, result, code="co2", phones=["44"], key="9")
    assert "Kitchen has no key 9" in str(errors(await submit(hass, result)))


async def test_a_line_is_changed(hass: HomeAssistant, server: MockConfigEntry) -> None:
    apart = [{"phone": "44", "key": "1"}, {"phone": "45", "key": "2"}]
    await add(hass, server, apart, name="Gate", release_after=30)
    await hass.async_block_till_done()
    hub = server.runtime_data
    result = await reconfigure(hass, server)
    assert suggested(result) == {
        "name": "Gate",
        "code": "co2",
        "phones": ["44", "45"],
        "key": "1",
        "release_after": 30,
    }
    # A key that was set for one phone stays.
    result = await submit(hass, result)
    assert suggested(result) == {"keys": apart}
    result = await submit(hass, result)
    assert result["reason"] == "reconfigure_successful"
    # Another usual key applies to all phones.
    result = await reconfigure(hass, server)
    values = {k: v for k, v in suggested(result).items() if k != "release_after"}
    result = await hass.config_entries.subentries.async_configure(
        result["flow_id"], values | {"key": "3", "code": "co3", "phones": ["45"]}
    )
    assert suggested(result) == {"keys": [{"phone": "45", "key": "3"}]}
    await submit(hass, result)
    [line] = lines(server)
    assert (line.title, line.unique_id) == ("Gate", "line:co3")
    assert line.data == {"code": "co3", "keys": [{"phone": "subentry_45", "key": "3"}]}
    await hass.async_block_till_done()
    assert hass.states.get("light.phone_44_key_1") is not None
    assert hass.states.get("switch.phone_45_alarm") is None
    assert server.runtime_data is hub


async def test_a_phone_that_is_gone_is_left_out(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    await add(hass, server)
    hass.config_entries.async_remove_subentry(server, "subentry_44")
    await hass.async_block_till_done()
    result = await reconfigure(hass, server)
    assert suggested(result)["phones"] == ["45"]
    hass.config_entries.async_remove_subentry(server, "subentry_45")
    await hass.async_block_till_done()
    result = await reconfigure(hass, server)
    assert result["reason"] == "no_phones"
    assert LINE_TEXTS["abort"]["no_phones"]


async def test_without_phones_there_is_nothing_to_share(hass: HomeAssistant) -> None:
    entry = MockConfigEntry(domain="snom_buttons", data={})
    entry.add_to_hass(hass)
    result = await start(hass, entry)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "no_phones")


@pytest.mark.parametrize(
    ("values", "field", "error"),
    [
        ({"code": ""}, "code", "Use 1 to 32 letters"),
        ({"code": "a b"}, "code", "Use 1 to 32 letters"),
        ({"code": "x" * 33}, "code", "Use 1 to 32 letters"),
        ({"code": "grün"}, "code", "Use 1 to 32 letters"),
        ({"code": "taken"}, "code", "Another shared line has this code"),
        *(
            ({"name": f"Front{sign}door"}, "name", "A name cannot contain line breaks")
            for sign in FORBIDDEN
        ),
        ({"name": "x" * 65}, "name", "A name has at most 64 characters"),
        ({"phones": []}, "phones", "Choose the phones that share the line"),
        ({"key": " "}, "key", "Enter the number of a key"),
    ],
    ids=str,
)
async def test_a_wrong_first_page(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    values: dict[str, Any],
    field: str,
    error: str,
) -> None:
    await add(hass, config_entry, code="taken", key="2")
    typed = {"name": "Gate", "code": "co2", "phones": ["44"], "key": "1"} | values
    result = await submit(hass, await start(hass, config_entry), **typed)
    assert result["step_id"] == "user"
    assert list(result["errors"]) == [field]
    assert errors(result)[field].startswith(error)
    assert suggested(result) == typed
    # Once corrected, the dialogue goes on.
    good = {"name": "x" * 64, "code": "co2", "phones": ["44"], "key": "1"}
    result = await submit(hass, result, **good)
    assert result["step_id"] == "keys"


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ([], "Choose the phones that share the line."),
        (
            [*BOTH, {"phone": "44", "key": "3"}],
            "Phone 44 is in the list twice. A line has one key on each phone.",
        ),
        (
            [{"phone": "44", "key": "77"}],
            "Phone 44 has no key 77. It has: 1, 2, 3, 4",
        ),
        (
            [{"phone": "45", "key": "2"}],
            "Key 2 of Phone 45 belongs to the shared line Other.",
        ),
    ],
    ids=["none", "twice", "unknown", "taken"],
)
async def test_a_wrong_second_page(
    hass: HomeAssistant, config_entry: MockConfigEntry, keys: Any, error: str
) -> None:
    await add(hass, config_entry, name="Other", code="other", key="2")
    result = await start(hass, config_entry)
    result = await submit(hass, result, code="co2", phones=["44"], key="1")
    result = await submit(hass, result, keys=keys)
    assert errors(result) == {"base": error}
    assert suggested(result) == {"keys": keys}
    result = await submit(hass, result, keys=BOTH)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_phone_that_goes_while_the_dialogue_is_open(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    result = await start(hass, config_entry)
    result = await submit(hass, result, code="co2", phones=["44", "45"], key="1")
    hass.config_entries.async_remove_subentry(config_entry, "subentry_45")
    result = await submit(hass, result)
    assert errors(result) == {
        "base": "Phone 45 no longer exists. Remove it from the list."
    }
    result = await submit(hass, result, keys=BOTH[:1])
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_many_keys_are_not_all_listed(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    keys = [key_data(f"{number}") for number in range(1, 25)]
    add_phone(hass, config_entry, phone_subentry("46", keys))
    result = await add(hass, config_entry, phones=["46"], key="99")
    assert errors(result) == {
        "base": "Phone 46 has no key 99. It has: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12…"
    }


@pytest.mark.parametrize("phones", [["99"], "44", None], ids=repr)
async def test_what_no_form_sends(
    hass: HomeAssistant, config_entry: MockConfigEntry, phones: object
) -> None:
    result = await start(hass, config_entry)
    with pytest.raises(InvalidData):
        await submit(hass, result, code="co2", phones=phones, key="1")


@pytest.mark.parametrize("keys", [{"phone": "44", "key": "1"}, [7], "1"], ids=repr)
async def test_what_no_list_sends(
    hass: HomeAssistant, config_entry: MockConfigEntry, keys: object
) -> None:
    result = await start(hass, config_entry)
    result = await submit(hass, result, code="co2", phones=["44"], key="1")
    with pytest.raises(InvalidData):
        await submit(hass, result, keys=keys)
