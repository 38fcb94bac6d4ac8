"""Pages of comments in an order, and the thread below one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, select

from tertulia.core.comments import Comment, Discussion, DiscussionKey, Sort, State
from tertulia.core.ordering import PageCursor, decode_page_cursor, encode_page_cursor
from tertulia.errors import no_such_parent
from tertulia.store import listing, schema
from tertulia.store.listing import REPLIES_OF_ONE, IndexEntry, Order, Thread
from tertulia.store.queries.discussions import discussion

c = schema.comment.c


@dataclass(frozen=True, slots=True)
class CommentPage:
    """Top-level comments, each followed by its replies, and the cursors that continue the list and its threads.

    ``thread_counts`` says of the threads in ``replies`` how many replies of all depths are visible.
    """

    comments: list[Comment]
    next: str | None
    replies: dict[str, str]
    changed: bool = False
    """Whether the order changed since the page before: what moved up stands first, also where it was shown already."""
    thread_counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DiscussionSnapshot:
    """A discussion and a page of it as they were at ``discussion.seq``; ``votes`` are the viewer's own."""

    discussion: Discussion
    page: CommentPage
    votes: dict[str, int]


class FirstPage(NamedTuple):
    """A discussion and its first page; None where the caller has it already."""

    discussion: Discussion
    page: CommentPage | None


def first_page(connection: Connection, key: DiscussionKey, *, sort: Sort, limit: int, known: int | None) -> FirstPage:
    """The first page as everybody sees it; none where the head is still ``known``. Raises unknown_site."""
    found = discussion(connection, key)
    if found.seq == known:
        return FirstPage(found, None)
    return FirstPage(found, _roots(connection, found, sort=sort, limit=limit))


def snapshot(
    connection: Connection,
    key: DiscussionKey,
    *,
    sort: Sort,
    limit: int,
    viewer: str | None,
    also: Sequence[str] = (),
    cursor: str | None = None,
) -> DiscussionSnapshot:
    """The page after ``cursor``, as the author ``viewer`` sees it, who was the guests ``also``.

    Raises unknown_site, bad_cursor.
    """
    found = discussion(connection, key)
    page = _roots(connection, found, sort=sort, limit=limit, own=_own(viewer, also), cursor=cursor)
    return DiscussionSnapshot(found, page, _votes(connection, page.comments, viewer))


