"""Measure ``mnv2 sort --from`` beside ``cp -r`` of the same tree of tiny files.

    python tests/bench/sort_speed.py [FILES] [ROUNDS]

Both are timed as whole processes, in turn; the best of each counts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main(count: int, rounds: int) -> None:
    """Print both times and their ratio."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        src = work / "src"
        for i in range(count):
            path = src / f"{i % 50}" / f"{i}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.urandom(300))
        rows = [f"{src}/{i % 50}/{i}.jpg,ok,class {i % 40},n01440764,0.9," for i in range(count)]
        header = "path,status,label_1,wnid_1,score_1,error"
        (work / "r.csv").write_text("\n".join([header, *rows, ""]))
        sort = [sys.executable, "-m", "mnv2cli", "sort", "-q", "--by", "label",
                "--from", str(work / "r.csv"), "--into"]  # fmt: skip
        best = {"cp -r": 1e9, "copy": 1e9, "move": 1e9, "undo": 1e9}
        for turn in range(rounds):
            # Separate folders, and nothing is removed in between: ext4 allocates inodes slowly for
            # some time after many were freed.
            for case, line in [
                ("cp -r", ["cp", "-r", str(src), str(work / f"cp{turn}")]),
                ("copy", [*sort, str(work / f"copy{turn}")]),
                ("move", [*sort, str(work / f"move{turn}"), "--move"]),
                (
                    "undo",
                    [sys.executable, "-m", "mnv2cli", "undo", "-q", str(work / f"move{turn}")],
                ),
            ]:
                os.sync()
                start = time.perf_counter()
                subprocess.run(line, check=True)
                best[case] = min(best[case], time.perf_counter() - start)
        for case, seconds in best.items():
            share = best["cp -r"] / seconds
            print(f"{case:6} {seconds:6.2f} s  {count / seconds:8,.0f} files/s  {share:.2f}")


if __name__ == "__main__":
    main(*(int(argument) for argument in [*sys.argv[1:], "20000", "3"][:2]))
