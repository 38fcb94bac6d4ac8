from __future__ import annotations

import re
import string
from importlib.resources import files

import pytest

from tertulia.core.text import TEXT_LENGTH
from tertulia.pages.strings import CATALOGUES, EN, VI, Plural, Strings

# keys that a page puts together at run time
MADE = {
    *("oldest", "newest", "top", "moderator", "deleted", "removed", "no_comments", "no_comments_closed"),
    *("error.404", "error.404.detail", "error.other", "error.other.detail"),
}


def fields(message: str | Plural) -> set[str]:
    forms = (message.one, message.other) if isinstance(message, Plural) else (message,)
    return {name for form in forms for _, name, _, _ in string.Formatter().parse(form) if name}


def sources() -> str:
    package = files("tertulia.pages")
    named = [file for file in package.iterdir() if file.name.endswith(".py") and file.name != "strings.py"]
    named += (package / "templates").iterdir()
    return "\n".join(file.read_text("utf-8") for file in named if not file.is_dir())


def test_both_languages_say_the_same_things() -> None:
    assert list(EN) == list(VI)


@pytest.mark.parametrize("key", EN)
def test_a_translation_needs_no_value_that_the_original_lacks(key: str) -> None:
    assert fields(VI[key]) <= fields(EN[key])
    assert fields(VI[key]) >= fields(EN[key]) - {"detail"}


def test_every_message_is_used_and_every_message_used_exists() -> None:
    text = sources()
    used = set(re.findall(r'\bt\("([a-z_.0-9]+)"', text)) | set(re.findall(r'"(problem\.[a-z_]+)"', text)) | MADE
    assert used - {"error."} == set(EN)


def test_the_limit_that_is_told_is_the_limit() -> None:
    for key in ("problem.too_long", "problem.too_large"):
        assert f" {TEXT_LENGTH:,} " in Strings("en")(key)
        assert f" {TEXT_LENGTH:,} ".replace(",", ".") in Strings("vi")(key)


def test_english_has_a_singular_and_vietnamese_needs_none() -> None:
    assert Strings("en")("comment_count", n=1) == "1 comment"
    assert Strings("en")("comment_count", n=0) == "0 comments"
    assert Strings("vi")("comment_count", n=1) == "1 bình luận"


def test_a_language_without_a_catalogue_speaks_the_servers() -> None:
    assert Strings("fr", "vi").language == "vi"
    assert Strings("en-GB", "vi").language == "en"
    assert Strings("fr", "de").language == "en"
    assert set(CATALOGUES) == {"en", "vi"}
