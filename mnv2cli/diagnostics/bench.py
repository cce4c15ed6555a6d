"""Measure this machine: every engine beside what people do today, each case in its own process.

Each case is a function that a fresh Python runs by name (``python -m mnv2cli.diagnostics.bench
CASE``), so that no case warms up another, and each one's peak memory is its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import cycle, islice
from time import perf_counter
from typing import Any

from mnv2cli.engines import litert
from mnv2cli.engines.calibration import RELIABLE_IMAGES
from mnv2cli.engines.options import EngineOptions
from mnv2cli.errors import ImageError, InputError, Mnv2Error
from mnv2cli.images.decode import decode
from mnv2cli.images.options import ImageOptions
from mnv2cli.models.options import ModelOptions
from mnv2cli.sources.finder import Finder
from mnv2cli.system.hardware import usable_cores

TUTORIAL_IMAGES = 100
"""The tutorial's loop is slow: so many images tell its rate well enough."""

_DRAWN = 100
_IN_MEMORY = 64

Network = dict[str, Any]  # model, alpha, size, weights: what Classifier takes


@dataclass(frozen=True)
class Result:
    """What one case came to; the best of its rounds.

    Attributes:
        name: The case, as users read it.
        rate: Images a second once all is loaded; None where that has no meaning.
        seconds: Of the whole process, start-up and loading included.
        megabytes: Peak resident memory of the process; None where the system does not tell.
        images: How many images it was measured on.
    """

    name: str
    rate: float | None = None
    seconds: float | None = None
    megabytes: float | None = None
    images: int = 0


@dataclass
class Measured:
    """All results of a run of the benchmark.

    Attributes:
        cores: Cores that were used.
        results: By case.
    """

    cores: int
    results: dict[str, Result] = field(default_factory=dict)

    def limit(self, engine: str) -> float | None:
        """Return the rate if decoding and inference share the cores without any loss.

        It is ``1 / (1 / decode + 1 / inference)``, each measured alone with all cores busy.
        """
        decode, alone = self.results.get("decode"), self.results.get(f"infer {engine}")
        if not (decode and alone and decode.rate and alone.rate):
            return None
        return 1 / (1 / decode.rate + 1 / alone.rate)

    def ratio(self, case: str, base: str, attribute: str = "rate") -> float | None:
        """Return how many times faster a case is than another, by its rate or whole process."""
        one, other = self.results.get(case), self.results.get(base)
        a = getattr(one, attribute, None)
        b = getattr(other, attribute, None)
        if not a or not b:
            return None
        return float(a / b if attribute == "rate" else b / a)

    def advice(self) -> list[str]:
        """Return the settings that were best here, in words."""
        ends = {
            name.removeprefix("mnv2 "): result.rate
            for name, result in self.results.items()
            if name.startswith("mnv2 ") and result.rate
        }
        exact = {name: rate for name, rate in ends.items() if "int8" not in name}
        if not exact:
            return []
        best = max(exact, key=lambda name: exact[name])
        lines = [f"--engine {best.split()[0]} is the fastest with exact scores here."]
        if int8 := ends.get("litert int8"):
            gain = int8 / exact[best]
            lines.append(
                f"--precision int8 is {gain:.2f} times as fast: "
                + (
                    "worth it, if scores may move a little."
                    if gain >= 1.2
                    else "not worth it here."
                )
            )
        return lines

    def as_object(self) -> dict[str, Any]:
        """Return everything for JSON."""
        engines = [name.removeprefix("infer ") for name in self.results if name[:6] == "infer "]
        ratios = {
            name: {
                "tutorial": self.ratio(name, "tutorial"),
                "batched": self.ratio(name, "batched"),
                "tutorial_process": self.ratio(name, "tutorial", "seconds"),
                "batched_process": self.ratio(name, "batched", "seconds"),
            }
            for name in self.results
            if name.startswith("mnv2 ")
        }
        limits = {}
        for engine in engines:
            limit, result = self.limit(engine), self.results.get(f"mnv2 {engine}")
            if limit and result and result.rate:
                limits[engine] = {"images_per_second": limit, "reached": result.rate / limit}
        return {
            "cores": self.cores,
            "results": {name: asdict(result) for name, result in self.results.items()},
            "ratios": ratios,
            "limits": limits,
            "advice": self.advice(),
        }


