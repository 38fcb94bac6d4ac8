"""The playground: every state of the discussion element on one page, over discussions that were made for it.

page         the page at /playground and its three files
discussions  what is discussed there, and its import
"""
