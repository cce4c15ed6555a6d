"""Measure ``mnv2 learn`` on photos of rooms, beside Keras's transfer learning, and on features.

    python tests/bench/learn.py [ROOMS]

ROOMS has a subfolder for each class; the names of photos begin with the number of their house and
an underscore. Training and test photos are of different houses.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from mnv2cli.inference.classifier import Classifier
from mnv2cli.learning.fit import FitOptions, fit
from mnv2cli.learning.groups import join
from mnv2cli.learning.learn import learn
from mnv2cli.learning.options import LearnOptions
from mnv2cli.learning.training_set import TrainingSet
from mnv2cli.models.head import Head

ROOMS = Path(__file__).resolve().parents[3] / "shared" / "rooms"
EPOCHS = 10


def main(rooms: Path) -> None:
    """Print all figures."""
    with tempfile.TemporaryDirectory() as name:
        for photos in (10, 25):
            folder = Path(name) / str(photos)
            _split(rooms, folder, photos)
            _rooms(folder, photos)
    _many(rooms)
    _features()


def _many(rooms: Path, splits: int = 30) -> None:
    """Print the mean accuracy over many divisions of the houses, from features computed once.

    Photos with the same content in two classes are skipped, as ``mnv2 learn`` does.
    """
    records = list(Classifier().embed(rooms))
    paths = [Path(record.path) for record in records]
    x = np.stack([record.embedding for record in records if record.embedding is not None])
    names = tuple(sorted({path.parent.name for path in paths}))
    y = np.array([names.index(path.parent.name) for path in paths])
    houses = np.array([int(path.name.partition("_")[0]) for path in paths])
    contents = [path.read_bytes() for path in paths]
    classes: dict[bytes, set[int]] = {}
    for content, label in zip(contents, y.tolist(), strict=True):
        classes.setdefault(content, set()).add(label)
    usable = np.array([len(classes[content]) == 1 for content in contents])
    for photos in (10, 25):
        right = []
        for seed in range(splits):
            chosen = np.random.default_rng(seed).permutation(np.unique(houses))[:photos]
            training, test = (
                usable & part for part in (np.isin(houses, chosen), ~np.isin(houses, chosen))
            )
            names_of = tuple(
                str(path) for path, is_in in zip(paths, training, strict=True) if is_in
            )
            found = fit(TrainingSet(names_of, x[training], y[training], names, houses[training]))
            scores = Head(found.kernel, found.bias).scores(x[test])
            right.append((scores.argmax(axis=1) == y[test]).mean())
        print(
            f"rooms, {photos} a class, {splits} divisions of the houses: {np.mean(right):.2%} "
            f"right on average, from {min(right):.1%} to {max(right):.1%}"
        )


def _split(rooms: Path, folder: Path, photos: int) -> None:
    """Copy photos of some houses into ``training``, those of all other houses into ``test``."""
    houses = sorted({path.name.partition("_")[0] for path in rooms.glob("*/*.jpg")}, key=int)
    random.Random(0).shuffle(houses)
    chosen = set(houses[:photos])
    for path in sorted(rooms.glob("*/*.jpg")):
        part = "training" if path.name.partition("_")[0] in chosen else "test"
        target = folder / part / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _rooms(folder: Path, photos: int) -> None:
    start = time.perf_counter()
    options = LearnOptions(group_by="([0-9]+)_", cache=False)
    model = folder / "mine.keras"
    learned = learn(folder / "training", model, options=options)
    whole = time.perf_counter() - start
    records = list(Classifier(model=str(model), top=1).classify(folder / "test"))
    right = [Path(each.path).parent.name == each.predictions[0].label for each in records]
    low, high = learned.interval
    print(
        f"rooms, {photos} a class: {np.mean(right):.1%} of {len(right)} photos of "
        f"other houses right; learn reported {learned.accuracy:.1%} ({low:.1%} to {high:.1%}); "
        f"{learned.fitting / len(learned.class_names):.2f} s of fitting a class, {whole:.1f} s in "
        "all"
    )
    accuracy, seconds = _tutorial(folder)
    print(
        f"  Keras's transfer learning: {accuracy:.1%}, {seconds:.1f} s of training: "
        f"{seconds / learned.fitting:.0f} times the fitting, {seconds / whole:.1f} times all"
    )


def _tutorial(folder: Path) -> tuple[float, float]:
    """Return accuracy and seconds of a frozen MobileNetV2 with a new layer, trained by Adam."""
    import keras

    def images(part: str) -> tuple[Any, Any]:
        found, classes = [], []
        for index, each in enumerate(sorted((folder / part).iterdir())):
            for path in sorted(each.iterdir()):
                image = keras.utils.load_img(path, target_size=(224, 224))
                found.append(keras.utils.img_to_array(image))
                classes.append(index)
        return np.stack(found), np.array(classes)

    keras.utils.set_random_seed(0)
    x, y = images("training")
    test_x, test_y = images("test")
    start = time.perf_counter()
    base = keras.applications.MobileNetV2(include_top=False, weights=None)
    base.load_weights(_weights())
    base.trainable = False
    inputs = keras.Input((224, 224, 3))
    body = base(keras.layers.Rescaling(1 / 127.5, -1)(inputs), training=False)
    pooled = keras.layers.GlobalAveragePooling2D()(body)
    dropped = keras.layers.Dropout(0.2)(pooled)
    outputs = keras.layers.Dense(int(y.max()) + 1, activation="softmax")(dropped)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=EPOCHS, verbose=0)
    seconds = time.perf_counter() - start
    return float((model.predict(test_x, verbose=0).argmax(axis=1) == test_y).mean()), seconds


def _weights() -> str:
    """Return the weights without the last layer, from those with it that mnv2 uses."""
    import keras

    whole = keras.applications.MobileNetV2(weights="imagenet")
    base = keras.applications.MobileNetV2(include_top=False, weights=None)
    own = {layer.name: layer for layer in whole.layers}
    for layer in base.layers:
        if layer.name in own and layer.weights:
            layer.set_weights(own[layer.name].get_weights())
    path = os.path.join(tempfile.mkdtemp(), "base.weights.h5")
    base.save_weights(path)
    return path


def _features(photos: int = 2000, classes: int = 10, corrections: int = 20) -> None:
    """Print the times of learning and relearning from features, beside reading these."""
    chance = np.random.default_rng(0)
    means = chance.gamma(0.6, 0.7, (classes, 1280)).astype(np.float32)
    y = np.arange(photos) % classes
    noise = chance.gamma(0.5, 0.9, (photos, 1280)).astype(np.float32)
    x = (0.45 * means[y] + noise).astype(np.float32)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "features.npy"
        np.save(path, x)
        start = time.perf_counter()
        x = np.load(path)
        float(x.sum())
        reading = time.perf_counter() - start
    wrong = y.copy()
    wrong[:corrections] = (y[:corrections] + 1) % classes
    start = time.perf_counter()
    first = fit(_set(x, wrong, classes))
    learning = time.perf_counter() - start
    start = time.perf_counter()
    options = FitOptions(strength=first.strength, start=(first.kernel, first.bias))
    second = fit(_set(x, y, classes), options)
    relearning = time.perf_counter() - start
    accuracy = (second.out_of_fold.argmax(axis=1) == y).mean()
    print(
        f"{photos:,} features of {classes} classes ({accuracy:.1%} right): learn {learning:.2f} s, "
        f"relearn after {corrections} corrections {relearning:.2f} s: "
        f"{learning / reading:.0f} and {relearning / reading:.0f} times reading the features"
    )


def _set(x: Any, y: Any, classes: int) -> TrainingSet:
    names = tuple(f"class {each}" for each in range(classes))
    paths = tuple(map(str, range(len(y))))
    return TrainingSet(paths, x, y, names, join(x, y, [""] * len(y)))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOMS)
