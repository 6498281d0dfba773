"""Members of a cluster on one broker, with a clock that jumps."""

from __future__ import annotations

import asyncio
import json
import re
from unittest.mock import patch

import pytest

from bridge.claims import ranked
from bridge.cluster import BLIND, MOVING, RANK, SILENT, STARTING, TICK
from bridge.kept import KEPT
from bridge.stored import SOON
from snom_buttons.mqtt import Message, Received
from tests.support.clock import jumping, run
from tests.support.cluster import DEPLOY
from tests.support.fakebroker import FakeBroker
from tests.support.members import (
    BASE,
    PHONES,
    Member,
    check_each_has_one,
    cluster,
    command,
    settled,
)


@jumping
async def test_members_that_start_together_share_the_phones() -> None:
    async with cluster("a", "b", "c") as members:
        check_each_has_one(members)
        assert all(2 < len(it.holds()) < 14 for it in members)
        for member in members:
            assert member.cluster.takes and member.joins == 1
            published = [phone for what, phone in member.did if what == "publish"]
            assert set(published) == member.holds()


@jumping
async def test_a_request_moves_a_phone() -> None:
    async with cluster("a", "b") as (a, b):
        phone = min(a.holds())
        b.cluster.adopt(phone)
        b.cluster.adopt(phone)  # the next request
        assert phone in b.holds()
        await asyncio.sleep(0.1)
        check_each_has_one([a, b])
        assert ("remove", phone) in a.did
        # Its former bridge has had its say before anything was published of it.
        assert [it for it, _ in b.merged] == [phone]
        assert b.did[-2:] == [("add", phone), ("publish", phone)]


@jumping
async def test_a_phone_of_a_bridge_that_hangs_is_published_without_its_last_state() -> (
    None
):
    async with cluster("a", "b") as (a, b):
        phone = min(a.holds())
        a.client.is_cut = True
        b.cluster.adopt(phone)
        await asyncio.sleep(MOVING / 2)
        assert ("publish", phone) not in b.did
        await asyncio.sleep(MOVING)
        assert ("publish", phone) in b.did


@jumping
async def test_a_bridge_that_hears_nothing_publishes_no_phone_that_it_has_taken() -> (
    None
):
    """It may have lost it meanwhile."""
    async with cluster("a", "b") as (a, b):
        phone = min(a.holds())
        a.client.is_cut = True
        b.cluster.adopt(phone)
        await asyncio.sleep(0.1)
        b.client.is_cut = True
        await asyncio.sleep(2 * MOVING)
        assert phone in b.holds() and ("publish", phone) not in b.did
        b.client.heal()
        await asyncio.sleep(2 * MOVING)
        assert ("publish", phone) in b.did


@jumping
async def test_a_last_state_that_comes_late_is_heard() -> None:
    async with cluster("a", "b") as (a, b):
        phone, theirs = sorted(a.holds())[:2]
        b.cluster.adopt(phone)
        await asyncio.sleep(2 * MOVING)
        assert not b.caught_up
        epoch = b.claims.of(phone).epoch
        for late in (epoch - 1, epoch):
            b.cluster.apply_stored(phone, "a", late, {})
        assert b.caught_up == [phone, phone]
        # Of a greater claim that is on its way, and of a phone that is not its own.
        b.cluster.apply_stored(phone, "a", epoch + 1, {})
        b.cluster.apply_stored(theirs, "a", 1, {})
        assert b.caught_up == [phone, phone]


@jumping
async def test_a_bridge_that_dies_while_a_phone_moves_has_no_last_word() -> None:
    async with cluster("a", "b") as (a, b):
        phone = min(a.holds())
        a.client.is_cut = True
        b.cluster.adopt(phone)
        await asyncio.sleep(0.1)
        assert ("publish", phone) not in b.did
        a.die()
        await asyncio.sleep(0.1)
        assert ("publish", phone) in b.did


@jumping
async def test_each_command_is_carried_out_once_while_a_phone_moves() -> None:
    async with cluster("a", "b") as (a, b):
        phone = min(a.holds())
        for n in range(20):
            command(a.broker, phone, f"{n}")
            if n == 10:
                b.cluster.adopt(phone)
            await asyncio.sleep(0)
        await asyncio.sleep(0.1)
        done = [topic.split("/")[3] for topic in a.commands + b.commands]
        assert done == [f"{n}" for n in range(20)]
        assert a.commands and b.commands


