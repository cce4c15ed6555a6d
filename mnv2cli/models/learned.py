"""A model that ``mnv2 learn`` wrote: a head for the user's classes on a network of ImageNet."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mnv2cli.errors import InputError, WeightsError
from mnv2cli.models import weights as store
from mnv2cli.models.learned_file import LearnedContent, read_learned
from mnv2cli.models.untrusted import check_archive

if TYPE_CHECKING:
    from mnv2cli.models.download import Origin
    from mnv2cli.models.head import Head
    from mnv2cli.models.options import ModelOptions
    from mnv2cli.models.protocol import Model

FAMILY = "learned"

SUFFIX = ".keras"

_HINT = "Learn the model again with mnv2 learn."


def check_options(options: ModelOptions) -> None:
    """Check that no option is given that a learned model determines; raises InputError."""
    given = {
        "--alpha": options.alpha,
        "--size": options.size,
        "--weights": options.weights,
        "--accurate": options.accurate,
        "--labels": options.labels,
        "--scale": options.scale,
    }
    for option, value in given.items():
        if value:
            raise InputError(
                f"{option} cannot be combined with the model {options.name}, which determines it",
                f"Omit {option}.",
            )


class LearnedModel:
    """The model in a ``.keras`` file of ``mnv2 learn``.

    Engines run its network without the head: the published one, if this machine has the weights
    that the file was learned with, because that is compiled already; else the one in the file.

    Args:
        path: The file.
        content: Its description.
        published: The network that it names, with ImageNet's weights.

    Attributes:
        weights: The path of the file.
        content: What the file says of it.
        class_names: The names of its classes.
        head: From features to scores.
        thresholds: By class, the score below which it is not precise enough.
        features: The length of the features.
    """

    family = FAMILY
    divisor, shift = 1.0, 0.0  # its first layer scales the pixels
    accurate = False
    notes: tuple[str, ...] = ()
    packaged = True  # nothing can be downloaded
    checksum = ""
    ideas: tuple[tuple[str, str], ...] = ()

    def __init__(self, path: str, content: LearnedContent, published: Model) -> None:
        self.weights = path
        self.content = content
        self.class_names = content.class_names
        self.head: Head | None = content.head
        self.thresholds = content.thresholds
        self.features = content.head.kernel.shape[0]
        self._published = published
        if published.features != self.features:
            raise WeightsError(
                f"the model {path} is damaged: {published.name} has {published.features} "
                f"features, not {self.features}",
                _HINT,
            )
        self.alpha, self.size = published.alpha, published.size
        self.precisions = published.precisions

    @property
    def image_defaults(self) -> dict[str, str]:
        """The options of images that it was learned with."""
        return {"fit": self.content.fit, "interpolation": self.content.interpolation}

    @property
    def name(self) -> str:
        """The name that users see."""
        return f"{self.model} ({self._published.name})"

    @property
    def model(self) -> str:
        """The name in results: that of the file."""
        return os.path.basename(self.weights)

    @property
    def how_to_get(self) -> str:
        """The command that writes such a file."""
        return f"mnv2 learn FOLDER -o {self.model}"

    @property
    def cached(self) -> str:
        """The absolute path of the file."""
        return os.path.abspath(self.weights)

    @property
    def origin(self) -> Origin:
        """Raises InputError: it is a file of the user's, and cannot be downloaded."""
        raise InputError(f"{self.weights} cannot be downloaded: it is a file of yours")

    @cached_property
    def backbone(self) -> Model:
        """The network that computes the features."""
        path = self._published.find()
        if path and self.content.weights and store.digest(path) == self.content.weights:
            return self._published
        return _BackboneInFile(self, self._published)

    def find(self) -> str:
        """Return the path of the file; empty if it is gone."""
        return self.weights if os.path.isfile(self.weights) else ""

    def fetch(self) -> str:
        """Return the path of the file.

        Raises:
            WeightsError: It is gone.
        """
        if not self.find():
            raise WeightsError(f"the model {self.weights} does not exist", "Check its path.")
        return self.weights

    def check_file(self, path: str) -> None:
        """Check that a file is intact and safe, without Keras; raises WeightsError."""
        read_learned(path)
        check_archive(path, f"the model {path}", _HINT)

    def check(self, path: str, hint: str = "", what: str = "") -> None:
        """Check that a file can be loaded; raises WeightsError."""
        self._load(path)

    def identity(self) -> dict[str, str | float]:
        """Return everything that identifies this model.

        Raises:
            WeightsError: The file cannot be read.
        """
        return {"architecture": FAMILY, "weights": store.digest(self.weights)}

    def build(self) -> Any:
        """Return the Keras model, from float32 pixels 0 to 255 [n, size, size, 3] to [n, classes].

        Raises:
            WeightsError: The file is damaged, could run code, or is not what it says.
        """
        return self._load(self.weights)

    def build_untrained(self) -> Any:
        """Return the Keras model of its network with random weights, to examine its layers."""
        return self._published.build_untrained()

    def _load(self, path: str) -> Any:
        what = f"the model {path}"
        check_archive(path, what, _HINT)
        keras = store.import_keras()
        try:
            model = keras.models.load_model(path, compile=False, safe_mode=True)
            shapes = (model.input_shape, model.output_shape)
        except Exception as error:  # Keras raises many types
            text = " ".join(str(error).split())[:300]
            raise WeightsError(f"Keras cannot load {what}: {text}", _HINT) from error
        if shapes != ((None, self.size, self.size, 3), (None, len(self.class_names))):
            raise WeightsError(f"{what} is damaged: its network does not fit its classes", _HINT)
        store.check_values(model, what, _HINT)
        self._check_head(model, what)
        return model

    def _check_head(self, model: Any, what: str) -> None:
        """Check that mnv2 and Keras compute the scores with the same numbers."""
        import numpy as np

        head = self.content.head
        own = [head.kernel, head.bias]
        found = model.layers[-1].get_weights()
        if len(found) != 2 or not all(map(np.array_equal, own, found)):
            raise WeightsError(f"{what} is damaged: it has two different heads", _HINT)


class _BackboneInFile:
    """The network in the file of a learned model, without its head.

    Its attributes are those of the network that the file names, except for the weights.
    """

    def __init__(self, learned: LearnedModel, published: Model) -> None:
        self._learned = learned
        self._published = published
        self.name = f"{published.name} of {learned.model}"
        self.features = published.features
        self.weights = learned.weights
        self.class_names: tuple[str, ...] = ()
        self.head: Head | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._published, name)

    @property
    def backbone(self) -> Any:
        """Itself."""
        return self

    def identity(self) -> dict[str, str | float]:
        """Return everything that identifies this network."""
        return self._learned.identity() | {"part": "backbone", "divisor": self._published.divisor}

    def build(self) -> Any:
        """Return a Keras model from scaled float32 [n, size, size, 3] to [n, classes].

        The input of its last layer is the features. Its scores are not those of the model, which
        normalises the features first; engines compare them with their own all the same.
        """
        from mnv2cli.models.learned_template import BACKBONE

        model = self._learned.build()
        try:
            body, head = model.get_layer(BACKBONE), model.layers[-1]
            last = type(head).from_config(
                head.get_config()
            )  # a layer has the input of its first use
            network = type(model)(body.input, last(body.output))
            last.set_weights(head.get_weights())
            return network
        except (ValueError, TypeError, AttributeError) as error:
            what = f"the model {self.weights}"
            raise WeightsError(
                f"{what} is damaged: it has no network {BACKBONE!r}", _HINT
            ) from error
