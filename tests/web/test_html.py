from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.core import documents
from tertulia.core.markdown import is_safe_link
from tertulia.web.html import document_html

HOSTILE = "<script>alert(1)</script>\"'&</p>"
ELEMENTS = {"p", "blockquote", "ul", "ol", "li", "pre", "code", "strong", "em", "a", "br"}
ATTRIBUTES = {"dir", "href", "rel", "start", "class", "tabindex"}


class Outline(HTMLParser):
    """The elements, attributes and text of some HTML; fails where they are not properly nested."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes += attrs
        if tag != "br":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def paragraph(*children: dict[str, Any]) -> dict[str, Any]:
    return {"type": "paragraph", "children": list(children)}


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


def test_every_kind_of_node_has_its_element() -> None:
    typed = (
        "a **b** *c* `d` https://example.org/\nnext line\n\n> quoted\n\n3. three\n4. four\n\n"
        "- point\n- another\n\n```python\nprint(1 < 2)\n```"
    )
    assert document_html(documents.parse(typed)) == (
        '<p dir="auto">a <strong>b</strong> <em>c</em> <code>d</code> '
        '<a href="https://example.org/" rel="nofollow ugc noopener">https://example.org/</a><br>next line</p>'
        '<blockquote><p dir="auto">quoted</p></blockquote>'
        '<ol start="3"><li><p dir="auto">three</p></li><li><p dir="auto">four</p></li></ol>'
        '<ul><li><p dir="auto">point</p></li><li><p dir="auto">another</p></li></ul>'
        '<pre tabindex="0"><code class="language-python">print(1 &lt; 2)</code></pre>'
    )


def test_code_without_a_language_names_none() -> None:
    assert document_html([{"type": "code", "text": "x"}]) == '<pre tabindex="0"><code>x</code></pre>'


def test_nothing_is_nothing() -> None:
    assert document_html([]) == ""


@pytest.mark.parametrize(
    "block",
    [
        paragraph(text(HOSTILE)),
        paragraph({"type": "code", "text": HOSTILE}),
        paragraph({"type": "link", "href": f"https://example.org/{HOSTILE}", "children": [text(HOSTILE)]}),
        {"type": "code", "text": HOSTILE, "language": HOSTILE},
        {"type": "quote", "children": [paragraph(text(HOSTILE))]},
        {"type": "list", "ordered": True, "start": HOSTILE, "items": [[paragraph(text(HOSTILE))]]},
    ],
)
def test_hostile_text_stays_text(block: dict[str, Any]) -> None:
    outline = Outline(document_html([block]))
    assert HOSTILE in outline.text
    assert outline.elements <= ELEMENTS


@pytest.mark.parametrize("href", ["javascript:alert(1)", "data:text/html,x", " https://x", "//x", "/here"])
def test_a_link_to_anywhere_else_is_its_text(href: str) -> None:
    link = {"type": "link", "href": href, "children": [text("here")]}
    assert document_html([paragraph(link)]) == '<p dir="auto">here</p>'


def test_unknown_nodes_are_left_out() -> None:
    html = document_html([{"type": "video", "src": "x"}, paragraph({"type": "blink", "children": []}, text("stays"))])
    assert html == '<p dir="auto">stays</p>'


@given(st.text())
def test_whatever_is_typed_becomes_harmless_html(typed: str) -> None:
    outline = Outline(document_html(documents.parse(typed)))
    assert outline.elements <= ELEMENTS
    assert {name for name, _ in outline.attributes} <= ATTRIBUTES


@given(st.text(alphabet="<>&\"'`*_[]()!-># \n\\/:.ahtpsjvcri=onerror1", max_size=200))
def test_text_made_of_markup_becomes_harmless_html(typed: str) -> None:
    outline = Outline(document_html(documents.parse(typed)))
    assert outline.elements <= ELEMENTS
    for name, value in outline.attributes:
        assert name in ATTRIBUTES
        assert name != "href" or is_safe_link(value or "")
