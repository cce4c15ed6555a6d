"""Run for a long time over good and bad files, with kills and restarts, and check for losses.

    python tests/bench/soak.py PHOTOS [--minutes 30] [--images 10000] [--seed 0]

Every third image is damaged. A run is resumed again and again, sometimes isolated, and ended after
a random time by SIGKILL, SIGTERM or SIGINT, until it is complete; then its file is compared with
that of an uninterrupted run. Memory and open files of each process are recorded, and a line is
fitted to their growth.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
WARM = 15.0  # seconds until a process has loaded everything


def mixed(photos: Path, folder: Path, count: int, rng: random.Random) -> None:
    """Fill a folder with links to photos and to damaged copies of them."""
    (folder / "damaged").mkdir(parents=True)
    good = sorted(photos.iterdir())
    bad = []
    for file in good:
        data = bytearray(file.read_bytes())
        start = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                del data[start:]
            case 1:
                data[start : start + 200] = rng.randbytes(200)
            case 2:
                data[:20] = rng.randbytes(20)
            case 3:
                data[start:start] = data[: rng.randrange(5000)]
        bad.append(folder / "damaged" / file.name)
        bad[-1].write_bytes(data)
    (folder / "mixed").mkdir()
    files = itertools.cycle(good), itertools.cycle(bad)
    for i in range(count):
        file = next(files[i % 3 == 2])
        (folder / "mixed" / f"{i:06}-{file.name}").symlink_to(file.resolve())


def watch(process: subprocess.Popen[bytes], seconds: float) -> list[tuple[float, float, int]]:
    """Watch a process for some seconds: return times, MB of memory, and open files."""
    samples = []
    begun = time.monotonic()
    while process.poll() is None and time.monotonic() - begun < seconds:
        time.sleep(0.5)
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
            files = len(os.listdir(f"/proc/{process.pid}/fd"))
        except OSError:
            break
        memory = next((x for x in status.splitlines() if x.startswith("VmRSS")), "VmRSS: 0")
        samples.append((time.monotonic() - begun, int(memory.split()[1]) / 1024, files))
    return [sample for sample in samples if sample[0] > WARM and sample[1]]


def slope(times: list[float], values: list[float]) -> float:
    """Return the growth of a value per minute."""
    return float(np.polyfit(times, values, 1)[0] * 60) if len(times) > 20 else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    # A script in the background ignores Ctrl-C, and its runs would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mixed(args.photos, folder, args.images, rng)
        command = [sys.executable, "-m", "mnv2cli", "classify", str(folder / "mixed"), "-q", "-o"]
        whole = folder / "whole.csv"
        assert subprocess.run([*command, str(whole)], check=False).returncode == 4
        reference = whole.read_bytes()
        end = time.monotonic() + args.minutes * 60
        ends: Counter[str] = Counter()
        done, files, lost, growth = 0, 0, 0, []
        while time.monotonic() < end:
            output = folder / f"out{files}.csv"
            while True:
                options = ["--isolate"] if rng.random() < 0.3 else []
                process = subprocess.Popen([*command, str(output), "--resume", *options])
                samples = watch(process, rng.uniform(1, 120))
                if len(samples) > 60:
                    times = [sample[0] for sample in samples]
                    growth.append(
                        (
                            slope(times, [sample[1] for sample in samples]),
                            slope(times, [float(sample[2]) for sample in samples]),
                            len(samples),
                        )
                    )
                if process.poll() is not None:
                    break
                number = rng.choice(SIGNALS)
                process.send_signal(number)
                process.wait(60)
                ends[number.name] += 1
            assert process.returncode == 4, process.returncode
            files += 1
            rows = output.read_bytes()
            done += rows.count(b"\n") - 1
            if rows != reference:
                missing = set(reference.split(b"\n")) - set(rows.split(b"\n"))
                lost += max(len(missing), 1)
            output.unlink()
        weights = np.array([g[2] for g in growth])
        memory, handles = (
            np.average([g[i] for g in growth], weights=weights) if len(growth) else np.nan
            for i in (0, 1)
        )
        bad = reference.count(b",error,")
        print(
            f"{args.minutes:g} minutes: {done:,} images in {files} files of {args.images:,} "
            f"({bad:,} unreadable), ended by {dict(ends)}, {lost} rows lost; memory "
            f"{memory:+.2f} MB a minute, open files {handles:+.3f} a minute, over {len(growth)} "
            f"processes watched for {weights.sum() / 2:.0f} s"
        )
        sys.exit(lost > 0)


if __name__ == "__main__":
    main()
