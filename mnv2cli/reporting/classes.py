"""The names that a page offers as corrections, in addition to those that its photos have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mnv2cli.errors import WeightsError
from mnv2cli.labels.categories_file import builtin
from mnv2cli.labels.imagenet import distinct_name, imagenet_labels
from mnv2cli.models.learned_file import read_learned
from mnv2cli.models.own import own_models
from mnv2cli.records import Record


@dataclass(frozen=True, slots=True)
class ClassNames:
    """Names that a photo can be given.

    Attributes:
        own: The classes of the models that were added with ``mnv2 models add``.
        labels: All classes of ImageNet, if the photos have such labels. Of two with one name, the
            name ends in its WordNet id, as in ``crane (n02012849)``.
        categories: The categories, likewise.
    """

    own: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


def class_names(records: Iterable[Record]) -> ClassNames:
    """Return the names to offer for photos."""
    own: dict[str, None] = {}
    for path in own_models().values():
        try:
            own |= dict.fromkeys(read_learned(path).class_names)
        except WeightsError:  # damaged, or made elsewhere
            continue
    if not any(each.wnid for record in records for each in record.predictions[:1]):
        return ClassNames(tuple(own))
    labels = tuple(map(distinct_name, imagenet_labels()))
    return ClassNames(tuple(own), labels, tuple(each.name for each in builtin().all))
