"""The phone's screen: keys in two columns, pressed by click or stroke; a log below."""

from string import ascii_lowercase, ascii_uppercase
import time
from typing import ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Footer, Input, RichLog, Static

from snom_buttons.keywords import color_of
from snom_buttons.xbuttons import KeyDescription

from .face import captions
from .phone import Entry, Kind, VirtualPhone

STROKES = "1234567890" + "".join(
    letter for letter in ascii_lowercase + ascii_uppercase if letter not in "dqr"
)
"""The strokes of the keys in their order; d, q and r are commands."""

BLINK_STEP = 0.125
"""Seconds between updates of the lamps."""


class Key(Widget):
    """One key: its stroke, its lamp and its words."""

    DEFAULT_CSS = """
    Key { height: 2; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    Key:hover { background: $boost; }
    """

    lit = reactive(False)

    def __init__(self, phone: VirtualPhone, name: str, stroke: str) -> None:
        """Create the widget of the phone's key of that name."""
        super().__init__()
        self._phone = phone
        self.key_name = name
        self.stroke = stroke

    def blink(self) -> None:
        """Update the lamp to the current phase of its pattern."""
        self.lit = self._phone.pattern(self.key_name).is_lit(time.monotonic())

    @property
    def _key(self) -> KeyDescription:
        """The key; a phone that sets itself up may have it no longer."""
        name = self.key_name
        return self._phone.keys.get(name) or KeyDescription(name=name)

    def render(self) -> Content:
        """Return the two lines of the key."""
        key = self._key
        title, about, facts = captions(key)
        return Content.assemble(
            (f"{self.stroke:1} ", "dim"),
            ("●", color_of(key)) if self.lit else ("○", "dim"),
            " ",
            (title, "bold") if title else (f"key {self.key_name}", "dim"),
            f" · {about}" if about else "",
            f"\n    {facts}",
        )

    def on_click(self) -> None:
        """Press the key."""
        self.app.run_worker(self._phone.press(self.key_name))


class PhoneApp(App[None]):
    """The screen of a phone; the caller opens and closes the phone."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #note { height: auto; padding: 0 1; }
    #status { height: 1; padding: 0 1; background: $primary-background; text-wrap: nowrap; text-overflow: ellipsis; }
    #status.registered { background: $success-darken-2; }
    #keys { height: 1fr; min-height: 2; layout: grid; grid-size: 2; grid-rows: 2; }
    #log { height: 30%; max-height: 8; border-top: solid $primary; padding: 0 1; overflow-x: hidden; scrollbar-size-vertical: 1; }
    #number { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "dial", "Dial"),
        Binding("r", "register", "Register"),
        Binding("q,ctrl+c", "quit", "Quit"),
        Binding("escape", "cancel", "Cancel", show=False),
    ]

    def __init__(self, phone: VirtualPhone, note: str = "") -> None:
        """Create the screen, with a note above the phone if there is one."""
        super().__init__()
        self._phone = phone
        self._note = note
        self.keys = self._make_keys()

    def _make_keys(self) -> list[Key]:
        names = list(self._phone.keys)
        strokes = STROKES.ljust(len(names))
        return [
            Key(self._phone, name, stroke)
            for name, stroke in zip(names, strokes, strict=False)
        ]

    def compose(self) -> ComposeResult:
        """Compose the screen; the first half of the keys is the left column."""
        if self._note:
            yield Static(self._note, id="note", markup=False)
        yield Static(id="status", markup=False)
        yield VerticalScroll(*self._in_rows(), id="keys")
        log = RichLog(id="log", max_lines=500, wrap=True, min_width=1)
        log.can_focus = False
        yield log
        yield Input(
            id="number",
            placeholder="Number to dial; Enter dials, Escape cancels",
            compact=True,
        )
        yield Footer()

    def _in_rows(self) -> list[Key]:
        """Return the keys in the order of the grid, which is by rows."""
        half = (len(self.keys) + 1) // 2
        return [key for row in range(half) for key in self.keys[row::half]]

    async def on_mount(self) -> None:
        """Show the current state and start the updates."""
        for entry in self._phone.history:
            await self._show(entry)
        self._show_status()
        self._stop_listening = self._phone.on_change(self._hear)
        self.set_interval(BLINK_STEP, self._blink)

    def on_unmount(self) -> None:
        """Stop listening to the phone."""
        self._stop_listening()

    def on_key(self, event: events.Key) -> None:
        """Press the key of a stroke."""
        for key in self.keys:
            if event.character and event.character == key.stroke:
                self.run_worker(self._phone.press(key.key_name))

    def action_dial(self) -> None:
        """Show the input for a number."""
        number = self.query_one("#number", Input)
        number.display = True
        number.focus()

    def action_cancel(self) -> None:
        """Hide the input for a number."""
        number = self.query_one("#number", Input)
        number.clear()
        number.display = False
        self.query_one("#keys").focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Dial the number, if there is one."""
        if event.value.strip():
            self.run_worker(self._phone.dial(event.value.strip()))
        self.action_cancel()

    def action_register(self) -> None:
        """Register at once."""
        self._phone.register_again()

    def _hear(self, entry: Entry) -> None:
        self.call_later(self._show, entry)

    def _blink(self) -> None:
        for key in self.keys:
            key.blink()

    async def _show(self, entry: Entry) -> None:
        if entry.kind is Kind.KEY:
            self._blink()
            for key in self.keys:
                key.refresh()
        elif entry.kind in (Kind.REGISTRATION, Kind.MESSAGES):
            self._show_status()
        elif entry.kind is Kind.SETTINGS:
            self._show_status()
            await self._show_keys()
        self.query_one(RichLog).write(f"{entry.at:%H:%M:%S} {entry.text}")

    async def _show_keys(self) -> None:
        """Replace the keys if the phone has others than before."""
        if [key.key_name for key in self.keys] != list(self._phone.keys):
            self.keys = self._make_keys()
            place = self.query_one("#keys")
            await place.remove_children()
            await place.mount_all(self._in_rows())
        for key in self.keys:
            key.refresh()

    def _show_status(self) -> None:
        phone = self._phone
        status = self.query_one("#status", Static)
        status.set_class(phone.registered, "registered")
        maker = phone.hardware.maker.name
        messages = "" if phone.waiting is None else f" · {phone.waiting}"
        status.update(
            f"{maker} {phone.title} on {phone.where} · {phone.status}{messages}"
        )
