"""The desk of a site: what waits for its moderators, what they decide, and who of them is there."""

from tertulia.desk.banning import Banning, removing
from tertulia.desk.desk import Desk
from tertulia.desk.mending import mending_reviews
from tertulia.desk.ruling import Ruling
from tertulia.desk.use_cases import DeskUseCases, desk_use_cases
from tertulia.desk.word_list import WordLists

__all__ = ["Banning", "Desk", "DeskUseCases", "Ruling", "WordLists", "desk_use_cases", "mending_reviews", "removing"]
