"""One run of ``mnv2 learn``: photos in, a model and a report out."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from mnv2cli.cli.inputs import shown
from mnv2cli.cli.options.keywords import check_keywords
from mnv2cli.cli.refusals import has_typed_filters
from mnv2cli.cli.report_page import check_page, write_page
from mnv2cli.cli.terminal.learn_report import print_report
from mnv2cli.errors import ExitCode
from mnv2cli.events import RunEvents
from mnv2cli.images.decode import set_process_limit
from mnv2cli.learning.keywords import KeywordClasses
from mnv2cli.learning.learn import learn
from mnv2cli.learning.options import LearnOptions, Running

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.cli.terminal.summary import Line
    from mnv2cli.inference.options import ClassifierOptions
    from mnv2cli.learning.learned import Learned
    from mnv2cli.records import Record
    from mnv2cli.sources.options import Inputs


@dataclass(frozen=True, slots=True)
class LearnTarget:
    """The options of learning, as typed."""

    output: str
    force: bool
    report: str | None
    labels: str | None
    labels_from_xmp: bool
    keyword: tuple[str, ...]
    from_sorted: str | None
    trust_all: bool
    group_by: str
    as_json: bool
    cache: bool

    @property
    def options(self) -> LearnOptions:
        """How to learn."""
        keywords = KeywordClasses(self.keyword) if self.labels_from_xmp else None
        return LearnOptions(self.group_by, self.force, self.cache, self.trust_all, keywords)


def check_usage(inputs: Inputs, target: LearnTarget) -> None:
    """Check that options can be combined; raises UsageError."""
    check_keywords(
        inputs.paths[0] if inputs.paths else None,
        target.keyword,
        labels_from_xmp=target.labels_from_xmp,
        others={"--labels": target.labels, "--from-sorted": target.from_sorted},
    )
    if not (inputs.paths or target.labels is not None or target.from_sorted is not None):
        raise click.UsageError(
            "Name a folder with a subfolder for each class, or a file with --labels."
        )
    if inputs.paths and target.labels is not None:
        raise click.UsageError("--labels cannot be combined with FOLDER: choose one.")
    has_filters = has_typed_filters(click.get_current_context())
    if not inputs.paths and target.from_sorted is None and has_filters:
        raise click.UsageError(
            "Options that select images cannot be combined with --labels, which names them."
        )
    if target.trust_all and target.from_sorted is None:
        raise click.UsageError("--trust-all requires --from-sorted.")


class LearnJob:
    """One run of the command.

    Args:
        options: The options of the classifier.
        target: The options of learning.
        screen: Shows notices and progress.
    """

    def __init__(self, options: ClassifierOptions, target: LearnTarget, screen: Screen) -> None:
        self._options = options
        self._target = target
        self._screen = screen

    def learn(self, inputs: Inputs) -> ExitCode:
        """Learn, print the report, and return the exit code."""
        options, target, screen = self._options, self._target, self._screen
        if target.report is not None:
            check_page(target.report, force=target.force, inputs=(target.labels, target.output))
        set_process_limit(options.images.max_pixels)
        events = RunEvents(screen.notice, screen.warning, screen.download, screen.status)
        running = Running(options.engine, options.images, inputs.filters, events, self._watched)
        try:
            learned = learn(
                inputs.paths[0] if inputs.paths else None,
                target.output,
                labels=target.labels,
                from_sorted=target.from_sorted,
                model=options.model,
                options=target.options,
                running=running,
            )
        except KeyboardInterrupt:
            screen.notice(f"Stopped: {target.output} was not written.", "")
            raise
        if target.as_json:
            click.echo(json.dumps(learned.as_object(), indent=1))
        elif not screen.quiet:
            print_report(learned, verbose=screen.verbose)
        if target.report is not None:
            screen.lines(self._write(target.report, learned))
        return learned.return_code

    def _write(self, path: str, learned: Learned) -> list[Line]:
        from mnv2cli.learning.pages.learned import learned_content
        from mnv2cli.reporting.write import ReportTarget

        target = ReportTarget(path, self._target.force)
        return write_page(learned_content(learned), target, self._screen, self._options.images)

    def _watched(self, records: Generator[Record, None, None], total: int) -> Iterator[Record]:
        """Yield records, and show the progress."""
        yield from shown(records, "the network", self._screen, lambda stopping: total)
        self._screen.status("Learning …")
