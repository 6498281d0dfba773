"""Which member of a cluster has which phone. Pure: no topic, no clock, no connection.

A claim says that a phone belongs to a bridge. The greatest claim counts, whatever the
order in which claims arrive, so members that have heard the same claims agree.
"""

from collections import defaultdict
from collections.abc import Iterable
from enum import Enum, auto
from hashlib import blake2b
import re
from typing import Final, NamedTuple

FREE: Final = ""
"""The bridge in the claim of a phone that its bridge has given up."""
MAX_EPOCH: Final = 2**53
"""Less than this is each epoch: a greater number is no integer in some readers of JSON."""
NAME: Final = re.compile("[A-Za-z0-9_.-]{1,64}")
"""The name of a member."""


class Claim(NamedTuple):
    """A bridge has a phone. Of two claims the greater one counts."""

    epoch: int
    """Greater than that of each claim that the bridge had heard before."""
    bridge: str
    """The name of a member, or FREE."""


NO_CLAIM: Final = Claim(0, FREE)


class Heard(Enum):
    """What follows from a claim that was heard."""

    NOTHING = auto()
    MINE = auto()
    """The broker has our own claim: from now on commands to the phone are ours."""
    LOST = auto()
    """The phone belongs to another bridge now."""
    REPEAT = auto()
    """Our claim, as `of` returns it, is to be published again: the broker retains another."""


def ranked(subject: str, members: Iterable[str]) -> list[str]:
    """Return members by rendezvous hash: the first is the one that a subject falls to.

    When a member comes or goes, no other two change places.
    """
    return sorted(members, key=lambda name: (_weight(subject, name), name))


def _weight(subject: str, name: str) -> bytes:
    # A digest and not `hash`, which differs from process to process.
    return blake2b(f"{name}\0{subject}".encode(), digest_size=8).digest()


