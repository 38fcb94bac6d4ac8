"""Sites, discussions, comments and what happened to them; work that waits; how far the log was read."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
    true,
)

from tertulia.store.schema.base import Id, metadata, partial

meta = Table("meta", metadata, Column("name", String(64), primary_key=True), Column("value", Text, nullable=False))

site = Table(
    "site",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("origins", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # rules, badges and whatever else an owner sets; counted, so that nobody overwrites what another has just set
    Column("settings", JSON),
    Column("version", Integer, nullable=False, server_default="1"),
    # when the last ban of a network ends: until then posts of guests are compared with them
    Column("networks_banned_until", BigInteger, nullable=False, server_default="0"),
)

author = Table(
    "author",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", Text, nullable=False),
    Column("badge", String(16)),
    Column("created_at", BigInteger, nullable=False),
    # None for whoever was there before, and for a moderator of all sites
    Column("site_id", BigInteger),
    Column("kind", String(8), nullable=False, server_default="guest"),
    # of no use since there is taken_name, and gone with the version after the next
    Column("skeleton", Text),
    # the member that this guest became
    Column("merged_into", String(36)),
    Column("trust", Integer, nullable=False, server_default="0"),
    # a guest's tokens that were made earlier are void
    Column("tokens_after", BigInteger),
    Column("erased_at", BigInteger),
    # of the strictest ban of this person that goes on, so that a post reads it with the author
    Column("ban_effect", String(8)),
    Column("ban_until", BigInteger),
    # of those that have one only: a guest's first comment writes into neither
    partial("ix_author_skeleton", "site_id", "skeleton", where="skeleton IS NOT NULL"),
    partial("ix_author_merged", "merged_into", where="merged_into IS NOT NULL"),
)

taken_name = Table(
    "taken_name",
    metadata,
    # 0 of staff, whose names nobody else may use anywhere; a member's is taken for guests of the site
    Column("site_id", BigInteger, primary_key=True, autoincrement=False),
    Column("skeleton", Text, primary_key=True),
    Column("author_id", ForeignKey("author.id"), primary_key=True),
    Index("ix_taken_name_author_id", "author_id"),
)

moderator = Table(
    "moderator",
    metadata,
    Column("author_id", ForeignKey("author.id"), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
)

discussion = Table(
    "discussion",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("mode", String(8), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("comment_count", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # what is not as the site's settings say
    Column("rules", JSON),
    # from then on nobody may write, whether or not the event has come that says so
    Column("closes_at", BigInteger),
    # the first seq that is still there is one more: 0 wherever readers are
    Column("floor", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("site_id", "key"),
)

key_alias = Table(
    "key_alias",
    metadata,
    Column("site_id", ForeignKey("site.id"), primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    Column("discussion_id", ForeignKey("discussion.id"), nullable=False),
)


# as the version before asks for it, too, which may run beside this one for a while
_ROOT, _SQLITE_ROOT = "parent_id IS NULL AND published IS TRUE", "parent_id IS NULL AND published IS 1"
_REPLY, _SQLITE_REPLY = "parent_id IS NOT NULL AND published IS TRUE", "parent_id IS NOT NULL AND published IS 1"

comment = Table(
    "comment",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("discussion_id", ForeignKey("discussion.id"), nullable=False),
    Column("parent_id", ForeignKey("comment.id")),
    Column("root_id", String(36), nullable=False),
    Column("author_id", ForeignKey("author.id"), nullable=False),
    Column("author_name", Text, nullable=False),
    Column("author_badge", String(16)),
    Column("text", Text, nullable=False),
    Column("body", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("edited_at", BigInteger),
    Column("state", String(8), nullable=False),
    # whether its comment.created stands in the log: what was never approved is in no list and no event
    Column("published", Boolean, nullable=False),
    Column("up", Integer, nullable=False),
    Column("down", Integer, nullable=False),
    Column("reply_count", Integer, nullable=False),
    Column("pinned", Boolean, nullable=False),
    Column("idempotency_key", String(64)),
    Column("request_digest", String(64)),
    # one more with each change of its text and each decision, so that nobody decides about what they have not seen
    Column("version", Integer, nullable=False, server_default="1"),
    # by whom it was taken away or held: staff, reports, check, rule or ban
    Column("hidden_by", String(8)),
    # what its author is told of its removal: reason, note, at
    Column("decision", JSON),
    # what the editors say of it, such as that it is their pick
    Column("mark", String(8)),
    UniqueConstraint("author_id", "idempotency_key"),
    CheckConstraint("state in ('visible','held','removed','deleted')", name="state"),
    # what somebody wrote, the newest first
    Index("ix_comment_author", "author_id", "created_at", "id"),
    # an export reads a discussion as a whole: what was never published is in none of the lists
    Index("ix_comment_discussion_id", "discussion_id"),
    # every list is read in the order of one of these, a page's rows and no others; see decision 25
    partial("ix_comment_root", "discussion_id", "created_at", "id", where=_ROOT, sqlite_where=_SQLITE_ROOT),
    partial(
        "ix_comment_top",
        "discussion_id",
        text("(down - up)"),
        "created_at",
        "id",
        where=_ROOT,
        sqlite_where=_SQLITE_ROOT,
    ),
    partial("ix_comment_reply", "root_id", "created_at", "id", where=_REPLY, sqlite_where=_SQLITE_REPLY),
    partial("ix_comment_answer", "parent_id", "created_at", "id", where="parent_id IS NOT NULL"),
    partial("ix_comment_visible", "discussion_id", "created_at", "id", where="state = 'visible'"),
    partial("ix_comment_waiting", "created_at", "id", where="state = 'held'"),
    partial("ix_comment_own_waiting", "discussion_id", "author_id", "created_at", "id", where="state = 'held'"),
    partial("ix_comment_kept", "author_id", "created_at", where="state <> 'deleted'"),
)

# counted by a trigger, with each change of a reply_count: an instance of the version before knows nothing of it
thread = Table(
    "thread",
    metadata,
    Column("root_id", ForeignKey("comment.id"), primary_key=True),
    Column("reply_count", Integer, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("discussion_id", ForeignKey("discussion.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("comment_id", ForeignKey("comment.id")),
    Column("at", BigInteger, nullable=False),
    Column("payload", Text, nullable=False),
    Index("ix_event_comment_id", "comment_id"),
)

vote = Table(
    "vote",
    metadata,
    Column("comment_id", ForeignKey("comment.id"), primary_key=True),
    Column("voter_id", String(36), primary_key=True),
    Column("value", Integer, nullable=False),
    CheckConstraint("value in (1, -1)", name="value"),
    # of a guest who becomes a member
    Index("ix_vote_voter_id", "voter_id", "comment_id"),
)

report = Table(
    "report",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("comment_id", ForeignKey("comment.id"), nullable=False),
    Column("reporter_id", String(36)),
    Column("reason", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    # whether moderators have it in their list: not while its comment cannot be read
    Column("open", Boolean, nullable=False, server_default=true()),
    # open, or what became of it: upheld, dismissed
    Column("state", String(10), nullable=False, server_default="open"),
    # an author's id, or one for all guests of a network and day; None of one that an earlier version took
    Column("reporter", String(64)),
    Column("weight", Integer, nullable=False, server_default="1"),
    # where the answer goes that the law wants; nothing writes it yet
    Column("sealed_contact", Text),
    Column("resolved_at", BigInteger),
    Index("ix_report_comment_id", "comment_id"),
    partial("ix_report_waiting", "comment_id", "at", "id", where="state = 'open'"),
    partial("ix_report_reporter", "reporter", "at", where="reporter IS NOT NULL"),
    partial("uq_report_once", "comment_id", "reporter", where="reporter IS NOT NULL", unique=True),
    partial("ix_report_open", "at", "id", where="open", sqlite_where="open = 1"),
)

task = Table(
    "task",
    metadata,
    Column("id", Id, primary_key=True),
    Column("queue", String(32), nullable=False),
    # there is one of a name: whoever wants it done while it waits touches it, which makes another version of it
    Column("name", Text, unique=True),
    Column("payload", JSON, nullable=False),
    Column("run_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("lease", String(32)),
    Column("leased_until", BigInteger),
    Column("dead_at", BigInteger),
    Column("error", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    partial("ix_task_waiting", "queue", "run_at", "id", where="dead_at IS NULL"),
    partial("ix_task_dead", "queue", "dead_at", "id", where="dead_at IS NOT NULL"),
)

cursor = Table(
    "cursor",
    metadata,
    Column("follower", String(32), primary_key=True),
    Column("discussion_id", ForeignKey("discussion.id"), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Index("ix_cursor_discussion_id", "discussion_id"),
)

# its words are in the table search_text beside it, which each database has in its own way: store/search.py
search_entry = Table(
    "search_entry",
    metadata,
    Column("id", Id, primary_key=True),
    Column("comment_id", ForeignKey("comment.id"), nullable=False, unique=True),
)
