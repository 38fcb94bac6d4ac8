"""What changes the database: each command is a value that knows what it locks and how it is applied.

A command raises Problem to refuse (its savepoint is rolled back, its neighbours in the batch go on) and returns
a CommandResult: a value for the caller and the events that came of it. Comment, event and counters change together.

    base ◀── discussions ◀── posting ──▶ drafts
      ▲           └──────────┬──────┘      ▲
      │                      ▼             │
      │                  admitting ────────┘
      ▲                         │
      ├────── comments ◀────────┴── deciding ◀── checking ◀── changing;  voting, reporting
      ├────── sessions ◀── staff ◀── programs, staff_ways
      │            └──▶ merging
      └────── site_tokens, names, words, hooks
"""

from tertulia.store.commands.banning import REMOVING, BanAuthor, Banned, BanNetwork, LiftBan, Terms
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.commands.changing import DeleteComment, EditComment, check_edit
from tertulia.store.commands.checking import CHECK, CheckedText, FromHook, JudgeComment, SweepVerdicts
from tertulia.store.commands.comments import Actor, PostResult
from tertulia.store.commands.deciding import TEACH, UNDOABLE, Act, DecideComment, Decided, Reason, UndoDecision
from tertulia.store.commands.discussions import CLOSING, ChangeDiscussion, CloseDiscussion, Closing, TellRules
from tertulia.store.commands.drafts import Draft, DraftHead, Traces, unknown_origin
from tertulia.store.commands.hooks import AddHook, NewHook, NoteFailures, RemoveHook, TakeProbes
from tertulia.store.commands.merging import Merging, touched
from tertulia.store.commands.names import TakeNames
from tertulia.store.commands.posting import PostComment, check_post, said_at
from tertulia.store.commands.programs import AsProgram, Deed, EndAccountsSessions, check_program
from tertulia.store.commands.reporting import ReportComment
from tertulia.store.commands.reviewing import MendReviews
from tertulia.store.commands.sessions import (
    AsGuest,
    EndSessions,
    InSession,
    Known,
    Mailbox,
    ProlongSession,
    RenameAuthor,
    SignIn,
    Spent,
    VoidTokens,
    Who,
    known_as,
)
from tertulia.store.commands.site_tokens import SCOPES, AddSiteToken, RemoveSiteToken
from tertulia.store.commands.staff import (
    EndPersonsSessions,
    GiveMember,
    InRole,
    Invite,
    Invited,
    SignInStaff,
    TakeRole,
    Vouched,
)
from tertulia.store.commands.staff_ways import AttachWay, DetachWay
from tertulia.store.commands.voting import Ballot, CastVotes, Tally, VoteTotals
from tertulia.store.commands.words import AddWords, RemoveWord, ReplaceWords, WordsChanged

__all__ = [
    "CHECK",
    "CLOSING",
    "REMOVING",
    "SCOPES",
    "TEACH",
    "UNDOABLE",
    "Act",
    "Actor",
    "AddHook",
    "AddSiteToken",
    "AddWords",
    "AsGuest",
    "AsProgram",
    "AttachWay",
    "Ballot",
    "BanAuthor",
    "BanNetwork",
    "Banned",
    "CastVotes",
    "ChangeDiscussion",
    "CheckedText",
    "CloseDiscussion",
    "Closing",
    "Command",
    "CommandResult",
    "DecideComment",
    "Decided",
    "Deed",
    "DeleteComment",
    "DetachWay",
    "Draft",
    "DraftHead",
    "EditComment",
    "EndAccountsSessions",
    "EndPersonsSessions",
    "EndSessions",
    "FromHook",
    "GiveMember",
    "InRole",
    "InSession",
    "Invite",
    "Invited",
    "JudgeComment",
    "Known",
    "LiftBan",
    "Mailbox",
    "MendReviews",
    "Merging",
    "NewHook",
    "NoteFailures",
    "PostComment",
    "PostResult",
    "ProlongSession",
    "Reason",
    "RemoveHook",
    "RemoveSiteToken",
    "RemoveWord",
    "RenameAuthor",
    "ReplaceWords",
    "ReportComment",
    "SignIn",
    "SignInStaff",
    "Spent",
    "SweepVerdicts",
    "TakeNames",
    "TakeProbes",
    "TakeRole",
    "Tally",
    "TellRules",
    "Terms",
    "Traces",
    "UndoDecision",
    "VoidTokens",
    "VoteTotals",
    "Vouched",
    "Who",
    "WordsChanged",
    "check_edit",
    "check_post",
    "check_program",
    "known_as",
    "said_at",
    "touched",
    "unknown_origin",
]
