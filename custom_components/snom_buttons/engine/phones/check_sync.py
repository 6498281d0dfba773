"""Asks a phone to fetch its settings or to restart (`Event: check-sync`).

An answer of 200 says that the phone has taken the request, not that it has carried it
out.
"""

import asyncio
from collections.abc import Iterable

from ..refused import Failed
from .contact import Contact
from .speaker import DeliveryFailed


async def check_sync(
    phone: str, contacts: Iterable[Contact], *, reboot: bool, within: float
) -> None:
    """Ask all contacts at once; return when each has taken the request.

    `phone` is the user's name of the phone. Raises Failed for the first contact that
    refused, or did not answer in `within` seconds. Nothing is repeated after that, so
    that no phone restarts later; but a connection or a proxy may still deliver it.
    """

    async def ask(contact: Contact) -> None:
        try:
            async with asyncio.timeout(within):
                await contact.check_sync(reboot=reboot)
        except TimeoutError:
            raise Failed("check_sync_silent", phone=phone) from None
        except DeliveryFailed as failure:
            raise _failed(phone, failure.answer) from failure

    outcomes = await asyncio.gather(*map(ask, contacts), return_exceptions=True)
    for outcome in outcomes:
        if outcome is not None:
            raise outcome


def _failed(phone: str, answer: str | None) -> Failed:
    """Return the error for an answer, such as `481 Subscription Does Not Exist`."""
    if answer is None:
        return Failed("check_sync_silent", phone=phone)
    match answer.partition(" ")[0]:
        case "401" | "407":
            return Failed("check_sync_challenged", phone=phone, answer=answer)
        case "481":
            return Failed("check_sync_no_subscription", phone=phone, answer=answer)
        case "405" | "489" | "501":
            return Failed("check_sync_unknown", phone=phone, answer=answer)
        case _:
            return Failed("check_sync_refused", phone=phone, answer=answer)
