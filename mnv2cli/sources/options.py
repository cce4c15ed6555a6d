"""Options that select the images of a run."""

from __future__ import annotations

from dataclasses import dataclass, field

from mnv2cli.errors import InputError
from mnv2cli.sources.pairs import PAIRS, Pairs


@dataclass(frozen=True, slots=True)
class Filters:
    """Select files among the inputs.

    A pattern without a slash is matched against the name of a file or folder. A pattern with a
    slash is matched against the path below the given folder or, for a given file, against the end
    of its path; ``**`` matches any number of folders. Case is ignored: cameras write ``.JPG``.

    Attributes:
        recursive: Walk into subfolders.
        include: Patterns; if not empty, a file must match one of them.
        exclude: Patterns; a file or folder that matches one of them is skipped.
        all_files: In folders, use every file, not only files with an image suffix.
        hidden: In folders, also use files and folders whose names start with a dot.
        follow_links: Walk into symbolic links to folders.
        pairs: In folders and patterns, use only the image that leads a shot (``first``), such as
            ``IMG_1.JPG`` and not ``IMG_1.CR2`` beside it, or each image (``both``). Given files
            are always used.

    Raises:
        InputError: ``include`` or ``exclude`` is a string instead of a tuple, or ``pairs`` is
            neither ``first`` nor ``both``.
    """

    recursive: bool = True
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    all_files: bool = False
    hidden: bool = False
    follow_links: bool = False
    pairs: Pairs = "first"

    def __post_init__(self) -> None:
        for name in ("include", "exclude"):
            if isinstance(getattr(self, name), str):
                raise InputError(f"{name} must be a tuple of patterns, not a string")
        if self.pairs not in PAIRS:
            raise InputError(f"pairs must be {' or '.join(PAIRS)}, not {self.pairs!r}")


@dataclass(frozen=True, slots=True)
class Inputs:
    """The images of a run, as they were typed.

    Attributes:
        paths: Files, folders, patterns and URLs, in order.
        list_file: A file with more paths, ``-`` for standard input; None for no list.
        null: Paths in the list end with NUL instead of a line end.
        filters: Which files to use.
    """

    paths: tuple[str, ...] = ()
    list_file: str | None = None
    null: bool = False
    filters: Filters = field(default_factory=Filters)
