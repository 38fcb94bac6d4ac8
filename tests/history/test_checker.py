"""The checker is checked: each bad history has its name, and odd but good ones have none."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.history.checker import Demands, check
from tests.history.records import (
    Answered,
    Attempted,
    Fault,
    Heard,
    Joined,
    Json,
    Left,
    Looked,
    Record,
    Refused,
    Reset,
    Summed,
    Unknown,
    read,
    written,
)
from tests.history.stored import InstanceView, Row, Stored, mark_in
from tests.history.violations import Name

TALK, EPOCH = "talk", "one"


def comment(number: int, parent: str | None = None, state: str = "visible") -> Json:
    shown = state == "visible"
    return {
        "id": f"c{number}",
        "parent_id": parent,
        "author": {"id": f"a{number}", "name": "Lan"} if shown else None,
        "body": [{"text": f"«m{number}»"}] if shown else None,
        "created_at": f"2026-11-24T00:00:{number:02}.000Z",
        "state": state,
        "votes": {"up": 0, "down": 0},
        "reply_count": 0,
    }


def created(number: int, state: str = "visible") -> Json:
    return {"seq": number, "kind": "comment.created", "comment": comment(number, state=state), "comment_count": number}


def removed(seq: int, number: int, count: int) -> Json:
    tombstone = comment(number, state="removed")
    return {"seq": seq, "kind": "comment.removed", "comment": tombstone, "comment_count": count}


def voted(seq: int, up: int) -> Json:
    return {"seq": seq, "kind": "comment.voted", "comment_id": "c2", "votes": {"up": up, "down": 0}}


def with_votes(up: int) -> Json:
    return comment(2) | {"votes": {"up": up, "down": 0}}


def snapshot(seq: int, comments: list[Json], count: int) -> Json:
    discussion = {"epoch": EPOCH, "seq": seq, "comment_count": count}
    return {"discussion": discussion, "comments": comments, "next": None, "replies": {}}


class Scenario:
    """Three comments that were answered one after the other, and a reader of all of them who came back once."""

    def __init__(self) -> None:
        self.log = [created(1), created(2), created(3)]
        self.rows = [
            Row(f"c{number}", TALK, f"a{number}", f"k{number}", f"m{number}", "visible") for number in (1, 2, 3)
        ]
        self.voters: dict[str, set[str]] = {}
        self.history: list[Record] = [
            Joined(0.1, 0.0, "r", TALK, "A", None, None, EPOCH, 0),
            *self.post(1, 1.0),
            Heard(1.6, "r", TALK, created(1)),
            *self.post(2, 2.0),
            Left(2.7, "r", TALK, 1012),
            Joined(2.9, 2.8, "r", TALK, "B", EPOCH, 1, EPOCH, 2),
            Heard(2.95, "r", TALK, created(2)),
            *self.post(3, 3.0),
            Heard(3.6, "r", TALK, created(3)),
            Looked(3.8, 3.7, "s", TALK, "B", snapshot(3, [comment(1), comment(2), comment(3)], 3)),
        ]
        self.views: list[InstanceView] | None = None
        self.head: int | None = None

    @staticmethod
    def post(number: int, at: float) -> list[Record]:
        asked = Attempted(at, f"w{number}", "post", TALK, f"m{number}", "A")
        return [asked, Answered(at + 0.5, f"m{number}", f"c{number}", number)]

    def add(self, *records: Record) -> None:
        self.history += records

    def put(self, old: Record, *new: Record) -> None:
        at = self.history.index(old)
        self.history[at : at + 1] = new

    def find(self, kind: type[Record], which: int = 0) -> Record:
        return [record for record in self.history if isinstance(record, kind)][which]

    def remove_the_second(self) -> None:
        """As the moderator's removal at A leaves everything; the reader hears of it."""
        asked = Attempted(4.0, "mod", "remove", TALK, "x", "A", target="c2")
        self.rows[1] = replace(self.rows[1], state="removed")
        self.log = [created(1), created(2, state="removed"), created(3), removed(4, 2, 2)]
        self.add(asked, Answered(4.5, "x", "c2", 4), Heard(4.4, "r", TALK, removed(4, 2, 2)))

    def vote_on_the_second(self) -> None:
        """Two vote; the log keeps the second event alone, the reader was told both."""
        for number in (1, 2):
            asked = Attempted(3.9 + number / 10, f"w{number}", "vote", TALK, f"v{number}", "A", target="c2")
            self.add(asked, Answered(4.3, f"v{number}", "c2", 3 + number))
        self.log += [{"seq": 4, "kind": "comment.superseded"}, voted(5, 2)]
        self.voters["c2"] = {"w1", "w2"}
        self.add(*(Heard(4.4, "r", TALK, voted(3 + up, up)) for up in (1, 2)))

    def stored(self) -> Stored:
        comments = {event["comment"]["id"]: event["comment"] for event in self.log if "comment" in event}
        for event in self.log:
            if "votes" in event:
                comments[event["comment_id"]] = comments[event["comment_id"]] | {"votes": event["votes"]}
        count = next((event["comment_count"] for event in reversed(self.log) if "comment_count" in event), 0)
        shown = snapshot(len(self.log), list(comments.values()), count)
        views = (
            [InstanceView(name, TALK, shown, list(self.log)) for name in ("A", "B")]
            if self.views is None
            else self.views
        )
        head = len(self.log) if self.head is None else self.head
        return Stored(EPOCH, self.rows, {TALK: self.log}, {TALK: head}, self.voters, views)

    def names(self, demands: Demands | None = None, hide: float = 2.0) -> set[Name]:
        return {violation.name for violation in check(self.history, self.stored(), demands, hide=hide)}


