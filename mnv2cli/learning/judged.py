"""Photos with their known class, and whether their best label is right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mnv2cli.labels.rank import rank
from mnv2cli.learning.evaluation import Judged, Scored
from mnv2cli.learning.metrics import TOP
from mnv2cli.records import Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.labels.imagenet import Label
    from mnv2cli.learning.dataset import Example


def judge(
    photos: Sequence[Example], records: Sequence[Record], scored: Scored
) -> tuple[Judged, ...]:
    """Return photos with their classes.

    Args:
        photos: The photos.
        records: The record of each.
        scored: The readable ones among them, in the same order.
    """
    titles = {target.name: target.title for target in scored.targets}
    right = iter(scored.right.tolist())
    return tuple(
        Judged(record, titles[photo.name], None if record.error else next(right))
        for photo, record in zip(photos, records, strict=True)
    )


def ranked(
    records: Sequence[Record], scores: NDArray[np.float32], labels: Sequence[Label]
) -> Iterator[Record]:
    """Yield records with their best five labels.

    Args:
        records: Without labels.
        scores: Those of the readable ones, float32 [n, c].
        labels: The c classes.
    """
    rows = iter(scores)
    for record in records:
        if record.error:
            yield record
        else:
            yield replace(record, predictions=rank(next(rows), labels, TOP))
