"""A broker that is away, refuses, loses its data or is flooded; clearing its topics."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
import re
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.hub.hub import SnomHub
from custom_components.snom_buttons.hub.markdown import escape_markdown
from homeassistant.components import mqtt
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.storage import Store
from tests.support.blfphone import over_both_speakers
from tests.support.entries import Phones
from tests.support.mqtt_peers import Broker, MqttClient, guarded
from tests.support.rawphone import RawPhone

BASE = "snom_buttons"
type Counts = Callable[[], Awaitable[tuple[int, int, int]]]

KEPT_OF_A_PHONE = {"availability", "messages", *(f"key/{key}/state" for key in "1234")}


def topics(*phones: str, base: str = BASE) -> set[str]:
    return {f"{base}/status"} | {
        f"{base}/{phone}/{what}" for phone in phones for what in KEPT_OF_A_PHONE
    }


@pytest.fixture
def quick_reconnect() -> Iterator[None]:
    """Let Home Assistant's client try again every second, not every ten."""
    with patch("homeassistant.components.mqtt.client.RECONNECT_INTERVAL_SECONDS", 1):
        yield


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

    def noting_keep(topic: str, payload: str, **options: Any) -> None:
        order.append(topic)
        keep(topic, payload, **options)

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
    def mqtt_entry(
        self, hass: HomeAssistant, mqtt_entry: MockConfigEntry
    ) -> MockConfigEntry:
        """Return the entry with a login."""
        hass.config_entries.async_update_entry(
            mqtt_entry,
            data={**mqtt_entry.data, "username": "home", "password": "home-secret"},
        )
        return mqtt_entry

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
