"""The seconds that a run spends in each stage."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock


@dataclass
class Timings:
    """Seconds spent in each stage, added up over all threads; the stages overlap."""

    loading: float = 0.0
    finding: float = 0.0
    decoding: float = 0.0
    predicting: float = 0.0
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def add(self, *, finding: float = 0.0, decoding: float = 0.0, predicting: float = 0.0) -> None:
        """Add seconds; called by many threads."""
        with self._lock:
            self.finding += finding
            self.decoding += decoding
            self.predicting += predicting
