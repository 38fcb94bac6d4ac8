"""What a page can say to the element and hears from it: attributes, methods, properties and events."""

from __future__ import annotations

import unicodedata

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import OTHER_ORIGIN, Moderate, Window
from tests.browser.pages import (
    bodies,
    comment,
    comments,
    count,
    evaluate_element,
    form,
    held,
    host,
    post,
    shown,
    texts,
    write,
)
from tests.support.server import ServerProcess
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

_HEAR = """
    window.heard = [];
    const names = ['ready', 'comment', 'unseen', 'post', 'posted', 'post-error', 'state', 'auth-required', 'error'];
    for (const name of names) {
        addEventListener(`tertulia-${name}`, (event) => {
            heard.push([name, event.detail, event.target.tagName]);
            if (window.refusing === name) event.preventDefault();
        });
    }
"""


async def _open(window: Window, server: ServerProcess, elements: str, origin: str | None = None) -> Page:
    page = await window("about:blank", viewport={"width": 800, "height": 1000})
    await page.add_init_script(_HEAR)
    await host(page, server, elements, origin)
    return page


def _element(key: str, attributes: str = "") -> str:
    return f'<tertulia-discussion key="{key}" {attributes}></tertulia-discussion>'


async def _heard(page: Page, name: str) -> list[object]:
    """The details of the events of this name."""
    details = "(name) => heard.filter(([one]) => one === name).map((one) => one[1])"
    found: list[object] = await page.evaluate(details, name)
    return found


# ---- attributes ---------------------------------------------------------------------------------------------


async def test_attributes_say_how_it_looks(shared: ServerProcess, window: Window, key: str) -> None:
    for text in ("One", "Two", "Three"):
        await post(shared, text, key=key)
    attributes = (
        'sort="newest" composer="bottom" heading="What readers say" heading-level="4" max="2" lang="vi" '
        'theme="dark" timezone="Asia/Ho_Chi_Minh"'
    )
    page = await _open(window, shared, _element(key, attributes))
    await shown(page)
    heading = page.locator("tertulia-discussion h4[part~=heading]")
    await expect(heading.first).to_have_text("What readers say")
    assert await texts(page) == ["Three", "Two"]
    await expect(comments(page).first.get_by_role("button", name="Trả lời")).to_be_visible()
    is_below = await evaluate_element(
        page,
        "const [list, form] = ['.list', '.compose'].map((one) => el.shadowRoot.querySelector(one));"
        "return Boolean(list.compareDocumentPosition(form) & Node.DOCUMENT_POSITION_FOLLOWING)",
    )
    assert is_below
    times = "return [...el.shadowRoot.querySelectorAll('time')].map((one) => [one.dateTime, one.textContent])"
    moment, label = (await evaluate_element(page, times))[0]  # type: ignore[index]
    expected = await page.evaluate(
        "(at) => new Date(at).toLocaleTimeString('en-GB', {"
        "timeZone: 'Asia/Ho_Chi_Minh', hour: '2-digit', minute: '2-digit'})",
        moment,
    )
    assert label.endswith(expected)


async def test_attributes_take_effect_when_they_change(shared: ServerProcess, window: Window, key: str) -> None:
    for text in ("One", "Two"):
        await post(shared, text, key=key)
    page = await _open(window, shared, _element(key, "sort=oldest loading=eager"))
    await shown(page)
    assert await texts(page) == ["One", "Two"]
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    await evaluate_element(page, "el.setAttribute('sort', 'newest')")
    await expect(comments(page).first).to_contain_text("Two")
    await expect(page.get_by_role("combobox")).to_have_value("newest")
    assert sockets == []  # the connection goes on
    await evaluate_element(page, "el.setAttribute('live', 'off')")
    await expect(page.get_by_role("switch", name="Live updates", checked=False)).to_be_visible()
    await evaluate_element(page, "el.setAttribute('time', 'relative')")
    await expect(comments(page).first.locator("time")).to_have_text("now")
    await evaluate_element(page, "el.setAttribute('lang', 'de')")
    await expect(comments(page).first.get_by_role("button", name="Antworten")).to_be_visible()


