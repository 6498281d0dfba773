"""What to enter in the web page of a phone of another maker, in the words of that page.

`docs/any-phone.md` has the source of the words of each maker.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple
from xml.sax.saxutils import quoteattr

from .profile import Profile

type Rows = tuple[tuple[str, str], ...]


class Words(NamedTuple):
    """The words of a web page. Values have the names of `_values` in braces."""

    account_page: str
    """The way to the page of the account."""
    account: Rows
    """Its fields with their values."""
    keys_page: str
    """The way to the page of the keys, or to the one that loads a file of them."""
    key: str = "{number}"
    """What a key is called there."""
    fields: Rows = ()
    """The fields of a key with their values; none if the keys are in a file."""
    account_field: str = ""
    """The field of a key in which the account is chosen, "" if there is none."""
    pickup_field: str = ""
    """The field of a key for what is dialled while it blinks, "" if there is none."""


WORDS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "yealink": Words(
            account_page="Account → Register",
            account=(
                ("Line Active", "Enabled"),
                ("Label", "{name}"),
                ("Display Name", "{name}"),
                ("Register Name", "{account}"),
                ("User Name", "{account}"),
                ("Password", "{password}"),
                ("SIP Server 1: Server Host", "{host}"),
                ("SIP Server 1: Port", "{port}"),
                ("Transport", "{transport}"),
            ),
            keys_page="Dsskey → Line Key",
            key="Line Key {number}",
            fields=(("Type", "BLF"), ("Value", "{key}"), ("Label", "{label}")),
            account_field="Line",
            pickup_field="Extension",
        ),
        "grandstream": Words(
            account_page="Accounts → Account 1 → General Settings",
            account=(
                ("Account Active", "Yes"),
                ("Account Name", "{name}"),
                ("SIP Server", "{registrar}"),
                ("SIP User ID", "{account}"),
                ("Authenticate ID", "{account}"),
                ("Authenticate Password", "{password}"),
                ("Name", "{name}"),
            ),
            keys_page="Settings → Programmable Keys → Virtual Multi-Purpose Keys",
            key="VPK {number}",
            fields=(
                ("Mode", "Busy Lamp Field (BLF)"),
                ("Description", "{label}"),
                ("Value", "{key}"),
            ),
            account_field="Account",
        ),
        "fanvil": Words(
            account_page="Line → SIP",
            account=(
                ("Username", "{account}"),
                ("Display Name", "{name}"),
                ("Authentication Name", "{account}"),
                ("Authentication Password", "{password}"),
                ("SIP Proxy Server Address", "{host}"),
                ("SIP Proxy Server Port", "{port}"),
            ),
            keys_page="Function Key",
            key="DSS Key {number}",
            fields=(
                ("Type", "Memory Key"),
                ("Name", "{label}"),
                ("Value", "{key}"),
                ("Subtype", "BLF/NEW CALL"),
            ),
            account_field="Line",
            pickup_field="Pickup",
        ),
        "poly": Words(
            account_page="Settings → Lines → Line 1",
            account=(
                ("Identification: Display Name", "{name}"),
                ("Identification: Address", "{account}"),
                ("Identification: Authentication User ID", "{account}"),
                ("Identification: Authentication Password", "{password}"),
                ("Identification: Label", "{name}"),
                ("Server 1: Address", "{host}"),
                ("Server 1: Port", "{port}"),
                ("Server 1: Transport", "{transport}"),
            ),
            keys_page="Utilities → Import & Export Configuration → Choose File",
        ),
        "cisco": Words(
            account_page="Voice → Ext 1",
            account=(
                ("Proxy and Registration: Proxy", "{registrar}"),
                ("Subscriber Information: Display Name", "{name}"),
                ("Subscriber Information: User ID", "{account}"),
                ("Subscriber Information: Password", "{password}"),
                ("Server Type (Voice → Phone, or Attendant Console)", "Asterisk"),
            ),
            keys_page="Voice → Phone",
            key="Line Key {number}",
            fields=(
                ("Extension", "Disabled"),
                (
                    "Extended Function",
                    "fnc=blf+sd;sub={key}@$PROXY;ext={key}@$PROXY;nme={part}",
                ),
            ),
        ),
    }
)
"""By maker. Those that are left out have a web page whose words are not known."""


class ByHand(NamedTuple):
    """What to enter for a phone."""

    account: Rows
    """The fields of the account with their values."""
    keys: Mapping[str, tuple[str, ...]]
    """For each used key what it is called and the values of its fields, by its name."""
    file: str = ""
    """The file that sets the keys, "" if they are entered."""


def by_hand(words: Words, profile: Profile, first_key: int = 1) -> ByHand:
    """Return what to enter in a web page, for the used keys of a profile.

    `first_key` is the number that the first one has there.
    """
    used = {
        number: key for number, key in enumerate(profile.keys, first_key) if key.is_used
    }
    account = tuple(
        (field, value.format_map(_values(profile))) for field, value in words.account
    )
    if not words.fields:
        return ByHand(account, {}, _attendant(profile))
    keys = {
        key.name: tuple(
            value.format(
                number=number,
                key=key.name,
                label=key.label,
                part=key.label.replace(";", ","),
            )
            for value in (words.key, *(value for _, value in words.fields))
        )
        for number, key in used.items()
    }
    return ByHand(account, keys)


def _values(profile: Profile) -> dict[str, str]:
    host, _, port = profile.registrar.rpartition(":")
    return {
        "name": profile.name,
        "account": profile.account,
        "password": profile.password,
        "registrar": profile.registrar,
        "host": host,
        "port": port,
        "transport": profile.transport.upper(),
    }


def _attendant(profile: Profile) -> str:
    """Return the file of Poly that sets the monitored numbers."""
    lines = [
        f"    attendant.resourceList.{number}.{name}={quoteattr(value)}"
        for number, key in enumerate((key for key in profile.keys if key.is_used), 1)
        for name, value in (
            ("address", key.name),
            ("label", key.label),
            ("type", "normal"),
        )
    ]
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>',
            "<polycomConfig>",
            '  <attendant attendant.reg="1"',
            *lines,
            "  />",
            "</polycomConfig>",
        )
    )
