"""The outbox: newest state, one document at a time, nothing lost.

Nothing waits here: the loop's clock jumps.
"""

from __future__ import annotations

import asyncio
from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.snom_buttons.engine.phones.outbox import DeliveryFailed, Outbox
from tests.support.clock import run


class Device:
    """The far end: takes documents when the test says so."""

    def __init__(self, *, room: int = 800) -> None:
        self.shows = dict.fromkeys((f"{n}" for n in range(1, 13)), "off")
        self.sent: list[tuple[float, bytes]] = []
        self.statuses: list[tuple[bool, bool]] = []
        self.answers: asyncio.Queue[Exception | None] = asyncio.Queue()
        self.outbox = Outbox(
            document_of=lambda key: f"{key}:{self.shows[key]} ".encode(),
            deliver=self._deliver,
            room=lambda: room,
            status_changed=lambda: self.statuses.append(
                (self.outbox.answering, self.outbox.in_sync)
            ),
        )
        self.under_way = 0

    async def _deliver(self, document: bytes) -> None:
        self.under_way += 1
        assert self.under_way == 1, "two documents were under way at once"
        self.sent.append((asyncio.get_running_loop().time(), document))
        try:
            answer = await self.answers.get()
        finally:
            self.under_way -= 1
        if answer is not None:
            raise answer

    def documents(self) -> list[bytes]:
        return [document for _, document in self.sent]

    async def settle(self) -> None:
        """Let everything happen that happens without time going by."""
        for _ in range(10):
            await asyncio.sleep(0)


def test_changes_of_one_loop_turn_leave_in_one_document() -> None:
    async def test() -> None:
        device = Device()
        device.outbox.add(["1"])
        device.outbox.add(["2", "3"])
        assert device.sent == []
        await device.settle()
        assert device.documents() == [b"1:off 2:off 3:off "]
        device.outbox.close()
        await device.settle()

    run(test())


def test_what_changes_under_way_is_merged_and_only_the_newest_goes_out() -> None:
    async def test() -> None:
        device = Device()
        device.outbox.add(["1"])
        await device.settle()
        for light in ("on", "hold", "park"):
            device.shows["1"] = light
            device.outbox.add(["1"])
            device.outbox.add(["2"])
            await device.settle()
        assert device.documents() == [b"1:off "]
        device.answers.put_nowait(None)
        device.answers.put_nowait(None)
        await device.settle()
        assert device.documents() == [b"1:off ", b"1:park 2:off "]
        assert device.statuses == [(True, True)]

    run(test())


def test_a_picture_too_large_for_one_document_is_split_between_keys() -> None:
    async def test() -> None:
        device = Device(room=20)
        for _ in range(12):
            device.answers.put_nowait(None)
        device.outbox.add(device.shows)
        await device.settle()
        await device.settle()
        assert b"".join(device.documents()) == b"".join(
            f"{n}:off ".encode() for n in range(1, 13)
        )
        assert max(map(len, device.documents())) <= 20
        assert device.outbox.in_sync

    run(test())


def test_a_key_larger_than_the_room_goes_alone() -> None:
    async def test() -> None:
        device = Device(room=3)
        device.answers.put_nowait(None)
        device.answers.put_nowait(None)
        device.outbox.add(["1", "2"])
        await device.settle()
        assert device.documents() == [b"1:off ", b"2:off "]

    run(test())


@pytest.mark.parametrize("answered", [True, False], ids=["refused", "no answer"])
def test_a_failure_is_tried_again_after_5_s_doubling_to_5_min(answered: bool) -> None:
    async def test() -> None:
        device = Device()
        device.outbox.add(["1"])
        for _ in range(9):
            device.answers.put_nowait(
                DeliveryFailed("no", answer="400 No" if answered else None)
            )
        await asyncio.sleep(1600)
        assert len(device.sent) == 10
        assert (device.outbox.answering, device.outbox.in_sync) == (answered, False)
        device.answers.put_nowait(None)
        await device.settle()
        assert (device.outbox.answering, device.outbox.in_sync) == (True, True)
        times = [time for time, _ in device.sent]
        waits = [b - a for a, b in pairwise(times)]
        assert waits == pytest.approx([5, 10, 20, 40, 80, 160, 300, 300, 300])

        # After a success the next failure begins with 5 s again.
        device.outbox.add(["1"])
        device.answers.put_nowait(
            DeliveryFailed("no", answer="400 No" if answered else None)
        )
        await asyncio.sleep(9)
        assert len(device.sent) == 12
        assert device.sent[11][0] - device.sent[10][0] == pytest.approx(5)
        device.outbox.close()
        await device.settle()

    run(test())


