"""What is kept of what browsers say of a page."""

from __future__ import annotations

import pytest

from tertulia.core.pages import PageFacts, impersonal, own_address, page_title, said
from tertulia.errors import ErrorCode, Problem

N = "https://news.example"
ORIGINS = frozenset({N, "http://localhost:3000", "https://xn--bo-mia.vn", "http://own.test"})


def url(given: str, key: str = "talk", *, trusted: bool = False) -> str:
    return said("", given, key=key, origins=ORIGINS, trusted=trusted).url


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (f"{N}/a", f"{N}/a"),
        (f"{N}/a/", f"{N}/a/"),
        (f"{N}/a/index.html", f"{N}/a/index.html"),
        (f"{N}:443/a", f"{N}/a"),
        ("https://NEWS.example/A", f"{N}/A"),
        (f"{N}", f"{N}/"),
        (f"{N}/a?email=lan@example.org&fbclid=1#b", f"{N}/a"),
        (f"{N}/a?p=5", f"{N}/a"),
        (f"  {N}/a\n", f"{N}/a"),
        ("https://reader:secret@news.example/a", f"{N}/a"),
        (f"{N}/%C4%91", f"{N}/%C4%91"),
        (f"{N}/đường/新聞/😀", f"{N}/đường/新聞/😀"),
        (f"{N}/a b", f"{N}/a%20b"),
        (f"{N}\\a\\b", f"{N}/a/b"),
        (f'{N}/a"<b>', f"{N}/a%22%3Cb%3E"),
        (f"{N}/a?gclid={'x' * 2000}", f"{N}/a"),
        (f"{N}/{'a' * 3000}", ""),
        ("http://localhost:3000/a", "http://localhost:3000/a"),
        ("https://báo.vn/a", "https://xn--bo-mia.vn/a"),
        ("http://own.test/articles/a", "http://own.test/articles/a"),
        ("http://own.test/d?site=default&key=talk", ""),
        ("http://news.example/a", "http://news.example/a"),
        ("https://www.news.example/a", ""),
        (f"{N}:8443/a", ""),
        ("https://news.example.evil.example/a", ""),
        ("https://news.example@evil.example/a", ""),
        ("https://evil.example/https://news.example/a", ""),
        ("javascript:alert(1)", ""),
        ("data:text/html,a", ""),
        ("about:blank", ""),
        ("about:srcdoc", ""),
        ("file:///a", ""),
        ("https:///a", ""),
        ("/a", ""),
        ("null", ""),
        ("", ""),
    ],
)
def test_an_address_is_of_the_site_and_without_query(given: str, kept: str) -> None:
    assert url(given) == kept


@pytest.mark.parametrize(
    ("given", "key", "kept"),
    [
        (f"{N}/?p=5&fbclid=x", f"{N}/?p=5", f"{N}/?p=5"),
        (f"{N}/?user=7", f"{N}/?user=7", f"{N}/?user=7"),
        (f"{N}/?p=5&email=x", f"{N}/?p=5", f"{N}/?p=5"),
        (f"{N}/front", f"{N}/a/", f"{N}/a/"),
        ("https://evil.example/", f"{N}/a", f"{N}/a"),
        ("", "http://news.example/a", "http://news.example/a"),
        ("", "/a", ""),
        (f"{N}/a", "https://elsewhere.example/a", f"{N}/a"),
        ("https://elsewhere.example/a", "https://elsewhere.example/a", ""),
    ],
)
def test_a_key_that_is_an_address_of_the_site_is_the_page(given: str, key: str, kept: str) -> None:
    assert url(given, key) == kept


def test_staff_and_programs_correct_and_keep_a_query() -> None:
    given = f"{N}/a?p=5&email=x&utm_source=y&to=a%40b"
    assert said("A", given, key="talk", origins=ORIGINS, trusted=True) == PageFacts("A", f"{N}/a?p=5", correct=True)
    assert said("A", given, key="talk", origins=ORIGINS, trusted=False) == PageFacts("A", f"{N}/a", correct=False)
    elsewhere = said("Front", f"{N}/", key=f"{N}/a", origins=ORIGINS, trusted=True)
    assert elsewhere == PageFacts("Front", f"{N}/a", correct=False), "the page that they wrote on is another one"
    assert url("https://evil.example/", trusted=True) == ""


@pytest.mark.parametrize("given", ["a\0", "https://news.example/\ud800"])
def test_what_no_browser_sends_is_refused(given: str) -> None:
    with pytest.raises(Problem) as caught:
        url(given)
    assert caught.value.code is ErrorCode.malformed


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("(3) Inbox – Page", "Inbox – Page"),
        ("(99+) Page", "Page"),
        ("(128) Page", "Page"),
        ("[2] Page", "Page"),
        (" (3)  Page\n of two\tlines ", "Page of two lines"),
        ("(3)", "(3)"),
        ("(3)Page", "(3)Page"),
        ("(1999) A year", "(1999) A year"),
        ("(not a number) Page", "(not a number) Page"),
        ("Page (3)", "Page (3)"),
        ("3 pages", "3 pages"),
        ("", ""),
        ("a" * 400, "a" * 300),
    ],
)
def test_a_title_has_no_counter(given: str, kept: str) -> None:
    assert page_title(given) == kept


def test_an_address_that_is_meant_keeps_its_query() -> None:
    assert own_address(f"{N}/a?p=5&utm_source=x", ORIGINS) == f"{N}/a?p=5"
    assert own_address("https://evil.example/a", ORIGINS) == ""


def test_what_tells_of_nobody_stays() -> None:
    assert impersonal(f"{N}/a?b=1&c=2#d") == f"{N}/a?b=1&c=2#d"
    assert impersonal(f"{N}/a#d?email=x") == f"{N}/a#d?email=x"
