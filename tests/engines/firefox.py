"""Firefox, asked by WebDriver BiDi: JSON commands over one WebSocket (https://w3c.github.io/webdriver-bidi/)."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import tempfile
from pathlib import Path
from typing import cast

from websockets.asyncio.client import ClientConnection, connect

from tests.engines.program import Program, installed
from tests.engines.window import COMMAND_S, EngineError, JsonObject, Window, key_actions, mouse_actions

_ADDRESS = r"^WebDriver BiDi listening on (ws://\S+)$"


class Firefox:
    """A headless Firefox with a profile of its own; each window is a user context of it.

    With a debugging port Firefox sets by itself what automation wants: no updates, no telemetry, no first-run pages.
    """

    name = "firefox"

    def __init__(self, folder: Path, program: Program, connection: ClientConnection) -> None:
        self._folder = folder
        self._program = program
        self._connection = connection
        self._ids = itertools.count(1)

    @classmethod
    async def start(cls, **preferences: int) -> Firefox:
        command = installed("firefox-esr", "firefox")
        folder = Path(tempfile.mkdtemp(prefix="firefox-"))
        profile = folder / "profile"
        profile.mkdir()
        set_so = [f'user_pref("{name}", {value});' for name, value in preferences.items()]
        (profile / "user.js").write_text("\n".join(set_so))
        flags = ("--headless", "--no-remote", "--remote-debugging-port=0", "--profile", str(profile))
        program = Program(folder / "output", command, *flags)
        try:
            address = await program.says(_ADDRESS)
            # it answers no pings while a page keeps its main thread busy
            connection = await connect(f"{address}/session", max_size=None, ping_interval=None, proxy=None)
        except BaseException:
            program.end()
            raise
        self = cls(folder, program, connection)
        await self.ask("session.new", capabilities={})
        return self

    async def new_window(self) -> FirefoxWindow:
        profile = cast("str", (await self.ask("browser.createUserContext"))["userContext"])
        page = await self.ask("browsingContext.create", type="tab", userContext=profile)
        return FirefoxWindow(self, profile, cast("str", page["context"]))

    async def end(self) -> None:
        await self._connection.close()
        self._program.end()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def ask(self, method: str, **parameters: object) -> JsonObject:
        """The result of a command; raises `EngineError`. One at a time."""
        number = next(self._ids)
        try:
            async with asyncio.timeout(COMMAND_S):
                await self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
                answer: JsonObject = {}
                while answer.get("id") != number:  # the answer to a command that was given up may come before
                    answer = json.loads(await self._connection.recv())
        except TimeoutError as error:
            raise EngineError(f"Firefox did not answer {method}") from error
        if answer["type"] == "error":
            raise EngineError(f"{method}: {answer['error']}: {answer['message']}")
        return cast("JsonObject", answer["result"])


class FirefoxWindow(Window):
    def __init__(self, firefox: Firefox, profile: str, page: str) -> None:
        self._firefox = firefox
        self._profile = profile
        self._page = page

    async def go(self, url: str) -> None:
        await self._ask("browsingContext.navigate", url=url, wait="complete")

    async def opened(self) -> list[Window]:
        found = cast("list[JsonObject]", (await self._firefox.ask("browsingContext.getTree"))["contexts"])
        pages = [cast("str", one["context"]) for one in found if one.get("userContext") == self._profile]
        return [FirefoxWindow(self._firefox, self._profile, one) for one in pages if one != self._page]

    async def back(self) -> None:
        await self._ask("browsingContext.traverseHistory", delta=-1)

    async def resize(self, width: int, height: int) -> None:
        await self._ask("browsingContext.setViewport", viewport={"width": width, "height": height})

    async def press(self, x: float, y: float) -> None:
        await self._ask("input.performActions", actions=mouse_actions(x, y))

    async def write(self, text: str) -> None:
        await self._ask("input.performActions", actions=key_actions(text))

    async def close(self) -> None:
        await self._firefox.ask("browser.removeUserContext", userContext=self._profile)

    async def _evaluate(self, expression: str) -> str:
        target = {"context": self._page}
        answer = await self._firefox.ask("script.evaluate", expression=expression, awaitPromise=True, target=target)
        if answer["type"] == "exception":
            raise EngineError(f"{cast('JsonObject', answer['exceptionDetails'])['text']} in: {expression}")
        return cast("str", cast("JsonObject", answer["result"])["value"])

    async def _ask(self, method: str, **parameters: object) -> None:
        await self._firefox.ask(method, context=self._page, **parameters)
