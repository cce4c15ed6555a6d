"""One run of ``mnv2 evaluate``: photos in, figures out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnv2cli.cli.inputs import make_classifier
from mnv2cli.errors import ExitCode, Mnv2Error

if TYPE_CHECKING:
    from collections.abc import Callable

    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.cli.terminal.summary import Line
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.learning.evaluate import Advance, EvaluationSet
    from mnv2cli.learning.evaluation import Evaluation


@dataclass(frozen=True, slots=True)
class EvaluateOutput:
    """What is written of an evaluation.

    Attributes:
        as_json: Print JSON, not tables.
        report: Path of the HTML page; None for none.
        force: Overwrite it.
        fail_under: The lowest top-1 that is not a failure; None for any.
    """

    as_json: bool = False
    report: str | None = None
    force: bool = False
    fail_under: float | None = None


class EvaluateJob:
    """One run of the command.

    Args:
        screen: Shows progress and warnings.
        output: What to write.
    """

    def __init__(self, screen: Screen, output: EvaluateOutput) -> None:
        self._screen = screen
        self._output = output
        self._written: list[Line] = []

    def evaluate(
        self, photos: EvaluationSet, options: ClassifierOptions, *, cache: bool
    ) -> Evaluation:
        """Return the figures, after writing the report.

        Raises:
            InputError: The inputs are invalid, or the report cannot be written there.
        """
        from mnv2cli.cli.report_page import check_page, write_page
        from mnv2cli.learning.evaluate import evaluate_photos, evaluate_results
        from mnv2cli.learning.pages.evaluation import evaluation_content
        from mnv2cli.reporting.spool import ThumbnailSpool
        from mnv2cli.reporting.write import ReportTarget

        report = self._output.report
        if report is not None:
            read = (photos.labels, photos.results)
            check_page(report, force=self._output.force, inputs=read)
        with closing(ThumbnailSpool(os.path.dirname(report or ""))) as spool:
            if photos.results is not None:
                evaluation = evaluate_results(photos)
                for each, error in evaluation.omitted.unreadable:
                    self._screen.unreadable(each, error)
            else:
                classifier = make_classifier(options, self._screen)
                with advancing(self._screen, classifier.network.name) as advance:
                    evaluation = evaluate_photos(
                        photos,
                        classifier,
                        cache=cache,
                        advance=advance,
                        thumbnails=None if report is None else spool,
                    )
            for each, why in evaluation.omitted.skipped:
                self._screen.skipped(each, why)
            if report is not None:
                content = evaluation_content(evaluation, photos.source)
                target = ReportTarget(report, self._output.force)
                self._written = write_page(
                    content, target, self._screen, options.images, spool.find
                )
        return evaluation

    def show(self, evaluation: Evaluation) -> None:
        """Print the figures."""
        from mnv2cli.cli.terminal.console import PlainConsole
        from mnv2cli.cli.terminal.evaluation import evaluation_renderables

        console = PlainConsole(highlight=False)
        for each in evaluation_renderables(evaluation, console.width):
            console.print(each)

    def exit_code(self, evaluation: Evaluation) -> ExitCode:
        """Show what the figures do not include, and return the exit code.

        Raises:
            Mnv2Error: Too few photos are right.
        """
        from mnv2cli.cli.terminal.evaluation import evaluation_warnings
        from mnv2cli.learning.summary import percent

        for text in evaluation_warnings(evaluation):
            self._screen.warning(text)
        if self._written:
            self._screen.lines(self._written)
        least, top1 = self._output.fail_under, evaluation.top1
        if least is not None and top1 < least:
            photos = evaluation.metrics.photos
            raise Mnv2Error(
                f"top-1 is {percent(top1)} ({round(top1 * photos):,} of {photos:,} photos), "
                f"below --fail-under {least:g}"
            )
        return evaluation.return_code


@contextmanager
def advancing(screen: Screen, name: str) -> Iterator[Callable[[int], Advance]]:
    """Yield a function to call with the number of photos; it shows the progress of a run.

    Args:
        screen: Shows it.
        name: The name of the network, shown until the first photo is done.
    """
    with ExitStack() as stack:
        loading = stack.enter_context(ExitStack())
        loading.enter_context(screen.loading(name))

        def start(total: int) -> Advance:
            bar: list[Advance] = []

            def advance(record):  # type: ignore[no-untyped-def]
                if not bar:  # the model is loaded
                    loading.close()
                    bar.append(stack.enter_context(screen.progress(lambda stopping: total)))
                bar[0](record)

            return advance

        yield start
