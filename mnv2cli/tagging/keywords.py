"""The keywords of a record."""

from __future__ import annotations

from mnv2cli.labels.thresholds import DEFAULT_THRESHOLDS, OWN_THRESHOLD
from mnv2cli.models.head import UNKNOWN
from mnv2cli.records import Prediction, Record
from mnv2cli.tagging.actions import Kind
from mnv2cli.tagging.options import TagOptions
from mnv2cli.tagging.tags import Tags

_OF_LABELS = DEFAULT_THRESHOLDS["label"]


def tags_of(record: Record, options: TagOptions) -> tuple[Tags | None, str, Kind]:
    """Return the keywords of a photo; or None, the reason why it gets none, and its kind.

    The category comes first, if the record has one that scores its threshold, then the labels that
    score theirs, best first. A label is below the category in the hierarchy if it belongs to it.
    """
    if record.error:
        return None, record.error, "unreadable"
    best = record.predictions[0] if record.predictions else None
    if best and not best.wnid and best.label == UNKNOWN:
        return None, "it is unlike all classes of the model", ""
    found = _Words(options)
    category = record.category
    if options.what != "label" and category and category.name:
        found.add_category(category.name, category.score)
    if options.what != "category":
        for prediction in record.predictions:
            if prediction.score < _lowest(prediction, options):
                continue
            if prediction.wnid or prediction.label != UNKNOWN:
                found.add_label(prediction, is_best=prediction is best)
    if not found.words:
        if found.refused:
            return None, found.refused, ""
        return None, *_too_low(record, options)
    return found.tags(record.model), "", ""


def lacks_category(record: Record, options: TagOptions) -> bool:
    """Return whether a record should give its category as a keyword, and was made without one."""
    return (
        options.what != "label"
        and record.category is None
        and any(prediction.wnid for prediction in record.predictions)
    )


class _Words:
    """Collects the keywords of one photo."""

    __slots__ = (
        "_category",
        "_category_word",
        "_has_label",
        "_options",
        "_paths",
        "_score",
        "refused",
        "words",
    )

    def __init__(self, options: TagOptions) -> None:
        self.words: dict[str, str] = {}  # by casefold
        self.refused = ""
        self._options = options
        self._category = self._category_word = ""
        self._paths: list[tuple[str, ...]] = []
        self._score = 0.0
        self._has_label = False

    def add_category(self, name: str, score: float) -> None:
        """Add the category, if it scores enough."""
        lowest = self._options.threshold
        if score < (DEFAULT_THRESHOLDS["category"] if lowest is None else lowest):
            return
        self._category = name
        if word := self._word(name):
            self._category_word = word
            self._score = score

    def add_label(self, prediction: Prediction, *, is_best: bool) -> None:
        """Add a label, if the photo has fewer keywords than the maximum."""
        before = len(self.words)
        word = self._word(prediction.label)
        if not word:
            return
        if not self._has_label:
            self._has_label, self._score = True, prediction.score
        if len(self.words) == before:
            return  # it is a keyword already
        if self._category_word and self._is_below_category(prediction.wnid, is_best):
            self._paths.append((self._category_word, word))
        else:
            self._paths.append((word,))

    def _is_below_category(self, wnid: str, is_best: bool) -> bool:
        names = self._options.category_of_class
        if wnid in names and self._category in self._options.category_names:
            return names[wnid] == self._category
        return is_best  # the categories are others than those of the results

    def tags(self, model: str) -> Tags:
        """Return the keywords."""
        options, top = self._options, self._category_word
        paths = self._paths
        if top and not any(path[0] == top for path in paths):
            paths = [(top,), *paths]
        keywords = tuple(self.words.values())
        if options.prefix:
            levels = options.levels
            keywords = tuple([options.prefix + word for word in keywords])
            paths = [(*levels, *path) for path in paths]
        return Tags(keywords, tuple(paths), model, self._score)

    def _word(self, name: str) -> str:
        """Return the keyword for a name after adding it; empty if it does not become one."""
        word, key = self._options.word(name)
        if not word:
            self.refused = self.refused or f"the lists of keywords exclude {name!r}"
            return ""
        if key not in self.words:
            if len(self.words) >= self._options.max_tags:
                return ""
            self.words[key] = word
        return word


def _lowest(prediction: Prediction, options: TagOptions) -> float:
    if options.threshold is not None:
        return options.threshold
    usual = _OF_LABELS if prediction.wnid else OWN_THRESHOLD
    return options.thresholds.get(prediction.label, usual) if options.thresholds else usual


def _too_low(record: Record, options: TagOptions) -> tuple[str, Kind]:
    """Return the reason why no score is high enough, and its kind."""
    given = options.threshold
    category = DEFAULT_THRESHOLDS["category"] if given is None else given
    if options.what == "category":
        if record.category is None:
            return "it has no category", ""
        return f"no category scores {category:g}", "unsure"
    if not record.predictions:
        return "it has no labels", ""
    best = record.predictions[0]
    reason = f"no label scores {_lowest(best, options):g}"
    if options.what == "both" and record.category is not None and given is None:
        reason += f", and no category {category:g}"
    return reason, "unsure"
