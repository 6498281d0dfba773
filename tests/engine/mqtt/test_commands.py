"""Commands: JSON is read as strictly as by Home Assistant's own reader."""

import json

from hypothesis import example, given, strategies as st
import orjson
import pytest

from custom_components.snom_buttons.engine.mqtt.commands import MAX_NESTING, read_json

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | TEXTS | st.integers() | st.floats(),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=10,
)


def check(payload: bytes) -> None:
    """Check that both readers return the same, types included, or both refuse."""
    try:
        expected = orjson.loads(payload)
    except ValueError:
        with pytest.raises(ValueError):
            read_json(payload)
    else:
        assert repr(read_json(payload)) == repr(expected)


@given(VALUES, st.booleans())
def test_json_is_read_as_orjson_reads_it(value: object, ascii_only: bool) -> None:
    check(json.dumps(value, ensure_ascii=ascii_only).encode())


@given(st.binary() | st.text('[]{}":,0123456789.eE+-ntrufalse\\ud8 \t').map(str.encode))
@example(b"\xef\xbb\xbf{}")
@example('{"a": 1}'.encode("utf-16"))
@example(b'{"a": "\\ud83d\\ude00", "\\ud800": 1}')
@example(b'{"a": "\\ud83d\\ude00"}')
@example(b"[NaN]")
@example(b"[Infinity, -Infinity]")
@example(b"[1e400]")
@example(b"[-0, -0.0, 0.1e1]")
@example(b"[18446744073709551615, 18446744073709551616]")
@example(b"[-9223372036854775808, -9223372036854775809]")
@example(b"[" + b"9" * 5000 + b"]")
@example(b"[" + b"9" * 300 + b"]")
@example(b'{"a": 1, "a": 2}')
@example(b'["\x00"]')
@example(b"[1,]")
def test_any_bytes_are_read_as_orjson_reads_them(payload: bytes) -> None:
    check(payload)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
@pytest.mark.parametrize("depth", [MAX_NESTING + 1, 8_000, 100_000])
def test_deep_nesting_is_refused(opening: bytes, depth: int) -> None:
    closing = b"]" if opening == b"[" else b"}"
    for payload in (opening * depth, opening * depth + b"1" + closing * depth):
        with pytest.raises(ValueError):
            read_json(payload)
        with pytest.raises(ValueError):
            orjson.loads(payload)


def test_nesting_up_to_the_limit_is_read() -> None:
    check(b"[" * MAX_NESTING + b"]" * MAX_NESTING)
