"""What a comment is edited as: text → tree → the client's text of it → the same tree, for every text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia.core.documents import parse
from tertulia.core.flanking import flanking
from tertulia.core.text import clean_text
from tertulia.errors import Problem
from tests.support.client_code import ClientFunction
from tests.support.effort import examples

from .test_documents import markdown

SCRIPTS = [
    *[
        "word",
        "Việt",
        "été",
        "слово",
        "λέξη",
        "عربي",
        "עברית",
        "हिन्दी",
        "ไทย",
        "日本",
        "です",
        "한국",
        "는",
        "中文",
        "ქართ",
        "አማ",
    ],
    *[
        "😀",
        "👨‍👩‍👧",
        "🇻🇳",
        "。",
        "、",
        "「",
        "」",
        "“",
        "”",
        "’",
        "।",
        "؟",
        "։",
        "።",
        "（",
        "）",
        "…",
        "—",
        "·",
        "・",
        "\u3000",
        "\xa0",
    ],
    *["\u200f", "\u200c", "\u0301", "1", "2019", "9"],
]
MARKS = [
    *[
        "*",
        "**",
        "***",
        "_",
        "__",
        "`",
        "``",
        "```",
        "~~~",
        "\\",
        "\\\\",
        "[",
        "]",
        "](",
        "(",
        ")",
        "<",
        ">",
        "!",
        "![",
        "![",
    ],
    *["](http://a.vn/b)", "](<http://a.vn>)", " 't')", "[x](https://a.vn)", "[](http://a.vn)", "<http://a.vn/x>"],
    *[
        "http://a.vn",
        "https://a.vn/b_c",
        "https://a.vn/(x)",
        'https://a.vn/?a[b]="c"|d',
        "www.a.vn",
        "a@b.vn",
        "<a@b.vn>",
    ],
    *["mailto:a@b.vn", "http://u@b.vn", "HTTP://A.vn", "&amp;", "&lt;", "@", ":", ".", ",", ";", "-", "#", "|", "+"],
]
BLOCKS = [
    *[
        "\n",
        "\n\n",
        "\n> ",
        "\n>",
        ">> ",
        "\n- ",
        "\n-",
        "\n+ ",
        "\n* ",
        "\n1. ",
        "\n2. ",
        "\n3) ",
        "\n4) ",
        "\n2019. ",
        "\n0. ",
    ],
    *[
        "\n  ",
        "\n   ",
        "\n    ",
        "\n  - ",
        "\n   > ",
        "\n```\n",
        "\n~~~\n",
        "\n  ```\n  ",
        "\\\n",
        "\\\n\\\n",
        "  \n",
        "\t",
        "> - ",
        "- > ",
    ],
]
SPACES = [" ", " ", " ", "  "]
texts = st.lists(st.sampled_from([*SCRIPTS, *SPACES, *MARKS, *BLOCKS]) | st.characters(), min_size=1, max_size=30).map(
    "".join
)


@pytest.fixture(scope="module")
def to_source() -> Iterator[ClientFunction]:
    with ClientFunction("actions/extras/source.js", "toSource") as function:
        yield function


@pytest.fixture(scope="module")
def client_flanking() -> Iterator[ClientFunction]:
    with ClientFunction("actions/extras/flanking.js", "flanking") as function:
        yield function


def check(to_source: ClientFunction, raw: str) -> None:
    try:
        tree = parse(clean_text(raw))
    except Problem:
        return
    source = to_source(tree)
    assert parse(clean_text(source)) == tree, source


@settings(max_examples=examples(5000))
@given(texts | markdown)
def test_an_edit_that_changes_nothing_changes_nothing(to_source: ClientFunction, raw: str) -> None:
    check(to_source, raw)


CHOSEN = [
    *[
        "<http://a.vn/x>b",
        "a<http://a.vn>b",
        "<a@b.vn>c",
        "[](http://a.vn)z",
        "<HTTP://a.vn>",
        "http://a.vn/?x&lt;",
        "a\\\nb",
    ],
    *[
        "a\\\n\\\nb",
        "a \\\nb",
        "**\\\na**",
        "a\\\\\nb",
        "a\\\\",
        "`  ` x",
        "` a `` b `",
        "- a\n\n  ```\n  x  \n\ty\n  ```",
    ],
    *[
        "- >\n- b",
        "- a\n  >",
        "-\n- a\n- b",
        "3. a\n4.\n5. b",
        "- a\n- b\n\n+ c\n+ d",
        "1. a\n\n1) b",
        "- 1. a\n  2. b",
    ],
    *[
        "\\- a\n\\- b",
        "- a\n- \\- b",
        "2019. a",
        "1\\. a",
        "2. a\n3\\. b",
        "1. a\n\n2019\\. b",
        "\\> a",
        ">:(\n>>1",
        "\\~~~",
    ],
    *[
        "***a***",
        "***a** b*",
        "*a **b***",
        "*a*_b_",
        "**a**__b__",
        "これは**「重要」**です",
        "**日本*語*です**",
        "*日*__本__",
        "\\***b**",
    ],
    *[
        "\\![a](http://b.vn)",
        "Wow![a](http://b.vn)",
        "![a](http://b.vn)",
        "[a\\]b](http://c.vn)",
        "[`]`](http://c.vn)",
        "a\\](b)",
    ],
    *[
        "http\\://a.vn",
        "a\\@b.vn",
        "a\\@báo.vn",
        "www\\.a.vn",
        "看www\\.a.vn",
        "\\<http://a.vn>",
        "[www.a.vn](http://b.vn)",
    ],
    *[
        "(http://a.vn/x)",
        "*http://a.vn*",
        "http://a.vn/a_(b)",
        'http://a.vn/?q="x"',
        "http://báo.vn.",
        "<http://a.com看>",
        "`a`http://a.vn",
    ],
    *[
        "[a](http://b.vn 't')c",
        "[a](<http://b.vn/x&amp\\;y>)",
        "__init__.py",
        "2*3*4",
        "*.py",
        "**a",
        "> - a\n>   b",
        "a\u3000\n\u3000b",
    ],
]


@pytest.mark.parametrize("typed", CHOSEN)
def test_nor_does_one_of_these(to_source: ClientFunction, typed: str) -> None:
    check(to_source, typed)
    check(to_source, f"> {typed}".replace("\n", "\n> "))
    check(to_source, f"- x\n- {typed}".replace("\n", "\n  ").replace("\n  -", "\n-", 1))


@pytest.mark.parametrize(
    "typed",
    [
        *[
            "2*3*4 and f**k",
            "- no, thanks",
            "2019. That was a year.",
            "__init__.py",
            "+ 1",
            ">:(",
            "a * b",
            "*.py",
            "snake_case",
        ],
        *[
            "Hi!\n- no",
            "これは**「重要」**です",
            "see https://a.vn/b_c.",
            "(www.a.vn)",
            "**https://a.vn**",
            "an@b.vn",
            "a\\b",
        ],
        *[
            "> a\n>\n> b",
            "- a\n- b",
            "a [b] (c)",
            "R&D &amp; 5 < 6 > 4",
            "an@home",
            "https://a.vn/Huế",
            "***a***",
            "**a *b* c**",
        ],
    ],
)
def test_what_needs_no_backslash_is_edited_as_it_was_typed(to_source: ClientFunction, typed: str) -> None:
    assert to_source(parse(typed)) == typed


neighbours = st.sampled_from([*" \n.,()[]!*_aé1看は한ไท。「」“”’—😀\u200f\u0301\xa0¿=@\\/:-"]) | st.characters(
    exclude_categories=("Cs", "Cn", "Cc", "Co"), max_codepoint=0x3FFFF
)


@settings(max_examples=examples(3000))
@given(st.text(neighbours, max_size=3), st.sampled_from(["*", "**", "_", "__"]), st.text(neighbours, max_size=3))
def test_the_client_knows_what_opens_and_closes(
    client_flanking: ClientFunction, left: str, mark: str, right: str
) -> None:
    if left.endswith(mark[0]) or right.startswith(mark[0]):
        return
    whole = left + mark + right
    found = flanking(whole, len(left), len(left) + len(mark), len(whole))
    assert client_flanking(left, mark, right) == {"opens": found.opens, "closes": found.closes}
