"""The transaction machines, as the tables that figures 6, 7 and 8 of RFC 3261 draw.

Time is a number here; nothing waits.
"""

from __future__ import annotations

from itertools import product

import pytest

from custom_components.snom_buttons.engine.sip.flow import Flow
from custom_components.snom_buttons.engine.sip.transaction import (
    Action,
    ClientTransaction,
    Event,
    InviteServerTransaction,
    ServerTransaction,
    State,
    Transaction,
    client_key,
    server_key,
)
from tests.support.messages import request

FLOW = Flow("UDP", "192.0.2.4", 2048)
T, P, C, F, X = (
    State.TRYING,
    State.PROCEEDING,
    State.COMPLETED,
    State.CONFIRMED,
    State.TERMINATED,
)
SEND, DELIVER = Action.SEND, Action.DELIVER

# state, event, next state, actions for the driver, timers that run afterwards
type Row = tuple[State, Event, State, tuple[Action, ...], set[Event]]

E_F = {Event.TIMER_E, Event.TIMER_F}
G_H = {Event.TIMER_G, Event.TIMER_H}

CLIENT: list[Row] = [
    # Figure 6. E and F run until there is a final response.
    (T, Event.TIMER_E, T, (SEND, Action.DOUBLE_E), E_F),
    (T, Event.TIMER_F, X, (Action.TIMED_OUT,), set()),
    (T, Event.TRANSPORT_ERROR, X, (Action.FAILED,), set()),
    (T, Event.PROVISIONAL, P, (DELIVER,), E_F),
    (T, Event.FINAL, C, (DELIVER, Action.START_K), {Event.TIMER_K}),
    (P, Event.TIMER_E, P, (SEND, Action.E_AT_T2), E_F),
    (P, Event.TIMER_F, X, (Action.TIMED_OUT,), set()),
    (P, Event.TRANSPORT_ERROR, X, (Action.FAILED,), set()),
    (P, Event.PROVISIONAL, P, (DELIVER,), E_F),
    (P, Event.FINAL, C, (DELIVER, Action.START_K), {Event.TIMER_K}),
    (C, Event.TIMER_K, X, (), set()),
]
SERVER: list[Row] = [
    # Figure 8.
    (T, Event.PROVISIONAL, P, (SEND,), set()),
    (T, Event.FINAL, C, (SEND, Action.START_J), {Event.TIMER_J}),
    (P, Event.REQUEST, P, (SEND,), set()),
    (P, Event.PROVISIONAL, P, (SEND,), set()),
    (P, Event.FINAL, C, (SEND, Action.START_J), {Event.TIMER_J}),
    (P, Event.TRANSPORT_ERROR, X, (Action.FAILED,), set()),
    (C, Event.REQUEST, C, (SEND,), {Event.TIMER_J}),
    (C, Event.TIMER_J, X, (), set()),
]
INVITE_SERVER: list[Row] = [
    # Figure 7, without 2xx, and with no 100 to begin with.
    (T, Event.PROVISIONAL, P, (SEND,), set()),
    (T, Event.FINAL, C, (SEND, Action.START_G_H), G_H),
    (P, Event.REQUEST, P, (SEND,), set()),
    (P, Event.PROVISIONAL, P, (SEND,), set()),
    (P, Event.FINAL, C, (SEND, Action.START_G_H), G_H),
    (P, Event.TRANSPORT_ERROR, X, (Action.FAILED,), set()),
    (C, Event.REQUEST, C, (SEND,), G_H),
    (C, Event.TIMER_G, C, (SEND, Action.DOUBLE_G), G_H),
    (C, Event.ACK, F, (Action.START_I,), {Event.TIMER_I}),
    (C, Event.TIMER_H, F, (Action.TIMED_OUT, Action.START_I), {Event.TIMER_I}),
    (F, Event.TIMER_I, X, (), set()),
]
ROWS = {
    ClientTransaction: CLIENT,
    ServerTransaction: SERVER,
    InviteServerTransaction: INVITE_SERVER,
}


def client(*, reliable: bool = False, now: float = 0.0) -> ClientTransaction:
    return ClientTransaction(b"request", now, reliable=reliable)


