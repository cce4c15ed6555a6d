"""Images in stores, on web servers and in archives: found, fetched ahead and decoded; results sent.

Everything goes through fsspec, which is imported at the first URL. Two kinds of place are read in
ways of our own: web servers, for limits of time and size that hold, and archives, of which there
is one handle with a lock. An archive that is compressed as a whole, or not on this machine, is
first copied to a temporary file, once: members are then read in any order at no cost. Nothing is
ever extracted, and nothing but temporary files is written.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache, partial
from html.parser import HTMLParser
from random import uniform
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote, unquote, urljoin, urlsplit

from mnv2cli.errors import InputError, OutputError
from mnv2cli.sources.finder import IMAGE_SUFFIXES, Entry, is_glob, natural_key, real_path
from mnv2cli.sources.urls import LOCAL_SCHEMES, is_url, redact, scheme_of

if TYPE_CHECKING:
    pass

T = TypeVar("T")
Kind = Literal["file", "folder", "glob"]

SPOOL = 2 << 20
"""Bytes of a file that are held in memory; larger ones are in a temporary file."""

FILE_LIMIT = 1 << 30
"""Bytes of an image file; what is larger is an error."""

ARCHIVE_LIMIT = 64 << 30
"""Bytes of an archive in a temporary file; half of the room there is a limit as well."""

PAGE_LIMIT = 64 << 20
"""Bytes of a web server's page that lists a folder."""

ATTEMPTS = 5
"""How often a passing fault is met before it is final."""

FIRST_WAIT = 0.5
"""Seconds before the second attempt, give or take a half; then twice as long each time."""

LONGEST_WAIT = 10.0
"""Seconds between two attempts at the most, also where the host asks for more."""

TOTAL_SECONDS = 120.0
"""No further attempt begins after this time."""

REQUEST_SECONDS = 30.0
"""A request may take so long, and longer only as far as bytes come at the least rate."""

LEAST_RATE = 128_000
"""Bytes a second."""

LIST_SECONDS = 600.0
"""Listing a folder may take so long: a store lists a thousand files at a time."""

_CHUNK = 4 << 20
_OPEN_ARCHIVES = 4
_PASSING_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_THROTTLED = ("SlowDown", "Throttl", "TooManyRequests", "RequestLimitExceeded", "RequestTimeout")
_INSTALL = "Install it with: pip install 'mnv2cli[remote]'"


# Faults


class StoreError(OSError):
    """What went wrong with a store, in plain words.

    Attributes:
        reason: A few words without a colon, as of :class:`ImageError`.
        detail: What is particular; may be empty.
        passing: Another attempt may go well.
        after: Seconds that the host wants to be left alone; 0 if it does not say.
    """

    def __init__(
        self, reason: str, detail: str = "", *, passing: bool = False, after: float = 0.0
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.passing = passing
        self.after = after


def _http_fault(status: int, after: float = 0.0) -> StoreError:
    detail = f"HTTP {status}"
    if status in (404, 410):
        return StoreError("no such file", detail)
    if status in (401, 403, 407):
        return StoreError("permission denied", detail)
    if status in _PASSING_STATUS:
        reason = "host is busy" if status in (429, 503) else "host has a fault"
        return StoreError(reason, detail, passing=True, after=after)
    return StoreError("refused by the host", detail)


def _fault(error: BaseException) -> StoreError:
    """Put any library's error into our words.

    The libraries' own classes are told by name, so that none is imported for it.
    """
    if isinstance(error, StoreError):
        return error
    response = getattr(error, "response", None) or getattr(error.__cause__, "response", None)
    answer: Any = response if isinstance(response, dict) else {}
    code = str(answer.get("Error", {}).get("Code", ""))
    if code.startswith(_THROTTLED):
        return StoreError("host is busy", code, passing=True)
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    # aiohttp's errors have a status, and warn of their code; those of others have a code alone.
    status = status or getattr(error, "status" if hasattr(error, "status") else "code", None)
    if isinstance(error, FileNotFoundError):
        return StoreError("no such file")
    if isinstance(error, PermissionError):
        return StoreError("permission denied")
    if str(status).isdigit() and 400 <= int(str(status)) < 600:
        return _http_fault(int(str(status)))
    names = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, IsADirectoryError):
        return StoreError("a folder, not an image")
    if names & {"NoCredentialsError", "PartialCredentialsError", "TokenRetrievalError"}:
        return StoreError("permission denied", "there are no credentials")
    if any("Timeout" in name for name in names):
        return StoreError("timed out", passing=True)
    unreachable = {"ClientConnectorError", "EndpointConnectionError", "gaierror"}
    if names & unreachable or isinstance(error, ConnectionRefusedError):
        return StoreError("host cannot be reached", passing=True)
    if names & {"InvalidURL", "NonHttpUrlClientError"}:
        return StoreError("not a URL that can be read")
    if names & {"TooManyRedirects"}:
        return StoreError("refused by the host", "it redirects in circles")
    cut = {"ClientConnectionError", "ClientPayloadError", "HTTPClientError", "IncompleteRead"}
    if names & cut or isinstance(error, ConnectionError):
        return StoreError("connection was cut", passing=True)
    text = redact(" ".join(str(error).split()))[:200] or type(error).__name__
    return StoreError("cannot be read", text)