# ---- bad histories --------------------------------------------------------------------------------------

Change = Callable[[Scenario], None]
BAD: list[tuple[Name, Change]] = []


def bad(name: Name) -> Callable[[Change], Change]:
    def keep(change: Change) -> Change:
        BAD.append((name, change))
        return change

    return keep


@bad(Name.lost)
def an_answered_comment_is_not_stored(scenario: Scenario) -> None:
    del scenario.rows[2]


@bad(Name.lost)
def an_answered_comment_has_another_seq(scenario: Scenario) -> None:
    scenario.put(scenario.find(Answered, 2), Answered(3.5, "m3", "c3", 2))


@bad(Name.lost)
def an_answered_removal_is_not_stored(scenario: Scenario) -> None:
    scenario.remove_the_second()
    scenario.rows[1] = replace(scenario.rows[1], state="visible")


@bad(Name.lost)
def an_answered_vote_is_not_stored(scenario: Scenario) -> None:
    scenario.add(Attempted(4.0, "w1", "vote", TALK, "v", "A", target="c2"), Answered(4.5, "v", "c2", 3))


@bad(Name.doubled)
def a_retry_makes_a_second_comment(scenario: Scenario) -> None:
    scenario.rows.append(Row("c4", TALK, "a4", "k4", "m3", "visible"))


@bad(Name.doubled)
def one_key_has_two_comments(scenario: Scenario) -> None:
    scenario.rows[2] = replace(scenario.rows[2], author="a2", key="k2")


@bad(Name.two_answers)
def a_retry_is_answered_otherwise(scenario: Scenario) -> None:
    scenario.add(Attempted(5.0, "w3", "post", TALK, "m3", "B"), Answered(5.5, "m3", "c2", 2))


@bad(Name.ghost)
def something_is_stored_that_nobody_said(scenario: Scenario) -> None:
    scenario.rows.append(Row("c4", TALK, "a4", "k4", "m4", "visible"))


@bad(Name.ghost)
def something_is_told_that_was_never_committed(scenario: Scenario) -> None:
    scenario.add(Heard(5.0, "r", TALK, created(4)))


@bad(Name.hole)
def the_log_has_a_hole(scenario: Scenario) -> None:
    scenario.log[2] = scenario.log[2] | {"seq": 4}


@bad(Name.hole)
def the_log_has_a_seq_twice(scenario: Scenario) -> None:
    scenario.log[2] = scenario.log[2] | {"seq": 2}


@bad(Name.hole)
def the_head_is_not_the_last_event(scenario: Scenario) -> None:
    scenario.head = 4


@bad(Name.hole)
def an_instance_shows_less(scenario: Scenario) -> None:
    views = scenario.stored().views
    scenario.views = [views[0], replace(views[1], events=views[1].events[:2])]


@bad(Name.two_contents)
def an_instance_tells_something_else(scenario: Scenario) -> None:
    other = created(2) | {"comment": comment(2) | {"body": [{"text": "something else"}]}}
    scenario.put(scenario.find(Heard, 1), Heard(2.95, "r", TALK, other))


@bad(Name.two_contents)
def an_instance_shows_something_else_in_the_end(scenario: Scenario) -> None:
    views = scenario.stored().views
    other = created(2) | {"comment": comment(2) | {"body": [{"text": "something else"}]}}
    scenario.views = [views[0], replace(views[1], events=[created(1), other, created(3)])]


