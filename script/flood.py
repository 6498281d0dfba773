"""Floods a server for ten seconds, and prints what a phone notices of it.

Nothing passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
import sys

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support.siege import besiege


def main() -> None:
    """Print the figures of one flood."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    print(asyncio.run(besiege(parser.parse_args().seconds)))


if __name__ == "__main__":
    main()
