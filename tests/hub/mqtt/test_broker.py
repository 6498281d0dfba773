"""A broker that is away, refuses, loses its data or is flooded; clearing its topics."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
import re
import subprocess
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.diagnostics import (
    async_get_config_entry_diagnostics,
)
from custom_components.snom_buttons.engine.mqtt import publisher as mqtt_publisher
from custom_components.snom_buttons.engine.phones import PhoneServer
from custom_components.snom_buttons.hub.hub import SnomHub
from custom_components.snom_buttons.hub.markdown import escape_markdown
from homeassistant.components import mqtt
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.storage import Store
from tests.support.blfphone import over_both_speakers
from tests.support.entries import Phones, add_phone, key_data, phone_subentry
from tests.support.mqtt_peers import Broker, MqttClient
from tests.support.patience import PATIENCE
from tests.support.programs import program
from tests.support.rawphone import RawPhone

BASE = "snom_buttons"
type Counts = Callable[[], Awaitable[tuple[int, int, int]]]

KEPT_OF_A_PHONE = {"availability", "messages", *(f"key/{key}/state" for key in "1234")}


def topics(*phones: str, base: str = BASE) -> set[str]:
    return {f"{base}/status"} | {
        f"{base}/{phone}/{what}" for phone in phones for what in KEPT_OF_A_PHONE
    }


@pytest.fixture
def quick_reconnect() -> AsyncIterator[None]:
    """Let Home Assistant's client try again every second, not every ten."""
    with patch("homeassistant.components.mqtt.client.RECONNECT_INTERVAL_SECONDS", 1):
        yield


@pytest.fixture
async def phone(client: MqttClient, phone: RawPhone) -> RawPhone:
    """Return phone 44, published as in sync."""
    await client.hears(f"{BASE}/44/key/1/state", in_sync=True)
    return phone


@pytest.fixture
def counts(hass: HomeAssistant, mqtt_server: MockConfigEntry) -> Counts:
    """Return a function that returns how many presses are published, dropped, waiting."""

    async def counted() -> tuple[int, int, int]:
        mqtt = (await async_get_config_entry_diagnostics(hass, mqtt_server))["mqtt"]
        return mqtt["published"], mqtt["dropped"], mqtt["waiting"]

    return counted


async def reach(counts: Counts, *wanted: int) -> None:
    """Wait until the counts of published, dropped and waiting presses are as wanted."""
    async with asyncio.timeout(PATIENCE):
        while await counts() != wanted:  # noqa: ASYNC110
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


@pytest.mark.usefixtures("quick_reconnect")
async def test_the_broker_restarts(
    hass: HomeAssistant,
    broker: Broker,
    client: MqttClient,
    phone: RawPhone,
    counts: Counts,
) -> None:
    await broker.stop()
    await phone.press("1")
    await phone.press("2")
    await hass.services.async_call(
        "light", "turn_on", {"entity_id": "light.phone_44_key_1"}, blocking=True
    )
    await broker.start()
    async with client.another() as late:
        # The broker has lost all its data.
        await late.hears(f"{BASE}/44/key/1/state", state="ON", in_sync=True)
        await late.hears(f"{BASE}/44/key/2/event", number="key2")
        assert [h.topic[-11:] for h in late.heard if "event" in h.topic] == [
            "key/1/event",
            "key/2/event",
        ]
        await late.until(lambda: topics("44", "45") <= {h.topic for h in late.heard})
        await broker.logs(f"{BASE}/+/document/set")
        late.publish(f"{BASE}/44/key/1/set", "OFF")
        await phone.shows("1", c=None)
    await reach(counts, 2, 0, 0)


@over_both_speakers
@pytest.mark.usefixtures("quick_reconnect")
@patch.object(mqtt_publisher, "MAX_AGE", 0.2)
async def test_a_late_press_opens_no_door(
    broker: Broker, client: MqttClient, phone: RawPhone, counts: Counts
) -> None:
    await broker.stop()
    await phone.press("1")
    await phone.invite("0815")
    await broker.start()
    async with client.another() as late:
        await late.hears(f"{BASE}/44/key/1/state", in_sync=True)
        await phone.press("2")
        await late.first(f"{BASE}/44/key/2/event")
        assert not late.on(f"{BASE}/44/key/1/event")
        assert not late.on(f"{BASE}/44/dialled")
    await reach(counts, 1, 2, 0)


