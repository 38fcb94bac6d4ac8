"""The tree that a text becomes: its shape, its bounds, its links, and that nothing said gets lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia.core.comments import Block
from tertulia.core.documents import BLOCK_LEVELS, INLINE_LEVELS, is_safe_link, parse, plain
from tertulia.core.text import TEXT_LENGTH, clean_text, is_visible
from tertulia.errors import Problem

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


@settings(max_examples=500)
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
]


@pytest.mark.parametrize("hostile", [(unit * TEXT_LENGTH)[:TEXT_LENGTH] for unit in HOSTILE] + NESTED)
def test_hostile_texts_become_bounded_trees(hostile: str) -> None:
    assert check_blocks(parse(hostile)) <= 2 * len(hostile)


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
        ("![a](http://b.vn)", "!", "http://b.vn", "a", ""),
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
