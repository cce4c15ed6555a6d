"""How the work of a function grows, in calls: seconds differ from machine to machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType


def count_calls(work: Callable[[], object]) -> int:
    """Return how many calls a function makes, of built-in functions too."""
    number = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal number
        number += event in ("call", "c_call")

    previous = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(previous)
    return number


def grows_like(calls: dict[int, int]) -> float:
    """Return how the calls for 2n grew from those for n: 2 is linear, 4 is quadratic."""
    (_, few), (_, many) = sorted(calls.items())
    return many / few
