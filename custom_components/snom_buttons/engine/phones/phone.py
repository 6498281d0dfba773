"""A phone: one identity at the registrar, with its keys and its contacts."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
import logging

from ..dialoginfo import Direction, Identity, format_dialog_info, format_message_summary
from ..refused import Failed, Refused, quoted
from ..sip import CALM, Answered, Binding, Flow, Subscription, Uri
from ..xbuttons import (
    Direction as CallDirection,
    DocumentError,
    KeyDescription,
    MessageWaiting,
    format_document,
)
from .alarm import Timer
from .blf import name_of
from .check_sync import check_sync
from .contact import Contact
from .courier import Courier
from .events import Dialled, KeyPress
from .key import Key, SavedLook, differ_only_in_label, document_of
from .outbox import Answer
from .press_memory import PressMemory
from .registration import Registration
from .sending import Sending
from .setup import LineSetup, PhoneSetup, Speakers
from .signal import Signal
from .speaker import MESSAGES, DeliveryFailed
from .traffic import Traffic

_LOGGER = logging.getLogger(__name__)

MAX_UNCONFIGURED = 200
"""Keys of a phone that are not configured and whose looks are stored."""

MAX_KEY_DOCUMENT = 8 * 1024
"""Bytes of a document of one key, which cannot be split."""


class Phone:
    """A phone as it is set up, with any number of contacts, which show its keys."""

    def __init__(
        self,
        setup: PhoneSetup,
        line_of: Callable[[str], LineSetup | None] = lambda _: None,
    ) -> None:
        """Create an unregistered phone. Raises DocumentError as `Key` does."""
        self.extension = setup.extension
        self.setup = setup
        self.status: Signal[None] = Signal()
        """`available`, `in_sync`, `lacks`, `refusal`, `exceeds` or `registrations` changed."""
        self.taken: Signal[list[str]] = Signal()
        """Names of keys whose looks a contact has taken, and MESSAGES."""
        self._answers: Signal[tuple[Contact, Answer]] = Signal()
        """The answers of contacts to documents."""
        self._contacts_changed: Signal[None] = Signal()
        self.measured: Signal[None] = Signal()
        """`round_trip` has changed."""
        self.gone: Signal[Binding] = Signal()
        """A contact from before a restart no longer answers."""
        self.pressed: Signal[KeyPress] = Signal()
        """A key was pressed; the key need not be configured."""
        self.dialled: Signal[Dialled] = Signal()
        self.changed: Signal[bool] = Signal()
        """What is stored has changed; with whether that is only the label of a key."""
        self.waiting = MessageWaiting(new=0, old=0)
        """What the message lamp shows (RFC 3842)."""
        self.shown: Signal[str] = Signal()
        """The look of a key has changed. The value is its name."""
        self.messages: Signal[object] = Signal()
        """`waiting` has changed. The value is the cause, as in Happening."""
        self.registrations: Sequence[Registration] = ()
        """Of all contacts, the newest last."""
        self.traffic = Traffic()
        self.is_followed = False
        """Whether the contacts are known: the server has been started."""
        self.keys = self._new_keys(setup)
        """The configured keys by name, in their order."""
        self._unconfigured: dict[str, KeyDescription] = {}
        self._contacts: dict[object, Contact] = {}
        self._refused: dict[str, str] = {}
        """What `refused_documents` returns of contacts that have left."""
        self._left: Sequence[Contact] = ()
        """Those that it had under another extension, until it registers with this one."""
        self._notices: dict[asyncio.Task[None], None] = {}
        """NOTIFYs of subscriptions that no contact holds."""
        self._late: dict[str, None] = {}
        """Keys of which an old document to a contact that has left may still arrive."""
        self._line_of = line_of
        self.presses = PressMemory()
        self._calm = Timer()

    @property
    def registration(self) -> Registration | None:
        """The newest registration, None without one."""
        return self.registrations[-1] if self.registrations else None

    @property
    def exceeds(self) -> bool:
        """Whether the phone sends more than its share, or has done in the last minute."""
        return self._calm.is_set

    @property
    def saved_looks(self) -> list[SavedLook]:
        """The looks of the configured keys, for `restore` after a restart."""
        return [key.saved for key in self.keys.values()]

    @property
    def unconfigured(self) -> list[KeyDescription]:
        """The looks of keys that are not configured.

        Keys that were configured before are dark. They are sent at each registration: a
        contact that was away when a key was removed may still show it.
        """
        return list(self._unconfigured.values())

    @property
    def available(self) -> bool:
        """Whether a contact answers."""
        return any(contact.answering for contact in self._contacts.values())

    @property
    def in_sync(self) -> bool:
        """Whether every contact that answers has taken all looks."""
        answering = self._answering
        return bool(answering) and all(contact.in_sync for contact in answering)

    def has_taken(self, key: str) -> bool:
        """Whether every contact that answers has taken a key's look."""
        is_answering = False  # asked for each key that is published, so without a list
        for contact in self._contacts.values():
            if contact.answering:
                if not contact.has_taken(key):
                    return False
                is_answering = True
        return is_answering

    def reaches(self, key: str) -> bool:
        """Whether there is a way to send a key's look to every contact that answers."""
        is_answering = False  # asked for each key of a phone that another bridge takes
        for contact in self._contacts.values():
            if contact.answering:
                if not contact.reaches(key):
                    return False
                is_answering = True
        return is_answering

    def lacks(self, key: str) -> bool:
        """Whether a contact does not take a key's look, or none answers.

        False for a look that is on its way for less than a second.
        """
        is_answering = False  # asked at each change of a lamp, so without a list
        for contact in self._contacts.values():
            if contact.answering:
                is_answering = True
                if contact.lacks(key):
                    return True
        return not is_answering

    def shows_dialog_state(self, key: str) -> bool:
        """Whether the phone is sent no more of a key's look than its dialog state."""
        if not self._contacts:
            return self.setup.speakers is Speakers.BLF
        return not any(it.sends_document(key) for it in self._contacts.values())

    @property
    def has_subscribed_messages(self) -> bool:
        """Whether a contact has subscribed to the message lamp."""
        return any(contact.reaches(MESSAGES) for contact in self._contacts.values())

    @property
    def _answering(self) -> list[Contact]:
        return [contact for contact in self._contacts.values() if contact.answering]

    @property
    def refusal(self) -> str | None:
        """The answer of a contact that keeps refusing documents, None without one."""
        refusals = (contact.refusal for contact in self._contacts.values())
        return next(filter(None, refusals), None)

    @property
    def needs_blf(self) -> str | None:
        """The refusal of a contact whose used keys have to be BLF, and are not all."""
        answers = (contact.needs_blf for contact in self._contacts.values())
        return next(filter(None, answers), None)

    @property
    def refused_documents(self) -> dict[str, str]:
        """The answers by which contacts refused documents, by their User-Agent.

        That of a contact that has left holds until one with another User-Agent registers.
        """
        return self._refused | {
            contact.binding.user_agent or "": contact.documents_refused
            for contact in self._contacts.values()
            if contact.documents_refused and not contact.binding.is_address
        }

    @property
    def sendings(self) -> list[Sending]:
        """How the keys of each contact are sent, in the order of `registrations`."""
        return [contact.sending for contact in self._contacts.values()]

    @property
    def round_trip(self) -> float | None:
        """Seconds that the newest contact took to answer the latest OPTIONS."""
        trips = [contact.round_trip for contact in self._contacts.values()]
        return trips[-1] if trips else None

    def settable_key(self, name: str) -> Key:
        """Return a configured key. Raises Refused for another or a shared one."""
        key = self.configured_key(name)
        self._check_not_shared(name)
        return key

    def configured_key(self, name: str) -> Key:
        """Return a configured key. Raises Refused for another one."""
        key = self.keys.get(name)
        if key is None:
            raise Refused(
                "unknown_key",
                phone=self.setup.name,
                value=quoted(name),
                allowed=", ".join(self.keys),
            )
        return key

    def configure(
        self, setup: PhoneSetup, origins: Mapping[str, str] | None = None
    ) -> None:
        """Apply a new setup of the same extension, and send what changed.

        A removed key goes dark; a kept one keeps what was set beyond its setup, or gets
        that of the key in `origins`. Raises DocumentError for a key that cannot be
        written; then nothing changes.
        """
        setups = {key.name: key for key in setup.keys}
        new = self._new_keys(setup)
        former, self.setup = self.setup, setup
        before = self.keys
        saved = {
            name: before[origin].saved
            for name, origin in (origins or {}).items()
            if origin in before
        }
        self.keys = {name: before.get(name, key) for name, key in new.items()}
        for name, key in setups.items():
            self.keys[name].configure(key, saved.get(name))
        for name in before.keys() - setups.keys():
            self._unconfigured[name] = KeyDescription(name=name)
        for name in setups:
            self._unconfigured.pop(name, None)
        for contact in self._contacts.values():
            contact.follow_setup()
        if (setup.speakers, setup.blf) == (former.speakers, former.blf):
            self._send(before.keys() ^ setups.keys())
        else:
            self._send([*self.keys, *self._unconfigured])
            self.status.emit(None)
        self.changed.emit(False)

    def show(
        self, descriptions: Iterable[KeyDescription], cause: object = None
    ) -> None:
        """Set the looks of keys, which need not be configured.

        All are sent, changed or not. Raises what `check` raises; then nothing changes.
        """
        shown = {description.name: description for description in descriptions}
        self.check(shown.values())
        for name, look in shown.items():
            if key := self.keys.get(name):
                key.show(look, cause)
            elif (before := self._unconfigured.get(name)) != look:
                self._unconfigured[name] = look
                only_label = before is not None and differ_only_in_label(before, look)
                self.changed.emit(only_label)
        self._send(shown)

    def show_messages(self, waiting: MessageWaiting, cause: object = None) -> None:
        """Set what the message lamp shows, and send it if it changes."""
        if waiting == self.waiting:
            return
        self.waiting = waiting
        for contact in self._contacts.values():
            contact.add_messages()
        self.changed.emit(False)
        self.messages.emit(cause)

    def messages_after(self, *, on: bool) -> MessageWaiting:
        """Return what the message lamp shows after it was turned on or off.

        On is one new message, unless there are some; off is none, neither new nor old.
        """
        if not on:
            return MessageWaiting(new=0, old=0)
        return MessageWaiting(self.waiting.new or 1, self.waiting.old)

    def check(self, descriptions: Iterable[KeyDescription]) -> None:
        """Raise Refused: a shared key, invalid look, or too many unconfigured keys."""
        shown = {description.name: description for description in descriptions}
        for name in shown:
            self._check_not_shared(name)
        for description in shown.values():
            _check_document(description)
        added = shown.keys() - self.keys.keys() - self._unconfigured.keys()
        # Keys that were removed from the setup count, too, but are never too many.
        if added and len(self._unconfigured) + len(added) > MAX_UNCONFIGURED:
            raise Refused(
                "too_many_keys", phone=self.setup.name, allowed=str(MAX_UNCONFIGURED)
            )

    def _check_not_shared(self, name: str) -> None:
        if line := self._line_of(name):
            raise Refused("shared_key", phone=self.setup.name, key=name, line=line.name)

    def send_again(self, key: str) -> None:
        """Send a key's look once more, if the key exists: it may not be shown yet."""
        if key in self.keys or key in self._unconfigured:
            self._send((key,))

    async def confirm(
        self, names: Collection[str], within: float, *, some: bool = False
    ) -> list[str]:
        """Send keys if they are not due; return the answer of each contact to them.

        MESSAGES counts as a key. Without names nothing is sent, and there is no answer.
        All contacts that answer must take all keys; contacts that have stopped
        answering count only if no other is left, and those that are gone do not count.
        Raises Failed for the first refusal, as soon as there is no contact, and if
        answers are missing after `within` seconds. The keys stay due then. Raises Failed,
        too, if there is no way to send a key to a contact; with `some`, if there is none
        for any key.
        """
        phone = self.setup.name
        asked = self._asked_contacts()
        held_by = next(filter(None, (it.held_by(names) for it in asked.values())), None)
        if held_by is not None:
            raise Failed("phone_refused", phone=phone, answer=held_by)
        if not names:
            return []
        missing = {
            key: {name for name in names if contact.reaches(name)}
            for key, contact in asked.items()
        }
        # The message lamp alone is not all that is asked for.
        wanted = [it for it in dict.fromkeys(names) if it != MESSAGES] or list(names)
        for contact in asked.values():
            lacking = [name for name in wanted if not contact.reaches(name)]
            if lacking and (not some or lacking == wanted):
                raise _unreached(phone, lacking, contact.refusal)
        answers: dict[object, str] = {}
        complete: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def note(came: tuple[Contact, Answer]) -> None:
            contact, answer = came[0].binding.key, came[1]
            left = missing.get(contact, set())
            if complete.done() or left.isdisjoint(answer.keys):
                return
            if not answer.taken:
                refused = Failed("phone_refused", phone=phone, answer=answer.text)
                complete.set_exception(refused)
                return
            left.difference_update(answer.keys)
            answers[contact] = answer.text
            if not any(missing.values()):
                complete.set_result(None)

        def follow_contacts(_: None) -> None:
            for contact in missing.keys() - self._contacts.keys():
                del missing[contact]
            if not missing:  # others, as of a phone that was reset, get all keys
                missing.update(
                    (key, {name for name in names if contact.reaches(name)})
                    for key, contact in self._contacts.items()
                )
            if complete.done():
                return
            if not missing:
                complete.set_exception(Failed("phone_not_registered", phone=phone))
            elif not any(missing.values()):
                complete.set_result(None)

        subscriptions = (
            self._answers.subscribe(note),
            self._contacts_changed.subscribe(follow_contacts),
        )
        try:
            for each in asked.values():
                each.add_idle(names)
            async with asyncio.timeout(within):
                await complete
        except TimeoutError:
            raise Failed("phone_silent", phone=phone, seconds=f"{within:g}") from None
        finally:
            for unsubscribe in subscriptions:
                unsubscribe()
        return list(answers.values())

    async def send_all(self, within: float) -> list[str]:
        """Send the whole picture again; return and raise what `confirm` does."""
        names = [*self.keys, *self._unconfigured]
        if self.has_subscribed_messages:
            names.append(MESSAGES)
        return await self.confirm(names, within, some=True)

    async def check_sync(self, *, reboot: bool, within: float) -> None:
        """Ask the phone to fetch its settings, or to restart. Raises Failed.

        All contacts are asked that answer, or all if none does. A phone whose extension
        was changed is asked once where it was registered with the one before.
        """
        left, self._left = self._left, ()
        contacts = left or self._asked_contacts().values()
        await check_sync(self.setup.name, contacts, reboot=reboot, within=within)

    def _asked_contacts(self) -> dict[object, Contact]:
        """Return the contacts whose answers count. Raises Failed without a contact."""
        if not self._contacts:
            raise Failed("phone_not_registered", phone=self.setup.name)
        answering = {
            key: contact for key, contact in self._contacts.items() if contact.answering
        }
        return answering or self._contacts

    def registered(
        self,
        bindings: Sequence[Binding],
        courier: Courier,
        now: float,
    ) -> None:
        """Follow a change of the bindings; each REGISTER makes a new Binding.

        The contact of a new one gets the whole picture, as it may show anything. `now`
        is the time by the clock of the bindings.
        """
        refused = self.refused_documents
        before = self._contacts
        self._contacts = {}
        self._left = () if bindings else self._left
        new: list[Contact] = []
        self.is_followed = True
        self.registrations = [Registration.of(binding, now) for binding in bindings]
        for binding in bindings:
            known = before.pop(binding.key, None)
            if known is not None and known.binding is binding:
                self._contacts[binding.key] = known
                continue
            agent = binding.user_agent or ""
            if _is_another(binding, known) and agent not in refused:
                refused = {}
            contact = self._contacts[binding.key] = Contact(
                binding,
                courier,
                self,
                documents_refused=None if binding.is_address else refused.get(agent),
                before=known,
            )
            contact.add([*self.keys, *self._unconfigured])
            contact.add_messages()
            if known is None:
                new.append(contact)
        self._refused = refused
        for contact in before.values():
            _end_subscriptions(contact, courier)
            self._late |= dict.fromkeys(contact.close())
        # A phone that was reset, or has left and come back, is a new contact.
        for contact in new:
            contact.send_again_late(self._late)
        if new:
            self._late.clear()
        self._assign(courier.notifier.subscriptions(self.extension))
        self._contacts_changed.emit(None)
        self.status.emit(None)

    # Subscriptions

    def subscription_changed(
        self, subscription: Subscription, courier: Courier
    ) -> None:
        """Send the NOTIFY that is due after a SUBSCRIBE, which may have ended it."""
        key = name_of(subscription)
        holder = self._holder_of(subscription)
        for contact in self._contacts.values():
            if contact is not holder or subscription.ended:
                contact.unsubscribed(key, subscription)
        if holder is not None and not subscription.ended:
            holder.subscribed(key, subscription)
        if holder is not None:
            holder.heard()
        if holder is None or subscription.ended:
            self._notify_once(subscription, courier)

    def subscription_ended(self, subscription: Subscription, courier: Courier) -> None:
        """Send the last NOTIFY of a subscription that we end, if its contact answers.

        Each of a contact that does not would be sent eleven times.
        """
        holder = self._holder_of(subscription)
        for contact in self._contacts.values():
            contact.unsubscribed(name_of(subscription), subscription)
        if holder is None or holder.answering:
            self._notify_once(subscription, courier)

    def _notify_once(self, subscription: Subscription, courier: Courier) -> None:
        notice = asyncio.create_task(
            self._notify(subscription, courier), name="snom_buttons notice"
        )
        self._notices[notice] = None
        notice.add_done_callback(self._notices.pop)

    async def _notify(self, subscription: Subscription, courier: Courier) -> None:
        body = self.state_of(name_of(subscription), subscription)
        try:
            await courier.notify(subscription, body, self.setup.held_password)
        except DeliveryFailed as failure:
            _LOGGER.debug("%s", failure)

    def _holder_of(self, subscription: Subscription) -> Contact | None:
        """Return the contact that a subscription comes from."""
        contacts = self._contacts.values()
        holder = next((it for it in contacts if subscription in it.subscriptions), None)
        flow, forwarded = subscription.flow, subscription.forwarded
        return self._contact_of(flow, subscription.target, holder, forwarded=forwarded)

    def takes_subscription(self, flow: Flow, target: Uri, *, forwarded: bool) -> bool:
        """Whether a new subscription comes from a contact, or there is none yet."""
        return not self._contacts or bool(
            self._contact_of(flow, target, forwarded=forwarded)
        )

    def _contact_of(
        self,
        flow: Flow,
        target: Uri,
        holder: Contact | None = None,
        *,
        forwarded: bool,
    ) -> Contact | None:
        """Return the contact that comes by a flow with a Contact, or else `holder`.

        Behind a proxy, contacts share the flow: it is that with the same URI. So it is
        if the phone registers by another way than it subscribes. A contact may have
        another URI since the dialog began, or in its SUBSCRIBE, such as one with
        `transport=udp`; it is the only one by this flow, or from this address, then.
        """
        contacts = [*reversed(self._contacts.values())]
        for contact in contacts:
            binding = contact.binding
            if not binding.forwarded and binding.comes_by(flow):
                return contact
        for contact in contacts:
            if contact.binding.contact.uri.is_equivalent(target):
                return contact
        if holder is not None:
            return holder
        for near in (
            [it for it in contacts if it.binding.comes_by(flow)],
            [it for it in contacts if it.binding.is_near(flow, forwarded=forwarded)],
        ):
            if len(near) == 1:
                return near[0]
        return None

    def _assign(self, subscriptions: Iterable[Subscription]) -> None:
        """Give subscriptions to the contacts that they come from."""
        held = {
            id(subscription): contact
            for contact in self._contacts.values()
            for subscription in contact.subscriptions
        }
        for subscription in subscriptions:
            holder, before = self._holder_of(subscription), held.get(id(subscription))
            if holder is None or holder is before:
                continue
            if before is not None:  # the other one had not registered yet
                before.unsubscribed(name_of(subscription), subscription)
            holder.subscribed(name_of(subscription), subscription)

    def refusal_changed(self, contact: Contact) -> None:
        """Follow a change of whether a contact refuses documents."""
        self._refused.pop(contact.binding.user_agent or "", None)
        self.changed.emit(False)

    def restore_refusals(self, refused: Mapping[str, str]) -> None:
        """Restore `refused_documents` from before a restart."""
        self._refused = dict(refused)

    def restore(
        self, looks: Iterable[SavedLook], unconfigured: Iterable[KeyDescription]
    ) -> None:
        """Restore the looks from before a restart, or from another extension."""
        for look in looks:
            name = look.shown.name
            if key := self.keys.get(name):
                key.restore(look)
            else:
                self._unconfigured[name] = KeyDescription(name=name)
        for description in islice(unconfigured, MAX_UNCONFIGURED):
            if description.name not in self.keys:
                self._unconfigured[description.name] = description

    def succeed(self, before: Phone) -> None:
        """Go on as a phone that is closed, the same one under another extension."""
        self.restore(before.saved_looks, before.unconfigured)
        self.waiting = before.waiting
        self.restore_refusals(before.refused_documents)
        self._left = before._left

    def end_former_password(self) -> None:
        """Accept the former password no more."""
        self.setup = replace(self.setup, former_password="")

    def heard(self, flow: Flow) -> None:
        """Record that a request has come by a flow: its contact answers."""
        for contact in self._contacts.values():
            if contact.binding.comes_by(flow):
                contact.heard()

    def acted_on(self, answered: Answered | None) -> None:
        """Record a press or call, None if it cannot come again after a restart."""
        if answered is not None:
            self.presses.add(answered=(answered,))
            self.changed.emit(False)

    def exceeded(self) -> None:
        """Record that messages or presses of the phone were more than its share."""
        is_new = not self._calm.is_set
        self._calm.set_in(CALM, self._calm_down)
        if is_new:
            _LOGGER.warning(
                "Phone %s sends more than its share, and what is too much is refused",
                self.extension,
            )
            self.status.emit(None)

    def _calm_down(self) -> None:
        self.status.emit(None)

    def lost(self, flow: Flow) -> None:
        """Record that a connection is closed: its contact has to open another one."""
        for contact in self._contacts.values():
            if contact.binding.flow == flow:
                contact.lost()

    def close(self) -> None:
        """End everything that is under way."""
        self._calm.cancel()
        for notice in self._notices:
            notice.cancel()
        for contact in self._contacts.values():
            contact.close()
        self._left = tuple(self._contacts.values()) or self._left
        self._refused = self.refused_documents
        self._contacts.clear()
        self._contacts_changed.emit(None)

    def document_of(self, name: str) -> bytes:
        """Return the document of a key, which need not be configured."""
        key = self.keys.get(name)
        return key.document if key else document_of(self._unconfigured[name])

    def state_of(self, name: str, subscription: Subscription) -> bytes:
        """Return the next document of a subscription (RFC 4235, RFC 3842)."""
        entity = subscription.local.text
        if name == MESSAGES:
            return format_message_summary(
                entity, is_waiting=self.waiting.new > 0, counts=self.waiting
            )
        key = self.keys.get(name)
        look = key.look if key else KeyDescription(name=name)
        is_out = look.direction == CallDirection.OUT
        return format_dialog_info(
            entity,
            subscription.next_version(),
            name,
            self.setup.blf.state_of(look),
            direction=Direction.INITIATOR if is_out else Direction.RECIPIENT,
            remote=Identity(entity, look.caller) if look.caller else None,
        )

    def answered_by(self, contact: Contact, answer: Answer) -> None:
        """Emit the answer of a contact to a batch of keys."""
        if answer.taken:
            self.taken.emit(answer.keys)
        self._answers.emit((contact, answer))

    def _new_keys(self, setup: PhoneSetup) -> dict[str, Key]:
        """Return the keys of a setup, by name. Raises DocumentError."""
        changed = self._key_changed  # one for all keys
        return {key.name: Key(key, changed) for key in setup.keys}

    def _key_changed(self, key: Key, only_label: bool) -> None:
        self._send((key.name,), only_labels=only_label)
        self.changed.emit(only_label)
        self.shown.emit(key.name)

    def _send(self, names: Collection[str], *, only_labels: bool = False) -> None:
        for contact in self._contacts.values():
            contact.add(names, only_labels=only_labels)


