"""Compiled models: made once by Keras's own LiteRT export, kept in the cache, checked when opened.

An entry is a folder named by a digest of all that its content depends on. It is written under
another name, proven to score like Keras, and renamed when it is whole, so that neither a killed
process nor two at once leave anything but a whole entry or none.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from mnv2cli.engines import Network
from mnv2cli.errors import Mnv2Error, OutputError
from mnv2cli.system.files import content_digest
from mnv2cli.system.packages import installed_version

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Precision = Literal["float32", "int8"]
Notify = Callable[[str], None]

LAYOUT = 4
"""Raised when the content of an entry changes, so that older ones are not opened."""

CALIBRATION_IMAGES = 200
"""How many images int8 is calibrated on at the most."""

ENOUGH_IMAGES = 50
"""With fewer images than this an int8 model serves its run, but is not kept."""

_OURS = re.compile(
    r"(mnv2-[0-9a-f]{32})(\.tmp\w*|\.lock)?"
)  # the cache may be a folder with other things
_MODEL, _HEAD, _META = "model.tflite", "head.tflite", "meta.json"
_MOST_KEPT = 24  # entries of 8 to 25 MB
_ROOM = 64 << 20  # bytes; more than any entry needs
_LOCK_WAIT = 600.0  # seconds; a compile takes 10 to 60


class _TemporaryFolder:
    """A folder that goes away with this object, or with the process."""

    def __init__(self) -> None:
        self.name = tempfile.mkdtemp(prefix="mnv2-")
        weakref.finalize(self, shutil.rmtree, self.name, ignore_errors=True)


class CompileError(Mnv2Error):
    """The model cannot be compiled here."""


class NothingToCalibrateError(CompileError):
    """int8 has no readable image to be calibrated on."""


@dataclass(frozen=True)
class Calibration:
    """The images that int8 is calibrated on.

    Attributes:
        key: What tells this set from others.
        own: The images are the run's own, not a folder that the user chose for this.
        images: Returns them, uint8 [n, size, size, 3], n up to :data:`CALIBRATION_IMAGES`; called
            only when there is something to compile.
    """

    key: str
    images: Callable[[], NDArray[np.uint8]]
    own: bool = True


@dataclass(frozen=True)
class Compiled:
    """An entry, checked: files that LiteRT may open.

    Attributes:
        model: From uint8 [1, size, size, 3] to scores and features, or for int8 to features.
        head: For int8, from features to scores in float32; else empty.
        scores: Index of the output that has the scores; of the head, if there is one.
        divisor: For int8, whose input is quantised, not scaled: the input is
            ``pixel / divisor - shift``.
        shift: See ``divisor``.
        temporary: Keeps a folder alive that goes away with the process.
    """

    model: str
    head: str
    scores: int
    divisor: float
    shift: float
    temporary: Any = field(default=None, compare=False)


def cache_folder() -> str:
    """Return the folder of compiled models: ``MNV2_CACHE``, else the user's cache folder."""
    if named := os.environ.get("MNV2_CACHE"):
        return os.path.abspath(os.path.expanduser(named))
    from platformdirs import user_cache_dir

    return os.path.join(user_cache_dir("mnv2", appauthor=False), "compiled")


def entry_key(network: Network, precision: Precision, calibration: Calibration | None) -> str:
    """Return the digest of all that a compiled model depends on; imports neither Keras nor LiteRT.

    It covers the weights' content, the network's shape and scaling, the precision with its
    calibration, and the versions of the libraries that write the file.
    """
    parts = [_basis(network), precision, calibration.key if calibration else ""]
    return f"mnv2-{_digest(parts)[:32]}"


