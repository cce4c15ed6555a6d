"""The dataset that ``mnv2 classify --format`` writes, once every image has its row."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from mnv2cli.datasets.destination import check_apart, check_destination
from mnv2cli.datasets.formats import DatasetFormat, load_dataset_format
from mnv2cli.datasets.options import DatasetOptions, check_options
from mnv2cli.errors import InputError, Mnv2Error
from mnv2cli.results.check import log_path
from mnv2cli.results.options import OutputTarget
from mnv2cli.sources.urls import is_url

if TYPE_CHECKING:
    from mnv2cli.cli.terminal.screen import Screen
    from mnv2cli.runs.options import RunOptions
    from mnv2cli.sources.options import Inputs

ROWS_SUFFIX = ".mnv2.jsonl"
"""How the file ends that has the rows until the dataset is complete, beside the dataset."""


@dataclass(frozen=True, slots=True)
class AddedDataset:
    """A dataset to write after a run, from its rows.

    Attributes:
        dest: The dataset.
        format: Its format.
        rows: The file of the rows; removed when the dataset is complete.
        force: Overwrite the dataset if it is a file.
    """

    dest: str
    format: DatasetFormat
    rows: str
    force: bool

    def target(self, target: OutputTarget) -> OutputTarget:
        """Return where the rows are written."""
        return replace(target, path=self.rows, format="jsonl", force=False)

    def write(self, screen: Screen) -> int:
        """Write the dataset, remove the rows, and return the exit code.

        Raises:
            NoImagesError: No image could be read.
            OutputError: It cannot be written; the rows remain.
        """
        from mnv2cli.cli.convert_job import ConvertJob
        from mnv2cli.datasets.read import open_source

        job = ConvertJob(screen)
        # The paths in the rows start at the current folder, not at that of the rows.
        source = replace(open_source(self.rows), origin="")
        try:
            job.write_dataset(source, self.dest, self.format, DatasetOptions(force=self.force))
        except Mnv2Error as error:
            rest = (
                f"The rows are in {self.rows!r}: --resume continues from them, and mnv2 convert "
                "reads them."
            )
            error.hint = f"{error.hint}\n{rest}" if error.hint else rest
            raise
        for path in (self.rows, log_path(self.rows)):
            with suppress(OSError):
                os.unlink(path)
        return job.return_code


def added_dataset(target: OutputTarget, run: RunOptions, inputs: Inputs) -> AddedDataset:
    """Return the dataset that the format names, after checking that it can be written.

    Raises:
        UsageError: Options do not fit a dataset.
        InputError: The destination exists, or is in a folder of the inputs; or the rows exist.
    """
    name, dest = target.format, target.path
    if dest is None:
        raise click.UsageError(f"Missing option '-o': name the new dataset of format {name}.")
    for option, is_given in (
        ("--long", target.long),
        ("--csv-safe", target.safe),
        ("--shard", run.shard is not None),
    ):
        if is_given:
            raise click.UsageError(f"{option} cannot be combined with --format {name}.")
    if inputs.paths and all(map(is_url, inputs.paths)):
        raise click.UsageError(f"--format {name} requires images on this machine.")
    format = load_dataset_format(name)
    check_options(format, DatasetOptions(force=target.force))
    check_destination(dest, format, force=target.force, inputs=inputs.paths)
    if format.images[0] == "copy":
        check_apart(dest, filter(os.path.isfile, inputs.paths))
    rows = os.path.abspath(dest) + ROWS_SUFFIX
    rows = rows if os.path.isabs(dest) else os.path.relpath(rows)
    if os.path.lexists(rows) and not run.resume:
        raise InputError(
            f"{rows!r} has the rows of a run that did not complete {dest!r}",
            "Continue it with --resume, or remove that file.",
        )
    return AddedDataset(dest, format, rows, target.force)
