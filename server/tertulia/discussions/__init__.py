"""The use-cases: everything that can be done with a discussion, by whom, and what is told of it."""

from tertulia.discussions.posting import Answer
from tertulia.discussions.publishing import publish_committed
from tertulia.discussions.service import Discussions
from tertulia.discussions.sites import Sites

__all__ = ["Answer", "Discussions", "Sites", "publish_committed"]
