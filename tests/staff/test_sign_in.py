"""In by a link that is good once or by a token, out again, and for how long a session lasts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from tertulia.core.roles import Role
from tertulia.identity import utc_now
from tertulia.limits.posting import STAFF_SIGN_INS
from tertulia.staff.routes import COOKIE as PLAIN_NAME
from tertulia.store import administration, schema
from tests.pages.house import form_of
from tests.staff.desk import OWN, SECURE_NAME, Desk, opened

SIGN_IN = "/staff/sign-in"


async def test_a_link_shows_a_button_and_is_used_up_by_pressing_it(desk: Desk) -> None:
    link = await desk.link("Mai")
    before = await desk.everything()
    for _ in range(2):  # a scanner of mail, and then the reader
        shown = await desk.get(f"{SIGN_IN}?link={link}")
        assert (shown.status_code, f'value="{link}"' in shown.text) == (200, True)
    assert await desk.everything() == before
    answer = await desk.post(SIGN_IN, link=link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/staff")
    desk.tokens["Mai"] = cookie(answer, SECURE_NAME).value
    assert "Signed in as Mai" in (await desk.get("/staff/ways-in", "Mai")).text
    again = await desk.post(SIGN_IN, link=link)
    assert (again.status_code, "was used" in again.text) == (410, True)
    assert "set-cookie" not in again.headers


async def test_a_link_that_is_too_old_says_so(desk: Desk) -> None:
    link = await desk.link("Mai")
    day = timedelta(hours=24) // timedelta(milliseconds=1)
    row = (await desk.rows(schema.session))[0]
    await desk.run(schema.session.update().values(expires_at=row["expires_at"] - day))
    answer = await desk.post(SIGN_IN, link=link)
    assert (answer.status_code, "more than a day old" in answer.text) == (410, True)
    assert (await desk.post(SIGN_IN, link="tl_" + "x" * 43)).status_code == 410


async def test_a_moderators_token_signs_in_as_the_moderator(desk: Desk) -> None:
    token = await desk.moderator("Mai")
    answer = await desk.post(SIGN_IN, token=f" {token}\n")
    desk.tokens["Mai"] = cookie(answer, SECURE_NAME).value
    assert "Signed in as Mai" in (await desk.get("/staff/ways-in", "Mai")).text
    assert token not in repr(await desk.everything())
    await desk.server.store.write(administration.RemoveModerator("Mai", utc_now()))
    assert (await desk.get("/staff/ways-in", "Mai")).headers["location"].startswith(f"{SIGN_IN}?")
    assert (await desk.post(SIGN_IN, token=token)).status_code == 401


async def test_whoever_signs_in_comes_to_the_page_that_they_asked_for(desk: Desk) -> None:
    token, page = await desk.moderator("Mai"), "/staff/log?site=news&cursor="
    await desk.sign_in("Ba")
    asked = await desk.get(page)
    assert asked.headers["location"] == f"{SIGN_IN}?{urlencode({'site': 'news', 'back': page})}"
    shown = (await desk.get(asked.headers["location"])).text
    wrong = await desk.post(SIGN_IN, **form_of(shown, SIGN_IN) | {"token": "tm_wrong"})
    assert wrong.status_code == 401
    answer = await desk.post(SIGN_IN, **form_of(wrong.text, SIGN_IN) | {"token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    desk.client.cookies.clear()
    sent = await desk.post("/staff/sites/news/tokens/add", name="one", scope="read")
    assert sent.headers["location"] == f"{SIGN_IN}?site=news", "what was sent is not sent again"


@pytest.mark.parametrize(
    "back",
    ["https://evil.example/", "//evil.example", "/staff", "/staff/\\evil.example", "/d/x", "/staff/a b", "/staff/é"],
)
async def test_nobody_is_led_anywhere_else(desk: Desk, back: str) -> None:
    token = await desk.moderator("Mai")
    assert 'name="back"' not in (await desk.get(f"{SIGN_IN}?{urlencode({'back': back})}")).text
    answer = await desk.post(SIGN_IN, token=token, back=back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/staff")


@pytest.mark.parametrize("given", ["", "tm_", "tm_\ud83d\ude00", "ts_" + "a" * 43, "Mai", "'; --", "a" * 5_000])
async def test_what_is_no_token_opens_nothing(desk: Desk, given: str) -> None:
    before = await desk.everything()
    answer = await desk.client.post(SIGN_IN, data={"token": given.encode(errors="replace")}, headers=OWN)
    assert answer.status_code in (401, 413)
    assert "set-cookie" not in answer.headers
    assert await desk.everything() == before


async def test_a_cookie_is_kept_from_scripts_and_other_sites(desk: Desk) -> None:
    morsel = cookie(await desk.post(SIGN_IN, link=await desk.link("Mai")), SECURE_NAME)
    assert (morsel["httponly"], morsel["secure"], morsel["samesite"].lower()) == (True, True, "lax")
    assert (morsel["path"], morsel["domain"], morsel["max-age"]) == ("/", "", str(7 * 86_400))


@pytest.mark.parametrize(
    ("address", "is_taken"),
    [
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", True),
        ("http://[::1]:8000", True),
        ("http://news.test", False),
        ("http://localhost.evil.example", False),
        ("http://192.168.1.7:8000", False),
    ],
)
async def test_without_https_a_session_is_for_this_machine_alone(desk: Desk, address: str, is_taken: bool) -> None:
    link = await desk.link("Mai")
    transport = httpx.ASGITransport(desk.server.asgi)
    async with httpx.AsyncClient(transport=transport, base_url=address) as plain:
        answer = await plain.post(SIGN_IN, data={"link": link}, headers=OWN)
        if not is_taken:
            assert (answer.status_code, "needs https" in answer.text) == (403, True)
            assert "set-cookie" not in answer.headers
            assert (await desk.post(SIGN_IN, link=link)).status_code == 303, "the link is still good"
            return
        morsel = cookie(answer, PLAIN_NAME)
        assert (morsel["secure"], morsel["httponly"]) == ("", True)
        name = {"Cookie": f"{PLAIN_NAME}={morsel.value}"}
        assert (await plain.get("/staff/ways-in", headers=name)).status_code == 200
        assert (await desk.client.get("/staff/ways-in", headers=name)).status_code == 303, (
            "over https the name is another"
        )


async def test_who_signs_out_is_out_on_the_server_too(desk: Desk) -> None:
    await desk.sign_in("Mai")
    answer = await desk.post("/staff/sign-out", "Mai")
    assert (answer.status_code, answer.headers["location"]) == (303, SIGN_IN)
    assert cookie(answer, SECURE_NAME).value == ""
    assert (await desk.get("/staff/ways-in", "Mai")).status_code == 303


async def test_a_session_ends_when_it_is_idle_and_after_a_week_at_most(desk: Desk) -> None:
    await desk.sign_in("Mai")
    row = next(one for one in await desk.rows(schema.session) if one["scope"] == "staff")
    assert row["expires_at"] - row["used_at"] == 12 * 3_600_000
    six, week = 6 * 3_600_000, 7 * 86_400_000
    await desk.end("Mai", **{name: row[name] - six for name in ("at", "used_at", "expires_at")})
    assert (await desk.get("/staff/ways-in", "Mai")).status_code == 200
    used = next(one for one in await desk.rows(schema.session) if one["scope"] == "staff")
    assert used["expires_at"] - used["used_at"] == 12 * 3_600_000
    assert used["used_at"] >= row["used_at"]
    await desk.end("Mai", at=row["at"] - week + six, used_at=row["used_at"] - six)
    assert (await desk.get("/staff/ways-in", "Mai")).status_code == 200
    last = next(one for one in await desk.rows(schema.session) if one["scope"] == "staff")
    assert last["expires_at"] == last["at"] + week, "use prolongs it by no more than what is left of a week"
    await desk.end("Mai", expires_at=row["at"] - 1)
    assert (await desk.get("/staff/ways-in", "Mai")).status_code == 303


@pytest.fixture
async def counted(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path, post_limit_address="1000/minute") as desk:
        yield desk


async def test_a_network_tries_ten_times_in_ten_minutes(counted: Desk) -> None:
    link = await counted.link("Mai")
    for _ in range(STAFF_SIGN_INS):
        assert (await counted.post(SIGN_IN, token="tm_nobodys")).status_code == 401
    answer = await counted.post(SIGN_IN, link=link)
    assert (answer.status_code, "Too many attempts" in answer.text) == (429, True)
    assert 0 < int(answer.headers["retry-after"]) <= 600


async def test_pages_are_in_the_language_that_the_browser_prefers(desk: Desk) -> None:
    await desk.sign_in("Mai", Role.moderator)
    for asked, tag, said in (
        ("vi-VN,vi;q=0.9", "vi", "Đăng xuất"),
        ("ar", "ar", 'dir="rtl"'),
        ("tlh", "en", "Sign out"),
    ):
        page = (await desk.get("/staff/ways-in", "Mai", **{"Accept-Language": asked})).text
        assert re.search(rf'<html lang="{tag}"', page)
        assert said in page


def cookie(answer: httpx.Response, name: str) -> Morsel[str]:
    assert answer.status_code == 303, answer.text
    return SimpleCookie(answer.headers["set-cookie"])[name]
