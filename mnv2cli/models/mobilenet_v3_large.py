"""MobileNetV3-Large as Keras provides it, and its ImageNet weights.

Source: Howard et al., "Searching for MobileNetV3", ICCV 2019.
"""

from __future__ import annotations

from mnv2cli.models import keras_application

SUFFIX = keras_application.SUFFIX

IDEAS = (
    (
        "Found by search",
        "A search for the best accuracy at a given latency on phones chose the blocks, which are "
        "MobileNetV2's inverted residuals; a second search then trimmed single layers.",
    ),
    (
        "Squeeze-and-excite",
        "In half of the blocks the average of each channel decides, through two small layers, how "
        "much that channel counts.",
    ),
    (
        "Hard swish",
        "x times ReLU6(x + 3) / 6 replaces ReLU6 in the deeper half of the network. It is close to "
        "swish, which is more accurate, but needs no exponential function.",
    ),
    (
        "A cheaper end",
        "The last wide layer comes after the average pool, where it is computed once instead of "
        "for each of 7 x 7 places.",
    ),
)
"""The ideas behind this network: titles and texts. Source: the paper named above."""


class MobileNetV3Large(keras_application.KerasApplication):
    """``keras.applications.MobileNetV3Large`` with ImageNet's 1,000 classes."""

    family = "mobilenet_v3_large"
    title = "MobileNetV3-Large"
    function = "MobileNetV3Large"
    host = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v3/"
    published_name = "weights_mobilenet_v3_large_224_1.0_float.h5"
    checksum = "md5:59e551e166be033d707958cf9e29a6a7"
    ideas = IDEAS


create, variants = MobileNetV3Large.create, MobileNetV3Large.variants
options_of_file = MobileNetV3Large.options_of_file
