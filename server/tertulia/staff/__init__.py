"""The staff's pages, on the server's own origin: HTML that needs no script, under a cookie that no script reads.

routes    addresses, and what answers them
frame     what every page has: the session, the language, headers, refusals
sign_in   in by a link or a token, and out
site      a site's people, members, ways in and tokens
log       the log of actions, as a page and as lines
"""

from tertulia.staff.routes import StaffPages

__all__ = ["StaffPages"]