def _damaged(error: Exception) -> StoreError:
    """Say what is wrong with an archive or a file in it."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, KeyError):
        return StoreError("no such file")
    text = " ".join(str(error).strip("'\"").split())[:200]
    if "password" in text or "encrypted" in text:
        return StoreError("permission denied", "encrypted in its archive")
    if isinstance(error, OSError) and error.errno is not None:
        return StoreError("cannot be read", (error.strerror or text).lower())
    return StoreError("damaged", f"in its archive, {text or type(error).__name__}")


def _patiently(work: Callable[[], T], stop: threading.Event | None = None) -> T:
    """Return what work returns, trying again after passing faults; raises StoreError."""
    import tenacity

    stop = stop or threading.Event()

    def attempt() -> T:
        try:
            return work()
        except Exception as error:
            raise _fault(error) from error

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.after if isinstance(error, StoreError) else 0.0
        # Half of it by chance, or else all threads come back at the same moment.
        backoff = FIRST_WAIT * float(1 << (state.attempt_number - 1)) * uniform(0.5, 1.5)
        return min(max(backoff, asked), LONGEST_WAIT)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda e: isinstance(e, StoreError) and e.passing),
        stop=tenacity.stop_any(
            tenacity.stop_after_attempt(ATTEMPTS),
            tenacity.stop_after_delay(TOTAL_SECONDS),
            tenacity.stop_when_event_set(stop),
        ),
        wait=wait,
        sleep=tenacity.sleep_using_event(stop),
        reraise=True,
    )
    return retrying(attempt)


class _Limited:
    """A file that is being fetched: bounded in size and in time.

    Args:
        limit: Bytes at the most.
        stop: Ends it.
        beat: Called whenever bytes come.
        spool: Bytes that are held in memory.
    """

    def __init__(
        self,
        limit: int,
        stop: threading.Event | None = None,
        beat: Callable[[], None] = lambda: None,
        spool: int = SPOOL,
    ) -> None:
        # Before Python 3.11 a spooled file is none that zipfile can read.
        self.file: IO[bytes] = (
            tempfile.SpooledTemporaryFile(max_size=spool)  # noqa: SIM115
            if spool
            else tempfile.TemporaryFile()  # noqa: SIM115
        )
        self.size = 0
        self._limit = limit
        self._stop = stop
        self._beat = beat
        self._started = time.monotonic()

    @property
    def seconds_left(self) -> float:
        """How long the next bytes may take."""
        allowed = REQUEST_SECONDS + self.size / LEAST_RATE
        return self._started + allowed - time.monotonic()

    def alive(self) -> None:
        """Wait for something else for a while; raise StoreError if nobody wants it any more."""
        self._beat()
        self._started = time.monotonic() - self.size / LEAST_RATE
        if self._stop is not None and self._stop.is_set():
            raise StoreError("not read", "the run was stopped")

    def check(self) -> None:
        """Raise StoreError if it takes too long or nobody wants it any more."""
        self._beat()
        if self._stop is not None and self._stop.is_set():
            raise StoreError("not read", "the run was stopped")
        if self.seconds_left <= 0:
            raise StoreError("timed out", f"{self.size:,} bytes came", passing=True)

    def expect(self, size: int) -> None:
        """Raise StoreError if a size that is known beforehand is too large."""
        if size > self._limit:
            raise StoreError("file too large", f"over {self._limit:,} bytes")

    def write(self, data: bytes) -> None:
        """Take some bytes."""
        self.size += len(data)
        self.expect(self.size)
        self.file.write(data)
        self.check()

    def whole(self) -> IO[bytes]:
        """Return the file, at its start."""
        self.file.seek(0)
        return self.file


# Places


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    path: str
    folder: bool
    link: bool = False

    def is_dir(self) -> bool:
        return self.folder

    def is_symlink(self) -> bool:
        return self.link


Scan = AbstractContextManager[Iterable[Entry]]


class Store:
    """A place that fsspec knows: S3, Google Cloud Storage, memory, files and many more.

    Args:
        url: Any URL in it.

    Raises:
        InputError: Its scheme is not known, or a library is missing.
    """

    def __init__(self, url: str) -> None:
        head, self._tail = _split_chain(url)
        self.scheme = scheme_of(head)
        self.fs = self._open(url)
        self._lock = threading.Lock()  # most filesystems without asyncio are not thread safe

    def _open(self, url: str) -> Any:
        fsspec = _fsspec()
        kwargs: dict[str, Any] = {"skip_instance_cache": True}
        if self.scheme in ("s3", "s3a"):
            # One place tries again: here. The library's own attempts would multiply ours.
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
            raise InputError(f"{self.scheme}:// needs a library: {error}", _INSTALL) from error
        except (ValueError, TypeError) as error:
            raise InputError(f"{redact(url)!r} cannot be used: {redact(str(error))}") from error
        except Exception as error:  # some connect at once
            raise _fault(error) from error
        if self.scheme in ("s3", "s3a"):
            fs.retries = 1
        return fs

    def call(self, name: str, *args: Any, seconds: float | None = None, **kwargs: Any) -> Any:
        """Call one of fsspec's functions, within a time limit where the filesystem allows one."""
        if self.fs.async_impl:
            from fsspec.asyn import sync

            function = getattr(self.fs, f"_{name}")
            return sync(self.fs.loop, function, *args, timeout=seconds, **kwargs)
        with self._lock:
            return getattr(self.fs, name)(*args, **kwargs)

    def path(self, url: str) -> str:
        """Return the path in the store, as fsspec wants it."""
        path: str = self.fs._strip_protocol(_split_chain(url)[0])
        return path

    # As the finder wants it

    def look(self, given: str, may_be_glob: bool) -> tuple[str, Kind]:
        """Return the URL of an input and what it is; raises OSError.

        What has the name of an image is not asked for: fetching it tells.
        """
        head = _split_chain(given)[0]
        if may_be_glob and self._is_glob(head):
            if not _patiently(partial(self.call, "exists", self.path(given), seconds=LIST_SECONDS)):
                return given, "glob"
        elif head.lower().endswith(IMAGE_SUFFIXES):
            return given, "file"
        return given, self._kind(given)

    def _is_glob(self, head: str) -> bool:
        return is_glob(head)

    def _kind(self, url: str) -> Kind:
        if url.endswith("/"):
            return "folder"
        info = _patiently(partial(self.call, "info", self.path(url), seconds=LIST_SECONDS))
        return "folder" if info["type"] == "directory" else "file"

    def scan(self, url: str) -> Scan:
        """List a folder; raises OSError."""
        path = self.path(url)
        infos = _patiently(partial(self.call, "ls", path, detail=True, seconds=LIST_SECONDS))
        # A listing is kept by the filesystem, and would grow with the number of images.
        self.fs.invalidate_cache()
        entries = {}
        for info in infos:
            name = info["name"].rstrip("/").rpartition("/")[2]
            folder = info["type"] == "directory"
            # Some stores have an empty file for the folder itself.
            if name and (folder or info["name"].strip("/") != path.strip("/")):
                if not folder and info["name"].endswith("/"):
                    continue
                link = bool(info.get("islink"))
                entries[name, folder] = _Entry(name, self.join(url, name), folder, link)
        if not entries and any(info["type"] != "directory" for info in infos):
            raise StoreError("a file, not a folder")
        return nullcontext(list(entries.values()))

    def join(self, url: str, name: str) -> str:
        """Return the URL of what a folder holds."""
        head, tail = _split_chain(url)
        return f"{head}{'' if head.endswith('/') else '/'}{name}{tail}"

    def split(self, url: str) -> tuple[str, str]:
        """Return the folder and the name of a file."""
        head, tail = _split_chain(url)
        folder, _, name = head.rpartition("/")
        return (f"{folder}/" if folder.endswith("/") else folder) + tail, name

    def real(self, url: str) -> str:
        """Return the one name of a folder."""
        if self.scheme in LOCAL_SCHEMES:
            return real_path(self.path(url))
        head, tail = _split_chain(url)
        return f"{tail}{head.rstrip('/')}"

    def parts(self, url: str) -> tuple[str, ...]:
        """Return the names on the way to a file, for patterns."""
        path = _split_chain(url)[0].partition("://")[2]
        return tuple(part for part in path.split("/") if part not in ("", "."))

    def glob(self, url: str) -> list[tuple[str, bool]]:
        """Return the URLs that match a pattern, each with whether it is a folder."""
        head, tail = _split_chain(url)
        pattern = self.path(url)
        found = _patiently(partial(self.call, "glob", pattern, detail=True, seconds=LIST_SECONDS))
        self.fs.invalidate_cache()
        prefix = f"{head.partition('://')[0]}://"
        return [
            (prefix + name.lstrip("/") + tail if "://" not in name else name + tail, folder)
            for name, folder in _as_a_shell(
                pattern, {name: info["type"] == "directory" for name, info in found.items()}
            )
        ]

    # As the fetcher wants it

    def read(self, url: str, sink: _Limited) -> None:
        """Fetch a file; raises anything."""
        path = self.path(url)
        size: int | None = None
        if not self.fs.async_impl:
            size = self.call("size", path)
            sink.expect(size or 0)
        while size is None or sink.size < size:
            seconds = REQUEST_SECONDS + _CHUNK / LEAST_RATE
            try:
                data = self.call(
                    "cat_file", path, start=sink.size, end=sink.size + _CHUNK, seconds=seconds
                )
            except Exception as error:
                # A range of an empty file is an error in some stores.
                of_range = re.search("range|416", str(error), re.IGNORECASE)
                if sink.size or not of_range or self.call("info", path, seconds=seconds)["size"]:
                    raise
                return
            sink.write(data)
            if len(data) < _CHUNK:
                break
            if size is None:
                size = self.call("info", path, seconds=seconds)["size"]
                sink.expect(size or 0)
        if size is not None and sink.size != size:
            raise StoreError("connection was cut", f"{sink.size:,} of {size:,} bytes", passing=True)


