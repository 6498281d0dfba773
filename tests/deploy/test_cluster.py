"""All of deploy/ as processes: the edge, bridges, and a broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.cluster import LOGIN, Cluster
from tests.support.mqtt_peers import MqttClient
from tests.support.patience import PATIENCE
from tests.support.ports import LOCALHOST
from tests.support.rawphone import RawPhone

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("socket_enabled")]

PASSWORD = "geheim-44"
PHONES = {
    extension: {"password": PASSWORD, "keys": "4"}
    for extension in map(str, range(44, 50))
}


@asynccontextmanager
async def at_edge(cluster: Cluster, extension: str = "44") -> AsyncIterator[RawPhone]:
    phone = RawPhone(cluster.address, extension, PASSWORD, through=cluster.address)
    async with phone:
        # A bridge that comes is not ready at once.
        while (answer := await phone.register()).status == 503:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        assert answer.status == 200
        await phone.shows("4")
        yield phone


def bridge_now(client: MqttClient, extension: str) -> str:
    """Return the bridge that claims a phone, "" if none does."""
    heard = client.on(f"snom_buttons/{extension}/bridge")
    return str(heard[-1].json["bridge"]) if heard and heard[-1].payload else ""


async def bridge_of(client: MqttClient, extension: str, former: str = "") -> str:
    """Return the bridge that claims a phone, another one than the former."""
    await client.until(lambda: bridge_now(client, extension) not in ("", former))
    return bridge_now(client, extension)


async def test_phones_behind_the_edge(tmp_path: Path) -> None:
    """Lamp, press, strangers; then a bridge is killed, and the edge is restarted."""
    async with (
        Cluster(tmp_path, phones=PHONES) as cluster,
        MqttClient(cluster.broker_ports[0]) as client,
        at_edge(cluster) as phone,
    ):
        client.publish("snom_buttons/44/key/1/set", "ON")
        await phone.shows("1", c="on")
        # The edge knows the flow: no challenge, for which this would be wrong.
        phone.password = "not-the-password"
        assert (await phone.press("1")).status == 200
        await client.first("snom_buttons/44/key/1/event")

        # A stranger at the edge, and past it.
        own = await bridge_of(client, "44")
        port = cluster.settings[own]["server"]["port"]
        asserts = "P-Asserted-Identity: <sip:44@127.0.0.1>"
        for server in (cluster.address, (LOCALHOST, port)):
            async with RawPhone(server, "44", "wrong", through=server) as stranger:
                answer = await stranger.invite("key2", asserts)
                assert answer.status in (401, 403)
        assert client.on("snom_buttons/44/key/2/event") == []

        await cluster.bridges[own].kill()
        heir = await bridge_of(client, "44", own)
        assert (await phone.press("3")).status == 200
        await client.first("snom_buttons/44/key/3/event")
        client.publish("snom_buttons/44/key/2/set", "ON")
        await phone.shows("2", c="on")
        assert phone.has("1", c="on")

        # It comes back, and the phone with it, at the latest with its next press.
        await cluster.edge.says("is down")
        await cluster.bridges[own].start()
        await cluster.edge.says("is up")
        presses = 0
        while bridge_now(client, "44") == heir:
            assert (await phone.press("4")).status == 200
            presses += 1
            topic = "snom_buttons/44/key/4/event"
            await client.until(lambda: len(client.on(topic)) >= presses)  # noqa: B023
        assert bridge_now(client, "44") == own

        # An edge without memory challenges a press, and finds the way to the phone.
        await cluster.edge.restart()
        client.publish("snom_buttons/44/key/3/set", "ON")
        await phone.shows("3", c="on")
        assert (await phone.press("1")).status in (401, 403)
        phone.password = PASSWORD
        assert (await phone.press("1")).status == 200
        assert (await phone.register()).status == 200


async def test_a_cluster_of_rabbitmq(tmp_path: Path) -> None:
    """What it retains, and what happens when a node is killed."""
    async with Cluster(
        tmp_path, phones=PHONES, broker="rabbitmq", bridges=2
    ) as cluster:
        clients = [
            MqttClient(port, topic="t/#", login=LOGIN) for port in cluster.broker_ports
        ]
        async with clients[0] as first, clients[1] as second, clients[2] as third:
            # A message reaches subscribers at all nodes.
            first.publish("t/kept", "one", retain=True)
            for client in (first, second, third):
                await client.first("t/kept")
            # It is retained at the node that got it, for the very topic.
            assert await kept(cluster, 0, "t/kept")
            assert not await kept(cluster, 0, "t/+")
            assert not await kept(cluster, 1, "t/kept")

        async with (
            MqttClient(
                cluster.broker_ports[2], topic="snom_buttons/#", login=LOGIN
            ) as client,
            at_edge(cluster) as phone,
        ):
            assert (await phone.press("1")).status == 200
            await client.first("snom_buttons/44/key/1/event")
            await cluster.brokers[0].kill()
            for bridge in cluster.bridges.values():
                await bridge.says("Connected to the broker", 2)
            # Until its bridge has a broker again a press is refused.
            async with asyncio.timeout(PATIENCE):
                while (status := (await phone.press("2")).status) == 503:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            assert status == 200
            await client.first("snom_buttons/44/key/2/event")
            client.publish("snom_buttons/44/key/2/set", "ON")
            await phone.shows("2", c="on")


async def kept(cluster: Cluster, node: int, topic: str) -> bool:
    """Whether a new subscriber gets something that is retained."""
    port = cluster.broker_ports[node]
    async with MqttClient(port, topic=topic, login=LOGIN) as late:
        # Retained messages come before what is published after the subscription.
        late.publish("t/kept" if topic == "t/kept" else "t/mark", "mark")
        await late.until(lambda: any(it.payload == "mark" for it in late.heard))
        return any(it.retain for it in late.heard)
