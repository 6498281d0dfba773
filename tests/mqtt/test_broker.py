"""A broker that is away, refuses, loses its data or is flooded; clearing its topics."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
import re
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from bridge import bridge, client as bridge_client
from custom_components.snom_buttons.const import EVENT_KEY_PRESS
from tests.support.blfphone import over_both_speakers
from tests.support.entries import KEYS, key_data
from tests.support.mqtt_peers import Broker, MqttClient, guarded
from tests.support.mqtt_sides import (
    BASE,
    HomeAssistantSide,
    Setup,
    Side,
    over_home_assistant,
    over_home_assistants_versions,
    over_the_bridge,
)
from tests.support.patience import PATIENCE
from tests.support.rawphone import RawPhone

KEPT_OF_A_PHONE = ("availability", "messages", *(f"key/{key}/state" for key in "1234"))


def kept_topics(
    side: Side, *phones: str, of_a_phone: Iterable[str] = KEPT_OF_A_PHONE
) -> set[str]:
    """Return the topics that a side with these phones retains."""
    kept = {f"{BASE}/status"}
    kept |= {f"{BASE}/{phone}/{what}" for phone in phones for what in of_a_phone}
    return kept | {f"{BASE}/{topic}" for topic in side.own_topics(*phones)}


async def keeps(client: MqttClient, topics: set[str]) -> dict[str, str]:
    """Return what the broker retains once it is these topics; fail after PATIENCE."""
    kept: dict[str, str] = {}
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while kept.keys() != topics:
                kept = await client.kept()
    assert kept.keys() == topics
    return kept


@pytest.fixture
def quick_reconnect(side: Side) -> Iterator[None]:
    """Let the side's client try again every second."""
    with side.quick_reconnect():
        yield


@pytest.fixture
async def phone(client: MqttClient, phone: RawPhone) -> RawPhone:
    """Return phone 44, published as in sync."""
    await client.hears(f"{BASE}/44/key/1/state", in_sync=True)
    return phone


async def reach(side: Side, *wanted: int) -> None:
    """Wait until the counts of published, dropped and waiting presses are as wanted."""
    async with asyncio.timeout(PATIENCE):
        while side.counts != wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def takes_no_commands(
    client: MqttClient, phone: RawPhone, base: str = BASE
) -> None:
    """Check that a command to key 2 has no effect and no answer."""
    client.heard.clear()
    client.publish(f"{base}/44/key/2/set", "ON")
    client.publish(f"{base}/44/document/set", "k=2\nc=on")
    await client.first(f"{base}/44/document/set")
    await phone.press("2")
    await client.first(f"{base}/44/key/2/event")
    assert phone.keys["2"].get("c") is None
    assert not client.on(f"{base}/error")


@over_home_assistants_versions
@pytest.mark.usefixtures("quick_reconnect")
async def test_the_broker_restarts(
    side: Side, broker: Broker, client: MqttClient, phone: RawPhone
) -> None:
    await side.loses_broker()
    kept = []
    for key in ("1", "2"):
        answer = await phone.press(key)
        assert answer.status == (200 if side.keeps_presses else 503)
        kept += [f"key/{key}/event"] if side.keeps_presses else []
    side.turn_on("44", "1")
    await broker.start()
    async with client.another() as late:
        # The broker has lost all its data.
        await late.hears(f"{BASE}/44/key/1/state", state="ON", in_sync=True)
        await phone.press("3")
        await late.first(f"{BASE}/44/key/3/event")
        events = [h.topic[-11:] for h in late.heard if "event" in h.topic]
        assert events == [*kept, "key/3/event"]
        await late.until(
            lambda: kept_topics(side, "44", "45") <= {h.topic for h in late.heard}
        )
        await broker.logs(f"{BASE}/+/document/set")
        late.publish(f"{BASE}/44/key/1/set", "OFF")
        await phone.shows("1", c=None)
    await reach(side, len(events), 0, 0)


@over_home_assistants_versions
@over_both_speakers
@pytest.mark.usefixtures("quick_reconnect")
async def test_a_late_press_opens_no_door(
    side: Side, broker: Broker, client: MqttClient, phone: RawPhone
) -> None:
    with side.max_age(0.2):
        await side.loses_broker()
        for answer in (await phone.press("1"), await phone.invite("0815")):
            assert (answer.status == 503) is not side.keeps_presses
        await broker.start()
        async with client.another() as late:
            await late.hears(f"{BASE}/44/key/1/state", in_sync=True)
            await phone.press("2")
            await late.first(f"{BASE}/44/key/2/event")
            assert not late.on(f"{BASE}/44/key/1/event")
            assert not late.on(f"{BASE}/44/dialled")
    await reach(side, 1, 2 if side.keeps_presses else 0, 0)


