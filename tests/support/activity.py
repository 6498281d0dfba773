"""What *Activity* shows, read as the frontend reads it: from the database."""

from datetime import timedelta
from typing import Any

from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

type Told = tuple[str, str, str | None]
"""What changed, how, and by what."""


async def set_up_activity(hass: HomeAssistant) -> None:
    """Set up the logbook. The test needs the fixture `recorder_mock`."""
    assert await async_setup_component(hass, "logbook", {})


def told(entry: dict[str, Any]) -> Told:
    """Return an entry of the logbook in short."""
    cause = [entry.get("context_name"), entry.get("context_message")]
    # The state of an event is its time.
    state = entry.get("attributes", {}).get("event_type") or entry.get("state")
    return (
        entry.get("name") or entry["entity_id"],
        entry.get("message") or state,
        " ".join(filter(None, cause)) or None,
    )


async def recorded(hass: HomeAssistant, client: Any, **request: Any) -> list[Told]:
    """Return the entries of the last hour, in their order."""
    await async_wait_recording_done(hass)
    start = dt_util.utcnow() - timedelta(hours=1)
    await client.send_json_auto_id(
        {"type": "logbook/get_events", "start_time": start.isoformat(), **request}
    )
    answer = await client.receive_json()
    assert answer["success"], answer
    return [told(entry) for entry in answer["result"]]