@bad(Name.reader_lost)
def a_reader_misses_one_in_the_middle(scenario: Scenario) -> None:
    scenario.history.remove(scenario.find(Heard, 1))


@bad(Name.reader_lost)
def a_reader_misses_the_last(scenario: Scenario) -> None:
    scenario.history.remove(scenario.find(Heard, 2))


@bad(Name.reader_doubled)
def a_reader_gets_one_twice(scenario: Scenario) -> None:
    scenario.add(Heard(5.0, "r", TALK, created(3)))


@bad(Name.reader_disordered)
def a_reader_gets_two_the_other_way_round(scenario: Scenario) -> None:
    second, third = scenario.find(Heard, 1), scenario.find(Heard, 2)
    scenario.history.remove(second)
    scenario.history.insert(scenario.history.index(third) + 1, second)


@bad(Name.reader_skipped)
def a_reader_goes_on_behind_what_it_had(scenario: Scenario) -> None:
    scenario.put(scenario.find(Joined, 1), Joined(2.9, 2.8, "r", TALK, "B", EPOCH, 2, EPOCH, 2))
    scenario.history.remove(scenario.find(Heard, 1))


@bad(Name.reader_skipped)
def a_reader_comes_back_at_the_head(scenario: Scenario) -> None:
    scenario.put(scenario.find(Joined, 1), Joined(2.9, 2.8, "r", TALK, "B", None, None, EPOCH, 2))
    scenario.history.remove(scenario.find(Heard, 1))


@bad(Name.reader_skipped)
def a_reader_is_not_told_of_another_epoch(scenario: Scenario) -> None:
    scenario.put(scenario.find(Joined, 1), Joined(2.9, 2.8, "r", TALK, "B", EPOCH, 1, "two", 2))


@bad(Name.reader_skipped)
def a_stream_goes_on_behind_the_snapshot_after_a_reset(scenario: Scenario) -> None:
    scenario.put(
        scenario.find(Heard, 1),
        Reset(2.91, "r", TALK, EPOCH, 2),
        Looked(2.95, 2.92, "r", TALK, "B", snapshot(1, [comment(1)], 1), adopts=True),
    )


@bad(Name.needless_reset)
def a_reader_with_a_good_cursor_is_reset(scenario: Scenario) -> None:
    scenario.put(
        scenario.find(Heard, 1),
        Reset(2.91, "r", TALK, EPOCH, 2),
        Looked(2.95, 2.92, "r", TALK, "B", snapshot(2, [comment(1), comment(2)], 2), adopts=True),
    )


@bad(Name.real_time)
def what_was_asked_later_stands_earlier(scenario: Scenario) -> None:
    scenario.put(scenario.find(Attempted, 1), Attempted(3.7, "w2", "post", TALK, "m2", "A"))
    scenario.put(scenario.find(Answered, 1), Answered(3.9, "m2", "c2", 2))


@bad(Name.stale_read)
def a_snapshot_does_not_have_what_was_answered(scenario: Scenario) -> None:
    scenario.put(scenario.find(Looked), Looked(3.8, 3.7, "s", TALK, "B", snapshot(2, [comment(1), comment(2)], 2)))


@bad(Name.went_back)
def a_snapshot_is_older_than_the_one_before(scenario: Scenario) -> None:
    newer = Looked(3.2, 3.1, "s", TALK, "A", snapshot(3, [comment(1), comment(2), comment(3)], 3))
    scenario.put(
        scenario.find(Looked), newer, Looked(3.4, 3.3, "s", TALK, "B", snapshot(2, [comment(1), comment(2)], 2))
    )


@bad(Name.snapshot_unlike_log)
def a_snapshot_lacks_a_comment(scenario: Scenario) -> None:
    scenario.put(scenario.find(Looked), Looked(3.8, 3.7, "s", TALK, "B", snapshot(3, [comment(1), comment(3)], 3)))


@bad(Name.snapshot_unlike_log)
def a_snapshot_has_another_total(scenario: Scenario) -> None:
    voted = comment(2) | {"votes": {"up": 1, "down": 0}}
    scenario.put(
        scenario.find(Looked), Looked(3.8, 3.7, "s", TALK, "B", snapshot(3, [comment(1), voted, comment(3)], 3))
    )


