"""Print what reports cost, as shares of the cost of classifying the same photos.

    python tests/bench/report_cost.py FOLDER [ROUNDS]

Each round runs ``mnv2 classify``, ``mnv2 classify --report`` and ``mnv2 report``, each in a new
process, in turns; their order rotates. CPU seconds are those of all their threads and processes.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from time import perf_counter

import psutil

COMMANDS = {
    "classify": ("classify", "{photos}", "-o", "labels.csv"),
    "classify --report": ("classify", "{photos}", "-o", "again.csv", "--report", "both.html"),
    "report": ("report", "labels.csv"),
}


def measured(arguments: list[str], folder: str) -> tuple[float, float]:
    """Return the seconds of CPU and of the clock that a command takes."""
    own = psutil.Process()
    before, start = own.cpu_times(), perf_counter()
    subprocess.run(
        [sys.executable, "-m", "mnv2cli", *arguments, "--force", "--quiet"], cwd=folder, check=True
    )
    wall, after = perf_counter() - start, own.cpu_times()
    cpu = after.children_user + after.children_system
    return cpu - before.children_user - before.children_system, wall


def main() -> None:
    """Measure and print."""
    photos = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        names = list(COMMANDS)
        for number in range(rounds + 1):
            shift = number % len(names) if number else 0
            for name in names[shift:] + names[:shift]:
                arguments = [each.format(photos=photos) for each in COMMANDS[name]]
                times = measured(arguments, folder)
                if number:  # the first round fills caches, and writes what reports read
                    found[name].append(times)
    for kind, at in (("CPU", 0), ("wall", 1)):
        print(f"{kind:20} {'median':>8} {'least':>8}   of classifying")
        for name, times in found.items():
            seconds = [each[at] for each in times]
            base = [each[at] for each in found["classify"]]
            shares = [one / other for one, other in zip(seconds, base, strict=True)]
            median, least = statistics.median(shares), min(seconds) / min(base)
            print(
                f"{name:20} {statistics.median(seconds):6.2f} s {min(seconds):6.2f} s   "
                f"median {100 * median:3.0f} %, least by least {100 * least:3.0f} %"
            )


if __name__ == "__main__":
    main()
