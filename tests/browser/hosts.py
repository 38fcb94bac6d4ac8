"""Other people's pages, on an origin of their own, and a server with discussions for them to show."""

from __future__ import annotations

import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Page, expect

from tests.support.api_client import ACCEPTED, ApiClient, Json
from tests.support.server import ServerProcess

LANGUAGES = ("en", "vi", "ar")
TITLES = {"en": "The night market", "vi": "Chợ đêm bên sông", "ja": "川辺の夜市", "ar": "السوق الليلي"}
# what publishers do about colours: nothing, a declared scheme, a class of their own, grey on grey
COLOURS = {
    "white": "",
    "declared dark": ":root { color-scheme: dark }",
    "dark by a class": "html { background: #121212; color: #e8e8e8 }",
    "grey": "html { background: #fafafa; color: #444 }",
}
PLAIN = "body { margin: 0 auto; padding: 1rem; max-width: 44rem; font: 1rem/1.6 sans-serif }"
_PAGE = """<!doctype html>
<html lang="{lang}" dir="{direction}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<link rel="stylesheet" href="/{name}.css"><script src="{server}/embed.js" defer></script></head>
<body><main><h1>{title}</h1>
<tertulia-discussion server="{server}" key="{key}" {attributes}></tertulia-discussion></main></body></html>"""


class Host:
    """A web server of another origin that says what it was told to say."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[str, str, dict[str, str]]] = {}
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host._answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        kind, text, headers = self.answers.get(urlsplit(request.path).path, ("text/plain", "", {}))
        content = text.encode()
        request.send_response(200)
        for name, value in {"Content-Type": f"{kind}; charset=utf-8", **headers}.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass
class Publisher:
    """A server, the pages that embed its discussions, and one moderator."""

    server: ServerProcess
    host: Host
    token: str

    def page(self, key: str, *, lang: str = "en", css: str = PLAIN, attributes: str = "", csp: str = "") -> str:
        """The address of a page with the discussion ``key``; ``css`` is the page's own."""
        name = uuid.uuid4().hex
        text = _PAGE.format(
            lang=lang,
            direction="rtl" if lang == "ar" else "ltr",
            title=TITLES[lang],
            name=name,
            server=self.server.url,
            key=key,
            attributes=attributes,
        )
        self.host.answers[f"/{name}.css"] = ("text/css", css, {})
        self.host.answers[f"/{name}"] = ("text/html", text, {"Content-Security-Policy": csp} if csp else {})
        return f"{self.host.url}/{name}"

    def ask(self, method: str, path: str, content: object = None) -> Json:
        """One request to the API, as the moderator."""
        return ApiClient(self.server.url, "", token=self.token).ask(method, path, content)

    def say(
        self,
        key: str,
        body: str,
        name: str = "Nguyễn Thị Ánh Tuyết",
        parent: str | None = None,
        token: str | None = None,
    ) -> str:
        """Says something; returns the comment's id."""
        people = ApiClient(self.server.url, key, token=token, name=name)
        return str(people.post_comment(body, ACCEPTED, parent_id=parent)["comment"]["id"])

    def set_mode(self, key: str, mode: str) -> None:
        self.ask("PATCH", f"/discussion?site=default&key={key}", {"mode": mode})

    def fill(self, key: str, count: int = 24) -> list[str]:
        """A discussion of everything that a comment can be; the ids of its comments."""
        ids = [self.say(key, RICH, "Lê Minh")]
        for depth in range(4):
            ids.append(self.say(key, f"An answer of level {depth + 1}.", "Trần Văn Hùng", ids[-1]))
        ids.append(self.say(key, "Thank you all. We have read every word of it.", "", token=self.token))
        gone = self.say(key, "Something that had to go.", "A stranger")
        self.ask("DELETE", f"/comments/{gone}")
        ids.append(gone)
        ids.append(self.say(key, "أوافق تمامًا، فالنهر أجمل في الليل.", "ليلى حسن"))
        ids += [self.say(key, f"Comment {number}. {TALK}", "Đặng Thị Hường") for number in range(count - len(ids))]
        return ids


