"""What a moderator sees and decides on the pages of the desk, by forms alone."""

from __future__ import annotations

import html
import json
import re

import httpx
import pytest

from tertulia.core.roles import Role
from tertulia.core.words import parse_entry
from tertulia.identity import utc_now
from tertulia.languages import language
from tertulia.protocol import API
from tertulia.store import schema
from tertulia.store.actions import OPERATOR
from tertulia.store.commands import AddWords
from tests.pages.house import form_of
from tests.staff.desk import OWN, Desk

AT = "/staff/sites/news/desk"
BANS = "/staff/sites/news/bans"
DECIDE, UNDO = f"{AT}/decide", f"{AT}/undo"


async def page(desk: Desk, path: str = "waiting", who: str = "Mai", **headers: str) -> str:
    answer = await desk.get(f"{AT}/{path}", who, **headers)
    assert answer.status_code == 200, answer.text
    return answer.text


def card(text: str, comment_id: str) -> str:
    """The HTML of one comment of a page."""
    items = text.partition('<form id="bulk"')[0].split('<li class="item"')
    return next(one for one in items if one.startswith(f' id="item-{comment_id}"'))


def said(text: str) -> str:
    """What is read, without tags and what is for scripts."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"(?s)<script.*?</script>|<[^>]+>", " ", text)))


def acts(text: str) -> list[str]:
    return re.findall(r'<button name="do" value="([a-z]+)"', text)


async def decide(desk: Desk, text: str, comment_id: str, do: str, **typed: str) -> httpx.Response:
    return await desk.post(DECIDE, "Mai", **form_of(card(text, comment_id), DECIDE), do=do, **typed)


async def follow(desk: Desk, answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return (await desk.get(answer.headers["location"], "Mai")).text


async def report(desk: Desk, comment_id: str, reason: str, note: str = "") -> None:
    await desk.member("reader")
    headers = {"Authorization": f"Bearer {desk.tokens['reader']}"}
    body = {"reason": reason, **({"note": note} if note else {})}
    answer = await desk.client.post(f"{API}/comments/{comment_id}/reports", json=body, headers=headers)
    assert answer.status_code in (201, 204), answer.text


async def test_the_desk_opens_at_the_first_queue_where_something_waits(desk: Desk) -> None:
    await desk.sign_in("Mai", Role.moderator)
    assert (await desk.get("/staff", "Mai")).headers["location"] == AT
    assert (await desk.get(AT, "Mai")).headers["location"] == f"{AT}/waiting"
    comment = await desk.say("Buy this")
    await report(desk, comment["id"], "spam", "An advertisement")
    assert (await desk.get(AT, "Mai")).headers["location"] == f"{AT}/reported"
    shown = await page(desk, "reported")
    assert "Reported 1" in said(shown)
    assert "Reported: Spam or advertising An advertisement" in said(card(shown, comment["id"]))


async def test_a_comment_is_approved_and_that_is_taken_back(desk: Desk) -> None:
    comment = await desk.ready()
    shown = await page(desk)
    assert acts(card(shown, comment["id"])) == ["approve", "spam", "remove"]
    assert "May I say something" in card(shown, comment["id"])
    assert "Every comment waits in this discussion" in said(shown)
    after = await follow(desk, await decide(desk, shown, comment["id"], "approve"))
    assert "Approved : Lan" in said(after)
    assert "May I say something" not in after
    assert (await desk.client.get(f"/c/{comment['id']}")).status_code == 303
    again = await follow(desk, await desk.post(UNDO, "Mai", **form_of(after, UNDO)))
    assert "Taken back : Lan" in said(again)
    assert acts(card(again, comment["id"])) == ["keep", "spam", "remove"]


async def test_a_reason_and_a_note_go_with_a_removal(desk: Desk) -> None:
    comment = await desk.ready()
    answer = await decide(desk, await page(desk), comment["id"], "remove", reason="abuse", note="Xin hãy lịch sự")
    assert "Removed : Lan · Insults or harassment" in said(await follow(desk, answer))
    last = said(card(await page(desk, "all"), comment["id"]))
    assert "Mai removed a comment · Insults or harassment" in last
    assert "Xin hãy lịch sự" in last


async def test_what_is_something_else_meanwhile_is_shown_as_it_is_now(desk: Desk) -> None:
    comment = await desk.ready()
    early = await page(desk)
    await desk.sign_in("Thu", Role.moderator)
    form = form_of(card(early, comment["id"]), DECIDE)
    await desk.post(DECIDE, "Thu", **form, do="approve")
    before = await desk.rows(schema.action)
    late = await decide(desk, early, comment["id"], "remove", reason="spam")
    assert late.status_code == 409
    assert "Thu has decided about it in the meantime." in said(late.text)
    assert 'data-version="2"' in card(late.text, comment["id"])
    assert f'<a href="{AT}/waiting">Back' in late.text
    assert await desk.rows(schema.action) == before
    await follow(desk, await decide(desk, late.text, comment["id"], "remove", reason="spam"))
    assert "taken from view" in said(card(await page(desk, "all"), comment["id"]))


async def test_several_are_decided_at_once_and_each_has_its_own_result(desk: Desk) -> None:
    first = await desk.ready()
    others = [await desk.say(f"No. {number}") for number in range(3)]
    picks = [f"{one['id']} 1" for one in (first, *others)]
    shown = await page(desk)
    assert [pick for pick in picks if f'value="{pick}"' not in shown] == []
    await desk.post(DECIDE, "Mai", pick=picks[3], do="approve", back=f"{AT}/waiting")
    some = await desk.post(DECIDE, "Mai", pick=picks, do="remove", reason="off_topic", back=f"{AT}/waiting")
    assert some.status_code == 409
    assert "Removed : 3 · Off topic" in said(some.text)
    assert "Mai has decided about it in the meantime." in said(some.text)
    form = re.findall(r'name="(comment_id|action)" value="([^"]+)"', some.text.split('class="items"')[0])
    undone = await desk.post(UNDO, "Mai", **{name: [v for n, v in form if n == name] for name, _ in form})
    onward = await desk.get(undone.headers["location"], "Mai")
    assert "Taken back : 3" in said(await follow(desk, onward))
    none = await desk.post(DECIDE, "Mai", do="approve")
    assert (none.status_code, "Select at least one comment first." in none.text) == (422, True)


async def test_what_is_on_the_word_list_is_marked_where_it_stands(desk: Desk) -> None:
    await desk.sign_in("Mai", Role.moderator)
    await desk.server.store.write(AddWords(OPERATOR, "news", (parse_entry("đồ chó"),), utc_now()))
    comment = await desk.say("<b>Này</b> đồ chó & bạn")
    shown = card(await page(desk, "suspected"), comment["id"])
    assert "&lt;b&gt;Này&lt;/b&gt; <mark>đồ chó</mark> &amp; bạn" in shown
    assert "On the word list: đồ chó" in said(shown)
    assert acts(shown) == ["approve", "spam", "remove"]


async def test_what_stands_around_a_comment_is_with_it(desk: Desk) -> None:
    await desk.sign_in("Mai", Role.moderator)
    parent = await desk.say("What do you think?", name="Hoa")
    comment = await desk.say("This", name="Lan", parent_id=parent["id"])
    await desk.say("No, that", name="Minh", parent_id=comment["id"])
    shown = said(card(await page(desk, "all"), comment["id"]))
    assert re.search(r"It answers: Hoa .* What do you think\? Replies: Minh .* No, that", shown)
    assert "pin" not in acts(card(await page(desk, "all"), comment["id"]))
    pinned = await decide(desk, await page(desk, "all"), parent["id"], "pin")
    assert "unpin" in acts(card(await follow(desk, pinned), parent["id"]))


async def test_a_queue_is_of_one_author_or_one_page_and_goes_on(desk: Desk) -> None:
    comment = await desk.ready()
    for number in range(26):
        await desk.say(f"No. {number}", name="Minh")
    shown = await page(desk)
    assert shown.count('<li class="item"') == 25
    more = re.findall(r'href="([^"]*)" data-more', shown)
    assert (await desk.get(html.unescape(more[0]), "Mai")).text.count('<li class="item"') == 2
    author = re.findall(r'data-author="([^"]+)"', card(shown, comment["id"]))[0]
    alone = await page(desk, f"waiting?author={author}")
    assert alone.count('<li class="item"') == 1
    assert "Only comments by Lan" in said(alone)
    assert "Only comments by Lan" in said(await page(desk, f"reported?author={author}"))
    assert (await page(desk, "waiting?key=talk")).count('<li class="item"') == 25
    assert (await page(desk, "waiting?key=elsewhere")).count('<li class="item"') == 0
    assert "data-data" not in shown


async def test_the_script_is_given_what_it_needs(desk: Desk) -> None:
    comment = await desk.ready()
    shown = await page(desk, **{"Accept-Language": "vi"})
    head = re.findall(r'<div class="desk"[^>]*>', shown)[0]
    for name, value in (("site", "news"), ("queue", "waiting"), ("api", API), ("cards", f"{AT}/cards")):
        assert f'data-{name}="{value}"' in head
    assert 'data-count="waiting">1<' in shown
    found = json.loads(re.findall(r"data-sentences>(.*?)</script>", shown)[0])
    texts = language("vi").texts
    assert found == {key.removeprefix("desk.script."): texts[key] for key in texts if key.startswith("desk.script.")}
    fragment = await desk.get(f"{AT}/cards?id={comment['id']}&id=nowhere", "Mai", **{"Accept-Language": "vi"})
    assert fragment.headers["content-type"] == "text/html; charset=utf-8"
    assert fragment.text.strip().startswith('<li class="item"')
    drawn = [re.sub(r'name="back" value="[^"]*"|\s+', "", card(one, comment["id"])) for one in (shown, fragment.text)]
    assert drawn[0].startswith(drawn[1])
    assert (await desk.get(f"{AT}/cards?{'&'.join(['id=x'] * 51)}", "Mai")).status_code == 422


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/staff/\\evil", "/d?key=x", "/staff/a\r\nb"]
)
async def test_a_decision_leads_to_no_other_page(desk: Desk, back: str) -> None:
    comment = await desk.ready()
    form = {"comment_id": comment["id"], "version": "1", "do": "approve", "back": back}
    answer = await desk.post(DECIDE, "Mai", **form)
    assert answer.headers["location"].startswith(f"{AT}?did=")


async def test_a_notice_tells_only_of_what_one_did_oneself(desk: Desk) -> None:
    comment = await desk.ready()
    await desk.sign_in("Thu", Role.moderator)
    answer = await decide(desk, await page(desk), comment["id"], "approve")
    assert "Approved" not in said((await desk.get(answer.headers["location"], "Thu")).text).partition("Suspected")[2]
    for given in ("x", ".", "a" * 3000, "%00", comment["id"]):
        assert 'class="notice done"' not in await page(desk, f"waiting?did={given}")


async def test_what_cannot_be_read_changes_nothing(desk: Desk) -> None:
    comment = await desk.ready()
    good = {"comment_id": comment["id"], "version": "1", "do": "approve"}
    before = await desk.everything()
    for wrong in ({"do": "burn"}, {"version": "x"}, {"version": "0"}, {"reason": "boredom"}, {"note": "x" * 1001}):
        answer = await desk.post(DECIDE, "Mai", **good | wrong)
        assert answer.status_code == 422, wrong
    for path in ("nowhere", "waiting?cursor=x", "waiting?author=x", "waiting?key=%00", "decide", "cards"):
        answer = await desk.client.get(f"{AT}/{path}", headers=desk.headers("Mai") | OWN)
        assert answer.status_code in (400, 404, 422), path
    assert await desk.everything() == before


async def test_an_author_is_banned_from_a_card_and_that_is_lifted(desk: Desk) -> None:
    comment = await desk.ready()
    form = form_of(card(await page(desk), comment["id"]), BANS)
    banned = await desk.post(BANS, "Mai", **form, effect="refuse", hours="168", reason="abuse", note="Third time")
    after = await follow(desk, banned)
    assert "Banned : Lan · Insults or harassment" in said(after)
    assert "Banned 1" in said(after)
    listed = (await desk.get(BANS, "Mai")).text
    assert "Lan Accept no comments · Insults or harassment · until" in said(listed)
    assert "Third time" in said(listed)
    undone = await follow(desk, await desk.post(f"{BANS}/lift", "Mai", **form_of(after, f"{BANS}/lift")))
    assert "Ban lifted : Lan" in said(undone)
    assert "Nobody is banned." in (await desk.get(BANS, "Mai")).text


async def test_a_network_is_banned_once_it_was_said_how_many_that_are(desk: Desk) -> None:
    comment = await desk.ready()
    form = form_of(card(await page(desk), comment["id"]), BANS)
    typed = {"effect": "refuse", "hours": "24", "remove": "all", "note": "Floods us"}
    asked = await desk.post(BANS, "Mai", **form, **typed, reach="wide")
    assert asked.status_code == 200
    assert "Every guest in this part of the network" in asked.text
    assert "guests lately: 1." in asked.text
    assert await desk.rows(schema.ban) == []
    after = await follow(desk, await desk.post(BANS, "Mai", **form_of(asked.text, BANS)))
    assert "Banned : Lan" in said(after)
    [ban] = await desk.rows(schema.ban)
    assert (ban["kind"], ban["effect"], ban["note"]) == ("wide", "refuse", "Floods us")
    assert "Lan every guest in a part of the network · Accept no comments" in said((await desk.get(BANS, "Mai")).text)


async def test_where_nobody_knows_the_network_its_guests_cannot_be_banned(desk: Desk) -> None:
    comment = await desk.ready()
    form = form_of(card(await page(desk), comment["id"]), BANS)
    await desk.run(schema.origin.delete())
    asked = await desk.post(BANS, "Mai", **form, reach="near")
    assert "It is not known where this comment came from" in asked.text
    assert (await desk.post(BANS, "Mai", **form, reach="near", sure="1")).status_code == 404
    await desk.member("reader")
    said_by_member = await desk.client.post(
        f"{API}/comments",
        json={"site": "news", "key": "talk", "body": "By a member"},
        headers={"Authorization": f"Bearer {desk.tokens['reader']}", "Idempotency-Key": "m" * 32},
    )
    assert 'name="reach"' not in card(await page(desk), said_by_member.json()["comment"]["id"])


async def test_a_ban_that_cannot_be_is_refused(desk: Desk) -> None:
    comment = await desk.ready()
    good = {"author": comment["author"]["id"], "effect": "hold", "hours": "24"}
    before = await desk.everything()
    for wrong, status in (
        ({"author": "nobody"}, 404),
        ({"effect": "burn"}, 422),
        ({"hours": "0"}, 422),
        ({"hours": "soon"}, 422),
        ({"hours": "9" * 40}, 422),
        ({"reason": "boredom"}, 422),
    ):
        assert (await desk.post(BANS, "Mai", **good | wrong)).status_code == status, wrong
    assert (await desk.post(f"{BANS}/lift", "Mai", ban="x")).status_code == 404
    assert await desk.everything() == before
