"""Fetch published weights: whole and checked, or not at all, and within a time limit.

Keras's own ``get_file`` has no timeout, writes straight to the final name and shows its progress
on stdout. Files are therefore fetched here, put under the very name and folder where Keras looks
for them, and loaded by Keras.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Literal

from mnv2cli.errors import DownloadError, InputError, WeightsError
from mnv2cli.events import DownloadProgress, ignore_download
from mnv2cli.models.weights import LARGEST_FILE, check_file
from mnv2cli.system.files import AtomicFile

if TYPE_CHECKING:
    from urllib.request import OpenerDirector, Request

CONNECT_TIMEOUT = 6.0
"""Seconds until a host must have taken the connection, name look-up and handshake included."""

TIMEOUT = 20.0
"""Seconds that a host may then take for its answer, or for the next block."""

_Item = tuple[int | None, bytes] | Literal["connected"] | Exception | None

_BLOCK = 1 << 14  # bytes; what a host must send within TIMEOUT to be waited for


@dataclass(frozen=True)
class Origin:
    """Where a published file comes from and where it belongs.

    Attributes:
        url: Its address.
        path: Its absolute path in Keras's cache.
    """

    url: str
    path: str

    @property
    def by_hand(self) -> str:
        """What to do on a machine that cannot download it."""
        return (
            f"  from  {self.url}\n"
            f"  to    {self.path}\n"
            "Without internet here: fetch that address on another machine and copy the file to "
            "that path, or name a mirror with MNV2_WEIGHTS_URL, or any copy with --weights FILE."
        )


def published_at(folder: str, file_name: str) -> str:
    """Return the address of a published file: in a folder of its host, or of the user's mirror.

    ``MNV2_WEIGHTS_URL`` names the mirror, an http, https or file address of the folder.

    Raises:
        InputError: The mirror's address is none.
    """
    base = os.environ.get("MNV2_WEIGHTS_URL", "").strip() or folder
    return address(base if base.endswith("/") else base + "/") + file_name


def mirrored_at(mirror: str, file_name: str, suffixes: tuple[str, ...]) -> str:
    """Return the address of a file on a mirror.

    Args:
        mirror: An http, https or file address of a folder, or of the file itself.
        file_name: The file's name in that folder.
        suffixes: Those of weights files: an address that ends in one is the file's.

    Raises:
        InputError: The mirror's address is none.
    """
    if mirror.endswith(suffixes):
        return address(mirror)
    return address((mirror if mirror.endswith("/") else mirror + "/") + file_name)


def address(url: str) -> str:
    """Return an address, once it is sure that files can be fetched from it.

    Raises:
        InputError: It is not http, https or file, or names no host.
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        fine = parts.scheme == "file" or (
            parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        )
    except ValueError:  # a port that is no number
        fine = False
    if not fine or any(c.isspace() or not c.isprintable() for c in url):
        raise InputError(
            f"weights cannot be fetched from {url!r}", "Name an http, https or file address."
        )
    return url


def download(
    origin: Origin,
    progress: DownloadProgress = ignore_download,
    check: Callable[[str, str, str], None] = check_file,
) -> None:
    """Fetch a weights file into Keras's cache; the name appears only when all of it is there.

    Args:
        origin: From where, and to where.
        progress: Called with how it goes.
        check: Looks at the file before it gets its name, told its path, a hint for the user, and
            what to call it; raises WeightsError.

    Raises:
        DownloadError: It cannot be fetched or written, or ``check`` says no. Nothing is left
            behind, and a file that was there before still is.
    """
    from http.client import HTTPException
    from urllib.error import HTTPError

    folder, name = os.path.split(origin.path)
    try:
        os.makedirs(folder, exist_ok=True)
        part = AtomicFile(origin.path, ".part" + os.path.splitext(name)[1])
    except OSError as error:
        raise DownloadError(
            f"the folder for the weights cannot be written: {folder} ({error.strerror})",
            "Name a folder that can with KERAS_HOME, or a weights file with --weights.",
        ) from error
    try:
        _fetch(origin.url, part.file, name, progress)
        part.file.flush()
        check(part.name, origin.by_hand, f"what {origin.url} sent")
        part.commit()
    except WeightsError as error:
        raise DownloadError(error.message, error.hint) from error
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(error, HTTPError):
            error.close()  # it holds the connection
        raise DownloadError(
            f"the weights could not be downloaded: {_why(error)}", origin.by_hand
        ) from error
    finally:
        part.discard()


