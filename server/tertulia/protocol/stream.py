"""The messages of a live stream."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tertulia.protocol.bounds import HEARTBEAT_SECONDS
from tertulia.protocol.events import Event
from tertulia.protocol.models import Inbound, Outbound


class Hello(Outbound):
    type: Literal["hello"] = "hello"
    epoch: str
    seq: int
    heartbeat: int = HEARTBEAT_SECONDS
    readers: int


class EventsMessage(Outbound):
    type: Literal["events"] = "events"
    events: list[Event]


class Summary(Outbound):
    """Instead of ``events`` ``from`` to ``to`` while a discussion is busier than anyone can read.

    ``count`` comments were made in the range; ``events`` are the few to show and all that take something back. The
    rest is read with ``GET /events?after=`` from ``from`` - 1 when somebody asks for it.
    """

    type: Literal["summary"] = "summary"
    from_: int = Field(alias="from", serialization_alias="from")
    to: int
    count: int
    events: list[Event]


class Heartbeat(Outbound):
    type: Literal["heartbeat"] = "heartbeat"
    seq: int
    readers: int


class Presence(Outbound):
    type: Literal["presence"] = "presence"
    readers: int
    writing: int


class Reset(Outbound):
    type: Literal["reset"] = "reset"
    epoch: str
    seq: int


StreamMessage = Annotated[Hello | EventsMessage | Summary | Heartbeat | Presence | Reset, Field(discriminator="type")]


class Writing(Inbound):
    type: Literal["writing"]


def events_message(encoded: list[str]) -> str:
    """The ``events`` message around events that are encoded already: an event is encoded once in its life."""
    return '{"type":"events","events":[' + ",".join(encoded) + "]}"


def summary_message(first: int, last: int, count: int, encoded: list[str]) -> str:
    """The ``summary`` message (see Summary) around events that are encoded already."""
    head = f'{{"type":"summary","from":{first},"to":{last},"count":{count},"events":['
    return head + ",".join(encoded) + "]}"
