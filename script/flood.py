"""Floods a server of ours for ten seconds, and tells what a phone notices of it.

What is measured in the tests for three seconds, at full length. Nothing passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
import sys

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support.siege import besiege


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    print(asyncio.run(besiege(parser.parse_args().seconds)))


if __name__ == "__main__":
    main()
