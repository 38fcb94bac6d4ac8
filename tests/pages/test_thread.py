from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tertulia.core.comments import State
from tertulia.pages.thread import DEPTH, Node, shown, tree
from tertulia.protocol import AuthorView, CommentView, Votes


def comment(id_: str, parent: str | None = None) -> CommentView:
    return CommentView(
        id=id_,
        parent_id=parent,
        author=AuthorView(id=f"author-{id_}", name=id_.upper(), badge=None),
        body=[],
        created_at="2026-11-24T05:20:09.123Z",
        edited_at=None,
        state=State.visible,
        votes=Votes(up=0, down=0),
        reply_count=0,
        pinned=False,
    )


def tombstone(id_: str, parent: str | None = None, *, replies: int = 0) -> CommentView:
    gone = {"author": None, "body": None, "state": State.deleted, "reply_count": replies}
    return comment(id_, parent).model_copy(update=gone)


def outline(nodes: list[Node], level: int = 0) -> list[str]:
    lines = []
    for node in nodes:
        answers = f" to {node.answers.id}" if node.answers else ""
        lines.append("  " * level + node.comment.id + answers + (" detached" if node.detached else ""))
        lines += outline(node.replies, level + 1)
    return lines


def test_replies_stand_under_what_they_answer() -> None:
    found = tree([comment("a"), comment("b", "a"), comment("c", "a"), comment("d", "b"), comment("e")])
    assert outline(found) == ["a", "  b", "    d", "  c", "e"]


def test_below_the_deepest_level_it_goes_on_flat() -> None:
    chain = [comment("a"), *(comment(after, before) for before, after in zip("abcde", "bcdef", strict=True))]
    assert outline(tree([*chain, comment("g", "d")])) == [
        "a",
        "  b",
        "    c",
        "      d",
        "      e to d",
        "      f to e",
        "      g to d",
    ]


def test_a_reply_to_a_comment_elsewhere_says_so() -> None:
    assert outline(tree([comment("x", "elsewhere"), comment("y", "x")])) == ["x detached", "  y"]


def test_a_tombstone_is_shown_as_long_as_something_answers_it() -> None:
    def left(*comments: CommentView, incomplete: tuple[str, ...] = ()) -> list[str]:
        return [one.id for one in shown(comments, incomplete)]

    gone, under, deep = tombstone("gone"), tombstone("under", "gone"), tombstone("deep", "under")
    assert left(comment("a"), gone, comment("z")) == ["a", "z"]
    assert left(gone, under, deep) == [], "tombstones answer nothing"
    assert left(gone, under, comment("said", "under"), deep) == ["gone", "under", "said"]
    assert left(tombstone("more", replies=1)) == ["more"], "its reply is on another page"
    assert left(gone, under, comment("a"), incomplete=("gone",)) == ["gone", "under", "a"]
    assert left(comment("a"), comment("b", "a"), tombstone("c", "b")) == ["a", "b"]


@given(st.lists(st.integers(min_value=-1, max_value=30), max_size=30))
def test_every_comment_has_one_place_and_none_is_too_deep(parents: list[int]) -> None:
    comments = [comment(f"c{at}", f"c{of}" if 0 <= of < at else None) for at, of in enumerate(parents)]
    lines = outline(tree(comments))
    assert sorted(line.split()[0] for line in lines) == sorted(one.id for one in comments)
    assert all(len(line) - len(line.lstrip()) <= 2 * DEPTH for line in lines)
