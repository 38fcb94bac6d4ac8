"""Pages say what the catalogue has, and the catalogue has nothing that they do not say."""

from __future__ import annotations

import re
from importlib.resources import files

from markupsafe import Markup

from tertulia.languages import language
from tertulia.pages.rendering import translate_html

# keys that a page puts together at run time
MADE = {
    *(
        "oldest",
        "newest",
        "top",
        "moderator",
        "deleted",
        "removed",
        "no_comments",
        "no_comments_closed",
        "members_only",
        "slow_mode",
        "slow_mode_minutes",
    ),
    "me.keeps_name",
    *(f"problem.{code}.{unit}" for code in ("rate_limited", "slow_mode") for unit in ("minutes", "hours")),
    *("error.404", "error.404.detail", "error.other", "error.other.detail"),
    *(f"signin.{failure}" for failure in ("denied", "over", "unreachable", "refused", "unknown", "limited")),
}


def used() -> set[str]:
    package = files("tertulia.pages")
    read = [file for file in package.iterdir() if file.name.endswith(".py")] + [
        files("tertulia.web") / "error_messages.py"
    ]
    text = "\n".join(file.read_text("utf-8") for file in (*read, *(package / "templates").iterdir()))
    named = set(re.findall(r'\bt(?:_html)?\("([a-z_.0-9]+)"', text)) - {"error.", "signin.", "desk.reason."}
    return named | set(re.findall(r'"(problem\.[a-z_]+|no_[a-z]+)"', text)) | MADE


def test_every_sentence_that_is_used_exists_and_every_one_of_the_pages_is_used() -> None:
    english = language("en")
    assert used() <= set(english.texts)
    assert used() >= set(english.groups["pages"])


def test_html_is_kept_and_text_is_escaped_in_a_sentence() -> None:
    said = translate_html(language("en"), "you_reply_to", name=Markup("<bdi>Lan</bdi>"))
    assert said == Markup("You are replying to <bdi>Lan</bdi>")
    assert "&lt;b&gt;" in translate_html(language("vi"), "more_replies_to", n=2, name="<b>")
    assert translate_html(language("ja"), "replying_to", name=Markup("<a></a>")) == Markup("<a></a>への返信")
