"""The screen in the terminal, driven by Textual's pilot."""

import pytest
from textual.widgets import Footer, Input, RichLog, Static

from snom_buttons.xbuttons import KeyDescription, parse_document
from virtual_phone import Kind, VirtualPhone, app as app_module
from virtual_phone.app import Key, PhoneApp
from virtual_phone.dialog_info import DialogInfo
from virtual_phone.maker import MAKERS


class RecordingPhone(VirtualPhone):
    """A phone that stores presses in a list and sends nothing."""

    def __init__(self, keys: int = 12) -> None:
        super().__init__("44", register=False, keys=keys)
        self.pressed: list[str] = []

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", 2048

    async def press(self, name: str) -> int | None:
        self.pressed.append(name)
        return 200

    async def dial(self, number: str) -> int:
        self.pressed.append(f"dial {number}")
        return 486

    def register_again(self) -> None:
        self.pressed.append("register")

    def show(self, document: str) -> None:
        """Apply a document as if it came from the network."""
        for key in parse_document(document.replace(" ", "\n").encode()):
            self.keys[key.name] = key
            self._note(Kind.KEY, f"key {key.name}")


def text_of(key: Key) -> list[str]:
    return [line.rstrip() for line in key.render().plain.split("\n")]


def screen_of(key: Key) -> list[str]:
    """Return the lines of the screen without padding."""
    lines = key.render_lines(key.outer_size.region)
    return [line.text[1:].rstrip() for line in lines]


def log_of(app: PhoneApp) -> list[str]:
    return [line.text.rstrip() for line in app.query_one(RichLog).lines]


async def test_shows_label_lamp_and_facts() -> None:
    phone = RecordingPhone()
    app = PhoneApp(phone)
    async with app.run_test() as pilot:
        assert text_of(app.keys[3]) == ["4 ○ key 4", ""]
        phone.show("k=4 c=on o=green n=*78 a=message l=DND")
        await pilot.pause()
        assert text_of(app.keys[3]) == ["4 ● DND", "    press sends *78 · lamp green"]
        assert "#30d158" in str(app.keys[3].render().spans)
        phone.show("k=4")
        await pilot.pause()
        assert text_of(app.keys[3]) == ["4 ○ key 4", ""]


async def test_the_lamp_of_a_busy_lamp_key() -> None:
    phone = VirtualPhone("47", registrar="127.0.0.1:9", keys=2, maker=MAKERS["yealink"])
    app = PhoneApp(phone)
    async with app.run_test() as pilot:
        assert text_of(app.keys[0]) == ["1 ○ key 1", "    press calls 1"]
        phone._on_info("1", DialogInfo(0, "sip:1@pbx"))
        await pilot.pause()
        assert text_of(app.keys[0]) == [
            "1 ● key 1",
            "    press calls 1 · lamp green",
        ]
        assert "#30d158" in str(app.keys[0].render().spans)
        status = app.query_one("#status", Static)
        assert str(status.content).startswith("Yealink 47 on no port")


EVERYTHING = (
    "k=3 c=seized o=local n=*6013 a=invite l=42 d=Ann i=19781234567 b=in f=busy101"
    " m=2/1 r=hangup s=dnd t=quiet x=ext z=[b]1"
)
"""A document with every property, and an unknown one."""


async def test_shows_every_property() -> None:
    phone = RecordingPhone(keys=5)
    app = PhoneApp(phone)
    # Wide enough for all words.
    async with app.run_test(size=(440, 24)) as pilot:
        phone.show(EVERYTHING)
        phone.show("k=4 x=flag")
        await pilot.pause()
        title, facts = screen_of(app.keys[2])
        assert title == "3 ● 42 · Ann · ✆ extension"
        assert facts.strip().split(" · ") == [
            "← 19781234567",
            "2 new, 1 old messages",
            "line in use",
            "do not disturb",
            "forwards to 101 when busy",
            "press calls *6013",
            "release hangs up",
            "treatment: quiet",
            "z=[b]1",
            "lamp green (local)",
        ]
        assert screen_of(app.keys[3]) == ["4 ○ key 4 · ⚑ flag", ""]
        assert screen_of(app.keys[4]) == ["5 ○ key 5", ""]


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (80, "    ← 19781234567 · 2 new, 1 old mess…"),
        (60, "    ← 19781234567 · 2 new, …"),
        (40, "    ← 19781234567…"),
    ],
)
async def test_a_narrow_terminal_cuts_the_end_off(width: int, expected: str) -> None:
    phone = RecordingPhone(keys=5)
    app = PhoneApp(phone)
    async with app.run_test(size=(width, 20)) as pilot:
        phone.show(EVERYTHING)
        await pilot.pause()
        assert screen_of(app.keys[2])[1] == expected


