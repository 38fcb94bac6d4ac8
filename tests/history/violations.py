"""The names of what can be wrong, with the promise that each breaks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Name(Enum):
    """I1 to I14 are the promises of docs/guarantees.md."""

    lost = "I1: what was answered is not there"
    doubled = "I2: one command was done twice"
    two_answers = "I2: retries of one command got different answers"
    ghost = "I3: something is shown or stored that nobody said, or that was never stored"
    hole = "I4: a log is not 1, 2, 3 and so on"
    two_contents = "I4: one seq says two things"
    reader_lost = "I5: a reader did not get an event"
    reader_doubled = "I5: a reader got an event twice"
    reader_disordered = "I5: a reader got events out of order"
    reader_skipped = "I5: a stream began elsewhere than where its reader had stopped, and nobody said so"
    needless_reset = "I5: a reader was told to begin again although its cursor was good"
    real_time = "I6: what was asked after an answer stands before it in the log"
    stale_read = "I7: a snapshot does not have what was answered before it was asked for"
    went_back = "I7: a snapshot is older than one that was read before"
    snapshot_unlike_log = "I8: a snapshot is not what the log makes"
    leak = "I9: what was removed was shown afterwards"
    wrong_count = "I10: a count differs from what it counts"
    refused_but_done = "I14: what was refused has been done"
    too_few_answers = "the run proves nothing: too little was answered"
    too_few_resumes = "the run proves nothing: too few readers came back"
    idle_fault = "the run proves nothing: a fault met no post under way"
    no_fault = "the run proves nothing: there was no fault"


@dataclass(frozen=True, slots=True)
class Violation:
    """``detail`` says of what and where."""

    name: Name
    detail: str

    def __str__(self) -> str:
        return f"{self.name.name} ({self.name.value}): {self.detail}"
