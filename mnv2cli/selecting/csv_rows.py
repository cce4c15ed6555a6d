"""Rows of a wide CSV, selected by their cells: no record is made for a row."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from itertools import chain
from math import inf
from typing import NamedTuple

from mnv2cli.errors import InputError
from mnv2cli.records import Record, lead
from mnv2cli.results.csv_format import cells_of, is_safe_csv
from mnv2cli.results.fields import (
    CATEGORY,
    ERROR,
    MAX_SCORE,
    NODE,
    PATH,
    PREDICTION,
    STATUS,
    Field,
    score_of,
)
from mnv2cli.results.schema import Layout, Schema, repair_hint
from mnv2cli.selecting.conditions import (
    Conditions,
    Key,
    NameTest,
    Order,
    SortBy,
    SortValue,
    name_key,
)
from mnv2cli.selecting.csv_lines import MAX_ROW, Cells, all_cells, blocks, quoted, whole
from mnv2cli.selecting.sieve import Sieve
from mnv2cli.sources.names import natural_key
from mnv2cli.system.messages import reason

_STATUSES = (b"ok", b"error")


class CsvRow(NamedTuple):
    """A row of a CSV.

    Attributes:
        raw: Its bytes, with the line feed.
        cells: Its first cells; none if they are not read.
        start: The offset of its first byte.
        line: The number of its first line, from 1.
    """

    raw: bytes
    cells: Cells
    start: int
    line: int


class CsvRows:
    """A CSV of results with a row for each image, whose cells are not escaped.

    Args:
        path: The file.

    Attributes:
        header: Its first line, with the line feed.
        names: Its columns.
        layout: The layout of its rows.

    Raises:
        InputError: It cannot be read, or is not such a file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            with open(path, "rb") as file:
                self.header = file.readline(MAX_ROW)
        except OSError as error:
            raise InputError(f"cannot read the results {path!r}: {reason(error)}") from error
        head = self.header.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n") + b"\n"
        self.names = cells_of(head) or []
        self._schema = Schema.of_columns(self.names)  # ValueError: not results
        self.layout: Layout = self._schema.layout
        self._at = {name: place for place, name in enumerate(self.names)}

    @classmethod
    def of(cls, path: str) -> CsvRows | None:
        """Return the rows of a file; None if not a CSV, damaged, escaped, or a long table."""
        if not path.lower().endswith(".csv") or is_safe_csv(path):
            return None
        try:
            made = cls(path)
        except ValueError:
            return None
        unique = len(set(made.names)) == len(made.names)
        return made if unique and not made.layout.long and made.layout.top else None

    def _rows(
        self, test: Callable[[Cells], bool] | None, last: int, sieve: Sieve | None
    ) -> Iterator[CsvRow]:
        """Yield the rows that pass a test; this loop decides how fast it all is.

        Args:
            test: Called with the first cells of a row.
            last: The last column that is looked at.
            sieve: Drops most rows that do not pass the test.

        Raises:
            InputError: A row is damaged, or the file cannot be read.
        """
        commas, status = len(self.names) - 1, self._at[STATUS.name]
        last = max(last, status, self._at[PATH.key])
        index = 0
        try:
            with open(self._path, "rb", buffering=0) as file:
                file.seek(len(self.header))
                lines = chain.from_iterable(blocks(file, len(self.header), sieve))
                for line, before, index in lines:
                    raw = line
                    if b'"' in line or b"\r" in line:
                        raw = whole(line, lines)
                        cells = quoted(raw) if raw != b"\r" else []
                        if len(cells) != commas + 1 and raw != b"\r":
                            raise self._damaged(index + 2)
                    elif line.count(b",") == commas:
                        cells = line.split(b",", last + 1)
                    elif line:
                        raise self._damaged(index + 2)
                    else:
                        continue
                    if cells:
                        if cells[status] not in _STATUSES:
                            raise self._damaged(index + 2)
                        if test is None or test(cells):
                            yield CsvRow(raw + b"\n", cells, before + index, index + 2)
        except ValueError as error:
            raise self._damaged(index + 2) from error
        except OSError as failed:
            why = reason(failed)
            raise InputError(f"cannot read the results {self._path!r}: {why}") from failed

    def selected(self, conditions: Conditions, order: Order) -> Iterator[CsvRow]:
        """Yield the rows that meet conditions, in order."""
        rows = self._matching(conditions, order.sort)
        if order.sort is None:
            yield from order.sorted(rows, lambda row: None)
            return
        key = self._checked(self._key(conditions, order.sort))
        if order.limit is not None:
            yield from order.sorted(rows, key)
            return
        # Keys and offsets of all rows fit into memory; the rows may not.
        keys: list[SortValue] = []
        starts, lengths, lines = array("q"), array("q"), array("q")
        for row in order.sampled(rows):
            keys.append(key(row))
            starts.append(row.start)
            lengths.append(len(row.raw))
            lines.append(row.line)
        with open(self._path, "rb", buffering=0) as file:
            for place in order.order(keys):
                file.seek(starts[place])
                raw = file.read(lengths[place] - 1) + b"\n"
                yield CsvRow(raw, [], starts[place], lines[place])

    def record(self, row: CsvRow) -> Record:
        """Return the record of a row; raises InputError if the row is damaged."""
        try:
            texts = map(_text, all_cells(row.raw))
            return self._schema.record(dict(zip(self.names, texts, strict=True)))
        except (KeyError, ValueError) as error:
            raise self._damaged(row.line) from error

    def path_of(self, row: CsvRow) -> str:
        """Return the path of a row."""
        return _text((row.cells or all_cells(row.raw))[self._at[PATH.key]])

    def _matching(self, conditions: Conditions, by: SortBy | None) -> Iterator[CsvRow]:
        tests = self._tests(conditions)
        last = self._last(conditions, by)
        sieve = self._sieve(conditions)
        if len(tests) < 2:
            return self._rows(tests[0] if tests else None, last, sieve)
        return self._rows(lambda cells: all(test(cells) for test in tests), last, sieve)

    def _sieve(self, conditions: Conditions) -> Sieve | None:
        """Return a sieve for conditions on the numbers of the best labels, if there are some."""
        if conditions.subject != "label" or conditions.any_rank:
            return None
        if not (conditions.has_score or conditions.has_margin):
            return None
        if conditions.has_margin and self.layout.top < 2:
            return None
        best, second = (self._at.get(PREDICTION.ranked(rank).key) for rank in (1, 2))
        assert best is not None
        status = self._at[STATUS.name]
        second = second if conditions.has_margin else None
        return Sieve(len(self.names), status, best, second, conditions)

    def _last(self, conditions: Conditions, by: SortBy | None) -> int:
        """Return the last column that conditions and an order look at."""
        if conditions.errors or conditions.categories or conditions.nodes or conditions.any_rank:
            return len(self.names) - 1
        rank = 2 if conditions.has_margin or by == "margin" else 1
        columns = PREDICTION.ranked(min(rank, self.layout.top)).columns
        return max(self._at.get(each.name, 0) for each in columns + PREDICTION.ranked(1).columns)

    def _checked(self, key: Key[Cells]) -> Key[CsvRow]:
        def checked(row: CsvRow) -> SortValue:
            try:
                return key(row.cells)
            except ValueError as error:
                raise self._damaged(row.line) from error

        return checked

    # Each function below is that of the same name in Conditions, on cells.

    def _tests(self, conditions: Conditions) -> list[Callable[[Cells], bool]]:
        """Return the tests that a row must pass, the cheapest first."""
        tests: list[Callable[[Cells], bool]] = []
        status, error, path = (self._at[n] for n in (STATUS.name, ERROR.key, PATH.key))
        if conditions.status:
            is_wanted = conditions.status.encode()
            tests.append(lambda cells: cells[status] == is_wanted)
        if conditions.errors:
            wanted = conditions.error_test
            tests.append(
                lambda cells: bool(cells[error]) and wanted(_text(cells[error]).partition(":")[0])
            )
        for names, field, test in (
            (conditions.labels, PREDICTION.ranked(1), conditions.label_test),
            (conditions.categories, CATEGORY, conditions.category_test),
            (conditions.nodes, NODE, conditions.node_test),
        ):
            if names:
                tests.append(self._name_test(conditions, field, test))
        if conditions.has_score or conditions.has_margin:
            if conditions.subject == "label" and not (conditions.any_rank or conditions.has_margin):
                tests.append(self._score_test(conditions))
            else:
                score = self._score(conditions)
                margin = self._margin(conditions) if conditions.has_margin else lambda cells: None
                tests.append(lambda cells: conditions.accepts(score(cells), margin(cells)))
        if conditions.paths:
            tests.append(lambda cells: conditions.path_matches(_text(cells[path])))
        return tests

    def _score_test(self, conditions: Conditions) -> Callable[[Cells], bool]:
        """Return the test of the best label's score, which is the most used."""
        at = self._at[PREDICTION.ranked(1).key]
        low = 0.0 if conditions.min_score is None else conditions.min_score
        high = inf if conditions.max_score is None else conditions.max_score

        def test(cells: Cells) -> bool:
            if not (cell := cells[at]):
                return False
            score = float(cell)  # as score_of, without a call for each row
            if not 0 <= score <= MAX_SCORE:
                raise ValueError
            return low <= score <= high

        return test

    def _name_test(
        self, conditions: Conditions, field: Field, test: NameTest
    ) -> Callable[[Cells], bool]:
        if field.key not in self._at:
            return lambda cells: False
        if field.name == PREDICTION.name and conditions.any_rank:
            wanted = self._wanted(test)
            return lambda cells: any(True for _ in wanted(cells))
        # A name counts only where there is a score, as for records; a category has no ID.
        columns = [self._at[each.name] for each in field.columns]
        if field is CATEGORY:
            name, number, _ = columns
            return lambda cells: bool(cells[number]) and test(cells[name])
        name, wnid, number = columns
        return lambda cells: bool(cells[number]) and (test(cells[name]) or test(cells[wnid]))

    def _wanted(self, test: NameTest) -> Callable[[Cells], Iterator[float]]:
        """Return a function that yields the scores of the wanted labels, at any rank."""
        ranks = [
            [self._at[each.name] for each in PREDICTION.ranked(rank).columns]
            for rank in range(1, self.layout.top + 1)
        ]

        def scores(cells: Cells) -> Iterator[float]:
            for name, wnid, number in ranks:
                if not cells[number]:
                    return
                if test(cells[name]) or test(cells[wnid]):
                    yield score_of(cells[number])

        return scores

    def _score(self, conditions: Conditions) -> Callable[[Cells], float | None]:
        if conditions.subject == "category":
            return self._category(1)
        if conditions.any_rank:
            wanted = self._wanted(conditions.label_test)
            return lambda cells: max(wanted(cells), default=None)
        key = NODE.key if conditions.subject == "node" else PREDICTION.ranked(1).key
        if key not in self._at:
            return lambda cells: None
        at = self._at[key]
        return lambda cells: score_of(cells[at]) if cells[at] else None

    def _margin(self, conditions: Conditions) -> Callable[[Cells], float | None]:
        if conditions.subject == "category":
            return self._category(2)
        if self.layout.top < 2:
            return lambda cells: None
        best, second = (self._at[PREDICTION.ranked(rank).key] for rank in (1, 2))

        def margin(cells: Cells) -> float | None:
            if not cells[best] or not cells[second]:
                return None
            return lead(score_of(cells[best]), score_of(cells[second]))

        return margin

    def _category(self, column: int) -> Callable[[Cells], float | None]:
        """Return a function that returns a number of the category, if there is a category."""
        if CATEGORY.key not in self._at:
            return lambda cells: None
        name, score, number = (self._at[CATEGORY.columns[each].name] for each in (0, 1, column))
        return lambda cells: score_of(cells[number]) if cells[name] and cells[score] else None

    def _key(self, conditions: Conditions, by: SortBy) -> Key[Cells]:
        if by == "path":
            path = self._at[PATH.key]
            return lambda cells: natural_key(_text(cells[path]))
        if by == "label":
            field = {"category": CATEGORY, "node": NODE}.get(
                conditions.subject, PREDICTION.ranked(1)
            )
            if field.key not in self._at:
                return lambda cells: None
            name, key = self._at[field.columns[0].name], self._at[field.key]
            return lambda cells: name_key(_text(cells[name]) if cells[key] else "")
        return self._score(conditions) if by == "score" else self._margin(conditions)

    def _damaged(self, line: int) -> InputError:
        return InputError(f"{self._path!r} is damaged in line {line}", repair_hint(self._path))


def _text(cell: bytes) -> str:
    return cell.decode("utf-8", "surrogateescape")
