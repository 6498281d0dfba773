"""A phone: one identity that we are the registrar of, with its keys and devices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from ..sip import Binding, Flow
from ..xbuttons import KeyDescription, format as format_document
from .courier import Courier
from .events import Dialled
from .key import Key
from .outbox import Outbox
from .signal import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What the newest registration of a phone says of it."""

    address: str
    """Where it came from, as `udp 192.0.2.4:2048`."""
    user_agent: str | None
    expires_at: datetime
    """Aware, in UTC."""
    supports_buttons: bool


class Phone:
    """One phone as the user knows it.

    Several devices can be registered with its identity; each of them shows its keys.
    """

    def __init__(
        self, extension: str, password: str, keys: Iterable[KeyDescription]
    ) -> None:
        """Make a phone that is not registered.

        Raises DocumentError for a key that cannot be written.
        """
        self.extension = extension
        self.password = password
        self.status: Signal[None] = Signal()
        """`available`, `in_sync` or `registration` has changed."""
        self.dialled: Signal[Dialled] = Signal()
        self.changed: Signal[None] = Signal()
        """What a key should show has changed."""
        self.registration: Registration | None = None
        self._keys = {base.name: Key(base, self._key_changed) for base in keys}
        self._gone: dict[str, None] = {}
        self._outboxes: dict[object, tuple[Binding, Outbox]] = {}

    @property
    def keys(self) -> Mapping[str, Key]:
        """The configured keys by name, in their order."""
        return self._keys

    @property
    def descriptions(self) -> list[KeyDescription]:
        """What all keys should show; those that are no longer configured, nothing.

        The latter are told so at each registration: a device that was away when a key
        was taken from it may still show it.
        """
        gone = [KeyDescription(name=name) for name in self._gone]
        return [*(key.description for key in self._keys.values()), *gone]

    @property
    def available(self) -> bool:
        """Whether a device is registered and answers."""
        return any(outbox.answering for _, outbox in self._outboxes.values())

    @property
    def in_sync(self) -> bool:
        """Whether every device that answers has taken what it should show."""
        return self.available and all(
            outbox.in_sync for _, outbox in self._outboxes.values() if outbox.answering
        )

    def configure(self, *, password: str, keys: Iterable[KeyDescription]) -> None:
        """Take a new configuration, and tell the devices what changed.

        A key that is no longer configured goes dark; of one that is kept, lamp and
        colour stay. Raises DocumentError for a key that cannot be written.
        """
        self.password = password
        before = self._keys
        bases = {base.name: base for base in keys}
        self._keys = {
            name: before.get(name) or Key(base, self._key_changed)
            for name, base in bases.items()
        }
        for name, base in bases.items():
            self._keys[name].configure(base)
        self._tell(before.keys() ^ bases.keys())
        self._gone |= dict.fromkeys(before)
        for name in bases:
            self._gone.pop(name, None)
        self.changed.emit(None)

    def registered(
        self,
        bindings: Sequence[Binding],
        courier: Courier,
        registration: Registration | None,
    ) -> None:
        """Take over what the registrar has bound now.

        A device that has just registered, if only to refresh, gets the whole picture:
        nobody knows what it shows. The registrar makes a new Binding each time.
        """
        before = self._outboxes
        self._outboxes = {}
        self.registration = registration
        for binding in bindings:
            known = before.pop(binding.key, None)
            if known is not None and known[0] is binding:
                self._outboxes[binding.key] = known
                continue
            outbox = self._outbox(binding, courier, known[1] if known else None)
            self._outboxes[binding.key] = binding, outbox
            outbox.add([*self._keys, *self._gone])
        for _, gone in before.values():
            gone.close()
        self.status.emit(None)

    def restore(self, descriptions: Iterable[KeyDescription]) -> None:
        """Take what the keys showed before a restart (`descriptions`)."""
        for description in descriptions:
            if key := self._keys.get(description.name):
                key.restore(description)
            else:
                self._gone[description.name] = None

    def heard(self, flow: Flow) -> None:
        """Take note that something has come from the device at the end of a flow."""
        for binding, outbox in self._outboxes.values():
            if binding.flow == flow:
                outbox.heard()

    def close(self) -> None:
        """End all that is under way to its devices."""
        for _, outbox in self._outboxes.values():
            outbox.close()
        self._outboxes.clear()

    def _outbox(
        self, binding: Binding, courier: Courier, before: Outbox | None
    ) -> Outbox:
        """Return an outbox, which takes over what is known of the one before.

        A device that does not answer is not back because it registers again.
        """
        if before is not None:
            before.close()
        return Outbox(
            document_of=self._document_of,
            deliver=partial(self._deliver, courier, binding),
            room=courier.room(binding),
            status_changed=partial(self.status.emit, None),
            answering=before is None or before.answering,
            in_sync=before is not None and before.in_sync,
        )

    async def _deliver(
        self, courier: Courier, binding: Binding, document: bytes
    ) -> None:
        await courier.deliver(binding, self.password, document)

    def _document_of(self, name: str) -> bytes:
        """Return what a key should show; one that is gone shows nothing."""
        key = self._keys.get(name)
        return key.document if key else format_document((KeyDescription(name=name),))

    def _key_changed(self, key: Key) -> None:
        self._tell((key.name,))
        self.changed.emit(None)

    def _tell(self, names: Iterable[str]) -> None:
        for _, outbox in self._outboxes.values():
            outbox.add(names)
