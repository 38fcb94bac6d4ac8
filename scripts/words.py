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
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent

# parts of identifiers, whatever is around them: ear, _ear, open_ear, EarTrumpet
PARTS = {
    "ear": "subscriber",
    "lane": "link",
    "doubt": "health",
    "doubts": "health",
    "parcel": "message",
    "ledger": "write queue",
    "journal": "event log",
    "announcer": "event publisher (the client's screen reader announcer is ARIA's word)",
    "vitals": "stats",
    "outbox": "publisher, or post queue",
    "conceal": "delete",
    "concealed": "deleted",
    "coarse": "anonymised",
    "shelf": "storage backend",
    "sifting": "filtered",
    "complaint": "form error",
    "tale": "scenario",
}

# whole identifiers, in any file
NAMES = {
    "Ends": "BusHandlers",
    "Way": "Connector",
    "Letter": "Envelope",
    "Speech": "PubSubCommands",
    "Charge": "ShardAssignment",
    "Attended": "PresenceUpdate",
    "Missed": "gap",
    "Tail": "Backlog",
    "Pace": "DeliveryRate",
    "Happened": "CommittedEvent",
    "Said": "PostResult",
    "Counted": "VoteTotals",
    "About": "LockTarget",
    "Moment": "DiscussionSnapshot",
    "FirstPages": "FirstPageCache",
    "Gate": "OriginPolicy, ClientAddress",
    "Edge": "RequestMiddleware",
    "Admission": "ConnectionLimiter",
    "Look": "SiteDefaults",
    "Place": "what it is the place of",
    "Typed": "FormInput",
    "Part": "Service",
    "Front": "LoadBalancer",
    "Scene": "Snapshot",
    "Story": "Timeline",
    "Evidence": "DeliveryCheck",
    "Desk": "CardContext",
    "World": "Platform, or what a test sets up",
    "Acts": "StoreActions",
    "Honest": "WellBehavedClient",
    "Guarded": "SentinelSetup",
}

PYTHON = ("server/tertulia", "tests", "bench", "scripts")
SCRIPTS = ("client/src", "client/test")
_SPLIT = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_JS_NOT_CODE = re.compile(r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"", re.DOTALL)
_JS_NAME = re.compile(r"[#$]?[A-Za-z_][\w$]*")


def parts(name: str) -> list[str]:
    """The words of an identifier in lower case."""
    return [part.lower() for part in _SPLIT.findall(name)]


def retired(name: str) -> str | None:
    """What to say in the place of an identifier; None for one that may stay."""
    if name in NAMES:
        return NAMES[name]
    return next((PARTS[part] for part in parts(name) if part in PARTS), None)


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
    for files, names in (
        (_files(PYTHON, ".py"), python_names),
        (_files(SCRIPTS, ".js"), script_names),
    ):
        for path in files:
            where = path.relative_to(ROOT)
            found += [f"{where}: the file's own name: {retired(path.stem)}"] if retired(path.stem) else []
            for line, name in names(path.read_text("utf-8")):
                instead = retired(name)
                if instead:
                    found.append(f"{where}:{line}: {name}: say {instead}")
    print("\n".join(found[:200]), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
