"""The command `snom-phone` in a process of its own."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
import os
from pathlib import Path
import re
import signal
import socket
import sys
import threading
from typing import Any

import pytest

from tests.support.patience import PATIENCE
from tests.support.stub_registrar import StubRegistrar, body, header
from virtual_phone import VirtualPhone
from virtual_phone.__main__ import _parse, _run, main

type Start = Callable[..., Coroutine[Any, Any, Process]]

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def start(registrar: StubRegistrar) -> AsyncIterator[Start]:
    """Return the command for a phone without a screen."""
    started: list[Process] = []

    async def start(*options: str, stdin: int = PIPE) -> Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "virtual_phone", "--headless", "--user", "404"),
            *("--registrar", registrar.address, "--password", "secret", *options),
            stdin=stdin,
            stdout=PIPE,
            cwd=ROOT,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def lines_to(process: Process, last: str) -> list[str]:
    """Return the printed lines up to one with this start, without times."""
    assert process.stdout is not None
    lines = [""]
    while not lines[-1].startswith(last):
        line = (await process.stdout.readline()).decode()
        assert line, lines
        line = re.sub(r"\d\d:\d\d:\d\d", "*", line.rstrip("\n")).removeprefix("* ")
        lines.append(re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", line))
    return lines[1:]


async def test_prints_what_happens_and_obeys(
    registrar: StubRegistrar, start: Start
) -> None:
    process = await start("--keys", "4")
    assert process.stdin is not None
    register = await registrar.accept_registration()
    assert await lines_to(process, "registered") == [
        "404 listens on ADDRESS",
        "registered with udp ADDRESS until *",
    ]
    contact = header(register, "Contact").partition("<")[2].partition(">")[0]
    document = "k=4\r\nc=on\r\nl=B\u00fcro\x9b\r\nn=79\r\na=message\r\n".encode()
    registrar.send(
        f"MESSAGE {contact} SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1;rport\r\n"
        f"From: <sip:404@x>;tag=1\r\nTo: <sip:404@x>\r\nCall-ID: 1\r\n"
        f"CSeq: 1 MESSAGE\r\nContent-Type: application/x-buttons\r\n"
        f"Content-Length: {len(document)}\r\n\r\n".encode()
        + document
    )
    await registrar.receive("SIP/2.0 200 ")

    process.stdin.write(b"\npress 4\n")
    press = await registrar.receive("MESSAGE ")
    assert body(press).startswith(b"k=4\r\na=message\r\n")
    registrar.answer(press, "200 OK")
    assert await lines_to(process, "press 4: 200") == [
        "document: 4",
        "key 4: on · Büro� · press sends 79",
        "press 4: message 79",
        "press 4: 200 OK",
    ]

    process.stdin.write(b"dial  100\n")
    invite = await registrar.receive("INVITE sip:100@127.0.0.1 ")
    registrar.answer(invite, "486 Busy Here")
    await registrar.receive("ACK ")
    assert await lines_to(process, "dial 100: ") == [
        "dial 100",
        "dial 100: 486 Busy Here",
    ]

    process.stdin.write(b"register\n")
    await registrar.accept_registration()
    await lines_to(process, "registered with")

    process.stdin.write(b"press 5\ndance \xff\nquit\n")
    good_bye = await registrar.receive("REGISTER ")
    assert header(good_bye, "Expires") == "0"
    registrar.answer(good_bye, "200 OK")
    commands = "there is: press KEY, dial NUMBER, register, quit"
    assert await lines_to(process, "not registered") == [
        f"cannot do 'press 5'; {commands}",
        f"cannot do 'dance �'; {commands}",
        "not registered",
    ]
    assert await process.wait() == 0


@pytest.mark.parametrize(
    ("options", "product", "numbers"),
    [
        (["--maker", "yealink", "--keys", "2"], "Yealink SIP-T46S 66.86.0.15", "12"),
        (["--keys", "blf:1", "--pickup", "*8"], "snomD735/10.1.198.12", "1"),
    ],
)
async def test_busy_lamp_keys_subscribe(
    registrar: StubRegistrar,
    start: Start,
    options: list[str],
    product: str,
    numbers: str,
) -> None:
    process = await start(*options)
    assert process.stdin is not None
    await registrar.accept_registration()
    for number in numbers:
        subscribe = await registrar.receive(f"SUBSCRIBE sip:{number}@127.0.0.1")
        assert header(subscribe, "User-Agent").startswith(product)
        registrar.answer(subscribe, "404 Not Found")
    await lines_to(process, f"{numbers[-1]}: not subscribed: 404 Not Found")
    process.stdin.write(b"quit\n")
    registrar.answer(await registrar.receive("REGISTER "), "200 OK")
    assert await process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_after_a_good_bye(
    registrar: StubRegistrar, start: Start, number: signal.Signals
) -> None:
    process = await start(stdin=DEVNULL)
    await registrar.accept_registration()
    await lines_to(process, "registered")
    process.send_signal(number)
    good_bye = await registrar.receive("REGISTER ")
    assert header(good_bye, "Expires") == "0"
    if number is signal.SIGINT:
        registrar.answer(good_bye, "200 OK")
    # It ends even without a response.
    async with asyncio.timeout(PATIENCE):
        assert await process.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "required: --user"),
        ("--user 44", "name the --registrar, or use --no-register"),
        ("--user 44 --registrar x", "needs --password or VIRTUAL_PHONE_PASSWORD"),
        ("--user 44 --no-register --port 65536", "must be between 0 and 65535"),
        ("--user 44 --no-register --keys 0", "must be between 1 and 500"),
        ("--user 44 --no-register --keys many", "invalid _keys value: 'many'"),
        ("--user 44 --no-register --keys blf:x", "invalid _keys value: 'blf:x'"),
        ("--user 44 --no-register --keys blf", "busy lamp keys need a registration"),
        ("--user 44 --no-register --maker poly", "busy lamp keys need a registration"),
        ("--user 44 --no-register --messages", "--messages needs a registration"),
        ("--factory-new --maker poly", "--factory-new is a snom phone"),
        ("--user 44 --maker siemens", "invalid choice: 'siemens'"),
        ("--factory-new --user 44", "takes --user and --registrar from its settings"),
        ("--user 44 --no-register --reset", "--state and --reset need --factory-new"),
        ("--factory-new --mac 0004130DD7C", "must have twelve hexadecimal digits"),
        ("--factory-new --model a/b", "must be a model such as D735"),
        ("--factory-new --interface lo", "must be an IPv4 address"),
    ],
)
def test_wrong_options(
    arguments: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(arguments.split())
    assert exit_info.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--user 44 --registrar a:b:c", "the port 'x:x' is not a number"),
        ("--user 44 --registrar x --port 1", "there is no terminal here"),
        ("--factory-new --state /", "[Errno 21] Is a directory: '/'"),
        ("--factory-new --headless --interface 192.0.2.7", "cannot open the phone's"),
        ("--user 44 --registrar x.invalid --headless", "cannot find the registrar"),
    ],
)
def test_what_makes_no_phone(
    arguments: str,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VIRTUAL_PHONE_PASSWORD", "secret")

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert main(arguments.split()) == 1
    assert capsys.readouterr().err.startswith(f"virtual_phone: {said}")


def test_a_taken_port_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        options = (
            f"--headless --user 1004 --no-register --port {taken.getsockname()[1]}"
        )
        assert main(options.split()) == 1
    said = "virtual_phone: cannot open the phone's port: Address already in use\n"
    assert capsys.readouterr().err == said


def test_options_in_the_forms_that_people_write() -> None:
    options = _parse(["--factory-new", "--mac", "00:04:13-0d-7c-01"])
    assert options.mac == "0004130D7C01"
    options = _parse(["--factory-new", "--interface", "127.0.0.1"])
    assert options.interface == "127.0.0.1"
    account = "--user 44 --registrar x --password y"
    for text, keys in (("blf", (True, 12)), ("blf:3", (True, 3)), ("5", (False, 5))):
        assert _parse([*account.split(), "--keys", text]).keys == keys


async def test_lines_are_obeyed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read, write = os.pipe()
    phone = VirtualPhone("1004", register=False)
    with os.fdopen(read) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with os.fdopen(write, "wb", 0) as lines:
            running = asyncio.create_task(_run(phone, headless=True, note=""))
            lines.write(b"press 3\ndial 5\ndial\nregister\n")
            await phone.wait_for(
                lambda p: (
                    [entry.text for entry in p.history][-1:]
                    == ["dial 5: 503 there is no registrar to send to"]
                )
            )
            lines.write(b"quit\n")
            assert await running == 0
        for thread in threading.enumerate():
            if thread.name == "stdin":
                thread.join()
    said = [line[9:] for line in capsys.readouterr().out.splitlines()]
    assert "press 3: the key has no number" in said
