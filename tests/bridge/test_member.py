"""A bridge as a member of a cluster."""

from unittest.mock import Mock

import pytest

from bridge.member import Member
from snom_buttons.mqtt import Received, Topics
from tests.support.clock import run
from tests.support.fakebroker import FakeBroker, FakeClient


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"{", b"[]", b"5", b"{}", b"\xff"),
        *(b'{"id": []}', b'{"id": {}}', b'{"id": 5}', b'{"id": "%s"}' % (b"b" * 65)),
    ],
)
def test_what_is_no_event_is_ignored(payload: bytes) -> None:
    async def test() -> None:
        client = FakeClient(FakeBroker(), lambda _: None)
        member = Member("bridge-1", client, Topics("home", "bridge-1"))
        for each in (payload, b'{"id": "a"}'):
            member._published(Received("home/44/dialled", each, retain=False))
        assert member.was_published("a")
        assert [*member._seen._until] == ["a"]

    run(test())


@pytest.mark.parametrize("repeats", [True, False])
def test_what_a_node_may_lack_is_published_again_when_a_member_comes(
    repeats: bool,
) -> None:
    async def test() -> None:
        client = FakeClient(FakeBroker(), lambda _: None)
        topics = Topics("home", "bridge-1")
        member = Member("bridge-1", client, topics, repeats=repeats)
        parts = member._cluster = member._lines = member._stored = Mock()
        member.claims.comes("bridge-2")
        member._members_changed()
        assert parts.repeat.call_count == (3 if repeats else 0)
        member.claims.goes("bridge-2")
        member._members_changed()
        assert parts.repeat.call_count == (3 if repeats else 0)

    run(test())
