"""Claims of phones: members that have heard the same claims agree on one owner."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from random import Random

from hypothesis import given, settings, strategies as st
import pytest

from bridge.claims import FREE, NO_CLAIM, Claim, Claims, Heard, ranked

PHONES = ("40", "41", "42")
NAMES = ("bridge-1", "bridge-2", "bridge-3", "bridge-4")


def member(name: str = "b", *others: str, phones: tuple[str, ...] = PHONES) -> Claims:
    claims = Claims(name)
    claims.configure(phones)
    for other in others:
        claims.comes(other)
    return claims


# One member


def test_the_first_claim_has_epoch_1() -> None:
    assert member().take("40") == Claim(1, "b")


def test_a_claim_is_greater_than_all_that_were_heard() -> None:
    claims = member()
    claims.hear("40", Claim(7, "a"))
    assert claims.take("40") == Claim(8, "b")


def test_commands_are_ours_once_the_broker_has_sent_our_claim_back() -> None:
    claims = member()
    claim = claims.take("40")
    assert claims.is_held("40") and not claims.is_ours("40")
    assert claims.is_elsewhere("40")
    assert claims.hear("40", claim) is Heard.MINE
    assert claims.is_ours("40") and not claims.is_elsewhere("40")
    assert claims.hear("40", claim) is Heard.NOTHING  # QoS 1 delivers it twice


@pytest.mark.parametrize("claim", [Claim(2, "a"), Claim(1, "c")])
def test_a_greater_claim_takes_the_phone(claim: Claim) -> None:
    claims = member("b", "a", "c")
    claims.take("40")
    assert claims.hear("40", claim) is Heard.LOST
    assert not claims.is_held("40") and claims.is_elsewhere("40")
    assert claims.of("40") == claim


@pytest.mark.parametrize("claim", [Claim(1, "a"), Claim(0, "c")])
def test_a_lower_claim_is_answered_with_ours(claim: Claim) -> None:
    claims = member("b", "a", "c")
    claims.take("40")
    assert claims.hear("40", claim) is Heard.REPEAT
    assert claims.of("40") == Claim(1, "b")


def test_an_older_claim_of_our_own_needs_no_answer() -> None:
    claims = member()
    older = claims.take("40")
    claims.take("40")
    assert claims.hear("40", older) is Heard.NOTHING
    assert not claims.is_ours("40")


def test_a_lower_claim_of_a_phone_that_is_elsewhere_means_nothing() -> None:
    claims = member("b", "a")
    claims.hear("40", Claim(3, "a"))
    assert claims.hear("40", Claim(2, "c")) is Heard.NOTHING
    assert claims.of("40") == Claim(3, "a")


def test_a_greater_claim_under_our_name_is_of_an_earlier_run() -> None:
    claims = member()
    claims.take("40")
    assert claims.hear("40", Claim(5, "b")) is Heard.REPEAT
    assert claims.of("40") == Claim(6, "b") and claims.is_held("40")


def test_what_an_earlier_run_has_claimed_falls_to_us_whatever_the_hash() -> None:
    claims = member("b", *NAMES)
    for phone in PHONES:
        claims.hear(phone, Claim(5, "b"))
    assert claims.orphans() == [*PHONES]
    assert claims.astray() == []
    claims.configure(PHONES[:2])
    assert claims.orphans() == [*PHONES[:2]]
    assert claims.astray() == ["42"]


def test_a_phone_that_is_given_up_is_free() -> None:
    claims = member()
    claims.take("40")
    assert claims.configure(PHONES[1:]) == ["40"]
    assert claims.give_up("40") == Claim(2, FREE)
    assert not claims.is_held("40")
    other = member("a", "b")
    other.hear("40", Claim(1, "b"))
    assert "40" not in other.orphans(1)
    other.hear("40", Claim(2, FREE))
    assert "40" in other.orphans(1)


def test_a_phone_without_a_claim_is_answered_for_by_one_member() -> None:
    members = [member(name, *NAMES, phones=()) for name in NAMES]
    answering = [it.name for it in members if not it.is_elsewhere("99")]
    assert answering == ranked("99", NAMES)[:1]


def test_unknown_phones_have_no_claim() -> None:
    assert member().of("99") == NO_CLAIM


def test_names_of_the_live_and_the_held() -> None:
    claims = member("b", "a")
    claims.take("41")
    assert claims.live == {"a", "b"} and claims.held == {"41"}
    claims.goes("b")  # not even if the broker says so
    claims.goes("unknown")
    assert claims.live == {"a", "b"}
    claims.goes("a")
    assert claims.live == {"b"}


def test_who_has_a_phone() -> None:
    claims = member("b", "a")
    assert claims.is_configured("40") and not claims.is_configured("99")
    assert claims.is_orphan("40") and claims.owner_of("40") == FREE
    claims.hear("40", Claim(1, "a"))
    assert not claims.is_orphan("40") and claims.owner_of("40") == "a"
    claims.take("40")
    assert not claims.is_orphan("40") and claims.owner_of("40") == "b"


def test_on_a_new_connection_claims_may_arrive_before_members() -> None:
    claims = member("b")
    claims.hear("40", Claim(1, "a"))
    claims.hear("41", Claim(1, "gone"))
    claims.comes("a")
    assert claims.is_orphan("40")
    claims.refresh()
    assert not claims.is_orphan("40") and claims.owner_of("40") == "a"
    assert claims.is_orphan("41") and claims.owner_of("41") == FREE


# The hash


def test_each_member_has_its_share() -> None:
    phones = [f"{n}" for n in range(2000)]
    first = Counter(ranked(phone, NAMES)[0] for phone in phones)
    assert all(400 < first[name] < 600 for name in NAMES)


def test_only_the_phones_of_a_member_that_goes_move() -> None:
    for n in range(200):
        before = ranked(f"{n}", NAMES)
        after = ranked(f"{n}", NAMES[1:])
        assert after == [name for name in before if name != NAMES[0]]


def test_the_hash_is_the_same_in_each_process() -> None:
    assert ranked("44", NAMES) == ["bridge-4", "bridge-2", "bridge-1", "bridge-3"]


def test_the_phones_of_a_member_that_goes_fall_to_one() -> None:
    phones = tuple(f"{n}" for n in range(50))
    members = [member(name, *NAMES, phones=phones) for name in NAMES]
    for it in members:
        for phone in phones:
            it.hear(phone, Claim(1, NAMES[0]))
        it.goes(NAMES[0])
    survivors = members[1:]
    fallen = Counter(phone for it in survivors for phone in it.orphans())
    assert fallen == Counter(phones)
    for it in survivors:
        assert set(it.orphans(2)) == set(phones)
    back = survivors[0]
    back.comes(NAMES[0])  # which need not know what it had
    assert back.orphans(3) == sorted(phones)
    back.hear("7", Claim(1, NAMES[0]))
    back.hear("8", Claim(2, NAMES[0]))
    assert back.orphans(3) == sorted({*phones} - {"7", "8"})


# Several members: any order, duplication and delay


type History = tuple[int, int, list[tuple[str, int, int]]]
"""A number of members, a seed, and what happens to whom."""
type Message = Claim | int | str
"""A claim or the number of a command, of a phone; or a member's status."""


