"""What is read from the database: functions of a connection, for ``Store.read``.

Each answer is of one consistent snapshot. Raises unknown_site where a site is named that does not exist.
"""

from tertulia.store.queries.comments import (
    ANCESTORS,
    CommentLocation,
    NewestComments,
    changed_at,
    newest,
    permalink,
    site_of,
)
from tertulia.store.queries.discussions import any_discussion, comment_counts, discussion, latest_seqs, stored_key
from tertulia.store.queries.events import events
from tertulia.store.queries.moderation import Held, HeldPage, Reported, ReportPage, held, reported
from tertulia.store.queries.pages import CommentPage, DiscussionSnapshot, FirstPage, first_page, snapshot, thread
from tertulia.store.queries.server import epoch, moderator, moderators, sites

__all__ = [
    "ANCESTORS",
    "CommentLocation",
    "CommentPage",
    "DiscussionSnapshot",
    "FirstPage",
    "Held",
    "HeldPage",
    "NewestComments",
    "ReportPage",
    "Reported",
    "any_discussion",
    "changed_at",
    "comment_counts",
    "discussion",
    "epoch",
    "events",
    "first_page",
    "held",
    "latest_seqs",
    "moderator",
    "moderators",
    "newest",
    "permalink",
    "reported",
    "site_of",
    "sites",
    "snapshot",
    "stored_key",
    "thread",
]
