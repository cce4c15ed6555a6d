"""Export a network with Keras's own LiteRT export, and check its scores against Keras's."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any

from mnv2cli.engines.cache import HEAD, MODEL, Compiled, describe_entry
from mnv2cli.engines.session import Session
from mnv2cli.errors import CompileError
from mnv2cli.system.packages import installed_version

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.engines.protocol import Network


def export(model: Any, network: Network, images: NDArray[np.uint8] | None, folder: str) -> None:
    """Write an entry: export the model, check its scores, then write its description.

    Args:
        model: The Keras model of the network.
        network: The network.
        images: For int8, the images to calibrate on, uint8 [n, size, size, 3]; None for float32.
        folder: The entry's folder.

    Raises:
        CompileError: The export fails, or the compiled model's scores differ from Keras's.
        OSError: A file cannot be written.
    """
    from mnv2cli.models.weights import import_keras

    keras = import_keras()
    import numpy as np

    size = network.size
    last = model.layers[-1]
    files = [MODEL]
    try:
        if images is None:
            pixels = keras.Input((size, size, 3), dtype="uint8", name="pixels")
            scaled = keras.layers.Rescaling(1 / network.divisor, offset=-network.shift)(pixels)
            outputs = keras.Model(model.inputs, [model.output, last.input])(scaled)
            whole = keras.Model(pixels, outputs)
            _write(whole, os.path.join(folder, MODEL))
        else:
            # The last layer stays in float32: a quantised softmax has steps of 1/256, so all but
            # the first few classes would tie at zero. The input is quantised without a scaling
            # layer, which would round twice.
            body = keras.Model(model.inputs, last.input)
            scaled_images = images.astype(np.float32) / network.divisor - network.shift
            _write(body, os.path.join(folder, MODEL), scaled_images)
            given = keras.Input(last.input.shape[1:], name="features")
            _write(keras.Model(given, last(given)), os.path.join(folder, HEAD))
            files.append(HEAD)
    except OSError:
        raise
    except Exception as error:  # the converter raises many types
        text = " ".join(str(error).split())[:300]
        hint = "Use --engine keras with --precision float32."
        if "No space left" in text:
            text = f"no space left on device: {tempfile.gettempdir()}"
            hint = "Free some space there, or set TMPDIR to another folder."
        raise CompileError(f"cannot export {network.name} to LiteRT: {text}", hint) from error
    describe_entry(folder, network, prove(model, network, images, folder), files)


def _write(model: Any, path: str, images: NDArray[np.float32] | None = None) -> None:
    """Export a Keras model; with images, quantise it to int8 per channel."""
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
    # Keras 3.12, the last release for Python 3.10, exports to SavedModel but not to LiteRT.
    with tempfile.TemporaryDirectory() as saved:
        model.export(saved, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved)
        for name, value in options.items():
            setattr(converter, name, value)
        with open(path, "wb") as file:
            file.write(converter.convert())


def prove(model: Any, network: Network, images: NDArray[np.uint8] | None, folder: str) -> int:
    """Check a compiled model's scores against Keras's, and return which output has them.

    float32 scores must agree within 1e-4. int8 changes scores, so these need only be scores:
    finite, with the sum 1.

    Args:
        model: The Keras model of the network.
        network: The network.
        images: The images that int8 is calibrated on, uint8 [n, size, size, 3]; None for float32.
        folder: The entry's folder, with its files.

    Raises:
        CompileError: The scores differ.
    """
    import numpy as np

    size = network.size
    sample = images[:2] if images is not None else None
    if sample is None:
        sample = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), np.uint8)
    wanted = np.asarray(
        model(sample.astype(np.float32) / network.divisor - network.shift, training=False)
    )
    head = os.path.join(folder, HEAD) if os.path.exists(os.path.join(folder, HEAD)) else ""
    best, least = -1, float("inf")
    for index in (0,) if head else (0, 1):
        session = Session(
            Compiled(os.path.join(folder, MODEL), head, index, network.divisor, network.shift)
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
            f"the scores of the compiled {network.name} differ from Keras's",
            "Use --engine keras.",
        )
    return best
