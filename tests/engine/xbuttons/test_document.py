"""The buttons document by known answers: the vendor's examples, and each rule."""

import copy
import pickle

import pytest

from custom_components.snom_buttons.engine.xbuttons import (
    CONTENT_TYPE,
    MAX_DOCUMENT,
    Action,
    Color,
    Direction,
    DocumentError,
    Forward,
    ForwardCondition,
    KeyDescription,
    KeyState,
    KeyType,
    LightMode,
    MessageWaiting,
    Release,
    Treatment,
    format_document,
    format_press,
    parse_document,
)

INSTANCE = "<urn:uuid:074b68b9-bff6-450c-bc50-4c44de86c11f>"

LINE_FREE = KeyDescription(
    name="2", number="*602co2", action=Action.SEIZE, label="(co2)"
)
LINE_SEIZED = KeyDescription(
    name="1",
    light=LightMode.ON,
    number="*603co1",
    action=Action.RELEASE,
    label="(co1)",
)
SEIZE_PRESS = KeyDescription(
    name="1", action=Action.SEIZE, treatment=Treatment(INSTANCE)
)
RELEASE_PRESS = KeyDescription(
    name="2", action=Action.RELEASE, treatment=Treatment(INSTANCE)
)

KEY_1 = KeyDescription(name="1")


def test_content_type_is_the_registered_word() -> None:
    """The media type that the document names."""
    assert CONTENT_TYPE == "application/x-buttons"


