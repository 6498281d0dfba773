"""The publisher alone: what it publishes when, to a client that the test simulates.

Nothing waits here: the loop's clock jumps.
"""

import asyncio
from collections.abc import Callable, Coroutine
import functools
import logging
from typing import Any

import pytest

from custom_components.snom_buttons.engine.mqtt import (
    CannotPublish,
    Message,
    MqttPublisher,
)
from custom_components.snom_buttons.engine.mqtt.publisher import (
    ACK_TIMEOUT,
    CLOSING,
    LATER_WINDOW,
    MAX_AGE,
    MAX_ERRORS,
    MAX_EVENTS,
    RETRY,
    STALLED,
    WINDOW,
)
from homeassistant.components.mqtt.client import TIMEOUT_ACK
from tests.support.clock import run

LOGGER = "custom_components.snom_buttons.engine.mqtt.publisher"


class Client:
    """The client and its broker, which acknowledges when the test calls for it."""

    def __init__(
        self,
        *,
        connected: bool = True,
        acknowledges: bool = False,
        repeats_late: bool = True,
    ) -> None:
        self.repeats_late = repeats_late
        self.connected = connected
        self.acknowledges = acknowledges
        """Whether the broker acknowledges at once."""
        self.error: Exception | None = None
        """The error that is raised instead of accepting a message."""
        self.sent: list[Message] = []
        self._waiting: list[tuple[Message, asyncio.Future[None]]] = []
        self.publisher = MqttPublisher(self, now)

    async def publish(self, message: Message) -> None:
        self.sent.append(message)
        if self.error is not None:
            raise self.error
        if self.acknowledges:
            return
        waiting = message, asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            # As Home Assistant's client does: no acknowledgement, and no error.
            await asyncio.wait([waiting[1]], timeout=ACK_TIMEOUT)
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
        if waiting[1].done():
            waiting[1].result()

    @property
    def is_connected(self) -> bool:
        return self.connected

    @property
    def said(self) -> list[str]:
        """The published messages, in short."""
        return [f"{message.topic}={message.payload}" for message in self.sent]

    @property
    def under_way(self) -> list[str]:
        return [message.topic for message, _ in self._waiting]

    async def acknowledge(self, *topics: str, error: Exception | None = None) -> None:
        """Acknowledge what is under way on these topics, or without topics all of it.

        With an error the client reports a failure instead.
        """
        for waiting in list(self._waiting):
            if not topics or waiting[0].topic in topics:
                self._waiting.remove(waiting)
                if error is None:
                    waiting[1].set_result(None)
                else:
                    waiting[1].set_exception(error)
        await settle()

    async def acknowledge_all(self) -> None:
        """Acknowledge everything, what follows included."""
        while self._waiting:
            await self.acknowledge()

    async def reconnect(self) -> None:
        self.connected = True
        self.publisher.connection_changed()
        await settle()

    async def fall_silent(self) -> None:
        """Publish, and let time pass without an acknowledgement until the broker is silent."""
        self.publisher.keep("silence", "falls")
        await asyncio.sleep(STALLED + 0.1)


def now() -> float:
    return asyncio.get_running_loop().time()


async def settle() -> None:
    """Run the loop until only timers are left."""
    for _ in range(5):
        await asyncio.sleep(0)


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    return [
        (level, text) for name, level, text in caplog.record_tuples if name == LOGGER
    ]


