"""Nobody is called as a moderator is, or alike: guests, members, the form without scripts; at every instance."""

from __future__ import annotations

from itertools import product
from typing import Any

import httpx
import jwt
import pytest

from tertulia.discussions import names
from tertulia.discussions.badges import Badges
from tertulia.identity import Tokens, utc_now
from tertulia.languages import every
from tertulia.protocol import API
from tertulia.settings import Settings, secret_key
from tertulia.store import queries
from tests.api.app import App, add_moderator, bearer, new_key, opened

SENTENCE = "This name, or one that looks like it"


@pytest.mark.parametrize("name", ["Mai", "mai", "Маi", "M\u200da i", "★ Mai", "MAl"])
async def test_a_guest_is_not_called_as_a_moderator(app: App, name: str) -> None:
    answer = await app.post_comment(name=name)
    assert answer.status_code == 409
    assert answer.json()["code"] == "name_taken"
    assert answer.json()["field"] == "author.name"
    assert answer.json()["detail"].startswith(SENTENCE)
    assert (await app.snapshot())["comments"] == []


async def test_nor_by_the_name_of_an_office(app: App) -> None:
    for name in ("Admin", "ADMlN", "Mоderator", "Biên tập viên", "Редактор", "管理员"):
        assert (await app.post_comment(name=name)).json()["code"] == "name_taken"
    for name in ("Edita", "Ed", "Maya", "Lan Mai", "Mai Lan"):
        assert (await app.post_comment(name=name)).status_code == 201


async def test_a_guest_who_is_known_has_to_choose_another(app: App) -> None:
    token = await app.guest("Lan")
    assert (await app.post_comment(name="Mai", token=token)).json()["code"] == "name_taken"
    assert (await app.post_comment(token=token)).status_code == 201


async def test_signs_that_look_like_a_badge_are_taken_out(app: App) -> None:
    posted = await app.posted(name="Lan ✓")
    assert posted["comment"]["author"]["name"] == "Lan"
    assert (await app.snapshot(token=posted["token"]))["viewer"]["name"] == "Lan"
    nobody = await app.post_comment(name="✓ ★")
    assert (nobody.json()["code"], nobody.json()["field"]) == ("empty", "author.name")