TALK = "The river was there before the market, and the stalls will have to learn from it how to move."
RICH = """I went on **Saturday**, and it was *lovely*; see [the map](https://example.org/map).

> The old place had roofs.
>
> > And rats.
> >
> > > And history.

- Parking is `far`
- The food is near

```
stalls = 120  # a long line of code that has to be scrolled and must not widen the page at all, not even here
```"""


@contextmanager
def open_publisher(folder: Path) -> Iterator[Publisher]:
    """A server with one moderator, for all tests of a module."""
    data = folder / "data"
    commands = [["migrate"], ["moderator", "add", "The editors"]]
    for command in commands:
        program = [sys.executable, "-m", "tertulia", *command, "--data-dir", str(data)]
        token = subprocess.run(program, check=True, capture_output=True, text=True).stdout.strip()
    host = Host()
    server = ServerProcess(data, ["--allowed-origins", host.url])
    try:
        yield Publisher(server, host, token)
    finally:
        server.end()
        host.close()


async def ready(page: Page, *, is_whole: bool = True) -> None:
    """Waits until the discussion is there; ``is_whole``: until what readers can do is, too."""
    await page.locator("tertulia-discussion .all").wait_for(state="attached")
    if is_whole:
        await expect(page.locator("tertulia-discussion .toolbar button").first).to_be_attached()


# ---- what there is to see ------------------------------------------------------------------------------------


async def with_pill_and_chip(page: Page, publisher: Publisher, key: str, ids: list[str]) -> None:
    """A comment and a reply wait while the reader is at the beginning."""
    await page.evaluate("scrollTo(0, 0)")
    publisher.say(key, "One more.", "A stranger")
    publisher.say(key, "An answer to the first.", "A stranger", ids[0])
    await expect(page.locator("tertulia-discussion .pill-button")).to_be_visible()
    await expect(page.locator("tertulia-discussion .chip")).to_be_visible()


async def with_search(page: Page, text: str = "hung") -> None:
    await page.locator("tertulia-discussion .search").fill(text)
    await expect(page.locator("tertulia-discussion .found")).not_to_be_empty()


async def with_menu(page: Page) -> None:
    await page.locator("tertulia-discussion .actions [aria-expanded]").first.click()
    await expect(page.locator("tertulia-discussion [role=menuitem]").first).to_be_focused()


async def with_report(page: Page) -> None:
    await page.locator("tertulia-discussion [role=menuitem]").last.click()
    await expect(page.locator("tertulia-discussion form.report")).to_be_visible()


async def with_reply(page: Page) -> None:
    await page.locator("tertulia-discussion .actions > .action").first.click()
    await expect(page.locator("tertulia-discussion article form textarea")).to_be_visible()


async def with_preview(page: Page) -> None:
    """Of the reply that is open."""
    await page.locator("tertulia-discussion article form textarea").fill(RICH)
    await page.locator("tertulia-discussion article form .tool").last.click()
    await expect(page.locator("tertulia-discussion article .preview pre")).to_be_visible()


async def with_failed(page: Page) -> None:
    """A comment that the server refused."""
    problem = {"code": "invalid", "detail": "The text has too many links."}
    await page.route("**/api/v1/comments", lambda route: route.fulfill(status=422, json=problem))
    await write(page, "This one is refused.")
    await expect(page.locator("tertulia-discussion .failed")).to_be_visible()
    await page.unroute("**/api/v1/comments")


async def with_queued(page: Page) -> None:
    """A comment that waits for a connection."""
    await page.route("**/api/v1/comments", lambda route: route.abort())
    await write(page, "This one waits.")
    await expect(page.locator("tertulia-discussion .waiting:not([aria-busy]) .stage button").first).to_be_visible()


async def with_error(page: Page) -> None:
    """A form that was sent empty."""
    await write(page, " ")
    await expect(page.locator("tertulia-discussion .compose .error")).to_be_visible()


async def write(page: Page, text: str, name: str = "Minh") -> None:
    """Fills the form of the discussion and sends it, in whatever language."""
    form = page.locator("tertulia-discussion .compose form")
    await form.locator("[name=name]").fill(name)
    await form.locator("textarea").fill(text)
    await form.locator(".submit").click()
