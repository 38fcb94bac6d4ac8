"""What shows the product without being part of it; only the commands and the composition root know it.

demo        a cluster on this machine to watch and to kill
playground  a page with every state of the discussion element, for front-end developers
samples     articles and discussions for a server that has none of its own
"""
