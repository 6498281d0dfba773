"""Digest access authentication, both sides (RFC 7616, RFC 8760, RFC 3261 section 22).

Neither side stores or logs a password.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
import hashlib
import hmac
import secrets

from .grammar import (
    MAX_PARAMETERS,
    SipSyntaxError,
    is_token,
    quote,
    shape,
    split_outside_quotes,
    unquote,
)
from .uri import parse_uri

NONCE_LIFETIME = 300.0
"""Seconds for which a nonce is accepted; after that the answer is `stale=true`."""

ONLY_MD5 = ("baresip",)
"""Prefixes of the User-Agent of clients that fail if any challenge is not MD5: Debian
12's baresip 1.0.0 does not ignore others as RFC 7616 3.7 requires."""

SEAL = 10
"""Bytes of HMAC in a nonce, which has 24 characters then: a challenge has to be short."""

_HEX = frozenset("0123456789abcdefABCDEF")
_QUOTED = frozenset(
    {"username", "realm", "nonce", "uri", "response", "cnonce", "opaque"}
)


class Algorithm(StrEnum):
    """A hash by its name, in the order of our challenges (docs/decisions/0008)."""

    MD5 = "MD5"
    SHA_256 = "SHA-256"

    def hash(self, text: str) -> str:
        """Return H(text) of RFC 7616 3.2 as lower-case hexadecimal digits."""
        data = text.encode("utf-8", "surrogateescape")
        if self is Algorithm.MD5:
            # Old phones know only this; RFC 3261 22.4 makes it the default.
            return hashlib.md5(data, usedforsecurity=False).hexdigest()
        return hashlib.sha256(data).hexdigest()


def parse_credentials(value: str) -> dict[str, str]:
    """Parse `Digest name=value, …`; return unquoted values by lower-case name.

    Raises SipSyntaxError for another scheme, a repeated name, or too many of them.
    """
    scheme, _, rest = value.strip().replace("\t", " ").partition(" ")
    if scheme.lower() != "digest":
        raise SipSyntaxError("the scheme is not Digest")
    parts = split_outside_quotes(rest, ",", MAX_PARAMETERS)
    if len(parts) > MAX_PARAMETERS:
        raise SipSyntaxError(f"more than {MAX_PARAMETERS} parameters")
    parameters: dict[str, str] = {}
    for part in parts:
        name, equals, text = part.partition("=")
        name = name.strip().lower()
        if not part:
            continue
        if not equals or not is_token(name):
            raise SipSyntaxError(f"{shape(part)} is not a parameter")
        if name in parameters:
            raise SipSyntaxError(f"the parameter {shape(name)} occurs twice")
        parameters[name] = unquote(text.strip())
    return parameters


def _format_credentials(parameters: Iterable[tuple[str, str]]) -> str:
    """Return `Digest name="value", …`, quoted as in RFC 7616 3.3 and 3.4."""
    return "Digest " + ", ".join(
        f"{name}={quote(value) if name in _QUOTED else value}"
        for name, value in parameters
    )


def digest_response(
    algorithm: Algorithm,
    *,
    username: str,
    realm: str,
    password: str,
    method: str,
    uri: str,
    nonce: str,
    qop: str = "",
    nc: str = "",
    cnonce: str = "",
) -> str:
    """Return the `response` value (RFC 7616 3.4.1; without qop as in RFC 2069)."""
    secret = algorithm.hash(f"{username}:{realm}:{password}")
    request = algorithm.hash(f"{method}:{uri}")
    if qop:
        return algorithm.hash(f"{secret}:{nonce}:{nc}:{cnonce}:{qop}:{request}")
    return algorithm.hash(f"{secret}:{nonce}:{request}")


