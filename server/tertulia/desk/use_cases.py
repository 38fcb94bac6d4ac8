"""All that is done at the desk, made of the same store."""

from __future__ import annotations

from typing import NamedTuple

from tertulia.desk.banning import Banning
from tertulia.desk.desk import Desk
from tertulia.desk.ruling import Ruling
from tertulia.desk.word_list import WordLists
from tertulia.limits import PostingLimits
from tertulia.store import Store


class DeskUseCases(NamedTuple):
    desk: Desk
    banning: Banning
    ruling: Ruling
    words: WordLists


def desk_use_cases(store: Store, limits: PostingLimits, *, networks: bool) -> DeskUseCases:
    """``networks``: whether somebody can be banned with the network that they write from."""
    banning = Banning(store, limits, networks=networks)
    return DeskUseCases(Desk(store, limits), banning, Ruling(store, limits), WordLists(store, limits))
