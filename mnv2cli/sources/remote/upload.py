"""Send results to a store: check the URL before the run, upload at its end."""

from __future__ import annotations

import os
import tempfile
from contextlib import AbstractContextManager, suppress
from types import TracebackType

from mnv2cli.errors import InputError, OutputError
from mnv2cli.sources.filesystem import open_filesystem
from mnv2cli.sources.remote.errors import StoreError
from mnv2cli.sources.remote.stores import StoreFileSystem
from mnv2cli.sources.urls import scheme_of, split_chain
from mnv2cli.system.urls import redact


def check_output(url: str, *, force: bool) -> None:
    """Check before the work begins that results can be sent to a URL.

    Raises:
        InputError: The URL already exists and ``force`` is not given, its existence cannot be
            checked, or its file system is read-only.
    """
    if scheme_of(url) in ("http", "https", "zip", "tar"):
        raise _not_writable(url)
    if url.endswith("/"):
        raise InputError(f"cannot write {redact(url)!r}: it is a folder", "Name a file in it.")
    try:
        store = _store(url)
        there = not force and store.exists(url)
    except StoreError as error:
        raise InputError(
            f"cannot check whether {redact(url)!r} exists: {error}",
            "If you can write there but not list files, use --force to skip the check.",
        ) from error
    if there:
        raise InputError(
            f"{redact(url)!r} already exists", "Overwrite it with --force, or name another file."
        )


def _store(url: str) -> StoreFileSystem:
    store = open_filesystem(url)
    if not isinstance(store, StoreFileSystem):
        raise _not_writable(url)
    return store


def _not_writable(url: str) -> InputError:
    return InputError(
        f"cannot write results to {scheme_of(url)}://",
        "Name a local file, or a store such as s3://.",
    )


class Upload(AbstractContextManager[str]):
    """A local file that is uploaded when the context ends, even after an error or Ctrl-C.

    Entering the context returns its path. If the upload fails, the local file is kept and the
    error names it.

    Args:
        url: The destination.
        force: Overwrite an existing file.

    Raises:
        OutputError: The upload failed.
    """

    def __init__(self, url: str, *, force: bool) -> None:
        self._url = url
        self._force = force
        self._folder = ""
        self.local = ""

    def __enter__(self) -> str:
        self._folder = tempfile.mkdtemp(prefix="mnv2-")
        name = split_chain(self._url)[0].rpartition("/")[2]
        self.local = os.path.join(self._folder, name)
        return self.local

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, OutputError):
            return  # the local file is incomplete, and this error names it
        if os.path.exists(self.local):
            try:
                self._send()
            except BaseException as failed:
                reason = failed if isinstance(failed, OSError) else "interrupted"
                raise OutputError(
                    f"cannot write {redact(self._url)!r}: {reason}",
                    f"All rows are saved in {self.local}; copy that file there yourself.",
                ) from failed
            os.unlink(self.local)
        with suppress(OSError):
            os.rmdir(self._folder)

    def _send(self) -> None:
        store = _store(self._url)
        if not self._force and store.exists(self._url):
            raise StoreError("it was created during the run")
        store.put(self.local, self._url)
