"""A run that may be killed: its results file, the log beside it, and what is left to do."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from mnv2cli.errors import InputError, OutputError
from mnv2cli.records import Source
from mnv2cli.results.check import LOG_SUFFIX
from mnv2cli.results.formats import is_resumable
from mnv2cli.results.output import VanishedError
from mnv2cli.results.schema import Layout
from mnv2cli.runs.log import RunLog, Settings, differences
from mnv2cli.runs.options import RunOptions
from mnv2cli.runs.resume import Resumed
from mnv2cli.system.messages import reason
from mnv2cli.system.packages import installed_version

_LIBRARIES = ("mnv2cli", "pillow", "pillow-heif", "ai-edge-litert", "keras", "tensorflow")


class Run:
    """The results of one run in a file of this machine, locked against other runs.

    Args:
        output: The results file.
        layout: What its rows look like.
        settings: What decides rows, as far as it is known before the network is loaded.
        options: How it continues an earlier run, and which shard it is.

    Attributes:
        folder: What relative paths in rows are relative to.
        append: Rows are there, and more are added behind them.
        crashed: The run that is resumed did not come to its own end.
        changed: Libraries that were others when the results were begun.

    Raises:
        InputError: Another run writes this file; or there are rows and the run cannot be resumed.
        OutputError: The file or its log cannot be written.
    """

    def __init__(
        self, output: str, layout: Layout, settings: Settings, options: RunOptions
    ) -> None:
        self._output = output
        self._log = RunLog(output)
        # Other results are whole at their end or not at all: there it is but a lock.
        self._is_logged = is_resumable(layout.format) or layout.has_position
        self._resumed: Resumed | None = None
        self._settings = {"format": layout.format, "long": layout.long, "csv_safe": layout.safe}
        self._settings |= {"position": layout.has_position, **settings}
        self._settings["shard"] = str(options.shard or "")
        self.folder = os.getcwd()
        self.crashed = options.resume and self._log.died_early
        self.changed: list[str] = []
        self._begun = self._cleaned = False
        try:
            if options.resume and _has_content(output):
                self._compare()
                self._resumed = self._open(layout, options.retry_errors)
        except BaseException:
            self._log.close()
            raise

    def _open(self, layout: Layout, retry_errors: bool) -> Resumed:
        self.crashed = not self._log.ending
        folder = str(self._log.begun.get("folder", os.curdir))
        if not os.path.isdir(folder):  # it was moved, or this is another machine
            folder = os.curdir
        try:
            return Resumed(
                self._output,
                layout,
                folder,
                whole=self._log.ending == "finished",
                retry_errors=retry_errors,
            )
        except OSError as error:
            raise self._failed(error) from error

    def _compare(self) -> None:
        """Check that rows of this run belong with those that are there; raises InputError."""
        if not self._log.settings:
            raise InputError(
                f"{self._output!r} cannot be gone on with: {self._log.path!r} does not say how it "
                "was made",
                "Start over with --force, or name another file.",
            )
        found = differences(self._log.settings, self._settings)
        if found:
            raise InputError(
                f"{self._output!r} was begun otherwise: {'; '.join(found)}",
                "Go on in the same way, start over with --force, or name another file.",
            )

    @property
    def append(self) -> bool:
        """Return whether rows are there."""
        return self.kept > 0

    @property
    def kept(self) -> int:
        """How many rows stay."""
        return self._resumed.kept if self._resumed else 0

    @property
    def dropped(self) -> int:
        """How many pieces of the file were no whole rows."""
        return self._resumed.dropped if self._resumed else 0

    @property
    def errors(self) -> Counter[str]:
        """How many rows that stay are errors, by reason."""
        return self._resumed.errors if self._resumed else Counter()

    def without_own(self, sources: Iterable[Source]) -> Iterator[Source]:
        """Skip the results and their log, which --all-files may find among the images."""
        own = {os.path.realpath(self._output), os.path.abspath(self._output), self._log.path}
        names = {os.path.basename(path) for path in own}
        for source in sources:
            name = os.path.basename(source.path)
            is_own = name in names and os.path.abspath(source.path) in own
            if not (is_own or name.endswith(LOG_SUFFIX)):
                yield source

    def remaining(self, sources: Iterable[Source]) -> Iterator[Source]:
        """Yield the images that have no row yet."""
        return self._resumed.remaining(sources) if self.append and self._resumed else iter(sources)

    def start(self, settings: Settings) -> None:
        """Check or note the settings, once the network is loaded; raises InputError."""
        self._settings |= settings
        libraries = _versions()
        if self._resumed and self.append:
            self._compare()
            old = self._log.begun.get("libraries", {})
            self.changed = differences(old, libraries) if isinstance(old, dict) else []
            try:
                self._log.add({"event": "resume", "libraries": libraries})
                self._clean(self._resumed)
            except OSError as error:
                raise self._failed(error) from error
            self._begun = True

    def forget(self) -> None:
        """Let nobody resume results that are about to be replaced."""
        try:
            self._log.forget()
        except OSError as error:
            raise self._failed(error) from error

    def opened(self) -> None:
        """Note how the results begin: their file is open and empty."""
        if not self._is_logged:
            self._log.forget()
            return
        self._log.begin(self._settings, folder=self.folder, libraries=_versions())
        self._begun = True

    def finish(self, new: int, images: int) -> None:
        """Put rows in order, and note that all are there.

        Args:
            new: How many rows this run wrote.
            images: How many there are in all, also those of other shards.
        """
        rows = new
        try:
            if self._resumed and self.append:
                self._clean(self._resumed)
                self._resumed.settle()
                rows += self._resumed.kept
        except OSError as error:
            raise self._failed(error) from error
        if self._begun or self._resumed:
            size = os.path.getsize(self._output)
            self._end("finished", rows=rows, images=images, bytes=size)

    def _clean(self, resumed: Resumed) -> None:
        if not self._cleaned:
            self._cleaned = True
            resumed.clean()

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self._output!r} cannot be gone on with: {reason(error)}",
            "All its rows are there.",
        )

    def stop(self, error: BaseException | None = None) -> None:
        """Note that the run ended by itself, before all was done."""
        if isinstance(error, VanishedError):
            with suppress(OSError):
                self._log.copy_to(error.saved + LOG_SUFFIX)
        elif self._begun:
            self._end("failed" if isinstance(error, OutputError) else "stopped")

    def _end(self, event: str, **more: Any) -> None:
        with suppress(OSError):  # a full disk: the next run looks more closely
            self._log.add({"event": event, **more})

    def close(self) -> None:
        """Let other runs in."""
        self._log.close()


def _has_content(path: str) -> bool:
    try:
        return os.path.getsize(path) > 0
    except OSError:
        return False


def _versions() -> dict[str, str]:
    found = {name: installed_version(name) for name in _LIBRARIES}
    return {name: number for name, number in found.items() if number}
