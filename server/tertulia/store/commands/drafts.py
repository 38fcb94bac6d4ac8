"""A comment that somebody wants to post, and where a request of a guest came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from tertulia.core.causes import Cause
from tertulia.core.comments import Author, Block, DiscussionKey
from tertulia.store import records


class Traces(NamedTuple):
    """The digest of a network, and the address and the browser, sealed."""

    origin: str
    sealed: str


def unknown_origin() -> None:
    """Of members, of staff, and where no address is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftHead:
    """Who wants to say something, where and when: what is known of a post before its text is read.

    ``idempotency_key`` is stored of the request; ``unhashed_key`` is what earlier versions stored of it.
    ``signed_in`` is whether its author is a member.
    ``token_at`` is when a guest's token was made. ``also`` are the guests that the author was; ``origin`` gives the
    digest of the network that a guest's request came from. ``keeps_origin`` is whether that is noted of every comment.
    ``traces`` gives it of anybody, with what is kept only where a check wants it.
    """

    id: str
    key: DiscussionKey
    parent_id: str | None
    author: Author
    at: datetime
    idempotency_key: str
    unhashed_key: str = ""
    signed_in: bool = False
    token_at: datetime | None = None
    also: tuple[str, ...] = ()
    origin: Callable[[], str | None] = unknown_origin
    keeps_origin: bool = False
    traces: Callable[[], Traces | None] = unknown_origin

    @property
    def is_staff(self) -> bool:
        """Whether the rules are not for them."""
        return self.author.badge == "moderator"

    @property
    def authors(self) -> tuple[str, ...]:
        """All ids of the person."""
        return (self.author.id, *self.also)

    @property
    def request(self) -> records.RequestId:
        return records.RequestId(self.author.id, self.idempotency_key, self.unhashed_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft(DraftHead):
    """A comment that somebody wants to post.

    ``corrects`` is whether title and address take the place of what is known; else they fill in what is missing.
    ``digest`` is stored of all that the idempotency key stands for; earlier versions stored ``unhashed_digest``.
    ``links`` is how many lead away from the site. ``causes`` are why it has to wait, as far as its text says.
    ``is_checked`` is whether the site's hooks look at it.
    """

    title: str
    url: str
    corrects: bool = False
    text: str
    body: list[Block]
    digest: str
    unhashed_digest: str = ""
    links: int = 0
    causes: tuple[Cause, ...] = ()
    is_checked: bool = True
