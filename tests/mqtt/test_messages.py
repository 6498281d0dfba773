"""The message lamp of a phone on the broker."""

from typing import Any

import pytest

from tests.support.blfphone import over_both_speakers
from tests.support.mqtt_peers import MqttClient
from tests.support.rawphone import RawPhone

TOPIC = "snom_buttons/44/messages"


@over_both_speakers
async def test_state(client: MqttClient, phone: RawPhone) -> None:
    await client.hears(TOPIC, state="OFF", mwi="0/0", in_sync=False)
    await phone.subscribe("44", event="message-summary")
    await client.hears(TOPIC, state="OFF", in_sync=True)
    client.publish(f"{TOPIC}/set", {"mwi": "3/1"})
    heard = await client.hears(TOPIC, state="ON", mwi="3/1", in_sync=True)
    assert heard.json.keys() == {"state", "mwi", "in_sync"}
    async with client.another() as late:
        assert (await late.first(TOPIC)).retain


@pytest.mark.parametrize(
    ("commands", "mwi"),
    [
        (["ON"], "1/0"),
        (["toggle"], "1/0"),
        (["ON", "TOGGLE"], "0/0"),
        ([{"mwi": "3/1"}], "3/1"),
        ([{"mwi": "3/1"}, {"state": "ON"}], "3/1"),
        ([{"mwi": "0/1"}, {"state": "ON"}], "1/1"),
        ([{"mwi": "3/1"}, "OFF"], "0/0"),
        ([{"state": "ON", "mwi": "3/1", "in_sync": False}], "3/1"),
        ([{"mwi": "3/1"}, {"state": "OFF", "mwi": "0/4"}], "0/4"),
        ([{"mwi": "3/1"}, {"mwi": ""}], "0/0"),
    ],
)
@pytest.mark.usefixtures("started")
async def test_set(client: MqttClient, commands: list[Any], mwi: str) -> None:
    await client.hears("snom_buttons/status", "online")
    for command in [{"mwi": "9/9"}, "OFF", *commands]:
        client.publish(f"{TOPIC}/set", command)
    client.publish("snom_buttons/44/messages/set", {"mwi": "end"})
    await client.first("snom_buttons/error")
    await client.hears(TOPIC, mwi=mwi)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ({"mwi": "3"}, "3 is not allowed for mwi"),
        ({"mwi": 7}, "7 is not allowed for mwi"),
        ({"state": "OFF", "mwi": "3/1"}, "contradicts the messages 3/1"),
        ({"state": "ON", "mwi": "0/1"}, "contradicts the messages 0/1"),
        ({"state": "BLINK"}, "BLINK is not allowed for state"),
        ({"light": "on"}, "There is no field light. Use some of: state, mwi"),
        ({"in_sync": True}, "Set what the key shows"),
        ("nonsense", "nonsense is not a command"),
    ],
)
@pytest.mark.usefixtures("started")
async def test_what_is_refused(client: MqttClient, command: Any, reason: str) -> None:
    await client.hears("snom_buttons/status", "online")
    client.publish(f"{TOPIC}/set", command)
    heard = await client.first("snom_buttons/error")
    assert heard.json["topic"] == f"{TOPIC}/set"
    assert reason in heard.json["reason"]
    await client.hears(TOPIC, mwi="0/0")