def machine_in(
    kind: type[Transaction], state: State, *, reliable: bool = False
) -> Transaction:
    """Return a machine that reached `state` by the usual events at time 0."""
    if kind is ClientTransaction:
        machine: Transaction = client(reliable=reliable)
        way = {T: [], P: [Event.PROVISIONAL], C: [Event.FINAL], F: []}
    elif kind is ServerTransaction:
        machine = ServerTransaction(reliable=reliable)
        way = {T: [], P: [Event.PROVISIONAL], C: [Event.FINAL], F: []}
    else:
        machine = InviteServerTransaction(reliable=reliable)
        way = {P: [Event.PROVISIONAL], C: [Event.FINAL], F: [Event.FINAL, Event.ACK]}
    for event in way.get(state, []):
        machine.fire(event, 0.0)
    machine.state = state
    return machine


def running(machine: Transaction) -> set[Event]:
    return set(machine._deadlines)


@pytest.mark.parametrize(
    ("kind", "row"),
    [(kind, row) for kind, rows in ROWS.items() for row in rows],
    ids=lambda value: (
        value.__name__
        if isinstance(value, type)
        else f"{value[0].name}-{value[1].name}"
    ),
)
def test_every_row(kind: type[Transaction], row: Row) -> None:
    state, event, following, actions, timers = row
    machine = machine_in(kind, state)
    assert machine.fire(event, 0.0) == actions
    assert machine.state is following
    assert running(machine) == timers


@pytest.mark.parametrize("kind", ROWS, ids=lambda kind: kind.__name__)
def test_every_other_pair_changes_nothing(kind: type[Transaction]) -> None:
    known = {row[:2] for row in ROWS[kind]}
    assert kind.TABLE.keys() == known
    for pair in set(product(State, Event)) - known:
        machine = machine_in(kind, pair[0])
        before = dict(machine._deadlines)
        assert machine.fire(pair[1], 1.0) == (), pair
        assert machine.state is pair[0]
        assert machine._deadlines == before


def history(
    machine: Transaction, until: float, now: float = 0.0
) -> list[tuple[float, tuple[Action, ...]]]:
    """Move from deadline to deadline; return the actions with their times."""
    happened = []
    while machine.deadline is not None and machine.deadline <= until:
        now = machine.deadline
        happened.append((now, machine.expire(now)))
    return happened


def sent_at(machine: Transaction, until: float = 100.0) -> list[float]:
    return [at for at, actions in history(machine, until) if SEND in actions]


class TestClientTimers:
    """RFC 3261 17.1.2.2."""

    def test_retransmissions_without_any_answer(self) -> None:
        machine = client()
        assert sent_at(machine) == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]  # fmt: skip
        assert machine.state is X
        assert machine.deadline is None

    def test_timer_f_ends_it_after_64_t1(self) -> None:
        assert history(client(), 100)[-1] == (32.0, (Action.TIMED_OUT,))

    def test_times_count_from_the_beginning(self) -> None:
        machine = client(now=1000.0)
        assert machine.deadline == 1000.5

    def test_after_a_provisional_response_every_t2(self) -> None:
        machine = client()
        machine.fire(Event.PROVISIONAL, 0.2)
        assert sent_at(machine) == [0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]
        assert machine.state is X

    def test_after_a_late_provisional_response_e_runs_out_first(self) -> None:
        machine = client()
        history(machine, 1.6)
        machine.fire(Event.PROVISIONAL, 2.0)
        assert sent_at(machine, 12) == [3.5, 7.5, 11.5]

    def test_timer_k_absorbs_retransmitted_responses(self) -> None:
        machine = client()
        machine.fire(Event.FINAL, 3.0)
        assert machine.fire(Event.FINAL, 4.0) == ()
        assert history(machine, 100) == [(8.0, ())]
        assert machine.state is X

    def test_a_wake_up_that_comes_late_sends_once(self) -> None:
        machine = client()
        assert machine.expire(20.0) == (SEND, Action.DOUBLE_E)
        assert machine.deadline == 21.0

    def test_a_wake_up_that_comes_much_too_late_ends_it(self) -> None:
        machine = client()
        assert machine.expire(40.0) == (SEND, Action.DOUBLE_E, Action.TIMED_OUT)
        assert machine.state is X

    def test_a_wake_up_that_comes_early_does_nothing(self) -> None:
        machine = client()
        assert machine.expire(0.4) == ()
        assert machine.deadline == 0.5

    def test_reliable_transport_sends_once_and_ends_at_once(self) -> None:
        machine = client(reliable=True)
        assert history(machine, 31.9) == []
        machine.fire(Event.FINAL, 3.0)
        assert history(machine, 100) == [(3.0, ())]
        assert machine.state is X

    def test_reliable_transport_times_out_as_well(self) -> None:
        assert history(client(reliable=True), 100) == [(32.0, (Action.TIMED_OUT,))]


