"""Who may ask for which page: every route of the application against everybody who has no business there."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from tertulia.core.roles import Role
from tertulia.protocol import API
from tertulia.store import schema
from tests.api.app import bearer, new_key
from tests.staff.desk import OWN, Desk, opened, staff_routes

AT = "/staff/sites/{site}"
NEWS = AT.format(site="news")
OWN_WAYS = "/staff/ways-in"
"""Need a mail server: tests/staff/test_ways.py."""
CHALLENGE = "01900000-0000-7000-8000-000000000000"
ROUTES: dict[tuple[str, str], dict[str, str]] = {
    ("GET", "/staff/sign-in"): {},
    ("POST", "/staff/sign-in"): {"token": "tm_nobody"},
    ("GET", "/staff/sign-in/code"): {},
    ("POST", "/staff/sign-in/code"): {"email": "mai@example.com", "site": "news"},
    ("POST", "/staff/sign-in/session"): {"challenge": CHALLENGE, "code": "123456", "site": "news"},
    ("GET", "/staff/ways-in"): {},
    ("GET", "/staff/ways-in/code"): {},
    ("POST", "/staff/ways-in/code"): {"email": "mai@example.com", "site": "news"},
    ("POST", "/staff/ways-in/add"): {"grant": "email", "challenge": CHALLENGE, "code": "123456", "site": "news"},
    ("POST", "/staff/ways-in/remove"): {"site": "news", "issuer": "https://news.example", "subject": "no"},
    ("GET", "/staff"): {},
    ("GET", AT): {},
    ("POST", f"{AT}/people"): {"name": "Ba", "role": "owner"},
    ("POST", f"{AT}/people/member"): {"name": "MEMBER", "role": "host"},
    ("POST", f"{AT}/people/remove"): {"person": "PERSON", "role": "owner"},
    ("GET", f"{AT}/members"): {},
    ("POST", f"{AT}/members/end"): {"person": "MEMBER"},
    ("GET", f"{AT}/ways-in"): {},
    ("GET", f"{AT}/tokens"): {},
    ("POST", f"{AT}/tokens/add"): {"name": "cms", "scope": "read"},
    ("POST", f"{AT}/tokens/remove"): {"name": "there"},
    ("GET", f"{AT}/desk"): {},
    ("GET", f"{AT}/desk/cards"): {},
    ("GET", f"{AT}/desk/{{queue}}"): {},
    ("POST", f"{AT}/desk/decide"): {"comment_id": "COMMENT", "version": "1", "do": "remove", "reason": "spam"},
    ("POST", f"{AT}/desk/undo"): {"comment_id": "DECIDED", "action": "ACTION"},
    ("GET", f"{AT}/people/{{author}}"): {},
    ("GET", f"{AT}/words"): {},
    ("POST", f"{AT}/words"): {"lines": "idiot\ncomplete idiot refuse"},
    ("POST", f"{AT}/words/try"): {"text": "What an idiot"},
    ("POST", f"{AT}/words/remove"): {"entry": "nobody says this"},
    ("GET", f"{AT}/rules"): {},
    ("POST", f"{AT}/rules"): {"slow": "30"},
    ("GET", f"{AT}/desk/discussion"): {},
    ("POST", f"{AT}/desk/discussion"): {"key": "talk", "mode": "held", "links": "hold"},
    ("GET", f"{AT}/bans"): {},
    ("POST", f"{AT}/bans"): {"author": "AUTHOR", "effect": "hold", "hours": "24"},
    ("POST", f"{AT}/bans/lift"): {"ban": "BAN"},
    ("GET", "/staff/log"): {},
    ("GET", "/staff/log.jsonl"): {},
    ("POST", "/staff/sign-out"): {},  # last: it ends the session
}
"""Every route, with a form that would be granted to an owner."""
OWNERS = {
    *(route for route in ROUTES if any(f"{AT}/{part}" in route[1] for part in ("people", "tokens", "ways-in"))),
    *(("POST", f"{AT}/{path}") for path in ("words", "words/remove", "rules")),
} - {("GET", f"{AT}/people/{{author}}")}
"""Those that a moderator of the site may not use."""
OPEN = {
    ("GET", "/staff/sign-in"): 200,
    ("POST", "/staff/sign-in"): 401,
    ("GET", "/staff/sign-in/code"): 303,
    ("POST", "/staff/sign-in/code"): 404,
    ("POST", "/staff/sign-in/session"): 404,
}
"""Those for people who are not signed in."""
ELSEWHERE = {
    ("GET", "/staff"): 303,
    ("GET", "/staff/ways-in"): 200,
    ("GET", "/staff/ways-in/code"): 303,
    ("POST", "/staff/sign-out"): 303,
}
"""Those for people who decide at another site."""
STRANGERS = ("nobody", "a moderator's reader session", "a member", "a guest", "an expired session", "an ended session")


async def peopled(desk: Desk) -> dict[str, str]:
    """Sessions of everybody; ids by what a form calls them."""
    await desk.sign_in("Mai")
    await desk.sign_in("Thu", Role.moderator)
    await desk.sign_in("another site's moderator", Role.moderator, "magazine")
    await desk.sign_in("a host", Role.moderator)
    await desk.link("a host", Role.host)
    await desk.take("a host", Role.moderator)
    for gone in ("an expired session", "an ended session"):
        await desk.sign_in(gone)
    await desk.end("an expired session", expires_at=1)
    await desk.end("an ended session", revoked_at=1)
    member = await desk.member("a member")
    reader = await desk.member("a moderator's reader session")
    await desk.run(schema.grant.insert().values(author_id=reader, site_id=0, role="moderator"))
    said = await desk.client.post(
        f"{API}/comments",
        json={"site": "news", "key": "talk", "body": "Good evening.", "author": {"name": "Ba"}},
        headers={"Idempotency-Key": new_key()},
    )
    desk.tokens |= {"a guest": said.json()["token"], "nobody": ""}
    decided, banned = await desk.say("Decided about", name="Năm"), await desk.say("Banned", name="Tám")
    await desk.post(f"{NEWS}/desk/decide", "Mai", comment_id=decided["id"], version="1", do="remove")
    await desk.post(f"{NEWS}/words", "Mai", lines="nobody says this")
    await desk.post(f"{NEWS}/bans", "Mai", author=banned["author"]["id"])
    action = next(one for one in await desk.rows(schema.action) if one["verb"] == "comment.remove")
    [ban] = await desk.rows(schema.ban)
    await desk.post("/staff/sites/news/tokens/add", "Mai", name="there", scope="read")
    gone = next(one["id"] for one in await desk.rows(schema.author) if one["name"] == "an ended session")
    return {
        "PERSON": gone,
        "MEMBER": member,
        "COMMENT": said.json()["comment"]["id"],
        "AUTHOR": said.json()["comment"]["author"]["id"],
        "DECIDED": decided["id"],
        "ACTION": action["id"],
        "BAN": ban["id"],
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("access")


async def test_the_matrix_has_every_route_of_the_application(folder: Path) -> None:
    async with opened(folder / "routes") as desk:
        assert staff_routes(desk.server) == set(ROUTES)


async def test_nobody_gets_what_is_not_theirs(folder: Path) -> None:
    wrong = []
    async with opened(folder / "matrix") as desk:
        ids = await peopled(desk)
        before = await desk.everything()
        for (method, path), form in ROUTES.items():
            data = {name: ids.get(value, value) for name, value in form.items()} if method == "POST" else None
            asked = at_news(path, ids["AUTHOR"])
            for who in (*STRANGERS, "a host", "another site's moderator"):
                headers = desk.headers(who) | bearer(desk.tokens[who]) | OWN
                answer = await desk.client.request(method, asked, data=data, headers=headers)
                if answer.status_code != expected(method, path, who) or "talk" in answer.text:
                    wrong.append((method, asked, who, answer.status_code))
                if who in STRANGERS and answer.status_code == 303:
                    to, _, query = answer.headers["location"].partition("?")
                    back = dict(parse_qsl(query)).get("back", "/staff")
                    assert (to, back) == (
                        "/staff/sign-in",
                        asked if method == "GET" and "sign-in" not in asked else "/staff",
                    )
        assert wrong == []
        after = await desk.everything()
        # who signs out ends a session of their own
        assert {name for name in after if after[name] != before[name]} <= {"session"}


def at_news(path: str, author: str = CHALLENGE) -> str:
    """The address of a route at the site, with what it needs to be asked for."""
    queries = {"/log": "site=news", "/log.jsonl": "site=news", "/cards": f"id={CHALLENGE}", "/discussion": "key=talk"}
    query = next((f"?{query}" for end, query in queries.items() if path.endswith(end)), "")
    return path.format(site="news", queue="all", author=author) + query


def expected(method: str, path: str, who: str) -> int:
    if (method, path) in OPEN:
        return OPEN[method, path]
    if who in STRANGERS:
        return 303
    if who == "a host":
        return 403
    return ELSEWHERE.get((method, path), 404)


async def test_what_a_moderator_of_the_site_may_not(folder: Path) -> None:
    async with opened(folder / "moderator") as desk:
        ids = await peopled(desk)
        for (method, path), form in ROUTES.items():
            if "/sign-" in path or path.startswith(OWN_WAYS):
                continue
            data = {name: ids.get(value, value) for name, value in form.items()} if method == "POST" else None
            asked = at_news(path, ids["AUTHOR"])
            before = await desk.everything()
            answer = await desk.client.request(method, asked, data=data, headers=desk.headers("Thu") | OWN)
            refused = (method, path) in OWNERS
            leads_on = method == "POST" or path.endswith(("/staff", "/desk"))
            leads_on = leads_on and not path.endswith("/try")
            assert answer.status_code == (403 if refused else 303 if leads_on else 200), (method, path)
            assert not refused or await desk.everything() == before


async def test_a_list_of_sites_names_no_other(folder: Path) -> None:
    async with opened(folder / "sites") as desk:
        await desk.sign_in("Thu", Role.moderator, "magazine")
        assert (await desk.get("/staff", "Thu")).headers["location"] == "/staff/sites/magazine/desk"
        assert (await desk.get("/staff/log", "Thu")).status_code == 404
        await desk.sign_in("Mai", Role.moderator, None)
        page = (await desk.get("/staff", "Mai")).text
        assert all(f"/staff/sites/{site}" in page for site in ("news", "magazine", "default"))
        assert (await desk.get("/staff/log", "Mai")).status_code == 200


@pytest.mark.parametrize("scope", ["staff", "invite"])
async def test_a_session_of_these_pages_is_no_bearer_of_the_api(folder: Path, scope: str) -> None:
    async with opened(folder / scope) as desk:
        await desk.sign_in("Mai")
        token = desk.tokens["Mai"] if scope == "staff" else await desk.link("Ba")
        for path in ("/me", "/discussion?key=talk", "/moderation/held?site=news"):
            answer = await desk.client.get(f"{API}{path}", headers=bearer(token))
            assert answer.status_code == 401, path
