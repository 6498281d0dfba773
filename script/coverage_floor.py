"""Fails if a module of ours is covered below the floor, and names it.

coverage's own --fail-under checks the total only, which can hide one untested module.
"""

import json
from pathlib import Path
import sys

FLOORS = {
    Path("bridge"): 90.0,
    Path("custom_components"): 95.0,
    Path("virtual_phone"): 88.0,
}
"""By package, in per cent. Programs that tests run as processes are not measured."""


def main(report: str) -> int:
    """Return the exit code for the JSON report of coverage at this path."""
    covered = {
        path: (data["summary"]["percent_covered"], floor)
        for path, data in json.loads(Path(report).read_text())["files"].items()
        for package, floor in FLOORS.items()
        if package in Path(path).parents
    }
    below = {path: it for path, it in covered.items() if it[0] < it[1]}
    for path, (percent, floor) in sorted(below.items()):
        print(f"coverage: {path} is at {percent:.1f} %, below {floor:.0f} %")
    if not below:
        print(f"coverage: {len(covered)} modules, none below its floor")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
