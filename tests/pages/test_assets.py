"""The stylesheet of the pages: parts by what they style, served as one file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tertulia.pages
from tertulia.pages.assets import STYLES, stylesheet

PAGES = Path(tertulia.pages.__file__).parent
CLASS = re.compile(r"\.([a-z][\w-]*)(?=[^{}]*\{)")


def test_every_part_is_in_it() -> None:
    others = {"desk.css", "staff.css"}  # pages that no reader opens
    assert {f"{name}.css" for name in STYLES} | others == {file.name for file in (PAGES / "styles").iterdir()}
    for name in STYLES:
        assert (PAGES / "styles" / f"{name}.css").read_bytes() in stylesheet()


def test_what_overrides_comes_last() -> None:
    assert STYLES[-1] == "print"


@pytest.mark.parametrize("part", STYLES)
def test_a_class_that_is_styled_is_used(part: str) -> None:
    written = "".join(file.read_text() for kind in ("*.html", "*.py", "*.js") for file in PAGES.rglob(kind))
    styled = re.sub(r"/\*.*?\*/", "", (PAGES / "styles" / f"{part}.css").read_text(), flags=re.DOTALL)
    assert [name for name in set(CLASS.findall(styled)) if not re.search(rf"\b{name}\b", written)] == []
