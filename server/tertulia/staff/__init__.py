"""The staff's pages, on the server's own origin: HTML that needs no script, under a cookie that no script reads.

routes    addresses, and what answers them
frame     what every page has: the session, the language, headers, refusals
sign_in   in by a link, a token, a code or at a provider, and out
ways      how one signs in oneself
codes     forms of codes by mail, and links to providers, of both
site      a site's people, members, ways in and tokens
desk      a site's desk: its queues, decisions
log       the log of actions, as a page and as lines
"""

from tertulia.staff.routes import StaffPages

__all__ = ["StaffPages"]
