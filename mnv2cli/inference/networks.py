"""What a network allows and requires: checks, its own defaults, and the labels of its classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from mnv2cli.errors import InputError
from mnv2cli.images.options import ImageOptions
from mnv2cli.inference.labelling import Labelling
from mnv2cli.inference.options import ClassifierOptions
from mnv2cli.labels.imagenet import Label, imagenet_labels
from mnv2cli.labels.options import LabelOptions
from mnv2cli.labels.rank import rank
from mnv2cli.models import Model
from mnv2cli.models.head import UNKNOWN

if TYPE_CHECKING:
    from mnv2cli.labels.categories import Categories
    from mnv2cli.labels.tree import Rollup


def check_network(network: Model, options: ClassifierOptions) -> None:
    """Check that a network can do what is requested.

    Raises:
        InputError: It does not suit the precision, lacks the classes of ImageNet that an option
            requires, or cannot tell what is unknown.
    """
    precision, labels = options.engine.precision, options.labels
    if precision not in network.precisions:
        raise InputError(
            f"--precision {precision} cannot be combined with --model {network.family}, "
            "which it does not suit",
            f"Omit --precision {precision}, or use --model mobilenet_v2.",
        )
    if network.class_names:
        for option, value in (
            ("--categories", labels.categories),
            ("--category", labels.category),
            ("--rollup", labels.rollup is not None),
        ):
            if value:
                raise InputError(
                    f"{option} requires ImageNet's classes, and {network.model} has its own",
                    f"Omit {option} or --model.",
                )
    if labels.unknown and (network.head is None or network.head.unknown is None):
        raise InputError(
            f"--unknown requires a model that mnv2 learn wrote, not {network.model}",
            "Omit --unknown, or use --min-score.",
        )


def check_features(network: Model) -> None:
    """Check that a network has features to use; raises InputError."""
    if not network.features:
        raise InputError(
            f"{network.name} has no features to use: its last layer has other inputs",
            "Use --model mobilenet_v2.",
        )


def for_network(network: Model, options: ClassifierOptions) -> ClassifierOptions:
    """Return the options with what the network determines, where the user chose nothing."""
    labels, images, usual = options.labels, options.images, ImageOptions()
    if labels.unknown is None:
        can_tell = network.head is not None and network.head.unknown is not None
        labels = replace(labels, unknown=can_tell)
    if network.class_names:
        labels = replace(labels, top=min(labels.top, len(network.class_names)))
    own: dict[str, Any] = {
        name: value
        for name, value in network.image_defaults.items()
        if getattr(images, name) == getattr(usual, name)
    }
    try:
        images = replace(images, **own)
    except InputError as error:
        raise InputError(f"{network.model} is damaged: {error.message}") from error
    return replace(options, labels=labels, images=images)


def class_labels(network: Model, *, unknown: bool = False) -> Sequence[Label]:
    """Return the label of each score of a network; a class of the user has no WordNet id.

    Args:
        network: The network.
        unknown: Whether the last score is that of ``unknown``.
    """
    if not network.class_names:
        return imagenet_labels()
    names = (*network.class_names, UNKNOWN) if unknown else network.class_names
    return [Label("", name) for name in names]


def labelling_of(network: Model, labels: LabelOptions, categories: Categories | None) -> Labelling:
    """Return what turns the scores of a network into records."""
    margin = labels.min_margin
    return Labelling(
        partial(
            rank,
            labels=class_labels(network, unknown=bool(labels.unknown)),
            top=labels.top,
            threshold=labels.min_score,
            min_margin=margin,
        ),
        categories and partial(categories, min_margin=margin),
        _rollup(labels.rollup),
        network.model,
    )


def categories_of(labels: LabelOptions) -> Categories | None:
    """Return the categories to report; None if none are requested; raises InputError."""
    if not (labels.categories or labels.category):
        return None
    from mnv2cli.labels.categories_file import builtin, load

    return load(labels.categories) if labels.categories else builtin()


def _rollup(min_score: float | None) -> Rollup | None:
    if min_score is None:
        return None
    from mnv2cli.labels.tree import Rollup

    return Rollup(min_score)
