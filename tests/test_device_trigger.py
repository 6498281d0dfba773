"""Device triggers: what is offered, what is refused, and automations that they run."""

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_get_device_automations,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.device_trigger import (
    KEY_TYPES,
    SCHEMAS,
    async_attach_trigger,
    async_validate_trigger_config,
)
from homeassistant.components.device_automation import (
    DeviceAutomationType,
    InvalidDeviceAutomationConfig,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from tests.support.blfphone import over_both_speakers
from tests.support.entries import (
    BOTH,
    KEYS,
    Phones,
    add_phone,
    device_of,
    key_data,
    line_subentry,
    phone_subentry,
    update_phone,
)
from tests.support.ports import free_port
from tests.support.rawphone import RawPhone

TRANSLATIONS = Path(__file__).parents[1] / "custom_components" / DOMAIN / "translations"


def trigger(hass: HomeAssistant, type_: str, **fields: Any) -> dict[str, Any]:
    """Return a trigger of phone 44, or of another device."""
    return {
        "platform": "device",
        "domain": DOMAIN,
        "device_id": device_of(hass),
        "type": type_,
    } | fields


async def automate(hass: HomeAssistant, *triggers: dict[str, Any]) -> list[Any]:
    """Set up an automation for each trigger; return what they will do, in order."""
    ran = async_capture_events(hass, "ran")
    automations = [
        {
            "alias": f"Automation {number}",
            "triggers": it,
            "actions": {
                "event": "ran",
                "event_data": {
                    "type": it["type"],
                    "platform": "{{ trigger.platform }}",
                    "data": "{{ trigger.event.data }}",
                },
            },
        }
        for number, it in enumerate(triggers)
    ]
    assert await async_setup_component(hass, "automation", {"automation": automations})
    await hass.async_block_till_done()
    return ran


async def settled(hass: HomeAssistant) -> None:
    """Let an event pass through the signals, the bus, the trigger and the automation."""
    for _ in range(5):
        await hass.async_block_till_done(wait_background_tasks=True)


async def offered(hass: HomeAssistant, device_id: str) -> list[tuple[str, str | None]]:
    found = await async_get_device_automations(
        hass, DeviceAutomationType.TRIGGER, device_id
    )
    ours = [it for it in found if it["domain"] == DOMAIN]
    assert all(it["platform"] == "device" for it in ours)
    assert all(it["device_id"] == device_id for it in ours)
    return [(it["type"], it.get("subtype")) for it in ours]


# What is offered


async def test_a_phone_offers_what_its_keys_can_do(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    """A key without use offers nothing; only a key of a line seizes and releases it."""
    assert await offered(hass, device_of(hass)) == [
        ("pressed", "1"),
        ("pressed", "2"),
        ("pressed", "3 (Alarm)"),
        ("dialled", None),
    ]
    add_phone(hass, server, line_subentry())
    await hass.async_block_till_done()
    assert await offered(hass, device_of(hass)) == [
        ("pressed", "1"),
        ("pressed", "2"),
        ("pressed", "3 (Alarm)"),
        ("seized", "1"),
        ("released", "1"),
        ("dialled", None),
    ]
    assert await offered(hass, device_of(hass, "subentry_line")) == [
        ("line_seized", None),
        ("line_released", None),
    ]
    assert await offered(hass, server.runtime_data.device_id) == []


async def test_a_phone_offers_the_same_while_its_server_is_not_loaded(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    before = await offered(hass, device_of(hass))
    assert await hass.config_entries.async_unload(server.entry_id)
    assert await offered(hass, device_of(hass)) == before


async def test_the_editor_reads_a_trigger_as_a_sentence(
    hass: HomeAssistant,
    server: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """As the frontend composes it, from what it asks Home Assistant for."""
    assert await async_setup_component(hass, "device_automation", {})
    client = await hass_ws_client()

    async def ask(**request: Any) -> Any:
        await client.send_json_auto_id(request)
        answer = await client.receive_json()
        assert answer["success"], answer
        return answer["result"]

    add_phone(hass, server, line_subentry())
    await hass.async_block_till_done()
    for language, sentences in {
        "en": {
            "Key 1 was pressed",
            "Key 3 (Alarm) was pressed",
            "Key 1 seized its line",
            "Key 1 released its line",
            "A number was dialled",
            "The line was seized",
            "The line was released",
        },
        "de": {
            "Taste 1 wurde gedrückt",
            "Taste 3 (Alarm) wurde gedrückt",
            "Taste 1 hat ihre Leitung belegt",
            "Taste 1 hat ihre Leitung freigegeben",
            "Eine Nummer wurde gewählt",
            "Die Leitung wurde belegt",
            "Die Leitung wurde freigegeben",
        },
    }.items():
        texts = await async_get_translations(
            hass, language, "device_automation", [DOMAIN]
        )
        path = f"component.{DOMAIN}.device_automation"
        read = set()
        for subentry_id in ("subentry_44", "subentry_line"):
            for it in await ask(
                type="device_automation/trigger/list",
                device_id=device_of(hass, subentry_id),
            ):
                if it["domain"] != DOMAIN:
                    continue
                # No text has the name of a key, so it is shown as it is.
                assert f"{path}.trigger_subtype.{it.get('subtype')}" not in texts
                sentence = texts[f"{path}.trigger_type.{it['type']}"]
                read.add(sentence.format(subtype=it.get("subtype", "")))
                fields = await ask(
                    type="device_automation/trigger/capabilities", trigger=it
                )
                names = [field["name"] for field in fields["extra_fields"]]
                assert names == (["number"] if it["type"] == "dialled" else [])
        assert read >= sentences
        for name in ("extra_fields", "extra_fields_descriptions"):
            assert texts[f"{path}.{name}.number"]


def test_every_type_has_its_sentence() -> None:
    for file in TRANSLATIONS.glob("*.json"):
        texts = json.loads(file.read_text())["device_automation"]
        assert set(texts["trigger_type"]) == set(SCHEMAS)
        for name, sentence in texts["trigger_type"].items():
            assert ("{subtype}" in sentence) == (name in KEY_TYPES), name


# What runs


@over_both_speakers
async def test_a_press_runs_the_automations_of_its_key(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    ran = await automate(
        hass,
        trigger(hass, "pressed", subtype="3 (Alarm)"),
        trigger(hass, "pressed", subtype="1"),
        trigger(hass, "pressed", subtype="3", device_id=device_of(hass, "subentry_45")),
    )
    await phone.press("3")
    await settled(hass)
    [event] = ran
    assert event.data["platform"] == "device"
    assert event.data["data"]["key"] == "3"
    assert event.data["data"]["phone"] == "44"
    # Also if Home Assistant presses it.
    await hass.services.async_call(
        DOMAIN, "press_key", {"entity_id": "event.phone_44_alarm_press"}, blocking=True
    )
    await settled(hass)
    assert [event.data["data"].get("simulated") for event in ran] == [None, True]


@over_both_speakers
async def test_a_dialled_number_runs_an_automation_of_all_or_of_that_number(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    """A number in YAML may not be a text."""
    ran = await automate(
        hass,
        trigger(hass, "dialled"),
        trigger(hass, "dialled", number=""),
        trigger(hass, "dialled", number="100"),
        trigger(hass, "dialled", number=101),
    )
    await phone.invite("100")
    await settled(hass)
    assert [event.data["data"]["number"] for event in ran] == ["100"] * 3
    await phone.invite("101")
    await phone.invite("102")
    await settled(hass)
    numbers = [event.data["data"]["number"] for event in ran]
    assert sorted(numbers) == ["100"] * 3 + ["101"] * 3 + ["102"] * 2


async def test_only_a_press_with_an_effect_on_the_line_seizes_it(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    """The event entity of the key and the device of the line say the same."""
    add_phone(hass, server, line_subentry())
    await phone.shows("1", a="seize")
    line = device_of(hass, "subentry_line")
    ran = await automate(
        hass,
        trigger(hass, "pressed", subtype="1"),
        trigger(hass, "seized", subtype="1"),
        trigger(hass, "released", subtype="1"),
        trigger(hass, "line_seized", device_id=line),
        trigger(hass, "line_released", device_id=line),
    )

    async def types() -> list[str]:
        await settled(hass)
        found = sorted(event.data["type"] for event in ran)
        ran.clear()
        return found

    await phone.press("1", "seize")
    assert await types() == ["line_seized", "pressed", "seized"]
    await phone.press("1", "seize")  # it holds the line already
    assert await types() == ["pressed"]
    await phone.press("1", "release")
    assert await types() == ["line_released", "pressed", "released"]
    for action, use in (("turn_on", "line_seized"), ("turn_off", "line_released")):
        await hass.services.async_call(
            "switch", action, {"entity_id": "switch.gate"}, blocking=True
        )
        assert await types() == [use]


# What a trigger survives


@over_both_speakers
async def test_a_trigger_survives_a_reload_and_a_rename(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    ran = await automate(hass, trigger(hass, "pressed", subtype="3 (Alarm)"))
    assert await hass.config_entries.async_reload(server.entry_id)
    await hass.async_block_till_done()
    await phone.press("3")
    await settled(hass)
    assert len(ran) == 1
    keys = [*KEYS[:2], key_data("3", kind="switch", name="Siren"), KEYS[3]]
    update_phone(hass, server, keys=keys, title="Reception")
    await hass.async_block_till_done()
    assert ("pressed", "3 (Siren)") in await offered(hass, device_of(hass))
    await phone.press("3")
    await settled(hass)
    assert len(ran) == 2
    # Home Assistant reads the automation again, with the old name.
    config = trigger(hass, "pressed", subtype="3 (Alarm)")
    assert await async_validate_trigger_config(hass, config)


@over_both_speakers
async def test_a_trigger_survives_a_phone_with_another_extension(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    ran = await automate(hass, trigger(hass, "pressed", subtype="3"))
    update_phone(hass, server, extension="46")
    await hass.async_block_till_done()
    phone = await phones("46")
    await phone.press("3")
    await settled(hass)
    assert [event.data["data"]["phone"] for event in ran] == ["46"]


@over_both_speakers
async def test_a_trigger_survives_a_phone_that_is_removed_and_added(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phones: Phones,
    area_registry: ar.AreaRegistry,
) -> None:
    """By its extension it gets its device back, also if it has another subentry."""
    device_id = device_of(hass)
    area_id = area_registry.async_create("Hall").id
    dr.async_get(hass).async_update_device(device_id, area_id=area_id)
    config = trigger(hass, "pressed", subtype="3")
    ran = await automate(hass, config)
    for number, subentry_id in enumerate(("subentry_44", "another"), 1):
        [known] = [it for it in server.subentries.values() if it.unique_id == "44"]
        assert hass.config_entries.async_remove_subentry(server, known.subentry_id)
        await hass.async_block_till_done()
        assert dr.async_get(hass).async_get(device_id) is None
        add_phone(hass, server, {**phone_subentry("44"), "subentry_id": subentry_id})
        await hass.async_block_till_done()
        device = dr.async_get(hass).async_get(device_id)
        assert device and device.area_id == area_id
        assert device_of(hass, subentry_id) == device_id
        phone = await phones()
        await phone.press("3")
        await settled(hass)
        assert len(ran) == number
    assert await async_validate_trigger_config(hass, config)


@pytest.mark.parametrize("is_loaded", [True, False])
async def test_phones_that_swap_their_extensions_keep_their_devices(
    hass: HomeAssistant, server: MockConfigEntry, *, is_loaded: bool
) -> None:
    before = [device_of(hass), device_of(hass, "subentry_45")]
    if not is_loaded:
        assert await hass.config_entries.async_unload(server.entry_id)
    update_phone(hass, server, "44", extension="46")
    update_phone(hass, server, "45", extension="44")
    update_phone(hass, server, "44", extension="45")
    if not is_loaded:
        assert await hass.config_entries.async_setup(server.entry_id)
    await hass.async_block_till_done()
    assert [device_of(hass), device_of(hass, "subentry_45")] == before
    assert [server.runtime_data.phones[it].device_id for it in ("45", "44")] == before
    registry, entry_id = dr.async_get(hass), server.entry_id
    for device_id, identifiers in zip(
        before,
        (("subentry_44", f"{entry_id}_45"), ("subentry_45", f"{entry_id}_44")),
        strict=True,
    ):
        device = registry.async_get(device_id)
        assert device and device.identifiers == {(DOMAIN, it) for it in identifiers}


async def test_a_phone_gets_no_device_of_another_server(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    """Which also has a phone with that extension, and whose automations name it."""
    other = MockConfigEntry(
        domain=DOMAIN,
        title="Others",
        data={**server.data, "port": free_port()},
        subentries_data=[{**phone_subentry("44"), "subentry_id": "other_44"}],
    )
    other.add_to_hass(hass)
    assert await hass.config_entries.async_setup(other.entry_id)
    await hass.async_block_till_done()
    entries = {"subentry_44": server, "other_44": other}

    def devices() -> list[str]:
        return [it.runtime_data.phones["44"].device_id for it in entries.values()]

    before = devices()
    assert len({*before}) == 2
    for subentry_id, entry in entries.items():
        assert hass.config_entries.async_remove_subentry(entry, subentry_id)
        await hass.async_block_till_done()
    for entry in reversed(entries.values()):
        again = {**phone_subentry("44"), "subentry_id": f"again_{entry.entry_id}"}
        add_phone(hass, entry, again)
        await hass.async_block_till_done()
    assert devices() == before


@over_both_speakers
async def test_a_trigger_is_attached_before_its_server_is_loaded(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    """As while Home Assistant starts; it validates nothing then."""
    assert await hass.config_entries.async_unload(server.entry_id)
    ran = await automate(
        hass,
        trigger(hass, "pressed", subtype="3 (Alarm)"),
        trigger(hass, "dialled"),
    )
    assert await hass.config_entries.async_setup(server.entry_id)
    await hass.async_block_till_done()
    phone = await phones()
    await phone.press("3")
    await phone.invite("100")
    await settled(hass)
    assert {event.data["type"] for event in ran} == {"pressed", "dialled"}


# What is refused


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (
            {"type": "pressed", "subtype": "9 (Siren)"},
            "Phone 44 has no key 9 (Siren). It has: 1, 2, 3, 4",
        ),
        (
            {"type": "seized", "subtype": "3"},
            "Key 3 of Phone 44 belongs to no shared line",
        ),
        ({"type": "line_seized"}, "Phone 44 is not one of the shared lines"),
        ({"type": "pressed"}, "subtype"),
        ({"type": "held", "subtype": "3"}, "type"),
        ({"type": "dialled", "number": ["1"]}, "number"),
    ],
    ids=str,
)
async def test_an_error_names_what_is_wrong(
    hass: HomeAssistant, server: MockConfigEntry, fields: dict[str, Any], error: str
) -> None:
    with pytest.raises(InvalidDeviceAutomationConfig) as raised:
        await async_validate_trigger_config(hass, trigger(hass, "") | fields)
    assert error in str(raised.value)


@pytest.mark.parametrize(
    ("subentry_id", "type_", "error"),
    [
        ("subentry_line", "pressed", "Gate is not one of the phones"),
        ("subentry_line", "dialled", "Gate is not one of the phones"),
        ("other", "dialled", "Lamp is not one of the phones"),
        ("other", "line_seized", "Lamp is not one of the shared lines"),
        ("gone", "dialled", "gone is not one of the phones"),
    ],
)
async def test_an_error_names_a_device_that_is_not_the_right_one(
    hass: HomeAssistant,
    server: MockConfigEntry,
    subentry_id: str,
    type_: str,
    error: str,
) -> None:
    add_phone(hass, server, line_subentry(keys=BOTH))
    await hass.async_block_till_done()
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    lamp = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("other", "lamp")}, name="Lamp"
    )
    devices = {
        "subentry_line": device_of(hass, "subentry_line"),
        "other": lamp.id,
        "gone": "gone",
    }
    config = trigger(hass, type_, device_id=devices[subentry_id])
    if type_ == "pressed":
        config["subtype"] = "3"
    with pytest.raises(InvalidDeviceAutomationConfig, match=error):
        await async_validate_trigger_config(hass, config)


async def test_a_trigger_of_a_key_that_is_gone_is_refused_while_its_server_is_not_loaded(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    assert await hass.config_entries.async_unload(server.entry_id)
    assert server.state is ConfigEntryState.NOT_LOADED
    config = trigger(hass, "pressed", subtype="9")
    with pytest.raises(InvalidDeviceAutomationConfig, match="has no key 9"):
        await async_attach_trigger(hass, config, None, None)  # type: ignore[arg-type]
