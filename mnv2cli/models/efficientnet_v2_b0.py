"""EfficientNetV2-B0 as Keras provides it, and its ImageNet weights.

Source: Tan and Le, "EfficientNetV2: Smaller Models and Faster Training", ICML 2021.
"""

from __future__ import annotations

from mnv2cli.models import keras_application

SUFFIX = keras_application.SUFFIX

IDEAS = (
    (
        "Fused bottlenecks",
        "In the first stages, where images are large and channels few, an ordinary 3 x 3 "
        "convolution replaces the pair of 1 x 1 and depthwise convolutions: more multiply-adds, "
        "which processors compute faster.",
    ),
    (
        "Bottlenecks with squeeze-and-excite",
        "Later stages have MobileNetV2's inverted residuals, with swish instead of ReLU6. The "
        "average of each channel decides, through two small layers, how much that channel counts.",
    ),
    (
        "Found by search",
        "A search for accuracy, speed of training and number of parameters chose the blocks. B0 "
        "is the smallest of the networks that are scaled from it.",
    ),
    (
        "Progressive learning",
        "Training starts with small images that are hardly altered, and proceeds to larger and "
        "more altered ones.",
    ),
)
"""The ideas behind this network: titles and texts. Source: the paper named above."""


class EfficientNetV2B0(keras_application.KerasApplication):
    """``keras.applications.EfficientNetV2B0`` with ImageNet's 1,000 classes."""

    family = "efficientnet_v2_b0"
    features = 1280
    title = "EfficientNetV2-B0"
    function = "EfficientNetV2B0"
    host = "https://storage.googleapis.com/tensorflow/keras-applications/efficientnet_v2/"
    published_name = "efficientnetv2-b0.h5"
    checksum = "md5:21ecbf6da12460d5c40bb2f29ceb2188"
    ideas = IDEAS


create, variants = EfficientNetV2B0.create, EfficientNetV2B0.variants
options_of_file = EfficientNetV2B0.options_of_file
