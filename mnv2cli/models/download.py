"""Download published weights: complete and checked, or not at all, and within a time limit.

Keras's own ``get_file`` has no timeout, writes directly to the final name and prints its progress
to stdout. This module downloads each file to the name and folder where Keras looks for it; Keras
then loads it.
"""

from __future__ import annotations

import hashlib
import os
import queue
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Literal

from mnv2cli.errors import DownloadError, InputError, WeightsError
from mnv2cli.events import DownloadProgress, ignore_download
from mnv2cli.models.weights import LARGEST_FILE, check_file
from mnv2cli.system.files import AtomicFile
from mnv2cli.system.messages import reason
from mnv2cli.system.urls import Login, is_web_address, redact, redact_address, split_login

if TYPE_CHECKING:
    from urllib.request import BaseHandler, OpenerDirector, Request

CONNECT_TIMEOUT = 6.0
"""Seconds to connect to a host, including name look-up and handshake."""

TIMEOUT = 20.0
"""Seconds that a host may then take to answer, or to send the next block."""

_Item = tuple[int | None, bytes] | Literal["connected"] | Exception | None

_BLOCK = 1 << 14  # bytes; a host must send at least this much within TIMEOUT
_REFUSALS = (401, 403, 404, 407, 410)  # answers of HTTP with which a download would fail, too


@dataclass(frozen=True)
class Origin:
    """Where a published file comes from and where it belongs.

    Attributes:
        url: Its address; may contain a user and password, which are sent as basic authentication.
        path: Its absolute path in Keras's cache.
        checksum: Its digest, as ``md5:...`` or ``sha256:...``; empty if unknown.
    """

    url: str = field(repr=False)
    path: str
    checksum: str = ""

    @property
    def public_url(self) -> str:
        """The address without its secrets, for messages."""
        return redact(self.url)

    @property
    def by_hand(self) -> str:
        """How to get the file without this download."""
        return (
            f"  from  {self.public_url}\n"
            f"  to    {self.path}\n"
            "Without internet access: download the file on another machine and run "
            "mnv2 models import FILE here, or set MNV2_WEIGHTS_URL to a mirror."
        )


def published_at(folder: str, file_name: str) -> str:
    """Return the URL of a published file, in its host's folder or on the user's mirror.

    ``MNV2_WEIGHTS_URL`` names the mirror: the http, https or file URL of a folder. It may contain a
    user and password.

    Raises:
        InputError: The mirror's URL is invalid.
    """
    base = os.environ.get("MNV2_WEIGHTS_URL", "").strip() or folder
    return address(base if base.endswith("/") else base + "/") + file_name


def mirrored_at(mirror: str, file_name: str, suffixes: tuple[str, ...]) -> str:
    """Return the URL of a file on a mirror.

    Args:
        mirror: The http, https or file URL of a folder, or of the file itself.
        file_name: The file's name in that folder.
        suffixes: Suffixes of weights files: a URL that ends in one is the file's own.

    Raises:
        InputError: The mirror's URL is invalid.
    """
    if mirror.endswith(suffixes):
        return address(mirror)
    return address((mirror if mirror.endswith("/") else mirror + "/") + file_name)


def address(url: str) -> str:
    """Return a URL unchanged after checking that files can be downloaded from it.

    Raises:
        InputError: It is not an http, https or file URL, or names no host.
    """
    valid = url.lower().startswith("file:") or is_web_address(url)
    if not valid or any(c.isspace() or not c.isprintable() for c in url):
        hint = "Use an http, https or file URL, such as https://mirror.example.org/weights/."
        if "@" in url:
            hint += " Percent-encode special characters in a password: %2F for /, %40 for @."
        raise InputError(f"cannot download weights from {redact_address(url)!r}: invalid URL", hint)
    return url


def download(
    origin: Origin,
    progress: DownloadProgress = ignore_download,
    check: Callable[[str, str, str], None] = check_file,
) -> None:
    """Download a weights file into Keras's cache; it gets its name only when it is complete.

    Args:
        origin: The URL and the target path.
        progress: Called with the progress.
        check: Checks the file before it gets its name. Called with its path, a hint for the user,
            and its name in errors; raises WeightsError.

    Raises:
        DownloadError: The file cannot be downloaded or written, or fails the check. Nothing is
            left behind, and an existing file is kept.
    """
    from http.client import HTTPException
    from urllib.error import HTTPError

    folder, name = os.path.split(origin.path)
    try:
        os.makedirs(folder, exist_ok=True)
        part = AtomicFile(origin.path, ".part" + os.path.splitext(name)[1])
    except OSError as error:
        raise DownloadError(
            f"cannot write to the weights folder {folder}: {reason(error)}",
            "Set KERAS_HOME to a writable folder, or use a weights file with --weights FILE.",
        ) from error
    try:
        _fetch(origin.url, part.file, name, progress)
        part.file.flush()
        what = f"the download from {origin.public_url}"
        _check_digest(part.name, origin, what)
        check(part.name, origin.by_hand, what)
        part.commit()
    except WeightsError as error:
        raise DownloadError(error.message, error.hint) from error
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(error, HTTPError):
            error.close()  # it holds the connection
        hint = origin.by_hand
        if isinstance(error, HTTPError) and error.code == 401:
            hint = f"Put a valid user and password into the URL: https://USER:PASSWORD@...\n{hint}"
        raise DownloadError(f"cannot download the weights: {_why(error)}", hint) from error
    finally:
        part.discard()


