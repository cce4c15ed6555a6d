"""Copy photos from the installed scikit-image to examples/photos, to try mnv2 on.

    python examples/photos.py && mnv2 classify examples/photos --top 3

scikit-image (https://scikit-image.org) ships these photos in its package; nothing is downloaded.
Git ignores the folder.
"""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

PHOTOS = {
    "astronaut.png": "astronaut.png",
    "camera.png": "photographer.png",
    "chelsea.png": "cat.png",
    "coffee.png": "coffee.png",
    "motorcycle_left.png": "motorcycle.png",
    "rocket.jpg": "rocket.jpg",
}
"""File names in scikit-image, and the names of the copies."""


def copy_photos(target: Path) -> int:
    """Copy the photos into the folder ``target`` and return how many were copied.

    Raises:
        ModuleNotFoundError: scikit-image is not installed.
    """
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("scikit-image is not installed: pip install scikit-image")
    source = Path(spec.origin).parent / "data"
    target.mkdir(parents=True, exist_ok=True)
    copied = 0
    for name, new_name in PHOTOS.items():
        if (source / name).is_file():  # not every release has every photo
            shutil.copyfile(source / name, target / new_name)
            copied += 1
    return copied


def main() -> int:
    """Copy the photos; return 1 if none could be copied."""
    target = Path(__file__).parent / "photos"
    try:
        copied = copy_photos(target)
    except ModuleNotFoundError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(f"Copied {copied} photos to {target}")  # noqa: T201
    return 0 if copied else 1


if __name__ == "__main__":
    sys.exit(main())
