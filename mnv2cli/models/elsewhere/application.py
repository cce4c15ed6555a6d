"""Networks of ``keras.applications`` by name, with Keras's own weights and scaling."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, Literal

from mnv2cli.errors import DownloadError, InputError
from mnv2cli.labels.imagenet import imagenet_labels
from mnv2cli.models.elsewhere.base import ForeignModel, check_options
from mnv2cli.models.weights import check_values, import_keras, keras_home

if TYPE_CHECKING:
    from mnv2cli.models.options import ModelOptions

PREFIX = "keras:"

_Mode = Literal["bytes", "tf", "torch", "caffe"]


def _family(mode: _Mode, features: int, **sizes: int) -> dict[str, tuple[_Mode, int, int]]:
    return {name: (mode, size, features) for name, size in sizes.items()}


NETWORKS: dict[str, tuple[_Mode, int, int]] = {
    **_family("tf", 1280, MobileNetV2=224),
    **_family("tf", 0, MobileNet=224),
    **_family("bytes", 0, MobileNetV3Small=224, MobileNetV3Large=224),
    **_family("bytes", 1280, EfficientNetB0=224, EfficientNetB1=240),
    **_family("bytes", 1408, EfficientNetB2=260),
    **_family("bytes", 1536, EfficientNetB3=300),
    **_family("bytes", 1792, EfficientNetB4=380),
    **_family("bytes", 2048, EfficientNetB5=456),
    **_family("bytes", 2304, EfficientNetB6=528),
    **_family("bytes", 2560, EfficientNetB7=600),
    **_family("bytes", 1280, EfficientNetV2B0=224, EfficientNetV2B1=240),
    **_family("bytes", 1408, EfficientNetV2B2=260),
    **_family("bytes", 1536, EfficientNetV2B3=300),
    **_family("bytes", 1280, EfficientNetV2S=384, EfficientNetV2M=480, EfficientNetV2L=480),
    **_family("bytes", 768, ConvNeXtTiny=224, ConvNeXtSmall=224),
    **_family("bytes", 1024, ConvNeXtBase=224),
    **_family("bytes", 1536, ConvNeXtLarge=224),
    **_family("bytes", 2048, ConvNeXtXLarge=224),
    **_family("torch", 1024, DenseNet121=224),
    **_family("torch", 1664, DenseNet169=224),
    **_family("torch", 1920, DenseNet201=224),
    **_family("caffe", 2048, ResNet50=224, ResNet101=224, ResNet152=224),
    **_family("tf", 2048, ResNet50V2=224, ResNet101V2=224, ResNet152V2=224),
    **_family("caffe", 4096, VGG16=224, VGG19=224),
    **_family("tf", 2048, InceptionV3=299, Xception=299),
    **_family("tf", 1536, InceptionResNetV2=299),
    **_family("tf", 1056, NASNetMobile=224),
    **_family("tf", 4032, NASNetLarge=331),
}
"""The networks: their ``preprocess_input``, the side of their input, and the number of features.

``bytes``: scaled in the network. ``tf``: to -1..1. ``torch``: to 0..1, then by ImageNet's means
and deviations. ``caffe``: to BGR, minus ImageNet's means. Source: ``preprocess_input`` of each
module of ``keras.applications``, and ``keras.applications.imagenet_utils``. Features are 0 where
the last layer is an activation.
"""

_MEANS, _DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of RGB in 0..1
_BGR_MEANS = (103.939, 116.779, 123.68)


class Application(ForeignModel):
    """A network of ``keras.applications`` with ImageNet's 1,000 classes.

    Keras's own loader finds its weights in ``KERAS_HOME``, or downloads and checks them.

    Args:
        options: ``keras:NAME`` as ``name``.

    Raises:
        InputError: There is no such network, or an option contradicts it.
    """

    def __init__(self, options: ModelOptions) -> None:
        check_options(options)
        self.function = options.name.removeprefix(PREFIX)
        if self.function not in NETWORKS:
            raise InputError(
                f"unknown network {self.function!r} of keras.applications",
                f"Choose from {', '.join(NETWORKS)}.",
            )
        self._mode, self.size, self.features = NETWORKS[self.function]
        for option, given in (("--labels", options.labels), ("--scale", options.scale)):
            if given:
                raise InputError(
                    f"{option} cannot be combined with --model {options.name}, whose own are known",
                    f"Omit {option}.",
                )
        if options.size not in (None, self.size):
            raise InputError(
                f"{options.name} takes images of {self.size} pixels, not {options.size}",
                "Omit --size.",
            )
        self.family = options.name
        self.model = f"keras_{self.function}"
        self.name = f"{self.function} ({self.size} x {self.size})"
        self.divisor, self.shift = (127.5, 1.0) if self._mode == "tf" else (1.0, 0.0)
        self.labels = imagenet_labels()

    def find(self) -> str:
        """Return empty: Keras alone knows the path of the weights."""
        return ""

    def fetch(self) -> str:
        """Return empty: Keras downloads the weights when the network is built."""
        return ""

    def identity(self) -> dict[str, str | float]:
        """Return the name of the network: its published weights never change."""
        return {
            "architecture": f"keras.applications.{self.function}, scaled as by {self._mode}",
            "size": self.size,
            "divisor": self.divisor,
            "shift": self.shift,
            "weights": "imagenet",
        }

    def build(self) -> Any:
        """Return the Keras model with its weights, downloading them first if necessary.

        Raises:
            DownloadError: The weights are not on this machine and cannot be downloaded.
        """
        try:
            with redirect_stdout(io.StringIO()):  # Keras's progress bar
                network = self._architecture("imagenet")
        except Exception as error:  # get_file raises Exception; damaged files raise others
            text = " ".join(str(error).split())[:300]
            raise DownloadError(
                f"cannot load Keras's weights of {self.function}: {text}",
                f"Copy its file from the models folder of a machine that has it to "
                f"{keras_home()}, or set KERAS_HOME.",
            ) from error
        check_values(network, f"the weights file of {self.function}", "Remove and download it.")
        return self._scaled(network)

    def build_untrained(self) -> Any:
        """Return the Keras model with random weights, to examine its layers."""
        return self._scaled(self._architecture(None))

    def _architecture(self, weights: str | None) -> Any:
        build = getattr(import_keras().applications, self.function)
        return build(weights=weights, input_shape=(self.size, self.size, 3))

    def _scaled(self, network: Any) -> Any:
        """Return a network for pixels as ``divisor`` and ``shift`` scale them."""
        if self._mode not in ("torch", "caffe"):
            return network
        import numpy as np

        from mnv2cli.models.elsewhere.rebuild import rebuilt

        if self._mode == "caffe":
            return rebuilt(network, self.size, np.eye(3)[:, ::-1], -np.array(_BGR_MEANS))
        deviations = np.array(_DEVIATIONS)
        return rebuilt(
            network, self.size, np.diag(1 / (255 * deviations)), -np.array(_MEANS) / deviations
        )
