"""Images with similar features: the nearest of a query, and groups around the best images.

Scores are cosines of features. Blocks of fixed size are multiplied with numpy: it finds every pair,
its memory is bounded, and an approximate index takes longer to build than one pass over the blocks.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol

from mnv2cli.errors import InputError
from mnv2cli.sources.names import natural_key

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 2048
"""Rows that are multiplied at a time: 10 MB of features of length 1,280, 17 MB of scores."""

DIGITS = 6
"""Decimals of a score; sums of float32 products differ in the next one."""

_AT_ONCE = 64  # images that others may join, whose looks are compared at a time
_SLACK = 1e-5  # the error of a float32 product, with a margin

Features = tuple[Sequence[str], "NDArray[np.float32]"]
"""The paths of some images, and their raw features: float32 [m, d]."""


class Neighbour(NamedTuple):
    """An image that is similar to another.

    Attributes:
        path: Its path.
        score: The cosine of their features, rounded to :data:`DIGITS` decimals.
    """

    path: str
    score: float


def unit_rows(features: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return features with rows of length 1; a row of zeros stays, and is similar to nothing.

    Args:
        features: Any floats [n, d].

    Returns:
        float32 [n, d].
    """
    import numpy as np

    rows = np.asarray(features, np.float32)
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows, dtype=np.float64))
    lengths[lengths == 0] = 1
    return np.asarray(rows / lengths[:, None], np.float32)


def scores_of(one: NDArray[np.float32], two: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the cosines of pairs of rows: they don't depend on how rows are put into blocks.

    Args:
        one: Rows of length 1, float32 [n, d].
        two: Rows of length 1, float32 [n, d].

    Returns:
        float64 [n], rounded to :data:`DIGITS` decimals.
    """
    import numpy as np

    found = np.empty(len(one), np.float64)
    for start in range(0, len(one), BLOCK):
        part = slice(start, start + BLOCK)
        products = one[part].astype(np.float64)
        products *= two[part]
        found[part] = products.sum(axis=1)
    return np.asarray(np.round(np.clip(found, -1, 1), DIGITS), np.float64)


def nearest(
    queries: NDArray[np.float32],
    blocks: Iterable[Features],
    count: int,
    is_own: Callable[[int, str], bool] = lambda query, path: False,
) -> list[list[Neighbour]]:
    """Return the images that are nearest to each query, best first.

    Equal scores are in the natural order of their paths. One block is in memory at a time, so a
    file of any length can be searched.

    Args:
        queries: Raw features, float32 [q, d].
        blocks: The images to search; consumed lazily.
        count: The number of neighbours of each query.
        is_own: Called with the index of a query and a path, returns whether that path is the query
            itself, which is omitted.

    Raises:
        InputError: The features of the images have another length than those of the queries.
    """
    import numpy as np

    wanted = unit_rows(queries)
    best: list[list[Neighbour]] = [[] for _ in wanted]
    for paths, features in _small(blocks):
        check_length(features.shape[1], wanted.shape[1])
        rows = unit_rows(features)
        scores = wanted @ rows.T
        for query, found in enumerate(best):
            least = found[-1].score - _SLACK if len(found) == count else -np.inf
            (chosen,) = np.nonzero(scores[query] >= least)
            if len(chosen) > count + 1:  # one may be the query; equal scores are all kept
                row = scores[query, chosen]
                kth = np.partition(row, -count - 1)[-count - 1]
                chosen = chosen[row >= kth - _SLACK]
            if not len(chosen):
                continue
            exact = scores_of(np.broadcast_to(wanted[query], rows[chosen].shape), rows[chosen])
            found += [
                Neighbour(paths[place], float(score))
                for place, score in zip(chosen.tolist(), exact.tolist(), strict=True)
                if not is_own(query, paths[place])
            ]
            found.sort(key=lambda item: (-item.score, natural_key(item.path), item.path))
            del found[count:]
    return best


def check_length(length: int, expected: int) -> None:
    """Check that features come from one network.

    Raises:
        InputError: Their lengths differ.
    """
    if length != expected:
        raise InputError(
            f"features of length {length:,} cannot be compared with features of length "
            f"{expected:,}: they come from different networks",
            "Use the network with which the features were written.",
        )


def _small(blocks: Iterable[Features]) -> Iterator[Features]:
    for paths, features in blocks:
        for start in range(0, len(paths), BLOCK):
            yield paths[start : start + BLOCK], features[start : start + BLOCK]


class FeatureRows(AbstractContextManager["FeatureRows"]):
    """Features of many images in a temporary file: rows of length 1, read back in blocks.

    100,000 rows of length 1,280 take 512 MB of the disk, and 10 MB of memory at a time.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="mnv2-")  # noqa: SIM115
        self._length = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, features: NDArray[np.float32]) -> None:
        """Add raw features, float32 [n, d].

        Raises:
            InputError: They have another length than those before.
            OSError: The disk is full.
        """
        if self._count:
            check_length(features.shape[1], self._length)
        self._length = features.shape[1]
        self._file.write(unit_rows(features).tobytes())
        self._count += len(features)

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return rows, float32 [stop - start, d]; fewer at the end."""
        import numpy as np

        size = 4 * self._length
        self._file.seek(size * start)
        content = self._file.read(size * (min(stop, self._count) - start))
        return np.frombuffer(content, np.float32).reshape(-1, self._length)

    def reordered(self, order: NDArray[np.intp]) -> FeatureRows:
        """Return a copy with rows in another order: int [n], the old number of each new row."""
        import numpy as np

        copy = FeatureRows()
        copy._length = self._length
        for start in range(0, len(order), BLOCK):
            numbers = order[start : start + BLOCK]
            rows = np.empty((len(numbers), self._length), np.float32)
            for place, number in enumerate(numbers.tolist()):
                rows[place] = self.read(number, number + 1)[0]
            copy._file.write(rows.tobytes())
            copy._count += len(rows)
        return copy

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()


class Agreement(Protocol):
    """Another condition on pairs of images, by their rows."""

    def prepare(self, rows: NDArray[np.intp]) -> None:
        """Prepare for pairs of some images: int [n], sorted, without repeats."""
        ...

    def __call__(self, rows: NDArray[np.intp], others: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return which images, int [n], look like which others, int [m]: bool [n, m]."""
        ...


