"""Ways in of the staff besides a link and a token: attached and removed by their holder, and used to sign in."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import httpx
import pytest

from tertulia.app import running
from tertulia.checks import check
from tertulia.limits.posting import STAFF_SIGN_INS
from tertulia.pages.readers import COOKIE as READER_COOKIE
from tertulia.protocol import API
from tertulia.store import schema
from tertulia.store.commands.staff_ways import WAYS as MOST
from tests.api.app import bearer
from tests.pages import house
from tests.pages.house import OWN, Browser, House, form_of
from tests.people.signing_in import failure
from tests.staff.office import MAI, SIGN_IN, STAFF_COOKIE, WAYS, Office, has_session
from tests.staff.test_ended import TROUBLE
from tests.support.databases import new_sqlite
from tests.support.providers import HostileProvider
from tests.support.smtp import MailServer
from tests.support.unlimited import unlimited
from tests.support.valkey import Valkey

NO_ROLE = "Nobody with a role signs in this way"


def says(answer: httpx.Response, words: str) -> bool:
    return words in html.unescape(answer.text)


# ---- the good ways --------------------------------------------------------------------------------------


async def test_an_address_is_attached_by_a_code_and_signs_in_from_then_on(stored: Office) -> None:
    mai = await stored.signed_in()
    page = await mai.get(WAYS)
    assert says(page, "only with a link or a token")
    answer = await stored.attach_mail(mai)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{WAYS}?site=default")
    assert '<bdi class="first">Email</bdi>' in (await mai.get("/staff/sites/default/ways-in")).text
    page = await mai.get(WAYS)
    assert says(page, "Email address")
    assert MAI not in page.text
    (mail,) = stored.house.smtp.mail
    assert "staff’s pages of The News" in mail.get_content()
    other = stored.house.browser()
    answer = await stored.by_mail(other)
    assert (answer.status_code, answer.headers["location"], has_session(answer)) == (303, "/staff", True)
    assert READER_COOKIE not in answer.headers["set-cookie"]
    assert says(await other.get("/staff/ways-in"), "Signed in as Mai")
    assert MAI not in repr(await stored.house.everything())
    assert await stored.log("staff.sign_in", "way.attach") == [
        ("Mai", "staff.sign_in", "link"),
        ("Mai", "way.attach", "email"),
        ("Mai", "staff.sign_in", "email"),
    ]
    log = await mai.get("/staff/log?site=default")
    assert says(log, "added a personal way to sign in")


async def test_an_account_is_attached_by_a_form_and_signs_in_from_then_on(stored: Office) -> None:
    mai = await stored.signed_in()
    assert says(await mai.get(WAYS), "Add The House")
    page = await stored.come_back(mai, "staff-way")
    assert (page.status_code, says(page, "Lan"), says(page, "The House")) == (200, True, True)
    assert await stored.rows(schema.identity) == [], "a way back changes nothing"
    answer = await mai.send(page, f"{WAYS}/add")
    assert (answer.status_code, len(await stored.rows(schema.identity))) == (303, 1)
    assert says(await mai.get(WAYS), "The House")
    other = stored.house.browser()
    answer = await stored.come_back(other, "staff")
    assert (answer.status_code, answer.headers["location"], has_session(answer)) == (303, "/staff", True)
    assert says(await other.get("/staff/ways-in"), "Signed in as Mai")
    assert await stored.log("way.attach", "staff.sign_in") == [
        ("Mai", "staff.sign_in", "link"),
        ("Mai", "way.attach", "house"),
        ("Mai", "staff.sign_in", "house"),
    ]


async def test_it_is_the_same_person_who_writes_under_the_name_of_the_role(stored: Office) -> None:
    mai = await stored.signed_in()
    await stored.attach_account(mai)
    await stored.attach_mail(mai)
    reader = stored.house.browser()
    answer = await stored.come_back(reader, "reader")
    assert answer.status_code == 303, answer.text
    assert not has_session(answer)
    (person,) = await stored.rows(schema.author)
    me = (await reader.client.get(f"{API}/me", headers=bearer(reader.session or ""))).json()
    assert (me["id"], me["name"]) == (person["id"], "Mai")
    assert (await reader.client.patch(f"{API}/me", json={"name": "Ba"}, headers=bearer(reader.session or ""))).json()[
        "code"
    ] == "forbidden"
    assert says(await reader.post("/me/name", name="Ba"), "your name stays as it is")
    by_code = stored.house.browser()
    assert (await reader_by_mail_as(stored, by_code)).status_code == 303
    assert [one["name"] for one in await stored.rows(schema.author)] == ["Mai"]
    assert (await by_code.get("/staff/ways-in")).headers["location"].startswith(SIGN_IN), (
        "a reader's session opens nothing here"
    )
    by_code.client.cookies.set(STAFF_COOKIE, by_code.session or "", domain="news.test")
    assert (await by_code.get("/staff/ways-in")).headers["location"].startswith(SIGN_IN)


async def reader_by_mail_as(stored: Office, browser: Browser, email: str = MAI, **more: str) -> httpx.Response:
    since = len(stored.house.smtp.mail)
    sent = await browser.post("/sign-in/code", email=email, site="default", **{"return": "/me"})
    page = await browser.get(sent.headers["location"])
    return await browser.send(page, "/sign-in/session", code=await stored.house.smtp.code(since), **more)


async def test_what_is_removed_opens_nothing_and_ends_the_other_sessions(stored: Office) -> None:
    mai, other, reader = await stored.signed_in(), stored.house.browser(), stored.house.browser()
    await stored.attach_mail(mai)
    await stored.by_mail(other)
    await reader_by_mail_as(stored, reader)
    page = await mai.get(WAYS)
    answer = await mai.send(page, f"{WAYS}/remove")
    assert (answer.status_code, answer.headers["location"]) == (303, WAYS)
    assert (await mai.get("/staff/ways-in")).status_code == 200
    assert (await other.get("/staff/ways-in")).status_code == 303
    assert (await reader.get("/me")).headers["location"].startswith("/sign-in")
    await stored.an_hour_later()
    answer = await stored.by_mail(stored.house.browser())
    assert (answer.status_code, says(answer, NO_ROLE)) == (403, True)
    assert (await mai.send(page, f"{WAYS}/remove")).status_code == 404
    await stored.attach_account(mai)
    assert (await mai.send(await mai.get(WAYS), f"{WAYS}/remove")).status_code == 303
    assert await stored.log("way.detach") == [("Mai", "way.detach", "email"), ("Mai", "way.detach", "house")]


# ---- a role for a member --------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["name", "address", "id"])
async def test_a_member_who_is_given_a_role_signs_in_as_before(stored: Office, by: str) -> None:
    mai, reader = await stored.signed_in(), stored.house.browser()
    assert (await reader_by_mail_as(stored, reader, "Lan@Example.com", name="Lan")).status_code == 303
    (member,) = [one for one in await stored.rows(schema.author) if one["kind"] == "member"]
    refused = await stored.by_mail(stored.house.browser(), "lan@example.com")
    assert (refused.status_code, says(refused, NO_ROLE), has_session(refused)) == (403, True, False)
    given = {"name": "Lan", "address": "lan@example.com", "id": member["id"]}[by]
    answer = await mai.post("/staff/sites/default/people/member", name=given, role="moderator")
    assert (answer.status_code, says(answer, "Lan has the role now"), "tl_" in answer.text) == (200, True, False)
    other = stored.house.browser()
    answer = await stored.by_mail(other, "lan@example.com")
    assert (answer.status_code, has_session(answer)) == (303, True)
    assert says(await other.get("/staff/ways-in"), "Signed in as Lan")
    assert {one["site_id"] for one in await stored.rows(schema.session) if one["author_id"] == member["id"]} == {
        member["site_id"]
    }
    assert (await reader.get("/staff/ways-in")).status_code == 303
    last = await other.send(await other.get(WAYS), f"{WAYS}/remove")
    assert (last.status_code, says(last, "only way to sign in")) == (422, True)
    again = stored.house.browser()
    await stored.an_hour_later()
    assert (await reader_by_mail_as(stored, again, "lan@example.com")).status_code == 303, "under the name of the role"
    invited = await mai.post("/staff/sites/default/people", name="Lan", role="host")
    assert (invited.status_code, "tl_" in invited.text) == (200, False), "nobody acts as a member by a link"
    await stored.take("Lan")
    assert (await other.get("/staff/ways-in")).status_code == 303
    assert (await again.get("/me")).status_code == 200, "a member stays one"
    assert (await stored.by_mail(stored.house.browser(), "lan@example.com")).status_code == 403
    assert (await again.post("/me/name", name="Lan Anh")).status_code == 303


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ("Nobody", 404, "no such member"),
        ("nobody@example.com", 404, "no such member"),
        ("01900000-0000-7000-8000-000000000000", 404, "no such member"),
        ("@", 422, "email address such as"),
        ("", 422, ""),
        ("x" * 400, 422, ""),
    ],
)
async def test_whom_nothing_means_is_given_nothing(office: Office, given: str, status: int, said: str) -> None:
    mai = await office.signed_in()
    before = await office.house.everything()
    answer = await mai.post("/staff/sites/default/people/member", name=given, role="moderator")
    assert (answer.status_code, says(answer, said)) == (status, True)
    assert await office.house.everything() == before


async def test_a_member_of_another_site_or_of_a_name_twice_is_not_meant(office: Office) -> None:
    mai, reader = await office.signed_in(), office.house.browser()
    await reader.with_session("1/Lan", "magazine")
    elsewhere = next(one["id"] for one in await office.rows(schema.author) if one["name"] == "Lan")
    for given in ("Lan", elsewhere):
        answer = await mai.post("/staff/sites/default/people/member", name=given, role="moderator")
        assert answer.status_code == 404
    await reader.with_session("2/Lan")
    await reader.with_session("3/Lan")
    answer = await mai.post("/staff/sites/default/people/member", name="Lan", role="moderator")
    assert (answer.status_code, says(answer, "Several members")) == (422, True)
    alike = await mai.post("/staff/sites/default/people/member", name="Mai", role="moderator")
    assert alike.status_code == 404, "who was invited is no member"


async def test_nobody_comes_to_a_role_by_an_address_that_a_provider_says(office: Office) -> None:
    """Joining by address is for readers; at somebody with a role it would open the staff's pages."""
    await office.house.run(schema.issuer.update().values(config=joining(office)))
    mai, reader = await office.signed_in(), office.house.browser()
    await reader_by_mail_as(office, reader, "lan@example.com", name="Lan")
    await mai.post("/staff/sites/default/people/member", name="Lan", role="moderator")
    office.house.provider.claims = {"email": "lan@example.com", "email_verified": True, "name": "Stranger"}
    stranger = office.house.browser()
    answer = await office.come_back(stranger, "reader")
    assert answer.status_code == 303, answer.text
    assert sorted(one["name"] for one in await office.rows(schema.author)) == ["Lan", "Mai", "Stranger"]
    answer = await office.come_back(stranger, "staff")
    assert (answer.status_code, has_session(answer)) == (403, False)