def answer_challenge(
    challenges: Sequence[str],
    *,
    username: str,
    password: str,
    method: str,
    uri: str,
    nc: int = 1,
    cnonce: str | None = None,
) -> str | None:
    """Return the Authorization value for the first supported challenge.

    `challenges` are header lines in their order (RFC 8760 2.4). Returns None unless one
    is a digest with MD5 or SHA-256, and with qop=auth or no qop.
    """
    for challenge in challenges:
        try:
            offered = parse_credentials(challenge)
            algorithm = Algorithm(offered.get("algorithm", "MD5").upper())
            realm, nonce = offered["realm"], offered["nonce"]
        except SipSyntaxError, ValueError, KeyError:
            continue
        qops = {qop.strip().lower() for qop in offered.get("qop", "").split(",")}
        qop = "auth" if "auth" in qops else ""
        if not qop and qops != {""}:
            continue
        client_nonce = cnonce or secrets.token_hex(8)
        count = f"{nc:08x}"
        response = digest_response(
            algorithm,
            username=username,
            realm=realm,
            password=password,
            method=method,
            uri=uri,
            nonce=nonce,
            qop=qop,
            nc=count,
            cnonce=client_nonce,
        )
        parameters = [
            ("username", username),
            ("realm", realm),
            ("nonce", nonce),
            ("uri", uri),
            ("response", response),
            ("algorithm", algorithm.value),
        ]
        if qop:
            parameters += [("qop", qop), ("nc", count), ("cnonce", client_nonce)]
        if "opaque" in offered:
            parameters.append(("opaque", offered["opaque"]))
        return _format_credentials(parameters)
    return None


class Verdict(Enum):
    """The result of checking the credentials of a request."""

    MISSING = auto()
    """No credentials for this realm: challenge."""
    STALE = auto()
    """Nonce unknown, too old or used: challenge, stale=true. The password was checked
    only if it was used."""
    WRONG = auto()
    """Password, user or parameters are wrong: count a failure and challenge."""
    ACCEPTED = auto()


@dataclass(frozen=True, slots=True)
class Authentication:
    """The verdict, and the user of the credentials (None without credentials)."""

    verdict: Verdict
    username: str | None = None
    is_former: bool = False
    """Whether the password is the former one."""


