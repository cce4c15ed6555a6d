"""What a run computes of each image: labels, features, or both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from mnv2cli.errors import ImageError
from mnv2cli.inference.labelling import Labelling
from mnv2cli.records import Record, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.engines import Engine


class Recorder(Protocol):
    """Computes what a record needs; called by all workers of a run."""

    def known(self, source: Source) -> Record | None:
        """Return the record of an image of which nothing is left to compute, else None."""
        ...

    def predict(self, engine: Engine, batch: NDArray[np.uint8]) -> Iterable[Any]:
        """Run the engine on uint8 [n, size, size, 3]; return what ``record`` needs of each."""
        ...

    def record(self, source: Source, output: Any) -> Record:
        """Return the record of an image from what ``predict`` returned for it."""
        ...

    def failed(self, source: Source, error: str) -> Record:
        """Return the record of an unreadable image."""
        ...


class FeatureStore(Protocol):
    """Keeps the features of images from run to run; called by all workers, and never fails."""

    def find(self, path: str) -> NDArray[np.float32] | None:
        """Return the features of an image, float32 [features]; None if they are not kept."""
        ...

    def add(self, path: str, features: NDArray[np.float32]) -> None:
        """Keep the features of an image, float32 [features]."""
        ...

    def close(self) -> None:
        """Write what is not written yet."""
        ...


@dataclass(frozen=True, slots=True)
class LabelsAndFeatures:
    """Records with predictions and features, in one pass.

    Attributes:
        labelling: Turns scores into records.
    """

    labelling: Labelling

    def known(self, source: Source) -> Record | None:
        """Return None: labels are always computed."""
        return None

    def predict(self, engine: Engine, batch: NDArray[np.uint8]) -> Iterable[Any]:
        """Return scores and features of each image of uint8 [n, size, size, 3]."""
        return zip(*engine.run(batch), strict=True)

    def record(self, source: Source, output: Any) -> Record:
        """Return the record of an image from its scores and its features."""
        scores, features = output
        record = self.labelling.record(source, scores)
        return record if record.error else replace(record, embedding=features)

    def failed(self, source: Source, error: str) -> Record:
        """Return the record of an unreadable image."""
        return self.labelling.failed(source, error)


@dataclass(frozen=True, slots=True)
class Embedding:
    """Records with features and without predictions; features that are kept are not recomputed.

    Attributes:
        model: The name of the network, for every record.
        store: Keeps features; None to compute all.
    """

    model: str
    store: FeatureStore | None = None

    def known(self, source: Source) -> Record | None:
        """Return the record of an image whose features are kept, else None."""
        features = self.store.find(source.path) if self.store else None
        return None if features is None else self._record(source, features)

    def predict(self, engine: Engine, batch: NDArray[np.uint8]) -> Iterable[Any]:
        """Return the features of each image of uint8 [n, size, size, 3]."""
        return engine.run(batch).features

    def record(self, source: Source, output: Any) -> Record:
        """Return the record of an image from its features, float32 [features]."""
        import numpy as np

        if not np.isfinite(output).all():
            error = ImageError("no usable features", "the model's output is not a number")
            return self.failed(source, str(error))
        if self.store:
            self.store.add(source.path, output)
        return self._record(source, output)

    def _record(self, source: Source, features: NDArray[np.float32]) -> Record:
        return Record(source.path, model=self.model, position=source.position, embedding=features)

    def failed(self, source: Source, error: str) -> Record:
        """Return the record of an unreadable image."""
        return Record(source.path, error=error, model=self.model, position=source.position)
