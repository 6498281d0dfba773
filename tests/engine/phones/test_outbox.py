"""The outbox: newest state, one document at a time, nothing lost.

Nothing waits here: the loop's clock jumps.
"""

from __future__ import annotations

import asyncio
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given, strategies as st
import pytest

from custom_components.snom_buttons.engine.phones.buttons import Buttons
from custom_components.snom_buttons.engine.phones.outbox import SLOW, Answer, Outbox
from custom_components.snom_buttons.engine.phones.speaker import DeliveryFailed
from tests.support.clock import run


class FarEnd:
    """The contact: it takes documents when the test calls for it."""

    def __init__(self, *, room: int = 800, before: Outbox | None = None) -> None:
        self.shows = dict.fromkeys((f"{n}" for n in range(1, 13)), "off")
        self.sent: list[tuple[float, bytes]] = []
        self.statuses: list[tuple[bool, bool]] = []
        self.answers: asyncio.Queue[Exception | None] = asyncio.Queue()
        self.noted: list[Answer] = []
        courier = SimpleNamespace(
            room=lambda _empty, _flow: room,
            credentials_of=lambda _binding: 0,
            request=lambda *_, body: SimpleNamespace(body=body),
        )
        speaker = Buttons(
            cast("Any", SimpleNamespace(flow=None)),
            cast("Any", courier),
            document_of=lambda key: f"{key}:{self.shows[key]} ".encode(),
            send=lambda request: self._deliver(request.body),
        )
        self.outbox = Outbox(
            speaker,
            status_changed=lambda _: self.statuses.append(
                (self.outbox.answering, self.outbox.in_sync)
            ),
            answered=lambda _, answer: self.noted.append(answer),
            before=before,
        )
        self.under_way = 0

    async def _deliver(self, document: bytes) -> str:
        self.under_way += 1
        assert self.under_way == 1, "two documents were under way at once"
        self.sent.append((asyncio.get_running_loop().time(), document))
        try:
            answer = await self.answers.get()
        finally:
            self.under_way -= 1
        if answer is not None:
            raise answer
        return "200 OK"

    def documents(self) -> list[bytes]:
        return [document for _, document in self.sent]

    async def settle(self) -> None:
        """Run the loop until only timers are left."""
        for _ in range(10):
            await asyncio.sleep(0)


def test_changes_of_one_loop_turn_leave_in_one_document() -> None:
    async def test() -> None:
        far_end = FarEnd()
        far_end.outbox.add(["1"])
        far_end.outbox.add(["2", "3"])
        assert far_end.sent == []
        await far_end.settle()
        assert far_end.documents() == [b"1:off 2:off 3:off "]
        far_end.outbox.close()
        await far_end.settle()

    run(test())


def test_what_changes_under_way_is_merged_and_only_the_newest_goes_out() -> None:
    async def test() -> None:
        far_end = FarEnd()
        far_end.outbox.add(["1"])
        await far_end.settle()
        for light in ("on", "hold", "park"):
            far_end.shows["1"] = light
            far_end.outbox.add(["1"])
            far_end.outbox.add(["2"])
            await far_end.settle()
        assert far_end.documents() == [b"1:off "]
        far_end.answers.put_nowait(None)
        far_end.answers.put_nowait(None)
        await far_end.settle()
        assert far_end.documents() == [b"1:off ", b"1:park 2:off "]
        assert far_end.statuses == [(True, True)]

    run(test())


def test_a_picture_too_large_for_one_document_is_split_between_keys() -> None:
    async def test() -> None:
        far_end = FarEnd(room=20)
        for _ in range(12):
            far_end.answers.put_nowait(None)
        far_end.outbox.add(far_end.shows)
        await far_end.settle()
        await far_end.settle()
        assert b"".join(far_end.documents()) == b"".join(
            f"{n}:off ".encode() for n in range(1, 13)
        )
        assert max(map(len, far_end.documents())) <= 20
        assert far_end.outbox.in_sync

    run(test())


