"""Options for the engine that runs a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from mnv2cli.errors import InputError

Precision = Literal["float32", "int8"]


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """The engine that runs a network, and its settings.

    Attributes:
        name: A registered engine, or ``auto``.
        precision: ``float32``, or ``int8`` for smaller models and slightly different scores.
        calibrate: Folder of typical photos to calibrate int8 on; empty for a sample of the run.
        batch_size: Images per batch; 0 for the engine's default.
        threads: Workers that decode and predict; 0 for the engine's default.

    Raises:
        InputError: A value is invalid.
    """

    name: str = "auto"
    precision: Precision = "float32"
    calibrate: str = ""
    batch_size: int = 0
    threads: int = 0

    def __post_init__(self) -> None:
        if self.precision not in get_args(Precision):
            raise InputError(
                f"precision must be {' or '.join(get_args(Precision))}, not {self.precision!r}"
            )
        if not (isinstance(self.batch_size, int) and isinstance(self.threads, int)):
            raise InputError("batch_size and threads must be whole numbers")
        if min(self.batch_size, self.threads) < 0:
            raise InputError("batch_size and threads must be at least 1, or 0 for the default")
        if self.calibrate and self.precision != "int8":
            raise InputError("--calibrate requires --precision int8")
