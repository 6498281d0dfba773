"""What a phone asks for when it fetches its settings: the name of a file, and who asks."""

import re
from typing import Final, NamedTuple

from ..phones import model_name
from .mac import Mac, find_mac, read_mac

_NAME: Final = re.compile(
    r"(?:snom(?P<model>[A-Z0-9]{1,12}?)(?:-(?P<mac>[0-9A-F]{12}))?\.(?:htm|xml)"
    r"|(?P<alone>[0-9A-F]{12})\.xml)?",
    re.IGNORECASE,
)
_AGENT: Final = re.compile(
    r"\bsnom(?P<model>[A-Z0-9]{1,12})-SIP (?P<version>[\d.]{1,32})",
    re.ASCII | re.IGNORECASE,
)


class Fetch(NamedTuple):
    """A request for a settings file; None for what it does not say."""

    mac: Mac | None
    model: str | None
    """Such as `D735`."""
    version: str | None
    """The version of the firmware."""


def read_fetch(name: str, user_agent: str) -> Fetch | None:
    """Return what a request says by its last path segment and its User-Agent.

    Names are `snomD735.htm`, `snomD735-000413A1B2C3.htm`, `000413A1B2C3.xml` or none. None
    for another name, and if name and User-Agent name different phones.
    """
    named = _NAME.fullmatch(name)
    if named is None:
        return None
    agent = _AGENT.search(user_agent)
    macs = {
        mac
        for mac in (
            read_mac(named["mac"] or named["alone"] or ""),
            find_mac(user_agent),
        )
        if mac is not None
    }
    if len(macs) > 1:
        return None
    model = (agent and agent["model"]) or named["model"]
    return Fetch(
        mac=next(iter(macs), None),
        model=model_name(model) if model else None,
        version=agent and agent["version"],
    )
