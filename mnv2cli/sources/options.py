"""Which images a run takes, as the user names them."""

from __future__ import annotations

from dataclasses import dataclass, field

from mnv2cli.errors import InputError


@dataclass(frozen=True, slots=True)
class Filters:
    """What to take from the inputs.

    Attributes:
        recursive: Walk into subfolders.
        include: Patterns; where there are any, a file must match one.
        exclude: Patterns; a file or folder that matches one is skipped.
        all_files: In folders, take every file and not only those with an image suffix.
        hidden: In folders, take what starts with a dot as well.
        follow_links: Walk into folders that are symbolic links.

    A pattern without a slash is matched with the name of a file or folder, one with a slash with
    the path below the folder that was given, or for a file that was given with the end of its
    path; ``**`` stands for any number of folders. Case does not count: cameras write ``.JPG``.

    Raises:
        InputError: A text where patterns should be.
    """

    recursive: bool = True
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    all_files: bool = False
    hidden: bool = False
    follow_links: bool = False

    def __post_init__(self) -> None:
        for name in ("include", "exclude"):
            if isinstance(getattr(self, name), str):
                raise InputError(f"{name} takes a tuple of patterns, not one text")


@dataclass(frozen=True, slots=True)
class Inputs:
    """The images of a run, as they were typed.

    Attributes:
        paths: Files, folders, globs and URLs, in the order to take them.
        list_file: A file with more paths, ``-`` for standard input; None for no list.
        null: The paths of the list end with NUL instead of a line end.
        filters: What to take from folders.
    """

    paths: tuple[str, ...] = ()
    list_file: str | None = None
    null: bool = False
    filters: Filters = field(default_factory=Filters)
