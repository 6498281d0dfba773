"""In which turn of the event loop lamps change."""

import asyncio

import pytest

from custom_components.snom_buttons.hub.lamp_turns import LAMPS_A_TURN, LampTurns


class Turns(LampTurns):
    """Turns that note which lamps change before an outbox sends."""

    def __init__(self) -> None:
        super().__init__()
        self.changed: list[list[str]] = []
        self._at: object = None

    async def change(self, lamp: str) -> None:
        """Change a lamp; its first letter is the phone."""
        await self.wait(lamp[0])
        loop = asyncio.get_running_loop()
        if self._at is None:
            self.changed.append([])
            self._at = loop.call_soon(self._sent)
        self.changed[-1].append(lamp)

    def _sent(self) -> None:
        self._at = None


@pytest.mark.parametrize(
    ("phones", "expected"),
    [
        ("a", ["a"]),
        ("ab" * 25, ["ab" * 25]),
        ("ab" * 26, ["a" * 26, "b" * 26]),
        ("abc" * 20, ["c" * 20 + "a" * 20, "b" * 20]),
        # More than a turn has, but one document each.
        ("ab" * (LAMPS_A_TURN + 1), ["a" * 51, "b" * 51]),
    ],
)
async def test_the_lamps_of_a_phone_change_in_time_for_one_document(
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
    tasks = [asyncio.create_task(turns.change(phone)) for phone in "aa"]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert turns.changed[1:] == [["a"]]


async def test_a_lamp_that_comes_later_waits_behind_its_phone() -> None:
    turns = Turns()
    lamps = asyncio.gather(*map(turns.change, "a" * (LAMPS_A_TURN + 1) + "b"))
    await asyncio.sleep(0)
    late = asyncio.create_task(turns.change("b"))
    await asyncio.sleep(0)
    await asyncio.gather(lamps, late)
    assert turns.changed == [["a"] * (LAMPS_A_TURN + 1), ["b", "b"]]


@pytest.mark.parametrize("before", [0, 10, 48, 49, 50, 100])
@pytest.mark.parametrize("between", [0, 10, 48, 49, 50, 100])
async def test_the_calls_of_a_lamp_keep_their_order(before: int, between: int) -> None:
    turns = Turns()
    lamps = ["b"] * before + ["a1"] + ["c"] * between + ["a2"]
    calls = asyncio.gather(*map(turns.change, lamps))
    await asyncio.sleep(0)
    later = asyncio.create_task(turns.change("a3"))
    await asyncio.gather(calls, later)
    changed = [lamp for turn in turns.changed for lamp in turn]
    assert [lamp for lamp in changed if lamp[0] == "a"] == ["a1", "a2", "a3"]
    assert len(changed) == len(lamps) + 1