def joining(office: Office) -> dict[str, object]:
    issuer = office.house.provider.issuer
    return {"issuer": issuer, "client_id": "us", "label": "The House", "join_by_email": True}


# ---- what opens nothing ---------------------------------------------------------------------------------


async def test_what_leads_to_a_member_or_to_another_of_the_staff_is_not_taken_from_them(stored: Office) -> None:
    mai, ba, reader = await stored.signed_in(), await stored.signed_in("Ba"), stored.house.browser()
    await stored.come_back(reader, "reader")
    answer = await stored.attach_account(mai)
    assert (answer.status_code, says(answer, "already signs in this way")) == (409, True)
    await stored.attach_mail(mai)
    answer = await stored.attach_mail(ba)
    assert (answer.status_code, says(answer, "already signs in this way")) == (409, True)
    owners = [one["author_id"] for one in await stored.rows(schema.identity)]
    assert len(owners) == len(set(owners)) == 2
    assert [one[0] for one in await stored.log("way.attach")] == ["Mai"]


async def test_a_code_for_one_thing_is_good_for_no_other(stored: Office) -> None:
    mai, ba = await stored.signed_in(), await stored.signed_in("Ba")
    await stored.attach_mail(mai)
    await reader_by_mail_as(stored, stored.house.browser(), "lan@example.com", name="Lan")
    since = len(stored.house.smtp.mail)
    stranger = stored.house.browser()
    reading = (await stranger.post("/sign-in/code", email="a@example.com", site="default")).headers["location"]
    signing = (await stranger.post(f"{SIGN_IN}/code", email="b@example.com", site="default")).headers["location"]
    attaching = (await mai.post(f"{WAYS}/code", email="c@example.com", site="default")).headers["location"]
    challenges = [httpx.URL(one).params["challenge"] for one in (reading, signing, attaching)]
    for _ in challenges:
        await stored.house.smtp.code(since + 2)
    by_address = {str(one["To"]): one["Subject"][:6] for one in stored.house.smtp.mail[since:]}
    codes = [by_address[f"{name}@example.com"] for name in "abc"]
    before = await stored.rows(schema.session), await stored.rows(schema.identity)
    for number, (challenge, code) in enumerate(zip(challenges, codes, strict=True)):
        form = {"grant": "email", "site": "default", "challenge": challenge, "code": code}
        if number != 0:
            answer = await stranger.post("/sign-in/session", **form, name="Ba Ba", **{"return": "/me"})
            assert answer.status_code == 401
        if number != 1:
            assert (await stranger.post(f"{SIGN_IN}/session", **form)).status_code == 401
        for who in (mai, ba) if number != 2 else (ba,):
            assert (await who.post(f"{WAYS}/add", **form)).status_code == 401
    assert (await stored.rows(schema.session), await stored.rows(schema.identity)) == before
    good = {"grant": "email", "site": "default", "challenge": challenges[2], "code": codes[2]}
    assert (await mai.post(f"{WAYS}/add", **good)).status_code == 303
    assert (await mai.post(f"{WAYS}/add", **good)).status_code == 410, "twice"


