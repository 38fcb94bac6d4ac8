"""Fails where an identifier is made of a word that this project no longer uses; `make lint` runs it.

The field has words for what happens here (docs/glossary.md). A word of our own beside them has to be learned first.
"""

from __future__ import annotations

import io
import keyword
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent

# words that are in no identifier, whatever stands around them: ear, _ear, open_ear, EarTrumpet
PARTS = {
    "attendance": "presence",
    "coarse": "anonymised",
    "complaint": "form error",
    "conceal": "delete, redact",
    "concealed": "deleted, redacted",
    "doubt": "health, degraded",
    "doubts": "health, degraded",
    "ear": "subscriber",
    "ears": "subscribers",
    "homing": "failing back",
    "journal": "event log",
    "lane": "link",
    "ledger": "write queue",
    "lossy": "faulty",
    "outbox": "publisher, post queue",
    "parcel": "message",
    "siblings": "workers",
    "sifting": "filtering",
    "speech": "pub/sub commands",
    "tale": "scenario",
    "tend": "supervise",
    "vitals": "stats",
}

# whole identifiers of Python
NAMES = {
    "About": "LockTarget",
    "Acts": "StoreActions",
    "Admission": "ConnectionLimiter",
    "Answers": "ResponseCounts",
    "Asked": "PageKey",
    "Attended": "PresenceUpdate",
    "Charge": "ShardAssignment",
    "Company": "RedisGroup",
    "Counted": "VoteTotals",
    "Edge": "RequestMiddleware",
    "Ends": "BusHandlers, LinkContext",
    "EventPublisher": "publish_committed",
    "FirstPages": "FirstPageCache",
    "Found": "GapSource",
    "Front": "LoadBalancer",
    "Gate": "OriginPolicy, ClientAddress",
    "Guarded": "SentinelSetup",
    "Happened": "CommittedEvent",
    "Honest": "WellBehavedClient",
    "Keeping": "MemoryBudget",
    "Letter": "Envelope",
    "Look": "SiteDefaults",
    "LoopWriter": "AsyncConnection",
    "Missed": "on_gap",
    "Moment": "DiscussionSnapshot",
    "Moved": "SlotMoved",
    "Opening": "Handshake",
    "Outcome": "CommandResult",
    "PATIENCE_SECONDS": "what it is the timeout of",
    "Pace": "DeliveryRate",
    "Part": "Service",
    "Pauses": "GcPauses",
    "Place": "HostPort, RoomPort, PageLocation, Position",
    "Present": "Headcount",
    "Reads": "queries",
    "Said": "PostResult, Draft",
    "Scene": "Snapshots",
    "Section": "DiscussionPage",
    "Sections": "DiscussionPages",
    "Shared": "SingleFlight",
    "SharedCounts": "RedisCounts",
    "Story": "Timeline",
    "Tail": "Backlog",
    "ThreadWriter": "ThreadedConnection",
    "Trouble": "FormError, ApiError",
    "Typed": "FormInput",
    "View": "MasterView",
    "Way": "Connector",
    "World": "App, or what a test sets up",
    "ask_to_end": "terminate",
    "certain_address": "verified_address",
    "happened": "until",
    "hear": "receive",
    "in_doubt": "is_degraded",
    "is_sure": "is_authoritative",
    "prose_html": "markdown_html",
    "offices": "job_titles",
    "on_hint": "on_unverified",
    "rose": "on_up",
    "fell": "on_down",
    "unwant": "unsubscribe",
}

# whole identifiers of JavaScript
SCRIPT_NAMES = {
    "Desk": "CardContext",
    "Finding": "Search",
    "Ground": "Mount",
    "Kept": "StoredNumbers",
    "LIVELY": "UPDATED_IN_PLACE",
    "Removing": "Deletion",
    "Sending": "PostQueueView",
    "Shelf": "StorageBackend",
    "Stage": "PostState",
    "Taken": "DeliveryResult",
    "Trouble": "ApiError",
    "Visit": "Unread",
    "World": "Platform",
    "Writing": "Forms",
    "follow": "openStream",
    "hole": "gap",
    "isSifting": "isFrozen",
    "speaker": "translator",
}

PYTHON = ("server/tertulia", "tests", "bench", "scripts")
SCRIPTS = ("client/src", "client/test")
_SPLIT = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_JS_NOT_CODE = re.compile(r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"", re.DOTALL)
_JS_NAME = re.compile(r"[#$]?[A-Za-z_][\w$]*")


def parts(name: str) -> list[str]:
    """The words of an identifier in lower case."""
    return [part.lower() for part in _SPLIT.findall(name)]


def retired(name: str, names: Mapping[str, str]) -> str | None:
    """What to say in the place of an identifier; None for one that may stay."""
    if name in names:
        return names[name]
    return next((instead for part, instead in PARTS.items() if part in parts(name)), None)


def python_names(text: str) -> Iterator[tuple[int, str]]:
    """Line and name of each identifier of Python code."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
            yield token.start[0], token.string


def script_names(text: str) -> Iterator[tuple[int, str]]:
    """Line and name of each identifier of JavaScript code; what stands in template strings counts as code."""
    code = _JS_NOT_CODE.sub(lambda found: "\n" * found[0].count("\n"), text)
    for number, line in enumerate(code.split("\n"), 1):
        for found in _JS_NAME.finditer(line):
            yield number, found[0]


def _files(folders: tuple[str, ...], ending: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", *folders], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name.endswith(ending) and (ROOT / name).exists()]


def main() -> int:
    found = []
    for files, names, retired_names in (
        (_files(PYTHON, ".py"), python_names, NAMES),
        (_files(SCRIPTS, ".js"), script_names, SCRIPT_NAMES),
    ):
        for path in files:
            for line, name in [(1, path.stem), *names(path.read_text("utf-8"))]:
                instead = retired(name, retired_names)
                if instead:
                    found.append(f"{path.relative_to(ROOT)}:{line}: {name}: say {instead}")
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
