"""Measure ``mnv2 select`` on a million rows: seconds and megabytes of whole processes.

    python tests/bench/select_rows.py [--rows 1000000]

The rows have three labels each; one in 500 is an error. Beside each command stands ``wc -l`` on the
same file, the least that reading it takes. Numbers are of this machine: compare the columns.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.records import Prediction, Record
from mnv2cli.results.formats import load_format
from mnv2cli.results.schema import Layout

CASES = (
    ["--min-score", "0.8"],
    ["--label", "tabby"],
    ["--max-margin", "0.01", "--sort", "score", "--limit", "50"],
    ["--sort", "score"],
    ["--sample", "20"],
    ["--status", "error", "--paths"],
)


def rows(number: int) -> Iterator[Record]:
    """Yield records with random labels and scores."""
    draw = random.Random(1)
    labels = list(imagenet_labels())
    for i in range(number):
        path = f"photos/{i // 1000:04}/IMG_{i:07}.jpg"
        if i % 500 == 0:
            yield Record(path, error="truncated: 3 of 9 bytes", model="mobilenet_v2_1.0_224")
            continue
        scores = sorted((round(draw.random(), 7) for _ in range(3)), reverse=True)
        found = (draw.choice(labels) for _ in scores)
        predictions = (
            Prediction(each.wnid, each.name, score)
            for each, score in zip(found, scores, strict=True)
        )
        yield Record(path, tuple(predictions), model="mobilenet_v2_1.0_224")


def measured(command: list[str]) -> tuple[float, float]:
    """Run a command; return its seconds and the megabytes of its largest memory."""
    code = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *command], capture_output=True, text=True, check=True
    )
    return time.perf_counter() - start, int(done.stdout) / 1024


def main() -> None:
    """Measure all cases, each format of results once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    number = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        for format, cases in (("csv", CASES), ("jsonl", CASES[:1]), ("parquet", CASES[:1])):
            file = Path(folder) / f"labels.{format}"
            with file.open("wb") as stream:
                writer = load_format(format).writer(stream, Layout(format, 3))
                writer.begin()
                for record in rows(number):
                    writer.write(record)
                writer.finish()
            least, _ = measured(["wc", "-l", str(file)])
            print(f"{format}: {file.stat().st_size / 1e6:.0f} MB; wc -l: {least:.2f} s")
            for case in cases:
                seconds, memory = measured(["mnv2", "select", str(file), *case, "-f", "csv"][
                    : -2 if "--paths" in case else None
                ])  # fmt: skip
                print(f"  {' '.join(case):40} {seconds:6.2f} s  {memory:5.0f} MB")


if __name__ == "__main__":
    main()
