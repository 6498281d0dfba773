"""A bridge as a member of a cluster: its parts, and what they get from each other."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from snom_buttons.mqtt import Client, MqttFollower, Received, Topics, read_json
from snom_buttons.phones import PhoneServer, PhoneSetup, Seen

from .claims import Claims
from .cluster import Cluster
from .gate import Gate
from .lines import Lines
from .phones import ClaimedPhones
from .stored import Stored

MAX_ID: Final = 64
"""Characters of the ID of an event that is remembered; a bridge makes 32."""


class Member:
    """One member. It adds the phones that it claims to the server, and only those."""

    def __init__(
        self, name: str, client: Client, topics: Topics, *, repeats: bool = False
    ) -> None:
        """Create a member that is not started; `client` is that of the broker.

        If it `repeats`, it publishes what it has once more when another member comes,
        as that may be on a node of the broker that has not retained it.
        """
        self.claims = Claims(name)
        self.gate = Gate(client)
        """The client of all that publishes or is commanded."""
        self._client = client
        self._topics = topics
        self._cluster: Cluster | None = None
        self._lines: Lines | None = None
        self._phones: ClaimedPhones | None = None
        self._seen = Seen(asyncio.get_running_loop().time)
        self._unsubscribe: list[Callable[[], None]] = []
        self._stored: Stored | None = None
        self._repeats = repeats
        self._live = self.claims.live

    @property
    def takes(self) -> bool:
        """Whether the broker reaches this bridge, so that it may act."""
        return self._cluster is not None and self._cluster.takes

    def was_published(self, event_id: str) -> bool:
        """Return whether a member has published an event, as far as this one has heard."""
        return event_id in self._seen

    def _published(self, message: Received) -> None:
        try:
            event_id = read_json(message.payload)["id"]
        except ValueError, TypeError, KeyError:
            return  # not ours
        if isinstance(event_id, str) and len(event_id) <= MAX_ID:
            self._seen.add(event_id)

    def adopt(self, extension: str) -> None:
        """Take a phone that has proven a request from an edge."""
        if self._cluster is not None:
            self._cluster.adopt(extension)

    async def start(
        self,
        server: PhoneServer,
        mqtt: MqttFollower,
        stored: Stored,
        setups: Mapping[str, PhoneSetup],
    ) -> None:
        """Subscribe, before the client connects. `setups` are all phones that are set up."""
        lines = self._lines = Lines(
            self._client,
            self._topics,
            name=self.claims.name,
            live=lambda: self.claims.live,
            takes=lambda: self.takes,
            lines=server.lines,
        )
        self._phones = ClaimedPhones(
            server, mqtt, stored, self._topics.status, lines.phone_came
        )
        self._phones.setups = setups
        self._stored = stored

        def joined() -> None:
            stored.connected()
            mqtt.connection_changed()
            lines.joined()

        self._cluster = Cluster(
            self._client,
            self.gate,
            self.claims,
            topics=self._topics,
            phones=self._phones,
            joined=joined,
            members_changed=self._members_changed,
        )
        for topic in self._topics.events:
            self._unsubscribe.append(
                await self._client.subscribe(topic, 1, self._published)
            )
        await self._cluster.start(setups)
        await lines.start()

    def update(self, setups: Mapping[str, PhoneSetup]) -> None:
        """Apply other settings, after those phones that stay were configured."""
        assert self._phones is not None
        assert self._cluster is not None
        assert self._lines is not None
        self._phones.setups = setups
        self._cluster.update(setups)
        self._lines.update()

    def connection_changed(self, connected: bool) -> None:
        """Take nothing until the claims of a new connection are read."""
        assert self._cluster is not None
        assert self._lines is not None
        self._cluster.connection_changed(connected)
        self._lines.connection_changed(connected)

    def _members_changed(self) -> None:
        assert self._lines is not None
        assert self._cluster is not None
        assert self._stored is not None
        self._lines.members_changed()
        before, self._live = self._live, self.claims.live
        newcomers = self._live - before
        if self._repeats and newcomers:
            self._cluster.repeat()
            self._stored.repeat()
            self._lines.repeat(newcomers)

    def stored(self, extension: str, before: str, now: str | None) -> bool:
        """Return whether what another bridge has stored of a phone may change it here.

        The marks of the commands that are part of it, `before` and `now`, are those of
        `bridge.kept`.
        """
        return self._cluster is not None and self._cluster.stored(
            extension, before, now
        )

    def heard(self, extension: str, bridge: str, epoch: int, snapshot: Any) -> None:
        """Apply what another bridge has stored of a phone, if that moves to this one."""
        if self._cluster is not None:
            self._cluster.apply_stored(extension, bridge, epoch, snapshot)

    async def stop(self) -> None:
        """End, before the bridge publishes that it is offline."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()
        if self._cluster is not None and self._lines is not None:
            await self._cluster.stop()
            await self._lines.stop()
