"""The small parts of SIP's grammar that several headers share (RFC 3261 section 25).

Every function here walks its text once: no regular expression, nothing that can
backtrack, so that hostile input costs time in proportion to its length.
"""

from __future__ import annotations

MAX_PARAMETERS = 64

TOKEN = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~"
)
_HOST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
_IPV6 = frozenset("0123456789abcdefABCDEF:.")

# Names that need no second look: those of a Via, a From and a Contact.
_USUAL = frozenset({"branch", "rport", "received", "tag", "expires", "line"})

type Parameters = dict[str, str | None]
"""Parameters by lower-case name; None where there is a name only (`;lr`)."""


class SipSyntaxError(ValueError):
    """Text that SIP's grammar does not allow; the message says what was wrong."""


def is_token(text: str) -> bool:
    """Whether `text` is a `token` of RFC 3261 25.1."""
    return bool(text) and TOKEN.issuperset(text)


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """Split at `separator` where it stands outside quotes and angle brackets.

    Returns the stripped parts, empty ones included. Raises SipSyntaxError where a
    quoted string or a bracket is not closed.
    """
    if '"' not in text and "<" not in text:
        return [part.strip() for part in text.split(separator)]
    parts = []
    start = 0
    quoted = escaped = bracketed = False
    for position, character in enumerate(text):
        if escaped:
            escaped = False
        elif quoted:
            if character == "\\":
                escaped = True
            elif character == '"':
                quoted = False
        elif character == '"':
            quoted = True
        elif character == "<":
            bracketed = True
        elif character == ">":
            bracketed = False
        elif character == separator and not bracketed:
            parts.append(text[start:position].strip())
            start = position + 1
    if quoted:
        raise SipSyntaxError("a quoted string is not closed")
    if bracketed:
        raise SipSyntaxError("an angle bracket is not closed")
    parts.append(text[start:].strip())
    return parts


def split_first(text: str) -> tuple[str, str]:
    """Split a comma-separated list into its first value and the rest, "" if none."""
    if '"' not in text:
        first, _, rest = text.partition(",")
        return first, rest
    first, *others = split_outside_quotes(text, ",")
    return first, ", ".join(others)


def unquote(text: str) -> str:
    """Return what a quoted string says, or `text` itself if it is none."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    inner = text[1:-1]
    if "\\" not in inner:
        return inner
    characters = []
    escaped = False
    for character in inner:
        if character == "\\" and not escaped:
            escaped = True
        else:
            characters.append(character)
            escaped = False
    return "".join(characters)


def quote(text: str) -> str:
    """Return `text` as a quoted string (RFC 3261 25.1, `quoted-string`)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse_parameters(text: str, allowed: frozenset[str] = TOKEN) -> Parameters:
    """Parse `name=value;name` (without the semicolon before the first).

    Names, of `allowed` characters, come back in lower case, values as they stand. An
    empty parameter, as in a trailing `;`, is passed over. Raises SipSyntaxError for a
    bad name, a name that comes twice (RFC 3261 7.3.1) or more than MAX_PARAMETERS.
    """
    parameters: Parameters = {}
    if not text:
        return parameters
    plain = '"' not in text and "<" not in text
    parts = text.split(";") if plain else split_outside_quotes(text, ";")
    if len(parts) > MAX_PARAMETERS:
        raise SipSyntaxError(f"more than {MAX_PARAMETERS} parameters")
    for part in parts:
        name, equals, value = part.partition("=")
        if name not in _USUAL:
            name = name.strip().lower()
            if not name and not equals:
                continue
            if not name or not allowed.issuperset(name):
                raise SipSyntaxError(f"a parameter has the bad name {name[:40]!r}")
        if name in parameters:
            raise SipSyntaxError(f"the parameter {name[:40]!r} stands twice")
        parameters[name] = value.strip() if equals else None
    return parameters


def format_parameters(parameters: Parameters) -> str:
    """Return `;name=value` for each parameter, `;name` where the value is None."""
    return "".join(
        [
            f";{name}" if value is None else f";{name}={value}"
            for name, value in parameters.items()
        ]
    )


def split_host_port(text: str) -> tuple[str, int | None]:
    """Split `host`, `host:port` or `[ipv6]:port`.

    Takes host names that begin with digits and underscores (Docker's), which the
    grammar is strict about and networks are not. Returns the host in lower case, with
    its brackets if it is IPv6, and the port or None. Raises SipSyntaxError.
    """
    if text.startswith("["):
        inner, bracket, rest = text[1:].partition("]")
        if not bracket or not inner or not _IPV6.issuperset(inner):
            raise SipSyntaxError(f"{text[:60]!r} is not an IPv6 address")
        host = f"[{inner}]"
        rest = rest.lstrip()
        if rest and not rest.startswith(":"):
            raise SipSyntaxError(f"{text[:60]!r} is not a host and port")
        colon, port = rest[:1], rest[1:]
    else:
        host, colon, port = text.partition(":")
        host = host.rstrip()
        if not host or not _HOST.issuperset(host):
            raise SipSyntaxError(f"{host[:60]!r} is not a host name or address")
    if not colon:
        return host.lower(), None
    return host.lower(), parse_number(port.strip(), "port", low=1, high=65535)


def has_control(text: str) -> bool:
    """Whether `text` holds what could break a line or a terminal (tabs do not)."""
    if text.isprintable():
        return False
    return any((c < " " and c != "\t") or c == "\x7f" for c in text)


def readable(text: str) -> str:
    """Return `text` with a `?` for each byte of it that was no UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def parse_number(text: str, what: str, *, low: int = 0, high: int) -> int:
    """Parse plain ASCII digits within bounds; `what` names it in the error.

    Python's int() would also take signs, underscores, and digits of other scripts.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise SipSyntaxError(f"the {what} {text[:20]!r} is not a number")
    number = int(text)
    if not low <= number <= high:
        raise SipSyntaxError(f"the {what} {number} is not between {low} and {high}")
    return number