class Web(Store):
    """A web server; folders are what its pages link to."""

    def _is_glob(self, head: str) -> bool:
        return "*" in head.partition("?")[0]  # ? begins a query, and [] are in IPv6 addresses

    def _kind(self, url: str) -> Kind:
        return "folder" if url.partition("?")[0].endswith("/") else "file"

    def path(self, url: str) -> str:
        """Return the URL: the path is the whole of it."""
        return url

    def scan(self, url: str) -> Scan:
        """List the links of a page to files beside it and folders below it."""

        head, sign, query = url.partition("?")
        url = f"{head.rstrip('/')}/{sign}{query}"

        def page() -> str:
            sink = _Limited(PAGE_LIMIT)
            with sink.file:
                self.read(url, sink)
                return sink.whole().read().decode("utf-8", "replace")

        links = _Links()
        links.feed(_patiently(page))
        base = urlsplit(url)
        entries = {}
        for link in links.found:
            try:
                target = urlsplit(urljoin(url, link))
            except ValueError:
                continue
            host = (base.hostname, base.port, base.scheme)
            if (target.hostname, target.port, target.scheme) != host or target.query:
                continue
            here, path = unquote(base.path), unquote(target.path)
            name = path.removeprefix(here).rstrip("/")
            if path.startswith(here) and name and "/" not in name:
                folder = path.endswith("/")
                entries[name, folder] = _Entry(name, self.join(url, name), folder)
        return nullcontext(list(entries.values()))

    def join(self, url: str, name: str) -> str:
        """Return the URL of what a page links to; a query, such as a token, goes with it."""
        head, sign, query = url.partition("?")
        return f"{head}{'' if head.endswith('/') else '/'}{quote(name)}{sign}{query}"

    def split(self, url: str) -> tuple[str, str]:
        """Return the folder and the name of a file; the name has the query."""
        head, sign, query = url.partition("?")
        folder, _, name = head.rpartition("/")
        return folder, unquote(name) + sign + query

    def real(self, url: str) -> str:
        """Return the one name of a folder."""
        return unquote(url.partition("?")[0].rstrip("/"))

    def parts(self, url: str) -> tuple[str, ...]:
        """Return the names on the way to a file, for patterns."""
        return tuple(unquote(part) for part in urlsplit(url).path.split("/") if part)

    def read(self, url: str, sink: _Limited) -> None:
        """Fetch a file; raises anything."""
        from fsspec.asyn import sync

        sync(self.fs.loop, self._read, url, sink)

    async def _read(self, url: str, sink: _Limited) -> None:
        import asyncio

        session = await self.fs.set_session()
        request = session.get(
            self.fs.encode_url(url), headers={"Accept-Encoding": "identity"}, max_redirects=5
        )
        answer = await asyncio.wait_for(request, sink.seconds_left)
        try:
            if answer.status >= 400:
                asked = answer.headers.get("Retry-After", "")
                raise _http_fault(answer.status, float(asked) if asked.isdigit() else 0.0)
            sink.expect(answer.content_length or 0)
            while data := await asyncio.wait_for(
                answer.content.read(1 << 16), max(sink.seconds_left, 0.001)
            ):
                sink.write(data)
        except BaseException:
            answer.close()
            raise
        answer.release()


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value.strip() for name, value in attrs if name == "href" and value]


