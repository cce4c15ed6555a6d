"""Look whether everything that a run needs works on this machine.

Each engine runs in a separate process (``python -m mnv2cli.diagnostics.doctor ENGINE``): a library
that crashes on this processor must be reported, not take the doctor with it.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal
from urllib.parse import urlsplit

from mnv2cli import __version__
from mnv2cli.system.hardware import NO_CUDNN, memory, processor, usable_cores, why_no_gpu
from mnv2cli.system.packages import installed_version

State = Literal["ok", "warn", "fail"]

ENGINE_TIMEOUT = 180.0
"""Seconds that an engine may take to load and to predict one image."""

_NEEDED = ("keras", "tensorflow", "numpy", "pillow", "pillow-heif", "pandas", "click")
_LITTLE_SPACE = 500_000_000
_LITTLE_MEMORY = 2_000_000_000  # compiling by TensorFlow takes 1.3
_FORMATS = {
    "JPEG": "jpg",
    "PNG": "zlib",
    "GIF": "",
    "BMP": "",
    "TIFF": "libtiff",
    "WEBP": "webp",
    "AVIF": "avif",
    "HEIF": "",
}


@dataclass(frozen=True)
class Check:
    """What one look came to.

    Attributes:
        group: Under which heading it stands.
        name: What was looked at.
        state: ``ok``; ``warn``: works, with less; ``fail``: must be mended.
        text: What was seen.
        advice: What to do; never empty for ``fail``.
    """

    group: str
    name: str
    state: State
    text: str
    advice: str = ""


def examine(tell: Callable[[str], None] = lambda text: None) -> Iterator[Check]:
    """Yield one check after the other; takes some seconds, for engines are run.

    Args:
        tell: Told what is being looked at.
    """
    with ThreadPoolExecutor(3) as threads:
        litert = threads.submit(run_engine, "litert")
        keras = threads.submit(run_engine, "keras")
        host = threads.submit(_host)
        tell("versions")
        yield from _versions()
        yield from _machine()
        tell("the engines, which takes some seconds")
        yield from _engines(litert.result(), keras.result())
        yield from _gpu(keras.result())
        tell("weights and folders")
        yield from _weights(host.result())
        yield from _folders()
        yield from _formats()


def _versions() -> Iterator[Check]:
    group = "Versions"
    yield Check(group, "mnv2", "ok", f"{__version__}, Python {platform.python_version()}")
    found = {name: installed_version(name) for name in _NEEDED}
    missing = [name for name, number in found.items() if not number]
    text = ", ".join(f"{name} {number or 'missing'}" for name, number in found.items())
    advice = "Install again: pip install --force-reinstall mnv2cli" if missing else ""
    yield Check(group, "libraries", "fail" if missing else "ok", text, advice)
    if number := installed_version("ai-edge-litert"):
        yield Check(group, "LiteRT", "ok", f"ai-edge-litert {number}")
    else:
        yield Check(
            group,
            "LiteRT",
            "warn",
            f"not installed; there are wheels for Linux (x86_64, aarch64), macOS (arm64) and "
            f"Windows (AMD64), this is {platform.system()} {platform.machine()}",
            "Keras runs instead, slower. Where there is a wheel: pip install ai-edge-litert",
        )


def _machine() -> Iterator[Check]:
    group = "Machine"
    name, flags = processor()
    known = [
        flag
        for flag in ("avx", "avx2", "avx512f", "avx_vnni", "avx512_vnni", "asimddp")
        if flag in flags
    ]
    text = f"{name}, {platform.machine()}, {usable_cores()} cores"
    if known:
        text += f" ({', '.join(known)})"
    if flags and platform.machine() in ("x86_64", "AMD64") and "avx" not in flags:
        yield Check(
            group,
            "processor",
            "fail",
            text,
            "TensorFlow's wheels need AVX: take another "
            "machine, or a virtual one that passes AVX on.",
        )
    else:
        yield Check(group, "processor", "ok", text)
    size = memory()
    if size < _LITTLE_MEMORY:
        yield Check(
            group,
            "memory",
            "warn",
            _gigabytes(size),
            "Compiling a network takes 1.3 GB; running a compiled one, 0.15 GB: compile on "
            "another machine like this one, and copy the cache.",
        )
    else:
        yield Check(group, "memory", "ok", _gigabytes(size))


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"


def _engines(litert: dict[str, Any], keras: dict[str, Any]) -> Iterator[Check]:
    works = bool(litert["works"] or keras["works"])
    for name, told in (("litert", litert), ("keras", keras)):
        if told["works"]:
            text = f"one image in {told['seconds'] * 1000:.0f} ms with {told['network']}"
            yield Check("Engines", name, "ok", text)
            continue
        advice = (
            "The other engine works, and is taken."
            if works
            else (
                "Install the libraries again: pip install --force-reinstall tensorflow keras "
                "ai-edge-litert"
            )
        )
        if told.get("advice"):
            advice = f"{told['advice']} {advice}" if works else told["advice"]
        yield Check("Engines", name, "warn" if works else "fail", told["text"], advice)


def _gpu(keras: dict[str, Any]) -> Iterator[Check]:
    why = why_no_gpu()
    if why.startswith(NO_CUDNN):
        text, _, advice = why.partition(": ")
        yield Check("Engines", "GPU", "warn", f"not used: {text}", f"To use it: {advice}")
    elif why:
        yield Check("Engines", "GPU", "ok", f"none, and none is needed: {why}")
    elif keras.get("gpus"):
        yield Check("Engines", "GPU", "ok", ", ".join(keras["gpus"]))
    else:
        yield Check(
            "Engines",
            "GPU",
            "warn",
            "there is one, but TensorFlow cannot use it",
            "Compare driver and CUDA with the versions that your TensorFlow was built for.",
        )


def _host() -> tuple[str, str]:
    """Return the address of the weights, and why its host cannot be reached."""
    from mnv2cli.errors import Mnv2Error
    from mnv2cli.models.download import reach
    from mnv2cli.models.mobilenet_v2 import MobileNetV2

    try:
        url = MobileNetV2().origin.url
    except Mnv2Error as error:
        return os.environ.get("MNV2_WEIGHTS_URL", ""), error.message
    return url, reach(url)


def _weights(host: tuple[str, str]) -> Iterator[Check]:
    from mnv2cli.errors import WeightsError
    from mnv2cli.models.efficientnet_lite0 import INSTALL, LARGEST_FILE, EfficientNetLite0
    from mnv2cli.models.mobilenet_v2 import MobileNetV2
    from mnv2cli.models.torch_checkpoint import read_checkpoint
    from mnv2cli.models.weights import check_file

    group, (url, unreachable) = "Weights", host
    name = urlsplit(url).hostname or url
    first, second = MobileNetV2(), EfficientNetLite0()
    there = first.find()
    damaged = ""
    if there:
        try:
            check_file(there, "")
        except WeightsError as error:
            damaged = error.message
    if damaged:
        yield Check(
            group, first.family, "fail", damaged, "Fetch it again: mnv2 models download --refresh"
        )
    elif there:
        yield Check(group, first.family, "ok", _file(there))
    elif not unreachable:
        yield Check(
            group,
            first.family,
            "warn",
            "not downloaded yet",
            "The first run does it, 14 MB; or now: mnv2 models download",
        )
    elif second.find():
        yield Check(
            group,
            first.family,
            "warn",
            "not here, and the host cannot be reached",
            f"{second.name} is used instead, with a warning.",
        )
    else:
        yield Check(
            group,
            first.family,
            "fail",
            "not here, and the host cannot be reached",
            f"Take the other network: {INSTALL}. Or carry this one over: mnv2 models import FILE",
        )
    if not second.find():
        yield Check(group, second.family, "ok", f"not installed (to have it: {INSTALL})")
    else:
        try:
            read_checkpoint(second.find(), LARGEST_FILE)
            yield Check(group, second.family, "ok", _file(second.find()))
        except (OSError, ValueError) as error:
            text = f"the file {second.find()} {error}"
            yield Check(group, second.family, "fail", text, f"Remove it, and: {INSTALL}")
    if unreachable:
        yield Check(
            group,
            "host",
            "warn",
            f"{name}: {unreachable}",
            "Needed for downloads alone; MNV2_WEIGHTS_URL names a mirror, https_proxy a proxy.",
        )
    else:
        yield Check(group, "host", "ok", f"{name} can be reached")


def _file(path: str) -> str:
    folder = os.path.dirname(path)
    return f"{os.path.getsize(path) / 1e6:.1f} MB in {folder}"


def _folders() -> Iterator[Check]:
    from mnv2cli.engines.cache import cache_folder
    from mnv2cli.models.weights import keras_home

    for name, folder, variable in (
        ("weights", os.path.join(keras_home(), "models"), "KERAS_HOME"),
        ("compiled", cache_folder(), "MNV2_CACHE"),
        ("temporary", _temporary_folder(), "TMPDIR"),
    ):
        used = _size(folder) if name != "temporary" else None
        nearest = folder
        while not os.path.exists(nearest):
            nearest = os.path.dirname(nearest)
        free = shutil.disk_usage(nearest).free
        size = "" if used is None else f"{used / 1e6:,.0f} MB, "
        text = f"{folder}: {size}{_gigabytes(free)} free"
        if not _can_write(nearest):
            needed = name == "temporary"
            yield Check(
                "Folders",
                name,
                "fail" if needed else "warn",
                f"{text}, cannot be written",
                f"Name one that can with {variable}.",
            )
        elif free < _LITTLE_SPACE:
            yield Check("Folders", name, "warn", text, "Free some space.")
        else:
            yield Check("Folders", name, "ok", text)


def _temporary_folder() -> str:
    try:
        return tempfile.gettempdir()
    except OSError:  # none can be written
        return os.environ.get("TMPDIR") or "/tmp"


def _size(folder: str) -> int:
    size = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.lstat(os.path.join(parent, name)).st_size
            except OSError:  # removed meanwhile
                continue
    return size


def _can_write(folder: str) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _formats() -> Iterator[Check]:
    from PIL import Image, features

    try:
        import pillow_heif

        pillow_heif.register_heif_opener()
    except ImportError:  # told among the versions
        pass
    Image.init()
    can = [
        name
        for name, codec in _FORMATS.items()
        if name in Image.OPEN and (not codec or features.check(codec))
    ]
    lacking = [name for name in _FORMATS if name not in can]
    text = ", ".join(can).replace("HEIF", "HEIC").replace("WEBP", "WebP")
    if lacking:
        yield Check(
            "Images",
            "formats",
            "warn",
            f"{text}; not {', '.join(lacking)}",
            "Take wheels that have them: pip install --upgrade pillow pillow-heif",
        )
    else:
        yield Check("Images", "formats", "ok", text)


# Engines, in their own process


def run_engine(name: str) -> dict[str, Any]:
    """Return how an engine did on one image, run in a process of its own."""
    try:
        with tempfile.TemporaryDirectory(prefix="mnv2-doctor-") as folder:
            line = [
                sys.executable,
                "-m",
                "mnv2cli.diagnostics.doctor",
                name,
                folder,
                *_weights_here(),
            ]
            done = subprocess.run(
                line,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=ENGINE_TIMEOUT,
                check=False,
                env={**os.environ, "KERAS_HOME": folder},  # Keras writes its settings there
            )
    except subprocess.TimeoutExpired:
        return {"works": False, "text": f"did not answer in {ENGINE_TIMEOUT:.0f} seconds"}
    except OSError as error:
        return {"works": False, "text": f"cannot be run: {error.strerror or error}"}
    if done.returncode < 0:
        try:
            kind = signal.Signals(-done.returncode).name
        except ValueError:
            kind = str(-done.returncode)
        text = f"crashed ({kind})"
        if kind == "SIGILL":
            return {"works": False, "text": text, "advice": "The processor lacks an instruction."}
        return {"works": False, "text": text}
    try:
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return {"works": False, "text": f"failed: {last[:200]}"}
    return told


def _weights_here() -> list[str]:
    from mnv2cli.models.efficientnet_lite0 import EfficientNetLite0
    from mnv2cli.models.mobilenet_v2 import MobileNetV2

    return [MobileNetV2().find(), EfficientNetLite0().find()]


def _predict_one(name: str, folder: str, mobilenet: str, lite0: str) -> dict[str, Any]:
    """Load an engine and have it predict one grey image.

    It runs what a run would run, if that is ready; else a small untrained network, which is
    compiled in the given folder.
    """
    import numpy as np

    from mnv2cli.engines import EngineOptions, open_engine
    from mnv2cli.engines.cache import cache_folder, entry_key, open_entry
    from mnv2cli.errors import Mnv2Error
    from mnv2cli.models import ModelOptions, open_model

    try:
        pairs = (("mobilenet_v2", mobilenet), ("efficientnet_lite0", lite0))
        here: list[Any] = [
            open_model(ModelOptions(key, weights=path)) for key, path in pairs if path
        ]
        if name == "litert":
            cache = cache_folder()
            here = [
                model
                for model in here
                if open_entry(os.path.join(cache, entry_key(model, "float32", None)))
            ]
        network = here[0] if here else _Untrained()
        if not here:
            os.environ["MNV2_CACHE"] = folder
        engine = open_engine(EngineOptions(name), network)
        batch = np.full((1, network.size, network.size, 3), 127, np.uint8)
        engine.predict(batch)  # the first one makes room
        start = perf_counter()
        scores = engine.predict(batch)
        seconds = perf_counter() - start
    except Mnv2Error as error:
        return {"works": False, "text": error.message, "advice": error.hint.partition("\n")[0]}
    if scores.shape != (1, 1000) or not np.isclose(scores.sum(), 1, atol=1e-3):
        return {"works": False, "text": "what it computes are no scores"}
    told: dict[str, Any] = {"works": True, "seconds": seconds, "network": network.name, "gpus": []}
    if name == "keras":
        import tensorflow as tf

        devices = tf.config.list_physical_devices("GPU")
        told["gpus"] = [
            str(tf.config.experimental.get_device_details(device).get("device_name", device.name))
            for device in devices
        ]
    return told


class _Untrained:
    """The smallest MobileNetV2, with random weights: enough to see an engine work."""

    name, size, divisor, shift = "a small untrained network", 96, 127.5, 1.0

    def identity(self) -> dict[str, str | float]:
        """Return what tells it from others; nobody keeps it."""
        return {"architecture": "untrained"}

    def build(self) -> object:
        """Return the Keras model."""
        from mnv2cli.models.mobilenet_v2 import MobileNetV2

        return MobileNetV2(alpha=0.35, size=96).build_untrained()


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(_predict_one(*sys.argv[1:])) + "\n")
