"""Lets the test plugin run on a Home Assistant that is newer than the one it is made for.

For the command line (`pytest -p tests.support.newest`), and for programs that import the
plugin without pytest. The test plugin 0.13.375 is made for Home Assistant 2026.10; each
step names the version that needs it.
"""

# 2026.11 aliases httpx to httpx2, which fails once a test plugin has imported httpx.
import homeassistant  # noqa: F401
from homeassistant.components import logger
from homeassistant.components.logger import helpers

# 2026.11 no longer has this attribute.
logger._clear_logger_overwrites = helpers._clear_logger_overwrites  # type: ignore[attr-defined]
