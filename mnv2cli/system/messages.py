"""What the operating system says about an error, in a few words."""

from __future__ import annotations


def reason(error: OSError, *, lower: bool = True) -> str:
    """Return why a file or a process cannot be used, such as ``no space left on device``.

    Args:
        error: What Python raised.
        lower: Write it as the end of a sentence, not as the system does, with a capital.
    """
    text = error.strerror or str(error)
    return text.lower() if lower else text
