"""A discussion as a page shows it, read and written without JavaScript."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from tertulia.core.comments import DiscussionKey, Sort, State
from tertulia.discussions import Discussions
from tertulia.errors import Problem
from tertulia.pages.form import Form, FormInput
from tertulia.pages.location import PageLocation
from tertulia.pages.thread import Node, shown, tree
from tertulia.protocol import CommentView, DiscussionView, GuestName, NewComment

PAGE = 50
PAGES_LEFT_OUT = 20
"""How many pages of nothing but tombstones a reader is led past, as when a thousand advertisements were removed."""


@dataclass(frozen=True, slots=True)
class DiscussionPage:
    """One page of a discussion with its form.

    ``more`` has, for comments whose replies did not all fit, the address of the rest. ``thread`` is the comment
    that alone is shown with its replies.
    """

    location: PageLocation
    discussion: DiscussionView
    nodes: list[Node]
    sort: Sort
    is_continued: bool
    more_comments: str | None
    more_replies: Mapping[str, str]
    thread: CommentView | None
    form: Form

    @property
    def is_live(self) -> bool:
        """Whether the browser client may take over: not while the reader is using the form."""
        return not self.form.is_used


class DiscussionPages:
    """Reads pages, posts what was typed, and knows on which page a comment is."""

    def __init__(self, discussions: Discussions) -> None:
        self._discussions = discussions

    async def read(self, location: PageLocation, query: Mapping[str, str], form: Form | None = None) -> DiscussionPage:
        """The part of the discussion that ``query`` asks for. Raises unknown_site, not_found, bad_cursor."""
        if form is None:
            parent = await self.answerable(location, query.get("reply"))
            form_input = FormInput(parent_id=parent.id if parent else None)
            form = Form(form_input, parent, waiting="waiting" in query)
        if "thread" in query:
            return await self._thread(location, query["thread"], query.get("cursor"), form)
        return await self._page(location, _sort(query.get("sort")), query.get("cursor"), form)

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
        address: str | None,
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
            author=GuestName(name=form_input.name),
        )
        answer = await self._discussions.post_comment(
            new, form_input.idempotency_key, identity=None, address=address, origins=origins
        )
        if answer.posted.seq is None:
            return location.href("your-comments", waiting="1")
        return await self.address_of(location, answer.posted.comment.id)

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

    async def _page(self, location: PageLocation, sort: Sort, cursor: str | None, form: Form) -> DiscussionPage:
        page = await self._discussions.snapshot(location.key, sort=sort, limit=PAGE, cursor=cursor)
        for _ in range(PAGES_LEFT_OUT):
            if page.next is None or shown(page.comments, page.replies):
                break
            page = await self._discussions.snapshot(location.key, sort=sort, limit=PAGE, cursor=page.next)
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
                comment_id: location.href("comments", thread=comment_id, cursor=rest)
                for comment_id, rest in page.replies.items()
            },
            thread=None,
            form=form,
        )

    async def _thread(self, location: PageLocation, comment_id: str, cursor: str | None, form: Form) -> DiscussionPage:
        # read first, so that nothing of the moment it tells is missing from what is shown
        whole = await self._discussions.snapshot(location.key, limit=1)
        found = await self._discussions.permalink(comment_id)
        page = await self._discussions.thread(location.key, comment_id, limit=PAGE, cursor=cursor, viewer=None)
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
        )


def _key(discussion: DiscussionView) -> DiscussionKey:
    return DiscussionKey(discussion.site, discussion.key)


def _sort(given: str | None) -> Sort:
    return Sort(given) if given in list(Sort) else Sort.oldest