@pytest.mark.usefixtures("quick_reconnect")
@pytest.mark.parametrize("protocol", ["5"])
async def test_a_broker_hangs(broker: Broker, phone: RawPhone, counts: Counts) -> None:
    """Only the press that the client has already may come late."""
    broker.hang()
    for key in range(10):
        await phone.press(str(key), number="77")
    with patch.object(mqtt_publisher, "MAX_AGE", 0.0):
        await broker.kill()
        await broker.start()
        await broker.logs(f"{BASE}/+/document/set")
    await phone.press("last", number="77")
    await broker.logs("/key/last/event")
    said = re.findall(r"Received PUBLISH .*/key/(\w+)/event", "".join(broker.log))
    assert said == ["0", "last"]
    await reach(counts, 2, 9, 0)


async def test_our_own_restart(
    hass: HomeAssistant, client: MqttClient, mqtt_server: MockConfigEntry
) -> None:
    await client.hears(f"{BASE}/status", "online")
    assert (await client.kept()).keys() == topics("44", "45")
    assert await hass.config_entries.async_unload(mqtt_server.entry_id)
    kept = await client.kept()
    assert kept.keys() == topics("44", "45")
    assert kept[f"{BASE}/status"] == "offline"
    # Topics of what is removed while the entry is unloaded are cleared when it is back.
    hass.config_entries.async_remove_subentry(mqtt_server, "subentry_45")
    client.heard.clear()
    assert await hass.config_entries.async_setup(mqtt_server.entry_id)
    await client.hears(f"{BASE}/45/key/4/state", "")
    await client.hears(f"{BASE}/status", "online")
    assert (await client.kept()).keys() == topics("44")
    # Topics that stay are never cleared in between.
    assert not [h for h in client.heard if "/44/" in h.topic and not h.payload]


@over_both_speakers
@pytest.mark.parametrize("protocol", ["5"])
async def test_offline_is_the_last_word(
    hass: HomeAssistant,
    client: MqttClient,
    mqtt_server: MockConfigEntry,
    phone: RawPhone,
) -> None:
    """Even if an update waits while the server is stopped."""
    hub = mqtt_server.runtime_data
    subscribe, goes_on, waits = mqtt.async_subscribe, asyncio.Event(), asyncio.Event()

    async def slowly(*args: Any, **options: Any) -> CALLBACK_TYPE:
        waits.set()
        await goes_on.wait()
        return await subscribe(*args, **options)

    await client.hears(f"{BASE}/status", "online")
    with patch.object(mqtt, "async_subscribe", slowly):
        hass.config_entries.async_update_entry(
            mqtt_server, options={"mqtt": True, "discovery": True}
        )
        await waits.wait()
        stopped = hass.async_create_task(hub.mqtt.stop())
        too_late = hass.async_create_task(hub.mqtt.update(hub.settings))
        goes_on.set()
        await asyncio.gather(stopped, too_late)
    await client.hears(f"{BASE}/status", "offline")
    await phone.press("1")
    assert (await client.kept())[f"{BASE}/status"] == "offline"
    assert not client.on(f"{BASE}/44/key/1/event")


async def test_what_is_removed_is_cleared(
    hass: HomeAssistant, client: MqttClient, mqtt_server: MockConfigEntry
) -> None:
    await client.hears(f"{BASE}/45/key/4/state", state="OFF")
    phone = mqtt_server.subentries["subentry_44"]
    hass.config_entries.async_update_subentry(
        mqtt_server, phone, data={**phone.data, "keys": phone.data["keys"][:2]}
    )
    await client.hears(f"{BASE}/44/key/4/state", "")
    hass.config_entries.async_remove_subentry(mqtt_server, "subentry_45")
    await client.hears(f"{BASE}/45/key/4/state", "")
    add_phone(hass, mqtt_server, phone_subentry("46", [key_data("7")]))
    await client.hears(f"{BASE}/46/key/7/state", state="OFF")
    await client.hears(f"{BASE}/status", "online")
    assert (await client.kept()).keys() == {
        f"{BASE}/status",
        f"{BASE}/44/availability",
        f"{BASE}/44/key/1/state",
        f"{BASE}/44/key/2/state",
        f"{BASE}/44/messages",
        f"{BASE}/46/availability",
        f"{BASE}/46/messages",
        f"{BASE}/46/key/7/state",
    }