def _is_another(binding: Binding, known: Contact | None) -> bool:
    """Whether a contact is new, or its User-Agent."""
    if known is None:
        return not (binding.restored or binding.is_address)
    return known.binding.user_agent != binding.user_agent


def _unreached(phone: str, names: Collection[str], refusal: str | None) -> Failed:
    """Return the error for keys, or MESSAGES, that there is no way to send to a contact."""
    if MESSAGES in names:
        return Failed("messages_not_subscribed", phone=phone)
    if refusal is not None:
        return Failed("phone_refused", phone=phone, answer=refusal)
    return Failed("key_not_subscribed", phone=phone, value=", ".join(names))


def _end_subscriptions(contact: Contact, courier: Courier) -> None:
    """End the subscriptions of a contact that has left, which may subscribe anew."""
    for subscription in contact.subscriptions:
        if contact.answering:
            courier.notifier.end(subscription, "deactivated")
        else:  # it would get a NOTIFY eleven times
            courier.notifier.answered(subscription, 481)


def _check_document(description: KeyDescription) -> None:
    try:
        # Not by `document_of`, which would keep what is refused.
        size = len(format_document((description,)))
    except DocumentError as error:
        raise Refused(error.fault, **error.placeholders) from error
    if size > MAX_KEY_DOCUMENT:
        raise Refused(
            "document_key_too_long",
            key=description.name,
            size=str(size),
            allowed=str(MAX_KEY_DOCUMENT),
        )
