"""How the phone fetches a settings file: from which addresses, and by HTTP."""

import http.client
from pathlib import PurePosixPath
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from .hardware import Hardware

TIMEOUT = 10.0
"""Seconds without data after which a fetch fails."""
MAX_BYTES = 1024 * 1024
"""Longest file."""


class FetchFailed(Exception):
    """There is no file, for the reason that the message says."""


def fill_in(url: str, hardware: Hardware) -> str:
    """Return a URL with the values of its placeholders."""
    filled = url.replace("{mac}", hardware.mac)
    return filled.replace("{phone_type}", hardware.phone_type)


def addresses_of(url: str, hardware: Hardware) -> list[str]:
    """Return the URLs that the phone fetches one after the other.

    Without the name of a file it asks for one of its model, then for its own. With a name
    that has no `{mac}` it asks for that file, then for its own (snom, "Auto
    Provisioning").
    """
    filled = fill_in(url, hardware)
    parts = urlsplit(filled)
    if not parts.query and (not parts.path or parts.path.endswith("/")):
        names = (hardware.phone_type, f"{hardware.phone_type}-{hardware.mac}")
        folder = parts.path or "/"
        return [parts._replace(path=f"{folder}{name}.htm").geturl() for name in names]
    if "{mac}" in url:
        return [filled]
    path = PurePosixPath(parts.path)
    own = path.with_name(f"{path.stem}-{hardware.mac}{path.suffix}")
    return [filled, parts._replace(path=str(own)).geturl()]


def fetch(url: str, hardware: Hardware) -> bytes:
    """Return a file; this blocks. Raises FetchFailed."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise FetchFailed("this phone fetches by http and https only")
    headers = {"User-Agent": hardware.http_user_agent, "Accept": "*/*"}
    # Without the proxies of the environment, of which a phone knows nothing.
    opener = build_opener(ProxyHandler({}), HTTPSHandler())
    try:
        request = Request(url, headers=headers)  # noqa: S310 the scheme is checked
        with opener.open(request, timeout=TIMEOUT) as response:
            data: bytes = response.read(MAX_BYTES + 1)
    except HTTPError as error:
        error.close()
        raise FetchFailed(f"{error.code} {error.reason}") from error
    except URLError as error:
        raise FetchFailed(_reason(error.reason)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchFailed(_reason(error)) from error
    if len(data) > MAX_BYTES:
        raise FetchFailed(f"more than {MAX_BYTES} bytes")
    return data


def _reason(error: object) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error) or "no answer"
