"""A key for each person on all phones."""

from typing import Any, override

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    MockPlatform,
    mock_config_flow,
    mock_integration,
    mock_platform,
)

from homeassistant.components.device_tracker import TrackerEntity
from homeassistant.components.notify import NotifyEntity
from homeassistant.config_entries import ConfigEntry, ConfigFlow
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.setup import async_setup_component
from tests.support.blueprints import Automation, automate, pass_time, turns
from tests.support.rawphone import RawPhone

PLATFORMS = ["device_tracker", "notify"]
ANNA = DeviceInfo(identifiers={("app", "anna")}, name="Anna's phone")


class Position(TrackerEntity):
    """Where a mobile phone is."""

    entity_id = "device_tracker.annas_phone"
    _attr_unique_id = "position"
    _attr_device_info = ANNA
    _attr_should_poll = False

    def move(self, place: str, latitude: float = 0.0) -> None:
        self._attr_location_name = place
        self._attr_latitude = self._attr_longitude = latitude
        self.async_write_ha_state()


class Messages(NotifyEntity):
    """The messages to a mobile phone."""

    entity_id = "notify.annas_phone"
    _attr_unique_id = "messages"
    _attr_device_info = ANNA

    def __init__(self) -> None:
        self.received: list[str] = []

    @override
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        self.received.append(message)


@pytest.fixture
async def app(hass: HomeAssistant, other: RawPhone) -> tuple[Position, Messages]:
    """Set up the persons Anna, who has a mobile phone, and Ben, who has none."""

    async def set_up(hass: HomeAssistant, entry: ConfigEntry) -> bool:
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
        return True

    entities = (Position(), Messages())
    mock_integration(hass, MockModule("app", async_setup_entry=set_up))
    mock_platform(hass, "app.config_flow")
    for domain, entity in zip(PLATFORMS, entities, strict=True):

        async def add(
            hass: HomeAssistant,
            entry: ConfigEntry,
            async_add_entities: AddConfigEntryEntitiesCallback,
            entity: Any = entity,
        ) -> None:
            async_add_entities([entity])

        mock_platform(hass, f"app.{domain}", MockPlatform(async_setup_entry=add))
    entry = MockConfigEntry(domain="app")
    entry.add_to_hass(hass)
    with mock_config_flow("app", ConfigFlow):
        assert await hass.config_entries.async_setup(entry.entry_id)
    people = [
        {"id": "1", "name": "Anna", "device_trackers": [Position.entity_id]},
        {"id": "2", "name": "Ben", "device_trackers": ["device_tracker.ben"]},
    ]
    hass.states.async_set("device_tracker.ben", "not_home")
    assert await async_setup_component(hass, "person", {"person": people})
    await hass.async_block_till_done()
    return entities


async def who_is_home(hass: HomeAssistant, **inputs: Any) -> Automation:
    devices = {
        entry.device_id
        for entry in er.async_get(hass).entities.values()
        if entry.unique_id.endswith("_registered") and entry.device_id
    }
    given = {"persons": ["person.anna", "person.ben"], "phones": sorted(devices)}
    return await automate(hass, "who_is_home", **given | inputs)


async def test_all_phones_show_where_the_persons_are(
    hass: HomeAssistant,
    phone: RawPhone,
    other: RawPhone,
    app: tuple[Position, Messages],
) -> None:
    position, _ = app
    position.move("home")
    await who_is_home(hass, first_key=3)
    position.move("Work")
    # Key 4 is not used otherwise, and has no entity.
    hass.bus.async_fire("automation_reloaded")
    for shown in (phone, other):
        await shown.shows("3", c=None, l="Anna: Work")
        await shown.shows("4", c=None, l="Ben: Away")
    position.move("home")
    for shown in (phone, other):
        await shown.shows("3", c="on", l="Anna: Home")
    hass.states.async_set("device_tracker.ben", "home")
    for shown in (phone, other):
        await shown.shows("4", c="on", l="Ben: Home")


async def test_a_press_asks_the_person_to_call(
    hass: HomeAssistant,
    phone: RawPhone,
    other: RawPhone,
    app: tuple[Position, Messages],
    freezer: FrozenDateTimeFactory,
) -> None:
    position, messages = app
    automation = await who_is_home(hass)
    position.move("home")
    await other.shows("1", c="on", l="Anna: Home")
    await other.press("1")
    await other.shows("1", c="message", l="Anna")
    assert phone.keys["1"]["c"] == "on"
    await turns()
    assert messages.received == ["Please call: Phone 45"]
    # A change of another person, and one of this person, during the receipt.
    hass.states.async_set("device_tracker.ben", "home")
    await other.shows("2", c="on", l="Ben: Home")
    await pass_time(hass, freezer, seconds=3)
    await other.shows("1", c="on", l="Anna: Home")
    # Ben has no phone with the app.
    await phone.press("2")
    await phone.shows("2", c="error", l="Ben")
    await pass_time(hass, freezer, seconds=3)
    await phone.shows("2", c="on", l="Ben: Home")
    # A press of another key is nothing.
    await phone.press("3")
    await turns()
    assert automation.running == 0 and len(messages.received) == 1


async def test_a_new_position_in_the_same_place_sends_nothing(
    hass: HomeAssistant, phone: RawPhone, app: tuple[Position, Messages]
) -> None:
    position, _ = app
    position.move("home", 1)
    await who_is_home(hass)
    position.move("Work", 1)
    await phone.shows("1", c=None, l="Anna: Work")
    before = hass.states.get("automation.by_blueprint")
    position.move("Work", 2)
    await turns()
    after = hass.states.get("automation.by_blueprint")
    assert before and after
    triggered = [s.attributes["last_triggered"] for s in (before, after)]
    assert triggered[0] == triggered[1]


async def test_a_restart_shows_all_persons(
    hass: HomeAssistant, phone: RawPhone, app: tuple[Position, Messages]
) -> None:
    position, _ = app
    position.move("home")
    automation = await who_is_home(hass)
    await automation.stop()
    position.move("Work")
    await turns()
    await automation.restart()
    await phone.shows("1", c=None, l="Anna: Work")
    await phone.shows("2", c=None, l="Ben: Away")
    await automation.stop()
    position.move("home")
    await turns()
    await automation.reload()
    await phone.shows("1", c="on", l="Anna: Home")
