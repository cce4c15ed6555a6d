"""Write a page: one HTML file that opens without a server and makes no request to a network."""

from __future__ import annotations

import base64
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from importlib.resources import files
from itertools import chain, islice

from mnv2cli.errors import InputError, OutputError
from mnv2cli.reporting.columns import CHUNK, page_data, to_script
from mnv2cli.reporting.content import Content, Entry
from mnv2cli.reporting.files import LEFTOVER_SECONDS, ThumbnailFiles, remove_thumbnails
from mnv2cli.reporting.html import shown
from mnv2cli.reporting.places import Places
from mnv2cli.reporting.thumbnails import Thumbnail
from mnv2cli.results.check import already_exists, check_not_folder, existing_folder, is_regular
from mnv2cli.results.thumbnail_files import EMBED_LIMIT, FOLDER, files_folder
from mnv2cli.sources.urls import is_url
from mnv2cli.system.files import NO_SPACE, AtomicFile
from mnv2cli.system.messages import reason
from mnv2cli.system.urls import redact

SUFFIXES = (".html", ".htm")

STYLES = ("base.css", "controls.css", "grid.css", "viewer.css", "corrections.css", "panels.css")
SCRIPTS = (
    "data.js", "elements.js", "state.js", "facets.js", "view.js", "shortcuts.js", "tabs.js",
    "thumbnails.js", "cell.js", "grid.js", "moving.js", "charts.js", "overview.js", "sidebar.js",
    "search.js", "toolbar.js", "viewer.js", "errors.js", "panels.js", "printing.js",
    "corrections.js", "keeping.js", "csv.js", "labels.js", "figures.js", "marks.js", "actions.js",
    "selection.js", "band.js", "editor.js", "review.js", "exporting.js", "correcting.js", "main.js",
)  # fmt: skip
"""The parts of the page's style sheet and of its script, in their order."""

PREVIEW = 24
"""Photos in the page's markup: a browser shows them before it has read the data."""

_HEAD = 1024  # bytes that name what wrote a page
_GENERATOR = b'<meta name="generator" content="mnv2">'
_THUMBNAILS = re.compile(rf'<meta name="mnv2-thumbnails" content="({FOLDER.pattern})">'.encode())


@dataclass(frozen=True, slots=True)
class ReportTarget:
    """Where a page is written.

    Attributes:
        path: The file; ends in ``.html``.
        force: Overwrite it.
        thumbnails: Show the photos, not only their labels.
        embed_limit: The largest number of thumbnails in the file itself; more of them are files
            beside it.
    """

    path: str
    force: bool = False
    thumbnails: bool = True
    embed_limit: int = EMBED_LIMIT

    def needs_files(self, entries: Iterable[Entry]) -> bool:
        """Return whether these photos have more thumbnails than the file itself may have."""
        return sum(not entry.record.error for entry in entries) > self.embed_limit


def check_report(path: str, *, force: bool) -> None:
    """Check that a page can be written to a file, before any work is done.

    Raises:
        InputError: It exists and ``force`` is not given, its name does not end in ``.html``, its
            folder does not exist or cannot be written to, or a file or link has the name of the
            folder for its thumbnails.
    """
    name = os.path.basename(path).lower()
    if is_url(path) or name in SUFFIXES or not name.endswith(SUFFIXES):
        raise InputError(
            f"cannot write a report to {redact(path)!r}: name a local file that ends in .html",
            "For example: report.html",
        )
    check_not_folder(path, "a report")
    folder = existing_folder(path, "the report ")
    if os.path.lexists(path):
        if not is_regular(path):
            raise InputError(
                f"cannot write the report {path!r}: it is not a regular file",
                "Name another file.",
            )
        if not force:
            raise already_exists(path)
    if not os.access(folder, os.W_OK):
        raise InputError(
            f"cannot write to {folder!r}: permission denied", "Name a file in a writable folder."
        )
    beside = files_folder(path)
    if os.path.lexists(beside) and (os.path.islink(beside) or not os.path.isdir(beside)):
        raise InputError(
            f"cannot write the report {path!r}: {beside!r}, where it may keep thumbnails, is not a "
            "folder",
            "Name another file.",
        )


def write_report(
    content: Content, target: ReportTarget, places: Places, thumbnails: Iterable[Thumbnail] = ()
) -> None:
    """Write a page beside its place, then move it there.

    Args:
        content: What to show.
        target: The file; replaced if it exists and ``force`` is given.
        places: Where the photos are.
        thumbnails: One for each entry, in order; consumed while the page is written.

    Raises:
        OutputError: It cannot be written, or has appeared, and ``force`` is not given.
    """
    href = partial(places.href, page=target.path)
    try:
        if target.thumbnails and target.needs_files(content.entries):
            _write_with_files(content, target, href, thumbnails)
            return
        kind = "embedded" if target.thumbnails else "none"
        data = page_data(content, href, {"kind": kind})
        _write_page(target, page(content, data, thumbnails))
    except OSError as error:
        # The error of a full disk names no file.
        hint = "Free some space." if error.errno in NO_SPACE else "Name another file."
        raise OutputError(
            f"cannot write {error.filename or target.path!r}: {reason(error)}", hint
        ) from error


