"""``mnv2 classify``: a folder of photos in, a table of labels out."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from itertools import chain, islice
from threading import Event
from typing import IO, TYPE_CHECKING, Any

import click

from mnv2cli.cli.options import (
    category_options,
    cluster_options,
    image_options,
    input_options,
    model_options,
    section,
    speed_options,
    terminal_options,
)
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.cli.terminal.interrupts import Interrupts
from mnv2cli.errors import ExitCode, InputError, NoImagesError, OutputError
from mnv2cli.inference.report import Report
from mnv2cli.results.check import check_output, is_file
from mnv2cli.results.formats import FORMATS, format_of, is_resumable, load_format
from mnv2cli.results.output import VanishedError
from mnv2cli.results.schema import Layout, extras
from mnv2cli.runs.options import RunOptions
from mnv2cli.runs.run import Run
from mnv2cli.runs.shards import Counted, Shard
from mnv2cli.sources.finder import Finder, is_glob, read_list
from mnv2cli.sources.options import Filters
from mnv2cli.sources.urls import is_url, redact

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.inference.classifier import Classifier
    from mnv2cli.records import Record, Source

EXAMPLES = (
    ("the three best labels of every photo in a folder", "mnv2 classify photos --top 3"),
    ("into a file; the format follows the name", "mnv2 classify photos -o labels.csv"),
    ("the sure ones", "mnv2 classify photos -f jsonl | jq 'select(.predictions[0].score > 0.8)'"),
    ("what find finds", "find . -newer last.csv -type f -print0 | mnv2 classify -0 --files-from -"),
    ("categories such as dog and car, besides", "mnv2 classify photos --category -o labels.csv"),
    ("a bucket, and results beside it", "mnv2 classify s3://bucket/photos/ -o s3://bucket/labels.csv"),
    ("a small, fast network", "mnv2 classify photos --alpha 0.35 --size 128"),
    ("go on after a power cut; new photos too", "mnv2 classify photos -o labels.csv --resume"),
)  # fmt: skip


_MUCH = 50_000_000  # bytes of rows; they are read in two seconds or so

_output = section("Results")
_long = section("Long runs")


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
    short_help="Label every image of a folder.",
)
@input_options
@_output(
    "-k",
    "--top",
    type=click.IntRange(1, 1000),
    default=5,
    metavar="K",
    help="How many labels for each image, best first.",
)
@_output(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="P",
    help="Leave out labels with a score below this.",
)
@category_options
@_output(
    "-o",
    "--output",
    type=click.Path(),
    metavar="FILE",
    help="Write to a file; .csv, .json, .jsonl or .parquet says how.  [default: standard output]",
)
@_output(
    "-f",
    "--format",
    "form",
    type=click.Choice(["table", *FORMATS]),
    help="Format of the results.  [default: by the file's name; without -o a table on a "
    "terminal, else csv]",
)
@_output("--long", is_flag=True, help="In csv and parquet: a row for each image and rank.")
@_output(
    "--csv-safe",
    is_flag=True,
    help="In csv: an apostrophe before cells that a spreadsheet would take for a formula.",
)
@_output("--force", is_flag=True, help="Overwrite the output file if it exists.")
@_long(
    "--resume",
    is_flag=True,
    help="Go on with the rows that are in the csv or jsonl file of -o, after any end: Ctrl-C, a "
    "power cut, new photos. Starts it if it is not there.",
)
@_long("--retry-errors", is_flag=True, help="With --resume: do images again whose row is an error.")
@_long(
    "--shard",
    metavar="I/N",
    help="Do only the I-th of N parts of the images, the same on every machine; mnv2 merge joins "
    "their results.  [default: all]",
)
@image_options
@model_options
@speed_options
@cluster_options
@terminal_options
def classify(
    paths: tuple[str, ...],
    files_from: str | None,
    null: bool,
    top: int,
    threshold: float,
    output: str | None,
    form: str | None,
    long: bool,
    csv_safe: bool,
    force: bool,
    resume: bool,
    retry_errors: bool,
    shard: str | None,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Label every image in files, folders and quoted globs with the classes it most likely shows.

    Images are JPEG, PNG, GIF, BMP, TIFF, WebP, AVIF and HEIC, told by their content, here or at
    URLs (s3://, gs://, https://, zip://, tar://). Each gives one row, in natural order; one that
    cannot be read gives a row that says why. Labels are the 1,000 classes of ImageNet, scores are
    probabilities from 0 to 1.

    Exit codes: 0 all done, 1 failed, 2 usage, 3 no images found, 4 done but some images could not
    be read, 130 interrupted, 143 terminated.
    """
    output = None if output == "-" else output
    options["category"] = options["category"] or options["categories"] is not None
    check_inputs(paths, files_from, null)
    form = _check_results(output, form, long, force, resume)
    _check_long_run(output, form, resume, retry_errors, force)
    if csv_safe and not (form in FORMATS and load_format(form).may_be_safe):
        raise click.UsageError(f"--csv-safe is for csv: {form} is not opened by spreadsheets so.")
    if output is not None:
        _check_not_an_input(output, [*paths, files_from, options["weights"]])
    part = Shard.parse(shard) if shard else None
    if part and output is not None and is_url(output):
        raise click.UsageError("--shard writes notes beside its results: name a file here with -o.")

    from mnv2cli.cli.terminal.screen import Screen

    screen = Screen(quiet=quiet, verbose=verbose)
    found = extras(
        category=options["category"],
        node=options["rollup"] is not None,
        position=part is not None,
    )
    layout = Layout(form, top, long, found, csv_safe)
    classifier = make_classifier(options, top, threshold, screen)
    run: Run | None = None
    if output is not None and is_file(output):
        run_options = RunOptions(resume, retry_errors, part)
        if resume and os.path.exists(output) and os.path.getsize(output) > _MUCH:
            screen.notice(f"Reading the rows that are in {output}")
        try:
            run = Run(output, layout, classifier.settings(), run_options)
        except OutputError as error:
            if resume or part:
                raise
            screen.warning(f"this run cannot be gone on with: {error.message}")
    try:
        job = _Job(classifier, screen, output, layout, run, part)
        job.do(paths, files_from, null, force=force or resume)
    finally:
        if run:
            run.close()
    code = job.report.return_code
    if part and code == ExitCode.NO_IMAGES:
        code = ExitCode.DONE  # a shard may be empty: others have the images
    click.get_current_context().exit(code)


