"""Object stores, and all other file systems of fsspec."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache, partial
from typing import Any

from mnv2cli.errors import InputError
from mnv2cli.sources.filesystem import Kind, Listing, Match
from mnv2cli.sources.local import real_path
from mnv2cli.sources.names import IMAGE_SUFFIXES
from mnv2cli.sources.patterns import is_glob
from mnv2cli.sources.remote import limits
from mnv2cli.sources.remote.errors import StoreError, store_error
from mnv2cli.sources.remote.listing import RemoteEntry, shell_matches
from mnv2cli.sources.remote.protocol import RemoteFileSystem
from mnv2cli.sources.remote.retry import with_retries
from mnv2cli.sources.remote.sinks import Sink
from mnv2cli.sources.urls import LOCAL_SCHEMES, scheme_of, split_chain
from mnv2cli.system.urls import redact

_INSTALL = "Install it with: pip install 'mnv2cli[remote]'"
_IN_EXTRA = ("s3", "s3a", "gs", "gcs", "http", "https")

_stores: dict[tuple[object, ...], StoreFileSystem] = {}
_stores_lock = threading.Lock()


def open_store(url: str) -> RemoteFileSystem:
    """Return the store of a URL; all URLs of a host or bucket share one store.

    Raises:
        InputError: The scheme is unknown, or a library is missing.
        StoreError: The store connects when it is opened, and that failed.
    """
    head, tail = split_chain(url)
    # User and host are options of the file system.
    options = repr(filesystem_class(url)._get_kwargs_from_urls(head))
    return opened_once((scheme_of(url), tail, options), partial(StoreFileSystem, url))


def opened_once(key: tuple[object, ...], make: Callable[[], StoreFileSystem]) -> StoreFileSystem:
    """Return the file system opened for a key in this process, or open it."""
    key = (os.getpid(), *key)
    with _stores_lock:
        if key not in _stores:
            _stores[key] = make()
        return _stores[key]


class StoreFileSystem:
    """A file system of fsspec: S3, Google Cloud Storage, memory, files and many more.

    Args:
        url: Any URL in it.

    Raises:
        InputError: The scheme is unknown, or a library is missing.
        StoreError: The store connects when it is opened, and that failed.
    """

    def __init__(self, url: str) -> None:
        head, self._tail = split_chain(url)
        self.scheme = scheme_of(head)
        self.fs = self._open(url)
        self._lock = threading.Lock()  # most file systems without asyncio are not thread-safe

    def _open(self, url: str) -> Any:
        fsspec = require_fsspec()
        kwargs: dict[str, Any] = {"skip_instance_cache": True}
        if self.scheme in ("s3", "s3a"):
            # The library's own retries would multiply ours.
            own = fsspec.config.conf.get(self.scheme, {}).get("config_kwargs", {})
            retries = {"mode": "standard", "total_max_attempts": 1}
            kwargs["config_kwargs"] = {"retries": retries, **own}
        elif self.scheme in ("http", "https"):
            import aiohttp

            own = fsspec.config.conf.get(self.scheme, {}).get("client_kwargs", {})
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
            kwargs["client_kwargs"] = {"timeout": timeout, "trust_env": True, **own}
        try:
            fs = fsspec.core.url_to_fs(url, **kwargs)[0]
        except ImportError as error:
            raise InputError(
                f"cannot use {redact(url)!r}: {self.scheme}:// requires a library: {error}",
                _INSTALL,
            ) from error
        except (ValueError, TypeError) as error:
            raise InputError(
                f"cannot use {redact(url)!r}: {redact(str(error))}", "Check the URL."
            ) from error
        except Exception as error:  # some connect when opened
            raise store_error(error) from error
        if self.scheme in ("s3", "s3a"):
            fs.retries = 1
        return fs

    def call(self, name: str, *args: Any, seconds: float | None = None, **kwargs: Any) -> Any:
        """Call a method of fsspec, with a time limit if the file system supports one."""
        if self.fs.async_impl:
            from fsspec.asyn import sync

            function = getattr(self.fs, f"_{name}")
            return sync(self.fs.loop, function, *args, timeout=seconds, **kwargs)
        with self._lock:
            return getattr(self.fs, name)(*args, **kwargs)

    def _list(self, name: str, *args: Any, **kwargs: Any) -> Any:
        seconds = limits.LIST_SECONDS
        return with_retries(partial(self.call, name, *args, seconds=seconds, **kwargs))

    def path(self, url: str) -> str:
        """Return the path in the store, as fsspec expects it."""
        path: str = self.fs._strip_protocol(split_chain(url)[0])
        return path

    def resolve(self, given: str, may_be_glob: bool) -> tuple[str, Kind]:
        """Return the URL of an input and its kind; raises OSError.

        A URL with an image suffix counts as a file without asking the store.
        """
        head = split_chain(given)[0]
        if may_be_glob and self._is_glob(head):
            if not self._list("exists", self.path(given)):
                return given, "glob"
        elif head.lower().endswith(IMAGE_SUFFIXES):
            return given, "file"
        return given, self._kind_of(given)

    def _is_glob(self, head: str) -> bool:
        return is_glob(head)

    def _kind_of(self, url: str) -> Kind:
        if url.endswith("/"):
            return "folder"
        info = self._list("info", self.path(url))
        return "folder" if info["type"] == "directory" else "file"

    def glob(self, url: str) -> list[Match]:
        """Return the URLs that match a pattern; raises OSError."""
        head, tail = split_chain(url)
        pattern = self.path(url)
        found = self._list("glob", pattern, detail=True)
        self.fs.invalidate_cache()
        prefix = f"{head.partition('://')[0]}://"

        def to_url(name: str) -> str:
            return prefix + name.lstrip("/") + tail if "://" not in name else name + tail

        folders = {name: info["type"] == "directory" for name, info in found.items()}
        return shell_matches(url, pattern, folders, to_url)

    def scan(self, url: str) -> Listing:
        """List a folder; raises OSError."""
        path = self.path(url)
        infos = self._list("ls", path, detail=True)
        # fsspec caches listings, which would grow with the number of images.
        self.fs.invalidate_cache()
        entries = {}
        for info in infos:
            name = info["name"].rstrip("/").rpartition("/")[2]
            folder = info["type"] == "directory"
            # Some stores contain an empty file for the folder itself.
            if name and (folder or info["name"].strip("/") != path.strip("/")):
                if not folder and info["name"].endswith("/"):
                    continue
                link = bool(info.get("islink"))
                entries[name, folder] = RemoteEntry(name, self.join(url, name), folder, link)
        if not entries and any(info["type"] != "directory" for info in infos):
            raise StoreError("a file, not a folder")
        return nullcontext(list(entries.values()))

    def join(self, url: str, name: str) -> str:
        """Return the URL of an entry of a folder."""
        head, tail = split_chain(url)
        return f"{head}{'' if head.endswith('/') else '/'}{name}{tail}"

    def split(self, url: str) -> tuple[str, str]:
        """Return the folder and the name of a file."""
        head, tail = split_chain(url)
        folder, _, name = head.rpartition("/")
        return (f"{folder}/" if folder.endswith("/") else folder) + tail, name

    def canonical(self, url: str) -> str:
        """Return the canonical name of a folder."""
        if self.scheme in LOCAL_SCHEMES:
            return real_path(self.path(url))
        head, tail = split_chain(url)
        return f"{tail}{head.rstrip('/')}"

    def parts(self, url: str) -> tuple[str, ...]:
        """Return the folders of a file and its name, for patterns."""
        path = split_chain(url)[0].partition("://")[2]
        return tuple(part for part in path.split("/") if part not in ("", "."))

    def read(self, url: str, sink: Sink) -> None:
        """Copy a file into a sink; may raise any exception."""
        path = self.path(url)
        size: int | None = None
        if not self.fs.async_impl:
            size = self.call("size", path)
            sink.expect(size or 0)
        while size is None or sink.size < size:
            seconds = limits.REQUEST_SECONDS + limits.CHUNK / limits.LEAST_RATE
            try:
                data = self.call(
                    "cat_file", path, start=sink.size, end=sink.size + limits.CHUNK, seconds=seconds
                )
            except Exception as error:
                # Some stores refuse a range of an empty file.
                of_range = re.search("range|416", str(error), re.IGNORECASE)
                if sink.size or not of_range or self.call("info", path, seconds=seconds)["size"]:
                    raise
                return
            sink.write(data)
            if len(data) < limits.CHUNK:
                break
            if size is None:
                size = self.call("info", path, seconds=seconds)["size"]
                sink.expect(size or 0)
        if size is not None and sink.size != size:
            raise StoreError("connection was cut", f"{sink.size:,} of {size:,} bytes", passing=True)

    # Writing

    def exists(self, url: str) -> bool:
        """Return whether a URL exists; raises StoreError."""
        path = self.path(url)
        seconds = limits.REQUEST_SECONDS
        return bool(with_retries(partial(self.call, "exists", path, seconds=seconds)))

    def put(self, local: str, url: str) -> None:
        """Send a file from this machine, with retries after temporary errors; raises StoreError."""
        path = self.path(url)
        size = os.path.getsize(local)
        seconds = limits.REQUEST_SECONDS + size / limits.LEAST_RATE

        def send() -> None:
            self.call("put_file", local, path, seconds=seconds)
            self.fs.invalidate_cache()
            sent = self.call("info", path, seconds=limits.REQUEST_SECONDS)["size"]
            if sent != size:
                raise StoreError("connection was cut", f"{sent:,} of {size:,} bytes", passing=True)

        with_retries(send)


def filesystem_class(url: str) -> Any:
    """Return the class of fsspec for a URL; raises InputError."""
    scheme = scheme_of(url)
    fsspec = require_fsspec()
    try:
        return fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        raise InputError(
            f"cannot use {redact(url)!r}: {scheme}:// requires a library that is not installed",
            _INSTALL if scheme in _IN_EXTRA else f"{str(error).rstrip('.')}.",  # as fsspec advises
        ) from error
    except ValueError as error:
        raise InputError(
            f"cannot use {redact(url)!r}: unknown scheme {scheme}://",
            "Use a path, or a URL such as s3://, gs://, https://, zip:// or tar://.",
        ) from error


@cache
def require_fsspec() -> Any:
    """Return fsspec, and check that the other libraries that all URLs require are installed.

    Raises:
        InputError: A library is missing.
    """
    try:
        import fsspec
        import fsspec.config
        import tenacity  # noqa: F401
    except ImportError as error:
        raise InputError(f"URLs require {error.name}, which is not installed", _INSTALL) from error
    return fsspec
