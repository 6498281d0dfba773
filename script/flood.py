"""Floods a server for ten seconds in several ways, and prints what a phone notices of it.

Nothing passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
import sys

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support.siege import FLOODS, besiege


def main() -> None:
    """Print the figures of each flood."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--only", choices=FLOODS, action="append")
    arguments = parser.parse_args()
    for name in arguments.only or FLOODS:
        figures = asyncio.run(besiege(arguments.seconds, FLOODS[name]))
        print(f"{name}: {figures}", flush=True)


if __name__ == "__main__":
    main()