def test_a_change_does_not_wait_for_the_retry_and_takes_along_what_failed() -> None:
    async def test() -> None:
        device = Device()
        device.outbox.add(["1", "2"])
        device.answers.put_nowait(DeliveryFailed("no"))
        await device.settle()
        device.shows["3"] = "on"
        device.outbox.add(["3"])
        device.answers.put_nowait(None)
        await device.settle()
        assert device.documents()[-1] == b"1:off 2:off 3:on "
        assert device.sent[0][0] == device.sent[1][0]
        # The first may have been late and not lost: what it said of its keys is put right.
        device.answers.put_nowait(None)
        await asyncio.sleep(5.1)
        assert device.documents()[2:] == [b"1:off 2:off "]
        await asyncio.sleep(600)
        assert len(device.sent) == 3, "the retry was not called off"

    run(test())


def test_a_key_that_is_refused_keeps_no_other_dark() -> None:
    """Nobody knows what a phone may dislike: all others are tried, then each alone."""

    async def test() -> None:
        device = Device(room=20)

        async def deliver(document: bytes) -> None:
            device.sent.append((asyncio.get_running_loop().time(), document))
            if b"1:" in document.split(b" ")[0]:
                raise DeliveryFailed("400", answer="400 No")

        device.outbox._deliver = deliver
        device.outbox.add(["1", "2", "3", "4", "5"])
        await device.settle()
        assert device.documents() == [b"1:off 2:off 3:off ", b"4:off 5:off "]
        assert (device.outbox.answering, device.outbox.in_sync) == (True, False)
        await asyncio.sleep(6)
        assert device.documents()[2:] == [b"1:off ", b"2:off ", b"3:off "]
        assert not device.outbox.in_sync
        # A change goes out at once, in a document that the bad key has no part in.
        device.shows["4"] = "on"
        device.outbox.add(["4"])
        await device.settle()
        assert b"4:on " in device.documents()
        device.outbox.close()

    run(test())


def test_a_device_is_in_sync_when_it_has_taken_what_it_refused() -> None:
    async def test() -> None:
        device = Device()
        refused = {b"1:off ", b"2:off "}

        async def deliver(document: bytes) -> None:
            device.sent.append((asyncio.get_running_loop().time(), document))
            if any(key in document for key in refused):
                raise DeliveryFailed("400", answer="400 No")

        device.outbox._deliver = deliver
        device.outbox.add(["1", "2"])
        await device.settle()
        # What it takes meanwhile does not make good what it has not.
        device.outbox.add(["3"])
        await device.settle()
        assert device.documents() == [b"1:off 2:off ", b"3:off "]
        assert not device.outbox.in_sync
        # A change of a refused key is tried at once, and only the other one later.
        device.shows["1"] = "on"
        device.outbox.add(["1"])
        await device.settle()
        assert device.documents()[2:] == [b"1:on "]
        assert not device.outbox.in_sync
        refused.clear()
        await asyncio.sleep(6)
        assert device.documents()[3:] == [b"2:off "]
        assert device.outbox.in_sync
        await asyncio.sleep(600)
        assert len(device.sent) == 4

    run(test())


def test_what_was_refused_is_not_forgotten_by_a_device_that_falls_silent() -> None:
    async def test() -> None:
        device = Device(room=6)
        for answered in (True, False):
            device.answers.put_nowait(
                DeliveryFailed("no", answer="400 No" if answered else None)
            )
        device.outbox.add(["1", "2"])
        await device.settle()
        assert device.documents() == [b"1:off ", b"2:off "]
        assert not device.outbox.answering
        for _ in range(2):
            device.answers.put_nowait(None)
        device.outbox.heard()
        await device.settle()
        assert device.documents()[2:] == [b"1:off ", b"2:off "]
        assert device.outbox.in_sync
        # What was not answered may be late, and is said once more.
        device.answers.put_nowait(None)
        await asyncio.sleep(600)
        assert device.documents()[4:] == [b"2:off "]

    run(test())


