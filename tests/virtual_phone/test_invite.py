"""The INVITE client transaction (RFC 3261 17.1.1), with a clock that only tests move."""

import pytest

from snom_buttons.sip import (
    OutgoingRequest,
    Response,
    make_address,
    make_uri,
    parse_datagram,
)
from virtual_phone.invite import InviteTransaction, State

INVITE = OutgoingRequest(
    method="INVITE",
    uri=make_uri("100", "pbx"),
    from_=make_address(make_uri("44", "pbx"), tag="a"),
    to=make_address(make_uri("100", "pbx")),
    call_id="1@2",
    cseq=7,
)


@pytest.fixture
def transaction() -> InviteTransaction:
    return InviteTransaction(INVITE, "192.0.2.4:2048", now=0.0)


def response(transaction: InviteTransaction, status: int) -> Response:
    """Return a response of `pbx`."""
    lines = transaction.data.decode().split("\r\n")
    lines[0] = f"SIP/2.0 {status} Whatever"
    lines = [f"{line};tag=b" if line.startswith("To:") else line for line in lines]
    parsed = parse_datagram("\r\n".join(lines).encode())
    assert isinstance(parsed, Response)
    return parsed


def sent_until_the_end(transaction: InviteTransaction) -> list[float]:
    """Move to each deadline; return the times of retransmissions, and the end."""
    times = []
    while (deadline := transaction.deadline) is not None:
        if transaction.expire(deadline) is not None:
            times.append(deadline)
        else:
            return [*times, deadline]
    return times


def test_timers_a_and_b_without_an_answer(transaction: InviteTransaction) -> None:
    assert sent_until_the_end(transaction) == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 32]
    assert transaction.state is State.TERMINATED
    assert transaction.deadline is None


def test_timers_are_not_early(transaction: InviteTransaction) -> None:
    assert transaction.expire(0.499) is None
    assert transaction.expire(0.5) == transaction.data


def test_a_provisional_answer_ends_both_timers(transaction: InviteTransaction) -> None:
    assert transaction.receive(response(transaction, 100), 0.1) is None
    assert transaction.state is State.PROCEEDING
    assert transaction.deadline is None
    assert transaction.expire(1000) is None
    assert transaction.receive(response(transaction, 180), 1000) is None
    assert transaction.state is State.PROCEEDING


@pytest.mark.parametrize("provisional", [False, True])
@pytest.mark.parametrize("status", [302, 401, 486, 503, 603])
def test_timer_d_after_a_refusal(
    transaction: InviteTransaction, status: int, provisional: bool
) -> None:
    if provisional:
        transaction.receive(response(transaction, 100), 0.5)
    ack = transaction.receive(response(transaction, status), 1.0)
    assert transaction.state is State.COMPLETED
    assert ack is not None
    # A retransmission is acknowledged again, and does not restart the timer.
    assert transaction.receive(response(transaction, status), 2.0) == ack
    assert transaction.receive(response(transaction, 180), 2.0) is None
    assert transaction.deadline == 33.0
    assert transaction.expire(32.9) is None
    assert transaction.state is State.COMPLETED
    assert transaction.expire(33.0) is None
    assert transaction.state is State.TERMINATED
    assert transaction.receive(response(transaction, status), 34.0) is None


def test_a_2xx_ends_it(transaction: InviteTransaction) -> None:
    assert transaction.receive(response(transaction, 200), 1.0) is None
    assert transaction.state is State.TERMINATED
    assert transaction.deadline is None


def test_branches_are_unique_and_in_the_via(transaction: InviteTransaction) -> None:
    other = InviteTransaction(INVITE, "192.0.2.4:2048", now=0.0)
    assert other.branch != transaction.branch
    via = f"Via: SIP/2.0/UDP 192.0.2.4:2048;branch={transaction.branch};rport\r\n"
    assert via.encode() in transaction.data
