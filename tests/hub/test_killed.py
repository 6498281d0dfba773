"""What a Home Assistant that is killed shows when it is started again (docs/limits.md)."""

from __future__ import annotations

from pathlib import Path
import re

import pytest

from homeassistant.helpers.storage import STORAGE_DIR
from tests.support.entries import PASSWORD
from tests.support.killed import PHONE, ask, started, stored
from tests.support.ports import LOCALHOST, free_port
from tests.support.rawphone import RawMessage, RawPhone

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def test_what_was_written_is_shown_again(tmp_path: Path) -> None:
    async with started(tmp_path) as program:
        assert await ask(program, "label Boiler") == "shows off Boiler"
        assert await ask(program, "turn") == "shows on Boiler"
        await stored(tmp_path, "c=on")
        # This is not: labels alone wait, and a lamp a second.
        assert await ask(program, "label 60 °C") == "shows on 60 °C"
    async with started(tmp_path) as program:
        assert await ask(program, "show") == "shows on Boiler"


async def test_each_file_is_whole_whenever_the_process_is_killed(
    tmp_path: Path,
) -> None:
    for _ in range(2):
        async with started(tmp_path) as program:
            assert (await ask(program, "show")) in ("shows on Key 1", "shows off Key 1")
            assert await ask(program, "churn") == "churned"
    names = {path.name for path in (tmp_path / STORAGE_DIR).iterdir()}
    assert PHONE in names
    assert not [name for name in names if "corrupt" in name]


def numbers(notice: RawMessage) -> tuple[int, int]:
    """Return what rises in a dialog: the document's version, and the NOTIFY's CSeq."""
    version = re.search(r'<dialog-info [^>]*version="(\d+)"', notice.body)
    assert version, notice.body
    return int(version[1]), int(notice.get("CSeq").split()[0])


async def test_subscriptions_go_on(tmp_path: Path) -> None:
    """The phone does not ask for that, and gets no number twice.

    It would drop a version that is not higher (RFC 4235 4.1.1), and refuse such a CSeq
    (RFC 3261 12.2.2).
    """
    port = free_port()
    async with RawPhone((LOCALHOST, port), "44", PASSWORD) as desk:
        async with started(tmp_path, port) as program:
            await desk.register()
            answer = await desk.subscribe("3")
            assert answer.status == 200
            for state in ("confirmed", "terminated", "confirmed"):
                await ask(program, "turn")
                await desk.until(lambda state=state: state in desk.notices[-1].body)
            await stored(tmp_path, answer.get("Call-ID"))
            await stored(tmp_path, "c=on")
        before = desk.notices[-1]
        versions, cseqs = zip(*map(numbers, desk.notices), strict=True)
        desk.notices.clear()
        async with started(tmp_path, port) as program:
            await desk.until(lambda: bool(desk.notices))
            (notice,) = desk.notices
            assert notice.get("Call-ID") == before.get("Call-ID")
            assert "confirmed" in notice.body
            version, cseq = numbers(notice)
            assert version > max(versions)
            assert cseq > max(cseqs)
            assert (await desk.subscribe("3", within=answer)).status == 200
            assert await ask(program, "turn") == "shows off Key 1"
            await desk.until(lambda: "terminated" in desk.notices[-1].body)


async def test_a_press_by_a_call_does_not_count_again(tmp_path: Path) -> None:
    """Its retransmission after the kill gets the same answer."""
    port = free_port()
    async with RawPhone((LOCALHOST, port), "44", PASSWORD) as desk:
        invite = "\r\n".join(
            (
                f"INVITE sip:3@{desk.host} SIP/2.0",
                f"Via: SIP/2.0/UDP {desk.address};branch=z9hG4bKkilled;rport",
                f"From: <sip:44@{desk.host}>;tag=killed",
                f"To: <sip:3@{desk.host}>",
                "Call-ID: killed",
                "CSeq: 1 INVITE",
                "Max-Forwards: 70",
                f"Contact: <sip:44@{desk.address}>",
                "Content-Length: 0",
                "",
                "",
            )
        ).encode()

        async def refused() -> None:
            desk.strays.clear()
            desk._transport.sendto(invite, desk.server)
            await desk.until(lambda: bool(desk.strays))
            assert desk.strays[0].startswith(b"SIP/2.0 486 "), desk.strays

        async with started(tmp_path, port) as program:
            await desk.register()
            assert (await desk.subscribe("3")).status == 200
            await refused()
            assert await ask(program, "presses") == "shows 1"
            await stored(tmp_path, "z9hG4bKkilled")
        async with started(tmp_path, port) as program:
            await refused()
            assert await ask(program, "presses") == "shows 0"
            # It is a press again that begins another transaction.
            invite = invite.replace(b"killed", b"later!")
            await refused()
            assert await ask(program, "presses") == "shows 1"