def _check_digest(path: str, origin: Origin, what: str) -> None:
    """Check that a download is the published file, as Keras's own loader does.

    Args:
        path: The download.
        origin: Its digest, and where it comes from.
        what: Its name in errors.

    Raises:
        WeightsError: It has another digest.
    """
    name, _, expected = origin.checksum.partition(":")
    if not expected:
        return
    with open(path, "rb") as file:
        found = hashlib.new(name, usedforsecurity=False)
        while block := file.read(1 << 20):
            found.update(block)
    if found.hexdigest() != expected:
        check_file(path, origin.by_hand, what)  # may know a better reason
        raise WeightsError(
            f"{what} is not the published file: its {name.upper()} is {found.hexdigest()}, not "
            f"{expected}",
            origin.by_hand,
        )


def _fetch(url: str, file: IO[bytes], name: str, progress: DownloadProgress) -> None:
    """Download into a file; no step takes longer than its time limit, whatever the host does.

    urllib applies its timeout to each address of a host and to each block, so a slow host can
    stall it for hours, and name look-up has no timeout at all. The transfer therefore runs in a
    thread, which is abandoned when it stalls.
    """
    # The total size if known, and a block; an exception or None ends the transfer.
    blocks: queue.Queue[_Item] = queue.Queue(8)
    given_up = threading.Event()

    def put(item: _Item) -> None:
        while not given_up.is_set():
            with suppress(queue.Full):
                blocks.put(item, timeout=0.2)
                return

    def transfer() -> None:
        try:
            plain, login = split_login(url)
            opener = _opener(lambda: put("connected"), plain, login)
            with opener.open(plain, timeout=TIMEOUT) as answer:
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
    """Return why a file cannot be downloaded; empty if its host answers. Downloads nothing.

    An answer other than "not found" or "not authorised" proves that the host is reachable; some
    hosts refuse HEAD requests.
    """
    from urllib.error import HTTPError
    from urllib.request import Request

    answers: queue.Queue[str] = queue.Queue()

    def connect() -> None:
        try:
            plain, login = split_login(url)
            opener = _opener(lambda: None, plain, login)
            with opener.open(Request(plain, method="HEAD"), timeout=CONNECT_TIMEOUT):
                answers.put("")
        except Exception as error:
            is_fine = isinstance(error, HTTPError) and error.code not in _REFUSALS
            answers.put("" if is_fine else _why(error))

    threading.Thread(target=connect, name="mnv2-reach", daemon=True).start()
    try:
        return answers.get(timeout=CONNECT_TIMEOUT)
    except queue.Empty:
        return f"the host did not answer within {CONNECT_TIMEOUT:g} seconds"


def _opener(on_connect: Callable[[], None], url: str, login: Login | None) -> OpenerDirector:
    """Return an opener that uses the system's proxies.

    Args:
        on_connect: Called once a connection is established.
        url: The URL to be opened, without a user and password.
        login: Sent to the host of that URL and to no other; None for none.
    """
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

    handlers: list[type[BaseHandler] | BaseHandler] = [PlainHandler, SecureHandler]
    if login:
        handlers.append(_login_handler(url, login))
    return urllib.request.build_opener(*handlers)


def _login_handler(url: str, login: Login) -> BaseHandler:
    """Return a handler that sends basic authentication (RFC 7617) to the host of a URL."""
    import base64
    import urllib.request
    from urllib.parse import urlsplit

    def host_of(address: str) -> tuple[str, str]:
        parts = urlsplit(address)
        return parts.scheme.lower(), parts.netloc.lower()

    token = base64.b64encode(f"{login.user}:{login.password}".encode()).decode("ascii")

    class LoginHandler(urllib.request.BaseHandler):
        def http_request(self, req: Request) -> Request:
            if host_of(req.full_url) == host_of(url):  # a redirect may lead elsewhere
                req.add_unredirected_header("Authorization", f"Basic {token}")
            return req

        https_request = http_request

    return LoginHandler()


def _why(error: Exception) -> str:
    from urllib.error import HTTPError, URLError

    if isinstance(error, HTTPError):
        if 300 <= error.code < 400:  # urllib explains it in three lines
            return f"the host answered {error.code}, a redirect that cannot be followed"
        return redact(f"the host answered {error.code} {error.reason}".rstrip())
    if isinstance(error, URLError):
        cause = error.reason
        return _why(cause) if isinstance(cause, Exception) else str(cause)
    if isinstance(error, TimeoutError):
        is_ours = "within" in str(error)
        return str(error) if is_ours else f"the host did not answer within {TIMEOUT:g} seconds"
    if isinstance(error, socket.gaierror):
        return f"host name not found ({reason(error, lower=False)})"
    return (reason(error) if isinstance(error, OSError) else str(error)) or type(error).__name__