@pytest.mark.parametrize("protocol", ["5"])
async def test_a_key_that_is_removed_while_unloaded_is_announced_no_more(
    hass: HomeAssistant, client: MqttClient, mqtt_server: MockConfigEntry
) -> None:
    """Home Assistant removes a component of which only its platform is announced."""
    announced = "homeassistant/device/snom_buttons_subentry_44/config"
    hass.config_entries.async_update_entry(
        mqtt_server, options={"mqtt": True, "discovery": True}
    )
    await client.first(announced)
    assert await hass.config_entries.async_unload(mqtt_server.entry_id)
    phone = mqtt_server.subentries["subentry_44"]
    hass.config_entries.async_update_subentry(
        mqtt_server, phone, data={**phone.data, "keys": phone.data["keys"][1:]}
    )
    client.heard.clear()
    assert await hass.config_entries.async_setup(mqtt_server.entry_id)
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


@over_both_speakers
async def test_the_base_changes_and_the_option_goes_off(
    hass: HomeAssistant,
    broker: Broker,
    client: MqttClient,
    mqtt_server: MockConfigEntry,
    phone: RawPhone,
) -> None:
    hass.config_entries.async_update_entry(
        mqtt_server, options={"mqtt": True, "base_topic": "haus/telefone"}
    )
    await client.hears(f"{BASE}/45/key/4/state", "")
    await client.hears(f"{BASE}/status", "")
    await client.hears("haus/telefone/45/key/4/state", state="OFF")
    await client.hears("haus/telefone/status", "online")
    kept = await client.kept("")
    assert kept.keys() - {"homeassistant/status"} == topics(
        "44", "45", base="haus/telefone"
    )
    await broker.logs("haus/telefone/+/document/set")
    client.publish("haus/telefone/44/key/1/set", "ON")
    await phone.shows("1", c="on")
    client.publish(f"{BASE}/44/key/2/set", "ON")  # where no broker listens any more
    hass.config_entries.async_update_entry(mqtt_server, options={"mqtt": False})
    for topic in topics("44", "45", base="haus/telefone"):
        await client.hears(topic, "")
    assert not (await client.kept("haus"))
    assert phone.keys["2"].get("c") is None
    before = len(client.heard)
    await phone.press("1")
    client.publish("the/last", "word")
    await client.first("the/last")
    assert [h.topic for h in client.heard[before:] if "haus" in h.topic] == []


@pytest.mark.parametrize("protocol", ["5"])
async def test_what_has_become_another_servers_is_not_cleared(
    hass: HomeAssistant, client: MqttClient, mqtt_server: MockConfigEntry
) -> None:
    await client.hears(f"{BASE}/status", "online")
    other = MockConfigEntry(domain="snom_buttons", options={"mqtt": True})
    other.add_to_hass(hass)
    hass.config_entries.async_update_entry(
        mqtt_server, options={"mqtt": True, "base_topic": "other"}
    )
    await client.hears("other/status", "online")
    assert (await client.kept()).keys() == topics("44", "45")
    assert set(mqtt_server.runtime_data.mqtt.follower.retained) == topics(
        "44", "45", base="other"
    )