def jumping[**P](test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test in a loop whose clock jumps, until nothing is under way."""

    async def checked(*args: P.args, **kwargs: P.kwargs) -> None:
        await test(*args, **kwargs)
        # The publisher gives up on the client's messages in time.
        await asyncio.sleep(2 * ACK_TIMEOUT)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await settle()

    @functools.wraps(test)
    def in_jumping_time(*args: P.args, **kwargs: P.kwargs) -> None:
        run(checked(*args, **kwargs))

    return in_jumping_time


def test_the_client_waits_as_long_as_we_think() -> None:
    assert ACK_TIMEOUT == TIMEOUT_ACK


class TestNews:
    """Presses and dialled numbers: soon, one at a time, or never."""

    @pytest.mark.parametrize(
        ("age", "published", "dropped"),
        [(0.0, 1, 0), (29.9, 1, 0), (30.1, 0, 1), (3600.0, 0, 1)],
    )
    @jumping
    async def test_age(self, age: float, published: int, dropped: int) -> None:
        client = Client(connected=False)
        born = now()
        client.publisher.publish_event("press", "1")
        await asyncio.sleep(age)
        await client.reconnect()
        assert client.sent == [Message("press", "1", born=born)] * published
        counts = client.publisher.counts
        assert (counts.published, counts.dropped) == (published, dropped)

    @jumping
    async def test_they_grow_old_behind_one_that_is_not_acknowledged(self) -> None:
        client = Client()
        client.publisher.keep("lamp", "on")
        await client.acknowledge()
        for number in "123":
            client.publisher.publish_event("press", number)
            await asyncio.sleep(0.1)
        client.connected = False
        await asyncio.sleep(MAX_AGE - 0.15)
        await client.reconnect()
        await client.acknowledge("lamp")
        assert client.said == ["lamp=on", "press=1", "lamp=on", "press=3"]
        assert client.publisher.counts.dropped == 1

    @jumping
    async def test_one_that_may_be_repeated_is_one_over_all_connections(self) -> None:
        """Each connection ends before an acknowledgement arrives."""
        client = Client()
        client.publisher.keep("lamp", "on")
        await client.acknowledge()
        for number in "1234":
            client.publisher.publish_event("press", number)
            client.connected = False
            await client.reconnect()
        assert [said for said in client.said if "press" in said] == ["press=1"]
        # A later message has arrived, so the one before has too.
        await client.acknowledge("lamp")
        assert client.said[-1] == "press=2"

    @jumping
    async def test_those_too_old_are_counted_without_an_occasion(self) -> None:
        client = Client(connected=False)
        client.publisher.publish_event("press", "1")
        assert client.publisher.waiting == 1
        await asyncio.sleep(MAX_AGE + 1)
        assert client.publisher.waiting == 0
        assert client.publisher.counts.dropped == 1

    @jumping
    async def test_one_is_under_way_at_a_time(self) -> None:
        client = Client()
        for number in "123":
            client.publisher.publish_event("press", number)
        client.publisher.keep("lamp", "on")
        assert client.said == ["press=1", "lamp=on"]
        await client.acknowledge("lamp")
        assert client.said == ["press=1", "lamp=on"]
        await client.acknowledge("press")
        assert client.said[2:] == ["press=2"]
        await client.acknowledge("press")
        assert client.said[2:] == ["press=2", "press=3"]

    @jumping
    async def test_of_too_many_the_oldest_are_dropped(self) -> None:
        client = Client(connected=False)
        for number in range(MAX_EVENTS + 2):
            client.publisher.publish_event("press", str(number))
        assert client.publisher.waiting == MAX_EVENTS
        assert client.publisher.counts.dropped == 2
        await client.reconnect()
        assert client.said == ["press=2"]

    @pytest.mark.parametrize("error", [CannotPublish("no"), ValueError("no")])
    @jumping
    async def test_one_that_the_client_does_not_take(self, error: Exception) -> None:
        client = Client(acknowledges=True)
        client.error = error
        client.publisher.publish_event("press", "1")
        counts = client.publisher.counts
        assert (counts.published, counts.dropped) == (0, 1)
        client.error = None
        await asyncio.sleep(2 * RETRY)
        client.publisher.publish_event("press", "2")
        assert client.said == ["press=1", "press=2"]
        assert (counts.published, counts.dropped) == (1, 1)


def waiting() -> asyncio.Future[bool]:
    """Return what gets whether an event was acknowledged."""
    return asyncio.get_running_loop().create_future()


class TestTaken:
    """What a press waits for, with a client that repeats nothing after MAX_AGE."""

    @jumping
    async def test_several_events_are_under_way(self) -> None:
        client = Client(repeats_late=False)
        taken = [waiting() for _ in range(WINDOW + 2)]
        for number, each in enumerate(taken):
            client.publisher.publish_event(f"press{number}", "1", each)
        assert len(client.under_way) == WINDOW
        await client.acknowledge("press3")
        assert [number for number, it in enumerate(taken) if it.done()] == [3]
        assert taken[3].result() is True
        assert len(client.under_way) == WINDOW
        await client.acknowledge_all()
        assert all(it.result() for it in taken)

    @jumping
    async def test_a_state_that_goes_first_holds_them_back(self) -> None:
        client = Client(repeats_late=False)
        client.publisher.keep("stored", "0")
        client.publisher.keep("stored", "1", first=True)
        client.publisher.publish_event("press", "1", waiting())
        assert client.said == ["stored=0"]
        await client.acknowledge()
        assert client.said[1:] == ["stored=1", "press=1"]

    @jumping
    async def test_an_acknowledgement_counts_however_late(self) -> None:
        client = Client(repeats_late=False)
        taken = waiting()

        async def publish(message: Message) -> None:
            client.sent.append(message)
            await asyncio.sleep(ACK_TIMEOUT + 5)

        client.publish = publish  # type: ignore[method-assign]
        client.publisher.publish_event("press", "1", taken)
        await asyncio.sleep(ACK_TIMEOUT + 6)
        assert taken.result() is True
        # The broker is there.
        client.publisher.publish_event("press", "2", waiting())
        assert client.said == ["press=1", "press=2"]

    @pytest.mark.parametrize("error", [CannotPublish("no"), ValueError("no")])
    @jumping
    async def test_one_that_the_client_does_not_take(self, error: Exception) -> None:
        client = Client(repeats_late=False)
        client.error = error
        taken = waiting()
        client.publisher.publish_event("press", "1", taken)
        assert taken.result() is False

    @jumping
    async def test_one_that_is_too_old(self) -> None:
        client = Client(repeats_late=False, connected=False)
        taken = waiting()
        client.publisher.publish_event("press", "1", taken)
        await asyncio.sleep(MAX_AGE + 1)
        await client.reconnect()
        assert taken.result() is False
        assert client.said == []

    @jumping
    async def test_one_that_nothing_waits_for_any_more(self) -> None:
        client = Client(repeats_late=False, connected=False)
        taken = waiting()
        client.publisher.publish_event("press", "1", taken)
        client.publisher.publish_event("press", "2", waiting())
        taken.set_result(False)
        await client.reconnect()
        assert client.said == ["press=2"]
        assert client.publisher.counts.dropped == 1

    @pytest.mark.parametrize("connected", [True, False])
    @jumping
    async def test_at_the_end(self, connected: bool) -> None:
        client = Client(repeats_late=False, connected=connected)
        taken = [waiting() for _ in range(WINDOW + 1)]
        for each in taken:
            client.publisher.publish_event("press", "1", each)
        await client.publisher.close()
        assert [it.result() for it in taken] == [False] * (WINDOW + 1)


class TestWhatStands:
    """Retained topics: the newest payload of each, one at a time."""

    @jumping
    async def test_how_it_is_sent(self) -> None:
        client = Client(acknowledges=True)
        client.publisher.keep("lamp", "on")
        client.publisher.announce("config", "{}")
        client.publisher.clear("config")
        assert client.sent == [
            Message("lamp", "on", retain=True),
            Message("config", "{}", retain=False),
            Message("config", "", retain=True),
        ]

    @jumping
    async def test_the_newest_follows_what_is_under_way(self) -> None:
        client = Client()
        for state in ("on", "off", "hold", "park"):
            client.publisher.keep("lamp", state)
        assert client.said == ["lamp=on"]
        await client.acknowledge()
        assert client.said == ["lamp=on", "lamp=park"]

    @jumping
    async def test_what_is_equal_is_said_once(self) -> None:
        client = Client(acknowledges=True)
        for state in ("on", "on", "off", "off"):
            client.publisher.keep("lamp", state)
        assert client.said == ["lamp=on", "lamp=off"]

    @jumping
    async def test_again(self) -> None:
        client = Client(acknowledges=True)
        client.publisher.announce("config", "{}")
        client.publisher.republish("config")
        client.publisher.republish("never said")
        assert client.said == ["config={}", "config={}"]

    @jumping
    async def test_no_more_are_under_way_than_paho_sends_at_once(self) -> None:
        client = Client()
        for number in range(WINDOW + 5):
            client.publisher.keep(f"lamp{number}", "on")
        assert len(client.under_way) == WINDOW
        await client.acknowledge("lamp7", "lamp9")
        assert client.said[WINDOW:] == ["lamp20=on", "lamp21=on"]

    @jumping
    async def test_a_reconnect(self) -> None:
        """All retained topics are published again, those under way included."""
        client = Client()
        client.publisher.keep("lamp", "on")
        client.publisher.keep("other", "on")
        await client.acknowledge("other")
        client.connected = False
        client.publisher.connection_changed()
        client.publisher.keep("lamp", "off")
        assert client.said == ["lamp=on", "other=on"]
        await client.reconnect()
        assert client.said[2:] == ["lamp=off", "other=on"]
        # Late results of the old connection change nothing.
        await client.acknowledge()
        await client.acknowledge()
        assert client.said[4:] == []

    @jumping
    async def test_withheld(self) -> None:
        client = Client(acknowledges=True)
        client.publisher.keep("status", "online")
        client.publisher.suspend("status")
        await client.reconnect()
        assert client.said == ["status=online"]
        client.publisher.suspend("never said")
        assert client.publisher.known == ["never said", "status"]
        client.publisher.keep("status", "online")
        assert client.said == ["status=online", "status=online"]

    @jumping
    async def test_a_topic_that_another_publisher_took_over(self) -> None:
        client = Client(acknowledges=True)
        client.publisher.keep("lamp", "on")
        client.publisher.forget("lamp")
        await client.reconnect()
        assert client.said == ["lamp=on"]
        assert client.publisher.known == []

    @jumping
    async def test_what_the_client_does_not_take(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = Client(acknowledges=True)
        client.error = CannotPublish("no connection")
        client.publisher.keep("lamp", "on")
        client.publisher.keep("other", "on")
        await asyncio.sleep(RETRY - 0.1)
        assert client.said == ["lamp=on", "other=on"]
        await asyncio.sleep(RETRY)
        assert client.said[2:] == ["lamp=on", "other=on"]
        warned = [(logging.WARNING, "Cannot publish on lamp: no connection")]
        assert logged(caplog) == warned
        client.error = None
        await asyncio.sleep(RETRY)
        assert client.said[4:] == ["lamp=on", "other=on"]
        await asyncio.sleep(2 * RETRY)
        assert len(client.sent) == 6
        # After that it is a new failure.
        client.error = CannotPublish("again")
        client.publisher.keep("lamp", "off")
        warned.append((logging.WARNING, "Cannot publish on lamp: again"))
        assert logged(caplog) == warned

    @jumping
    async def test_a_topic_that_is_refused_is_named_once(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Also while others are taken: each press of a phone would be a line of the log."""
        client = Client(acknowledges=True)
        warned = []
        for _ in range(2):
            for number in range(3):
                client.error = CannotPublish("refused")
                client.publisher.publish_event("press", f"{number}")
                client.error = None
                client.publisher.publish_event("other", f"{number}")
            warned.append((logging.WARNING, "Cannot publish on press: refused"))
            assert logged(caplog) == warned
            await client.reconnect()
        assert client.publisher.counts.dropped == 6

    @jumping
    async def test_what_has_changed_meanwhile_is_not_tried_again(self) -> None:
        client = Client()
        client.publisher.keep("lamp", "on")
        client.publisher.suspend("lamp")
        await client.acknowledge(error=CannotPublish("no"))
        client.publisher.keep("other", "on")
        await client.acknowledge()
        await asyncio.sleep(2 * RETRY)
        assert client.said == ["lamp=on", "other=on"]

    @jumping
    async def test_any_other_exception(self, caplog: pytest.LogCaptureFixture) -> None:
        client = Client(acknowledges=True)
        client.error = ValueError("a bug")
        client.publisher.keep("lamp", "on")
        assert logged(caplog) == [
            (logging.ERROR, "A message on lamp could not be published")
        ]
        client.error = None
        client.publisher.keep("other", "on")
        assert client.said == ["lamp=on", "other=on"]


class TestKnown:
    """The topics that the broker may retain."""

    @jumping
    async def test_until_the_broker_has_acknowledged_that_they_are_cleared(
        self,
    ) -> None:
        client = Client()
        publisher = client.publisher
        publisher.recall(["old"])
        publisher.keep("lamp", "on")
        publisher.announce("config", "{}")
        assert publisher.known == ["config", "lamp", "old"]
        await client.acknowledge()
        for topic in publisher.known:
            publisher.clear(topic)
        assert publisher.known == ["config", "lamp", "old"]
        await client.acknowledge("old", "config")
        assert publisher.known == ["lamp"]
        await client.acknowledge()
        assert publisher.known == []
        await client.reconnect()
        assert not client.under_way

    @pytest.mark.parametrize(
        "what_happens",
        [
            pytest.param("timeout", id="no acknowledgement"),
            pytest.param("reconnect", id="a new connection"),
            pytest.param("error", id="the client did not take it"),
            pytest.param("keep", id="there is something new"),
            pytest.param("clear", id="something came between"),
        ],
    )
    @jumping
    async def test_nor_if(self, what_happens: str) -> None:
        client = Client()
        if what_happens == "error":
            client.error = CannotPublish("no")
        client.publisher.clear("lamp")
        match what_happens:
            case "timeout":
                await asyncio.sleep(ACK_TIMEOUT + 0.1)
            case "reconnect":
                old = client.under_way
                client.connected = False
                client.publisher.connection_changed()
                await client.acknowledge(*old)
            case "keep":
                client.publisher.keep("lamp", "on")
                await client.acknowledge()
            case "clear":
                client.publisher.keep("lamp", "on")
                client.publisher.clear("lamp")
                await client.acknowledge()
        assert client.publisher.known == ["lamp"]


class TestOrder:
    """The order of waiting messages."""

    @jumping
    async def test_events_then_states_then_errors(self) -> None:
        client = Client(connected=False)
        client.publisher.publish_error("error", "1")
        client.publisher.keep("lamp", "on")
        client.publisher.publish_event("press", "1")
        client.publisher.publish_event("press", "2")
        assert client.publisher.waiting == 4
        client.connected = True
        client.publisher.publish_error("error", "2")
        assert client.said == ["press=1", "lamp=on", "error=1", "error=2"]
        await client.acknowledge_all()
        assert client.said[4:] == ["press=2"]
        assert client.publisher.waiting == 0

    @jumping
    async def test_a_press_overtakes_all_that_waits(self) -> None:
        client = Client()
        for number in range(WINDOW + 5):
            client.publisher.keep(f"lamp{number}", "on")
        client.publisher.publish_error("error", "1")
        client.publisher.publish_event("press", "1")
        await client.acknowledge("lamp0")
        assert client.said[WINDOW:] == ["press=1"]

    @jumping
    async def test_of_too_many_errors_the_newest(self) -> None:
        client = Client(connected=False)
        for number in range(MAX_ERRORS + 3):
            client.publisher.publish_error("error", str(number))
        assert client.publisher.waiting == MAX_ERRORS
        await client.reconnect()
        await client.acknowledge_all()
        assert client.said == [f"error={n}" for n in range(3, MAX_ERRORS + 3)]


class TestSilence:
    """The broker stops acknowledging; it may or may not get what is published."""

    @jumping
    async def test_nothing_but_one_probe_goes_out(self) -> None:
        client = Client()
        await client.fall_silent()
        client.publisher.publish_event("press", "1")
        client.publisher.keep("lamp", "on")
        client.publisher.publish_error("error", "1")
        assert client.said == ["silence=falls"]
        # The client gives up, and one message may go out: a state, which may be late.
        await asyncio.sleep(ACK_TIMEOUT)
        assert client.said[1:] == ["lamp=on"]
        await asyncio.sleep(ACK_TIMEOUT)
        assert client.said[2:] == ["silence=falls"]
        await asyncio.sleep(ACK_TIMEOUT)
        assert client.said[3:] == ["silence=falls"]
        assert client.under_way == ["silence"]

    @jumping
    async def test_it_is_not_there_before_that_long(self) -> None:
        client = Client()
        client.publisher.keep("lamp", "on")
        await asyncio.sleep(STALLED - 0.1)
        client.publisher.publish_event("press", "1")
        assert client.said[1:] == ["press=1"]

    @pytest.mark.parametrize(
        ("ends", "published"),
        [("acknowledgement", 1), ("late", 0), ("reconnect", 1), ("refusal", 0)],
    )
    @jumping
    async def test_what_ends_it(self, ends: str, published: int) -> None:
        client = Client()
        await client.fall_silent()
        match ends:
            case "acknowledgement":
                await asyncio.sleep(ACK_TIMEOUT - STALLED - 0.2)
                await client.acknowledge()
            case "late":
                await asyncio.sleep(ACK_TIMEOUT - STALLED)
            case "reconnect":
                await client.reconnect()
            case "refusal":
                client.error = CannotPublish("no")
                await asyncio.sleep(ACK_TIMEOUT)
                assert client.said == ["silence=falls"] * 2
        client.publisher.publish_event("press", "1")
        assert client.publisher.counts.published == published
        assert client.said.count("press=1") == published

    @jumping
    async def test_presses_meanwhile_are_published_or_dropped(self) -> None:
        client = Client()
        await client.fall_silent()
        client.publisher.publish_event("press", "old")
        await asyncio.sleep(MAX_AGE - 1)
        client.publisher.publish_event("press", "new")
        await asyncio.sleep(2)
        client.acknowledges = True
        await client.acknowledge()
        assert [said for said in client.said if "press" in said] == ["press=new"]
        counts = client.publisher.counts
        assert (counts.published, counts.dropped) == (1, 1)

    @jumping
    async def test_nothing_stands_that_could_be_a_probe(self) -> None:
        client = Client()
        await client.fall_silent()
        client.publisher.suspend("silence")
        await asyncio.sleep(ACK_TIMEOUT)
        assert client.said == ["silence=falls"]


class TestLostConnection:
    """What the broker may not have got is not published."""

    @jumping
    async def test_a_state_that_was_not_acknowledged_is_due(self) -> None:
        client = Client()
        client.publisher.keep("taken", "on")
        await client.acknowledge("taken")
        for state in ("on", "off"):
            client.publisher.keep("changed", state)
        client.publisher.keep("lamp", "on")
        assert not client.publisher.is_due("lamp")
        client.connected = False
        client.publisher.connection_lost()
        due = [it for it in client.publisher.known if client.publisher.is_due(it)]
        assert due == ["changed", "lamp"]
        client.sent.clear()
        await client.reconnect()
        await client.acknowledge_all()
        assert sorted(client.said) == ["changed=off", "lamp=on", "taken=on"]


class TestClosing:
    """The last messages are published if that is quick."""

    @jumping
    async def test_what_stands_gets_out_and_the_rest_does_not(self) -> None:
        client = Client()
        for number in range(WINDOW + 1):
            client.publisher.keep(f"lamp{number}", "on")
        client.publisher.publish_event("press", "1")
        client.publisher.publish_error("error", "1")
        closing = asyncio.create_task(client.publisher.close())
        await settle()
        assert not closing.done()
        await client.acknowledge_all()
        await closing
        assert client.said == [f"lamp{number}=on" for number in range(WINDOW + 1)]

    @pytest.mark.parametrize("in_time", [True, False])
    @jumping
    async def test_nothing_follows_the_last_state(self, in_time: bool) -> None:
        """Neither what may go later, nor what is not published in time."""
        client = Client()
        for number in range(2 * WINDOW):
            client.publisher.keep(f"lamp{number}", "on", later=True)
        last = Message("status", "offline", retain=True)
        closing = asyncio.create_task(client.publisher.close(last=last))
        await asyncio.sleep(CLOSING * (0.5 if in_time else 1.5))
        await client.acknowledge_all()
        await closing
        assert client.said[-1] == "status=offline"
        assert client.said.count("status=offline") == 1
        assert (len(client.said) == 2 * WINDOW + 1) == in_time

    @pytest.mark.parametrize(
        ("connected", "options", "seconds"),
        [
            (True, {}, CLOSING),
            (True, {"timeout": 5.0}, 5.0),
            (False, {}, 0.0),
            (False, {"timeout": 5.0, "wait_for_connection": True}, 5.0),
        ],
    )
    @jumping
    async def test_how_long_it_takes_at_most(
        self, connected: bool, options: dict[str, Any], seconds: float
    ) -> None:
        client = Client(connected=connected)
        client.publisher.keep("status", "offline")
        before = now()
        await client.publisher.close(**options)
        assert now() - before == pytest.approx(seconds)
        assert not client.under_way

    @jumping
    async def test_there_is_nothing_to_wait_for(self) -> None:
        client = Client(connected=False)
        before = now()
        await client.publisher.close(5, wait_for_connection=True)
        assert now() == before

    @jumping
    async def test_the_connection_comes(self) -> None:
        client = Client(connected=False, acknowledges=True)
        client.publisher.clear("lamp")
        closing = asyncio.create_task(
            client.publisher.close(5, wait_for_connection=True)
        )
        await asyncio.sleep(3)
        await client.reconnect()
        assert closing.done()
        assert client.said == ["lamp="]
        assert client.publisher.known == []

    @jumping
    async def test_the_connection_goes(self) -> None:
        client = Client()
        client.publisher.keep("status", "offline")
        closing = asyncio.create_task(client.publisher.close())
        await settle()
        client.connected = False
        client.publisher.connection_changed()
        await settle()
        assert closing.done()

    @jumping
    async def test_nothing_is_tried_again_after_it(self) -> None:
        client = Client(acknowledges=True)
        client.error = CannotPublish("no")
        client.publisher.keep("status", "offline")
        await client.publisher.close()
        await asyncio.sleep(2 * RETRY)
        assert client.said == ["status=offline"]


@jumping
async def test_what_goes_first_is_published_before_all_else() -> None:
    """What a press changed is on the broker before the press, and before its lamp."""
    client = Client()
    client.publisher.publish_event("press", "1")
    client.publisher.keep("stored", "1", first=True)
    client.publisher.publish_event("press", "2")
    client.publisher.keep("stored", "2", first=True)  # the one before is under way
    client.publisher.keep("lamp", "on")
    client.publisher.keep("label", "", later=True)
    assert client.said == ["press=1", "stored=1"]
    await client.acknowledge("press")
    assert client.said[2:] == []
    await client.acknowledge("stored")
    assert client.said[2:] == ["stored=2", "press=2", "lamp=on", "label="]


@jumping
async def test_what_waits_already_can_go_first() -> None:
    client = Client(connected=False)
    client.publisher.keep("lamp", "on")
    client.publisher.keep("stored", "1")
    client.publisher.publish_event("press", "1")
    client.publisher.keep("stored", "1", first=True)
    client.publisher.keep("gone", "1", first=True)
    client.publisher.forget("gone")
    await client.reconnect()
    assert client.said == ["stored=1", "press=1", "lamp=on"]
    client.publisher.keep("stored", "1", first=True)  # is under way
    assert client.said[3:] == []


@jumping
async def test_a_topic_that_is_released_is_published_for_the_last_time() -> None:
    client = Client()
    publisher = client.publisher
    publisher.keep("a", "1")
    publisher.keep("a", "2")
    publisher.release("a")
    await client.acknowledge()
    assert client.said == ["a=1", "a=2"]
    assert publisher.known == []
    publisher.keep("b", "1")
    await client.acknowledge()
    publisher.release("b")  # the broker has it
    assert publisher.known == []
    publisher.connection_changed()
    assert client.said == ["a=1", "a=2", "b=1"]


@jumping
async def test_a_topic_that_is_released_is_not_published_on_a_later_connection() -> (
    None
):
    client = Client(connected=False)
    publisher = client.publisher
    publisher.keep("a", "1")
    publisher.release("a")
    publisher.connection_lost()
    client.connected = True
    publisher.connection_changed()
    assert client.said == []
    client.connected = False
    publisher.connection_lost()
    publisher.keep("b", "1")
    publisher.release("b")  # while the next connection is read
    client.connected = True
    publisher.connection_changed()
    assert client.said == ["b=1"]
    client.sent.clear()
    client.connected = False
    publisher.connection_lost()
    publisher.keep("a", "2")
    publisher.release("a")
    publisher.keep("a", "3")  # it is ours again
    client.connected = True
    publisher.connection_changed()
    assert client.said == ["a=3"]


@jumping
async def test_what_may_go_later_is_published_after_all_else() -> None:
    client = Client(connected=False)
    publisher = client.publisher
    for topic in ("a", "b", "c", "d"):
        publisher.keep(topic, "1", later=True)
    publisher.keep("b", "2")  # has changed
    publisher.keep("c", "2", later=True)
    publisher.keep("d", "1", first=True)
    publisher.keep("e", "1")
    publisher.keep("e", "2", later=True)  # is due already
    publisher.publish_error("error", "1")
    publisher.publish_event("press", "1")
    assert publisher.waiting == 7
    await client.reconnect()
    await client.acknowledge_all()
    assert client.said == ["d=1", "press=1", "b=2", "e=2", "error=1", "a=1", "c=2"]
    assert publisher.waiting == 0


@jumping
async def test_a_change_has_room_beside_what_may_go_later() -> None:
    client = Client()
    for n in range(2 * WINDOW):
        client.publisher.keep(f"{n}", "1", later=True)
    assert client.under_way == [f"{n}" for n in range(LATER_WINDOW)]
    client.publisher.keep("lamp", "on")
    client.publisher.publish_event("press", "1")
    assert client.said[LATER_WINDOW:] == ["lamp=on", "press=1"]
    await client.acknowledge_all()
    assert client.publisher.waiting == 0
    assert len(client.said) == 2 * WINDOW + 2


@jumping
async def test_what_may_go_later_can_be_held() -> None:
    client = Client()
    client.publisher.hold(True)
    client.publisher.keep("label", "1", later=True)
    client.publisher.keep("lamp", "on")
    await client.acknowledge_all()
    assert client.said == ["lamp=on"]
    client.publisher.hold(False)
    await client.acknowledge_all()
    assert client.said == ["lamp=on", "label=1"]


@jumping
async def test_after_a_reconnect_what_changes_goes_first() -> None:
    client = Client()
    for n in range(WINDOW):
        client.publisher.keep(f"{n}", "1")
    await client.acknowledge_all()
    client.connected = False
    client.publisher.keep("0", "2")
    client.sent.clear()
    await client.reconnect()
    client.publisher.keep(f"{WINDOW - 1}", "2")
    await client.acknowledge_all()
    assert client.said[0] == "0=2"
    assert client.said.index(f"{WINDOW - 1}=2") <= LATER_WINDOW
    assert sorted(it.topic for it in client.sent) == sorted(map(str, range(WINDOW)))


@jumping
async def test_what_may_go_later_can_be_given_up() -> None:
    client = Client(connected=False)
    publisher = client.publisher
    for topic in ("cleared", "released", "forgotten"):
        publisher.keep(topic, "1", later=True)
    publisher.clear("cleared")
    publisher.release("released")
    publisher.forget("forgotten")
    client.connected = True
    publisher.keep("lamp", "on")
    await client.acknowledge_all()
    await publisher.close()
    assert client.said == ["cleared=", "lamp=on", "released=1"]
    assert publisher.known == ["lamp"]