def measure(
    paths: Sequence[str],
    network: Network,
    *,
    images: int,
    rounds: int,
    tell: Callable[[str], None],
) -> Measured:
    """Measure every case on images of the user's, or on drawn ones.

    Args:
        paths: Files and folders; none for drawn images.
        network: What ``Classifier`` takes of the network.
        images: How many images a case gets; fewer are repeated.
        rounds: How often everything is measured; the best of each case counts.
        tell: Told what is being measured.

    Raises:
        InputError: The paths hold no image.
        Mnv2Error: A case fails.
    """
    measured = Measured(usable_cores())
    with _folder(paths, images) as folder:
        cases = _cases(folder, network, images)
        for engine, precision in _engines(images):
            if engine != "litert":
                continue
            tell(f"nothing yet: preparing {engine} {precision}")
            arguments = {"folder": folder, "network": network}
            _python("prepare", "prepare", {**arguments, "engine": engine, "precision": precision})
        for turn in range(rounds):
            for name, run in cases.items():
                tell(f"{name} (round {turn + 1} of {rounds})")
                measured.results[name] = _better(run(), measured.results.get(name))
    return measured


def _better(new: Result, old: Result | None) -> Result:
    """Return the best of two rounds, figure by figure."""

    def best(a: float | None, b: float | None, pick: Callable[[float, float], float]) -> Any:
        return a if b is None else b if a is None else pick(a, b)

    if old is None:
        return new
    return Result(
        new.name,
        best(new.rate, old.rate, max),
        best(new.seconds, old.seconds, min),
        best(new.megabytes, old.megabytes, max),
        new.images,
    )


@contextmanager
def _folder(paths: Sequence[str], images: int) -> Iterator[str]:
    """Make a folder with as many images as asked for: links to the user's, or drawn ones."""
    with tempfile.TemporaryDirectory(prefix="mnv2-bench-") as folder:
        found = list(islice(_common(paths), images))
        if paths and not found:
            raise InputError(
                "no images found to measure on",
                "Name a folder of JPEG or PNG photos, which all scripts can read, or none.",
            )
        if not found:
            os.mkdir(drawn := os.path.join(folder, "drawn"))
            found = draw_photos(drawn, min(images, _DRAWN))
        os.mkdir(links := os.path.join(folder, "images"))
        for i, path in enumerate(islice(cycle(found), images)):
            os.symlink(os.path.abspath(path), os.path.join(links, f"{i:06}.jpg"))
        yield links


def _common(paths: Sequence[str]) -> Iterator[str]:
    """Yield those images that the scripts beside ours can read as well: good JPEGs and PNGs."""
    for source in Finder(paths):
        try:
            with open(source.path, "rb") as file:
                known = file.read(8).startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"))
            if known:
                decode(source.path, 224, ImageOptions())
                yield source.path
        except (OSError, ImageError):
            continue


