"""Exceptions and their exit codes; only ``cli`` turns them into an exit."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of all commands."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NO_IMAGES = 3
    SOME_UNREADABLE = 4
    INTERRUPTED = 130
    TERMINATED = 143


class Mnv2Error(Exception):
    """A failure with a message for the user.

    Attributes:
        message: What failed and why, in one line.
        hint: What to do about it; may have several lines or be empty.
        exit_code: The exit code of the process.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\n{hint}" if hint else message)
        self.message = message
        self.hint = hint


class NoImagesError(Mnv2Error):
    """The inputs contain no images."""

    exit_code = ExitCode.NO_IMAGES


class InputError(Mnv2Error):
    """An input or an option is invalid, as detected below the command line."""

    exit_code = ExitCode.USAGE


class WeightsError(Mnv2Error):
    """Weights are missing, unreachable, damaged, or belong to another network."""


class DownloadError(WeightsError):
    """Published weights cannot be downloaded or stored."""


class CompileError(Mnv2Error):
    """A network cannot be compiled, or its compiled model cannot be opened."""


class OutputError(Mnv2Error):
    """Results cannot be written."""


class JournalError(Mnv2Error):
    """A journal cannot be read, or contains impossible steps."""


class ImageError(Exception):
    """An image cannot be read; becomes a record with an error, never an exit.

    Attributes:
        reason: The kind of error, shared by all images that have it, without a colon.
        detail: Particulars of this image; may be empty.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
