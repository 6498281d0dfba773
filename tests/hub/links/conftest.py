"""A phone whose keys are linked, on a real socket."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from tests.support.entries import Phones, key_data, update_phone
from tests.support.rawphone import RawPhone

type Linked = Callable[..., Awaitable[RawPhone]]


def link(key: str, follows: str, **changes: Any) -> dict[str, Any]:
    """Return a linked key with colours, as a subentry stores it."""
    data = {"kind": "linked", "colors": True, "follows": follows}
    return key_data(key, **data | changes)


@pytest.fixture
def linked(
    hass: HomeAssistant, config_entry: MockConfigEntry, phones: Phones
) -> Linked:
    """Return a function that sets up linked keys; it returns phone 44, registered."""

    async def set_up(*keys: dict[str, Any]) -> RawPhone:
        update_phone(hass, config_entry, keys=list(keys))
        assert await hass.config_entries.async_setup(config_entry.entry_id)
        await hass.async_block_till_done()
        phone: RawPhone = await phones()
        return phone

    return set_up
