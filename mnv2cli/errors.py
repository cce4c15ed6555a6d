"""What can go wrong, and the exit code of each; ``cli`` alone turns these into an exit."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every command (README, "Exit codes")."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NO_IMAGES = 3
    SOME_UNREADABLE = 4
    INTERRUPTED = 130
    TERMINATED = 143


class Mnv2Error(Exception):
    """Any failure whose message the user sees, in plain words.

    Attributes:
        message: One line: what is wrong.
        hint: What to do next; may have several lines, may be empty.
        exit_code: What the process exits with.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\n{hint}" if hint else message)
        self.message = message
        self.hint = hint


class NoImagesError(Mnv2Error):
    """The inputs hold no image at all."""

    exit_code = ExitCode.NO_IMAGES


class InputError(Mnv2Error):
    """An input or option that cannot be used, found out below the command line."""

    exit_code = ExitCode.USAGE


class WeightsError(Mnv2Error):
    """Weights that are missing, unreachable, damaged or of another network."""


class DownloadError(WeightsError):
    """Published weights that cannot be fetched from where they are, or not be kept."""


class CompileError(Mnv2Error):
    """A network that cannot be compiled here, or whose compiled model cannot be opened."""


class OutputError(Mnv2Error):
    """Results that cannot be written."""


class JournalError(Mnv2Error):
    """A journal that cannot be read, or that says what cannot be done."""


class ImageError(Exception):
    """One image that cannot be read; becomes a record with an error, never an exit.

    Attributes:
        reason: A few plain words shared by all images with the same trouble, without a colon.
        detail: What is particular to this image; may be empty.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