def test_a_key_larger_than_the_room_goes_alone() -> None:
    async def test() -> None:
        far_end = FarEnd(room=3)
        far_end.answers.put_nowait(None)
        far_end.answers.put_nowait(None)
        far_end.outbox.add(["1", "2"])
        await far_end.settle()
        assert far_end.documents() == [b"1:off ", b"2:off "]

    run(test())


@pytest.mark.parametrize("answered", [True, False], ids=["refused", "no answer"])
def test_a_failure_is_tried_again_after_5_s_doubling_to_5_min(answered: bool) -> None:
    async def test() -> None:
        far_end = FarEnd()
        far_end.outbox.add(["1"])
        for _ in range(9):
            far_end.answers.put_nowait(
                DeliveryFailed("no", answer="400 No" if answered else None)
            )
        await asyncio.sleep(1600)
        assert len(far_end.sent) == 10
        assert (far_end.outbox.answering, far_end.outbox.in_sync) == (answered, False)
        far_end.answers.put_nowait(None)
        await far_end.settle()
        assert (far_end.outbox.answering, far_end.outbox.in_sync) == (True, True)
        times = [time for time, _ in far_end.sent]
        waits = [b - a for a, b in pairwise(times)]
        assert waits == pytest.approx([5, 10, 20, 40, 80, 160, 300, 300, 300])

        # After a success the pauses start from 5 s again.
        far_end.outbox.add(["1"])
        far_end.answers.put_nowait(
            DeliveryFailed("no", answer="400 No" if answered else None)
        )
        await asyncio.sleep(9)
        assert len(far_end.sent) == 12
        assert far_end.sent[11][0] - far_end.sent[10][0] == pytest.approx(5)
        far_end.outbox.close()
        await far_end.settle()

    run(test())


def test_a_change_does_not_wait_for_the_retry_and_takes_along_what_failed() -> None:
    async def test() -> None:
        far_end = FarEnd()
        far_end.outbox.add(["1", "2"])
        far_end.answers.put_nowait(DeliveryFailed("no"))
        await far_end.settle()
        far_end.shows["3"] = "on"
        far_end.outbox.add(["3"])
        far_end.answers.put_nowait(None)
        await far_end.settle()
        assert far_end.documents()[-1] == b"1:off 2:off 3:on "
        assert far_end.sent[0][0] == far_end.sent[1][0]
        # The first may have been late, not lost: its keys are sent again.
        far_end.answers.put_nowait(None)
        await asyncio.sleep(5.1)
        assert far_end.documents()[2:] == [b"1:off 2:off "]
        await asyncio.sleep(600)
        assert len(far_end.sent) == 3, "the retry was not called off"

    run(test())


def test_a_key_that_is_refused_keeps_no_other_dark() -> None:
    """Which key the phone refuses is unknown: the rest is sent, then each key alone."""

    async def test() -> None:
        far_end = FarEnd(room=20)

        async def deliver(document: bytes) -> str:
            far_end.sent.append((asyncio.get_running_loop().time(), document))
            if b"1:" in document.split(b" ")[0]:
                raise DeliveryFailed("400", answer="400 No")
            return "200 OK"

        far_end._deliver = deliver
        far_end.outbox.add(["1", "2", "3", "4", "5"])
        await far_end.settle()
        assert far_end.documents() == [b"1:off 2:off 3:off ", b"4:off 5:off "]
        assert (far_end.outbox.answering, far_end.outbox.in_sync) == (True, False)
        await asyncio.sleep(6)
        assert far_end.documents()[2:] == [b"1:off ", b"2:off ", b"3:off "]
        assert not far_end.outbox.in_sync
        # A change goes out at once, in a document without the bad key.
        far_end.shows["4"] = "on"
        far_end.outbox.add(["4"])
        await far_end.settle()
        assert b"4:on " in far_end.documents()
        far_end.outbox.close()

    run(test())


