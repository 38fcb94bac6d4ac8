"""The two kinds of objects on the wire, and how a time is written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: ``2026-11-24T05:20:09.123Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Inbound(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Outbound(BaseModel):
    model_config = ConfigDict(extra="forbid")


def left_out_if_none() -> Any:
    """The default of a field that an answer has only where there is something to say."""
    return Field(default=None, exclude_if=_is_none)


def _is_none(value: object) -> bool:
    return value is None
