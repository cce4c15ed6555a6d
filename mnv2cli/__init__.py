"""Classify and sort whole folders of images with pretrained MobileNetV2.

The command line is ``mnv2``. From Python::

    from mnv2cli import Classifier

    for record in Classifier(top=3).classify("photos"):
        print(record.path, record.predictions)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnv2cli.engines.options import EngineOptions
    from mnv2cli.errors import Mnv2Error
    from mnv2cli.events import RunEvents
    from mnv2cli.images.options import ImageOptions
    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.labels.options import LabelOptions
    from mnv2cli.learning.evaluate import evaluate
    from mnv2cli.learning.evaluation import Evaluation
    from mnv2cli.learning.keywords import KeywordClasses
    from mnv2cli.learning.learn import learn
    from mnv2cli.learning.options import LearnOptions
    from mnv2cli.models.options import ModelOptions
    from mnv2cli.records import Prediction, Record
    from mnv2cli.results.dataframe import read_dataframe, to_dataframe
    from mnv2cli.selecting.conditions import Conditions, Order
    from mnv2cli.selecting.find import find
    from mnv2cli.selecting.matches import FindOptions, Match
    from mnv2cli.selecting.select import select
    from mnv2cli.sources.options import Filters
    from mnv2cli.tagging.actions import WriteOptions
    from mnv2cli.tagging.api import plan_tags, undo_tags, write_tags
    from mnv2cli.tagging.options import PlaceOptions, TagLists, TagOptions

__version__ = "0.1.0"
__all__ = [
    "Classifier",
    "Conditions",
    "EngineOptions",
    "Evaluation",
    "Filters",
    "FindOptions",
    "ImageOptions",
    "KeywordClasses",
    "LabelOptions",
    "LearnOptions",
    "Match",
    "Mnv2Error",
    "ModelOptions",
    "Order",
    "PlaceOptions",
    "Prediction",
    "Record",
    "RunEvents",
    "TagLists",
    "TagOptions",
    "WriteOptions",
    "__version__",
    "evaluate",
    "find",
    "learn",
    "plan_tags",
    "read_dataframe",
    "select",
    "to_dataframe",
    "undo_tags",
    "write_tags",
]

_HOMES = {
    "Classifier": "mnv2cli.inference.classifier",
    "Conditions": "mnv2cli.selecting.conditions",
    "EngineOptions": "mnv2cli.engines.options",
    "Evaluation": "mnv2cli.learning.evaluation",
    "Filters": "mnv2cli.sources.options",
    "FindOptions": "mnv2cli.selecting.matches",
    "ImageOptions": "mnv2cli.images.options",
    "KeywordClasses": "mnv2cli.learning.keywords",
    "LabelOptions": "mnv2cli.labels.options",
    "LearnOptions": "mnv2cli.learning.options",
    "Match": "mnv2cli.selecting.matches",
    "Mnv2Error": "mnv2cli.errors",
    "ModelOptions": "mnv2cli.models.options",
    "Order": "mnv2cli.selecting.conditions",
    "PlaceOptions": "mnv2cli.tagging.options",
    "Prediction": "mnv2cli.records",
    "Record": "mnv2cli.records",
    "RunEvents": "mnv2cli.events",
    "TagLists": "mnv2cli.tagging.options",
    "TagOptions": "mnv2cli.tagging.options",
    "WriteOptions": "mnv2cli.tagging.actions",
    "evaluate": "mnv2cli.learning.evaluate",
    "find": "mnv2cli.selecting.find",
    "learn": "mnv2cli.learning.learn",
    "plan_tags": "mnv2cli.tagging.api",
    "read_dataframe": "mnv2cli.results.dataframe",
    "select": "mnv2cli.selecting.select",
    "to_dataframe": "mnv2cli.results.dataframe",
    "undo_tags": "mnv2cli.tagging.api",
    "write_tags": "mnv2cli.tagging.api",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, so that ``--help`` stays fast."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
