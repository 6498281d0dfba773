"""A member of a cluster: which phones are its own, by the claims on the broker.

docs/decisions/0026 says what is promised, and what happens while a member is cut off.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
import logging
import secrets
from typing import Any, Final, Protocol
from urllib.parse import unquote

from snom_buttons.mqtt import (
    OFFLINE,
    ONLINE,
    CannotPublish,
    Client,
    Message,
    MqttPublisher,
    Received,
    Topics,
    as_json,
    read_json,
)

from .claims import FREE, MAX_EPOCH, NAME, Claim, Claims, Heard
from .gate import Gate
from .kept import Kept, Waiting

_LOGGER = logging.getLogger(__name__)

TICK: Final = 0.25
"""Seconds between two pings, by which a member sees that the broker still reaches it."""
BLIND: Final = 2.0
"""Seconds after the last ping that came back, until a member takes nothing any more.

Shorter than NO_ANSWER of the edge (deploy/kamailio/kamailio.cfg): a member that hung does
not take what the edge has sent to the next one meanwhile."""
PINGS: Final = 100
"""The most pings that are waited for. Each is a number that no other client knows."""
SILENT: Final = 40.0
"""Seconds without a ping after which a member is gone, whatever its status says.

A broker that was restarted publishes no will. Longer than a client waits between two
attempts to connect."""
RANK: Final = 2.0
"""Seconds for which a member leaves a phone to those before it by the hash."""
STARTING: Final = 2.0
"""Seconds after its start in which a member takes no phone that the edge did not send."""
MOVING: Final = 2.0
"""Seconds to wait for the last state of a phone from its former bridge."""
TURN: Final = 0.0005
"""Seconds for which phones are claimed or restored before others have their turn: about
one phone. They have two turns of the loop, in each of which one datagram is handled: a phone
acknowledges all its keys, and one that was commanded meanwhile."""


class Phones(Protocol):
    """What a bridge does with the phones that it gets and loses."""

    def add(self, extension: str) -> None:
        """Add a phone as it was last stored. Nothing is published of it yet."""

    def merge(self, extension: str, snapshot: Any) -> None:
        """Apply what its former bridge has changed since, unless it changed here, too."""

    def catch_up(self, extension: str, snapshot: Any) -> None:
        """Toggle keys as another bridge has done late; publish and send ours again."""

    def publish(self, extension: str, *, is_unchanged: bool = False) -> None:
        """Publish the states of a phone from now on.

        If it `is_unchanged` since it was added, those that are known to be published are
        not published again.
        """

    def commanded(self, extension: str, message: Received) -> None:
        """Record that a command to a phone is carried out now."""

    def hold(self, is_held: bool) -> None:
        """Publish nothing that may come later, until it `is_held` no more."""

    def remove(self, extension: str, *, last: bool, clear: bool = False) -> None:
        """Remove a phone; publish its `last` state for its next bridge, or clear all."""

    def clear(self, extension: str) -> None:
        """Clear all topics of a phone that was removed."""

    def repeat_status(self) -> None:
        """Publish once more that the bridge is online, if it is."""


@dataclass(slots=True)
class _Moving:
    """A phone that was taken, and that is not published yet."""

    former: str
    """The live member that had it, and whose last state may still come; "" for none."""
    timer: asyncio.TimerHandle | None = None
    """Ends the wait for that."""
    is_heard: bool = False
    """Whether the broker has sent our claim back."""
    is_added: bool = False
    """Whether it was added to the phones."""


class Cluster:
    """The membership of one bridge."""

    def __init__(
        self,
        client: Client,
        gate: Gate,
        claims: Claims,
        *,
        topics: Topics,
        phones: Phones,
        joined: Callable[[], None],
        members_changed: Callable[[], None],
    ) -> None:
        """Create a member that is not started.

        `gate` is the way to `client` of all that publishes states of phones. `joined` is
        called each time that the gate was opened, `members_changed` when a member has
        come or gone.
        """
        time = asyncio.get_running_loop().time
        self.claims = claims
        self._client = client
        self._gate = gate
        self._topics = topics
        self._phones = phones
        self._joined = joined
        self._members_changed = members_changed
        self._time = time
        self._publisher = MqttPublisher(gate, time)
        self._pings: deque[tuple[bytes, float]] = deque(maxlen=PINGS)
        """The pings of this connection that have not come back, and when each was sent."""
        self._connected_at: float | None = None
        self._proved_at = float("-inf")
        """When the last ping that came back was sent."""
        self._heard_at: dict[str, float] = {}
        """When each other member was heard last."""
        self._moving: dict[str, _Moving] = {}
        self._claiming: set[str] = set()
        """Those of them that no member had, until the broker sends our claims back."""
        self._arriving: dict[str, None] = {}
        """Those of them that wait for nothing but their turn, after all claims."""
        self._orphans_since: float | None = None
        """Since when phones have been looked for that no member has; None if not."""
        self._kept = Kept(time)
        self._left: dict[str, float] = {}
        """Since when phones are free that have left our settings."""
        self._unsubscribe: list[Callable[[], None]] = []
        self._ticking: asyncio.Task[None] | None = None
        self._taking: asyncio.Task[None] | None = None
        self._restoring: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[None]] = set()
        gate.waits = self._waits
        gate.keep = self._keep

    # Life cycle

    async def start(self, phones: Iterable[str]) -> None:
        """Subscribe, before the client connects; the phones of the settings are `phones`."""
        self.claims.configure(phones)
        base = self._topics.base
        for topic, received in (
            # Members first: a claim counts for less if its bridge is not known to live.
            (f"{base}/bridge/+/status", self._status),
            (f"{base}/bridge/+/ping", self._ping),
            (self._topics.all_claims, self._claim),
        ):
            self._unsubscribe.append(await self._client.subscribe(topic, 1, received))

    def update(self, phones: Iterable[str]) -> None:
        """Apply other settings: give up phones that are not there any more.

        Members with former settings take them; if none does, all of them is cleared.
        """
        is_alone = self.claims.is_alone
        for phone in self.claims.configure(phones):
            self._give_up(phone, clear=is_alone)
            if not is_alone:
                self._left[phone] = self._time()
        self._look_for_orphans()

    async def stop(self) -> None:
        """End, before the bridge publishes that it is offline; phones stay claimed."""
        self._connected_at = None
        for unsubscribe in self._unsubscribe:  # first: a claim would begin to restore
            unsubscribe()
        self._unsubscribe.clear()
        owned = (self._ticking, self._taking, self._restoring, *self._sending)
        tasks = [it for it in owned if it]
        self._ticking = self._taking = self._restoring = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._arriving.clear()
        self._claiming.clear()
        for phone in [*self._moving]:
            self._end_move(phone)
        await self._publisher.close()

    def connection_changed(self, connected: bool) -> None:
        """Read the claims of a new connection; take nothing while there is none."""
        if not connected:
            self._gate.close()
        self._pings.clear()
        self._connected_at = self._time() if connected else None
        if connected:
            now = self._time()
            self._heard_at = dict.fromkeys(self._heard_at, now)
            if self._ticking is None:
                self._ticking = asyncio.create_task(self._tick())
            self._send_ping()

    # What others ask

    @property
    def takes(self) -> bool:
        """Whether this member hears what the others say, so that it may act.

        It has read the claims, and all that the broker had for it two seconds ago.
        """
        return self._gate.is_open and self._time() - self._proved_at < BLIND

    def adopt(self, phone: str) -> None:
        """Take a phone that has proven a request from an edge, if it is in the settings."""
        if self.takes and self.claims.is_configured(phone):
            self._take(phone)
            self._add(phone)

    def apply_stored(self, phone: str, bridge: str, epoch: int, snapshot: Any) -> None:
        """Apply what another bridge has stored of a phone that moves, or has moved, to us.

        The last that its former bridge stores has the epoch of our claim, to which it has
        lost the phone.
        """
        moving = self._moving.get(phone)
        if moving is None:
            if self.claims.is_held(phone) and epoch <= self.claims.of(phone).epoch:
                self._phones.catch_up(phone, snapshot)
            return
        self._phones.merge(phone, snapshot)
        is_last = bridge == moving.former and epoch == self.claims.of(phone).epoch
        if is_last and moving.is_heard:  # or its own claim has the same epoch
            self._arrived(phone)

    def stored(self, phone: str, before: str, now: str | None) -> bool:
        """Keep no commands that are part of what another bridge has stored of a phone.

        `before` and `now` are the marks of the commands that are part of what was stored
        before, and of this. Return whether it is to be given to `apply_stored`.
        """
        self._kept.stored(phone, before, now)
        return phone in self._moving or self.claims.is_held(phone)

    # Members

    async def _tick(self) -> None:
        while True:
            if self._connected_at is not None:
                self._send_ping()
                self._drop_silent()
                self._take_orphans()
                self._clear_left()
            await asyncio.sleep(TICK)

    def _send_ping(self) -> None:
        number = secrets.token_hex(8)
        self._pings.append((number.encode(), self._time()))
        message = Message(self._ping_of(self.claims.name), number)
        task = asyncio.create_task(self._try(message), eager_start=True)
        if not task.done():
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _try(self, message: Message) -> None:
        try:
            await self._client.publish(message)
        except CannotPublish as error:
            _LOGGER.debug("No ping: %s", error)

    def _ping_of(self, member: str) -> str:
        return f"{self._topics.base}/bridge/{member}/ping"

    def _ping(self, message: Received) -> None:
        member = self._named(message.topic)
        if member != self.claims.name:
            if not message.retain:  # no bridge retains one
                self._comes(member)
            return
        sent_at = dict(self._pings).get(message.payload)
        if sent_at is None or self._connected_at is None:
            return
        while self._pings and self._pings[0][1] <= sent_at:
            self._pings.popleft()
        was_blind, self._proved_at = not self.takes, sent_at
        # What the broker had retained has arrived before this one.
        if not self._gate.is_open:
            self._join()
        elif was_blind:
            self._gate.release()
        self._begin_restoring()

    def _status(self, message: Received) -> None:
        member = self._named(message.topic)
        if message.payload == ONLINE.encode():
            self._comes(member)
        elif message.payload == OFFLINE.encode():
            if member == self.claims.name:
                # The will of a connection that has ended.
                self._phones.repeat_status()
            else:
                self._goes(member)

    def _named(self, topic: str) -> str:
        """Return the member that a topic names, which need not be a name."""
        return unquote(topic.removeprefix(f"{self._topics.base}/bridge/").split("/")[0])

    def _comes(self, member: str) -> None:
        if member == self.claims.name or not NAME.fullmatch(member):
            return
        self._heard_at[member] = self._time()
        if member not in self.claims.live:
            _LOGGER.info("Bridge %s is there", member)
            self.claims.comes(member)
            self._members_changed()

    def _goes(self, member: str) -> None:
        if member not in self.claims.live:
            return
        _LOGGER.warning("Bridge %s is gone", member)
        self._heard_at.pop(member, None)
        self.claims.goes(member)
        self._members_changed()
        for phone, moving in [*self._moving.items()]:
            if moving.former == member:
                moving.former = ""
                if moving.is_heard:
                    self._arriving[phone] = None
        self._begin_restoring()
        self._look_for_orphans()

    def _drop_silent(self) -> None:
        if self.takes:  # a member that hears nothing does not hear the others either
            for member, heard_at in [*self._heard_at.items()]:
                if self._time() - heard_at > SILENT:
                    self._goes(member)

    def _join(self) -> None:
        """Act from now on: all claims on the broker are known."""
        is_first = self._orphans_since is None and not self.claims.held
        self.claims.refresh()
        self._gate.open()
        self._publisher.connection_changed()
        self._joined()
        for phone in self.claims.astray():
            self._give_up(phone)
        self._look_for_orphans(STARTING if is_first else 0.0)

    # Phones

    def repeat(self) -> None:
        """Publish all our claims once more, for a member that has not heard them."""
        for phone in self.claims.held:
            self._publisher.republish(self._topics.claim(phone))

    def _look_for_orphans(self, after: float = 0.0) -> None:
        self._orphans_since = self._time() + after
        self._take_orphans()

    def _take_orphans(self) -> None:
        """Begin to take the phones that fall to this member by now."""
        since = self._orphans_since
        if since is None or not self.takes or self._time() < since:
            return
        rank = int((self._time() - since) / RANK)
        if self._taking is None or self._taking.done():
            if self.claims.orphans(rank):
                self._taking = asyncio.create_task(self._take_all(rank))
            elif rank >= len(self.claims.live):
                self._orphans_since = None

    def _clear_left(self) -> None:
        """Clear the phones that have left the settings and that no member has taken."""
        if not self.takes:
            return
        patience = RANK * (len(self.claims.live) + 1)
        for phone, since in [*self._left.items()]:
            is_free = self.claims.of(phone).bridge == FREE
            if not is_free or self.claims.is_configured(phone):
                del self._left[phone]
            elif self._time() - since > patience:
                del self._left[phone]
                self._phones.clear(phone)
                self._publisher.clear(self._topics.claim(phone))

    async def _take_all(self, rank: int) -> None:
        """Claim phones. They are restored when the broker has sent the claims back.

        Restored one by one, the last would be claimed seconds later, by others too.
        """
        await self._each(self.claims.orphans(rank), self._claim_orphan)

    def _claim_orphan(self, phone: str) -> None:
        if self.claims.is_orphan(phone):  # no other has taken it meanwhile
            self._claiming.add(phone)
            self._take(phone)

    async def _each(self, phones: Iterable[str], act: Callable[[str], None]) -> None:
        """Act on phones while this member may act, so that others have their turn."""
        until = self._time() + TURN
        for phone in phones:
            if not self.takes:
                return
            act(phone)
            if self._time() >= until:
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                until = self._time() + TURN

    def _take(self, phone: str) -> None:
        """Claim a phone. It is not added yet."""
        former = self.claims.owner_of(phone)
        if former == self.claims.name:
            return
        claim = self.claims.take(phone)
        self._moving[phone] = _Moving("")
        self._wait_for(phone, former)
        self._publish(phone, claim)

    def _wait_for(self, phone: str, former: str) -> None:
        """Wait for the last state of a phone from its former bridge, if it has one."""
        moving = self._moving[phone]
        moving.former = former
        if former and moving.timer is None:
            loop = asyncio.get_running_loop()
            moving.timer = loop.call_later(MOVING, self._waited, phone)

    def _add(self, phone: str) -> None:
        """Add a phone that was claimed, if it is not added yet."""
        moving = self._moving.get(phone)
        if moving is not None and not moving.is_added:
            self._phones.add(phone)
            moving.is_added = True

    def _is_added(self, phone: str) -> bool:
        """Whether a phone that we have was added to the phones."""
        moving = self._moving.get(phone)
        return moving is None or moving.is_added

    def _publish(self, phone: str, claim: Claim) -> None:
        payload = as_json({"bridge": claim.bridge, "epoch": claim.epoch})
        self._publisher.keep(self._topics.claim(phone), payload)

    def _give_up(self, phone: str, *, clear: bool = False) -> None:
        is_held, is_added = self.claims.is_held(phone), self._is_added(phone)
        claim = self.claims.give_up(phone)
        self._end_move(phone)
        if is_held and is_added:
            self._phones.remove(phone, last=not clear and self.takes, clear=clear)
        elif clear:
            self._phones.clear(phone)
        # Not before: carried out here, they would be no part of the mark of its last state.
        self._gate.release(phone)
        if clear:
            self._publisher.clear(self._topics.claim(phone))
        else:
            self._publish(phone, claim)

    def _claim(self, message: Received) -> None:
        phone = self._topics.phone_of(message.topic)
        claim = _read_claim(message.payload)
        if phone is None or claim is None:
            return
        if not message.retain and claim.bridge != FREE:
            self._comes(claim.bridge)
        was_orphan = self.claims.is_orphan(phone)
        if claim > self.claims.of(phone):
            moving = self._moving.get(phone)
            if moving is not None and moving.is_heard:
                # The commands that came before this claim are ours.
                self._restore(phone)
        heard = self.claims.hear(phone, claim)
        if was_orphan and self._orphans_since is not None:
            # Others take their phones: those that are left may be on their way.
            self._orphans_since = max(self._orphans_since, self._time())
        match heard:
            case Heard.MINE:
                moving = self._moving.get(phone)
                if moving is not None:
                    moving.is_heard = True
                    self._claiming.discard(phone)
                    if not moving.former:
                        self._arriving[phone] = None
                    self._begin_restoring()
            case Heard.REPEAT:
                self._precedes(phone, claim.bridge)
                self._publish(phone, self.claims.of(phone))
                self._publisher.republish(self._topics.claim(phone))
            case Heard.LOST:
                _LOGGER.info("Phone %s is with bridge %s now", phone, claim.bridge)
                is_added = self._is_added(phone)
                self._end_move(phone)
                self._publisher.forget(self._topics.claim(phone))
                if is_added:
                    # Also if we hung: what we have published meanwhile may follow what the
                    # other bridge has, which publishes its own again after our last state.
                    self._phones.remove(phone, last=self._gate.is_open)
                self._gate.release(phone)
            case Heard.NOTHING if not self.claims.is_held(phone):
                self._publisher.forget(self._topics.claim(phone))
                if not self._gate.is_open:
                    return
                if self.claims.is_orphan(phone):
                    # At the next tick: each look is at all of them.
                    self._orphans_since = self._time()
                elif self.claims.of(phone).bridge == self.claims.name:
                    # Of an earlier run.
                    self._give_up(phone)

    def _waited(self, phone: str) -> None:
        """Publish a phone that has moved for long enough.

        Not after we hung ourselves: what came meanwhile is to be read first. Nor before our
        claim is heard: until then commands are not ours.
        """
        moving = self._moving[phone]
        if self.takes and moving.is_heard:
            self._arrived(phone)
        else:
            loop = asyncio.get_running_loop()
            moving.timer = loop.call_later(TICK, self._waited, phone)

    def _precedes(self, phone: str, bridge: str) -> None:
        """Wait for a bridge whose claim the broker has got before ours, which is greater.

        It has the phone until then, and carries out the commands that came before.
        """
        moving = self._moving.get(phone)
        if moving is not None and not moving.is_heard and bridge in self.claims.live:
            self._wait_for(phone, bridge)

    def _begin_restoring(self) -> None:
        """Restore the phones that have arrived, unless claims are on their way."""
        is_busy = self._restoring is not None and not self._restoring.done()
        if self._arriving and not self._claiming and self.takes and not is_busy:
            self._restoring = asyncio.create_task(self._restore_all())

    async def _restore_all(self) -> None:
        """Restore phones, each with what is urgent of it; all else follows."""
        self._phones.hold(True)
        try:
            await self._each(self._arriving_first(), self._restore)
        finally:
            self._phones.hold(False)

    def _arriving_first(self) -> Iterator[str]:
        while self._arriving:
            yield next(iter(self._arriving))

    def _restore(self, phone: str) -> None:
        self._arriving.pop(phone, None)
        try:
            self._arrived(phone)
        except Exception:  # the others are to come all the same
            _LOGGER.exception("Phone %s could not be restored", phone)
            self._gate.release(phone)

    def _arrived(self, phone: str) -> None:
        """Publish a phone: what its former bridge had to say is known, or does not come.

        Commands that it has not stored are carried out on what it has.
        """
        is_unchanged = not self._is_added(phone)
        self._add(phone)
        self._end_move(phone)
        self._phones.publish(phone, is_unchanged=is_unchanged)
        self._gate.delay(phone, self._kept.take(phone))
        self._gate.release(phone)

    def _end_move(self, phone: str) -> None:
        self._arriving.pop(phone, None)
        moving = self._moving.pop(phone, None)
        if moving is not None and moving.timer is not None:
            moving.timer.cancel()
        if phone in self._claiming:
            self._claiming.discard(phone)
            self._begin_restoring()

    def _waits(self, topic: str) -> str | None:
        """Return the phone of a command that has to wait.

        If the phone is ours, until we may act, and it shows what its former bridge has made
        of it; if we do not know the phone, until the claims are read.
        """
        if not topic.startswith(f"{self._topics.base}/"):
            return None
        phone = self._topics.addressee(topic)[0]
        if self.claims.is_ours(phone):
            waits = phone in self._moving or not self.takes
        else:
            waits = not self._gate.is_open and not self.claims.is_configured(phone)
        return phone if waits else None

    def _keep(self, waiting: Waiting) -> bool:
        """Return whether a command is kept, as it is not ours to carry out.

        The bridge of its phone may not do it, or there is none: then the next one does,
        which may be this one. It carries out what comes before that one's claim.
        """
        message = waiting[1]
        if message.retain or not message.topic.startswith(f"{self._topics.base}/"):
            return False
        phone = self._topics.addressee(message.topic)[0]
        if self.claims.is_ours(phone):
            self._phones.commanded(phone, message)
            return False
        is_configured = self.claims.is_configured(phone)
        if is_configured:
            self._kept.add(phone, waiting)
        return is_configured


def _read_claim(payload: bytes) -> Claim | None:
    """Return a claim; None for anything else, such as one that is cleared."""
    try:
        fields = read_json(payload)
        bridge, epoch = fields["bridge"], fields["epoch"]
    except ValueError, TypeError, KeyError:
        return None
    if type(epoch) is not int or not 0 <= epoch < MAX_EPOCH:
        return None
    is_bridge = isinstance(bridge, str) and (bridge == FREE or NAME.fullmatch(bridge))
    return Claim(epoch, bridge) if is_bridge else None
