"""Background work: tasks of the database, done by whichever instance takes them.

queues    what there is to do: a handler, how many at once, how long, how often
workers   look, claim, do, complete; wake at once for what is made here
followers the queue of whatever is derived from the log
"""

from __future__ import annotations

from tertulia.work.followers import Follower, Following
from tertulia.work.queues import Handler, Job, Queue, working_on
from tertulia.work.workers import Workers

__all__ = ["Follower", "Following", "Handler", "Job", "Queue", "Workers", "working_on"]