async def test_members_share_names_but_not_with_a_moderator(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """And the log says once that tokens of members with the server's own key come to an end."""

    def member(name: str) -> str:
        claims = jwt.decode(
            Tokens(key).issue(new_key(), name, "default", utc_now()), options={"verify_signature": False}
        )
        return jwt.encode(claims | {"member": True}, key, algorithm="HS256")

    async with opened(settings) as app:
        key = secret_key(settings)
        for name, status in (("Lan", 201), ("Lan", 201), ("Mai", 409), ("Admin", 409)):
            assert (await app.post_comment(token=member(name))).status_code == status
        starred = await app.posted(token=member("Lan ★"))
        assert starred["comment"]["author"]["name"] == "Lan"
    assert len([line for line in caplog.records if "signs with the key of the server" in line.message]) == 1


async def test_the_moderator_is(app: App) -> None:
    posted = await app.posted(token=app.tokens["moderator"])
    assert posted["comment"]["author"]["name"] == "Mai"


async def test_a_moderator_who_is_added_counts_when_the_names_are_read_again(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0

    async def moderators() -> list[str]:
        nonlocal reads
        reads += 1
        return await app.server.store.read(queries.moderators)

    checked = names.Names(moderators, Badges(app.server.store.bound(queries.site_badges)))
    for _ in range(3):
        await checked.check("Lan", "default")
    assert reads == 1
    await add_moderator(app.server, "Lan")
    monkeypatch.setattr(names, "FRESH_SECONDS", -1.0)
    with pytest.raises(Exception, match="name_taken"):
        await checked.check("Lan", "default")


async def test_what_was_said_before_keeps_its_name_and_can_be_changed(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "FRESH_SECONDS", -1.0)
    posted = await app.posted(name="Lan")
    await add_moderator(app.server, "Lan")
    assert (await app.post_comment(token=posted["token"])).json()["code"] == "name_taken"
    assert (await app.post_comment(token=posted["token"], name="Lan Anh")).status_code == 201
    path = f"{API}/comments/{posted['comment']['id']}"
    changed = await app.client.patch(path, json={"body": "Better."}, headers=bearer(posted["token"]))
    assert changed.json()["comment"]["author"]["name"] == "Lan"


async def test_the_refusal_is_in_the_readers_language_and_in_the_form(app: App) -> None:
    body: dict[str, Any] = {"key": "talk", "body": "x", "author": {"name": "Mai"}}
    for tag, language in every().items():
        headers = {"Idempotency-Key": new_key(), "Accept-Language": tag}
        answer = await app.client.post(f"{API}/comments", json=body, headers=headers)
        if tag != "en":
            assert answer.json()["detail"] == language.translate("problem.name_taken")
    transport = httpx.ASGITransport(app.server.asgi)
    async with httpx.AsyncClient(transport=transport, base_url="http://news.test") as client:
        page = await client.post("/d?key=talk", data={"name": "Mai", "body": "Hello.", "nonce": "n" * 20})
    assert page.status_code == 409
    assert every()["en"].translate("problem.name_taken") in page.text
    assert 'aria-invalid="true"' in page.text


def _variants(name: str) -> set[str]:
    """The name as somebody writes it who wants to be taken for its bearer."""
    homoglyphs = {
        "O": "ОΟ0Ｏ𝐎𝑂𝒪Ⓞ🅞ⲞՕ", "o": "оοօ०ｏ𝐨ℴⓞ𐐬", "l": "1I|ｌ𝐥ⅼⓛӏ∣", "i": "іıⅰｉ𝐢ℹⓘɩ", "v": "ѵνⅴｖ𝐯ⓥ∨", "a": "аɑαａ𝐚ⓐ⍺",
        "N": "ΝＮ𝐍Ⓝℕ🅝", "g": "ɡցｇ𝐠ⓖℊ", "u": "υսｕ𝐮ⓤʋ", "y": "уγｙ𝐲ⓨү", "e": "еｅ𝐞ⓔℯҽ", "n": "ոｎ𝐧ⓝ",
    }  # fmt: skip
    invisible = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u034f\u061c\u2061\u2062\u2063\u2064\ufe0f\ufe00\u3164\u115f"
    marks = (
        "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u0309\u030a\u030c\u0323\u0327\u0328\u0331\u0335\u0336\u20dd"
    )
    signs = "✓✔✅☑★☆⭐🛡√✩✪✯🌟"
    at = [index for index, letter in enumerate(name) if letter in homoglyphs]
    found = {name[:index] + other + name[index + 1 :] for index in at for other in homoglyphs[name[index]]}
    found |= {name[: index + 1] + mark + name[index + 1 :] for index in at[1:4] for mark in marks}
    found |= {name[: index + 1] + sign + name[index + 1 :] for index in at[:2] for sign in invisible}
    found |= {f"{name} {sign}" for sign in signs} | {f"{sign}{name}" for sign in signs}
    found |= {f"{name}{sign}\ufe0f" for sign in signs}
    return found | {
        name.upper(),
        name.lower(),
        name.swapcase(),
        f"  {name}  ",
        name.replace(" ", ""),
        f"{name}.",
        f"“{name}”",
    }


async def test_two_hundred_ways_to_look_like_a_moderator_are_refused(app: App) -> None:
    """E12."""
    await add_moderator(app.server, "Olivia Nguyen")
    variants = sorted(_variants("Olivia Nguyen"))
    assert len(variants) >= 200
    passed = [name for name in variants if (await app.post_comment(name=name)).status_code != 409]
    assert passed == []


NAMES = {
    "ar": (
        "محمد أحمد فاطمة علي خديجة يوسف مريم عمر زينب حسن",
        "العلي حسين المصري الخطيب حداد منصور صالح عباس النجار سليمان",
    ),
    "de": (
        "Anna Jürgen Käthe Lukas Sophie Björn Heike Günter Maria Jan",
        "Müller Weiß Schröder Köhler Groß Huber Krüger Lang Vogt Böhm",
    ),
    "en": (
        "Ed Olive Oliver Edith Adam Mina Will Emma Illa Jo",
        "Smith O’Brien Staffer Edison Admiral Modena Jones Lee Hall Mayer",
    ),
    "es": (
        "José María Íñigo Begoña Lucía Ángel Sofía Iván Ana Raúl",
        "Núñez Gómez Muñoz Ibáñez López Peña Ruiz García Vega Ochoa",
    ),
    "fr": (
        "Zoé François Hélène Noël Chloé Gaëlle Léa Luc Anaïs Rémi",
        "Lefèvre Dupré Hébert Garçon Lévêque Moreau Noir Petit Roy Béranger",
    ),
    "id": (
        "Budi Siti Agus Dewi Putri Joko Rina Wayan Made Tri",
        "Santoso Wijaya Lestari Hidayat Kusuma Siregar Saputra Nasution Halim Utami",
    ),
    "ja": (
        "太郎 花子 健 さくら 翔太 陽菜 一郎 美咲 ケン エミ",
        "佐藤 鈴木 高橋 田中 伊藤 山本 渡辺 中村 小林 加藤",
    ),
    "ko": (
        "민준 서연 지훈 하은 도윤 수빈 영희 철수 은지 준호",
        "김 이 박 최 정 강 조 윤 장 임",
    ),
    "pt": (
        "João Inês Conceição Luís Antônio Mônica Tiago Beatriz Íris Caio",
        "Simões Gonçalves Araújo Magalhães Conceição Leão Silva Souza Paixão Brandão",
    ),
    "ru": (
        "Иван Ольга Семён Пётр Елена Артём Юлия Фёдор Зоя Илья",
        "Иванов Соловьёв Кузнецова Морозов Попова Щербаков Цой Жуков Ершова Быков",
    ),
    "vi": (
        "Lan Minh Hoa Đức Hương Tuấn Ngọc Phượng Quân Thảo",
        "Nguyễn Trần Lê Phạm Hoàng Vũ Đặng Bùi Đỗ Hồ",
    ),
    "zh": (
        "伟 芳 娜 秀英 敏 静 丽 强 磊 军",
        "王 李 张 刘 陈 杨 赵 黄 周 吴",
    ),
}  # fmt: skip


async def test_a_thousand_names_of_people_are_accepted(app: App) -> None:
    """E12, beside moderators with names of several of these languages."""
    for name in ("Olivia Nguyen", "Иван Петров", "管理太郎", "Mai Trần"):
        await add_moderator(app.server, name)
    people = [
        family + given if tag in ("ja", "ko", "zh") else f"{family} {given}" if tag == "vi" else f"{given} {family}"
        for tag, (given_names, families) in NAMES.items()
        for given, family in product(given_names.split(), families.split())
    ]
    assert len(people) == 1200
    refused = [name for name in people if (await app.post_comment(name=name)).status_code != 201]
    assert refused == []
