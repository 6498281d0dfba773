"""The TypeScript types of the card, written from the TypedDicts of the integration."""

import ast
from pathlib import Path

import pytest

from script import card_types

MODULE = '''
"""A module."""

from typing import Any, Literal, NotRequired, TypedDict

type Word = Literal["one", "two"]
"""Words."""
type Long = Literal["aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbb", "cccccccccccccccccccc"]


class Other:
    """No type of a message."""


class _Private(TypedDict):
    """A part that the card does not know."""


class Inner(TypedDict):
    """It holds all.

    There is more.
    """

    text: str
    """A text."""
    number: NotRequired[int | None]
    words: list[Word | None]
    table: dict[str, list[bool]]
    values: dict[str, Any]


type Either = Inner | Word
'''
WRITTEN = """\
/** Words. */
export type Word = "one" | "two";

export type Long =
  | "aaaaaaaaaaaaaaaa"
  | "bbbbbbbbbbbbbbbbbbbbbb"
  | "cccccccccccccccccccc";

/**
 * It holds all.
 *
 * There is more.
 */
export interface Inner {
  /** A text. */
  text: string;
  number?: number | null;
  words: (Word | null)[];
  table: Record<string, boolean[]>;
  values: Record<string, unknown>;
}

export type Either = Inner | Word;
"""


def test_types() -> None:
    assert "\n".join(card_types.declared(MODULE)) == WRITTEN


def test_a_type_that_has_no_other_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no TypeScript for set\[str\]"):
        card_types.typed(ast.parse("set[str]", mode="eval").body)


def test_a_stale_file_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(card_types, "WRITTEN", tmp_path / "src")
    assert card_types.main(["--check"]) == 1
    assert "face.ts is stale" in capsys.readouterr().out
    assert card_types.main([]) == card_types.main(["--check"]) == 0
    (card_types.WRITTEN / "arrange.ts").write_text("// another one\n", "utf-8")
    assert card_types.main(["--check"]) == 1
    assert capsys.readouterr().out.startswith("arrange.ts is stale")