async def test_keys_stand_in_two_columns() -> None:
    app = PhoneApp(RecordingPhone(keys=5))
    async with app.run_test():
        first, second, third, fourth, fifth = (key.region for key in app.keys)
        assert first.y < second.y < third.y
        assert first.x == second.x == third.x < fourth.x == fifth.x
        assert (fourth.y, fifth.y) == (first.y, second.y)


async def test_a_lamp_blinks() -> None:
    phone = RecordingPhone(keys=1)
    app = PhoneApp(phone)
    async with app.run_test() as pilot:
        phone.keys["1"] = KeyDescription(name="1", light="pickup")
        seen = set()
        while len(seen) < 2:
            await pilot.pause(app_module.BLINK_STEP)
            seen.add(app.keys[0].lit)


async def test_key_strokes_press() -> None:
    phone = RecordingPhone(keys=70)
    app = PhoneApp(phone)
    async with app.run_test() as pilot:
        await pilot.press("1", "9", "0", "a", "e", "r", "A", "Z", "!")
    assert phone.pressed == ["1", "9", "10", "11", "14", "register", "34", "59"]
    assert [key.stroke for key in app.keys[57:62]] == ["Y", "Z", " ", " ", " "]


async def test_a_click_presses() -> None:
    phone = RecordingPhone()
    app = PhoneApp(phone)
    async with app.run_test() as pilot:
        assert await pilot.click(app.keys[7])
    assert phone.pressed == ["8"]


async def test_dials_a_number() -> None:
    phone = RecordingPhone()
    app = PhoneApp(phone)
    async with app.run_test() as pilot:
        number = app.query_one(Input)
        assert not number.display
        await pilot.press("d")
        assert number.display
        # Strokes are digits now, and q does not quit.
        await pilot.press("1", "0", "q", "backspace", "enter")
        assert not number.display
        await pilot.press("d", "5", "escape")
        assert not number.display
        await pilot.press("d", "enter", "2")
    assert phone.pressed == ["dial 10", "2"]


async def test_shows_the_registration() -> None:
    phone = RecordingPhone()
    phone._note(Kind.REGISTRATION, "something from before")
    app = PhoneApp(phone)
    async with app.run_test() as pilot:
        status = app.query_one("#status", Static)
        shown = "snom 44 on 127.0.0.1:2048 · without a registration"
        assert str(status.content) == shown
        assert not status.has_class("registered")
        phone._identity.status = "registered [b]for ever"
        phone._identity.registered_until = phone.history[0].at
        phone._note(Kind.REGISTRATION, phone.status)
        await pilot.pause()
        assert str(status.content).endswith("· registered [b]for ever")
        assert status.has_class("registered")
        assert [line[9:] for line in log_of(app)] == [
            "something from before",
            "registered [b]for ever",
        ]


async def test_q_quits_and_leaves_the_phone_alone() -> None:
    phone = RecordingPhone()
    app = PhoneApp(phone)
    async with app.run_test() as pilot:
        await pilot.press("q")
    assert app.return_code == 0
    assert phone._listeners == []


@pytest.mark.parametrize("size", [(40, 12), (24, 8)])
async def test_a_small_terminal_scrolls(size: tuple[int, int]) -> None:
    phone = RecordingPhone(keys=48)
    app = PhoneApp(phone)
    async with app.run_test(size=size) as pilot:
        keys = app.query_one("#keys")
        assert keys.region.height >= 2
        assert app.keys[0].region.y == keys.region.y
        await pilot.press("end")
        await pilot.pause()
        assert app.keys[23].region.bottom <= keys.region.bottom
        assert app.query_one(Footer).region.bottom <= size[1]
        assert await pilot.click(app.keys[47])
    assert phone.pressed == ["48"]
