"""In which turn of the event loop lamps change."""

import asyncio

import pytest

from custom_components.snom_buttons.hub.lamp_turns import LAMPS_A_TURN, LampTurns


class Turns(LampTurns):
    """Turns that note which lamps changed in each turn of the loop."""

    def __init__(self) -> None:
        super().__init__()
        self.changed: list[list[str]] = []
        self._at: object = None

    async def change(self, phone: str) -> None:
        await self.wait(phone)
        loop = asyncio.get_running_loop()
        if self._at is None:
            self.changed.append([])
            self._at = loop.call_soon(self._end_turn)
        self.changed[-1].append(phone)

    def _end_turn(self) -> None:
        self._at = None


@pytest.mark.parametrize(
    ("phones", "expected"),
    [
        ("a", ["a"]),
        ("ab" * 25, ["a" * 25 + "b" * 25]),
        ("ab" * 26, ["a" * 26, "b" * 26]),
        ("abc" * 20, ["a" * 20 + "b" * 20, "c" * 20]),
        # More than a turn has, but one document each.
        ("a" * (LAMPS_A_TURN + 1) + "b", ["a" * (LAMPS_A_TURN + 1), "b"]),
    ],
)
async def test_the_lamps_of_a_phone_change_in_one_turn(
    phones: str, expected: list[str]
) -> None:
    turns = Turns()
    await asyncio.gather(*map(turns.change, phones))
    assert ["".join(changed) for changed in turns.changed] == expected
    # Nothing is left of it.
    await turns.change("d")
    assert turns.changed[-1] == ["d"]


async def test_what_is_cancelled_does_not_change_and_holds_up_no_other() -> None:
    turns = Turns()
    tasks = [asyncio.create_task(turns.change(phone)) for phone in "aab"]
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert turns.changed == [["a", "b"]]


async def test_a_lamp_that_comes_later_waits_behind_its_phone() -> None:
    turns = Turns()
    lamps = asyncio.gather(*map(turns.change, "a" * LAMPS_A_TURN + "b"))
    await asyncio.sleep(0)
    late = asyncio.create_task(turns.change("b"))
    await asyncio.sleep(0)
    await asyncio.gather(lamps, late)
    assert turns.changed == [["a"] * LAMPS_A_TURN, ["b", "b"]]
