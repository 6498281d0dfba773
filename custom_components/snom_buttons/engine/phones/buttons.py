"""Sends keys as buttons documents, by MESSAGE (LED Remote Control)."""

from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence

from ..sip import Binding, OutgoingRequest
from ..xbuttons import CONTENT_TYPE
from .courier import Courier
from .speaker import DeliveryFailed, DocumentsRefused, Outcome


class Buttons:
    """The speaker that joins the documents of a batch into one MESSAGE."""

    def __init__(
        self,
        binding: Binding,
        courier: Courier,
        *,
        document_of: Callable[[str], bytes],
        send: Callable[[OutgoingRequest], Awaitable[str]],
    ) -> None:
        """Send to a binding.

        `document_of` returns the current document of a key, `send` sends a request and
        returns the contact's answer. It raises DeliveryFailed, or DocumentsRefused.
        """
        self._binding = binding
        self._courier = courier
        self._document_of = document_of
        self._send = send
        self._room = courier.room(self._message(b""), binding.flow)

    def batch(self, due: Iterable[str], alone: Container[str]) -> list[str]:
        """Return the first of the due keys that one document holds.

        A key that is larger than a document goes alone, as does one of a refused
        document (`alone`): another key may have been the reason.
        """
        keys: list[str] = []
        room = self._room - self._courier.credentials_of(self._binding)
        for key in due:
            goes_alone = key in alone
            room -= len(self._document_of(key))
            if keys and (goes_alone or room < 0):
                break
            keys.append(key)
            if goes_alone:
                break
        return keys

    async def deliver(self, keys: Sequence[str]) -> Mapping[str, Outcome]:
        """Send a batch; return the outcome of its document for each key."""
        document = b"".join(map(self._document_of, keys))
        try:
            answer = await self._send(self._message(document))
        except DocumentsRefused:
            return {}
        except DeliveryFailed as failure:
            # Kept in a variable, it would keep itself alive by its traceback.
            return dict.fromkeys(keys, failure)
        return dict.fromkeys(keys, answer)

    def _message(self, document: bytes) -> OutgoingRequest:
        """Return a MESSAGE as in the LED Remote Control document (docs/decisions/0016)."""
        return self._courier.request(
            "MESSAGE",
            self._binding,
            ("Subject", "buttons"),
            ("Content-Type", CONTENT_TYPE),
            body=document,
        )
