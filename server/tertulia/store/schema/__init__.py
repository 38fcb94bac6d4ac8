"""The tables. Times are milliseconds since 1970 in UTC; migrations/ makes what stands here.

site ──< discussion ──< comment ──< vote, report
             │     │       └── thread: how many replies stand below a top-level comment
     │     └──< key_alias: other keys that lead to it
                   └──< event (discussion, seq): the log; payload is the event's ready JSON
author ──< comment;  moderator is an author with a token;  taken_name: what its name looks like
   └──< identity: by which issuer's word;  session;  grant: a role at a site;  contact: an address, sealed
site ──< issuer, signin, signin_code, challenge: ways in;  site_token: programs;  spent_token: what was good once
review: what waits for a moderator, and what came of it;  ban: who may not write;  word: what is not said at a site
origin: where a comment came from, keyed;  hook: who is asked from outside;  verdict: what one of them said
action: who decided what, never changed
task: work that waits to be done;  cursor: how far each follower of the log has come in a discussion
search_entry: what the search knows of a comment
"""

from tertulia.store.schema.base import complete_for_postgresql, metadata
from tertulia.store.schema.discussions import (
    author,
    comment,
    cursor,
    discussion,
    event,
    key_alias,
    meta,
    moderator,
    report,
    search_entry,
    site,
    taken_name,
    task,
    thread,
    vote,
)
from tertulia.store.schema.moderating import CUTTING, action, ban, hook, origin, review, verdict, word
from tertulia.store.schema.people import (
    challenge,
    contact,
    grant,
    identity,
    issuer,
    session,
    signin,
    signin_code,
    site_token,
    spent_token,
)

__all__ = [
    "CUTTING",
    "action",
    "author",
    "ban",
    "challenge",
    "comment",
    "complete_for_postgresql",
    "contact",
    "cursor",
    "discussion",
    "event",
    "grant",
    "hook",
    "identity",
    "issuer",
    "key_alias",
    "meta",
    "metadata",
    "moderator",
    "origin",
    "report",
    "review",
    "search_entry",
    "session",
    "signin",
    "signin_code",
    "site",
    "site_token",
    "spent_token",
    "taken_name",
    "task",
    "thread",
    "verdict",
    "vote",
    "word",
]
