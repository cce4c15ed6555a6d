"""The report of an evaluation: its photos, and a panel with the figures."""

from __future__ import annotations

import os
from collections.abc import Iterator

from mnv2cli.learning.evaluation import Evaluation
from mnv2cli.learning.metrics import TOP, Metrics
from mnv2cli.learning.pages.drawings import matrix_drawing, reliability_drawing
from mnv2cli.learning.pages.html import (
    MOST_CLASSES,
    class_table,
    confusion_table,
    figure,
    not_included,
    share,
)
from mnv2cli.reporting.content import Content, Entry, Panel
from mnv2cli.reporting.html import scrolling, text
from mnv2cli.system.messages import count

TITLE = "Evaluation"


def evaluation_content(evaluation: Evaluation, source: str) -> Content:
    """Return what the page of an evaluation shows: all photos with a class, and the figures.

    Args:
        evaluation: What to show.
        source: The folder or file that the photos are from.
    """
    return Content(
        f"Evaluation of {os.path.basename(os.path.normpath(source)) or source}",
        [Entry(each.record, truth=each.truth, right=each.right) for each in evaluation.photos],
        classes=[each.name for each in evaluation.metrics.classes if each.photos],
        panels=(Panel(TITLE, "".join(evaluation_panel(evaluation))),),
    )


def evaluation_panel(evaluation: Evaluation) -> Iterator[str]:
    """Yield the HTML of the figures; everything that comes from names and files is escaped."""
    classes = [each for each in evaluation.metrics.classes if each.photos]
    yield (
        f'<p class="lead">{count(evaluation.metrics.photos, "photo")} of '
        f"{count(len(classes), 'class', 'classes')}, named by {text(evaluation.matched)}. "
        f"Labelled by <b>{text(evaluation.model)}</b>.</p>\n"
    )
    yield from _figures(evaluation)
    if evaluation.learned:
        yield (
            f'<p class="warning">The model learned from {evaluation.learned:,} of these photos, so '
            "the figures flatter.</p>\n"
        )
    yield _mistakes(len(evaluation.mistakes))
    yield from _omitted(evaluation)
    yield from matrix(evaluation.metrics)
    yield from class_table(classes)
    yield from _reliability(evaluation)


def _figures(evaluation: Evaluation) -> Iterator[str]:
    metrics = evaluation.metrics
    low, high = metrics.interval
    yield '<dl class="figures">'
    yield figure("right (top-1)", metrics.top1, f"95 % confidence: {share(low)} to {share(high)}")
    if evaluation.top5 is not None and len(metrics.classes) > TOP:
        yield figure("among the best five (top-5)", evaluation.top5)
    yield figure("macro F1", metrics.macro_f1, "the mean over the classes")
    note = ""
    if evaluation.calibration is not None:
        note = f"{share(evaluation.calibration.error)} with a temperature"
    yield figure("calibration error", evaluation.error, note)
    yield "</dl>\n"


def _mistakes(number: int) -> str:
    if not number:
        return "<p>No mistakes: every photo is right.</p>\n"
    be = "is" if number == 1 else "are"
    return (
        f"<p>{count(number, 'photo')} {be} predicted wrongly. Sort the photos by “Worst mistakes "
        "first” to see the most certain ones. Look at the folder, too: a “mistake” may be a photo "
        "in the wrong one.</p>\n"
    )


def _omitted(evaluation: Evaluation) -> Iterator[str]:
    omitted = evaluation.omitted
    unreadable = [f"{path}: {error}" for path, error in omitted.unreadable]
    folders = omitted.folders or {}
    names = [f"{name} ({number:,})" for name, number in folders.items()]
    classes = "in folders that are not classes of the model"
    missing, foreign = omitted.missing, omitted.foreign
    skipped = [f"{path}: {why}" for path, why in omitted.skipped]
    yield from not_included(
        (
            ("could not be read", unreadable, len(unreadable)),
            (classes, names, sum(folders.values())),
            ("without a class", omitted.unlabelled, len(omitted.unlabelled)),
            ("without a class by their keywords", skipped, len(skipped)),
            ("not in the results", missing, len(missing)),
            ("in the results, but not among the photos", foreign, len(foreign)),
        )
    )


def matrix(metrics: Metrics) -> Iterator[str]:
    """Yield the confusion matrix, of many classes only those that are confused most."""
    import numpy as np

    names = [each.name for each in metrics.classes]
    chosen = list(range(len(names)))
    yield "<h2>Confusion matrix</h2>\n"
    note = ""
    if len(chosen) > MOST_CLASSES:
        wrong = metrics.matrix.copy()
        np.fill_diagonal(wrong, 0)
        confused = wrong.sum(axis=0) + wrong.sum(axis=1)
        order = np.argsort(-confused, kind="stable")[:MOST_CLASSES]
        chosen = sorted(order[confused[order] > 0].tolist())
        note = (
            f" Only the {len(chosen)} of {len(names):,} classes that are confused most are shown."
        )
    if not chosen:
        yield "<p>No class is confused with another.</p>\n"
        return
    part = metrics.matrix[np.ix_(chosen, chosen)]
    rows = [i for i, index in enumerate(chosen) if metrics.classes[index].photos]
    yield f"<p>Rows are true, columns predicted classes.{note}</p>\n"
    yield scrolling("Confusion matrix", matrix_drawing(part, [names[i] for i in chosen], rows))
    if len(names) > 2:
        yield from confusion_table(metrics)


def _reliability(evaluation: Evaluation) -> Iterator[str]:
    calibration = evaluation.calibration
    yield (
        "<h2>Can scores be trusted?</h2>\n<p>Of the photos with a score of 80 %, 80 % should be "
        "right: the points should be on the dashed line. Below it, scores promise too much. Larger "
        "points are more photos. The calibration error is the mean distance from the line.</p>\n"
    )
    after = calibration.bins if calibration else ()
    yield scrolling("Reliability diagram", reliability_drawing(evaluation.bins, after))
    if calibration:
        yield (
            '<p class="legend"><i class="before"></i> scores of the model: off by '
            f'{share(evaluation.error)}<br><i class="after"></i> with a temperature of '
            f"{calibration.temperature:.2f}: off by {share(calibration.error)}. Each half of the "
            "photos was measured with the temperature of the other half.</p>\n"
        )
