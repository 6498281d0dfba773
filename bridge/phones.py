"""The phones of a bridge that is a member of a cluster: those that it has claimed."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from snom_buttons.mqtt import MqttFollower, Received
from snom_buttons.phones import PhoneServer, PhoneSetup

from .stored import REGISTERED, Stored

WHOLE: Final = ("messages", "documents_refused")
"""What is compared as a whole of two states of a phone."""
LISTS: Final = {
    "bindings": ("contact", "cseq"),
    "subscriptions": ("call_id", "local_tag", "remote_cseq"),
    "answered": ("key",),
}
"""The lists of a phone's state, with what makes two items the same."""


class ClaimedPhones:
    """Adds the phones to a server, and removes them, as a cluster says."""

    def __init__(
        self,
        server: PhoneServer,
        mqtt: MqttFollower,
        stored: Stored,
        status: str,
        came: Callable[[str], None],
    ) -> None:
        """Create it without phones.

        `status` is the topic of the bridge's status. `came` gets a phone that is
        published from now on.
        """
        self.setups: Mapping[str, PhoneSetup] = {}
        """The phones of the settings."""
        self._server = server
        self._mqtt = mqtt
        self._stored = stored
        self._status = status
        self._came = came
        self._restored: dict[str, Any] = {}
        """What phones were restored from that still may get their last state."""
        self._touched: dict[str, set[str]] = {}
        """Their keys that have changed here since, even if they look as before again."""
        self._unfollow: dict[str, Callable[[], None]] = {}

    def add(self, extension: str) -> None:
        """Add a phone as it was last stored. Nothing is published of it yet."""
        self._server.add_phone(self.setups[extension])
        copy = self._stored.copy_of(extension)
        if copy is not None:
            self._server.restore_phone(extension, copy)
        self._restored[extension] = copy or {}
        touched = self._touched[extension] = set[str]()
        phone = self._server.phones[extension]
        self._unfollow[extension] = phone.shown.subscribe(
            lambda name: touched.add(f"k={name}")
        )

    def merge(self, extension: str, snapshot: Any) -> None:
        """Apply what its former bridge has changed since, unless it changed here, too.

        A key that changed here is toggled by the presses that only that one has taken.
        """
        before = self._restored.get(extension)
        if before is None or not isinstance(snapshot, Mapping):
            return
        ours = self._server.phone_snapshot(extension)
        touched = self._touched[extension]
        own = {*touched}
        merged = merged_state(before, snapshot, ours, own)
        if merged is not None:
            self._server.restore_phone(extension, {**merged, "acted": []})
            touched &= own  # what came from there is no change of ours
        toggled = {key.removeprefix("k=") for key in own}
        self._server.catch_up(extension, snapshot.get("acted"), toggled)
        self._restored[extension] = snapshot
        self._send_again(extension, snapshot)

    def catch_up(self, extension: str, snapshot: Any) -> None:
        """Toggle keys by presses that only another bridge has taken, and heard late.

        Take its registrations if we have none: the phone may have registered there while
        both have claimed it. All else of it is too late. Publish and send again what it
        has published and sent after us.
        """
        if not isinstance(snapshot, Mapping):
            return
        if not self._server.phones[extension].registrations:
            ours = self._server.phone_snapshot(extension)
            theirs = {name: snapshot.get(name) for name in REGISTERED}
            rest = {**ours, "answered": [], "acted": []}
            self._server.restore_phone(extension, rest | theirs)
        keys = self._server.phones[extension].keys
        self._server.catch_up(extension, snapshot.get("acted"), keys)
        self._send_again(extension, snapshot)
        self._mqtt.repeat_phone(extension)
        self._stored.write_again(extension)

    def _send_again(self, extension: str, snapshot: Mapping[str, Any]) -> None:
        """Send the keys that another bridge may have sent otherwise after us."""
        ours = _by_key(self._server.phone_snapshot(extension).get("keys"))
        for key, look in _by_key(snapshot.get("keys")).items():
            if key in ours and ours[key] != look:
                self._server.phones[extension].send_again(key.removeprefix("k="))

    def publish(self, extension: str, *, is_unchanged: bool = False) -> None:
        """Publish the states of a phone from now on.

        If it `is_unchanged` since it was added, what is known to be published is not
        published again.
        """
        self._end_move(extension)
        self._stored.recall(extension)
        published = self._stored.published_of(extension) if is_unchanged else None
        is_published = self._mqtt.add_phone(extension, published)
        self._stored.add_phone(extension, is_stored=is_published)
        self._came(extension)

    def commanded(self, extension: str, message: Received) -> None:
        """Record that a command to a phone is carried out now."""
        self._stored.commanded(extension, message)

    def hold(self, is_held: bool) -> None:
        """Publish nothing that may come later, until it `is_held` no more."""
        self._mqtt.publisher.hold(is_held)

    def remove(self, extension: str, *, last: bool, clear: bool = False) -> None:
        """Remove a phone; publish its `last` state for its next bridge, or clear all.

        Its last state is published in any case if it has something that was not stored:
        presses that were taken toggle their keys.
        """
        is_unsaved = extension in self._restored or self._stored.is_due(extension)
        self._end_move(extension)
        if last or (is_unsaved and not clear):
            self._stored.hand_over(extension)
        else:
            self._stored.remove_phone(extension, clear=clear)
        self._mqtt.remove_phone(extension, clear=clear)
        self._server.remove_phone(extension)

    def _end_move(self, extension: str) -> None:
        self._restored.pop(extension, None)
        self._touched.pop(extension, None)
        if (unfollow := self._unfollow.pop(extension, None)) is not None:
            unfollow()

    def clear(self, extension: str) -> None:
        """Clear all topics of a phone that was removed."""
        self._stored.clear((extension,))

    def repeat_status(self) -> None:
        """Publish once more that the bridge is online, if it is."""
        self._mqtt.publisher.republish(self._status)


