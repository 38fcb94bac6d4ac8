"""The tree that a text becomes: its shape, its bounds, its links, and that nothing said gets lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia.core.comments import Block
from tertulia.core.documents import (
    INLINE_LEVELS,
    TREE_BYTES,
    parse,
    parse_any,
    plain,
    within,
)
from tertulia.core.markdown import BLOCK_LEVELS, is_safe_link
from tertulia.core.text import TEXT_LENGTH, clean_text, is_visible
from tertulia.errors import ErrorCode, Problem
from tests.support.calls import calls_of
from tests.support.effort import examples

from .test_text import NO_WEB_ADDRESSES, anything

Node = dict[str, Any]
KEYS = {
    "paragraph": {"type", "children"},
    "quote": {"type", "children"},
    "text": {"type", "text"},
    "strong": {"type", "children"},
    "emphasis": {"type", "children"},
    "link": {"type", "href", "children"},
    "break": {"type"},
}
BLOCKS = ("paragraph", "quote", "list", "code")
INLINES = ("text", "strong", "emphasis", "code", "link", "break")


def check_blocks(blocks: list[Block], level: int = 0) -> int:
    """Fails unless the blocks are what a reader's client expects; returns the number of nodes."""
    return sum(check_block(block, level) for block in blocks)


def check_block(block: Block, level: int) -> int:
    assert block["type"] in BLOCKS
    if block["type"] == "list":
        assert block.keys() == {"type", "ordered", "items"} | ({"start"} if block["ordered"] else set())
        assert type(block["ordered"]) is bool
        assert type(block.get("start", 0)) is int
        assert any(block["items"])
        assert level + 2 <= BLOCK_LEVELS + 1
        return 1 + sum(check_blocks(item, level + 2) for item in block["items"])
    if block["type"] == "code":
        assert block.keys() - {"language"} == {"type", "text"}
        assert re.fullmatch(r"[\w+#.-]{1,32}", block.get("language", "x"), re.ASCII)
        assert is_visible(block["text"])
        return 1
    assert block.keys() == KEYS[block["type"]]
    assert block["children"]
    if block["type"] == "quote":
        assert level < BLOCK_LEVELS
        return 1 + check_blocks(block["children"], level + 1)
    return 1 + check_inlines(block["children"])


def check_inlines(inlines: list[Node], level: int = 0, *, in_link: bool = False) -> int:
    assert inlines
    assert level <= INLINE_LEVELS
    assert not any(a["type"] == b["type"] == "text" for a, b in pairwise(inlines))
    return sum(check_inline(inline, level, in_link) for inline in inlines)


def check_inline(inline: Node, level: int, in_link: bool) -> int:
    kind = inline["type"]
    assert kind in INLINES
    assert inline.keys() == (KEYS["text"] if kind == "code" else KEYS[kind])
    if "text" in inline:
        assert type(inline["text"]) is str
        assert inline["text"]
        assert "\n" not in inline["text"]
    if kind == "link":
        assert not in_link
        assert re.match(r"https?://[^/?#@\\\s]+(?:[/?#]|$)|mailto:[^?@\s]+@[^?@\s]+$", inline["href"])
    return 1 + (
        "children" in inline and check_inlines(inline["children"], level + 1, in_link=in_link or kind == "link")
    )


def said(nodes: list[Node]) -> Iterator[str]:
    """Everything a tree holds of what was typed, in its order."""
    for node in nodes:
        yield from (str(node.get("language", "")), str(node.get("text", "")))
        yield from said(node.get("children", []))
        yield str(node.get("href", ""))
        for item in node.get("items", []):
            yield from said(item)


def letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum() and is_visible(c))


def typed_letters(text: str) -> str:
    """The letters that have to stay: not the numbers of a list, nor the names of entities in an address."""
    return letters(re.sub(r"\d{1,9}[.)]|&#?\w+;", " ", text))


def paragraph(*children: Node) -> Block:
    return {"type": "paragraph", "children": list(children)}


def text(content: str) -> Node:
    return {"type": "text", "text": content}


def link(href: str, shown: str) -> Node:
    return {"type": "link", "href": href, "children": [text(shown)]}