class Archive:
    """A ZIP or TAR archive: its folders, and the files in them.

    Members are kept under the names that fsspec knows them by. What leads out of the archive in
    them (a leading slash, ``..``) means nothing, for nothing is extracted.

    Args:
        kind: ``zip`` or ``tar``.
        container: A path on this machine, or a URL.
    """

    def __init__(self, kind: str, container: str) -> None:
        self._kind = kind
        self._container = container
        real = container if is_url(container) else real_path(container)
        self._real = f"{kind}:/{real.strip('/')}"
        # fsspec takes a lone word for the name of a protocol.
        lone = re.fullmatch("[a-z]+", container)
        self._tail = f"::./{container}" if lone else f"::{container}"

    # As the finder wants it

    def look(self, given: str, may_be_glob: bool) -> tuple[str, Kind]:
        """Return the URL of an input and what it is; raises OSError."""
        inner = _inner(given)
        url = f"{self._kind}://{inner}{self._tail}"
        members = self._members()
        norm = _norm(inner)
        if norm in members.files and not inner.endswith("/"):
            return url, "file"
        if norm in members.folders:
            return url, "folder"
        if may_be_glob and is_glob(inner):
            return url, "glob"
        raise StoreError("no such file", "not in the archive")

    def scan(self, url: str) -> Scan:
        """List a folder; raises OSError."""
        members = self._members()
        norm = _norm(_inner(url))
        entries = [
            _Entry(name, self.join(url, name), folder)
            for name, folder in members.folders.get(norm, {})
        ]
        return nullcontext(entries)

    def join(self, url: str, name: str) -> str:
        """Return the URL of what a folder holds, by the name that it has in the archive."""
        norm = "/".join(filter(None, (_norm(_inner(url)), name)))
        inner = self._members().files.get(norm, norm)
        return f"{self._kind}://{inner}{self._tail}"

    def split(self, url: str) -> tuple[str, str]:
        """Return the folder and the name of a file."""
        folder, _, name = _norm(_inner(url)).rpartition("/")
        return f"{self._kind}://{folder}{self._tail}", name

    def real(self, url: str) -> str:
        """Return the one name of a folder."""
        return f"{self._real}/{_norm(_inner(url))}".rstrip("/")

    def parts(self, url: str) -> tuple[str, ...]:
        """Return the names on the way to a file, for patterns."""
        return tuple(_norm(_inner(url)).split("/"))

    def glob(self, url: str) -> list[tuple[str, bool]]:
        """Return the URLs that match a pattern, each with whether it is a folder."""
        from fsspec.utils import glob_translate

        members = self._members()
        pattern = _norm(_inner(url))
        matches = re.compile(glob_translate(pattern)).match
        found = {name: False for name in members.files if matches(name)}
        found |= {name: True for name in members.folders if name and matches(name)}
        return [
            (f"{self._kind}://{members.files.get(name, name)}{self._tail}", folder)
            for name, folder in _as_a_shell(pattern, found)
        ]

    # As the fetcher wants it

    def read(self, url: str, sink: _Limited) -> None:
        """Read a member; raises StoreError."""
        members = _opened(self._kind, self._container, sink)
        members.read(_inner(url), sink)

    def _members(self) -> _Members:
        return _opened(self._kind, self._container)


