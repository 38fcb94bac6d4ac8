"""Redis, as one server, under Sentinel or as a cluster."""
