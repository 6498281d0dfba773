"""The table that the benchmarks print."""

from __future__ import annotations

import statistics


def show(what: str, figure: str, floor: str = "", ratio: str = "") -> None:
    """Print a line of the table."""
    print(f"{what:<46} {figure:>18} {floor:>18} {ratio:>14}", flush=True)


def percentiles(times: list[float]) -> tuple[float, float]:
    """Return median and 99th percentile in milliseconds."""
    cuts = statistics.quantiles(times, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


def times_shown(times: list[float]) -> str:
    """Return a column of median and 99th percentile."""
    middle, worst = percentiles(times)
    return f"{middle:.2f} / {worst:.2f} ms"
