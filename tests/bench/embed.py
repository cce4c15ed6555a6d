"""Print the rate of embedding keywords against that of one call of ExifTool a photo.

    python -m tests.bench.embed [PHOTOS...]

Without photos 60 are made. Both ways write the same keywords into copies of them; they are measured
in turns, and the best of each counts.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from PIL import Image

from mnv2cli.tagging.embedding import embed
from mnv2cli.tagging.exiftool import ExifTool, find_exiftool
from mnv2cli.tagging.tags import Tags
from mnv2cli.tagging.xmp.keywords import Change

ROUNDS = 3
COUNT = 60
CHANGE = Change(Tags(("cat", "tiger cat")), date="2026-03-01T12:00:00+01:00")


def main() -> None:
    """Measure and print."""
    exiftool = find_exiftool()
    best = {"one process": 1e9, "one call a photo": 1e9}
    with tempfile.TemporaryDirectory() as folder:
        photos = sys.argv[1:] or made(Path(folder))
        for number in range(ROUNDS):
            target = Path(folder, str(number))
            target.mkdir()
            start = perf_counter()
            with ExifTool(exiftool) as tool:
                for each, photo in enumerate(photos):
                    embed(tool, photo, str(target / f"{each}.ours"), CHANGE)
            best["one process"] = min(best["one process"], perf_counter() - start)
            start = perf_counter()
            for each, photo in enumerate(photos):
                copy = str(target / f"{each}.called")
                words = [f"-XMP-dc:Subject+={word}" for word in ("cat", "tiger cat")]
                command = [exiftool, *words, "-q", "-o", "-", photo]
                with open(copy, "wb") as file:
                    subprocess.run(command, stdout=file, check=True)
            best["one call a photo"] = min(best["one call a photo"], perf_counter() - start)
    for name, seconds in best.items():
        each = seconds / len(photos)
        print(f"{name:18} {1 / each:7.1f} photos/s {each * 1000:7.1f} ms each")
    print(f"ratio {best['one call a photo'] / best['one process']:.1f}")


def made(folder: Path) -> list[str]:
    """Make photos of a megapixel."""
    paths = []
    for number in range(COUNT):
        paths.append(str(folder / f"{number}.jpg"))
        Image.effect_noise((1200, 900), number + 20).convert("RGB").save(paths[-1], quality=85)
    return paths


if __name__ == "__main__":
    main()
