"""The names of topics, and the phone and key that a topic names."""

from hypothesis import example, given, strategies as st
import pytest
import voluptuous as vol

from custom_components.snom_buttons.engine.mqtt import MAX_BASE, is_base
from custom_components.snom_buttons.engine.mqtt.topics import Topics
from custom_components.snom_buttons.engine.phones import MESSAGES
from homeassistant.components.mqtt.util import valid_publish_topic


@pytest.mark.parametrize(
    ("topic", "is_valid"),
    [
        ("snom_buttons", True),
        ("haus/telefone", True),
        ("Büro ☎", True),
        ("x" * MAX_BASE, True),
        ("x" * (MAX_BASE + 1), False),
        *((topic, False) for topic in ("", "/a", "a/", "a//b", "$SYS/a", "a/+", "a#")),
        *((f"a{sign}b", False) for sign in "\0\n\x7f\x85\ud800\ufdd0\uffff\U0001ffff"),
    ],
)
def test_base(topic: str, is_valid: bool) -> None:
    assert is_base(topic) is is_valid


@given(st.text())
@example("a\u2028b")
def test_home_assistant_takes_each_base(topic: str) -> None:
    try:
        valid_publish_topic(topic)
    except vol.Invalid:
        assert not is_base(topic)


@given(st.text(min_size=1), st.text(min_size=1))
def test_the_addressee_of_a_command(phone: str, key: str) -> None:
    topics = Topics("a/b")
    if phone.isascii() and key.isascii():
        assert topics.addressee(topics.set(phone, key)) == (phone, key)
        assert topics.addressee(topics.set(phone, None)) == (phone, None)
        assert topics.addressee(topics.set(phone, MESSAGES)) == (phone, MESSAGES)


def test_the_message_lamp_is_no_key() -> None:
    topics = Topics("a/b")
    assert topics.state("44", MESSAGES) == "a/b/44/messages"
    assert topics.set("44", MESSAGES) == "a/b/44/messages/set"
    assert topics.has_state("a/b/44/messages")
    assert not topics.has_state("a/b/44/messages/set")
    # A command to a key with this name is refused, as one that is encoded differently.
    strange = "a/b/44/key/%0Amessages/set"
    assert topics.set(*topics.addressee(strange)) != strange
