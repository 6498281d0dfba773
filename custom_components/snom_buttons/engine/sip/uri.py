"""SIP URIs, and the header values that hold them (RFC 3261 19.1 and 20.10)."""

from dataclasses import dataclass, replace
from ipaddress import AddressValueError, IPv6Address
import re
from typing import NamedTuple
from urllib.parse import quote as percent_encode, unquote as percent_decode

from .grammar import (
    TOKEN,
    Parameters,
    SipSyntaxError,
    cached,
    end_of_quotes,
    parse_parameters,
    quote,
    readable,
    shape,
    split_host_port,
    unquote,
)

SCHEMES = frozenset({"sip", "sips", "tel"})

# The characters of a parameter's name: `param-unreserved` besides what a token has.
_PARAMETER = TOKEN | frozenset("[]/:&$()")
# The characters that need no escape in the user part: `unreserved` and `user-unreserved`.
_USER_SAFE = "-_.!~*'()&=+$,;?/"
_FORBIDDEN = frozenset(' "<>\\^`{|}\x7f') | {chr(code) for code in range(0x20)}
# An escape of ASCII or of another byte, or a percent sign that should have one.
_ESCAPE = re.compile("%(?:([0-7][0-9A-Fa-f])|[89A-Fa-f][0-9A-Fa-f])?")
# The characters that differ from their escapes (RFC 2396 2.2), and control characters.
# So does the escape character: `%252F` is the text `%2F`, not a slash.
_KEEPS_ESCAPE = frozenset(";/?:@&=+$,%\x7f") | {chr(code) for code in range(0x20)}
# The parameters that both URIs must have if one has them (19.1.4).
_SIGNIFICANT = frozenset({"transport", "user", "ttl", "method", "maddr"})
_PORT_DIGITS = 5
# What ends a display name: its URI, or in an address without one a parameter.
_NAME_END = re.compile('[<;"]')


class UnsupportedScheme(SipSyntaxError):
    """A URI of a scheme that is neither sip, sips nor tel (RFC 3261 8.2.2.1: 416)."""


@dataclass(frozen=True, slots=True)
class Uri:
    """A URI; `text` has the exact characters.

    Only those of SCHEMES are parsed further: others have no user, host or parameters.
    """

    text: str
    scheme: str
    user: str | None
    """The user, or the number of a tel URI, unescaped. Bytes that are not UTF-8 are
    replaced, so that it can be shown and stored."""
    host: str
    """In lower case, IPv6 in brackets; empty if the scheme is not sip or sips."""
    port: int | None
    parameters: str
    """Unchanged, without the leading semicolon."""

    def __str__(self) -> str:
        """Return the URI with its exact characters."""
        return self.text

    def parameter(self, name: str) -> str | None:
        """Return a parameter's value, "" if it has none, None if it is absent."""
        return self._named.get(name)

    @property
    def _named(self) -> dict[str, str]:
        """The parameters by their names, which may have escapes (25.1, `pname`)."""
        parameters = parse_parameters(self.parameters, _PARAMETER)
        return {_folded(name): value or "" for name, value in parameters.items()}

    @property
    def is_sip(self) -> bool:
        """Whether a request can be sent to it: it is a sip or sips URI, and says so."""
        return self.text[: len(self.scheme) + 1].lower() in ("sip:", "sips:")

    @property
    def with_scheme(self) -> Uri:
        """The same URI, with `sip:` if it has no scheme."""
        if self.is_sip or not self.host:
            return self
        return replace(self, text=f"sip:{self.text}")

    @property
    def target(self) -> Uri:
        """The URI as a Request-URI: without `method` and headers (19.1.1, table 1)."""
        has_method = "method" in _folded(self.parameters)
        if "?" not in self.text and not has_method:
            return self
        # The user part may contain question marks and semicolons.
        user_info, at, host_port = self.text.rpartition("@")
        host_port, question, _headers = host_port.partition("?")
        if not self.host or not (question or has_method):
            return self
        start, *parameters = host_port.split(";")
        kept = [
            parameter
            for parameter in parameters
            if parameter and _folded(parameter.partition("=")[0].strip()) != "method"
        ]
        text = user_info + at + ";".join([start, *kept])
        return replace(self, text=text, parameters=";".join(kept))

    @property
    def key(self) -> UriKey:
        """Its comparable parts. URIs with the same key are equivalent."""
        start = len(self.scheme) + 1
        has_scheme = self.text[:start].lower() == f"{self.scheme}:"
        rest = self.text[start:] if has_scheme else self.text
        if not self.host:
            return UriKey(self.scheme, None, rest, None, (), ())
        user_info, at, host_port = rest.rpartition("@")
        headers = host_port.partition("?")[2].split("&")
        return UriKey(
            self.scheme,
            _unescaped(user_info) if at else None,
            _canonical_host(self.host),
            self.port,
            tuple(sorted((n, _folded(v)) for n, v in self._named.items())),
            tuple(sorted(_folded(header) for header in headers if header)),
        )

    def is_equivalent(self, other: Uri) -> bool:
        """Whether `other` is equivalent (RFC 3261 19.1.4, RFC 5954 4.2).

        That is not transitive: a parameter that only one URI has is mostly ignored.
        """
        if self.text == other.text:
            return True
        ours, theirs = self.key, other.key
        if ours._replace(parameters=()) != theirs._replace(parameters=()):
            return False
        mine, others = dict(ours.parameters), dict(theirs.parameters)
        return all(
            mine[name] == others[name]
            if name in mine and name in others
            else name not in _SIGNIFICANT
            for name in mine | others
        )


