"""The 1,000 ImageNet classes, in the order of the network's outputs."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import NamedTuple

CLASS_COUNT = 1000


class Label(NamedTuple):
    """A class: its WordNet id, which is unique, and its name, which two classes may share."""

    wnid: str
    name: str


@cache
def imagenet_labels() -> tuple[Label, ...]:
    """Return the 1,000 classes of ILSVRC 2012 in the order of the outputs of Keras's networks.

    Source: Keras's ``imagenet_class_index.json``, with underscores replaced by spaces.
    """
    text = files("mnv2cli.labels").joinpath("data/imagenet_classes.csv").read_text(encoding="utf-8")
    return tuple(Label(row["wnid"], row["name"]) for row in csv.DictReader(text.splitlines()))


@cache
def _shared_names() -> frozenset[str]:
    names = [label.name for label in imagenet_labels()]
    return frozenset(name for name in names if names.count(name) > 1)


def distinct_name(label: Label) -> str:
    """Return a name that only one class has: ``crane (n02012849)``, where two have the same."""
    return f"{label.name} ({label.wnid})" if label.name in _shared_names() else label.name