class TestExamplesWithKnownLength:
    """The document's examples that say their Content-Length, byte for byte."""

    @pytest.mark.parametrize(
        ("key", "body", "content_length"),
        [
            pytest.param(
                LINE_FREE,
                b"k=2\r\nn=*602co2\r\na=seize\r\nl=(co2)\r\n\r\n",
                36,
                id="line-free",
            ),
            pytest.param(
                LINE_SEIZED,
                b"k=1\r\nc=on\r\nn=*603co1\r\na=release\r\nl=(co1)\r\n\r\n",
                44,
                id="line-seized",
            ),
        ],
    )
    def test_registrar(
        self, key: KeyDescription, body: bytes, content_length: int
    ) -> None:
        """A registrar's document ends with an empty line."""
        assert format_document([key]) == body
        assert len(body) == content_length
        assert parse_document(body) == (key,)

    @pytest.mark.parametrize(
        ("key", "body", "content_length"),
        [
            pytest.param(
                SEIZE_PRESS,
                b"k=1\r\na=seize\r\n"
                b"t=<urn:uuid:074b68b9-bff6-450c-bc50-4c44de86c11f>\r\n",
                65,
                id="seize",
            ),
            pytest.param(
                RELEASE_PRESS,
                b"k=2\r\na=release\r\n"
                b"t=<urn:uuid:074b68b9-bff6-450c-bc50-4c44de86c11f>\r\n",
                67,
                id="release",
            ),
        ],
    )
    def test_press(self, key: KeyDescription, body: bytes, content_length: int) -> None:
        """A phone's document does not."""
        assert format_press(key) == body
        assert len(body) == content_length
        assert parse_document(body) == (key,)


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        pytest.param(
            b"k=1\nc=on\n", [KeyDescription(name="1", light=LightMode.ON)], id="sipsak"
        ),
        pytest.param(
            # cut at the Content-Length of 10 that the example says
            b"k=1\r\nc=on\r\n"[:10],
            [KeyDescription(name="1", light=LightMode.ON)],
            id="sipsak-content-length",
        ),
        pytest.param(
            b"k=1\r\n\r\nk=2\r\n\r\nk=3\r\nl=42\r\n\r\n"
            b"k=4\r\nc=on\r\nn=79\r\na=invite\r\nl=Office Hours\r\n\r\n",
            [
                KeyDescription(name="1"),
                KeyDescription(name="2"),
                KeyDescription(name="3", label="42"),
                KeyDescription(
                    name="4",
                    light=LightMode.ON,
                    number="79",
                    action=Action.INVITE,
                    label="Office Hours",
                ),
            ],
            id="initial-state",
        ),
        pytest.param(
            b"k=1\r\nk=2\r\nk=3\r\nl=42\r\n"
            b"k=4\r\nc=on\r\nn=79\r\na=invite\r\nl=Office Hours\r\n",
            [
                KeyDescription(name="1"),
                KeyDescription(name="2"),
                KeyDescription(name="3", label="42"),
                KeyDescription(
                    name="4", light=LightMode.ON, number="79", label="Office Hours"
                ),
            ],
            id="initial-state-as-printed",
        ),
        pytest.param(
            b"k=3\r\nl=42\r\nc=pickup\r\ni=19781234567\r\nn=*6013\r\na=invite\r\n\r\n",
            [
                KeyDescription(
                    name="3",
                    label="42",
                    light=LightMode.PICKUP,
                    caller="19781234567",
                    number="*6013",
                    action=Action.INVITE,
                )
            ],
            id="incoming-call",
        ),
        pytest.param(
            b"k=3\r\nl=42\r\n\r\n",
            [KeyDescription(name="3", label="42")],
            id="line-cleared",
        ),
        pytest.param(
            b"k=4\r\nl=DND\r\nn=*78\r\na=message\r\n\r\n",
            [
                KeyDescription(
                    name="4", label="DND", number="*78", action=Action.MESSAGE
                )
            ],
            id="dnd-off",
        ),
        pytest.param(
            b"k=4\r\nc=offline\r\nl=DND\r\nn=*79\r\na=message\r\n\r\n",
            [
                KeyDescription(
                    name="4",
                    light=LightMode.OFFLINE,
                    label="DND",
                    number="*79",
                    action=Action.MESSAGE,
                )
            ],
            id="dnd-on",
        ),
    ],
)
def test_examples_of_the_document(body: bytes, keys: list[KeyDescription]) -> None:
    """Every other body in the document is read with its meaning."""
    assert parse_document(body) == tuple(keys)
    assert parse_document(format_document(keys)) == tuple(keys)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        *(
            pytest.param(f"{letter}={word}", {field: word}, id=f"{letter}={word}")
            for letter, field, words in (
                ("c", "light", list(LightMode)[1:]),
                ("o", "color", [*Color, "#FF8800", "#ff8800"]),
                ("a", "action", list(Action)[1:]),
                ("b", "direction", list(Direction)),
                ("r", "release", list(Release)),
                ("x", "type", list(KeyType)),
            )
            for word in words
        ),
        # The document's examples name the action of each key that has a number.
        ("n=*602co2\r\na=invite", {"number": "*602co2"}),
        ("l=Küche = ☕  2", {"label": "Küche = ☕  2"}),
        ("l=~#~", {"label": "~#~"}),
        ("l=\u0085\u2028\xa0", {"label": "\u0085\u2028\xa0"}),
        ("d=Anna", {"display_name": "Anna"}),
        ("i=19781234567", {"caller": "19781234567"}),
        ("f=always42", {"forward": Forward(ForwardCondition.ALWAYS, "42")}),
        ("f=busysip:a b@c", {"forward": Forward(ForwardCondition.BUSY, "sip:a b@c")}),
        ("m=3/1", {"message_waiting": MessageWaiting(3, 1)}),
        ("m=0/999999999", {"message_waiting": MessageWaiting(0, 999_999_999)}),
        ("s=dnd", {"states": (KeyState.DND,)}),
        (
            "s=logoffofflinednddnd",
            {
                "states": (
                    KeyState.LOGOFF,
                    KeyState.OFFLINE,
                    KeyState.DND,
                    KeyState.DND,
                )
            },
        ),
        ("t=tok some text", {"treatment": Treatment("tok", "some text")}),
        ("t=~ ~", {"treatment": Treatment("~", "~")}),
        ("f=busy~", {"forward": Forward(ForwardCondition.BUSY, "~")}),
        ("~=~", {"extensions": (("~", "~"),)}),
        (f"t={INSTANCE}", {"treatment": Treatment(INSTANCE, "")}),
        ("y=later", {"extensions": (("y", "later"),)}),
        ("y=", {"extensions": (("y", ""),)}),
        ("snom-mode==", {"extensions": (("snom-mode", "="),)}),
        # values that the document does not know are kept as they stand
        ("c=ON", {"light": "ON"}),
        ("c=blinking fast", {"light": "blinking fast"}),
        ("o=#12", {"color": "#12"}),
        ("a=dance", {"action": "dance"}),
        ("b=sideways", {"direction": "sideways"}),
        ("f=never42", {"forward": "never42"}),
        ("f=always", {"forward": "always"}),
        ("m=3", {"message_waiting": "3"}),
        ("m=/", {"message_waiting": "/"}),
        ("m=3/", {"message_waiting": "3/"}),
        ("m=/1", {"message_waiting": "/1"}),
        ("m=-1/1", {"message_waiting": "-1/1"}),
        ("m=1/1/1", {"message_waiting": "1/1/1"}),
        ("m=٣/1", {"message_waiting": "٣/1"}),
        ("m=1000000000/1", {"message_waiting": "1000000000/1"}),
        ("m=1/1000000000", {"message_waiting": "1/1000000000"}),
        ("r=hold", {"release": "hold"}),
        ("s=away", {"states": ("away",)}),
        ("s=dnd away", {"states": ("dnd away",)}),
        ("s=dndlogof", {"states": ("dndlogof",)}),
        ("s=,", {"states": (",",)}),
        ("s=~dnd", {"states": ("~dnd",)}),
        ("x=LINE", {"type": "LINE"}),
    ],
)
def test_property_reads_and_writes_back(line: str, key: dict[str, object]) -> None:
    """Every property, with values that the document knows and others."""
    body = f"k=1\r\n{line}\r\n\r\n".encode()
    expected = KeyDescription(name="1", **key)  # type: ignore[arg-type]
    (read,) = parse_document(body)
    assert read == expected
    (field,) = key
    assert type(getattr(read, field)) is type(key[field])
    assert format_document([expected]) == body


