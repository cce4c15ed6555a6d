"""``mnv2 classify``: a folder of photos in, a table of labels out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from itertools import chain, islice
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.help import ExampleCommand
from mnv2cli.cli.interrupts import Interrupts
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
from mnv2cli.errors import InputError, NoImagesError, OutputError
from mnv2cli.find import Finder, FindOptions, is_glob, read_list
from mnv2cli.report import Report

if TYPE_CHECKING:
    from mnv2cli.classifier import Classifier
    from mnv2cli.cli.screen import Screen
    from mnv2cli.records import Record

EXAMPLES = (
    ("the three best labels of every photo in a folder", "mnv2 classify photos --top 3"),
    ("into a file; the format follows the name", "mnv2 classify photos -o labels.csv"),
    ("the sure ones", "mnv2 classify photos -f jsonl | jq 'select(.predictions[0].score > 0.8)'"),
    ("what find finds", "find . -newer last.csv -type f -print0 | mnv2 classify -0 --files-from -"),
    ("categories such as dog and car, besides", "mnv2 classify photos --category -o labels.csv"),
    ("a small, fast network", "mnv2 classify photos --alpha 0.35 --size 128"),
)  # fmt: skip


_output = section("Results")


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
    type=click.Choice(["table", "csv", "json", "jsonl", "parquet"]),
    help="Format of the results.  [default: by the file's name; without -o a table on a "
    "terminal, else csv]",
)
@_output("--long", is_flag=True, help="In csv and parquet: a row for each image and rank.")
@_output("--force", is_flag=True, help="Overwrite the output file if it exists.")
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
    force: bool,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Label every image in files, folders and quoted globs with the classes it most likely shows.

    Images are JPEG, PNG, GIF, BMP, TIFF, WebP, AVIF and HEIC, told by their content. Each gives
    one row, in natural order; one that cannot be read gives a row that says why. Labels are the
    1,000 classes of ImageNet, scores are probabilities from 0 to 1.

    Exit codes: 0 all done, 1 failed, 2 usage, 3 no images found, 4 done but some images could not
    be read, 130 interrupted.
    """
    output = None if output == "-" else output
    options["category"] = options["category"] or options["categories"] is not None
    check_inputs(paths, files_from, null)
    form = _check_results(output, form, long, force)
    if output is not None:
        _check_not_an_input(output, [*paths, files_from, options["weights"]])

    from mnv2cli.cli.screen import Screen
    from mnv2cli.cli.table import TableWriter
    from mnv2cli.write import FORMATS, MakeWriter, Output

    screen = Screen(quiet=quiet, verbose=verbose)
    report = Report()

    classifier = make_classifier(options, top, threshold, screen)
    records = look_at(classifier, paths, files_from, null, report, screen)
    interrupts = Interrupts()
    with screen.loading(classifier.network.name):
        started = list(islice(records, 1))  # loads the network, if there are images
    if not started:
        raise no_images(report)
    engine = classifier.about
    writer: MakeWriter = TableWriter if form == "table" else FORMATS[form]
    target = sys.stdout.buffer if output is None else output
    wanted = {"category": options["category"], "node": options["rollup"] is not None}
    extra = tuple(name for name, is_wanted in wanted.items() if is_wanted)
    total = None if files_from is not None else partial(_count, paths, classifier.find)
    try:
        with (
            interrupts.watched(),
            closing(records),
            screen.progress(total) as advance,
            Output(target, writer, top, long=long, force=force, extra=extra) as out,
        ):
            for record in chain(started, records):
                with interrupts.held():  # a row is written whole and counted, or neither
                    with screen.printing(to_stdout=output is None):
                        out.write(record)
                    report.add(record)
                advance(record)
    except KeyboardInterrupt:
        report.stop()
        screen.summary(report, engine, output, interrupted=True)
        raise
    report.stop()
    screen.summary(report, engine, output)
    click.get_current_context().exit(report.return_code)


def check_inputs(paths: tuple[str, ...], files_from: str | None, null: bool) -> None:
    """Check that there is something to look at; raises UsageError."""
    if null and files_from is None:
        raise click.UsageError("-0 says how the paths of --files-from are separated: add that.")
    if files_from is None:
        if not paths:
            raise click.UsageError("Name images or folders, or a list of them with --files-from.")
        if not any(os.path.lexists(path) or is_glob(path) for path in paths):
            more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
            raise click.UsageError(f"There is no file or folder {paths[0]!r}{more}.")


def _check_results(output: str | None, form: str | None, long: bool, force: bool) -> str:
    """Return the format, once it is sure that results may be written in it."""
    from mnv2cli.write import check_output, format_of

    if output is None:
        if sys.stdout is None:
            raise OutputError("standard output is closed", "Name a file with -o.")
        if form == "parquet":
            raise click.UsageError("Parquet is not text: name a file for it with -o.")
        form = form or ("table" if sys.stdout.isatty() and not long else "csv")
    else:
        form = form or format_of(output)
        if form == "table":
            raise click.UsageError("A table is for the terminal: choose another --format for -o.")
    if long and form not in ("csv", "parquet"):
        raise click.UsageError(f"--long is for csv and parquet: {form} has all ranks anyway.")
    if output is not None:
        check_output(output, form, force=force)
    return form


def _check_not_an_input(output: str, inputs: list[str | None]) -> None:
    for path in inputs:
        if (
            path
            and os.path.isfile(path)
            and os.path.exists(output)
            and os.path.samefile(path, output)
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
    from mnv2cli.classifier import Classifier
    from mnv2cli.decode import set_process_limit

    set_process_limit(options["max_pixels"])
    names = ("recursive", "include", "exclude", "all_files", "hidden", "follow_links")
    find = FindOptions(**{name: options.pop(name) for name in names})
    for name in ("batch_size", "threads"):
        options[name] = options[name] or 0  # the engine's own choice
    make: Callable[..., Classifier] = Classifier
    address = options.pop("ray", None)
    if address is not None:
        from mnv2cli.cluster import ClusterClassifier

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


def look_at(
    classifier: Classifier,
    paths: tuple[str, ...],
    files_from: str | None,
    null: bool,
    report: Report,
    screen: Screen,
    wanted: Callable[[str], bool] = lambda path: True,
) -> Generator[Record, None, None]:
    """Return the records of inputs as they were typed; those not wanted are not looked at."""

    def on_skip(path: str, reason: str) -> None:
        report.skip(path, reason)
        screen.skipped(path, reason)

    listed = read_list(_list_reader(files_from), null=null) if files_from is not None else ()
    sources = classifier.sources(paths, on_skip, listed)
    # A list cannot be read twice: there, the first images are the sample for int8.
    sample = partial(classifier.sample, paths) if files_from is None else None
    chosen = (source for source in sources if wanted(source.path))
    return classifier.run(chosen, report.timings, sample)


def no_images(report: Report) -> NoImagesError:
    """Return the error that says why there are none."""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in report.skipped.most_common())
    hint = f"Left out: {reasons}." if reasons else "The folders are empty."
    if report.skipped["no image suffix"]:
        hint += " --all-files tries every file."
    return NoImagesError("no images found", hint)


def _count(paths: tuple[str, ...], find: FindOptions, stopping: Event) -> int | None:
    """Count the images beside the run that reads them, so that the time left can be told."""
    count = 0
    for _ in Finder(paths, find):
        count += 1
        if stopping.is_set():
            return None
    return count
