"""The command `snom-phone`, also `python -m virtual_phone`."""

import argparse
import asyncio
from collections.abc import Sequence
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

from snom_buttons.sip import SipSyntaxError

from .headless import COMMANDS, Headless
from .phone import VirtualPhone

if TYPE_CHECKING:
    from .app import PhoneApp

PASSWORD_VARIABLE = "VIRTUAL_PHONE_PASSWORD"  # noqa: S105


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the phone; return the exit status."""
    options = _parse(arguments)
    try:
        phone = VirtualPhone(
            options.user,
            options.password,
            registrar=options.registrar,
            register=options.register,
            host=options.host,
            port=options.port,
            keys=options.keys,
        )
    except SipSyntaxError as error:
        return _fail(f"{error}")
    # Textual reads from stdin and draws on stderr.
    if not options.headless and not (sys.stdin.isatty() and sys.stderr.isatty()):
        return _fail("there is no terminal here to show the phone in; use --headless")
    return asyncio.run(_run(phone, headless=options.headless, note=options.note))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="A software snom phone: shows the keys that Home Assistant drives"
        " and sends presses back.",
    )
    parser.add_argument(
        "--registrar",
        metavar="HOST[:PORT]",
        default="",
        help="where to register; port 5060 if none is given",
    )
    parser.add_argument("--user", required=True, help="the extension, such as 44")
    parser.add_argument(
        "--password",
        default=os.environ.get(PASSWORD_VARIABLE, ""),
        help=f"its password, which {PASSWORD_VARIABLE} may hold instead",
    )
    parser.add_argument(
        "--host",
        default="",
        help="address to listen on; by default the one that leads to the registrar,"
        " without a registrar 127.0.0.1",
    )
    parser.add_argument(
        "--port", type=_port, default=0, help="UDP port to listen on; any by default"
    )
    parser.add_argument(
        "--keys", type=_count, default=12, help="number of keys; 12 by default"
    )
    parser.add_argument(
        "--no-register",
        dest="register",
        action="store_false",
        help="do not register, and accept documents from any sender",
    )
    parser.add_argument(
        "--headless",
        action="store_true",
        help=f"no terminal: print what happens, and take lines from stdin: {COMMANDS}",
    )
    parser.add_argument("--note", default="", help="text to show above the phone")
    options = parser.parse_args(arguments)
    if options.register and not options.registrar:
        parser.error("name the --registrar, or use --no-register")
    if options.register and not options.password:
        parser.error(f"a registration needs --password or {PASSWORD_VARIABLE}")
    return options


def _port(text: str) -> int:
    return _number(text, 0, 65535)


def _count(text: str) -> int:
    return _number(text, 1, 500)


def _number(text: str, low: int, high: int) -> int:
    number = int(text)
    if not low <= number <= high:
        raise argparse.ArgumentTypeError(f"must be between {low} and {high}")
    return number


def _fail(reason: str) -> int:
    print(f"virtual_phone: {reason}", file=sys.stderr)  # noqa: T201
    return 1


async def _run(phone: VirtualPhone, *, headless: bool, note: str) -> int:
    face: Headless | PhoneApp
    if headless:
        face = Headless(phone)
    else:
        try:
            from .app import PhoneApp  # the only module that needs Textual
        except ModuleNotFoundError as error:
            if error.name != "textual":
                raise
            return _fail(
                "the full-screen phone needs Textual:"
                " pip install 'snom-buttons[phone]'; or use --headless"
            )
        face = PhoneApp(phone, note)
    try:
        await phone.open()
    except socket.gaierror as error:
        return _fail(f"cannot find the registrar: {error.strerror}")
    except OSError as error:
        return _fail(f"cannot open the phone's port: {error.strerror or error}")
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, face.exit)
        await face.run_async()
    finally:
        await phone.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
