"""A page's flat list of comments as a tree that indents three times and then goes on flat.

A                         A
└─ B (to A)               └─ B
   └─ C (to B)    ──▶        └─ C
      └─ D (to C)               ├─ D
         └─ E (to D)            └─ E, "replying to D"
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

from tertulia.core.comments import State
from tertulia.protocol import CommentView

DEPTH = 3


@dataclass(slots=True)
class Node:
    """A comment and the replies shown under it.

    ``answers`` is the comment it replies to where the indentation does not say so; ``detached`` says that it
    replies to a comment that is not on this page.
    """

    comment: CommentView
    replies: list[Node] = field(default_factory=list)
    answers: CommentView | None = None
    detached: bool = False


@dataclass(frozen=True, slots=True)
class _Position:
    node: Node
    depth: int
    home: list[Node]


def shown(comments: Sequence[CommentView], incomplete: Container[str] = ()) -> list[CommentView]:
    """The comments without the tombstones that nothing answers.

    ``incomplete`` are threads, by the first of their comments here, with more replies than came along: what is unknown
    may be an answer. Parents come before their replies.
    """
    firsts: dict[str, str] = {}
    for comment in comments:
        firsts[comment.id] = firsts.get(comment.parent_id or "", comment.id)
    kept: list[CommentView] = []
    answered: set[str] = set()
    for comment in reversed(comments):
        is_answered = comment.reply_count > 0 or comment.id in answered or firsts[comment.id] in incomplete
        if comment.body is not None or is_answered:
            kept.append(comment)
            answered.add(comment.parent_id or "")
    return kept[::-1]


def further_replies(comments: Sequence[CommentView], thread_counts: Mapping[str, int]) -> dict[str, int]:
    """How many visible replies each of the threads has that are not among the comments: of all depths, by its root."""
    left = dict(thread_counts)
    roots: dict[str, str] = {}
    for comment in comments:
        root = roots[comment.id] = roots.get(comment.parent_id or "", comment.id)
        if root != comment.id and root in left and comment.state is State.visible:
            left[root] -= 1
    return left


def tree(comments: Sequence[CommentView]) -> list[Node]:
    """The top of the tree; parents come before their replies, and the order is kept at every level."""
    top: list[Node] = []
    positions: dict[str, _Position] = {}
    for comment in comments:
        parent = positions.get(comment.parent_id or "")
        node = Node(comment)
        if parent is None:
            node.detached = comment.parent_id is not None
            position = _Position(node, 0, top)
        elif parent.depth < DEPTH:
            position = _Position(node, parent.depth + 1, parent.node.replies)
        else:
            node.answers = parent.node.comment
            position = _Position(node, DEPTH, parent.home)
        position.home.append(node)
        positions[comment.id] = position
    return top
