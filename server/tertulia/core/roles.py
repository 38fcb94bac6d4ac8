"""What people may do at a site besides writing."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Held at one site, or at all. ``staff`` is a badge and allows nothing."""

    owner = "owner"
    moderator = "moderator"
    host = "host"
    staff = "staff"


DECIDING = frozenset({Role.owner, Role.moderator})
"""Roles that decide about what others wrote, and see the staff's pages."""
