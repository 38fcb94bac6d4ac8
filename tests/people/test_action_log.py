"""What the operator and the staff decide about a site stands in the log of actions, which the command writes out."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tertulia.cli import main
from tertulia.errors import Problem
from tertulia.people.action_log import log_lines, moment
from tertulia.store import Store, administration
from tertulia.store.actions import LogPage, log_page
from tertulia.store.commands import Command
from tertulia.store.issuers import AddIssuer, IssuerRow, RemoveIssuer

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
WORDS = {"en": "Guide"}
ROW = IssuerRow("default", "app", "jwt", {}, None)
DECISIONS: dict[str, tuple[Command[Any], dict[str, Any]]] = {
    "site.rules": (
        administration.ChangeSiteRules("default", lambda own: own.changed({"who": "members"}), AT),
        {"rules": {"who": [None, "members"]}},
    ),
    "site.badge": (
        administration.ChangeSiteBadge("default", "guide", WORDS, AT),
        {"badge": "guide", "words": WORDS},
    ),
    "issuer.add": (AddIssuer(ROW, AT), {"name": "app"}),
}


@pytest.mark.parametrize("verb", DECISIONS)
async def test_a_decision_about_a_site_is_in_the_log(store: Store, verb: str) -> None:
    command, data = DECISIONS[verb]
    await store.write(command)
    [one] = (await store.read(log_page, "default", 10)).actions
    assert (one.verb, one.actor, one.site, one.at, one.data) == (verb, "operator", "default", AT, data)


async def test_a_way_in_that_is_removed_is_in_the_log(store: Store) -> None:
    await store.write(AddIssuer(ROW, AT))
    await store.write(RemoveIssuer("default", "app", "jwt", AT))
    assert [one.verb for one in (await store.read(log_page, None, 10)).actions] == ["issuer.remove", "issuer.add"]


@pytest.mark.parametrize(
    "again",
    [
        lambda: administration.ChangeSiteRules("default", lambda own: own, AT),
        lambda: RemoveIssuer("default", "nobody", "jwt", AT),
        lambda: administration.ChangeSiteBadge("nowhere", "guide", WORDS, AT),
    ],
)
async def test_what_changes_nothing_is_not(store: Store, again: Callable[[], Command[Any]]) -> None:
    with suppress(Problem):
        await store.write(again())
    assert (await store.read(log_page, None, 10)).actions == []


async def test_the_lines_are_of_the_time_that_is_asked_for(store: Store) -> None:
    for day in range(6):
        badge = administration.ChangeSiteBadge("default", f"b{day}", WORDS, AT + timedelta(days=day))
        await store.write(badge)

    async def read(cursor: str | None) -> LogPage:
        return await store.read(log_page, None, 2, cursor)

    async def told(since: datetime | None, until: datetime | None) -> list[str]:
        text = "".join([lines async for lines in log_lines(read, since, until)])
        return [json.loads(line)["data"]["badge"] for line in text.splitlines()]

    assert await told(None, None) == ["b5", "b4", "b3", "b2", "b1", "b0"]
    assert await told(AT + timedelta(days=2), AT + timedelta(days=4)) == ["b3", "b2"]
    assert await told(moment("2026-11-29", "from"), None) == ["b5"]


def test_the_command_writes_the_log_of_a_site_or_of_all(tmp_path: Path) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, [*arguments, "--data-dir", str(tmp_path)])
        return result.exit_code, result.output

    assert run("migrate")[0] == 0
    assert run("site", "add", "news")[0] == 0
    for site in ("default", "news"):
        assert run("site", "rules", site, "--who", "members")[0] == 0
    code, output = run("log", "export", "--site", "news")
    assert code == 0
    [line] = [json.loads(line) for line in output.splitlines()]
    assert (line["verb"], line["site"], line["actor"]) == ("site.rules", "news", "operator")
    assert len(run("log", "export")[1].splitlines()) == 2
    assert run("log", "export", "--to", "2026-01-01") == (0, "")
    assert run("log", "export", "--from", "soon")[0] == 1
    assert run("log", "export", "--site", "nowhere")[0] == 1
