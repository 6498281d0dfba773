"""The page of a phone's dialogue on which entities are chosen for the keys."""

import re
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.flows.choose import (
    OF_AREAS,
    SUGGESTED,
    async_suggested,
)
from homeassistant.config_entries import SubentryFlowResult
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from tests.support.entries import (
    add_phone,
    key_data,
    line_subentry,
    phone_subentry,
    update_phone,
)
from tests.support.flows import (
    TEXTS,
    listed_keys,
    reconfigure_phone,
    start_phone,
    submit_phone,
    suggested,
)
from tests.support.rawphone import RawPhone


async def adding(
    hass: HomeAssistant, entry: MockConfigEntry, **account: Any
) -> SubentryFlowResult:
    """Return the page for a new phone with 4 keys."""
    result = await start_phone(hass, entry)
    result = await submit_phone(hass, result, **({"model": "D713"} | account))
    assert result["step_id"] == "choose"
    assert not result["errors"]
    assert result["last_step"] is False
    return result


async def changing(
    hass: HomeAssistant, entry: MockConfigEntry, keys: list[dict[str, Any]]
) -> SubentryFlowResult:
    """Return the page for phone 44, after its keys are changed to these."""
    update_phone(hass, entry, keys=keys)
    result = await reconfigure_phone(hass, entry)
    result = await submit_phone(hass, result, key_count=len(keys))
    assert result["step_id"] == "choose"
    return result


async def chosen(
    hass: HomeAssistant, result: SubentryFlowResult, *entities: str
) -> list[dict[str, Any]]:
    """Choose entities; return the keys that the next page lists."""
    result = await submit_phone(hass, result, entities=list(entities))
    assert result["step_id"] == "keys", result["errors"]
    found: list[dict[str, Any]] = listed_keys(result)
    return found


def link(key: str, name: str, follows: str, **changes: Any) -> dict[str, Any]:
    """Return a linked key, its lamp with several colours."""
    data = key_data(key, name=name, kind="linked", colors=True, follows=follows)
    return data | changes


def unused(key: str) -> dict[str, Any]:
    return key_data(key, kind="none", colors=True)


def made(key: str) -> dict[str, Any]:
    """Return a key as it is made."""
    return key_data(key, colors=True)


def shown(result: SubentryFlowResult) -> dict[str, str]:
    """Return the errors of the page as a user reads them."""
    assert result["step_id"] == "choose"
    texts = TEXTS["config_subentries"]["phone"]["error"]
    placeholders = result["description_placeholders"]
    return {
        field: texts[error].format(**placeholders)
        for field, error in (result["errors"] or {}).items()
    }


def free(result: SubentryFlowResult) -> str:
    """Return how many keys the page says are free for new entities."""
    found: str = result["description_placeholders"]["free"]
    return found


HALL, GARAGE, DOOR = "light.hall", "cover.garage", "lock.door"


@pytest.fixture(autouse=True)
def entities(hass: HomeAssistant) -> None:
    for entity_id, name in ((HALL, "Hall"), (GARAGE, "Garage"), (DOOR, "Front door")):
        hass.states.async_set(entity_id, "off", {"friendly_name": name})


# Adding a phone