class UriKey(NamedTuple):
    """The parts of a URI in the form in which RFC 3261 19.1.4 compares them."""

    scheme: str
    user_info: str | None
    """User and password, whose case matters."""
    host: str
    port: int | None
    parameters: tuple[tuple[str, str], ...]
    headers: tuple[str, ...]


def _unescaped(text: str) -> str:
    """Return `text` without the escapes that make no difference (19.1.4)."""
    return _ESCAPE.sub(_unescape, text) if "%" in text else text


def _unescape(escape: re.Match[str]) -> str:
    if escape[0] == "%":
        return "%25"
    character = chr(int(escape[1], 16)) if escape[1] else ""
    if not character or character in _KEEPS_ESCAPE:
        return escape[0].upper()
    return character


def _folded(text: str) -> str:
    return _unescaped(text).lower()


def _canonical_host(host: str) -> str:
    """Return a host, an IPv6 address in its one usual form (RFC 5954 4.2)."""
    try:
        # RFC 5118 4.10 tolerates the three colons of RFC 3261's grammar.
        literal = host[1:-1].replace(":::", "::")
        return f"[{IPv6Address(literal)}]" if host.startswith("[") else host
    except AddressValueError:
        return host


def make_uri(user: str | None, host: str, port: int | None = None) -> Uri:
    """Return `sip:user@host:port` with the user escaped."""
    authority = host if port is None else f"{host}:{port}"
    if user is not None:
        authority = f"{escape_user(user)}@{authority}"
    return parse_uri(f"sip:{authority}")


def escape_user(user: str) -> str:
    """Return a user as a user part, with escapes where it needs them (25.1)."""
    return percent_encode(user, _USER_SAFE, errors="replace")


def parse_uri(text: str) -> Uri:
    """Parse a URI; one without a scheme, as in the sipsak example, is `sip:`.

    Raises UnsupportedScheme or SipSyntaxError.
    """
    uri = _parse_any(text)
    if uri.scheme not in SCHEMES:
        raise UnsupportedScheme("the URI scheme is not supported")
    return uri