@dataclass(frozen=True, slots=True)
class Leaders:
    """Which image each image belongs to.

    Attributes:
        leader: For each row, the row of the image it belongs to; itself if it is kept. int [n].
        score: Their cosine; 1 for a kept image. float64 [n].
    """

    leader: NDArray[np.intp]
    score: NDArray[np.float64]


def find_leaders(
    rows: FeatureRows,
    threshold: float,
    agreement: Agreement | None = None,
    advance: Callable[[int], None] = lambda count: None,
    block: int = BLOCK,
) -> Leaders:
    """Group images around the best ones, without chains.

    In order, each image joins the kept image that it is most similar to (the first of equals), if
    their cosine reaches the threshold and they agree; else it is kept. So every image of a group
    is near the kept one, and an image that is near only another member is kept.

    Args:
        rows: The features, the best image first.
        threshold: The least cosine.
        agreement: Another condition on pairs; called only for pairs that reach the threshold.
        advance: Called with the number of images decided since the last call.
        block: The number of rows that are compared at a time; it does not change the result.
    """
    import numpy as np

    count = len(rows)
    found = Leaders(np.arange(count), np.full(count, -np.inf))
    for start in range(0, count, block):
        new = rows.read(start, start + block)
        for low in range(0, start + 1, block):
            kept = np.arange(low, min(low + block, count))
            old = new
            if low < start:
                kept = kept[found.leader[kept] == kept]
                old = rows.read(low, low + block)[kept - low]
            _join((kept, old), (start, new), threshold, agreement, found)
        advance(len(new))
    found.score[found.leader == np.arange(count)] = 1
    return found


def _join(
    old: tuple[NDArray[np.intp], NDArray[np.float32]],
    new: tuple[int, NDArray[np.float32]],
    threshold: float,
    agreement: Agreement | None,
    found: Leaders,
) -> None:
    """Let images join those of a block that are kept.

    Args:
        old: The numbers of images, and their rows.
        new: The number of the first of the images that may join, and their rows.
        threshold: The least cosine.
        agreement: See :func:`find_leaders`.
        found: What is known so far; receives the result.
    """
    import numpy as np

    (numbers, rows), (start, joining) = old, new
    near = rows @ joining.T >= threshold - _SLACK
    if rows is joining:
        near = np.triu(near, 1)
    leading = np.nonzero(near.any(axis=1))[0]
    if agreement is not None and len(leading):
        agreement.prepare(np.union1d(numbers[leading], np.nonzero(near.any(axis=0))[0] + start))
    for low in range(0, len(leading), _AT_ONCE):
        places = leading[low : low + _AT_ONCE]
        columns = np.nonzero(near[places].any(axis=0))[0]
        alike = near[np.ix_(places, columns)]
        if agreement is not None:
            alike &= agreement(numbers[places], columns + start)
        for place, chosen in zip(places.tolist(), alike, strict=True):
            _join_one(place, columns[chosen], old, new, threshold, found)


def _join_one(
    place: int,
    others: NDArray[np.intp],
    old: tuple[NDArray[np.intp], NDArray[np.float32]],
    new: tuple[int, NDArray[np.float32]],
    threshold: float,
    found: Leaders,
) -> None:
    """Let images join one image, unless that has joined another image of its block."""
    import numpy as np

    (numbers, rows), (start, joining) = old, new
    number = int(numbers[place])
    if found.leader[number] == number and len(others):
        scores = scores_of(np.broadcast_to(rows[place], joining[others].shape), joining[others])
        better = (scores >= threshold) & (scores > found.score[others + start])
        found.leader[others[better] + start] = number
        found.score[others[better] + start] = scores[better]
