"""Editing, deleting and reporting without a script, by who is signed in on these pages."""

from __future__ import annotations

import re
from datetime import timedelta
from html import escape

import httpx
import pytest

from tertulia.identity import utc_now
from tertulia.languages import TAGS
from tertulia.protocol import API
from tertulia.store import schema
from tertulia.store.mapping import milliseconds
from tests.pages.house import OWN, TALK, Browser, House, form_of

TEXT = "Good *evening*,\n\n> a quotation & <b>\n\nwith a [link](https://news.example/)."


async def said(house: House, browser: Browser, text: str = TEXT) -> str:
    """What a member has just said; its id."""
    await browser.with_session("1")
    await browser.say(text)
    (comment,) = await house.rows(schema.comment)
    return str(comment["id"])


async def text_of(house: House) -> str:
    (comment,) = await house.rows(schema.comment)
    return str(comment["text"])


async def edit(browser: Browser, comment_id: str, body: str, page: httpx.Response | None = None) -> httpx.Response:
    path = f"/c/{comment_id}/edit"
    return await browser.send(page or await browser.get(path), path, body=body)


async def older(house: House) -> None:
    """The comment was said a day ago."""
    at = milliseconds(utc_now() - timedelta(days=1))
    await house.run(schema.comment.update().values(created_at=at))


def links(page: httpx.Response, comment_id: str) -> list[str]:
    return re.findall(rf'href="/c/{comment_id}/(\w+)"', page.text)


async def test_ones_own_is_offered_to_be_edited_while_there_is_time(house: House) -> None:
    browser, other, visitor = house.browser(), house.browser(), house.browser()
    comment_id = await said(house, browser)
    await other.with_session("2")
    for path in (TALK, f"{TALK}&thread={comment_id}"):
        assert links(await browser.get(path), comment_id) == ["edit", "delete"]
        assert links(await other.get(path), comment_id) == links(await visitor.get(path), comment_id) == ["report"]
    assert links(await browser.get("/me"), comment_id) == ["edit", "delete"]
    for elsewhere in ("/frame?", "/embed.html?"):  # where nobody is signed in, and nothing leads out of the frame
        assert links(await browser.get(TALK.replace("/d?", elsewhere)), comment_id) == []
    await older(house)
    for path in (TALK, f"{TALK}&thread={comment_id}", "/me"):
        assert links(await browser.get(path), comment_id) == ["delete"]


async def test_the_form_has_what_was_written_and_stores_what_is_written_now(stored: House) -> None:
    browser = stored.browser()
    comment_id = await said(stored, browser)
    page = await browser.get(f"/c/{comment_id}/edit")
    assert f">\n{escape(TEXT, quote=False)}</textarea>" in page.text
    answer = await edit(browser, comment_id, "Good **night**.", page)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{TALK}#comment-{comment_id}")
    shown = (await browser.get(TALK)).text
    assert "Good <strong>night</strong>." in shown
    assert "edited" in shown
    (event,) = [one for one in await stored.rows(schema.event) if one["kind"] == "comment.edited"]
    assert event["comment_id"] == comment_id


async def test_a_preview_stores_nothing_and_keeps_what_is_typed(house: House) -> None:
    browser = house.browser()
    comment_id = await said(house, browser)
    before = await house.everything()
    path = f"/c/{comment_id}/edit"
    page = await browser.get(path)
    shown = await browser.send(page, path, body="So **be** it.", preview="1")
    assert shown.status_code == 200
    assert "So <strong>be</strong> it." in shown.text
    assert "So **be** it.</textarea>" in shown.text
    empty = await browser.send(page, path, body=" ", preview="1")
    assert (empty.status_code, 'role="alert"' in empty.text) == (422, True)
    assert await house.everything() == before
    assert (await edit(browser, comment_id, "So **be** it.", shown)).status_code == 303


@pytest.mark.parametrize(
    ("body", "status"), [("", 422), (" \n ", 422), ("x" * 10_001, 422), ("\u202e\u200b", 422), ("a\x00b", 400)]
)
async def test_what_is_refused_stands_in_the_form_again(house: House, body: str, status: int) -> None:
    browser = house.browser()
    comment_id = await said(house, browser)
    answer = await edit(browser, comment_id, body)
    assert (answer.status_code, 'aria-invalid="true"' in answer.text) == (status, True)
    assert await text_of(house) == TEXT


async def test_what_is_no_form_is_refused(house: House) -> None:
    browser = house.browser()
    comment_id = await said(house, browser)
    before = await house.everything()
    for what in ("edit", "report"):
        path = f"/c/{comment_id}/{what}"
        answer = await browser.client.post(path, json={"body": "x"}, headers=OWN)
        assert answer.status_code == 415, what
        many = await browser.client.post(path, data={f"f{number}": "" for number in range(40)}, headers=OWN)
        assert many.status_code == 400, what
    assert await house.everything() == before


