"""What a phone is to be set to: a profile, and the settings that follow from it.

`settings_of` and `keys_of` are the only place that knows the names and values of snom's
settings. What is rendered from them is in `xml_file`, `link` and the dialogues.
"""

from dataclasses import dataclass, field
import hashlib
import re
from typing import Final, NamedTuple

from .region import Region

POLLING_SECONDS: Final = 24 * 60 * 60
"""Seconds after which a phone fetches its settings again by itself."""
EXPIRES_SECONDS: Final = 600
"""Seconds that a phone registers for."""

# The states in which a lamp shines in a way. A list replaces that of the phone: these are
# the defaults of snom, then names that a light mode may have as a state of a key.
_LAMPS: Final = {
    "led_on": (
        "ON BUSY IN_A_CALL CALLING IN_A_MEETING URGENT_INTERRUPTIONS_ONLY DND"
        " UNAVAILABLE ACTIVE INACTIVE BE_RIGHT_BACK AWAY SEIZED CONNECTED ON_HOLD"
        " OFFHOOK RINGBACK I-Am-Ready AVAILABLE I-Am-Busy PhoneHasCall"
        " PhoneHasMissedCalls OFFLINE"
    ),
    "led_blink_slow": (
        "PARKED HOLDING I-Am-Almost-Ready call_center_status_normal"
        " PhoneHasCallInStateHolding held_local held_remote KeyConfigActive"
        " call_parked HOLD PARK"
    ),
    "led_blink_medium": "RECORDING MESSAGE DateOngoing DateReminding RECORD",
    "led_blink_fast": (
        "RINGING PICKUP call_center_status_exceed PhoneHasCallInStateRinging"
        " alerting_local alerting_remote ERROR"
    ),
}

WEB_USER: Final = "admin"
"""The user of the phone's web page, if it has a password."""

# What XML 1.0 does not allow, and the line ends and tabs that a parser may change.
_UNREADABLE: Final = re.compile("[^\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_EXPANSION_GAP: Final = {"D385": (48, 126)}
"""By model: its own keys, and how many indexes lie between them and the first one of an
expansion module. Modules of other models go on without a gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileKey:
    """A key as the phone has to know it."""

    name: str
    """Its name in the buttons document (`k=`)."""
    label: str
    is_used: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a phone is to be set to."""

    account: str
    password: str = field(repr=False)
    name: str
    """What the phone shows as its own name."""
    registrar: str
    """Host and port."""
    transport: str = "udp"
    """`udp`, `tcp` or `tls`."""
    model: str = ""
    """Such as `D735`; "" if it is not known."""
    identity: int = 1
    """The number of the phone's identity that is used. The others are not touched."""
    former: int | None = None
    """The identity of the whole profile that the phone was set to before, if this one does
    not replace it. It is switched off; beside a telephone system, the phone also fetches
    its settings here no more."""
    keys: tuple[ProfileKey, ...] = ()
    """In the order of the phone's keys."""
    has_blf_keys: bool = False
    """Whether the keys are of type BLF: those of a phone that knows no documents."""
    whole: bool = True
    """Whether the phone belongs to us. If not, as beside a telephone system, nothing is set
    but the identity and those of its keys that are used."""
    settings_url: str | None = field(default=None, repr=False)
    """Where the phone fetches its settings, with a secret."""
    lamps: bool = False
    """Whether the lamps are set to shine as `docs/keys.md` says."""
    web_password: str | None = field(default=None, repr=False)
    """The password of the phone's web page; None to leave it."""
    region: Region | None = None


class Setting(NamedTuple):
    """A setting of a phone."""

    name: str
    value: str
    identity: int | None = None
    """The number of the identity that it belongs to; None for one of the whole phone."""


class FunctionKey(NamedTuple):
    """The setting of a function key."""

    number: int
    """From 0, as in the settings file."""
    identity: int
    name: str
    """That of the ProfileKey."""
    label: str
    value: str
    """The type with its argument, such as `button 1` or `blf sip:1@192.0.2.1:5060`."""


def settings_of(profile: Profile) -> tuple[Setting, ...]:
    """Return the settings of a profile, without those of its keys.

    Names and values are those that public templates for snom phones agree on; `docs/
    provisioning.md` has the source of each.
    """
    identity = profile.identity
    account = {
        "user_active": "on",
        "user_realname": profile.name,
        "user_name": profile.account,
        "user_pname": profile.account,
        "user_pass": profile.password,
        "user_host": profile.registrar,
        "user_outbound": f"{profile.registrar};transport={profile.transport}",
        "user_expiry": str(EXPIRES_SECONDS),
        "user_srtp": "off",
        "user_server_type": "default",
        "user_idle_text": profile.name,
    }
    settings = [Setting(name, _readable(it), identity) for name, it in account.items()]
    if profile.former not in (None, identity):
        settings.append(Setting("user_active", "off", profile.former))
    if not profile.whole:
        if profile.former is not None:
            settings.append(Setting("setting_server", ""))
            settings.append(Setting("prov_polling_enabled", "off"))
        return tuple(settings)
    phone = {
        # A phone that was never registered asks for an account at each start.
        "logon_wizard": "off",
        "was_never_registered": "off",
        # The hardware address in the User-Agent of a REGISTER tells which phone it is.
        "mac_info_in_sip_register": "on",
    }
    if profile.settings_url is not None:
        phone |= {
            # Plug and play does not store it, and the phone would ask at each start.
            "setting_server": profile.settings_url,
            "prov_polling_enabled": "on",
            "prov_polling_mode": "rel",
            "prov_polling_period": str(POLLING_SECONDS),
        }
    if profile.region is not None:
        phone |= profile.region.settings
    if profile.lamps:
        phone |= _LAMPS
    if profile.web_password is not None:
        phone |= {"http_user": WEB_USER, "http_pass": profile.web_password}
        if profile.model.startswith("D8"):
            phone |= {
                "webserver_admin_name": WEB_USER,
                "webserver_admin_password": profile.web_password,
            }
    return (*settings, *(Setting(name, _readable(it)) for name, it in phone.items()))


def keys_of(profile: Profile) -> tuple[FunctionKey, ...]:
    """Return the settings of the keys of a profile."""
    own, gap = _EXPANSION_GAP.get(profile.model, (0, 0))
    return tuple(
        FunctionKey(
            number=position + (gap if own and position >= own else 0),
            identity=profile.identity,
            name=key.name,
            label=_readable(key.label),
            value=_readable(
                f"blf sip:{key.name}@{profile.registrar}"
                if profile.has_blf_keys
                else f"button {key.name}"
            ),
        )
        for position, key in enumerate(profile.keys)
        if profile.whole or key.is_used
    )


def digest_of(profile: Profile) -> str:
    """Return a digest of all that a profile sets, also of its secrets.

    It is the same after a restart; another version of this integration may set more.
    """
    everything = repr((settings_of(profile), keys_of(profile)))
    return hashlib.sha256(everything.encode("utf-8", "surrogatepass")).hexdigest()


def _readable(text: str) -> str:
    return _UNREADABLE.sub("", text)
