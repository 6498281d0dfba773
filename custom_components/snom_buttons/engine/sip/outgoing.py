"""Requests to be sent (RFC 3261 8.1.1 and 22)."""

from dataclasses import dataclass, replace
import secrets

from .digest import answer_challenge, parse_credentials
from .grammar import SipSyntaxError
from .message import SIP_VERSION, Response, encode
from .transaction import BRANCH_COOKIE
from .uri import Address, Uri, escape_user

# The header of a status's challenge and that of its credentials (RFC 3261 22.2 and 22.3).
CHALLENGES = {
    401: ("WWW-Authenticate", "Authorization"),
    407: ("Proxy-Authenticate", "Proxy-Authorization"),
}


def is_stale(response: Response) -> bool:
    """Return whether a challenge refuses only the nonce (RFC 7616 3.3)."""
    asks, _ = CHALLENGES.get(response.status, ("", ""))
    return any(map(_says_stale, response.headers.lines(asks)))


def _says_stale(challenge: str) -> bool:
    try:
        return parse_credentials(challenge).get("stale", "").lower() == "true"
    except SipSyntaxError:
        return False


def new_branch() -> str:
    """Return a branch for the Via of a new transaction (RFC 3261 8.1.1.7)."""
    return BRANCH_COOKIE + secrets.token_hex(8)


def format_via(transport: str, sent_by: str, branch: str) -> str:
    """Return the Via value of an outgoing request, with `rport` (RFC 3581 3)."""
    return f"{SIP_VERSION}/{transport} {sent_by};branch={branch};rport"


def format_contact(
    sent_by: str, transport: str, *, user: str = "", is_secure: bool = False
) -> str:
    """Return our own Contact, of which `sent_by` is the `host:port`.

    A sips URI means TLS without a transport parameter (RFC 5630 3.1.4).
    """
    own = f"{escape_user(user)}@{sent_by}" if user else sent_by
    return (
        f"<sips:{own}>" if is_secure else f"<sip:{own};transport={transport.lower()}>"
    )


@dataclass(slots=True, kw_only=True)
class OutgoingRequest:
    """A request without its Via, which the endpoint adds."""

    method: str
    uri: Uri
    from_: Address
    to: Address
    call_id: str
    cseq: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def encode(self, via: str) -> bytes:
        """Return the bytes of the request with this Via value."""
        headers = (
            ("Via", via),
            ("From", self.from_.text),
            ("To", self.to.text),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self.cseq} {self.method}"),
            ("Max-Forwards", "70"),
            *self.headers,
        )
        return encode(
            f"{self.method} {self.uri.text} {SIP_VERSION}", headers, self.body
        )

    def authorized(
        self, response: Response, username: str, password: str
    ) -> OutgoingRequest | None:
        """Return the request with credentials for the challenge of a response.

        Call-ID and tags stay, CSeq is the next (RFC 3261 22.2). Returns None if the
        response has no challenge, or none with a known algorithm.
        """
        if response.status not in CHALLENGES:
            return None
        asks, answers = CHALLENGES[response.status]
        credentials = answer_challenge(
            response.headers.lines(asks),
            username=username,
            password=password,
            method=self.method,
            uri=self.uri.text,
        )
        if credentials is None:
            return None
        headers = (*self.headers, (answers, credentials))
        return replace(self, cseq=self.cseq + 1, headers=headers)