class _Job:
    """One run of the command: images in, rows out."""

    def __init__(
        self,
        classifier: Classifier,
        screen: Screen,
        output: str | None,
        layout: Layout,
        run: Run | None,
        part: Shard | None,
    ) -> None:
        self._classifier = classifier
        self._screen = screen
        self._output = output
        self._layout = layout
        self._run = run
        self._part = part
        self._interrupts = Interrupts()
        self._found = Counted(())
        self._engine = ""
        self.report = Report()

    def do(
        self, paths: tuple[str, ...], files_from: str | None, null: bool, *, force: bool
    ) -> None:
        """Classify the inputs, as they were typed, and write their rows."""
        report, run, classifier = self.report, self._run, self._classifier
        if run:
            self._tell_resumed(run)
        stop_requested = self._interrupts.stop_requested
        records = classify_inputs(
            classifier, paths, files_from, null, report, self._screen, self._choose, stop_requested
        )
        with closing(records):
            with self._screen.loading(classifier.network.name):
                started = list(islice(records, 1))  # loads the network, if there are images
            if started:
                self._engine = classifier.about
                if run:
                    run.start(classifier.settings())
                    self._tell_changed(run)
            elif not ((run and run.append) or (self._part and self._found.count)):
                raise no_images(report)
            total = None
            if files_from is None:
                total = partial(_count, paths, classifier.find, self._part)
            try:
                self._write(chain(started, records), total, force)
                report.stop()
                if run:
                    run.finish(report.images, self._found.count)
                    report.keep(run.kept, run.errors)
            except BaseException as error:
                self._fail(error)
                raise
        self._screen.summary(report, self._engine, self._output)

    def _choose(self, sources: Iterator[Source]) -> Iterator[Source]:
        """Leave out the results themselves, what other shards do, and what has a row already."""
        if self._run:
            sources = self._run.without_own(sources)
        self._found = Counted(sources)
        chosen = self._part.of(self._found) if self._part else iter(self._found)
        return self._run.remaining(chosen) if self._run else chosen

    def _write(
        self,
        records: Iterable[Record],
        total: Callable[[Event], int | None] | None,
        force: bool,
    ) -> None:
        from mnv2cli.cli.terminal.table import TABLE
        from mnv2cli.cli.terminal.text import data_stream
        from mnv2cli.results.output import Output

        layout, run, report = self._layout, self._run, self.report
        target = data_stream() if self._output is None else self._output
        upload: AbstractContextManager[str | IO[bytes]] = nullcontext(target)
        if isinstance(target, str) and is_url(target):
            from mnv2cli.sources.remote import Upload

            upload, self._output = Upload(target, force=force), redact(target)
        format = TABLE if layout.format == TABLE.name else load_format(layout.format)
        with (
            self._interrupts.asked(),
            self._screen.progress(total, run.kept if run else 0) as advance,
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
            if run and not run.append and self._part:
                out.open()  # a shard may be empty, and still be one
            for record in records:
                with self._screen.printing(to_stdout=self._output is None):
                    out.write(record)
                report.add(record)
                advance(record)

    def _fail(self, error: BaseException) -> None:
        """Tell what a run came to that did not come to its end, and how to go on."""
        self.report.stop()
        go_on = ""
        if self._run:
            self._run.stop(error)
            self.report.keep(self._run.kept, self._run.errors)
            go_on = _how_to_go_on() if is_resumable(self._layout.format) else ""
        if isinstance(error, KeyboardInterrupt):
            self._screen.summary(
                self.report, self._engine, self._output, interrupted=True, go_on=go_on
            )
        elif isinstance(error, OutputError) and go_on and not isinstance(error, VanishedError):
            error.hint += f"\nTo go on, once that is mended: {go_on}"

    def _tell_resumed(self, run: Run) -> None:
        if run.dropped:
            self._screen.notice(f"{run.dropped:,} damaged or half-written rows are done again.")
        if run.crashed and not self._classifier.isolate:
            self._classifier.isolate = True
            self._screen.notice(
                "The last run was killed, or crashed by an image: as with --isolate, images are "
                "decoded in processes of their own."
            )

    def _tell_changed(self, run: Run) -> None:
        if run.changed:
            text = "; ".join(run.changed)
            self._screen.warning(f"scores may move a little from here on: {text}")


def _check_long_run(
    output: str | None, form: str, resume: bool, retry_errors: bool, force: bool
) -> None:
    if retry_errors and not resume:
        raise click.UsageError("--retry-errors is about rows that are there: add --resume.")
    if not resume:
        return
    if force:
        raise click.UsageError("--force starts over and --resume goes on: choose one.")
    if output is None or not is_resumable(form) or not is_file(output):
        raise click.UsageError(
            "--resume goes on in a file of rows: name a .csv or .jsonl file with -o."
        )


def _how_to_go_on() -> str:
    """Return the command line that goes on where this one stops."""
    args = click.get_current_context().meta.get("mnv2.args", [])
    args = [arg for arg in args if arg not in ("--force", "--resume")]
    # Behind a bare -- there are only paths.
    end = args.index("--") if "--" in args else len(args)
    # What URLs hold that is secret has no place in a log.
    return shlex.join(["mnv2", *map(redact, args[:end]), "--resume", *map(redact, args[end:])])


def check_inputs(paths: tuple[str, ...], files_from: str | None, null: bool) -> None:
    """Check that there is something to look at; raises UsageError."""
    if null and files_from is None:
        raise click.UsageError("-0 says how the paths of --files-from are separated: add that.")
    if files_from is None:
        if not paths:
            raise click.UsageError("Name images or folders, or a list of them with --files-from.")
        if not any(os.path.lexists(p) or is_glob(p) or is_url(p) for p in paths):
            more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
            raise click.UsageError(f"There is no file or folder {paths[0]!r}{more}.")
    if any(is_url(path) for path in paths):
        from mnv2cli.sources import remote

        remote.check(paths)


def _check_results(
    output: str | None, form: str | None, long: bool, force: bool, resume: bool
) -> str:
    """Return the format, once it is sure that results may be written in it."""
    if output is None:
        if sys.stdout is None:
            raise OutputError("standard output is closed", "Name a file with -o.")
        if form in FORMATS and not load_format(form).is_text:
            raise click.UsageError("Parquet is not text: name a file for it with -o.")
        form = form or ("table" if sys.stdout.isatty() and not long else "csv")
    else:
        form = form or format_of(output)
        if form == "table":
            raise click.UsageError("A table is for the terminal: choose another --format for -o.")
    if long and not (form in FORMATS and load_format(form).is_table):
        raise click.UsageError(f"--long is for csv and parquet: {form} has all ranks anyway.")
    if output is not None:
        check_output(output, form, force=force or resume)
    return form


def _check_not_an_input(output: str, inputs: list[str | None]) -> None:
    for path in inputs:
        if path and (
            path == output
            if is_url(output)
            else os.path.isfile(path) and os.path.exists(output) and os.path.samefile(path, output)
        ):
            raise click.UsageError(f"Results would overwrite {path!r}, which is read.")


def _list_reader(path: str) -> Callable[[int], bytes]:
    """Return what reads a list, bypassing Python's buffers.

    The list is read in a thread that may wait for ever; a buffer's lock, held meanwhile, would
    keep the process from ending.
    """
    if path == "-":
        stdin = sys.stdin
        if stdin is None:
            raise InputError("standard input is closed", "Name a file with --files-from.")
        try:
            return partial(os.read, stdin.fileno())
        except (OSError, ValueError):  # not a real one, as in tests
            return stdin.buffer.read
    try:
        return partial(os.read, os.open(path, os.O_RDONLY))
    except OSError as error:
        raise InputError(f"the list {path!r} cannot be read: {error.strerror}") from error


def make_classifier(
    options: dict[str, Any], top: int, threshold: float, screen: Screen
) -> Classifier:
    from mnv2cli.images.decode import set_process_limit
    from mnv2cli.inference.classifier import Classifier

    set_process_limit(options["max_pixels"])
    names = ("recursive", "include", "exclude", "all_files", "hidden", "follow_links")
    find = Filters(**{name: options.pop(name) for name in names})
    for name in ("batch_size", "threads"):
        options[name] = options[name] or 0  # the engine's own choice
    make: Callable[..., Classifier] = Classifier
    address = options.pop("ray", None)
    if address is not None:
        from mnv2cli.inference.cluster import ClusterClassifier

        make = partial(ClusterClassifier, address, verbose=screen.verbose)
    return make(
        top=top,
        threshold=threshold,
        find=find,
        progress=screen.download,
        notify=screen.notice,
        warn=screen.warning,
        **options,
    )


def classify_inputs(
    classifier: Classifier,
    paths: tuple[str, ...],
    files_from: str | None,
    null: bool,
    report: Report,
    screen: Screen,
    choose: Callable[[Iterator[Source]], Iterator[Source]] = lambda sources: sources,
    stop_requested: Event | None = None,
) -> Generator[Record, None, None]:
    """Return the records of inputs as they were typed.

    Args:
        choose: Says which of the images found are looked at.
        stop_requested: Once set, no more images are begun.
    """
    from mnv2cli.inference.classifier import ReadAhead

    def on_skip(path: str, reason: str) -> None:
        report.skip(path, reason)
        screen.skipped(path, reason)

    listed = read_list(_list_reader(files_from), null=null) if files_from is not None else ()
    sources = classifier.sources(paths, on_skip, listed)
    sample: Callable[[], Iterable[str]] = partial(classifier.sample, paths)
    if files_from is not None:  # a list cannot be read twice: its first images are the sample
        sources = ahead = ReadAhead(sources, classifier.notify)
        sample = ahead.paths
    return classifier.run(choose(sources), report.timings, sample, stop_requested)


def no_images(report: Report) -> NoImagesError:
    """Return the error that says why there are none."""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in report.skipped.most_common())
    hint = f"Left out: {reasons}." if reasons else "The folders are empty."
    if report.skipped["no image suffix"]:
        hint += " --all-files tries every file."
    return NoImagesError("no images found", hint)


def _count(
    paths: tuple[str, ...], find: Filters, part: Shard | None, stopping: Event
) -> int | None:
    """Count the images beside the run that reads them, so that the time left can be told."""
    count = 0
    for source in Finder(paths, find):
        count += part is None or source.path in part
        if stopping.is_set():
            return None
    return count