@pytest.mark.parametrize(
    "line",
    ["c=off", "a=invite", *(f"{letter}=" for letter in "concaldibfmrstx"), "l=  "],
)
def test_default_or_empty_value_is_the_same_as_absent(line: str) -> None:
    """It is read as the default, and not written."""
    assert parse_document(f"k=1\r\n{line}\r\n".encode()) == (KEY_1,)
    assert format_document([KEY_1]) == b"k=1\r\n\r\n"


def test_defaults_are_the_documents() -> None:
    """What a description leaves out is off, and dials."""
    (key,) = parse_document(b"k=1")
    assert key.light is LightMode.OFF
    assert key.action is Action.INVITE
    assert (key.number, key.label, key.color, key.treatment) == (None,) * 4
    assert (key.states, key.extensions) == ((), ())


def test_lines_are_written_in_one_order_unknown_ones_last() -> None:
    """The order is that of the examples whose lengths are known."""
    known = (
        b"k=7\nc=on\no=red\nn=1\na=seize\nl=2\nd=3\ni=4\nb=in\nf=busy5\nm=6/7\n"
        b"r=hangup\ns=dnd\nt=8\nx=line\n"
    )
    unknown = b"zz=9\ny=10\nzz=11\n"
    backwards = b"\n".join(reversed(known.splitlines()[1:]))
    (key,) = parse_document(b"k=7\n" + unknown + backwards)
    assert format_document([key]) == (known + unknown + b"\n").replace(b"\n", b"\r\n")