def merged_state(
    before: Mapping[str, Any],
    theirs: Mapping[str, Any],
    ours: Mapping[str, Any],
    touched: Collection[str] = (),
) -> dict[str, Any] | None:
    """Return our state of a phone with what changed in theirs, None if nothing did.

    All are `phone_snapshot`s that began as `before`. What changed in both is as in ours,
    and so are the keys that were `touched`: two toggles leave a key as it was.
    """
    merged = dict(ours)
    for name in WHOLE:
        if theirs.get(name) != before.get(name) == ours.get(name):
            merged[name] = theirs.get(name)
    for name, identity in LISTS.items():
        was, is_now = (_ids(it.get(name), identity) for it in (before, ours))
        if _ids(theirs.get(name), identity) != was == is_now:
            merged[name] = theirs.get(name)
    keys = _by_key(ours.get("keys"))
    was_shown = _by_key(before.get("keys"))
    for key, look in _by_key(theirs.get("keys")).items():
        is_ours = key in touched or keys.get(key) != was_shown.get(key)
        if look != was_shown.get(key) and not is_ours:
            keys[key] = look
    if keys != _by_key(ours.get("keys")):
        merged["keys"] = [*keys.values()]
    return None if merged == ours else merged


def _ids(items: Any, identity: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """Return what identifies the items of a list, which may be anything."""
    if not isinstance(items, list):
        return []
    return [
        tuple(item.get(name) for name in identity)
        for item in items
        if isinstance(item, dict)
    ]


def _by_key(items: Any) -> dict[str, Any]:
    """Return stored looks by the first line of their documents, which names the key."""
    if not isinstance(items, list):
        return {}
    return {
        shown.partition("\r\n")[0]: item
        for item in items
        if isinstance(item, dict) and isinstance(shown := item.get("shown"), str)
    }
