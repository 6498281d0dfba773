"""Floods a server for ten seconds in several ways, and prints what a phone notices of it.

Nothing passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
import sys

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support.siege import FLOODS, HOME_FLOODS, Figures, besiege, besiege_home


def main() -> None:
    """Print the figures of each flood."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--only", choices=[*FLOODS, *HOME_FLOODS], action="append")
    arguments = parser.parse_args()
    for name in arguments.only or [*FLOODS, *HOME_FLOODS]:
        figures = asyncio.run(flooded(name, arguments.seconds))
        print(f"{name}: {figures}", flush=True)


async def flooded(name: str, seconds: float) -> Figures:
    """Return the figures of one flood."""
    if name in HOME_FLOODS:
        return await besiege_home(seconds, HOME_FLOODS[name])
    return await besiege(seconds, FLOODS[name])


if __name__ == "__main__":
    main()