def _fetch(url: str, file: IO[bytes], name: str, progress: DownloadProgress) -> None:
    """Download into a file; whatever the host does, no step takes longer than its time limit.

    A host has many addresses and may send a byte a minute, and each has its own timeout in
    urllib; looking up its name has none. So the transfer runs in a thread, which is left behind
    when it stands still.
    """
    # All its bytes if known, and a block; an exception or None ends it.
    blocks: queue.Queue[_Item] = queue.Queue(8)
    given_up = threading.Event()

    def put(item: _Item) -> None:
        while not given_up.is_set():
            with suppress(queue.Full):
                blocks.put(item, timeout=0.2)
                return

    def transfer() -> None:
        try:
            opener = _opener(lambda: put("connected"))
            with opener.open(url, timeout=TIMEOUT) as answer:
                length = answer.headers.get("Content-Length", "")
                total = int(length) if length.isdecimal() else None
                put((total, b""))
                while not given_up.is_set() and (block := answer.read(_BLOCK)):
                    put((total, block))
            put(None)
        except Exception as error:
            put(error)

    threading.Thread(target=transfer, name="mnv2-download", daemon=True).start()
    done, total, limit = 0, None, CONNECT_TIMEOUT
    try:
        while True:
            try:
                item = blocks.get(timeout=limit)
            except queue.Empty:
                raise TimeoutError(f"the host did not answer within {limit:g} seconds") from None
            limit = TIMEOUT
            if item == "connected":
                continue
            if item is None:
                break
            if isinstance(item, Exception):
                raise item
            total, block = item
            file.write(block)
            done += len(block)
            progress(name, done, total)
            if done > LARGEST_FILE:
                raise ValueError("the file is far too large for weights")
    finally:
        given_up.set()
    if total is not None and done < total:
        raise ValueError(f"the connection ended after {done:,} of {total:,} bytes")


def reach(url: str) -> str:
    """Return why a host cannot be reached, or nothing if it takes a connection; fetches nothing."""
    from urllib.error import HTTPError
    from urllib.request import Request

    told: queue.Queue[str] = queue.Queue()

    def connect() -> None:
        try:
            request = Request(url, method="HEAD")
            with _opener(lambda: told.put("")).open(request, timeout=CONNECT_TIMEOUT):
                told.put("")
        except Exception as error:
            # An answer of any kind, such as "not found", comes from a host that is there.
            is_there = isinstance(error, HTTPError)
            told.put("" if is_there else _why(error))

    threading.Thread(target=connect, name="mnv2-reach", daemon=True).start()
    try:
        return told.get(timeout=CONNECT_TIMEOUT)
    except queue.Empty:
        return f"the host did not answer within {CONNECT_TIMEOUT:g} seconds"


def _opener(on_connect: Callable[[], None]) -> OpenerDirector:
    """Return what opens addresses, through the system's proxies, and tells when it is connected."""
    import http.client
    import urllib.request

    class Plain(http.client.HTTPConnection):
        def connect(self) -> None:
            super().connect()
            on_connect()

    class Secure(http.client.HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            on_connect()

    class PlainHandler(urllib.request.HTTPHandler):
        def http_open(self, req: Request) -> http.client.HTTPResponse:
            return self.do_open(Plain, req)

    class SecureHandler(urllib.request.HTTPSHandler):
        def https_open(self, req: Request) -> http.client.HTTPResponse:
            return self.do_open(Secure, req)

    return urllib.request.build_opener(PlainHandler, SecureHandler)


def _why(error: Exception) -> str:
    from urllib.error import HTTPError, URLError

    if isinstance(error, HTTPError):
        return f"the host answered {error.code} {error.reason}".rstrip()
    if isinstance(error, URLError):
        reason = error.reason
        if isinstance(reason, Exception):
            return _why(reason)
        return str(reason)
    if isinstance(error, TimeoutError):
        is_ours = "within" in str(error)
        return str(error) if is_ours else f"the host did not answer within {TIMEOUT:g} seconds"
    if isinstance(error, socket.gaierror):
        return f"the host's name was not found ({error.strerror})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