@jumping
async def test_a_command_waits_for_the_first_claim_of_a_phone() -> None:
    """There is no former bridge that would carry it out."""
    broker = FakeBroker()
    a = Member(broker, "a", ["44"])
    await a.start()
    await asyncio.sleep(STARTING / 2)
    a.cluster.adopt("44")
    a.client.deliver(Received(f"{BASE}/44/key/1/set", b"ON", retain=False))
    assert not a.commands
    await asyncio.sleep(0.1)
    assert a.commands == [f"{BASE}/44/key/1/set"]
    await a.stop()


@jumping
async def test_the_phones_of_a_bridge_that_dies_are_taken_at_once() -> None:
    async with cluster("a", "b", "c") as members:
        a, b, c = members
        had = a.holds()
        a.die()
        await asyncio.sleep(0.1)
        check_each_has_one([b, c])
        assert had & b.holds() and had & c.holds()
        phone = min(had)
        command(a.broker, phone)
        await asyncio.sleep(0.1)
        assert len(b.commands) + len(c.commands) == 1


@jumping
async def test_all_phones_of_a_bridge_that_dies_are_claimed_before_one_is_restored() -> (
    None
):
    async with cluster("a", "b", "c") as (a, b, c):
        had = a.holds()
        a.broker.log.clear()
        a.die()
        await asyncio.sleep(0.1)
        for member in (b, c):
            taken = had & member.holds()
            log = a.broker.log
            claims = [
                log.index((f"{BASE}/{phone}/bridge", member.claim_of(phone)))
                for phone in taken
            ]
            adds = [log.index((f"{member.name} adds", phone)) for phone in taken]
            assert len(taken) > 1 and max(claims) < min(adds)


@jumping
async def test_what_may_come_later_waits_until_all_phones_are_restored() -> None:
    async with cluster("a", "b") as (a, b):
        held = []

        def publish(extension: str, *, is_unchanged: bool = False) -> None:
            held.append(b.is_held)

        had, b.publish = a.holds(), publish  # type: ignore[method-assign]
        a.die()
        await asyncio.sleep(0.1)
        assert held == [True] * len(had) and not b.is_held


@jumping
async def test_a_phone_that_cannot_be_restored_does_not_hold_up_the_others() -> None:
    async with cluster("a", "b") as (a, b):
        had = sorted(a.holds())
        b.broken = had[0]
        a.die()
        await asyncio.sleep(0.1)
        assert {phone for what, phone in b.did if what == "publish"} >= {*had[1:]}


@jumping
async def test_a_command_for_a_phone_that_cannot_be_published_waits_no_more() -> None:
    async with cluster("a", "b") as (a, b):
        phone = min(a.holds())
        topic = f"{BASE}/{phone}/key/1/set"

        def hold(is_held: bool) -> None:
            if is_held:  # before the first one is restored
                b.client._receive(Received(topic, b"ON", retain=False))
                assert not b.commands

        def fail(extension: str, *, is_unchanged: bool = False) -> None:
            b.marks[extension] = ""
            raise ValueError(extension)

        b.hold, b.publish = hold, fail  # type: ignore[method-assign]
        a.die()
        await asyncio.sleep(0.1)
        assert b.commands == [topic]


@jumping
async def test_no_command_for_a_phone_of_a_bridge_that_dies_is_lost() -> None:
    async with cluster("a", "b", "c") as (a, b, c):
        had = sorted(a.holds())
        a.die()
        for n in range(10):
            for phone in had:
                command(a.broker, phone, f"{n}")
            if n == 3:  # the edge sends one of them, and one that is claimed by another
                b.cluster.adopt(had[0])
                c.cluster.adopt(had[-1])
            await asyncio.sleep(0)
        await asyncio.sleep(MOVING + 0.1)
        check_each_has_one([b, c])
        for phone in had:
            done = [
                topic.split("/")[3]
                for topic in b.commands + c.commands
                if topic.startswith(f"{BASE}/{phone}/")
            ]
            assert sorted(done) == [f"{n}" for n in range(10)], phone


def done_by(members: list[Member], phone: str) -> list[str]:
    """Return the keys of a phone that members were commanded, in order."""
    return [
        topic.split("/")[3]
        for member in members
        for topic in member.commands
        if topic.startswith(f"{BASE}/{phone}/")
    ]


