"""Callbacks through which a run reports notices, warnings and downloads."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

Notice = Callable[[str], None]
"""Called with one line of text."""

DownloadProgress = Callable[[str, int, "int | None"], None]
"""Called with a file name, the bytes downloaded so far, and the total bytes if known."""


def ignore_notice(text: str) -> None:
    """Ignore a notice."""


def ignore_download(name: str, done: int, total: int | None) -> None:
    """Ignore the progress of a download."""


def python_warning(text: str) -> None:
    """Issue a Python warning."""
    warnings.warn(text, stacklevel=2)


@dataclass(frozen=True, slots=True)
class RunEvents:
    """Callbacks of a run.

    Attributes:
        notice: Called with information, for example when a step takes a long time.
        warning: Called when results change, for example after a fallback to another network.
        download: Called with the progress of a download.
        status: Called with what the run is doing before its first image; each text replaces the
            one before.
    """

    notice: Notice = ignore_notice
    warning: Notice = python_warning
    download: DownloadProgress = ignore_download
    status: Notice = ignore_notice
