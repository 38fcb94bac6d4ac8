"""Benchmarks: each figure as a ratio against a yardstick of the same run."""
