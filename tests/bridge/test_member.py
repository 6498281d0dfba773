"""What a member of a cluster remembers of the events of all."""

import pytest

from bridge.member import Member
from snom_buttons.mqtt import Received, Topics
from tests.support.clock import run
from tests.support.fakebroker import FakeBroker, FakeClient


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[]", b"5", b"{}", b'{"id": []}', b'{"id": {}}', b"\xff"]
)
def test_what_is_no_event_is_ignored(payload: bytes) -> None:
    async def test() -> None:
        client = FakeClient(FakeBroker(), lambda _: None)
        member = Member("bridge-1", client, Topics("home", "bridge-1"))
        for each in (payload, b'{"id": "a"}'):
            member._published(Received("home/44/dialled", each, retain=False))
        assert member.was_published("a")
        assert not member.was_published("b")

    run(test())