@bad(Name.snapshot_unlike_log)
def an_instance_shows_another_discussion_in_the_end(scenario: Scenario) -> None:
    views = scenario.stored().views
    scenario.views = [views[0], replace(views[1], snapshot=snapshot(3, [comment(1), comment(3)], 3))]


@bad(Name.leak)
def a_snapshot_shows_what_was_removed(scenario: Scenario) -> None:
    scenario.remove_the_second()
    scenario.add(Looked(4.8, 4.6, "s", TALK, "B", snapshot(4, [comment(1), comment(2), comment(3)], 2)))


@bad(Name.leak)
def the_instance_that_removed_it_shows_it_to_who_comes_later(scenario: Scenario) -> None:
    scenario.remove_the_second()
    scenario.add(
        Joined(4.7, 4.6, "late", TALK, "A", EPOCH, 0, EPOCH, 4),
        *(Heard(4.8, "late", TALK, event) for event in (created(1), created(2), created(3), removed(4, 2, 2))),
    )


@bad(Name.leak)
def another_instance_still_shows_it_after_a_while(scenario: Scenario) -> None:
    scenario.remove_the_second()
    scenario.add(
        Joined(9.7, 9.6, "late", TALK, "B", EPOCH, 0, EPOCH, 4),
        *(Heard(9.8, "late", TALK, event) for event in (created(1), created(2), created(3), removed(4, 2, 2))),
    )


@bad(Name.leak)
def a_stream_shows_it_after_it_told_of_the_removal(scenario: Scenario) -> None:
    scenario.remove_the_second()
    scenario.log.append({"seq": 5, "kind": "comment.edited", "comment": comment(2, state="removed")})
    scenario.add(Heard(4.9, "r", TALK, {"seq": 5, "kind": "comment.edited", "comment": comment(2)}))


@bad(Name.leak)
def the_log_keeps_what_was_removed(scenario: Scenario) -> None:
    scenario.remove_the_second()
    scenario.log[1] = created(2)


@bad(Name.leak)
def an_instance_keeps_what_was_removed(scenario: Scenario) -> None:
    scenario.remove_the_second()
    views = scenario.stored().views
    scenario.views = [views[0], replace(views[1], events=[created(1), created(2), created(3), removed(4, 2, 2)])]


@bad(Name.wrong_count)
def an_event_counts_wrongly(scenario: Scenario) -> None:
    scenario.log[1] = scenario.log[1] | {"comment_count": 3}


@bad(Name.wrong_count)
def an_event_counts_replies_wrongly(scenario: Scenario) -> None:
    scenario.log[2] = scenario.log[2] | {"parent": {"id": "c1", "reply_count": 1}}


@bad(Name.wrong_count)
def votes_are_not_what_is_counted(scenario: Scenario) -> None:
    scenario.log.append({"seq": 4, "kind": "comment.voted", "comment_id": "c2", "votes": {"up": 2, "down": 0}})
    scenario.add(Attempted(4.0, "w1", "vote", TALK, "v", "A", target="c2"), Answered(4.5, "v", "c2", 4))
    scenario.voters["c2"] = {"w1"}


@bad(Name.two_contents)
def two_are_told_another_total_of_votes(scenario: Scenario) -> None:
    scenario.vote_on_the_second()
    scenario.add(
        Joined(4.7, 4.6, "late", TALK, "B", EPOCH, 3, EPOCH, 5),
        Heard(4.8, "late", TALK, voted(4, 7)),
        Heard(4.8, "late", TALK, voted(5, 2)),
    )


@bad(Name.snapshot_unlike_log)
def a_snapshot_has_other_votes_than_were_told(scenario: Scenario) -> None:
    scenario.vote_on_the_second()
    scenario.add(Looked(4.2, 4.1, "s", TALK, "B", snapshot(4, [comment(1), with_votes(2), comment(3)], 3)))


@bad(Name.refused_but_done)
def a_refused_comment_is_stored(scenario: Scenario) -> None:
    scenario.put(scenario.find(Answered, 2), Refused(3.5, "m3", "bad_parent"))


@bad(Name.refused_but_done)
def a_refused_vote_is_stored(scenario: Scenario) -> None:
    scenario.add(Attempted(4.0, "w1", "vote", TALK, "v", "A", target="c2"), Refused(4.5, "v", "gone"))
    scenario.voters["c2"] = {"w1"}


@pytest.mark.parametrize(("name", "change"), BAD, ids=[change.__name__ for _, change in BAD])
def test_a_bad_history_has_its_name(name: Name, change: Change) -> None:
    scenario = Scenario()
    change(scenario)
    assert name in scenario.names()