def draw_photos(folder: str, count: int, size: tuple[int, int] = (500, 400)) -> list[str]:
    """Draw JPEGs that cost as much to decode as photos: smooth shapes with grain."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    paths = []
    for i in range(count):
        shapes = Image.fromarray(random.integers(0, 256, (6, 8, 3), np.uint8))
        photo = np.asarray(shapes.resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
        photo += random.integers(-25, 26, photo.shape, np.int16)
        paths.append(os.path.join(folder, f"{i:06}.jpg"))
        Image.fromarray(photo.clip(0, 255).astype(np.uint8)).save(paths[-1], quality=90)
        os.utime(paths[-1], (0, 0))  # the same each time, so that int8 is calibrated once
    return paths


def _engines(images: int) -> list[tuple[str, str]]:
    engines = []
    if litert.is_available():
        engines.append(("litert", "float32"))
        if images >= RELIABLE_IMAGES:  # fewer do not calibrate int8 well
            engines.append(("litert", "int8"))
    return [*engines, ("keras", "float32")]


def _cases(folder: str, network: Network, images: int) -> dict[str, Callable[[], Result]]:
    engines = _engines(images)
    cases: dict[str, Callable[[], Result]] = {}

    def add(name: str, case: str, **arguments: Any) -> None:
        arguments = {"folder": folder, "network": network, **arguments}
        cases[name] = lambda: _python(name, case, arguments)

    add("tutorial", "tutorial", count=min(images, TUTORIAL_IMAGES))
    add("batched", "batched", count=images)
    add("decode", "decode_alone")
    for engine, precision in engines:
        name = f"{engine} {precision}" if engine == "litert" else engine
        add(f"infer {name}", "infer_alone", engine=engine, precision=precision)
        cases[f"mnv2 {name}"] = partial(_whole, f"mnv2 {name}", folder, network, engine, precision)
    photo = os.path.join(folder, min(os.listdir(folder)))
    cases["first row"] = partial(_command, "first row", photo, network, engines[0][0], "float32")
    return cases


def _whole(name: str, folder: str, network: Network, engine: str, precision: str) -> Result:
    """Take the rate from the loop alone, seconds and memory from the command as users run it."""
    arguments = {"folder": folder, "network": network, "engine": engine, "precision": precision}
    loop = _python(name, "end_to_end", arguments)
    process = _command(name, folder, network, engine, precision)
    return replace(loop, seconds=process.seconds, megabytes=process.megabytes)


# Processes


def _python(name: str, case: str, arguments: dict[str, Any]) -> Result:
    line = [sys.executable, "-m", "mnv2cli.diagnostics.bench", case, json.dumps(arguments)]
    output, seconds, megabytes = _run(name, line)
    told = json.loads(output.splitlines()[-1])
    return Result(name, told["images"] / told["seconds"], seconds, megabytes, told["images"])


def _command(name: str, path: str, network: Network, engine: str, precision: str) -> Result:
    options = [f"--{key}={value}" for key, value in network.items()]
    if precision == "int8":
        options.append(f"--calibrate={path}")
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.csv")
        line = [sys.executable, "-m", "mnv2cli", "classify", path, "-q", "-o", out]
        line += [f"--engine={engine}", f"--precision={precision}", *options]
        _, seconds, megabytes = _run(name, line)
    return Result(name, None, seconds, megabytes)


def _run(name: str, line: list[str]) -> tuple[str, float, float | None]:
    """Run a process; return its output, its seconds from start to end and its peak memory."""
    start = perf_counter()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=errors, text=True)
        output = process.stdout.read() if process.stdout else ""
        megabytes: float | None = None
        if hasattr(os, "wait4"):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
            megabytes = usage.ru_maxrss / unit
        process.wait()
        if process.stdout:
            process.stdout.close()
        seconds = perf_counter() - start
        if process.returncode:
            errors.seek(0)
            text = errors.read().decode(errors="replace").strip().splitlines()
            told = [line for line in text if line.startswith("Error: ")] or text[-1:] or ["no word"]
            raise Mnv2Error(f"measuring {name} failed: {told[0].removeprefix('Error: ')}")
    return output, seconds, megabytes


# The cases, each run in a process of its own; they return images and seconds.


def tutorial(folder: str, network: Network, count: int) -> tuple[int, float]:
    """Do what the usual tutorial does: load, predict and decode the classes one by one."""
    import numpy as np

    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.labels.imagenet import imagenet_labels
    from mnv2cli.models.weights import import_keras

    keras = import_keras()
    chosen = Classifier(model=_model(network)).network
    model: Any = chosen.build()
    labels = imagenet_labels()
    side = model.input_shape[1]
    paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))[:count]]
    model.predict(np.zeros((1, side, side, 3)), verbose=0)
    start = perf_counter()
    for path in paths:
        image = keras.utils.load_img(path, target_size=(side, side))
        x = np.expand_dims(keras.utils.img_to_array(image), axis=0)
        x = x / chosen.divisor - chosen.shift  # what preprocess_input does
        scores = model.predict(x, verbose=0)[0]
        _ = [labels[i] for i in scores.argsort()[-5:][::-1]]
    return len(paths), perf_counter() - start


def batched(folder: str, network: Network, count: int) -> tuple[int, float]:
    """Do what a careful Keras script does: tf.data in parallel, and predict on batches of 32."""
    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.models.weights import import_keras

    import_keras()
    import tensorflow as tf

    chosen = Classifier(model=_model(network)).network
    model: Any = chosen.build()
    side = model.input_shape[1]

    def load(path: Any) -> Any:
        image = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
        image = tf.image.resize(image, (side, side))
        return image / chosen.divisor - chosen.shift

    paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))[:count]]
    model.predict(tf.zeros((32, side, side, 3)), verbose=0)
    start = perf_counter()
    data = tf.data.Dataset.from_tensor_slices(paths)
    data = data.map(load, num_parallel_calls=tf.data.AUTOTUNE).batch(32).prefetch(2)
    scores = model.predict(data, verbose=0)
    scores.argsort(axis=1)
    return len(paths), perf_counter() - start


def decode_alone(folder: str, network: Network) -> tuple[int, float]:
    """Decode all images, all cores busy."""
    from mnv2cli.inference.classifier import Classifier

    size, options = Classifier(model=_model(network)).network.size, ImageOptions()
    paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    decode(paths[0], size, options)  # the imports
    start = perf_counter()
    with ThreadPoolExecutor(usable_cores()) as threads:
        for _ in threads.map(lambda path: decode(path, size, options), paths):
            pass
    return len(paths), perf_counter() - start


def _classifier(folder: str, network: Network, engine: str, precision: str) -> Any:
    from mnv2cli.inference.classifier import Classifier

    calibrate = folder if precision == "int8" else ""
    return Classifier(
        model=_model(network),
        engine=EngineOptions(engine, precision, calibrate),  # type: ignore[arg-type]
    )


def _model(network: Network) -> ModelOptions:
    options: dict[str, Any] = dict(network)
    return ModelOptions(options.pop("model", ""), **options)


def prepare(folder: str, network: Network, engine: str, precision: str) -> tuple[int, float]:
    """Compile what has not been compiled yet."""
    start = perf_counter()
    _classifier(folder, network, engine, precision).load()
    return 1, perf_counter() - start


def infer_alone(folder: str, network: Network, engine: str, precision: str) -> tuple[int, float]:
    """Predict images that are in memory, all cores busy."""
    import numpy as np

    classifier = _classifier(folder, network, engine, precision)
    opened = classifier.load()
    paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    side = classifier.network.size
    pixels = np.stack([decode(path, side, ImageOptions()) for path in paths[:_IN_MEMORY]])
    size = opened.batch_size
    batches = [pixels[i : i + size] for i in range(0, len(pixels), size)]
    work = list(islice(cycle(batches), max(1, len(paths) // size)))
    with ThreadPoolExecutor(opened.at_once) as threads:
        list(threads.map(opened.predict, batches))  # opens the sessions
        start = perf_counter()
        list(threads.map(opened.predict, work))
        seconds = perf_counter() - start
    return sum(map(len, work)), seconds


def end_to_end(folder: str, network: Network, engine: str, precision: str) -> tuple[int, float]:
    """Classify a folder, once the network is loaded and has seen a few images."""

    classifier = _classifier(folder, network, engine, precision)
    opened = classifier.load()
    few = 2 * opened.workers * opened.batch_size
    list(classifier.classify(*(os.path.join(folder, name) for name in os.listdir(folder)[:few])))
    start = perf_counter()
    count = sum(1 for _ in classifier.classify(folder))
    return count, perf_counter() - start


if __name__ == "__main__":
    _case = {
        case.__name__: case
        for case in (tutorial, batched, decode_alone, prepare, infer_alone, end_to_end)
    }[sys.argv[1]]
    try:
        _images, _seconds = _case(**json.loads(sys.argv[2]))
    except Mnv2Error as error:
        sys.exit(f"Error: {error.message}")
    sys.stdout.write(json.dumps({"images": _images, "seconds": _seconds}))