class _Members:
    """An open archive.

    Attributes:
        files: The name that each file has in the archive, by its name without odd parts.
        folders: What each folder holds, likewise: names, and whether it is a folder.
    """

    def __init__(self, kind: str, file: IO[bytes]) -> None:
        import tarfile
        import zipfile

        # Once nobody has it: __del__ comes too late where an error holds it in a circle.
        close = weakref.finalize(self, file.close)
        self._lock = threading.Lock()  # one handle, one position
        self._zip: zipfile.ZipFile | None = None
        self._tar: tarfile.TarFile | None = None
        self._infos: dict[str, tarfile.TarInfo] = {}  # the library looks through a list
        self.files: dict[str, str] = {}
        self.folders: dict[str, dict[tuple[str, bool], None]] = {"": {}}
        try:
            if kind == "zip":
                self._zip = zipfile.ZipFile(file)
                for info in self._zip.infolist():
                    self._add(info.filename, info.is_dir())
            else:
                self._tar = tarfile.open(fileobj=file, mode="r:")  # noqa: SIM115
                for member in self._tar:
                    self._add(member.name, member.isdir())
                    self._infos[member.name.lstrip("/")] = member
        except Exception as error:
            close()
            found = _damaged(error)
            raise StoreError(f"not a {kind} archive", found.detail or found.reason) from error

    def _add(self, raw: str, folder: bool) -> None:
        norm = _norm(raw)
        if "::" in raw or not norm:  # a URL cannot name it
            return
        if not folder:
            self.files[norm] = raw.lstrip("/")
        child, is_folder = norm, folder
        while child:
            parent, _, name = child.rpartition("/")
            holds = self.folders.setdefault(parent, {})
            if is_folder:
                self.folders.setdefault(child, {})
            if (name, is_folder) in holds:
                break
            holds[name, is_folder] = None
            child, is_folder = parent, True

    def read(self, raw: str, sink: _Limited) -> None:
        """Read a member in blocks; raises StoreError."""
        with self._lock:
            try:
                with self._open(raw) as member:
                    while data := member.read(1 << 20):
                        sink.write(data)
            except Exception as error:
                raise _damaged(error) from error

    def _open(self, raw: str) -> IO[bytes]:
        if self._zip is not None:
            try:
                return self._zip.open(raw)
            except KeyError:
                return self._zip.open(f"/{raw}")
        assert self._tar is not None
        info = self._infos[raw.lstrip("/")]
        if info.isdir():
            raise StoreError("a folder, not an image")
        member = self._tar.extractfile(info)
        if member is None:
            raise StoreError("not a regular file", "a device or named pipe")
        return member


