"""A database in which everything happened that can happen, made by the store's own commands; and files of databases."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from tertulia import transfer
from tertulia.articles import Articles
from tertulia.core.comments import Author, DiscussionKey, Mode
from tertulia.core.rules import OwnRules
from tertulia.store import Store, administration, schema
from tertulia.store.commands import Actor, ChangeDiscussion, Closing, CommandResult, PostResult
from tests.support.store_actions import START, Custom, StoreActions

NEWS = DiscussionKey("default", "river-market")
QUIET = DiscussionKey("default", "tranh-cãi/đêm")
OTHER = DiscussionKey("magazine", "river-market")
BARE = DiscussionKey("magazine", "not-yet")
CLOSES_AT = START + timedelta(days=36_500)

LAN = Author("018f0000-0000-8000-8000-00000000000a", "Nguyễn Thị Lan")
MINH = Author("018f0000-0000-8000-8000-00000000000b", "Trần Minh")
EVA = Author("018f0000-0000-8000-8000-00000000000c", "Éva O’Hára 🦆")


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite+aiosqlite:///{path}")
    store.start()
    try:
        yield store
    finally:
        await store.close()


async def exported(store: Store, articles: Path, site: str | None = None) -> Any:
    """An export, read again."""
    pieces: list[str] = []
    await transfer.export(store, Articles(articles), site, pieces.append)
    return json.loads("".join(pieces))


def dump(path: Path) -> list[str]:
    """Everything that a database holds."""
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def planted(path: Path, *statements: str) -> None:
    """Changes a database behind the back of the store."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    finally:
        connection.close()


async def many(store: Store, count: int) -> None:
    """A discussion of so many comments, and half as many answers to one of them, as if each had been said.

    The first comments are said; all others are copies of them, made in SQL: saying them would take minutes.
    """
    actions = await StoreActions(store).begin()
    first = await actions.post_comment("A comment of some words. " * 8, key=NEWS, by=LAN)
    reply = await actions.post_comment("An answer of some words. " * 8, key=NEWS, by=MINH, parent=first)
    await actions.do(Custom(partial(_multiplied, first=first.comment.id, reply=reply.comment.id, count=count)))


def _multiplied(connection: Connection, first: str, reply: str, count: int) -> CommandResult[None]:
    comment, event, discussion = schema.comment, schema.event, schema.discussion
    rows = {row["id"]: dict(row) for row in connection.execute(select(comment)).mappings()}
    logged = {row["comment_id"]: dict(row) for row in connection.execute(select(event)).mappings()}
    comments, events = [], []
    for number in range(2, count):
        source = reply if number % 3 == 0 else first
        new = f"018f{number:04x}-0000-7000-8000-00000000ffff"
        root = rows[source]["root_id"] if source == reply else new
        comments.append(
            {
                **rows[source],
                "id": new,
                "root_id": root,
                "reply_count": 0,
                "idempotency_key": f"copy-of-the-tests-{number}",
            }
        )
        said = json.loads(logged[source]["payload"])
        said["seq"] = said["comment_count"] = number + 1
        said["comment"]["id"] = new
        if source == reply:
            said["parent"]["reply_count"] = number // 3 + 1
        events.append({**logged[source], "seq": number + 1, "comment_id": new, "payload": json.dumps(said)})
    connection.execute(insert(comment), comments)
    connection.execute(insert(event), events)
    connection.execute(update(discussion).values(seq=count, comment_count=count))
    connection.execute(update(comment).where(comment.c.id == first).values(reply_count=(count - 1) // 3 + 1))
    return CommandResult(None)


async def everything(store: Store) -> dict[str, str]:
    """Every kind of change; gives the ids of comments that a test wants to find again."""
    actions = await StoreActions(store, step=timedelta(minutes=1, milliseconds=7)).begin()
    for site, origins in (
        ("default", ["https://news.example"]),
        ("magazine", ["https://a.example", "https://b.example"]),
    ):
        await actions.do(administration.AddSite(site, origins, START))
    first = await actions.post_comment("Chợ nổi **đẹp** quá!\n\n> thật không?", key=NEWS, by=LAN)
    reply = await actions.post_comment("Đúng vậy: https://news.example/cho", key=NEWS, by=MINH, parent=first)
    deep = await actions.post_comment("- one\n- two", key=NEWS, by=EVA, parent=reply)
    for said, voter, value in ((first, MINH, 1), (first, EVA, -1), (reply, LAN, 1), (reply, EVA, 1), (first, MINH, -1)):
        await actions.vote(said, Actor(voter.id), value)
    await actions.vote(reply, Actor(EVA.id), 0)
    await actions.edit(deep, author_as_actor(deep), "```py\nprint('🦆')\n```")
    gone = await actions.post_comment("I take this back", key=NEWS, by=MINH, parent=first)
    under_gone = await actions.post_comment("An answer to it", key=NEWS, by=LAN, parent=gone)
    await actions.vote(gone, Actor(LAN.id), 1)
    await actions.delete_comment(gone, author_as_actor(gone))
    removed = await actions.post_comment("Something unfit", key=NEWS, by=EVA, parent=first)
    await actions.vote(removed, Actor(LAN.id), -1)
    await actions.report(removed, Actor(EVA.id))
    await actions.edit(removed, author_as_actor(removed), "Something unfit still")
    await actions.delete_comment(removed, actions.as_moderator)
    back = await actions.post_comment("Judged too quickly", key=NEWS, by=EVA)
    await actions.delete_comment(back, actions.as_moderator)
    await actions.restore(back)
    official = await actions.post_comment("Please be kind", key=NEWS, by=actions.moderator)
    await actions.mode(Mode.held, NEWS)
    waiting = await actions.post_comment("May I?", key=NEWS, by=MINH, parent=deep)
    await actions.edit(waiting, author_as_actor(waiting), "May I, please?")
    approved = await actions.post_comment("I may", key=NEWS, by=LAN, parent=official)
    await actions.approve(approved)
    rejected = await actions.post_comment("Rejected before anybody saw it", key=NEWS, by=LAN)
    await actions.delete_comment(rejected, actions.as_moderator)
    withdrawn = await actions.post_comment("Withdrawn before anybody saw it", key=NEWS, by=EVA)
    await actions.delete_comment(withdrawn, author_as_actor(withdrawn))
    late = await actions.post_comment("Rejected, then let in", key=NEWS, by=EVA, parent=official)
    await actions.delete_comment(late, actions.as_moderator)
    await actions.restore(late)
    await actions.post_comment("Một mình", key=QUIET, by=LAN)
    await actions.mode(Mode.closed, QUIET)
    elsewhere = await actions.post_comment("Another site", key=OTHER, by=MINH)
    await actions.post_comment("An answer there", key=OTHER, by=LAN, parent=elsewhere)
    await actions.mode(Mode.held, BARE)
    await actions.do(ChangeDiscussion(QUIET, actions.now(), rules={"who": "nobody"}, closing=Closing(CLOSES_AT)))
    await actions.do(administration.ChangeSiteRules(OTHER.site, lambda _: OwnRules({"who": "members"}), START))
    found = {
        "first": first, "reply": reply, "deep": deep, "gone": gone, "under_gone": under_gone, "removed": removed,
        "back": back, "official": official, "waiting": waiting, "approved": approved, "rejected": rejected,
        "withdrawn": withdrawn, "late": late, "elsewhere": elsewhere,
    }  # fmt: skip
    return {name: said.comment.id for name, said in found.items()}


def author_as_actor(result: PostResult) -> Actor:
    return Actor(result.comment.author.id)
