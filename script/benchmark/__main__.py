"""The command `script/bench`."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import replace

from script import benchmark
from script.benchmark.blf import bench_lamps, bench_power_cut
from script.benchmark.card import bench_card
from script.benchmark.cluster import QUICK, WHOLE, bench_cluster
from script.benchmark.house import bench_house
from script.benchmark.latency import bench_latency
from script.benchmark.links import bench_links
from script.benchmark.mqtt import bench_mqtt
from script.benchmark.parsing import bench_parsing, bench_worst
from script.benchmark.phones import bench_phones, bench_restart
from script.benchmark.reload import bench_reload
from script.benchmark.shares import lift_shares
from script.benchmark.store import bench_store
from script.benchmark.stored import bench_stored
from script.benchmark.table import show
from script.benchmark.transactions import bench_transactions


async def main() -> None:
    """Run all benchmarks and print them as a table."""
    parser = argparse.ArgumentParser(prog="script/bench", description=benchmark.__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="few repetitions, only to see that it runs"
    )
    parser.add_argument(
        "only",
        nargs="?",
        choices=[
            "card",
            "cluster",
            "house",
            "links",
            "mqtt",
            "phones",
            "reload",
            "store",
            "stored",
        ],
        help="a part",
    )
    parser.add_argument(
        "--mosquitto",
        action="append",
        default=[],
        metavar="LINE",
        help="a line of its configuration, such as 'set_tcp_nodelay true'",
    )
    parser.add_argument(
        "--blf",
        action="store_true",
        help="of phones: those that subscribe to their keys",
    )
    parser.add_argument(
        "--broker",
        choices=("mosquitto", "rabbitmq"),
        default="mosquitto",
        help="of the cluster",
    )
    arguments = parser.parse_args()
    quick = arguments.quick
    show("what", "ours", "floor", "ratio")
    if arguments.blf:  # with the shares of phones, as after a power cut
        await bench_power_cut((10, 20, 40) if quick else (250, 500, 1_000))
        await bench_lamps(*((10, 2) if quick else (250, 11)))
        return
    lift_shares()
    if arguments.only is None:
        bench_parsing()
        bench_worst()
        await bench_transactions(500 if quick else 4_000, 1 if quick else 9)
        await bench_latency(50 if quick else 2_000, 5 if quick else 50)
    if arguments.only in (None, "phones"):
        await bench_phones((10, 100) if quick else (10, 100, 1_000))
        await bench_restart(*((10, 2) if quick else (100, 20)))
    if arguments.only in (None, "house"):
        await bench_house(2 if quick else 30)
    if arguments.only in (None, "links"):
        await bench_links(*((50, 2, 1) if quick else (2_000, 30, 5)))
    if arguments.only in (None, "store"):
        await bench_store((5,) if quick else (50, 200))
    if arguments.only in (None, "stored"):
        await bench_stored(*((50,) if quick else (100, 1_000, 10_000)))
    if arguments.only in (None, "reload"):
        await bench_reload(*((10, 1) if quick else (200, 3)))
    if arguments.only in (None, "card"):
        await bench_card(*((1, 4, 2, 2) if quick else (10, 200, 50, 10)))
    if arguments.only == "cluster":  # not in None: it takes as long as all others
        size = QUICK if quick else WHOLE
        await bench_cluster(replace(size, broker=arguments.broker))
    if arguments.only in (None, "mqtt"):
        count, seconds = (50, 1) if quick else (1_000, 10)
        await bench_mqtt(count, seconds, arguments.mosquitto)


if __name__ == "__main__":
    asyncio.run(main())