async def test_replies_are_indented_as_deep_as_it_says(shared: ServerProcess, window: Window, key: str) -> None:
    said = await post(shared, "Top", key=key)
    for text in ("First", "Second"):
        said = await post(shared, text, key=key, parent_id=said["comment"]["id"])
    page = await _open(window, shared, _element(key, "depth=1"))
    await shown(page)
    await expect(comment(page, "Second")).to_contain_text("replying to A stranger")
    assert await page.locator("tertulia-discussion .replies .replies article").count() == 0
    await evaluate_element(page, "el.setAttribute('depth', '3')")
    await expect(page.locator("tertulia-discussion .replies .replies article")).to_have_count(1)


async def test_nothing_is_loaded_before_it_is_near_unless_it_is_eager(
    shared: ServerProcess, window: Window, key: str
) -> None:
    asked: list[str] = []
    page = await window("about:blank", viewport={"width": 800, "height": 500})
    page.on("request", lambda request: asked.append(request.url) if "/discussion?" in request.url else None)
    far = '<div style="height: 4000px"></div>'
    await host(page, shared, far + _element(key))
    await page.wait_for_function("document.querySelector('tertulia-discussion').state === 'idle'")
    await page.evaluate("new Promise((seen) => requestAnimationFrame(() => setTimeout(seen)))")
    assert asked == []
    await page.locator("tertulia-discussion").scroll_into_view_if_needed()
    await shown(page)
    assert len(asked) == 1
    await host(page, shared, far + _element(key, "loading=eager"))
    await shown(page)
    assert await page.evaluate("scrollY") == 0


async def test_without_a_shadow_root_the_page_reaches_all_of_it(
    shared: ServerProcess, window: Window, key: str
) -> None:
    await post(shared, "In the page itself", key=key)
    inside = "<p>As the server rendered it</p>"
    page = await _open(window, shared, f'<tertulia-discussion key="{key}" no-shadow>{inside}</tertulia-discussion>')
    await shown(page)
    await expect(page.locator("body > tertulia-discussion > .all article")).to_contain_text("In the page itself")
    await expect(page.get_by_text("As the server rendered it")).to_be_hidden()
    assert await evaluate_element(page, "return el.shadowRoot") is None
    assert await page.evaluate("document.querySelector('#comments-1') !== null")
    await write(page, "Lan", "Said in the page itself")
    await expect(comment(page, "Said in the page itself").get_by_role("button", name="Edit")).to_be_visible()
    await post(shared, "Arrives in the page itself", key=key)
    await expect(comment(page, "Arrives in the page itself")).to_have_count(1)
    await evaluate_element(page, "el.remove(); document.body.append(el)")
    await shown(page)
    await expect(comments(page)).to_have_count(3)


# ---- several, other origins, single-page sites --------------------------------------------------------------


async def test_two_discussions_of_a_page_keep_apart(shared: ServerProcess, window: Window, key: str) -> None:
    for which in ("a", "b"):
        await post(shared, f"Already in {which}", key=f"{key}-{which}")
    page = await _open(window, shared, _element(f"{key}-a", 'id="a"') + _element(f"{key}-b", 'id="b"'))
    for which in ("a", "b"):
        one = page.locator(f"#{which}")
        await expect(one.locator("article > .box")).to_contain_text(f"Already in {which}")
        await one.get_by_label("Name").fill("Lan")
        await one.locator("textarea").fill(f"Said in {which}")
        await one.get_by_role("button", name="Post comment").click()
        await expect(one.locator("article > .box")).to_have_count(2)
    for which in ("a", "b"):

        async def is_stored(which: str = which) -> bool:
            return await bodies(shared, f"{key}-{which}") == [f"Already in {which}", f"Said in {which}"]

        await until(is_stored, "the comment, which is shown before it is stored")
        await expect(page.locator(f"#{which} article > .box")).to_have_count(2)
    identities = await page.evaluate(
        "[...document.querySelectorAll('tertulia-discussion')].map((one) => one.shadowRoot.querySelector('h2').id)"
    )
    assert len(set(identities)) == 2