def test_a_failure_after_a_success_is_out_of_sync() -> None:
    async def test() -> None:
        device = Device()
        device.answers.put_nowait(None)
        device.outbox.add(["1"])
        await device.settle()
        assert device.statuses == [(True, True)]
        device.answers.put_nowait(DeliveryFailed("no", answer="400 No"))
        device.outbox.add(["1"])
        await device.settle()
        assert device.statuses == [(True, True), (True, False)]
        device.outbox.close()

    run(test())


def test_a_fault_of_ours_is_logged_and_loses_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test() -> None:
        device = Device()
        device.outbox.add(["1"])
        device.answers.put_nowait(ZeroDivisionError("a bug"))
        device.answers.put_nowait(None)
        await asyncio.sleep(6)
        assert device.documents() == [b"1:off ", b"1:off "]

    run(test())
    assert "a bug" in caplog.text


def test_a_closed_outbox_sends_nothing_more() -> None:
    async def test() -> None:
        waiting, under_way, idle = Device(), Device(), Device()
        waiting.outbox.add(["1"])
        waiting.answers.put_nowait(DeliveryFailed("no"))
        under_way.outbox.add(["1"])
        await waiting.settle()
        for device in (waiting, under_way, idle):
            device.outbox.close()
            device.outbox.close()
        await asyncio.sleep(600)
        assert [len(d.sent) for d in (waiting, under_way, idle)] == [1, 1, 0]

    run(test())


# Labels


def test_labels_go_once_a_second_and_the_newest_wins() -> None:
    async def test() -> None:
        device = Device()
        loop = asyncio.get_running_loop()
        begin = loop.time()
        for tenths in range(35):
            device.shows["1"] = f"{tenths}"
            device.outbox.add(["1"], only_labels=True)
            await device.settle()
            device.answers.put_nowait(None)
            await asyncio.sleep(0.1)
        await asyncio.sleep(5)
        assert [(round(at - begin, 1), text) for at, text in device.sent] == [
            (0.0, b"1:0 "),
            (1.0, b"1:9 "),
            (2.0, b"1:19 "),
            (3.0, b"1:29 "),
            (4.0, b"1:34 "),
        ]
        device.outbox.close()

    run(test())


def test_what_is_no_label_goes_at_once_and_takes_the_label_along() -> None:
    async def test() -> None:
        device = Device()
        for _ in range(5):
            device.answers.put_nowait(None)
        device.outbox.add(["1", "2"], only_labels=True)
        await device.settle()
        device.shows["1"] = device.shows["2"] = "new"
        device.outbox.add(["1", "2"], only_labels=True)
        await device.settle()
        assert len(device.sent) == 1
        device.outbox.add(["1"])
        await device.settle()
        assert device.documents()[1:] == [b"1:new "]
        # Only what has not gone along is told when its time has come.
        await asyncio.sleep(5)
        assert device.documents()[2:] == [b"2:new "]
        device.outbox.close()

    run(test())


def test_more_labels_than_a_document_carries_take_their_turns() -> None:
    async def test() -> None:
        device = Device(room=12)
        for _ in range(5):
            device.answers.put_nowait(None)
        device.outbox.add(["1", "2", "3", "4", "5"], only_labels=True)
        await asyncio.sleep(5)
        times = [at for at, _ in device.sent]
        assert device.documents() == [b"1:off 2:off ", b"3:off 4:off ", b"5:off "]
        assert all(later - earlier >= 1 for earlier, later in pairwise(times))
        device.outbox.close()

    run(test())


def test_a_label_to_a_silent_device_is_tried_again_like_anything_else() -> None:
    async def test() -> None:
        device = Device()
        device.answers.put_nowait(DeliveryFailed("silence"))
        device.answers.put_nowait(None)
        device.outbox.add(["1"], only_labels=True)
        await asyncio.sleep(4)
        assert len(device.sent) == 1
        device.shows["1"] = "newest"
        await asyncio.sleep(2)
        assert device.documents()[1:] == [b"1:newest "]
        assert device.outbox.in_sync or device.outbox.answering
        device.outbox.close()

    run(test())


def test_a_label_under_way_holds_up_the_next_and_the_newest_follows() -> None:
    """A device that takes 2.5 s to answer gets what is newest then, in one document."""

    async def test() -> None:
        device = Device()
        begin = asyncio.get_running_loop().time()
        for tenths in range(25):
            device.shows["1"] = device.shows["2"] = f"{tenths}"
            device.outbox.add(["1", "2"], only_labels=True)
            await asyncio.sleep(0.1)
        assert device.documents() == [b"1:0 2:0 "]
        for _ in range(3):
            device.answers.put_nowait(None)
        await asyncio.sleep(5)
        assert [(round(at - begin, 1), text) for at, text in device.sent] == [
            (0.0, b"1:0 2:0 "),
            (2.5, b"1:24 2:24 "),
        ]
        device.outbox.close()

    run(test())