async def test_pages_of_others_change_nothing_under_the_cookie(house: House) -> None:
    browser = house.browser()
    comment_id = await said(house, browser)
    before = await house.everything()
    for what in ("edit", "delete", "report"):
        for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"}):
            form = {"body": "Mallory's", "began": "", "reason": "spam"}
            answer = await browser.client.post(f"/c/{comment_id}/{what}", data=form, headers=headers)
            assert answer.status_code == 403, (what, headers)
    assert await house.everything() == before


async def test_nobody_else_edits_or_deletes_it(stored: House) -> None:
    browser, other, elsewhere, visitor = (stored.browser() for _ in range(4))
    comment_id = await said(stored, browser)
    await other.with_session("2")
    await elsewhere.with_session("1", "magazine")
    await visitor.get(TALK)
    before = await stored.everything()
    for one, status in ((other, 403), (elsewhere, 404)):
        assert (await one.get(f"/c/{comment_id}/edit")).status_code == status
        assert (await one.post(f"/c/{comment_id}/edit", body="Mallory's", began="")).status_code == status
        assert (await one.get(f"/c/{comment_id}/delete")).status_code == status
        assert (await one.post(f"/c/{comment_id}/delete")).status_code in (303, 403)
    for what in ("edit", "delete"):
        answer = await visitor.get(f"/c/{comment_id}/{what}")
        assert answer.headers["location"] == f"/sign-in?site=default&return=%2Fc%2F{comment_id}%2F{what}"
    assert (await visitor.post(f"/c/{comment_id}/delete")).headers["location"].startswith("/sign-in?")
    assert await stored.everything() == before


async def test_who_was_signed_out_meanwhile_keeps_what_is_typed(house: House) -> None:
    browser = house.browser()
    comment_id = await said(house, browser)
    page = await browser.get(f"/c/{comment_id}/edit")
    browser.client.cookies.clear()
    answer = await edit(browser, comment_id, "Typed in vain?", page)
    assert answer.status_code == 401
    assert "Typed in vain?</textarea>" in answer.text
    assert f'href="/sign-in?site=default&amp;return=%2Fc%2F{comment_id}%2Fedit"' in answer.text
    assert await text_of(house) == TEXT


async def test_of_two_windows_the_second_sees_what_the_first_wrote(house: House) -> None:
    browser = house.browser()
    comment_id = await said(house, browser)
    first, second = [await browser.get(f"/c/{comment_id}/edit") for _ in range(2)]
    assert (await edit(browser, comment_id, "Of the first.", first)).status_code == 303
    assert (await edit(browser, comment_id, "Of the first.", first)).status_code == 303, "pressed twice"
    asked = await edit(browser, comment_id, "Of the second.", second)
    assert asked.status_code == 409
    assert "Of the first.</blockquote>" in asked.text
    assert "Of the second.</textarea>" in asked.text
    assert await text_of(house) == "Of the first."
    assert (await edit(browser, comment_id, "Of the second.", asked)).status_code == 303
    assert await text_of(house) == "Of the second."


async def test_time_that_ends_while_one_writes_takes_no_text_away(house: House) -> None:
    browser = house.browser()
    comment_id = await said(house, browser)
    page = await browser.get(f"/c/{comment_id}/edit")
    await older(house)
    answer = await edit(browser, comment_id, "Too late.", page)
    assert (answer.status_code, "too late to edit" in answer.text) == (409, True)
    assert "Too late.</textarea>" in answer.text
    assert await text_of(house) == TEXT
    assert (await browser.get(f"/c/{comment_id}/edit")).status_code == 409


async def test_what_is_gone_meanwhile_is_said(house: House) -> None:
    browser = house.browser()
    comment_id = await said(house, browser)
    path = f"/c/{comment_id}"
    editing, deleting = await browser.get(f"{path}/edit"), await browser.get(f"{path}/delete")
    await house.run(schema.comment.update().values(state="removed"))
    answer = await edit(browser, comment_id, "Of what is gone.", editing)
    assert (answer.status_code, "no longer exists" in answer.text) == (410, True)
    assert "Of what is gone.</textarea>" in answer.text
    assert (await browser.send(deleting, f"{path}/delete")).status_code == 303
    for what in ("edit", "delete", "report"):
        assert (await browser.get(f"{path}/{what}")).status_code == 410, what
    for unknown in (comment_id[:-1] + ("1" if comment_id.endswith("0") else "0"), "x", "%00", "x" * 300):
        for what in ("edit", "delete", "report"):
            assert (await browser.get(f"/c/{unknown}/{what}")).status_code == 404, (unknown, what)
    assert await text_of(house) == TEXT


