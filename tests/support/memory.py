"""What objects weigh."""

from __future__ import annotations

import gc
import sys
from enum import Enum
from types import FunctionType, ModuleType


def memory_of(holder: object) -> int:
    """Bytes of all that it keeps alive, object by object; what the interpreter and the code have anyway is left out."""
    found: dict[int, int] = {}
    todo = [holder]
    while todo:
        one = todo.pop()
        if id(one) not in found and not isinstance(one, type | Enum | ModuleType | FunctionType):
            found[id(one)] = sys.getsizeof(one)
            todo += gc.get_referents(one)
    return sum(found.values())
