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

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.sql.elements import TextClause

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER key

_WHERE = "postgresql_where"


def _partial(
    name: str, *columns: str | TextClause, where: str, sqlite_where: str | None = None, unique: bool = False
) -> Index:
    """An index of some rows only; the queries that read it say the same ``where`` in literal words."""
    return Index(name, *columns, unique=unique, sqlite_where=text(sqlite_where or where), info={_WHERE: text(where)})


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
    _partial("ix_author_skeleton", "site_id", "skeleton", where="skeleton IS NOT NULL"),
    _partial("ix_author_merged", "merged_into", where="merged_into IS NOT NULL"),
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
    _partial("ix_comment_root", "discussion_id", "created_at", "id", where=_ROOT, sqlite_where=_SQLITE_ROOT),
    _partial(
        "ix_comment_top",
        "discussion_id",
        text("(down - up)"),
        "created_at",
        "id",
        where=_ROOT,
        sqlite_where=_SQLITE_ROOT,
    ),
    _partial("ix_comment_reply", "root_id", "created_at", "id", where=_REPLY, sqlite_where=_SQLITE_REPLY),
    _partial("ix_comment_answer", "parent_id", "created_at", "id", where="parent_id IS NOT NULL"),
    _partial("ix_comment_visible", "discussion_id", "created_at", "id", where="state = 'visible'"),
    _partial("ix_comment_waiting", "created_at", "id", where="state = 'held'"),
    _partial("ix_comment_own_waiting", "discussion_id", "author_id", "created_at", "id", where="state = 'held'"),
    _partial("ix_comment_kept", "author_id", "created_at", where="state <> 'deleted'"),
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
    # where the answer goes that the law wants
    Column("sealed_contact", Text),
    Column("resolved_at", BigInteger),
    Index("ix_report_comment_id", "comment_id"),
    _partial("ix_report_waiting", "comment_id", "at", "id", where="state = 'open'"),
    _partial("ix_report_reporter", "reporter", "at", where="reporter IS NOT NULL"),
    _partial("uq_report_once", "comment_id", "reporter", where="reporter IS NOT NULL", unique=True),
    _partial("ix_report_open", "at", "id", where="open", sqlite_where="open = 1"),
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
    _partial("ix_task_waiting", "queue", "run_at", "id", where="dead_at IS NULL"),
    _partial("ix_task_dead", "queue", "dead_at", "id", where="dead_at IS NOT NULL"),
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

# ---- people ---------------------------------------------------------------------------------------------

