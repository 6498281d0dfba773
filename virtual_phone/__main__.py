"""The command `snom-phone`, also `python -m virtual_phone`."""

import argparse
import asyncio
from collections.abc import Sequence
from ipaddress import IPv4Address
import os
from pathlib import Path
import re
import signal
import socket
import sys
from typing import TYPE_CHECKING

from .factory import FactoryPhone, forget
from .headless import COMMANDS, Headless
from .maker import MAKERS, SNOM
from .phone import VirtualPhone

if TYPE_CHECKING:
    from .app import PhoneApp

PASSWORD_VARIABLE = "VIRTUAL_PHONE_PASSWORD"  # noqa: S105


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the phone; return the exit status."""
    options = _parse(arguments)
    try:
        phone = _make_phone(options)
    except (OSError, ValueError) as error:
        return _fail(f"{error}")
    # Textual reads from stdin and draws on stderr.
    if not options.headless and not (sys.stdin.isatty() and sys.stderr.isatty()):
        return _fail("there is no terminal here to show the phone in; use --headless")
    return asyncio.run(_run(phone, headless=options.headless, note=options.note))


def _make_phone(options: argparse.Namespace) -> VirtualPhone:
    """Return the phone of the options. Raises OSError or ValueError."""
    if not options.factory_new:
        return VirtualPhone(
            options.user,
            options.password,
            registrar=options.registrar,
            register=options.register,
            host=options.host,
            port=options.port,
            keys=options.keys[1],
            model=options.model or "",
            maker=MAKERS[options.maker],
            blf=options.keys[0],
            pickup=options.pickup,
            messages=options.messages,
        )
    if options.reset and options.state:
        forget(options.state)
    return FactoryPhone(
        options.model or SNOM.model,
        options.mac or "",
        interface=options.interface,
        host=options.host,
        port=options.port,
        state=options.state,
    )


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="A software desk phone, by default a snom: shows the keys that a server drives"
        " and sends presses back.",
    )
    parser.add_argument(
        "--registrar",
        metavar="HOST[:PORT]",
        default="",
        help="where to register; port 5060 if none is given",
    )
    parser.add_argument("--user", default="", help="the extension, such as 44")
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
        "--keys",
        type=_keys,
        default=(False, 12),
        metavar="NUMBER|blf|blf:NUMBER",
        help="number of keys; 12 by default. With blf they are busy lamp keys, which"
        " subscribe to the numbers 1, 2, 3 and so on",
    )
    parser.add_argument(
        "--maker",
        choices=MAKERS,
        default="snom",
        help="whose phone it is; snom by default. All others have busy lamp keys only",
    )
    parser.add_argument(
        "--model",
        type=_model,
        help="its model; by default one of the maker",
    )
    parser.add_argument(
        "--pickup",
        metavar="PREFIX",
        help="what a press dials before the number while a busy lamp blinks, such as *8;"
        " by default what the maker has set",
    )
    parser.add_argument(
        "--messages",
        action="store_true",
        help="subscribe to the messages of the extension, and show them",
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
    new = parser.add_argument_group(
        "a phone as it comes from the factory, which asks for its settings"
    )
    new.add_argument(
        "--factory-new",
        action="store_true",
        help="be such a phone; its settings name the user, the registrar and the keys",
    )
    new.add_argument(
        "--mac", type=_mac, help="its hardware address; by default one of the model"
    )
    new.add_argument(
        "--interface",
        type=_ipv4,
        default="127.0.0.1",
        metavar="ADDRESS",
        help="own IPv4 address in the network to ask in; by default 127.0.0.1, this"
        " machine alone",
    )
    new.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="keep the settings in this file, as a phone does when it is switched off",
    )
    new.add_argument(
        "--reset", action="store_true", help="forget the settings of --state first"
    )
    options = parser.parse_args(arguments)
    if options.factory_new:
        if options.user or options.registrar:
            parser.error("--factory-new takes --user and --registrar from its settings")
        if options.maker != "snom":
            parser.error("--factory-new is a snom phone")
        return options
    if options.state or options.reset:
        parser.error("--state and --reset need --factory-new")
    if not options.user:
        parser.error("the following arguments are required: --user")
    if options.register and not options.registrar:
        parser.error("name the --registrar, or use --no-register")
    if options.register and not options.password:
        parser.error(f"a registration needs --password or {PASSWORD_VARIABLE}")
    is_blf = options.keys[0] or not MAKERS[options.maker].takes_documents
    if is_blf and not options.register:
        parser.error("busy lamp keys need a registration")
    if options.messages and not options.register:
        parser.error("--messages needs a registration")
    return options


def _port(text: str) -> int:
    return _number(text, 0, 65535)


def _keys(text: str) -> tuple[bool, int]:
    """Return whether the keys are busy lamp keys, and how many there are."""
    kind, _, count = text.partition(":")
    if kind == "blf":
        return True, _number(count or "12", 1, 500)
    return False, _number(text, 1, 500)


def _model(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_ -]{0,19}", text) is None:
        raise argparse.ArgumentTypeError("must be a model such as D735")
    return text


def _mac(text: str) -> str:
    digits = text.replace(":", "").replace("-", "").upper()
    if re.fullmatch("[0-9A-F]{12}", digits) is None:
        raise argparse.ArgumentTypeError("must have twelve hexadecimal digits")
    return digits


def _ipv4(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError("must be an IPv4 address") from error


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
