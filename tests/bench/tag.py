"""Measure tagging 900 photos by new sidecars and by small existing ones, and the undo of both.

    python tests/bench/tag.py [FILES] [ROUNDS]

The steps run in this process, in the folder for temporary files; the best of each counts.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from mnv2cli.tagging.apply import apply
from mnv2cli.tagging.undo import undo
from tests.tagging.trees import plan_of, sidecar


def main(count: int, rounds: int) -> None:
    """Print the files per second of each step."""
    best: dict[str, tuple[float, float]] = {}

    def timed(case: str, work: Callable[[], object]) -> None:
        os.sync()
        start, used = time.perf_counter(), time.process_time()
        work()
        now = time.perf_counter() - start, time.process_time() - used
        best[case] = min(best.get(case, now), now)

    for _ in range(rounds):
        for existing in (False, True):
            with tempfile.TemporaryDirectory() as name:
                files = [Path(name) / f"{i % 30}" / f"{i}.jpg.xmp" for i in range(count)]
                for i, file in enumerate(files):
                    file.parent.mkdir(exist_ok=True)
                    if existing:
                        file.write_text(sidecar(i % 6), encoding="utf-8")
                case = "existing sidecars" if existing else "new sidecars"
                timed(case, lambda: apply(plan_of(Path(name), files)))  # noqa: B023
                timed(f"  again, {case}", lambda: apply(plan_of(Path(name), files)))  # noqa: B023
                timed(f"  undo, {case}", lambda: undo(name))
    for case, (seconds, used) in best.items():
        rate = f"{count / seconds:8,.0f} files/s"
        print(f"{case:26} {seconds:6.2f} s  {rate}  {used:6.2f} s of processor time")


if __name__ == "__main__":
    main(*(int(argument) for argument in [*sys.argv[1:], "900", "3"][:2]))
