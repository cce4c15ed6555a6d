"""Apply a plan; no file is ever lost.

Three rules hold everywhere. The new content of a file is complete before it gets the file's name.
Nothing is replaced or removed that is not what was read. What a file was before, and that it is
about to change, are on disk before it changes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import groupby
from typing import Any

from mnv2cli.errors import OutputError
from mnv2cli.journals.opening import is_unfinished
from mnv2cli.journals.running import (
    CriticalSection,
    FileChangedError,
    Progress,
    ignore_progress,
    reason_of,
)
from mnv2cli.journals.tag_journal import line_of, read_tag_journal
from mnv2cli.system.files import NO_SPACE
from mnv2cli.tagging.actions import TagPlan
from mnv2cli.tagging.exiftool import find_exiftool
from mnv2cli.tagging.jobs import Job, jobs_of
from mnv2cli.tagging.originals import originals_path
from mnv2cli.tagging.prepare import Prepared, Preparer
from mnv2cli.tagging.recover import settle
from mnv2cli.tagging.run import TagOutcome, TagRun, open_run, size_of
from mnv2cli.tagging.writing import (
    carry_out,
    keep_attributes,
    remove_temps,
    sync_files,
    temp_path,
    token_of,
    write_temp,
)

BATCH, BATCH_BYTES = 1024, 256 << 20
"""Number and bytes of the files that are announced, changed and confirmed together."""

PHOTO_BATCH = 64
"""Likewise for photos, whose new contents are on disk beside them for so long."""


def apply(
    plan: TagPlan,
    progress: Progress = ignore_progress,
    critical_section: CriticalSection = nullcontext,
    *,
    is_last: bool = True,
) -> TagOutcome:
    """Apply a plan, after finishing an interrupted run.

    Args:
        plan: The plan.
        progress: Called with the number of photos processed since the last call.
        critical_section: Defers interruptions while one file is processed.
        is_last: The run is complete after it; else further plans belong to the same run, until
            :func:`finish_open`.

    Returns:
        The outcome; files that failed are as they were.

    Raises:
        InputError: Another run uses the folder, or an interrupted undo must be finished first; or
            photos are to be changed without ExifTool.
        OutputError: The folder cannot be written, or its disk is full. No file is lost, and another
            run resumes this one.
    """
    root = os.path.abspath(plan.root)
    if not plan.work and not is_unfinished(root, "tag", read_tag_journal):
        return TagOutcome()
    if any(plan.by("embed")):
        find_exiftool()
    folders = {os.path.dirname(os.path.abspath(action.file)) for action in plan.work}
    with open_run(root, folders, progress, critical_section) as run:
        kept = size_of(originals_path(run.journal.path))
        run.outcome.finished = settle(run)
        jobs = jobs_of(plan.work, run)
        if jobs:
            run.confirm([{"begin": time.time()}] if run.state.entries else ())
            run.state.ended = False
            with Preparer(run.journal.path, plan.write) as preparer:
                try:
                    _Applier(run, preparer).do(jobs)
                finally:
                    run.confirm()
        if is_last:
            run.journal.append([{"end": True}])
        run.outcome.kept_bytes = size_of(originals_path(run.journal.path)) - kept
    if not run.state.entries:
        run.outcome.journal = ""
    return run.outcome


def finish_open(root: str) -> None:
    """Complete a run of several plans; without one, do nothing.

    Raises:
        InputError: Another run uses the folder.
        OutputError: The folder cannot be written.
    """
    apply(TagPlan(root))


class _Applier:
    """Prepare, announce and carry out changes in batches."""

    def __init__(self, run: TagRun, preparer: Preparer) -> None:
        self._run = run
        self._preparer = preparer
        self._number = max(run.state.entries, default=0)
        self._token = token_of(run.journal.path)
        self._left: set[str] = set()  # temporary files that may exist

    def do(self, jobs: list[Job]) -> None:
        for is_photo, group in groupby(jobs, key=lambda job: job.is_photo):
            for batch in _batches(list(group), PHOTO_BATCH if is_photo else BATCH):
                start = 0
                while start < len(batch):
                    start += self._do_first(batch[start:], is_photo)

    def _do_first(self, batch: list[Job], is_photo: bool) -> int:
        """Change the first files of a batch, or all; return how many jobs these are."""
        numbers = range(self._number + 1, self._number + 1 + len(batch))
        self._number += len(batch)
        temps = [
            temp_path(job.path, self._token, number)
            for job, number in zip(batch, numbers, strict=True)
        ]
        try:
            lines: list[dict[str, Any]] = []
            if is_photo:
                self._run.confirm(self._first_lines(batch, temps))
            count, prepared = self._prepare_first(zip(batch, numbers, temps, strict=True))
            if prepared:
                if not is_photo:
                    jobs = [change.job for change in prepared]
                    lines = self._first_lines(jobs, [c.temp for c in prepared if c.content])
                self._announce(prepared, lines)
                self._carry_out(prepared)
            return count
        finally:
            remove_temps(self._left)
            self._left.clear()

    def _prepare_first(self, batch: Iterable[tuple[Job, int, str]]) -> tuple[int, list[Prepared]]:
        """Prepare the first files, as far as memory and the disk have space for new contents."""
        prepared: list[Prepared] = []
        count = size = 0
        for job, number, temp in batch:
            with self._run.critical_section():
                try:
                    change = self._prepare(job, number, temp)
                except OutputError:
                    if prepared and job.is_photo:
                        break  # what is prepared frees space: it replaces photos
                    raise
            count += 1
            if change is not None:
                prepared.append(change)
                size += len(change.content)
                if size >= BATCH_BYTES:
                    break
        return count, prepared

    def _first_lines(self, jobs: list[Job], temps: list[str]) -> list[dict[str, Any]]:
        """Return the lines about folders and temporary files."""
        run = self._run
        folders = dict.fromkeys(os.path.dirname(job.path) for job in jobs)
        lines = run.time_lines(folder for folder in folders if os.path.isdir(folder))
        below = [run.below(temp) for temp in temps]
        run.state.temps += below
        self._left.update(temps)
        # Lines have a limited length.
        return lines + [{"temps": below[at : at + 40]} for at in range(0, len(below), 40)]

    def _prepare(self, job: Job, number: int, temp: str) -> Prepared | None:
        """Return the change of a file; None if it has none, or failed."""
        run = self._run
        try:
            make = self._preparer.photo if job.is_photo else self._preparer.sidecar
            change = make(job, number, temp)
        except (OSError, ValueError, FileChangedError) as error:
            if isinstance(error, OSError) and error.errno in NO_SPACE:
                raise run.disk_full(error) from error
            run.fail(job.name, error)
        else:
            if change is not None:
                return change
            run.outcome.unchanged += 1
        run.progress(job.count)
        return None

    def _announce(self, prepared: list[Prepared], lines: list[dict[str, Any]]) -> None:
        run = self._run
        try:
            self._preparer.sync()
        except OSError as error:
            raise run.disk_full(error) from error
        run.confirm([*lines, *(line_of(change.entry) for change in prepared)])
        run.state.entries.update((change.entry.number, change.entry) for change in prepared)

    def _carry_out(self, prepared: list[Prepared]) -> None:
        run = self._run
        done: list[int] = []
        void: list[dict[str, Any]] = []
        errors = self._write_temps(prepared)
        try:
            for change in prepared:
                number = change.entry.number
                with run.critical_section():
                    try:
                        if change.temp in errors:
                            raise errors[change.temp]
                        carry_out(change.entry, change.job.path, change.temp, change.seen)
                        done.append(number)
                        self._left.discard(change.temp)
                        run.state.done.add(number)
                        run.outcome.count(change.entry)
                    except (OSError, ValueError, FileChangedError) as error:
                        if isinstance(error, OSError) and error.errno in NO_SPACE:
                            raise run.disk_full(error) from error
                        void.append({"void": number, "why": reason_of(error)})
                        run.state.void.add(number)
                        run.fail(change.job.name, error)
                    run.progress(change.job.count)
        finally:
            run.confirm_later([{"done": done}, *void] if done else void)

    def _write_temps(self, prepared: list[Prepared]) -> dict[str, Exception]:
        """Complete the temporary files; return the errors by temporary file."""
        errors: dict[str, Exception] = {}
        written = []
        for change in prepared:
            try:
                self._write_temp(change)
            except (OSError, ValueError) as error:
                errors[change.temp] = error
            else:
                if change.entry.after is not None:
                    written.append(change.temp)
        return {**errors, **sync_files(written)}

    def _write_temp(self, change: Prepared) -> None:
        entry, path = change.entry, change.job.path
        if entry.after is None:
            return
        if not entry.is_photo:
            write_temp(change.temp, [change.content])
        if change.seen is not None:
            times = (entry.after.atime, entry.after.mtime)
            keep_attributes(path, change.temp, change.seen.mode, times)


def _batches(jobs: list[Job], limit: int) -> Iterator[list[Job]]:
    """Return jobs in batches that are not too large."""
    batch: list[Job] = []
    size = 0
    for job in jobs:
        if batch and (len(batch) >= limit or size >= BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(job)
        size += 2 * size_of(job.path)
    if batch:
        yield batch
