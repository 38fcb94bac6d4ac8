"""Where people's own writing wins over marks: quotations, lists, stars and addresses as they stand in comments."""

from __future__ import annotations

import pytest

from tertulia.core.comments import Block
from tertulia.core.documents import Inline, parse, plain

from .test_documents import BREAK, calls_of_parsing, link, paragraph, text


def quote(*children: Block) -> Block:
    return {"type": "quote", "children": list(children)}


def bullets(*items: list[Block]) -> Block:
    return {"type": "list", "ordered": False, "items": list(items)}


def numbers(start: int, *items: list[Block]) -> Block:
    return {"type": "list", "ordered": True, "start": start, "items": list(items)}


def strong(*children: Inline | str) -> Inline:
    return {"type": "strong", "children": [text(one) if isinstance(one, str) else one for one in children]}


def emphasis(*children: Inline | str) -> Inline:
    return {**strong(*children), "type": "emphasis"}


def p(*lines: str) -> Block:
    return paragraph(*[node for line in lines for node in (BREAK, text(line))][1:])


# ---- quotations -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "tree"),
    [
        ("> They said so.\nI do not.", [quote(p("They said so.")), p("I do not.")]),
        ("> one\n> two\nthree\nfour", [quote(p("one", "two")), p("three", "four")]),
        (">\tone\n> two", [quote(p("one", "two"))]),
        ("> one\n>\n> two\nthree", [quote(p("one"), p("two")), p("three")]),
        ("> one\n> > two\n> three\nfour", [quote(p("one"), quote(p("two")), p("three")), p("four")]),
        (">> one\n> two", [quote(quote(p("one")), p("two"))]),
        ("> - a\n> - b\nc", [quote(bullets([p("a")], [p("b")])), p("c")]),
        ("> ```\n> x\ny", [quote({"type": "code", "text": "x"}), p("y")]),
        ("- > a\n  b\n- c", [bullets([quote(p("a")), p("b")], [p("c")])]),
        ("- > a\nb\n\n- c", [p("- > a"), p("b"), p("- c")]),
        ("1. > a\n   > b\n   c\nd", [numbers(1, [quote(p("a", "b")), p("c", "d")])]),
        ("a\n> b\nc", [p("a"), quote(p("b")), p("c")]),
        ("> a\n\n> b", [quote(p("a")), quote(p("b"))]),
        (">\u3000引用\n答え", [quote(p("引用")), p("答え")]),
    ],
)
def test_a_quotation_ends_with_its_lines(typed: str, tree: list[Block]) -> None:
    assert parse(typed) == tree


@pytest.mark.parametrize(
    "typed", [">:(", ">>1234", ">.<", ">_>", ">=3", "> ".strip() + "x", ">>>ok", "a\n>:(", ">1\n>2"]
)
def test_what_has_no_blank_behind_its_sign_is_no_quotation(typed: str) -> None:
    assert parse(typed) == [p(*typed.split("\n"))]


def test_nor_does_it_go_on_with_one() -> None:
    assert parse("> a\n>:(") == [quote(p("a")), p(">:(")]
    assert parse("> > a\n> >:(\n> b") == [quote(quote(p("a")), p(">:(", "b"))]
    assert parse("- > a\n  >.<\n- b") == [bullets([quote(p("a")), p(">.<")], [p("b")])]


# ---- lists ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        *["1968. That was a year.", "2019. a\n2020. b", "2) second, I agree", "17. May", "- no, thanks", "+ 1 from me"],
        *[
            "* I am no lawyer",
            "yes\n- no, thanks\nbye",
            "a\n2. b",
            "3. a\n3. b",
            "5. a\n4. b",
            "- a\n+ b",
            "2. a\n3) b",
        ],
        *["- a\nb", "2020. one\ntwo", "- why - not"],
    ],
)
def test_lists_that_nobody_meant(typed: str) -> None:
    assert parse(typed) == [p(*typed.split("\n"))]
    assert parse(f"> {typed}".replace("\n", "\n> ")) == [quote(p(*typed.split("\n")))]


