"""A calibration on the terminal: what scores are worth, and which are sure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from mnv2cli.cli.terminal.evaluation import cut, named
from mnv2cli.cli.terminal.text import printable
from mnv2cli.learning.calibrate import photos_to_show
from mnv2cli.learning.summary import percent
from mnv2cli.system.messages import count

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mnv2cli.learning.calibrate import Calibrated, ClassThreshold

_MOST_CLASSES = 40
_NAME = 30


def calibration_renderables(calibrated: Calibrated) -> Iterator[RenderableType]:
    """Yield what to print of a calibration."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    table.add_row("Photos", f"{calibrated.photos:,}; each measured by what the others gave")
    table.add_row("Calibration", _calibration(calibrated))
    table.add_row("Sure", f"{percent(calibrated.sure)} of the photos; mnv2 sort puts the others "
                  "into unsure")  # fmt: skip
    table.add_row("Precision", _precision(calibrated))
    yield table
    yield from _classes(calibrated)


def _calibration(calibrated: Calibrated) -> str:
    if calibrated.unchanged:
        return (
            f"scores stay as they are, off by {percent(calibrated.before)} on average (ECE): no "
            "temperature makes them better on other photos"
        )
    return (
        f"scores were off by {percent(calibrated.before)} on average (ECE), now by "
        f"{percent(calibrated.after)}; temperature {calibrated.temperature:.2f}"
    )


def _precision(calibrated: Calibrated) -> Text:
    if calibrated.reached is None or calibrated.interval is None:
        return Text("no photo is sure", style="yellow")
    low, high = calibrated.interval
    reached, wanted = percent(calibrated.reached), percent(calibrated.precision)
    style = "yellow" if calibrated.reached < calibrated.precision else ""
    return Text(
        f"{reached} of the sure photos are right (95 % confidence: {percent(low)} to "
        f"{percent(high)}); wanted {wanted}",
        style=style,
    )


def _classes(calibrated: Calibrated) -> Iterator[RenderableType]:
    shown = calibrated.classes
    if len(shown) > _MOST_CLASSES:
        shown = tuple(sorted(shown, key=lambda each: (not each.note, -each.photos)))[:_MOST_CLASSES]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Class", no_wrap=True)
    for heading in ("Photos", "Threshold", "Sure", "Right"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in shown:
        right = percent(each.right / each.sure) if each.sure else "-"
        table.add_row(
            Text(cut(printable(each.name), _NAME)),
            f"{each.photos:,}",
            _threshold(each),
            f"{each.sure:,}",
            right,
        )
    yield table
    if more := len(calibrated.classes) - len(shown):
        yield Text(f"and {count(more, 'class', 'classes')} more; --json has all.\n", style="dim")


def _threshold(each: ClassThreshold) -> Text:
    if each.threshold is None:
        return Text("usual", style="yellow")
    if each.threshold > 1:
        return Text("never sure", style="yellow")
    return Text(f"{each.threshold:.2f}")


def calibration_warnings(calibrated: Calibrated) -> Iterator[str]:
    """Yield the warnings about photos that were not used, and classes without evidence."""
    if calibrated.learned:
        yield (
            f"skipped {count(calibrated.learned, 'photo')} that the model learned from, because "
            "they would flatter it"
        )
    if not calibrated.knows_training:
        yield (
            "the model does not say which photos it learned from: if they are among these, the "
            "figures flatter"
        )
    if calibrated.copies:
        yield f"skipped {count(calibrated.copies, 'copy', 'copies')} of other photos"
    if calibrated.unused:
        photos = count(len(calibrated.unused), "photo")
        yield f"skipped {photos} with the same content in two classes: {named(calibrated.unused)}"
    if calibrated.folders:
        photos = count(sum(calibrated.folders.values()), "photo")
        yield f"skipped {photos} in folders that are not classes: {named(list(calibrated.folders))}"
    if calibrated.unreadable:
        path, error = calibrated.unreadable[0]
        photos = count(len(calibrated.unreadable), "photo")
        yield f"{photos} could not be read, such as {path}: {error}"
    if calibrated.after > calibrated.before and not calibrated.unchanged:
        yield (
            "the temperature lowers the log loss, but not the calibration error (ECE): more photos "
            "are required to show if the scores are better"
        )
    unproven = [f"{each.name} ({each.photos:,})" for each in calibrated.classes if each.unproven]
    if unproven:
        precision, needed = calibrated.precision, photos_to_show(calibrated.precision)
        more = f"; {math.ceil(needed):,} of each would do" if precision < 1 else ""
        yield (
            f"no sure photo of these classes was wrong, but their photos are too few to promise "
            f"{percent(precision)}{more}: {named(unproven)}"
        )
    noted = [each for each in calibrated.classes if each.note]
    for each in noted[:_MOST_CLASSES]:
        yield f"{each.name}: {each.note}"
