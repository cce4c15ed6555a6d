"""The seconds that a run spends in each stage."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock


@dataclass
class Timings:
    """Seconds spent in each stage; the stages overlap.

    Attributes:
        loading: Loading the model, compiling it if necessary.
        finding: Finding images.
        decoding: Decoding, summed over all workers.
        predicting: Predicting, summed over all workers.
        workers: The number of workers; 0 until the model is loaded.
    """

    loading: float = 0.0
    finding: float = 0.0
    decoding: float = 0.0
    predicting: float = 0.0
    workers: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def add(self, *, finding: float = 0.0, decoding: float = 0.0, predicting: float = 0.0) -> None:
        """Add seconds; safe to call from any thread."""
        with self._lock:
            self.finding += finding
            self.decoding += decoding
            self.predicting += predicting
