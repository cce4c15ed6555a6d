"""One run of ``mnv2 calibrate``: photos in, a calibrated model out."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from mnv2cli.cli.inputs import shown
from mnv2cli.cli.terminal.screen import Screen
from mnv2cli.events import RunEvents

if TYPE_CHECKING:
    from mnv2cli.engines.options import EngineOptions
    from mnv2cli.learning.calibrate import Calibrated, CalibrateOptions
    from mnv2cli.learning.evaluate import EvaluationSet
    from mnv2cli.records import Record


def run_calibration(
    photos: EvaluationSet,
    model: str,
    options: CalibrateOptions,
    engine: EngineOptions,
    screen: Screen,
) -> Calibrated:
    """Calibrate the model, showing progress.

    Raises:
        Mnv2Error: It cannot be calibrated; the model is unchanged.
    """
    from mnv2cli.learning.calibrate import calibrate
    from mnv2cli.learning.options import Running

    def watched(records: Generator[Record, None, None], total: int) -> Iterator[Record]:
        yield from shown(records, "the network", screen, lambda stopping: total)

    events = RunEvents(screen.notice, screen.warning, screen.download, screen.status)
    return calibrate(photos, model, options, Running(engine, events=events, watch=watched))


def show_calibration(calibrated: Calibrated, screen: Screen, *, tables: bool) -> None:
    """Print the figures, and warn of what was not used."""
    from mnv2cli.cli.terminal.calibration import calibration_renderables, calibration_warnings
    from mnv2cli.cli.terminal.console import PlainConsole

    if tables and not screen.quiet:
        console = PlainConsole(highlight=False)
        for each in calibration_renderables(calibrated):
            console.print(each)
    for text in calibration_warnings(calibrated):
        screen.warning(text)
    screen.lines([("Written", calibrated.path, "")])
