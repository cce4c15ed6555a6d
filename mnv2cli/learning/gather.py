"""Compute the features of photos, and find copies: what classes are learned from."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mnv2cli.inference.feature_store import CachedFeatures
from mnv2cli.learning.groups import conflicts
from mnv2cli.records import Record, Source
from mnv2cli.system.files import content_digest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.learning.dataset import Example

Watch = Callable[[Generator[Record, None, None], int], Iterator[Record]]
"""Yields the records of a number of photos, and may show their progress."""


def unwatched(records: Generator[Record, None, None], total: int) -> Iterator[Record]:
    """Yield records without showing progress."""
    return records


@dataclass(eq=False)
class Photos:
    """Photos with their features; those that cannot be read are apart.

    Attributes:
        examples: The n readable photos, in order.
        features: Raw features, float32 [n, d].
        digests: The SHA-256 of each photo's content in hexadecimal.
        unreadable: The path and the error of each photo that cannot be read.
    """

    examples: list[Example]
    features: NDArray[np.float32]
    digests: list[str]
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    def take(self, chosen: Sequence[int]) -> Photos:
        """Return the photos at some positions."""
        return replace(
            self,
            examples=[self.examples[each] for each in chosen],
            features=self.features[list(chosen)],
            digests=[self.digests[each] for each in chosen],
        )


class Embedder:
    """Computes the features of photos, or finds them in the cache.

    Args:
        classifier: Has the network.
        cache: Use and fill the cache of features.
        watch: Shows progress.
    """

    def __init__(
        self, classifier: Classifier, *, cache: bool = True, watch: Watch = unwatched
    ) -> None:
        self.classifier = classifier
        self._store = CachedFeatures(classifier) if cache else None
        self._watch = watch

    def embed(self, examples: Iterable[Example]) -> Photos:
        """Return photos with their features."""
        import numpy as np

        wanted = list(examples)
        sources = (Source(each.path, each.error) for each in wanted)
        readable: list[Example] = []
        rows: list[NDArray[np.float32]] = []
        digests: list[str] = []
        unreadable: list[tuple[str, str]] = []
        records = self.classifier.embed_run(
            sources, self._store, sample=lambda: [each.path for each in wanted]
        )
        with closing(records):
            for example, record in zip(wanted, self._watch(records, len(wanted)), strict=True):
                if record.embedding is None:
                    unreadable.append((example.path, record.error))
                elif not (digest := self.digest(example.path)):
                    unreadable.append((example.path, "cannot be read: it has changed"))
                else:
                    readable.append(example)
                    rows.append(record.embedding)
                    digests.append(digest)
        empty = np.empty((0, self.classifier.network.features), dtype=np.float32)
        return Photos(readable, np.stack(rows) if rows else empty, digests, unreadable)

    def digest(self, path: str) -> str:
        """Return the SHA-256 of a photo's content in hexadecimal; empty if it cannot be read."""
        if self._store and (digest := self._store.digest(path)):
            return digest
        try:
            return content_digest(path)
        except OSError:
            return ""

    def find_content(self, digest: str) -> NDArray[np.float32] | None:
        """Return the features of a photo by the SHA-256 of its content, from the cache, or None."""
        return self._store.find_content(digest) if self._store else None

    def close(self) -> None:
        """Store what is pending."""
        if self._store:
            self._store.close()


@dataclass(frozen=True)
class Distinct:
    """Photos without copies.

    Attributes:
        photos: The photos, each content once.
        copies: The path of each copy of another photo of its class.
        conflicts: Of each content that is in several classes, the paths and the classes; none of
            these photos is used, because which class is right is unknown.
    """

    photos: Photos
    copies: list[str]
    conflicts: list[tuple[tuple[str, ...], tuple[str, ...]]]


def distinct(photos: Photos, names: tuple[str, ...]) -> Distinct:
    """Return photos without copies, and without those whose copy is in another class."""
    import numpy as np

    index = {name: each for each, name in enumerate(names)}
    examples = photos.examples
    classes = np.array([index[each.name] for each in examples], dtype=np.int64)
    found = conflicts(photos.digests, classes)
    dropped = {photo for each in found for photo in each.photos}
    seen: set[str] = set()
    chosen, copies = [], []
    for photo, digest in enumerate(photos.digests):
        if photo in dropped:
            continue
        if digest in seen:
            copies.append(examples[photo].path)
        else:
            seen.add(digest)
            chosen.append(photo)
    return Distinct(
        photos.take(chosen),
        copies,
        [
            (
                tuple(examples[photo].path for photo in each.photos),
                tuple(names[one] for one in each.classes),
            )
            for each in found
        ],
    )
