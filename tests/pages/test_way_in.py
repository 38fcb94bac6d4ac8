"""Signing in on the server's own pages without a script, and what somebody signed in does there."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.routing import Route

from tertulia.core.ids import uuid7
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import new_moderator_token, new_session_token, utc_now
from tertulia.languages import TAGS, language
from tertulia.pages.readers import local_address
from tertulia.protocol import API
from tertulia.store import administration, schema
from tertulia.store.mapping import milliseconds
from tertulia.web.error_messages import sentence
from tests.api.app import new_key
from tests.pages.house import (
    HERE,
    OWN,
    SECURE_NAME,
    TALK,
    Browser,
    House,
    form_of,
    opened,
    sign_in_address,
)
from tests.people.signing_in import failure
from tests.staff.test_cross_site import FOREIGN
from tests.support.databases import new_sqlite
from tests.support.providers import HostileProvider
from tests.support.smtp import MailServer

LAN = "lan@example.com"


async def code_form(house: House, browser: Browser, email: str = LAN) -> httpx.Response:
    """The page that asks for the code."""
    sent = await browser.send(await browser.get(sign_in_address()), "/sign-in/code", email=email)
    assert sent.status_code == 303, sent.text
    return await browser.get(sent.headers["location"])


async def by_mail(house: House, browser: Browser, name: str = "Lan") -> httpx.Response:
    """All of the way; the answer to its last form."""
    since = len(house.smtp.mail)
    page = await code_form(house, browser)
    return await browser.send(page, "/sign-in/session", code=await house.smtp.code(since), name=name)


def own_session(answer: httpx.Response) -> bool:
    return any(one.startswith(f"{SECURE_NAME}=ts_") for one in answer.headers.get_list("set-cookie"))


# ---- the good ways --------------------------------------------------------------------------------------


async def test_by_a_code_somebody_signs_in_writes_votes_and_signs_out(stored: House) -> None:
    browser, guest = stored.browser(), stored.browser()
    await guest.say("First.", name="Ba")
    page = await browser.get(TALK)
    assert sign_in_address().replace("&", "&amp;") in page.text
    answer = await by_mail(stored, browser)
    assert (answer.status_code, answer.headers["location"]) == (303, TALK)
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(SECURE_NAME)).lower()
    assert all(part in cookie for part in ("; httponly", "; secure", "; samesite=lax", "; path=/"))
    assert "domain" not in cookie
    page = await browser.get(TALK)
    assert "Signed in as" in page.text
    assert 'name="name"' not in page.text
    posted = await browser.say("Good evening.")
    assert posted.status_code == 303, posted.text
    member = next(one for one in await stored.rows(schema.author) if one["kind"] == "member")
    said = {one["author_name"]: one for one in await stored.rows(schema.comment)}
    assert (said["Lan"]["author_id"], said["Lan"]["author_name"]) == (member["id"], "Lan")
    first = said["Ba"]["id"]
    for button, votes in (("like", [1]), ("dislike", [-1]), ("unvote", [])):
        voted = await browser.post(TALK, nonce=new_key(), **{button: first})
        assert (voted.status_code, voted.headers["location"]) == (303, f"{TALK}#comment-{first}")
        assert [row["value"] for row in await stored.rows(schema.vote)] == votes
        shown = (await browser.get(TALK)).text
        assert shown.count('aria-pressed="true"') == len(votes)
    assert (await browser.send(page, "/sign-out")).headers["location"] == TALK
    assert browser.session is None
    assert [row["revoked_at"] is None for row in await stored.rows(schema.session)] == [False]
    assert 'name="name"' in (await browser.get(TALK)).text


async def test_at_a_provider_somebody_signs_in(stored: House) -> None:
    browser = stored.browser()
    page = await browser.get(sign_in_address())
    (way,) = [link for link in httpx_links(page.text) if link.startswith("/signin/house?")]
    sent = await browser.get(way)
    told = stored.provider.went(sent.headers["location"])
    back = await browser.get(f"/signin/house/callback?code=a-code&state={told['state']}")
    assert (back.status_code, back.headers["location"]) == (303, TALK)
    assert own_session(back)
    assert "Signed in as" in (await browser.get(TALK)).text
    (session,) = await stored.rows(schema.session)
    assert (session["via"], session["scope"]) == ("house", "reader")
    assert (await browser.get(sign_in_address())).headers["location"] == TALK, "nobody signs in twice"


async def test_who_has_no_name_at_a_provider_is_asked_for_one(house: House) -> None:
    house.provider.claims = {"name": None}
    house.provider.person = {"sub": "4711"}
    browser = house.browser()
    sent = await browser.get("/signin/house?" + "as=reader&return=/")
    told = house.provider.went(sent.headers["location"])
    page = await browser.get(f"/signin/house/callback?code=a-code&state={told['state']}")
    assert (page.status_code, "others will see" in page.text) == (409, True)
    page = await browser.send(page, "/sign-in/session", name="Admin")
    assert (page.status_code, browser.session) == (409, None)
    stranger = house.browser()
    stolen = form_of(page.text, "/sign-in/session") | {"verifier": "v" * 43, "name": "Lan"}
    assert (await stranger.post("/sign-in/session", **stolen)).status_code == 410
    answer = await browser.send(page, "/sign-in/session", name="Lan")
    assert (answer.status_code, own_session(answer)) == (303, True)


def httpx_links(page: str) -> list[str]:
    return [one.split('"')[0].replace("&amp;", "&") for one in page.split('href="')[1:]]


async def test_a_second_sign_in_ends_the_first_of_the_browser(house: House) -> None:
    browser = house.browser()
    page = await code_form(house, browser)
    await browser.with_session("1")
    await browser.send(page, "/sign-in/session", code=await house.smtp.code(0), name="Minh")
    assert sorted(row["revoked_at"] is None for row in await house.rows(schema.session)) == [False, True]


# ---- who may write --------------------------------------------------------------------------------------


async def test_for_members_alone_the_page_has_the_ways_in_where_the_form_would_be(stored: House) -> None:
    await stored.rule("members")
    browser = stored.browser()
    page = (await browser.get(TALK)).text
    assert "/signin/house?" in page
    assert 'action="/sign-in/code"' in page
    assert "<textarea" not in page
    await browser.with_session("1")
    page = (await browser.get(TALK)).text
    assert ("<textarea" in page, 'action="/sign-in/code"' in page) == (True, False)
    assert (await browser.say()).status_code == 303
    await stored.rule("nobody")
    assert "<textarea" not in (await browser.get(TALK)).text
    page = (await stored.browser().get(TALK)).text
    assert not any(one in page for one in ("/sign-in", "/signin", "<textarea"))


async def test_without_ways_or_without_https_nothing_is_offered(
    tmp_path: Path, smtp: MailServer, provider: HostileProvider
) -> None:
    async with opened(new_sqlite(tmp_path / "store.db"), tmp_path, smtp, provider, mail=False) as house:
        plain = house.browser("http://news.test")
        await house.rule("members")
        for path in (TALK, sign_in_address()):
            page = (await plain.get(path)).text
            assert not any(one in page for one in ("/signin/", 'action="/sign-in')), path
        sent = await plain.get("/signin/house?as=reader&return=/")
        told = provider.went(sent.headers["location"])
        back = await plain.get(f"/signin/house/callback?code=a-code&state={told['state']}")
        assert (back.status_code, "needs https" in back.text, "set-cookie" in back.headers) == (403, True, False)
        # this server sends no mail, and the other site has no provider
        page = (await house.browser().get(sign_in_address(site="magazine"))).text
        assert "available here yet" in page
        for method, path in (("GET", "/sign-in/code"), ("POST", "/sign-in/code")):
            answer = await house.browser().client.request(
                method, path, headers=OWN, data=None if method == "GET" else {"email": LAN}
            )
            assert answer.status_code == 404
        assert await house.rows(schema.session) == []


# ---- refusals -------------------------------------------------------------------------------------------


async def refused_cookies(house: House) -> dict[str, str]:
    browser = house.browser()
    token, hashed = new_moderator_token()
    await house.server.store.write(administration.AddModerator("Mai", hashed, utc_now()))
    guest = await browser.client.post(
        f"{API}/comments",
        json={"key": "else", "body": "Hi.", "author": {"name": "Ba"}},
        headers={"Idempotency-Key": new_key()},
    )
    found = {
        "forged": new_session_token().token,
        "a guest's": guest.json()["token"],
        "a moderator's": token,
        "none": "",
        "another scheme's": "Bearer x",
    }
    ago = int(utc_now().timestamp() * 1000) - 1  # what is over for long is swept by the next sign-in
    for name, values in (
        ("expired", {"at": ago, "used_at": ago, "expires_at": ago}),
        ("ended", {"at": ago, "used_at": ago, "revoked_at": ago}),
        ("of the staff", {"scope": "staff"}),
        ("a link", {"scope": "invite"}),
    ):
        await browser.with_session("1")
        found[name] = browser.session or ""
        newest = max(await house.rows(schema.session), key=lambda row: row["id"])
        await house.run(schema.session.update().where(schema.session.c.id == newest["id"]).values(**values))
    await browser.with_session("1", "magazine")
    return found | {"of another site": browser.session or ""}


async def test_a_cookie_that_is_not_good_is_that_of_a_stranger(stored: House) -> None:
    cookies = await refused_cookies(stored)
    before = await stored.everything()
    for name, token in cookies.items():
        browser = stored.browser()
        browser.keep(token)
        page = await browser.get(TALK)
        assert page.status_code == 200, name
        assert ("Signed in as" in page.text, 'name="name"' in page.text) == (False, True), name
        posted = await browser.say()
        assert (posted.status_code, "enter your name" in posted.text) == (422, True), name
        assert "Good evening." in posted.text, "what was typed is kept"
        voted = await browser.post(TALK, nonce=new_key(), unvote=new_key())
        assert voted.status_code in (410, 422), name
    assert await stored.everything() == before
    await stored.run(schema.session.update().values(scope="reader"))  # no member has another


async def test_no_form_of_another_page_changes_anything(house: House) -> None:
    """(E11) Every route of the application that is none of the API's or the staff's, with the cookie of a member."""
    browser = house.browser()
    await browser.with_session("1")
    await browser.say("First.")
    (comment,) = await house.rows(schema.comment)
    before, wrong = await house.everything(), []
    forms = {
        "/sign-in/code": {"email": LAN},
        "/sign-in/session": {"grant": "email", "code": "123456"},
        "/sign-out": {},
        "/me/name": {"name": "Mallory"},
        "/me/sessions/end": {},
        "/me/sessions/end-all": {},
        "/d": {"body": "Buy now.", "like": comment["id"]},
        "/frame": {"body": "Buy now.", "name": "Ba"},
        "/articles/{slug}": {"body": "Buy now."},
    }
    assert changing(house) >= set(forms)
    for path in sorted(changing(house)):
        asked = path + "?key=talk" if path in ("/d", "/frame") else path
        for name, headers in FOREIGN.items():
            for kind in ("application/x-www-form-urlencoded", "text/plain", "application/json"):
                answer = await browser.client.post(
                    asked, data=forms.get(path, {}), headers=headers | {"Content-Type": kind}
                )
                if answer.status_code != 403 or "set-cookie" in answer.headers:
                    wrong.append((path, name, kind, answer.status_code))
    assert wrong == []
    assert await house.everything() == before


def changing(house: House) -> set[str]:
    """The paths of all routes that change something, but the API's and the staff's."""
    routes: list[Route] = house.server.asgi.routes  # type: ignore[attr-defined]
    kept = [one for one in routes if not one.path.startswith(("/api/", "/staff"))]
    return {one.path for one in kept if isinstance(one, Route) and (one.methods or set()) - {"GET", "HEAD"}}


async def test_without_the_cookie_a_form_of_another_page_signs_nobody_in_or_out(house: House) -> None:
    for path in ("/sign-in/code", "/sign-in/session", "/sign-out", "/me"):
        answer = await house.browser().client.post(path, data={}, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403, path


async def test_codes_that_are_wrong_spent_or_another_sites(stored: House) -> None:
    browser = stored.browser()
    page = await code_form(stored, browser)
    sent = await stored.smtp.code(0)
    wrong = f"{(int(sent) + 1) % 1_000_000:06}"
    hidden = form_of(page.text, "/sign-in/session")
    for given, status, said in ((wrong, 401, "match"), ("12345", 422, "match"), ("", 422, "match")):
        answer = await browser.send(page, "/sign-in/session", code=given)
        assert (answer.status_code, said in answer.text) == (status, True), given
    elsewhere = await browser.post("/sign-in/session", **hidden | {"site": "magazine", "code": sent})
    assert elsewhere.status_code == 410
    nowhere = await browser.post("/sign-in/session", **hidden | {"site": "nowhere", "code": sent})
    assert nowhere.status_code == 410
    answer = await browser.send(page, "/sign-in/session", code=sent)
    assert (answer.status_code, f'value="{sent}"' in answer.text) == (409, True), "a name is asked for"
    answer = await browser.send(answer, "/sign-in/session", name="Lan")
    assert (answer.status_code, own_session(answer)) == (303, True)
    again = await stored.browser().send(page, "/sign-in/session", code=sent, name="Lan")
    assert (again.status_code, "set-cookie" in again.headers) == (410, False)
    for grant in ("jwt", "test", "", "nonsense"):
        other = await browser.post("/sign-in/session", grant=grant, token="1")
        assert (other.status_code, "set-cookie" in other.headers) == (404, False), grant
    assert (await browser.get("/sign-in/code?challenge=nonsense")).headers["location"].startswith("/sign-in?")


async def test_an_address_that_is_none_is_refused_and_one_too_often_told(house: House) -> None:
    browser = house.browser()
    page = await browser.get(sign_in_address())
    answer = await browser.send(page, "/sign-in/code", email="<b>nobody")
    assert (answer.status_code, "&lt;b&gt;nobody" in answer.text) == (422, True)
    for status in (303, 303, 303, 429):
        answer = await browser.send(page, "/sign-in/code", email=LAN)
        assert answer.status_code == status
    assert int(answer.headers["retry-after"]) > 0
    known, unknown = [await browser.send(page, "/sign-in/code", email=one) for one in ("a@b.example", "b@b.example")]
    assert known.status_code == unknown.status_code == 303
    assert (await browser.post("/sign-in/code", email=LAN, site="nowhere")).status_code == 404


async def test_a_way_back_of_another_browser_or_state_opens_no_session(stored: House) -> None:
    browser, other = stored.browser(), stored.browser()
    told = []
    for one in (other, browser):  # the provider remembers the last
        sent = await one.get("/signin/house?as=reader&return=/")
        told.append(stored.provider.went(sent.headers["location"])["state"])
    for state in (told[0], "s" * 43, ""):
        answer = await browser.get(f"/signin/house/callback?code=a-code&state={state}")
        assert (failure(answer), own_session(answer)) == ("over", False)
    answer = await browser.get(f"/signin/house/callback?code=a-code&state={told[1]}")
    assert (answer.status_code, own_session(answer)) == (303, True)
    answer = await browser.get(f"/signin/house/callback?code=a-code&state={told[1]}")
    assert (failure(answer), len(await stored.rows(schema.session))) == ("over", 1)


async def test_a_way_that_another_page_began_opens_no_session_here(house: House) -> None:
    browser = house.browser()
    await house.run(schema.site.update().values(origins=["https://page.example"]))
    query = f"state={'s' * 43}&challenge={'c' * 43}&return=https://page.example/1"
    sent = await browser.get(f"/signin/house?{query}")
    state = house.provider.went(sent.headers["location"])["state"]
    answer = await browser.get(f"/signin/house/callback?code=a-code&state={state}")
    assert (answer.status_code, "data-code" in answer.text, own_session(answer)) == (200, True, False)
    unknown = await browser.get("/signin/house?as=staffs&return=/")
    assert failure(unknown) == "unknown"


@pytest.mark.parametrize(
    "given",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "\\/evil.example",
        "javascript:alert(1)",
        "d?key=talk",
        "",
        "/d?key=\n",
        "/d ",
        "/é",
        "/" + "a" * 5000,
    ],
)
async def test_nobody_is_sent_to_another_server(given: str) -> None:
    assert local_address(given) == "/me"


async def test_addresses_of_this_server_are_gone_back_to(house: House) -> None:
    assert local_address("/d?key=a%20b#comment-1") == "/d?key=a%20b"
    browser = house.browser()
    page = await browser.get("/sign-in?return=//evil.example/")
    assert form_of(page.text, "/sign-in/code")["return"] == "/me"
    assert parse_qs(urlsplit(httpx_links(page.text)[-3]).query).get("return", ["/me"]) == ["/me"]
    assert (await browser.post("/sign-out", **{"return": "https://evil.example"})).headers["location"] == "/me"


# ---- what others see ------------------------------------------------------------------------------------


async def test_a_page_of_somebody_is_kept_by_no_cache_and_shown_to_nobody_else(house: House) -> None:
    browser, stranger = house.browser(), house.browser()
    await browser.with_session("1/Nguyễn Thị Lan")
    own, others = await browser.get(TALK), await stranger.get(TALK)
    assert (own.headers["cache-control"], own.headers["vary"]) == ("private, no-store", "Cookie")
    assert (others.headers["cache-control"], others.headers["vary"]) == ("no-cache", "Cookie")
    assert ("Nguyễn Thị Lan" in own.text, "Nguyễn Thị Lan" in others.text) == (True, False)
    assert "<tertulia-discussion" not in own.text, "the client would take them for a guest"
    for path in ("/sign-in", "/sign-in/code?challenge=" + "0" * 8 + "-0000-7000-8000-000000000000"):
        answer = await stranger.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert "<script" not in answer.text
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_the_cookie_opens_nothing_of_the_api_and_nothing_in_a_frame(house: House) -> None:
    browser = house.browser()
    await browser.with_session("1")
    for path in (f"{API}/me", f"{API}/me/sessions"):
        answer = await browser.get(path, Origin=HERE)
        assert answer.status_code == 401, path
    assert "access-control-allow-credentials" not in answer.headers
    said = {"key": "talk", "body": "Good evening."}
    posted = await browser.client.post(f"{API}/comments", json=said, headers={"Idempotency-Key": new_key()})
    assert posted.status_code == 422, "a guest needs a name"
    for path in ("/frame?key=talk", "/embed.html?key=talk"):
        page = await browser.get(path)
        assert (page.status_code, "Signed in as" in page.text) == (200, False)
    framed = await browser.say(path="/frame?site=default&key=talk", name="Ba")
    assert framed.status_code == 303
    (author,) = [one for one in await house.rows(schema.author) if one["kind"] == "guest"]
    assert author["name"] == "Ba"


async def test_what_waits_and_what_is_ones_own(house: House) -> None:
    browser = house.browser()
    await browser.with_session("1")
    where = (await browser.say("First.")).headers["location"]
    page = (await browser.get(where)).text
    assert 'name="like"' not in page, "nobody votes on their own"
    reply = await browser.get(f"{TALK}&reply={where.rpartition('comment-')[2]}")
    assert (await browser.send(reply, f"{TALK}#your-comments", body="And more.")).status_code == 303
    thread = await browser.get(f"{TALK}&thread={where.rpartition('comment-')[2]}")
    assert "And more." in thread.text
    await house.run(schema.discussion.update().values(mode="held"))
    waits = await browser.say("Third.")
    assert "waiting=1" in waits.headers["location"]
    assert "once a moderator has approved it" in (await browser.get(waits.headers["location"])).text


async def test_the_form_for_the_code_says_how_long_it_is_still_good(house: House) -> None:
    browser = house.browser()
    for seconds, said in ((0, "in 10 minutes."), (301, "in 5 minutes."), (570, "in 1 minute."), (601, "has expired")):
        challenge = uuid7(milliseconds(utc_now()) - seconds * 1000 + 500)
        page = await browser.get(f"/sign-in/code?challenge={challenge}")
        assert said in page.text, seconds
    forged = await browser.get("/sign-in/code?challenge=ffffffff-ffff-4fff-bfff-ffffffffffff")
    assert "in 10 minutes." in forged.text, "it is nobody's"


@pytest.mark.parametrize("tag", TAGS)
def test_a_sentence_in_english_has_its_own_direction_where_the_page_has_another(tag: str) -> None:
    problem = Problem(ErrorCode.malformed, "The text has a NUL.", field="body")
    said = sentence(problem, language(tag))
    assert said is not None
    assert said.endswith("\u2068The text has a NUL.\u2069" if tag == "ar" else "The text has a NUL.")


async def test_to_be_asked_for_a_name_is_no_trouble(house: House) -> None:
    browser = house.browser()
    sent = await browser.send(await browser.get(sign_in_address()), "/sign-in/code", email="lan@example.com")
    form = await browser.get(sent.headers["location"])
    code = await house.smtp.code(0)
    wrong = await browser.send(form, "/sign-in/session", code="x")
    assert wrong.text.count('aria-invalid="true"') == wrong.text.count("notice trouble") == 1
    asked = await browser.send(form, "/sign-in/session", code=code)
    assert (asked.status_code, 'id="name"' in asked.text) == (409, True)
    assert "aria-invalid" not in asked.text
    assert 'id="code"' not in asked.text, "it was right, and is not asked for again"
    assert "trouble" not in re.findall(r'<p class="([^"]*)" id="trouble"', asked.text)[0]
    taken = await browser.send(asked, "/sign-in/session", name="Admin")
    assert taken.text.count('aria-invalid="true"') == taken.text.count("notice trouble") == 1
