"""The buttons document by laws that hold for every input (hypothesis)."""

from hypothesis import example, given, strategies as st
import pytest

from custom_components.snom_buttons.engine.xbuttons import (
    MAX_DOCUMENT,
    DocumentError,
    KeyDescription,
    format_document,
    format_press,
    parse_document,
)
from tests.support.descriptions import any_keys, bodies, keys


@given(st.lists(keys, max_size=4))
def test_what_is_written_reads_back_the_same(described: list[KeyDescription]) -> None:
    """For every property and all of Unicode."""
    assert parse_document(format_document(described)) == tuple(described)


@given(keys)
def test_a_press_reads_back_the_same(key: KeyDescription) -> None:
    """It differs from a registrar's document only by the empty line."""
    assert parse_document(format_press(key)) == (key,)
    assert format_press(key) + b"\r\n" == format_document([key])


@given(st.lists(any_keys, max_size=2))
def test_what_would_not_read_back_the_same_is_not_written(
    described: list[KeyDescription],
) -> None:
    """The law of the document module, for values of every kind."""
    try:
        body = format_document(described)
    except DocumentError:
        return
    assert parse_document(body) == tuple(described)


@given(st.binary() | bodies)
@example(b"\xef\xbb\xbf\xef\xbb\xbfk=1")
@example(b"k=1\r\r\nc=on")
def test_any_bytes_parse_or_raise_the_one_error(body: bytes) -> None:
    """What parses can be written, and reads back the same."""
    try:
        described = parse_document(body)
    except DocumentError:
        return
    written = format_document(described)
    assert parse_document(written) == described
    assert format_document(parse_document(written)) == written


@given(st.lists(keys, max_size=3), st.sampled_from(["\n", "\r"]), st.booleans())
def test_line_ends_do_not_matter(
    described: list[KeyDescription], end: str, last: bool
) -> None:
    """Nor does the last one."""
    body = format_document(described).replace(b"\r\n", end.encode())
    assert parse_document(body if last else body.rstrip(b"\r\n")) == tuple(described)


@pytest.mark.parametrize("start", [b"", b"k=1\n", b"k=1\ns=", b"k=1\nt=", b"k=1\nf="])
@pytest.mark.parametrize(
    "unit",
    b"k=1\n;\n;\r; ;=;y=\n;c=on\n;dnd;dn;, ;a ;9/;always;\0;\xff;\xc2\x85;l=\xc2\xa0\n"
    b"".split(b";"),
)
def test_largest_documents_end(start: bytes, unit: bytes) -> None:
    """The worst that fits 64 KiB takes milliseconds: script/bench measures them."""
    body = (start + unit * MAX_DOCUMENT)[:MAX_DOCUMENT]
    try:
        outcome = parse_document(body)
    except DocumentError as error:
        outcome = str(error)
    assert len(outcome) <= MAX_DOCUMENT // len(b"k=1\n")
