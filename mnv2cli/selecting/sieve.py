"""Drop most rows of a CSV that cannot meet a condition on numbers, many rows at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnv2cli.results.fields import MAX_SCORE
from mnv2cli.selecting.conditions import Conditions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LINE_FEED, _COMMA = b"\n,"
_WIDEST = 24  # bytes of a number
_ERROR = 1e-6  # more than the rounding of a lead


@dataclass(frozen=True, slots=True)
class Sieve:
    """Finds the rows whose numbers may meet conditions.

    Attributes:
        columns: The number of columns.
        status: The place of the status.
        score: The place of the score.
        second: The place of the score that is led; None without a condition on the margin.
        conditions: The conditions; others than those on numbers are not looked at.
    """

    columns: int
    status: int
    score: int
    second: int | None
    conditions: Conditions

    def __call__(self, block: bytes) -> list[tuple[int, int, int]] | None:
        """Return the rows of a block that may meet the conditions.

        Args:
            block: Whole lines.

        Returns:
            The number of each row in the block, its first byte and that of its line feed; None if
            the block must be read row by row: it has quotes, or may be damaged.
        """
        import numpy as np

        if b'"' in block or b"\r" in block:
            return None
        data = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(data == _LINE_FEED)
        commas = np.flatnonzero(data == _COMMA)
        if not len(ends) or len(commas) != len(ends) * (self.columns - 1):
            return None
        starts = np.concatenate([[0], ends[:-1] + 1])
        inner = commas.reshape(len(ends), self.columns - 1)
        if (inner[:, 0] < starts).any() or (inner[:, -1] > ends).any():
            return None
        edges = np.column_stack([starts - 1, inner, ends])
        lengths = edges[:, self.status + 1] - edges[:, self.status] - 1
        first = data[edges[:, self.status] + 1]
        is_ok, is_error = (first == ord("o")) & (lengths == 2), (first == ord("e")) & (lengths == 5)
        if not (is_ok | is_error).all():
            return None
        best = _numbers(data, edges, self.score)
        second = None if self.second is None else _numbers(data, edges, self.second)
        if best is None or (self.second is not None and second is None):
            return None
        kept = np.flatnonzero(self._may_meet(best, second))
        rows: Iterable[list[int]] = zip(  # type: ignore[assignment]
            kept.tolist(), starts[kept].tolist(), ends[kept].tolist(), strict=True
        )
        return list(rows)  # type: ignore[arg-type]

    def _may_meet(
        self, best: NDArray[np.float64], second: NDArray[np.float64] | None
    ) -> NDArray[np.bool_]:
        import numpy as np

        where = self.conditions
        kept = np.ones(len(best), np.bool_)
        pairs = [(best, where.min_score, where.max_score)]
        if second is not None:
            pairs.append((best - second, where.min_margin, where.max_margin))
        for values, low, high in pairs:  # nan, no number, meets no condition
            if low is not None:
                kept &= values >= low - _ERROR
            if high is not None:
                kept &= values <= high + _ERROR
        return kept


def _numbers(
    data: NDArray[np.uint8], edges: NDArray[np.int64], column: int
) -> NDArray[np.float64] | None:
    """Return the numbers of a column, float64 [rows], nan for empty cells; None if not scores."""
    import numpy as np

    starts, ends = edges[:, column] + 1, edges[:, column + 1]
    width = int((ends - starts).max())
    numbers = np.full(len(starts), np.nan)
    if width == 0:
        return numbers
    if width > _WIDEST:
        return None
    places = starts[:, None] + np.arange(width)
    inside = places < ends[:, None]
    texts = np.where(inside, data[np.minimum(places, len(data) - 1)], 0).astype(np.uint8)
    cells = np.ascontiguousarray(texts).view(f"S{width}").ravel()
    filled = ends > starts
    try:
        scores = cells[filled].astype(np.float64)
    except ValueError:
        return None
    if not ((scores >= 0) & (scores <= MAX_SCORE)).all():  # nor nan
        return None
    numbers[filled] = scores
    return numbers
