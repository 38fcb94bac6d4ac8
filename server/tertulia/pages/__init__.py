"""The pages: articles and discussions as HTML that needs no JavaScript.

routes           addresses, and what answers them
discussion_page  a discussion on a page, read and posted to
location         where a discussion is shown
site_defaults    the server's name, language and zone
thread           a flat list as a tree
form             what was typed, and why it was refused
rendering        templates and headers
markdown         an article's text as HTML
sign_in          on the way to a provider and back
way_in           signing in on these pages, and out
comment_forms    editing, deleting and reporting a comment
me               one's own page: name, sessions, ways in
account_pages    what pages of somebody's own have
readers          who is signed in on these pages, and how others could be
times            moments and days as pages write them
json_ld          comments for search engines
sharing          links that hand an article to other services
assets           files that pages refer to
client           the browser client's files
snippet          what others put into their pages
"""

from tertulia.pages.routes import Pages
from tertulia.pages.site_defaults import SiteDefaults
from tertulia.pages.snippet import snippet

__all__ = ["Pages", "SiteDefaults", "snippet"]
