"""Words, rules, and the page of a person: what an editor sets and looks up besides deciding."""

from __future__ import annotations

import html
import re

from tertulia.core.roles import Role
from tertulia.core.rules import RULES
from tertulia.store import schema
from tests.staff.desk import Desk
from tests.staff.test_desk_pages import BANS, DECIDE, card, report, said

NEWS = "/staff/sites/news"
WORDS, RULES_AT, DISCUSSION = f"{NEWS}/words", f"{NEWS}/rules", f"{NEWS}/desk/discussion"


async def read(desk: Desk, path: str, who: str = "Mai", **headers: str) -> str:
    answer = await desk.get(path, who, **headers)
    assert answer.status_code == 200, answer.text
    return answer.text


def values(page: str) -> dict[str, str]:
    """What stands in the fields of the rules."""
    found = dict.fromkeys(re.findall(r'<select id="([a-z_]+)"', page), "")
    for name, inner in re.findall(r'<select id="([a-z_]+)".*?>(.*?)</select>', page, re.DOTALL):
        found[name] = "".join(re.findall(r'value="([^"]*)" selected', inner))
    for name, value in re.findall(r'<input id="([a-z_]+)"[^>]*? value="([^"]*)"', page):
        found[name] = value
    return found


# ---- words ----------------------------------------------------------------------------------------------


async def test_an_owner_adds_finds_and_removes_words(desk: Desk) -> None:
    await desk.sign_in("Mai")
    added = await desk.post(WORDS, "Mai", lines="idiot # mild\n\nđịt mẹ refuse\n*viagra*")
    assert "Added or changed: 3. Removed: 0." in added.text
    shown = said(await read(desk, WORDS))
    for row in ("idiot waits for a moderator · Mai", "địt mẹ not accepted · Mai", "*viagra* waits for a moderator"):
        assert row in shown
    assert "mild" in shown
    found = said(await read(desk, f"{WORDS}?q=VIA"))
    assert ("*viagra*" in found, "địt mẹ" in found) == (True, False)
    await desk.post(f"{WORDS}/remove", "Mai", entry="idiot")
    replaced = await desk.post(WORDS, "Mai", lines="fool", replace="yes")
    assert "Added or changed: 1. Removed: 2." in replaced.text
    assert [row["entry"] for row in await desk.rows(schema.word)] == ["fool"]
    assert "removed words" not in said(await read(desk, "/staff/log?site=news"))
    assert "took words off the list · *viagra*, địt mẹ" in said(await read(desk, "/staff/log?site=news"))


async def test_a_line_that_is_no_entry_is_named_and_nothing_is_changed(desk: Desk) -> None:
    await desk.sign_in("Mai")
    before = await desk.everything()
    nothing = "no word in these lines"
    for lines, told in (("fine\n*a*", "line 2"), ("", nothing), ("# a note", nothing)):
        answer = await desk.post(WORDS, "Mai", lines=lines)
        assert (answer.status_code, told in answer.text) == (422, True), lines
        assert f">{html.escape(lines)}</textarea>" in answer.text, "what was typed stays"
    assert (await desk.post(WORDS, "Mai", lines="word\n" * 40_000)).status_code == 413
    assert await desk.everything() == before


async def test_a_moderator_tries_a_text_and_reads_the_list(desk: Desk) -> None:
    await desk.sign_in("Mai")
    await desk.sign_in("Thu", Role.moderator)
    await desk.post(WORDS, "Mai", lines="idiot\ndamn refuse")
    answer = await desk.post(f"{WORDS}/try", "Thu", text="You <i>1d10t</i>, damn it")
    assert "&lt;i&gt;<mark>1d10t</mark>&lt;/i&gt;, <mark>damn</mark> it" in answer.text
    assert "idiot : waits for a moderator damn : not accepted" in said(answer.text)
    assert "nothing on the list is in it" in (await desk.post(f"{WORDS}/try", "Thu", text="Hello")).text
    shown = await read(desk, WORDS, "Thu")
    assert (f'action="{WORDS}/remove"' in shown, "Only an owner" in shown) == (False, True)
    assert (await desk.post(f"{WORDS}/try", "Thu", text="x " * 10_001)).status_code == 422


async def test_a_long_list_goes_on(desk: Desk) -> None:
    await desk.sign_in("Mai")
    await desk.post(WORDS, "Mai", lines="\n".join(f"word{number:03}" for number in range(250)))
    first = await read(desk, WORDS)
    onward = html.unescape(re.findall(r'<nav class="pages"[^>]*><a href="([^"]*)"', first)[0])
    rest = await read(desk, onward)
    entries = re.findall(r'<bdi class="first">(word\d+)</bdi>', first + rest)
    assert entries == [f"word{number:03}" for number in range(250)]


