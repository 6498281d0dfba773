"""Repair issues of a server: reported when they occur, withdrawn when they are over."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
import ssl
from typing import Final, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_time_interval

from ..const import DOMAIN
from ..engine.phones import (
    MAKERS,
    PhoneServer,
    SentAs,
    ServerSettings,
    check_bind,
    maker_of,
)
from ..engine.provisioning import WORDS
from .certificate import (
    CertificateProblem,
    certificate_files,
    load_certificate,
    load_edge_context,
)
from .follower import Follower
from .markdown import escape_markdown
from .phone import SnomPhone
from .settings import EntrySettings

CHECK_ADDRESS: Final = timedelta(minutes=1)
CHECK_CERTIFICATE: Final = timedelta(hours=1)
EXPIRES_SOON: Final = timedelta(days=14)

HEARING: Final = ("group_taken", "group_taken_by_voip", "no_multicast")
"""Why phones that are plugged in are not heard."""
LINK_MISSING: Final = "link_missing"
LOCKED_OUT: Final = "locked_out"
MAX_SOURCES: Final = 5
"""Sources that an issue names; an attacker can have many addresses."""
OF_SNOM: Final = ("snom", "gigaset")
"""How the User-Agent of a phone with the firmware of snom begins."""
PHONES: Final = f"/config/integrations/integration/{DOMAIN}"
"""The page on which phones are changed."""
EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104, compared with, not bound to


@callback
def async_report(
    hass: HomeAssistant,
    issue_id: str,
    key: str,
    placeholders: Mapping[str, str],
    *,
    literal: Mapping[str, str] | None = None,
    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING,
    fix: Mapping[str, str] | None = None,
) -> None:
    """Report an issue; a user can fix it in a dialogue that gets `fix`.

    `placeholders` are escaped, because the description is Markdown. `literal` are not:
    `title`, a name in the title, which is plain text, and `link`, a page of our own.
    """
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        data=None if fix is None else dict(fix),
        is_fixable=fix is not None,
        severity=severity,
        translation_key=key,
        translation_placeholders={
            name: escape_markdown(text) for name, text in placeholders.items()
        }
        | dict(literal or {}),
    )


def _is_here(host: str) -> bool:
    """Return whether this is an address of this machine."""
    try:
        check_bind(host, 0)
    except OSError, ValueError:
        return False
    return True


def _watched_address(settings: ServerSettings) -> tuple[str, str]:
    """Return the issue for an address that is gone, and the address; "" for none.

    It is the address on which the server listens. If that is every address, it is the
    one that phones use, unless that is another machine's, as in front of a container.
    """
    if settings.host not in EVERYWHERE:
        return "address_gone", settings.host
    host = settings.advertised_host
    is_used = settings.ports.keys() - settings.advertised.keys()
    return "advertised_gone", host if is_used and _is_here(host) else ""


def _blf_words(phone: SnomPhone) -> tuple[str, dict[str, str]]:
    """Return the issue for a phone whose keys have to be BLF, with the words of its page.

    The words are those of the maker in its User-Agent, whatever it was added as.
    """
    agents = (
        it.user_agent for it in phone.phone.sendings if it.sent_as is SentAs.REFUSED
    )
    agent = next(agents, "")
    maker = maker_of(agent)
    if not maker and agent.casefold().startswith(OF_SNOM):
        return "phone_needs_blf", {}
    words = WORDS.get(maker)
    if words is None or not words.fields:
        return "phone_needs_blf_other", {}
    about = MAKERS[maker]
    fields = (
        (field, value.format(key="1", part="1"))
        for field, value in words.fields
        if value != "{label}"
    )
    return "phone_needs_blf_entered", {
        "maker": about.name,
        "page": words.keys_page,
        "key": words.key.format(number=about.first_key),
        "fields": ", ".join(f"{field}: {value}" for field, value in fields),
    }


class ServerIssues(Follower):
    """The repair issues of one server."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry_id: str,
        server: PhoneServer,
        phones: Mapping[str, SnomPhone],
        settings: EntrySettings,
    ) -> None:
        """Create a follower. `phones` are the phones by extension, which may change."""
        super().__init__()
        self._hass = hass
        self._entry_id = entry_id
        self._server = server
        self._phones = phones
        self._title = settings.title
        self._certificate = settings.certificate
        self._watched = _watched_address(server.settings)
        self._reported: set[str] = set()
        self._is_stopped = False
        self._followed: dict[SnomPhone, Callable[[], None]] = {}

    @override
    @callback
    def start(self) -> None:
        self._async_follow_locks(None)
        self._subscriptions = [
            self._server.locked_out.subscribe(self._async_follow_locks),
            async_track_time_interval(
                self._hass, self._async_check_address, CHECK_ADDRESS
            ),
            async_track_time_interval(
                self._hass, self._async_check_certificate, CHECK_CERTIFICATE
            ),
        ]

    @override
    async def update(self, settings: EntrySettings) -> None:
        """Follow the current phones."""
        if self._is_stopped:
            return
        self._title = settings.title
        phones = set(self._phones.values())
        for phone in self._followed.keys() - phones:
            self._followed.pop(phone)()
            self._async_withdraw(self._refusal_id(phone))
            self._async_withdraw(self._blf_id(phone))
            self._async_withdraw(self._excess_id(phone))
        for phone in phones - self._followed.keys():
            follow = partial(self._async_follow_phone, phone)
            self._followed[phone] = phone.phone.status.subscribe(follow)
            follow(None)

    @override
    async def stop(self) -> None:
        """Stop following, and withdraw all issues unless Home Assistant stops.

        It then forgets them itself, but keeps what a user has ignored.
        """
        self._is_stopped = True
        await super().stop()
        for unsubscribe in self._followed.values():
            unsubscribe()
        self._followed = {}
        reported, self._reported = self._reported, set()
        if not self._hass.is_stopping:
            for issue_id in reported:
                self._async_withdraw(issue_id)

    async def async_load_certificate(
        self,
    ) -> tuple[ssl.SSLContext | None, ssl.SSLContext | None]:
        """Return the context for TLS, and the one that asks for certificates of edges.

        None without TLS, or if the certificate is unusable. Phones have TLS whatever is
        wrong with the CA of edges.
        """
        context = edge_context = None
        if self._certificate is None:
            self._async_report_certificate(None)
            return None, None
        try:
            files = certificate_files(self._hass, self._certificate)
            context, expires = await self._hass.async_add_executor_job(
                load_certificate, files
            )
            if edge_ca := self._server.settings.edge_ca:
                edge_context = await self._hass.async_add_executor_job(
                    load_edge_context, files, edge_ca
                )
        except CertificateProblem as problem:
            self._async_report_certificate(
                problem.key, problem.placeholders, ir.IssueSeverity.ERROR
            )
            return context, None
        if expires - datetime.now(UTC) < EXPIRES_SOON:
            self._async_report_certificate(
                "certificate_expires",
                {"path": str(files.certificate), "date": expires.date().isoformat()},
            )
        else:
            self._async_report_certificate(None)
        return context, edge_context

    @callback
    def _async_report_certificate(
        self,
        key: str | None,
        placeholders: Mapping[str, str] | None = None,
        severity: ir.IssueSeverity = ir.IssueSeverity.WARNING,
    ) -> None:
        """Report the one problem of the certificate, or that there is none.

        Each is an issue of its own: ignoring one (expires soon) must not hide another.
        """
        if self._is_stopped:  # another follower may have this server already
            return
        subject = f"certificate_{self._entry_id}"
        reported = f"{subject}_{key}"
        for domain, issue_id in list(ir.async_get(self._hass).issues):
            if (
                domain == DOMAIN
                and issue_id.startswith(subject)
                and issue_id != reported
            ):
                self._async_withdraw(issue_id)
        if key is not None:
            self._async_report(reported, key, placeholders or {}, severity)

    async def _async_check_certificate(self, _: datetime) -> None:
        """Use a newer certificate, and start TLS if that was not possible before."""
        context, edge_context = await self.async_load_certificate()
        if context is None or self._is_stopped:
            return
        if self._server.context is not None:
            self._server.renew(context, edge_context)
        else:
            self._hass.config_entries.async_schedule_reload(self._entry_id)

    @callback
    def _async_check_address(self, _: datetime) -> None:
        """Report if the address that phones use is gone from this machine."""
        key, host = self._watched
        issue_id = f"address_{self._entry_id}"
        if not host or _is_here(host):
            self._async_withdraw(issue_id)
        else:
            self._async_report(issue_id, key, {"host": host}, ir.IssueSeverity.ERROR)

    @callback
    def _async_follow_locks(self, _: None) -> None:
        issue_id = f"{LOCKED_OUT}_{self._entry_id}"
        if sources := self._server.locked:
            shown = list(dict.fromkeys(map(self._shown, sources)))
            if len(shown) > MAX_SOURCES:
                shown[MAX_SOURCES:] = ["…"]
            self._async_report(
                issue_id, LOCKED_OUT, {"sources": ", ".join(shown)}, fix={}
            )
        else:
            self._async_withdraw(issue_id)

    def _shown(self, source: str) -> str:
        """Return a source as text, with the user behind a proxy only if a phone has it.

        A stranger can make up any other user.
        """
        host, _, user = source.partition(" ")
        return f"{host} ({user})" if user in self._server.phones else host

    @callback
    def async_follow_store(self, error: str | None) -> None:
        """Report the system's error as long as the store cannot be written."""
        issue_id = f"store_{self._entry_id}"
        if error is not None:
            self._async_report(
                issue_id,
                "store_failing",
                {"error": error},
                ir.IssueSeverity.ERROR,
            )
        else:
            self._async_withdraw(issue_id)

    @callback
    def async_follow_hearing(self, key: str, error: str = "") -> None:
        """Report why phones that are plugged in are not heard; "" if there is no fault.

        Each reason is an issue of its own: ignoring one must not hide another.
        """
        for other in HEARING:
            if other != key:
                self._async_withdraw(f"{other}_{self._entry_id}")
        if key:
            self._async_report(f"{key}_{self._entry_id}", key, {"error": error})

    @callback
    def async_follow_listener(self, port: int, error: str | None = None) -> None:
        """Report why the port for settings files is not open; None if it is."""
        issue_id = f"settings_port_{self._entry_id}"
        if error is None:
            self._async_withdraw(issue_id)
        else:
            placeholders = {"port": str(port), "error": error}
            self._async_report(issue_id, "settings_port_closed", placeholders)

    @callback
    def async_follow_links(self, missing: Mapping[tuple[str, str], str]) -> None:
        """Report the entity that is gone, by extension and key of a linked key."""
        wanted = set()
        for (extension, name), entity_id in missing.items():
            phone = self._phones[extension]
            subentry_id = phone.settings.subentry_id
            issue_id = f"{LINK_MISSING}_{subentry_id}_{name}"
            wanted.add(issue_id)
            self._async_report(
                issue_id,
                LINK_MISSING,
                {
                    "phone": phone.settings.setup.name,
                    "key": phone.phone.keys[name].setup.title,
                    "entity": entity_id,
                },
                fix={"subentry_id": subentry_id, "key": name, "entity_id": entity_id},
            )
        for issue_id in list(self._reported - wanted):
            if issue_id.startswith(LINK_MISSING):
                self._async_withdraw(issue_id)

    @callback
    def _async_follow_phone(self, phone: SnomPhone, _: None) -> None:
        if phone.phone.exceeds:
            self._async_report(
                self._excess_id(phone),
                "phone_exceeds",
                {"phone": phone.settings.setup.name},
                literal={"title": phone.settings.setup.name},
            )
        else:
            self._async_withdraw(self._excess_id(phone))
        needs_blf = phone.phone.needs_blf
        if needs_blf:
            key, words = _blf_words(phone)
            self._async_report(
                self._blf_id(phone),
                key,
                {"phone": phone.settings.setup.name, "answer": needs_blf, **words},
                literal={"title": phone.settings.setup.name, "link": PHONES},
            )
        else:
            self._async_withdraw(self._blf_id(phone))
        if (answer := phone.phone.refusal) and not needs_blf:
            self._async_report(
                self._refusal_id(phone),
                "phone_refuses",
                {"phone": phone.settings.setup.name, "answer": answer},
                literal={"title": phone.settings.setup.name},
            )
        else:
            self._async_withdraw(self._refusal_id(phone))

    @staticmethod
    def _blf_id(phone: SnomPhone) -> str:
        return f"needs_blf_{phone.settings.subentry_id}"

    @staticmethod
    def _excess_id(phone: SnomPhone) -> str:
        return f"exceeds_{phone.settings.subentry_id}"

    @staticmethod
    def _refusal_id(phone: SnomPhone) -> str:
        return f"refuses_{phone.settings.subentry_id}"

    @callback
    def _async_report(
        self,
        issue_id: str,
        key: str,
        placeholders: Mapping[str, str],
        severity: ir.IssueSeverity = ir.IssueSeverity.WARNING,
        *,
        literal: Mapping[str, str] | None = None,
        fix: Mapping[str, str] | None = None,
    ) -> None:
        if self._is_stopped:  # during an await
            return
        self._reported.add(issue_id)
        async_report(
            self._hass,
            issue_id,
            key,
            {"name": self._title, **placeholders},
            literal=literal,
            severity=severity,
            fix=None if fix is None else {"entry_id": self._entry_id, **fix},
        )

    @callback
    def _async_withdraw(self, issue_id: str) -> None:
        # Including one of an earlier run that ended without withdrawing its issues.
        self._reported.discard(issue_id)
        ir.async_delete_issue(self._hass, DOMAIN, issue_id)
