"""The pages: articles and discussions as HTML that needs no JavaScript.

look       the server's name, language and zone          times      moments and days as pages write them
place      where a discussion is shown                   thread     a flat list as a tree
section    a discussion on a page, read and posted       form       what was typed, and why it was refused
prose      an article's text as HTML                     rendering  templates and headers
routes     addresses                                     assets     files that pages refer to
client     the browser client's files                    structured comments for search engines
snippet    what others put into their pages
"""

from tertulia.pages.look import Look
from tertulia.pages.routes import Pages
from tertulia.pages.snippet import snippet

__all__ = ["Look", "Pages", "snippet"]
