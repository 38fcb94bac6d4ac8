"""Programs of a site, each with a token: what it opens, where it ends, and who the log says did it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tertulia.checks import check
from tertulia.core.scopes import TokenScope
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import token_hash, utc_now
from tertulia.identity.keys import Algorithm
from tertulia.protocol import API
from tertulia.store import Store, administration, schema
from tertulia.store.actions import OPERATOR, Verb
from tertulia.store.commands import Act, AsProgram, DecideComment, Deed, RemoveSiteToken
from tertulia.store.programs import program_of
from tertulia.web.operations import Operation
from tests.api.app import DOCUMENT, OPERATIONS, add_moderator, add_program, bearer, named, new_key
from tests.people.commands import Instance, claims, instance
from tests.support.issuers import SigningServer

DOCS = Path(__file__).parents[2] / "docs"


@asynccontextmanager
async def two(database: str, folder: Path) -> AsyncIterator[tuple[Instance, Instance]]:
    async with instance(database, folder / "a") as here, instance(database, folder / "b") as there:
        yield here, there


async def ask(one: Instance, method: str, path: str, token: str | None = None, **more: Any) -> httpx.Response:
    headers = {"Idempotency-Key": new_key()} | (bearer(token) if token else {})
    return await one.client.request(method, f"{API}{path}", headers=headers, **more)


async def waiting(one: Instance, count: int, site: str = "default") -> list[str]:
    """The ids of new comments that wait for approval."""
    moderator = await add_moderator(one.running, f"Mai {new_key()}")
    held = await ask(one, "PATCH", f"/discussion?site={site}&key=talk", moderator, json={"mode": "held"})
    assert held.status_code == 200, held.text
    said = {"site": site, "key": "talk", "body": "May I?", "author": {"name": "Lan"}}
    return [(await ask(one, "POST", "/comments", json=said)).json()["comment"]["id"] for _ in range(count)]


async def deeds(one: Instance, *left_out: Verb) -> list[tuple[str, str, str | None]]:
    found = sorted(await one.rows(schema.action), key=lambda row: row["id"])
    verbs = {Verb.add_token, Verb.grant, Verb.add_issuer, *left_out}
    return [(row["actor"], row["verb"], row["comment_id"]) for row in found if row["verb"] not in verbs]


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_program_moderates_and_the_log_says_so(
    database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "tertulia")
    async with two(database, tmp_path) as (here, there):
        first, second = await waiting(here, 2)
        made = await here.command("site", "token", "default", "cms", "--scopes", "moderate,read,discussions")
        token = made.stdout.splitlines()[-1]
        listed = await ask(there, "GET", "/moderation/held", token)
        assert [one["comment"]["id"] for one in listed.json()["comments"]] == [first, second]
        for method, path, body in (
            ("POST", f"/comments/{first}/approve", None),
            ("PATCH", f"/comments/{first}", {"body": "You may."}),
            ("PATCH", f"/comments/{first}", {"body": "You may."}),
            ("DELETE", f"/comments/{first}", None),
            ("POST", f"/comments/{first}/restore", None),
            ("DELETE", f"/comments/{second}", None),
            ("PATCH", "/discussion?key=talk", {"mode": "closed", "title": "Talk"}),
            ("PATCH", "/discussion?key=talk", {"mode": "closed"}),
        ):
            answer = await ask(there, method, path, token, json=body)
            assert answer.status_code == 200, (path, answer.text)
        snapshot = (await ask(there, "GET", "/discussion?key=talk", token)).json()
        assert [one["state"] for one in snapshot["comments"]] == ["visible"]
        viewer = snapshot["viewer"]
        assert (viewer["name"], viewer["kind"], viewer["moderator"]) == ("token cms", "staff", True)
        acts = ["approve", "edit", "remove", "restore", "remove"]
        expected = [(f"comment.{act}", first if n < 4 else second) for n, act in enumerate(acts)]
        changes = [("token cms", *one) for one in [*expected, ("discussion.change", None)]]
        by_token = [deed for deed in await deeds(here) if deed[0] == "token cms"]
        assert by_token == changes, "what changes nothing is no decision"
        by_moderator, changed = [row for row in await here.rows(schema.action) if row["verb"] == "discussion.change"]
        assert (by_moderator["actor_id"] is not None, by_moderator["data"]["mode"]) == (True, ["open", "held"])
        assert (changed["actor_id"], changed["data"]) == (
            None,
            {"changed": ["mode", "title"], "mode": ["held", "closed"]},
        )
        assert changed["discussion_id"] is not None
        told = {vars(record)["by"] for record in caplog.records if record.getMessage() == "moderation"}
        assert "token cms" in told
        assert await check(here.running.store) == []


async def test_a_token_opens_nothing_at_another_site(database: str, tmp_path: Path) -> None:
    async with instance(database, tmp_path) as one:
        await one.running.store.write(administration.AddSite("second", [], utc_now()))
        [theirs] = await waiting(one, 1, "second")
        token = await add_program(one.running, "cms", *TokenScope)
        before = await one.rows(schema.comment)
        for method, path, body in (
            ("POST", f"/comments/{theirs}/approve", None),
            ("POST", f"/comments/{theirs}/restore", None),
            ("PATCH", f"/comments/{theirs}", {"body": "Mine."}),
            ("DELETE", f"/comments/{theirs}", None),
            ("GET", "/moderation/held?site=second", None),
            ("GET", "/moderation/reports?site=second", None),
            ("GET", "/discussion?site=second&key=talk", None),
            ("GET", "/comments?site=second&key=talk", None),
            ("PATCH", "/discussion?site=second&key=talk", {"mode": "open"}),
        ):
            assert code(await ask(one, method, path, token, json=body)) == (403, "forbidden"), path
        assert await one.rows(schema.comment) == before


async def test_a_token_that_was_removed_is_refused_at_once_by_every_instance(database: str, tmp_path: Path) -> None:
    async with two(database, tmp_path) as (here, there):
        first, second = await waiting(here, 2)
        token = await add_program(here.running, "cms", *TokenScope)
        store = there.running.store
        known = await store.read(program_of, token_hash(token))
        assert (await ask(there, "POST", f"/comments/{first}/approve", token)).status_code == 200
        removed = await here.command("site", "token", "default", "cms", "--remove")
        assert removed.exit_code == 0, removed.output
        for path in (f"/comments/{second}/approve", f"/comments/{first}/restore"):
            assert code(await ask(there, "POST", path, token)) == (401, "unauthenticated")
        assert code(await ask(there, "GET", "/moderation/held", token)) == (401, "unauthenticated")
        deed = Deed(TokenScope.moderate, Verb.approve_comment)
        with pytest.raises(Problem) as refused:  # as if it had been read before it was removed
            await store.write(AsProgram(known.id, deed, DecideComment(second, Act.approve, None, utc_now()), utc_now()))
        assert refused.value.code is ErrorCode.unauthenticated
        states = {row["id"]: row["state"] for row in await here.rows(schema.comment)}
        assert states == {first: "visible", second: "held"}


async def test_a_token_of_the_same_name_is_another_one(database: str, tmp_path: Path) -> None:
    async with instance(database, tmp_path) as one:
        old = await add_program(one.running, "cms", "read")
        await one.running.store.write(RemoveSiteToken(OPERATOR, "default", "cms", utc_now()))
        await add_program(one.running, "cms", "read")
        assert code(await ask(one, "GET", "/moderation/held", old)) == (401, "unauthenticated")


async def test_who_uses_no_such_token_pays_nothing(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    read = Store.read

    async def noting(store: Store, query: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(query.__name__)
        return await read(store, query, *args, **kwargs)

    async with instance(database, tmp_path) as one:
        [held] = await waiting(one, 1)
        moderator = await add_moderator(one.running, "Hoa")
        monkeypatch.setattr(Store, "read", noting)
        assert (await ask(one, "POST", f"/comments/{held}/approve", moderator)).status_code == 200
        assert (await ask(one, "PATCH", f"/comments/{held}", moderator, json={"body": "Yes."})).status_code == 200
    assert {"program_of", "check_program"}.isdisjoint(asked)
    assert "moderator_at" in asked


# ---- accounts that were closed --------------------------------------------------------------------------


async def test_who_closes_an_account_signs_out_everywhere(database: str, tmp_path: Path) -> None:
    signer = SigningServer(Algorithm.ES256)
    async with two(database, tmp_path) as (here, there):
        await here.add_issuer(signer, tmp_path)
        subject = "auth0|Lan/4711 ệ"
        opened = [await one.exchange(signer.token(claims(sub=subject))) for one in (here, there)]
        sessions = [answer.json()["token"] for answer in opened]
        other = (await here.exchange(signer.token(claims(sub="auth0|Lan", name="Minh")))).json()["token"]
        token = await add_program(here.running, "accounts", "people")
        path = "/people/website/auth0%7CLan%2F4711%20%E1%BB%87/sessions"
        answer = await ask(there, "DELETE", path, token)
        assert (answer.status_code, answer.content) == (204, b"")
        for one in (here, there):
            for session in sessions:
                assert (await one.say(session)).status_code == 401
            assert (await one.say(other)).status_code == 201, "another account stays"
        assert (await ask(here, "DELETE", path, token)).status_code == 204
        assert (await ask(here, "DELETE", "/people/website/nobody/sessions", token)).status_code == 204
        rows = [row for row in await here.rows(schema.action) if row["verb"] == Verb.end_sessions]
        assert [(row["actor"], row["data"]) for row in sorted(rows, key=lambda row: row["id"])] == [
            ("token accounts", {"ended": 2}),
            ("token accounts", {"ended": 0}),
        ]
        assert {row["author_id"] for row in rows} == {opened[0].json()["viewer"]["id"]}
        again = (await here.exchange(signer.token(claims(sub=subject)))).json()["token"]
        assert (await there.say(again)).status_code == 201, "who is signed in anew is"


async def test_the_account_of_another_site_stays(database: str, tmp_path: Path) -> None:
    signer = SigningServer(Algorithm.ES256)
    async with instance(database, tmp_path) as one:
        await one.add_issuer(signer, tmp_path)
        session = (await one.exchange(signer.token(claims()))).json()["token"]
        await one.running.store.write(administration.AddSite("second", [], utc_now()))
        token = await add_program(one.running, "accounts", "people", site="second")
        assert code(await ask(one, "DELETE", "/people/website/4711/sessions", token)) == (404, "not_found")
        assert (await one.say(session)).status_code == 201


# ---- what the documents say -----------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["protocol.md", "staff.md"])
def test_the_table_of_scopes_says_which_operations_each_opens(page: str) -> None:
    lines = (DOCS / page).read_text("utf-8").splitlines()
    begin = lines.index("| scope | opens |") + 2
    rows = [re.findall(r"`([^`]+)`", line) for line in lines[begin : begin + len(TokenScope)]]
    told = {scope: set(operations) for scope, *operations in rows}
    opened = {
        scope.value: {named(one).replace(":path}", "}") for one in OPERATIONS if one.scope is scope}
        for scope in TokenScope
    }
    assert told == opened


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_the_description_names_the_scope(operation: Operation) -> None:
    described = DOCUMENT["paths"][operation.path.replace(":path}", "}")][operation.method.lower()]
    named_scopes = [one["siteToken"] for one in described.get("security", []) if "siteToken" in one]
    assert named_scopes == ([] if operation.scope is None else [[operation.scope]])
    assert "siteToken" in DOCUMENT["components"]["securitySchemes"]
