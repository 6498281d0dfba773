"""What a user should know of a server: told as it comes up, taken back as it passes."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
import ssl
from typing import TYPE_CHECKING, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_time_interval

from ..const import DOMAIN
from ..engine.phones import PhoneServer, ServerSettings, check_bind
from .certificate import CertificateProblem, certificate_files, load_certificate
from .markdown import escape_markdown
from .settings import EntrySettings

if TYPE_CHECKING:
    from .hub import SnomConfigEntry
    from .phone import SnomPhone

CHECK_ADDRESS: Final = timedelta(minutes=1)
CHECK_CERTIFICATE: Final = timedelta(hours=1)
EXPIRES_SOON: Final = timedelta(days=14)

LOCKED_OUT: Final = "locked_out"
MAX_SOURCES: Final = 5
"""Sources that are named; a guesser can have many addresses."""
EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104, compared with, not bound to


def _is_here(host: str) -> bool:
    """Return whether this is an address of this machine."""
    try:
        check_bind(host, 0)
    except OSError, ValueError:
        return False
    return True


def _watched_address(settings: ServerSettings) -> tuple[str, str]:
    """Return what to tell when an address is gone, and that address; "" for none.

    It is the one on which the server listens. If that is every one, it is the one that
    phones are told, unless it is another machine's, as it is in front of a container.
    """
    if settings.host not in EVERYWHERE:
        return "address_gone", settings.host
    host = settings.advertised_host
    is_told = settings.ports.keys() - settings.advertised.keys()
    return "advertised_gone", host if is_told and _is_here(host) else ""


class ServerIssues:
    """The repair issues of one server."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: SnomConfigEntry,
        server: PhoneServer,
        settings: EntrySettings,
    ) -> None:
        """Follow a server from `async_start` on."""
        self._hass = hass
        self._entry = entry
        self._server = server
        self._certificate = settings.certificate
        self._watched = _watched_address(server.settings)
        self._told: set[str] = set()
        self._is_stopped = False
        self._running: list[CALLBACK_TYPE] = []

    @callback
    def async_start(self) -> None:
        """Begin to follow the server, which has locked out nobody yet."""
        self._async_follow_locks(None)
        self._running = [
            self._server.locked_out.subscribe(self._async_follow_locks),
            async_track_time_interval(
                self._hass, self._async_check_address, CHECK_ADDRESS
            ),
            async_track_time_interval(
                self._hass, self._async_check_certificate, CHECK_CERTIFICATE
            ),
        ]

    @callback
    def async_stop(self) -> None:
        """Follow it no more, and take everything back.

        Not if Home Assistant stops: it forgets issues itself, except that a user has
        ignored one, which then holds for the same one after the start.
        """
        self._is_stopped = True
        for unsubscribe in self._running:
            unsubscribe()
        self._running = []
        told, self._told = self._told, set()
        if not self._hass.is_stopping:
            for issue_id in told:
                self._async_take_back(issue_id)

    async def async_load_certificate(self) -> ssl.SSLContext | None:
        """Return a context for TLS, None if TLS is off or its certificate is no good."""
        if self._certificate is None:
            self._async_tell_certificate(None)
            return None
        try:
            files = certificate_files(self._hass, self._certificate)
            context, expires = await self._hass.async_add_executor_job(
                load_certificate, files
            )
        except CertificateProblem as problem:
            self._async_tell_certificate(
                problem.key, problem.placeholders, ir.IssueSeverity.ERROR
            )
            return None
        if expires - datetime.now(UTC) < EXPIRES_SOON:
            self._async_tell_certificate(
                "certificate_expires",
                {
                    "path": str(files.certificate),
                    "date": expires.date().isoformat(),
                },
            )
        else:
            self._async_tell_certificate(None)
        return context

    @callback
    def _async_tell_certificate(
        self,
        key: str | None,
        placeholders: Mapping[str, str] | None = None,
        severity: ir.IssueSeverity = ir.IssueSeverity.WARNING,
    ) -> None:
        """Tell the one thing that is wrong with the certificate, or that nothing is.

        Each is an issue of its own: who ignores that it expires soon is told again
        when it has expired.
        """
        if self._is_stopped:  # another may follow this server already
            return
        subject = f"certificate_{self._entry.entry_id}"
        told = f"{subject}_{key}"
        for domain, issue_id in list(ir.async_get(self._hass).issues):
            if domain == DOMAIN and issue_id.startswith(subject) and issue_id != told:
                self._async_take_back(issue_id)
        if key is not None:
            self._async_tell(told, key, placeholders or {}, severity)

    async def _async_check_certificate(self, _: datetime) -> None:
        """Take a newer certificate, and begin with TLS if that was not possible yet."""
        context = await self.async_load_certificate()
        if context is None or self._is_stopped:
            return
        if self._server.context is not None:
            self._server.renew(context)
        else:
            self._hass.config_entries.async_schedule_reload(self._entry.entry_id)

    @callback
    def _async_check_address(self, _: datetime) -> None:
        """See whether the address that phones use is still this machine's.

        When it is back, the sockets serve it again by themselves.
        """
        key, host = self._watched
        issue_id = f"address_{self._entry.entry_id}"
        if not host or _is_here(host):
            self._async_take_back(issue_id)
        else:
            self._async_tell(issue_id, key, {"host": host}, ir.IssueSeverity.ERROR)

    @callback
    def _async_follow_locks(self, _: None) -> None:
        """Tell who is locked out."""
        issue_id = f"{LOCKED_OUT}_{self._entry.entry_id}"
        if sources := self._server.locked:
            shown = list(dict.fromkeys(map(self._shown, sources)))
            if len(shown) > MAX_SOURCES:
                shown[MAX_SOURCES:] = ["…"]
            self._async_tell(
                issue_id, LOCKED_OUT, {"sources": ", ".join(shown)}, is_fixable=True
            )
        else:
            self._async_take_back(issue_id)

    def _shown(self, source: str) -> str:
        """Return a source for people: a user behind a proxy only if we have him.

        Whatever else stands there a stranger has made up.
        """
        host, _, user = source.partition(" ")
        return f"{host} ({user})" if user in self._server.phones else host

    @callback
    def async_follow_phone(self, phone: SnomPhone) -> None:
        """Tell if a phone keeps refusing what it is sent."""
        issue_id = f"refuses_{phone.settings.subentry_id}"
        if answer := phone.phone.refusal:
            self._async_tell(
                issue_id,
                "phone_refuses",
                {"phone": phone.settings.name, "answer": escape_markdown(answer)},
            )
        else:
            self._async_take_back(issue_id)

    @callback
    def async_forget_phone(self, phone: SnomPhone) -> None:
        """Take back what was told of a phone that is removed."""
        self._async_take_back(f"refuses_{phone.settings.subentry_id}")

    @callback
    def _async_tell(
        self,
        issue_id: str,
        key: str,
        placeholders: Mapping[str, str],
        severity: ir.IssueSeverity = ir.IssueSeverity.WARNING,
        *,
        is_fixable: bool = False,
    ) -> None:
        if self._is_stopped:  # while something was waited for
            return
        self._told.add(issue_id)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            data={"entry_id": self._entry.entry_id},
            is_fixable=is_fixable,
            severity=severity,
            translation_key=key,
            translation_placeholders={"name": self._entry.title, **placeholders},
        )

    @callback
    def _async_take_back(self, issue_id: str) -> None:
        # Also what one before us has told and had no time to take back.
        self._told.discard(issue_id)
        ir.async_delete_issue(self._hass, DOMAIN, issue_id)
