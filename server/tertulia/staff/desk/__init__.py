"""The desk of a site as pages: each queue is a list of forms, and a script only saves the way back and forth.

queues     the pages of the queues, and comments alone for the script
cards      what is shown of a comment, and what can be done with it
decisions  decisions and undoing: on to the page before, or what has become of the comment meanwhile
bans       who may not write, and lifting that
person     somebody who writes at the site
words      the list of words
rules      the rules of the site, and of one discussion
notices    what one has done just now, and how to undo it
"""

from __future__ import annotations

from typing import Protocol

from starlette.routing import Route

from tertulia.desk import DeskUseCases
from tertulia.staff.desk.bans import BanPages
from tertulia.staff.desk.decisions import DecisionPages
from tertulia.staff.desk.person import PersonPages
from tertulia.staff.desk.queues import QueuePages
from tertulia.staff.desk.rules import RulePages
from tertulia.staff.desk.words import WordPages
from tertulia.staff.frame import Frame

__all__ = ["HasRoutes", "desk_pages"]


class HasRoutes(Protocol):
    def routes(self) -> list[Route]: ...


def desk_pages(frame: Frame, at_desk: DeskUseCases) -> list[HasRoutes]:
    """All of them; the queues come last, whose addresses have room for any name."""
    desk, banning = at_desk.desk, at_desk.banning
    return [
        DecisionPages(frame, desk),
        RulePages(frame, at_desk.ruling),
        BanPages(frame, desk, banning),
        PersonPages(frame, desk, banning),
        WordPages(frame, at_desk.words),
        QueuePages(frame, desk),
    ]
