"""Kill and resume a run at random moments, and compare it with an uninterrupted one.

    python tests/bench/killed_runs.py PHOTOS [--images 2000] [--kills 100] [--format csv] [--seed 0]

PHOTOS is a folder with some photos, which are linked as often as necessary. Each run is killed with
SIGKILL after a random time, and sometimes its file is truncated as by a power cut; then it is
resumed. The complete file is compared byte for byte, and the next run starts, until the number of
kills is reached.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MNV2 = [sys.executable, "-m", "mnv2cli"]


def link(photos: Path, folder: Path, count: int) -> None:
    folder.mkdir()
    files = sorted(photos.iterdir())
    for i, file in zip(range(count), itertools.cycle(files), strict=False):
        (folder / f"{i:06}-{file.name}").symlink_to(file.resolve())


def killed_once(command: list[str], output: Path, rng: random.Random, longest: float) -> bool:
    """Run for a random time, and return whether the run was killed."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        process.wait(rng.uniform(0.2, longest))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.returncode >= 0:
        assert process.returncode == 0, process.returncode
        return False
    if rng.random() < 0.3 and output.exists():
        os.truncate(output, max(0, output.stat().st_size - rng.randrange(500)))
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--longest", type=float, default=3.0, help="seconds until a kill")
    parser.add_argument("--format", default="csv")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        link(args.photos, folder / "photos", args.images)
        whole = folder / f"whole.{args.format}"
        command = [*MNV2, "classify", str(folder / "photos"), "-q", "-o"]
        subprocess.run([*command, str(whole)], check=True)
        begun, kills, files, equal = time.perf_counter(), 0, 0, 0
        while kills < args.kills:
            output = folder / f"out{files}.{args.format}"
            while killed_once([*command, str(output), "--resume"], output, rng, args.longest):
                kills += 1
            files += 1
            equal += output.read_bytes() == whole.read_bytes()
        seconds = time.perf_counter() - begun
        print(
            f"{args.format}: {kills} kills of runs over {args.images:,} photos, {files} files "
            f"finished, {equal} equal byte for byte, {seconds:.0f} s"
        )
        sys.exit(equal != files)


if __name__ == "__main__":
    main()
