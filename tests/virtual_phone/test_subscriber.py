"""When the phone subscribes, with a server that is a list of answers."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import pytest

from snom_buttons.sip import (
    OutgoingRequest,
    Response,
    make_address,
    make_uri,
    parse_datagram,
)
from snom_buttons.sip.net import NoAnswer
from tests.support.clock import run
from virtual_phone.dialog_info import DialogInfo
from virtual_phone.subscriber import RETRY, Subscriber
from virtual_phone.subscription import DIALOG, Package, Subscription

type Test = Callable[[], Coroutine[Any, Any, None]]

OK = "200", "Expires: {}", "Contact: <sip:1@192.0.2.1>"
HOUR = 3600.0


def in_jumping_time(test: Test) -> Callable[[], None]:
    @wraps(test)
    def started() -> None:
        run(test())

    return started


class FakeLine:
    """Answers each SUBSCRIBE with the next of `answers`, the last one again and again."""

    def __init__(self, *answers: tuple[str, ...] | None) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[float, str]] = []
        """When each was sent, and its dialog, number and seconds."""
        self.shown: list[DialogInfo | None] = []
        self.said: list[str] = []
        self._calls = 0
        self._start = asyncio.get_running_loop().time()
        self.subscriber = Subscriber(
            self,
            DIALOG,
            3600,
            on_info=lambda _, info: self.shown.append(info),
            on_status=lambda _, status: self.said.append(status),
        )

    def subscription[T](self, number: str, package: Package[T]) -> Subscription[T]:
        self._calls += 1
        from_ = make_address(make_uri("44", "pbx"), tag="ours")
        return Subscription(
            package, make_uri(number, "pbx"), from_, f"{self._calls}", ()
        )

    async def send(self, outgoing: OutgoingRequest) -> Response:
        asked = dict(outgoing.headers)["Expires"]
        what = f"{outgoing.call_id}: {outgoing.cseq} for {asked}"
        now = asyncio.get_running_loop().time()
        self.sent.append((now - self._start, what))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise NoAnswer("no answer")
        status, *lines = answer
        parsed = parse_datagram(
            (
                f"SIP/2.0 {status} Whatever\r\n"
                "Via: SIP/2.0/UDP x;branch=z9hG4bK1\r\n"
                f"From: {outgoing.from_.text}\r\n"
                f"To: <sip:1@pbx>;tag=theirs\r\n"
                f"Call-ID: {outgoing.call_id}\r\nCSeq: {outgoing.cseq} SUBSCRIBE\r\n"
                + "".join(f"{line.format(asked)}\r\n" for line in lines)
                + "\r\n"
            ).encode()
        )
        assert isinstance(parsed, Response)
        return parsed


async def lasts(line: FakeLine, seconds: float) -> None:
    """Watch number 1 for a time, then lose the power."""
    line.subscriber.watch(["1"])
    await asyncio.sleep(seconds)
    line.subscriber.forget()
    await asyncio.sleep(0)


@in_jumping_time
async def test_it_refreshes_at_half_of_the_granted_time() -> None:
    line = FakeLine(OK)
    await lasts(line, HOUR + 1)
    assert line.sent == [
        (0, "1: 1 for 3600"),
        (1800, "1: 3 for 3600"),
        (3600, "1: 5 for 3600"),
    ]
    assert [said.partition(" until")[0] for said in line.said] == 3 * ["subscribed"]


@in_jumping_time
async def test_a_dialog_that_the_server_has_lost_is_begun_anew_at_once() -> None:
    line = FakeLine(OK, ("481",), OK)
    await lasts(line, 1801)
    assert line.sent[1:] == [(1800, "1: 3 for 3600"), (1800, "2: 1 for 3600")]
    assert line.said[1] == "not subscribed: 481 Whatever"


@in_jumping_time
async def test_an_interval_that_is_too_brief() -> None:
    line = FakeLine(("423", "Min-Expires: 7200"), OK)
    await lasts(line, 1)
    assert line.sent == [(0, "1: 1 for 3600"), (0, "2: 1 for 7200")]


@pytest.mark.parametrize(
    ("refusal", "pause"),
    [
        (("403",), RETRY),
        (("404",), RETRY),
        (("481",), RETRY),
        (("489", "Allow-Events: presence"), RETRY),
        (("480", "Retry-After: 300"), 300),
        (("503", "Retry-After: 5 (busy);duration=1"), 5),
        (("423",), RETRY),
        (("423", "Min-Expires: 60"), RETRY),
        (("200", "Contact: <sip:1@192.0.2.1>"), RETRY),
        (None, RETRY),
    ],
)
def test_a_refused_subscription_is_tried_again(
    refusal: tuple[str, ...] | None, pause: float
) -> None:
    async def test() -> None:
        line = FakeLine(refusal, OK)
        await lasts(line, pause + 1)
        assert line.sent == [(0, "1: 1 for 3600"), (pause, "2: 1 for 3600")]
        assert line.said[0].startswith("not subscribed: ")

    run(test())


@pytest.mark.parametrize("answer", [None, ("503",), ("408",)])
def test_a_refresh_without_an_answer_keeps_the_dialog(
    answer: tuple[str, ...] | None,
) -> None:
    async def test() -> None:
        line = FakeLine(OK, answer, OK)
        await lasts(line, 1800 + RETRY + 1)
        assert line.sent[1:] == [
            (1800, "1: 3 for 3600"),
            (1800 + RETRY, "1: 5 for 3600"),
        ]
        assert line.shown == [None]  # at the end only

    run(test())


@in_jumping_time
async def test_numbers_that_are_watched_no_longer_are_unsubscribed() -> None:
    line = FakeLine(OK)
    line.subscriber.watch(["1", "2"])
    await asyncio.sleep(1)
    assert line.subscriber.subscribed == {"1", "2"}
    line.subscriber.watch(["2", "3"])
    await asyncio.sleep(1)
    assert [what for _, what in line.sent[2:]] == ["3: 1 for 3600", "1: 3 for 0"]
    assert line.subscriber.subscribed == {"2", "3"}
    await line.subscriber.close()
    assert sorted(what for _, what in line.sent[4:]) == ["2: 3 for 0", "3: 3 for 0"]
    assert line.subscriber.subscribed == frozenset()


@in_jumping_time
async def test_the_end_does_not_wait_for_long() -> None:
    line = FakeLine(OK)
    line.subscriber.watch(["1"])
    await asyncio.sleep(1)

    async def never(_: OutgoingRequest) -> Response:
        await asyncio.sleep(1000)
        raise AssertionError

    line.send = never  # type: ignore[method-assign]
    before = asyncio.get_running_loop().time()
    await line.subscriber.close()
    assert asyncio.get_running_loop().time() - before == 2
