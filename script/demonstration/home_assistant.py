"""Home Assistant: its process, and a client of its API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
import json
from pathlib import Path
import signal
import sys
from typing import Any

import aiohttp

from script.demonstration.process import DemoError, end, start

USER = PASSWORD = "demo"  # noqa: S105
RESTART_EXIT_CODE = 100
"""Home Assistant's exit code when it asks for a restart."""

ANSWER_PATIENCE = 60.0
"""Seconds until a command over the websocket is answered."""

type Step = Mapping[str, Any] | Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""What is entered in a form of a dialogue, or a function of the form that returns it."""


async def run_home_assistant(directory: Path) -> None:
    """Run Home Assistant, and start it again whenever it asks for a restart.

    Raises DemoError when it ends otherwise.
    """
    log = directory / "output.log"
    while True:
        process = await start(
            log,
            *(sys.executable, "-m", "homeassistant", "--skip-pip"),
            *("--config", str(directory)),
            cwd=directory,
        )
        try:
            code = await process.wait()
        finally:
            await end(process, patience=30)
        # A killed one is started again too, as a supervisor would.
        if code not in (RESTART_EXIT_CODE, -signal.SIGKILL):
            raise DemoError(f"Home Assistant ended with code {code}; see {log}")


class HomeAssistant:
    """A client of the API of the demo's Home Assistant."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        """Make a client without a token, which `sign_up` gets."""
        self.url = url
        self.token = ""
        self._session = session

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    async def get(self, path: str) -> Any:
        """Return the JSON at a path of the API."""
        async with self._session.get(self.url + path, headers=self._headers) as answer:
            return await answer.json()

    async def delete(self, path: str) -> None:
        """Delete what is at a path of the API."""
        async with self._session.delete(self.url + path, headers=self._headers):
            pass

    async def request(self, path: str, data: Mapping[str, Any]) -> Any:
        """Post JSON to the API; return the answer. Raises DemoError."""
        async with self._session.post(
            self.url + path, json=data, headers=self._headers
        ) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise DemoError(f"{path}: {answer.status} {text}")
            return json.loads(text)

    async def sign_up(self) -> None:
        """Wait until the API answers, create the first user and get a lasting token."""
        client = {"client_id": f"{self.url}/"}
        while True:
            with suppress(aiohttp.ClientConnectionError):
                async with self._session.get(f"{self.url}/api/onboarding") as answer:
                    if answer.status == 200:
                        break
            await asyncio.sleep(0.2)
        owner = client | {"name": "Demo", "username": USER, "password": PASSWORD}
        created = await self.request(
            "/api/onboarding/users", owner | {"language": "en"}
        )
        grant = {"grant_type": "authorization_code", "code": created["auth_code"]}
        form = aiohttp.FormData(client | grant)
        async with self._session.post(f"{self.url}/auth/token", data=form) as answer:
            self.token = (await answer.json())["access_token"]
        (self.token,) = await self.commands(
            {
                "type": "auth/long_lived_access_token",
                "client_name": "script/demo",
                "lifespan": 3650,
            },
        )

    async def wait_for_entities(self, entity_ids: Iterable[str]) -> None:
        """Wait until these entities have a state."""
        missing = set(entity_ids)
        while missing:
            (states,) = await self.commands({"type": "get_states"})
            missing -= {state["entity_id"] for state in states}
            await asyncio.sleep(0.2 if missing else 0)

    async def commands(self, *commands: Mapping[str, Any]) -> list[Any]:
        """Return the results of commands over the websocket.

        Raises DemoError, or TimeoutError.
        """
        results = []
        async with self._session.ws_connect(f"{self.url}/api/websocket") as socket_:
            await socket_.receive_json(timeout=ANSWER_PATIENCE)
            await socket_.send_json({"type": "auth", "access_token": self.token})
            await socket_.receive_json(timeout=ANSWER_PATIENCE)
            for number, command in enumerate(commands, 1):
                await socket_.send_json({"id": number, **command})
                result = await socket_.receive_json(timeout=ANSWER_PATIENCE)
                if not result["success"]:
                    raise DemoError(f"{command['type']}: {result['error']}")
                results.append(result["result"])
        return results

    async def flow(
        self,
        path: str,
        handler: object,
        **steps: Step,
    ) -> Any:
        """Go through a dialogue; return its result. Raises DemoError.

        `steps` are what is entered, by the ID of the form or the menu.
        """
        form = await self.request(path, {"handler": handler})
        while form["type"] in ("form", "menu"):
            if (step := steps.pop(form["step_id"], None)) is None:
                raise DemoError(f"the dialogue cannot go on: {form}")
            data = step(form) if callable(step) else step
            form = await self.request(f"{path}/{form['flow_id']}", data)
        if form["type"] != "create_entry":
            raise DemoError(f"the dialogue was not completed: {form}")
        return form