def test_every_name_has_a_bad_history() -> None:
    weak = {Name.too_few_answers, Name.too_few_resumes, Name.idle_fault, Name.no_fault}
    assert {name for name, _ in BAD} | weak == set(Name)


# ---- runs that prove nothing ----------------------------------------------------------------------------

FAULT = (Fault(1.2, "a crash", True), Fault(2.2, "a crash", False))


@pytest.mark.parametrize(
    ("name", "demands", "more"),
    [
        (Name.too_few_answers, Demands(answers=4, resumes=1, faults=True), FAULT),
        (Name.too_few_resumes, Demands(answers=3, resumes=2, faults=True), FAULT),
        (Name.idle_fault, Demands(faults=True), (Fault(8.0, "a crash", True), Fault(9.0, "a crash", False))),
        (Name.no_fault, Demands(faults=True), ()),
    ],
)
def test_a_run_that_proves_nothing_is_told(name: Name, demands: Demands, more: tuple[Record, ...]) -> None:
    scenario = Scenario()
    scenario.add(*more)
    assert scenario.names(demands) == {name}


# ---- good histories -------------------------------------------------------------------------------------


def nothing_odd(_story: Scenario) -> None:
    """As it should be."""


def an_unknown_outcome_appears_later(scenario: Scenario) -> None:
    scenario.put(scenario.find(Answered, 2), Unknown(3.5, "m3", "the connection was cut"))


def an_unknown_outcome_is_answered_at_the_retry(scenario: Scenario) -> None:
    scenario.put(
        scenario.find(Attempted, 2), Attempted(2.96, "w3", "post", TALK, "m3", "A"), Unknown(2.97, "m3", "503")
    )
    scenario.add(Attempted(3.1, "w3", "post", TALK, "m3", "B"), Answered(3.3, "m3", "c3", 3))


def an_unknown_outcome_never_happens(scenario: Scenario) -> None:
    scenario.add(Attempted(4.0, "w4", "post", TALK, "m4", "A"), Unknown(5.0, "m4", "the server died"))
    scenario.add(Attempted(4.0, "w5", "post", TALK, "m5", "A"))


def a_refused_comment_is_not_stored(scenario: Scenario) -> None:
    scenario.add(Attempted(4.0, "w4", "post", TALK, "m4", "A"), Refused(5.0, "m4", "bad_parent"))


def a_tombstone_stands_in_the_middle(scenario: Scenario) -> None:
    scenario.remove_the_second()
    tombstone = created(2, state="removed")
    scenario.add(
        Joined(9.7, 9.6, "late", TALK, "B", EPOCH, 0, EPOCH, 4),
        *(Heard(9.8, "late", TALK, event) for event in (created(1), tombstone, created(3), removed(4, 2, 2))),
    )


def another_instance_shows_it_for_a_moment(scenario: Scenario) -> None:
    scenario.remove_the_second()
    scenario.add(
        Joined(4.7, 4.6, "late", TALK, "B", EPOCH, 0, EPOCH, 3),
        *(Heard(4.8, "late", TALK, event) for event in (created(1), created(2), created(3), removed(4, 2, 2))),
    )


def a_cursor_of_another_epoch_is_reset(scenario: Scenario) -> None:
    """The database is another one, brought back from a backup: the reader begins again with a snapshot."""
    scenario.put(
        scenario.find(Joined),
        Joined(0.1, 0.0, "r", TALK, "A", "zero", 40, EPOCH, 0),
        Reset(0.11, "r", TALK, EPOCH, 0),
        Looked(0.2, 0.15, "r", TALK, "A", snapshot(0, [], 0), adopts=True),
    )
    before = Joined(-2.0, -2.1, "r", TALK, "A", None, None, "zero", 40)
    scenario.history.insert(0, before)


def a_snapshot_after_a_reset_is_ahead_of_the_stream(scenario: Scenario) -> None:
    """What the stream brings of it once more is dropped."""
    scenario.put(scenario.find(Joined, 1), Joined(2.9, 2.8, "r", TALK, "B", "zero", 1, EPOCH, 1))
    again = Looked(2.94, 2.92, "r", TALK, "B", snapshot(2, [comment(1), comment(2)], 2), adopts=True)
    scenario.put(scenario.find(Heard, 1), Reset(2.91, "r", TALK, EPOCH, 1), again, Heard(2.95, "r", TALK, created(2)))


