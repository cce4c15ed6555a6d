"""The fields of a record: how each becomes cells of a table and JSON, and how it is read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from mnv2cli.records import CategoryScore, Prediction

Cell = str | int | float | None
"""What a table holds in one place; None is an empty cell."""

_LARGEST_SCORE = 1.001  # sums of rounded scores may be a little over 1


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        name: Its name, as in the header.
        type: Its type, by the name that Arrow gives it.
    """

    name: str
    type: Literal["string", "float32", "int32", "int64"] = "string"


@dataclass(frozen=True, slots=True)
class Field:
    """An attribute of a record: its cells, its JSON, and how it is read back from either.

    Attributes:
        name: The name of the attribute, and its key in JSON.
        columns: Its columns in a table.
        key: The column that is empty where a record does not have the attribute.
        cells: Called with a value, returns its cells.
        value: Called with the texts of the cells, returns the value; raises ValueError.
        to_json: Called with a value, returns it as JSON has it.
        from_json: Called with what JSON has, returns the value; raises KeyError, TypeError,
            ValueError or AttributeError.
        absent: The value of a record that does not have the attribute.
    """

    name: str
    columns: tuple[Column, ...]
    key: str
    cells: Callable[[Any], tuple[Cell, ...]]
    value: Callable[..., Any]
    to_json: Callable[[Any], object]
    from_json: Callable[[Any], Any]
    absent: Any = None

    def read(self, row: Mapping[str, str]) -> Any:
        """Return the value that a row of texts holds; raises KeyError or ValueError for damage."""
        if not row.get(self.key):
            return self.absent
        return self.value(*[row[column.name] for column in self.columns])

    def ranked(self, rank: int) -> Field:
        """Return the field with the columns that a wide table has for a rank, from 1."""
        columns = tuple(column._replace(name=f"{column.name}_{rank}") for column in self.columns)
        return replace(self, columns=columns, key=f"{self.key}_{rank}")


def is_row(path: str, status: object, error: str) -> bool:
    """Return whether what every row has fits together."""
    return bool(path) and status == ("error" if error else "ok")


def _score(given: Any) -> float:
    if isinstance(given, bool):
        raise ValueError
    score = float(given)
    if not 0 <= score <= _LARGEST_SCORE:  # also refuses nan
        raise ValueError
    return score


def _text_field(name: str) -> Field:
    return Field(
        name,
        (Column(name),),
        name,
        cells=lambda text: (text or None,),
        value=str,
        to_json=lambda text: text or None,
        from_json=_text_from_json,
        absent="",
    )


def _text_from_json(given: Any) -> str:
    text = given or ""
    if not isinstance(text, str):
        raise ValueError
    return text


def _prediction_field(name: str, label: str, wnid: str, score: str) -> Field:
    return Field(
        name,
        (Column(label), Column(wnid), Column(score, "float32")),
        score,
        cells=lambda p: (p.label, p.wnid, p.score) if p else (None, None, None),
        value=lambda label, wnid, score: Prediction(wnid, label, _score(score)),
        to_json=lambda p: p and {"wnid": p.wnid, "label": p.label, "score": p.score},
        from_json=_prediction_from_json,
    )


def _prediction_from_json(given: Any) -> Prediction:
    return Prediction(str(given["wnid"]), str(given["label"]), _score(given["score"]))


def _category_from_json(given: Any) -> CategoryScore:
    name, score, margin = given["name"], given["score"], given["margin"]
    return CategoryScore(str(name or ""), _score(score), _score(margin))


def _optional(from_json: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda given: from_json(given) if given else None


def _position_from_json(given: Any) -> int | None:
    if given is None or isinstance(given, int):
        return given
    raise ValueError


PATH = _text_field("path")
STATUS = Column("status")
"""It follows from the error, so it is written and checked, and not read."""
RANK = Column("rank", "int32")
PREDICTION = _prediction_field("predictions", "label", "wnid", "score")
"""One prediction; a long table has one in a row, a wide one has one for each rank."""
CATEGORY = Field(
    "category",
    (
        Column("category"),
        Column("category_score", "float32"),
        Column("category_margin", "float32"),
    ),
    "category_score",
    cells=lambda c: (c.name or None, c.score, c.margin) if c else (None, None, None),
    value=lambda name, score, margin: CategoryScore(name, _score(score), _score(margin)),
    to_json=lambda c: c and {"name": c.name or None, "score": c.score, "margin": c.margin},
    from_json=_optional(_category_from_json),
)
NODE = replace(
    _prediction_field("node", "node", "node_wnid", "node_score"),
    from_json=_optional(_prediction_from_json),
)
ERROR = _text_field("error")
MODEL = _text_field("model")
POSITION = Field(
    "position",
    (Column("position", "int64"),),
    "position",
    cells=lambda position: (position,),
    value=int,
    to_json=lambda position: position,
    from_json=_position_from_json,
)

TAIL = (CATEGORY, NODE, ERROR, MODEL, POSITION)
"""The fields behind the predictions, in the order that they have in every format."""
EXTRAS = (CATEGORY, NODE, POSITION)
"""Those that rows have only on request, or in a shard."""
