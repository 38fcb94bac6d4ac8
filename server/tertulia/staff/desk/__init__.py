"""The desk of a site as pages: each queue is a list of forms, and a script only saves the way back and forth.

queues     the pages of the queues, and comments alone for the script
cards      what is shown of a comment, and what can be done with it
decisions  decisions and undoing: on to the page before, or what has become of the comment meanwhile
bans       who may not write, and lifting that
notices    what one has done just now, and how to undo it
"""

from tertulia.staff.desk.bans import BanPages
from tertulia.staff.desk.decisions import DecisionPages
from tertulia.staff.desk.queues import QueuePages

__all__ = ["BanPages", "DecisionPages", "QueuePages"]