class TestReadsLiberally:
    """Mistakes that senders are known or likely to make."""

    KEYS = (
        KeyDescription(name="1", light=LightMode.ON),
        KeyDescription(name="2", label="Hall"),
    )

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"k=1\r\nc=on\r\n\r\nk=2\r\nl=Hall\r\n\r\n", id="crlf"),
            pytest.param(b"k=1\nc=on\n\nk=2\nl=Hall\n\n", id="lf"),
            pytest.param(b"k=1\rc=on\r\rk=2\rl=Hall\r\r", id="cr"),
            pytest.param(b"k=1\r\nc=on\n\rk=2\rl=Hall\r\n", id="mixed"),
            pytest.param(b"k=1\r\nc=on\r\n\r\nk=2\r\nl=Hall", id="no-last-line-end"),
            pytest.param(
                b"\r\n\n\rk=1\nc=on\n\n\n\nk=2\nl=Hall\n\n\n", id="empty-lines"
            ),
            pytest.param(b"k=1\nc=on\n  \nk=2\nl=Hall\n ", id="lines-of-spaces"),
            pytest.param(b"k=1\nc=on\nk=2\nl=Hall\n", id="no-empty-line-between"),
            pytest.param(b"\xef\xbb\xbfk=1\nc=on\n\nk=2\nl=Hall", id="byte-order-mark"),
            pytest.param(b" k = 1 \n  c= on\n\nk =2\nl  =  Hall  \n", id="spaces"),
            pytest.param(b"k=1\nc=off\nc=on\n\nk=2\nl=Hall\n", id="repeated"),
            pytest.param(b"k=1\nc=on\n\nk=2\nl=Hall\nc=on\nc=\n", id="taken-back"),
            pytest.param(b"k=1\nc=on\n\nk=2\na=\nl=Hall\nd=\n", id="empty-values"),
        ],
    )
    def test_same_keys(self, body: bytes) -> None:
        """All of these describe the same keys."""
        assert parse_document(body) == self.KEYS

    @pytest.mark.parametrize("body", [b"", b"\r\n", b"\n\n\r\r", b"\xef\xbb\xbf", b" "])
    def test_nothing_described(self, body: bytes) -> None:
        """An empty document describes no key."""
        assert parse_document(body) == ()

    @pytest.mark.parametrize(
        "value", ["dnd logoff", "dnd,logoff", "dnd, logoff", " dnd ,,  logoff,"]
    )
    def test_states_with_separators(self, value: str) -> None:
        """The ABNF has no separator between states, but senders may use one."""
        (key,) = parse_document(f"k=1\ns={value}".encode())
        assert key.states == (KeyState.DND, KeyState.LOGOFF)
        assert format_document([key]) == b"k=1\r\ns=dndlogoff\r\n\r\n"

    def test_forward_with_a_space(self) -> None:
        """The ABNF has no separator between condition and target either."""
        (key,) = parse_document(b"k=1\nf=always  42")
        assert key.forward == Forward(ForwardCondition.ALWAYS, "42")
        assert format_document([key]) == b"k=1\r\nf=always42\r\n\r\n"

    def test_treatment_with_more_spaces(self) -> None:
        """The text begins after them."""
        (key,) = parse_document(b"k=1\nt=token   text  text ")
        assert key.treatment == Treatment("token", "text  text")

    def test_message_waiting_with_zeros_in_front(self) -> None:
        """Leading zeros do not change a number."""
        (key,) = parse_document(b"k=1\nm=007/010")
        assert key.message_waiting == MessageWaiting(7, 10)

    def test_unknown_properties_belong_to_their_own_key(self) -> None:
        """A property that is given twice is kept twice."""
        first, second = parse_document(b"k=1\ny=1\ny=1\n\nk=2\nz=2")
        assert first.extensions == (("y", "1"), ("y", "1"))
        assert second.extensions == (("z", "2"),)

    def test_same_key_twice(self) -> None:
        """Both descriptions are returned, in order: the last one counts."""
        assert [key.light for key in parse_document(b"k=1\nc=on\n\nk=1")] == [
            "on",
            "off",
        ]


@pytest.mark.parametrize(
    ("body", "line", "name", "words"),
    [
        pytest.param(b"c=on\r\n", 1, "c", "begin with k=", id="no-k"),
        pytest.param(b"\n\nc=on\nk=1\n", 3, "c", "begin with k=", id="k-not-first"),
        pytest.param(b"k=1\n\ny=2\n", 3, "y", "begin with k=", id="no-k-later"),
        pytest.param(b"K=1\n", 1, "K", "begin with k=", id="capital-k"),
        pytest.param(b"k=1\r\nk=\r\n", 2, "k", "write one, as in k=1", id="no-name"),
        pytest.param(b"k=1\r\nk=  ", 2, "k", "write one, as in k=1", id="blank-name"),
        pytest.param(b"k=1\r\nc on\r\n", 2, None, "'c on' is not a", id="no-equals"),
        pytest.param(b"k=1\r\n =on\r\n", 2, None, "' =on' is not a", id="no-property"),
        pytest.param(b"k=1\r\n=\r\n", 2, None, "name=value", id="only-equals"),
        pytest.param(
            b"\xef\xbb\xbfk=1\r\rl=a\r\n\n l =K\xfcche\r\n",
            5,
            "l",
            "the byte 0xFC is not UTF-8",
            id="latin-1",
        ),
        pytest.param(b"k=1\n\xff", 2, None, "0xFF is not", id="not-utf-8-no-property"),
        pytest.param(b"\xc3", 1, None, "0xC3 is not", id="cut-off"),
        pytest.param(b"k=\xed\xa0\x80", 1, "k", "0xED is not", id="surrogate"),
        pytest.param(b"k=1\nl=a\tb", 2, "l", "U+0009 is not allowed", id="tab"),
        pytest.param(b"k=1\nl=\x1f", 2, "l", "U+001F", id="last-control-character"),
        pytest.param(b"k=1\nl=\x7f", 2, "l", "U+007F", id="delete"),
        pytest.param(b"k=1\n\x00", 2, None, "U+0000", id="nul"),
        pytest.param(b"k=1\n\x0b=2", 2, "\x0b", "U+000B", id="control-in-name"),
    ],
)
def test_refuses_to_read(body: bytes, line: int, name: str | None, words: str) -> None:
    """The error names the line and the property, and says what is allowed."""
    with pytest.raises(DocumentError) as caught:
        parse_document(body)
    assert (caught.value.line, caught.value.property) == (line, name)
    assert words in caught.value.reason
    where = f"line {line}" if name is None else f"line {line}, property {name!r}"
    assert str(caught.value) == f"{where}: {caught.value.reason}"