async def test_a_site_of_one_page_goes_on_to_another_article(shared: ServerProcess, window: Window, key: str) -> None:
    for which in ("a", "b"):
        await post(shared, f"About {which}", key=f"{key}-{which}")
    page = await _open(window, shared, _element(f"{key}-a", "loading=eager"))
    await shown(page)
    await form(page).locator("textarea").fill("Half a thought about a")
    await evaluate_element(page, f"el.setAttribute('key', '{key}-b')")
    await expect(comment(page, "About b")).to_have_count(1)
    await expect(comment(page, "About a")).to_have_count(0)
    await expect(form(page).locator("textarea")).to_have_value("")
    await shown(page)
    await post(shared, "Live in a", key=f"{key}-a")
    await post(shared, "Live in b", key=f"{key}-b")
    await expect(comment(page, "Live in b")).to_have_count(1)
    await expect(comments(page)).to_have_count(2)
    await evaluate_element(page, f"el.setAttribute('key', '{key}-a')")
    await expect(comment(page, "Live in a")).to_have_count(1)
    await expect(form(page).locator("textarea")).to_have_value("Half a thought about a")


async def test_a_page_of_another_origin_reads_and_writes(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "From here", key=key)
    page = await _open(window, shared, _element(key), OTHER_ORIGIN)
    await shown(page)
    await expect(comment(page, "From here")).to_have_count(1)
    await write(page, "Lan", "From elsewhere")
    await expect(comment(page, "From elsewhere").get_by_role("button", name="Edit")).to_be_visible()
    await comment(page, "From here").locator("button.up").click()
    await expect(comment(page, "From here").locator("button.up")).to_have_text("1")
    await post(shared, "And live", key=key)
    await expect(page.get_by_role("button", name="1 new comment")).to_be_visible()  # the focus is in the list


# ---- methods and properties ---------------------------------------------------------------------------------


async def test_methods_and_properties(shared: ServerProcess, window: Window, key: str) -> None:
    said = [await post(shared, f"Number {number}", key=key) for number in range(12)]
    page = await _open(window, shared, _element(key, "max=5"))
    await shown(page)
    assert await evaluate_element(page, "return [el.state, el.connection, el.total, el.unseen]") == [
        "ready",
        "live",
        12,
        0,
    ]
    last = said[-1]["comment"]["id"]
    assert await evaluate_element(page, f"return el.goTo('{last}')") is True
    await expect(comment(page, "Number 11")).to_be_in_viewport()
    assert await evaluate_element(page, "return el.goTo('01a215a0-b7a4-71d7-b2a2-000000000000')") is False
    assert await evaluate_element(page, "return el.search('number 1')") == 3
    await expect(comments(page).filter(visible=True)).to_have_count(3)
    assert await evaluate_element(page, "return el.search('')") == 12
    await evaluate_element(page, "el.pause()")
    await post(shared, "While paused", key=key)
    await page.wait_for_function("document.querySelector('tertulia-discussion').unseen === 1")
    assert await _heard(page, "unseen") == [{"count": 1}]
    await expect(page.get_by_role("button", name="1 new comment")).to_be_visible()
    await count(page, 13)
    await evaluate_element(page, "el.play()")
    await page.get_by_role("button", name="1 new comment").or_(comment(page, "While paused")).first.wait_for()
    assert await evaluate_element(page, "return el.total") == 13
    await evaluate_element(page, "return el.refresh()")
    await count(page, 13)


