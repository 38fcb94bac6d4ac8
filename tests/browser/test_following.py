"""The page of somebody who is signed in by the cookie, which no script reads, follows its discussion."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.conftest import Window
from tests.browser.faults import faults
from tests.browser.mailing import MailingServer, open_mailing
from tests.browser.pages import post
from tests.support.api_client import AsyncApiClient, Json

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MailingServer]:
    async with open_mailing(tmp_path_factory.mktemp("following")) as found:
        yield found


async def following(page: Page) -> None:
    """Until the page has its stream: what is said from now on reaches it, and what was said before."""
    await expect(page.locator(".arrivals")).to_be_attached()


def author(place: MailingServer, posted: Json) -> AsyncApiClient:
    return AsyncApiClient(place.server.url, "", token=posted["token"])


async def test_it_is_told_what_is_new_and_shows_it_with_ones_own_marks(place: MailingServer, window: Window) -> None:
    page, talk = await window("about:blank"), place.talk("new")
    first = await post(place.server, "The first.", key="new")
    await place.sign_in(page, "Nguyễn Thị Lan", talk)
    await page.locator(".votes .up").click()
    await page.locator("textarea").fill("Half a sent")
    await following(page)
    await post(place.server, "The second.", key="new")
    pill = page.locator(".arrivals button")
    await expect(pill).to_have_text("1 new comment")
    await post(place.server, "The third.", key="new")
    await expect(pill).to_have_text("2 new comments")
    await expect(page.locator(".comment")).to_have_count(1)  # nothing moves before it is asked for
    assert await faults(page, "following") == []
    await pill.click()
    await expect(page.locator(".comment")).to_have_count(3)
    await expect(pill).to_have_count(0)
    assert await page.evaluate("document.activeElement.matches('.comment')")
    own = page.locator(f"#comment-{first['comment']['id']} .votes .up")
    await expect(own).to_have_attribute("aria-pressed", "true")
    await expect(page.locator("textarea")).to_have_value("Half a sent")
    await page.locator("textarea").press("End")
    await page.locator("textarea").type("ence.")
    await page.locator(".composer button").click()
    await expect(page.get_by_role("link", name="Edit")).to_have_count(1)


async def test_what_is_removed_goes_and_what_is_edited_is_shown(place: MailingServer, window: Window) -> None:
    page, talk = await window("about:blank"), place.talk("changed")
    removed, edited = [await post(place.server, text, key="changed") for text in ("To go.", "To change.")]
    await place.sign_in(page, "Trần Văn Minh", talk)
    await following(page)
    await author(place, removed).delete(removed["comment"]["id"])
    await expect(page.locator(".comment.tombstone")).to_have_text("This comment was deleted by its author.")
    await expect(page.get_by_text("To go.")).to_have_count(0)
    await page.locator(f"#comment-{edited['comment']['id']} .votes .up").focus()
    await author(place, edited).edit(edited["comment"]["id"], "Has **changed**.")
    await expect(page.locator(".comment strong")).to_have_text("changed")
    assert await page.evaluate("document.activeElement.matches('.up')"), "the focus stays where it was"
    await expect(page.locator(".arrivals button")).to_have_count(0)


async def test_it_goes_on_from_where_it_was_after_it_was_hidden(place: MailingServer, window: Window) -> None:
    page, talk = await window("about:blank"), place.talk("hidden")
    await place.sign_in(page, "Lê Thị Hoa", talk)
    await following(page)
    hide = """value => {
        Object.defineProperty(document, "hidden", {value, configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    await page.evaluate(hide, True)
    await post(place.server, "Said meanwhile.", key="hidden")
    await page.evaluate(hide, False)
    await expect(page.locator(".arrivals button")).to_have_text("1 new comment")
    await page.locator(".arrivals button").click()
    await expect(page.locator(".comment")).to_have_count(1)


async def test_no_script_of_the_page_has_the_session(place: MailingServer, window: Window) -> None:
    """(Decision 74) Neither the page nor what it keeps or asks for holds the token."""
    page, talk = await window("about:blank"), place.talk("secret")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.headers} {request.post_data}"))
    await place.sign_in(page, "Phạm Thị Mai", talk)
    await following(page)
    (cookie,) = [one for one in await page.context.cookies() if one["name"].endswith("tertulia-reader")]
    token = str(cookie.get("value"))
    await post(place.server, "Said.", key="secret")
    await page.locator(".arrivals button").click()
    await expect(page.locator(".comment")).to_have_count(1)
    kept = (
        "JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}, document.documentElement.outerHTML])"
    )
    assert token.startswith("ts_")
    assert token not in await page.evaluate(kept)
    assert not [one for one in sent if token in one]
    assert await page.locator("tertulia-discussion").count() == 0