class Network:
    """Members, and a broker that delivers in any order or in one, twice, and late."""

    def __init__(self, names: Iterable[str], seed: int, *, in_order: bool) -> None:
        self.members = {name: member(name, *names) for name in names}
        self.under_way: dict[str, deque[tuple[str, Message]]] = {
            name: deque() for name in names
        }
        self.retained: dict[str, Claim] = {}
        self.carried_out: list[list[str]] = []
        """The members that have carried out each command."""
        self._random = Random(seed)
        self._in_order = in_order

    def publish(self, phone: str, message: Message) -> None:
        if isinstance(message, Claim):
            self.retained[phone] = message
        for queue in self.under_way.values():
            copies = self._random.choice((1, 1, 2)) if isinstance(message, Claim) else 1
            queue.extend([(phone, message)] * copies)

    def command(self, phone: str) -> None:
        self.carried_out.append([])
        self.publish(phone, len(self.carried_out) - 1)

    def deliver(self, name: str) -> None:
        """Deliver one of the messages to a member, if there is one."""
        queue = self.under_way[name]
        if not queue:
            return
        if not self._in_order:
            queue.rotate(self._random.randrange(len(queue)))
        phone, message = queue.popleft()
        it = self.members[name]
        if isinstance(message, Claim):
            if it.hear(phone, message) is Heard.REPEAT:
                self.publish(phone, it.of(phone))
        elif isinstance(message, int):
            if it.is_ours(phone):
                self.carried_out[message].append(name)
        elif message == "online":
            it.comes(phone)
        else:
            it.goes(phone)
            for phone in it.orphans():
                self.take(name, phone)

    def deliver_all(self) -> None:
        while waiting := [name for name, queue in self.under_way.items() if queue]:
            self.deliver(self._random.choice(waiting))

    def take(self, name: str, phone: str) -> None:
        it = self.members[name]
        if not it.is_held(phone):
            self.publish(phone, it.take(phone))

    def restart(self, name: str) -> None:
        self.publish(name, "offline")
        self.members[name] = member(name, *self.members)
        self.under_way[name] = deque(self.retained.items())
        self.publish(name, "online")

    def take_orphans(self) -> None:
        """As members do: what falls to the first first, later to the others."""
        for rank in range(len(self.members)):
            for name, it in self.members.items():
                for phone in it.astray():
                    self.publish(phone, it.give_up(phone))
                for phone in it.orphans(rank):
                    self.take(name, phone)
            self.deliver_all()

    def owners(self, phone: str) -> list[str]:
        return [name for name, it in self.members.items() if it.is_held(phone)]


