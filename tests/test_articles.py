from __future__ import annotations

import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.articles import Article, Articles, _front_matter, _parse, write

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
MARKET = """---
title: The market moves
date: 2026-09-11 06:30
language: vi
time_zone: Asia/Ho_Chi_Minh
author: Mai Phương
summary: One sentence.
---

First.

Second.
"""


def article(slug: str = "market", **changes: object) -> Article:
    fields: dict[str, object] = {
        "slug": slug,
        "key": slug,
        "title": "Chợ đêm: «dời»",
        "language": "vi",
        "date": datetime(2026, 9, 11, 6, 30, tzinfo=HANOI),
        "time_zone": "Asia/Ho_Chi_Minh",
        "author": "Mai Phương",
        "summary": "",
        "markdown": "Một.\n\nHai.",
    }
    return Article(**(fields | changes))  # type: ignore[arg-type]


def put(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, "utf-8")


def test_an_article_is_read_whole(tmp_path: Path) -> None:
    put(tmp_path, "market.md", MARKET)
    found = Articles(tmp_path).get("market")
    assert found == Article(
        slug="market",
        key="market",
        title="The market moves",
        language="vi",
        date=datetime(2026, 9, 11, 6, 30, tzinfo=HANOI),
        time_zone="Asia/Ho_Chi_Minh",
        author="Mai Phương",
        summary="One sentence.",
        markdown="First.\n\nSecond.",
    )
    assert found.date.utcoffset() == timedelta(hours=7)


def test_what_is_left_out_comes_from_the_server_and_the_file_name(tmp_path: Path) -> None:
    put(tmp_path, "short.md", "---\ntitle: Short\ndate: 2026-09-11\n---\nText.")
    found = Articles(tmp_path, "vi", "Asia/Ho_Chi_Minh").get("short")
    assert found is not None
    assert (found.language, found.time_zone, found.key) == ("vi", "Asia/Ho_Chi_Minh", "short")
    assert found.date == datetime(2026, 9, 11, tzinfo=HANOI)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-09-11", datetime(2026, 9, 11, tzinfo=UTC)),
        ("2026-09-11 06:30:15", datetime(2026, 9, 11, 6, 30, 15, tzinfo=UTC)),
        ("2026-09-11T06:30:00+07:00", datetime(2026, 9, 11, 6, 30, tzinfo=HANOI)),
        ("'2026-09-11T06:30:00Z'", datetime(2026, 9, 11, 6, 30, tzinfo=UTC)),
    ],
)
def test_dates_are_read_as_people_write_them(tmp_path: Path, written: str, meant: datetime) -> None:
    put(tmp_path, "a.md", f"---\ntitle: A\ndate: {written}\n---\n")
    found = Articles(tmp_path).get("a")
    assert found is not None
    assert found.date == meant


def test_the_newest_comes_first(tmp_path: Path) -> None:
    for name, day in (("b", 2), ("a", 3), ("c", 1)):
        put(tmp_path, f"{name}.md", f"---\ntitle: {name}\ndate: 2026-09-0{day}\n---\n")
    assert [found.slug for found in Articles(tmp_path).all()] == ["a", "b", "c"]


def test_new_changed_and_removed_files_show_at_the_next_question(tmp_path: Path) -> None:
    articles = Articles(tmp_path)
    assert articles.all() == []
    put(tmp_path, "a.md", "---\ntitle: First\ndate: 2026-09-01\n---\n")
    assert [found.title for found in articles.all()] == ["First"]
    put(tmp_path, "a.md", "---\ntitle: Third\ndate: 2026-09-01\n---\n")
    os.utime(tmp_path / "a.md", ns=(1, 1))
    assert [found.title for found in articles.all()] == ["Third"]
    (tmp_path / "a.md").unlink()
    assert articles.all() == []
    assert articles.get("a") is None


def test_unchanged_files_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a.md", "---\ntitle: A\ndate: 2026-09-01\n---\n")
    articles = Articles(tmp_path)
    articles.all()
    monkeypatch.setattr(Path, "read_text", lambda *_: pytest.fail("the file was read again"))
    assert [found.slug for found in articles.all()] == ["a"]


def test_a_missing_folder_has_no_articles(tmp_path: Path) -> None:
    assert Articles(tmp_path / "nowhere").all() == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no front matter", "front matter between"),
        ("---\ntitle: [unclosed\n---\n", "not YAML"),
        ("---\ndate: 2026-13-45\ntitle: A\n---\n", "not YAML"),
        ("---\n- a list\n---\n", "name: value"),
        ("---\ndate: 2026-09-01\n---\n", "needs title:"),
        ("---\ntitle: ' '\ndate: 2026-09-01\n---\n", "title: is empty"),
        ("---\ntitle: 12\ndate: 2026-09-01\n---\n", "put it in quotes"),
        ("---\ntitle: A\n---\n", "needs date:"),
        ("---\ntitle: A\ndate: yesterday\n---\n", "needs date:"),
        ("---\ntitle: A\ndate: 2026-09-01\ntime_zone: Nowhere/Land\n---\n", "time_zone:"),
        ("---\ntitle: A\ndate: 2026-09-01\nlanguage: klingon!\n---\n", "language:"),
        ("---\ntitle: A\ndate: 2026-09-01\nslug: ../etc\n---\n", "slug:"),
        ('---\ntitle: A\ndate: 2026-09-01\nkey: "a\\nb"\n---\n', "key:"),
        ("---\ntitle: A\ndate: 2026-09-01\ntitel: B\n---\n", "'titel'"),
    ],
)
def test_a_broken_file_is_logged_once_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, reason: str
) -> None:
    put(tmp_path, "broken.md", text)
    put(tmp_path, "good.md", "---\ntitle: Good\ndate: 2026-09-01\n---\n")
    articles = Articles(tmp_path)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert [found.slug for found in articles.all()] == ["good"]
    [record] = caplog.records
    assert vars(record)["file"] == "broken.md"
    assert reason in vars(record)["reason"]


