"""A discussion as a page shows it, read and written without JavaScript."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from tertulia import protocol
from tertulia.core.badges import Words
from tertulia.core.comments import DiscussionKey, Mode, Sort, State
from tertulia.core.rules import WhoMayWrite
from tertulia.core.waits import MINUTE, Wait
from tertulia.discussions import Discussions
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import Identity, utc_now
from tertulia.pages.form import Form, FormInput, Vote
from tertulia.pages.location import PageLocation
from tertulia.pages.readers import Offer
from tertulia.pages.thread import Node, further_replies, shown, tree
from tertulia.protocol import CommentView, DiscussionView, GuestName, NewComment

PAGE = 50
PAGES_LEFT_OUT = 20
"""How many pages of nothing but tombstones a reader is led past, as when a thousand advertisements were removed."""


class MoreReplies(NamedTuple):
    """The address of a thread's replies that are not on a page, and how many they are, of all depths."""

    href: str
    left: int


@dataclass(frozen=True, slots=True)
class DiscussionPage:
    """One page of a discussion with its form.

    ``more_replies`` has, for comments whose replies did not all fit, the rest. ``thread`` is the comment that alone is
    shown with its replies. ``badges`` are the words of the site's. ``reader`` is who is signed in on this page, with
    the ``votes`` that they cast; whoever is not may be made an ``offer`` of ways in.
    """

    location: PageLocation
    discussion: DiscussionView
    nodes: list[Node]
    sort: Sort
    is_continued: bool
    more_comments: str | None
    more_replies: Mapping[str, MoreReplies]
    thread: CommentView | None
    form: Form
    badges: Mapping[str, Words]
    reader: Identity | None = None
    votes: Mapping[str, int] = field(default_factory=dict)
    offer: Offer | None = None
    edit_seconds: int = 0

    @property
    def is_live(self) -> bool:
        """Whether the browser client may take over: not while the reader is using the form.

        Nor where somebody is signed in by the cookie, which the client does not see: it would take them for a guest.
        """
        return not self.form.is_used and self.reader is None

    @property
    def is_followed(self) -> bool:
        """Whether the page's own script tells of what is new: it writes nothing, and leaves the form as it is."""
        return self.reader is not None

    @property
    def is_closed(self) -> bool:
        """Whether nobody but a moderator may write."""
        return self.discussion.mode is Mode.closed or self.discussion.rules.who is WhoMayWrite.nobody

    @property
    def can_write(self) -> bool:
        """Whether who reads the page may write."""
        is_member = self.reader is not None
        return not self.is_closed and (is_member or self.discussion.rules.who is WhoMayWrite.all)

    @property
    def slow(self) -> Wait | None:
        """How long it is between two comments of one person; None where nobody has to wait."""
        seconds = self.discussion.rules.slow
        if not seconds:
            return None
        return Wait(seconds, "second") if seconds % MINUTE else Wait(seconds // MINUTE, "minute")

    @property
    def is_for_members(self) -> bool:
        """Whether signing in is all that is missing to write."""
        return not self.is_closed and not self.can_write

    def owns(self, comment: CommentView) -> bool:
        """Whether who reads the page wrote the comment."""
        return self.reader is not None and comment.author is not None and self.reader.owns(comment.author.id)

    def can_edit(self, comment: CommentView) -> bool:
        """Whether who reads the page may still change what the comment says."""
        age = utc_now() - datetime.fromisoformat(comment.created_at)
        return self.owns(comment) and age.total_seconds() < self.edit_seconds


class DiscussionPages:
    """Reads pages, posts what was typed, and knows on which page a comment is."""

    def __init__(self, discussions: Discussions) -> None:
        self._discussions = discussions

    async def read(
        self,
        location: PageLocation,
        query: Mapping[str, str],
        form: Form | None = None,
        reader: Identity | None = None,
    ) -> DiscussionPage:
        """The part of the discussion that ``query`` asks for. Raises unknown_site, not_found, bad_cursor."""
        if form is None:
            parent = await self.answerable(location, query.get("reply"))
            form_input = FormInput(parent_id=parent.id if parent else None)
            form = Form(form_input, parent, waiting="waiting" in query)
        if "thread" in query:
            return await self._thread(location, query["thread"], query.get("cursor"), form, reader)
        return await self._page(location, _sort(query.get("sort")), query.get("cursor"), form, reader)

    async def answerable(self, location: PageLocation, comment_id: str | None) -> CommentView | None:
        """The comment of this discussion that a reply can be written to."""
        if not comment_id:
            return None
        try:
            found = await self._discussions.permalink(comment_id)
        except Problem:  # not_found, the only one
            return None
        place = DiscussionKey(found.site, found.key)
        here = place == location.key or place == await self._discussions.resolve(location.key)
        return found.comment if here and found.comment.state is State.visible else None

    async def post(
        self,
        location: PageLocation,
        form_input: FormInput,
        *,
        title: str | None,
        url: str | None,
        reader: Identity | None,
        address: str | None,
        browser: str,
        origins: Set[str],
    ) -> str:
        """Posts and gives the address that shows what came of it. Raises what Discussions.post_comment raises."""
        new = NewComment(
            site=location.key.site,
            key=location.key.key,
            title=title,
            url=url,
            parent_id=form_input.parent_id,
            body=form_input.body,
            author=GuestName(name=form_input.name) if reader is None else None,
        )
        answer = await self._discussions.post_comment(
            new, form_input.idempotency_key, identity=reader, address=address, browser=browser, origins=origins
        )
        if answer.posted.seq is None:
            return location.href("your-comments", waiting="1")
        return await self.address_of(location, answer.posted.comment.id)

    async def vote(
        self, location: PageLocation, vote: Vote, nonce: str, reader: Identity | None, address: str | None
    ) -> str:
        """Votes and gives the address of the comment. Raises gone, and what Discussions.vote and vote_once raise."""
        if await self.answerable(location, vote.comment_id) is None:
            raise Problem(ErrorCode.gone, "The comment is not in this discussion, or no longer there.")
        if reader is not None:
            await self._discussions.vote(vote.comment_id, protocol.Vote(value=vote.value), reader, address)
        elif vote.value:
            await self._discussions.vote_once(vote.comment_id, vote.value, nonce, address)
        return await self.address_of(location, vote.comment_id)

    async def address_of(self, location: PageLocation, comment_id: str) -> str:
        """The page of ``location`` that has the comment. Raises not_found."""
        cursor = (await self._discussions.permalink(comment_id)).cursor
        anchor = f"comment-{comment_id}"
        # the first page shows more around a comment than one that begins at its thread
        for start in dict.fromkeys((None, cursor)):
            page = await self._discussions.snapshot(location.key, limit=PAGE, cursor=start)
            if any(comment.id == comment_id for comment in shown(page.comments, page.replies)):
                return location.href(anchor, cursor=start)
        return location.href(anchor, thread=comment_id)

    async def _page(
        self, location: PageLocation, sort: Sort, cursor: str | None, form: Form, reader: Identity | None
    ) -> DiscussionPage:
        page = await self._discussions.snapshot(location.key, sort=sort, limit=PAGE, cursor=cursor, viewer=reader)
        for _ in range(PAGES_LEFT_OUT):
            if page.next is None or shown(page.comments, page.replies):
                break
            page = await self._discussions.snapshot(
                location.key, sort=sort, limit=PAGE, cursor=page.next, viewer=reader
            )
        location = location.named(_key(page.discussion))
        order = None if sort is Sort.oldest else str(sort)
        return DiscussionPage(
            location=location,
            discussion=page.discussion,
            nodes=tree(shown(page.comments, page.replies)),
            sort=sort,
            is_continued=cursor is not None,
            more_comments=location.href("comments", sort=order, cursor=page.next) if page.next else None,
            more_replies={
                comment_id: MoreReplies(
                    location.href("comments", thread=comment_id, cursor=page.replies[comment_id]), left
                )
                for comment_id, left in further_replies(page.comments, page.thread_counts).items()
                if left > 0
            },
            thread=None,
            form=form,
            badges=await self._discussions.badges(location.key.site),
            reader=reader,
            votes=page.votes,
            edit_seconds=page.limits.edit_seconds,
        )

    async def _thread(
        self, location: PageLocation, comment_id: str, cursor: str | None, form: Form, reader: Identity | None
    ) -> DiscussionPage:
        # read first, so that nothing of the moment it tells is missing from what is shown
        whole = await self._discussions.snapshot(location.key, limit=1)
        found = await self._discussions.permalink(comment_id)
        page = await self._discussions.thread(location.key, comment_id, limit=PAGE, cursor=cursor, viewer=reader)
        location = location.named(_key(whole.discussion))
        # what was asked for is shown, whatever is left of it
        replies = shown(page.comments, {one.id for one in page.comments} if page.next else ())
        nodes = tree([found.comment, *replies])
        nodes[0].answers = found.ancestors[-1] if found.ancestors else None
        return DiscussionPage(
            location=location,
            discussion=whole.discussion,
            nodes=nodes,
            sort=Sort.oldest,
            is_continued=cursor is not None,
            more_comments=location.href("comments", thread=comment_id, cursor=page.next) if page.next else None,
            more_replies={},
            thread=found.comment,
            form=form,
            badges=await self._discussions.badges(location.key.site),
            reader=reader,
            votes=page.votes,
            edit_seconds=whole.limits.edit_seconds,
        )


def _key(discussion: DiscussionView) -> DiscussionKey:
    return DiscussionKey(discussion.site, discussion.key)


def _sort(given: str | None) -> Sort:
    return Sort(given) if given in list(Sort) else Sort.oldest