@pytest.mark.parametrize(("attributes", "are_sent"), [("", False), ("credentials=include", True)])
async def test_cookies_are_sent_only_where_the_page_says_so(
    shared: ServerProcess, window: Window, key: str, attributes: str, are_sent: bool
) -> None:
    page = await window("about:blank")
    await page.context.add_cookies([{"name": "entrance", "value": "open", "url": shared.url}])
    async with page.expect_request("**/api/v1/discussion?*") as asked:
        await host(page, shared, _element(key, attributes))
    assert ("cookie" in await (await asked.value).all_headers()) is are_sent


async def _open_three_pages(window: Window, server: ServerProcess, key: str) -> Page:
    """Thirty comments, ten of which come at once."""
    for number in range(30):
        await post(server, f"Number {number}", key=key)
    page = await _open(window, server, _element(key, "max=10 sort=oldest"))
    await shown(page)
    for loaded in (20, 30):
        await page.locator("tertulia-discussion .more").first.click()
        await expect(comments(page)).to_have_count(loaded)
    return page


async def test_reading_everything_again_leaves_the_reader_where_they_were(
    shared: ServerProcess, window: Window, key: str
) -> None:
    page = await _open_three_pages(window, shared, key)
    read = comment(page, "Number 27")
    await read.evaluate("box => box.scrollIntoView({ block: 'start' })")
    top = await read.evaluate("box => { box.dataset.old = ''; return box.getBoundingClientRect().top }")
    await evaluate_element(page, "el.setToken(null)")
    await expect(page.locator("tertulia-discussion [data-old]")).to_have_count(0)
    await expect(comments(page)).to_have_count(30)
    await page.wait_for_function(
        "([box, top]) => Math.abs(box.getBoundingClientRect().top - top) <= 1", arg=[await read.element_handle(), top]
    )


async def test_reading_everything_again_keeps_what_a_link_led_to(
    shared: ServerProcess, window: Window, key: str
) -> None:
    said = [await post(shared, f"Number {number}", key=key) for number in range(30)]
    page = await _open(window, shared, _element(key, "max=5 sort=oldest"))
    await shown(page)
    await evaluate_element(page, f"await el.goTo('{said[25]['comment']['id']}')")
    read = comment(page, "Number 25")
    top = await read.evaluate("box => { box.dataset.old = ''; return box.getBoundingClientRect().top }")
    await evaluate_element(page, "el.setToken(null)")
    await expect(page.locator("tertulia-discussion [data-old]")).to_have_count(0)
    await page.wait_for_function(
        "([box, top]) => Math.abs(box.getBoundingClientRect().top - top) <= 1", arg=[await read.element_handle(), top]
    )


async def test_another_order_begins_at_its_beginning(shared: ServerProcess, window: Window, key: str) -> None:
    for number in range(30):
        await post(shared, f"Number {number}", key=key)
    page = await _open(window, shared, _element(key, "max=10 sort=newest"))
    await shown(page)
    await comment(page, "Number 29").scroll_into_view_if_needed()
    before = await page.evaluate("scrollY")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.locator("tertulia-discussion select").select_option("oldest")
    await expect(comments(page).first).to_contain_text("Number 0")
    await post(shared, "Arrived", key=key)  # by then whatever else was asked for has been answered
    await count(page, 31)
    assert await page.evaluate("scrollY") == before
    await expect(comments(page)).to_have_count(10)
    assert not [url for url in asked if "/comments" in url]


async def test_a_form_that_is_closed_while_it_is_written_in_moves_nothing(
    shared: ServerProcess, window: Window, moderate: Moderate, key: str
) -> None:
    for number in range(20):
        await post(shared, f"Number {number}", key=key)
    page = await _open(window, shared, _element(key, "sort=newest") + "<p style='block-size: 2000px'>Text</p>")
    await shown(page)
    await page.evaluate("scrollTo(0, 100)")
    await form(page).locator("textarea").click()
    before = await page.evaluate("scrollY")
    assert before > 0
    await moderate("PATCH", f"/discussion?key={key}", {"mode": "closed"})
    await expect(form(page)).to_be_hidden()
    await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    assert await page.evaluate("scrollY") == before


