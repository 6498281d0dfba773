"""Names and answers of phones in texts that are Markdown."""

from html import escape

from hypothesis import given, strategies as st
from markdown_it import MarkdownIt
import pytest

from custom_components.snom_buttons.hub.markdown import escape_markdown

# As the frontend's: with tables, and links where a text looks like an address.
MARKDOWN = MarkdownIt("gfm-like", {"html": True})
LINES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]))
MARKS = st.text(st.sampled_from("`*_[](){}<>!#|~-+=:/.@&;\\\"'1aw "), min_size=1)


def rendered(text: str) -> str:
    return MARKDOWN.render(text).strip()


@pytest.mark.parametrize(
    "text",
    [
        "415 see http://evil.example/a?b=c",
        "www.evil.example",
        "me@evil.example",
        "[Click](http://evil.example)",
        "![](http://evil.example/track.png)",
        "<img src=x onerror=alert(1)>",
        "&lt;b&gt;",
        "1. Stock",
        "- a",
        "# Kitchen",
        "a  b | c `d` *e* __f__ ~~g~~ \\h",
    ],
)
def test_a_text_is_shown_as_it_is(text: str) -> None:
    # A browser shows blanks in a row as one, and Markdown does so with those at the ends.
    assert (
        rendered(f"{escape_markdown(text)} is shown")
        == f"<p>{_html(text)} is shown</p>"
    )
    row = f"| a |\n| --- |\n| {escape_markdown(text)} |"
    assert f"<td>{_html(text)}</td>" in rendered(row)


@given(MARKS | LINES)
def test_any_text_is_shown_as_it_is(text: str) -> None:
    text = f"x{text}x"
    assert rendered(escape_markdown(text)) == f"<p>{_html(text)}</p>"


def _html(text: str) -> str:
    return escape(text).replace("&#x27;", "'")
