"""The desk of a site in a browser without a script: an evening of decisions, on a phone and on a desk."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Window, tertulia
from tests.browser.faults import faults
from tests.browser.pictures import picture
from tests.browser.test_staff import LONG, invite
from tests.support.api_client import ApiClient
from tests.support.server import ServerProcess

LEAST = 44
"""Pixels that a finger hits."""
pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SAID = (
    (
        "Nguyễn Thị Hương",
        "Tôi thấy quyết định này của thành phố là đúng, nhưng cách làm thì còn vội. Báo nên hỏi người dân.",
    ),
    ("Peter", "The numbers in the second paragraph cannot be right: 40 % of what?\n\nThe report says 14."),
    ("Đồ", "Mày đúng là đồ chó, viết thế mà cũng viết. ĐỒ CHÓ!"),
    (LONG, f"https://example.com/{'very-long-address-' * 6} — cheap watches, cheap watches"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    found = ServerProcess(tmp_path_factory.mktemp("desk"))
    data = ("--data-dir", str(found.data_dir))
    talk = ApiClient(found.url, "talk", name="Hoa")
    shown = talk.post_comment("What do you think of the new bridge?")["comment"]
    for name, reason in (("Ba", "off_topic"), ("Năm", "abuse")):
        token = ApiClient(found.url, "talk", name=name).post_comment("Here")["token"]
        report = {"reason": reason, "note": "Look at this, please."}
        ApiClient(found.url, "talk", token=token).ask("POST", f"/comments/{shown['id']}/reports", report)
    tertulia("words", "default", "--add", "đồ chó", *data)
    tertulia("site", "rules", "default", "--first", "hold", *data)
    for name, text in SAID * 2:
        ApiClient(found.url, "talk", name=name).post_comment(text, (202,), parent_id=shown["id"])
    tertulia("site", "rules", "default", "--slow", "30", *data)
    yield found
    found.end()


async def signed_in(server: ServerProcess, window: Window, name: str, **options: object) -> Page:
    page = await window(invite(server, name), **options)
    await page.get_by_role("button").click()
    await page.wait_for_url("**/desk/*")
    return page


async def small(page: Page) -> list[str]:
    """What a finger hits badly: controls that are lower than LEAST, but links within a sentence."""
    found: list[str] = await page.evaluate(
        """least => [...document.querySelectorAll('.desk button, .desk summary, .desk select, .queues a, .desk .pick')]
            .filter(one => one.checkVisibility() && one.getBoundingClientRect().height < least)
            .map(one => one.outerHTML.slice(0, 120))""",
        LEAST,
    )
    return found


async def test_a_phone_decides_without_a_script(server: ServerProcess, window: Window) -> None:
    page = await signed_in(
        server, window, "Mai", java_script_enabled=False, viewport={"width": 360, "height": 740}, has_touch=True
    )
    first = page.locator(".item").first
    text = await first.locator(".text").inner_text()
    await first.get_by_role("button", name=re.compile("Approve")).tap()
    await expect(page.locator(".done")).to_contain_text("Approved")
    await expect(page.locator("[data-count=waiting]")).to_have_text("5")
    await page.get_by_role("button", name="Undo").tap()
    await expect(page.locator(".done")).to_contain_text("Taken back")
    item = page.locator(".item", has_text=text.split("\n")[0]).first
    await item.locator(".removing summary").tap()
    await item.locator(".removing").get_by_text("Off topic").tap()
    await item.get_by_label("Note to the author").fill("Please stay with the bridge.")
    await item.locator(".removing button").tap()
    await expect(page.locator(".done")).to_contain_text("Removed")
    last = page.locator(".item").last
    await last.locator(".banning summary").tap()
    await last.locator(".banning button").tap()
    await expect(page.locator(".done")).to_contain_text("Banned")


async def test_several_are_decided_at_once(server: ServerProcess, window: Window) -> None:
    page = await signed_in(server, window, "Bình", java_script_enabled=False)
    await page.goto(f"{server.url}/staff/sites/default/desk/all")
    await expect(page.locator(".bulk")).to_be_hidden()
    for number in range(2):
        await page.locator("[data-pick]").nth(number).check()
    await page.locator(".bulk").get_by_label("Reason").select_option("spam")
    await page.locator(".bulk").get_by_role("button", name="Remove").click()
    await expect(page.locator(".done")).to_contain_text("Removed: 2")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".done")).to_contain_text("Taken back: 2")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en", "vi", "ar"])
async def test_axe_finds_nothing_and_nothing_is_cut(
    server: ServerProcess, window: Window, locale: str, scheme: str
) -> None:
    page = await signed_in(server, window, f"Axe {locale} {scheme}", locale=locale, color_scheme=scheme)
    site = f"{server.url}/staff/sites/default"
    found: list[str] = []

    async def look(state: str) -> None:
        found.extend(await faults(page, f"desk-{state}-{locale}-{scheme}"))
        found.extend(f"{state}: small: {one}" for one in await small(page))
        await page.set_viewport_size({"width": 1440, "height": 900})
        await picture(page, f"desk-{state}-{locale}-{scheme}-1440")

    for queue in ("waiting", "reported", "suspected"):
        await page.goto(f"{site}/desk/{queue}")
        if queue == "waiting":
            for opened in (".context", ".removing", ".banning"):
                await page.locator(f"{opened} > summary").first.click()
            await page.locator("[data-pick]").first.check()
        await look(queue)
    author = await page.locator("[data-author]").last.get_attribute("data-author")
    for name, path in (
        ("bans", "bans"),
        ("words", "words"),
        ("rules", "rules"),
        ("discussion", "desk/discussion?key=talk"),
        ("person", f"people/{author}"),
        ("filtered", f"desk/waiting?key=talk&author={author}"),
    ):
        await page.goto(f"{site}/{path}")
        await look(name)
    await page.goto(f"{server.url}/staff/log?site=default")
    await look("log")
    assert found == []
