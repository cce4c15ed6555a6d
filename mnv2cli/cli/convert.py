"""``mnv2 convert``: write results as a dataset, and read a dataset into results."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from mnv2cli.cli.grouping import grouped, section
from mnv2cli.cli.options.rows import check_stdout
from mnv2cli.cli.options.terminal import TerminalOptions, terminal_options
from mnv2cli.cli.refusals import is_typed
from mnv2cli.cli.terminal.help import ExampleCommand
from mnv2cli.datasets.formats import DATASETS, load_dataset_format
from mnv2cli.results.check import already_exists, check_not_folder, check_output, is_regular
from mnv2cli.results.formats import FORMATS, load_format, suffix_format
from mnv2cli.results.stdin import STDIN
from mnv2cli.sources.urls import is_url

if TYPE_CHECKING:
    from mnv2cli.cli.convert_job import ConvertInput
    from mnv2cli.datasets.formats import DatasetFormat
    from mnv2cli.datasets.options import DatasetOptions

EXAMPLES = (
    ("write a Hugging Face dataset into the new folder dogs",
     "mnv2 convert labels.csv --to imagefolder -o dogs"),
    ("write a COCO file that refers to the photos where they are",
     "mnv2 convert labels.csv --to coco -o coco.json"),
    ("read the labels of a dataset, to learn from them",
     "mnv2 convert dogs -o dogs.csv && mnv2 learn --labels dogs.csv -o dogs.keras"),
    ("use categories as labels, and hard links, which take no space",
     "mnv2 convert labels.csv --to imagefolder -o dogs --label-by category --images hardlink"),
    ("write captions to train an image generator",
     "mnv2 convert labels.csv --to captions -o train --prepend 'a photo'"),
    ("write only the sure labels",
     "mnv2 select labels.csv --min-score 0.8 -f csv | mnv2 convert - --to coco -o coco.json"),
    ("convert results to another format of results", "mnv2 convert labels.csv -o labels.parquet"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConvertOutput:
    """What is written, and where.

    Attributes:
        path: The file or folder; None for standard output.
        format: The format, of datasets or of results; empty for the one that the name has.
        force: Overwrite a file.
    """

    path: str | None
    format: str
    force: bool


def _output_of(output: str | None, format: str | None, force: bool) -> ConvertOutput:
    return ConvertOutput(None if output == "-" else output, format or "", force)


def _input_of(source: str, **values: Any) -> ConvertInput:
    from mnv2cli.cli.convert_job import ConvertInput

    return ConvertInput(source, **{name: value or "" for name, value in values.items()})


_OWN = (
    "prepend", "append", "replace_underscores", "blacklist", "shard_size", "image_url",
    "license", "creator", "url",
)  # fmt: skip
"""The options of single formats, by their names in :attr:`DatasetFormat.options`."""


def _content(**values: Any) -> DatasetOptions:
    from mnv2cli.datasets.options import DatasetOptions

    own = {name: value for name in _OWN if (value := values.pop(name)) not in (None, False, ())}
    return DatasetOptions(
        values["label_by"] or "label",
        values["images"] or "",
        keep_unlabelled=values["keep_unlabelled"],
        own=own,
    )


_output = section("Output")
_input = section("Input")
_dataset = section("Dataset")
_output_options = grouped(
    "output",
    _output_of,
    _output(
        "-o",
        "--output",
        type=click.Path(),
        metavar="DEST",
        help="Write to DEST, a file or a new folder, not stdout.",
    ),
    _output(
        "-f",
        "--to",
        "format",
        type=click.Choice([*DATASETS, *FORMATS]),
        metavar="FORMAT",
        help=f"One of {', '.join(DATASETS)}; or of results: {', '.join(FORMATS)}.  "
        "[default: by DEST]",
    ),
    _output("--force", is_flag=True, help="Overwrite DEST if it is a file, never a folder."),
)
_content_options = grouped(
    "content",
    _content,
    _dataset(
        "--label-by",
        type=click.Choice(["label", "category", "node"]),
        metavar="FIELD",
        help="Use this as the label: label, category or node.  [default: label]",
    ),
    _dataset(
        "--images",
        type=click.Choice(["copy", "hardlink", "symlink", "embed", "reference"]),
        metavar="HOW",
        help="How to include images: copy, hardlink, symlink, embed or reference.",
    ),
    _dataset("--keep-unlabelled", is_flag=True, help="Also write photos that have no label."),
    _dataset(
        "--prepend", advanced=True, metavar="TEXT", help="captions: put TEXT before the labels."
    ),
    _dataset(
        "--append", advanced=True, metavar="TEXT", help="captions: put TEXT after the labels."
    ),
    _dataset(
        "--replace-underscores",
        advanced=True,
        is_flag=True,
        help="captions: write spaces for underscores.",
    ),
    _dataset(
        "--blacklist",
        advanced=True,
        multiple=True,
        metavar="LABEL",
        help="captions: omit LABEL (repeatable).",
    ),
    _dataset(
        "--shard-size",
        advanced=True,
        type=click.IntRange(min=1),
        metavar="N",
        help="webdataset: put at most N photos into a file.",
    ),
    _dataset(
        "--image-url",
        advanced=True,
        metavar="URL",
        help="label-studio: where its server has the photos.",
    ),
    _dataset(
        "--license", advanced=True, metavar="URL", help="croissant: the licence of the dataset."
    ),
    _dataset("--creator", advanced=True, metavar="NAME", help="croissant: who made the dataset."),
    _dataset("--url", advanced=True, metavar="URL", help="croissant: where the dataset will be."),
)
_input_options = grouped(
    "source",
    _input_of,
    click.argument("source", metavar="INPUT", type=click.Path()),
    _input(
        "--from",
        "read_as",
        type=click.Choice(list(DATASETS)),
        metavar="FORMAT",
        help="Read a dataset of FORMAT.  [default: detected]",
    ),
    _input(
        "--base",
        type=click.Path(),
        metavar="DIR",
        help="Look for photos that have moved in DIR and its subfolders.",
    ),
    _input(
        "--paths",
        type=click.Choice(["original", "dataset"]),
        metavar="WHICH",
        help="Write original paths, or those of images in the dataset.  [default: original]",
    ),
)


@click.command(
    cls=ExampleCommand,
    examples=EXAMPLES,
    hints={"--label": "Use --label-by; to choose photos, use mnv2 select."},
)
@_output_options
@_content_options
@_input_options
@terminal_options
def convert(
    source: ConvertInput,
    output: ConvertOutput,
    content: DatasetOptions,
    terminal: TerminalOptions,
) -> None:
    """Write results as a dataset for training and labelling tools, or read a dataset into results.

    INPUT is results of mnv2 classify (csv, json, jsonl, parquet; - for stdin), or a dataset, whose
    format is detected. A dataset becomes results, with which mnv2 evaluate, learn and report work,
    or another dataset.

    Images in a dataset keep the folders that they have below the folder of all photos, and get
    names that are valid on every system. A dataset gets its name when it is complete: after an
    error or Ctrl-C nothing remains of it.

    Photos without a label, such as those of no category that is certain enough, are omitted and
    counted. Photos that could not be read, or no longer exist, are omitted as well, and the exit
    code is 4.

    Exit codes: 0 all done, 1 failed, 2 usage error, 3 no photos to write, 4 done but some photos
    could not be read, 130 interrupted, 143 terminated.
    """
    from mnv2cli.cli.convert_job import ConvertJob

    if source.path == STDIN and source.read_as:
        raise click.UsageError("--from cannot be combined with -: standard input has results.")
    format = _format(output)
    is_dataset = format in DATASETS
    if output.force and output.path is None:
        raise click.UsageError("--force requires -o.")
    if not is_dataset:
        _check_results(output, format)
        _refuse(("label_by", "images", "keep_unlabelled", *_OWN), "a dataset as output: add --to")
    elif output.path is None:
        raise click.UsageError(f"Missing option '-o': name the new dataset of format {format}.")
    job = ConvertJob(terminal.screen())
    with job.opened(source) as opened:
        if not opened.is_dataset:
            _refuse(("paths",), "a dataset as INPUT, not results")
            if not is_dataset:
                _refuse(("base",), "a dataset as INPUT or output")
        if is_dataset and output.path is not None:
            base = "" if opened.is_dataset else source.base
            written = load_dataset_format(format)
            options = replace(_supported(content, written), base=base, force=output.force)
            job.write_dataset(opened, output.path, written, options)
        else:
            job.write_results(opened, output.path, format, force=output.force)
    click.get_current_context().exit(job.return_code)


def _format(output: ConvertOutput) -> str:
    """Return the format to write; raises UsageError if it is unknown."""
    if output.format:
        return output.format
    if output.path is None:
        return "table" if sys.stdout is not None and sys.stdout.isatty() else "csv"
    found = suffix_format(output.path)
    if not found:
        raise click.UsageError(
            f"unknown format of {output.path!r}: choose it with --to, such as --to imagefolder, or "
            f"use a name that ends in {', '.join(f'.{name}' for name in FORMATS)}."
        )
    return found


def _check_results(output: ConvertOutput, format: str) -> None:
    """Check that results can be written."""
    path = output.path
    if path is None:
        check_stdout()
        if format in FORMATS and not load_format(format).is_text:
            raise click.UsageError(f"--to {format} is not text: write it to a file with -o.")
        return
    if is_url(path):
        raise click.UsageError("name a local file with -o, and upload it.")
    check_not_folder(path)
    by_name = suffix_format(path)
    if by_name and by_name != format:
        raise click.UsageError(
            f"--to {format} contradicts the name {path!r}: use a name that ends in .{format}."
        )
    if is_regular(path) and not output.force:
        raise already_exists(path)
    check_output(path, format, force=output.force)


def _refuse(names: tuple[str, ...], requires: str) -> None:
    """Check that no option is given that would be ignored; raises UsageError."""
    ctx = click.get_current_context()
    for param in ctx.command.params:
        if param.name in names and is_typed(ctx, str(param.name)):
            raise click.UsageError(f"{max(param.opts, key=len)} requires {requires}.")


def _supported(content: DatasetOptions, format: DatasetFormat) -> DatasetOptions:
    """Return options without the values of config files that a format does not support."""
    ctx = click.get_current_context()
    has_images = content.images in format.images or is_typed(ctx, "images")
    own = {name: value for name, value in content.own.items()
           if name in format.options or is_typed(ctx, name)}  # fmt: skip
    return replace(content, images=content.images if has_images else "", own=own)
