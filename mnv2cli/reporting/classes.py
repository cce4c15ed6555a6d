"""The names that a page offers as corrections: of the model's classes and of the user's own."""

from __future__ import annotations

from collections.abc import Iterable

from mnv2cli.errors import WeightsError
from mnv2cli.labels.categories_file import builtin
from mnv2cli.labels.imagenet import distinct_name, imagenet_labels
from mnv2cli.models.learned_file import read_learned
from mnv2cli.models.own import own_models
from mnv2cli.records import Record


def class_names(records: Iterable[Record]) -> list[str]:
    """Return all names that photos can be given, each once, the user's own classes first.

    They are the classes of the models that were added with ``mnv2 models add``, and for labels of
    ImageNet all its classes and the categories. Of two classes with one name, the name ends in its
    WordNet id, as in ``crane (n02012849)``.
    """
    names: dict[str, None] = {}
    for path in own_models().values():
        try:
            names |= dict.fromkeys(read_learned(path).class_names)
        except WeightsError:  # damaged, or made elsewhere
            continue
    if any(each.wnid for record in records for each in record.predictions[:1]):
        names |= dict.fromkeys(category.name for category in builtin().all)
        names |= dict.fromkeys(map(distinct_name, imagenet_labels()))
    return list(names)
