"""Parts of messages: the operating system's reason for an error, choices, counts and shares."""

from __future__ import annotations

from collections.abc import Sequence


def reason(error: OSError, *, lower: bool = True) -> str:
    """Return the operating system's reason for an error, such as ``no space left on device``.

    Args:
        error: The exception.
        lower: Return it in lower case, to end one of this program's messages.
    """
    text = error.strerror or str(error) or type(error).__name__
    return text.lower() if lower else text


def count_shots(photos: int, companions: int) -> str:
    """Return counted photos with their companions, such as ``3 photos and 1 companion``."""
    if not companions:
        return count(photos, "photo")
    also = f"{count(photos, 'photo')} and " if photos else ""
    return also + count(companions, "companion")


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a counted noun, such as ``1 file`` or ``12,000 files``.

    Args:
        number: The number.
        noun: The singular.
        plural: The plural; empty for the singular with an s.
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def share_text(share: float) -> str:
    """Return a share for people, such as ``97.2 %``; never 100 % for less, nor 0 % for more."""
    percent = 100 * share
    if share < 1:
        percent = min(percent, 99.9)
    if share > 0:
        percent = max(percent, 0.1)
    return f"{percent:.1f} %"


def one_of(choices: Sequence[str]) -> str:
    """Return at least two choices as words, such as ``crop, pad or stretch``."""
    return f"{', '.join(choices[:-1])} or {choices[-1]}"