_Key = tuple[object, ...]

_archives: OrderedDict[_Key, _Members] = OrderedDict()
_opening: dict[_Key, threading.Lock] = {}
_archives_lock = threading.Lock()  # of both; held for moments


def _opened(kind: str, container: str, sink: _Limited | None = None) -> _Members:
    """Return an archive, opened once; the last few stay open.

    Args:
        kind: ``zip`` or ``tar``.
        container: Where it is.
        sink: Who waits for it; told that it goes on.
    """
    key: _Key = (kind, container)
    path = local_path(container)
    if path is not None:
        if not os.path.isfile(path):
            reason = "not a regular file" if os.path.exists(path) else "no such file"
            raise StoreError(reason)
        status = os.stat(path)
        key = (kind, real_path(path), status.st_size, status.st_mtime_ns)
    with _archives_lock:
        if key in _archives:
            _archives.move_to_end(key)
            return _archives[key]
        opening = _opening.setdefault(key, threading.Lock())
    while not opening.acquire(timeout=0.5):
        if sink is not None:
            sink.alive()
    try:
        with _archives_lock:
            members = _archives.get(key)
        if members is None:
            members = _Members(kind, _container(container, path, kind, sink))
        with _archives_lock:
            _archives[key] = members
            _archives.move_to_end(key)
            _opening.pop(key, None)
            while len(_archives) > _OPEN_ARCHIVES:
                _archives.popitem(last=False)  # closed when nobody reads it any more
        if sink is not None:
            sink.alive()
        return members
    finally:
        opening.release()


