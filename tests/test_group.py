"""The same key of many phones as one light, by Home Assistant's own light group."""

import asyncio
from contextlib import AsyncExitStack

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.support.entries import PASSWORD, key_data, phone_subentry
from tests.support.ports import LOCALHOST
from tests.support.rawphone import RawPhone

EXTENSIONS = [f"{number}" for number in range(100, 120)]


async def test_twenty_phones_in_a_group_change_together(
    hass: HomeAssistant, port: int
) -> None:
    """Colours and effects pass through, and no phone waits for the answer of another."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        data={
            "host": LOCALHOST,
            "port": port,
            "realm": "home-assistant",
            "advertised_host": LOCALHOST,
        },
        subentries_data=[
            phone_subentry(extension, [key_data("1", colors=True)])
            for extension in EXTENSIONS
        ],
    )
    members = [f"light.phone_{extension}_key_1" for extension in EXTENSIONS]
    group = {"platform": "group", "name": "Everywhere", "entities": members}
    assert await async_setup_component(hass, "light", {"light": group})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    async with AsyncExitStack() as stack:
        desks = [
            await stack.enter_async_context(
                RawPhone((LOCALHOST, port), extension, PASSWORD)
            )
            for extension in EXTENSIONS
        ]
        for desk in desks:
            assert (await desk.register()).status == 200
            await desk.shows("1", c=None)
        await hass.async_block_till_done()

        # Silent phones: each change is sent although none before was answered.
        for desk in desks:
            desk.answer = None
        keys = [phone.keys["1"] for phone in entry.runtime_data.server.phones.values()]
        turns: list[int] = []
        turn = 0

        def count_turns() -> None:
            nonlocal turn
            turn += 1
            counting = asyncio.get_running_loop().call_soon(count_turns)
            running.append(counting)

        running: list[asyncio.Handle] = []
        for key in keys:
            key.shown.subscribe(lambda _: turns.append(turn))
        count_turns()
        await hass.services.async_call(
            "light",
            "turn_on",
            {"entity_id": "light.everywhere", "effect": "hold", "hs_color": [118, 90]},
            blocking=True,
        )
        running[-1].cancel()
        assert len(turns) == len(EXTENSIONS)
        assert len(set(turns)) == 1, "they changed in several turns of the loop"

        for desk in desks:
            desk.answer = 200
        for desk in desks:
            await desk.shows("1", c="hold", o="green")
        state = hass.states.get("light.everywhere")
        assert state is not None
        assert state.attributes["effect"] == "hold"
