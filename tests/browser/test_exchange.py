"""Readers whom the page's own server signs in: its token is exchanged for a session, which the browser keeps."""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, Request, Route, expect

from tertulia.identity.keys import Algorithm
from tests.browser.conftest import Window, tertulia
from tests.browser.pages import comment, comments, evaluate_element, form, host, post, write
from tests.support.api_client import AsyncApiClient
from tests.support.issuers import SigningServer
from tests.support.server import ServerProcess
from tests.support.waiting import PATIENCE, until, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TOKEN = "localStorage.getItem(Object.keys(localStorage).find((name) => name.startsWith('tertulia:token:')))"


class Publisher:
    """A site's server, which answers at ``/member-token`` of its pages, and what its windows ask of Tertulia."""

    def __init__(self, server: ServerProcess, folder: Path) -> None:
        self.server = server
        self.iss = f"https://{secrets.token_hex(4)}.example"
        self.signer = SigningServer(Algorithm.HS256, key=secrets.token_hex(32).encode())
        self.name: str | None = "Hồng Lan"
        self.asked = 0
        self.exchanges: list[Request] = []
        file = folder / "secret"
        file.write_bytes(self.signer.key)
        arguments = (
            "--iss",
            self.iss,
            "--alg",
            "HS256",
            "--role",
            "host",
            "--secret-file",
            str(file),
            "--data-dir",
            str(server.data_dir),
        )
        tertulia("issuer", "add", "default", f"site-{secrets.token_hex(4)}", *arguments)

    def token(self, name: str = "Hồng Lan", **more: str) -> str:
        now = int(time.time())
        claims = {"iss": self.iss, "aud": "default", "sub": name, "name": name, "iat": now, "exp": now + 300}
        return self.signer.token(claims | more | {"jti": secrets.token_hex(8)})

    def is_known(self) -> bool:
        body = {"grant": "jwt", "token": self.token("Somebody before")}
        return httpx.post(f"{self.server.url}/api/v1/sessions", json=body, timeout=PATIENCE).status_code == 201

    async def open(self, page: Page, key: str, attributes: str = 'token-endpoint="/member-token"') -> None:
        async def answer(route: Route) -> None:
            self.asked += 1
            if self.name is None:
                await route.fulfill(status=401)
            else:
                await route.fulfill(json={"token": self.token(self.name)})

        await page.route("**/member-token", answer)
        page.on("request", self.note)
        await host(page, self.server, f'<tertulia-discussion key="{key}" {attributes}></tertulia-discussion>')

    def note(self, request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/sessions"):
            self.exchanges.append(request)


@pytest.fixture
def publisher(shared: ServerProcess, tmp_path: Path) -> Publisher:
    """Once the server knows it, which takes up to five seconds."""
    found = Publisher(shared, tmp_path)
    wait_until(found.is_known, "the issuer at the server")
    return found


async def say(page: Page, text: str) -> None:
    await form(page).locator("textarea").fill(text)
    await form(page).get_by_role("button", name="Post comment").click()


async def is_signed_in(page: Page, name: str) -> None:
    await expect(page.locator("tertulia-discussion .sign-in")).to_have_text(f"Signed in as {name}")


async def test_a_token_is_exchanged_once_and_the_session_goes_on_over_pages_and_windows(
    publisher: Publisher, window: Window, key: str
) -> None:
    page = await window("about:blank")
    await publisher.open(page, key)
    await is_signed_in(page, "Hồng Lan")
    await say(page, "As a member")
    await expect(comment(page, "As a member").locator("[part~=author]")).to_have_text("Hồng Lan")
    session = await page.evaluate(TOKEN)
    assert session.startswith("ts_")
    await page.reload()
    await is_signed_in(page, "Hồng Lan")
    second = await page.context.new_page()
    await publisher.open(second, key)
    await is_signed_in(second, "Hồng Lan")
    assert await second.evaluate(TOKEN) == session
    # else the answer to this page would be of the other reader already, and cut off by the reload
    await until(lambda: publisher.asked == 3, "each load of a page to ask who reads")
    assert len(publisher.exchanges) == 1
    publisher.name = "Trần Bảo Minh"
    await second.reload()
    await is_signed_in(second, "Trần Bảo Minh")
    assert len(publisher.exchanges) == 2, "another reader has another session"


async def test_when_the_session_is_ended_the_page_is_asked_again(
    publisher: Publisher, window: Window, key: str
) -> None:
    page = await window("about:blank")
    await publisher.open(page, key)
    await is_signed_in(page, "Hồng Lan")
    session = await page.evaluate(TOKEN)
    await AsyncApiClient(publisher.server.url, key, token=session).ask("DELETE", "/sessions/current")
    await say(page, "After the end of the first session")
    said = comment(page, "After the end of the first session")
    await expect(said.locator("[part~=author]")).to_have_text("Hồng Lan")
    await expect(said.get_by_role("button", name="Edit")).to_be_visible()
    assert (publisher.asked, len(publisher.exchanges)) == (2, 2)


async def test_whoever_signs_out_has_no_session_any_more(publisher: Publisher, window: Window, key: str) -> None:
    page = await window("about:blank")
    await publisher.open(page, key)
    await is_signed_in(page, "Hồng Lan")
    async with page.expect_response("**/sessions/current") as ended:
        await page.get_by_role("button", name="Sign out").click()
    assert (await (await ended.value).json()) == {"ended": 1}
    await expect(page.get_by_role("button", name="Sign in to comment")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("button", name="Sign in to comment")).to_be_visible()
    assert len(publisher.exchanges) == 1


async def test_a_token_that_the_page_gives_is_exchanged_too(publisher: Publisher, window: Window, key: str) -> None:
    page = await window("about:blank")
    await publisher.open(page, key, "loading=eager")
    await page.evaluate("customElements.whenDefined('tertulia-discussion').then(() => true)")
    async with page.expect_response("**/sessions"):
        await evaluate_element(page, f"el.setToken('{publisher.token()}')")
    await page.wait_for_function(f"({TOKEN} ?? '').startsWith('ts_')")
    await is_signed_in(page, "Hồng Lan")
    await say(page, "By a token of the page")
    await expect(comment(page, "By a token of the page").locator("[part~=author]")).to_have_text("Hồng Lan")
    await evaluate_element(page, "el.setToken(null)")
    await expect(comment(page, "By a token of the page").get_by_role("button", name="Edit")).to_be_hidden()


async def test_why_a_token_is_refused_is_told_to_the_page(publisher: Publisher, window: Window, key: str) -> None:
    page = await window("about:blank")
    await page.add_init_script(
        "window.codes = []; addEventListener('tertulia-error', (event) => codes.push(event.detail.error.code));"
    )
    publisher.name = "Admin"
    await publisher.open(page, key)
    await page.wait_for_function("codes.length")
    assert await page.evaluate("codes") == ["name_taken"]
    await expect(page.get_by_role("button", name="Sign in to comment")).to_be_visible()


async def test_what_a_guest_said_is_the_members_in_every_window(publisher: Publisher, window: Window, key: str) -> None:
    await post(publisher.server, "Of somebody else", key=key)
    page = await window("about:blank")
    await publisher.open(page, key, "loading=eager")
    await page.evaluate("customElements.whenDefined('tertulia-discussion').then(() => true)")
    for text in ("The first of a guest", "The second of a guest"):
        await write(page, "Guest", text)
        await expect(comment(page, text).get_by_role("button", name="Edit")).to_be_visible()
    like = comment(page, "Of somebody else").locator("button.up")
    async with page.expect_response("**/vote"):
        await like.click()
    other = await page.context.new_page()
    await publisher.open(other, key, "loading=eager")
    await expect(comment(other, "The second of a guest").get_by_role("button", name="Edit")).to_be_visible()
    guest = await page.evaluate(TOKEN)
    await evaluate_element(page, f"el.setToken('{publisher.token('Hoa')}')")
    await page.wait_for_function(f"({TOKEN} ?? '').startsWith('ts_')")
    assert json.loads(publisher.exchanges[0].post_data or "")["guest"] == guest
    assert guest not in await page.evaluate("JSON.stringify(localStorage)")
    for one in (page, other):
        await is_signed_in(one, "Hoa")
        await say(one, f"As a member {await one.evaluate('performance.timeOrigin')}")
        await expect(one.locator("[part~=author]", has_text="Hoa").last).to_be_visible()
    await expect(comments(other)).to_have_count(5)
    third = await page.context.new_page()
    await publisher.open(third, key, "loading=eager")
    await page.reload()
    for one in (page, other, third):
        await expect(one.get_by_role("button", name="Edit")).to_have_count(4)
        await expect(comment(one, "Of somebody else").locator("button.up")).to_have_attribute("aria-pressed", "true")
    first = comment(other, "The first of a guest")
    await first.get_by_role("button", name="Edit").click()
    await other.locator("article textarea").fill("Changed by the member")
    await other.get_by_role("button", name="Save").click()
    await expect(comment(page, "Changed by the member").locator("[part~=author]")).to_have_text("Guest")
    await comment(third, "The second of a guest").get_by_role("button", name="Delete").click()
    await expect(comment(other, "The second of a guest")).to_have_count(0)
    await page.get_by_role("button", name="Sign out").click()
    await write(page, "Guest", "A guest, and a new one")
    await expect(comment(page, "A guest, and a new one").get_by_role("button", name="Edit")).to_be_visible()
    await expect(comment(page, "Changed by the member").get_by_role("button", name="Edit")).to_be_hidden()


async def test_who_has_a_role_carries_its_badge_as_the_site_calls_it(
    publisher: Publisher, window: Window, key: str
) -> None:
    tertulia("site", "badge", "default", "host", "--word", "en=Our host", "--word", "vi=Người dẫn",
             "--data-dir", str(publisher.server.data_dir))  # fmt: skip
    opening = {"grant": "jwt", "token": publisher.token(role="host")}
    session = await AsyncApiClient(publisher.server.url, key).ask("POST", "/sessions", opening)
    host_of_it = AsyncApiClient(publisher.server.url, key, token=session["token"])
    await host_of_it.post_comment("Good evening, all")
    page = await window("about:blank")
    for language, word in (("en", "Our host"), ("vi", "Người dẫn")):

        async def is_called(language: str = language, word: str = word) -> bool:
            snapshot = await AsyncApiClient(publisher.server.url, key).ask(
                "GET", f"/discussion?key={key}&lang={language}"
            )
            return bool(snapshot.get("badges", {}).get("host") == word)

        await until(is_called, "the badge at the server")
        await publisher.open(page, key, f'lang="{language}"')
        badge = comment(page, "Good evening, all").locator("[part~=badge]")
        await expect(badge).to_have_text(word)
    await host_of_it.post_comment("And good night")
    await expect(comment(page, "And good night").locator("[part~=badge]")).to_have_text("Người dẫn")
