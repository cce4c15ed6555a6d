"""Measure the memory and the speed of one run over 200,000 photos in 200 folders.

    python tests/bench/run_memory.py PHOTOS [--images 200000] [OPTION]...

PHOTOS is a folder with some photos, which are reduced and linked. The script prints the peak memory
compared with a run over 2,000 photos, and the images per second in each tenth of the run. Other
options are passed to ``mnv2 classify``.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

FEW = 2_000
FOLDERS = 200
MAX_GROWTH = 40.0  # MB
MIN_RATE = 0.95


def small(photos: Path, folder: Path) -> list[Path]:
    folder.mkdir()
    made = []
    for file in sorted(photos.iterdir()):
        with Image.open(file) as image:
            image.thumbnail((256, 256))
            made.append(folder / f"{file.stem}.jpg")
            image.convert("RGB").save(made[-1])
    return made


def link(files: list[Path], root: Path, count: int) -> None:
    for i in range(FOLDERS):
        (root / f"folder{i}").mkdir(parents=True)
    for i, file in zip(range(count), itertools.cycle(files), strict=False):
        (root / f"folder{i * FOLDERS // count}" / f"{i:06}.jpg").symlink_to(file)


def peak(process: subprocess.Popen[bytes]) -> float:
    """Return the peak memory of a process in MB."""
    try:
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def run(folder: Path, output: Path, count: int, options: list[str]) -> tuple[float, list[float]]:
    """Run; return the peak memory in MB and the images a second in each tenth."""
    command = [sys.executable, "-m", "mnv2cli", "classify", str(folder), "-q", "-o", str(output)]
    process = subprocess.Popen([*command, *options])
    highest, rows = 0.0, -1
    times: list[float] = []
    with open("/dev/null", "rb") as empty:
        file = empty
        while process.poll() is None:
            time.sleep(0.05)
            highest = max(highest, peak(process))
            if file is empty and output.exists():
                file = output.open("rb")
            rows += file.read().count(b"\n")
            while len(times) < 11 and rows >= max(1, len(times) * count // 10):
                times.append(time.perf_counter())
    assert process.returncode == 0, process.returncode
    assert output.read_bytes().count(b"\n") == count + 1
    times += [time.perf_counter()] * (11 - len(times))
    return highest, [count / 10 / max(b - a, 1e-9) for a, b in itertools.pairwise(times)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--images", type=int, default=200_000)
    args, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = small(args.photos, folder / "small")
        link(files, folder / "few", FEW)
        link(files, folder / "many", args.images)
        low, _ = run(folder / "few", folder / "few.csv", FEW, options)
        high, rates = run(folder / "many", folder / "many.csv", args.images, options)
    print(f"peak memory: {FEW:,} images {low:.1f} MB, {args.images:,} images {high:.1f} MB")
    print("images/s by tenths:", " ".join(f"{rate:.0f}" for rate in rates))
    print(f"last tenth to first: {rates[-1] / rates[0]:.3f}")
    sys.exit(high - low > MAX_GROWTH or rates[-1] < MIN_RATE * rates[0])


if __name__ == "__main__":
    main()
