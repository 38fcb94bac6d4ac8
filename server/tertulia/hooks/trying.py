"""Asking a hook about a made-up comment, for whoever sets it up."""

from __future__ import annotations

from tertulia.core import documents
from tertulia.core.comments import Author, Comment, Discussion, DiscussionKey, State
from tertulia.core.hooks import Judgement
from tertulia.core.ids import uuid7
from tertulia.core.rules import Trust
from tertulia.hooks.asking import Question
from tertulia.hooks.checking import askers
from tertulia.identity import utc_now
from tertulia.identity.sealing import Sealing
from tertulia.outgoing import Outgoing
from tertulia.store import queries
from tertulia.store.commands import CheckedText
from tertulia.store.hooks import Hook

TEXT = "This is a comment of nobody, to see whether the check answers."


async def trying(outgoing: Outgoing, sealing: Sealing, hook: Hook) -> Judgement:
    """What it says. Raises HookError."""
    question = _made_up(hook.site)
    return await askers(outgoing, sealing)[hook.kind].ask(hook, question, hook.config.seconds)


def _made_up(site: str) -> Question:
    now, author = utc_now(), Author(uuid7(), "Nobody")
    comment = Comment(
        id=uuid7(),
        discussion_id=0,
        parent_id=None,
        root_id="",
        author=author,
        text=TEXT,
        body=documents.parse(TEXT),
        created_at=now,
        edited_at=None,
        state=State.visible,
        up=0,
        down=0,
        reply_count=0,
        pinned=False,
    )
    about = queries.ToCheck(
        comment=comment,
        discussion=Discussion(DiscussionKey(site, "a-test-of-the-hook")),
        author=queries.AuthorFacts(author.id, author.name, "guest", now, shown=0, removed=0),
        trust=Trust.new,
        parent=None,
        origin=None,
        hooks=[],
        age=0,
        now=0,
    )
    return Question(CheckedText(comment.id, version=1, edited=0), about, is_test=True)