async def test_a_code_of_a_provider_for_reading_attaches_nothing(office: Office) -> None:
    """Its verifier is made of the same cookie, and for another purpose."""
    mai = await office.signed_in()
    office.house.provider.claims = {"name": None}
    office.house.provider.person = {"sub": "4711"}
    page = await office.come_back(mai, "reader")
    given = form_of(page.text, "/sign-in/session")
    for form in (given, {"grant": "code", "site": "default", "code": given["code"]}):
        answer = await mai.post(f"{WAYS}/add", **form)
        assert (answer.status_code, says(answer, "expired")) == (410, True)
    page = await office.come_back(mai, "staff-way")
    code = form_of(page.text, f"{WAYS}/add")["code"]
    assert "verifier" not in page.text
    other = await office.signed_in("Ba")
    assert (await other.post(f"{WAYS}/add", grant="code", site="default", code=code)).status_code == 410
    assert await office.rows(schema.identity) == []
    assert (await mai.post(f"{WAYS}/add", grant="code", site="default", code=code)).status_code == 303
    assert (await mai.post(f"{WAYS}/add", grant="code", site="default", code=code)).status_code == 410


@pytest.mark.parametrize("purpose", ["staff", "staff-way"])
async def test_a_way_back_of_another_browser_or_state_opens_nothing(stored: Office, purpose: str) -> None:
    mai, other = await stored.signed_in(), stored.house.browser()
    await stored.attach_account(mai)
    sent = await other.get(f"/signin/house?as={purpose}&return=/staff")
    state = stored.house.provider.went(sent.headers["location"])["state"]
    before = await stored.house.everything()
    for who, given in ((mai, state), (mai, "s" * 43), (mai, ""), (other, "s" * 43)):
        answer = await who.get(f"/signin/house/callback?code=a-code&state={given}")
        assert (failure(answer), has_session(answer)) == ("over", False)
    denied = await other.get(f"/signin/house/callback?error=access_denied&state={state}")
    assert (failure(denied), has_session(denied)) == ("denied", False)
    after = await stored.house.everything()
    assert {name for name in after if after[name] != before[name]} <= {"signin"}


