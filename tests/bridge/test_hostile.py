"""What a client of the broker may send to the topics of bridges."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings as hypothesis_settings, strategies as st
import pytest

from bridge import bridge as bridge_module
from bridge.bridge import Bridge
from bridge.claims import MAX_EPOCH
from bridge.cluster import BLIND, STARTING
from bridge.document import Document
from bridge.reading import _Reader
from bridge.settings import Settings
from snom_buttons.mqtt import Received
from snom_buttons.phones import Signal
from tests.support.clock import run
from tests.support.fakebroker import FakeBroker, FakeClient

BASE = "snom_buttons"
SETTINGS = """
cluster: {name: a}
server: {host: 127.0.0.1}
phones:
  "44": {password: geheim-44, keys: {"1": {kind: switch, toggle: true}, "2": {}}}
  "45": {password: geheim-45, keys: 2}
lines:
  co2: {keys: {"44": "2", "45": "2"}}
"""


class Client(FakeClient):
    """A client that a bridge makes for itself."""

    def __init__(self, broker: FakeBroker) -> None:
        self.changed: Signal[bool] = Signal()
        self.read_by_name: frozenset[str] = frozenset()
        super().__init__(broker, self.changed.emit)

    def start(self) -> None:
        self.connect()

    async def stop(self) -> None:
        self.is_connected = False

    async def read(self, topics: Iterable[str]) -> dict[str, bytes]:
        retained = self.broker.retained
        return {topic: retained[topic] for topic in topics if topic in retained}

    def hears(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.deliver(Received(topic, payload, retain))


def settings() -> Settings:
    """Return settings without an open port and without a secret: nothing is sealed."""
    read = _Reader(Document(SETTINGS), Path(), None).read().settings
    return replace(read, server=replace(read.server, port=None))


@asynccontextmanager
async def member() -> AsyncIterator[tuple[Bridge, Client]]:
    """Run a bridge that has its phones; one of them moves here from another bridge.

    Fails for an exception that leaves a handler.
    """
    failed: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, it: failed.append(it))
    client = Client(FakeBroker())
    with patch.object(bridge_module, "BridgeClient", lambda *_: client):
        bridge = Bridge(settings())
    await bridge.start()
    await asyncio.sleep(STARTING + 1)
    client.hears(f"{BASE}/bridge/b/ping", b"")
    client.hears(f"{BASE}/44/bridge", b'{"bridge": "b", "epoch": 7}')
    await asyncio.sleep(0.1)
    assert bridge.member is not None
    bridge.member.adopt("44")
    await asyncio.sleep(0.1)
    assert bridge.member.claims.held == {"44", "45"}
    try:
        yield bridge, client
    finally:
        await bridge.stop()
    assert failed == []


def state(bridge: Bridge) -> Any:
    """Return all that a bridge must not lose by what is malformed."""
    assert bridge.member is not None
    claims = bridge.member.claims
    return {
        "live": claims.live,
        "claims": {it: claims.of(it) for it in ("44", "45")},
        "held": claims.held,
        "lines": bridge.server.lines_snapshot(),
        "phones": {it: bridge.server.phone_snapshot(it) for it in claims.held},
    }


SURROGATE = '"\\ud800"'
MALFORMED = {
    "claim": [
        f'{{"bridge": {SURROGATE}, "epoch": 20}}',
        '{"bridge": "no name", "epoch": 20}',
        f'{{"bridge": "b", "epoch": {MAX_EPOCH}}}',
        '{"bridge": "b", "epoch": true}',
        '{"bridge": "b", "epoch": 20.5}',
        '{"bridge": ["b"], "epoch": 20}',
        '{"bridge": "b"}',
    ],
    "state": [
        '{"seized": true, "phone": null, "epoch": 20, "home": "b"}',
        '{"seized": false, "phone": "44", "epoch": 20, "home": "b"}',
        f'{{"seized": true, "phone": {SURROGATE}, "epoch": 20, "home": "b"}}',
        f'{{"seized": true, "phone": "44", "epoch": 20, "home": {SURROGATE}}}',
        f'{{"seized": true, "phone": "44", "epoch": {MAX_EPOCH}, "home": "b"}}',
    ],
    "ask": [
        f'{{"id": {SURROGATE}, "use": "seize", "phone": "44"}}',
        f'{{"id": "x", "use": "seize", "phone": {SURROGATE}}}',
        '{"id": "", "use": "seize", "phone": "44"}',
        '{"id": "x", "use": "seize", "phone": null}',
        '{"id": "x", "use": ["seize"], "phone": "44"}',
    ],
    "stored": [
        f'{{"bridge": "b", "epoch": 3, "phone": {{"acted": [{press}]}}}}'
        for press in ('{"id": []}', '{"id": "x", "toggled": ["1"]}', "5")
    ],
    "all": ["{", "[]", "{}", "5", "null", "NaN", "[" * 100_000, '{"id": []}', "\0"],
}
TOPICS = {
    "claim": [f"{BASE}/44/bridge", f"{BASE}/45/bridge"],
    "state": [f"{BASE}/line/co2/state"],
    "ask": [f"{BASE}/line/co2/ask"],
    "stored": [f"{BASE}/44/stored"],
    "all": [
        *(f"{BASE}/bridge/{name}/{it}" for name in "ab" for it in ("status", "ping")),
        *(f"{BASE}/bridge/{name}/ping" for name in ("", "%00", "no%20name")),
        *(f"{BASE}/44/{it}" for it in ("bridge", "stored", "dialled", "key/1/event")),
        *(f"{BASE}/line/co2/{it}" for it in ("state", "ask", "answer")),
    ],
}


def test_what_is_malformed_changes_nothing() -> None:
    async def test() -> None:
        async with member() as (bridge, client):
            before = state(bridge)
            for kind, payloads in MALFORMED.items():
                for topic in TOPICS[kind]:
                    for payload in payloads:
                        client.hears(topic, payload.encode())
            await asyncio.sleep(1)
            assert state(bridge) == before
            assert bridge.takes

    run(test())


@pytest.mark.parametrize("sent", ["inf", "1e300", "nan"])
def test_a_forged_ping_hides_from_no_member_that_it_is_cut_off(sent: str) -> None:
    async def test() -> None:
        async with member() as (bridge, client):
            own = f"{BASE}/bridge/a/ping"
            (*_, last) = client.broker.on(own)
            client.is_cut = True
            begun = asyncio.get_running_loop().time()
            while bridge.takes:
                # By a path on which nothing else arrives.
                for payload in (last, f"{last.partition(' ')[0]} {sent}"):
                    client._receive(Received(own, payload.encode(), retain=False))
                await asyncio.sleep(0.1)
                assert asyncio.get_running_loop().time() - begun < BLIND + 1

    run(test())


# Anything

MEMBERS = st.sampled_from(["a", "b", "c", "", "%00", "%ED%A0%80", "x" * 65])
NAMES = st.sampled_from(["44", "45", "46", "", "%2F", "line", "bridge", "a%2fb"])
CODES = st.sampled_from(["co2", "other", "", "%2B"])
ANY_TOPIC = st.one_of(
    st.builds(f"{BASE}/bridge/{{}}/{{}}".format, MEMBERS, st.sampled_from(["status", "ping"])),
    st.builds(
        f"{BASE}/{{}}/{{}}".format,
        NAMES,
        st.sampled_from(
            ["bridge", "stored", "dialled", "key/1/event", "key/1/set", "messages/set",
             "document/set"]
        ),
    ),
    st.builds(
        f"{BASE}/line/{{}}/{{}}".format, CODES, st.sampled_from(["state", "ask", "answer"])
    ),
)  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, 8, 9, 20, -1, MAX_EPOCH - 1, MAX_EPOCH, 10**30, 0.5]),
    st.sampled_from(
        ["a", "b", "44", "45", "seize", "release", "ON", "on", "1", "k=1\r\n", "x", ""]
    ),
    st.text(max_size=3),
    st.just("\ud800"),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(
        ["id", "key", "toggled", "at", "use", "shown", "on", "configured", "response"]
    ), inner, max_size=4),
    max_leaves=6,
)  # fmt: skip
SNAPSHOTS = st.fixed_dictionaries({}, optional=dict.fromkeys(
    ["acted", "answered", "bindings", "subscriptions", "keys", "messages", "proof",
     "documents_refused"], VALUES
))  # fmt: skip
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "bridge": SCALARS,
        "epoch": SCALARS,
        "phone": SNAPSHOTS | VALUES,
        "keys": VALUES,
        "announced": VALUES,
        "id": SCALARS,
        "use": SCALARS,
        "granted": SCALARS,
        "seized": SCALARS,
        "home": SCALARS,
        "asked": SCALARS,
        "state": SCALARS,
    },
)
# More often than chance would have it, a phone's state of the bridge that it comes from.
STATES = SNAPSHOTS.map(lambda it: {"bridge": "b", "epoch": 8, "keys": [], "phone": it})
PAYLOADS = st.one_of(
    st.binary(max_size=20),
    (OBJECTS | STATES | VALUES).map(json.dumps).map(str.encode),
    st.sampled_from([b"online", b"offline", b"[" * 100_000]),
)


@given(
    st.lists(
        st.tuples(
            ANY_TOPIC | st.just(f"{BASE}/44/stored"),
            PAYLOADS,
            st.booleans(),
            st.booleans(),
        ),
        max_size=12,
    )
)
@hypothesis_settings(max_examples=60, deadline=None)
def test_no_message_ends_a_member(
    messages: list[tuple[str, bytes, bool, bool]],
) -> None:
    """No exception leaves a handler, and the member acts on what comes later."""

    async def test() -> None:
        async with member() as (bridge, client):
            for topic, payload, retain, wait in messages:
                client.hears(topic, payload, retain=retain)
                await asyncio.sleep(0.3 if wait else 0)
            await asyncio.sleep(BLIND + 1)
            assert bridge.takes
            assert bridge.member is not None
            bridge.member.adopt("45")
            bridge.member.adopt("44")
            assert bridge.member.claims.held == {"44", "45"}

    run(test())
