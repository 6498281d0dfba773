"""A server that hears phones which are plugged in, in a Home Assistant with a web server."""

import itertools

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.engine.provisioning import (
    Announcement,
    read_announcement,
)
from custom_components.snom_buttons.engine.sip import Flow, OutgoingRequest
from tests.support.announcements import SNOM_370

MAC = "000413AABBCC"
"""That of SNOM_370."""

ENTITIES = [f"light.lamp_{number}" for number in range(1, 8)]

_numbers = itertools.count(1)


def announcement(mac: str = MAC, model: str = "snom370") -> bytes:
    """Return the announcement of a start of a phone."""
    datagram = SNOM_370.replace(MAC.encode(), mac.encode())
    datagram = datagram.replace(b"snom370", model.encode())
    return datagram.replace(b"Call-ID: ", f"Call-ID: {next(_numbers)}-".encode())


class Network:
    """The network of a server: announcements from any address, and what it answers."""

    def __init__(self, entry: MockConfigEntry) -> None:
        self.sent: list[Flow] = []
        self.urls: list[tuple[str, str]] = []
        """The hosts that got a URL, and it."""
        hub = entry.runtime_data
        self._plug_and_play = hub.provisioning.plug_and_play
        self._plug_and_play._wire = self

    def send(self, data: bytes, flow: Flow) -> None:
        self.sent.append(flow)

    async def request(self, outgoing: OutgoingRequest, flow: Flow) -> int | None:
        self.urls.append((flow.host, outgoing.body.decode()))
        return 200

    def sent_by(self, flow: Flow) -> str:
        return "192.0.2.1:5060"

    @staticmethod
    def read(datagram: bytes, host: str = "192.168.1.70") -> Announcement | None:
        return read_announcement(datagram, host, 1053)

    def hears(self, datagram: bytes, host: str = "192.168.1.70") -> None:
        self._plug_and_play.receive(datagram, host, 1053)
