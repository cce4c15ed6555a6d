"""Measure time and memory of comparing the features of 100,000 images.

    python tests/bench/neighbours.py [IMAGES]

Features are mixtures of 300 directions with noise, and every twentieth image is a changed copy of
an earlier one. Each case runs in a separate process, whose peak resident memory is printed: the
nearest of 10 photos, and groups of near copies. The time is given beside that of one product of two
blocks, which grows with the square of the number of images.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEW, MANY = 2_000, 100_000
LENGTH = 1280
LIMIT = 250.0  # megabytes that more images may add
THRESHOLD = 0.95


def blocks(images: int) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
    """Yield paths and features in blocks of 1,000."""
    import numpy as np

    random = np.random.default_rng(0)
    centres = random.gamma(0.5, size=(300, LENGTH)).astype(np.float32)
    for start in range(0, images, 1000):
        weights = random.dirichlet(np.full(300, 0.02), 1000).astype(np.float32)
        rows = weights @ centres * np.exp(random.normal(0, 0.5, (1000, LENGTH)))
        rows[19::20] = rows[18::20] * np.exp(random.normal(0, 0.1, (50, LENGTH)))
        yield [f"img{start + i}.jpg" for i in range(1000)], rows.astype(np.float32)


def measure(case: str, images: int) -> None:
    """Print seconds, the seconds of one product of blocks, peak kilobytes, and what was found."""
    import numpy as np

    from mnv2cli.learning.neighbours import BLOCK, FeatureRows, find_leaders, nearest

    with FeatureRows() as rows:
        queries = next(blocks(1000))[1][:10]
        for _, features in blocks(images) if case == "groups" else ():
            rows.add(features)
        start = time.perf_counter()
        if case == "groups":
            found = find_leaders(rows, THRESHOLD)
            number = int((found.leader != np.arange(images)).sum())
        else:
            number = sum(map(len, nearest(queries, blocks(images), 20)))
        seconds = time.perf_counter() - start
    block = np.ones((BLOCK, LENGTH), np.float32)
    start = time.perf_counter()
    for _ in range(3):
        block @ block.T
    product = (time.perf_counter() - start) / 3
    print(seconds, product, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, number)


def run(case: str, images: int) -> tuple[float, float]:
    """Print a line of the table; return seconds and peak megabytes."""
    done = subprocess.run(
        [sys.executable, __file__, case, str(images)], capture_output=True, text=True, check=True
    )
    seconds, product, kilobytes, number = map(float, done.stdout.split())
    print(
        f"{case:8} {images:8,} images  {seconds:7.1f} s = {seconds / product:7.0f} products of "
        f"blocks  {kilobytes / 1024:6.0f} MB  found {number:,.0f}",
        flush=True,
    )
    return seconds, kilobytes / 1024


def main(many: int) -> int:
    """Print the table; exit 1 if more images take more memory than the limit."""
    failed = False
    for case in ("nearest", "groups"):
        _, low = run(case, FEW)
        _, high = run(case, many)
        failed |= high - low >= LIMIT
        print(f"{case:8} {high - low:.0f} MB more for {many:,} images (limit {LIMIT:.0f})")
    return int(failed)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        measure(sys.argv[1], int(sys.argv[2]))
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else MANY))
