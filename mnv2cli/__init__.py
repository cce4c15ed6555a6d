"""Classify and sort whole folders of images with pretrained MobileNetV2.

The command line is ``mnv2``. From Python::

    from mnv2cli import Classifier

    for record in Classifier(top=3).classify("photos"):
        print(record.path, record.predictions)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnv2cli.config.read import Config, read_config
    from mnv2cli.datasets.formats import ReadOptions
    from mnv2cli.datasets.options import DatasetOptions
    from mnv2cli.datasets.read import read_dataset
    from mnv2cli.datasets.split import split
    from mnv2cli.datasets.split_options import Split, SplitOptions
    from mnv2cli.datasets.write import write_dataset
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
    from mnv2cli.sorting.options import FolderOptions, SortOptions
    from mnv2cli.sources.options import Filters
    from mnv2cli.tagging.actions import WriteOptions
    from mnv2cli.tagging.api import plan_tags, undo_tags, write_tags
    from mnv2cli.tagging.options import PlaceOptions, TagLists, TagOptions
    from mnv2cli.watching.api import watch
    from mnv2cli.watching.options import WatchOptions

__version__ = "0.1.0"
__all__ = [
    "Classifier",
    "Conditions",
    "Config",
    "DatasetOptions",
    "EngineOptions",
    "Evaluation",
    "Filters",
    "FindOptions",
    "FolderOptions",
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
    "ReadOptions",
    "Record",
    "RunEvents",
    "SortOptions",
    "Split",
    "SplitOptions",
    "TagLists",
    "TagOptions",
    "WatchOptions",
    "WriteOptions",
    "__version__",
    "evaluate",
    "find",
    "learn",
    "plan_tags",
    "read_config",
    "read_dataframe",
    "read_dataset",
    "select",
    "split",
    "to_dataframe",
    "undo_tags",
    "watch",
    "write_dataset",
    "write_tags",
]

_HOMES = {
    "Classifier": "mnv2cli.inference.classifier",
    "Conditions": "mnv2cli.selecting.conditions",
    "Config": "mnv2cli.config.read",
    "DatasetOptions": "mnv2cli.datasets.options",
    "EngineOptions": "mnv2cli.engines.options",
    "Evaluation": "mnv2cli.learning.evaluation",
    "Filters": "mnv2cli.sources.options",
    "FindOptions": "mnv2cli.selecting.matches",
    "FolderOptions": "mnv2cli.sorting.options",
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
    "ReadOptions": "mnv2cli.datasets.formats",
    "Record": "mnv2cli.records",
    "RunEvents": "mnv2cli.events",
    "SortOptions": "mnv2cli.sorting.options",
    "Split": "mnv2cli.datasets.split_options",
    "SplitOptions": "mnv2cli.datasets.split_options",
    "TagLists": "mnv2cli.tagging.options",
    "TagOptions": "mnv2cli.tagging.options",
    "WatchOptions": "mnv2cli.watching.options",
    "WriteOptions": "mnv2cli.tagging.actions",
    "evaluate": "mnv2cli.learning.evaluate",
    "find": "mnv2cli.selecting.find",
    "learn": "mnv2cli.learning.learn",
    "plan_tags": "mnv2cli.tagging.api",
    "read_config": "mnv2cli.config.read",
    "read_dataframe": "mnv2cli.results.dataframe",
    "read_dataset": "mnv2cli.datasets.read",
    "select": "mnv2cli.selecting.select",
    "split": "mnv2cli.datasets.split",
    "to_dataframe": "mnv2cli.results.dataframe",
    "undo_tags": "mnv2cli.tagging.api",
    "watch": "mnv2cli.watching.api",
    "write_dataset": "mnv2cli.datasets.write",
    "write_tags": "mnv2cli.tagging.api",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, so that ``--help`` stays fast."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
