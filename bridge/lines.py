"""Shared lines whose phones are on several bridges of a cluster.

One member is the home of a line, by rendezvous hash, and alone decides who holds it. The
others ask it on the broker, and all show what it has published.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterable
from functools import partial
import logging
import re
import secrets
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import unquote

from snom_buttons.mqtt import (
    CannotPublish,
    Client,
    Message,
    Received,
    Topics,
    as_json,
    read_json,
)
from snom_buttons.names import SIP_USER
from snom_buttons.phones import KeyPress, Seen, SharedLine
from snom_buttons.xbuttons import Action

from .claims import MAX_EPOCH, NAME, ranked

_LOGGER = logging.getLogger(__name__)

ANSWER: Final = 0.8
"""Seconds within which a home has to answer; after that a press has no effect.

Shorter than NO_ANSWER of the edge (deploy/kamailio/kamailio.cfg). Otherwise the edge sends
a press whose home hangs to the next bridge while this one waits, and each publishes it."""
SETTLING: Final = 0.5
"""Seconds after a change of members in which a home decides nothing: what its former home
has decided is still on its way."""
AGAIN: Final = 5.0
"""Seconds after which a home that did not answer is asked again to release a line."""

MAX_WAITING: Final = 1000
"""The most questions that wait while members change; beyond that the oldest are dropped."""
_ID: Final = re.compile("[0-9A-Za-z]{1,64}")

type Use = Literal[Action.SEIZE, Action.RELEASE]


class LineState(NamedTuple):
    """Who holds a line. Of two states the greater one counts, by epoch and home."""

    epoch: int = 0
    home: str = ""
    seized: bool = False
    phone: str = ""
    """The extension; "" for none."""
    asked: str = ""
    """The ID of the question that this state granted; "" if it is not known."""

    def after(
        self, use: Use, phone: str, home: str, asked: str = ""
    ) -> LineState | None:
        """Return the state after a use of the line by a phone; None if it has no effect.

        A question that this state has granted is granted again, without another state:
        the bridge that asked has died, and the phone has sent its press to another one.
        """
        seizes = use is Action.SEIZE
        is_again = asked != "" and asked == self.asked and seizes == self.seized
        if is_again and self.phone in ("", phone):
            return self
        if seizes:
            if self.seized:
                return None
            return LineState(self.epoch + 1, home, True, phone, asked)
        if not self.seized or phone != self.phone:
            return None
        return LineState(self.epoch + 1, home, asked=asked)

    @property
    def payload(self) -> str:
        """The payload of its retained topic."""
        return as_json(
            {
                "seized": self.seized,
                "phone": self.phone or None,
                "epoch": self.epoch,
                "home": self.home,
                "asked": self.asked,
            }
        )


def read_state(payload: bytes) -> LineState | None:
    """Return the state in a payload; None for anything else."""
    fields = _read(payload)
    match fields:
        case {
            "epoch": int(epoch),
            "home": str(home),
            "seized": bool(seized),
            "phone": None | str() as phone,
        } if (
            0 <= epoch < MAX_EPOCH
            and NAME.fullmatch(home)
            # A line that no phone holds could not be released.
            and (SIP_USER.fullmatch(phone or "") if seized else phone is None)
        ):
            asked = fields.get("asked")
            is_id = isinstance(asked, str) and _ID.fullmatch(asked)
            return LineState(
                int(epoch), home, seized, phone or "", asked if is_id else ""
            )
    return None


class Lines:
    """The shared lines of one member."""

    def __init__(
        self,
        client: Client,
        topics: Topics,
        *,
        name: str,
        live: Callable[[], Collection[str]],
        takes: Callable[[], bool],
        lines: dict[str, SharedLine],
    ) -> None:
        """Create it for the `lines` of a server, which may change, by code.

        `live` returns the names of the live members, `takes` whether this one may act.
        """
        self._client = client
        self._topics = topics
        self._name = name
        self._live = live
        self._takes = takes
        self._lines = lines
        self._heard: dict[str, LineState] = {}
        """The greatest state of each line."""
        self._retained: set[str] = set()
        """The lines of which the broker has a state, as this connection has shown."""
        self._decided: dict[str, list[LineState]] = {}
        """What we have decided as a home and the broker has not sent back yet."""
        time = asyncio.get_running_loop().time
        self._granted = Seen(time)
        """The questions that have changed a line, by code and ID, whose home granted them.

        One of them that comes again is granted without another state. Its line may have
        been used since: seized once more, it would be held against its holder's will."""
        self._refused = Seen(time)
        """Those that we have refused as a home."""
        self._asked: dict[str, asyncio.Future[bool]] = {}
        """The questions without an answer, by their IDs."""
        self._waiting: deque[tuple[str, Action, str, str]] = deque(maxlen=MAX_WAITING)
        """Questions that came while members were changing."""
        self._settling: asyncio.TimerHandle | None = None
        self._again: dict[str, asyncio.TimerHandle] = {}
        """When lines are asked for again whose holder is gone, by code."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsubscribe: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Subscribe, before the client connects."""
        base = self._topics.base
        for topic, received in (
            (self._topics.all_line_states, self._state),
            (f"{base}/line/+/ask", self._ask),
            (f"{base}/line/+/answer", self._answer),
        ):
            self._unsubscribe.append(await self._client.subscribe(topic, 1, received))
        self.update()

    def update(self) -> None:
        """Follow the lines that the server has now.

        Forget the others if no other member is live. With others, this one may still be
        their home.
        """
        if len(self._live()) == 1:
            for code in self._heard.keys() - self._lines.keys():
                del self._heard[code]
        for code, line in self._lines.items():
            line.decide = partial(self.decide, code)
            self._show(code)

    def phone_came(self, extension: str) -> None:
        """Release the lines that a phone holds, which is ours now, if it is gone."""
        for line in self._lines.values():
            if line.owner == extension:
                line.follow_owner()

    async def stop(self) -> None:
        """End."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()
        for timer in (*self._again.values(), *filter(None, (self._settling,))):
            timer.cancel()
        for asked in self._asked.values():
            asked.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def members_changed(self) -> None:
        """Decide nothing for a moment; what was decided and not heard does not count."""
        if not self._unsubscribe:  # ended
            return
        if self._settling is not None:
            self._settling.cancel()
        loop = asyncio.get_running_loop()
        self._settling = loop.call_later(SETTLING, self._settled)

    def connection_changed(self, connected: bool) -> None:
        """Forget what was decided and has not reached the broker."""
        self._decided.clear()
        self._refused = Seen(asyncio.get_running_loop().time)
        self._waiting.clear()
        if not connected:  # a new one is read before this is called
            self._retained.clear()
        self.members_changed()

    # Asking

    async def decide(
        self, code: str, use: Use, extension: str | None, press: KeyPress | None = None
    ) -> bool:
        """Ask the home of a line for a use by a phone; return whether it was granted.

        Without an answer it is not.
        """
        if self._takes():
            question = press.id if press is not None else secrets.token_hex(16)
            answer = self._asked.get(question)
            if answer is None:  # or the phone repeats the press by another way
                answer = self._ask_home(code, use, extension, question)
            try:
                await asyncio.wait((answer,), timeout=ANSWER)
            finally:
                self._asked.pop(question, None)
            if answer.done() and (answer.result() or press is not None):
                return answer.result()
            if not answer.done():
                _LOGGER.warning("The home of line %s does not answer", code)
        if press is None:
            # Its holder is gone. A new home may have refused that as it did not know of it.
            self._ask_again(code)
        return False

    def _ask_home(
        self, code: str, use: Use, extension: str | None, question: str
    ) -> asyncio.Future[bool]:
        """Publish a question; return what gets the answer."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bool] = loop.create_future()
        self._asked[question] = answer
        payload = as_json({"use": use, "phone": extension, "id": question})
        self._publish(self._topics.line(code, "ask"), payload)
        return answer

    def _ask_again(self, code: str) -> None:
        def ask() -> None:
            del self._again[code]
            if line := self._lines.get(code):
                line.follow_owner()

        if code not in self._again:
            loop = asyncio.get_running_loop()
            self._again[code] = loop.call_later(AGAIN, ask)

    def _answer(self, message: Received) -> None:
        match _read(message.payload):
            case {"id": str(question), "granted": bool(granted)}:
                answer = self._asked.get(question)
                if answer is not None and not answer.done():
                    answer.set_result(granted)

    # Deciding, as the home of a line

    def _ask(self, message: Received) -> None:
        if message.retain:
            return
        match _read(message.payload):
            case {
                "id": str(asked),
                "use": "seize" | "release" as use,
                "phone": str(phone),
            } if _ID.fullmatch(asked) and SIP_USER.fullmatch(phone):
                question = self._code(message.topic), Action(use), phone, asked
                if self._settling is not None:
                    self._waiting.append(question)
                else:
                    self._decide(*question)

    def _settled(self) -> None:
        self._settling = None
        waiting = [*self._waiting]
        self._waiting.clear()
        for question in waiting:
            self._decide(*question)

    def _decide(self, code: str, use: Action, phone: str, asked: str) -> None:
        if self._takes() and self._is_home(code):
            granted = self._grant(code, use, phone, asked)  # type: ignore[arg-type]
            answer = as_json({"id": asked, "granted": granted})
            self._publish(self._topics.line(code, "answer"), answer)

    def _grant(self, code: str, use: Use, phone: str, asked: str) -> bool:
        """Decide a question, publish the state that follows; return whether it is granted."""
        decided = self._decided.get(code, [])
        before = max(self._heard.get(code, LineState()), *decided, LineState())
        question = f"{code}/{asked}"
        if asked != before.asked:
            if question in self._refused:
                return False
            if question in self._granted or any(it.asked == asked for it in decided):
                return True
        after = before.after(use, phone, self._name, asked)
        if after is None:
            self._refused.add(question)
            return False
        if after != before:
            self._decided[code] = [*decided, after]
            self._publish_state(code, after)
        return True

    # Showing

    def _state(self, message: Received) -> None:
        code = self._code(message.topic)
        state = read_state(message.payload)
        if state is None:
            return
        self._retained.add(code)
        self._granted.add(f"{code}/{state.asked}")
        if code in self._decided:
            left = [it for it in self._decided[code] if it > state]
            self._decided[code] = left
        known = self._heard.get(code, LineState())
        if state > known:
            self._heard[code] = state
            self._show(code)
        elif state < known and (
            self._is_home(code) or self._is_home(code, {state.home})
        ):
            # Also if it is of a home that has not heard of the greater one.
            self._publish_state(code, known)

    def joined(self) -> None:
        """Publish the states that the broker has lost, now that it is read."""
        self._repeat(self._heard.keys() - self._retained)

    def repeat(self, newcomers: Collection[str]) -> None:
        """Publish states once more for members that have not heard them.

        Those whose home this was without the newcomers, one of which may be that now.
        """
        self._repeat(self._heard, newcomers)

    def _repeat(self, codes: Iterable[str], without: Collection[str] = ()) -> None:
        """Publish what is known of lines whose home this member is."""
        for code in codes:
            if self._is_home(code, without):
                self._publish_state(code, self._heard[code])

    def _is_home(self, code: str, without: Collection[str] = ()) -> bool:
        """Return whether this member is the home of a line, or would be without others."""
        members = (it for it in self._live() if it not in without)
        return self._name in ranked(f"line/{code}", members)[:1]

    def _show(self, code: str) -> None:
        line, state = self._lines.get(code), self._heard.get(code)
        if line is not None and state is not None:
            line.decided(state.seized, state.phone or None)

    def _publish_state(self, code: str, state: LineState) -> None:
        self._publish(self._topics.line(code, "state"), state.payload, retain=True)

    def _publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        task = asyncio.create_task(
            self._try(Message(topic, payload, retain)), eager_start=True
        )
        if not task.done():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _try(self, message: Message) -> None:
        try:
            await self._client.publish(message)
        except CannotPublish as error:
            _LOGGER.warning("Not published on %s: %s", message.topic, error)

    def _code(self, topic: str) -> str:
        return unquote(topic.removeprefix(f"{self._topics.base}/line/").split("/")[0])


def _read(payload: bytes) -> Any:
    try:
        return read_json(payload)
    except ValueError:
        return None
