"""Scores of all classes for each image, where a run reports only the best."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mnv2cli.inference.feature_store import CachedFeatures, CachedScores
from mnv2cli.inference.recording import FeatureStore
from mnv2cli.inference.timings import Timings
from mnv2cli.records import Record, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.engines import Engine
    from mnv2cli.inference.classifier import Classifier

    ScoredRecords = Generator[tuple[Record, NDArray[np.float32]], None, None]


@dataclass(frozen=True, slots=True)
class _AllScores:
    """Records that carry the scores of an image, float32 [classes], as their embedding."""

    model: str
    store: FeatureStore | None = None

    def known(self, source: Source) -> Record | None:
        scores = self.store.find(source.path) if self.store else None
        return None if scores is None else self._record(source, scores)

    def predict(self, engine: Engine, batch: NDArray[np.uint8]) -> Iterable[Any]:
        return engine.predict(batch)

    def record(self, source: Source, output: NDArray[np.float32]) -> Record:
        import numpy as np

        if not np.isfinite(output).all():
            return self.failed(source, "no usable scores: the model's output is not a number")
        if self.store:
            self.store.add(source.path, output)
        return self._record(source, output)

    def _record(self, source: Source, scores: NDArray[np.float32]) -> Record:
        return Record(source.path, model=self.model, position=source.position, embedding=scores)

    def failed(self, source: Source, error: str) -> Record:
        return Record(source.path, error=error, model=self.model, position=source.position)


def scores_store(classifier: Classifier) -> CachedFeatures:
    """Return the cache for :func:`score_run`: of features for a learned model, else of scores."""
    kind = CachedScores if classifier.network.head is None else CachedFeatures
    return kind(classifier)


def score_run(
    classifier: Classifier,
    sources: Iterable[Source],
    store: FeatureStore | None = None,
    timings: Timings | None = None,
    sample: Callable[[], Iterable[str]] | None = None,
    *,
    thumbnails: bool = False,
) -> ScoredRecords:
    """Yield a record without predictions and all scores of each source, in order.

    Scores are float32 [classes]; empty for an unreadable image. A learned model computes them from
    features, which may be kept in the store; with ``unknown`` among the labels to report, its score
    is the last.

    Args:
        classifier: Classifies the images.
        sources: The images.
        store: Keeps features of a learned model, or scores of another, from run to run; see
            :func:`scores_store`.
        timings: Receives the seconds.
        sample: Returns the images to calibrate int8 on; None for the first of the sources.
        thumbnails: Add a thumbnail to the records of images that are decoded for their scores, not
            to those of learned models.
    """
    import numpy as np

    network, timings = classifier.network, timings or Timings()
    if network.head is not None:
        records = classifier.embed_run(sources, store, timings, sample)
    else:
        records = classifier._run(
            lambda: _AllScores(network.model, store),
            sources,
            timings,
            sample,
            None,
            thumbnails=thumbnails,
        )
    nothing = np.zeros(0, np.float32)
    unknown = bool(classifier.options.labels.unknown)
    with closing(records):
        for record in records:
            found = record.embedding
            if found is None:
                yield record, nothing
                continue
            head = network.head
            scores = found if head is None else head.scores(found[None], unknown=unknown)[0]
            yield replace(record, embedding=None), scores