@over_home_assistant
@pytest.mark.usefixtures("quick_reconnect")
async def test_a_broker_hangs(side: Side, broker: Broker, phone: RawPhone) -> None:
    """Only the press that the client has already may come late.

    In Home Assistant itself each is an event at once, and its phone is answered.
    """
    assert isinstance(side, HomeAssistantSide)
    pressed = async_capture_events(side.hass, EVENT_KEY_PRESS)
    broker.hang()
    for key in range(10):
        assert (await phone.press(str(key), number="77")).status == 200
        assert [it.data["key"] for it in pressed][key:] == [str(key)]
    with side.max_age(0.0):
        await broker.kill()
        await broker.start()
        await broker.logs(f"{BASE}/+/document/set")
    await phone.press("last", number="77")
    await broker.logs("/key/last/event")
    said = re.findall(r"Received PUBLISH .*/key/(\w+)/event", "".join(broker.log))
    assert said == ["0", "last"]
    await reach(side, 2, 9, 0)


@over_the_bridge
@pytest.mark.usefixtures("quick_reconnect")
async def test_a_broker_that_hangs_gets_the_presses_of_phones_that_wait(
    side: Side, broker: Broker, phone: RawPhone
) -> None:
    """No press is answered that the broker has not, and each is published in order."""
    broker.hang()
    async with asyncio.TaskGroup() as tasks:
        presses = []
        for key in "123":
            presses.append(tasks.create_task(phone.press(key)))
            await reach(side, int(key), 0, 0)
        assert not any(press.done() for press in presses)
        await broker.kill()
        await broker.start()
    assert [press.result().status for press in presses] == [200, 200, 200]
    said = re.findall(r"Received PUBLISH .*/key/(\w+)/event", "".join(broker.log))
    assert said == ["1", "2", "3"]


@over_home_assistants_versions
async def test_our_own_restart(client: MqttClient, started: Side) -> None:
    await client.hears(f"{BASE}/status", "online")
    await keeps(client, kept_topics(started, "44", "45"))
    await started.stop()
    kept = await keeps(client, kept_topics(started, "44", "45"))
    assert kept[f"{BASE}/status"] == "offline"
    # Topics of what is removed while the side is stopped are cleared when it is back.
    await started.configure(phones={"44": KEYS})
    client.heard.clear()
    await started.start()
    await client.hears(f"{BASE}/45/key/4/state", "")
    await client.hears(f"{BASE}/status", "online")
    await keeps(client, kept_topics(started, "44"))
    # Topics that stay are never cleared in between.
    assert not [h for h in client.heard if "/44/" in h.topic and not h.payload]


@over_home_assistants_versions
async def test_what_is_removed_is_cleared(client: MqttClient, started: Side) -> None:
    await client.hears(f"{BASE}/45/key/4/state", state="OFF")
    await started.configure(phones={"44": KEYS[:2], "45": KEYS})
    await client.hears(f"{BASE}/44/key/4/state", "")
    await started.configure(phones={"44": KEYS[:2]})
    await client.hears(f"{BASE}/45/key/4/state", "")
    await started.configure(phones={"44": KEYS[:2], "46": [key_data("7")]})
    await client.hears(f"{BASE}/46/key/7/state", state="OFF")
    await client.hears(f"{BASE}/status", "online")
    await keeps(
        client,
        kept_topics(started, "44", of_a_phone=KEPT_OF_A_PHONE[:4])
        | kept_topics(
            started, "46", of_a_phone=("availability", "messages", "key/7/state")
        ),
    )


async def test_a_key_that_is_removed_while_stopped_is_announced_no_more(
    client: MqttClient, started: Side
) -> None:
    """Home Assistant removes a component of which only its platform is announced."""
    announced = started.announcement("44")
    await started.configure(discovery=True)
    await client.first(announced)
    await client.hears(f"{BASE}/status", "online")
    await started.stop()
    await started.configure(phones={"44": KEYS[1:]})
    client.heard.clear()
    await started.start()
    components = (await client.first(announced)).json["components"]
    assert {
        name: component
        for name, component in components.items()
        if name.startswith("1_")
    } == {
        "1_light": {"platform": "light"},
        "1_press": {"platform": "event"},
        "1_press_end": {"platform": "device_automation"},
    }


@over_home_assistants_versions
@over_both_speakers
async def test_read_only(side: Side, client: MqttClient, phone: RawPhone) -> None:
    await side.configure(commands=False)
    await client.hears(f"{BASE}/44/availability", "online")
    await client.hears(f"{BASE}/status", "online")
    await takes_no_commands(client, phone)


@pytest.mark.usefixtures("quick_reconnect")
async def test_online_means_that_commands_are_heard(
    broker: Broker, client: MqttClient, started: Side
) -> None:
    await started.configure(commands=False)
    await client.hears(f"{BASE}/status", "online")
    await broker.stop()
    await started.configure(commands=True)
    await broker.start()
    order = []
    for text in (f"{BASE}/+/document/set (QoS 1)", f"'{BASE}/status'"):
        await broker.logs(text)
        order.append(next(n for n, line in enumerate(broker.log) if text in line))
    assert order == sorted(order)


