"""The configuration directory of the demo's Home Assistant."""

from __future__ import annotations

from datetime import UTC, datetime
import json
from pathlib import Path
import shutil

from script.demonstration.process import LOCALHOST, ROOT, DemoError

# Home Assistant has no address of its own while it listens on this machine alone.
CONFIGURATION = """\
# Written by script/demo.
homeassistant:
  name: Demo
  country: DE
  internal_url: {url}
frontend:
config:
history:
logbook:
automation: !include automations.yaml
script: !include scripts.yaml
scene: !include scenes.yaml
demo:
system_health:
logger:
  default: warning
  logs:
    custom_components.snom_buttons: debug
"""

SCRIPTS = """\
good_night:
  alias: Good night
  sequence:
    - action: light.turn_off
      target:
        entity_id: [light.kitchen_lights, light.ceiling_lights]
    - delay: 5
    - action: media_player.media_pause
      target:
        entity_id: media_player.walkman
"""
SCENES = """\
- id: movie
  name: Movie
  entities:
    light.kitchen_lights: "on"
    light.ceiling_lights: "off"
"""


def empty_directory(directory: Path) -> None:
    """Make an empty directory for a demo.

    Raises DemoError if there is one that holds something else.
    """
    if directory.exists() and any(directory.iterdir()):
        if not (directory / ".snom_buttons_demo").exists():
            raise DemoError(
                f"{directory} is not empty and is not a demo's; it was not changed"
            )
        shutil.rmtree(directory)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / ".snom_buttons_demo").touch()


def prepare_directory(directory: Path, http_port: int) -> None:
    """Make an empty configuration directory with this integration.

    Raises DemoError as `empty_directory` does.
    """
    empty_directory(directory)
    (directory / "custom_components").mkdir()
    (directory / ".storage").mkdir()
    (directory / "custom_components" / "snom_buttons").symlink_to(
        ROOT / "custom_components" / "snom_buttons"
    )
    # Home Assistant does not follow a link to a folder of blueprints.
    for source in (ROOT / "blueprints").rglob("*.yaml"):
        copy = directory / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
    store_http(directory, http_port)
    store_onboarding(directory)
    url = f"http://{LOCALHOST}:{http_port}"
    (directory / "configuration.yaml").write_text(CONFIGURATION.format(url=url))
    # The browser adds those that are made there.
    for name, content in ("automation", ""), ("script", SCRIPTS), ("scene", SCENES):
        (directory / f"{name}s.yaml").write_text(content)


def store_http(directory: Path, http_port: int) -> None:
    """Let Home Assistant listen on this machine alone.

    HTTP settings of the configuration file would be on trial: Home Assistant drops them
    after five minutes unless a user confirms them.
    """
    http = {
        "server_host": [LOCALHOST],
        "server_port": http_port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": False,
        "ssl_profile": "modern",
        "use_x_frame_options": True,
        "created_at": datetime.now(UTC).isoformat(),
        "error": None,
        "error_message": None,
    }
    store(
        directory,
        "http",
        2,
        2,
        {"stable": http, "pending": None, "yaml_migration_done": True},
    )


def store_onboarding(directory: Path, *done: str) -> None:
    """Let only the first user be made, unless that is `done`.

    Another step would set up weather and radio, from the internet.
    """
    steps = [*done, "core_config", "analytics", "integration"]
    store(directory, "onboarding", 4, 1, {"done": steps})


def store(directory: Path, key: str, major: int, minor: int, data: object) -> None:
    """Write one of Home Assistant's stores."""
    content = {"version": major, "minor_version": minor, "key": key, "data": data}
    (directory / ".storage" / key).write_text(json.dumps(content))
