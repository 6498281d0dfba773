"""The LED Remote Control document's own example: sipsak lights a key.

`led.txt` is the document's file with the line breaks that its page lost. sipsak makes
CRLF of its line ends and puts in the names of `-G` and a Via of its own; it does not
touch the Content-Length of 10, which is one byte short of what it sends.
"""

import asyncio
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from tests.support.programs import program
from tests.support.serving import PASSWORD, make_phone, serving
from virtual_phone import Kind, VirtualPhone

pytestmark = pytest.mark.usefixtures("socket_enabled")

LED = Path(__file__).with_name("led.txt")


async def sipsak(phone: VirtualPhone, user: str, file: Path) -> tuple[int, str]:
    """Run the document's command; return sipsak's exit status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(program("sipsak"), "-vv", "-G", "--hostname", "127.0.0.1"),
        *("-s", f"sip:{user}@127.0.0.1:{phone.address[1]}", "--filename", str(file)),
        stdout=PIPE,
        stderr=STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, printed.decode(errors="replace")


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
async def test_the_documents_file_lights_key_1(tmp_path: Path, line_end: str) -> None:
    file = tmp_path / "led.txt"
    file.write_text(LED.read_text(), newline=line_end)
    async with VirtualPhone("1004", register=False) as phone:
        status, printed = await sipsak(phone, "1004", file)
        assert status == 0, printed
        assert "SIP/2.0 200 OK" in printed
        assert phone.keys["1"].light == "on"
        # What the Content-Length leaves of `k=1 CRLF c=on CRLF`.
        documents = [e.body for e in phone.history if e.kind is Kind.DOCUMENT]
        assert documents == [b"k=1\r\nc=on\r"]


async def test_c_off_turns_it_off_again(tmp_path: Path) -> None:
    off = tmp_path / "off.txt"
    off.write_text(LED.read_text().replace("c=on", "c=off"))
    async with VirtualPhone("1004", register=False) as phone:
        await sipsak(phone, "1004", LED)
        assert phone.keys["1"].light == "on"
        # Here 10 bytes are enough: `k=1 CRLF c=off`.
        assert (await sipsak(phone, "1004", off))[0] == 0
        assert phone.keys["1"].light == "off"


async def test_another_identity_is_not_found() -> None:
    async with VirtualPhone("1004", register=False) as phone:
        status, printed = await sipsak(phone, "1005", LED)
        assert status == 1
        assert "SIP/2.0 404 Not Found" in printed
        assert phone.keys["1"].light == "off"


async def test_a_file_without_the_last_line_end_is_too_short(tmp_path: Path) -> None:
    """RFC 3261 18.3: a datagram that ends before its body does gets a 400."""
    file = tmp_path / "led.txt"
    file.write_text(LED.read_text().rstrip("\n"))
    async with VirtualPhone("1004", register=False) as phone:
        status, printed = await sipsak(phone, "1004", file)
        assert status == 1
        assert "Content-Length says 10, but 9 bytes arrived" in printed
        assert phone.keys["1"].light == "off"


async def test_it_registers_and_leaves() -> None:
    """Without brackets in any address, and with credentials before the first Via."""
    desk = make_phone()
    async with serving(desk) as server:
        for expires, contacts in ((60, 1), (0, 0)):
            process = await asyncio.create_subprocess_exec(
                *(program("sipsak"), "-U", "-C", "sip:44@127.0.0.1:9"),
                *("-x", str(expires), "-u", "44", "-a", PASSWORD),
                *("-s", f"sip:44@127.0.0.1:{server.address[1]}"),
                stdout=PIPE,
                stderr=STDOUT,
            )
            printed, _ = await process.communicate()
            assert process.returncode == 0, printed
            assert len(server._location.bindings("44")) == contacts
