"""Live delivery: rooms of readers, each with a cursor into what its discussion said last."""
