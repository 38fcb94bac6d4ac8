"""Who looks at which comment at a desk, so that no two moderators read the same one. It is kept nowhere.

    console ── looking, every 10 s ──▶ here ─┬─▶ the other consoles of this instance
                                             └─▶ bus ─▶ other instances ─▶ their consoles

Consoles are told at most once a second, and only what has changed. What nobody has repeated for LOOKING_SECONDS counts
no more, so that a lost message and an instance that is gone need no care.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import ValidationError

from tertulia.bus import Bus, Glance, LookingUpdate
from tertulia.core.comments import DiscussionKey
from tertulia.core.ids import is_uuid
from tertulia.errors import CloseCode
from tertulia.live.frames import Frame
from tertulia.live.reader import Reader
from tertulia.people import StaffMember
from tertulia.protocol import Looker, Looking, LookingPeople

LOOKING_SECONDS = 30.0
"""Three of what a console sends, so that one or two may be lost."""
LEAST_SECONDS = 0.5
"""Between two messages of one console that are heeded: whoever walks through the cards presses a key as often."""
MAX_LOOKERS = 200
"""At one desk; a site with more moderators at once is told of those who came first."""
MAX_MESSAGE_CHARS = 200


@dataclass(eq=False, slots=True)
class Console:
    """A page that is open at a desk; ``looks_at`` is a comment's id, or empty, ``told`` what it was sent last."""

    desk: DiscussionKey
    member: StaffMember
    reader: Reader
    looks_at: str = ""
    heard_at: float = float("-inf")
    told: str = ""


@dataclass(slots=True)
class _Desk:
    """``looks`` are people by their id, with the time until which they count."""

    consoles: set[Console] = field(default_factory=set)
    looks: dict[str, tuple[Glance, float]] = field(default_factory=dict)
    has_changed: bool = False

    def note(self, look: Glance, now: float) -> None:
        known = self.looks.get(look.person)
        if known is None and (not look.comment_id or len(self.looks) >= MAX_LOOKERS):
            return
        self.has_changed |= known is None or known[0] != look
        if look.comment_id:
            self.looks[look.person] = (look, now + LOOKING_SECONDS)
        else:
            del self.looks[look.person]

    def expire(self, now: float) -> None:
        for person in [person for person, (_, until) in self.looks.items() if until <= now]:
            del self.looks[person]
            self.has_changed = True

    def tell(self) -> None:
        """What has changed; a console that takes nothing now is told as soon as it does."""
        waiting = [console for console in self.consoles if self.tell_one(console)]
        self.has_changed = bool(waiting)

    def tell_one(self, console: Console) -> bool:
        """Who looks besides; returns whether it could not be told."""
        looks = [look for person, (look, _) in self.looks.items() if person != console.member.author_id]
        if not looks and not console.told:
            return False
        people = [Looker(comment_id=look.comment_id, name=look.name) for look in looks]
        text = LookingPeople(people=people).model_dump_json()
        if text != console.told and not console.reader.paused:
            console.told = text
            console.reader.connection.write(Frame(text))
        return text != console.told


class Lookers:
    """Of all desks that somebody is at, here."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._desks: dict[DiscussionKey, _Desk] = {}

    def enter(self, console: Console) -> None:
        """A page opens: it is told at once whom others have told of."""
        desk = self._desks.setdefault(console.desk, _Desk())
        desk.consoles.add(console)
        desk.tell_one(console)

    def leave(self, console: Console, now: float) -> None:
        """A page is closed; whoever has another open looks at what that one shows."""
        desk = self._desks[console.desk]
        desk.consoles.discard(console)
        if console.looks_at:
            person = console.member.author_id
            left = [one.looks_at for one in desk.consoles if one.member.author_id == person and one.looks_at]
            self._note(console, left[-1] if left else "", now)
        if not desk.consoles:
            del self._desks[console.desk]

    def on_message(self, console: Console, text: str, now: float) -> CloseCode | None:
        """A message of a console; returns the code to close with, None to go on. What comes too soon is left."""
        try:
            said = Looking.model_validate_json(text if len(text) <= MAX_MESSAGE_CHARS else "")
        except ValidationError:
            return CloseCode.malformed
        comment_id = said.comment_id or ""
        if comment_id and not is_uuid(comment_id):
            return CloseCode.malformed
        if now - console.heard_at >= LEAST_SECONDS:
            console.heard_at, console.looks_at = now, comment_id
            self._note(console, comment_id, now)
        return None

    def receive(self, update: LookingUpdate, now: float) -> None:
        """Another instance tells."""
        desk = self._desks.get(update.key)
        if desk is not None:
            desk.note(update.look, now)

    def tick(self, now: float) -> None:
        """Called once a second: ends what is not repeated, and tells what has changed."""
        for desk in self._desks.values():
            desk.expire(now)
            if desk.has_changed:
                desk.tell()

    def _note(self, console: Console, comment_id: str, now: float) -> None:
        look = Glance(console.member.author_id, console.member.name, comment_id)
        self._desks[console.desk].note(look, now)
        self._bus.publish_looking(console.desk, look)
