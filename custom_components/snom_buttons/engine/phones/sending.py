"""How the keys of a contact are sent, as its phone reports it."""

from enum import StrEnum
from typing import NamedTuple


class SentAs(StrEnum):
    """What the used keys of a contact are sent as."""

    BUTTONS = "buttons"
    BLF = "blf"
    BOTH = "both"
    """Some as documents and some as dialog states, or all as both."""
    REFUSED = "refused"
    """As nothing: it knows no documents, and a used key is not subscribed to."""
    NOTHING = "nothing"
    """It has subscribed to no key, and its phone is set up for BLF only."""

    @classmethod
    def of(cls, *, buttons: bool, blf: bool) -> SentAs:
        """Return the value for the speakers that have a key."""
        if buttons and blf:
            return cls.BOTH
        if buttons:
            return cls.BUTTONS
        return cls.BLF if blf else cls.NOTHING


class Sending(NamedTuple):
    """How the keys of a contact are sent."""

    user_agent: str
    """"" if it names none."""
    sent_as: SentAs
    subscriptions: int
    documents_refused: str | None
    """The answer by which it showed that it does not know documents."""