async def test_a_page_without_a_doctype_is_a_page(shared: ServerProcess, window: Window, key: str) -> None:
    """In quirks mode no element is said to scroll the page where html and body hide what is beside them."""
    said = [await post(shared, f"Number {number}", key=key) for number in range(20)]
    page = await window("about:blank", viewport={"width": 800, "height": 600})
    html = f"""<script src="{shared.url}/embed.js" defer></script>
      <style>html, body {{ overflow-x: hidden }}</style>{_element(key, "sort=oldest")}"""

    async def answer(route: Route) -> None:
        await route.fulfill(body=html, content_type="text/html")

    await page.route("**/quirks.html", answer)
    await page.goto(f"{shared.url}/quirks.html")
    assert await page.evaluate("document.compatMode") == "BackCompat"
    await shown(page)
    read = comment(page, "Number 9")
    await read.evaluate("box => box.scrollIntoView()")
    assert await evaluate_element(page, f"return el.goTo('{said[15]['comment']['id']}')") is True
    await post(shared, "Arrived", key=key)
    await page.get_by_role("button", name="1 new comment").click()
    await expect(comment(page, "Arrived")).to_be_in_viewport()
    await expect(page.get_by_role("button", name="1 new comment")).to_be_hidden()


async def test_who_scrolls_while_everything_is_read_again_stays_there(
    shared: ServerProcess, window: Window, key: str
) -> None:
    page = await _open_three_pages(window, shared, key)
    await comment(page, "Number 27").evaluate("box => box.scrollIntoView({ block: 'start' })")
    further = await held(page, "**/api/v1/comments?*")
    await evaluate_element(page, "el.setToken(null)")
    await further.is_asked.wait()
    await page.evaluate("scrollTo(0, 0)")
    further.may_go.set()
    await expect(comments(page)).to_have_count(30)
    await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    assert await page.evaluate("scrollY") == 0


@pytest.mark.parametrize(("lang", "heading"), [("vi_VN", "Tất cả bình luận"), ("Tiếng Việt!" * 9, "All comments")])
async def test_a_language_that_is_written_wrongly_takes_no_comments_away(
    shared: ServerProcess, window: Window, key: str, lang: str, heading: str
) -> None:
    await post(shared, "Still here", key=key)
    page = await _open(window, shared, _element(key, f'lang="{lang}"'))
    await expect(comment(page, "Still here")).to_be_visible()
    await expect(page.get_by_role("heading", name=heading)).to_be_visible()


async def test_names_are_found_without_their_accents_on_pages_that_are_not_loaded(
    shared: ServerProcess, window: Window, key: str
) -> None:
    composed, decomposed = (unicodedata.normalize(form, "Đặng Thị Hường") for form in ("NFC", "NFD"))
    for number in range(8):
        await post(shared, f"Number {number}", key=key)
    await post(shared, "The seventh of May", key=key, author={"name": composed})
    await post(shared, f"I agree with {decomposed}", key=key)
    page = await _open(window, shared, _element(key, "max=2"))
    await shown(page)
    assert await evaluate_element(page, "return el.search('dang thi huong')") == 2
    await expect(comments(page).filter(visible=True)).to_have_count(2)
    for typed in (composed, decomposed):
        found = await page.evaluate("(typed) => document.querySelector('tertulia-discussion').search(typed)", typed)
        assert found == 2
    assert await evaluate_element(page, "return el.search('nobody of this name')") == 0
    await expect(page.locator("tertulia-discussion .found")).to_have_text("No comments match.")


async def test_a_token_of_the_page_signs_in(shared: ServerProcess, window: Window, key: str) -> None:
    said = await post(shared, "Mine from elsewhere", key=key)
    page = await _open(window, shared, _element(key, "loading=eager"))
    await page.evaluate(
        "(token) => customElements.whenDefined('tertulia-discussion').then("
        "() => document.querySelector('tertulia-discussion').setToken(token))",
        said["token"],
    )
    mine = comment(page, "Mine from elsewhere")
    await expect(mine.get_by_role("button", name="Edit")).to_be_visible()
    await evaluate_element(page, "el.setToken(null)")
    await expect(mine.get_by_role("button", name="Edit")).to_be_hidden()


