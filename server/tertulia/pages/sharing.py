"""Plain links that hand an article's address to other services; nothing of theirs is loaded here."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode


@dataclass(frozen=True, slots=True)
class Share:
    where: str
    href: str


def shares(title: str, url: str) -> list[Share]:
    return [
        Share("Facebook", "https://www.facebook.com/sharer/sharer.php?" + urlencode({"u": url})),
        Share("X", "https://x.com/intent/post?" + urlencode({"url": url, "text": title})),
        Share("LinkedIn", "https://www.linkedin.com/sharing/share-offsite/?" + urlencode({"url": url})),
        Share("WhatsApp", "https://wa.me/?" + urlencode({"text": f"{title} {url}"})),
    ]


def mail(title: str, url: str) -> str:
    # mail programs take + for itself, so spaces are %20 here
    return f"mailto:?subject={quote(title, safe='')}&body={quote(url, safe='')}"
