"""The command `script/cluster`: what deploy/ describes, as processes of this machine."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
import shutil
import signal
import sys
import tempfile

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.cluster import LOGIN, Cluster  # noqa: E402

PASSWORD = "try-the-cluster"  # noqa: S105, on this machine alone
KEYS = "12"


def parse() -> argparse.Namespace:
    """Return the options of the command."""
    parser = argparse.ArgumentParser(
        prog="script/cluster",
        description="Runs an edge, bridges and a broker on this machine.",
    )
    parser.add_argument("--bridges", type=int, default=3, help="how many (3)")
    parser.add_argument(
        "--broker",
        choices=("mosquitto", "rabbitmq"),
        default="mosquitto",
        help="mosquitto, or a RabbitMQ of several nodes",
    )
    parser.add_argument("--nodes", type=int, default=3, help="of RabbitMQ (3)")
    parser.add_argument("--phones", type=int, default=10, help="from 40 on (10)")
    parser.add_argument("--port", type=int, help="of the edge (any that is free)")
    parser.add_argument(
        "--dir", type=Path, help="for settings and logs (a new one, removed at the end)"
    )
    return parser.parse_args()


async def run(options: argparse.Namespace, home: Path) -> None:
    """Run a cluster until SIGINT or SIGTERM."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    phones = {
        f"{extension}": {"password": PASSWORD, "keys": KEYS}
        for extension in range(40, 40 + options.phones)
    }
    cluster = Cluster(
        home,
        phones=phones,
        bridges=options.bridges,
        broker=options.broker,
        nodes=options.nodes,
        edge_port=options.port,
    )
    starting = asyncio.create_task(cluster.__aenter__())
    ending = asyncio.create_task(ended.wait())
    try:
        await asyncio.wait((starting, ending), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            print(_how_to_try(cluster), flush=True)
            await ending
    finally:
        starting.cancel()
        ending.cancel()
        await asyncio.gather(starting, ending, return_exceptions=True)
        await cluster.__aexit__()


def _how_to_try(cluster: Cluster) -> str:
    host, port = cluster.address
    login = f"-u {LOGIN[0]} -P {LOGIN[1]}"
    broker = f"-h 127.0.0.1 -p {cluster.broker_ports[0]} {login}"
    phone = ".venv/bin/python -m virtual_phone"
    lines = [
        f"The edge is at {host}:{port}; logs and settings are in {cluster.home}",
        *(f"  {part.name}: process {part.pid}" for part in cluster.parts),
        "A phone, in a second terminal:",
        f"  {phone} --registrar {host}:{port} --user 40 --password {PASSWORD}",
        "All that is published, and a lamp, in a third one:",
        f"  mosquitto_sub {broker} -v -t 'snom_buttons/#'",
        f"  mosquitto_pub {broker} -q 1 -t snom_buttons/40/key/1/set -m ON",
        "Which bridge has the phone; kill its process with `kill -9`, press a key, and start it again:",
        f"  mosquitto_sub {broker} -v -t snom_buttons/40/bridge",
        f"  .venv/bin/python -m bridge --config {cluster.home}/bridge-1.yaml",
        "Ctrl-C ends it.",
    ]
    return "\n".join(lines)


def main() -> int:
    """Run the command; return its exit status."""
    options = parse()
    home = options.dir or Path(tempfile.mkdtemp(prefix="snom-cluster-"))
    print(f"cluster: starting; logs are in {home}", flush=True)
    try:
        asyncio.run(run(options, home))
    except AssertionError as error:
        print(f"cluster: {error}", file=sys.stderr)
        return 1
    finally:
        if options.dir is None:
            shutil.rmtree(home, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
