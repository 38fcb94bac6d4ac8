"""Files that browsers get as they are: the built client."""
