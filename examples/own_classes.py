"""Make small training photos of three classes, learn them, and sort new photos by them.

    python examples/own_classes.py [FOLDER]

The photos are crops of three photos that scikit-image (https://scikit-image.org) ships: a cat, a
cup of coffee and a rocket. Nothing is downloaded but the network's weights, once. In FOLDER, or
``own-classes``, the example writes ``training`` with a subfolder for each class, ``new`` with
unsorted photos, and the model ``mine.keras``.
"""

from __future__ import annotations

import random
import sys
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps

PHOTOS = {"cat": "chelsea.png", "coffee": "coffee.png", "rocket": "rocket.jpg"}
"""The classes, and their photos in scikit-image."""


def make_photos(target: Path, training: int = 10, new: int = 4) -> None:
    """Write crops of each photo: ``training/CLASS/*.jpg`` and ``new/*.jpg``.

    Args:
        target: The folder.
        training: The number of training photos of each class.
        new: The number of new photos of each class.

    Raises:
        ModuleNotFoundError: scikit-image is not installed.
    """
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("scikit-image is not installed: pip install scikit-image")
    chance = random.Random(0)
    for name, file in PHOTOS.items():
        with Image.open(Path(spec.origin).parent / "data" / file) as image:
            photo = image.convert("RGB")
        for number in range(training + new):
            is_new = number >= training
            folder = target / "new" if is_new else target / "training" / name
            folder.mkdir(parents=True, exist_ok=True)
            crop(photo, chance).save(folder / f"{name}-{number}.jpg", quality=90)


def crop(photo: Image.Image, chance: random.Random) -> Image.Image:
    """Return a random part of a photo, perhaps mirrored, lighter or darker."""
    side = int(min(photo.size) * chance.uniform(0.55, 0.95))
    left = chance.randint(0, photo.width - side)
    top = chance.randint(0, photo.height - side)
    part = photo.crop((left, top, left + side, top + side)).resize((256, 256))
    if chance.random() < 0.5:
        part = ImageOps.mirror(part)
    return ImageEnhance.Brightness(part).enhance(chance.uniform(0.6, 1.4))


def main(folder: str = "own-classes") -> int:
    """Make photos, learn their classes, and label the new ones."""
    from mnv2cli import Classifier, learn
    from mnv2cli.learning.options import LearnOptions

    target = Path(folder)
    try:
        make_photos(target)
    except ModuleNotFoundError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    model = target / "mine.keras"
    learned = learn(target / "training", model, options=LearnOptions(force=True))
    print(learned.summary())  # noqa: T201
    print()  # noqa: T201
    for record in Classifier(model=str(model), top=1).classify(target / "new"):
        best = record.predictions[0]
        print(f"{Path(record.path).name:15} {best.label:8} {best.score:.2f}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