@jumping
async def test_commands_that_a_bridge_that_dies_did_not_carry_out() -> None:
    """It hangs, or is cut off, and the broker notices that later."""
    async with cluster("a", "b", "c") as (a, b, c):
        had = sorted(a.holds())
        a.client.is_cut = True
        for n in range(3):
            for phone in had:
                command(a.broker, phone, f"{n}")
        await asyncio.sleep(15)
        a.die()
        for phone in had:
            command(a.broker, phone, "3")
        await asyncio.sleep(0.2)
        for phone in had:
            assert done_by([b, c], phone) == ["0", "1", "2", "3"]


@jumping
async def test_what_a_bridge_that_dies_has_stored_is_not_done_again() -> None:
    async with cluster("a", "b") as (a, b):
        phone, other = sorted(a.holds())[:2]
        command(a.broker, phone, "1")
        command(a.broker, other, "1")
        await asyncio.sleep(2 * SOON)
        command(a.broker, phone, "2")  # and this is not stored
        await asyncio.sleep(SOON / 4)
        assert done_by([a], phone) == ["1", "2"]
        a.die()
        await asyncio.sleep(0.2)
        assert done_by([b], phone) == ["2"] and done_by([b], other) == []


@jumping
async def test_a_command_is_kept_until_a_bridge_that_was_cut_off_is_gone() -> None:
    async with cluster("a", "b") as (a, b):
        phone = min(a.holds())
        a.client.is_cut = True
        command(a.broker, phone, "1")
        await asyncio.sleep(KEPT + 1)
        command(a.broker, phone, "2")
        await asyncio.sleep(0)
        b.client.lose()
        b.client.connect()
        a.broker.publish(a.topics.status, "online", retain=True)
        await asyncio.sleep(1)
        command(a.broker, phone, "3")
        await asyncio.sleep(0.1)
        a.die()
        await asyncio.sleep(0.2)
        assert done_by([b], phone) == ["2", "3"]


@jumping
async def test_what_was_stored_while_a_member_had_no_connection_is_not_done_again() -> (
    None
):
    async with cluster("a", "b") as (a, b):
        phone, other = sorted(a.holds())[:2]
        for each in (phone, other):
            command(a.broker, each, "1")
        await asyncio.sleep(SOON / 2)
        b.client.lose()
        command(a.broker, other, "2")
        await asyncio.sleep(2 * SOON)
        b.client.connect()
        await asyncio.sleep(1)
        a.die()
        await asyncio.sleep(0.2)
        assert {phone, other} <= b.holds()
        assert not done_by([b], phone) and not done_by([b], other)


@jumping
async def test_a_command_before_what_its_bridge_has_stored_without_it() -> None:
    async with cluster("a", "b") as (a, b):
        phone = min(a.holds())
        command(a.broker, phone, "1")
        await asyncio.sleep(SOON / 2)
        a.client.is_cut = True
        command(a.broker, phone, "2")
        await asyncio.sleep(SOON)
        assert a.broker.on(f"{BASE}/{phone}/stored") and done_by([a], phone) == ["1"]
        a.die()
        await asyncio.sleep(0.2)
        assert done_by([b], phone) == ["2"]


@jumping
async def test_a_bridge_that_dies_before_it_has_stored_the_phones_of_another() -> None:
    """What was kept of these is done by a third."""
    async with cluster("a", "b", "c") as (a, b, c):
        phone = min(it for it in a.holds() if ranked(it, "bc")[0] == "b")
        command(a.broker, phone, "1")
        await asyncio.sleep(SOON / 4)
        a.die()
        command(a.broker, phone, "2")
        await asyncio.sleep(SOON / 4)
        assert done_by([b], phone) == ["1", "2"] and not done_by([c], phone)
        command(a.broker, phone, "3")
        await asyncio.sleep(SOON / 4)
        b.die()
        await asyncio.sleep(0.2)
        assert done_by([c], phone) == ["1", "2", "3"]


@jumping
async def test_each_command_counts_once_if_a_bridge_that_is_there_counts_as_gone() -> (
    None
):
    """The will of its former connection, to another node of the broker, comes late."""
    async with cluster("a", "b") as (a, b):
        phone = min(a.holds())
        for n in range(10):
            command(a.broker, phone, f"{n}")
            if n == 2:
                a.broker.publish(a.topics.status, "offline", retain=True)
            await asyncio.sleep(0)
        await asyncio.sleep(0.2)
        check_each_has_one([a, b])
        assert phone in b.holds()
        assert done_by([a, b], phone) == [f"{n}" for n in range(10)]
        assert done_by([a], phone) and done_by([b], phone)