@pytest.mark.parametrize(
    ("typed", "tree"),
    [
        ("1. a", [numbers(1, [p("a")])]),
        ("0. a\n1. b", [numbers(0, [p("a")], [p("b")])]),
        ("0. a", [numbers(0, [p("a")])]),
        ("1. a\n1. b", [numbers(1, [p("a")], [p("b")])]),
        ("7) a\n8) b", [numbers(7, [p("a")], [p("b")])]),
        ("7. a\n\n   more\n\n8. b", [numbers(7, [p("a"), p("more")], [p("b")])]),
        ("- a\n- b", [bullets([p("a")], [p("b")])]),
        ("* a\n\n* b", [bullets([p("a")], [p("b")])]),
        ("- a\n  b", [bullets([p("a", "b")])]),
        ("- a\n\n  b", [bullets([p("a"), p("b")])]),
        ("- a\n  - b", [bullets([p("a"), bullets([p("b")])])]),
        ("- a\n- b\n- c\n2019. d", [bullets([p("a")], [p("b")], [p("c")]), p("2019. d")]),
        ("1. a\n2. b\n\n2019. That was it.", [numbers(1, [p("a")], [p("b")]), p("2019. That was it.")]),
        ("- a\n- b\n\n+ 1 from me", [bullets([p("a")], [p("b")]), p("+ 1 from me")]),
        ("text\n- a\n- b", [p("text"), bullets([p("a")], [p("b")])]),
    ],
)
def test_lists_that_somebody_meant(typed: str, tree: list[Block]) -> None:
    assert parse(typed) == tree


# ---- emphasis -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        *["2*3*4", "f**k this s**t", "x**2 + y**2", "a*b*c = d*e", "__init__.py", "self.__dict__ and obj.__class__"],
        *["foo__bar__baz", "un**believ**able", "SELECT *, COUNT(*) FROM t", "снег*опад*ом", "5*x*y", "a ** b ** c"],
        *["__init__(self)", "x.__y__.z", "顧客_名前_一覧", "2 * 3 * 4", "Schüler*innen und Lehrer*innen", "re*su*mé"],
    ],
)
def test_stars_and_lines_within_words_are_text(typed: str) -> None:
    assert parse(typed) == [p(typed)]


@pytest.mark.parametrize(
    ("typed", "children"),
    [
        ("これは**「重要」**です", [text("これは"), strong("「重要」"), text("です")]),
        ("**강조**는", [strong("강조"), text("는")]),
        ("'**강조(重要)**'을", [text("'"), strong("강조(重要)"), text("'을")]),
        ("他说**“你好”**吧", [text("他说"), strong("“你好”"), text("吧")]),
        ("**重要。**次", [strong("重要。"), text("次")]),
        ("これは*大事*だ", [text("これは"), emphasis("大事"), text("だ")]),
        ("新しい**AI（人工知能）**が", [text("新しい"), strong("AI（人工知能）"), text("が")]),
        ("AI**技術**の", [text("AI"), strong("技術"), text("の")]),
        ("นี่**สำคัญ**มาก", [text("นี่"), strong("สำคัญ"), text("มาก")]),
        ("**\u200fمهم\u200f**, نعم", [strong("\u200fمهم\u200f"), text(", نعم")]),
        ("**«مهم»** و", [strong("«مهم»"), text(" و")]),
        ("**so**, *so* _so_ (**so**) “**so**”", None),
        ("**a *b* c**", [strong("a ", emphasis("b"), " c")]),
        ("***both***", [emphasis(strong("both"))]),
        ("**snake_case**", [strong("snake_case")]),
        ("**2*3**", [strong("2*3")]),
        ("__so__ and _so_.", [strong("so"), text(" and "), emphasis("so"), text(".")]),
        ("**bold**! *it*? **a**/**b**", None),
        ("„**Wort**“ »**Wort**«", [text("„"), strong("Wort"), text("“ »"), strong("Wort"), text("«")]),
    ],
)
def test_emphasis(typed: str, children: list[Inline] | None) -> None:
    if children is None:
        assert "*" not in plain(parse(typed))
        assert "_" not in plain(parse(typed))
    else:
        assert parse(typed) == [paragraph(*children)]


