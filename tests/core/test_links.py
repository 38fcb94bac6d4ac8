"""Links that lead away from a site."""

from __future__ import annotations

import pytest

from tertulia.core.documents import parse
from tertulia.core.links import count_foreign

OWN = frozenset({"https://news.example", "http://comments.example:8000"})


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("No link at all.", 0),
        ("See https://a.example/ and https://b.example/.", 2),
        ("The [report](https://a.example/report), **[again](https://a.example/report)**.", 2),
        ("![a picture](https://a.example/cat.png)", 1),
        ("Write to me@a.example, please: <mailto:me@a.example>", 2),
        ("- one\n- https://a.example/\n\n> https://b.example/", 2),
        ("https://news.example/other https://NEWS.example:8443/x http://comments.example/", 0),
        ("https://news.example.evil.example/ https://www.news.example/", 2),
        ("`https://a.example/`", 0),
    ],
)
def test_links_are_counted_but_those_of_the_site(text: str, links: int) -> None:
    assert count_foreign(parse(text), OWN) == links


def test_what_no_browser_reads_is_nobodys_own() -> None:
    body = [{"type": "paragraph", "children": [{"type": "link", "href": "https://[", "children": []}]}]
    assert count_foreign(body, OWN) == 1