def test_a_contact_is_in_sync_when_it_has_taken_what_it_refused() -> None:
    async def test() -> None:
        far_end = FarEnd()
        refused = {b"1:off ", b"2:off "}

        async def deliver(document: bytes) -> str:
            far_end.sent.append((asyncio.get_running_loop().time(), document))
            if any(key in document for key in refused):
                raise DeliveryFailed("400", answer="400 No")
            return "200 OK"

        far_end._deliver = deliver
        far_end.outbox.add(["1", "2"])
        await far_end.settle()
        # Documents that it accepts meanwhile do not end the refusal of others.
        far_end.outbox.add(["3"])
        await far_end.settle()
        assert far_end.documents() == [b"1:off 2:off ", b"3:off "]
        assert not far_end.outbox.in_sync
        # A change of a refused key is sent at once; the other one waits.
        far_end.shows["1"] = "on"
        far_end.outbox.add(["1"])
        await far_end.settle()
        assert far_end.documents()[2:] == [b"1:on "]
        assert not far_end.outbox.in_sync
        refused.clear()
        await asyncio.sleep(6)
        assert far_end.documents()[3:] == [b"2:off "]
        assert far_end.outbox.in_sync
        await asyncio.sleep(600)
        assert len(far_end.sent) == 4

    run(test())


def test_what_was_refused_is_not_forgotten_by_a_contact_that_falls_silent() -> None:
    async def test() -> None:
        far_end = FarEnd(room=6)
        for answered in (True, False):
            far_end.answers.put_nowait(
                DeliveryFailed("no", answer="400 No" if answered else None)
            )
        far_end.outbox.add(["1", "2"])
        await far_end.settle()
        assert far_end.documents() == [b"1:off ", b"2:off "]
        assert not far_end.outbox.answering
        for _ in range(2):
            far_end.answers.put_nowait(None)
        far_end.outbox.heard()
        await far_end.settle()
        assert far_end.documents()[2:] == [b"1:off ", b"2:off "]
        assert far_end.outbox.in_sync
        # A document without an answer may be late, so it is sent once more.
        far_end.answers.put_nowait(None)
        await asyncio.sleep(600)
        assert far_end.documents()[4:] == [b"2:off "]

    run(test())


def test_a_failure_after_a_success_is_out_of_sync() -> None:
    async def test() -> None:
        far_end = FarEnd()
        far_end.answers.put_nowait(None)
        far_end.outbox.add(["1"])
        await far_end.settle()
        assert far_end.statuses == [(True, True)]
        far_end.answers.put_nowait(DeliveryFailed("no", answer="400 No"))
        far_end.outbox.add(["1"])
        await far_end.settle()
        assert far_end.statuses == [(True, True), (True, False)]
        far_end.outbox.close()

    run(test())


def test_a_fault_of_ours_is_logged_and_loses_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test() -> None:
        far_end = FarEnd()
        far_end.outbox.add(["1"])
        far_end.answers.put_nowait(ZeroDivisionError("a bug"))
        far_end.answers.put_nowait(None)
        await asyncio.sleep(6)
        assert far_end.documents() == [b"1:off ", b"1:off "]

    run(test())
    assert "a bug" in caplog.text


def test_a_closed_outbox_sends_nothing_more() -> None:
    async def test() -> None:
        waiting, under_way, idle = FarEnd(), FarEnd(), FarEnd()
        waiting.outbox.add(["1"])
        waiting.answers.put_nowait(DeliveryFailed("no"))
        under_way.outbox.add(["1"])
        await waiting.settle()
        for far_end in (waiting, under_way, idle):
            far_end.outbox.close()
            far_end.outbox.close()
        await asyncio.sleep(600)
        assert [len(d.sent) for d in (waiting, under_way, idle)] == [1, 1, 0]

    run(test())


# Labels


def test_labels_go_once_a_second_and_the_newest_wins() -> None:
    async def test() -> None:
        far_end = FarEnd()
        loop = asyncio.get_running_loop()
        begin = loop.time()
        for tenths in range(35):
            far_end.shows["1"] = f"{tenths}"
            far_end.outbox.add(["1"], only_labels=True)
            await far_end.settle()
            far_end.answers.put_nowait(None)
            await asyncio.sleep(0.1)
        await asyncio.sleep(5)
        assert [(round(at - begin, 1), text) for at, text in far_end.sent] == [
            (0.0, b"1:0 "),
            (1.0, b"1:9 "),
            (2.0, b"1:19 "),
            (3.0, b"1:29 "),
            (4.0, b"1:34 "),
        ]
        far_end.outbox.close()

    run(test())