@pytest.mark.parametrize(
    ("typed", "children"),
    [
        ("![a cat](http://b.vn/c.png)", [link("http://b.vn/c.png", "a cat")]),
        ("![](http://b.vn/c.png)", [link("http://b.vn/c.png", "http://b.vn/c.png")]),
        ("see ![x](http://b.vn)!", [text("see "), link("http://b.vn", "x"), text("!")]),
        ("Look![here](http://b.vn)", [text("Look!"), link("http://b.vn", "here")]),
        ("\\![a](http://b.vn)", [text("!"), link("http://b.vn", "a")]),
        ("![a](javascript:x)", [text("![a](javascript:x)")]),
        ("![a]()", [text("![a]()")]),
        ("![a]", [text("![a]")]),
        ("hi![", [text("hi![")]),
    ],
)
def test_images_become_links(typed: str, children: list[Inline]) -> None:
    assert parse(typed) == [paragraph(*children)]


# ---- bare addresses -------------------------------------------------------------------------------------

A = "https://a.vn/x"


@pytest.mark.parametrize(
    "stop", [*"。、，．！？；：」』】》〉）”’»›।॥،؛؟۔։՝።፣፤៖។᠃‼⁇〜—…·・", *".,;:!?'\")]}", "...", "?!", "…。"]
)
@pytest.mark.parametrize("behind", ["", " b", "次"])
def test_a_bare_address_ends_before_punctuation_of_any_script(stop: str, behind: str) -> None:
    if behind == "次" and stop in ".,;:!?'\"...?!·・":
        return  # these stand within addresses, too
    if behind == " b" or stop not in '"':
        assert parse(f"{A}{stop}{behind}") == [paragraph(link(A, A), text(stop + behind))]


@pytest.mark.parametrize(
    ("typed", "shown", "after"),
    [
        ("https://a.vn/?f[name]=x&g[]=1 ", "https://a.vn/?f[name]=x&g[]=1", ""),
        ("https://a.vn/?t=a|b|c.", "https://a.vn/?t=a|b|c", "."),
        ("https://a.vn/w/A_(b)_(c)) d", "https://a.vn/w/A_(b)_(c)", ") d"),
        ("https://a.vn/{x}/[y]} z", "https://a.vn/{x}/[y]", "} z"),
        ("https://a.vn/x(", "https://a.vn/x", "("),
        ("https://a.vn/it's/x's'", "https://a.vn/it's/x's", "'"),
        ("https://a.vn/?a=1&amp;", "https://a.vn/?a=1", "&amp;"),
        ("https://a.vn/?a&lt;&gt;.", "https://a.vn/?a", "&lt;&gt;."),
        ("https://a.vn/?a=1&b=2", "https://a.vn/?a=1&b=2", ""),
        ("https://a.vn/x😀👍🏽", "https://a.vn/x", "😀👍🏽"),
        ("https://a.vn/x❤️!", "https://a.vn/x", "❤️!"),
        ("https://a.vn/😀", "https://a.vn/😀", ""),
        ("https://a.vn:8443/x:", "https://a.vn:8443/x", ":"),
        ("https://báo.vn/Huế。", "https://báo.vn/Huế", "。"),
        ("https://例え.jp/ジョン・レノン、", "https://例え.jp/ジョン・レノン", "、"),
        ("https://fr.a.org/L’Équipe’", "https://fr.a.org/L’Équipe", "’"),
        ("https://de.a.org/Berlin–Hamburg–", "https://de.a.org/Berlin–Hamburg", "–"),
        ("https://ca.a.org/col·lega·", "https://ca.a.org/col·lega", "·"),
        ("https://a.com看这里", "https://a.com", "看这里"),
        ("https://naver.com에서", "https://naver.com", "에서"),
        ("https://a.vn\u200f و", "https://a.vn", "\u200f و"),
        ("https://a.vn|https://b.vn", "https://a.vn", None),
        ("https://[2001:db8::1]:8080/x]", "https://[2001:db8::1]:8080/x", "]"),
        ("https://a.vn/_b_/*c*/d", "https://a.vn/_b_/*c*/d", ""),
    ],
)
def test_what_a_bare_address_keeps(typed: str, shown: str, after: str | None) -> None:
    children = parse(typed.strip())[0]["children"]
    assert children[0] == link(shown, shown)
    if after is not None:
        assert children[1:] == ([text(after)] if after else [])