async def test_what_will_be_kept_is_stored_before(
    hass: HomeAssistant,
    client: MqttClient,
    mqtt_server: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise a crash in between would leave unknown topics on the broker."""
    await client.hears(f"{BASE}/status", "online")
    hub = mqtt_server.runtime_data
    order: list[str] = []
    publisher = hub.mqtt.follower.publisher
    keep, save = publisher.keep, Store.async_save

    def noting_keep(topic: str, payload: str) -> None:
        order.append(topic)
        keep(topic, payload)

    async def noting_save(store: Store[Any], data: dict[str, Any]) -> None:
        if store.key == f"{DOMAIN}.{mqtt_server.entry_id}.mqtt":
            assert topics("44", "45", base="other") <= set(data["known"])
            order.append("stored")
        await save(store, data)

    monkeypatch.setattr(publisher, "keep", noting_keep)
    monkeypatch.setattr(Store, "async_save", noting_save)
    hass.config_entries.async_update_entry(
        mqtt_server, options={"mqtt": True, "base_topic": "other"}
    )
    await client.hears("other/status", "online")
    before = order[: order.index("stored")]
    assert not [topic for topic in before if topic.startswith("other")]


async def test_the_server_is_removed(
    hass: HomeAssistant, client: MqttClient, mqtt_server: MockConfigEntry
) -> None:
    await client.hears(f"{BASE}/status", "online")
    await hass.config_entries.async_remove(mqtt_server.entry_id)
    await client.hears(f"{BASE}/45/key/4/state", "")
    await client.hears(f"{BASE}/status", "")
    assert not await client.kept()


@pytest.mark.usefixtures("quick_reconnect")
@pytest.mark.parametrize("protocol", ["5"])
async def test_the_server_is_removed_while_the_broker_restarts(
    hass: HomeAssistant,
    caplog: pytest.LogCaptureFixture,
    broker: Broker,
    client: MqttClient,
    mqtt_server: MockConfigEntry,
) -> None:
    await client.hears(f"{BASE}/status", "online")
    await broker.stop()
    removed = hass.async_create_task(
        hass.config_entries.async_remove(mqtt_server.entry_id)
    )
    await broker.start()
    await removed
    log = "".join(broker.log)
    cleared = re.findall(r"Received PUBLISH .* q1, r1, .*'(.+)', .*\(0 bytes\)", log)
    assert set(cleared) == topics("44", "45")
    assert "could not be reached" not in caplog.text


@over_both_speakers
async def test_read_only(
    hass: HomeAssistant,
    broker: Broker,
    client: MqttClient,
    mqtt_server: MockConfigEntry,
    phone: RawPhone,
) -> None:
    broker.log.clear()
    hass.config_entries.async_update_entry(
        mqtt_server, options={"mqtt": True, "commands": False}
    )
    await broker.logs(f"{BASE}/+/document/set")
    await takes_no_commands(client, phone)


@pytest.mark.usefixtures("quick_reconnect")
@pytest.mark.parametrize("protocol", ["5"])
async def test_online_means_that_commands_are_heard(
    hass: HomeAssistant,
    broker: Broker,
    client: MqttClient,
    mqtt_server: MockConfigEntry,
) -> None:
    hass.config_entries.async_update_entry(
        mqtt_server, options={"mqtt": True, "commands": False}
    )
    await client.hears(f"{BASE}/status", "online")
    await broker.logs("UNSUBSCRIBE")
    await broker.stop()
    hass.config_entries.async_update_entry(mqtt_server, options={"mqtt": True})
    await broker.start()
    order = []
    for text in (f"{BASE}/+/document/set (QoS 1)", f"'{BASE}/status'"):
        await broker.logs(text)
        order.append(next(n for n, line in enumerate(broker.log) if text in line))
    assert order == sorted(order)


async def test_mqtt_is_missing_and_comes(
    hass: HomeAssistant,
    broker: Broker,
    client: MqttClient,
    mqtt_entry: MockConfigEntry,
    config_entry: MockConfigEntry,
) -> None:
    await hass.config_entries.async_remove(mqtt_entry.entry_id)
    hass.config_entries.async_update_entry(config_entry, options={"mqtt": True})
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    issue_id = f"mqtt_missing_{config_entry.entry_id}"
    issues = ir.async_get(hass)
    issue = issues.async_get_issue("snom_buttons", issue_id)
    assert issue is not None
    assert issue.translation_placeholders == {
        "name": escape_markdown(config_entry.title),
        "link": "/config/integrations/dashboard/add?domain=mqtt",
    }
    again = MockConfigEntry(
        domain="mqtt",
        data=dict(mqtt_entry.data),
        version=mqtt_entry.version,
        minor_version=mqtt_entry.minor_version,
    )
    again.add_to_hass(hass)
    assert await hass.config_entries.async_setup(again.entry_id)
    await client.hears(f"{BASE}/45/key/4/state", state="OFF")
    assert issues.async_get_issue("snom_buttons", issue_id) is None
    assert await hass.config_entries.async_reload(again.entry_id)
    await client.hears(f"{BASE}/status", "online")
    await hass.config_entries.async_remove(again.entry_id)
    await hass.async_block_till_done()
    assert issues.async_get_issue("snom_buttons", issue_id) is not None


@pytest.mark.parametrize("protocol", ["5"])
async def test_mqtt_is_set_up_while_the_server_starts(
    hass: HomeAssistant,
    client: MqttClient,
    mqtt_entry: MockConfigEntry,
    config_entry: MockConfigEntry,
    phones: Phones,
) -> None:
    """Nothing is subscribed to twice."""
    load = SnomHub.async_load

    async def load_slowly(hub: SnomHub) -> None:
        await load(hub)
        assert await hass.config_entries.async_setup(mqtt_entry.entry_id)

    hass.config_entries.async_update_entry(config_entry, options={"mqtt": True})
    with patch.object(SnomHub, "async_load", load_slowly):
        assert await hass.config_entries.async_setup(config_entry.entry_id)
    await client.hears(f"{BASE}/status", "online")
    phone = await phones()
    client.publish(f"{BASE}/44/key/1/set", "TOGGLE")
    client.publish(f"{BASE}/44/key/1/set", {"label": "last"})
    await phone.shows("1", l="last")
    assert phone.has("1", c="on")
    hass.config_entries.async_update_entry(
        config_entry, options={"mqtt": True, "commands": False}
    )
    await hass.async_block_till_done()
    await takes_no_commands(client, phone)


@pytest.mark.parametrize("protocol", ["5"])
async def test_a_press_at_the_very_start(
    hass: HomeAssistant, client: MqttClient, server: MockConfigEntry, phone: RawPhone
) -> None:
    """The first press that the server answers after a restart is published."""
    begin = PhoneServer.start

    async def begin_with_a_press(started: PhoneServer) -> None:
        await begin(started)
        assert (await phone.press("1", number="first")).status == phone.press_status

    with patch.object(PhoneServer, "start", begin_with_a_press):
        assert await hass.config_entries.async_reload(server.entry_id)
    heard = await client.first(f"{BASE}/44/key/1/event")
    assert heard.json["number"] == "first"


@pytest.mark.parametrize("disabled_by", [None, ConfigEntryDisabler.USER])
@pytest.mark.parametrize("protocol", ["5"])
async def test_the_mqtt_integration_goes(
    hass: HomeAssistant,
    client: MqttClient,
    mqtt_entry: MockConfigEntry,
    mqtt_server: MockConfigEntry,
    disabled_by: ConfigEntryDisabler | None,
) -> None:
    await client.hears(f"{BASE}/status", "online")
    if disabled_by is None:
        assert await hass.config_entries.async_unload(mqtt_entry.entry_id)
    else:
        await hass.config_entries.async_set_disabled_by(
            mqtt_entry.entry_id, disabled_by
        )
    assert (await client.kept())[f"{BASE}/status"] == "offline"


@over_both_speakers
async def test_the_mqtt_integration_is_reloaded(
    hass: HomeAssistant,
    client: MqttClient,
    mqtt_entry: MockConfigEntry,
    server: MockConfigEntry,
    phone: RawPhone,
) -> None:
    client.heard.clear()
    assert await hass.config_entries.async_reload(mqtt_entry.entry_id)
    await client.hears(f"{BASE}/status", "online")
    client.publish(f"{BASE}/44/key/1/set", "TOGGLE")
    await phone.shows("1", c="on")
    await phone.press("1")
    await client.first(f"{BASE}/44/key/1/event")
    assert len(client.on(f"{BASE}/44/key/1/event")) == 1
    # Subscriptions from before and after the reload are ended.
    client.heard.clear()
    hass.config_entries.async_update_entry(
        server, options={"mqtt": True, "base_topic": "other"}
    )
    await client.hears("other/status", "online")
    client.publish("other/44/key/1/set", "TOGGLE")
    await phone.shows("1", c=None)
    client.publish(f"{BASE}/44/key/2/set", "ON")
    hass.config_entries.async_update_entry(
        server, options={"mqtt": True, "base_topic": "other", "commands": False}
    )
    await hass.async_block_till_done()
    await takes_no_commands(client, phone, "other")
    assert not client.on(f"{BASE}/error")


async def test_a_flood(
    client: MqttClient, mqtt_server: MockConfigEntry, phone: RawPhone
) -> None:
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


async def test_a_flood_of_nonsense(
    client: MqttClient, mqtt_server: MockConfigEntry, phone: RawPhone
) -> None:
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
        passwords = tmp_path / "passwords"
        for option, user in (("-c", "home"), ("", "panel"), ("", "admin")):
            await asyncio.to_thread(
                subprocess.run,
                [
                    program("mosquitto_passwd"),
                    "-b",
                    *([option] if option else []),
                    str(passwords),
                    user,
                    f"{user}-secret",
                ],
                check=True,
                capture_output=True,
            )
        acl = tmp_path / "acl"
        acl.write_text(
            "user admin\ntopic readwrite #\n"
            "user home\ntopic readwrite homeassistant/#\n"
            "topic readwrite snom_buttons/status\ntopic readwrite snom_buttons/44/#\n"
            "topic read snom_buttons/+/key/+/set\ntopic read snom_buttons/+/document/set\n"
            "user panel\ntopic read snom_buttons/#\n"
        )
        async with Broker(
            tmp_path,
            broker_port,
            f"password_file {passwords}",
            f"acl_file {acl}",
        ) as broker:
            yield broker

    @pytest.fixture
    async def client(self, broker: Broker) -> AsyncIterator[MqttClient]:
        """Return a client with all rights."""
        login = ("admin", "admin-secret")
        async with MqttClient(broker.port, login=login) as client:
            yield client

    @pytest.fixture
    def mqtt_entry(
        self, hass: HomeAssistant, mqtt_entry: MockConfigEntry
    ) -> MockConfigEntry:
        """Return the entry with a login."""
        hass.config_entries.async_update_entry(
            mqtt_entry,
            data={**mqtt_entry.data, "username": "home", "password": "home-secret"},
        )
        return mqtt_entry

    async def test_acl(
        self,
        broker: Broker,
        client: MqttClient,
        mqtt_server: MockConfigEntry,
        phone: RawPhone,
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

    async def test_password(
        self,
        hass: HomeAssistant,
        caplog: pytest.LogCaptureFixture,
        client: MqttClient,
        mqtt_entry: MockConfigEntry,
        config_entry: MockConfigEntry,
    ) -> None:
        right = dict(mqtt_entry.data)
        hass.config_entries.async_update_entry(
            mqtt_entry, data=right | {"password": "wrong-secret"}
        )
        hass.config_entries.async_update_entry(config_entry, options={"mqtt": True})
        await hass.config_entries.async_setup(mqtt_entry.entry_id)
        assert await hass.config_entries.async_setup(config_entry.entry_id)
        assert not await client.kept()
        assert not ir.async_get(hass).issues.get(
            ("snom_buttons", f"mqtt_missing_{config_entry.entry_id}")
        )
        assert "wrong-secret" not in caplog.text
        # The MQTT integration reloads itself.
        hass.config_entries.async_update_entry(mqtt_entry, data=right)
        await client.hears(f"{BASE}/44/key/4/state", state="OFF")
        # The MQTT integration itself logs that the password was wrong.
        assert {record.name for record in caplog.records if record.levelno >= 40} <= {
            "homeassistant.components.mqtt.client",
        }
        caplog.clear()