async def test_a_late_answer_for_strangers_does_not_sign_out(shared: ServerProcess, window: Window, key: str) -> None:
    said = await post(shared, "Mine from elsewhere", key=key)
    page = await window("about:blank")
    waiting: list[Route] = []

    async def hold_the_first(route: Route) -> None:
        if waiting:
            await route.continue_()
        else:
            waiting.append(route)

    await page.route("**/api/v1/discussion?*", hold_the_first)
    await host(page, shared, _element(key, "loading=eager"))
    await page.wait_for_function("document.querySelector('tertulia-discussion').state === 'loading'")
    await page.evaluate("(token) => document.querySelector('tertulia-discussion').setToken(token)", said["token"])
    mine = comment(page, "Mine from elsewhere")
    await expect(mine.get_by_role("button", name="Edit")).to_be_visible()
    async with page.expect_response("**/api/v1/discussion?*"):
        await waiting[0].continue_()
    await page.evaluate("new Promise((seen) => requestAnimationFrame(() => setTimeout(seen)))")
    await expect(mine.get_by_role("button", name="Edit")).to_be_visible()


# ---- events -------------------------------------------------------------------------------------------------


async def test_the_page_hears_what_happens(shared: ServerProcess, window: Window, key: str) -> None:
    page = await _open(window, shared, _element(key))
    await shown(page)
    assert await _heard(page, "ready") == [{"total": 0}]
    assert {"state": "live"} in await _heard(page, "state")
    await post(shared, "From elsewhere", key=key)
    await expect(comment(page, "From elsewhere")).to_have_count(1)
    assert [one["comment"]["body"] for one in await _heard(page, "comment")] == [  # type: ignore[index]
        [{"type": "paragraph", "children": [{"type": "text", "text": "From elsewhere"}]}]
    ]
    await write(page, "Lan", "Mine")
    await expect(comment(page, "Mine").get_by_role("button", name="Edit")).to_be_visible()
    assert await _heard(page, "post") == [{"comment": {"body": "Mine", "name": "Lan", "parent_id": None}}]
    posted = await _heard(page, "posted")
    assert [one["comment"]["author"]["name"] for one in posted] == ["Lan"]  # type: ignore[index]
    assert {target for _, _, target in await page.evaluate("heard")} == {"TERTULIA-DISCUSSION"}


async def test_the_page_can_keep_a_comment_from_being_sent(shared: ServerProcess, window: Window, key: str) -> None:
    page = await _open(window, shared, _element(key))
    await shown(page)
    await page.evaluate("window.refusing = 'post'")
    await write(page, "Lan", "Not like this")
    await page.wait_for_function("heard.some(([name]) => name === 'post')")
    await expect(form(page).locator("textarea")).to_have_value("Not like this")
    await expect(comments(page)).to_have_count(0)
    await page.evaluate("window.refusing = ''")
    await form(page).get_by_role("button", name="Post comment").click()
    await expect(comment(page, "Not like this").get_by_role("button", name="Edit")).to_be_visible()
    assert await bodies(shared, key) == ["Not like this"]


