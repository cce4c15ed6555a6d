"""Measure what finding 200,000 files adds to the memory of finding 2,000.

    python tests/bench/find_memory.py

The files are hard links to a few images. Each case runs in a separate process, whose peak resident
memory is printed.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

FEW, MANY = 2_000, 200_000
LINKS = 20_000  # of one file; file systems have a limit
LIMITS = {200: 20.0, 1: 60.0}  # folders: megabytes


def make(root: Path, files: int, folders: int) -> None:
    """Fill a tree with hard links, evenly over the folders."""
    for folder in range(folders):
        (root / f"folder{folder}").mkdir(parents=True)
    first = ""
    for i in range(files):
        path = f"{root}/folder{i % folders}/photo_{i:06}.jpg"
        if i % LINKS == 0:
            Path(path).write_bytes(b"\xff\xd8\xff")
            first = path
        else:
            os.link(first, path)


def peak(root: Path) -> float:
    """Return the peak memory in megabytes of a process that finds all files."""
    done = subprocess.run(
        [sys.executable, __file__, str(root)], capture_output=True, text=True, check=True
    )
    count, kilobytes = map(int, done.stdout.split())
    assert count in (FEW, MANY), count
    return kilobytes / 1024


def main() -> int:
    """Print the table; exit 1 if a limit is passed."""
    failed = False
    for folders, limit in LIMITS.items():
        with tempfile.TemporaryDirectory() as few, tempfile.TemporaryDirectory() as many:
            make(Path(few), FEW, folders)
            make(Path(many), MANY, folders)
            low, high = peak(Path(few)), peak(Path(many))
        failed |= high - low >= limit
        print(
            f"{folders:3} folders: {FEW:,} files {low:.1f} MB, {MANY:,} files {high:.1f} MB, "
            f"difference {high - low:.1f} MB (limit {limit:.0f})"
        )
    return int(failed)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        from mnv2cli.sources.finder import Finder

        found = sum(1 for _ in Finder(sys.argv[1:]))
        print(found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    else:
        sys.exit(main())
