"""What the token of a site's program is good for."""

from __future__ import annotations

from enum import StrEnum


class TokenScope(StrEnum):
    """Each opens some operations of the API, at the token's own site alone."""

    read = "read"
    discussions = "discussions"
    people = "people"
    moderate = "moderate"