BREAK: Node = {"type": "break"}

FRAGMENTS = [
    *"ab1 \n\t*_`[]()<>!\\&#-+|~.\"'ệ😀",
    *["**", "```", "~~~\n", "\n\n", "\n> ", "\n- ", "\n  - ", "\n    ", "1. ", "\n2) ", "- - -", "\u3164", "\u200e"],
    *["](http://a.vn)", "![", "[x](", "]()", "](", " 'title')", "](<", "&colon;", "&#58;", "javascript:", "//evil.vn"],
    *["http://", "https://a.vn/b_c", "www.a.vn", "a@b.vn", "u:p@", "mailto:", "<http://a.vn>", "<b>", "[a]: /b"],
]
markdown = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join) | anything


@settings(max_examples=examples(500))
@given(markdown)
def test_any_text_becomes_a_sound_tree_that_loses_nothing(raw: str) -> None:
    try:
        cleaned = clean_text(raw)
    except Problem:
        return
    tree = parse(cleaned)
    assert 1 <= check_blocks(tree) <= 2 * len(cleaned)
    rest = iter(letters("".join(said(tree))))
    assert all(letter in rest for letter in typed_letters(cleaned))
    assert is_visible(plain(tree))


HOSTILE = [
    *[
        "[",
        "![",
        "[[",
        "]",
        "](",
        "[a](",
        "[](",
        "[a](<",
        '[a](http://b "',
        "[a](http://b) ",
        "*",
        "**",
        "***",
        "_",
        "*_",
    ],
    *[
        "*a *",
        "*_a_* ",
        "a*",
        "`",
        "`` ",
        "`a``",
        "<",
        "<a",
        "<a:",
        "<!--",
        "<![CDATA[",
        "&#",
        "\\",
        ">",
        "> ",
        "> a\n",
    ],
    *["- ", "- a\n", "- - a\n", "  - a\n", "1. ", "+ ", "```\n", "\t", "    a\n", "|", "---\n", "# ", "[a]: b\n"],
    *["http://", "http://a ", "https://a.b\n", "http://a/(", "http://u@", "://", "www.", "www.a.b ", "a@", "a@b.vn "],
    *["mailto:", "a.", "a-", "😀", "ệ", "a\n", "\n", "(", "((a)"],
]
NESTED = [
    "*" * 5000 + "a" + "*" * 5000,
    "*a " * 1600 + "a* " * 1700,
    "[" * 2500 + "](http://a)" * 680,
    "".join("`" * n + " " for n in range(140)),
    "".join(">" * n + " a\n" for n in range(140)),
    "".join("  " * n + "- a\n" for n in range(97)),
    "http://a/" + "(" * 4990 + ")" * 4990,
    ("http://@" * 130 + ")" * 950) * 5,
    ("a@" + ("b" * 62 + ".") * 8 + "1 ") * 19,
    "[](" * 32 + "()" * 4950,
    ("[](" + r"\(" * 30) * 158,
    ("> " * 8 + "a\n") + "a\n" * 4990,
    "- \u200e" + " " * 9990 + "a",
    "<http://.b>\u3164" * 830,
    "*" + "a **b " * 1660,
    "[" * 100 + "a* " * 3300,
]
HOSTILE_TEXTS = [(unit * TEXT_LENGTH)[:TEXT_LENGTH] for unit in HOSTILE] + NESTED
CALLS = 220_000
"""Of Python and of C while one text is parsed: some 12 ms. Without a limit it was 1,860,000 for ``[[](``."""


def bytes_of(tree: list[Block]) -> int:
    return len(json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode())


def calls_of_parsing(typed: str) -> int:
    return calls_of(lambda: parse_any(typed))


@pytest.mark.parametrize("hostile", HOSTILE_TEXTS)
def test_a_hostile_text_becomes_a_bounded_tree_or_is_too_long(hostile: str) -> None:
    try:
        tree = parse(hostile)
    except Problem:
        tree = parse_any(hostile)
    assert check_blocks(tree) <= 3_300
    assert bytes_of(tree) <= TREE_BYTES


