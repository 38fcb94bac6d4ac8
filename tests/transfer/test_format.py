"""Files that cannot be imported: each is refused in one line that names the place, and nothing is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tertulia import transfer
from tertulia.core.comments import Mode
from tertulia.errors import ErrorCode, Problem
from tertulia.store import queries
from tertulia.transfer import format as file_format
from tests.support.full_store import BARE, NEWS, dump, everything, opened

AT = "2026-02-03T10:00:00+07:00"
UUID_A = "018f0000-0000-7000-8000-00000000000a"
UUID_B = "018f0000-0000-7000-8000-00000000000b"
KEY = "0123456789abcdef"
DIGEST = "0" * 64

Json = dict[str, Any]


def comment(**fields: Any) -> Json:
    """A comment that is well; a field given as None is left out."""
    whole = {"author": "Lan", "at": AT, "text": "Hello", **fields}
    return {name: value for name, value in whole.items() if value is not None}


def article(*comments: Json, **fields: Any) -> Json:
    return {"title": "A title", "key": "a-key", "comments": list(comments), **fields}


def file(*articles: Json, **fields: Any) -> Json:
    return {"format": "tertulia/1", "articles": list(articles), **fields}


BAD: list[tuple[Any, str]] = [
    ([], "The file: it has to hold one JSON object"),
    (article(comment(), comment(at="yesterday")), "comments[1].at: write a time with its zone"),
    (article(comment(at="2026-02-03T10:00:00")), "comments[0].at: write a time with its zone"),
    (article(comment(at=1_700_000_000)), "comments[0].at: write a time with its zone"),
    (article(comment(at="1969-12-31T23:59:59Z")), "comments[0].at: write a time with its zone"),
    (article(comment(at="2100-12-31T23:59:59-05:00")), "comments[0].at: write a time of the years"),
    (article(comment(edited_at="2026-02-03T09:59:59+07:00")), "comments[0].edited_at: the comment was edited before"),
    (article(comment(**{"two\nlines": 1})), r"comments[0].'two\nlines': this field is not known"),
    (article(comment(mood="glad")), "comments[0].mood: this field is not known"),
    (article(comment(at=None)), "comments[0].at: this field is needed"),
    (article(comment(author=None)), "comments[0].author: this field is needed"),
    (article(comment(text=None)), "comments[0].text: this field is needed"),
    (article(comment(author="\u200b ")), "comments[0].author: Write something that can be seen."),
    (article(comment(author="x" * 65)), "comments[0].author: This has 65 characters"),
    (article(comment(text="x" * 10_001)), "comments[0].text: This has 10,001 characters"),
    (article(comment(text="\x00a")), "comments[0].text: The text holds NUL"),
    (article(comment(text=7)), "comments[0].text: Input should be a valid string"),
    (article(comment(state="hidden")), "comments[0].state: Input should be 'visible'"),
    (article(comment(state="held", published=True)), "comments[0].published: a held comment cannot be published: true"),
    (article(comment(published=False)), "comments[0].published: a visible comment cannot be published: false"),
    (article(comment(parent="a")), "comments[0].parent: this discussion has no comment with the id 'a'"),
    (article(comment(id="a", parent="a")), "comments[0].parent: the comments answer each other in a circle"),
    (article(comment(id="a", parent="b"), comment(id="b", parent="a")), "comments[0].parent: the comments answer"),
    (article(comment(id="a", state="held"), comment(parent="a")), "comments[1].parent: the comment answered was never"),
    (article(comment(id="a"), comment(id="a")), "comments[1].id: another comment of this discussion has this id"),
    (article(comment(id="")), "comments[0].id: String should have at least 1 character"),
    (article(comment(author_id="lan")), "comments[0].author_id: write a UUID"),
    (article(comment(badge="A king")), "comments[0].badge: String should match pattern"),
    (article(comment(pinned=1)), "comments[0].pinned: Input should be a valid boolean"),
    (article(comment(votes={"up": -1})), "comments[0].votes.up: Input should be greater than or equal to 0"),
    (article(comment(votes={"up": 10_001})), "comments[0].votes.up: Input should be less than or equal to 10000"),
    (article(comment(votes=3)), "comments[0].votes: this has to be an object"),
    (article(comment(votes=[{"voter": UUID_A, "value": 2}])), "comments[0].votes[0].value: Input should be 1 or -1"),
    (article(comment(votes=[{"voter": UUID_A, "value": 1}] * 2)), "comments[0].votes[1].voter: this voter has voted"),
    (
        article(comment(author_id=UUID_A, votes=[{"voter": UUID_A, "value": 1}])),
        "comments[0].votes[0].voter: nobody votes on what they said themselves",
    ),
    (article(comment(state="held", votes={"up": 1})), "comments[0].votes: nobody votes on a comment that was never"),
    (article(comment(idempotency_key="short")), "comments[0].idempotency_key: String should match pattern"),
    (article(key="\u2028"), "key: A key cannot hold control characters"),
    (article(key=""), "key: Write something that can be seen."),
    ({"title": "No key"}, "key: this field is needed"),
    (article(url="ftp://news.example"), "url: Send the page's absolute http or https address"),
    (article(mode="secret"), "mode: Input should be 'open', 'held' or 'closed'"),
    (article(comments="none"), "comments: Input should be a valid list"),
    (article("a comment"), "comments[0]: this has to be an object"),  # type: ignore[arg-type]
    (article(paragraphs=["A"], date="soon"), "date: write a date such as 2026-09-14"),
    (article(paragraphs=["A"], date="0001-01-01"), "date: write a date such as 2026-09-14"),
    (article(paragraphs=["A"]), "date: an article without comments needs a date"),
    (article(paragraphs=["A"], markdown="A", date="2026-01-01"), "markdown: give paragraphs or markdown, not both"),
    (article(paragraphs=["A"], date="2026-01-01", title=" "), "title: an article needs a title"),
    (article(paragraphs=["A"], date="2026-01-01", timezone="Mars/Base"), "timezone: 'Mars/Base' is not a time zone"),
    (article(paragraphs=["A"], date="2026-01-01", timezone="../x"), "timezone: '../x' is not a time zone"),
    (article(paragraphs=["A"], date="2026-01-01", slug="No Slug"), "slug: String should match pattern"),
    (article(paragraphs=["A"], date="2026-01-01", lang="English"), "lang: String should match pattern"),
    (article(paragraphs=["A"], date="2026-01-01", site="magazine"), "site: only articles of the site default"),
    (article(comment(), site="nowhere"), "site: there is no site 'nowhere' here"),
    (file(article(comment()), format="tertulia/2"), "format: Input should be 'tertulia/1'"),
    (file(article(), article(comment(), comment(at=""))), "articles[1].comments[1].at: write a time"),
    (file(article(comment()), article(comment())), "articles[1].key: a discussion of this name stands at articles[0]"),
    (
        file(article(comment(id=UUID_A)), article(comment(id=UUID_A.upper()), key="b")),
        "articles[1].comments[0].id: a comment of this name stands at articles[0].comments[0].id already",
    ),
    (
        file(*[article(markdown="A", date="2026-01-01", slug="same", key=key) for key in "ab"]),
        "articles[1].slug: an article of this name stands at articles[0].slug already",
    ),
    (file(sites=[{"key": "a"}, {"key": "a"}]), "sites[1].key: a site of this name stands at sites[0].key already"),
    (file(sites=[{"key": "a", "origins": ["*"]}]), "sites[0].origins[0]: String should match pattern"),
    (file(site="NEWS"), "site: String should match pattern"),
]


@pytest.mark.parametrize(("content", "message"), BAD, ids=[message[:60] for _, message in BAD])
async def test_a_bad_file_is_refused_in_one_line_and_imports_nothing(
    tmp_path: Path, content: Any, message: str
) -> None:
    async with opened(tmp_path / "store.db") as store:
        before = dump(tmp_path / "store.db")
        with pytest.raises(Problem) as refused:
            await transfer.import_file(store, tmp_path / "articles", json.dumps(content).encode())
        assert refused.value.detail.startswith(message)
        assert "\n" not in refused.value.detail
        assert refused.value.code is ErrorCode.invalid
        assert dump(tmp_path / "store.db") == before
        assert not (tmp_path / "articles").exists()


@pytest.mark.parametrize("data", [b"", b"{", b"{'a': 1}", b'{"key": "\xff"}', b'{"key": "\\ud800"}', b"[" * 5000])
async def test_what_is_no_json_is_refused(tmp_path: Path, data: bytes) -> None:
    async with opened(tmp_path / "store.db") as store:
        with pytest.raises(Problem, match="it is not JSON in UTF-8"):
            await transfer.import_file(store, tmp_path, data)


def test_a_file_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_format, "FILE_BYTES", 4)
    with pytest.raises(Problem, match="it has 5 bytes; 4 is the most"):
        file_format.read(b"     ")


def test_a_byte_order_mark_is_no_mistake() -> None:
    found, locations = file_format.read(b"\xef\xbb\xbf" + json.dumps(article()).encode())
    assert (found.articles[0]["key"], locations) == ("a-key", [""])


async def test_a_file_that_contradicts_the_database_is_refused(tmp_path: Path) -> None:
    """Ids and parents that are something else here."""
    path = tmp_path / "store.db"
    async with opened(path) as store:
        ids = await everything(store)
        before = dump(path)
        first = {"id": ids["first"], "author_id": UUID_B}
        contradictions = [
            (article(comment(**first)), "comments[0].id: a comment of another discussion has this id"),
            (article(comment(**first), key=BARE.key), "comments[0].id: a comment of another discussion has this id"),
            (
                article(comment(id=ids["waiting"]), comment(parent=ids["waiting"]), key=NEWS.key),
                "comments[1].parent: the comment answered is not published here",
            ),
        ]
        for content, message in contradictions:
            with pytest.raises(Problem) as refused:
                await transfer.import_file(store, tmp_path / "articles", json.dumps(content).encode())
            assert refused.value.detail.startswith(message)
        assert dump(path) == before
        assert (await store.read(queries.discussion, NEWS)).mode is Mode.held