@st.composite
def histories(draw: st.DrawFn, *steps: str) -> History:
    size = draw(st.integers(2, 4))
    step = st.tuples(
        st.sampled_from(("take", "deliver", "deliver", "deliver", "give up", *steps)),
        st.integers(0, size - 1),
        st.integers(0, len(PHONES) - 1),
    )
    return size, draw(st.integers()), draw(st.lists(step, max_size=40))


def played(history: History, *, in_order: bool = False) -> Network:
    """Return the network after a history."""
    size, seed, steps = history
    network = Network(NAMES[:size], seed, in_order=in_order)
    for step, who, which in steps:
        name, phone = NAMES[who], PHONES[which]
        match step:
            case "take":
                network.take(name, phone)
            case "deliver":
                network.deliver(name)
            case "give up" if network.members[name].is_held(phone):
                network.publish(phone, network.members[name].give_up(phone))
            case "restart":
                network.restart(name)
            case "command":
                network.command(phone)
    return network


def check_one_owner_each(network: Network) -> None:
    """Check that all agree on one owner, and that commands are carried out by it."""
    for phone in PHONES:
        (owner,) = network.owners(phone)
        claim = network.members[owner].of(phone)
        assert claim.bridge == owner
        assert network.retained[phone] == claim
        for name, it in network.members.items():
            assert it.of(phone) == claim
            assert it.is_ours(phone) == (name == owner)
            assert it.is_elsewhere(phone) == (name != owner)


@given(histories(), st.booleans())
@settings(deadline=None, max_examples=200)
def test_members_agree_on_one_owner(history: History, in_order: bool) -> None:
    network = played(history, in_order=in_order)
    network.deliver_all()
    for phone in PHONES:
        assert len(network.owners(phone)) <= 1
        assert len({it.of(phone) for it in network.members.values()}) == 1
    network.take_orphans()
    check_one_owner_each(network)


@given(histories("restart"))
@settings(deadline=None, max_examples=200)
def test_members_that_are_started_again_agree_on_one_owner(history: History) -> None:
    """On a broker with one order, in which a will follows all that its member has sent."""
    network = played(history, in_order=True)
    network.deliver_all()
    network.take_orphans()
    check_one_owner_each(network)


@given(histories())
@settings(deadline=None, max_examples=200)
def test_a_member_that_has_gone_leaves_its_phones_to_one(history: History) -> None:
    network = played(history)
    gone = NAMES[0]
    del network.members[gone], network.under_way[gone]
    for it in network.members.values():
        it.goes(gone)
    network.deliver_all()
    network.take_orphans()
    check_one_owner_each(network)


@given(histories())
@settings(deadline=None, max_examples=200)
def test_a_member_that_was_cut_off_agrees_after_it_has_heard_what_is_retained(
    history: History,
) -> None:
    network = played(history)
    cut = network.members[NAMES[0]]
    for phone in PHONES:
        cut.take(phone)  # and no claim of it has reached the broker
    network.under_way[NAMES[0]].clear()
    queue = network.under_way.pop(NAMES[0])
    network.deliver_all()
    network.under_way[NAMES[0]] = queue
    queue.extend(network.retained.items())
    network.deliver_all()
    for phone in sorted(cut.held):  # a publisher repeats its newest states
        network.publish(phone, cut.of(phone))
    network.deliver_all()
    network.take_orphans()
    check_one_owner_each(network)


@given(histories("command", "command"))
@settings(deadline=None, max_examples=200)
def test_each_command_is_carried_out_once(history: History) -> None:
    """By a broker that sends claims and commands to all members in one order."""
    network = played(history, in_order=True)
    network.deliver_all()
    assert all(len(by) <= 1 for by in network.carried_out)
    network.take_orphans()
    for phone in PHONES:
        network.command(phone)
    for phone in PHONES:  # moves while commands are under way
        network.take(NAMES[0], phone)
        network.command(phone)
        network.take(NAMES[1], phone)
        network.command(phone)
    network.deliver_all()
    assert [len(by) for by in network.carried_out[-3 * len(PHONES) :]] == [1] * 9
    check_one_owner_each(network)