def test_labels_of_a_device_that_refuses_all_go_once_a_second_too() -> None:
    """What else it refused waits for its time, and is not sent along each time."""

    async def test() -> None:
        device = Device()
        loop = asyncio.get_running_loop()
        begin = loop.time()

        async def refuse(document: bytes) -> None:
            device.sent.append((round(loop.time() - begin, 1), document))
            raise DeliveryFailed("501", answer="400 No")

        device.outbox._deliver = refuse
        device.outbox.add(["1", "2", "3"])
        await device.settle()
        assert device.documents() == [b"1:off 2:off 3:off "]
        for number in range(40):
            device.shows["1"] = f"{number}"
            device.outbox.add(["1"], only_labels=True)
            await asyncio.sleep(0.5)
        others = [(at, text) for at, text in device.sent[1:] if text[:1] != b"1"]
        # At 5 s, and 10 s after that, each alone.
        assert others == [(at, f"{n}:off ".encode()) for at in (5, 15) for n in (2, 3)]
        labels = [at for at, text in device.sent[1:] if text[:1] == b"1"]
        retries = (5, 15)
        changes = [at for at in labels if at not in retries]
        assert changes == [at for at in range(21) if at not in retries]
        assert (device.outbox.answering, device.outbox.in_sync) == (True, False)
        device.outbox.close()

    run(test())


def test_closing_forgets_labels_that_wait() -> None:
    async def test() -> None:
        device = Device()
        device.answers.put_nowait(None)
        device.outbox.add(["1"], only_labels=True)
        await device.settle()
        device.outbox.add(["1"], only_labels=True)
        device.outbox.close()
        await asyncio.sleep(5)
        assert len(device.sent) == 1

    run(test())


# All of it


KEYS = st.sampled_from([f"{n}" for n in range(1, 7)])
ANSWERS = st.sampled_from(["taken", "taken", "refused", "silence", "fault"])
STEPS = st.lists(
    st.tuples(st.sampled_from(["light", "label"]), KEYS)
    | st.tuples(st.just("wait"), st.sampled_from([0.0, 0.3, 1.0, 7.0, 90.0]))
    | st.tuples(st.just("answer"), ANSWERS)
    | st.tuples(st.just("heard"), st.none()),
    max_size=40,
)


@given(STEPS, st.sampled_from([6, 14, 800]), st.sampled_from([0.0, 0.2, 1.7]))
def test_whatever_happens_the_device_shows_the_newest_in_the_end(
    steps: list[tuple[str, object]], room: int, latency: float
) -> None:
    async def test() -> None:
        device = Device(room=room)
        answer = "taken"
        got: dict[str, str] = {}
        labels = 0

        async def deliver(document: bytes) -> None:
            device.under_way += 1
            assert device.under_way == 1
            try:
                await asyncio.sleep(32 if answer == "silence" else latency)
            finally:
                device.under_way -= 1
            match answer:
                case "taken":
                    got.update(p.split(":") for p in document.decode().split())
                case "fault":
                    raise ZeroDivisionError
                case _:
                    raise DeliveryFailed("no", answered=answer == "refused")

        device.outbox._deliver = deliver
        wanted: dict[str, str] = {}
        for number, (what, value) in enumerate(steps):
            match what, value:
                case (("light" | "label"), str(key)):
                    labels += what == "label"
                    wanted[key] = device.shows[key] = f"{number}"
                    device.outbox.add([key], only_labels=what == "label")
                case "wait", float(seconds):
                    await asyncio.sleep(seconds)
                case "answer", str(word):
                    answer = word
                case _:
                    device.outbox.heard()
        answer = "taken"
        # A document under way, the longest pause, and all keys alone.
        await asyncio.sleep(32 + 300 + 6 * 32 + labels)
        assert got.items() >= wanted.items()
        if wanted:
            assert (device.outbox.answering, device.outbox.in_sync) == (True, True)
        changes = len(device.statuses)
        await asyncio.sleep(1000)
        assert len(device.statuses) == changes
        assert device.under_way == 0
        device.outbox.close()

    run(test())
