"""Measure tagging 900 photos by new sidecars and by small existing ones, and the undo of both.

    python tests/bench/tag.py [FILES] [ROUNDS] [PHOTO]

Beside each sidecar is a copy of a photo, a small JPEG with EXIF data or the one given; in one case
it also has keywords, which new sidecars start with. The steps run in this process, in the folder
for temporary files; the best of each counts.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from mnv2cli.tagging.apply import apply
from mnv2cli.tagging.undo import undo
from tests.tagging.photos import packet
from tests.tagging.trees import plan_of, sidecar


def main(count: int, rounds: int, photo: str = "") -> None:
    """Print the files per second of each step."""
    best: dict[str, tuple[float, float]] = {}

    def timed(case: str, work: Callable[[], object]) -> None:
        os.sync()
        start, used = time.perf_counter(), time.process_time()
        work()
        now = time.perf_counter() - start, time.process_time() - used
        best[case] = min(best.get(case, now), now)

    for _ in range(rounds):
        for case in ("new sidecars", "existing sidecars", "new, embedded XMP"):
            with tempfile.TemporaryDirectory() as name:
                files = [Path(name) / f"{i % 30}" / f"{i}.jpg.xmp" for i in range(count)]
                first = (
                    Path(photo) if photo else small_photo(Path(name) / "photo.jpg", "XMP" in case)
                )
                for i, file in enumerate(files):
                    file.parent.mkdir(exist_ok=True)
                    shutil.copyfile(first, file.with_suffix(""))
                    if case == "existing sidecars":
                        file.write_text(sidecar(i % 6), encoding="utf-8")
                timed(case, lambda: apply(plan_of(Path(name), files)))  # noqa: B023
                timed(f"  again, {case}", lambda: apply(plan_of(Path(name), files)))  # noqa: B023
                timed(f"  undo, {case}", lambda: undo(name))
    for case, (seconds, used) in best.items():
        rate = f"{count / seconds:8,.0f} files/s"
        print(f"{case:26} {seconds:6.2f} s  {rate}  {used:6.2f} s of processor time")


def small_photo(path: Path, has_keywords: bool) -> Path:
    """Save a photo as a camera leaves it, or then a person, and return its path."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x010F] = "Camera"
    pixels = Image.effect_noise((320, 240), 40).convert("RGB")
    pixels.save(path, exif=exif, xmp=packet("Anna", "holiday") if has_keywords else b"")
    return path


if __name__ == "__main__":
    given = sys.argv[1:]
    numbers = [int(argument) for argument in [*given, *("900", "3")[len(given) :]][:2]]
    main(numbers[0], numbers[1], *given[2:])
