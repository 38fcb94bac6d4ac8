"""What people read is true: tables, commands, links, kinds, operations and attributes against the code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import click
import httpx
import pytest
from prometheus_client import CollectorRegistry, ProcessCollector

from tertulia.cli import main
from tertulia.errors import Problem
from tertulia.identity import GUEST_DAYS, TOKEN_LENGTH, Tokens
from tertulia.metrics.catalogue import CATALOGUE
from tertulia.protocol import API, EventKind, StreamMessage
from tertulia.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def _read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def _commands(group: click.Group, prefix: str = "") -> list[str]:
    found: list[str] = []
    for name, command in group.commands.items():
        nested = isinstance(command, click.Group)
        found += _commands(command, f"{prefix}{name} ") if nested else [prefix + name]  # type: ignore[arg-type]
    return found


def test_tables_are_made_from_the_code() -> None:
    checked = subprocess.run([sys.executable, "scripts/docs.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_command_of_the_command_line_is_in_the_changelog_or_the_readme() -> None:
    text = _read("README.md") + _read("CHANGELOG.md") + _read("docs/embedding.md")
    for command in _commands(main):
        assert re.search(rf"\b{command.split()[0]}\b", text), command


def test_commands_in_the_text_exist() -> None:
    known = _commands(main) + [name for name, command in main.commands.items() if isinstance(command, click.Group)]
    for page in PAGES:
        for line in re.findall(r"`?(?:\.venv/bin/)?tertulia ([a-z][a-z ]*)", page.read_text("utf-8")):
            words = line.split()
            assert words[0] in known or " ".join(words[:2]) in known, f"{page.name}: tertulia {line}"


def test_tests_in_the_text_exist() -> None:
    for page in PAGES:
        for file, name in re.findall(r"\b(tests/[\w/]+\.py)::(\w+)", page.read_text("utf-8")):
            assert re.search(rf"^(async )?def {name}\(", _read(file), re.MULTILINE), f"{page.name}: {file}::{name}"


def test_every_promise_and_every_fault_names_a_test() -> None:
    lines = [line for line in _read("docs/guarantees.md").splitlines() if line.startswith("| ")]
    rows = [line for line in lines if not line.startswith(("| | promise", "| --- ", "| what goes wrong"))]
    assert [row[2:5].strip() for row in rows[:14]] == [f"I{number}" for number in range(1, 15)]
    assert len(rows) > 14
    for row in rows:
        assert "::test_" in row, row


def test_make_targets_in_the_text_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", _read("Makefile"), re.MULTILINE))
    for page in PAGES:
        for target in re.findall(r"\bmake ([a-z-]+)[`\s]", page.read_text("utf-8")):
            if f"`make {target}`" in page.read_text("utf-8") or f"\nmake {target}" in page.read_text("utf-8"):
                assert target in targets, f"{page.name}: make {target}"


def test_variables_in_the_text_exist() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    known |= set(re.findall(rf"\$\{{({PREFIX}\w+):-", _read("docker-compose.yml")))
    for page in PAGES:
        for name in re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]", page.read_text("utf-8")):
            assert name in known, f"{page.name}: {name}"


def test_metrics_in_the_text_exist() -> None:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    known = {sample.name for family in registry.collect() for sample in family.samples}
    known |= {metric.name for metric in CATALOGUE}
    known |= set(re.findall(r"tertulia_\w+", _read("deploy/make_secrets.py")))  # roles of the database
    for page in PAGES:
        for name in re.findall(r"`((?:tertulia|process)_\w+)", page.read_text("utf-8")):
            assert name in known, f"{page.name}: {name}"


@pytest.mark.parametrize("name", ["docs/operating.md", "docs/scaling.md"])
def test_files_that_operators_are_told_of_exist(name: str) -> None:
    folders = "|".join(path.name for path in ROOT.iterdir() if path.is_dir())
    named = re.findall(rf"(?<![\w/.])(?:{folders})/[\w./-]*\w", _read(name))
    assert len(named) >= 2
    for path in named:
        assert (ROOT / path).exists(), path


def test_flags_that_operators_are_told_of_exist() -> None:
    for command in re.findall(r"^.*\btertulia ((?:serve|epoch|check)\b.*)$", _read("docs/operating.md"), re.MULTILINE):
        if "`" in command:
            continue
        words = command.split()
        chosen: click.Command = main
        while isinstance(chosen, click.Group):
            chosen = chosen.commands[words.pop(0)]
        known = {flag for parameter in chosen.params for flag in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, command


def test_log_lines_that_operators_are_told_of_are_written() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "server/tertulia").rglob("*.py"))
    prose = re.sub(r"```.*?```", "", _read("docs/operating.md"), flags=re.DOTALL)
    told = re.findall(r'"([^"\n]+)"', prose)
    assert len(told) >= 4
    for line in told:
        assert f'"{line}' in source, line


def test_sections_in_the_text_exist() -> None:
    """Links to a section lead to a heading of that page."""
    for page in PAGES:
        for target, section in re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", page.read_text("utf-8")):
            there = (page.parent / target if target else page).read_text("utf-8")
            headings = re.findall(r"^#+ (.+)$", there, re.MULTILINE)
            names = {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
            assert section in names, f"{page.name} links to {target}#{section}"


def test_the_protocol_names_every_kind_and_message() -> None:
    text = _read("docs/protocol.md")
    for kind in get_args(EventKind):
        assert f"`{kind}`" in text
    for message in get_args(get_args(StreamMessage)[0]):
        assert f"`{message.model_fields['type'].default}`" in text


async def test_the_protocol_names_every_operation(client: httpx.AsyncClient) -> None:
    document = json.loads((await client.get(f"{API}/openapi.json")).text)
    text = _read("docs/protocol.md")
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path.removeprefix(API)}" in text, f"{method} {path}"


def test_the_project_does_not_mention_where_it_was_made() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in tracked:
        assert not name.startswith(("tertulia-data", ".venv")), name


# ---- docs/embedding.md and the client -------------------------------------------------------------------


def _client(*names: str) -> str:
    """Source of the client: these files, or all."""
    folder = ROOT / "client/src"
    paths = [folder / name for name in names] or [*folder.rglob("*.js"), *folder.rglob("*.css")]
    return "\n".join(path.read_text("utf-8") for path in paths)


def _section(heading: str) -> str:
    return _read("docs/embedding.md").split(f"\n## {heading}\n")[1].split("\n## ")[0]


def _told(section: str) -> set[str]:
    """What the first column of a section's tables names."""
    cells = re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_embedding_has_every_attribute() -> None:
    observed = re.findall(r"observedAttributes\s*=\s*\[([^\]]*)\]", _client("element.js", "count.js"))
    of_discussion, of_count = (set(re.findall(r"'([a-z-]+)'", found)) for found in observed)
    assert len(of_discussion) > 15
    assert _told(_section("Attributes")) == of_discussion
    for attribute in of_count:
        assert f"`{attribute}`" in _section("Counts on a front page"), attribute


