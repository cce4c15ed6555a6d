"""The cases of the benchmark; to add one, add a function and a line to ``CASES``.

A case's function runs in a new process, times its own loop and returns a :class:`Timing`. It
imports heavy libraries before the clock starts.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from time import perf_counter
from typing import Any, Literal

from mnv2cli.diagnostics.bench.workload import Workload, decoder
from mnv2cli.system.hardware import usable_cores

TUTORIAL_IMAGES = 100
"""Number of images for the tutorial's loop, which is slow; enough to measure its rate."""

_IN_MEMORY = 64


@dataclass(frozen=True, slots=True)
class Timing:
    """The result of a case's function: the number of images, and the seconds of its loop."""

    images: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement.

    Attributes:
        name: The name of its result or, with ``per_engine``, the first word of that name.
        title: The title in tables; ``{}`` stands for the engine and its precision.
        run: The function whose loop is timed; None to measure only the command.
        per_engine: Whether to measure it with each engine and precision.
        command: What the ``mnv2`` command classifies to measure the time and memory of a whole
            process: the ``folder`` or one ``photo``; empty to measure the process of ``run``.
    """

    name: str
    title: str
    run: Callable[[Workload], Timing] | None
    per_engine: bool = False
    command: Literal["", "folder", "photo"] = ""


def tutorial(workload: Workload) -> Timing:
    """Work like the usual tutorial: load, predict and decode one image at a time."""
    import numpy as np

    from mnv2cli.labels.imagenet import imagenet_labels
    from mnv2cli.models.weights import import_keras

    keras = import_keras()
    network = workload.classifier().network
    model: Any = network.build()
    labels = imagenet_labels()
    side = model.input_shape[1]
    paths = workload.paths()[:TUTORIAL_IMAGES]
    model.predict(np.zeros((1, side, side, 3)), verbose=0)
    start = perf_counter()
    for path in paths:
        image = keras.utils.load_img(path, target_size=(side, side))
        x = np.expand_dims(keras.utils.img_to_array(image), axis=0)
        x = x / network.divisor - network.shift  # as preprocess_input does
        scores = model.predict(x, verbose=0)[0]
        _ = [labels[i] for i in scores.argsort()[-5:][::-1]]
    return Timing(len(paths), perf_counter() - start)


def batched(workload: Workload) -> Timing:
    """Work like a careful Keras script: tf.data in parallel, and predict on batches of 32."""
    from mnv2cli.models.weights import import_keras

    import_keras()
    import tensorflow as tf

    network = workload.classifier().network
    model: Any = network.build()
    side = model.input_shape[1]

    def load(path: Any) -> Any:
        image = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
        image = tf.image.resize(image, (side, side))
        return image / network.divisor - network.shift

    paths = workload.paths()
    model.predict(tf.zeros((32, side, side, 3)), verbose=0)
    start = perf_counter()
    data = tf.data.Dataset.from_tensor_slices(paths)
    data = data.map(load, num_parallel_calls=tf.data.AUTOTUNE).batch(32).prefetch(2)
    scores = model.predict(data, verbose=0)
    scores.argsort(axis=1)
    return Timing(len(paths), perf_counter() - start)


def decode_alone(workload: Workload) -> Timing:
    """Decode all images with all cores."""
    decode = decoder(workload.classifier())
    paths = workload.paths()
    decode(paths[0])  # imports the libraries
    start = perf_counter()
    with ThreadPoolExecutor(usable_cores()) as threads:
        for _ in threads.map(decode, paths):
            pass
    return Timing(len(paths), perf_counter() - start)


def infer_alone(workload: Workload) -> Timing:
    """Predict images in memory with all cores."""
    import numpy as np

    classifier = workload.classifier()
    engine = classifier.load()
    decode = decoder(classifier)
    paths = workload.paths()
    pixels = np.stack([decode(path) for path in paths[:_IN_MEMORY]])
    size = engine.batch_size
    batches = [pixels[i : i + size] for i in range(0, len(pixels), size)]
    work = list(islice(cycle(batches), max(1, len(paths) // size)))
    with ThreadPoolExecutor(engine.at_once) as threads:
        list(threads.map(engine.predict, batches))  # opens the sessions
        start = perf_counter()
        list(threads.map(engine.predict, work))
        seconds = perf_counter() - start
    return Timing(sum(map(len, work)), seconds)


def end_to_end(workload: Workload) -> Timing:
    """Classify a folder, after loading the network and predicting a few images."""
    classifier = workload.classifier()
    engine = classifier.load()
    warm_up = 2 * engine.workers * engine.batch_size
    list(classifier.classify(*workload.paths()[:warm_up]))
    start = perf_counter()
    count = sum(1 for _ in classifier.classify(workload.folder))
    return Timing(count, perf_counter() - start)


def prepare(workload: Workload) -> Timing:
    """Compile the network if necessary."""
    start = perf_counter()
    workload.classifier().load()
    return Timing(1, perf_counter() - start)


CASES = (
    Case("tutorial", "tutorial's loop, one by one", tutorial),
    Case("batched", "tf.data and model.predict", batched),
    Case("decode", "decoding alone", decode_alone),
    Case("infer", "{}, inference", infer_alone, per_engine=True),
    Case("mnv2", "mnv2 {}", end_to_end, per_engine=True, command="folder"),
    Case("first row", "mnv2, one photo", None, command="photo"),
)
"""All cases in the order of the results; adjacent ones per engine alternate by engine."""

PREPARE = Case("prepare", "preparing", prepare)
"""Runs before the first round, without a result."""


def case_named(name: str) -> Case:
    """Return a case by its name.

    Raises:
        KeyError: The name is unknown.
    """
    return {case.name: case for case in (*CASES, PREPARE)}[name]


def title_of(result: str) -> str:
    """Return the title of a result, by its name."""
    for case in CASES:
        if case.per_engine and result.startswith(f"{case.name} "):
            return case.title.format(result.removeprefix(f"{case.name} "))
        if result == case.name:
            return case.title
    return result
