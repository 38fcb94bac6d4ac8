"""What a client sends with a request."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator

from tertulia.core.rules import EDIT_MOST, FIRST_MOST, HIDE_MOST, NONE_OWN, RULES, SLOW_MOST, OwnRules, RuleValue
from tertulia.core.text import KEY_LENGTH, NAME_LENGTH, TEXT_LENGTH
from tertulia.protocol.models import Inbound


def _described(**limits: str | int) -> Any:
    """What the API's description says of a text, whose type in ``core`` refuses it with codes of its own."""
    return Field(json_schema_extra={**limits})


CommentText = Annotated[str, _described(minLength=1, maxLength=TEXT_LENGTH)]


class GuestName(Inbound):
    name: Annotated[str, _described(minLength=1, maxLength=NAME_LENGTH)]


class NewComment(Inbound):
    """``POST /comments``."""

    site: str = "default"
    key: Annotated[str, _described(minLength=1, maxLength=KEY_LENGTH)]
    title: str | None = None
    url: str | None = None
    parent_id: Annotated[str, _described(format="uuid")] | None = None
    body: CommentText
    author: GuestName | None = None


class CommentEdit(Inbound):
    """``PATCH /comments/{id}``."""

    body: CommentText


class PreviewText(Inbound):
    """``POST /preview``."""

    body: CommentText


class NewNudge(Inbound):
    """``POST /nudge``."""

    site: str = "default"
    key: Annotated[str, _described(minLength=1, maxLength=KEY_LENGTH)]
    body: CommentText


class Vote(Inbound):
    """``PUT /comments/{id}/vote``; 0 takes the vote back."""

    value: Literal[1, 0, -1]

    @field_validator("value", mode="before")
    @classmethod
    def _is_a_number(cls, value: object) -> object:
        if isinstance(value, bool):  # equal to 1 and 0, so a literal takes it
            raise ValueError("true and false are no votes")
        return value


ReportReason = Literal["spam", "abuse", "hate", "off_topic", "private", "false", "illegal", "other"]
"""Why somebody reports a comment, and why a moderator removes one."""
NOTE_LENGTH = 1000
"""Characters of what is said about it."""


class Report(Inbound):
    """``POST /comments/{id}/reports``."""

    reason: ReportReason
    note: str | None = Field(default=None, max_length=NOTE_LENGTH)


class RulesChange(Inbound):
    """What is absent stays; null is as the site has it."""

    who: Literal["all", "members", "nobody"] | None = None
    first: Literal["show", "hold"] | None = None
    first_n: Annotated[int, Field(ge=1, le=FIRST_MOST)] | None = None
    links: Literal["new", "show", "hold", "refuse"] | None = None
    slow: Annotated[int, Field(ge=0, le=SLOW_MOST), AfterValidator(RULES["slow"].read)] | None = None
    hide_after: Annotated[int, Field(ge=0, le=HIDE_MOST)] | None = None
    edit: Annotated[int, Field(ge=0, le=EDIT_MOST)] | None = None
    check: Literal["after", "first"] | None = None
    nudge: Literal["off", "on"] | None = None

    @property
    def given(self) -> dict[str, RuleValue | None]:
        """Those that something is said of."""
        return self.model_dump(exclude_unset=True)

    @property
    def own(self) -> OwnRules:
        """Of whoever had none before."""
        return NONE_OWN.changed(self.given)


class DiscussionChange(Inbound):
    """``PATCH /discussion``: what is absent stays; ``url`` is of the site's pages, and empty where there is none.

    With ``closes_at`` null it stays open.
    """

    mode: Literal["open", "held", "closed"] | None = None
    rules: RulesChange | None = None
    closes_at: Annotated[str, _described(format="date-time")] | None = None
    title: str | None = None
    url: str | None = None


class NewSession(Inbound):
    """``POST /sessions``: by which way (``grant``), and what that way asks for.

    ``guest`` is the token of the guest that the person was so far.
    """

    grant: str = Field(max_length=32)
    site: str = "default"
    token: str | None = Field(default=None, max_length=4096)
    code: str | None = Field(default=None, max_length=128)
    verifier: str | None = Field(default=None, max_length=128)
    challenge: str | None = Field(default=None, max_length=64)
    name: str | None = None
    guest: str | None = Field(default=None, max_length=2048)


class NewCode(Inbound):
    """``POST /codes``: where to send a code, and the tag of the language to say it in."""

    site: str = "default"
    email: str = Field(max_length=320)
    lang: str | None = Field(default=None, max_length=32)


class PersonChange(Inbound):
    """``PATCH /me``."""

    name: str