@pytest.mark.parametrize("trouble", ["denied", "refused", "unreachable"])
async def test_a_provider_in_trouble_opens_nothing(office: Office, trouble: str) -> None:
    mai, other = await office.signed_in(), office.house.browser()
    await office.attach_account(mai)
    query: dict[str, str] = {}
    if trouble == "denied":
        query = {"error": "access_denied"}
    elif trouble == "refused":
        office.house.provider.claims = {"nonce": "another"}
    else:
        office.house.provider.answers["/token"] = (500, b"{}")
    for purpose, who in (("staff", other), ("staff-way", mai)):
        answer = await office.come_back(who, purpose, **query)
        assert (failure(answer), has_session(answer), "/staff" in answer.text) == (trouble, False, True)
    assert await office.staff_sessions() == 1


async def test_a_role_that_is_taken_while_the_code_is_on_its_way_opens_nothing(stored: Office) -> None:
    mai, other = await stored.signed_in(), stored.house.browser()
    await stored.attach_mail(mai)
    await stored.attach_account(mai)
    since = len(stored.house.smtp.mail)
    page = await stored.code_form(other, SIGN_IN)
    code = await stored.house.smtp.code(since)
    own = await stored.code_form(mai, WAYS, "second@example.com")
    sent = await other.get("/signin/house?as=staff&return=/staff")
    state = stored.house.provider.went(sent.headers["location"])["state"]
    await stored.take()
    answer = await other.send(page, f"{SIGN_IN}/session", code=code)
    assert (answer.status_code, says(answer, NO_ROLE), has_session(answer)) == (403, True, False)
    answer = await other.get(f"/signin/house/callback?code=a-code&state={state}")
    assert (answer.status_code, says(answer, NO_ROLE), has_session(answer)) == (403, True, False)
    answer = await mai.send(own, f"{WAYS}/add", code=await stored.house.smtp.code(since + 1))
    assert answer.headers["location"].startswith(SIGN_IN)
    assert (await stored.staff_sessions(), await stored.rows(schema.identity)) == (0, [])
    again = await stored.come_back(stored.house.browser(), "reader")
    assert again.status_code == 303
    kinds = sorted((one["kind"], one["name"]) for one in await stored.rows(schema.author))
    assert kinds == [("member", "Lan"), ("staff", "Mai")], "who was staff is somebody else now"


