"""A phone whose keys are of type BLF: it subscribes, and calls a key to press it."""

import re
from typing import override

import pytest

from .rawphone import RawMessage, RawPhone

# The states of RFC 4235 that stand for light modes: docs/forms.md.
STATES = {
    None: "terminated",
    "off": "terminated",
    "hold": "early",
    "pickup": "early",
    "park": "early",
}

over_both_speakers = pytest.mark.parametrize(
    "speaker", ["buttons", "blf"], indirect=True
)
"""Runs a test with phones that take documents, and with phones that have BLF keys."""


class BlfPhone(RawPhone):
    """One phone. `keys` has the dialog state of each key as its only line."""

    press_status = 486

    async def watch(self, *keys: str) -> None:
        """Refuse documents, and subscribe to keys; return when their states have come."""
        self.document_answer = 415
        for key in keys:
            assert (await self.subscribe(key)).status == 200
        await self.until(lambda: self.keys.keys() >= set(keys))

    @override
    async def press(
        self, key: str, action: str = "message", number: str | None = None
    ) -> RawMessage:
        assert (action, number) == ("message", None), "a BLF key has none"
        return await self.invite(key)

    @override
    async def shows(self, key: str, **lines: str | None) -> dict[str, str]:
        """Wait until a key has the state of the light mode `c`: it has no other lines."""
        wanted = STATES.get(lines["c"], "confirmed")
        await self.until(lambda: self.keys.get(key) == {"state": wanted})
        return self.keys[key]

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data.startswith(b"NOTIFY ") and b"<dialog-info" in data:
            text = data.decode()
            key = re.search(r'entity="sips?:([^@"]+)@', text)
            state = re.search(r"<state>(\w+)</state>", text)
            assert key and state, text
            self.keys[key[1]] = {"state": state[1]}
        super().datagram_received(data, addr)
