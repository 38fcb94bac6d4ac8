"""Nobody is called as a moderator is, or alike: guests, members, the form without scripts; at every instance."""

from __future__ import annotations

from typing import Any

import httpx
import jwt
import pytest

from tertulia.discussions import names
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


async def test_members_share_names_but_not_with_a_moderator(settings: Settings) -> None:
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

    checked = names.Names(moderators)
    for _ in range(3):
        await checked.check("Lan")
    assert reads == 1
    await add_moderator(app.server, "Lan")
    monkeypatch.setattr(names, "FRESH_SECONDS", -1.0)
    with pytest.raises(Exception, match="name_taken"):
        await checked.check("Lan")


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
