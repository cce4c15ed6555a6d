"""Make the new contents of a batch of files, and keep what they were; nothing is changed yet."""

from __future__ import annotations

import hashlib
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime

from mnv2cli.journals.running import FileChangedError
from mnv2cli.journals.tag_journal import ChangeEntry, FileState, How
from mnv2cli.system.files import content_digest
from mnv2cli.tagging.actions import WriteOptions
from mnv2cli.tagging.embedding import embed
from mnv2cli.tagging.exiftool import ExifTool, find_exiftool
from mnv2cli.tagging.jobs import Job
from mnv2cli.tagging.originals import Originals
from mnv2cli.tagging.start import edit_sidecar
from mnv2cli.tagging.writing import Seen, read_seen, remove_temps, see
from mnv2cli.tagging.xmp.keywords import Change
from mnv2cli.tagging.xmp.text import MAX_BYTES

LARGEST_PHOTO = 1 << 30
"""Bytes of a photo that is embedded into: ExifTool's copy of it passes through memory."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A change that is ready to be announced.

    Attributes:
        job: The file.
        entry: The line of the journal.
        temp: Its temporary file; written already if the file is a photo.
        content: The new content of a sidecar; empty for a photo, and to remove a sidecar.
        seen: The file as it was read; None for a new sidecar.
    """

    job: Job
    entry: ChangeEntry
    temp: str
    content: bytes
    seen: Seen | None


class Preparer:
    """Make the changes of one run; a context manager that ends ExifTool.

    Args:
        journal: The path of the journal; the originals are beside it.
        options: How files are written.
    """

    def __init__(self, journal: str, options: WriteOptions) -> None:
        self._journal = journal
        self._options = options
        self._date = datetime.now().astimezone().isoformat(timespec="seconds")
        self._originals: Originals | None = None
        self._tool: ExifTool | None = None
        self._opened = ExitStack()

    def __enter__(self) -> Preparer:
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    def sync(self) -> None:
        """Return when everything that was kept is on disk."""
        if self._originals is not None:
            self._originals.sync()

    def sidecar(self, job: Job, number: int, temp: str) -> Prepared | None:
        """Return the change of a sidecar; None if there is nothing to change.

        Raises:
            XmpError: Its content cannot be changed.
            OSError: It cannot be read, or the original not be kept.
            ValueError: It is not a sidecar, or has several names.
        """
        content, seen = read_seen(job.path, MAX_BYTES)
        new = edit_sidecar(job.photo, None if seen is None else content, self._change(job))
        if new == (None if seen is None else content):
            return None
        _check_links(seen)
        how: How = "create" if seen is None else "delete" if new is None else "replace"
        before = seen.state(hashlib.sha256(content).hexdigest()) if seen else None
        after = None
        if new is not None:
            now = time.time_ns()
            mode = seen.mode if seen else 0o644
            after = FileState(len(new), hashlib.sha256(new).hexdigest(), now, now, mode)
        kept = self._kept().keep(content) if seen else None
        entry = ChangeEntry(number, how, job.below, before, after, kept)
        return Prepared(job, entry, temp, new or b"", seen)

    def photo(self, job: Job, number: int, temp: str) -> Prepared | None:
        """Return the change of a photo, whose temporary file is written; None for no change.

        Raises:
            EmbedError: Its keywords cannot be changed.
            OSError: It cannot be read, or a file not be written.
            ValueError: It has several names, or is too large.
        """
        seen = see(job.path)
        if seen is None:
            raise FileNotFoundError(2, "No such file or directory", job.path)
        _check_links(seen, "embedding")
        if seen.size > LARGEST_PHOTO:
            raise ValueError(f"is larger than {LARGEST_PHOTO >> 30} GB, the limit of embedding")
        if self._tool is None:
            self._tool = self._opened.enter_context(ExifTool(find_exiftool()))
        try:
            if not embed(self._tool, job.path, temp, self._change(job)):
                return None
            kept, size, digest = self._kept().keep_difference(job.path, temp)
            seen.check(job.path)
            made = see(temp)
            if made is None or size != seen.size:
                raise FileChangedError
            touched = self._options.touch
            after = replace(
                made.state(content_digest(temp)),
                mtime=time.time_ns() if touched else seen.mtime,
                atime=seen.atime,
                mode=seen.mode,
            )
        except BaseException:
            remove_temps([temp])
            raise
        entry = ChangeEntry(number, "replace", job.below, seen.state(digest), after, kept, True)
        return Prepared(job, entry, temp, b"", seen)

    def _change(self, job: Job) -> Change:
        return Change(job.tags, self._options.hierarchy, self._date)

    def _kept(self) -> Originals:
        if self._originals is None:
            originals = Originals(self._journal, create=True)
            self._originals = self._opened.enter_context(originals)
        return self._originals


def _check_links(seen: Seen | None, what: str = "replacing") -> None:
    """Check that a file has no other name, as it would stay what it was under that one."""
    if seen is not None and seen.links > 1:
        raise ValueError(f"has {seen.links} hard links, which {what} would separate")