async def test_a_page_with_readers_of_its_own_signs_them_in(shared: ServerProcess, window: Window, key: str) -> None:
    said = await post(shared, "Said by a member", key=key, author={"name": "Minh"})
    page = await window("about:blank")
    await page.add_init_script(_HEAR)
    tokens: list[object] = []

    async def answer(route: Route) -> None:
        if tokens:
            await route.fulfill(json={"token": tokens[0]})
        else:
            await route.fulfill(status=401)

    await page.route("**/member-token", answer)
    await host(page, shared, _element(key, 'token-endpoint="/member-token"'))
    button = page.get_by_role("button", name="Sign in to comment")
    await expect(button).to_be_visible()
    await expect(form(page)).to_be_hidden()
    await page.evaluate("window.refusing = 'auth-required'")
    await button.click()
    assert await _heard(page, "auth-required") == [{}]
    tokens.append(said["token"])
    await expect(form(page)).to_be_hidden()  # the page opens its own form
    await page.evaluate("window.refusing = ''")
    await button.click()
    await expect(page.locator("tertulia-discussion .sign-in")).to_have_text("Signed in as Minh")
    await form(page).locator("textarea").fill("As a member")
    await form(page).get_by_role("button", name="Post comment").click()
    await expect(comment(page, "As a member").locator("[part~=author]")).to_have_text("Minh")


async def test_strangers_have_no_form_where_readers_sign_in_whatever_happens(
    shared: ServerProcess, window: Window, key: str, moderate: Moderate
) -> None:
    await post(shared, "The last word", key=key)
    page = await window("about:blank")
    await page.route("**/member-token", lambda route: route.fulfill(status=401))
    await host(page, shared, _element(key, 'token-endpoint="/member-token"'))
    button = page.get_by_role("button", name="Sign in to comment")
    reply = comment(page, "The last word").get_by_role("button", name="Reply")
    await expect(button).to_be_visible()
    await moderate("PATCH", f"/discussion?key={key}", {"mode": "closed"})
    await expect(reply).to_be_hidden()
    await expect(button).to_be_hidden()
    await moderate("PATCH", f"/discussion?key={key}", {"mode": "open"})
    await expect(reply).to_be_visible()
    await expect(button).to_be_visible()
    await expect(form(page)).to_be_hidden()


async def test_what_cannot_be_loaded_is_told_and_tried_again(shared: ServerProcess, window: Window, key: str) -> None:
    await post(shared, "Here in the end", key=key)
    page = await window("about:blank")
    await page.add_init_script(_HEAR)
    await page.route("**/api/v1/discussion?*", lambda route: route.abort())
    await host(page, shared, _element(key))
    again = page.get_by_role("button", name="Try again")
    await expect(again).to_be_visible()
    assert await evaluate_element(page, "return el.state") == "error"
    assert (await _heard(page, "error"))[0] == {"error": {"status": 0, "code": ""}}
    await page.unroute("**/api/v1/discussion?*")
    await again.click()
    await expect(comment(page, "Here in the end")).to_have_count(1)


async def test_a_discussion_that_is_closed_or_opened_changes_at_once(
    shared: ServerProcess, window: Window, key: str, moderate: Moderate
) -> None:
    await post(shared, "The last word", key=key)
    page = await _open(window, shared, _element(key))
    await shown(page)
    reply = comment(page, "The last word").get_by_role("button", name="Reply")
    for mode in ("closed", "open"):
        await moderate("PATCH", f"/discussion?key={key}", {"mode": mode})
        if mode == "closed":
            await expect(form(page)).to_be_hidden()
            await expect(reply).to_be_hidden()
            await expect(page.locator("tertulia-discussion [part~=notice]")).to_contain_text("closed")
        else:
            await expect(form(page)).to_be_visible()
            await expect(reply).to_be_visible()


# ---- without JavaScript -------------------------------------------------------------------------------------


async def test_without_javascript_ten_comments_are_there_and_the_form_posts(
    shared: ServerProcess, window: Window, key: str
) -> None:
    for number in range(12):
        await post(shared, f"Number {number}", key=key)
    page = await window(f"{shared.url}/d?key={key}", java_script_enabled=False)
    assert await page.locator("tertulia-discussion article:visible").count() >= 10
    await page.get_by_label("Name").fill("Lan")
    await page.locator("textarea").fill("By a plain form")
    await page.locator("form.composer button").click()
    await expect(page.locator("article", has_text="By a plain form")).to_be_visible()
    assert (await bodies(shared, key))[-1] == "By a plain form"
