"""The catalogue is whole: every language says everything, in every form, with every placeholder."""

from __future__ import annotations

import json
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from tertulia import languages
from tertulia.core.text import NAME_LENGTH, TEXT_LENGTH
from tertulia.languages import CLIENT_GROUPS, TAGS, Language, Sentence, accepted, every, find
from tests.languages.node import evaluate

ENGLISH = every()["en"]
LANGUAGES = list(every().values())
CLIENT = Path(__file__).parents[2] / "client" / "src"
WRITTEN_BY_BUILD = {"sentences.js", "writingSentences.js", "reportingSentences.js"}
FEW_NUMBERS = range(2000)
# Latin digits in Arabic, on pages as in the client
INTL_TAGS = {"ar": "ar-u-nu-latn"}
# what is the same word in both languages: Name, Link, Discussion …
SAME_AS_ENGLISH_AT_MOST = 6


@pytest.fixture(params=LANGUAGES, ids=lambda one: one.tag)
def language(request: pytest.FixtureRequest) -> Language:
    found: Language = request.param
    return found


def forms(sentence: Sentence) -> list[str]:
    return [sentence] if isinstance(sentence, str) else list(sentence.values())


def placeholders(form: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(form) if name is not None}


def all_forms(language: Language) -> Iterator[tuple[str, str]]:
    for key, sentence in language.texts.items():
        for form in forms(sentence):
            yield key, form


def test_every_file_is_a_language_and_says_nothing_twice() -> None:
    found = {file.name for file in files("tertulia.languages").iterdir() if file.name.endswith(".json")}
    assert found == {f"{tag}.json" for tag in TAGS}
    for one in LANGUAGES:
        assert sum(map(len, one.groups.values())) == len(one.texts), "a key is in two groups"


def test_every_language_has_the_same_keys_in_the_same_order(language: Language) -> None:
    for group, sentences in ENGLISH.groups.items():
        assert list(language.groups[group]) == list(sentences)


def test_a_key_is_written_once_and_nothing_is_unknown(language: Language) -> None:
    text = (files("tertulia.languages") / f"{language.tag}.json").read_text("utf-8")

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert [name for name, count in Counter(name for name, _ in pairs).items() if count > 1] == []
        return dict(pairs)

    known = {"language", "direction", "draft", "numbers", "dates", "job_titles", *ENGLISH.groups}
    assert json.loads(text, object_pairs_hook=unique).keys() <= known


def test_what_depends_on_a_number_has_every_form_that_the_language_needs(language: Language) -> None:
    for key, sentence in ENGLISH.texts.items():
        found = language.texts[key]
        if isinstance(sentence, str) or language.rule.categories == ("other",):
            assert isinstance(found, str), key
        else:
            assert not isinstance(found, str), key
            assert tuple(found) == language.rule.categories, key


def test_every_form_has_the_placeholders(language: Language) -> None:
    """Only where a form is for one number alone it may say so in words: "Someone is writing…"."""
    numbers = Counter[str](language.rule.of(n) for n in FEW_NUMBERS)
    for key, sentence in ENGLISH.texts.items():
        wanted = placeholders(forms(sentence)[-1])
        found = language.texts[key]
        for category, form in [("other", found)] if isinstance(found, str) else found.items():
            optional = {"n"} if numbers[category] == 1 else set()
            assert wanted - optional <= placeholders(form) <= wanted, (key, category)


def test_texts_are_clean(language: Language) -> None:
    for key, form in all_forms(language):
        assert form, key
        assert form == form.strip(), key
        assert form == unicodedata.normalize("NFC", form), key
        assert not re.search(r"[\u2000-\u200a\u2028\u2029\u205f\u3000\ufeff\t\n]|\s\s|TODO|XXX|\ufffd", form), key
        assert not [sign for sign in form if unicodedata.category(sign) in ("Cc", "Cf", "Co", "Cn")], key


def test_a_translation_is_translated(language: Language) -> None:
    if language is ENGLISH:
        return
    same = [key for key, sentence in language.texts.items() if forms(sentence)[-1] == forms(ENGLISH.texts[key])[-1]]
    assert len(same) <= SAME_AS_ENGLISH_AT_MOST, same


def test_a_name_begins_with_the_word_that_is_seen(language: Language) -> None:
    """Who speaks to a browser says what is on the button (WCAG 2.5.3)."""
    for seen, named in (("reply", "reply_to"), ("more_actions", "more_actions_for")):
        assert language.translate(named, name="Lan").startswith(language.translate(seen)), named


def test_the_limit_that_is_told_is_the_limit(language: Language) -> None:
    for key in ("problem.too_long", "problem.too_large"):
        assert language.numbers.write(TEXT_LENGTH) in language.translate(key), key
    assert str(NAME_LENGTH) in language.translate("problem.long_name")


def test_numbers_are_written_as_intl_writes_them(language: Language) -> None:
    numbers = [0, 7, 999, 1000, 1234, 9999, 10_000, 123_456, 1_234_567, 10**9]
    script = "({tag, numbers}) => numbers.map((n) => new Intl.NumberFormat(tag).format(n))"
    told = evaluate(script, {"tag": INTL_TAGS.get(language.tag, language.tag), "numbers": numbers})
    assert [language.numbers.write(n) for n in numbers] == told


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("ar", "9 مارس 2026"),
        ("de", "9. März 2026"),
        ("en", "9 March 2026"),
        ("es", "9 de marzo de 2026"),
        ("fr", "9 mars 2026"),
        ("id", "9 Maret 2026"),
        ("ja", "2026年3月9日"),
        ("ko", "2026년 3월 9일"),
        ("pt", "9 de março de 2026"),
        ("ru", "9 марта 2026 г."),
        ("vi", "9 tháng 3, 2026"),
        ("zh", "2026年3月9日"),
    ],
)
def test_a_date_is_written_out(tag: str, written: str) -> None:
    dates = every()[tag].dates
    assert dates.write(date(2026, 3, 9)) == written
    assert len({dates.write(date(2026, month, 9)) for month in range(1, 13)}) == 12
    assert len(dates.months) in (0, 12)


