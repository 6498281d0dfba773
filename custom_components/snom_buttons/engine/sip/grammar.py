"""The small parts of SIP's grammar that several headers share (RFC 3261 section 25).

Texts are scanned once, without backtracking: hostile input costs linear time. What can be
long is scanned by regular expressions, which cost a tenth of a loop over characters.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from itertools import groupby
import re

MAX_PARAMETERS = 64
CACHED_LENGTH = 256
"""Longest text that is cached. Strangers choose the texts, so the cache must be bounded."""

TOKEN = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~"
)
_BETWEEN_SEPARATORS = re.compile(r"""[^<>"@:;=?,/\\\[\]() ]+""")
MAX_SHAPE = 60
"""Characters of a text of which `shape` shows the shape."""

_HOST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
_IPV6 = frozenset("0123456789abcdefABCDEF:.")

_STRING = r'"(?:[^"\\]++|\\.)*+"'
_BRACKETED = rf'<(?:[^">]++|{_STRING})*+>'
# A text up to a separator outside of quotes and brackets, or to a fault.
_PART = {
    separator: re.compile(
        rf'(?:[^"<{separator}]++|{_STRING}|{_BRACKETED})*+', re.DOTALL
    )
    for separator in ("", ",", ";")
}
# From a fault to the quote that is not closed, or to the end of the text.
_FAULT = re.compile(rf'<?(?:[^">]++|{_STRING})*+', re.DOTALL)
_QUOTED = re.compile(_STRING, re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

# Common names, for which the checks are skipped: those of a Via, a From and a Contact.
_USUAL = frozenset({"branch", "rport", "received", "tag", "expires", "line"})

type Parameters = dict[str, str | None]
"""Parameters by lower-case name; None for a name without a value (`;lr`)."""


class SipSyntaxError(ValueError):
    """Text that SIP's grammar does not allow; the message names the fault."""


def cached[Parsed](parse: Callable[[str], Parsed]) -> Callable[[str], Parsed]:
    """Return `parse` with a cache of 2048 results for texts of up to CACHED_LENGTH."""
    remembered = lru_cache(maxsize=2048)(parse)

    @wraps(remembered)
    def parse_or_remember(text: str) -> Parsed:
        return (remembered if len(text) <= CACHED_LENGTH else parse)(text)

    return parse_or_remember


def is_token(text: str) -> bool:
    """Whether `text` is a `token` of RFC 3261 25.1."""
    return bool(text) and TOKEN.issuperset(text)


def split_outside_quotes(
    text: str, separator: str, most: int | None = None
) -> list[str]:
    """Split outside quotes and angle brackets; return the stripped parts.

    After `most` parts the rest is one more part. Raises SipSyntaxError for a quoted
    string or a bracket that is not closed.
    """
    if '"' not in text and "<" not in text:
        split = text.split(separator, -1 if most is None else most)
        return [part.strip() for part in split]
    parts: list[str] = []
    start = 0
    while len(parts) != most:
        end = _end_of_part(text, separator, start)
        parts.append(text[start:end].strip())
        start = end + 1
        if end == len(text):
            return parts
    return [*parts, text[start:].strip()]


def split_first(text: str) -> tuple[str, str]:
    """Split a comma-separated list into its first value and the rest, "" if none.

    Raises SipSyntaxError as `split_outside_quotes` does.
    """
    if '"' not in text:
        first, _, rest = text.partition(",")
        return first, rest
    end = _end_of_part(text, ",", 0)
    _end_of_part(text, "", end)  # what the rest opens is closed
    return text[:end], text[end + 1 :]


def _end_of_part(text: str, separator: str, start: int) -> int:
    """Return the position of the next separator, or the end. Raises SipSyntaxError."""
    end = _end_of(_PART[separator], text, start)
    if end == len(text) or text[end] == separator:
        return end
    if _end_of(_FAULT, text, end) < len(text):
        raise SipSyntaxError("a quoted string is not closed")
    raise SipSyntaxError("an angle bracket is not closed")


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    assert match is not None, "the pattern matches an empty text"
    return match.end()


def end_of_quotes(text: str) -> int:
    """Return the position after the quoted string at the start, 0 if there is none.

    Raises SipSyntaxError if it is not closed.
    """
    if not text.startswith('"'):
        return 0
    quoted = _QUOTED.match(text)
    if quoted is None:
        raise SipSyntaxError("a quoted string is not closed")
    return quoted.end()


def unquote(text: str) -> str:
    """Return the content of a quoted string, or `text` itself if it is not one."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    # Each pair of backslashes is one; a single one goes.
    parts = text[1:-1].split("\\\\")
    return "\\".join([part.replace("\\", "") for part in parts])


def quote(text: str) -> str:
    """Return `text` as a quoted string (RFC 3261 25.1, `quoted-string`)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse_parameters(text: str, allowed: frozenset[str] = TOKEN) -> Parameters:
    """Parse `name=value;name` (without the semicolon before the first).

    Names of `allowed` characters are returned in lower case, values unchanged. An empty
    parameter, as in a trailing `;`, is ignored. Raises SipSyntaxError for a bad name, a
    repeated name (RFC 3261 7.3.1) or more than MAX_PARAMETERS.
    """
    parameters: Parameters = {}
    if not text:
        return parameters
    plain = '"' not in text and "<" not in text
    parts = (
        text.split(";", MAX_PARAMETERS)
        if plain
        else split_outside_quotes(text, ";", MAX_PARAMETERS)
    )
    if len(parts) > MAX_PARAMETERS:
        raise SipSyntaxError(f"more than {MAX_PARAMETERS} parameters")
    for part in parts:
        name, equals, value = part.partition("=")
        if name not in _USUAL:
            name = name.strip().lower()
            if not name and not equals:
                continue
            if not name or not allowed.issuperset(name):
                raise SipSyntaxError(f"a parameter has the bad name {shape(name)}")
        if name in parameters:
            raise SipSyntaxError(f"the parameter {shape(name)} occurs twice")
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
    """Split `host`, `host:port` or `[ipv6]:port`. Raises SipSyntaxError.

    Also accepts leading digits and underscores (Docker's), and port 0, which the grammar
    allows: a flow decides where messages go. Returns the host in lower case, IPv6 in
    brackets, and the port or None.
    """
    if text.startswith("["):
        inner, bracket, rest = text[1:].partition("]")
        if not bracket or not inner or not _IPV6.issuperset(inner):
            raise SipSyntaxError(f"{shape(text)} is not an IPv6 address")
        host = f"[{inner}]"
        rest = rest.lstrip()
        if rest and not rest.startswith(":"):
            raise SipSyntaxError(f"{shape(text)} is not a host and port")
        colon, port = rest[:1], rest[1:]
    else:
        host, colon, port = text.partition(":")
        host = host.rstrip()
        if not host or not _HOST.issuperset(host):
            raise SipSyntaxError(f"{shape(host)} is not a host name or address")
    if not colon:
        return host.lower(), None
    return host.lower(), parse_number(port.strip(), "port", high=65535)


def has_control(text: str) -> bool:
    """Whether `text` has control characters other than tabs."""
    return _CONTROL.search(text) is not None


def without_control(text: str) -> str:
    """Return `text` with a blank for each control character other than tabs."""
    return _CONTROL.sub(" ", text)


def readable(text: str) -> str:
    """Return `text` with a `?` for each byte that was not UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def shape(text: str) -> str:
    """Return the shape of a text from the wire: all that logs and errors show of it.

    It has the separators of SIP, escapes for characters that are not printable, and an x
    for all others between them: `sip:44:secret@h` gives `'x:x:x@x'`. What a stranger
    sends may hold a password, a caller, or characters that change how a log looks.
    """
    more = "…" if len(text) > MAX_SHAPE else ""
    return f"'{_BETWEEN_SEPARATORS.sub(_shape_of, text[:MAX_SHAPE])}{more}'"


def _shape_of(run: re.Match[str]) -> str:
    if run[0].isprintable():
        return "x"
    characters = ("x" if c.isprintable() else ascii(c)[1:-1] for c in run[0])
    return "".join(text for text, _ in groupby(characters))


def parse_number(text: str, what: str, *, low: int = 0, high: int) -> int:
    """Parse ASCII digits within bounds. Raises SipSyntaxError, which names `what`.

    Python's int() also accepts signs, underscores and digits of other scripts.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise SipSyntaxError(f"the {what} {shape(text)} is not a number")
    number = int(text)
    if not low <= number <= high:
        raise SipSyntaxError(f"the {what} is not between {low} and {high}")
    return number
