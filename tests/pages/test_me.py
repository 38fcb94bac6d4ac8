"""One's own page: the name, where one is signed in, and by which ways."""

from __future__ import annotations

import re
from html import unescape

from tertulia.identity import new_session_token, utc_now
from tertulia.languages import TAGS
from tertulia.pages.me import PAGE
from tertulia.protocol import API
from tertulia.store import schema
from tertulia.store.actions import OPERATOR
from tertulia.store.commands import Act, DecideComment, Reason
from tests.api.app import bearer
from tests.pages.house import House, form_of

_MORE = re.compile(r'href="(/me[?]cursor=[^"]*)"')
_NUMBER = re.compile(r"Number (\d\d)")


async def test_a_visitor_is_sent_to_the_ways_in(house: House) -> None:
    """(E13) So is whoever has the cookie of something else."""
    browser = house.browser()
    member = await browser.with_session("1")
    for token in ("", new_session_token().token, "tm_nobodys"):
        browser.keep(token)
        for method, path in (("GET", "/me"), ("POST", "/me/name"), ("POST", "/me/sessions/end-all")):
            answer = await (browser.get(path) if method == "GET" else browser.post(path, name="Mallory"))
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?site=default&return=%2Fme")
    (author,) = [one for one in await house.rows(schema.author) if one["id"] == member]
    assert author["name"] == "Lan"
    assert [row["revoked_at"] for row in await house.rows(schema.session)] == [None]


async def test_a_session_of_the_staff_opens_it_not(house: House) -> None:
    """(E13)"""
    browser = house.browser()
    await browser.with_session("1")
    await house.run(schema.session.update().values(scope="staff"))
    assert (await browser.get("/me")).headers["location"].startswith("/sign-in?")


async def test_ones_name_is_changed_under_the_rules_of_names(stored: House) -> None:
    browser = stored.browser()
    await browser.with_session("1")
    for given, status, said in (
        ("Admin", 409, "belongs to somebody else"),
        ("", 422, "enter your name"),
        ("x" * 65, 422, "at most 64"),
    ):
        answer = await browser.post("/me/name", name=given)
        assert (answer.status_code, said in answer.text) == (status, True), given
    assert (await browser.post("/me/name", name="Lan <N.>")).headers["location"] == "/me"
    page = (await browser.get("/me")).text
    assert "Signed in as Lan &lt;N.&gt;" in page
    await browser.say("Hello.")
    (said_as,) = {one["author_name"] for one in await stored.rows(schema.comment)}
    assert said_as == "Lan <N.>"


async def test_sessions_are_ended_one_by_one_and_all_at_once(stored: House) -> None:
    browser, other, third, stranger = (stored.browser() for _ in range(4))
    for one in (other, third, browser):
        await one.with_session("1")
    await stranger.with_session("2")
    page = await browser.get("/me")
    assert page.text.count('/me/sessions/end"') == 2
    assert "https://id.example" in page.text, "the way in, which has no label here"
    ending = form_of(page.text, "/me/sessions/end")["session"]
    await stranger.post("/me/sessions/end", session=ending)  # another's stays
    assert all(row["revoked_at"] is None for row in await stored.rows(schema.session))
    await browser.send(page, "/me/sessions/end")
    codes = [
        (await stored.browser().client.get(f"{API}/me", headers=bearer(one.session or ""))).status_code
        for one in (other, third, browser)
    ]
    assert sorted(codes) == [200, 200, 401]
    answer = await browser.post("/me/sessions/end-all")
    assert (answer.headers["location"].startswith("/sign-in?"), browser.session) == (True, None)
    open_ = [row["author_id"] for row in await stored.rows(schema.session) if row["revoked_at"] is None]
    assert (await other.get("/me")).status_code == (await third.get("/me")).status_code == 303
    assert len(open_) == 1, "the stranger's"


async def test_the_page_is_in_the_readers_language_and_in_no_cache(house: House) -> None:
    browser = house.browser()
    await browser.with_session("1")
    for tag in TAGS:
        page = await browser.get("/me", **{"Accept-Language": tag})
        assert f'<html lang="{tag}"' in page.text
        assert (page.headers["cache-control"], "<script" in page.text) == ("no-store", False)


async def test_what_one_wrote_is_listed_the_newest_first_and_goes_on(stored: House) -> None:
    browser, stranger = stored.browser(), stored.browser()
    await browser.with_session("1")
    assert "You haven’t written any comments yet." in (await browser.get("/me")).text
    await stranger.with_session("2")
    await stranger.say("Not hers.")
    for number in range(PAGE + 2):
        await browser.say(f"Number {number:02} <of> hers.")
    page = (await browser.get("/me")).text
    assert _NUMBER.findall(page) == [f"{number:02}" for number in range(PAGE + 1, 1, -1)]
    assert ("Not hers." in page, "&lt;of&gt; hers." in page) == (False, True)
    further = unescape(_MORE.findall(page)[0])
    rest = (await browser.get(further)).text
    assert (_NUMBER.findall(rest), _MORE.findall(rest)) == (["01", "00"], [])
    for cursor in ("x", further.partition("=")[2][:-4]):
        assert (await browser.get(f"/me?cursor={cursor}")).status_code == 400


async def test_what_readers_do_not_see_says_why(house: House) -> None:
    browser = house.browser()
    await browser.with_session("1")
    await browser.say("It was said.")
    (said,) = await house.rows(schema.comment)
    link = f'href="/c/{said["id"]}"'
    assert link in (await browser.get("/me")).text
    for state, published, why, is_shown in (
        ("held", False, "Waiting for approval", True),
        ("removed", True, "removed by a moderator", False),
        ("deleted", True, "You deleted this comment.", False),
    ):
        await house.run(schema.comment.update().values(state=state, published=published))
        page = (await browser.get("/me")).text
        assert (why in page, "It was said." in page, link in page) == (True, is_shown, False), state


async def test_what_was_removed_says_what_the_moderator_said(house: House) -> None:
    browser = house.browser()
    await browser.with_session("1")
    await browser.say("It was said.")
    (said,) = await house.rows(schema.comment)
    why = Reason(reason="abuse", note="Please stay <polite>.")
    store = house.server.store
    await store.write(DecideComment(said["id"], Act.remove, OPERATOR, utc_now(), why=why))
    page = (await browser.get("/me")).text
    assert "removed by a moderator" in page
    assert "Insults or harassment" in page
    assert "Please stay &lt;polite&gt;." in page
    await store.write(DecideComment(said["id"], Act.restore, OPERATOR, utc_now()))
    assert "Please stay" not in (await browser.get("/me")).text


async def test_what_one_wrote_as_a_guest_is_among_it(house: House) -> None:
    browser = house.browser()
    new = {"site": "default", "key": "talk", "body": "As a guest.", "author": {"name": "Lan"}}
    headers = {"Idempotency-Key": "of-a-guest-0123456789"}
    answer = await browser.client.post(f"{API}/comments", json=new, headers=headers)
    assert answer.status_code == 201, answer.text
    given = {"grant": "test", "token": "1", "site": "default", "guest": answer.json()["token"]}
    browser.keep((await browser.client.post(f"{API}/sessions", json=given)).json()["token"])
    await browser.say("As a member.")
    page = (await browser.get("/me")).text
    assert page.index("As a member.") < page.index("As a guest.")
