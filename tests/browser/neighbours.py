"""A server and a provider on one site, a page on another: where somebody signs in from a foreign page."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import httpx
from playwright.async_api import Page

from tests.api.app import new_key
from tests.browser.hosts import Host
from tests.support.providers import SECRET, HostileProvider
from tests.support.server import ServerProcess

COOP = {"Cross-Origin-Opener-Policy": "same-origin"}
_ELEMENT = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<link rel="icon" href="data:,"><script async src="{server}/embed.js"></script></head>
<body><button id="in">Sign in</button>
<tertulia-discussion key="{key}" site="default" loading="eager"></tertulia-discussion>
<script type="module">
import {{ SignIn, storage }} from '{server}/{file}';
const element = document.querySelector('tertulia-discussion');
const signIn = new SignIn({{
  server: '{server}', site: 'default', item: 'tertulia:token:{server}:default', storage,
  onSession: () => element.refresh(), onRefusal: (refusal) => (document.title = refusal.code),
}});
document.querySelector('#in').onclick = () => signIn.open('house');
document.body.dataset.took = await signIn.take();
</script></body></html>"""
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<link rel="icon" href="data:,"></head><body><textarea></textarea><button>Sign in</button><output></output>
<script type="module">
import {{ SignIn, storage }} from '{server}/{file}';
const [draft, button, who] = ['textarea', 'button', 'output'].map((name) => document.querySelector(name));
draft.value = storage.get('draft') ?? '';
draft.oninput = () => storage.set('draft', draft.value);
const signIn = new SignIn({{
  server: '{server}', site: 'default', item: 'token', storage,
  onSession: (opened) => (who.textContent = opened ? `here: ${{opened.viewer.name}}` : 'in another window'),
  onRefusal: (refusal) => (who.textContent = `refused: ${{refusal.code}}`),
}});
button.onclick = () => signIn.open('house');
document.body.dataset.took = await signIn.take();
</script></body></html>"""


def _file() -> str:
    """The client's file that does the page's part."""
    names = [one.name for one in files("tertulia.static").iterdir()]
    (found,) = [name for name in names if name.startswith("embed-sign.") and name.endswith(".js")]
    return found


@dataclass
class Neighbours:
    """A server and a provider on one site, and a page on another."""

    server: ServerProcess
    provider: HostileProvider
    host: Host

    @property
    def here(self) -> str:
        return f"http://localhost:{self.server.port}"

    def page(self, headers: dict[str, str]) -> str:
        text = _PAGE.format(server=self.here, file=_file())
        self.host.answers["/page"] = ("text/html", text, headers)
        return f"{self.host.url}/page?from=front#top"

    def discussion(self, headers: dict[str, str]) -> str:
        """A page with the element, whose session is the one that signing in opens."""
        text = _ELEMENT.format(server=self.here, file=_file(), key=new_key())
        self.host.answers["/discussion"] = ("text/html", text, headers)
        return f"{self.host.url}/discussion"

    async def name_of(self, page: Page) -> str:
        """Whom the page's token names, once it has said something."""
        return await self.named(await page.evaluate("localStorage.getItem('token')"))

    async def named(self, token: str) -> str:
        """Whom a token names, once it has said something."""
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": new_key()}
        async with httpx.AsyncClient(base_url=f"{self.here}/api/v1") as client:
            said = await client.post("/comments", json={"key": "talk", "body": "Good evening."}, headers=headers)
            assert said.status_code == 201, said.text
            name: str = said.json()["comment"]["author"]["name"]
            return name


@asynccontextmanager
async def open_neighbours(folder: Path) -> AsyncIterator[Neighbours]:
    host = Host()
    (folder / "secret").write_text(SECRET)
    async with HostileProvider(name="localhost") as provider:
        flags = ["--allowed-origins", host.url, "--private-hosts", provider.host]
        server = ServerProcess(folder / "data", flags)
        adding = ["provider", "add", "default", "house", "--issuer", provider.issuer, "--client-id", "us"]
        adding += ["--client-secret-file", str(folder / "secret"), "--data-dir", str(folder / "data")]
        await asyncio.to_thread(subprocess.run, [sys.executable, "-m", "tertulia", *adding], check=True)
        yield Neighbours(server, provider, host)
        server.end()
        host.close()
