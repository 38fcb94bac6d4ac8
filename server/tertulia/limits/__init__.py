"""How much one guest and one address may write.

memory      the counts of this instance, bounded
posting     the limits, counted at this instance and, where there is a Redis, at all of them together
openings    the rooms that one address may open, counted at this instance
counting    the port to the counts that instances share
shared      these counts in Redis, and doing without them for a while
"""

from tertulia.limits.counting import SharedCounter, open_shared_counter
from tertulia.limits.openings import Openings
from tertulia.limits.posting import PostingLimits, Write

__all__ = ["Openings", "PostingLimits", "SharedCounter", "Write", "open_shared_counter"]