class Challenger:
    """The server's side: creates challenges and checks credentials.

    A nonce contains its time, and an HMAC over that and its source, so that only those
    used with a right password are stored, each with its highest `nc`, against replayed
    requests (RFC 7616 3.4).
    """

    def __init__(
        self,
        realm: str,
        password_of: Callable[[str], str | None],
        clock: Callable[[], float],
        former_password_of: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        """Check passwords; `password_of` returns None for an unknown user.

        `former_password_of` returns another one that is accepted, None for most users.
        """
        self.realm = realm
        self._password_of = password_of
        self._former_password_of = former_password_of
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        # Replaces a password that there is not, so that the time is the same.
        self._decoy_password = secrets.token_hex(8)
        self._highest_nc: dict[str, tuple[int, float]] = {}
        self._next_sweep = 0.0

    def challenges(
        self, source: str, *, stale: bool = False, user_agent: str | None = None
    ) -> list[str]:
        """Return the challenges for `source`, one for each algorithm (RFC 8760 2.3).

        The nonce is valid for requests from `source` only: credentials that were
        intercepted are of no use elsewhere, and a forged source cannot answer.
        """
        only_md5 = user_agent is not None and user_agent.lower().startswith(ONLY_MD5)
        start = [("realm", self.realm), ("nonce", self._new_nonce(source))]
        end = [("qop", '"auth"'), *([("stale", "true")] if stale else [])]
        return [
            _format_credentials([*start, ("algorithm", algorithm.value), *end])
            for algorithm in ((Algorithm.MD5,) if only_md5 else Algorithm)
        ]

    def judge(
        self, values: Sequence[str], *, source: str, method: str, request_uri: str
    ) -> Authentication:
        """Check the Authorization lines of a request from `source`.

        An unknown user costs the same computation as a wrong password and gets the same
        verdict, so that neither answer nor time reveals which users exist. Credentials
        with an expired nonce are not checked (RFC 7616 3.3): they would be a guess at
        the password that is not counted.
        """
        for value in values:
            try:
                offered = parse_credentials(value)
            except SipSyntaxError:
                continue
            if offered.get("realm") == self.realm:
                return self._judge(offered, source, method, request_uri)
        return Authentication(Verdict.MISSING)

    def _judge(
        self, offered: dict[str, str], source: str, method: str, request_uri: str
    ) -> Authentication:
        username = offered.get("username", "")
        uri = offered.get("uri", "")
        wrong = Authentication(Verdict.WRONG, username)
        stale = Authentication(Verdict.STALE, username)
        # Nor is it a failure if the server has restarted, or the address of the phone has
        # changed (NAT).
        nonce = offered.get("nonce", "")
        issued = self._issued(nonce, source)
        if issued is None or issued < self._clock() - NONCE_LIFETIME:
            return stale
        try:
            algorithm = Algorithm(offered.get("algorithm", "MD5").upper())
        except ValueError:
            return wrong
        qop = offered.get("qop", "")
        count = offered.get("nc", "")
        given = offered.get("response", "").lower()

        def is_right(password: str | None) -> bool:
            expected = digest_response(
                algorithm,
                username=username,
                realm=self.realm,
                password=self._decoy_password if password is None else password,
                method=method,
                uri=uri,
                nonce=nonce,
                qop=qop,
                nc=count,
                cnonce=offered.get("cnonce", ""),
            )
            matches = hmac.compare_digest(
                expected.encode(), given.encode("utf-8", "surrogateescape")
            )
            return matches and password is not None

        is_present = is_right(self._password_of(username))
        # Also for users that have none, so that the time shows neither.
        if not (
            is_present or is_right(self._former_password_of(username))
        ) or qop.lower() not in ("", "auth"):
            return wrong
        # A proxy may have changed the Request-URI of a REGISTER (RFC 3261 22.4, 6). For any
        # other request a different URI could be that of a request of this server.
        if method != "REGISTER" and not _same_uri(uri, request_uri):
            return Authentication(Verdict.MISSING)
        number = 1
        if qop:
            if not 0 < len(count) <= 8 or not _HEX.issuperset(count):
                return wrong
            number = int(count, 16)
        highest, _ = self._highest_nc.get(nonce, (0, issued))
        if number <= highest:
            return stale
        self._sweep()
        self._highest_nc[nonce] = number, issued
        return Authentication(Verdict.ACCEPTED, username, not is_present)

    def _new_nonce(self, source: str) -> str:
        stamp = int(self._clock() * 1000).to_bytes(5) + secrets.token_bytes(3)
        return self._nonce(stamp, source)

    def _nonce(self, stamp: bytes, source: str) -> str:
        return urlsafe_b64encode(stamp + self._seal(stamp, source)).decode()

    def _seal(self, stamp: bytes, source: str) -> bytes:
        text = f"{source}\0{self.realm}".encode("utf-8", "surrogateescape")
        return hmac.digest(self._secret, stamp + text, "sha256")[:SEAL]

    def _issued(self, nonce: str, source: str) -> float | None:
        """Return the time of a nonce, None if it was not issued to `source` here."""
        try:
            data = urlsafe_b64decode(nonce)
        except ValueError:
            return None
        if urlsafe_b64encode(data).decode() != nonce:
            # Another spelling of the same nonce would have a count of its own.
            return None
        stamp, seal = data[:8], data[8:]
        if not hmac.compare_digest(self._seal(stamp, source), seal):
            return None
        return int.from_bytes(stamp[:5]) / 1000

    def _sweep(self) -> None:
        now = self._clock()
        if now < self._next_sweep:
            return
        self._next_sweep = now + NONCE_LIFETIME
        self._highest_nc = {
            nonce: (count, issued)
            for nonce, (count, issued) in self._highest_nc.items()
            if issued >= now - NONCE_LIFETIME
        }


def _same_uri(given: str, request_uri: str) -> bool:
    """Whether the digest's uri is equivalent to the request's (RFC 7616 3.4.6)."""
    if given == request_uri:
        return True
    try:
        return parse_uri(given).is_equivalent(parse_uri(request_uri))
    except SipSyntaxError:
        return False
