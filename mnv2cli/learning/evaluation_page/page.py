"""Write the page of an evaluation."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mnv2cli import __version__
from mnv2cli.errors import InputError, OutputError
from mnv2cli.learning.evaluation_page.drawings import matrix_drawing, reliability_drawing, text
from mnv2cli.learning.evaluation_page.style import STYLE
from mnv2cli.learning.evaluation_page.thumbnails import thumbnails
from mnv2cli.learning.metrics import TOP, ClassFigures
from mnv2cli.learning.summary import percent
from mnv2cli.results.check import already_exists, check_not_folder, existing_folder, is_regular
from mnv2cli.sources.urls import is_url
from mnv2cli.system.files import AtomicFile
from mnv2cli.system.messages import count, reason
from mnv2cli.system.urls import redact

if TYPE_CHECKING:
    from mnv2cli.images.options import ImageOptions
    from mnv2cli.learning.evaluation import Evaluation, Mistake

SUFFIXES = (".html", ".htm")

MOST_MISTAKES = 60
"""The number of wrong photos on a page: 0.5 MB."""

_MOST_CLASSES = 40  # in the matrix
_MOST_PAIRS = 20
_MOST_NAMED = 20


def check_report(path: str, *, force: bool) -> None:
    """Check that a page can be written to a file, before any work is done.

    Raises:
        InputError: It exists and ``force`` is not given, its name does not end in ``.html``, or its
            folder does not exist or cannot be written to.
    """
    if is_url(path) or not path.lower().endswith(SUFFIXES):
        raise InputError(
            f"cannot write a report to {redact(path)!r}: name a local file that ends in .html",
            "For example: --report eval.html",
        )
    check_not_folder(path)
    folder = existing_folder(path, "the report ")
    if os.path.lexists(path):
        if not is_regular(path):
            raise InputError(f"cannot write the report {path!r}: it is not a regular file")
        if not force:
            raise already_exists(path)
    if not os.access(folder, os.W_OK):
        raise InputError(
            f"cannot write to {folder!r}: permission denied", "Name a file in a writable folder."
        )


def write_report(path: str, evaluation: Evaluation, source: str, images: ImageOptions) -> None:
    """Write the page beside its place, then move it there.

    Args:
        path: The file; replaced if it exists.
        evaluation: What to show.
        source: The folder or file that the photos are from.
        images: How to decode the wrong photos.

    Raises:
        OutputError: It cannot be written.
    """
    shown = evaluation.mistakes[:MOST_MISTAKES]
    pictures = list(thumbnails((mistake.path for mistake in shown), images))
    content = "".join(page(evaluation, source, pictures))
    try:
        part = AtomicFile(path)
        try:
            part.file.write(content.encode())
            part.commit()
        finally:
            part.discard()
    except OSError as error:
        raise OutputError(f"cannot write {path}: {reason(error)}", "Name another file.") from error


def page(evaluation: Evaluation, source: str, pictures: list[str]) -> Iterator[str]:
    """Yield the page of an evaluation; everything that comes from names and files is escaped.

    Args:
        evaluation: What to show.
        source: The folder or file that the photos are from.
        pictures: A data URI for each of the first mistakes; empty for a photo without one.
    """
    title = text(os.path.basename(os.path.normpath(source)) or source)
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>Evaluation of {title}</title><style>{STYLE}</style></head><body><main>\n"
    )
    yield f"<h1>Evaluation of {title}</h1>\n"
    classes = [each for each in evaluation.metrics.classes if each.photos]
    yield (
        f'<p class="lead">{count(evaluation.metrics.photos, "photo")} of '
        f"{count(len(classes), 'class', 'classes')}, by <b>{text(evaluation.model)}</b>. "
        f"Their names are {text(evaluation.matched)}.</p>\n"
    )
    yield from _figures(evaluation)
    if evaluation.learned:
        yield (
            f'<p class="warning">The model learned from {evaluation.learned:,} of these photos, so '
            "the figures flatter.</p>\n"
        )
    yield from _omitted(evaluation)
    yield from _mistakes(evaluation.mistakes, pictures)
    yield from _matrix(evaluation)
    yield from _classes(classes)
    yield from _reliability(evaluation)
    yield f"<footer>Written by mnv2 {__version__}</footer>\n</main></body></html>\n"


def _figures(evaluation: Evaluation) -> Iterator[str]:
    metrics = evaluation.metrics
    low, high = metrics.interval
    yield '<dl class="figures">'
    yield _figure(
        "right (top-1)", metrics.top1, f"95 % confidence: {_share(low)} to {_share(high)}"
    )
    if evaluation.top5 is not None and len(metrics.classes) > TOP:
        yield _figure("among the best five (top-5)", evaluation.top5)
    yield _figure("macro F1", metrics.macro_f1, "the mean over the classes")
    note = ""
    if evaluation.calibration is not None:
        note = f"{_share(evaluation.calibration.error)} with a temperature"
    yield _figure("calibration error", evaluation.error, note)
    yield "</dl>\n"


def _figure(name: str, share: float, note: str = "") -> str:
    more = f"<small>{note}</small>" if note else ""
    return f"<div><dt>{name}</dt><dd>{_share(share)}{more}</dd></div>"


def _omitted(evaluation: Evaluation) -> Iterator[str]:
    omitted = evaluation.omitted
    lists = (
        ("could not be read", [f"{path}: {error}" for path, error in omitted.unreadable]),
        (
            "in folders that are not classes of the model",
            [f"{name} ({number:,})" for name, number in (omitted.folders or {}).items()],
        ),
        ("without a class", omitted.unlabelled),
        ("not in the results", omitted.missing),
        ("in the results, but not among the photos", omitted.foreign),
    )
    if not any(names for _, names in lists):
        return
    yield "<h2>Not included</h2>\n<ul>"
    for why, names in lists:
        if names:
            number = len(names)
            if names is lists[1][1]:
                number = sum((omitted.folders or {}).values())
            shown = ", ".join(text(name) for name in names[:_MOST_NAMED])
            more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
            yield f"<li>{count(number, 'photo')} {why}: {shown}{more}</li>"
    yield "</ul>\n"


def _mistakes(mistakes: tuple[Mistake, ...], pictures: list[str]) -> Iterator[str]:
    yield "<h2>Worst mistakes</h2>\n"
    if not mistakes:
        yield "<p>None: every photo is right.</p>\n"
        return
    shown = mistakes[: len(pictures)]
    more = f" The first {len(shown)} are shown." if len(shown) < len(mistakes) else ""
    yield (
        f"<p>{count(len(mistakes), 'photo')} predicted wrongly, the most certain first.{more} "
        'Look at the folder, too: a "mistake" may be a photo in the wrong one.</p>\n'
        '<ul class="photos">'
    )
    for mistake, picture in zip(shown, pictures, strict=False):
        name = text(os.path.basename(mistake.path))
        image = f'<img src="{picture}" alt="{name}" width="132" height="132">'
        yield (
            f'<li title="{text(mistake.path)}">'
            f"{image if picture else '<span class=none>no picture</span>'}"
            f"<b>{text(mistake.predicted)}</b> {_share(mistake.score)}"
            f"<span>is {text(mistake.true)}</span><small>{name}</small></li>"
        )
    yield "</ul>\n"


def _matrix(evaluation: Evaluation) -> Iterator[str]:
    import numpy as np

    metrics = evaluation.metrics
    names = [each.name for each in metrics.classes]
    chosen = list(range(len(names)))
    yield "<h2>Confusion matrix</h2>\n"
    note = ""
    if len(chosen) > _MOST_CLASSES:
        wrong = metrics.matrix.copy()
        np.fill_diagonal(wrong, 0)
        confused = wrong.sum(axis=0) + wrong.sum(axis=1)
        order = np.argsort(-confused, kind="stable")[:_MOST_CLASSES]
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
    yield f'<div class="scroll">{matrix_drawing(part, [names[i] for i in chosen], rows)}</div>\n'
    pairs = metrics.confusions(_MOST_PAIRS)
    if pairs and len(names) > 2:
        yield '<h3>Most confused</h3>\n<div class="scroll"><table><tr><th>True<th>Predicted'
        yield '<th class="n">Photos</tr>'
        for pair in pairs:
            yield (
                f"<tr><td>{text(pair.true)}<td>{text(pair.predicted)}"
                f'<td class="n">{pair.photos:,}</tr>'
            )
        yield "</table></div>\n"


def _classes(classes: list[ClassFigures]) -> Iterator[str]:
    is_long = len(classes) > _MOST_CLASSES
    if is_long:
        yield f"<details><summary><h2>All {len(classes):,} classes</h2></summary>"
    else:
        yield "<h2>Classes</h2>"
    yield (
        "\n<p>Precision: of the photos predicted to be of the class, the share "
        "that is. Recall: of its photos, the share that was predicted. F1 joins both.</p>\n"
        '<div class="scroll"><table><tr><th>Class<th class="n">Photos<th class="n">Precision'
        '<th class="n">Recall<th class="n">F1</tr>'
    )
    for each in sorted(classes, key=lambda figures: figures.f1):
        precision = _share(each.precision) if each.predicted else "–"
        yield (
            f'<tr><td>{text(each.name)}<td class="n">{each.photos:,}<td class="n">{precision}'
            f'<td class="n">{_share(each.recall)}<td class="n">{_bar(each.f1)}</tr>'
        )
    yield "</table></div>" + ("</details>\n" if is_long else "\n")


def _bar(share: float) -> str:
    return f'<span class="bar" style="--share:{share:.3f}">{_share(share)}</span>'


def _reliability(evaluation: Evaluation) -> Iterator[str]:
    calibration = evaluation.calibration
    yield (
        "<h2>Can scores be trusted?</h2>\n<p>Of the photos with a score of 80 %, 80 % should be "
        "right: the points should be on the dashed line. Below it, scores promise too much. Larger "
        "points are more photos. The calibration error is the mean distance from the line.</p>\n"
    )
    after = calibration.bins if calibration else ()
    yield f'<div class="scroll">{reliability_drawing(evaluation.bins, after)}</div>\n'
    if calibration:
        yield (
            '<p class="legend"><i class="before"></i> scores of the model: off by '
            f'{_share(evaluation.error)}<br><i class="after"></i> with a temperature of '
            f"{calibration.temperature:.2f}: off by {_share(calibration.error)}. Each half of the "
            "photos was measured with the temperature of the other half.</p>\n"
        )


def _share(share: float) -> str:
    return percent(share).replace(" ", "\u00a0")