# ---- rules ----------------------------------------------------------------------------------------------


async def test_the_rules_of_a_site_are_set_and_left_to_the_defaults_again(desk: Desk) -> None:
    await desk.sign_in("Mai")
    page = await read(desk, RULES_AT)
    assert set(RULES) <= set(values(page))
    assert set(values(page).values()) == {""}
    assert "Default: off" in page
    form = values(page) | {"slow": "30", "links": "hold", "who": "members"}
    answer = await desk.post(RULES_AT, "Mai", **form)
    assert "Saved." in await read(desk, answer.headers["location"])
    assert values(await read(desk, RULES_AT)) == form
    assert "changed the rules · Who may write: readers who are signed in · Comments with links: wait for approval" in (
        said(await read(desk, "/staff/log?site=news"))
    )
    await desk.post(RULES_AT, "Mai", **form | {"slow": "", "links": "", "who": ""})
    assert set(values(await read(desk, RULES_AT)).values()) == {""}


async def test_rules_that_cannot_be_change_nothing(desk: Desk) -> None:
    await desk.sign_in("Mai")
    await desk.say("Here")
    before = await desk.everything()
    for name, value in (("slow", "3"), ("slow", "x"), ("who", "burn"), ("first_n", "0"), ("edit", "9" * 40)):
        assert (await desk.post(RULES_AT, "Mai", **{name: value})).status_code == 422, (name, value)
        form = {"key": "talk", "mode": "open", name: value}
        assert (await desk.post(DISCUSSION, "Mai", **form)).status_code == 422, (name, value)
    for wrong in ({"mode": "burn"}, {"closes_at": "soon"}, {"closes_at": "9999-99-99T99:99"}):
        assert (await desk.post(DISCUSSION, "Mai", **{"key": "talk", "mode": "open"} | wrong)).status_code == 422, wrong
    assert (await desk.get(DISCUSSION, "Mai")).status_code == 422
    assert await desk.everything() == before


async def test_a_discussion_has_rules_a_mode_and_an_end_of_its_own(desk: Desk) -> None:
    await desk.sign_in("Thu")
    await desk.sign_in("Mai", Role.moderator)
    await desk.say("Here")
    await desk.post(RULES_AT, "Thu", hide_after="7")
    page = await read(desk, f"{DISCUSSION}?key=talk")
    assert "As the site: 7" in page
    form = values(page) | {"key": "talk", "mode": "held", "links": "show", "closes_at": "2031-05-01T18:30"}
    answer = await desk.post(DISCUSSION, "Mai", **form)
    shown = await read(desk, answer.headers["location"])
    assert values(shown) | {"key": "talk"} == form
    told = said(await read(desk, "/staff/log?site=news"))
    assert "changed a discussion · New comments: wait for approval · Closes at: 1 May 2031, 18:30" in told
    again = await desk.post(DISCUSSION, "Mai", **form | {"closes_at": ""})
    assert values(await read(desk, again.headers["location"]))["closes_at"] == ""
    assert (await desk.say("And now"))["state"] == "held"


# ---- a person -------------------------------------------------------------------------------------------


async def test_a_person_has_a_page_with_all_that_is_known(desk: Desk) -> None:
    comment = await desk.ready()
    author = comment["author"]["id"]
    await desk.post(DECIDE, "Mai", comment_id=comment["id"], version="1", do="approve")
    await report(desk, comment["id"], "abuse", "Rude")
    await desk.post(DECIDE, "Mai", comment_id=comment["id"], version="2", do="remove", reason="abuse")
    await desk.post(BANS, "Mai", author=author, effect="hold", hours="24", reason="abuse")
    page = await read(desk, f"{NEWS}/people/{author}")
    shown = said(page)
    assert "Lan guest since" in shown
    assert "shown: 0 removed: 1" in shown
    assert "Reports by readers: upheld: 1" in shown
    assert "Let every comment wait for approval · Insults or harassment · until" in shown
    assert "Mai removed a comment: Lan · Insults or harassment" in shown
    assert "May I say something" in card(page, comment["id"])
    assert f'href="{NEWS}/people/{author}"' in await read(desk, "/staff/log?site=news")
    for nobody in ("nobody", comment["id"]):
        assert (await desk.get(f"{NEWS}/people/{nobody}", "Mai")).status_code == 404
    await desk.sign_in("Hoa", Role.moderator, "magazine")
    assert (await desk.get(f"/staff/sites/magazine/people/{author}", "Hoa")).status_code == 404