@cached
def _parse_any(text: str) -> Uri:
    """Parse a URI of any scheme. Raises SipSyntaxError."""
    if not _FORBIDDEN.isdisjoint(text):
        raise SipSyntaxError(f"{shape(text)} has characters that no URI may have")
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or scheme not in SCHEMES:
        if colon and "@" not in scheme and _is_scheme(scheme, rest):
            return Uri(text, scheme, None, "", None, "")
        scheme, rest = "sip", text
    if scheme == "tel":
        number, _, parameters = rest.partition(";")
        if not number:
            raise SipSyntaxError("a tel URI has no number")
        parse_parameters(parameters, _PARAMETER)
        return Uri(text, scheme, _decoded(number), "", None, parameters)
    user_info, at, host_port = rest.rpartition("@")
    host_port, _, _headers = host_port.partition("?")
    host_port, _, parameters = host_port.partition(";")
    host, port = split_host_port(host_port)
    user = None
    if at:
        user = _decoded(user_info.partition(":")[0])
        if not user:
            raise SipSyntaxError(f"{shape(text)} has an empty user part")
    parse_parameters(parameters, _PARAMETER)
    return Uri(text, scheme, user, host, port, parameters)


def _decoded(text: str) -> str:
    return readable(percent_decode(text) if "%" in text else text)


def _is_scheme(before: str, rest: str) -> bool:
    """Whether the text before the first colon is a scheme.

    In `mailto:x@y` and `isbn:2983792873` it is, in `host:5060` and `44:secret@host` not.
    """
    if rest.startswith("//"):
        return True
    port = rest.partition(";")[0].partition("?")[0]
    is_port = port.isdigit() and len(port) <= _PORT_DIGITS
    return not is_port and before[:1].isalpha() and "." not in before


class Address(NamedTuple):
    """A `name-addr` or `addr-spec` with its parameters: To, From, one Contact."""

    text: str
    """The exact characters, parameters included."""
    display_name: str
    uri: Uri
    parameter_text: str
    tag: str | None
    """The `tag` parameter of a To or From, or None."""

    def __str__(self) -> str:
        """Return the address with its exact characters."""
        return self.text

    @property
    def parameters(self) -> Parameters:
        """The header parameters, such as `tag` or `expires`."""
        return parse_parameters(self.parameter_text)


def make_address(
    uri: Uri, *, tag: str | None = None, display_name: str = ""
) -> Address:
    """Return `"name" <uri>;tag=…`."""
    name = f"{quote(display_name)} " if display_name else ""
    parameters = f"tag={tag}" if tag else ""
    text = f"{name}<{uri.text}>" + (f";{parameters}" if parameters else "")
    return Address(text, display_name, uri, parameters, tag)


@cached
def parse_address(text: str) -> Address:
    """Parse one address, with or without angle brackets. Raises SipSyntaxError.

    Without brackets the parameters belong to the header, not to the URI (20.10). The
    URI may be of any scheme (8.2.2.1, 10.2.1).
    """
    text = text.strip()
    name_end = end_of_quotes(text)
    # A bracket after one of the others is part of a parameter, such as +sip.instance.
    start = _NAME_END.search(text, name_end)
    if start is None or start[0] != "<":
        if name_end:
            raise SipSyntaxError("an address has a display name but no <URI>")
        bare, _, parameters = text.partition(";")
        if "?" in bare:
            raise SipSyntaxError("a URI with a question mark needs <>")
        for value in parse_parameters(parameters).values():
            if value and "<" in value and not value.startswith('"'):
                raise SipSyntaxError("an angle bracket outside quotes in a parameter")
        name, uri = "", _parse_any(bare.rstrip())
    else:
        opening = start.start()
        closing = text.find(">", opening)
        if closing < 0:
            raise SipSyntaxError("an angle bracket is not closed")
        rest = text[closing + 1 :].lstrip()
        if rest and not rest.startswith(";"):
            raise SipSyntaxError(f"{shape(rest)} follows an address")
        # The LED Remote Control document prints a blank after the opening bracket.
        uri = _parse_any(text[opening + 1 : closing].strip())
        name = readable(unquote(text[:opening].strip())) if opening else ""
        parameters = rest[1:]
    parameters = parameters.strip()
    tag = parse_parameters(parameters).get("tag")
    return Address(text, name, uri, parameters, tag)
