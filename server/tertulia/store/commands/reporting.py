"""Keeping what readers report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert

from tertulia.core.comments import State
from tertulia.core.ids import uuid7
from tertulia.errors import no_such_comment
from tertulia.store import schema
from tertulia.store.commands.base import CommandResult
from tertulia.store.commands.comments import Actor, CommentCommand, existing, gone
from tertulia.store.mapping import milliseconds


@dataclass(frozen=True, slots=True)
class ReportComment(CommentCommand[str]):
    """Reports a comment to the moderators; the value is the report's id. Raises not_found, gone."""

    reporter: Actor | None
    reason: str
    note: str
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[str]:
        comment = existing(connection, self.comment_id, self.reporter.site if self.reporter else None)
        if comment.state is State.held:
            raise no_such_comment()
        if comment.state.is_tombstone:
            raise gone()
        report_id = uuid7()
        connection.execute(
            insert(schema.report).values(
                id=report_id,
                comment_id=self.comment_id,
                reporter_id=self.reporter.id if self.reporter else None,
                reason=self.reason,
                note=self.note,
                at=milliseconds(self.at),
            )
        )
        return CommandResult(report_id)
