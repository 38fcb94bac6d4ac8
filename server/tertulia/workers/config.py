"""What a supervisor and a worker tell each other."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from tertulia.settings import Settings

READY = "ready"
"""The line of a worker that serves."""


class WorkerConfig(BaseModel):
    """What a supervisor tells a worker: ``number`` counts from 1, ``folder`` is where workers find each other."""

    settings: Settings
    number: int
    host: str
    port: int
    folder: Path
