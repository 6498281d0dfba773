"""Hostile documents cost time in proportion to their length.

Lines of Python are counted instead of seconds, see tests/engine/sip/test_linear.py.
"""

from contextlib import suppress

import pytest

from custom_components.snom_buttons.engine.xbuttons import (
    MAX_DOCUMENT,
    DocumentError,
    format_document,
    parse_document,
)
from tests.support.hostile import STARTS, UNITS
from tests.support.lines import lines_run


def take(body: bytes) -> None:
    """Read a document, and write what it describes."""
    with suppress(DocumentError):
        format_document(parse_document(body))


@pytest.mark.parametrize("start", STARTS.values(), ids=list(STARTS))
@pytest.mark.parametrize("unit", UNITS.values(), ids=list(UNITS))
def test_four_times_the_document_costs_four_times_the_lines(
    start: bytes, unit: bytes
) -> None:
    # Far less than fits: the written document has more line ends and defaults.
    short, long = (
        start + unit * (size // len(unit))
        for size in (MAX_DOCUMENT // 32, MAX_DOCUMENT // 8)
    )
    take(start + unit)  # Work that is done only once has been done.
    cost = lines_run(lambda: take(short))
    assert lines_run(lambda: take(long)) <= 4.5 * cost + 200
