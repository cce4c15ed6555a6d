"""Options that select the network; ``@model_options`` passes them as ``model``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from mnv2cli.cli.grouping import grouped, section, together
from mnv2cli.cli.types import MODEL_NAME
from mnv2cli.models.elsewhere.scales import SCALES
from mnv2cli.models.options import ModelOptions

_model = section("Model")
variant_options = together(
    _model(
        "--alpha",
        advanced=True,
        type=float,
        metavar="WIDTH",
        help="Width of MobileNetV2: 0.35, 0.5, 0.75, 1.0, 1.3 or 1.4; less is faster.  "
        "[default: 1.0]",
    ),
    _model(
        "--size",
        advanced=True,
        type=int,
        metavar="PIXELS",
        help="Input size of MobileNetV2: 96, 128, 160, 192 or 224; less is faster. Only 224 "
        "with an alpha above 1.  [default: 224]",
    ),
)
_name_option = _model(
    "--model",
    type=MODEL_NAME,
    envvar="MNV2_MODEL",
    metavar="NAME",
    help="Use NAME [default: mobilenet_v2]; see mnv2 models list.",
)
_weights_option = _model(
    "--weights",
    advanced=True,
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Use your own weights for this network: .h5, .hdf5 or .keras; .pth for "
    "efficientnet_lite0.  "
    "[default: ImageNet weights, downloaded once]",
)
_scale_option = _model(
    "--scale",
    advanced=True,
    type=click.Choice(tuple(SCALES)),
    metavar="RANGE",
    help="Pixels of a --model from a file: 0..1, -1..1 or 0..255.  [default: as its first "
    "layers say]",
)


def _network_options(labels: str = "--labels") -> Callable[[Any], Any]:
    """Return the decorator for the options of a network.

    Args:
        labels: The option for the names of its classes.
    """
    labels_option = _model(
        labels,
        "model_labels",
        advanced=True,
        metavar="FILE",
        help="Labels of a --model from a file: one per line, or JSON.  [default: labels.txt "
        "beside it]",
    )
    return together(_name_option, labels_option, _scale_option, variant_options, _weights_option)


def _model_options(
    *,
    model: str | None,
    model_labels: str | None = None,
    refresh_weights: bool = False,
    **values: Any,
) -> ModelOptions:
    return ModelOptions(model or "", refresh=refresh_weights, labels=model_labels, **values)


_more = together(
    _model(
        "--accurate",
        is_flag=True,
        help="Get fewer labels wrong; takes more than twice as long.",
    ),
    _model(
        "--refresh-weights",
        advanced=True,
        is_flag=True,
        help="Download the ImageNet weights again.",
    ),
)
network_options = grouped("model", _model_options, _network_options())
backbone_options = grouped("model", _model_options, _name_option, variant_options, _weights_option)
"""The options of a network to learn on: its labels do not matter."""
model_options = grouped("model", _model_options, _network_options(), _more)
labelled_model_options = grouped("model", _model_options, _network_options("--model-labels"), _more)
"""The same for a command whose ``--labels`` are those of photos."""
