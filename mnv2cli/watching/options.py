"""How a folder is watched: the options that the user chooses."""

from __future__ import annotations

from dataclasses import dataclass

from mnv2cli.errors import InputError


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How a folder is watched, and when a photo in it is complete.

    Attributes:
        settle: Seconds for which the size and the time of a photo must not have changed.
        patience: Seconds after which a photo that stands still and cannot be read is reported; with
            ``once``, also one that a program has open for writing, or that is replaced for so long.
        rescan: Seconds between two looks at the whole folder, in case a change was missed.
        poll: Look for changes instead of waiting for the system to report them, as on network
            drives.
        once: End once all photos in the folder are processed.
        recursive: Watch subfolders too.
        include: Patterns; if not empty, a photo must match one of them.
        exclude: Patterns; a file or folder that matches one of them is ignored.

    Raises:
        InputError: A number is out of range.
    """

    settle: float = 1.0
    patience: float = 30.0
    rescan: float = 60.0
    poll: bool = False
    once: bool = False
    recursive: bool = True
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("settle", "patience", "rescan"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("include", "exclude"):
            if isinstance(getattr(self, name), str):
                raise InputError(f"{name} must be a tuple of patterns, not a string")
