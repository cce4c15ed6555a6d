"""Put the scaling of each colour before a Keras network, and softmax after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mnv2cli.models.weights import import_keras

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def rebuilt(network: Any, size: int, kernel: ArrayLike, bias: ArrayLike) -> Any:
    """Return a network from pixels 0..255 to softmax scores, whose last layer has one input.

    Args:
        network: A functional Keras model; a last dense layer without activation gets softmax.
        size: Side of the input in pixels.
        kernel: What the network's colours are of the pixel's red, green and blue, [3, 3].
        bias: What is added to them, [3].
    """
    import numpy as np

    keras = import_keras()
    pixels = keras.Input((size, size, 3))
    # A convolution of one pixel scales each colour alone, and can exchange red and blue.
    scaled = keras.layers.Conv2D(3, 1, name="scaled_pixels", trainable=False)
    x = scaled(pixels)
    scaled.set_weights([np.reshape(kernel, (1, 1, 3, 3)), np.asarray(bias)])
    last = network.layers[-1]
    body = keras.Model(network.input, last.input)
    config = last.get_config()
    if type(last) is keras.layers.Dense and config["activation"] == "linear":
        config["activation"] = "softmax"
    final = type(last).from_config(config)
    scores = final(body(x))
    final.set_weights(last.get_weights())
    return keras.Model(pixels, scores)
