"""What turns the looks of keys into requests to one contact."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final, Protocol

MESSAGES: Final = "\nmessages"
"""The phone's message lamp, beside the names of keys, none of which has a line end."""


class DeliveryFailed(Exception):
    """A request did not arrive, or was refused."""

    def __init__(
        self,
        reason: str,
        *,
        answer: str | None = None,
        retry_after: float | None = None,
        unsent: bool = False,
    ) -> None:
        """Keep the reason, a text for the log.

        `answer` is the contact's refusal, as `415 Unsupported Media Type`, None without
        an answer; `retry_after` the seconds that it asks to wait. `unsent`: the system
        did not send it, which says nothing about the contact.
        """
        super().__init__(reason)
        self.answer = answer
        self.retry_after = retry_after
        self.unsent = unsent

    @property
    def answered(self) -> bool:
        """Whether the contact answered, with a refusal."""
        return self.answer is not None


class DocumentsRefused(DeliveryFailed):
    """The contact does not know buttons documents, and gets no more."""


class SubscriptionEnded(DeliveryFailed):
    """The contact's answer to a NOTIFY ended the subscription (RFC 6665 4.2.2)."""


type Outcome = str | DeliveryFailed
"""The answer by which a contact took a key, or why it did not."""


class Speaker(Protocol):
    """Sends the looks of keys to one contact, a batch of keys at a time.

    `MESSAGES` counts as a key there.
    """

    def batch(self, due: Iterable[str], alone: Container[str]) -> list[str]:
        """Return the first of the due keys that go together; one in `alone` goes alone."""

    async def deliver(self, keys: Sequence[str]) -> Mapping[str, Outcome]:
        """Send the newest looks of a batch; return the outcome of each key.

        A key that is left out is not to be sent any more.
        """