@pytest.mark.parametrize(
    ("key", "name", "words"),
    [
        ({"name": ""}, "k", "a text"),
        ({"name": " 1"}, "k", "space at an end"),
        ({"name": "1\r\nc=on"}, "k", "U+000D"),
        ({"label": "a\tb"}, "l", "U+0009"),
        ({"label": "a\nb"}, "l", "U+000A"),
        ({"label": "a\rb"}, "l", "U+000D"),
        ({"label": "a\0b"}, "l", "U+0000"),
        ({"name": "6 c=on"}, "k", "write 'c=on' on a line"),
        ({"label": "a\ud800b"}, "l", "U+D800"),
        ({"label": "a\udfffb"}, "l", "U+DFFF"),
        ({"label": ""}, "l", "a text"),
        ({"label": "a "}, "l", "space at an end"),
        ({"label": " a"}, "l", "space at an end"),
        ({"light": ""}, "c", "'on'"),
        ({"light": None}, "c", "'on'"),
        ({"number": 42}, "n", "a text"),
        ({"color": ""}, "o", "'red'"),
        ({"forward": Forward(ForwardCondition.ALWAYS, "")}, "f", "'always'"),
        ({"forward": Forward(ForwardCondition.ALWAYS, " 1")}, "f", "'always'"),
        ({"forward": "busy42"}, "f", "'always'"),
        ({"message_waiting": MessageWaiting(-1, 0)}, "m", "'3/1'"),
        ({"message_waiting": MessageWaiting(0, 10**9)}, "m", "'3/1'"),
        ({"message_waiting": "3/1"}, "m", "'3/1'"),
        ({"states": ("dnd", "away")}, "s", "'dnd'"),
        ({"states": ("",)}, "s", "'dnd'"),
        ({"states": ("dndlogoff",)}, "s", "'dnd'"),
        ({"treatment": Treatment("")}, "t", "a token"),
        ({"treatment": Treatment("", "text")}, "t", "space at an end"),
        ({"treatment": Treatment("two words")}, "t", "a token"),
        ({"treatment": Treatment("token", " text")}, "t", "a token"),
        ({"treatment": Treatment("token", "text ")}, "t", "space at an end"),
        ({"extensions": (("", "1"),)}, "", "an extension"),
        ({"extensions": (("k", "2"),)}, "k", "an extension"),
        ({"extensions": (("x", "line"),)}, "x", "an extension"),
        ({"extensions": ((" y", "1"),)}, " y", "an extension"),
        ({"extensions": (("y=", "1"),)}, "y=", "an extension"),
        ({"extensions": (("y\t", "1"),)}, "y\t", "U+0009"),
        ({"extensions": (("y", "1\n"),)}, "y", "U+000A"),
        ({"extensions": (("y", " 1"),)}, "y", "space at an end"),
    ],
)
def test_refuses_to_write(key: dict[str, object], name: str, words: str) -> None:
    """Values that would be read back as something else.

    The error names the line that the property would have.
    """
    broken = KeyDescription(**{"name": "2", **key})  # type: ignore[arg-type]
    with pytest.raises(DocumentError) as caught:
        format_document([LINE_FREE, broken])
    assert caught.value.line == (6 if "name" in key else 7)
    assert caught.value.property == name
    assert words in caught.value.reason
    with pytest.raises(DocumentError):
        format_press(broken)