@jumping
async def test_a_claim_that_is_slow_to_reach_the_broker() -> None:
    """The phone is not ours before that, although its former bridge has had its time."""
    async with cluster("a", "b") as (a, b):
        phone = min(a.holds())
        late: list[Message] = []
        publish = b.client.publish

        async def keep(message: Message) -> None:
            if message.topic.endswith("/bridge"):
                late.append(message)
            else:
                await publish(message)

        b.client.publish = keep  # type: ignore[method-assign]
        a.client.is_cut = True
        command(a.broker, phone, "1")
        b.cluster.adopt(phone)
        await asyncio.sleep(2 * MOVING)
        assert ("publish", phone) not in b.did
        del b.client.publish
        for message in late:
            a.broker.publish(message.topic, message.payload, retain=message.retain)
        await asyncio.sleep(2 * TICK)
        assert ("publish", phone) in b.did
        assert done_by([b], phone) == ["1"]


@pytest.mark.parametrize("dies", [True, False])
def test_commands_before_the_claim_of_a_phone_whose_former_bridge_hangs(
    dies: bool,
) -> None:
    async def test() -> None:
        async with cluster("a", "b", "c") as (a, b, c):
            phone, other = sorted(a.holds())[:2]
            a.client.is_cut = True
            for each in (phone, other):
                command(a.broker, each, "1")
            await asyncio.sleep(0.1)
            b.cluster.adopt(phone)
            command(a.broker, phone, "2")
            await asyncio.sleep(0.1)
            command(a.broker, phone, "3")
            await asyncio.sleep(0.1)
            assert not b.commands
            if dies:
                a.die()
            await asyncio.sleep(0.2 if dies else MOVING)
            assert done_by([b], phone) == ["1", "2", "3"]
            a.client.heal()
            await asyncio.sleep(2 * TICK)
            assert not done_by([a, c], phone)
            assert done_by([a, b, c], other) == ["1"]

    run(test())


@pytest.mark.parametrize("order", ["bc", "cb"])
def test_a_command_before_two_claims_is_carried_out_once(order: str) -> None:
    """By the bridge whose claim the broker gets first, although c's is greater."""

    async def test() -> None:
        async with cluster("a", "b", "c") as members:
            a = members[0]
            first, second = sorted(members[1:], key=lambda it: order.index(it.name))
            phone = min(a.holds())
            for member in members[1:]:
                member.claims.configure([])  # it is taken by no hash
            a.die()
            await asyncio.sleep(0)
            for member in members[1:]:
                member.claims.configure(PHONES)
            command(a.broker, phone)
            for member in (first, second):
                member.cluster.adopt(phone)
            await asyncio.sleep(MOVING + 0.1)
            check_each_has_one(members[1:], [phone])
            assert phone in members[2].holds()
            assert len(first.commands) == 1 and not second.commands

    run(test())


@jumping
async def test_a_phone_that_the_edge_sends_is_added_before_its_claim_is_heard() -> None:
    async with cluster("a", "b") as (a, b):
        phone = max(a.holds())
        a.die()
        await b.has_claimed(phone)
        assert ("add", phone) not in b.did
        b.cluster.adopt(phone)
        b.cluster.adopt(phone)
        assert b.did[-1] == ("add", phone)
        await asyncio.sleep(0.1)
        assert b.did.count(("add", phone)) == b.did.count(("publish", phone)) == 1


@jumping
async def test_a_phone_that_is_lost_before_it_is_added_is_not_removed() -> None:
    async with cluster("a", "b") as (a, b):
        lost, *_, left = sorted(a.holds())
        a.die()
        await b.has_claimed(lost)
        claim = json.dumps({"bridge": "c", "epoch": 9})
        a.broker.publish(f"{BASE}/{lost}/bridge", claim, retain=True)
        b.cluster.update([it for it in PHONES if it != left])
        await asyncio.sleep(0.1)
        assert not b.claims.is_held(lost) and not b.claims.is_held(left)
        assert ("add", lost) not in b.did and ("remove", lost) not in b.did
        assert ("add", left) not in b.did and ("remove", left) not in b.did
        # All others came all the same.
        assert {p for what, p in b.did if what == "publish"} >= a.holds() - {lost, left}


