"""Counts lines of Python that run, as a measure of cost that no other process changes."""

from __future__ import annotations

from collections.abc import Callable
import sys
import threading
from types import CodeType

TOOL = 4  # used by neither debuggers nor coverage.py


def lines_run(function: Callable[[], object]) -> int:
    """Return how many lines of Python ran within a call."""
    monitoring = sys.monitoring
    count = 0
    own = threading.get_ident()

    def on_line(code: CodeType, line: int) -> None:
        nonlocal count
        count += threading.get_ident() == own  # other threads do not count

    monitoring.use_tool_id(TOOL, "tests")
    try:
        monitoring.register_callback(TOOL, monitoring.events.LINE, on_line)
        monitoring.set_events(TOOL, monitoring.events.LINE)
        function()
    finally:
        monitoring.set_events(TOOL, 0)
        monitoring.register_callback(TOOL, monitoring.events.LINE, None)
        monitoring.free_tool_id(TOOL)
    return count