def test_months_have_the_names_of_intl(language: Language) -> None:
    script = """(tag) => [...Array(12).keys()].map((month) => new Intl.DateTimeFormat(tag, {
        day: 'numeric', month: 'long', year: 'numeric', calendar: 'gregory',
    }).formatToParts(new Date(2026, month, 15)).find((part) => part.type === 'month').value)"""
    if language.dates.months:
        assert list(language.dates.months) == evaluate(script, language.tag)


def test_the_form_is_that_of_the_number() -> None:
    assert [ENGLISH.translate("comment_count", n=n) for n in (0, 1, 1234)] == [
        "0 comments",
        "1 comment",
        "1,234 comments",
    ]
    russian = [every()["ru"].translate("comment_count", n=n) for n in (1, 3, 5, 21, 112)]
    assert russian == ["1 комментарий", "3 комментария", "5 комментариев", "21 комментарий", "112 комментариев"]
    arabic = [every()["ar"].translate("comment_count", n=n) for n in (0, 1, 2, 3, 11, 100)]
    assert arabic == ["لا تعليقات", "تعليق واحد", "تعليقان", "3 تعليقات", "11 تعليقًا", "100 تعليق"]
    assert every()["vi"].translate("comment_count", n=1) == "1 bình luận"
    assert every()["fr"].translate("comment_count", n=0) == "0 commentaire"
    assert every()["es"].translate("comment_count", n=10**6) == "1.000.000 de comentarios"


@pytest.mark.parametrize(
    ("key", "values", "said"),
    [
        ("slow_down", {"n": 33}, "You're posting quickly. This will be sent automatically in 33 seconds."),
        ("slow_down", {"n": 1}, "You're posting quickly. This will be sent automatically in 1 second."),
        ("queued", {}, "Waiting for a connection. This will be sent automatically."),
        ("readers", {"n": 1}, "1 reader"),
        ("readers", {"n": 2}, "2 readers"),
        ("too_long", {"n": 100}, "Your comment is 100 characters too long."),
        ("no_match", {}, "No comments match."),
        ("reason_illegal", {}, "Illegal content"),
        ("text_help", {}, "You can use *emphasis*, **strong text**, > quotes, - lists and links."),
    ],
)
def test_english_is_what_an_editor_would_print(key: str, values: dict[str, int], said: str) -> None:
    assert ENGLISH.translate(key, **values) == said


def test_what_is_filled_in_is_not_read_again() -> None:
    assert ENGLISH.translate("reply_to", name="{n} {name}") == "Reply to {n} {name}"
    with pytest.raises(KeyError):
        ENGLISH.translate("comment_count")
    with pytest.raises(KeyError):
        ENGLISH.translate("nothing of the kind")


def test_a_tag_leads_to_its_language() -> None:
    for tag in ("vi", "vi-VN", "VI", "vi-Latn-VN"):
        assert find(tag) is every()["vi"]
    for tag in ("", "tlh", "vie", "v", "-vi", "english"):
        assert find(tag) is None
    assert languages.language("tlh", "vi").tag == "vi"
    assert languages.language("en-GB", "vi").tag == "en"
    assert languages.language("tlh", "tlh").tag == "en"


def test_the_direction_is_that_of_the_letters(language: Language) -> None:
    signs = {unicodedata.bidirectional(sign) for _, form in all_forms(language) for sign in form}
    assert (language.direction == "rtl") == bool(signs & {"R", "AL"})


def test_every_sentence_of_the_client_is_said() -> None:
    """By its name, or by one that is put together; of those of pages, test_sentences.py says so."""
    code = "\n".join(file.read_text() for file in CLIENT.rglob("*.js") if file.name not in WRITTEN_BY_BUILD)
    made = tuple(re.findall(r"`(\w+_)\$\{", code))
    sentences = [key for group in CLIENT_GROUPS for key in ENGLISH.groups[group]]
    assert [key for key in sentences if not re.search(rf"\b{key}\b", code) and not key.startswith(made)] == []


def test_names_and_drafts() -> None:
    assert len({one.name for one in LANGUAGES}) == len(LANGUAGES)
    assert {one.tag for one in LANGUAGES if not one.is_draft} >= {"en", "vi"}


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("", "en"),
        ("vi", "vi"),
        ("vi-VN,vi;q=0.9,en;q=0.8", "vi"),
        ("en;q=0.5, FR-CA ;q=0.8", "fr"),
        ("tlh, de;q=0.1", "de"),
        ("RU;Q=0.1,\tVI ; q=0.2", "vi"),
        ("de;q=0, ru;q=0.001", "ru"),
        ("de;q=2", "en"),
        ("de;q=nan, *", "en"),
        (";;,,;q=,-", "en"),
        (",".join(["xx"] * 20) + ",vi", "en"),
    ],
)
def test_the_language_that_a_browser_prefers(header: str, tag: str) -> None:
    assert accepted(header).tag == tag
