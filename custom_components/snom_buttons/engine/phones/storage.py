"""The stored state of a server, as JSON. Bindings end in wall-clock time there."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
import hashlib
import logging
import time
from typing import Any, NamedTuple, cast

from ..dialoginfo import MAX_COUNT
from ..sip import (
    MAX_ADDRESS,
    MAX_BINDINGS,
    MAX_HEAD,
    MAX_USER_AGENT,
    Answered,
    Binding,
    Flow,
    LocationService,
    Notifier,
    is_in,
    parse_address,
    parse_path,
    parse_uri,
    readable,
)
from ..xbuttons import (
    Action,
    KeyDescription,
    LightMode,
    MessageWaiting,
    format_document,
    parse_document,
)
from .events import Acted, Use
from .key import SavedLook, document_of
from .line import SharedLine
from .phone import Phone
from .press_memory import MAX_REMEMBERED
from .settings import ServerSettings
from .stored import Fields, fault, loaded
from .stored_subscriptions import load_subscriptions, save_subscriptions

_LOGGER = logging.getLogger(__name__)

MAX_LOOKS = 1_000
"""Looks of a phone's keys that are restored: more than any phone has."""


type Prove = Callable[[str, str], str | None]
"""Returns the proof of a phone's extension and password, None for none."""


class Change(NamedTuple):
    """A change of what a snapshot contains."""

    extension: str | None = None
    """The phone; None for the shared lines."""
    only_label: bool = False
    """Nothing changed but the label of a key, which need not be stored soon."""
    registration: bool = False
    """A registration or subscription, which the phone may not repeat for an hour."""


