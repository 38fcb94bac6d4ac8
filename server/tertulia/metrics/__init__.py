"""Metrics of this process in the text format of Prometheus.

    catalogue    every metric: its name, type and meaning, and where its value is read
    endpoint     GET /metrics, for addresses that may read it
    aggregation  the metrics of several workers in one answer
    host         the disk, the memory and the last backup

What is measured counts in plain attributes, which are read on request: nothing here is called while a message is
delivered. No label names a discussion, a site or a person, so the number of series is fixed.
"""

from tertulia.metrics.aggregation import WorkerMetrics
from tertulia.metrics.endpoint import Metrics, Sources

__all__ = ["Metrics", "Sources", "WorkerMetrics"]