def test_what_is_no_label_goes_at_once_and_takes_the_label_along() -> None:
    async def test() -> None:
        far_end = FarEnd()
        for _ in range(5):
            far_end.answers.put_nowait(None)
        far_end.outbox.add(["1", "2"], only_labels=True)
        await far_end.settle()
        far_end.shows["1"] = far_end.shows["2"] = "new"
        far_end.outbox.add(["1", "2"], only_labels=True)
        await far_end.settle()
        assert len(far_end.sent) == 1
        far_end.outbox.add(["1"])
        await far_end.settle()
        assert far_end.documents()[1:] == [b"1:new "]
        # Only labels that were not sent along go out when their time has come.
        await asyncio.sleep(5)
        assert far_end.documents()[2:] == [b"2:new "]
        far_end.outbox.close()

    run(test())


def test_more_labels_than_a_document_carries_take_their_turns() -> None:
    async def test() -> None:
        far_end = FarEnd(room=12)
        for _ in range(5):
            far_end.answers.put_nowait(None)
        far_end.outbox.add(["1", "2", "3", "4", "5"], only_labels=True)
        await asyncio.sleep(5)
        times = [at for at, _ in far_end.sent]
        assert far_end.documents() == [b"1:off 2:off ", b"3:off 4:off ", b"5:off "]
        assert all(later - earlier >= 1 for earlier, later in pairwise(times))
        far_end.outbox.close()

    run(test())


def test_a_label_to_a_silent_contact_is_tried_again_like_anything_else() -> None:
    async def test() -> None:
        far_end = FarEnd()
        far_end.answers.put_nowait(DeliveryFailed("silence"))
        far_end.answers.put_nowait(None)
        far_end.outbox.add(["1"], only_labels=True)
        await asyncio.sleep(4)
        assert len(far_end.sent) == 1
        far_end.shows["1"] = "newest"
        await asyncio.sleep(2)
        assert far_end.documents()[1:] == [b"1:newest "]
        assert far_end.outbox.in_sync or far_end.outbox.answering
        far_end.outbox.close()

    run(test())


def test_a_label_under_way_holds_up_the_next_and_the_newest_follows() -> None:
    """A contact that takes 2.5 s to answer then gets the newest labels, in one document."""

    async def test() -> None:
        far_end = FarEnd()
        begin = asyncio.get_running_loop().time()
        for tenths in range(25):
            far_end.shows["1"] = far_end.shows["2"] = f"{tenths}"
            far_end.outbox.add(["1", "2"], only_labels=True)
            await asyncio.sleep(0.1)
        assert far_end.documents() == [b"1:0 2:0 "]
        for _ in range(3):
            far_end.answers.put_nowait(None)
        await asyncio.sleep(5)
        assert [(round(at - begin, 1), text) for at, text in far_end.sent] == [
            (0.0, b"1:0 2:0 "),
            (2.5, b"1:24 2:24 "),
        ]
        far_end.outbox.close()

    run(test())


def test_labels_of_a_contact_that_refuses_all_go_once_a_second_too() -> None:
    """Other refused keys wait for their time, and are not sent along each time."""

    async def test() -> None:
        far_end = FarEnd()
        loop = asyncio.get_running_loop()
        begin = loop.time()

        async def refuse(document: bytes) -> None:
            far_end.sent.append((round(loop.time() - begin, 1), document))
            raise DeliveryFailed("501", answer="400 No")

        far_end._deliver = refuse
        far_end.outbox.add(["1", "2", "3"])
        await far_end.settle()
        assert far_end.documents() == [b"1:off 2:off 3:off "]
        for number in range(40):
            far_end.shows["1"] = f"{number}"
            far_end.outbox.add(["1"], only_labels=True)
            await asyncio.sleep(0.5)
        others = [(at, text) for at, text in far_end.sent[1:] if text[:1] != b"1"]
        # At 5 s, and 10 s after that, each alone.
        assert others == [(at, f"{n}:off ".encode()) for at in (5, 15) for n in (2, 3)]
        labels = [at for at, text in far_end.sent[1:] if text[:1] == b"1"]
        retries = (5, 15)
        changes = [at for at in labels if at not in retries]
        assert changes == [at for at in range(21) if at not in retries]
        assert (far_end.outbox.answering, far_end.outbox.in_sync) == (True, False)
        far_end.outbox.close()

    run(test())


