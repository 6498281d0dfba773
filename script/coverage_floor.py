"""Fails if a module of the integration or the bridge is covered below the floor, and names it.

coverage's own --fail-under checks the total only, which can hide one untested module.
"""

import json
from pathlib import Path
import sys

FLOOR = 95.0
PACKAGES = {Path("bridge"), Path("custom_components")}


def main(report: str) -> int:
    """Return the exit code for the JSON report of coverage at this path."""
    covered = {
        path: data["summary"]["percent_covered"]
        for path, data in json.loads(Path(report).read_text())["files"].items()
        if not PACKAGES.isdisjoint(Path(path).parents)
    }
    below = {path: percent for path, percent in covered.items() if percent < FLOOR}
    for path, percent in sorted(below.items()):
        print(f"coverage: {path} is at {percent:.1f} %, below {FLOOR:.0f} %")
    if not below:
        print(f"coverage: {len(covered)} modules, each at {FLOOR:.0f} % or above")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
