"""The desk of a site: what waits for its moderators, what they decide, and who of them is there."""

from tertulia.desk.banning import Banning, removing
from tertulia.desk.desk import Desk
from tertulia.desk.mending import mending_reviews

__all__ = ["Banning", "Desk", "mending_reviews", "removing"]
