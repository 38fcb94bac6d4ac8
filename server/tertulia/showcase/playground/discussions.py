"""The discussions of the playground: one for each state that needs comments, a mode or certain times.

Times are counted back from the time of the import, so that relative times show every unit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tertulia import transfer
from tertulia.core.comments import DiscussionKey
from tertulia.discussions.sites import DEFAULT_SITE
from tertulia.identity import utc_now
from tertulia.store import Store, queries

PREFIX = "playground/"
"""Of all their keys."""
LONG_COUNT = 60
WITHHELD = 3
"""How many comments at the end of ``busy`` the page withholds at first, to let them arrive."""

_AUTHORS = (
    "Nguyễn Thị Ánh Tuyết",
    "Tom Whelan",
    "Amina Diallo",
    "Quang Huy",
    "Inés Ferrer",
    "王小明",
    "Bích Ngọc",
    "Ola",
)
_TEXTS = (
    "I cross the bridge twice a day, and this is the first year I have seen herons under it.",
    "The market opens at five. Come at four and you can watch the river being unloaded.",
    "Nobody asked the boatmen, and the boatmen are the only ones who know the current.",
    "My grandmother sold eggs on that corner. She would ask what an egg costs now, and then she would sit down.",
    "Two benches, one lamp, no music after ten: that is all anybody on our street wants.",
    "I measured it: eleven minutes on foot, nine if the lift works, and the lift does not work.",
    "Thank you for the photographs. The one with the **blue awning** is our shop.",
    "A city that closes its stairs at night has to explain that to somebody who works at night.",
    "They said the same of the old ferry, and we missed it for thirty years.",
    "I would pay for a map of all the drinking fountains. I would also pay for the fountains.",
)

Discussion = dict[str, Any]


async def install(store: Store, folder: Path) -> None:
    """Imports those discussions that the database does not have yet; ``folder`` is that of the articles."""
    found = {one["key"]: one for one in discussions(utc_now())}
    present = await store.read(queries.latest_seqs, [DiscussionKey(DEFAULT_SITE, key) for key in found])
    missing = [one for key, one in found.items() if DiscussionKey(DEFAULT_SITE, key) not in present]
    document = {"format": "tertulia/1", "articles": missing}
    await transfer.import_file(store, folder, json.dumps(document).encode())


def discussions(now: datetime) -> list[Discussion]:
    """Each in the form that an import reads; ``now`` is timezone-aware."""
    return [
        _discussion("live", list(_comments(now, 6, first=6 * 60))),
        _discussion("long", list(_comments(now, LONG_COUNT, first=LONG_COUNT * 90))),
        _replies(now),
        _busy(now),
        *(_held(now, name) for name in ("held", "approval")),
        *(_closed(now, name) for name in ("closed", "closing")),
    ]


def _replies(now: datetime) -> Discussion:
    """Every kind of comment: answered, edited, pinned, a moderator's, removed, formatted, right to left."""
    market = (
        "Three things, then:\n\n1. light, `30 lux` is enough\n2. stairs\n3. somewhere to sit\n\n"
        "> The river belongs to whoever looks at it.\n\n"
        "The plan has [all of it](https://example.com/plan), and I quote:\n\n"
        "```\nbenches  24\nlamps    12\nmusic     0\n```"
    )
    return _discussion(
        "replies",
        [
            _comment(now, 40 * 1440, 0, "Welcome. **Be kind**, and say where you live if it matters.", id="rules")
            | {"badge": "moderator", "author": "Mai Phương", "pinned": True, "votes": {"up": 41, "down": 0}},
            _comment(now, 9 * 1440, 1, "I have lived on the quay since 1998. Ask me anything.", id="quay")
            | {"votes": {"up": 18, "down": 2}},
            _comment(now, 9 * 1440 - 30, 3, "Is it loud?", id="loud", parent="quay"),
            _comment(now, 9 * 1440 - 55, 1, "On Saturdays.", id="saturdays", parent="loud"),
            _comment(now, 8 * 1440, 4, "And on Sundays?", id="sundays", parent="saturdays"),
            _comment(now, 7 * 1440, 1, "On Sundays I am the one who is loud.", parent="sundays"),
            _comment(now, 3 * 1440, 0, market) | {"edited_at": _at(now, 3 * 1440 - 12)},
            _comment(now, 26 * 60, 5, "السوق أجمل عند الغروب، حين تضاء المصابيح الأولى على الماء.")
            | {"author": "ليلى حداد"},
            _comment(now, 11 * 60, 2, "Buy my watches", id="spam") | {"state": "removed"},
            _comment(now, 10 * 60, 6, "What did it say?", parent="spam"),
            _comment(now, 5 * 60, 7, "…") | {"state": "deleted"},
            _comment(now, 48, 5, "河边的夜市比以前好多了，但是停车太难。") | {"votes": {"up": 7, "down": 1}},
            _comment(now, 2, 3, "https://example.com/a/very/long/address/" + "that-does-not-fit-into-one-line-" * 2),
        ],
    )


def _busy(now: datetime) -> Discussion:
    """Ends with what arrives later: a reply to the first comment and two top-level comments."""
    arrivals = [
        _comment(now, 3, 4, "I was there, and it was so.", parent="talk-0"),
        _comment(now, 2, 5, "They have just switched on the lamps on the east stairs."),
        _comment(now, 1, 6, "So they have. You can see it from the bridge."),
    ]
    return _discussion("busy", [*_comments(now, 24, first=24 * 60), *arrivals])


def _held(now: datetime, name: str) -> Discussion:
    return _discussion(name, list(_comments(now, 2, first=300))) | {"mode": "held"}


def _closed(now: datetime, name: str) -> Discussion:
    return _discussion(name, list(_comments(now, 3, first=30 * 1440))) | {"mode": "closed"}


def _comments(now: datetime, count: int, first: int) -> Iterator[Discussion]:
    """``count`` comments in even steps, the first one ``first`` minutes ago, the last one half a step."""
    step = first / count
    for number in range(count):
        text = _TEXTS[number * 7 % len(_TEXTS)]
        minutes = first - number * step - step / 2
        votes = {"up": number * 5 % 13, "down": number % 3}
        yield _comment(now, minutes, number * 3, text, id=f"talk-{number}") | {"votes": votes}


def _comment(now: datetime, minutes: float, person: int, text: str, **more: str) -> Discussion:
    return {"author": _AUTHORS[person % len(_AUTHORS)], "at": _at(now, minutes), "text": text, **more}


def _at(now: datetime, minutes: float) -> str:
    return (now - timedelta(minutes=minutes)).isoformat()


def _discussion(name: str, comments: list[Discussion]) -> Discussion:
    return {"key": PREFIX + name, "title": f"Playground: {name}", "comments": comments}