async def test_a_phone_is_added_by_choosing_its_model_and_entities(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    result = await adding(hass, server)
    assert suggested(result) == {"entities": []}
    assert free(result) == "4"
    result = await submit_phone(hass, result, entities=[GARAGE, HALL])
    result = await submit_phone(hass, await submit_phone(hass, result))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    [subentry] = [s for s in server.subentries.values() if s.unique_id == "46"]
    assert subentry.data["keys"] == [
        link("1", "Garage", GARAGE),
        link("2", "Hall", HALL),
        made("3"),
        made("4"),
    ]

    phone.extension, phone.password = "46", subentry.data["password"]
    assert (await phone.register()).status == 200
    await phone.shows("2", l="Hall", c=None)
    hass.states.async_set(HALL, "on", {"friendly_name": "Hall"})
    await phone.shows("2", l="Hall", c="on")
    assert hass.states.get("light.phone_46_hall") is None


@pytest.mark.parametrize("entities", [None, []])
async def test_keys_are_made_as_ever_if_nothing_is_chosen(
    hass: HomeAssistant, config_entry: MockConfigEntry, entities: list[str] | None
) -> None:
    result = await adding(hass, config_entry)
    result = await submit_phone(hass, result, entities=entities)
    assert listed_keys(result) == [made(key) for key in "1234"]


async def test_an_entity_that_is_chosen_twice_gets_one_key(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    keys = await chosen(hass, await adding(hass, config_entry), HALL, GARAGE, HALL)
    assert [key.get("follows") for key in keys] == [HALL, GARAGE, None, None]


async def test_the_list_leaves_out_details_of_phones(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    """But not what a key follows already, and not the switch of a line."""
    add_phone(hass, server, line_subentry(keys=[{"phone": "45", "key": "12"}]))
    await hass.async_block_till_done()
    kept = ["light.phone_45_key_1", "switch.gate"]
    result = await changing(hass, server, [link("1", "Lamp", kept[0]), unused("2")])
    assert result["data_schema"]
    left_out = result["data_schema"].schema["entities"].config["exclude_entities"]
    own = {entity.entity_id for entity in er.async_get(hass).entities.values()}
    assert own.difference(left_out) == {*kept}
    keys = await chosen(hass, result, *kept)
    assert [key["follows"] for key in keys] == kept


async def test_any_other_entity_can_be_chosen(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    """Also one that is hidden, disabled or not yet there."""
    registry = er.async_get(hass)
    hidden = registry.async_get_or_create(
        "light", "demo", "1", hidden_by=er.RegistryEntryHider.USER
    ).entity_id
    disabled = registry.async_get_or_create(
        "switch",
        "demo",
        "2",
        disabled_by=er.RegistryEntryDisabler.USER,
        original_name="Pump",
    ).entity_id
    keys = await chosen(hass, await adding(hass, server), hidden, disabled)
    assert keys[:2] == [link("1", hidden, hidden), link("2", "Pump", disabled)]


@pytest.mark.parametrize(
    ("chosen_now", "error"),
    [
        (["light.gone"], "There is no entity light.gone."),
        (["0" * 32], f"There is no entity {'0' * 32}."),
        (
            [f"light.l{number}" for number in range(5)],
            (
                "5 entities need a key, and 4 keys are free. A key is free if it is not used,"
                " or as it was made."
            ),
        ),
        (
            [f"light.l{number}" for number in range(250)],
            (
                "250 entities need a key, and 4 keys are free. A key is free if it is not"
                " used, or as it was made."
            ),
        ),
    ],
)
async def test_what_is_wrong_with_the_entities_is_said(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    chosen_now: list[str],
    error: str,
) -> None:
    for number in range(250):
        hass.states.async_set(f"light.l{number}", "on")
    result = await adding(hass, config_entry)
    result = await submit_phone(hass, result, entities=chosen_now)
    assert shown(result) == {"entities": error}
    assert suggested(result) == {"entities": chosen_now}
    assert (await chosen(hass, result, HALL))[0] == link("1", "Hall", HALL)


async def test_the_pages_say_what_each_linked_key_follows_and_does(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    """The page of the keys as it was opened, and the last page as it will be."""
    hass.states.async_set(GARAGE, "open", {"friendly_name": "*Garage*"})
    page = await adding(hass, config_entry, address="127.0.0.9")
    result = await submit_phone(hass, page, entities=[GARAGE, HALL])
    garage = (
        r"- **1 \*Garage\***: follows \*Garage\*\; a press opens\, stops or closes it"
    )
    hall = r"- **2 Hall**: follows Hall\; a press toggles it"
    assert result["description_placeholders"]["links"] == f"{garage}\n{hall}"

    keys = listed_keys(result)
    keys[0] |= {"kind": "none"}
    result = await submit_phone(hass, result, keys=keys)
    assert result["errors"] == {"base": "linked_only"}
    assert result["description_placeholders"]["links"] == hall
    del keys[0]["follows"]
    keys[1] |= {"name": "Light", "press": "nothing"}
    result = await submit_phone(hass, result, keys=keys)
    assert result["step_id"] == "placed"
    assert result["description_placeholders"]["keys"].splitlines()[:3] == [
        "- **P1**: *Type* `Button`, *Number* `1`, *Name* `*Garage*`",
        "- **P2**: *Type* `Button`, *Number* `2`, *Name* `Light`\\",
        r"  follows Hall\; a press does nothing",
    ]


async def test_a_phone_with_200_keys_takes_200_entities(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    many = [f"light.l{number}" for number in range(200)]
    for entity_id in many:
        hass.states.async_set(entity_id, "on")
    page = await adding(hass, config_entry, key_count=200)
    result = await submit_phone(hass, page, entities=many)
    assert [key["follows"] for key in listed_keys(result)] == many
    result = await submit_phone(hass, result)
    assert result["step_id"] == "phone"


async def test_an_entity_that_is_removed_meanwhile_is_an_error_of_its_key(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    page = await adding(hass, config_entry)
    result = await submit_phone(hass, page, entities=[HALL])
    hass.states.async_remove(HALL)
    result = await submit_phone(hass, result)
    assert result["errors"] == {"base": "link_no_entity"}
    assert result["description_placeholders"]["key"] == "1 (Hall)"
    assert result["description_placeholders"]["value"] == HALL


# Names


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Hall"], ["Hall"]),
        ([" Hall\u202e\n "], ["Hall"]),
        (["x" * 70], ["x" * 64]),
        (["x" * 63 + " y"], ["x" * 63]),
        ([None], ["light.l0"]),
        (["\u202e"], ["light.l0"]),
        (["Hall", "Hall", "Hall"], ["Hall", "Hall 2", "Hall 3"]),
        (["Hall 2", "Hall", "Hall"], ["Hall 2", "Hall", "Hall 3"]),
        (["x" * 70, "x" * 71], ["x" * 64, "x" * 62 + " 2"]),
        # A key that is free gives its name up.
        (["Key 1", "Key 4"], ["Key 1", "Key 4"]),
    ],
)
async def test_a_key_is_named_after_its_entity(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    names: list[str | None],
    expected: list[str],
) -> None:
    many = [f"light.l{number}" for number in range(len(names))]
    for entity_id, name in zip(many, names, strict=True):
        hass.states.async_set(entity_id, "on", {"friendly_name": name} if name else {})
    keys = await chosen(hass, await adding(hass, config_entry), *many)
    assert [key["name"] for key in keys[: len(names)]] == expected


async def test_a_name_that_another_key_of_the_phone_has_is_told_apart(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    keys = [key_data("1", name="Hall"), made("2")]
    result = await changing(hass, config_entry, keys)
    assert await chosen(hass, result, HALL) == [keys[0], link("2", "Hall 2", HALL)]


async def test_a_linked_key_without_a_name_is_named_after_its_entity(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    result = await adding(hass, config_entry)
    result = await submit_phone(hass, result)
    hall = {"kind": "linked", "follows": HALL}
    keys = [{"key": "1"} | hall, {"key": "2"} | hall, {"key": "3", "name": "Hall"}]
    result = await submit_phone(hass, result, keys=[*keys, {"key": "4", "name": " "}])
    lines = result["description_placeholders"]["keys"].splitlines()
    names = [line.split("*Name* ")[1] for line in lines if "*Name*" in line]
    assert names == ["`Hall 2`\\", "`Hall 3`\\", "`Hall`", "`Key 4`"]


# Changing a phone


async def test_the_page_shows_what_the_keys_follow_now(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    keys = [link("1", "Door", DOOR), made("2"), link("3", "Hall", HALL)]
    result = await changing(hass, config_entry, keys)
    assert suggested(result) == {"entities": [DOOR, HALL]}
    assert free(result) == "1"
    result = await submit_phone(hass, result)
    assert listed_keys(result) == keys


async def test_entities_that_stay_keep_their_keys_as_they_are(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    """New ones take the first free keys; one that is taken out frees its key."""
    own = {"press": "nothing", "confirm": "never", "colors": False}
    keys = [
        link("1", "Door", DOOR),
        link("2", "My hall", HALL, **own),
        key_data("3", kind="switch", name="Alarm"),
        made("4"),
    ]
    result = await changing(hass, config_entry, keys)
    assert await chosen(hass, result, HALL) == [unused("1"), *keys[1:]]
    result = await changing(hass, config_entry, keys)
    assert await chosen(hass, result, GARAGE, HALL) == [
        link("1", "Garage", GARAGE),
        *keys[1:],
    ]
    result = await changing(hass, config_entry, keys)
    assert await chosen(hass, result, GARAGE, DOOR, HALL) == [
        *keys[:3],
        link("4", "Garage", GARAGE),
    ]


async def test_keys_that_follow_the_same_entity_stay_and_go_together(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    keys = [link("1", "Hall", HALL), link("2", "Hall too", HALL)]
    result = await changing(hass, config_entry, keys)
    assert suggested(result) == {"entities": [HALL]}
    assert await chosen(hass, result, HALL) == keys
    result = await changing(hass, config_entry, keys)
    assert await chosen(hass, result) == [unused("1"), unused("2")]


@pytest.mark.parametrize(
    ("key", "is_free"),
    [
        (key_data("1"), True),
        (key_data("1", colors=True), True),
        (key_data("1", kind="switch"), True),
        (key_data("1", kind="none", name="Spare"), True),
        (key_data("1", name="Bell"), False),
        (key_data("1", kind="switch", name="Bell"), False),
        (key_data("1", kind="switch", toggle=True), False),
        (key_data("1", kind="switch", light_off="hold"), False),
        (key_data("1", kind="switch", number_on="*78"), False),
    ],
)
async def test_a_key_is_free_if_it_is_unused_or_as_it_was_made(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    key: dict[str, Any],
    is_free: bool,
) -> None:
    result = await changing(hass, config_entry, [key])
    assert free(result) == str(int(is_free))
    result = await submit_phone(hass, result, entities=[HALL])
    if is_free:
        wanted = link("1", "Hall", HALL, colors=key["colors"])
        assert listed_keys(result) == [wanted]
    else:
        assert result["errors"] == {"entities": "too_many_entities"}


async def test_a_key_of_a_shared_line_is_never_free(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    """What it would follow outside of the line is left as it is."""
    add_phone(hass, config_entry, line_subentry())
    keys = [link("1", "Garage", GARAGE), made("2")]
    result = await changing(hass, config_entry, keys)
    assert suggested(result) == {"entities": []}
    assert free(result) == "1"
    result = await submit_phone(hass, result, entities=[HALL])
    assert listed_keys(result) == [keys[0], link("2", "Hall", HALL)]
    lines = result["description_placeholders"]["links"]
    assert lines == r"- **2 Hall**: follows Hall\; a press toggles it"


async def test_an_entity_that_is_gone_can_stay_or_be_taken_out(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    keys = [link("1", "Old", "light.gone"), made("2")]
    result = await changing(hass, config_entry, keys)
    assert suggested(result) == {"entities": ["light.gone"]}
    wanted = [keys[0], link("2", "Hall", HALL)]
    assert await chosen(hass, result, "light.gone", HALL) == wanted
    result = await changing(hass, config_entry, keys)
    assert await chosen(hass, result, HALL) == [link("1", "Hall", HALL), keys[1]]


# Areas


@pytest.fixture
def hall(hass: HomeAssistant, config_entry: MockConfigEntry) -> ar.AreaEntry:
    """Return an area with entities of all sorts."""
    areas, devices = ar.async_get(hass), dr.async_get(hass)
    registry = er.async_get(hass)
    area = areas.async_create("Hall")
    elsewhere = areas.async_create("Cellar")
    device = devices.async_get_or_create(
        config_entry_id=config_entry.entry_id, identifiers={("demo", "1")}
    )
    devices.async_update_device(device.id, area_id=area.id)

    def add(domain: str, name: str, platform: str = "demo", **more: Any) -> str:
        in_area = more.pop("area", area)
        known = registry.async_get_or_create(
            domain,
            platform,
            name,
            original_name=name,
            suggested_object_id=f"demo {name}",
            **more,
        )
        if "device_id" not in more or in_area is not area:
            registry.async_update_entity(known.entity_id, area_id=in_area.id)
        if not known.disabled:
            attributes = {"friendly_name": name, "device_class": name.lower()}
            hass.states.async_set(known.entity_id, "on", attributes)
        return known.entity_id

    add("scene", "Evening")
    add("light", "lamp B")
    add("light", "Lamp A", device_id=device.id)
    add("switch", "Fountain")
    add("binary_sensor", "Motion")
    add("sensor", "Power")
    temperature = add("sensor", "Temperature", original_device_class="temperature")
    add("light", "Setting", entity_category=EntityCategory.CONFIG)
    add("switch", "Fault", entity_category=EntityCategory.DIAGNOSTIC)
    add("light", "Hidden", hidden_by=er.RegistryEntryHider.USER)
    add("light", "Disabled", disabled_by=er.RegistryEntryDisabler.USER)
    add("light", "Key", platform=DOMAIN)
    add("light", "Elsewhere", device_id=device.id, area=elsewhere)
    add("automation", "Rule")
    areas.async_update(
        area.id,
        temperature_entity_id=temperature,
        humidity_entity_id=None,
    )
    return area


FOUND = [
    "light.demo_lamp_a",
    "light.demo_lamp_b",
    "switch.demo_fountain",
    "scene.demo_evening",
    "binary_sensor.demo_motion",
    "sensor.demo_temperature",
]


async def test_an_area_adds_what_a_key_can_sensibly_follow(
    hass: HomeAssistant, config_entry: MockConfigEntry, hall: ar.AreaEntry
) -> None:
    """The page is shown once more, with the entities; the next submit goes on."""
    result = await adding(hass, config_entry, key_count=10)
    result = await submit_phone(
        hass, result, entities=[GARAGE, "switch.demo_fountain"], area=hall.id
    )
    assert shown(result) == {}
    wanted = [GARAGE, "switch.demo_fountain"]
    wanted += [entity for entity in FOUND if entity not in wanted]
    assert suggested(result) == {"entities": wanted}
    assert free(result) == "10"
    result = await submit_phone(hass, result)
    assert result["step_id"] == "keys"
    keys = listed_keys(result)
    assert [key.get("follows") for key in keys[:8]] == [*wanted, None]


async def test_an_area_adds_no_more_than_there_are_free_keys(
    hass: HomeAssistant, config_entry: MockConfigEntry, hall: ar.AreaEntry
) -> None:
    result = await adding(hass, config_entry)
    result = await submit_phone(hass, result, entities=[GARAGE], area=hall.id)
    assert suggested(result) == {"entities": [GARAGE, *FOUND[:3]]}
    assert free(result) == "4"
    assert shown(result) == {
        "area": "There are not enough free keys for Hall: 3 of its entities are left out."
    }
    result = await submit_phone(hass, result, area=hall.id)
    assert suggested(result) == {"entities": [GARAGE, *FOUND[:3]]}
    assert list(shown(result)) == ["area"]
    result = await submit_phone(hass, result)
    assert result["step_id"] == "keys"


async def test_an_area_is_added_to_too_many_entities(
    hass: HomeAssistant, config_entry: MockConfigEntry, hall: ar.AreaEntry
) -> None:
    many = [HALL, GARAGE, DOOR, *FOUND[:2]]
    result = await adding(hass, config_entry)
    result = await submit_phone(hass, result, entities=many, area=hall.id)
    assert suggested(result) == {"entities": many}
    assert result["errors"] == {"area": "area_too_large"}
    assert free(result) == "4"
    result = await submit_phone(hass, result)
    assert result["errors"] == {"entities": "too_many_entities"}


async def test_an_area_may_have_nothing_for_a_key(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    empty = ar.async_get(hass).async_create("Attic")
    result = await adding(hass, config_entry)
    for area_id, name in ((empty.id, "Attic"), ("gone", "gone")):
        result = await submit_phone(hass, result, entities=[HALL], area=area_id)
        assert suggested(result) == {"entities": [HALL]}
        assert shown(result) == {
            "area": f"There is nothing in {name} that a key could follow, beyond what is"
            " chosen."
        }


def test_each_domain_is_named_once() -> None:
    assert len(set(OF_AREAS)) == len(OF_AREAS)


# Suggestions of the page of a phone that is plugged in


def in_area(hass: HomeAssistant, entity_id: str, area: str) -> None:
    """Register an entity and put it into an area."""
    domain, _, name = entity_id.partition(".")
    registry = er.async_get(hass)
    registry.async_get_or_create(domain, "demo", name, suggested_object_id=name)
    area_id = ar.async_get(hass).async_get_or_create(area).id
    registry.async_update_entity(entity_id, area_id=area_id)


async def test_one_of_each_area_is_suggested_in_turn(
    hass: HomeAssistant, hall: ar.AreaEntry
) -> None:
    """Then what is in no area; without what is hidden, a setting, or of a phone.

    Nothing is suggested that shows something only.
    """
    assert list(async_suggested(hass).items()) == [
        ("light.demo_lamp_a", "Lamp A (Hall)"),
        ("light.demo_elsewhere", "Elsewhere (Cellar)"),
        ("light.demo_lamp_b", "lamp B (Hall)"),
        ("switch.demo_fountain", "Fountain (Hall)"),
        ("scene.demo_evening", "Evening (Hall)"),
        (HALL, "Hall"),
        (GARAGE, "Garage"),
    ]


async def test_eight_are_suggested_by_domain_and_name(hass: HomeAssistant) -> None:
    names = ("switch.a", *(f"light.{letter}" for letter in "edcba"), "fan.a", "scene.a")
    for entity_id in (*names, "cover.a"):
        hass.states.async_set(entity_id, "on", {"friendly_name": entity_id[-1]})
    assert [*async_suggested(hass)] == [
        *(f"light.{letter}" for letter in "abcde"),
        *(HALL, "switch.a", "fan.a"),
    ]


async def test_labels_of_suggestions_name_the_area_once_and_differ(
    hass: HomeAssistant,
) -> None:
    for number, (name, area) in enumerate(
        (("Kitchen lamp", "KITCHEN"), ("Lamp", "Attic"), ("Lamp", "Attic"))
    ):
        in_area(hass, f"light.l{number}", area)
        hass.states.async_set(f"light.l{number}", "on", {"friendly_name": name})
    hass.states.async_set(HALL, "on", {"friendly_name": "*H*\u202e\n"})
    assert [*async_suggested(hass).values()] == [
        *("Kitchen lamp", "Lamp (Attic)", "Lamp (Attic) 2", "*H*", "Garage"),
    ]


@pytest.mark.parametrize(
    ("entity_id", "state", "attributes"),
    [
        ("lock.front", "locked", {}),
        ("alarm_control_panel.house", "disarmed", {}),
        ("cover.big", "closed", {"device_class": "garage"}),
        ("cover.drive", "closed", {"device_class": "gate"}),
        ("scene.leave", "2026-01-01", {"entity_id": [HALL, DOOR]}),
        ("siren.roof", "off", {}),
        ("valve.water", "open", {}),
        ("script.unlock", "off", {}),
        ("button.restart", "unknown", {}),
        ("light.away", "unavailable", {}),
    ],
)
async def test_what_acts_dangerously_or_is_away_is_not_suggested(
    hass: HomeAssistant, entity_id: str, state: str, attributes: dict[str, Any]
) -> None:
    hass.states.async_set(entity_id, state, attributes)
    assert [*async_suggested(hass)] == [HALL, GARAGE]


def test_suggested_domains_have_an_order() -> None:
    assert [it for it in OF_AREAS if it in SUGGESTED] == [*SUGGESTED]


# The extension


@pytest.mark.parametrize(
    ("extensions", "proposed"),
    [
        ((), "10"),
        (("hall",), "10"),
        (("7",), "8"),
        (("44", "120", "9"), "121"),
        (("99",), "100"),
        (("007",), "008"),
        (("44", "hall"), "45"),
    ],
)
async def test_the_next_free_extension_is_proposed(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    extensions: tuple[str, ...],
    proposed: str,
) -> None:
    for subentry_id in list(config_entry.subentries):
        hass.config_entries.async_remove_subentry(config_entry, subentry_id)
    for extension in extensions:
        add_phone(hass, config_entry, phone_subentry(extension))
    assert suggested(await start_phone(hass, config_entry))["extension"] == proposed


async def test_the_code_of_a_line_is_not_proposed_as_an_extension(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    add_phone(hass, config_entry, {**line_subentry(code="46"), "unique_id": "46"})
    result = await start_phone(hass, config_entry)
    assert suggested(result)["extension"] == "47"


NAMES = (
    *("a|b", "`c`", "[d](http://e)", "<b>f</b>", "g\n# h\n\n| i |", "\u202ej"),
    *("k" * 500, "{l} {0}", "&amp;", "\\"),
)


async def test_a_name_of_an_entity_is_no_markup(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    """Integrations take names from devices and brokers."""
    entities = {f"light.number_{n}": name for n, name in enumerate(NAMES)}
    for entity_id, name in entities.items():
        hass.states.async_set(entity_id, "on", {"friendly_name": name})
    result = await adding(hass, config_entry, key_count=len(NAMES))
    keys = await submit_phone(hass, result, entities=list(entities))
    assert keys["step_id"] == "keys"
    last = await submit_phone(hass, keys)
    assert last["step_id"] == "phone"
    for page, name in ((keys, "links"), (last, "keys")):
        shown = page["description_placeholders"][name].replace("\\\n  ", " ")
        lines = shown.split("\n")
        assert len(lines) == len(NAMES)
        for line in lines:
            without_code = re.sub("`[^`]*`", "", re.sub(r"\\`", "", line))
            plain = re.sub(r"\\[!-/:-@\[-`{-~]", "", without_code)
            assert "|" not in plain
            assert not re.search(r"[\[\]<>#&{}\\\u202e]", plain)
            assert "`" not in plain
