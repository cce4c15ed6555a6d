"""The fields of a record: their columns in a table, their keys in JSON, and how to read both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from mnv2cli.records import CategoryScore, Prediction

Cell = str | int | float | None
"""A value in a table; None is an empty cell."""

MAX_SCORE = 1.001
"""The largest score: sums of rounded scores may slightly exceed 1."""


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        name: Its name in the header, and its key in JSON.
        meaning: Its meaning in one line of Markdown, for the documentation.
        type: Its type, as Arrow names it.
    """

    name: str
    meaning: str
    type: Literal["string", "float32", "int32", "int64"] = "string"


@dataclass(frozen=True, slots=True)
class Field:
    """An attribute of a record: its cells, its JSON, and how to read it back from either.

    Attributes:
        name: The attribute of :class:`~mnv2cli.records.Record`.
        columns: Its columns in a table.
        key: The column that is empty where a record lacks the attribute.
        cells: Called with a value, returns its cells.
        value: Called with the texts of the cells, returns the value; raises ValueError.
        from_json: Called with the JSON object of a record (of a prediction, for
            :data:`PREDICTION`), returns the value; raises KeyError, TypeError, ValueError or
            AttributeError.
        absent: The value of a record that lacks the attribute.
        condition: The option that adds these columns; empty if they are always written.
    """

    name: str
    columns: tuple[Column, ...]
    key: str
    cells: Callable[[Any], tuple[Cell, ...]]
    value: Callable[..., Any]
    from_json: Callable[[Mapping[str, Any]], Any]
    absent: Any = None
    condition: str = ""

    def read(self, row: Mapping[str, str]) -> Any:
        """Return the value in a row of texts; raises KeyError or ValueError for a damaged row."""
        if not row.get(self.key):
            return self.absent
        return self.value(*[row[column.name] for column in self.columns])

    def to_json(self, value: Any) -> dict[str, object]:
        """Return the keys and values of JSON, which are named like the columns."""
        return {
            column.name: cell for column, cell in zip(self.columns, self.cells(value), strict=True)
        }

    def ranked(self, rank: int) -> Field:
        """Return the field with the columns of one rank in a wide table; ranks start at 1."""
        columns = tuple(column._replace(name=f"{column.name}_{rank}") for column in self.columns)
        return replace(self, columns=columns, key=f"{self.key}_{rank}")


def is_row(path: str, status: object, error: str) -> bool:
    """Return whether the cells that every row has are consistent."""
    return bool(path) and status == ("error" if error else "ok")


def score_of(given: Any) -> float:
    """Return a score from a text or a number; raises ValueError if it is not one."""
    if isinstance(given, bool):
        raise ValueError
    try:
        score = float(given)
    except OverflowError as error:  # an integer of hundreds of digits
        raise ValueError from error
    if not 0 <= score <= MAX_SCORE:  # also refuses nan
        raise ValueError
    return score


def _text_field(name: str, meaning: str, *, required: bool = False) -> Field:
    return Field(
        name,
        (Column(name, meaning),),
        name,
        cells=lambda text: (text or None,),
        value=str,
        from_json=lambda item: _text(item[name] if required else item.get(name)),
        absent="",
    )


def _text(given: Any) -> str:
    text = given or ""
    if not isinstance(text, str):
        raise ValueError
    return text


def _prediction_field(name: str, label: Column, wnid: Column, score: Column) -> Field:
    return Field(
        name,
        (label, wnid, score),
        score.name,
        cells=lambda p: (p.label, p.wnid, p.score) if p else (None, None, None),
        value=lambda label, wnid, score: Prediction(wnid, label, score_of(score)),
        from_json=_prediction_from_json,
    )


def _prediction_from_json(item: Mapping[str, Any]) -> Prediction:
    return Prediction(_text(item["wnid"]), _text(item["label"]), score_of(item["score"]))


# Earlier versions wrote an object: "category": {"name": "dog", "score": 0.9, "margin": 0.5}.


def _category_from_json(item: Mapping[str, Any]) -> CategoryScore | None:
    given = item.get("category")
    if isinstance(given, dict):
        name, score, margin = given["name"], given["score"], given["margin"]
    elif item.get("category_score") is None:
        return None
    else:
        name, score, margin = given, item["category_score"], item["category_margin"]
    return CategoryScore(_text(name), score_of(score), score_of(margin))


def _node_from_json(item: Mapping[str, Any]) -> Prediction | None:
    given = item.get("node")
    if isinstance(given, dict):
        return _prediction_from_json(given)
    if item.get("node_score") is None:
        return None
    return Prediction(_text(item["node_wnid"]), _text(given), score_of(item["node_score"]))


def _position_from_json(item: Mapping[str, Any]) -> int | None:
    given = item.get("position")
    if given is None or isinstance(given, int):
        return given
    raise ValueError


PATH = _text_field("path", "The image, as given on the command line.", required=True)
STATUS = Column("status", "`ok`, or `error` if the image could not be read.")
"""Follows from the error, so it is written and checked, but not read."""
RANK = Column("rank", "The rank of the label, from 1; empty if the image has no labels.", "int32")
PREDICTION = _prediction_field(
    "predictions",
    Column("label", "The name of the class, such as `Egyptian cat`."),
    Column("wnid", "The WordNet ID of the class, such as `n02124075`; unique, unlike the name."),
    Column("score", "The softmax probability of the class, from 0 to 1.", "float32"),
)
"""One prediction: a long table has one in each row, a wide table one for each rank."""
CATEGORY = Field(
    "category",
    (
        Column("category", "The category; empty if it is ignored, or none was certain enough."),
        Column("category_score", "The sum of the scores of its classes, from 0 to 1.", "float32"),
        Column("category_margin", "Its score minus that of the next category.", "float32"),
    ),
    "category_score",
    cells=lambda c: (c.name or None, c.score, c.margin) if c else (None, None, None),
    value=lambda name, score, margin: CategoryScore(name, score_of(score), score_of(margin)),
    from_json=_category_from_json,
    condition="--category",
)
NODE = replace(
    _prediction_field(
        "node",
        Column("node", "The most specific name in WordNet that is certain enough."),
        Column("node_wnid", "The WordNet ID of the node."),
        Column("node_score", "The sum of the scores of the classes below the node.", "float32"),
    ),
    from_json=_node_from_json,
    condition="--rollup",
)
ERROR = _text_field(
    "error", "Why the image could not be read: `reason` or `reason: detail`.", required=True
)
MODEL = _text_field("model", "The model of the run, such as `mobilenet_v2_1.0_224`.")
POSITION = Field(
    "position",
    (Column("position", "The position of the image among those of all shards, from 0.", "int64"),),
    "position",
    cells=lambda position: (position,),
    value=int,
    from_json=_position_from_json,
    condition="--shard",
)

TAIL = (CATEGORY, NODE, ERROR, MODEL, POSITION)
"""The fields after the predictions, in the order of every format."""
EXTRAS = (CATEGORY, NODE, POSITION)
"""The fields that are written only on request, or by a shard."""