def _roots(
    connection: Connection,
    discussion: Discussion,
    *,
    sort: Sort,
    limit: int,
    own: Sequence[str] = (),
    cursor: str | None = None,
) -> CommentPage:
    """A page of threads: those that moved up since the walk began, then those that follow ``cursor`` in the order.

    One thread more than ``limit`` is looked for, which says whether there is a next page.
    """
    order, scope = Order(sort), f"{sort}:{discussion.id}"
    after = decode_page_cursor(cursor, scope, *order.widths)
    moved = listing.moved_up(connection, discussion, order, limit, after)
    found = listing.threads(connection, discussion.id, order, limit + 1, after)
    if after is not None and moved.threads:
        # half of a page at least goes on in the order: a walk ends, however fast the votes come
        moved = moved.first(max(limit // 2, limit - len(found)), since=after.values[1])
    waiting = listing.own_waiting(connection, discussion.id, own)
    if waiting:
        found = _with_waiting(found, waiting, order, after)
    listed = [*moved.threads, *found]
    comments = listing.fitting(connection, [entry.id for one in listed[:limit] for entry in _shown(one)])
    count, replies = _cut(listed, len(comments))
    # what moved up is before the cursor: a page of nothing else goes on where it began
    last = after if count <= len(moved.threads) else order.cursor(scope, listed[count - 1].root)
    following = None
    if last is not None and (count < len(listed) or moved.more):
        following = encode_page_cursor(order.seen(last, moved.seq_after(count)))
    return CommentPage(comments, following, replies, moved.changed, listing.thread_counts(connection, [*replies]))


def _cut(listed: Sequence[Thread], fitting: int) -> tuple[int, dict[str, str]]:
    """How many of these threads the first ``fitting`` comments reach, and where those go on that are not whole."""
    replies: dict[str, str] = {}
    taken = count = 0
    while taken < fitting:
        thread = listed[count]
        shown = _shown(thread)[: fitting - taken]
        taken += len(shown)
        count += 1
        if len(shown) <= len(thread.replies):
            replies[thread.root.id] = encode_page_cursor(_thread_cursor(thread.root.id, shown[-1]))
    return count, replies


def _shown(thread: Thread) -> list[IndexEntry]:
    return [thread.root, *thread.replies[:REPLIES_OF_ONE]]


def _with_waiting(
    found: list[Thread], waiting: list[IndexEntry], order: Order, after: PageCursor | None
) -> list[Thread]:
    """What waits for approval, where its author sees it."""
    threads = {thread.root.id: thread for thread in found}
    for entry in waiting:
        if entry.parent_id is not None and entry.root_id in threads:
            threads[entry.root_id].replies.append(entry)
    for thread in threads.values():
        thread.replies.sort(key=lambda entry: entry.age)
        del thread.replies[REPLIES_OF_ONE + 1 :]
    own = order.sorted_after([entry for entry in waiting if entry.parent_id is None], after)
    threads |= {entry.id: Thread(entry, []) for entry in own}
    return [threads[entry.id] for entry in order.merged([thread.root for thread in found], own)]


def thread(
    connection: Connection,
    key: DiscussionKey,
    parent_id: str,
    *,
    limit: int,
    viewer: str | None,
    also: Sequence[str] = (),
    cursor: str | None,
) -> DiscussionSnapshot:
    """The replies to a comment, oldest first, of all depths (below a reply: the nearest listing.BELOW).

    Raises unknown_site, not_found, bad_cursor.
    """
    found = discussion(connection, key)
    authors = _own(viewer, also)
    root_id = _root_of(connection, found.id, parent_id, authors)
    after = decode_page_cursor(cursor, f"thread:{parent_id}", 1)
    waiting = listing.own_waiting(connection, found.id, authors)
    if root_id == parent_id:
        replies = listing.below_root(connection, parent_id, limit + 1, after)
        own = [entry for entry in waiting if entry.parent_id is not None and entry.root_id == parent_id]
    else:
        replies = listing.below_reply(connection, parent_id)
        within = {parent_id, *(entry.id for entry in replies)}
        own = [entry for entry in waiting if entry.parent_id in within]
    entries = Order(Sort.oldest).sorted_after([*replies, *own], after)[: limit + 1]
    comments = listing.fitting(connection, [entry.id for entry in entries[:limit]])
    following = None
    if len(comments) < len(entries):
        following = encode_page_cursor(_thread_cursor(parent_id, entries[len(comments) - 1]))
    return DiscussionSnapshot(found, CommentPage(comments, following, {}), _votes(connection, comments, viewer))


def _own(viewer: str | None, also: Sequence[str]) -> Sequence[str]:
    return () if viewer is None else (viewer, *also)


def _root_of(connection: Connection, discussion_id: int | None, comment_id: str, own: Sequence[str]) -> str:
    """The top-level comment above one that may be seen by whoever these authors are. Raises not_found."""
    query = select(c.root_id, c.state, c.published, c.author_id)
    found = connection.execute(query.where(c.id == comment_id, c.discussion_id == discussion_id)).one_or_none()
    if found is None or not (found.published or (found.state == State.held and found.author_id in own)):
        raise no_such_parent()
    root_id: str = found.root_id
    return root_id


def _thread_cursor(parent_id: str, last: IndexEntry) -> PageCursor:
    # where no reply is shown, the position before all of them: an import may know one that is older than its root
    created_at = 0 if last.id == parent_id else last.created_at
    return PageCursor(f"thread:{parent_id}", (created_at,), last.id)


def _votes(connection: Connection, comments: list[Comment], viewer: str | None) -> dict[str, int]:
    if viewer is None or not comments:
        return {}
    v = schema.vote.c
    query = select(v.comment_id, v.value).where(
        v.voter_id == viewer, v.comment_id.in_([comment.id for comment in comments])
    )
    return {row.comment_id: row.value for row in connection.execute(query)}