@jumping
async def test_a_bridge_that_ends_leaves_its_phones() -> None:
    async with cluster("a", "b") as (a, b):
        await a.stop()
        await asyncio.sleep(0.1)
        assert b.holds() == set(PHONES)


@jumping
async def test_a_bridge_that_comes_back_gets_what_the_edge_sends() -> None:
    async with cluster("a", "b") as (a, b):
        a.die()
        await asyncio.sleep(1)
        again = Member(b.broker, "a", PHONES)
        await again.start()
        await settled()
        assert b.holds() == set(PHONES) and not again.holds()
        again.cluster.adopt("44")
        await asyncio.sleep(0.1)
        check_each_has_one([again, b])
        assert again.holds() == {"44"}
        await again.stop()


@jumping
async def test_all_bridges_are_started_again_one_after_the_other() -> None:
    async with cluster("a", "b", "c") as members:
        for n, member in enumerate([*members]):
            await member.stop()
            await asyncio.sleep(0.5)
            check_each_has_one([it for it in members if it is not member])
            members[n] = Member(member.broker, member.name, PHONES)
            await members[n].start()
            await settled()
            check_each_has_one(members)


def test_a_member_takes_nothing_that_the_edge_has_sent_on() -> None:
    """Or a member that hung takes what the next one has taken meanwhile."""
    edge = (DEPLOY / "kamailio" / "kamailio.cfg").read_text()
    (no_answer,) = re.findall(r"^#!define NO_ANSWER (\d+)$", edge, re.MULTILINE)
    assert int(no_answer) / 1000 > BLIND


@jumping
async def test_a_member_that_is_cut_off_takes_nothing() -> None:
    async with cluster("a", "b") as (a, b):
        mine = sorted(a.holds())
        a.client.is_cut = True
        assert a.cluster.takes
        await asyncio.sleep(BLIND + TICK)
        assert not a.cluster.takes and b.cluster.takes
        a.cluster.adopt(min(b.holds()))  # by an edge that still reaches it
        assert sorted(a.holds()) == mine
        for phone in mine[:2]:
            b.cluster.adopt(phone)
        await asyncio.sleep(0.1)
        command(a.broker, mine[0])
        command(a.broker, mine[2])
        await asyncio.sleep(30)
        check_each_has_one([b], sorted({*PHONES, *mine[:2]} & b.holds()))
        a.client.heal()
        await asyncio.sleep(1)
        check_each_has_one([a, b])
        assert a.cluster.takes
        assert sorted(a.holds()) == mine[2:]
        # A command that waited is carried out by the bridge whose phone it is.
        assert a.commands == [f"{BASE}/{mine[2]}/key/1/set"]
        assert b.commands == [f"{BASE}/{mine[0]}/key/1/set"]


@jumping
async def test_a_member_that_hears_nothing_takes_no_phone_of_one_that_is_there() -> (
    None
):
    """Its connection stays, as at a broker that delivers nothing for a while."""
    async with cluster("a", "b") as (a, b):
        a.client.is_cut = True
        await asyncio.sleep(SILENT + 5)
        assert b.holds() == set(PHONES)
        a.client.heal()
        await settled()
        assert b.holds() == set(PHONES) and not a.holds()


@jumping
async def test_a_member_that_comes_back_late_waits_for_the_pings_of_others() -> None:
    """Also if a broker that has lost its data says nothing of them."""
    async with cluster("a", "b") as (a, b):
        a.client.lose()
        await asyncio.sleep(SILENT + 5)
        a.broker.retained.clear()
        assert b.holds() == set(PHONES)
        a.client.connect()
        b.client.is_cut = True
        await asyncio.sleep(2 * TICK)
        b.client.heal()
        await settled()
        assert b.holds() == set(PHONES) and not a.holds()


@jumping
async def test_a_claim_that_is_retained_says_not_that_its_bridge_is_there() -> None:
    broker = FakeBroker()
    for phone in PHONES:
        claim = json.dumps({"bridge": "z", "epoch": 7})
        broker.retained[f"{BASE}/{phone}/bridge"] = claim.encode()
    async with cluster("a", broker=broker) as (a,):
        assert a.holds() == set(PHONES)


@jumping
async def test_a_member_waits_at_its_start_for_others_that_start() -> None:
    broker = FakeBroker()
    a, b = (Member(broker, name, PHONES) for name in "ab")
    await a.start()
    await asyncio.sleep(STARTING / 2)
    assert a.cluster.takes and not a.holds()
    await b.start()
    await settled()
    check_each_has_one([a, b])
    assert all(len(it.holds()) > 2 for it in (a, b))
    for member in (a, b):
        await member.stop()


