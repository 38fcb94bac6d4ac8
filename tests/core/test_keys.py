"""One form for all spellings of a page's address: a table with reasons, and what holds for every address."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tertulia.core import keys
from tertulia.core.keys import ADDRESS_LENGTH, KEY_LENGTH, canonical_key, explained, parse_address
from tertulia.core.text import clean_key
from tertulia.errors import ErrorCode, Problem

N = "https://news.example"

SAME: dict[str, dict[str, list[str]]] = {
    "scheme, host and port": {
        f"{N}/a": [
            f"{N}/a",
            "http://news.example/a",
            "HTTP://news.example/a",
            "https://NEWS.Example/a",
            "https://news.example:443/a",
            "http://news.example:80/a",
            "https://news.example:/a",
            "https://news.example:0443/a",
            "https://news.example./a",
            "https://reader@news.example/a",
            "https://reader:secret@news.example/a",
            f"  {N}/a ",
            f"\n\t{N}/a\n",
            f"\u3000{N}/a\xa0",
        ],
        "https://news.example:8443/a": ["https://news.example:8443/a", "http://NEWS.example:8443/a/"],
        "https://www.news.example/a": ["https://www.news.example/a", "http://WWW.news.example/a"],
        "https://[2001:db8::1]/a": ["https://[2001:DB8:0::1]/a", "http://[2001:db8:0:0:0:0:0:1]:80/a"],
        "https://192.0.2.7/a": ["http://192.0.2.7/a"],
        "https://localhost:3000/a": ["http://localhost:3000/a"],
    },
    "hosts of other letters, as browsers send them (UTS 46)": {
        "https://xn--bo-mia.vn/a": ["https://báo.vn/a", "https://BÁO.vn/a", "https://ba\u0301o.vn/a", "https://xn--bo-mia.vn/a"],
        "https://xn--fa-hia.example/a": ["https://faß.example/a", "http://xn--fa-hia.example/a", "https://fa%C3%9F.example/a"],
        "https://xn--fsqu00a.xn--0zwm56d/a": ["https://例子.测试/a", "https://例子。测试/a", "https://XN--FSQU00A.xn--0zwm56d/a"],
        "https://xn--p1b6ci4b4b3a.xn--11b5bs3a9aj6g/a": ["https://उदाहरण.परीक्षा/a"],
        "https://xn--n3h.example/a": ["https://☃.example/a"],
        "https://example.com/a": ["https://ｅｘａｍｐｌｅ.com/a"],
    },
    "paths (RFC 3986, 5.2.4)": {
        N: [N, f"{N}/", f"{N}//", f"{N}/.", f"{N}/a/..", f"{N}/../..", "http://news.example", f"{N}?", f"{N}/?#"],
        f"{N}/a/b": [
            f"{N}/a/b/",
            f"{N}/a//b",
            f"{N}//a/b//",
            f"{N}/a/./b",
            f"{N}/a/c/../b",
            f"{N}/../a/b",
            f"{N}/a/%2E/b",
            f"{N}/a/c/%2e%2E/b",
            f"{N}\\a\\b",
            f"{N}/a\\b",
        ],
        f"{N}/A/b": [f"{N}/A/b"],
        f"{N}/a/...": [f"{N}/a/..."],
        f"{N}/a.html": [f"{N}/a.html"],
    },
    "escapes that can be read": {
        f"{N}/đường": [
            f"{N}/đường",
            f"{N}/%C4%91%C6%B0%E1%BB%9Dng",
            f"{N}/%c4%91%c6%b0%e1%bb%9dng",
            f"{N}/%C4%91ường",
            f"{N}/đu\u031bo\u031b\u0300ng",
            f"{N}/%C4%91u%CC%9Bo%CC%9B%CC%80ng",
        ],
        f"{N}/新聞/台北": [f"{N}/%E6%96%B0%E8%81%9E/%E5%8F%B0%E5%8C%97"],
        f"{N}/ข่าว": [f"{N}/%E0%B8%82%E0%B9%88%E0%B8%B2%E0%B8%A7"],
        f"{N}/समाचार": [f"{N}/" + quote("समाचार"), f"{N}/" + quote("समाचार").lower()],
        f"{N}/أخبار": [f"{N}/" + quote("أخبار")],
        f"{N}/뉴스": [f"{N}/" + quote("뉴스"), f"{N}/" + quote(unicodedata.normalize("NFD", "뉴스"))],
        f"{N}/😀": [f"{N}/%F0%9F%98%80", f"{N}/😀"],
        f"{N}/a-b_c.d~e": [f"{N}/%61%2Db%5Fc%2Ed%7ee"],
        f"{N}/it's,(a):b;c@d!$&*+=e": [f"{N}/it%27s%2C%28a%29%3Ab%3Bc%40d%21%24%26%2A%2B%3De"],
    },
    "escapes that stay, and what they stand for": {
        f"{N}/a%2Fb": [f"{N}/a%2fb"],
        f"{N}/a%3Fb": [f"{N}/a%3fb"],
        f"{N}/a%23b": [f"{N}/a%23b"],
        f"{N}/100%25": [f"{N}/100%25", f"{N}/100%"],
        f"{N}/%25zz": [f"{N}/%zz"],
        f"{N}/%2541": [f"{N}/%2541"],
        f"{N}/a%20b": [f"{N}/a%20b", f"{N}/a b"],
        f"{N}/a%5Cb": [f"{N}/a%5cb"],
        f"{N}/%22%3C%3E%5E%60%7B%7C%7D": [f'{N}/"<>^`{{|}}', f"{N}/%22%3c%3e%5e%60%7b%7c%7d"],
        f"{N}/a%E2%80%AEb": [f"{N}/a\u202eb", f"{N}/a%e2%80%aeb"],
        f"{N}/%E3%80%80a": [f"{N}/\u3000a"],
        f"{N}/%FFa%C3": [f"{N}/%ffa%c3"],
        f"{N}/%CC%81a": [f"{N}/%CC%81a", f"{N}/\u0301a"],
        f"{N}/%2F%CC%87": [f"{N}/%2f%cc%87"],
    },
    "endings": {
        f"{N}/a": [
            f"{N}/a/index.html",
            f"{N}/a/index.php",
            f"{N}/a/amp",
            f"{N}/a/amp/",
            f"{N}/a.amp",
            f"{N}/a/amp/index.html",
            f"{N}/a/index.html/amp",
            f"{N}/a/?amp",
            f"{N}/a?amp=1",
            f"{N}/a?outputType=amp",
        ],
        f"{N}/amp/a": [f"{N}/amp/a"],
        f"{N}/amplifiers": [f"{N}/amplifiers"],
        f"{N}/lamp": [f"{N}/lamp"],
        f"{N}/index.php/a": [f"{N}/index.php/a"],
        f"{N}/my-index.html": [f"{N}/my-index.html"],
        f"{N}/.amp": [f"{N}/.amp"],
        f"{N}?p=5": [f"{N}/?p=5", f"{N}/index.php?p=5"],
    },
    "queries": {
        f"{N}/a": [
            f"{N}/a?utm_source=x&utm_medium=y&UTM_Campaign=z",
            f"{N}/a?fbclid=1",
            f"{N}/a?gclid={'x' * 2000}",
            f"{N}/a?dclid=1&gbraid=2&wbraid=3&gad_source=4",
            f"{N}/a?msclkid=1&mc_cid=2&mc_eid=3&igshid=4&yclid=5&twclid=6&_ga=7",
            f"{N}/a?replytocom=7#respond",
            f"{N}/a?&&",
        ],
        f"{N}/a?a=1&b=2": [f"{N}/a?b=2&a=1", f"{N}/a/?b=2&&a=1&", f"{N}/a?b=2&fbclid=x&a=1#top"],
        f"{N}/a?a=2&a=1": [f"{N}/a?a=2&a=1"],
        f"{N}/a?q=a%20b": [f"{N}/a?q=a+b", f"{N}/a?q=a%20b", f"{N}/a?q=a b"],
        f"{N}/a?q=a%2Bb": [f"{N}/a?q=a%2bb"],
        f"{N}/a?q=a%26b": [f"{N}/a?q=a%26b"],
        f"{N}/a?q=đường": [f"{N}/a?q=%C4%91%C6%B0%E1%BB%9Dng", f"{N}/a?%71=đường"],
        f"{N}/a?u=/b?c": [f"{N}/a?u=%2Fb%3Fc", f"{N}/a?u=/b?c"],
        f"{N}/a?b==c": [f"{N}/a?b==c", f"{N}/a?b=%3Dc"],
        f"{N}/a?b%3Dc": [f"{N}/a?b%3dc"],
        f"{N}/a?b": [f"{N}/a?b"],
        f"{N}/a?b=": [f"{N}/a?b="],
        f"{N}/a?b=%CC%B8c": [f"{N}/a?b=%cc%b8c"],
        f"{N}/a?gclidx=1&umt_source=2": [f"{N}/a?umt_source=2&gclidx=1"],
    },
    "fragments": {
        f"{N}/a": [
            f"{N}/a#", f"{N}/a#comments", f"{N}/a#comment-0199", f"{N}/a#:~:text=b", f"{N}/a#!", f"{N}/a#/",
            f"{N}/a#?b",
        ],
        f"{N}/a#/b": [f"{N}/a#/b", f"{N}/a/#/b/"],
        f"{N}#!/b/c": [f"{N}/#!/b/c", f"{N}#!/b/c/"],
    },
    "copies of a page": {
        f"{N}/a": [
            "https://news-example.cdn.ampproject.org/c/s/news.example/a",
            "https://news-example.cdn.ampproject.org/c/news.example/a/amp",
            "https://news-example.cdn.ampproject.org/v/s/news.example/a.amp?amp_js_v=0.1&usqp=mq331AQ",
            "https://cdn.ampproject.org/c/s/news.example/a",
            "https://www.google.com/amp/s/news.example/a/amp/",
            "https://news-example.translate.goog/a?_x_tr_sl=vi&_x_tr_tl=en&_x_tr_hl=en",
            "https://web.archive.org/web/20260101000000/https://news.example/a",
            "https://web.archive.org/web/20260101000000id_/http://news.example/a",
            "http://web.archive.org/web/2026*/news.example/a",
            "https://web.archive.org/web/https:/news.example/a",
            "https://web.archive.org/web/2026/https://news-example.translate.goog/a?_x_tr_sl=vi",
        ],
        f"{N}/a?b=1": ["https://web.archive.org/web/2026/https://news.example/a?b=1", "https://news-example.translate.goog/a?b=1&_x_tr_sl=vi"],
        "https://news-paper.example/a": ["https://news--paper-example.translate.goog/a?_x_tr_sl=vi"],
        "https://xn--bo-mia.vn/a": ["https://0-xn----bo--mia-vn.translate.goog/a?_x_tr_sl=vi&_x_tr_enc=0"],
        "https://web.archive.org/about": ["https://web.archive.org/about/"],
        "https://translate.goog/a": ["https://translate.goog/a"],
        "https://www.google.com/ampersand": ["https://www.google.com/ampersand"],
    },
    "no addresses: as they are": {
        "talk": ["talk", " talk", "talk\n"],
        "Talk/": ["Talk/"],
        "/a/index.html": ["/a/index.html"],
        "//news.example/a": ["//news.example/a"],
        "news.example/a": ["news.example/a"],
        "đường": ["đu\u031bo\u031b\u0300ng"],
        "%C4%91": ["%C4%91"],
        "urn:uuid:0199": ["urn:uuid:0199"],
        "ftp://news.example/a/": ["ftp://news.example/a/"],
        "undefined": ["undefined"],
        "http://": ["http://"],
        "https:///a": ["https:///a"],
        "https://?a": ["https://?a"],
        "https://a b/": ["https://a b/"],
        "https://a..b/": ["https://a..b/"],
        "https://[::1/": ["https://[::1/"],
        "https://news.example:99999/": ["https://news.example:99999/"],
        "https://news.example:0/": ["https://news.example:0/"],
        "https://news.example:a/": ["https://news.example:a/"],
        f"https://{'a' * 256}/": [f"https://{'a' * 256}/"],
    },
}  # fmt: skip
ROWS = [(reason, wanted, given) for reason, rows in SAME.items() for wanted, all_ in rows.items() for given in all_]


def test_the_table_is_long_enough() -> None:
    assert len(ROWS) >= 120
    assert len({given for _, _, given in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("reason", "wanted", "given"), ROWS, ids=[f"{given[:60]!a}" for _, _, given in ROWS])
def test_spellings_have_one_form(reason: str, wanted: str, given: str) -> None:
    assert canonical_key(given) == wanted, reason
    assert canonical_key(wanted) == wanted, "a form is its own"
    assert explained(given)[-1].key == wanted
    assert explained(given)[0] == ("as given", given)


def test_different_pages_stay_different() -> None:
    wanted = {wanted for _, wanted, _ in ROWS}
    assert len({canonical_key(one) for one in wanted}) == len(wanted)


@pytest.mark.parametrize(
    "tail", ["/" + quote("新聞" * 90), "/" + "मध्यप्रदेश" * 60, "/a" * 300, "?q=" + "x" * 600, "/" + "%25" * 300]
)
def test_what_is_too_long_has_a_readable_beginning_and_a_digest(tail: str) -> None:
    form = canonical_key(N + tail)
    assert len(form) <= KEY_LENGTH
    assert canonical_key(form) == form
    assert clean_key(N + tail) in (form, N + tail)
    others = {canonical_key(N + tail + "b"), canonical_key("https://www.news.example" + tail)}
    assert len({form, *others}) == 3, "another page has another one"
    if form != canonical_key(N) + tail:
        assert form.startswith(N)


def test_what_fits_when_it_is_read_is_no_digest() -> None:
    slug = "चुनाव-परिणाम-" * 30
    assert len(quote(slug)) > KEY_LENGTH
    assert clean_key(f"{N}/{quote(slug)}/") == f"{N}/{slug}"


def test_a_key_that_is_no_address_is_refused_where_it_is_too_long() -> None:
    for key in ("a" * (KEY_LENGTH + 1), "/" + "%C4" * 400, f"{N}/" + "a" * ADDRESS_LENGTH):
        with pytest.raises(Problem) as caught:
            clean_key(key)
        assert caught.value.code is ErrorCode.too_long


@pytest.mark.parametrize("key", ["talk", " talk ", "https://News.example/A/", "http://news.example/%c4%91"])
def test_a_key_that_fits_is_taken_as_it_is(key: str) -> None:
    assert clean_key(key) == key, "it may be stored in this form"


@pytest.mark.parametrize("key", ["\n talk\n", "talk\n", "\t talk"])
def test_line_ends_around_a_key_go(key: str) -> None:
    assert clean_key(key) == "talk"


PARTS = st.sampled_from(
    ["a", "B", "đ", "新", "가", "😀", "x" * 300, "\u0301", "\u0338", "\u0591", "\u1100", "\u1161", "\u11a8", "\u212a",
     "\u037e", "\u1fef", "\u200d", "\ufe0f", "%", "%2", "%CC%81", "%cc%87", "%C3", "%A9", "%2F", "%E2%80%8B", "%25",
     "/", "//", ".", "..", "?", "&", "=", "+", ";", "#", "#/", "!", "\\", " ", "|", "@", ":", "[", "]", "~",
     "amp", ".amp", "/amp", "/index.html", "utm_a=1", "fbclid", "/web/", "b.c", "s/"]
)  # fmt: skip
HOSTS = st.sampled_from(
    ["news.example", "NEWS.example:443", "u@báo.vn", "a-b.translate.goog", "web.archive.org", "x.cdn.ampproject.org",
     "www.google.com", "[::1]:8080", "h:443", "h:80", "例子。测试"]
)  # fmt: skip
ADDRESSES = st.builds(
    lambda scheme, host, parts: f"{scheme}://{host}/{''.join(parts)}",
    st.sampled_from(["http", "https", "HTTPS"]),
    HOSTS,
    st.lists(PARTS, max_size=12),
)


@given(ADDRESSES | st.text().map(lambda text: f"{N}/{text}") | st.text())
@example(f"{N}/a?b=%CC%B8c")
@example(f"{N}/%2F\u0591%CC%87")
@example("https://h:80/web/")
@example(
    "https://web.archive.org/web/1/web.archive.org/web/1/web.archive.org/web/1/web.archive.org/web/1/web.archive.org/web/1/a.b/"
)
def test_a_form_is_its_own(key: str) -> None:
    form = canonical_key(key)
    assert canonical_key(form) == form
    assert unicodedata.is_normalized("NFC", form)
    assert explained(key)[-1].key == form
    if parse_address(unicodedata.normalize("NFC", key).strip()):
        assert len(form) <= KEY_LENGTH


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_escapes_change_nothing(name: str) -> None:
    """However a page escapes its address, and composes its letters."""
    written = quote(name, safe="")
    form = canonical_key(f"{N}/s/{written}")
    assert canonical_key(f"{N}/s/" + re.sub("%..", lambda escape: escape[0].lower(), written)) == form
    assert canonical_key(f"{N}/s/" + quote(unicodedata.normalize("NFD", name), safe="")) == form
    assert canonical_key(f"{N}/s/" + quote(name, safe="!$&'()*+,;=:@")) == form


@pytest.mark.parametrize(
    "text",
    [
        *(
            "{{ page.id }}",
            "{{id}}",
            "post-{{slug}}",
            "{% url 'post' %}",
            "{# id #}",
            "<%= id %>",
            "<?= $id ?>",
            "<?php",
        ),
        *("${id}", "a/${post.slug}", "#{id}", "%s", " %d ", "%(id)s", "<?php", "@Model.Id", "@item.Slug", "[[id]]"),
        "[[${id}]]",
        *("NaN", "None", "nil", "<nil>", "(null)", "NULL", "undefined", " ", "", "[object Object]"),
    ],
)
def test_what_a_template_left_behind(text: str) -> None:
    assert keys.is_unrendered(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "article-5",
            "https://news.example/none",
            "https://news.example/100%s%C3%A9",
            "nilsson",
            "Nanterre",
            "nullify",
        ),
        *(
            "50%",
            "100%safe",
            "https://medium.example/@model/post",
            "@modeller",
            "[1]",
            "C#",
            "$5 and {6}",
            "None of us",
        ),
        *("https://news.example/?a[]=1", "tag:news.example,2026:5", "mail@item.example", "nullify"),
        "None of us",
        "undefined behaviour",
    ],
)
def test_what_only_resembles_it(text: str) -> None:
    assert not keys.is_unrendered(text)
