"""The command `snom-bridge`, also `python -m bridge`."""

import argparse
import asyncio
from collections.abc import Sequence
import gc
from importlib import metadata
import logging
from pathlib import Path
import signal
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .bridge import Bridge
    from .reading import Reading
    from .settings import Settings

REQUIRED: Final = (
    "aiohttp",
    "aiomqtt",
    "paho",
    "prometheus_client",
    "pythonjsonlogger",
    "voluptuous",
    "yaml",
)
"""What the extra `bridge` of the wheel brings."""

_LOGGER = logging.getLogger("snom_bridge")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bridge, or check its settings; return the exit status."""
    options = _parse(arguments)
    # What is loaded stays. Until that is done, the collector would look at all of it
    # again and again, which takes half of the time.
    gc.disable()
    try:
        return _main(options.command, options.config)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in REQUIRED:
            raise
        _say(f"needs {error.name}: pip install 'snom-buttons[bridge]'")
        return 1
    except KeyboardInterrupt:  # before the bridge handles the signal
        return 130
    finally:
        gc.unfreeze()
        gc.enable()


def _main(command: str, path: Path) -> int:
    """Carry out a command; return the exit status. Raises ModuleNotFoundError."""
    from .bridge import Bridge
    from .document import Unreadable
    from .log import start_log
    from .reading import read
    from .watch import watching

    try:
        reading = read(path)
    except Unreadable as error:
        for fault in error.faults:
            _say(f"{path}: {fault}")
        return 1
    settings = reading.settings
    if command == "check":
        for fault in reading.faults:
            _say(f"{path}: {fault}")
        for note in reading.notes:
            _say(f"{path}: note: {note}")
        if not reading.faults:
            _say(f"{path} is in order: {_summary(settings)}")
        return 1 if reading.faults else 0
    start_log(settings.log)
    _LOGGER.info("Version %s: %s", _version(), _summary(settings))
    _log_faults(path, reading)

    async def run() -> int:
        async with watching(Bridge(settings)) as bridge:
            return await _run(bridge, path)

    return asyncio.run(run())


def _version() -> str:
    """Return the version of what is installed; a checkout has none."""
    try:
        return metadata.version("snom-buttons")
    except metadata.PackageNotFoundError:
        return "of a checkout"


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="snom-bridge",
        description="Desk phones on an MQTT broker: shows on their keys what is published,"
        " and publishes each press.",
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=("run", "check"),
        default="run",
        help="run, which is the default; check: only check the settings file",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=Path("snom-bridge.yaml"),
        help="the settings file; snom-bridge.yaml by default",
    )
    parser.add_argument(
        "--version", action="version", version=f"snom-bridge {_version()}"
    )
    return parser.parse_args(arguments)


async def _run(bridge: Bridge, path: Path) -> int:
    """Run until a signal ends it."""
    from snom_buttons.phones import CannotListen

    from .heap import Heap
    from .log import PhoneLog

    loop = asyncio.get_running_loop()
    bridge.followers.append(PhoneLog(bridge.server, loop.time))
    ended = asyncio.Event()
    reload = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    starting = asyncio.create_task(bridge.start())
    ending = asyncio.create_task(ended.wait())
    await asyncio.wait((starting, ending), return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await bridge.stop()
        return 0
    try:
        starting.result()
    except CannotListen as error:
        _say(
            f"cannot listen on {bridge.settings.server.host}, {error.transport} port"
            f" {error.port}: {error.strerror}"
        )
        ending.cancel()
        await bridge.stop()
        return 1
    gc.enable()
    heap = Heap(bridge.server.phones.keys)
    bridge.server.changed.subscribe(heap.changed)
    looking = asyncio.create_task(heap.run())
    registrars = bridge.settings.server.registrar_addresses
    for transport, port in bridge.server.listening.items():
        _LOGGER.info(
            "Listening on %s port %s; the registrar of phones is %s",
            *(transport, port, registrars[transport]),
        )
    reloading = asyncio.create_task(_reload(bridge, path, reload))
    await ending
    reloading.cancel()
    looking.cancel()
    await asyncio.gather(reloading, looking, return_exceptions=True)
    await bridge.stop()
    _LOGGER.info("Ended")
    return 0


async def _reload(bridge: Bridge, path: Path, asked: asyncio.Event) -> None:
    """Apply the settings file anew each time that it is asked for."""
    while await asked.wait():
        asked.clear()
        try:
            await _apply(bridge, path)
        except Exception:  # the next time it may be another file
            _LOGGER.exception("The settings are not applied, or in part")


async def _apply(bridge: Bridge, path: Path) -> None:
    """Apply the settings file anew, unless it cannot be read."""
    from .document import Unreadable
    from .reading import read

    try:
        reading = await asyncio.to_thread(read, path, bridge.settings)
    except Unreadable as error:
        for fault in error.faults:
            _LOGGER.error("%s: %s", path, fault)
        _LOGGER.error("The settings are as they were")
        return
    _log_faults(path, reading)
    ignored = await bridge.reload(reading.settings)
    if ignored:
        _LOGGER.warning("Changes that need a restart: %s", ", ".join(ignored))
    _LOGGER.info("The settings are applied: %s", _summary(bridge.settings))


def _log_faults(path: Path, reading: Reading) -> None:
    for fault in reading.faults:
        _LOGGER.error("%s: %s", path, fault)
    for note in reading.notes:
        _LOGGER.warning("%s: %s", path, note)


def _summary(settings: Settings) -> str:
    """Return how many phones and lines there are, as words."""
    phones, lines = len(settings.phones), len(settings.lines)
    return (
        f"{phones} {'phone' if phones == 1 else 'phones'},"
        f" {lines} {'shared line' if lines == 1 else 'shared lines'}"
    )


def _say(text: str) -> None:
    print(f"snom-bridge: {text}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
