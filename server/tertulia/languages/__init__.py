"""Languages: every sentence that pages and client say, one JSON file a language, and how each counts and writes dates.

catalogue  the files, read once                          plurals    which form of a sentence a number takes
"""

from tertulia.languages.catalogue import (
    CLIENT_GROUPS,
    DEFAULT,
    TAGS,
    Language,
    Sentence,
    accepted,
    every,
    find,
    language,
)

__all__ = ["CLIENT_GROUPS", "DEFAULT", "TAGS", "Language", "Sentence", "accepted", "every", "find", "language"]
