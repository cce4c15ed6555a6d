"""A run that computes features: it appends rows, and writes the features file once it has all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

from mnv2cli.errors import InputError, OutputError
from mnv2cli.records import Record
from mnv2cli.results.check import is_regular
from mnv2cli.results.features import Contents, FeaturesInfo, features_format, open_features
from mnv2cli.results.features_rows import RowsWriter, read_rows, rows_path
from mnv2cli.results.schema import Layout, extras
from mnv2cli.runs.differences import Settings
from mnv2cli.runs.log import read_log
from mnv2cli.runs.options import RunOptions
from mnv2cli.runs.run import Run
from mnv2cli.runs.shard_results import FEATURES
from mnv2cli.system.files import AtomicFile
from mnv2cli.system.messages import reason


def features_layout(*, position: bool = False) -> Layout:
    """Return the layout of the rows of an unfinished features file."""
    return Layout(FEATURES, 1, extras=extras(position=position))


class FeaturesRun(Run):
    """The features of one run: rows that grow, in the end a file of features in their place.

    A features file cannot grow itself. To resume a finished run, its rows are restored first.

    Args:
        output: The features file.
        settings: The settings that determine the features, without those of the loaded model.
        options: Whether to resume, and the shard.

    Raises:
        InputError: Another run writes to this file, or it has rows and cannot be resumed.
        OutputError: The rows or the log cannot be written.
    """

    def __init__(self, output: str, settings: Settings, options: RunOptions) -> None:
        self._shape = features_layout(position=options.shard is not None)
        super().__init__(output, self._shape, settings, options)

    def _rows_file(self, *, resume: bool) -> str:
        path = rows_path(self._output)
        is_finished = self._log.ending == "finished" and is_regular(self._output)
        if resume and is_finished and not os.path.exists(path):
            self._restore(path)
        return path

    def _restore(self, path: str) -> None:
        """Write the rows of the finished features file."""
        _, ended = read_log(self._output)
        if ended.get("bytes") != os.path.getsize(self._output):
            raise InputError(
                f"cannot resume {self._output!r}: another program changed it",
                "Start over with --force, or name another file.",
            )
        try:
            file = AtomicFile(path)
            try:
                writer = RowsWriter(file.file, self._shape)
                for record in open_features(self._output).records():
                    writer.write(record)
                file.commit()
            finally:
                file.discard()
        except OSError as error:
            raise self._failed(error) from error

    def write(self, rows: int) -> None:
        """Put the rows in order, and write the features file.

        Args:
            rows: The number of rows that this run has appended.

        Raises:
            InputError: The rows are damaged.
            OutputError: The file cannot be written; no row is lost.
        """
        self.settle()
        contents = Contents(self._info(), rows + self.kept, self._shape.has_position)
        write_features(self._output, contents, read_rows(self.rows))

    def _info(self) -> FeaturesInfo:
        return info_of(self._log.settings, self._output)

    def finish(self, new: int, images: int) -> None:
        """Record that the features file is complete, and remove the rows."""
        super().finish(new, images)
        with suppress(OSError):
            os.unlink(self.rows)


def info_of(settings: Settings, output: str) -> FeaturesInfo:
    """Return how features were computed, from the settings in the log of their run.

    Raises:
        InputError: A setting is missing.
    """
    try:
        return FeaturesInfo(
            settings["model"],
            settings["weights"],
            settings["engine"],
            settings["precision"],
            settings["features"],
            settings["normalized"],
            settings["accurate"],
        )
    except KeyError as error:
        raise InputError(
            f"the run log of {output!r} is damaged", "Start over with --force."
        ) from error


def write_features(output: str, contents: Contents, records: Iterable[Record]) -> None:
    """Write a features file, which appears once it is complete.

    Raises:
        OutputError: It cannot be written.
    """
    path = os.path.realpath(output)
    try:
        _remove_leftovers(path)
        file = AtomicFile(path)
        try:
            features_format(output).write(file.file, contents, records)
            file.commit()
        finally:
            file.discard()
    except OSError as error:
        raise OutputError(f"cannot write the features {output!r}: {reason(error)}") from error


def _remove_leftovers(path: str) -> None:
    """Remove unfinished files of killed runs; the lock of the features file is held."""
    folder, name = os.path.split(path)
    for entry in os.listdir(folder):
        if entry.startswith(f".{name}.") and entry.endswith(".part"):
            os.unlink(os.path.join(folder, entry))


def check_rows(output: str, *, replace: bool) -> None:
    """Check that no unfinished run has rows for a features file, unless they may be replaced.

    Raises:
        InputError: It has rows.
    """
    if not replace and os.path.exists(rows_path(output)):
        raise InputError(
            f"{output!r} has the rows of an unfinished run",
            "Continue it with --resume, start over with --force, or name another file.",
        )
