"""A phone whose keys are of type BLF: it subscribes, and calls a key to press it."""

from itertools import groupby
import re
from typing import Any, override

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

    def __init__(
        self, server: tuple[str, int], extension: str, password: str, **options: Any
    ) -> None:
        super().__init__(server, extension, password, **options)
        self.document_answer = 415
        self._sent: list[tuple[str, str]] = []
        """The keys and states of the NOTIFYs, without retransmissions."""
        self._seen: set[bytes] = set()
        self._ended: list[str] = []
        """The keys whose subscriptions the server has ended."""

    async def watch(self, *keys: str) -> None:
        """Subscribe to keys; return when their states have come."""
        for key in keys:
            assert (await self.subscribe(key)).status == 200
        await self.until(lambda: self.keys.keys() >= set(keys))

    @override
    async def register(self, expires: int = 3600) -> RawMessage:
        """Register, and subscribe anew to the keys whose subscriptions have ended."""
        answer = await super().register(expires)
        if expires and answer.status == 200:
            ended, self._ended = self._ended, []
            for key in ended:
                await self.subscribe(key)
        return answer

    @override
    async def press(
        self, key: str, action: str = "message", number: str | None = None
    ) -> RawMessage:
        """Call a key: the phone knows neither its action nor its number."""
        return await self.invite(key)

    @override
    def as_shown(self, **lines: str | None) -> dict[str, str]:
        """Return the state of the light mode `c`: a key has no other lines."""
        return {"state": STATES.get(lines.get("c"), "confirmed")}

    @override
    def has(self, key: str, **lines: str | None) -> bool:
        """Return whether a key has the state of the light mode `c`, or is known at all.

        Other lines alone would hold at once.
        """
        assert not lines or "c" in lines, f"a key of type BLF has none of {[*lines]}"
        return key in self.keys and (
            not lines or self.keys[key] == self.as_shown(**lines)
        )

    @property
    @override
    def sends(self) -> int:
        return len(self._sent)

    @override
    def lights(self, key: str) -> list[str]:
        """Return the states that were sent for a key, in order, without repetitions.

        The whole picture comes again with each registration, and two light modes can
        have one state.
        """
        return [it for it, _ in groupby(s for name, s in self._sent if name == key)]

    @override
    def as_lights(self, *modes: str) -> list[str]:
        states = (self.as_shown(c=mode)["state"] for mode in modes)
        return [state for state, _ in groupby(states)]

    @override
    def forget_requests(self) -> None:
        super().forget_requests()
        self._sent.clear()

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        is_new = data not in self._seen
        if is_new and data.startswith(b"NOTIFY ") and b"<dialog-info" in data:
            self._seen.add(data)
            text = data.decode()
            key = re.search(r'entity="sips?:([^@"]+)@', text)
            state = re.search(r"<state>(\w+)</state>", text)
            assert key and state, text
            self._sent.append((key[1], state[1]))
            self.keys[key[1]] = {"state": state[1]}
            if "Subscription-State: terminated" in text:
                self._ended.append(key[1])
        super().datagram_received(data, addr)
