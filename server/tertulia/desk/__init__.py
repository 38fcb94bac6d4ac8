"""The desk of a site: what waits for its moderators, what they decide, and who of them is there."""

from tertulia.desk.desk import Desk

__all__ = ["Desk"]