@jumping
async def test_a_command_waits_while_a_member_does_not_hear_itself() -> None:
    async with cluster("a", "b") as (a, _):
        phone = min(a.holds())
        topic = f"{BASE}/{phone}/key/1/set"
        a.client.is_cut = True
        await asyncio.sleep(BLIND + TICK)
        a.client._receive(Received(topic, b"ON", retain=False))
        assert not a.commands
        a.client.heal()
        await asyncio.sleep(2 * TICK)
        assert a.commands == [topic]


@jumping
async def test_phones_that_the_edge_moves_while_others_are_taken_stay_there() -> None:
    async with cluster("a", "b", "c") as (a, b, c):
        falls_to_a = sorted(it for it in c.holds() if ranked(it, "ab")[0] == "a")
        c.die()
        b.cluster.adopt(falls_to_a[-1])
        await asyncio.sleep(1)
        check_each_has_one([a, b])
        assert falls_to_a[-1] in b.holds() and falls_to_a[0] in a.holds()


@jumping
async def test_a_member_takes_no_more_once_it_has_lost_its_connection() -> None:
    async with cluster("a", "b", phones=[f"{n}" for n in range(100, 300)]) as (a, b):
        before = a.holds()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("bridge.cluster.TURN", 0.0)  # one phone at a time
            b.die()
            while a.holds() == before:  # noqa: ASYNC110
                await asyncio.sleep(0)
            a.client.lose()
            had = a.holds()
            await asyncio.sleep(1)
        assert a.holds() == had and len(had) < 200
        a.client.connect()
        await settled()
        assert len(a.holds()) == 200


@jumping
async def test_a_phone_that_is_in_the_settings_again_is_not_cleared() -> None:
    """Although no member had it for long: this one heard nothing meanwhile."""
    async with cluster("a", "b", phones=["44"]) as members:
        a, b = sorted(members, key=lambda it: "44" not in it.holds())
        for member in (b, a):
            member.cluster.update([])
        await asyncio.sleep(0.1)
        a.client.is_cut = True
        await asyncio.sleep(5 * RANK)
        a.cluster.update(["44"])
        a.client.heal()
        await settled()
        assert a.holds() == {"44"}
        assert ("clear", "44") not in a.did


@jumping
async def test_only_the_last_word_of_the_former_bridge_ends_a_move() -> None:
    async with cluster("a", "b") as (a, b):
        phone = min(a.holds())
        epoch = a.claims.of(phone).epoch
        a.client.is_cut = True
        b.cluster.adopt(phone)
        # It has not heard our claim yet: its own has the same epoch, and is the lower one.
        b.cluster.apply_stored(phone, "a", epoch + 1, {})
        await asyncio.sleep(0.1)
        for bridge, its_epoch in (("a", epoch), ("c", epoch + 1)):
            b.cluster.apply_stored(phone, bridge, its_epoch, {})
            assert ("publish", phone) not in b.did
        b.cluster.apply_stored(phone, "a", epoch + 1, {})
        assert ("publish", phone) in b.did
        assert len(b.merged) == 4


@jumping
async def test_a_command_before_the_claim_of_a_bridge_that_was_cut_off_meanwhile() -> (
    None
):
    """Another one has taken the phone, and done it."""
    async with cluster("a", "b", "c") as (a, b, c):
        phone = min(it for it in c.holds() if ranked(it, "ab")[0] == "b")
        late: list[Message] = []

        async def keep(message: Message) -> None:
            late.append(message)

        b.client.publish = keep  # type: ignore[method-assign]
        c.die()
        await b.has_claimed(phone)
        b.client.is_cut = True
        await asyncio.sleep(RANK + 2 * TICK)
        assert phone in a.holds() and phone in b.holds()
        command(a.broker, phone)
        await asyncio.sleep(2 * SOON)
        del b.client.publish
        b.client.heal()
        for message in late:
            a.broker.publish(message.topic, message.payload, retain=message.retain)
        await settled()
        check_each_has_one([a, b])
        assert phone in b.holds()
        assert done_by([a, b], phone) == ["1"]