def _basis(network: Network) -> str:
    """Return the digest of what all compiled forms of a network have in common."""
    names = ("keras", "tensorflow", "ai-edge-litert")
    return _digest([LAYOUT, network.identity(), {name: installed_version(name) for name in names}])


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def open_entry(folder: str) -> Compiled | None:
    """Return the entry in a folder, or None where there is none or it is damaged."""
    try:
        with open(os.path.join(folder, _META), encoding="utf-8") as file:
            meta = json.load(file)
        if meta.pop("check") != _digest(meta) or _MODEL not in meta["files"]:
            return None
        for name, digest in meta["files"].items():
            if name not in (_MODEL, _HEAD) or content_digest(os.path.join(folder, name)) != digest:
                return None
        head = os.path.join(folder, _HEAD) if _HEAD in meta["files"] else ""
        model = os.path.join(folder, _MODEL)
        divisor, shift = float(meta["divisor"]), float(meta["shift"])
        return Compiled(model, head, int(meta["scores"]), divisor, shift)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def find_or_compile(
    network: Network,
    precision: Precision,
    calibration: Calibration | None,
    notify: Notify,
) -> Compiled:
    """Return the compiled form of a network: from the cache, or made now and kept there.

    A cache that cannot be written costs a warning and the time to compile, nothing else.

    Raises:
        WeightsError: The network's weights cannot be had.
        CompileError: The export fails, or its result does not score like the network.
    """
    key = entry_key(network, precision, calibration)
    cache = cache_folder()
    folder = os.path.join(cache, key)
    if entry := open_entry(folder):
        return entry

    from filelock import FileLock, Timeout

    try:
        os.makedirs(cache, exist_ok=True)
        lock = FileLock(os.path.join(cache, f"{key}.lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            notify("Another mnv2 is compiling this model: waiting for it.")
            lock.acquire(timeout=_LOCK_WAIT)
        try:
            if entry := open_entry(folder):
                return entry
            _clean(cache, key)
            return _compile_into(folder, network, precision, calibration, notify)
        finally:
            lock.release()
    except (OSError, Timeout) as error:
        reason = getattr(error, "strerror", None) or str(error)
        notify(f"The compiled model cannot be kept in {cache} ({reason}): it is made for this run.")
    return _in_temporary(network.build(), network, _calibration_images(calibration, notify))


def _clean(cache: str, key: str) -> None:
    """Remove a damaged entry and what killed processes left of it; its lock must be held."""
    for name in os.listdir(cache):
        if name == key or name.startswith(f"{key}.tmp"):
            shutil.rmtree(os.path.join(cache, name), ignore_errors=True)
    kept = sorted(entries(), key=lambda entry: entry.made)
    for entry in kept[: -(_MOST_KEPT - 1)]:  # of older libraries, or of photos long gone
        shutil.rmtree(entry.folder, ignore_errors=True)


@dataclass(frozen=True)
class Entry:
    """A compiled model in the cache, as its description says; not checked.

    Attributes:
        folder: Where it is.
        network: The name of the network.
        precision: ``float32`` or ``int8``.
        basis: What it shares with other compiled forms of the same network.
        size: Bytes.
        made: When, in seconds since 1970.
    """

    folder: str
    network: str
    precision: Precision
    basis: str
    size: int
    made: float


def entries() -> list[Entry]:
    """Return the compiled models in the cache, whole or not."""
    cache = cache_folder()
    found = []
    try:
        names = sorted(os.listdir(cache))
    except OSError:
        return []
    for name in names:
        folder = os.path.join(cache, name)
        if not _OURS.fullmatch(name) or not os.path.exists(os.path.join(folder, _META)):
            continue
        try:
            with open(os.path.join(folder, _META), encoding="utf-8") as file:
                meta = json.load(file)
            network, basis = str(meta.get("network", "")), str(meta.get("basis", ""))
        except (OSError, ValueError, AttributeError):
            network, basis = "damaged", ""
        try:
            sizes = [item.stat().st_size for item in os.scandir(folder)]
            made = os.path.getmtime(os.path.join(folder, _META))
        except OSError:  # removed meanwhile
            continue
        precision: Precision = "int8" if os.path.exists(os.path.join(folder, _HEAD)) else "float32"
        found.append(Entry(folder, network, precision, basis, sum(sizes), made))
    return found


def compiled_as(network: Network, among: list[Entry]) -> list[Precision]:
    """Return the precisions that a network is compiled in; its weights must be there."""
    basis = _basis(network)
    return sorted({entry.precision for entry in among if entry.basis == basis})


def remove_all(*, dry_run: bool = False) -> tuple[int, int]:
    """Remove all compiled models and what killed processes left; nothing else in the folder.

    One that is being compiled right now stays.

    Returns:
        How many, and how many bytes.

    Raises:
        OutputError: Some of it cannot be removed.
    """
    from filelock import FileLock, Timeout

    cache = cache_folder()
    count = size = 0
    kept: list[str] = []
    try:
        names = [name for name in os.listdir(cache) if _OURS.fullmatch(name)]
    except OSError:
        return 0, 0
    for key in sorted({name.partition(".")[0] for name in names}):
        folders = [
            os.path.join(cache, name)
            for name in names
            if name.partition(".")[0] == key and not name.endswith(".lock")
        ]
        lock = FileLock(os.path.join(cache, f"{key}.lock"))
        try:
            if not dry_run:
                lock.acquire(timeout=0)
        except Timeout:
            continue
        except OSError:
            kept += folders
            continue
        try:
            for folder in folders:
                bytes_of = _bytes_in(folder)
                if not dry_run:
                    shutil.rmtree(folder, ignore_errors=True)
                if not dry_run and os.path.lexists(folder):
                    kept.append(folder)
                    continue
                count += 1
                size += bytes_of
            if not dry_run:
                with suppress(OSError):
                    os.unlink(lock.lock_file)
        finally:
            lock.release()
    if kept:
        raise OutputError(
            f"{len(kept)} compiled models cannot be removed, such as {kept[0]}",
            f"{count} were removed. Look at the permissions of {cache}.",
        )
    return count, size


def _bytes_in(folder: str) -> int:
    try:
        return sum(item.stat().st_size for item in os.scandir(folder) if item.is_file())
    except OSError:
        return 0


def _compile_into(
    folder: str,
    network: Network,
    precision: Precision,
    calibration: Calibration | None,
    notify: Notify,
) -> Compiled:
    if shutil.disk_usage(os.path.dirname(folder)).free < _ROOM:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    model: Any = network.build()
    images = _calibration_images(calibration, notify)
    if images is not None and len(images) < ENOUGH_IMAGES and calibration and calibration.own:
        return _in_temporary(model, network, images)
    notify(
        f"Compiling {network.name} to {precision} with TensorFlow: "
        f"{'half a minute' if precision == 'int8' else 'ten to thirty seconds'}, only this once; "
        "later runs start at once."
    )
    # Beside its final place: a rename does not cross file systems.
    part = tempfile.mkdtemp(prefix=f"{os.path.basename(folder)}.tmp", dir=os.path.dirname(folder))
    try:
        _export(model, network, images, part)
        os.chmod(part, 0o755)
        os.rename(part, folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    entry = open_entry(folder)
    if entry is None:
        raise OSError("what was written cannot be read back")
    return entry


def _in_temporary(model: Any, network: Network, images: NDArray[np.uint8] | None) -> Compiled:
    """Compile for this process alone."""
    try:
        temporary = _TemporaryFolder()
        _export(model, network, images, temporary.name)
    except OSError as error:
        raise CompileError(
            f"the compiled model cannot be written: {error.strerror or error}",
            "Free some space in the cache or the temporary folder, or use --engine keras.",
        ) from error
    entry = open_entry(temporary.name)
    if entry is None:
        raise CompileError("the compiled model cannot be read back", "Use --engine keras.")
    return replace(entry, temporary=temporary)


def _calibration_images(
    calibration: Calibration | None, notify: Notify
) -> NDArray[np.uint8] | None:
    if calibration is None:
        return None
    images = calibration.images()
    if not len(images):
        raise NothingToCalibrateError(
            "int8 needs images to be calibrated on, and none could be read",
            "Name a folder of typical photos with --calibrate.",
        )
    if len(images) < ENOUGH_IMAGES:
        notify(
            f"int8 is calibrated on {len(images)} images only, which takes half a minute and is "
            f"not kept if they are the run's: better is --calibrate with a folder of "
            f"{CALIBRATION_IMAGES} typical photos."
        )
    return images


# The export


def _export(model: Any, network: Network, images: NDArray[np.uint8] | None, folder: str) -> None:
    """Write an entry: the model by Keras's own export, proven, then what tells that it is whole."""
    from mnv2cli.models.weights import import_keras

    keras = import_keras()
    import numpy as np

    size = network.size
    last = model.layers[-1]
    files = [_MODEL]
    try:
        if images is None:
            pixels = keras.Input((size, size, 3), dtype="uint8", name="pixels")
            scaled = keras.layers.Rescaling(1 / network.divisor, offset=-network.shift)(pixels)
            outputs = keras.Model(model.inputs, [model.output, last.input])(scaled)
            whole = keras.Model(pixels, outputs)
            _write(whole, os.path.join(folder, _MODEL))
        else:
            # The last layer stays in float32: quantised softmax has steps of 1/256, so that all
            # but the first few classes would tie at zero. The input is quantised as it comes: a
            # scaling layer in int8 would round twice.
            body = keras.Model(model.inputs, last.input)
            scaled_images = images.astype(np.float32) / network.divisor - network.shift
            _write(body, os.path.join(folder, _MODEL), scaled_images)
            given = keras.Input(last.input.shape[1:], name="features")
            _write(keras.Model(given, last(given)), os.path.join(folder, _HEAD))
            files.append(_HEAD)
    except OSError:
        raise
    except Exception as error:  # the converter raises many kinds
        text = " ".join(str(error).split())[:300]
        hint = "Use --engine keras, and --precision float32."
        if "No space left" in text:
            text = f"no space left in the temporary folder {tempfile.gettempdir()}"
            hint = "Free some space there, or name another folder with TMPDIR."
        raise CompileError(f"Keras cannot export {network.name} to LiteRT: {text}", hint) from error
    meta = {
        "network": network.name,
        "basis": _basis(network),
        "scores": _prove(model, network, images, folder),
        "divisor": network.divisor,
        "shift": network.shift,
        "files": {name: content_digest(os.path.join(folder, name)) for name in files},
    }
    meta["check"] = _digest(meta)
    with open(os.path.join(folder, _META), "w", encoding="utf-8") as file:
        json.dump(meta, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def _write(model: Any, path: str, images: NDArray[np.float32] | None = None) -> None:
    """Export a Keras model, quantised to int8 per channel where images are given."""
    import tensorflow as tf

    options: dict[str, Any] = {}
    if images is not None:
        options = {
            "optimizations": [tf.lite.Optimize.DEFAULT],
            "representative_dataset": lambda: ([image[None]] for image in images),
            "inference_input_type": tf.uint8,
        }
    if tuple(map(int, installed_version("keras").split(".")[:2])) >= (3, 13):
        model.export(path, format="litert", verbose=False, **options)
        return
    # Keras 3.12, the last one for Python 3.10, has the first half of that export only.
    with tempfile.TemporaryDirectory() as saved:
        model.export(saved, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved)
        for name, value in options.items():
            setattr(converter, name, value)
        with open(path, "wb") as file:
            file.write(converter.convert())


def _prove(model: Any, network: Network, images: NDArray[np.uint8] | None, folder: str) -> int:
    """Return which output has the scores, once they are seen to be those of Keras.

    float32 must agree within 1e-4. int8 moves scores, so there they must only be scores: finite,
    and with the sum 1.
    """
    import numpy as np

    from mnv2cli.engines.litert import Session

    size = network.size
    sample = images[:2] if images is not None else None
    if sample is None:
        sample = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), np.uint8)
    wanted = np.asarray(
        model(sample.astype(np.float32) / network.divisor - network.shift, training=False)
    )
    head = os.path.join(folder, _HEAD) if os.path.exists(os.path.join(folder, _HEAD)) else ""
    best, least = -1, float("inf")
    for index in (0,) if head else (0, 1):
        session = Session(
            Compiled(os.path.join(folder, _MODEL), head, index, network.divisor, network.shift)
        )
        try:
            got = np.stack([session.scores(image) for image in sample])
        finally:
            session.close()
        if got.shape == wanted.shape:
            worst = float(np.abs(got - wanted).max())
            sums = float(np.abs(got.sum(axis=1) - 1).max())
            if (worst <= 1e-4 or (head and sums < 1e-3)) and worst < least:
                best, least = index, worst
    if best < 0:
        raise CompileError(
            f"the compiled form of {network.name} does not score like Keras",
            "Use --engine keras.",
        )
    return best
