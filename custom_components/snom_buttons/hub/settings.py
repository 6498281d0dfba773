"""The settings of a config entry, typed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_network
from typing import Any, Final, NamedTuple, Self

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import (
    CONF_ADDRESS,
    CONF_CODE,
    CONF_DISCOVERY,
    CONF_ENABLED,
    CONF_HOST,
    CONF_MAC,
    CONF_MODEL,
    CONF_NAME,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_TOKEN,
)
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..const import (
    CONF_ACCESS,
    CONF_ACTIONS,
    CONF_ADVERTISED,
    CONF_ADVERTISED_HOST,
    CONF_ANSWER,
    CONF_BASE_TOPIC,
    CONF_BESIDE,
    CONF_CERTIFICATE,
    CONF_COLORS,
    CONF_COMMANDS,
    CONF_CONFIRM,
    CONF_DIAL_RULES,
    CONF_DIALLING,
    CONF_EDGE_CA,
    CONF_EDGES,
    CONF_EXPANSION,
    CONF_EXTENSION,
    CONF_FOLLOWS,
    CONF_FORMER,
    CONF_FORMER_UNTIL,
    CONF_IDENTITY,
    CONF_INVERTED,
    CONF_KEEPALIVE,
    CONF_KEY,
    CONF_KEYS,
    CONF_KIND,
    CONF_LABEL,
    CONF_LABEL_TEMPLATE,
    CONF_LAMPS,
    CONF_LIGHT_OFF,
    CONF_LIGHT_ON,
    CONF_LOOK_TABLE,
    CONF_LOOK_TEMPLATE,
    CONF_MAKER,
    CONF_MQTT,
    CONF_NETWORKS,
    CONF_NO_CODE,
    CONF_NUMBER,
    CONF_NUMBER_OFF,
    CONF_NUMBER_ON,
    CONF_PHONE,
    CONF_PLUG_AND_PLAY,
    CONF_PRESS,
    CONF_PRESS_ANSWER,
    CONF_PRIVATE_KEY,
    CONF_PROVISIONING,
    CONF_REALM,
    CONF_REDIRECT_TO,
    CONF_RELEASE_AFTER,
    CONF_ROOM_LIGHTS,
    CONF_RUN,
    CONF_SENDING,
    CONF_SETTINGS_PORT,
    CONF_SPEAKERS,
    CONF_STATES,
    CONF_TARGET,
    CONF_TCP,
    CONF_TLS,
    CONF_TOGGLE,
    CONF_UDP,
    CONF_UNAVAILABLE,
    CONF_WEB_PASSWORD,
    DOMAIN,
    MODEL_OTHER,
    SUBENTRY_TYPE_PHONE,
    SUBENTRY_TYPE_SHARED_LINE,
)
from ..engine.dialoginfo import DialogState, state_of
from ..engine.mqtt import MqttSetup
from ..engine.names import without_forbidden
from ..engine.phones import (
    MAKERS,
    PRIVATE_NETWORKS,
    BlfSetup,
    DialAnswer,
    Dialling,
    KeyKind,
    KeySetup,
    LineSetup,
    PhoneSetup,
    PressAnswer,
    ServerSettings,
    Speakers,
    host_and_port,
    is_in,
    phone_address,
    shared_key,
)
from ..engine.xbuttons import Action, KeyDescription, LightMode

HOLD: Final = timedelta(hours=1)
"""How long a former password holds if the phone does not register with the new one."""
OWN_KINDS: Final = (KeyKind.LIGHT, KeyKind.SWITCH, KeyKind.LINKED, KeyKind.NONE)
"""The kinds that a user can choose for a key."""


class LinkPress(StrEnum):
    """What a press of a linked key does, unless it has actions of its own."""

    AUTOMATIC = "automatic"
    """By the domain of the entity."""
    NOTHING = "nothing"


class LinkLabel(StrEnum):
    """The label of a linked key, unless it has a template."""

    AUTOMATIC = "automatic"
    """The state for values, such as sensors; otherwise the name."""
    NAME = "name"
    STATE = "state"


class LinkConfirm(StrEnum):
    """Whether a press of a linked key acts only when it is repeated."""

    AUTOMATIC = "automatic"
    """By the domain and the device class of the entity."""
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """What a linked key follows, shows and does, as the config entry stores it."""

    follows: str
    """The entity ID."""
    table: Mapping[str, Any] = field(default_factory=dict)
    """Looks by state, as `read_face` reads them; other states have the automatic look."""
    template: str = ""
    """Its result is the look, instead of the automatic one."""
    press: LinkPress = LinkPress.AUTOMATIC
    actions: tuple[Mapping[str, Any], ...] = ()
    """What a press does, instead of the automatic action."""
    target: str = ""
    """The entity that a press acts on; "" for the one that is followed."""
    label: LinkLabel = LinkLabel.AUTOMATIC
    label_template: str = ""
    """Its result is the label."""
    confirm: LinkConfirm = LinkConfirm.AUTOMATIC
    unavailable: LightMode = LightMode.OFFLINE
    """The light mode while the followed entity is unavailable."""
    code: str = field(default="", repr=False)
    """For alarm panels and locks."""
    no_code: bool = False
    """For an alarm panel: whether a press acts without a code."""

    @property
    def acts_on(self) -> str:
        """The entity ID of the entity that a press acts on."""
        return self.target or self.follows

    @property
    def entities(self) -> set[str]:
        """The entity IDs that the settings name as such."""
        return {self.follows, self.acts_on}

    def renamed(self, before: str, after: str) -> Self:
        """Return the settings after an entity was renamed."""
        return replace(
            self,
            follows=after if self.follows == before else self.follows,
            target=after if self.target == before else self.target,
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the link in the data of a key."""
        return cls(
            follows=data.get(CONF_FOLLOWS) or "",
            table=_table(data.get(CONF_LOOK_TABLE)),
            template=(data.get(CONF_LOOK_TEMPLATE) or "").strip(),
            press=LinkPress(data.get(CONF_PRESS, LinkPress.AUTOMATIC)),
            actions=_sequence(data.get(CONF_ACTIONS)),
            target=data.get(CONF_TARGET) or "",
            label=LinkLabel(data.get(CONF_LABEL, LinkLabel.AUTOMATIC)),
            label_template=(data.get(CONF_LABEL_TEMPLATE) or "").strip(),
            confirm=LinkConfirm(data.get(CONF_CONFIRM, LinkConfirm.AUTOMATIC)),
            unavailable=LightMode(data.get(CONF_UNAVAILABLE, LightMode.OFFLINE)),
            code=(data.get(CONF_CODE) or "").strip(),
            no_code=bool(data.get(CONF_NO_CODE)),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the data that `from_dict` reads, without defaults."""
        usual = LinkSettings(follows="")
        values = {
            CONF_FOLLOWS: (self.follows, usual.follows),
            CONF_LOOK_TABLE: (self.table, usual.table),
            CONF_LOOK_TEMPLATE: (self.template, usual.template),
            CONF_PRESS: (self.press.value, usual.press.value),
            CONF_ACTIONS: (list(self.actions), []),
            CONF_TARGET: (self.target, usual.target),
            CONF_LABEL: (self.label.value, usual.label.value),
            CONF_LABEL_TEMPLATE: (self.label_template, usual.label_template),
            CONF_CONFIRM: (self.confirm.value, usual.confirm.value),
            CONF_UNAVAILABLE: (self.unavailable.value, usual.unavailable.value),
            CONF_CODE: (self.code, usual.code),
            CONF_NO_CODE: (self.no_code, usual.no_code),
        }
        return _unusual(values)


def _unusual(values: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    """Return the values that differ from the usual ones beside them, by name."""
    return {name: value for name, (value, usual) in values.items() if value != usual}


def _table(table: Any) -> Any:
    """Return a table in which the states on and off have their names.

    The editor reads these words as truth values, whose names JSON makes of them.
    """
    if not isinstance(table, dict):
        return table or {}
    names = {"true": "on", "false": "off"}
    return {names.get(state, state): look for state, look in table.items()}


def _sequence(actions: Any) -> tuple[Any, ...]:
    """Return the actions of a sequence, which may be a single one."""
    if isinstance(actions, list | tuple):
        return tuple(actions)
    return (actions,) if actions else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySettings:
    """One key of a phone, as the config entry stores it."""

    key: str
    """The key's name in the buttons document: the number of its *Button*."""
    name: str
    kind: KeyKind = KeyKind.LIGHT
    colors: bool = False
    """Whether the lamp has several colours."""
    toggle: bool = False
    """For a switch: whether a press toggles it."""
    light_on: LightMode = LightMode.ON
    """For a switch: the light mode while it is on."""
    light_off: LightMode = LightMode.OFF
    number_on: str = ""
    """For a switch: the destination of a press while it is on; "" for `key` + its name."""
    number_off: str = ""
    link: LinkSettings | None = None
    """For a linked key."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the key that `as_dict` stored, without what no name may have."""
        kind = KeyKind(data[CONF_KIND])
        return cls(
            key=data[CONF_KEY],
            name=without_forbidden(data[CONF_NAME]) or data[CONF_KEY],
            kind=kind,
            colors=data[CONF_COLORS],
            toggle=data.get(CONF_TOGGLE, False),
            light_on=LightMode(data.get(CONF_LIGHT_ON, LightMode.ON)),
            light_off=LightMode(data.get(CONF_LIGHT_OFF, LightMode.OFF)),
            number_on=without_forbidden(data.get(CONF_NUMBER_ON, "")),
            number_off=without_forbidden(data.get(CONF_NUMBER_OFF, "")),
            link=LinkSettings.from_dict(data) if kind is KeyKind.LINKED else None,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the data that `from_dict` reads, without defaults of a switch."""
        beyond = {
            CONF_TOGGLE: (self.toggle, False),
            CONF_LIGHT_ON: (self.light_on.value, LightMode.ON.value),
            CONF_LIGHT_OFF: (self.light_off.value, LightMode.OFF.value),
            CONF_NUMBER_ON: (self.number_on, ""),
            CONF_NUMBER_OFF: (self.number_off, ""),
        }
        return (
            {
                CONF_KEY: self.key,
                CONF_NAME: self.name,
                CONF_KIND: self.kind.value,
                CONF_COLORS: self.colors,
            }
            | _unusual(beyond)
            | (self.link.as_dict() if self.link else {})
        )

    @property
    def setup(self) -> KeySetup:
        """Return the key for the engine: `message` makes presses go to the server."""
        number = f"key{self.key}"
        plain = KeyDescription(
            name=self.key, action=Action.MESSAGE, number=number, label=self.name
        )
        setup = KeySetup(off=plain, kind=self.kind, colors=self.colors, title=self.name)
        if self.kind is not KeyKind.SWITCH:
            return setup
        return replace(
            setup,
            off=replace(plain, light=self.light_off, number=self.number_off or number),
            on=replace(plain, light=self.light_on, number=self.number_on or number),
            toggles=self.toggle,
        )

    def setup_on_line(self, code: str) -> KeySetup:
        """Return the key of a shared line for the engine, whatever its own kind."""
        return replace(shared_key(self.key, code), colors=self.colors, title=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisioningSettings:
    """What a phone is set to besides its account and its keys, as the entry stores it."""

    beside: bool = False
    """Whether the phone is also used with a telephone system, which owns the rest of it."""
    number: int | None = None
    """The number of the identity, None for the usual one."""
    lamps: bool = False
    """Whether the lamps are set to shine as documented."""
    web_password: str = field(default="", repr=False)
    """The password of the phone's web page, "" to leave it."""

    @property
    def identity(self) -> int:
        """The number of the identity."""
        return self.number or (2 if self.beside else 1)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return what `as_dict` stored."""
        return cls(
            beside=data.get(CONF_BESIDE, False),
            number=data.get(CONF_IDENTITY),
            lamps=data.get(CONF_LAMPS, False),
            web_password=data.get(CONF_WEB_PASSWORD, ""),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the data that `from_dict` reads, without defaults."""
        return _unusual(
            {
                CONF_BESIDE: (self.beside, False),
                CONF_IDENTITY: (self.number, None),
                CONF_LAMPS: (self.lamps, False),
                CONF_WEB_PASSWORD: (self.web_password, ""),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingSettings:
    """How the keys of a phone are sent, as the entry stores it."""

    speakers: Speakers = Speakers.AUTOMATIC
    blf: BlfSetup = field(default_factory=BlfSetup)

    @classmethod
    def usual(cls, maker: str) -> Self:
        """Return what is usual for a maker as in MAKERS, or "" for snom."""
        about = MAKERS.get(maker)
        return cls(speakers=about.speakers, blf=about.blf) if about else cls()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], usual: Self) -> Self:
        """Return what `as_dict` stored."""
        blf = usual.blf
        stored = data.get(CONF_STATES, {})
        states = {
            light.value: DialogState(stored[light])
            for light in LightMode
            if light in stored
        }
        return cls(
            speakers=Speakers(data.get(CONF_SPEAKERS, usual.speakers)),
            blf=BlfSetup(
                press_answer=PressAnswer(data.get(CONF_PRESS_ANSWER, blf.press_answer)),
                states={**blf.states, **states},
                is_inverted=data.get(CONF_INVERTED, blf.is_inverted),
            ),
        )

    def as_dict(self, usual: SendingSettings) -> dict[str, Any]:
        """Return the data that `from_dict` reads, without what is usual."""
        states = {
            light: (state, usual.states[light]) for light, state in self.states.items()
        }
        blf, usual_blf = self.blf, usual.blf
        return _unusual(
            {
                CONF_SPEAKERS: (self.speakers.value, usual.speakers.value),
                CONF_PRESS_ANSWER: (
                    blf.press_answer.value,
                    usual_blf.press_answer.value,
                ),
                CONF_STATES: (_unusual(states), {}),
                CONF_INVERTED: (blf.is_inverted, usual_blf.is_inverted),
            }
        )

    @property
    def states(self) -> dict[str, str]:
        """The dialog state of each light mode, before any inversion."""
        return {
            light.value: state_of(light, self.blf.states).value for light in LightMode
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneSettings:
    """One phone."""

    subentry_id: str
    setup: PhoneSetup
    dial_rules: Mapping[str, str]
    """The script or scene to turn on, by dialled number."""
    links: Mapping[str, LinkSettings] = field(default_factory=dict)
    """The links by key; a key of a shared line has none."""
    named: frozenset[str] = frozenset()
    """The entity IDs that links name, also those of keys of shared lines."""
    token: str = field(default="", repr=False)
    """The secret in the address of its settings file; "" if it has none."""
    mac: str = ""
    """Its hardware address, once it is known."""
    expansion: str = ""
    """Its expansion modules, as in EXPANSIONS; "" without any."""
    provisioning: ProvisioningSettings = ProvisioningSettings()

    @classmethod
    def from_subentry(
        cls, subentry: ConfigSubentry, lines: Iterable[SharedLineSettings]
    ) -> Self:
        """Return the phone of a subentry. Some of its keys belong to lines."""
        data = subentry.data
        codes = {
            line.keys[subentry.subentry_id]: line.setup.code
            for line in lines
            if subentry.subentry_id in line.keys
        }
        keys = [KeySettings.from_dict(key) for key in data[CONF_KEYS]]
        dialling = data.get(CONF_DIALLING, {})
        rules = {
            rule[CONF_NUMBER]: rule[CONF_RUN]
            for rule in dialling.get(CONF_DIAL_RULES, ())
        }
        maker = MAKERS.get(data.get(CONF_MAKER, ""))
        sending = SendingSettings.from_dict(
            data.get(CONF_SENDING, {}),
            SendingSettings.usual(data.get(CONF_MAKER, "")),
        )
        if data.get(CONF_ADDRESS):  # without a registration it cannot subscribe
            sending = replace(sending, speakers=Speakers.BUTTONS)
        return cls(
            subentry_id=subentry.subentry_id,
            setup=PhoneSetup(
                extension=data[CONF_EXTENSION],
                name=without_forbidden(subentry.title) or data[CONF_EXTENSION],
                password=data[CONF_PASSWORD],
                former_password=former_password(data),
                maker=maker.name if maker else "snom",
                model="" if data[CONF_MODEL] == MODEL_OTHER else data[CONF_MODEL],
                keys=tuple(
                    key.setup_on_line(codes[key.key]) if key.key in codes else key.setup
                    for key in keys
                ),
                dialling=Dialling(
                    answer=DialAnswer(dialling.get(CONF_ANSWER, DialAnswer.BUSY)),
                    redirect_to=dialling.get(CONF_REDIRECT_TO, ""),
                    own=frozenset(rules),
                ),
                speakers=sending.speakers,
                blf=sending.blf,
                address=phone_address(data.get(CONF_ADDRESS, "")),
                room_lights=data.get(CONF_ROOM_LIGHTS, False),
            ),
            dial_rules=rules,
            links={
                key.key: key.link for key in keys if key.link and key.key not in codes
            },
            named=frozenset(
                name for key in keys if key.link for name in key.link.entities
            ),
            # The file sets the phone to register, which this one must not.
            token="" if data.get(CONF_ADDRESS) else data.get(CONF_TOKEN, ""),
            mac=data.get(CONF_MAC, ""),
            expansion=data.get(CONF_EXPANSION, ""),
            provisioning=ProvisioningSettings.from_dict(
                data.get(CONF_PROVISIONING, {})
            ),
        )


def former_password(data: Mapping[str, Any]) -> str:
    """Return the password before the last change in the data of a phone's subentry.

    It is "" if the phone has registered with the new one, its time is over, or the clock
    was set back to before the change.
    """
    until = dt_util.parse_datetime(data.get(CONF_FORMER_UNTIL, ""))
    is_over = until is None or not timedelta() < until - dt_util.utcnow() <= HOLD
    return "" if is_over else str(data.get(CONF_FORMER, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLineSettings:
    """One shared line."""

    subentry_id: str
    keys: Mapping[str, str]
    """The name of the line's key on each phone, by the phone's subentry."""
    setup: LineSetup

    @classmethod
    def from_subentry(
        cls, subentry: ConfigSubentry, extensions: Mapping[str, str]
    ) -> Self:
        """Return the line of a subentry. `extensions` are those of phones by subentry."""
        keys = {key[CONF_PHONE]: key[CONF_KEY] for key in subentry.data[CONF_KEYS]}
        return cls(
            subentry_id=subentry.subentry_id,
            keys=keys,
            setup=LineSetup(
                name=without_forbidden(subentry.title) or subentry.data[CONF_CODE],
                code=subentry.data[CONF_CODE],
                keys={
                    extension: keys[phone]
                    for phone, extension in extensions.items()
                    if phone in keys
                },
                release_after=subentry.data.get(CONF_RELEASE_AFTER),
            ),
        )


def mqtt_settings(options: Mapping[str, Any]) -> MqttSetup | None:
    """Return the MQTT settings in the options of a config entry; None if MQTT is off."""
    if not options.get(CONF_MQTT, False):
        return None
    return MqttSetup(
        base=mqtt_base(options),
        commands=options.get(CONF_COMMANDS, True),
        discovery=options.get(CONF_DISCOVERY, False),
    )


def mqtt_base(options: Mapping[str, Any]) -> str:
    """Return the beginning of all topics, also if MQTT is off."""
    base: str = options.get(CONF_BASE_TOPIC, DOMAIN)
    return base


KEEPALIVE: Final = 60
"""Seconds between requests that ask whether a phone is reachable."""


def server_settings(data: Mapping[str, Any]) -> ServerSettings:
    """Return the server of an entry's data; 0.1 stored only UDP and no access rules."""
    udp, tcp, tls, access = (
        data.get(section, {}) for section in (CONF_UDP, CONF_TCP, CONF_TLS, CONF_ACCESS)
    )
    advertised = {
        name: host_and_port(section[CONF_ADVERTISED])
        for name, section in (("UDP", udp), ("TCP", tcp), ("TLS", tls))
        if section.get(CONF_ADVERTISED)
    }
    networks = tuple(ip_network(text) for text in access.get(CONF_NETWORKS, ()))
    return ServerSettings(
        host=data[CONF_HOST],
        port=data[CONF_PORT] if udp.get(CONF_ENABLED, True) else None,
        tcp_port=tcp[CONF_PORT] if tcp.get(CONF_ENABLED) else None,
        tls_port=tls[CONF_PORT] if tls.get(CONF_ENABLED) else None,
        realm=data[CONF_REALM],
        advertised_host=data[CONF_ADVERTISED_HOST],
        advertised={name: address for name, address in advertised.items() if address},
        networks=networks or PRIVATE_NETWORKS,
        edges=tuple(ip_network(text) for text in access.get(CONF_EDGES, ())),
        edge_ca=access.get(CONF_EDGE_CA, ""),
        keepalive=access.get(CONF_KEEPALIVE, KEEPALIVE),
    )


HTTP: Final = "HTTP"
"""The transport of settings files, beside those of SIP."""


def settings_port(data: Mapping[str, Any]) -> int | None:
    """Return the port for settings files in the data of a config entry."""
    port: int | None = data.get(CONF_ACCESS, {}).get(CONF_SETTINGS_PORT)
    return port


class CertificateSettings(NamedTuple):
    """The paths of certificate and private key for TLS; "" for Home Assistant's own."""

    certificate: str
    private_key: str


def certificate_settings(data: Mapping[str, Any]) -> CertificateSettings | None:
    """Return the certificate in the data of a config entry; None without TLS."""
    tls = data.get(CONF_TLS, {})
    if not tls.get(CONF_ENABLED):
        return None
    return CertificateSettings(
        tls.get(CONF_CERTIFICATE, ""), tls.get(CONF_PRIVATE_KEY, "")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySettings:
    """All settings of a config entry."""

    title: str
    server: ServerSettings
    certificate: CertificateSettings | None
    """None without TLS."""
    phones: tuple[PhoneSettings, ...]
    lines: tuple[SharedLineSettings, ...]
    mqtt: MqttSetup | None
    """None while MQTT is off."""
    plug_and_play: bool = True
    """Whether phones that are plugged in are heard."""
    settings_port: int | None = None
    """The TCP port for settings files by plain HTTP, in place of Home Assistant's own."""

    @classmethod
    def from_entry(cls, entry: ConfigEntry[Any]) -> Self:
        """Return the settings that a config entry holds now."""
        phones = list(entry.get_subentries_of_type(SUBENTRY_TYPE_PHONE))
        extensions = {phone.subentry_id: phone.data[CONF_EXTENSION] for phone in phones}
        lines = tuple(
            SharedLineSettings.from_subentry(subentry, extensions)
            for subentry in entry.get_subentries_of_type(SUBENTRY_TYPE_SHARED_LINE)
        )
        return cls(
            title=without_forbidden(entry.title),
            server=server_settings(entry.data),
            certificate=certificate_settings(entry.data),
            phones=tuple(PhoneSettings.from_subentry(phone, lines) for phone in phones),
            lines=lines,
            mqtt=mqtt_settings(entry.options),
            plug_and_play=entry.data.get(CONF_ACCESS, {}).get(CONF_PLUG_AND_PLAY, True),
            settings_port=settings_port(entry.data),
        )

    def needs_restart(self, running: EntrySettings) -> bool:
        """Return whether a server that runs with other settings has to restart."""
        return self._fixed != running._fixed

    @property
    def _fixed(self) -> tuple[object, ...]:
        return self.server, self.certificate, self.plug_and_play, self.settings_port


def known_macs(hass: HomeAssistant) -> set[str]:
    """Return the hardware addresses of the phones of all servers."""
    return {
        subentry.data.get(CONF_MAC, "")
        for entry in hass.config_entries.async_entries(DOMAIN)
        for subentry in entry.get_subentries_of_type(SUBENTRY_TYPE_PHONE)
    }


def is_allowed(settings: EntrySettings, remote: str) -> bool:
    """Return whether an address is in the networks that phones may come from."""
    return is_in(settings.server.networks, remote)