def test_embedding_has_every_property_and_method() -> None:
    public = _client("element.js").split("// ---- for the page")[1].split("// ---- life cycle")[0]
    getters = set(re.findall(r"^  get (\w+)\(\)", public, re.MULTILINE))
    signature = r"^  (?:async )?(?!get )(\w+)\(([\w, ]*)\) \{"
    methods = {f"{name}({given})" for name, given in re.findall(signature, public, re.MULTILINE)}
    assert len(getters) >= 4
    assert len(methods) >= 6
    assert _told(_section("Properties and methods")) == getters | methods


def test_privacy_has_every_item_of_the_storage() -> None:
    source = _client()
    made = set(re.findall(r"\bitemName\('(\w+)'", source)) | set(re.findall(r"[`']tertulia:(\w+)", source))
    assert len(made) >= 8
    assert set(re.findall(r"^\| `tertulia:(\w+)", _read("docs/privacy.md"), re.MULTILINE)) == made


def test_embedding_has_every_state() -> None:
    [connection] = re.findall(r"@typedef \{([^}]*)\} State\b", _client("live/stream.js"))
    [phase] = re.findall(r"@type \{([^}]*)\} \*/\n  phase", _client("discussion.js"))
    rows = dict(re.findall(r"^\| `(state|connection)` \| (.*) \|$", _section("Properties and methods"), re.MULTILINE))
    for name, states in (("connection", connection), ("state", phase + "| 'idle'")):
        assert set(re.findall(r"`(\w+)`", rows[name])) == set(re.findall(r"'(\w+)'", states)), name


def test_embedding_has_every_event_and_its_detail() -> None:
    source = _client()
    emitted = dict(re.findall(r"\bemit(?:\.call\([\w.#]+, |\()'([a-z-]+)', \{ ?(\w*)", source))
    events = {f"tertulia-{name}": first for name, first in emitted.items()}
    events |= dict(re.findall(r"new CustomEvent\('(tertulia-[a-z-]+)', \{ detail: \{ (\w+)", source))
    assert len(events) >= 10
    assert _told(_section("Events")) == events.keys()
    for name, first in events.items():
        [told] = re.findall(rf"^\| `{name}` \| `\{{(\w*)", _section("Events"), re.MULTILINE)
        assert told == first, name


def test_embedding_has_every_part() -> None:
    source = _client()
    parts = set(re.findall(r"\bpart: '([a-z-]+)'", source))
    argument = r"(?:[^(),']|'[^']*'|\((?:[^()]|\([^()]*\))*\))*"
    parts |= set(re.findall(rf"(?<![#\w])button\({argument}, '([a-z-]+)'", source))
    parts |= set(re.findall(r"this\.#showText\('([a-z-]+)'", source))
    assert len(parts) > 30
    assert {name for name in _told(_section("Looks")) if not name.startswith("--")} == parts


def test_embedding_has_every_custom_property() -> None:
    used = set(re.findall(r"var\((--tertulia-[a-z-]+)", _client()))
    assert len(used) >= 13
    assert {name for name in _told(_section("Looks")) if name.startswith("--")} == used


def test_embedding_tells_what_a_token_of_a_program_has_to_be() -> None:
    text = _section("A program of yours")
    assert f"{TOKEN_LENGTH:,} characters" in text
    assert f"at most {GUEST_DAYS} days" in text
    example: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0], example)
    made, again = (example["token"]("k" * 32, "publishing", "news") for _ in range(2))
    identity = Tokens(b"k" * 32).read(made, "news")
    assert (identity.program, identity.member, identity.moderator) == (True, False, False)
    assert Tokens(b"k" * 32).read(again, "news").author_id == identity.author_id
    with pytest.raises(Problem):
        Tokens(b"k" * 32).read(made, "default")
