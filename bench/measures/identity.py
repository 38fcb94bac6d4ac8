"""What signing in costs those who do, and everybody else, beside the commit before there were sessions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import exchanges
from bench.measures import Plan, median
from bench.report import Findings, Row
from tertulia.identity.keys import Algorithm

BEFORE = "04951c275d6702302b62c1444cdf278434007908"
"""The commit before the first module of people/."""
KEPT = 0.97
KEPT_WITH_SEARCH = 0.85
ROOT = Path(__file__).parent.parent.parent
ROUNDS = 7
"""Of each commit, one after the other: the machine changes by more than is looked for, so pairs are compared."""
WHAT = {
    "posts": "posts a second of a core",
    "reads": "first pages a second of a core",
    "sockets": "sockets opened a second of a core",
}


def measure(plan: Plan, findings: Findings, tokens: int = 5_000, posts: int = 6_400, rounds: int = ROUNDS) -> None:
    """Adds the rows of exchanges, and of what everybody does; without rounds, or git's history, only the former."""
    for algorithm in (Algorithm.HS256, Algorithm.ES256):
        plan.say(f"tokens signed with {algorithm} are exchanged")
        pairs = [exchanges.rates(algorithm, tokens) for _ in range(plan.rounds)]
        ours, least = (median(of) for of in zip(*pairs, strict=True))
        findings.rows.append(
            Row(
                f"exchanges of a token a second on one core, {algorithm}",
                f"{ours:,.0f}",
                f"PyJWT and a commit each {least:,.0f}",
                f"{ours / least:.2f} ×",
                f"{exchanges.LEAST:,}",
                ours >= exchanges.LEAST,
            )
        )
    if not rounds:
        return
    try:
        with _checked_out(BEFORE) as before:
            _compare(plan, findings, before, posts, rounds)
    except (OSError, subprocess.CalledProcessError) as error:
        plan.say(f"no commit to compare with: {error}")


def _compare(plan: Plan, findings: Findings, before: Path, posts: int, rounds: int) -> None:
    found: list[tuple[dict[str, float], dict[str, float], float]] = []
    for number in range(rounds):
        plan.say(f"what everybody does, before identity and now, round {number + 1}")
        then, now = _usual(before, posts), _usual(ROOT, posts)
        found.append((then, now, _usual(ROOT, posts, "search")["posts"]))
    for kind, what in WHAT.items():
        earlier, later = median([one[0][kind] for one in found]), median([one[1][kind] for one in found])
        ratio = median([one[1][kind] / one[0][kind] for one in found])
        row = Row(f"{what}, identity unused", f"{later:,.0f}", f"before it {earlier:,.0f}", f"{ratio:.2f} ×")
        findings.rows.append(_judged(row, ratio, KEPT))
    with_search = median([one[2] for one in found])
    without = median([one[1]["posts"] for one in found])
    ratio = median([one[2] / one[1]["posts"] for one in found])
    row = Row(f"{WHAT['posts']}, with the index", f"{with_search:,.0f}", f"without {without:,.0f}", f"{ratio:.2f} ×")
    findings.rows.append(_judged(row, ratio, KEPT_WITH_SEARCH))


def _judged(row: Row, ratio: float, wanted: float) -> Row:
    return Row(row.what, row.figure, row.yardstick, row.ratio, f"{wanted:g} ×", ratio >= wanted)


def _usual(tree: Path, posts: int, *more: str) -> dict[str, float]:
    """What ``bench.usual`` finds of the server in this tree; the program itself is ours."""
    environment = os.environ | {"PYTHONPATH": f"{tree / 'server'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "bench.usual", str(posts), *more]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    rates: dict[str, float] = json.loads(done.stdout)
    return rates


@contextmanager
def _checked_out(commit: str) -> Iterator[Path]:
    """A tree of this commit, while it lasts. Raises CalledProcessError where it is not in the history that is here."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), commit], check=True)
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)
