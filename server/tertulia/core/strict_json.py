"""JSON that two readers cannot read differently: I-JSON (RFC 7493), and no deeper than is asked for.

What is signed is read by whoever signed it, too: of a name that comes twice one of them would take the other value.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import NoReturn

DEPTH = 8
LARGEST_WHOLE = 2**53 - 1
"""Of whole numbers, either way: what every reader keeps exactly."""

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_DIGITS = len(str(-LARGEST_WHOLE))

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def parse(raw: bytes, depth: int = DEPTH) -> Json:
    """The value of a text in UTF-8 without a byte order mark; ``depth`` counts arrays and objects within one another.

    Raises ValueError for whatever is not JSON (RFC 8259), a name that comes twice, NaN and infinite numbers, whole
    numbers beyond 2^53, half a surrogate pair, and what is deeper.
    """
    found = read(raw, whole=_whole, fraction=_finite)
    _check_depth(found, depth)
    if _SURROGATE.search(raw):
        _check_texts(found)
    return found


def read(raw: bytes, *, whole: Callable[[str], int] = int, fraction: Callable[[str], float] = float) -> Json:
    """The value of a text that a model judges next, numbers and texts included.

    Raises ValueError for whatever is not JSON in UTF-8, a name that comes twice, NaN, and what is too deep to be read.
    """
    try:
        found: Json = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse,
            parse_int=whole,
            parse_float=fraction,
        )
    except RecursionError as error:
        raise ValueError("it is too deep") from error
    return found


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS or not -LARGEST_WHOLE <= (found := int(digits)) <= LARGEST_WHOLE:
        raise ValueError("a number is too large")
    return found


def _finite(digits: str) -> float:
    found = float(digits)
    if not math.isfinite(found):
        raise ValueError("a number is too large")
    return found


def _check_depth(found: Json, left: int) -> None:
    level: list[Json] = [found]
    while level := [part for part in level if isinstance(part, (list, dict))]:
        if not left:
            raise ValueError("it is too deep")
        left -= 1
        level = [inner for part in level for inner in (part.values() if isinstance(part, dict) else part)]


def _check_texts(found: Json) -> None:
    """An escaped half of a surrogate pair is JSON, and no text."""
    if isinstance(found, str):
        found.encode("utf-8")
    elif isinstance(found, list):
        for inner in found:
            _check_texts(inner)
    elif isinstance(found, dict):
        for name, inner in found.items():
            _check_texts(name)
            _check_texts(inner)
