"""What the pages of one server share: its name, and the language and time zone of pages without their own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SiteDefaults:
    site_name: str
    language: str
    time_zone: str