identity = Table(
    "identity",
    metadata,
    Column("site_id", ForeignKey("site.id"), primary_key=True, autoincrement=False),
    Column("issuer", Text, primary_key=True),
    # keyed: nobody who has the table finds whom the issuer means
    Column("subject", String(64), primary_key=True),
    Column("author_id", ForeignKey("author.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_identity_author_id", "author_id"),
)

contact = Table(
    "contact",
    metadata,
    Column("author_id", ForeignKey("author.id"), primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("address", String(64), nullable=False),
    Column("verified_at", BigInteger),
    Column("language", String(8), nullable=False),
    Column("state", String(8), nullable=False),
    Index("ix_contact_address", "address"),
)

session = Table(
    "session",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("author_id", ForeignKey("author.id"), nullable=False),
    # None for whoever acts at all sites
    Column("site_id", ForeignKey("site.id")),
    Column("scope", String(8), nullable=False),
    # those it was given with; what is left of them is in the grants
    Column("roles", JSON, nullable=False),
    Column("via", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Index("ix_session_author_id", "author_id"),
    Index("ix_session_expires_at", "expires_at"),
)

grant = Table(
    "grant",
    metadata,
    Column("author_id", ForeignKey("author.id"), primary_key=True),
    Column("site_id", BigInteger, primary_key=True, autoincrement=False),
    Column("role", String(16), primary_key=True),
    Index("ix_grant_site_id", "site_id"),
)
"""``site_id`` 0 is all sites, so there is no key to another table."""

issuer = Table(
    "issuer",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("config", JSON, nullable=False),
    Column("sealed_secret", Text),
    UniqueConstraint("site_id", "name"),
)

# a browser on its way to a provider and back; what it alone has to know is here as a hash
signin = Table(
    "signin",
    metadata,
    Column("state", String(64), primary_key=True),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    Column("provider", Text, nullable=False),
    Column("page_state", String(64), nullable=False),
    Column("challenge", String(64), nullable=False),
    Column("return_to", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("browser", String(64), nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("sealed_verifier", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_signin_expires_at", "expires_at"),
)

# what the page gets for it, as a hash, and whom the provider named, sealed
signin_code = Table(
    "signin_code",
    metadata,
    Column("code", String(64), primary_key=True),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    Column("challenge", String(64), nullable=False),
    Column("origin", Text, nullable=False),
    Column("sealed_person", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_signin_code_expires_at", "expires_at"),
)

# a code that was sent to an address
challenge = Table(
    "challenge",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    Column("address", String(64), nullable=False),
    Column("sealed", Text, nullable=False),
    Column("code", String(64), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("language", String(8), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_challenge_address", "address", "at"),
    Index("ix_challenge_expires_at", "expires_at"),
    # how often codes of a site were guessed: no more rows than there may be wrong codes in an hour
    _partial("ix_challenge_wrong", "site_id", "expires_at", where="tries > 0"),
)

# what an issuer's token is told by, where it is good once
spent_token = Table(
    "spent_token",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_spent_token_expires_at", "expires_at"),
)

site_token = Table(
    "site_token",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    UniqueConstraint("site_id", "name"),
)

# ---- moderating -----------------------------------------------------------------------------------------

# one of each comment that waits, or has waited, for a moderator
review = Table(
    "review",
    metadata,
    Column("comment_id", ForeignKey("comment.id"), primary_key=True),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    Column("queue", String(16), nullable=False),
    # 0 goes before 1 in the queue
    Column("rank", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    # of the open reports
    Column("weight", Integer, nullable=False),
    Column("causes", JSON, nullable=False),
    # when it was kept although it was reported, and when it was approved by hand
    Column("kept_at", BigInteger),
    Column("approved_at", BigInteger),
    Column("closed_at", BigInteger),
    Column("closed_by", Text),
    Column("decision", String(16)),
    _partial("ix_review_open", "site_id", "queue", "rank", "since", "comment_id", where="closed_at IS NULL"),
    _partial("ix_review_closed", "site_id", "closed_at", "comment_id", where="closed_at IS NOT NULL"),
)

word = Table(
    "word",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    Column("entry", Text, nullable=False),
    # suspect or refuse
    Column("does", String(8), nullable=False),
    Column("note", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("site_id", "entry"),
)

ban = Table(
    "ban",
    metadata,
    Column("id", String(36), primary_key=True),
    # 0 is all sites
    Column("site_id", BigInteger, nullable=False),
    # author, near or wide: target is an author's id, or a keyed hash of a network
    Column("kind", String(8), nullable=False),
    Column("target", String(64), nullable=False),
    # whose comment led to it
    Column("author_id", String(36)),
    Column("effect", String(8), nullable=False),
    Column("reason", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("by", Text, nullable=False),
    Column("lifted_at", BigInteger),
    Column("lifted_by", Text),
    _partial("ix_ban_target", "kind", "target", where="lifted_at IS NULL"),
    Index("ix_ban_site_id", "site_id", "at", "id"),
)

# for as long as a ban by network may be needed: keyed hashes of a /32 or /64, and of a /24 or /48
origin = Table(
    "origin",
    metadata,
    Column("comment_id", ForeignKey("comment.id"), primary_key=True),
    Column("near", String(64), nullable=False),
    Column("wide", String(64), nullable=False),
    # of sites whose check wants to know address and browser
    Column("sealed", Text),
    Column("at", BigInteger, nullable=False),
    Index("ix_origin_near", "near", "at"),
    Index("ix_origin_wide", "wide", "at"),
    Index("ix_origin_at", "at"),
)

# who is asked from outside
hook = Table(
    "hook",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("config", JSON, nullable=False),
    Column("sealed_secret", Text),
    UniqueConstraint("site_id", "name"),
)

verdict = Table(
    "verdict",
    metadata,
    Column("comment_id", ForeignKey("comment.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("hook_id", Id, primary_key=True, autoincrement=False),
    Column("verdict", String(8), nullable=False),
    Column("score", Float),
    Column("labels", JSON, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_verdict_at", "at"),
)

action = Table(
    "action",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("at", BigInteger, nullable=False),
    # None for what concerns all sites
    Column("site_id", BigInteger),
    # None for the operator and the server itself; actor says who acted
    Column("actor_id", String(36)),
    Column("actor", Text, nullable=False),
    Column("verb", String(32), nullable=False),
    Column("comment_id", String(36)),
    Column("author_id", String(36)),
    Column("discussion_id", BigInteger),
    Column("reason", String(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Column("undoes", String(36)),
    Index("ix_action_site_id", "site_id", "id"),
    _partial("ix_action_comment_id", "comment_id", where="comment_id IS NOT NULL"),
    _partial("ix_action_author_id", "author_id", "id", where="author_id IS NOT NULL"),
)
"""No row refers to another: each stays, whatever becomes of what it tells of.

Triggers of both databases refuse to delete one, or to change more of it than to empty its note, as long as ``meta`` has
no row CUTTING; whoever cuts off what is old puts it there, and takes it away, in the same transaction.
"""
CUTTING = "cutting actions"


def complete_for_postgresql() -> None:
    """Gives the partial indexes their conditions on PostgreSQL: to say one loads its dialect, 20 ms and 2 MiB."""
    for table in metadata.sorted_tables:
        for index in table.indexes:
            if _WHERE in index.info:
                index.dialect_kwargs[_WHERE] = index.info[_WHERE]
