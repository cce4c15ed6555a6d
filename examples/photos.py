"""Copy a few photos out of the installed scikit-image into examples/photos, to try mnv2 on.

    python examples/photos.py && mnv2 classify examples/photos --top 3

scikit-image (https://scikit-image.org) ships these photos inside its package; nothing is
downloaded. The folder is ignored by git.
"""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

PHOTOS = {
    "chelsea.png": "cat.png",
    "coffee.png": "coffee.png",
    "astronaut.png": "astronaut.png",
    "rocket.jpg": "rocket.jpg",
    "camera.png": "photographer.png",
    "motorcycle_left.png": "motorcycle.png",
}


def main() -> int:
    """Copy the photos; exit 1 if scikit-image is not there."""
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        print("scikit-image is not installed: pip install scikit-image", file=sys.stderr)  # noqa: T201
        return 1
    source = Path(spec.origin).parent / "data"
    target = Path(__file__).parent / "photos"
    target.mkdir(exist_ok=True)
    copied = 0
    for name, new_name in PHOTOS.items():
        if (source / name).is_file():  # not every release ships every photo
            shutil.copyfile(source / name, target / new_name)
            copied += 1
    print(f"{copied} photos in {target}")  # noqa: T201
    return 0 if copied else 1


if __name__ == "__main__":
    sys.exit(main())