class TestServerTimers:
    """RFC 3261 17.2.2."""

    def test_before_an_answer_nothing_runs(self) -> None:
        machine = ServerTransaction(reliable=False)
        assert machine.deadline is None
        assert machine.expire(1000.0) == ()

    def test_timer_j_ends_it_when_nothing_can_be_late_any_more(self) -> None:
        """64 T1 for retransmissions, and T4 for the last of them."""
        machine = ServerTransaction(reliable=False)
        assert machine.respond(b"200", 1.0, final=True) == (SEND, Action.START_J)
        assert machine.fire(Event.REQUEST, 20.0) == (SEND,)
        assert history(machine, 100) == [(38.0, ())]
        assert machine.state is X

    def test_timer_j_is_zero_where_reliable(self) -> None:
        machine = ServerTransaction(reliable=True)
        machine.respond(b"200", 1.0, final=True)
        assert history(machine, 100) == [(1.0, ())]

    def test_a_retransmission_gets_the_latest_response(self) -> None:
        machine = ServerTransaction(reliable=False)
        assert machine.fire(Event.REQUEST, 0.0) == ()
        machine.respond(b"100", 1.0, final=False)
        assert machine.fire(Event.REQUEST, 2.0) == (SEND,)
        assert machine.data == b"100"
        machine.respond(b"200", 3.0, final=True)
        assert machine.fire(Event.REQUEST, 4.0) == (SEND,)
        assert machine.data == b"200"

    @pytest.mark.parametrize("final", [True, False])
    def test_only_one_final_response(self, final: bool) -> None:
        machine = ServerTransaction(reliable=False)
        machine.respond(b"200", 0.0, final=True)
        assert machine.respond(b"500", 1.0, final=final) == ()
        assert machine.data == b"200"


class TestInviteServerTimers:
    """RFC 3261 17.2.1."""

    @staticmethod
    def refused(*, reliable: bool = False) -> InviteServerTransaction:
        machine = InviteServerTransaction(reliable=reliable)
        actions = machine.respond(b"486", 0.0, final=True)
        assert actions == (SEND, Action.START_G_H)
        return machine

    def test_the_response_is_sent_again_until_timer_h(self) -> None:
        machine = self.refused()
        assert sent_at(machine) == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]  # fmt: skip
        assert machine.state is X

    def test_timer_h_ends_it_after_64_t1(self) -> None:
        machine = self.refused()
        assert history(machine, 35)[-1] == (32.0, (Action.TIMED_OUT, Action.START_I))
        # A late INVITE is not a new request.
        assert machine.state is F
        assert machine.fire(Event.REQUEST, 36.0) == ()
        assert history(machine, 100) == [(37.0, ())]
        assert machine.state is X

    def test_the_ack_ends_the_retransmissions(self) -> None:
        machine = self.refused()
        history(machine, 2.0)
        assert machine.fire(Event.ACK, 2.5) == (Action.START_I,)
        assert machine.fire(Event.ACK, 3.0) == ()
        assert machine.fire(Event.REQUEST, 3.0) == ()
        assert history(machine, 100) == [(7.5, ())]
        assert machine.state is X

    def test_no_response_is_taken_after_the_final_one(self) -> None:
        machine = self.refused()
        machine.fire(Event.ACK, 1.0)
        assert machine.respond(b"500", 2.0, final=True) == ()
        assert machine.data == b"486"

    def test_reliable_transport_sends_once(self) -> None:
        machine = self.refused(reliable=True)
        assert history(machine, 31.9) == []
        machine.fire(Event.ACK, 31.9)
        assert history(machine, 100) == [(31.9, ())]
        assert machine.state is X

    def test_reliable_transport_waits_for_the_ack_too(self) -> None:
        machine = self.refused(reliable=True)
        assert history(machine, 100) == [(32.0, (Action.TIMED_OUT, Action.START_I))]
        assert machine.state is X


