"""Writes server/tertulia/core/confusables.txt: which characters are drawn like which (UTS 39).

The table is that of Unicode's confusables.txt, asked from the ICU library of this machine (Debian: libicu72 and later):

    python scripts/confusables.py
"""

from __future__ import annotations

import ctypes
import ctypes.util
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

TABLE = Path(__file__).parent.parent / "server/tertulia/core/confusables.txt"
HEADER = """\
# Characters that are drawn alike (UTS 39), made by scripts/confusables.py from the confusables.txt of Unicode {unicode}.
# A line is a prototype, a tab, and all that is drawn like it; what NFKD changes and marks are left out.
"""
ROOM = 1024


def skeletons() -> tuple[str, Callable[[str], str]]:
    """The version of Unicode, and what gives the UTS 39 skeleton of a text."""
    name = ctypes.util.find_library("icui18n")
    if name is None:
        sys.exit("There is no ICU library here; install libicu72 or a later one.")
    version = re.findall(r"\d+", name)[-1]
    icu, common = ctypes.CDLL(name), ctypes.CDLL(name.replace("icui18n", "icuuc"))
    numbers = (ctypes.c_uint8 * 4)()
    getattr(common, f"u_getUnicodeVersion_{version}")(numbers)
    failed = ctypes.c_int(0)
    start = getattr(icu, f"uspoof_open_{version}")
    start.restype = ctypes.c_void_p
    checker = ctypes.c_void_p(start(ctypes.byref(failed)))
    ask = getattr(icu, f"uspoof_getSkeletonUTF8_{version}")
    room = ctypes.create_string_buffer(ROOM)

    def skeleton(text: str) -> str:
        given = text.encode()
        length = ask(checker, 0, given, len(given), room, ROOM, ctypes.byref(failed))
        if failed.value > 0:
            sys.exit(f"ICU refuses U+{ord(text):04X}: error {failed.value}")
        return room.raw[:length].decode()

    return ".".join(map(str, numbers[:2])), skeleton


def unmarked(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c)[0] != "M")


def table(skeleton: Callable[[str], str]) -> dict[str, list[str]]:
    """The characters of each prototype."""
    found = defaultdict(list)
    for point in range(sys.maxunicode + 1):
        character = chr(point)
        if not character.isprintable() or character.isspace() or unmarked(character) != character:
            continue
        prototype = unmarked(skeleton(character)).strip()
        if prototype not in ("", character):
            found[prototype].append(character)
    return found


def main() -> None:
    version, skeleton = skeletons()
    lines = [f"{prototype}\t{''.join(found)}\n" for prototype, found in sorted(table(skeleton).items())]
    TABLE.write_text(HEADER.format(unicode=version) + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