def test_closing_forgets_labels_that_wait() -> None:
    async def test() -> None:
        far_end = FarEnd()
        far_end.answers.put_nowait(None)
        far_end.outbox.add(["1"], only_labels=True)
        await far_end.settle()
        far_end.outbox.add(["1"], only_labels=True)
        far_end.outbox.close()
        await asyncio.sleep(5)
        assert len(far_end.sent) == 1

    run(test())


# Everything together


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
def test_whatever_happens_the_contact_shows_the_newest_in_the_end(
    steps: list[tuple[str, object]], room: int, latency: float
) -> None:
    async def test() -> None:
        far_end = FarEnd(room=room)
        answer = "taken"
        got: dict[str, str] = {}
        labels = 0

        async def deliver(document: bytes) -> str:
            far_end.under_way += 1
            assert far_end.under_way == 1
            try:
                await asyncio.sleep(32 if answer == "silence" else latency)
            finally:
                far_end.under_way -= 1
            match answer:
                case "taken":
                    got.update(p.split(":") for p in document.decode().split())
                case "fault":
                    raise ZeroDivisionError
                case _:
                    refused = answer == "refused"
                    raise DeliveryFailed("no", answer="400 No" if refused else None)
            return "200 OK"

        far_end._deliver = deliver
        wanted: dict[str, str] = {}
        for number, (what, value) in enumerate(steps):
            match what, value:
                case (("light" | "label"), str(key)):
                    labels += what == "label"
                    wanted[key] = far_end.shows[key] = f"{number}"
                    far_end.outbox.add([key], only_labels=what == "label")
                case "wait", float(seconds):
                    await asyncio.sleep(seconds)
                case "answer", str(word):
                    answer = word
                case _:
                    far_end.outbox.heard()
        answer = "taken"
        # A document under way, the longest pause, and all keys alone.
        await asyncio.sleep(32 + 300 + 6 * 32 + labels)
        assert got.items() >= wanted.items()
        if wanted:
            assert (far_end.outbox.answering, far_end.outbox.in_sync) == (True, True)
        changes = len(far_end.statuses)
        await asyncio.sleep(1000)
        assert len(far_end.statuses) == changes
        assert far_end.under_way == 0
        far_end.outbox.close()

    run(test())


def test_each_answer_is_told_with_the_keys_that_have_not_changed_since() -> None:
    async def test() -> None:
        far_end = FarEnd()
        far_end.outbox.add(["1", "2"])
        await far_end.settle()
        far_end.outbox.add(["1"])
        far_end.answers.put_nowait(None)
        await far_end.settle()
        assert far_end.noted == [Answer(["2"], "200 OK", taken=True)]
        refusal = DeliveryFailed("no", answer="415 Unsupported Media Type")
        far_end.answers.put_nowait(refusal)
        await far_end.settle()
        assert far_end.noted[1:] == [
            Answer(["1"], "415 Unsupported Media Type", taken=False)
        ]
        far_end.outbox.close()
        await far_end.settle()

    run(test())


def test_without_an_answer_for_a_second_it_is_not_in_sync() -> None:
    async def test() -> None:
        far_end = FarEnd()
        far_end.outbox.add(["1"])
        await far_end.settle()
        far_end.answers.put_nowait(None)
        await far_end.settle()
        assert far_end.statuses == [(True, True)]
        far_end.outbox.add(["1"])
        await asyncio.sleep(SLOW - 0.1)
        assert far_end.outbox.in_sync
        assert not far_end.outbox.has_taken("1")
        assert not far_end.outbox.lacks("1")
        await asyncio.sleep(0.2)
        assert far_end.outbox.lacks("1")
        assert not far_end.outbox.lacks("2"), "which has not changed"
        far_end.outbox.add(["2"])
        assert far_end.outbox.lacks("2")
        far_end.answers.put_nowait(None)
        far_end.answers.put_nowait(None)
        await far_end.settle()
        # Each key that is taken is news.
        assert far_end.statuses[1:] == [(True, False), (True, False), (True, True)]
        await asyncio.sleep(2 * SLOW)
        assert far_end.outbox.in_sync
        assert not far_end.outbox.lacks("1")
        far_end.outbox.close()
        await far_end.settle()

    run(test())


