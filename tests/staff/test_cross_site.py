"""Nothing is changed by a form of another page: every route that takes one, with the owner's cookie."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests.staff.desk import ORIGIN, OWN, Desk, opened, staff_routes
from tests.staff.test_access import OWN_WAYS, ROUTES, at_news, peopled

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FOREIGN: dict[str, dict[str, str]] = {
    "says nothing": {},
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "a sibling domain": {"Sec-Fetch-Site": "same-site"},
    "an address bar": {"Sec-Fetch-Site": "none"},
    "twice": {"Sec-Fetch-Site": "same-origin, cross-site"},
    "another site, and our origin": {"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN},
    "null": {"Origin": "null"},
    "another origin": {"Origin": "https://evil.example"},
    "a sibling's origin": {"Origin": "https://www.news.test"},
    "our host without https": {"Origin": "http://news.test"},
    "our host at another port": {"Origin": "https://news.test:8443"},
    "no origin at all": {"Origin": ""},
}
OURS = {"told by the browser": OWN, "an older browser": {"Origin": ORIGIN}}
OTHER_TYPES = ("text/plain", "multipart/form-data; boundary=x", "application/json", "")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cross")


def _content(form: dict[str, str], ids: dict[str, str]) -> str:
    return str(httpx.QueryParams({name: ids.get(value, value) for name, value in form.items()}))


async def _sent(desk: Desk, path: str, content: str, headers: dict[str, str]) -> httpx.Response:
    asked = path.replace("{site}", "news")
    return await desk.client.post(asked, content=content, headers=desk.headers("Mai") | headers)


async def test_no_form_of_another_page_changes_anything(folder: Path) -> None:
    wrong = []
    async with opened(folder / "foreign") as desk:
        ids = await peopled(desk)
        before = await desk.everything()
        changing = {path for method, path in staff_routes(desk.server) if method not in ("GET", "HEAD")}
        assert len(changing) >= 7
        for path in sorted(changing):
            content = _content(ROUTES["POST", path], ids)
            for name, headers in FOREIGN.items():
                answer = await _sent(desk, path, content, FORM | headers)
                if answer.status_code != 403 or "set-cookie" in answer.headers:
                    wrong.append((path, name, answer.status_code))
        assert wrong == []
        assert await desk.everything() == before


async def test_only_forms_are_read(folder: Path) -> None:
    async with opened(folder / "types") as desk:
        ids = await peopled(desk)
        before = await desk.everything()
        for path in sorted(path for method, path in ROUTES if method == "POST"):
            if path == "/staff/sign-out":
                continue  # it reads nothing
            for kind in OTHER_TYPES:
                answer = await _sent(desk, path, _content(ROUTES["POST", path], ids), OWN | {"Content-Type": kind})
                assert answer.status_code == 415, (path, kind)
        assert await desk.everything() == before


def needs_mail(path: str) -> bool:
    """Whether it signs in or out, or is about ways in: tests/staff/test_ways.py."""
    return "/sign-" in path or path.startswith(OWN_WAYS)


@pytest.mark.parametrize("browser", OURS)
async def test_a_form_of_these_pages_does_what_it_says(folder: Path, browser: str) -> None:
    async with opened(folder / browser) as desk:
        ids = await peopled(desk)
        for path in sorted(path for method, path in ROUTES if method == "POST" and not needs_mail(path)):
            before = await desk.everything()
            answer = await _sent(desk, path, _content(ROUTES["POST", path], ids), FORM | OURS[browser])
            assert answer.status_code in (200, 303), path
            assert (await desk.everything() != before) is not path.endswith("/try"), path


async def test_reading_changes_nothing_and_is_for_no_other_page(folder: Path) -> None:
    async with opened(folder / "reading") as desk:
        ids = await peopled(desk)
        before = await desk.everything()
        for method, path in staff_routes(desk.server):
            if method != "GET":
                continue
            answer = await desk.get(at_news(path, ids["AUTHOR"]), "Mai", Origin="https://evil.example")
            assert answer.status_code == (303 if path.endswith(("/code", "/staff", "/desk")) else 200), path
            assert not [name for name in answer.headers if name.startswith("access-control-")]
            policy = answer.headers["content-security-policy"]
            assert "frame-ancestors 'none'" in policy
            is_scripted = path.endswith("/{queue}")
            assert re.findall("script-src [^;]*", policy) == (["script-src 'self'"] if is_scripted else [])
            assert "default-src 'none'" in policy
            assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "same-origin")
            assert is_scripted or "<script" not in answer.text
        assert await desk.everything() == before


async def test_other_paths_are_asked_nothing_of_the_kind(folder: Path) -> None:
    async with opened(folder / "others") as desk:
        for path in ("/staffroom", "/staf", "/api/v1/staff"):
            assert (await desk.client.post(path)).status_code in (404, 405), path
        for path in ("/staff/", "/staff/nowhere", "/staff/sites/news/nowhere"):
            assert (await desk.client.post(path)).status_code == 403, path
            assert (await desk.client.post(path, headers=OWN)).status_code in (404, 405, 307), path
