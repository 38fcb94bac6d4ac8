"""Words that are not said at a site: a list of them, and what of it is in a text.

    entries ──▶ matcher ──▶ tokens ──▶ syllables

An editor writes entries, one a line; ``compiled`` makes a matcher of them, whose ``find`` says which are in a text and
where in it, as it was typed.
"""

from tertulia.core.words.entries import ENTRIES, Does, Entry, parse_entry, parse_list, too_many
from tertulia.core.words.matcher import Finding, Matcher, compiled

__all__ = [
    "ENTRIES",
    "Does",
    "Entry",
    "Finding",
    "Matcher",
    "compiled",
    "parse_entry",
    "parse_list",
    "too_many",
]
