"""Words of messages: the operating system's reason for an error, and counted nouns."""

from __future__ import annotations


def reason(error: OSError, *, lower: bool = True) -> str:
    """Return why the operating system refused, such as ``no space left on device``.

    Args:
        error: The exception.
        lower: Start with a small letter, to end a sentence of ours.
    """
    text = error.strerror or str(error)
    return text.lower() if lower else text


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a counted noun, such as ``1 file`` or ``12,000 files``.

    Args:
        number: How many.
        noun: The singular.
        plural: The plural, if it is not the singular with an s.
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
