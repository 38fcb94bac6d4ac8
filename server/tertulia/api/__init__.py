"""The JSON API: one handler an operation, and the table that routes and description are made from."""

from tertulia.api.handlers import Api

__all__ = ["Api"]
