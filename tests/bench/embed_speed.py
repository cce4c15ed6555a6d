"""Print the rate of features against that of labels, and what the cache saves.

    python tests/bench/embed_speed.py PHOTOS...

All are measured in turns on the same photos, in one process, and the best of each counts.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import closing
from time import perf_counter

from mnv2cli import Classifier
from mnv2cli.inference.feature_store import CachedFeatures
from mnv2cli.records import Record

ROUNDS = 5


def main() -> None:
    """Measure and print."""
    paths = sys.argv[1:]
    classifier = Classifier()
    classifier.load()
    list(classifier.classify(*paths))

    def cached() -> Iterable[Record]:
        with closing(CachedFeatures(classifier)) as store:
            yield from classifier.embed(*paths, store=store)

    def first() -> Iterable[Record]:
        os.environ["MNV2_CACHE"] = tempfile.mkdtemp(dir=folder)
        return cached()

    cases: dict[str, Callable[[], Iterable[Record]]] = {
        "labels": lambda: classifier.classify(*paths),
        "features": lambda: classifier.embed(*paths),
        "features, empty cache": first,
        "features, full cache": cached,
    }
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            for name, run in cases.items():
                start = perf_counter()
                images = sum(1 for _ in run())
                best[name] = min(best.get(name, 1e9), perf_counter() - start)
    for name, seconds in best.items():
        rate = f"{images / seconds:,.0f} images/s"
        print(f"{name:22} {rate:>16}   {best['labels'] / seconds:.2f} times labels")


if __name__ == "__main__":
    main()