def test_one_that_has_just_registered_lacks_only_what_it_refuses() -> None:
    def lacked(far_end: FarEnd) -> list[str]:
        return [key for key in ("1", "2", "3") if far_end.outbox.lacks(key)]

    async def test() -> None:
        far_end = FarEnd(room=6)
        far_end.outbox.add(["1", "2", "3"])
        far_end.answers.put_nowait(None)
        await far_end.settle()
        assert (far_end.outbox.in_sync, lacked(far_end)) == (False, [])
        refusal = DeliveryFailed("no", answer="415 Unsupported Media Type")
        far_end.answers.put_nowait(refusal)
        far_end.answers.put_nowait(None)
        await far_end.settle()
        assert (far_end.outbox.in_sync, lacked(far_end)) == (False, ["2"])
        # Another change is not assumed meanwhile, and is no news for other keys.
        before = len(far_end.statuses)
        far_end.outbox.add(["3"])
        assert lacked(far_end) == ["2"]
        far_end.answers.put_nowait(None)
        await far_end.settle()
        assert len(far_end.statuses) == before
        far_end.answers.put_nowait(None)
        await asyncio.sleep(10)
        assert (far_end.outbox.in_sync, lacked(far_end)) == (True, [])
        assert len(far_end.statuses) == before + 1
        far_end.outbox.close()
        await far_end.settle()

    run(test())


def test_a_second_refusal_is_news() -> None:
    """The contact has not been in sync before, but lacks another key from now on."""

    async def test() -> None:
        far_end = FarEnd()
        for key in ("1", "2", "2"):
            far_end.answers.put_nowait(DeliveryFailed("no", answer="415 No"))
            far_end.outbox.add([key])
            await far_end.settle()
        assert far_end.outbox.lacks("2")
        assert far_end.statuses == [(True, False)] * 2
        far_end.outbox.close()

    run(test())


def test_a_key_that_was_refused_goes_alone_after_the_next_registration() -> None:
    """Otherwise all keys would be refused with it, at each registration."""

    async def test() -> None:
        far_end = FarEnd()
        far_end.answers.put_nowait(DeliveryFailed("no", answer="415 No"))
        far_end.outbox.add(["2"])
        await far_end.settle()
        again = FarEnd(before=far_end.outbox)
        far_end.outbox.close()
        again.outbox.add(["1", "2", "3"])
        assert [again.outbox.lacks(key) for key in ("1", "2", "3")] == [
            False,
            True,
            False,
        ]
        for answer in (None, DeliveryFailed("no", answer="415 No"), None):
            again.answers.put_nowait(answer)
        await again.settle()
        assert again.documents() == [b"1:off ", b"2:off ", b"3:off "]
        assert [again.outbox.lacks(key) for key in ("1", "2", "3")] == [
            False,
            True,
            False,
        ]
        assert again.statuses == []
        again.outbox.close()

    run(test())


def test_keys_that_are_pending_are_not_sent_twice() -> None:
    async def test() -> None:
        far_end = FarEnd()
        far_end.outbox.add(["1"])
        far_end.outbox.add_idle(["1"])
        await far_end.settle()
        far_end.outbox.add_idle(["1", "2"])
        for _ in range(2):
            far_end.answers.put_nowait(None)
            await far_end.settle()
        assert far_end.documents() == [b"1:off ", b"2:off "]
        far_end.outbox.add_idle(["1"])
        await far_end.settle()
        assert far_end.documents()[2:] == [b"1:off "]
        far_end.outbox.close()
        await far_end.settle()

    run(test())