@pytest.mark.parametrize("hostile", HOSTILE_TEXTS)
def test_no_text_takes_more_than_a_fixed_number_of_steps(hostile: str) -> None:
    assert calls_of_parsing(hostile) <= CALLS


@settings(max_examples=examples(50))
@given(st.lists(st.tuples(markdown, st.sampled_from([1, 3, 100, 5000])), min_size=1, max_size=3))
def test_nor_does_any_other(parts: list[tuple[str, int]]) -> None:
    whole = "".join(part * min(times, TEXT_LENGTH // (len(part) or 1)) for part, times in parts)
    try:
        typed = clean_text((whole * (TEXT_LENGTH // (len(whole) or 1) or 1))[:TEXT_LENGTH])
    except Problem:
        return
    assert calls_of_parsing(typed) <= CALLS


def to_the_limit(unit: str) -> str:
    return clean_text((unit * TEXT_LENGTH)[:TEXT_LENGTH])


LANGUAGES = [
    "This is a sentence as people write them, with a number (10,000), a dash - and a *word*; it goes on!\n\n",
    "Một buổi sáng đẹp trời, tôi đi dạo quanh hồ Gươm và uống cà phê sữa đá.\n",
    "吾輩は猫である。名前はまだ無い。どこで生れたか頓と見当がつかぬ。",
    "他说：“今天天气很好”。我们去公园吧！\n",
    "나는 오늘 학교에 갔다. 날씨가 참 좋았다.\n\n",
    "السلام عليكم ورحمة الله وبركاته، كيف حالك اليوم؟ ",
    "हिन्दी में लिखा हुआ एक लंबा वाक्य, जैसा लोग लिखते हैं।\n",
    "กำลังเขียนข้อความยาวมากโดยไม่เว้นวรรคเพราะภาษาไทยไม่ใช้ช่องว่าง",
    "Съешь же ещё этих мягких французских булок, да выпей чаю.\n",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466\U0001f3f3\ufe0f\u200d\U0001f308",
    "two words\n",
    "春眠不觉晓，处处闻啼鸟。\n",
]
MARKED = [
    "- something to buy, and how much of it\n",
    "1. Nguyễn Thị Minh Khai, Quận Ba\n",
    "> what somebody else said\n\nand what I think about it\n\n",
    "Read [this page](https://example.org/a/page?of=it), please. ",
    "看[这里](https://example.org/a)就知道了，后面是没有空格的很长的一句话，大家都这样写。",
    "It is **very** important to be *kind* and `exact` when one writes. ",
    "Ask me at somebody@example.org or see www.example.org/about for more about it. ",
    "snake_case_name and a[i] = b[j] * 2; // as in a program\n",
    "**********\n\nA line of stars above each of many paragraphs.\n\n",
]


@pytest.mark.parametrize("typed", LANGUAGES + MARKED)
def test_the_longest_text_of_people_is_within_the_limits(typed: str) -> None:
    tree = parse(to_the_limit(typed))
    check_blocks(tree)
    assert tree == within(tree)


def test_the_tree_ends_at_its_limit_to_the_byte() -> None:
    def lines(count: int, last: str) -> str:
        return "ab\n" * count + last

    most = (TREE_BYTES - bytes_of(parse(last := "a" * 30))) // (bytes_of(parse("ab\nab")) - bytes_of(parse("ab")))
    left = TREE_BYTES - bytes_of(parse(lines(most, last)))
    assert bytes_of(parse(lines(most, last + "a" * left))) == TREE_BYTES
    with pytest.raises(Problem, match="post it in parts") as refused:
        parse(lines(most, last + "a" * left + "a"))
    assert (refused.value.code, refused.value.field) == (ErrorCode.too_long, "body")
    with pytest.raises(Problem):
        parse(lines(most, last + "a" * (left - 1) + "é"))


def test_what_was_made_before_the_limits_is_shown_as_plain_text() -> None:
    large: list[Block] = [paragraph(*[node for number in range(5000) for node in (BREAK, text(str(number)))][1:])]
    assert within(large) == [paragraph(text(" ".join(map(str, range(5000)))[:TEXT_LENGTH]))]
    links: list[Block] = [paragraph(*[link("http://a.b", "x")] * 2000)]
    assert within(links) == [paragraph(text(("x (http://a.b)" * 2000)[:TEXT_LENGTH]))]
    assert within(links, length=1000) is links  # so few characters never made it: it is not looked at
    small = parse("> *a*")
    assert within(small) is small


def test_where_nothing_may_be_refused_marks_stay_as_typed() -> None:
    assert parse_any("*a*") == parse("*a*")
    assert parse_any("[" * 5000) == [paragraph(text("[" * 5000))]
    assert parse_any("*a* b\n" * 1500) == [paragraph(text(("*a* b " * 1500).strip()))]


# ---- blocks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        *[
            "# one",
            "---",
            "***",
            "- - -",
            "* * *",
            "| a | b |",
            "===",
            "-",
            "2.",
            "<b>x</b>",
            "&amp; &lt;",
            "<!-- x -->",
        ],
        *[
            "[a]: http",
            "[a][b]",
            "![a](b)",
            "~~a~~",
            "2 * 3 * 4",
            "snake_case_name",
            "> ",
            "> >",
            "1. >",
            "- ```",
            "vnexpress.net",
        ],
        *["http://u@evil.vn", "[a](javascript:x)", "[a](//evil.vn)", "<ftp://a.vn>", "[a](<http://>)", "[x]()"],
    ],
)
def test_what_is_no_markup_here_stays_as_typed(typed: str) -> None:
    assert parse(typed) == [paragraph(text(typed))]


def test_line_ends_are_kept() -> None:
    assert parse("a\n    b  \nc\\\nd\n\ne") == [
        paragraph(text("a"), BREAK, text("b"), BREAK, text("c"), BREAK, text("d")),
        paragraph(text("e")),
    ]


def test_nothing_becomes_nothing() -> None:
    assert parse("") == []
    assert parse(">\n>") == [paragraph(text(">"), BREAK, text(">"))]


def test_quotes_and_lists() -> None:
    assert parse("> a\n> > b") == [
        {"type": "quote", "children": [paragraph(text("a")), {"type": "quote", "children": [paragraph(text("b"))]}]}
    ]
    assert parse("- a\n  - b\n- c") == [
        {
            "type": "list",
            "ordered": False,
            "items": [
                [paragraph(text("a")), {"type": "list", "ordered": False, "items": [[paragraph(text("b"))]]}],
                [paragraph(text("c"))],
            ],
        }
    ]


def test_an_empty_item_keeps_its_number() -> None:
    assert parse("3. a\n4.\n5. b") == [
        {"type": "list", "ordered": True, "start": 3, "items": [[paragraph(text("a"))], [], [paragraph(text("b"))]]}
    ]
    assert parse("1. a") == [{"type": "list", "ordered": True, "start": 1, "items": [[paragraph(text("a"))]]}]


def test_empty_blocks_go() -> None:
    assert parse("a\n\n>\n\n- >\n\n```\n```\n\nb") == [paragraph(text("a")), paragraph(text("b"))]


def test_what_is_nested_too_deep_stays_text() -> None:
    assert plain(parse(">" * 10 + " a")) == "> " * BLOCK_LEVELS + ">> a"
    lists = "".join("  " * n + f"- {n}\n" for n in range(6)) + "- end"
    items = parse(lists)[0]["items"]
    assert len(items) == 2
    assert "- 4\n" in plain(items[0])


@pytest.mark.parametrize(
    ("typed", "block"),
    [
        ("```py\nx = '<b>'\n\n  *y*\n```", {"type": "code", "text": "x = '<b>'\n\n  *y*", "language": "py"}),
        ("```ſh\nx", {"type": "code", "text": "ſh\nx"}),
        ("~~~\n  x", {"type": "code", "text": "  x"}),
        ("```not a language\nx\n```", {"type": "code", "text": "not a language\nx"}),
        ("```py\n```", {"type": "code", "text": "py"}),
    ],
)
def test_fenced_code(typed: str, block: Block) -> None:
    assert parse(typed) == [block]


# ---- inlines and links ----------------------------------------------------------------------------------


def test_inlines() -> None:
    assert parse("**a *b*** `c\n<d>` \\*e") == [
        paragraph(
            {"type": "strong", "children": [text("a "), {"type": "emphasis", "children": [text("b")]}]},
            text(" "),
            {"type": "code", "text": "c <d>"},
            text(" *e"),
        )
    ]


def test_a_link_shows_its_title_and_holds_no_link() -> None:
    assert parse("[](HTTP://a.vn) [b](https://c.vn 'd\ne') [<http://f.vn> www.g.vn](http://h.vn)") == [
        paragraph(
            link("http://a.vn", "http://a.vn"),
            text(" "),
            link("https://c.vn", "b"),
            text(" (d e) "),
            link("http://h.vn", "http://f.vn www.g.vn"),
        )
    ]


@pytest.mark.parametrize(
    ("typed", "before", "href", "shown", "after"),
    [
        ("xem https://vi.wikipedia.org/wiki/Huế_(phố).", "xem ", "https://vi.wikipedia.org/wiki/Huế_(phố)", "", "."),
        ("(www.a.vn/b),", "(", "https://www.a.vn/b", "www.a.vn/b", "),"),
        ("“http://a.vn/_b_/*c*/d”!", "“", "http://a.vn/_b_/*c*/d", "", "”!"),
        ("Email:an.le+x@b.com.vn.", "Email:", "mailto:an.le+x@b.com.vn", "an.le+x@b.com.vn", "."),
        ("<an@b.vn> ", "", "mailto:an@b.vn", "an@b.vn", ""),
        ("HTTP://localhost:8000/x?", "", "http://localhost:8000/x", "HTTP://localhost:8000/x", "?"),
        ("![a](http://b.vn)", "", "http://b.vn", "a", ""),
        ("So![a](http://b.vn)", "So!", "http://b.vn", "a", ""),
    ],
)
def test_addresses_become_links(typed: str, before: str, href: str, shown: str, after: str) -> None:
    children = [text(before), link(href, shown or href), text(after)]
    assert parse(typed) == [paragraph(*(child for child in children if child.get("text") != ""))]


@pytest.mark.parametrize(
    "address", ["xhttp://a.vn", "http://u:p@a.vn", "http://a.vn:99999", "a@b", "a@b.vn@c", "www.a", "@a.vn"]
)
def test_other_words_do_not(address: str) -> None:
    assert parse(address) == [paragraph(text(address))]


@pytest.mark.parametrize(
    "href",
    [
        *NO_WEB_ADDRESSES,
        *["", "mailto:", "mailto:a", "mailto:a@b", "mailto:@b.vn", "mailto:a@b.vn?bcc=c@d.vn", "mailto:a@b.vn,c@d.vn"],
        *["mailto:a@b.vn\n", "mailto:a%0a@b.vn?x", "mailto:a@b@c.vn", "tel:113", "xmailto:a@b.vn", "maılto:a@b.vn"],
    ],
)
def test_unsafe_links(href: str) -> None:
    assert not is_safe_link(href)
    assert all(href != child.get("href") for block in parse(f"[a](<{href}>)") for child in block.get("children", []))


@pytest.mark.parametrize(
    "href", ["http://a.vn", "https://a.vn:8443/x(y)?z#@", "https://báo.vn", "mailto:a.b@c.vn", "http://1.2.3.4/"]
)
def test_safe_links(href: str) -> None:
    assert is_safe_link(href)


# ---- plain text -----------------------------------------------------------------------------------------


def test_plain_text_is_readable() -> None:
    typed = "**a**\n`b` [c](http://d.vn) www.e.vn f@g.vn\n\n> h\n>\n> i\n\n- j\n\n  k\n\n9) l\n10) m\n\n```\nn\n```"
    assert plain(parse(typed)) == (
        "a\nb c (http://d.vn) www.e.vn f@g.vn\n\n> h\n>\n> i\n\n- j\n\n  k\n\n9. l\n10. m\n\nn"
    )


def test_plain_text_of_an_address_cannot_lie() -> None:
    assert plain(parse("[a.vn](https://evil-a.vn)")) == "a.vn (https://evil-a.vn)"
