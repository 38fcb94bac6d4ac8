"""How the pages of one server look: its name, and the language and zone of pages that have none of their own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SiteDefaults:
    site_name: str
    language: str
    time_zone: str
