"""The checker is checked: each bad history has its name, and odd but good ones have none."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.history.checker import Demands, check
from tests.history.records import (
    Answered,
    Asked,
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
from tests.history.stored import Row, Stored, View, mark_in
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


class Story:
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
        self.views: list[View] | None = None
        self.head: int | None = None

    @staticmethod
    def post(number: int, at: float) -> list[Record]:
        asked = Asked(at, f"w{number}", "post", TALK, f"m{number}", "A")
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
        asked = Asked(4.0, "mod", "remove", TALK, "x", "A", target="c2")
        self.rows[1] = replace(self.rows[1], state="removed")
        self.log = [created(1), created(2, state="removed"), created(3), removed(4, 2, 2)]
        self.add(asked, Answered(4.5, "x", "c2", 4), Heard(4.4, "r", TALK, removed(4, 2, 2)))

    def vote_on_the_second(self) -> None:
        """Two vote; the log keeps the second event alone, the reader was told both."""
        for number in (1, 2):
            asked = Asked(3.9 + number / 10, f"w{number}", "vote", TALK, f"v{number}", "A", target="c2")
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
        views = [View(name, TALK, shown, list(self.log)) for name in ("A", "B")] if self.views is None else self.views
        head = len(self.log) if self.head is None else self.head
        return Stored(EPOCH, self.rows, {TALK: self.log}, {TALK: head}, self.voters, views)

    def names(self, demands: Demands | None = None, hide: float = 2.0) -> set[Name]:
        return {violation.name for violation in check(self.history, self.stored(), demands, hide=hide)}


# ---- bad histories --------------------------------------------------------------------------------------

Tale = Callable[[Story], None]
BAD: list[tuple[Name, Tale]] = []


def bad(name: Name) -> Callable[[Tale], Tale]:
    def keep(tale: Tale) -> Tale:
        BAD.append((name, tale))
        return tale

    return keep


@bad(Name.lost)
def an_answered_comment_is_not_stored(story: Story) -> None:
    del story.rows[2]


@bad(Name.lost)
def an_answered_comment_has_another_seq(story: Story) -> None:
    story.put(story.find(Answered, 2), Answered(3.5, "m3", "c3", 2))


@bad(Name.lost)
def an_answered_removal_is_not_stored(story: Story) -> None:
    story.remove_the_second()
    story.rows[1] = replace(story.rows[1], state="visible")


@bad(Name.lost)
def an_answered_vote_is_not_stored(story: Story) -> None:
    story.add(Asked(4.0, "w1", "vote", TALK, "v", "A", target="c2"), Answered(4.5, "v", "c2", 3))


@bad(Name.doubled)
def a_retry_makes_a_second_comment(story: Story) -> None:
    story.rows.append(Row("c4", TALK, "a4", "k4", "m3", "visible"))


@bad(Name.doubled)
def one_key_has_two_comments(story: Story) -> None:
    story.rows[2] = replace(story.rows[2], author="a2", key="k2")


@bad(Name.two_answers)
def a_retry_is_answered_otherwise(story: Story) -> None:
    story.add(Asked(5.0, "w3", "post", TALK, "m3", "B"), Answered(5.5, "m3", "c2", 2))


@bad(Name.ghost)
def something_is_stored_that_nobody_said(story: Story) -> None:
    story.rows.append(Row("c4", TALK, "a4", "k4", "m4", "visible"))


@bad(Name.ghost)
def something_is_told_that_was_never_committed(story: Story) -> None:
    story.add(Heard(5.0, "r", TALK, created(4)))


@bad(Name.hole)
def the_log_has_a_hole(story: Story) -> None:
    story.log[2] = story.log[2] | {"seq": 4}


@bad(Name.hole)
def the_log_has_a_seq_twice(story: Story) -> None:
    story.log[2] = story.log[2] | {"seq": 2}


@bad(Name.hole)
def the_head_is_not_the_last_event(story: Story) -> None:
    story.head = 4


@bad(Name.hole)
def an_instance_shows_less(story: Story) -> None:
    views = story.stored().views
    story.views = [views[0], replace(views[1], events=views[1].events[:2])]


@bad(Name.two_contents)
def an_instance_tells_something_else(story: Story) -> None:
    other = created(2) | {"comment": comment(2) | {"body": [{"text": "something else"}]}}
    story.put(story.find(Heard, 1), Heard(2.95, "r", TALK, other))


@bad(Name.two_contents)
def an_instance_shows_something_else_in_the_end(story: Story) -> None:
    views = story.stored().views
    other = created(2) | {"comment": comment(2) | {"body": [{"text": "something else"}]}}
    story.views = [views[0], replace(views[1], events=[created(1), other, created(3)])]


@bad(Name.reader_lost)
def a_reader_misses_one_in_the_middle(story: Story) -> None:
    story.history.remove(story.find(Heard, 1))


@bad(Name.reader_lost)
def a_reader_misses_the_last(story: Story) -> None:
    story.history.remove(story.find(Heard, 2))


@bad(Name.reader_doubled)
def a_reader_gets_one_twice(story: Story) -> None:
    story.add(Heard(5.0, "r", TALK, created(3)))


@bad(Name.reader_disordered)
def a_reader_gets_two_the_other_way_round(story: Story) -> None:
    second, third = story.find(Heard, 1), story.find(Heard, 2)
    story.history.remove(second)
    story.history.insert(story.history.index(third) + 1, second)


@bad(Name.reader_skipped)
def a_reader_goes_on_behind_what_it_had(story: Story) -> None:
    story.put(story.find(Joined, 1), Joined(2.9, 2.8, "r", TALK, "B", EPOCH, 2, EPOCH, 2))
    story.history.remove(story.find(Heard, 1))


@bad(Name.reader_skipped)
def a_reader_comes_back_at_the_head(story: Story) -> None:
    story.put(story.find(Joined, 1), Joined(2.9, 2.8, "r", TALK, "B", None, None, EPOCH, 2))
    story.history.remove(story.find(Heard, 1))


@bad(Name.reader_skipped)
def a_reader_is_not_told_of_another_epoch(story: Story) -> None:
    story.put(story.find(Joined, 1), Joined(2.9, 2.8, "r", TALK, "B", EPOCH, 1, "two", 2))


@bad(Name.reader_skipped)
def a_stream_goes_on_behind_the_snapshot_after_a_reset(story: Story) -> None:
    story.put(
        story.find(Heard, 1),
        Reset(2.91, "r", TALK, EPOCH, 2),
        Looked(2.95, 2.92, "r", TALK, "B", snapshot(1, [comment(1)], 1), adopts=True),
    )


@bad(Name.needless_reset)
def a_reader_with_a_good_cursor_is_reset(story: Story) -> None:
    story.put(
        story.find(Heard, 1),
        Reset(2.91, "r", TALK, EPOCH, 2),
        Looked(2.95, 2.92, "r", TALK, "B", snapshot(2, [comment(1), comment(2)], 2), adopts=True),
    )


@bad(Name.real_time)
def what_was_asked_later_stands_earlier(story: Story) -> None:
    story.put(story.find(Asked, 1), Asked(3.7, "w2", "post", TALK, "m2", "A"))
    story.put(story.find(Answered, 1), Answered(3.9, "m2", "c2", 2))


@bad(Name.stale_read)
def a_snapshot_does_not_have_what_was_answered(story: Story) -> None:
    story.put(story.find(Looked), Looked(3.8, 3.7, "s", TALK, "B", snapshot(2, [comment(1), comment(2)], 2)))


@bad(Name.went_back)
def a_snapshot_is_older_than_the_one_before(story: Story) -> None:
    newer = Looked(3.2, 3.1, "s", TALK, "A", snapshot(3, [comment(1), comment(2), comment(3)], 3))
    story.put(story.find(Looked), newer, Looked(3.4, 3.3, "s", TALK, "B", snapshot(2, [comment(1), comment(2)], 2)))


@bad(Name.snapshot_unlike_log)
def a_snapshot_lacks_a_comment(story: Story) -> None:
    story.put(story.find(Looked), Looked(3.8, 3.7, "s", TALK, "B", snapshot(3, [comment(1), comment(3)], 3)))


@bad(Name.snapshot_unlike_log)
def a_snapshot_has_another_total(story: Story) -> None:
    voted = comment(2) | {"votes": {"up": 1, "down": 0}}
    story.put(story.find(Looked), Looked(3.8, 3.7, "s", TALK, "B", snapshot(3, [comment(1), voted, comment(3)], 3)))


@bad(Name.snapshot_unlike_log)
def an_instance_shows_another_discussion_in_the_end(story: Story) -> None:
    views = story.stored().views
    story.views = [views[0], replace(views[1], snapshot=snapshot(3, [comment(1), comment(3)], 3))]


@bad(Name.leak)
def a_snapshot_shows_what_was_removed(story: Story) -> None:
    story.remove_the_second()
    story.add(Looked(4.8, 4.6, "s", TALK, "B", snapshot(4, [comment(1), comment(2), comment(3)], 2)))


@bad(Name.leak)
def the_instance_that_removed_it_shows_it_to_who_comes_later(story: Story) -> None:
    story.remove_the_second()
    story.add(
        Joined(4.7, 4.6, "late", TALK, "A", EPOCH, 0, EPOCH, 4),
        *(Heard(4.8, "late", TALK, event) for event in (created(1), created(2), created(3), removed(4, 2, 2))),
    )


@bad(Name.leak)
def another_instance_still_shows_it_after_a_while(story: Story) -> None:
    story.remove_the_second()
    story.add(
        Joined(9.7, 9.6, "late", TALK, "B", EPOCH, 0, EPOCH, 4),
        *(Heard(9.8, "late", TALK, event) for event in (created(1), created(2), created(3), removed(4, 2, 2))),
    )


@bad(Name.leak)
def a_stream_shows_it_after_it_told_of_the_removal(story: Story) -> None:
    story.remove_the_second()
    story.log.append({"seq": 5, "kind": "comment.edited", "comment": comment(2, state="removed")})
    story.add(Heard(4.9, "r", TALK, {"seq": 5, "kind": "comment.edited", "comment": comment(2)}))


@bad(Name.leak)
def the_log_keeps_what_was_removed(story: Story) -> None:
    story.remove_the_second()
    story.log[1] = created(2)


@bad(Name.leak)
def an_instance_keeps_what_was_removed(story: Story) -> None:
    story.remove_the_second()
    views = story.stored().views
    story.views = [views[0], replace(views[1], events=[created(1), created(2), created(3), removed(4, 2, 2)])]


@bad(Name.wrong_count)
def an_event_counts_wrongly(story: Story) -> None:
    story.log[1] = story.log[1] | {"comment_count": 3}


@bad(Name.wrong_count)
def an_event_counts_replies_wrongly(story: Story) -> None:
    story.log[2] = story.log[2] | {"parent": {"id": "c1", "reply_count": 1}}


@bad(Name.wrong_count)
def votes_are_not_what_is_counted(story: Story) -> None:
    story.log.append({"seq": 4, "kind": "comment.voted", "comment_id": "c2", "votes": {"up": 2, "down": 0}})
    story.add(Asked(4.0, "w1", "vote", TALK, "v", "A", target="c2"), Answered(4.5, "v", "c2", 4))
    story.voters["c2"] = {"w1"}


@bad(Name.two_contents)
def two_are_told_another_total_of_votes(story: Story) -> None:
    story.vote_on_the_second()
    story.add(
        Joined(4.7, 4.6, "late", TALK, "B", EPOCH, 3, EPOCH, 5),
        Heard(4.8, "late", TALK, voted(4, 7)),
        Heard(4.8, "late", TALK, voted(5, 2)),
    )


@bad(Name.snapshot_unlike_log)
def a_snapshot_has_other_votes_than_were_told(story: Story) -> None:
    story.vote_on_the_second()
    story.add(Looked(4.2, 4.1, "s", TALK, "B", snapshot(4, [comment(1), with_votes(2), comment(3)], 3)))


@bad(Name.refused_but_done)
def a_refused_comment_is_stored(story: Story) -> None:
    story.put(story.find(Answered, 2), Refused(3.5, "m3", "bad_parent"))


@bad(Name.refused_but_done)
def a_refused_vote_is_stored(story: Story) -> None:
    story.add(Asked(4.0, "w1", "vote", TALK, "v", "A", target="c2"), Refused(4.5, "v", "gone"))
    story.voters["c2"] = {"w1"}


@pytest.mark.parametrize(("name", "tale"), BAD, ids=[tale.__name__ for _, tale in BAD])
def test_a_bad_history_has_its_name(name: Name, tale: Tale) -> None:
    story = Story()
    tale(story)
    assert name in story.names()


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
    story = Story()
    story.add(*more)
    assert story.names(demands) == {name}


# ---- good histories -------------------------------------------------------------------------------------


def nothing_odd(_story: Story) -> None:
    """As it should be."""


def an_unknown_outcome_appears_later(story: Story) -> None:
    story.put(story.find(Answered, 2), Unknown(3.5, "m3", "the connection was cut"))


def an_unknown_outcome_is_answered_at_the_retry(story: Story) -> None:
    story.put(story.find(Asked, 2), Asked(2.96, "w3", "post", TALK, "m3", "A"), Unknown(2.97, "m3", "503"))
    story.add(Asked(3.1, "w3", "post", TALK, "m3", "B"), Answered(3.3, "m3", "c3", 3))


def an_unknown_outcome_never_happens(story: Story) -> None:
    story.add(Asked(4.0, "w4", "post", TALK, "m4", "A"), Unknown(5.0, "m4", "the server died"))
    story.add(Asked(4.0, "w5", "post", TALK, "m5", "A"))


def a_refused_comment_is_not_stored(story: Story) -> None:
    story.add(Asked(4.0, "w4", "post", TALK, "m4", "A"), Refused(5.0, "m4", "bad_parent"))


def a_tombstone_stands_in_the_middle(story: Story) -> None:
    story.remove_the_second()
    tombstone = created(2, state="removed")
    story.add(
        Joined(9.7, 9.6, "late", TALK, "B", EPOCH, 0, EPOCH, 4),
        *(Heard(9.8, "late", TALK, event) for event in (created(1), tombstone, created(3), removed(4, 2, 2))),
    )


def another_instance_shows_it_for_a_moment(story: Story) -> None:
    story.remove_the_second()
    story.add(
        Joined(4.7, 4.6, "late", TALK, "B", EPOCH, 0, EPOCH, 3),
        *(Heard(4.8, "late", TALK, event) for event in (created(1), created(2), created(3), removed(4, 2, 2))),
    )


def a_cursor_of_another_epoch_is_reset(story: Story) -> None:
    """The database is another one, brought back from a backup: the reader begins again with a snapshot."""
    story.put(
        story.find(Joined),
        Joined(0.1, 0.0, "r", TALK, "A", "zero", 40, EPOCH, 0),
        Reset(0.11, "r", TALK, EPOCH, 0),
        Looked(0.2, 0.15, "r", TALK, "A", snapshot(0, [], 0), adopts=True),
    )
    before = Joined(-2.0, -2.1, "r", TALK, "A", None, None, "zero", 40)
    story.history.insert(0, before)


def a_snapshot_after_a_reset_is_ahead_of_the_stream(story: Story) -> None:
    """What the stream brings of it once more is dropped."""
    story.put(story.find(Joined, 1), Joined(2.9, 2.8, "r", TALK, "B", "zero", 1, EPOCH, 1))
    again = Looked(2.94, 2.92, "r", TALK, "B", snapshot(2, [comment(1), comment(2)], 2), adopts=True)
    story.put(story.find(Heard, 1), Reset(2.91, "r", TALK, EPOCH, 1), again, Heard(2.95, "r", TALK, created(2)))


def a_summary_stands_for_what_it_leaves_out(story: Story) -> None:
    story.history.remove(story.find(Heard, 1))
    story.put(story.find(Heard, 1), Summed(3.6, "r", TALK, 2, 3, [created(3)]))


def votes_are_superseded(story: Story) -> None:
    """Who was there was told each; who comes later is told the last. What nobody was told is not compared."""
    story.vote_on_the_second()
    story.add(
        Joined(4.7, 4.6, "late", TALK, "B", EPOCH, 3, EPOCH, 5),
        *(Heard(4.8, "late", TALK, event) for event in story.log[3:]),
        Looked(4.2, 4.1, "s", TALK, "B", snapshot(4, [comment(1), with_votes(1), comment(3)], 3)),
    )


def a_vote_that_nobody_was_told_of_is_superseded(story: Story) -> None:
    story.vote_on_the_second()
    story.history.remove(story.find(Heard, 3))
    story.history.remove(story.find(Heard, 3))
    story.add(
        *(Heard(4.5, "r", TALK, event) for event in story.log[3:]),
        Looked(4.2, 4.1, "s", TALK, "B", snapshot(4, [comment(1), with_votes(1), comment(3)], 3)),
    )


def somebody_has_read_enough(story: Story) -> None:
    story.add(Joined(4.0, 3.9, "new", TALK, "A", EPOCH, 0, EPOCH, 3), Heard(4.1, "new", TALK, created(1)))
    story.add(Left(4.2, "new", TALK, 1000))


def a_snapshot_shows_what_is_removed_later(story: Story) -> None:
    story.remove_the_second()
    story.add(Looked(4.2, 4.1, "s", TALK, "A", snapshot(3, [comment(1), comment(2), comment(3)], 3)))


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


@pytest.mark.parametrize("tale", GOOD, ids=lambda tale: tale.__name__)
def test_an_odd_but_good_history_has_no_name(tale: Tale) -> None:
    story = Story()
    tale(story)
    assert check(story.history, story.stored(), hide=2.0) == []


# ---- the file -------------------------------------------------------------------------------------------


def test_a_history_is_read_as_it_was_written() -> None:
    story = Story()
    story.remove_the_second()
    story.add(*FAULT, Unknown(7.0, "m", "cut"), Refused(7.0, "m", "gone"), Reset(7.0, "r", TALK, EPOCH, 2))
    story.add(Summed(7.0, "r", TALK, 1, 2, [created(1)]))
    assert list(read(written(story.history))) == story.history


def test_a_mark_is_found_in_a_text() -> None:
    assert mark_in("Said as «w1-4», twice «w1-5»") == "w1-4"
    assert mark_in("no mark") == ""


def test_a_history_ten_times_as_long_takes_about_ten_times_as_long() -> None:
    """At most forty times: a checker that compares all with all takes a hundred."""

    def seconds(many: int) -> float:
        story = Story()
        story.log = [created(number) for number in range(1, many + 1)]
        story.rows = [Row(f"c{n}", TALK, f"a{n}", f"k{n}", f"m{n}", "visible") for n in range(1, many + 1)]
        story.history = [Joined(0.1, 0.0, "r", TALK, "A", None, None, EPOCH, 0)]
        for number in range(1, many + 1):
            story.add(*story.post(number, float(number)), Heard(number + 0.6, "r", TALK, created(number)))
        stored = story.stored()
        began = time.process_time()
        assert check(story.history, stored) == []
        return time.process_time() - began

    assert seconds(10_000) < 40 * max(seconds(1_000), 0.01)