class Claims:
    """The members and claims that one member has heard of."""

    def __init__(self, name: str) -> None:
        """Create the claims of the member `name`, which is its own first live member."""
        self.name = name
        self._live = {name}
        self._known: dict[str, Claim] = {}
        """The greatest claim of each phone."""
        self._claimed: defaultdict[str, set[str]] = defaultdict(set)
        """The phones of each bridge by `_known`, of those that are gone, too."""
        self._held: set[str] = set()
        """The phones that this member has taken and not lost."""
        self._unheard: set[str] = set()
        """Those of them whose claim the broker has not sent back yet."""
        self._void: set[str] = set()
        """The phones of members that have gone: their claims count again once they are
        heard again. A member that has come back need not know that it had them."""
        self._configured: frozenset[str] = frozenset()
        self._orphans: set[str] = set()
        """The configured phones that no live member has claimed."""

    @property
    def live(self) -> frozenset[str]:
        """The names of the live members, with our own."""
        return frozenset(self._live)

    @property
    def is_alone(self) -> bool:
        """Whether no other member is live."""
        return len(self._live) == 1

    @property
    def held(self) -> frozenset[str]:
        """The phones that this member has."""
        return frozenset(self._held)

    def of(self, phone: str) -> Claim:
        """Return the greatest claim of a phone, NO_CLAIM without one."""
        return self._known.get(phone, NO_CLAIM)

    def is_configured(self, phone: str) -> bool:
        """Whether this member is set up for a phone."""
        return phone in self._configured

    def is_orphan(self, phone: str) -> bool:
        """Whether this member is set up for a phone that no live member has."""
        return phone in self._orphans

    def owner_of(self, phone: str) -> str:
        """Return the live member that has a phone, FREE without one."""
        return self.of(phone).bridge if self._has_owner(phone) else FREE

    def is_held(self, phone: str) -> bool:
        """Whether this member has a phone."""
        return phone in self._held

    def is_ours(self, phone: str) -> bool:
        """Whether commands to a phone are carried out here.

        True once the broker has sent our claim back. Until then its former bridge, which
        has not heard the claim either, carries them out: each command by exactly one.
        """
        return phone in self._held and phone not in self._unheard

    def is_elsewhere(self, phone: str) -> bool:
        """Whether another live member answers for a phone, known here or not."""
        if self._has_owner(phone):
            return not self.is_ours(phone)
        return ranked(phone, self._live)[0] != self.name

    def configure(self, phones: Iterable[str]) -> list[str]:
        """Set the phones that this member is set up for; return those to be given up."""
        self._configured = frozenset(phones)
        self._orphans = {it for it in self._configured if not self._has_owner(it)}
        return sorted(self._held - self._configured)

    def comes(self, member: str) -> None:
        """Record that a member is live."""
        self._live.add(member)

    def goes(self, member: str) -> None:
        """Record that a member has gone: its phones are orphans. Not of ourselves."""
        if member != self.name and member in self._live:
            self._live.discard(member)
            self._void |= self._claimed[member]
            self._orphans |= self._claimed[member] & self._configured

    def refresh(self) -> None:
        """Count the claims of all live members, as on a connection that has just begun."""
        self._void = {it for it in self._void if self.of(it).bridge not in self._live}
        self._orphans = {it for it in self._configured if not self._has_owner(it)}

    def orphans(self, rank: int = 0) -> list[str]:
        """Return the phones that no live member has and that fall to this member.

        A member that is before this one in the order of the hash may lack the phone in its
        settings, or hang: with a `rank` those count, too, that fall to us without the
        first `rank` members.
        """
        return [
            phone
            for phone in sorted(self._orphans)
            # What was claimed under our name is taken by no other.
            if self.of(phone).bridge == self.name
            or self.name in ranked(phone, self._live)[: rank + 1]
        ]

    def astray(self) -> list[str]:
        """Return the phones that an earlier run has claimed and we are not set up for."""
        return sorted(self._claimed[self.name] - self._held - self._configured)

    def take(self, phone: str) -> Claim:
        """Take a phone; return the claim to publish."""
        claim = Claim(self.of(phone).epoch + 1, self.name)
        self._held.add(phone)
        self._unheard.add(phone)
        self._learn(phone, claim)
        return claim

    def give_up(self, phone: str) -> Claim:
        """Give a phone up; return the claim to publish, which frees it."""
        claim = Claim(self.of(phone).epoch + 1, FREE)
        self._drop(phone)
        self._learn(phone, claim)
        return claim

    def hear(self, phone: str, claim: Claim) -> Heard:
        """Learn a claim that the broker sends; return what follows from it."""
        known = self.of(phone)
        is_held = phone in self._held
        if claim > known:
            if is_held and claim.bridge == self.name:  # of an earlier run
                self._learn(phone, claim)
                self.take(phone)
                return Heard.REPEAT
            self._drop(phone)
            self._learn(phone, claim)
            return Heard.LOST if is_held else Heard.NOTHING
        if not is_held:
            if claim == known:
                self._learn(phone, claim)
            return Heard.NOTHING
        if claim < known:
            # An older one of our own needs no answer: the newer one follows it.
            return Heard.NOTHING if claim.bridge == self.name else Heard.REPEAT
        if phone in self._unheard:
            self._unheard.discard(phone)
            return Heard.MINE
        return Heard.NOTHING

    def _drop(self, phone: str) -> None:
        self._held.discard(phone)
        self._unheard.discard(phone)

    def _learn(self, phone: str, claim: Claim) -> None:
        self._claimed[self.of(phone).bridge].discard(phone)
        self._known[phone] = claim
        self._claimed[claim.bridge].add(phone)
        if claim.bridge in self._live:
            self._void.discard(phone)
        else:
            self._void.add(phone)
        if self._has_owner(phone):
            self._orphans.discard(phone)
        elif phone in self._configured:
            self._orphans.add(phone)

    def _has_owner(self, phone: str) -> bool:
        bridge = self.of(phone).bridge
        if bridge == self.name:  # a claim that we do not hold is of an earlier run
            return phone in self._held
        return bridge in self._live and phone not in self._void