@dataclass(frozen=True, slots=True)
class Storage:
    """The snapshots of a server."""

    settings: ServerSettings
    phones: Mapping[str, Phone]
    lines: Mapping[str, SharedLine]
    location: LocationService
    notifier: Notifier
    clock: Callable[[], float]
    """That of `location` and `notifier`."""
    prove: Prove | None = None
    """Returns what shows which password a registration was made with. None for a digest,
    from which a short password can be guessed: it is for a file that only we read."""

    def snapshot(self) -> dict[str, Any]:
        """Return the argument of `restore`, as JSON."""
        return {
            "phones": {
                extension: self.phone_snapshot(phone)
                for extension, phone in self.phones.items()
            },
            "lines": self.lines_snapshot(),
        }

    def phone_snapshot(self, phone: Phone) -> dict[str, Any]:
        """Return what is stored of a phone."""
        bindings = self.location.bindings(phone.extension)
        return {
            "bindings": save_bindings(bindings, self.clock()),
            "documents_refused": _readable_refusals(phone.refused_documents),
            "keys": save_keys(phone.saved_looks, phone.unconfigured),
            "messages": {"new": phone.waiting.new, "old": phone.waiting.old},
            "proof": self._proof(phone),
            "answered": save_answered(phone.presses.answered),
            "acted": save_acted(phone.presses.acted),
            "subscriptions": save_subscriptions(
                self.notifier.subscriptions(phone.extension), self.clock()
            ),
        }

    def lines_snapshot(self) -> dict[str, Any]:
        """Return what is stored of the shared lines."""
        return {line_id: line.save() for line_id, line in self.lines.items()}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Restore the phones, keys and lines that are set up.

        The snapshot may contain anything; what is broken is left out, with a warning.
        """
        # Version 0.1 stored only the phones.
        phones = _mapping(snapshot.get("phones", snapshot), "phones")
        for extension, phone in self.phones.items():
            self.restore_phone(phone, phones.get(extension))
        self.restore_lines(snapshot.get("lines"))

    def restore_lines(self, saved: object) -> None:
        """Restore the shared lines; `saved` may be anything."""
        lines = _mapping(saved, "shared lines")
        for line_id, line in self.lines.items():
            line.restore(lines.get(line_id))

    def restore_phone(self, phone: Phone, part: object) -> None:
        """Restore a phone; `part` may be anything."""
        extension = phone.extension
        saved = _mapping(part, f"data of phone {extension}")
        phone.presses.add(
            load_answered(saved.get("answered"), extension),
            load_acted(saved.get("acted"), extension),
        )
        phone.restore(*load_keys(saved.get("keys"), extension))
        phone.waiting = load_messages(saved.get("messages"), extension)
        phone.restore_refusals(load_refusals(saved.get("documents_refused")))
        if phone.setup.address is None and self._is_proved(phone, saved.get("proof")):
            now = self.clock()
            bindings = load_bindings(saved.get("bindings"), extension, now)
            self.location.restore(
                extension, [it for it in bindings if self._is_allowed(it.flow)]
            )
            subscriptions = load_subscriptions(
                saved.get("subscriptions"), extension, now
            )
            self.notifier.restore(
                extension, [it for it in subscriptions if self._is_allowed(it.flow)]
            )

    def _proof(self, phone: Phone) -> str | None:
        if self.prove is None:
            return _digest(phone)
        return self.prove(phone.extension, phone.setup.held_password)

    def _is_proved(self, phone: Phone, proof: object) -> bool:
        """Whether what is stored was registered with the password of the setup."""
        if not isinstance(proof, str):
            return False
        # Version 0.1 had the realm in it.
        if self.prove is None and proof == _digest(phone, self.settings.realm):
            return True
        return proof == self._proof(phone)

    def _is_allowed(self, flow: Flow) -> bool:
        """Whether the settings, which may have changed, still allow requests by it."""
        networks = (*self.settings.networks, *self.settings.edges)
        return is_in(networks, flow.host) and flow.transport in self.settings.ports


def _mapping(saved: object, what: str) -> Mapping[str, Any]:
    """Return a stored mapping; an empty one, with a warning, for anything else."""
    if isinstance(saved, Mapping):
        return saved
    if saved is not None:
        _LOGGER.warning("The stored %s cannot be read: %s", what, type(saved))
    return {}


def _digest(phone: Phone, *realm: str) -> str:
    """Return a digest that shows which password a registration was made with."""
    secret = "\0".join((phone.extension, *realm, phone.setup.held_password))
    return hashlib.sha256(secret.encode()).hexdigest()


def save_bindings(bindings: Iterable[Binding], now: float) -> list[dict[str, Any]]:
    """Return bindings as JSON; `now` is the time in their clock.

    Left out: those by a connection, by address, or not UTF-8, which JSON cannot hold.
    """
    saved = []
    for binding in bindings:
        if binding.flow.ends or binding.is_address:
            continue
        texts = (binding.aor.text, binding.contact.text, binding.call_id, *binding.path)
        if readable("".join(texts)) != "".join(texts):
            continue
        saved.append(
            {
                "user": binding.user,
                "aor": binding.aor.text,
                "contact": binding.contact.text,
                "flow": list(binding.flow[:3]),
                "call_id": binding.call_id,
                "cseq": binding.cseq,
                "expires_at": time.time() + binding.expires_at - now,
                "instance": binding.instance,
                "user_agent": binding.user_agent,
                "supports_buttons": binding.supports_buttons,
                "path": list(binding.path),
                "forwarded": binding.forwarded,
            }
        )
    return saved


def load_bindings(saved: object, extension: str, now: float) -> list[Binding]:
    """Return the newest bindings of `save_bindings`; broken ones are left out."""
    load = partial(_load_binding, extension=extension, now=now)
    what = f"registrations of phone {extension}"
    return loaded(saved, what, load, slice(-MAX_BINDINGS, None))


def _load_binding(item: object, *, extension: str, now: float) -> Binding:
    """Return a binding. Raises KeyError, TypeError or ValueError if it is broken.

    The limits are those of the parser and the registrar.
    """
    fields = Fields(item)
    flow = fields.flow()
    if fields.text("user", MAX_ADDRESS) != extension:
        raise ValueError("it is that of another phone")
    aor = parse_uri(fields.text("aor", MAX_ADDRESS)).with_scheme
    contact = parse_address(fields.text("contact", MAX_ADDRESS))
    if aor.user != extension or not (aor.is_sip and contact.uri.is_sip):
        raise ValueError("its addresses are no phone's")
    # Version 0.1 did not support proxies.
    path = fields.texts("path", MAX_ADDRESS) if "path" in fields.item else []
    forwarded = fields.flag("forwarded", default=False)
    return Binding(
        user=extension,
        aor=aor,
        contact=contact,
        flow=flow,
        call_id=fields.text("call_id", MAX_HEAD),
        cseq=fields.number("cseq"),
        expires_at=fields.expires_at(now),
        instance=fields.optional_text("instance", MAX_ADDRESS),
        user_agent=fields.optional_text("user_agent", MAX_USER_AGENT),
        supports_buttons=fields.get("supports_buttons", bool),
        path=parse_path(path),
        forwarded=bool(path) or forwarded,
        restored=True,
    )


def _readable_refusals(refused: Mapping[str, str]) -> dict[str, str]:
    """Return what JSON can hold: a User-Agent need not be valid UTF-8."""
    return {agent: said for agent, said in refused.items() if readable(agent) == agent}


def load_refusals(saved: object) -> dict[str, str]:
    """Return the answers by which contacts refused documents; broken ones are left out."""
    items = saved.items() if isinstance(saved, dict) else ()
    texts = [
        (agent, said)
        for agent, said in items
        if isinstance(agent, str)
        and isinstance(said, str)
        and max(len(agent), len(said)) <= MAX_USER_AGENT
        and (agent + said).isprintable()
    ]
    return dict(texts[:MAX_BINDINGS])


def load_messages(saved: object, extension: str) -> MessageWaiting:
    """Return the stored waiting messages, none if they are broken, with a warning."""
    match saved:
        case None:  # version 0.1 did not have them
            pass
        case {"new": int(new), "old": int(old)} if (
            0 <= new <= MAX_COUNT and 0 <= old <= MAX_COUNT
        ):
            return MessageWaiting(new, old)
        case _:
            _LOGGER.warning(
                "The stored messages of phone %s cannot be read: %s",
                extension,
                type(saved),
            )
    return MessageWaiting(new=0, old=0)


def save_answered(answered: Iterable[Answered]) -> list[dict[str, Any]]:
    """Return as JSON the requests of which a retransmission may still come."""
    return [
        {
            "key": each.key,
            "at": each.at,
            # UTF-8 need not be valid in a header, and JSON cannot hold other bytes.
            "response": each.response.decode("latin-1"),
        }
        for each in answered
        if each.is_current and readable(each.key) == each.key
    ]


def load_answered(saved: object, extension: str) -> list[Answered]:
    """Return the current ones of `save_answered`; broken ones are left out."""
    what = f"answers to phone {extension}"
    held = loaded(saved, what, _load_answered, slice(-MAX_REMEMBERED, None))
    return [answered for answered in held if answered.is_current]


def _load_answered(item: object) -> Answered:
    """Return an answer. Raises KeyError, TypeError or ValueError if it is broken."""
    fields = Fields(item)
    response = fields.get("response", str).encode("latin-1")
    is_response = not response or response.startswith(b"SIP/2.0 ")
    if len(response) > MAX_HEAD or not is_response:
        raise ValueError("it is no response")
    return Answered(
        fields.text("key", MAX_HEAD), fields.get("at", int, float), response
    )


def save_acted(acted: Iterable[Acted]) -> list[dict[str, Any]]:
    """Return as JSON the presses that may come again."""
    return [each._asdict() for each in acted if each.is_current]


def load_acted(saved: object, extension: str) -> list[Acted]:
    """Return the current ones of `save_acted`; broken ones are left out."""
    what = f"presses of phone {extension}"
    held = loaded(saved, what, _load_acted, slice(-MAX_REMEMBERED, None))
    return [acted for acted in held if acted.is_current]


def _load_acted(item: object) -> Acted:
    """Return a press. Raises KeyError, TypeError or ValueError if it is broken."""
    fields = Fields(item)
    use = fields.optional_text("use", MAX_HEAD)
    if use not in (None, Action.SEIZE, Action.RELEASE):
        raise ValueError("it is no use of a line")
    at = fields.get("at", int, float)
    toggled = fields.optional_text("toggled", MAX_HEAD) or ""
    return Acted(fields.text("id", MAX_HEAD), at, cast("Use | None", use), toggled)


def save_keys(
    looks: Iterable[SavedLook], unconfigured: Iterable[KeyDescription]
) -> list[dict[str, Any]]:
    """Return looks as JSON: each is a buttons document."""
    return [*map(_save_look, looks), *({"shown": _save(look)} for look in unconfigured)]


def _save_look(look: SavedLook) -> dict[str, Any]:
    shown = _save(look.shown)
    is_configured = look.configured == look.shown
    saved: dict[str, Any] = {
        "configured": shown if is_configured else _save(look.configured),
        "shown": shown,
        "on": look.is_on,
    }
    if not look.used:
        saved["used"] = False
    if look.colors:
        saved["colors"] = True
    return saved


def load_keys(
    saved: object, extension: str
) -> tuple[list[SavedLook], list[KeyDescription]]:
    """Return the looks of `save_keys`, or version 0.1's; broken ones are left out."""
    if isinstance(saved, str):
        return _load_document(saved, extension), []
    looks: list[SavedLook] = []
    unconfigured: list[KeyDescription] = []
    for look in loaded(
        saved, f"keys of phone {extension}", _load_look, slice(MAX_LOOKS)
    ):
        if isinstance(look, SavedLook):
            looks.append(look)
        else:
            unconfigured.append(look)
    return looks, unconfigured


