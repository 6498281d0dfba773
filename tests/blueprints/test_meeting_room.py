"""A key on each phone shows whether the meeting room is taken."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, override

from freezegun.api import FrozenDateTimeFactory
import pytest

from homeassistant.components.calendar import CalendarEntity, CalendarEvent
from homeassistant.components.calendar.const import DATA_COMPONENT
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.support.blueprints import Automation, automate, pass_time
from tests.support.rawphone import RawPhone

KEYS = ["event.phone_44_key_2_press", "event.phone_45_alarm_press"]


class Room(CalendarEntity):
    """The calendar of a room with one event."""

    entity_id = "calendar.room"
    _attr_name = "Room"
    _attr_should_poll = False
    _event: CalendarEvent | None = None

    @property
    @override
    def event(self) -> CalendarEvent | None:
        return self._event

    def plan(self, start: datetime, minutes: int, title: str) -> None:
        end = start + timedelta(minutes=minutes)
        self._event = CalendarEvent(start=start, end=end, summary=title)
        self.async_write_ha_state()

    def cancel(self) -> None:
        self._event = None
        self.async_write_ha_state()

    def set_available(self, is_available: bool) -> None:
        self._attr_available = is_available
        self.async_write_ha_state()


@pytest.fixture
async def room(
    hass: HomeAssistant, other: RawPhone, freezer: FrozenDateTimeFactory
) -> AsyncIterator[Room]:
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to("2026-11-27T09:00:00+01:00")
    assert await async_setup_component(hass, "calendar", {})
    room = Room()
    await hass.data[DATA_COMPONENT].async_add_entities([room])
    yield room
    await room.async_remove()


async def meeting_room(hass: HomeAssistant, **inputs: Any) -> Automation:
    given = {"calendar": "calendar.room", "keys": KEYS} | inputs
    return await automate(hass, "meeting_room", **given)


async def test_an_event_is_announced_and_shown_on_all_phones(
    hass: HomeAssistant,
    phone: RawPhone,
    other: RawPhone,
    room: Room,
    freezer: FrozenDateTimeFactory,
) -> None:
    await meeting_room(hass, before={"minutes": 5})
    room.plan(dt_util.now() + timedelta(minutes=30), 20, "Board")
    await pass_time(hass, freezer, minutes=24)
    assert "c" not in phone.keys["2"]
    # A template that depends on the time is read each minute.
    await pass_time(hass, freezer, minutes=1)
    await phone.shows("2", c="message", o="orange", l="Board")
    await other.shows("3", c="message", o="orange", l="Board")
    await pass_time(hass, freezer, minutes=5)
    await phone.shows("2", c="on", o="red", l="Board")
    await other.shows("3", c="on", o="red", l="Board")
    await pass_time(hass, freezer, minutes=20)
    await phone.shows("2", c=None, o=None, l="Key 2")
    await other.shows("3", c=None, o=None, l="Alarm")


async def test_events_that_follow_each_other_move_and_fall_out(
    hass: HomeAssistant, phone: RawPhone, room: Room, freezer: FrozenDateTimeFactory
) -> None:
    await meeting_room(hass)
    room.plan(dt_util.now() - timedelta(minutes=5), 10, "First")
    await phone.shows("2", c="on", l="First")
    room.plan(dt_util.now(), 10, "Second")
    await phone.shows("2", c="on", l="Second")
    room.plan(dt_util.now() + timedelta(minutes=9), 10, "Third")
    await phone.shows("2", c="message", l="Third")
    room.plan(dt_util.now() + timedelta(minutes=19), 10, "Third")
    await phone.shows("2", c=None, l="Key 2")
    room.plan(dt_util.now() + timedelta(minutes=9), 10, "Third")
    await phone.shows("2", c="message", l="Third")
    room.cancel()
    await phone.shows("2", c=None, l="Key 2")


@pytest.mark.parametrize(
    ("title", "label"),
    [
        ("['1']", "['1']"),
        ("0042", "0042"),
        ("7.10", "7.10"),
        ("Two\nlines\u202e", "Two lines"),
        ("x" * 200, "x" * 64),
        ("", "Key 2"),
    ],
)
async def test_a_title_is_shown_as_it_is_written(
    hass: HomeAssistant, phone: RawPhone, room: Room, title: str, label: str
) -> None:
    await meeting_room(hass)
    room.plan(dt_util.now(), 10, title)
    await phone.shows("2", c="on", l=label)


async def test_a_calendar_that_is_away(
    hass: HomeAssistant, phone: RawPhone, room: Room
) -> None:
    await meeting_room(hass)
    room.plan(dt_util.now(), 10, "Board")
    await phone.shows("2", c="on")
    room.set_available(False)
    await phone.shows("2", c="offline", l="Key 2")
    room.set_available(True)
    await phone.shows("2", c="on", l="Board")


async def test_the_end_of_an_event_during_a_restart(
    hass: HomeAssistant, phone: RawPhone, room: Room, freezer: FrozenDateTimeFactory
) -> None:
    automation = await meeting_room(hass)
    room.plan(dt_util.now(), 10, "Board")
    await phone.shows("2", c="on")
    await automation.stop()
    room.cancel()
    await automation.restart()
    await phone.shows("2", c=None, l="Key 2")
    await automation.stop()
    room.plan(dt_util.now() + timedelta(minutes=2), 10, "Next")
    await automation.reload()
    await phone.shows("2", c="message", l="Next")
