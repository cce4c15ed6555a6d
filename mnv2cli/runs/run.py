"""A run that may be killed: its results file, the log beside it, and the remaining images."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from mnv2cli.errors import InputError, OutputError
from mnv2cli.records import Source
from mnv2cli.results.check import log_path
from mnv2cli.results.formats import is_resumable
from mnv2cli.results.output import VanishedError
from mnv2cli.results.schema import Layout
from mnv2cli.runs.differences import Settings, differences, version_changes
from mnv2cli.runs.log import RunLog
from mnv2cli.runs.options import RunOptions
from mnv2cli.runs.resume import Resumed
from mnv2cli.system.messages import reason
from mnv2cli.system.packages import installed_version

_LIBRARIES = ("mnv2cli", "pillow", "pillow-heif", "ai-edge-litert", "keras", "tensorflow")


class Run:
    """The results of one run in a local file, locked against other runs.

    Args:
        output: The results file.
        layout: The layout of its rows.
        settings: The settings that determine the rows, without those of the loaded model.
        options: Whether to resume, and the shard.

    Attributes:
        folder: The folder that relative paths in rows start from.
        crashed: The run to resume was killed.
        changed: Descriptions of libraries whose version changed since the results were begun.
        rows: The file that rows are appended to.

    Raises:
        InputError: Another run writes to this file, or it has rows and cannot be resumed.
        OutputError: The file or its log cannot be written.
    """

    def __init__(
        self, output: str, layout: Layout, settings: Settings, options: RunOptions
    ) -> None:
        self._output = output
        self._log = RunLog(output)
        # Other formats cannot be resumed: there the log serves only as a lock.
        self._is_logged = is_resumable(layout.format) or layout.has_position
        self._resumed: Resumed | None = None
        self._settings = {"format": layout.format, "long": layout.long, "csv_safe": layout.safe}
        self._settings |= {"position": layout.has_position, **settings}
        self._settings["shard"] = str(options.shard or "")
        self.folder = os.getcwd()
        self.crashed = options.resume and self._log.died_early
        self.changed: list[str] = []
        self._begun = self._cleaned = self._is_settled = False
        try:
            self.rows = self._rows_file(resume=options.resume)
            if options.resume and _has_content(self.rows):
                self._compare()
                self._resumed = self._open(layout, options.retry_errors)
        except BaseException:
            self._log.close()
            raise

    def _rows_file(self, *, resume: bool) -> str:
        """Return the file that rows are appended to: the results file."""
        return self._output

    def _open(self, layout: Layout, retry_errors: bool) -> Resumed:
        self.crashed = not self._log.ending
        folder = str(self._log.begun.get("folder", os.curdir))
        if not os.path.isdir(folder):  # moved, or recorded on another machine
            folder = os.curdir
        try:
            return Resumed(
                self.rows,
                layout,
                folder,
                whole=self._log.ending == "finished",
                retry_errors=retry_errors,
            )
        except OSError as error:
            raise self._failed(error) from error

    def _compare(self) -> None:
        """Check that rows of this run match the existing rows; raises InputError."""
        if not self._log.settings:
            raise InputError(
                f"cannot resume {self._output!r}: its run log {self._log.path!r} is missing or "
                "damaged",
                "If it may be replaced, start over with --force; otherwise name another file.",
            )
        found = differences(self._log.settings, self._settings)
        if found:
            raise InputError(
                f"cannot resume {self._output!r}: written "
                + "; ".join(f"{each.old}, now {each.new}" for each in found),
                "Use the same options, start over with --force, or name another file.",
            )

    @property
    def append(self) -> bool:
        """Whether existing rows are kept and new rows appended."""
        return self.kept > 0

    @property
    def kept(self) -> int:
        """The number of rows that are kept."""
        return self._resumed.kept if self._resumed else 0

    @property
    def dropped(self) -> int:
        """The number of damaged parts of the file, which are removed."""
        return self._resumed.dropped if self._resumed else 0

    @property
    def errors(self) -> Counter[str]:
        """The number of kept rows that are errors, by reason."""
        return self._resumed.errors if self._resumed else Counter()

    def image_keys(self) -> set[int]:
        """Return the keys of the images that have a row, as of ``image_key``."""
        return self._resumed.image_keys() if self._resumed else set()

    def remaining(self, sources: Iterable[Source]) -> Iterator[Source]:
        """Return the images that have no row yet."""
        return self._resumed.remaining(sources) if self.append and self._resumed else iter(sources)

    def start(self, settings: Settings) -> None:
        """Check or record the settings, once the model is loaded; raises InputError."""
        self._settings |= settings
        libraries = _versions()
        if self._resumed and self.append:
            self._compare()
            old = self._log.begun.get("libraries", {})
            self.changed = version_changes(old, libraries) if isinstance(old, dict) else []
            try:
                self._log.add({"event": "resume", "libraries": libraries})
                self._clean(self._resumed)
            except OSError as error:
                raise self._failed(error) from error
            self._begun = True

    def forget(self) -> None:
        """Empty the log, because the results are about to be replaced."""
        try:
            self._log.forget()
        except OSError as error:
            raise self._failed(error) from error

    def opened(self) -> None:
        """Record the beginning of the results; their file is open and empty."""
        if not self._is_logged:
            self._log.forget()
            return
        self._log.begin(self._settings, folder=self.folder, libraries=_versions())
        self._begun = True

    def finish(self, new: int, images: int) -> None:
        """Put the rows in order, and record that the run is complete.

        Args:
            new: The number of rows that this run wrote.
            images: The number of images in all shards.
        """
        self.settle()
        rows = new + self.kept
        if self._begun or self._resumed:
            size = os.path.getsize(self._output)
            self._end("finished", rows=rows, images=images, bytes=size)

    def settle(self) -> None:
        """Put the rows in order, once all are written; raises OutputError."""
        if self._is_settled:
            return
        try:
            if self._resumed and self.append:
                self._clean(self._resumed)
                self._resumed.settle()
        except OSError as error:
            raise self._failed(error) from error
        self._is_settled = True

    def _clean(self, resumed: Resumed) -> None:
        if not self._cleaned:
            self._cleaned = True
            resumed.clean()

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(
            f"cannot resume {self._output!r}: {reason(error)}",
            "No row is lost.",
        )

    def stop(self, error: BaseException | None = None) -> None:
        """Record that the run stopped before it was complete."""
        if isinstance(error, VanishedError):
            with suppress(OSError):
                self._log.copy_to(log_path(error.saved))
        elif self._begun:
            self._end("failed" if isinstance(error, OutputError) else "stopped")

    def _end(self, event: str, **more: Any) -> None:
        with suppress(OSError):  # a full disk; the next run then treats this one as killed
            self._log.add({"event": event, **more})

    def close(self) -> None:
        """Release the lock."""
        self._log.close()


def _has_content(path: str) -> bool:
    try:
        return os.path.getsize(path) > 0
    except OSError:
        return False


def _versions() -> dict[str, str]:
    found = {name: installed_version(name) for name in _LIBRARIES}
    return {name: number for name, number in found.items() if number}