def test_a_file_that_is_no_text_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "image.md").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "folder.md").mkdir()
    assert Articles(tmp_path).all() == []
    assert [vars(record)["file"] for record in caplog.records] == ["folder.md", "image.md"]


def test_of_two_files_with_one_slug_the_first_counts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path, "a.md", "---\ntitle: First\ndate: 2026-09-01\nslug: same\n---\n")
    put(tmp_path, "b.md", "---\ntitle: Second\ndate: 2026-09-02\nslug: same\n---\n")
    assert [found.title for found in Articles(tmp_path).all()] == ["First"]
    assert [vars(record)["file"] for record in caplog.records] == ["b.md"]


def test_a_file_that_vanishes_while_the_folder_is_read_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "gone.md").symlink_to(tmp_path / "nowhere.md")
    assert Articles(tmp_path).all() == []


def test_drafts_and_other_files_are_not_articles(tmp_path: Path) -> None:
    put(tmp_path, ".draft.md", MARKET)
    put(tmp_path, "notes.txt", MARKET)
    assert Articles(tmp_path).all() == []


@pytest.mark.parametrize("slug", ["../secret", "..", "/etc/passwd", "sub/secret", "secret.md", "", "SECRET", "a\0b"])
def test_a_slug_never_leads_out_of_the_folder(tmp_path: Path, slug: str) -> None:
    (tmp_path / "articles" / "sub").mkdir(parents=True)
    put(tmp_path, "secret.md", MARKET)
    put(tmp_path / "articles" / "sub", "secret.md", MARKET)
    assert Articles(tmp_path / "articles").get(slug) is None


def test_an_article_is_found_by_its_discussion(tmp_path: Path) -> None:
    put(tmp_path, "a.md", "---\ntitle: A\ndate: 2026-09-01\nkey: https://news.example/a\n---\n")
    articles = Articles(tmp_path)
    found = articles.discussing("https://news.example/a")
    assert found is not None
    assert found.slug == "a"
    assert articles.discussing("a") is None


def test_what_is_written_is_read_as_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    path = write(article(), folder)
    assert path == folder / "market.md"
    assert Articles(folder).get("market") == article()
    assert [entry.name for entry in folder.iterdir()] == ["market.md"]


def test_writing_the_same_article_again_changes_nothing(tmp_path: Path) -> None:
    before = write(article(), tmp_path).stat()
    assert write(article(), tmp_path).stat().st_mtime_ns == before.st_mtime_ns


def test_another_article_is_never_overwritten(tmp_path: Path) -> None:
    put(tmp_path, "other-name.md", MARKET.replace("title:", "slug: market\ntitle:"))
    with pytest.raises(FileExistsError, match="market"):
        write(article(), tmp_path)
    put(tmp_path, "broken.md", "not an article yet")
    with pytest.raises(FileExistsError, match="broken"):
        write(article("broken"), tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["broken.md", "other-name.md"]


def test_a_bad_slug_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="slug"):
        write(article("../up"), tmp_path)
    assert list(tmp_path.iterdir()) == []


# what a text file can hold: no surrogates, and line ends that reading turns into \n
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"))


@given(title=TEXT.filter(str.strip), author=TEXT, summary=TEXT, markdown=TEXT)
def test_any_text_survives_the_front_matter(title: str, author: str, summary: str, markdown: str) -> None:
    one = article(title=title, author=author, summary=summary, markdown=markdown.strip())
    text = _front_matter(one) + one.markdown + "\n"
    assert _parse(text, "market", "en", "UTC") == one


def test_a_folder_that_cannot_be_read_for_a_while_loses_no_article(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path, "market.md", MARKET)
    articles = Articles(tmp_path)
    known = articles.get("market")
    assert known is not None

    def refused(_folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refused)
        assert [articles.get("market") for _ in range(20)] == [known] * 20
        assert Articles(tmp_path / "other").all() == []
    told = [(one.message, vars(one)["folder"], one.exc_info) for one in caplog.records]
    assert told == [
        ("The folder of the articles cannot be read", folder, None) for folder in (tmp_path, tmp_path / "other")
    ]
    put(tmp_path, "second.md", MARKET)
    assert articles.get("second") is not None
