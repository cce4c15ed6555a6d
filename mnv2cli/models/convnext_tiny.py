"""ConvNeXt-Tiny as Keras provides it, and its ImageNet weights.

Source: Liu et al., "A ConvNet for the 2020s", CVPR 2022.
"""

from __future__ import annotations

from mnv2cli.models import keras_application

SUFFIX = keras_application.SUFFIX

IDEAS = (
    (
        "A convolutional network built like a transformer",
        "Step by step, a ResNet got the design and the training of vision transformers, until it "
        "was as accurate without attention.",
    ),
    (
        "Large depthwise kernels",
        "Each block begins with a 7 x 7 depthwise convolution; it mixes places, as attention does.",
    ),
    (
        "Inverted bottleneck",
        "Two dense layers then widen the channels four times and narrow them again; they mix "
        "channels. A shortcut connects the narrow ends.",
    ),
    (
        "Fewer activations and norms",
        "A block has one layer norm, instead of a batch norm for each convolution, and one "
        "activation, GELU, between the dense layers.",
    ),
    (
        "Patches",
        "The first layer cuts the image into 4 x 4 patches, as a transformer does; separate 2 x 2 "
        "convolutions halve the size between stages.",
    ),
)
"""The ideas behind this network: titles and texts. Source: the paper named above."""


class ConvNeXtTiny(keras_application.KerasApplication):
    """``keras.applications.ConvNeXtTiny`` with ImageNet's 1,000 classes."""

    family = "convnext_tiny"
    features = 768
    title = "ConvNeXt-Tiny"
    function = "ConvNeXtTiny"
    host = "https://storage.googleapis.com/tensorflow/keras-applications/convnext/"
    published_name = "convnext_tiny.h5"
    checksum = "sha256:8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff"
    ideas = IDEAS


create, variants = ConvNeXtTiny.create, ConvNeXtTiny.variants
options_of_file = ConvNeXtTiny.options_of_file
