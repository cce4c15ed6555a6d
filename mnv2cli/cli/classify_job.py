"""One run of ``mnv2 classify``: images in, rows out, a summary, and how to resume."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from itertools import chain, islice
from threading import Event
from typing import IO, TYPE_CHECKING, Any

import click

from mnv2cli.cli.inputs import find_inputs, no_images
from mnv2cli.cli.terminal.interrupts import Interrupts
from mnv2cli.errors import OutputError
from mnv2cli.inference.report import Report
from mnv2cli.results.formats import is_resumable
from mnv2cli.results.output import Output, VanishedError
from mnv2cli.runs.own_files import without_own_files
from mnv2cli.runs.shards import Counted, Shard
from mnv2cli.sources.finder import Finder
from mnv2cli.sources.urls import is_url
from mnv2cli.system.messages import count
from mnv2cli.system.urls import redact

if TYPE_CHECKING:
    from mnv2cli.cli.classify_dataset import AddedDataset
    from mnv2cli.cli.classify_report import AddedReport
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.records import Record, Source
    from mnv2cli.results.options import OutputTarget
    from mnv2cli.results.schema import Layout
    from mnv2cli.runs.run import Run
    from mnv2cli.sources.options import Filters, Inputs


class ClassifyJob:
    """One run of the command.

    Args:
        classifier: Classifies the images.
        screen: Shows notices, progress and the summary.
        target: The destination of the rows.
        layout: The columns of the rows.
        shard: The images to classify; None for all.
        run: The results file and its log; None if this run cannot be resumed.

    Attributes:
        report: The counts and times of the run.
        page: The page to write; None for none.
        dataset: The dataset that is written from the rows afterwards; None for none.
    """

    def __init__(
        self,
        classifier: Classifier,
        screen: Screen,
        target: OutputTarget,
        layout: Layout,
        shard: Shard | None,
        run: Run | None,
    ) -> None:
        self._classifier = classifier
        self._screen = screen
        self._target = target
        path = target.path
        self._written = redact(path) if path is not None and is_url(path) else path
        self._layout = layout
        self._shard = shard
        self._run = run
        self._interrupts = Interrupts()
        self._found = Counted(())
        self._engine = ""
        self.report = Report()
        self.page: AddedReport | None = None
        self.dataset: AddedDataset | None = None

    def classify(self, inputs: Inputs) -> None:
        """Classify the inputs, write their rows and show the summary.

        Raises:
            NoImagesError: The inputs contain no images.
            OutputError: The results cannot be written.
        """
        report, run, classifier = self.report, self._run, self._classifier
        if run:
            self._report_resumed(run)
        records = self._records(inputs)
        with closing(records):
            to_stdout = self._target.path is None
            with self._screen.loading(classifier.network.name, rows_to_stdout=to_stdout):
                started = list(islice(records, 1))  # loads the model if there are images
            if started:
                self._engine = classifier.about
                if run:
                    run.start(self._settings())
                    self._report_changed(run)
            elif not ((run and run.append) or (self._shard and self._found.count)):
                raise no_images(report)
            total = None
            if inputs.list_file is None:
                total = partial(_count, inputs.paths, classifier.options.filters, self._shard)
            try:
                self._write(chain(started, records), total)
                report.stop()
                if run:
                    self._finish(run)
                    report.keep(run.kept, run.errors)
            except BaseException as error:
                self._fail(error)
                raise
        self._screen.summary(report, self._engine, None if self.dataset else self._written)
        if self.page:
            append = run is not None and run.append
            self._screen.lines(self.page.write(self._target, append=append))

    def _settings(self) -> dict[str, Any]:
        """Return the settings that determine the rows, for the log; the model is loaded."""
        return self._classifier.settings()

    def _records(self, inputs: Inputs) -> Generator[Record, None, None]:
        """Yield the records of the images that have no row yet."""
        found = find_inputs(self._classifier, inputs, self.report, self._screen)
        records = self._classifier.run(
            self._choose(found.sources),
            self.report.timings,
            found.sample,
            self._interrupts.stop_requested,
            **self._additions(),
        )
        return self.page.passing(records) if self.page else records

    def _additions(self) -> dict[str, bool]:
        """Return what the records have in addition to labels."""
        return {"thumbnails": self.page is not None and self.page.of_one_decoding}

    def _finish(self, run: Run) -> None:
        """Complete the results, once all rows are written."""
        run.finish(self.report.images, self._found.count)

    def _choose(self, sources: Iterator[Source]) -> Iterator[Source]:
        """Skip the results themselves, the images of other shards, and those that have a row."""
        wanted = without_own_files(sources, self._target.path or "", self._skip)
        self._found = Counted(wanted)
        chosen = self._shard.of(self._found) if self._shard else iter(self._found)
        return self._run.remaining(chosen) if self._run else chosen

    def _skip(self, path: str, reason: str) -> None:
        self.report.skip(path, reason)
        self._screen.skipped(path, reason)

    def _write(
        self, records: Iterable[Record], total: Callable[[Event], int | None] | None
    ) -> None:
        from mnv2cli.cli.terminal.records import format_named
        from mnv2cli.cli.terminal.text import data_stream

        layout, run, report, force = self._layout, self._run, self.report, self._target.force
        target = data_stream() if self._target.path is None else self._target.path
        if run:
            target = run.rows
        upload: AbstractContextManager[str | IO[bytes]] = nullcontext(target)
        if isinstance(target, str) and is_url(target):
            from mnv2cli.sources.remote.upload import Upload

            upload = Upload(target, force=force)
        format = format_named(layout.format)
        with (
            self._interrupts.graceful_stop(),
            self._screen.progress(
                total, run.kept if run else 0, rows_to_stdout=self._target.path is None
            ) as advance,
            upload as file,
            Output(
                file,
                format,
                layout,
                force=force,
                append=run is not None and run.append,
                opened=run.opened if run else lambda: None,
            ) as out,
        ):
            if run and not run.append and self._shard:
                out.open()  # merge needs the file even if this shard is empty
            for record in records:
                out.write(record)
                report.add(record)
                advance(record)

    def _fail(self, error: BaseException) -> None:
        """Show the summary of an unfinished run, and how to resume it."""
        self.report.stop()
        resume = ""
        if self._run:
            self._run.stop(error)
            self.report.keep(self._run.kept, self._run.errors)
            dropped = () if self.dataset else ("--force",)
            resume = _resume_command(dropped) if is_resumable(self._layout.format) else ""
        if isinstance(error, KeyboardInterrupt):
            self._screen.summary(
                self.report, self._engine, self._written, interrupted=True, resume_command=resume
            )
        elif isinstance(error, OutputError) and resume and not isinstance(error, VanishedError):
            error.hint += f"\nFix that, then resume with: {resume}"

    def _report_resumed(self, run: Run) -> None:
        if run.dropped:
            rows = count(run.dropped, "damaged or incomplete row")
            self._screen.notice(f"Classifying the images of {rows} again.")
        if run.crashed and not self._classifier.isolate:
            self._classifier.isolate = True
            self._screen.notice(
                "The last run was killed, or an image crashed it. Images are now decoded in "
                "separate processes, as with --isolate."
            )

    def _report_changed(self, run: Run) -> None:
        if run.changed:
            text = "; ".join(run.changed)
            self._screen.warning(f"new scores may differ slightly from the existing ones: {text}")


def _resume_command(dropped: tuple[str, ...]) -> str:
    """Return the command line that resumes this run, without the dropped options."""
    args = click.get_current_context().meta.get("mnv2.args", [])
    args = [arg for arg in args if arg not in (*dropped, "--resume")]
    args = _without(args, "--embeddings")  # mnv2 embed continues that file
    # After a bare -- there are only paths.
    end = args.index("--") if "--" in args else len(args)
    # Secrets in URLs must not get into a log.
    return shlex.join(["mnv2", *map(redact, args[:end]), "--resume", *map(redact, args[end:])])


def _without(args: list[str], option: str) -> list[str]:
    """Return arguments without an option and its value."""
    values = {i + 1 for i, arg in enumerate(args) if arg == option}
    return [
        arg
        for i, arg in enumerate(args)
        if not (i in values or arg == option or arg.startswith(f"{option}="))
    ]


def _count(
    paths: tuple[str, ...], filters: Filters, shard: Shard | None, stopping: Event
) -> int | None:
    """Count the images while the run reads them, so that the remaining time can be shown."""
    images = 0
    for source in Finder(paths, filters):
        images += shard is None or source.path in shard
        if stopping.is_set():
            return None
    return images