async def test_a_press_at_the_very_start(
    client: MqttClient, started: Side, phone: RawPhone
) -> None:
    """The first press that the server answers after a restart is published."""
    begin = started.server_class.start

    async def begin_with_a_press(server: Any) -> None:
        await begin(server)
        assert (await phone.press("1", number="first")).status == phone.press_status

    await started.stop()
    with patch.object(started.server_class, "start", begin_with_a_press):
        await started.start()
    heard = await client.first(f"{BASE}/44/key/1/event")
    assert heard.json["number"] == "first"


@over_home_assistants_versions
async def test_a_flood(client: MqttClient, phone: RawPhone) -> None:
    """Presses are published while commands to one key go on; the newest command wins."""
    sent, heard = 0, 0

    def progress() -> int:
        """Return the newest command whose result was published."""
        states = client.on(f"{BASE}/44/key/1/state")
        label = states[-1].json["label"] if states else ""
        return int(label) if label.isdecimal() else 0

    async def press_three_times() -> None:
        nonlocal heard
        for number in range(3):
            began = sent
            await client.until(lambda began=began: progress() > began + 20)
            await phone.press("2", number=str(number))
            await client.until(
                lambda number=number: any(
                    event.json["number"] == str(number)
                    for event in client.on(f"{BASE}/44/key/2/event")
                )
            )
            heard += 1

    presses = asyncio.create_task(press_three_times())
    while not presses.done():
        # Never more than the broker queues for a subscriber.
        if sent < progress() + 500:
            for _ in range(5):
                sent += 1
                client.publish(
                    f"{BASE}/44/key/1/set", {"state": "TOGGLE", "label": str(sent)}
                )
        await asyncio.sleep(0.005)
    await presses
    assert heard == 3
    client.publish(f"{BASE}/44/key/1/set", {"state": "ON", "label": "the newest"})
    await phone.shows("1", c="on", l="the newest")
    await client.hears(f"{BASE}/44/key/1/state", state="ON", label="the newest")
    assert not client.on(f"{BASE}/error")


@over_home_assistants_versions
async def test_a_flood_of_nonsense(client: MqttClient, phone: RawPhone) -> None:
    for _ in range(2000):
        client.publish(f"{BASE}/44/key/1/set", "nonsense")
    await phone.press("2")
    await client.first(f"{BASE}/44/key/2/event")
    client.publish(f"{BASE}/44/key/1/set", {"label": "the newest"})
    await phone.shows("1", l="the newest")


class TestRefused:
    """A broker with access control."""

    @pytest.fixture
    async def broker(self, broker_port: int, tmp_path: Path) -> AsyncIterator[Broker]:
        """Return a broker with users and their rights."""
        async with await guarded(tmp_path, broker_port) as broker:
            yield broker

    @pytest.fixture
    async def client(self, broker: Broker) -> AsyncIterator[MqttClient]:
        """Return a client with all rights."""
        login = ("admin", "admin-secret")
        async with MqttClient(broker.port, login=login) as client:
            yield client

    @pytest.fixture
    def side_setup(self) -> Setup:
        """Return a setup with a login."""
        return Setup(login=("home", "home-secret"))

    @over_home_assistants_versions
    async def test_acl(
        self, broker: Broker, client: MqttClient, phone: RawPhone
    ) -> None:
        await client.hears(f"{BASE}/44/key/4/state", in_sync=True)
        assert not client.on(f"{BASE}/45/availability")
        login = ("panel", "panel-secret")
        async with MqttClient(broker.port, topic=f"{BASE}/#", login=login) as panel:
            panel.publish(f"{BASE}/44/key/1/set", "ON")
            panel.publish(f"{BASE}/44/key/1/event", '{"event_type": "press_end"}')
            await phone.press("1")
            heard = await panel.first(f"{BASE}/44/key/1/event")
            assert heard.json["number"] == "key1"
            assert phone.keys["1"].get("c") is None
        client.publish(f"{BASE}/44/key/1/set", "ON")
        await phone.shows("1", c="on")

    @over_the_bridge
    async def test_password(
        self, caplog: pytest.LogCaptureFixture, client: MqttClient, side: Side
    ) -> None:
        await side.configure(login=("home", "wrong-secret"))
        with patch.object(bridge, "RESTORING", 0.1):
            await side.start()
        assert "it refuses the login" in caplog.text
        assert not await client.kept()
        assert "wrong-secret" not in caplog.text
        await side.configure(login=("home", "home-secret"))
        await client.hears(f"{BASE}/44/key/4/state", state="OFF")
        await side.close()

    @over_the_bridge
    async def test_a_right_is_missing(
        self, caplog: pytest.LogCaptureFixture, side: Side, broker: Broker
    ) -> None:
        """The log says which, and nothing is published that is not restored."""
        await side.configure(login=("panel", "panel-secret"))
        with patch.object(bridge_client, "CONNECTING", 0.1):
            starting = asyncio.create_task(side.start())
            await broker.logs("/read'")
            async with asyncio.timeout(PATIENCE):
                while "Nothing is restored yet" not in caplog.text:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        assert (
            "/read, which its user has to be allowed to write and read" in caplog.text
        )
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await side.close()
