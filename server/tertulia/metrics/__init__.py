"""Metrics: numbers about this process in the text format of Prometheus.

    catalogue   every metric: its name, type and meaning, and where its value is read
    endpoint    GET /metrics, for addresses that may read it
    siblings    the metrics of several workers as one answer

The parts count in plain attributes, and those are read when somebody asks: nothing here is called on the way of a
message. No label names a discussion, a site or a person, so the number of series is fixed.
"""

from tertulia.metrics.endpoint import Metrics, Parts
from tertulia.metrics.siblings import Siblings

__all__ = ["Metrics", "Parts", "Siblings"]
