"""Results that go to a store: checked beforehand, and sent once they are whole."""

from __future__ import annotations

import os
import tempfile
from contextlib import AbstractContextManager, suppress
from types import TracebackType

from mnv2cli.errors import InputError, OutputError
from mnv2cli.sources.filesystem import open_filesystem
from mnv2cli.sources.remote.errors import StoreError
from mnv2cli.sources.remote.stores import StoreFileSystem
from mnv2cli.sources.urls import redact, scheme_of, split_chain


def check_output(url: str, *, force: bool) -> None:
    """Check before the work begins that results can be sent to a URL.

    Raises:
        InputError: It is there and ``force`` is not given, that cannot be told, or nothing can be
            written there at all.
    """
    if scheme_of(url) in ("http", "https", "zip", "tar"):
        raise _not_writable(url)
    if url.endswith("/"):
        raise InputError(f"{redact(url)!r} is a folder", "Name a file in it.")
    try:
        store = _store(url)
        there = not force and store.exists(url)
    except StoreError as error:
        raise InputError(
            f"it cannot be told whether {redact(url)!r} exists: {error}",
            "--force writes without looking, where something can be written.",
        ) from error
    if there:
        raise InputError(f"{redact(url)!r} exists", "Overwrite it with --force, or name another.")


def _store(url: str) -> StoreFileSystem:
    store = open_filesystem(url)
    if not isinstance(store, StoreFileSystem):
        raise _not_writable(url)
    return store


def _not_writable(url: str) -> InputError:
    return InputError(f"results cannot be written to {scheme_of(url)}://", "Name a file or s3://.")


class Upload(AbstractContextManager[str]):
    """A local file in place of one in a store, sent there at the end, however that comes.

    Entering gives the local file's path. If sending fails, the file stays and the error names it.

    Args:
        url: Where it goes.
        force: Overwrite what is there.

    Raises:
        OutputError: It cannot be sent.
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
            return  # it is not whole: the error is about it, and names it
        if os.path.exists(self.local):
            try:
                self._send()
            except BaseException as failed:
                reason = failed if isinstance(failed, OSError) else "interrupted"
                raise OutputError(
                    f"results cannot be written to {redact(self._url)!r}: {reason}",
                    f"All rows are in {self.local}",
                ) from failed
            os.unlink(self.local)
        with suppress(OSError):
            os.rmdir(self._folder)

    def _send(self) -> None:
        store = _store(self._url)
        if not self._force and store.exists(self._url):
            raise StoreError("it appeared meanwhile")
        store.put(self.local, self._url)