async def test_a_deletion_is_asked_for_once_more(stored: House) -> None:
    browser = stored.browser()
    comment_id = await said(stored, browser)
    path = f"/c/{comment_id}/delete"
    page = await browser.get(path)
    assert "It cannot be brought back." in page.text
    assert await text_of(stored) == TEXT, "to look at the question deletes nothing"
    answer = await browser.send(page, path)
    assert (answer.status_code, comment_id in answer.headers["location"]) == (303, True)
    assert "deleted by its author" in (await browser.get(answer.headers["location"])).text
    (comment,) = await stored.rows(schema.comment)
    assert (comment["state"], comment["text"]) == ("deleted", "")
    assert (await browser.send(page, path)).status_code == 303, "pressed twice"


async def test_what_waits_for_approval_is_edited_and_deleted_from_ones_own_page(house: House) -> None:
    browser = house.browser()
    comment_id = await said(house, browser)
    await house.run(schema.comment.update().values(state="held", published=False))
    assert links(await browser.get("/me"), comment_id) == ["edit", "delete"]
    assert "Waiting for approval" in (await browser.get(TALK)).text
    assert (await edit(browser, comment_id, "Better so.")).headers["location"] == "/me"
    assert await text_of(house) == "Better so."
    path = f"/c/{comment_id}/delete"
    assert (await browser.send(await browser.get(path), path)).headers["location"] == "/me"
    assert [one["state"] for one in await house.rows(schema.comment)] == ["deleted"]


async def test_what_one_wrote_as_a_guest_is_ones_own(house: House) -> None:
    browser = house.browser()
    new = {"site": "default", "key": "talk", "body": "As a guest.", "author": {"name": "Lan"}}
    posted = await browser.client.post(f"{API}/comments", json=new, headers={"Idempotency-Key": "of-a-guest-01234567"})
    given = {"grant": "test", "token": "1", "site": "default", "guest": posted.json()["token"]}
    browser.keep((await browser.client.post(f"{API}/sessions", json=given)).json()["token"])
    comment_id = posted.json()["comment"]["id"]
    assert links(await browser.get(TALK), comment_id) == ["edit", "delete"]
    assert (await edit(browser, comment_id, "As a member.")).status_code == 303
    assert await text_of(house) == "As a member."


async def test_others_report_it_whoever_they_are(stored: House) -> None:
    browser, other, visitor = stored.browser(), stored.browser(), stored.browser()
    comment_id = await said(stored, browser)
    member = await other.with_session("2")
    path = f"/c/{comment_id}/report"
    for one, note in ((other, "Twice\r\nto-day."), (visitor, "")):
        page = await one.get(path)
        assert "<em>evening</em>" in page.text
        answer = await one.send(page, path, reason="off_topic", note=note)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?sent=1")
        assert "Thank you." in (await one.get(answer.headers["location"])).text
    found = {(one["reporter_id"], one["reason"], one["note"]) for one in await stored.rows(schema.report)}
    assert found == {(member, "off_topic", "Twice\nto-day."), (None, "off_topic", "")}


async def test_a_report_without_a_reason_or_with_too_long_a_note_is_refused(house: House) -> None:
    browser, visitor = house.browser(), house.browser()
    comment_id = await said(house, browser)
    path = f"/c/{comment_id}/report"
    before = await house.everything()
    page = await visitor.get(path)
    bad = (("", "Why?", 422), ("bad", "Why?", 422), ("spam", "x" * 1001, 422), ("spam", "a\x00b", 400))
    for reason, note, status in bad:
        answer = await visitor.send(page, path, reason=reason, note=note)
        assert (answer.status_code, 'role="alert"' in answer.text) == (status, True), (reason, note[:9])
    assert 'value="spam" required checked' in answer.text
    foreign = await visitor.client.post(path, data={"reason": "spam"}, headers={"Origin": "https://mallory.example"})
    assert foreign.status_code == 403
    assert await house.everything() == before
    assert (await visitor.send(page, path, reason="spam", note="ế" * 1000)).status_code == 303


async def test_the_forms_are_in_the_readers_language_and_in_no_cache(house: House) -> None:
    browser = house.browser()
    comment_id = await said(house, browser)
    for tag in TAGS:
        for what in ("edit", "delete", "report"):
            page = await browser.get(f"/c/{comment_id}/{what}", **{"Accept-Language": tag})
            assert (page.status_code, f'<html lang="{tag}"' in page.text) == (200, True), (tag, what)
            assert page.headers["cache-control"] == "no-store"
    assert form_of(page.text, f"/c/{comment_id}/report") == {}
