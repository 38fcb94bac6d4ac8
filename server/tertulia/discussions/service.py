"""What can be done with a discussion. Edges call this and nothing below it; it returns what goes over the wire.

    actors       who asks, and how often they may
    reading      pages, threads, events, counts
    posting      a new comment, and what it would show
    changing     edits, deletions, restorations, approvals of a comment
    votes        of guests, newcomers and pages without a script; voting commits them together
    moderation   reports, what waits for moderators, how a discussion is led

They know nothing of one another, except that votes ask reading for a comment's site and whoever writes is an actor.
"""

from __future__ import annotations

from datetime import timedelta

from tertulia.discussions.actors import Actors
from tertulia.discussions.badges import Badges
from tertulia.discussions.changing import Changing
from tertulia.discussions.content import Texts
from tertulia.discussions.keys import Keys
from tertulia.discussions.moderation import Moderation
from tertulia.discussions.names import Names
from tertulia.discussions.posting import Posting
from tertulia.discussions.reading import Reading
from tertulia.discussions.votes import Votes
from tertulia.discussions.voting import VOTE_SECONDS
from tertulia.discussions.words import Words
from tertulia.identity import Tokens
from tertulia.identity.sealing import Sealing
from tertulia.limits import PostingLimits
from tertulia.live.hub import Hub
from tertulia.store import Store, queries


class Discussions:
    """Reads and changes discussions for whoever a token names; nothing here knows HTTP.

    Each use-case is a method of the part that its concept has; here they are listed, and given what they share.
    """

    def __init__(
        self,
        store: Store,
        hub: Hub,
        tokens: Tokens,
        limits: PostingLimits,
        *,
        edit_window: timedelta,
        vote_seconds: float = VOTE_SECONDS,
        site_name: str = "",
        sealing: Sealing | None = None,
        keeps_origins: bool = False,
    ) -> None:
        keys, texts = Keys(store.bound(queries.stored_key)), Texts()

        actors = Actors(store, tokens, limits)
        self.identify = actors.identify

        badges = Badges(store.bound(queries.site_badges))
        self.badges = badges.of

        reading = Reading(store, hub, keys, edit_window, badges)
        self.resolve = reading.resolve
        self.has_room = reading.has_room
        self.site_of = reading.site_of
        self.snapshot = reading.snapshot
        self.first_page = reading.first_page
        self.page = reading.page
        self.thread = reading.thread
        self.permalink = reading.permalink
        self.events = reading.events
        self.counts = reading.counts
        self.newest = reading.newest
        self.changed_at = reading.changed_at

        names = Names(store.bound(queries.staff_names), badges, site_name)
        words = Words(store.bound(queries.word_versions), store.bound(queries.word_list))
        self.suspect_words = words.suspect
        posting = Posting(store, keys, texts, tokens, limits, names, words, sealing, keeps_origins=keeps_origins)
        self.post_comment = posting.post_comment
        self.preview = posting.preview

        changing = Changing(store, actors, texts, words, edit_window)
        self.source = changing.source
        self.edit = changing.edit
        self.delete_comment = changing.delete_comment
        self.restore = changing.restore
        self.approve = changing.approve

        votes = Votes(store, reading, actors, tokens, limits, vote_seconds)
        self.vote = votes.vote
        self.vote_once = votes.vote_once
        self.close = votes.close

        moderation = Moderation(store, keys, limits, tokens, reading.view)
        self.report = moderation.report
        self.reported = moderation.reported
        self.held = moderation.held
        self.change = moderation.change
