"""Where the API is, and the numbers that both sides of the wire keep to."""

from __future__ import annotations

API = "/api/v1"
ATOM = "application/atom+xml"
"""The media type of feeds (RFC 4287)."""
HEARTBEAT_SECONDS = 25
EVENTS_PAGE = 500
WRITING_SECONDS = 3
BODY_LIMIT = 64 * 1024
PAGE_BYTES = 1024 * 1024
"""Of JSON in a page of comments, replies or events: it ends there, short of what was asked for, and says where it goes
on. An ordinary page of 50 comments has 30 KB; a megabyte takes a phone on a slow line some seconds."""
FORM_LIMIT = 128 * 1024
"""A form writes a character with up to 12 bytes, and the longest comment has 10,000 characters."""
