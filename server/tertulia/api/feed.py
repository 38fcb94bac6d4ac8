"""The newest comments as Atom (RFC 4287)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlencode
from xml.etree import ElementTree

from tertulia.protocol import API, ATOM, PAGE_BYTES, CommentView, DiscussionView
from tertulia.web.html import document_html

_NAMESPACE = "http://www.w3.org/2005/Atom"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_END = "</feed>"
_NOTHING_YET = "1970-01-01T00:00:00.000Z"


def atom(discussion: DiscussionView, comments: Sequence[CommentView], base_url: str) -> str:
    """The feed, of as many comments as make PAGE_BYTES; ``base_url`` is where readers reach the server, without a
    slash at the end.
    """
    entries = _entries(comments, base_url)
    query = urlencode({"site": discussion.site, "key": discussion.key})
    feed = ElementTree.Element("feed", xmlns=_NAMESPACE)
    address = f"{base_url}{API}/feed.atom?{query}"
    _add(feed, "id", address)
    _add(feed, "title", discussion.title or discussion.key)
    _add(feed, "updated", max((_changed(comment) for comment in comments[: len(entries)]), default=_NOTHING_YET))
    _add(feed, "link", rel="self", href=address, type=ATOM)
    _add(feed, "link", rel="alternate", href=discussion.url or f"{base_url}/d?{query}", type="text/html")
    head = ElementTree.tostring(feed, encoding="unicode").removesuffix(_END)
    return "".join(('<?xml version="1.0" encoding="utf-8"?>\n', head, *entries, _END))


def _entries(comments: Sequence[CommentView], base_url: str) -> list[str]:
    """HTML in XML is escaped twice, so that a page of comments may be nine times as long here."""
    found: list[str] = []
    size = 0
    for comment in comments:
        entry = ElementTree.tostring(_entry(comment, base_url), encoding="unicode")
        size += len(entry.encode())
        if found and size > PAGE_BYTES:
            break
        found.append(entry)
    return found


def _entry(comment: CommentView, base_url: str) -> ElementTree.Element:
    name = comment.author.name if comment.author else ""
    entry = ElementTree.Element("entry")
    _add(entry, "id", f"urn:uuid:{comment.id}")
    _add(entry, "title", name)
    _add(ElementTree.SubElement(entry, "author"), "name", name)
    _add(entry, "published", comment.created_at)
    _add(entry, "updated", _changed(comment))
    _add(entry, "link", rel="alternate", href=f"{base_url}/c/{comment.id}", type="text/html")
    _add(entry, "content", str(document_html(comment.body or [])), type="html")
    return entry


def _changed(comment: CommentView) -> str:
    return comment.edited_at or comment.created_at


def _add(parent: ElementTree.Element, tag: str, text: str | None = None, **attributes: str) -> None:
    legal = {name: _NOT_XML.sub("\ufffd", value) for name, value in attributes.items()}
    ElementTree.SubElement(parent, tag, legal).text = text and _NOT_XML.sub("\ufffd", text)