@pytest.mark.parametrize(
    ("body", "line", "second"),
    [
        (b"k=6 c=on", 1, "c=on"),
        (b"k=1\r\nc=on\r\n\r\nk=3 l=42", 4, "l=42"),
        (
            b"k=4 c=on n=79 a=invite l=Office Hours",
            1,
            "c=on n=79 a=invite l=Office Hours",
        ),
        (b"k=1  k=2", 1, "k=2"),
    ],
)
def test_several_properties_on_the_line_of_a_name(
    body: bytes, line: int, second: str
) -> None:
    """The vendor's page lost the line ends; the lengths that it names count them."""
    with pytest.raises(DocumentError) as caught:
        parse_document(body)
    assert (caught.value.line, caught.value.property) == (line, "k")
    assert f"write {second!r} on a line of its own" in caught.value.reason


@pytest.mark.parametrize(
    "line", ["k=Tür 6", "k=6c=on", "k=a y=1", "k=6 C=on", "l=42 c=on", "n=*78 a=invite"]
)
def test_other_texts_may_hold_equals_signs(line: str) -> None:
    """They are texts; only a name is never one that a person reads."""
    (key,) = parse_document(f"k=6\r\n{line}".encode())[-1:]
    assert line.partition("=")[2] in (key.name, key.label, key.number)


class TestSize:
    """No document is larger than 64 KiB, in bytes."""

    # "k=1", line end, "l=", the label, line end, empty line
    LARGEST = "ü" * ((MAX_DOCUMENT - len("k=1\r\nl=\r\n\r\n")) // 2) + "u"

    def test_largest(self) -> None:
        """A document of 64 KiB is written and read."""
        key = KeyDescription(name="1", label=self.LARGEST)
        body = format_document([key])
        assert len(body) == MAX_DOCUMENT
        assert parse_document(body) == (key,)

    def test_too_large_to_read(self) -> None:
        """One byte more is refused, whatever it holds."""
        with pytest.raises(DocumentError, match="65537 bytes") as caught:
            parse_document(b"\xff" * (MAX_DOCUMENT + 1))
        assert (caught.value.line, caught.value.property) == (None, None)
        assert str(caught.value) == caught.value.reason

    def test_too_large_to_write(self) -> None:
        """One byte more is refused."""
        key = KeyDescription(name="1", label=self.LARGEST + "u")
        with pytest.raises(DocumentError, match="more than 65536"):
            format_document([key])


def test_long_text_is_cut_in_an_error() -> None:
    """An error fits a log line, and what it quotes may come from any sender."""
    forty = "n" * 40
    with pytest.raises(DocumentError, match=f"'{forty}' is not a property"):
        parse_document(f"k=1\n{forty}".encode())
    with pytest.raises(DocumentError) as caught:
        parse_document(f"{forty}n=1".encode())
    assert caught.value.property == f"{forty}n"
    assert str(caught.value).startswith(f"line 1, property '{forty[:39]}…': a desc")


def test_error_survives_pickling_and_copying() -> None:
    """Exceptions may cross threads and processes."""
    error = DocumentError("document_not_utf8", 2, "l", {"byte": "0xFC"})
    assert isinstance(error, ValueError)
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (other.fault, other.line, other.property) == (
            "document_not_utf8",
            2,
            "l",
        )
        assert str(other).startswith("line 2, property 'l': the byte 0xFC is not UTF-8")


def test_a_translated_text_gets_all_values() -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(b"k=1\nwrong {0}\n")
    assert caught.value.fault == "document_no_property"
    assert caught.value.placeholders == {
        "line": "2",
        "property": "''",
        "value": "'wrong {0}'",
    }
    assert "'wrong {0}' is not a property" in str(caught.value)


def test_format_takes_any_iterable_of_keys() -> None:
    """A generator too, and none at all."""
    assert format_document(key for key in (KEY_1, KEY_1)) == b"k=1\r\n\r\nk=1\r\n\r\n"
    assert format_document([]) == b""


def test_description_is_a_value() -> None:
    """It can be compared and kept in a set, and cannot be changed."""
    assert len({LINE_FREE, copy.copy(LINE_FREE), LINE_SEIZED}) == 2
    with pytest.raises(AttributeError):
        LINE_FREE.light = LightMode.ON  # type: ignore[misc]


def test_no_more_keys_are_read_than_asked_for() -> None:
    assert len(parse_document(b"k=1\n" * 8, most=8)) == 8
    for body in (b"k=1\n" * 9, b"k=1\n" * 9 + b"broken"):
        with pytest.raises(DocumentError, match="line 9: there are more than 8 keys"):
            parse_document(body, most=8)
