"""An evaluation on the terminal: figures, classes, and what is confused with what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from mnv2cli.cli.terminal.text import printable, shorten
from mnv2cli.learning.metrics import TOP
from mnv2cli.learning.summary import majority, percent
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mnv2cli.learning.evaluation import Evaluation
    from mnv2cli.learning.metrics import ClassFigures

_MOST_CLASSES = 20
_MOST_PAIRS = 10
_NAME = 24  # columns of the terminal
_HEADING = 10
_GAP = 2


def evaluation_renderables(evaluation: Evaluation, width: int) -> Iterator[RenderableType]:
    """Yield what to print of an evaluation, for a terminal of the given width."""
    yield _figures(evaluation)
    yield from _classes(evaluation, width)
    matrix = _matrix(evaluation, width)
    if matrix is not None:
        yield matrix
    pairs = evaluation.metrics.confusions(_MOST_PAIRS)
    if pairs and matrix is None:
        yield from _pairs(evaluation)


def _figures(evaluation: Evaluation) -> Table:
    metrics, calibration = evaluation.metrics, evaluation.calibration
    low, high = metrics.interval
    with_photos = sum(figures.photos > 0 for figures in metrics.classes)
    table = Table.grid(padding=(0, _GAP, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    table.add_row("Model", Text(printable(evaluation.model)))
    photos, classes = count(metrics.photos, "photo"), count(with_photos, "class", "classes")
    table.add_row("Photos", f"{photos} of {classes}, named by {evaluation.matched}")
    interval = f"95 % confidence: {percent(low)} to {percent(high)}"
    table.add_row("Top-1", f"{percent(metrics.top1)}  ({interval})")
    if baseline := majority(metrics):
        table.add_row("", Text(printable(baseline)))
    if evaluation.top5 is not None and len(metrics.classes) > TOP:
        table.add_row("Top-5", percent(evaluation.top5))
    table.add_row("Macro F1", percent(metrics.macro_f1))
    table.add_row("Calibration", f"scores are off by {percent(evaluation.error)} on average (ECE)")
    if calibration is not None:
        table.add_row(
            "",
            f"{percent(calibration.error)} with the temperature {calibration.temperature:.2f}; "
            "each half of the photos was measured with that of the other half",
        )
    return table


def _classes(evaluation: Evaluation, width: int) -> Iterator[RenderableType]:
    figures = [each for each in evaluation.metrics.classes if each.photos]
    shown = figures
    if len(figures) > _MOST_CLASSES:
        worst = sorted(figures, key=lambda each: (each.f1, each.name))
        shown = [each for each in worst if each.f1 < 1][:_MOST_CLASSES] or worst[:1]
    name_width = max(min(max(len(printable(each.name)) for each in shown), width - 45), 8)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Class", no_wrap=True, width=name_width)
    for heading in ("Photos", "Precision", "Recall", "F1"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in shown:
        table.add_row(Text(_short(each.name, name_width)), f"{each.photos:,}", *_shares(each))
    yield table
    if more := len(figures) - len(shown):
        least = min(each.f1 for each in figures if each not in shown)
        classes = count(more, "other class", "other classes")
        yield Text(
            f"The worst are shown: the F1 of {classes} is {percent(least)}"
            f"{'' if least == 1 else ' or more'}. --json has all.\n",
            style="dim",
        )


def _shares(figures: ClassFigures) -> Iterator[Text]:
    for share, exists in (
        (figures.precision, figures.predicted > 0),
        (figures.recall, True),
        (figures.f1, True),
    ):
        style = "" if share >= 0.9 else "yellow" if share >= 0.7 else "red"
        yield Text(percent(share) if exists else "-", style=style if exists else "dim")


def _matrix(evaluation: Evaluation, width: int) -> Table | None:
    """Return the confusion matrix; None if the terminal is too narrow for it."""
    metrics = evaluation.metrics
    names = [printable(each.name) for each in metrics.classes]
    first = min(max([len("true \\ predicted"), *map(len, names)]), _NAME)
    digits = len(f"{int(metrics.matrix.max()):,}")
    widths = [max(min(len(name), _HEADING), digits) for name in names]
    if first + sum(each + _GAP for each in widths) > width:
        return None
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 1))
    table.add_column("true \\ predicted", no_wrap=True, width=first)
    for name, each in zip(names, widths, strict=True):
        table.add_column(Text(cut(name, each)), justify="right", no_wrap=True, width=each)
    for row, figures in enumerate(metrics.classes):
        if figures.photos:
            cells = [
                _cell(int(number), right=row == column)
                for column, number in enumerate(metrics.matrix[row])
            ]
            table.add_row(Text(cut(names[row], first)), *cells)
    return table


def _cell(number: int, *, right: bool) -> Text:
    if not number:
        return Text("·", style="dim")
    return Text(f"{number:,}", style="green" if right else "bold red")


def _pairs(evaluation: Evaluation) -> Iterator[RenderableType]:
    metrics = evaluation.metrics
    photos = {each.name: each.photos for each in metrics.classes}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Most confused", no_wrap=True, overflow="ellipsis")
    table.add_column("predicted as", no_wrap=True, overflow="ellipsis")
    table.add_column("Photos", justify="right", no_wrap=True)
    for pair in metrics.confusions(_MOST_PAIRS):
        table.add_row(
            Text(_short(pair.true, _NAME)),
            Text(_short(pair.predicted, _NAME)),
            f"{pair.photos:,} of {photos[pair.true]:,}",
        )
    yield table
    yield Text("To see the whole confusion matrix, add --report eval.html.", style="dim")


def _short(name: str, width: int) -> str:
    return cut(printable(name), width)


def cut(text: str, width: int) -> str:
    """Cut text on the right to a width in terminal cells."""
    from rich.cells import cell_len, set_cell_size

    kept = text[: 4 * max(width, 1)]
    if len(kept) == len(text) and cell_len(text) <= width:
        return text
    return f"{set_cell_size(kept, width - 1).rstrip()}…"


_NAMED = 5


def evaluation_warnings(evaluation: Evaluation) -> Iterator[str]:
    """Yield the warnings about photos that the figures do not include."""
    omitted = evaluation.omitted
    if evaluation.learned:
        total = evaluation.metrics.photos
        some = f"{evaluation.learned:,} of " if evaluation.learned < total else "all "
        yield (
            f"the model learned from {some}these {count(total, 'photo')}: the figures flatter; "
            "give other photos"
        )
    if evaluation.copies:
        be = "is a copy of another" if evaluation.copies == 1 else "are copies of others"
        yield (
            f"{count(evaluation.copies, 'photo')} {be}: they weigh in the accuracy, "
            "and widen its confidence interval"
        )
    if omitted.folders:
        photos = count(sum(omitted.folders.values()), "photo")
        folders = named(list(omitted.folders))
        noun = "a class" if len(omitted.folders) == 1 else "classes"
        be = "is" if len(omitted.folders) == 1 else "are"
        yield f"skipped {photos} in {folders}, which {be} not {noun} of the model"
    if omitted.unlabelled:
        yield f"skipped {count(len(omitted.unlabelled), 'photo')} without a class: " + named(
            omitted.unlabelled
        )
    if omitted.skipped:
        reasons = Counter(why.partition(":")[0] for _, why in omitted.skipped)
        shown = ", ".join(f"{why} {number:,}" for why, number in reasons.most_common())
        yield f"skipped {count(len(omitted.skipped), 'photo')} by their keywords: {shown}"
    if omitted.missing:
        yield f"the results lack {count(len(omitted.missing), 'photo')}: " + named(omitted.missing)
    if omitted.foreign:
        rows = count(len(omitted.foreign), "row")
        yield f"{rows} of the results not in the folder: {named(omitted.foreign)}"
    if omitted.unreadable:
        photos = count(len(omitted.unreadable), "photo")
        path, error = omitted.unreadable[0]
        first = f"{shorten(path, 60)}: {error}"
        yield (
            f"{photos} could not be read{'' if len(omitted.unreadable) == 1 else ', such as'} "
            + (f"({first})" if len(omitted.unreadable) == 1 else first)
        )
    if evaluation.top5 is None and len(evaluation.metrics.classes) > TOP:
        yield "top-5 is not known: the results have fewer than five labels of each photo"


def named(paths: tuple[str, ...] | list[str]) -> str:
    """Return the first names and the number of the others."""
    shown = ", ".join(paths[:_NAMED])
    return shown if len(paths) <= _NAMED else f"{shown} and {len(paths) - _NAMED:,} more"