class TestMatching:
    """RFC 3261 17.1.3 and 17.2.3."""

    def test_a_client_transaction_has_branch_and_method(self) -> None:
        assert client_key("b", "MESSAGE") == client_key("b", "MESSAGE")
        assert client_key("b", "MESSAGE") != client_key("b", "CANCEL")
        assert client_key("b", "MESSAGE") != client_key("c", "MESSAGE")

    VIA = "SIP/2.0/UDP h:5060;branch=z9hG4bKx"

    @pytest.mark.parametrize(
        ("changes", "same"),
        [
            ({}, True),
            ({"Call_ID": "other", "To": "<sip:x@y>;tag=1"}, True),
            ({"Via": "SIP/2.0/UDP H:5060;branch=z9hG4bKx;rport"}, True),
            ({"Via": "SIP/2.0/UDP h:5060;branch=z9hG4bKy"}, False),
            ({"Via": "SIP/2.0/UDP h:5061;branch=z9hG4bKx"}, False),
            ({"Via": "SIP/2.0/UDP i:5060;branch=z9hG4bKx"}, False),
        ],
        ids=repr,
    )
    def test_by_branch_and_sent_by(self, changes: dict[str, str], same: bool) -> None:
        one = request(Via=self.VIA)
        other = request(**{"Via": self.VIA, **changes})
        assert (
            server_key(one, FLOW, "MESSAGE") == server_key(other, FLOW, "MESSAGE")
        ) is same

    @pytest.mark.parametrize(
        "branch", ["", ";branch", ";branch=1", ";branch=z9hG4bK"], ids=repr
    )
    @pytest.mark.parametrize(
        ("changes", "same"),
        [
            ({}, True),
            ({"Call_ID": "other"}, False),
            ({"CSeq": "8 MESSAGE"}, False),
            ({"From": "<sip:44@ha.test>;tag=other"}, False),
            ({"From": "<sip:44@ha.test>"}, False),
        ],
        ids=repr,
    )
    def test_as_rfc_2543_did(
        self, branch: str, changes: dict[str, str], same: bool
    ) -> None:
        """Also with nothing after the cookie (RFC 4475 3.2.1)."""
        via = f"SIP/2.0/UDP h{branch}"
        one = request(Via=via)
        other = request(**{"Via": via, **changes})
        assert (
            server_key(one, FLOW, "MESSAGE") == server_key(other, FLOW, "MESSAGE")
        ) is same

    @pytest.mark.parametrize("via", [VIA, "SIP/2.0/UDP h"], ids=["3261", "2543"])
    def test_ack_and_cancel_belong_to_their_invite(self, via: str) -> None:
        invite = request("INVITE", Via=via)
        ack = request("ACK", Via=via, To="<sip:44@ha.test>;tag=ours")
        cancel = request("CANCEL", Via=via)
        assert server_key(ack, FLOW, "INVITE") == server_key(invite, FLOW, "INVITE")
        assert server_key(cancel, FLOW, "INVITE") == server_key(invite, FLOW, "INVITE")
        assert server_key(cancel, FLOW, "CANCEL") != server_key(invite, FLOW, "INVITE")

    def test_a_copy_that_comes_another_way_is_another_request(self) -> None:
        """The sender of a copy must neither get the response nor affect it."""
        copy = Flow("UDP", "192.0.2.4", 2049)
        one = request("MESSAGE")
        assert server_key(one, FLOW, "MESSAGE") != server_key(one, copy, "MESSAGE")

    def test_client_and_server_transactions_never_meet(self) -> None:
        """Even if a client uses a branch of the server."""
        message = request(Via="SIP/2.0/UDP MESSAGE;branch=z9hG4bKx")
        assert client_key("z9hG4bKx", "MESSAGE") != server_key(message, FLOW, "MESSAGE")