@jumping
async def test_a_member_that_was_cut_off_hands_over_what_it_has_lost_meanwhile() -> (
    None
):
    """What it has published before that follows what the next bridge has, which repeats it."""
    async with cluster("a", "b") as (a, b):
        phone, other = sorted(a.holds())[:2]
        a.client.is_cut = True
        for each in (phone, other):
            b.cluster.adopt(each)
        await asyncio.sleep(2 * MOVING)
        assert ("publish", phone) in b.did and not b.caught_up
        a.client.heal()
        await asyncio.sleep(2 * TICK)
        assert b.caught_up == [phone, other]
        check_each_has_one([a, b])


@jumping
async def test_a_member_that_is_cut_off_hands_over_nothing() -> None:
    """What it believes of its phones may be old."""
    async with cluster("a", "b") as (a, _):
        phone = min(a.holds())
        a.client.is_cut = True
        await asyncio.sleep(BLIND + TICK)
        a.cluster.update([it for it in PHONES if it != phone])
        assert a.did[-1] == ("remove", phone)
        assert not a.broker.on(f"{BASE}/{phone}/stored")


@jumping
async def test_a_member_that_lost_its_connection_reads_the_claims_first() -> None:
    async with cluster("a", "b") as (a, b):
        mine = a.holds()
        a.die()
        a.client.lose()
        assert not a.cluster.takes
        await asyncio.sleep(30)
        assert b.holds() == set(PHONES) and a.holds() == mine
        published = len(a.broker.on(f"{BASE}/{min(mine)}/bridge"))
        a.client.connect()
        await asyncio.sleep(1)
        assert a.cluster.takes and not a.holds()
        check_each_has_one([a, b])
        assert len(a.broker.on(f"{BASE}/{min(mine)}/bridge")) == published
        stored = [topic for topic, _ in a.broker.log if topic.endswith("/stored")]
        assert not stored  # nothing that it believes of them was published


@jumping
async def test_a_broker_that_lost_everything_gets_the_claims_again() -> None:
    async with cluster("a", "b") as (a, b):
        had = a.holds(), b.holds()
        a.broker.retained.clear()
        for member in (a, b):
            member.client.lose()
        a.client.connect()
        await asyncio.sleep(SILENT - 5)  # b tries less and less often
        b.client.connect()
        await asyncio.sleep(SILENT + 5)
        assert (a.holds(), b.holds()) == had
        check_each_has_one([a, b])


@jumping
async def test_a_member_of_which_a_broker_has_no_will_is_gone_when_it_is_silent() -> (
    None
):
    async with cluster("a", "b") as (a, b):
        await a.cluster.stop()
        a.client.is_connected = False
        await asyncio.sleep(SILENT - 2)
        assert b.holds() != set(PHONES)
        await asyncio.sleep(4)
        assert b.holds() == set(PHONES)


@jumping
async def test_a_phone_that_one_bridge_knows_stays_there() -> None:
    async with cluster("a", "b") as (a, b):
        for member in (a, b):  # the settings of a are rolled out first
            assert "99" not in member.holds()
        a.cluster.update([*PHONES, "99", "98", "97"])
        await settled()
        assert {"97", "98", "99"} <= a.holds()
        b.cluster.adopt("99")
        assert "99" not in b.holds()
        command(a.broker, "98")
        await asyncio.sleep(0.1)
        assert a.commands and not b.commands
        a.die()
        await settled()
        assert b.holds() == set(PHONES)


@jumping
async def test_a_phone_that_leaves_the_settings_goes_to_a_bridge_that_knows_it() -> (
    None
):
    async with cluster("a", "b") as (a, b):
        phone = min(a.holds())
        rest = [it for it in PHONES if it != phone]
        a.cluster.update(rest)
        assert a.did[-1] == ("remove", phone)
        await settled()
        check_each_has_one([a, b])
        assert phone in b.holds()


@jumping
async def test_a_member_that_ends_restores_no_phone_that_it_has_just_claimed() -> None:
    async with cluster("a", "b") as (a, b):
        phone = min(a.holds())
        a.die()
        await b.has_claimed(phone)
        await b.stop()
        await asyncio.sleep(1)
        assert ("add", phone) not in b.did


@jumping
async def test_a_phone_that_leaves_the_settings_of_the_only_bridge_is_cleared() -> None:
    async with cluster("a") as (a,):
        a.cluster.update(PHONES[1:])
        assert a.did[-1] == ("clear", PHONES[0])
        await asyncio.sleep(0.1)
        assert f"{BASE}/{PHONES[0]}/bridge" not in a.broker.retained


