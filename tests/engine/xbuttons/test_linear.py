"""Hostile documents cost time in proportion to their length.

Lines of Python are counted instead of seconds, see tests/sip/test_linear.py.
"""

from contextlib import suppress

import pytest

from custom_components.snom_buttons.engine.xbuttons import (
    MAX_DOCUMENT,
    DocumentError,
    format_document,
    parse_document,
)
from tests.support.lines import lines_run

STARTS = {"": b"", "key": b"k=1\n", "states": b"k=1\ns=", "treatment": b"k=1\nt=",
          "forward": b"k=1\nf=", "messages": b"k=1\nm=", "label": b"k=1\nl="}  # fmt: skip
UNITS = {
    "keys": b"k=1\n", "keys with a number": b"k=1\nn=1\n", "line ends": b"\n", "returns": b"\r",
    "empty properties": b"c=\n", "one property": b"c=on\n", "unknown properties": b"y=\n",
    "different properties": b"".join(b"y%d=\n" % n for n in range(100)),
    "equal signs": b"=", "blanks": b" ", "a blank behind a letter": b"a ", "commas": b", ",
    "states": b"dnd", "half states": b"dn", "digits": b"9", "slashes": b"9/", "conditions": b"always",
    "quotes": b'"', "backslashes": b"\\", "controls": b"\0", "no utf-8": b"\xff",
    "next line": b"\xc2\x85", "byte order marks": b"\xef\xbb\xbf", "folding": b"\r\n ",
}  # fmt: skip


def take(body: bytes) -> None:
    """Read a document, and write what it describes."""
    with suppress(DocumentError):
        format_document(parse_document(body))


@pytest.mark.parametrize("start", STARTS.values(), ids=list(STARTS))
@pytest.mark.parametrize("unit", UNITS.values(), ids=list(UNITS))
def test_four_times_the_document_costs_four_times_the_lines(
    start: bytes, unit: bytes
) -> None:
    # Far less than fits: what is written has more line ends and defaults.
    short, long = (
        start + unit * (size // len(unit))
        for size in (MAX_DOCUMENT // 32, MAX_DOCUMENT // 8)
    )
    take(start + unit)  # What is done once only, is done.
    cost = lines_run(lambda: take(short))
    assert lines_run(lambda: take(long)) <= 4.5 * cost + 200