def a_summary_stands_for_what_it_leaves_out(scenario: Scenario) -> None:
    scenario.history.remove(scenario.find(Heard, 1))
    scenario.put(scenario.find(Heard, 1), Summed(3.6, "r", TALK, 2, 3, [created(3)]))


def votes_are_superseded(scenario: Scenario) -> None:
    """Who was there was told each; who comes later is told the last. What nobody was told is not compared."""
    scenario.vote_on_the_second()
    scenario.add(
        Joined(4.7, 4.6, "late", TALK, "B", EPOCH, 3, EPOCH, 5),
        *(Heard(4.8, "late", TALK, event) for event in scenario.log[3:]),
        Looked(4.2, 4.1, "s", TALK, "B", snapshot(4, [comment(1), with_votes(1), comment(3)], 3)),
    )


def a_vote_that_nobody_was_told_of_is_superseded(scenario: Scenario) -> None:
    scenario.vote_on_the_second()
    scenario.history.remove(scenario.find(Heard, 3))
    scenario.history.remove(scenario.find(Heard, 3))
    scenario.add(
        *(Heard(4.5, "r", TALK, event) for event in scenario.log[3:]),
        Looked(4.2, 4.1, "s", TALK, "B", snapshot(4, [comment(1), with_votes(1), comment(3)], 3)),
    )


def somebody_has_read_enough(scenario: Scenario) -> None:
    scenario.add(Joined(4.0, 3.9, "new", TALK, "A", EPOCH, 0, EPOCH, 3), Heard(4.1, "new", TALK, created(1)))
    scenario.add(Left(4.2, "new", TALK, 1000))


def a_snapshot_shows_what_is_removed_later(scenario: Scenario) -> None:
    scenario.remove_the_second()
    scenario.add(Looked(4.2, 4.1, "s", TALK, "A", snapshot(3, [comment(1), comment(2), comment(3)], 3)))


GOOD = [
    nothing_odd,
    an_unknown_outcome_appears_later,
    an_unknown_outcome_is_answered_at_the_retry,
    an_unknown_outcome_never_happens,
    a_refused_comment_is_not_stored,
    a_tombstone_stands_in_the_middle,
    another_instance_shows_it_for_a_moment,
    a_cursor_of_another_epoch_is_reset,
    a_snapshot_after_a_reset_is_ahead_of_the_stream,
    a_summary_stands_for_what_it_leaves_out,
    votes_are_superseded,
    a_vote_that_nobody_was_told_of_is_superseded,
    somebody_has_read_enough,
    a_snapshot_shows_what_is_removed_later,
]


@pytest.mark.parametrize("change", GOOD, ids=lambda change: change.__name__)
def test_an_odd_but_good_history_has_no_name(change: Change) -> None:
    scenario = Scenario()
    change(scenario)
    assert check(scenario.history, scenario.stored(), hide=2.0) == []


# ---- the file -------------------------------------------------------------------------------------------


def test_a_history_is_read_as_it_was_written() -> None:
    scenario = Scenario()
    scenario.remove_the_second()
    scenario.add(*FAULT, Unknown(7.0, "m", "cut"), Refused(7.0, "m", "gone"), Reset(7.0, "r", TALK, EPOCH, 2))
    scenario.add(Summed(7.0, "r", TALK, 1, 2, [created(1)]))
    assert list(read(written(scenario.history))) == scenario.history


def test_a_mark_is_found_in_a_text() -> None:
    assert mark_in("Said as «w1-4», twice «w1-5»") == "w1-4"
    assert mark_in("no mark") == ""


def test_a_history_ten_times_as_long_takes_about_ten_times_as_long() -> None:
    """At most forty times: a checker that compares all with all takes a hundred."""

    def seconds(many: int) -> float:
        scenario = Scenario()
        scenario.log = [created(number) for number in range(1, many + 1)]
        scenario.rows = [Row(f"c{n}", TALK, f"a{n}", f"k{n}", f"m{n}", "visible") for n in range(1, many + 1)]
        scenario.history = [Joined(0.1, 0.0, "r", TALK, "A", None, None, EPOCH, 0)]
        for number in range(1, many + 1):
            scenario.add(*scenario.post(number, float(number)), Heard(number + 0.6, "r", TALK, created(number)))
        stored = scenario.stored()
        began = time.process_time()
        assert check(scenario.history, stored) == []
        return time.process_time() - began

    assert seconds(10_000) < 40 * max(seconds(1_000), 0.01)
