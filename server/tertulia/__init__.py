"""Tertulia: a live discussion under any article."""

__version__ = "0.1.0"
