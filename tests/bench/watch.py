"""Let photos arrive in a watched folder, kill the watch at random moments, and check the folders.

    python tests/bench/watch.py PHOTOS [--count 500] [--no-kills] [--move] [--seed 0]

PHOTOS is a folder with some JPEGs, of which numbered copies arrive: written slowly, in stages,
renamed, as by rsync and as by browsers. With kills, the watch is killed with SIGKILL and started
again, over and over; at the end each photo must be in the destination exactly once, and whole.
Without kills, the seconds until a complete photo is in its folder are printed, and the processor
time of a minute in which nothing happens.
"""

from __future__ import annotations

import argparse
import itertools
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.watching.arriving import Arriving, faults, latencies, numbered

MNV2 = [sys.executable, "-m", "mnv2cli"]


def killed_while(arriving: threading.Thread, command: list[str], rng: random.Random) -> int:
    """Run a watch and kill it, until all photos have arrived; return the number of kills."""
    kills = 0
    while arriving.is_alive():
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.3, 6))
        assert process.poll() is None, process.returncode
        process.kill()
        process.wait()
        kills += 1
    return kills


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--no-kills", action="store_true")
    parser.add_argument("--move", action="store_true")
    parser.add_argument("--idle", type=int, default=60, help="seconds, without kills")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    files = sorted(p for p in args.photos.iterdir() if p.suffix.lower() in (".jpg", ".jpeg"))
    photos = (
        numbered(path.read_bytes(), number)
        for number, path in zip(range(args.count), itertools.cycle(files), strict=False)
    )
    with tempfile.TemporaryDirectory() as name:
        drop, dest = Path(name, "drop"), Path(name, "sorted")
        drop.mkdir()
        arriving = Arriving(drop, rng, pause=0.4)
        command = [*MNV2, "watch", str(drop), "--into", str(dest)]
        command += ["--move"] if args.move else []
        thread = threading.Thread(target=arriving.write, args=(photos,))
        if args.no_kills:
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            time.sleep(3)
            thread.start()
            thread.join()
            time.sleep(5)
            before = sum(psutil.Process(process.pid).cpu_times()[:2])
            time.sleep(args.idle)
            idle = sum(psutil.Process(process.pid).cpu_times()[:2]) - before
            process.send_signal(signal.SIGTERM)
            assert process.wait() == 0
            seconds = latencies(arriving, dest)
            print(
                f"seconds until sorted: median {statistics.median(seconds):.2f}, "
                f"99 % {seconds[int(len(seconds) * 0.99)]:.2f}, most {seconds[-1]:.2f}; "
                f"processor: {idle / args.idle * 60:.2f} s in a minute without photos"
            )
        else:
            thread.start()
            kills = killed_while(thread, command, rng)
            print(f"{kills} kills", end=", ")
            assert subprocess.run([*command, "--once"], check=False).returncode == 0
        wrong = faults(arriving, dest)
        print(f"{len(arriving.digests)} photos, {len(wrong)} wrong")
        for line in wrong[:20]:
            print(line)
        sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