@jumping
async def test_a_command_for_a_phone_that_leaves_the_settings_waits_no_more() -> None:
    """Nor is it carried out here, as the next bridge does that."""
    heard: list[tuple[bytes, tuple[str, str]]] = []
    async with cluster("a", "b") as (a, b):
        phone = min(a.holds())
        topic = f"{BASE}/{phone}/document/set"
        await b.gate.subscribe(
            topic, 1, lambda message: heard.append((message.payload, b.did[-1]))
        )
        a.client.is_cut = True  # its last state does not come
        b.cluster.adopt(phone)
        await asyncio.sleep(MOVING / 4)
        b.broker.publish(topic, "k=1")
        await asyncio.sleep(MOVING / 4)
        assert not heard
        b.cluster.update([it for it in PHONES if it != phone])
        assert heard == [(b"k=1", ("remove", phone))]


@jumping
async def test_phones_that_are_given_up_are_looked_at_together() -> None:
    """One by one, a member looked at all of them for each of them."""
    phones = [f"{number}" for number in range(100, 400)]
    async with cluster("a", "b", phones=phones) as (a, b):
        assert len(a.holds()) > 100
        orphans, looks = b.claims.orphans, list[int]()

        def look(rank: int = 0) -> list[str]:
            looks.append(rank)
            return orphans(rank)

        with patch.object(b.claims, "orphans", look):
            a.cluster.update([])
            await asyncio.sleep(2 * TICK)
        assert 0 < len(looks) < 5
        await settled()
        assert b.holds() == {*phones}


@jumping
async def test_a_phone_that_leaves_all_settings_is_cleared() -> None:
    async with cluster("a", "b", phones=["44"]) as members:
        first, second = sorted(members, key=lambda it: "44" not in it.holds())
        first.cluster.update([])
        await settled()
        assert second.holds() == {"44"}
        first.cluster.update(["44"])  # and back: it is not to be cleared any more
        second.cluster.update([])
        await settled()
        assert first.holds() == {"44"}
        first.cluster.update([])
        await settled(3 * RANK - TICK)
        assert ("clear", "44") not in first.did + second.did
        await settled(3 * TICK)
        assert ("clear", "44") in first.did
        assert ("clear", "44") not in second.did
        assert f"{BASE}/44/bridge" not in first.broker.retained


@jumping
async def test_what_an_earlier_run_had_is_taken_again_or_given_up() -> None:
    broker = FakeBroker()
    for phone in (*PHONES, "99"):
        claim = json.dumps({"bridge": "a", "epoch": 7})
        broker.retained[f"{BASE}/{phone}/bridge"] = claim.encode()
    async with cluster("a", broker=broker) as (a,):
        check_each_has_one([a])
        given_up = json.loads(broker.retained[f"{BASE}/99/bridge"])
        assert given_up == {"bridge": "", "epoch": 8}
        # As if the broker had sent it late.
        late = json.dumps({"bridge": "a", "epoch": 9})
        broker.publish(f"{BASE}/99/bridge", late, retain=True)
        await asyncio.sleep(0.1)
        assert json.loads(broker.retained[f"{BASE}/99/bridge"])["epoch"] == 10


@jumping
async def test_a_claim_that_replaced_a_greater_one_is_replaced_again() -> None:
    async with cluster("a", "b") as (a, b):
        phone = min(b.holds())
        topic = f"{BASE}/{phone}/bridge"
        ours = a.broker.retained[topic]
        a.broker.publish(topic, json.dumps({"bridge": "a", "epoch": 0}), retain=True)
        await asyncio.sleep(0.1)
        assert a.broker.retained[topic] == ours


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "5",
        "[]",
        "{",
        '{"bridge": 5, "epoch": 1}',
        '{"bridge": "b", "epoch": true}',
        '{"bridge": "b", "epoch": -1}',
        '{"bridge": "b", "epoch": 1e400}',
    ],
)
def test_what_is_no_claim_means_nothing(payload: str) -> None:
    async def test() -> None:
        async with cluster("a") as (a,):
            a.broker.publish(f"{BASE}/44/bridge", payload, retain=True)
            await asyncio.sleep(0.1)
            assert "44" in a.holds()

    run(test())


@jumping
async def test_a_will_of_our_own_former_connection_is_answered() -> None:
    async with cluster("a") as (a,):
        a.broker.publish(a.topics.status, "offline", retain=True)
        await asyncio.sleep(0.1)
        assert a.repeated == 1 and a.cluster.takes