def _write_with_files(
    content: Content,
    target: ReportTarget,
    href: Callable[[str], str],
    thumbnails: Iterable[Thumbnail],
) -> None:
    """Write the thumbnails, then the page that refers to them; raises OSError."""
    missing: dict[int, str] = {}
    files = ThumbnailFiles(target.path)
    first: list[Thumbnail] = []
    try:
        for row, thumbnail in enumerate(thumbnails):
            if row < PREVIEW:
                first.append(thumbnail)
            if isinstance(thumbnail, str):
                missing[row] = thumbnail
            else:
                files.write(row, thumbnail)
        data = page_data(content, href, {"kind": "files", **files.about})
        _write_page(target, page(content, data, first, missing, files.name), files)
    except BaseException:
        files.discard()
        raise


def _write_page(
    target: ReportTarget, texts: Iterable[str], thumbnails: ThumbnailFiles | None = None
) -> None:
    """Write a page beside its place, then move it there.

    Args:
        target: The file.
        texts: The page.
        thumbnails: Its thumbnails, to keep once it is in its place.

    Raises:
        OutputError: A file has appeared there, and ``force`` is not given.
        OSError: It cannot be written.
    """
    part = AtomicFile(target.path)
    status = os.fstat(part.file.fileno())
    try:
        for text in texts:
            part.file.write(text.encode())
        replaced = thumbnails_of(target.path)
        if thumbnails:
            thumbnails.finish()
        part.commit(replace=target.force)
    except FileExistsError as error:
        raise OutputError(
            f"cannot write {target.path!r}: another program created it during this run",
            "Name another file.",
        ) from error
    finally:
        part.discard()
        with suppress(OSError):
            # Also if it was interrupted after that.
            if thumbnails and os.path.samestat(status, os.stat(target.path)):
                thumbnails.keep()
    remove_thumbnails(target.path, replaced)
    _remove_parts(target.path)


def _remove_parts(path: str) -> None:
    """Remove the unfinished pages that killed runs have left beside a page, as far as possible."""
    folder, base = os.path.split(os.path.abspath(path))
    pattern = re.compile(re.escape(f".{base[:200]}.") + r"[a-z0-9_]{8}\.part")
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if pattern.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                age = time.time() - entry.stat(follow_symlinks=False).st_mtime
                if age > LEFTOVER_SECONDS:
                    os.unlink(entry.path)


def is_page(path: str) -> bool:
    """Return whether a file is a page that this package has written."""
    return _GENERATOR in _head(path)


def thumbnails_of(path: str) -> str:
    """Return the name of the folder of the thumbnails of a page; empty for none."""
    found = _THUMBNAILS.search(_head(path)) if is_page(path) else None
    return found[1].decode() if found else ""


def _head(path: str) -> bytes:
    if not is_regular(path):
        return b""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(_HEAD)
    except OSError:
        return b""


def page(
    content: Content,
    data: dict[str, object],
    thumbnails: Iterable[Thumbnail] = (),
    missing: Mapping[int, str] | None = None,
    folder: str = "",
) -> Iterator[str]:
    """Yield the text of a page.

    Args:
        content: What it shows.
        data: The same for its scripts.
        thumbnails: One for each entry, in order, to embed; if they are files, the first ones.
        missing: Why there is no thumbnail, by row, if they are files; else None.
        folder: The name of the folder of the thumbnails, if they are files.
    """
    import jinja2

    parts = files("mnv2cli.reporting") / "page"
    style = "".join(_part(f"style/{name}") for name in STYLES)
    script = "".join(_part(f"script/{name}") for name in SCRIPTS)
    script = f"'use strict';\nwhenPreviewed(() => {{\n{script}}});\n"
    early = _part("script/early.js")
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((parts / "page.html").read_text(encoding="utf-8"))
    reasons = dict(missing or {})
    thumbnails = iter(thumbnails)
    first = list(islice(thumbnails, PREVIEW))
    embedded = chain(first, thumbnails) if missing is None else ()
    yield from template.generate(
        content=content,
        folder=folder,
        title=shown(content.title),
        data=to_script(data),
        style=style,
        early=early,
        script=script,
        policy=_policy(style, early, script),
        preview=_preview(content, first),
        chunks=_chunks(embedded, reasons),
        missing=lambda: to_script(reasons),
    )


def _part(name: str) -> str:
    path = files("mnv2cli.reporting") / "page" / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _preview(content: Content, first: Sequence[Thumbnail]) -> Iterator[tuple[str, str]]:
    """Yield the name and the base64 of the first thumbnails, shown until the script draws them."""
    for entry, thumbnail in zip(content.entries, first, strict=False):
        if isinstance(thumbnail, bytes):
            yield shown(os.path.basename(entry.record.path)), base64.b64encode(thumbnail).decode()


def _policy(style: str, *scripts: str) -> str:
    """Return the policy of a page: its own scripts and style, and images that need no network."""
    hashes = " ".join(f"'{_hash(script)}'" for script in scripts)
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"script-src {hashes}; style-src '{_hash(style)}'; img-src 'self' file: data:"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(sha256(text.encode()).digest()).decode()


def _chunks(thumbnails: Iterable[Thumbnail], missing: dict[int, str]) -> Iterator[tuple[int, str]]:
    """Yield the first row and the JSON of each chunk of thumbnails: base64, or null."""
    chunk: list[str | None] = []
    start = row = 0
    for row, each in enumerate(thumbnails, 1):
        if isinstance(each, str):
            missing[row - 1] = each
        chunk.append(None if isinstance(each, str) else base64.b64encode(each).decode())
        if len(chunk) == CHUNK:
            yield start, to_script(chunk)
            start, chunk = row, []
    if chunk:
        yield start, to_script(chunk)