def _container(container: str, path: str | None, kind: str, waiting: _Limited | None) -> IO[bytes]:
    """Open an archive's file: in place if it is here, else a temporary copy."""
    file: IO[bytes]
    if path is not None:
        try:
            file = open(path, "rb")  # noqa: SIM115
        except OSError as error:
            raise _fault(error) from error
    else:
        alive = waiting.alive if waiting else lambda: None
        file = fetch(container, limit=_room(), beat=alive, spool=0)
    if kind == "zip":
        return file
    start = file.read(6)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        import gzip

        return _unpacked(file, gzip.GzipFile(fileobj=file, mode="rb"), waiting)
    if start.startswith(b"BZh"):
        import bz2

        return _unpacked(file, bz2.BZ2File(file), waiting)
    if start.startswith(b"\xfd7zXZ"):
        import lzma

        return _unpacked(file, lzma.LZMAFile(file), waiting)
    return file


def _unpacked(file: IO[bytes], stream: Any, waiting: _Limited | None) -> IO[bytes]:
    """Decompress into a temporary file, once: going back in the stream would begin anew."""
    sink = _Limited(_room(), spool=0)
    try:
        with file, stream:
            while data := stream.read(1 << 20):
                sink.write(data)
                sink.alive()  # a slow processor is no slow host
                if waiting is not None:
                    waiting.alive()
        return sink.whole()
    except StoreError:
        sink.file.close()
        raise
    except Exception as error:
        sink.file.close()
        raise _damaged(error) from error