@pytest.mark.parametrize(
    ("typed", "before", "href", "shown"),
    [
        ("看www.a.vn。", "看", "https://www.a.vn", "www.a.vn"),
        ("请看http://a.vn/b。", "请看", "http://a.vn/b", "http://a.vn/b"),
        ("（www.a.vn/b）", "（", "https://www.a.vn/b", "www.a.vn/b"),
        ("WWW.A.vn", "", "https://WWW.A.vn", "WWW.A.vn"),
        ("[https://a.vn/x]", "[", "https://a.vn/x", "https://a.vn/x"),
        ('"https://a.vn/x"', '"', "https://a.vn/x", "https://a.vn/x"),
        ("'https://a.vn/x'です", "'", "https://a.vn/x", "https://a.vn/x"),
        ('<a href="https://a.vn/x">', '<a href="', "https://a.vn/x", "https://a.vn/x"),
        ('https://a.vn/?q="a+b"&r', "", "https://a.vn/?q=%22a+b%22&r", 'https://a.vn/?q="a+b"&r'),
        ("メールはan@b.vnへ", "メールは", "mailto:an@b.vn", "an@b.vn"),
        ("an@báo.vn", "", "mailto:an@báo.vn", "an@báo.vn"),
    ],
)
def test_where_a_bare_address_begins(typed: str, before: str, href: str, shown: str) -> None:
    children = parse(typed)[0]["children"]
    assert children[: 2 if before else 1] == [*([text(before)] if before else []), link(href, shown)]


@pytest.mark.parametrize("typed", ["**https://a.vn/x**です", "*https://a.vn/x*です", "（**https://a.vn/x**）"])
def test_a_bare_address_ends_with_its_emphasis(typed: str) -> None:
    child = next(one for one in parse(typed)[0]["children"] if one["type"] in ("strong", "emphasis"))
    assert child["children"] == [link(A, A)]


@pytest.mark.parametrize(
    "typed", ["https://good.vn@evil.vn/", "https://good.vn:x@evil.vn", "www.good.vn@evil.vn", "https://a[b]@evil.vn"]
)
def test_no_bare_address_misleads(typed: str) -> None:
    assert parse(typed) == [p(typed)]


@pytest.mark.parametrize(
    "unit",
    [
        *[
            "- a\nb\n",
            "- a\n\n",
            "2. a\nb\n",
            "2. a\n",
            "1. a\n\n",
            "1. a\nb\n",
            "9. a\n\n  b\n",
            "> - a\n",
            ">> ",
            "> >:(\n",
        ],
        *[
            "http://。",
            "http://a.vn。",
            "www.a.b(",
            "http://a/[",
            'http://a/?"',
            "http://a.vn😀",
            "http://a/&amp;",
            "![",
            "![a](b",
            "看www.a",
        ],
        *["a*", "看**", "\u200e*", "*\u200e\u200e", "_.", "a@b.vn看", "1. a\n2019. b\n"],
    ],
)
def test_a_hostile_text_costs_no_more_than_before(unit: str) -> None:
    assert calls_of_parsing((unit * 10_000)[:10_000]) <= 220_000
