"""The staff's pages in a browser: in by a link, what an owner does, and out; on a phone and on a desk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Window, tertulia
from tests.browser.faults import faults
from tests.support.server import ServerProcess

LONG = "Nguyễnhoàngphươngquỳnhgiaothịbíchngọc"
"""Wider than a phone, and without a blank."""

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    found = ServerProcess(tmp_path_factory.mktemp("staff"))
    for name, role in (("Trần Thị Hoa", "moderator"), ("Ba", "host")):
        invite(found, name, role)
    yield found
    found.end()


def invite(server: ServerProcess, name: str, role: str = "owner") -> str:
    """The address that the command prints."""
    arguments = ("--site", "default", "--role", role, "--public-url", server.url, "--data-dir", str(server.data_dir))
    return tertulia("staff", "invite", name, *arguments).strip()


async def signed_in(server: ServerProcess, window: Window, name: str, **options: object) -> Page:
    page = await window(invite(server, name), **options)
    await page.get_by_role("button").click()
    await page.wait_for_url("**/desk/*")
    return page


async def test_an_owner_comes_by_a_link_without_a_script_and_leaves(server: ServerProcess, window: Window) -> None:
    page = await signed_in(server, window, "Mai", java_script_enabled=False)
    await expect(page.locator("body")).to_contain_text("Signed in as Mai")
    [cookie] = await page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["name"]) == (True, "Lax", "tertulia-staff")
    await page.get_by_role("link", name="Staff", exact=True).click()
    await page.get_by_label("Name", exact=True).fill("Minh")
    await page.get_by_role("button", name="Invite").click()
    link = await page.get_by_label("Send this link to Minh").input_value()
    assert link.startswith(f"{server.url}/staff/sign-in?link=tl_")
    await page.get_by_role("button", name="Remove: Minh").click()
    await expect(page.locator("main")).not_to_contain_text("Minh")
    await page.get_by_role("link", name="Log of actions").click()
    await expect(page.locator(".log")).to_contain_text("took away a role: Minh")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    await page.goto(f"{server.url}/staff")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


async def test_a_form_of_another_page_does_nothing(server: ServerProcess, window: Window) -> None:
    """A page of another origin that sends the owner's browser here, cookie and all."""
    page = await signed_in(server, window, "Thu")
    evil = f'<form method="post" action="{server.url}/staff/sites/default/people"><input name="name" value="Mallory">'
    evil += '<input name="role" value="owner"><button>Win a prize</button></form>'

    async def answer(route: object) -> None:
        await route.fulfill(body=evil, content_type="text/html")  # type: ignore[attr-defined]

    await page.route("http://127.0.0.1:9777/", answer)
    await page.goto("http://127.0.0.1:9777/")
    await page.get_by_role("button").click()
    await expect(page.get_by_role("alert")).to_contain_text("nothing was changed")
    await expect(page.locator("main")).not_to_contain_text("https")
    await page.goto(f"{server.url}/staff/sites/default")
    await expect(page.locator("main")).to_contain_text("Thu")
    await expect(page.locator("main")).not_to_contain_text("Mallory")


async def is_whole(field: Locator) -> bool:
    """Whether all that is in it is seen on a small phone."""
    await field.page.set_viewport_size({"width": 320, "height": 640})
    seen: bool = await field.evaluate(
        "one => one.scrollWidth <= one.clientWidth && one.scrollHeight <= one.clientHeight"
    )
    return seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en", "vi", "ar"])
async def test_axe_finds_nothing_and_nothing_is_cut(
    server: ServerProcess, window: Window, locale: str, scheme: str
) -> None:
    link = invite(server, f"Axe {locale} {scheme}")
    found: list[str] = []
    page = await window(link, locale=locale, color_scheme=scheme)
    site = f"{server.url}/staff/sites/default"

    async def look(state: str) -> None:
        found.extend(await faults(page, f"staff-{state}-{locale}-{scheme}"))

    await look("link")
    await page.goto(f"{server.url}/staff/sign-in")
    await look("sign-in")
    await page.locator("#token").fill("tm_nobodys")
    await page.locator("main button").click()
    await look("refused")
    await page.goto(link)
    await page.locator("main button").click()
    await page.wait_for_url("**/desk/*")
    await look("desk")
    await page.goto(site)
    await page.locator("#name").fill(f"{LONG}-{locale}-{scheme}")
    await page.locator(".fields button").first.click()
    await look("people")
    assert await is_whole(page.locator(".secret"))
    await page.goto(f"{site}/tokens")
    await page.locator("#name").fill(f"{LONG}-{locale}-{scheme}")
    await page.locator("input[value=read]").check()
    await page.locator(".fields button").first.click()
    await look("tokens")
    assert await is_whole(page.locator(".secret"))
    for name, path in (("members", "/members"), ("ways-in", "/ways-in")):
        await page.goto(site + path)
        await look(name)
    await page.goto(f"{server.url}/staff/log?site=default")
    await look("log")
    assert found == []