def _room() -> int:
    return min(ARCHIVE_LIMIT, shutil.disk_usage(tempfile.gettempdir()).free // 2)


def _norm(inner: str) -> str:
    """Return a member's name without what leads nowhere."""
    names = (("(up)" if name == ".." else name) for name in inner.split("/"))
    return "/".join(name for name in names if name not in ("", "."))


def _inner(url: str) -> str:
    """Return the part of an archive's URL that names a member; without ``::`` it has none."""
    head, sign, _ = url.partition("::")
    return head.partition("://")[2].lstrip("/") if sign else ""


def _split_chain(url: str) -> tuple[str, str]:
    head, sign, rest = url.partition("::")
    return head, sign + rest


def _as_a_shell(pattern: str, found: dict[str, bool]) -> list[tuple[str, bool]]:
    """Sort as a walk does, files before folders; what is hidden matches only what says the dot."""
    asked = sum(part.startswith(".") for part in pattern.split("/"))

    def visible(name: str) -> bool:
        return sum(part.startswith(".") for part in name.split("/") if part != ".") <= asked

    def key(item: tuple[str, bool]) -> tuple[tuple[bool, str, str], ...]:
        *above, last = item[0].rstrip("/").split("/")
        folders = tuple((True, natural_key(name), name) for name in above)
        return (*folders, (item[1], natural_key(last), last))

    return sorted((item for item in found.items() if visible(item[0])), key=key)


_places: dict[tuple[object, ...], Store | Archive] = {}
_places_lock = threading.Lock()


def place(url: str) -> Store | Archive:
    """Return the place of a URL; the same one for all URLs of one host, bucket or archive.

    Raises:
        InputError: Its scheme is not known, or a library is missing.
    """
    scheme = scheme_of(url)
    if scheme in ("zip", "tar"):
        head, _, container = url.partition("::")
        container = container or head.partition("://")[2]
        if not container:
            raise InputError(f"{url!r} names no archive", f"Write {scheme}://photos.{scheme}.")
        if is_url(container):
            place(container)
        _fsspec()
        return Archive(scheme, container)
    head, tail = _split_chain(url)
    # Users and hosts are in the path for the web, and options of the filesystem elsewhere.
    key: tuple[object, ...] = (os.getpid(), scheme, tail)
    if scheme not in ("http", "https"):
        key = (*key, repr(_filesystem_class(url)._get_kwargs_from_urls(head)))
    with _places_lock:
        if key not in _places:
            kind = Web if scheme in ("http", "https") and not tail else Store
            _places[key] = kind(url)
        return _places[key]


def _filesystem_class(url: str) -> Any:
    scheme = scheme_of(url)
    fsspec = _fsspec()
    try:
        return fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        raise InputError(
            f"{redact(url)!r} cannot be used: {scheme}:// needs a library that is not installed",
            _INSTALL,
        ) from error
    except ValueError as error:
        raise InputError(
            f"{redact(url)!r} cannot be used: no scheme {scheme}:// is known", _INSTALL
        ) from error


@cache
def _fsspec() -> Any:
    try:
        import fsspec
        import fsspec.config
        import tenacity  # noqa: F401
    except ImportError as error:
        raise InputError(f"URLs need {error.name}, which is not installed", _INSTALL) from error
    return fsspec


def check(urls: Iterable[str]) -> None:
    """Check before the work begins that some inputs are of schemes that can be read.

    Raises:
        InputError: A scheme is not known, or a library is missing.
    """
    for url in urls:
        if is_url(url):
            with suppress(StoreError):  # an error row, in its turn
                place(url)


def patience() -> float:
    """Return after how many seconds without a sign of life a library hangs."""
    return 2 * REQUEST_SECONDS + _CHUNK / LEAST_RATE + LONGEST_WAIT


def local_path(name: str) -> str | None:
    """Return the path of what is on this machine, a ``file://`` URL or a path; else None."""
    if not is_url(name):
        return name
    if scheme_of(name) in LOCAL_SCHEMES and "::" not in name:
        path: str = _filesystem_class(name)._strip_protocol(name)
        return path
    return None


# Reading


def fetch(
    url: str,
    *,
    limit: int | None = None,
    stop: threading.Event | None = None,
    beat: Callable[[], None] = lambda: None,
    spool: int = SPOOL,
) -> IO[bytes]:
    """Fetch a file into a temporary one, trying again after passing faults.

    Args:
        url: Where it is.
        limit: Bytes at the most; None for ``FILE_LIMIT``.
        stop: Ends it when set.
        beat: Called whenever something happens.
        spool: Bytes that are held in memory.

    Returns:
        The open file, at its start; in memory if it is small.

    Raises:
        StoreError: Whatever keeps it from being read.
    """

    def attempt() -> IO[bytes]:
        sink = _Limited(FILE_LIMIT if limit is None else limit, stop, beat, spool)
        try:
            sink.check()
            place(url).read(url, sink)
            return sink.whole()
        except BaseException:
            sink.file.close()
            raise

    return _patiently(attempt, stop)


# Writing


def check_output(url: str, *, force: bool) -> None:
    """Check before the work begins that results can be sent to a URL.

    Raises:
        InputError: It is there and ``force`` is not given, that cannot be told, or nothing can be
            written there at all.
    """
    if scheme_of(url) in ("http", "https", "zip", "tar"):
        raise InputError(
            f"results cannot be written to {scheme_of(url)}://", "Name a file or s3://."
        )
    if url.endswith("/"):
        raise InputError(f"{redact(url)!r} is a folder", "Name a file in it.")
    try:
        store = _store(url)
        there = not force and _exists(store, url)
    except StoreError as error:
        raise InputError(
            f"it cannot be told whether {redact(url)!r} exists: {error}",
            "--force writes without looking, where something can be written.",
        ) from error
    if there:
        raise InputError(f"{redact(url)!r} exists", "Overwrite it with --force, or name another.")


def _store(url: str) -> Store:
    store = place(url)
    assert isinstance(store, Store)
    return store


def _exists(store: Store, url: str) -> bool:
    path = store.path(url)
    return bool(_patiently(partial(store.call, "exists", path, seconds=REQUEST_SECONDS)))


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
        name = _split_chain(self._url)[0].rpartition("/")[2]
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
        store, path = _store(self._url), _store(self._url).path(self._url)
        if not self._force and _exists(store, self._url):
            raise StoreError("it appeared meanwhile")
        size = os.path.getsize(self.local)
        seconds = REQUEST_SECONDS + size / LEAST_RATE

        def send() -> None:
            store.call("put_file", self.local, path, seconds=seconds)
            store.fs.invalidate_cache()
            sent = store.call("info", path, seconds=REQUEST_SECONDS)["size"]
            if sent != size:
                raise StoreError("connection was cut", f"{sent:,} of {size:,} bytes", passing=True)

        _patiently(send)