async def test_a_badge_is_no_role_that_decides(office: Office) -> None:
    mai, reader = await office.signed_in(), office.house.browser()
    await office.come_back(reader, "reader")
    await mai.post("/staff/sites/default/people/member", name="Lan", role="host")
    answer = await office.come_back(office.house.browser(), "staff")
    assert (answer.status_code, says(answer, NO_ROLE), has_session(answer)) == (403, True, False)


async def test_a_code_that_is_wrong_or_too_old_opens_nothing(office: Office) -> None:
    mai, other = await office.signed_in(), office.house.browser()
    await office.attach_mail(mai)
    since = len(office.house.smtp.mail)
    page = await office.code_form(other, SIGN_IN)
    code = await office.house.smtp.code(since)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for given, status in ((wrong, 401), ("12345", 422), ("", 422), ("abcdef", 422)):
        answer = await other.send(page, f"{SIGN_IN}/session", code=given)
        assert (answer.status_code, says(answer, "match"), has_session(answer)) == (status, True, False)
    await office.an_hour_later()
    answer = await other.send(page, f"{SIGN_IN}/session", code=code)
    assert (answer.status_code, says(answer, "expired")) == (410, True)
    for address in ("/code", "/code?challenge=nonsense", "/code?challenge=" + "x" * 5_000):
        assert (await other.get(f"{SIGN_IN}{address}")).headers["location"] == SIGN_IN
    nowhere = await other.post(f"{SIGN_IN}/code", email=MAI, site="nowhere")
    assert nowhere.status_code == 404
    bad = await other.post(f"{SIGN_IN}/code", email="<b>mai", site="default")
    assert (bad.status_code, "&lt;b&gt;mai" in bad.text) == (422, True)


async def test_nobody_has_more_ways_than_there_may_be(office: Office) -> None:
    mai = await office.signed_in()
    (person,) = await office.rows(schema.author)
    row = {"site_id": 1, "issuer": "https://id.example", "author_id": person["id"], "at": 1}
    await office.house.run(*(schema.identity.insert().values(row | {"subject": f"{one:064}"}) for one in range(MOST)))
    answer = await office.attach_account(mai)
    assert (answer.status_code, says(answer, "too many ways")) == (422, True)
    assert len(await office.rows(schema.identity)) == MOST