def _load_look(item: object) -> SavedLook | KeyDescription:
    """Return a look, of a key that is not configured without its configuration.

    Raises KeyError, TypeError or ValueError if it is broken.
    """
    fields = Fields(item)
    (shown,) = _load(fields.get("shown", str))
    if "configured" not in fields.item:
        return shown
    (configured,) = _load(fields.get("configured", str))
    return SavedLook(
        configured=configured,
        shown=shown,
        is_on=fields.get("on", bool),
        used=fields.flag("used", default=True),
        colors=fields.flag("colors", default=False),
    )


def _save(look: KeyDescription) -> str:
    return document_of(look).decode()


@lru_cache(maxsize=1024)
def _load(document: str) -> tuple[KeyDescription, ...]:
    """Return a document's keys. Raises ValueError if it cannot be read and written."""
    keys = parse_document(document.encode())
    format_document(keys)
    return keys


def _load_document(document: str, extension: str) -> list[SavedLook]:
    """Return the looks that version 0.1 stored, none if they are broken."""
    try:
        return [
            SavedLook(
                configured=replace(shown, color=None),
                shown=shown,
                is_on=shown.light != LightMode.OFF,
            )
            for shown in _load(document)[:MAX_LOOKS]
        ]
    except ValueError as error:
        _LOGGER.warning(
            "The stored keys of phone %s cannot be read: %s", extension, fault(error)
        )
        return []
