"""WebKitGTK's MiniBrowser, asked by W3C WebDriver: HTTP requests to WebKitWebDriver (https://www.w3.org/TR/webdriver2/).

It has no headless mode, so it draws on an Xvfb. The driver keeps one session at a time, and a session is one browser
with an empty profile: a window starts it (0.6 s) and closing the window ends it.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import cast

import httpx

from tests.engines.program import Program, installed
from tests.engines.window import COMMAND_S, EngineError, JsonObject, Window, key_actions, mouse_actions
from tests.support.waiting import PATIENCE


class WebKit:
    """A screen and a driver; each window is a browser that the driver starts."""

    name = "webkit"

    def __init__(self, folder: Path, programs: list[Program], client: httpx.AsyncClient) -> None:
        self._folder = folder
        self._programs = programs
        self._client = client

    @classmethod
    async def start(cls) -> WebKit:
        screen_command, driver_command = installed("Xvfb"), installed("WebKitWebDriver")
        folder = Path(tempfile.mkdtemp(prefix="webkit-"))
        screen = Program(folder / "screen", screen_command, "-displayfd", "1", "-screen", "0", "1600x1200x24")
        programs = [screen]
        try:
            display = await screen.says(r"^(\d+)$")
            port = _free_port()
            driver = Program(folder / "driver", driver_command, f"--port={port}", DISPLAY=f":{display}")
            programs.insert(0, driver)
            client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=COMMAND_S + 10, trust_env=False)
            await _ready(driver, client)
        except BaseException:
            for program in programs:
                program.end()
            raise
        return cls(folder, programs, client)

    async def new_window(self) -> WebKitWindow:
        capabilities = {"alwaysMatch": {"timeouts": {"script": COMMAND_S * 1000}}}
        session = cast("JsonObject", await self.ask("POST", "/session", capabilities=capabilities))
        return WebKitWindow(self, f"/session/{session['sessionId']}")

    async def end(self) -> None:
        await self._client.aclose()
        for program in self._programs:
            program.end()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def ask(self, method: str, path: str, **parameters: object) -> object:
        """The value that a command answers; raises `EngineError`."""
        try:
            answer = await self._client.request(method, path, json=parameters if method == "POST" else None)
        except httpx.TransportError as error:
            raise EngineError(f"WebKitWebDriver did not answer {path}: {error!r}") from error
        value = answer.json()["value"]
        if answer.is_error:
            raise EngineError(f"{path}: {value['error']}: {value['message']}")
        return cast("object", value)


def _free_port() -> int:
    """The driver does not tell which port the system chose, so one has to be chosen for it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return cast("int", probe.getsockname()[1])


async def _ready(driver: Program, client: httpx.AsyncClient) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            await client.get("/status")
            return
        except httpx.TransportError:
            driver.check(end)
            await asyncio.sleep(0.02)


class WebKitWindow(Window):
    def __init__(self, webkit: WebKit, session: str) -> None:
        self._webkit = webkit
        self._session = session

    async def go(self, url: str) -> None:
        await self._ask("/url", url=url)

    async def back(self) -> None:
        await self._ask("/back")

    async def resize(self, width: int, height: int) -> None:
        frame = await self.value(list[int], "[outerWidth - innerWidth, outerHeight - innerHeight]")
        await self._ask("/window/rect", width=width + frame[0], height=height + frame[1])
        await self.until(f"innerWidth === {width} && innerHeight === {height}", f"a viewport of {width} x {height}")

    async def press(self, x: float, y: float) -> None:
        await self._ask("/actions", actions=mouse_actions(x, y))

    async def write(self, text: str) -> None:
        await self._ask("/actions", actions=key_actions(text))

    async def close(self) -> None:
        await self._webkit.ask("DELETE", self._session)

    async def _evaluate(self, expression: str) -> str:
        return cast("str", await self._ask("/execute/sync", script=f"return {expression}", args=[]))

    async def _ask(self, path: str, **parameters: object) -> object:
        return await self._webkit.ask("POST", self._session + path, **parameters)