async def test_where_one_does_not_decide_nothing_is_attached(office: Office) -> None:
    mai = await office.signed_in(site="magazine")
    assert not says(await mai.get(f"{WAYS}?site=default"), "The House")
    page = await office.come_back(mai, "staff-way")
    assert page.status_code == 404
    assert (await mai.post(f"{WAYS}/code", email=MAI, site="default")).status_code == 404
    assert office.house.smtp.mail == []


async def test_over_a_network_without_https_nothing_is_offered(office: Office) -> None:
    await office.signed_in()
    plain = office.house.browser("http://news.test")
    page = await plain.get(SIGN_IN)
    assert (says(page, "The House"), says(page, "Send me a code")) == (False, False)
    answer = await plain.client.post(f"{SIGN_IN}/code", data={"email": MAI, "site": "default"}, headers=OWN)
    assert (answer.status_code, says(answer, "needs https")) == (403, True)


async def test_the_ways_of_a_site_are_offered_where_it_is_named(office: Office) -> None:
    browser = office.house.browser()
    page = await browser.get(SIGN_IN)
    assert says(page, "Continue with The House")
    assert not says(await browser.get(f"{SIGN_IN}?site=magazine"), "The House")
    assert (await browser.get(f"{SIGN_IN}?site=no such")).status_code == 404
    assert (await browser.get("/staff/log?site=default")).headers["location"].startswith(f"{SIGN_IN}?site=default&")
    assert (await browser.get("/staff/sites/<script>")).headers["location"].startswith(SIGN_IN)


# ---- limits, and other instances ------------------------------------------------------------------------


async def test_all_ways_count_together_to_ten_attempts_of_a_network(
    tmp_path: Path, smtp: MailServer, provider: HostileProvider
) -> None:
    database = new_sqlite(tmp_path / "store.db")
    async with house.opened(database, tmp_path, smtp, provider, post_limit_address="1000/minute") as found:
        office, browser = Office(found), found.browser()
        page = await office.code_form(browser, SIGN_IN)
        for number in range(STAFF_SIGN_INS):
            if number % 2:
                answer = await browser.post(SIGN_IN, token="tm_nobodys")
                assert answer.status_code == 401
            else:
                answer = await browser.send(page, f"{SIGN_IN}/session", code=f"{number:03}")
                assert answer.status_code == 422
        sent = await browser.send(page, f"{SIGN_IN}/session", code=await found.smtp.code(0))
        back = await office.come_back(browser, "staff")
        for answer in (sent, back):
            assert (answer.status_code, says(answer, "Too many attempts")) == (429, True)
            assert 0 < int(answer.headers["retry-after"]) <= 600


@pytest.mark.parametrize("trouble", TROUBLE)
async def test_a_code_of_one_instance_is_good_at_another_until_the_role_is_taken(
    database: str, tmp_path: Path, smtp: MailServer, provider: HostileProvider, valkey: Valkey, trouble: str
) -> None:
    befall = TROUBLE[trouble]
    more: dict[str, Any] = {} if befall is None else {"redis_url": valkey.url}
    async with house.opened(database, tmp_path / "a", smtp, provider, **more) as one:
        here, settings = Office(one), unlimited(tmp_path / "b", database_url=database, **mailing(smtp), **more)
        async with running(settings) as server:
            there = Office(House(server, smtp, provider))
            mai, other = await here.signed_in(), there.house.browser()
            await here.attach_mail(mai)
            if befall is not None:
                befall(valkey)
            try:
                page = await here.code_form(one.browser(), SIGN_IN)
                answer = await other.send(page, f"{SIGN_IN}/session", code=await one.smtp.code(1))
                assert (answer.status_code, has_session(answer)) == (303, True)
                page = await here.code_form(one.browser(), SIGN_IN)
                await here.take()
                answer = await there.house.browser().send(page, f"{SIGN_IN}/session", code=await one.smtp.code(2))
                assert (answer.status_code, has_session(answer)) == (403, False)
                assert (await other.get("/staff/ways-in")).status_code == 303
            finally:
                if trouble == "Redis is frozen":
                    valkey.thaw()
                await other.client.aclose()
        assert await check(one.server.store) == []


def mailing(smtp: MailServer) -> dict[str, Any]:
    return {"smtp_url": smtp.url, "mail_from": "The News <comments@news.example>", "work": "none"}
