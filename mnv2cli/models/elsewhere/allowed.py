"""The layers, settings and functions that a model made elsewhere may use.

A model's description is never given to Keras: it is read by this package, which builds the same
layers itself. What is not listed here is refused, whatever Keras would do with it.
"""

from __future__ import annotations

_CONV = ("kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation",
         "use_bias")  # fmt: skip
_POOL = ("pool_size", "strides", "padding", "data_format")
_GLOBAL = ("data_format", "keepdims")
_RESIZE = ("height", "width", "interpolation", "crop_to_aspect_ratio", "pad_to_aspect_ratio",
           "fill_mode", "fill_value", "antialias", "data_format")  # fmt: skip

LAYERS: dict[str, tuple[str, ...]] = {
    "InputLayer": (),
    "Dense": ("units", "activation", "use_bias"),
    "Conv2D": ("filters", "groups", *_CONV),
    "DepthwiseConv2D": ("depth_multiplier", *_CONV),
    "SeparableConv2D": ("filters", "depth_multiplier", *_CONV),
    "Conv2DTranspose": ("filters", "output_padding", *_CONV),
    "BatchNormalization": ("axis", "epsilon", "center", "scale"),
    "LayerNormalization": ("axis", "epsilon", "center", "scale"),
    "GroupNormalization": ("groups", "axis", "epsilon", "center", "scale"),
    "UnitNormalization": ("axis",),
    "Activation": ("activation",),
    "Softmax": ("axis",),
    "ReLU": ("max_value", "negative_slope", "threshold"),
    "LeakyReLU": ("negative_slope",),
    "ELU": ("alpha",),
    "PReLU": ("shared_axes",),
    "MaxPooling2D": _POOL,
    "AveragePooling2D": _POOL,
    "GlobalAveragePooling2D": _GLOBAL,
    "GlobalMaxPooling2D": _GLOBAL,
    "Flatten": ("data_format",),
    "Reshape": ("target_shape",),
    "Permute": ("dims",),
    "ZeroPadding2D": ("padding", "data_format"),
    "Cropping2D": ("cropping", "data_format"),
    "UpSampling2D": ("size", "data_format", "interpolation"),
    "Rescaling": ("scale", "offset"),
    "Normalization": ("axis", "mean", "variance", "invert"),
    "Resizing": _RESIZE,
    "CenterCrop": ("height", "width", "data_format"),
    "Add": (),
    "Subtract": (),
    "Multiply": (),
    "Average": (),
    "Maximum": (),
    "Minimum": (),
    "Concatenate": ("axis",),
}
"""The layers, each with the settings that change what it computes."""

ONLY_TRAINING = frozenset({
    "Identity", "Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout",
    "ActivityRegularization", "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation",
    "RandomContrast", "RandomBrightness", "RandomSaturation", "RandomHue", "RandomColorJitter",
    "RandomShear", "RandomSharpness", "RandomPerspective", "RandomErasing", "RandomHeight",
    "RandomWidth",
})  # fmt: skip
"""Layers that change images or features in training, and nothing when they predict."""

OPERATIONS: dict[str, str] = {
    "Add": "add", "Subtract": "subtract", "Multiply": "multiply", "Divide": "divide",
    "TrueDivide": "true_divide", "Maximum": "maximum", "Minimum": "minimum", "Relu": "relu",
    "Relu6": "relu6", "Sigmoid": "sigmoid", "Silu": "silu", "Tanh": "tanh", "Softmax": "softmax",
}  # fmt: skip
"""Operations of ``keras.ops`` that appear as layers, with the functions' names there."""

ACTIVATIONS = frozenset({
    "linear", "relu", "relu6", "elu", "selu", "gelu", "silu", "swish", "hard_sigmoid",
    "hard_silu", "hard_swish", "leaky_relu", "mish", "softmax", "sigmoid", "softplus", "softsign",
    "tanh", "exponential",
})  # fmt: skip
"""Functions of ``keras.activations``."""

RENAMED = {("LeakyReLU", "alpha"): "negative_slope"}
"""Settings of Keras 2 with another name in Keras 3."""

WITHOUT_EFFECT = frozenset({
    "name", "trainable", "batch_input_shape", "batch_shape", "input_shape", "input_dtype", "seed",
    "optional", "momentum", "synchronized", "fused", "virtual_batch_size", "renorm_clipping",
    "renorm_momentum", "input_spec", "autocast",
})  # fmt: skip
"""Settings that do not change a trained network's scores."""

ENDINGS_WITHOUT_EFFECT = ("_initializer", "_regularizer", "_constraint")
"""Settings with these endings act on training alone."""

FLOATS = frozenset({
    "float32", "float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16",
})  # fmt: skip
"""Types that a network may have been trained with; here it is computed in float32."""
