"""What changes the database: each command is a value that knows what it locks and how it is applied.

A command raises Problem to refuse (its savepoint is rolled back, its neighbours in the batch go on) and returns
a CommandResult: a value for the caller and the events that came of it. Comment, event and counters change together.

    base ◀── discussions ◀── posting
      ▲                         │
      ├────── comments ◀────────┴── changing, voting, reporting
      └────── sessions
"""

from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.commands.changing import ApproveComment, DeleteComment, EditComment, RestoreComment, check_edit
from tertulia.store.commands.comments import Actor, PostResult
from tertulia.store.commands.discussions import ChangeDiscussion
from tertulia.store.commands.posting import Draft, PostComment, Request, check_post, said_at
from tertulia.store.commands.reporting import ReportComment
from tertulia.store.commands.sessions import (
    EndSessions,
    InSession,
    ProlongSession,
    RenameAuthor,
    SignIn,
    Spent,
    Who,
)
from tertulia.store.commands.voting import Ballot, CastVotes, Tally, VoteTotals

__all__ = [
    "Actor",
    "ApproveComment",
    "Ballot",
    "CastVotes",
    "ChangeDiscussion",
    "Command",
    "CommandResult",
    "DeleteComment",
    "Draft",
    "EditComment",
    "EndSessions",
    "InSession",
    "PostComment",
    "PostResult",
    "ProlongSession",
    "RenameAuthor",
    "ReportComment",
    "Request",
    "RestoreComment",
    "SignIn",
    "Spent",
    "Tally",
    "VoteTotals",
    "Who",
    "check_edit",
    "check_post",
    "said_at",
]
