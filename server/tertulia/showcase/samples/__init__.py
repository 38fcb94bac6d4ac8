"""Sample articles and discussions, for a first look at a server that has none of its own."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from tertulia import transfer
from tertulia.articles import Articles
from tertulia.store import Store, queries


async def install(store: Store, folder: Path) -> None:
    """Adds the samples to an empty database and an empty folder of articles; else does nothing."""
    if await store.read(queries.any_discussion) or Articles(folder).all():
        return
    copy_articles(folder)
    for discussion in discussions():
        await transfer.import_file(store, folder, json.dumps(discussion).encode())


def copy_articles(folder: Path) -> None:
    """Copies the articles into a folder; a file of the same name that is there already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for article in (files(__name__) / "articles").iterdir():
        target = folder / article.name
        if not target.exists():
            target.write_bytes(article.read_bytes())


def discussions() -> list[dict[str, Any]]:
    """Their discussions, each in the form that an import reads."""
    found = sorted((files(__name__) / "discussions").iterdir(), key=lambda file: file.name)
    return [json.loads(file.read_text("utf-8")) for file in found]
