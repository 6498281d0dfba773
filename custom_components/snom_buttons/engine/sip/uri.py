"""SIP URIs, and the header values that hold them (RFC 3261 19.1 and 20.10)."""

from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import quote as percent_encode, unquote as percent_decode

from .grammar import (
    TOKEN,
    Parameters,
    SipSyntaxError,
    cached,
    parse_parameters,
    quote,
    readable,
    split_host_port,
    unquote,
)

SCHEMES = frozenset({"sip", "sips", "tel"})

# The characters of a parameter's name: `param-unreserved` besides what a token has.
_PARAMETER = TOKEN | frozenset("[]/:&$()")
# The characters that need no escape in the user part: `unreserved` and `user-unreserved`.
_USER_SAFE = "-_.!~*'()&=+$,;?/"
_FORBIDDEN = frozenset(' "<>\\^`{|}\x7f') | {chr(code) for code in range(0x20)}


class UnsupportedScheme(SipSyntaxError):
    """A URI of a scheme that is neither sip, sips nor tel (RFC 3261 8.2.2.1: 416)."""


@dataclass(frozen=True, slots=True)
class Uri:
    """A `sip:`, `sips:` or `tel:` URI; `text` has the exact characters."""

    text: str
    scheme: str
    user: str | None
    """The user, or the number of a tel URI, unescaped. Bytes that are not UTF-8 are
    replaced, so that it can be shown and stored."""
    host: str
    """In lower case, IPv6 in brackets; empty for tel."""
    port: int | None
    parameters: str
    """Unchanged, without the leading semicolon."""

    def __str__(self) -> str:
        """Return the URI with its exact characters."""
        return self.text

    def parameter(self, name: str) -> str | None:
        """Return a parameter's value, "" if it has none, None if it is absent."""
        parameters = parse_parameters(self.parameters, _PARAMETER)
        if name not in parameters:
            return None
        return parameters[name] or ""

    @property
    def target(self) -> Uri:
        """The URI as a Request-URI: without `method` and headers (19.1.1, table 1)."""
        if "?" not in self.text and "method" not in self.parameters.lower():
            return self
        # The user part may contain question marks and semicolons.
        user_info, at, host_port = self.text.rpartition("@")
        host_port, question, _headers = host_port.partition("?")
        if self.scheme == "tel" or not (
            question or "method" in self.parameters.lower()
        ):
            return self
        start, *parameters = host_port.split(";")
        kept = [
            parameter
            for parameter in parameters
            if parameter and parameter.partition("=")[0].strip().lower() != "method"
        ]
        text = user_info + at + ";".join([start, *kept])
        return replace(self, text=text, parameters=";".join(kept))

    @property
    def key(self) -> tuple[str, str | None, str, int | None, str]:
        """A key that equivalent URIs share, close to RFC 3261 19.1.4."""
        parameters = parse_parameters(self.parameters.lower(), _PARAMETER)
        # As there, an explicit default (`transport=udp`) makes a difference.
        relevant = ";".join(
            f"{name}={value}" for name, value in sorted(parameters.items())
        )
        return self.scheme, self.user, self.host, self.port, relevant


def make_uri(user: str | None, host: str, port: int | None = None) -> Uri:
    """Return `sip:user@host:port` with the user escaped."""
    authority = host if port is None else f"{host}:{port}"
    if user is not None:
        authority = f"{escape_user(user)}@{authority}"
    return parse_uri(f"sip:{authority}")


def escape_user(user: str) -> str:
    """Return a user as a user part, with escapes where it needs them (25.1)."""
    return percent_encode(user, _USER_SAFE, errors="replace")


@cached
def parse_uri(text: str) -> Uri:
    """Parse a URI; one without a scheme, as in the sipsak example, is `sip:`.

    Raises UnsupportedScheme or SipSyntaxError.
    """
    if not _FORBIDDEN.isdisjoint(text):
        raise SipSyntaxError(f"{text[:60]!r} has characters that no URI may have")
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or scheme not in SCHEMES:
        if colon and "@" not in scheme and _is_scheme(scheme, rest):
            raise UnsupportedScheme(f"the URI scheme {scheme[:20]!r} is not supported")
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
            raise SipSyntaxError(f"{text[:60]!r} has an empty user part")
    parse_parameters(parameters, _PARAMETER)
    return Uri(text, scheme, user, host, port, parameters)


def _decoded(text: str) -> str:
    return readable(percent_decode(text) if "%" in text else text)


def _is_scheme(before: str, rest: str) -> bool:
    """Whether the text before the first colon is a scheme.

    In `mailto:x@y` and `urn:service:sos` it is, in `host:5060` and `44:secret@host` not.
    """
    if rest.startswith("//"):
        return True
    port = rest.partition(";")[0].partition("?")[0]
    return not port.isdigit() and before[:1].isalpha() and "." not in before


class Address(NamedTuple):
    """A `name-addr` or `addr-spec` with its parameters: To, From, one Contact."""

    text: str
    """The exact characters, parameters included."""
    display_name: str
    uri: Uri
    parameter_text: str

    def __str__(self) -> str:
        """Return the address with its exact characters."""
        return self.text

    @property
    def parameters(self) -> Parameters:
        """The header parameters, such as `tag` or `expires`."""
        return parse_parameters(self.parameter_text)

    @property
    def tag(self) -> str | None:
        """The `tag` parameter of a To or From, or None."""
        text = self.parameter_text
        if text.startswith("tag=") and ";" not in text:
            return text[4:].lstrip()
        return self.parameters.get("tag")


def make_address(
    uri: Uri, *, tag: str | None = None, display_name: str = ""
) -> Address:
    """Return `"name" <uri>;tag=…`."""
    name = f"{quote(display_name)} " if display_name else ""
    parameters = f"tag={tag}" if tag else ""
    text = f"{name}<{uri.text}>" + (f";{parameters}" if parameters else "")
    return Address(text, display_name, uri, parameters)


@cached
def parse_address(text: str) -> Address:
    """Parse one address, with or without angle brackets. Raises SipSyntaxError.

    Without brackets the parameters belong to the header, not to the URI (20.10).
    """
    text = text.strip()
    name_end = _end_of_quotes(text) if text.startswith('"') else 0
    opening = text.find("<", name_end)
    if opening < 0:
        if name_end:
            raise SipSyntaxError("an address has a display name but no <URI>")
        bare, _, parameters = text.partition(";")
        if "?" in bare:
            raise SipSyntaxError("a URI with a question mark needs <>")
        address = Address(text, "", parse_uri(bare.rstrip()), parameters.strip())
    else:
        closing = text.find(">", opening)
        if closing < 0:
            raise SipSyntaxError("an angle bracket is not closed")
        rest = text[closing + 1 :].lstrip()
        if rest and not rest.startswith(";"):
            raise SipSyntaxError(f"{rest[:40]!r} follows an address")
        # The LED Remote Control document prints a blank after the opening bracket.
        uri = parse_uri(text[opening + 1 : closing].strip())
        name = readable(unquote(text[:opening].strip()))
        address = Address(text, name, uri, rest[1:].strip())
    if address.parameter_text:
        parse_parameters(address.parameter_text)
    return address


def _end_of_quotes(text: str) -> int:
    """Return the position after the quoted string. Raises SipSyntaxError."""
    position = 1
    while True:
        closing = text.find('"', position)
        if closing < 0:
            raise SipSyntaxError("a quoted string is not closed")
        escapes = 0
        while text[closing - 1 - escapes] == "\\":
            escapes += 1
        if escapes % 2 == 0:
            return closing + 1
        position = closing + 1
