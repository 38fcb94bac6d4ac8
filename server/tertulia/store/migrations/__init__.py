"""The database's history, one file a change; expand first, contract a release later."""
