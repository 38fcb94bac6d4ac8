from __future__ import annotations

import json
import unicodedata
from datetime import datetime
from pathlib import Path

from tertulia import transfer
from tertulia.articles import Articles
from tertulia.showcase import samples
from tertulia.store import Store


def test_every_sample_article_has_a_discussion_that_is_younger(tmp_path: Path) -> None:
    samples.copy_articles(tmp_path)
    articles = {article.key: article for article in Articles(tmp_path).all()}
    discussions = samples.discussions()
    assert {discussion["key"] for discussion in discussions} == set(articles)
    assert {article.language for article in articles.values()} == {"en", "vi"}
    for discussion in discussions:
        article = articles[discussion["key"]]
        assert (discussion["title"], discussion["lang"]) == (article.title, article.language)
        moments = [datetime.fromisoformat(comment["at"]) for comment in discussion["comments"]]
        assert min(moments) > article.date


def test_installing_leaves_what_is_there(tmp_path: Path) -> None:
    kept = tmp_path / "who-reads-the-river.md"
    kept.write_text("mine", "utf-8")
    samples.copy_articles(tmp_path)
    assert kept.read_text("utf-8") == "mine"
    assert len(list(tmp_path.iterdir())) > 1


def test_the_texts_are_composed(tmp_path: Path) -> None:
    samples.copy_articles(tmp_path)
    texts = [file.read_text("utf-8") for file in tmp_path.iterdir()]
    texts.append(json.dumps(samples.discussions(), ensure_ascii=False))
    assert all(unicodedata.is_normalized("NFC", text) for text in texts)


async def test_every_discussion_can_be_imported(store: Store, tmp_path: Path) -> None:
    for discussion in samples.discussions():
        imported = await transfer.import_file(store, tmp_path, json.dumps(discussion).encode())
        assert imported.comments == len(discussion["comments"])
        assert 10 <= imported.comments <= 18
